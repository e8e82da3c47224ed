"""How pods are reached: Services, networks, the gateway and its routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from manifests import Data, found, musicshare, names, web
from memory.stacks import stack_of

from msctl.render import kubernetes
from msctl.render.kubernetes.gateway import GRACE, PORTS
from msctl.render.kubernetes.names import NETWORK


def test_networks_are_policies() -> None:
    """Nobody reaches a pod but the members of its networks; a public service anyone, on its port;
    nothing that a pod sends is limited, so that names are resolved."""
    stack, contents = musicshare()
    objects = kubernetes.objects(stack, contents)
    policies = [o for o in objects if o["kind"] == "NetworkPolicy"]
    assert all(o["spec"]["policyTypes"] == ["Ingress"] for o in policies)
    assert found(policies, "NetworkPolicy", "default-deny")["spec"].get("ingress") is None
    postgres = found(objects, "StatefulSet", "postgres")["spec"]["template"]["metadata"]["labels"]
    mine = {key for key in postgres if key.startswith(NETWORK)}
    users = [
        o["metadata"]["name"]
        for o in objects
        if "template" in o.get("spec", {})
        and mine & o["spec"]["template"]["metadata"]["labels"].keys()
    ]
    assert sorted(users) == ["postgres", "social-service", "userservice"]


def test_services() -> None:
    """A service with ports has an address of its own; what holds data, and what tells no port, is
    reached as its pods are; gRPC says what it speaks."""
    stack = stack_of(
        {
            "web": {"port": 80},
            "worker": {},
            "rpc": {"port": 50051, "health": {"grpc": True}},
            "db": {"image": "postgres:15", "stateful": True},
        }
    )
    objects = kubernetes.objects(stack)
    assert "clusterIP" not in found(objects, "Service", "web")["spec"]
    assert found(objects, "Service", "worker")["spec"]["clusterIP"] == "None"
    assert "ports" not in found(objects, "Service", "worker")["spec"]
    assert found(objects, "Service", "db")["spec"]["ports"][0]["port"] == 5432
    (port,) = found(objects, "Service", "rpc")["spec"]["ports"]
    assert port["appProtocol"] == "kubernetes.io/h2c"
    assert found(objects, "StatefulSet", "db")["spec"]["serviceName"] == "db"


def _middlewares(**more: Any) -> Mapping[str, Data]:
    objects = kubernetes.objects(web(**more))
    return {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == "Middleware"}


def test_middlewares_have_the_names_of_the_custom_resource() -> None:
    """Every key of the stack file for requests, as Traefik's Middleware has it."""
    made = _middlewares(
        headers={
            "frame": "sameorigin",
            "csp": "default-src 'self'",
            "permissions": "camera=()",
            "response": {"X-One": "1"},
        },
        ip_allow=["10.0.0.0/8", "192.0.2.7"],
        rate_limit={"average": 5, "burst": 9, "period": "1m"},
        in_flight=3,
        body_limit="1M",
        retry={"attempts": 2, "interval": "10ms"},
    )
    by_address = {"ipStrategy": {"ipv6Subnet": 64}}
    assert made["web-headers"]["headers"] == {
        "contentTypeNosniff": True,
        "customFrameOptionsValue": "SAMEORIGIN",
        "referrerPolicy": "strict-origin-when-cross-origin",
        "contentSecurityPolicy": "default-src 'self'",
        "permissionsPolicy": "camera=()",
        "customResponseHeaders": {"Server": "", "X-Powered-By": "", "X-One": "1"},
    }
    assert made["web-ipallowlist"]["ipAllowList"] == {"sourceRange": ["10.0.0.0/8", "192.0.2.7/32"]}
    assert made["web-ratelimit"]["rateLimit"] == {
        "average": 5,
        "burst": 9,
        "period": "1m",
        "sourceCriterion": by_address,
    }
    assert made["web-inflightreq"]["inFlightReq"] == {"amount": 3, "sourceCriterion": by_address}
    assert made["web-buffering"]["buffering"] == {"maxRequestBodyBytes": 1024**2}
    assert made["web-retry"]["retry"] == {"attempts": 2, "initialInterval": "10ms"}


def test_routes_of_a_public_stack_are_told_apart_by_entry_point() -> None:
    """By HTTPS with TLS; by the entry point of public services without, clients told apart by the
    last address of X-Forwarded-For. Without a public service there is no such entry point."""
    public = web(rate_limit=5, sticky="s", kubernetes={"service_type": "LoadBalancer"})
    objects = kubernetes.objects(public)
    outside = found(objects, "IngressRoute", "web-route")["spec"]
    inside = found(objects, "IngressRoute", "web-route-internal")["spec"]
    certificate = {"secretName": "traefik-gateway-tls"}
    assert (outside["entryPoints"], outside["tls"]) == (["websecure"], certificate)
    assert (inside["entryPoints"], inside.get("tls")) == (["internal"], None)
    limit = found(objects, "Middleware", "web-ratelimit-internal")["spec"]["rateLimit"]
    assert limit["sourceCriterion"]["ipStrategy"] == {"depth": 1, "ipv6Subnet": 64}
    assert outside["routes"][0]["services"][0]["sticky"] == {"cookie": {"name": "s"}}
    assert "web-route-internal" not in names(kubernetes.objects(web()), "IngressRoute")


def test_gateway() -> None:
    """Two replicas, no root, no writable image; every entry point is a port of the container; it
    has time to end; TLS off leaves HTTPS away."""
    stack, contents = musicshare()
    objects = kubernetes.objects(stack, contents)
    deployment = found(objects, "Deployment", "traefik-gateway")["spec"]
    assert deployment["replicas"] == 2
    spec = deployment["template"]["spec"]
    (container,) = spec["containers"]
    assert {p["name"]: p["containerPort"] for p in container["ports"]} == PORTS
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert spec["terminationGracePeriodSeconds"] > GRACE
    plain = stack_of({"web": {"port": 80, "routes": ["/"]}}, gateway={"tls": {"mode": "off"}})
    service = found(kubernetes.objects(plain), "Service", "traefik-gateway")["spec"]
    assert [port["name"] for port in service["ports"]] == ["web", "traefik"]
    assert found(kubernetes.objects(plain), "IngressRoute", "web-route")["spec"]["entryPoints"] == [
        "web"
    ]


def test_no_gateway_without_routes() -> None:
    """A stack without routes has neither Traefik nor a certificate."""
    files = kubernetes.files(stack_of({"web": {}}))
    assert list(files) == ["namespace.yaml", "backend-deployments-services.yaml"]
