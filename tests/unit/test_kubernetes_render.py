"""The stack as objects of the Kubernetes API."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from memory.stacks import shop, stack_of
from memory.strategies import stacks

from msctl.bindfiles import read_bind_files
from msctl.config import load
from msctl.model import Stack
from msctl.render import kubernetes
from msctl.render.kubernetes.gateway import GRACE, PORTS
from msctl.render.kubernetes.images import known
from msctl.render.kubernetes.names import INSTANCE, MANAGED_BY, NETWORK
from msctl.render.kubernetes.quantities import cpus, literal, size
from msctl.render.kubernetes.scaling import traefik_names

REPOSITORY = Path(__file__).parents[2]
VERSIONS = ("1.34", "1.35", "1.36")
CUSTOM = ("traefik.io", "cert-manager.io", "keda.sh")
"""Groups whose schemas are not Kubernetes's own."""
Data = dict[str, Any]


@cache
def musicshare() -> tuple[Stack, dict[str, dict[str, bytes]]]:
    folder = REPOSITORY / "compose"
    stack = load(folder / "stack.yaml", {}).stack
    return stack, read_bind_files(stack, folder)


def found(objects: Sequence[Data], kind: str, name: str) -> Data:
    (one,) = [o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return one


def names(objects: Sequence[Data], kind: str) -> list[str]:
    return [o["metadata"]["name"] for o in objects if o["kind"] == kind]


def web(**more: Any) -> Stack:
    """One routed service."""
    return stack_of({"web": {"port": 80, "routes": ["/"], **more}})


def pod(stack: Stack, name: str = "web", kind: str = "Deployment", **more: Any) -> Data:
    spec: Data = found(kubernetes.objects(stack, **more), kind, name)["spec"]["template"]["spec"]
    return spec


def check(objects: Sequence[Data], versions: Sequence[str] = VERSIONS) -> None:
    """Each is what the API of each version takes, and a whole of its own."""
    seen = set()
    for item in objects:
        key = (item["apiVersion"], item["kind"], item["metadata"]["name"])
        assert key not in seen
        seen.add(key)
        labels = item["metadata"]["labels"]
        assert labels[MANAGED_BY] == "msctl"
        assert labels[INSTANCE]
        if item["apiVersion"].partition("/")[0] not in CUSTOM:
            for version in versions:
                kubernetes_validate.validate(item, version, strict=True)


def test_the_sample_stack_is_valid_for_three_versions() -> None:
    """Every object of MusicShare passes the schemas of Kubernetes, unknown keys refused; KEDA's
    objects replace the autoscalers and no more."""
    stack, contents = musicshare()
    assert list(kubernetes.problems(stack, contents)) == []
    check(kubernetes.objects(stack, contents))
    with_keda = stack.model_copy(
        update={"kubernetes": stack.kubernetes.model_copy(update={"keda": True})}
    )
    assert list(kubernetes.problems(with_keda, contents)) == []
    objects = kubernetes.objects(with_keda, contents)
    check(objects, VERSIONS[-1:])
    assert names(objects, "HorizontalPodAutoscaler") == []
    assert len(names(objects, "ScaledObject")) == 4
    queries = found(objects, "ScaledObject", "userservice")["spec"]["triggers"]
    assert 'service=~"userservice@docker|musicshare-' in queries[1]["metadata"]["query"]


@pytest.mark.parametrize("namespace", ["musicshare", "music-two"])
def test_prometheus_calls_services_as_on_an_engine(namespace: str) -> None:
    """So that alerts and dashboard find them: the sample's rules for names, on Traefik's names in
    whichever namespace the stack is."""
    stack, contents = musicshare()
    files = found(
        kubernetes.objects(stack, contents, namespace=namespace), "ConfigMap", "prometheus-files"
    )["data"]
    (text,) = [text for key, text in files.items() if key.endswith("prometheus.yml")]
    rules = yaml.safe_load(text)["scrape_configs"][0]["metric_relabel_configs"]
    (rule,) = [r for r in rules if r["target_label"] == "service"]
    for part in ("", "internal-"):
        told = f"{namespace}-music-service-route-{part}{'0a' * 10}@kubernetescrd"
        name = re.fullmatch(rule["regex"], told)
        assert name
        assert rule["replacement"].replace("$1", name[1]) == "music-service@docker"
        assert re.fullmatch(traefik_names(namespace, "music-service"), told)


def test_the_namespace_stands_in_files_for_kubernetes_alone() -> None:
    """A file that both engines mount is the same on both, byte for byte."""
    text = b"in ${KUBERNETES_NAMESPACE} for $1"
    stack = web(volumes=["./a:/a:ro"], kubernetes={"user": 1, "volumes": ["./b:/b:ro"]})
    objects = kubernetes.objects(stack, {"./a": {"": text}, "./b": {"": text}}, namespace="blue")
    data = found(objects, "ConfigMap", "web-files")["data"]
    assert sorted(data.values()) == ["in ${KUBERNETES_NAMESPACE} for $1", "in blue for $1"]


def test_the_files_are_the_seeds() -> None:
    """Each part of MusicShare is where the seed had it."""
    stack, contents = musicshare()
    files = kubernetes.files(stack, contents)
    assert tuple(files) == kubernetes.FILES
    kinds = {name: {o["kind"] for o in objects} for name, objects in files.items()}
    assert kinds["traefik-config.yaml"] == {"ConfigMap"}
    assert {"Deployment", "Role", "ServiceAccount"} <= kinds["traefik-deployment-updated.yaml"]
    assert {"IngressRoute", "Middleware"} <= kinds["ingressroutes.yaml"]
    assert {"Issuer", "Certificate"} <= kinds["cert-manager.yaml"]
    assert kinds["hpa.yaml"] == {"HorizontalPodAutoscaler"}
    data = names(files["databases.yaml"], "StatefulSet")
    assert sorted(data) == ["grafana", "mongo", "postgres", "prometheus", "rabbitmq"]
    front = files["frontend-deployment-service.yaml"]
    assert found(front, "Deployment", "frontend")["spec"]["replicas"] == 3
    assert found(front, "Service", "frontend-loadbalancer")["spec"]["type"] == "LoadBalancer"


def test_what_is_written_is_read_again() -> None:
    """The text of each file is the objects, and says where it is from."""
    stack, contents = musicshare()
    files = kubernetes.files(stack, contents)
    for name, text in kubernetes.texts(files, source="stack.yaml").items():
        assert text.startswith("# Generated by msctl from stack.yaml.")
        assert list(yaml.safe_load_all(text)) == files[name]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stack=stacks())
def test_whatever_the_stack_it_renders_to_valid_objects(stack: Stack) -> None:
    """No stack of the strategies gives an object that the API refuses, or two of one name."""
    check(kubernetes.objects(stack), VERSIONS[-1:])
    assert list(kubernetes.problems(stack)) == []


def test_selectors_and_targets_lead_to_what_is_there() -> None:
    """Services and budgets select pods of the stack; ports are named ports of these; autoscalers,
    routes and middlewares name objects that are rendered."""
    stack, contents = musicshare()
    objects = kubernetes.objects(stack, contents)
    templates = [o["spec"]["template"] for o in objects if "template" in o.get("spec", {})]
    ports = {}
    for item in objects:
        chosen = item.get("spec", {}).get("selector")
        if item["kind"] in ("Service", "PodDisruptionBudget"):
            wanted = chosen.get("matchLabels", chosen)
            pods = [t for t in templates if wanted.items() <= t["metadata"]["labels"].items()]
            assert len(pods) == 1, item
        if item["kind"] == "Service":
            (container,) = pods[0]["spec"]["containers"]
            named = {port["name"] for port in container.get("ports", ())}
            assert {port["targetPort"] for port in item["spec"].get("ports", ())} <= named
            for port in item["spec"].get("ports", ()):
                ports[item["metadata"]["name"], port["port"]] = item
    for item in (o for o in objects if o["kind"] == "IngressRoute"):
        for route in item["spec"]["routes"]:
            wanted = {one["name"] for one in route.get("middlewares", ())}
            assert wanted <= set(names(objects, "Middleware"))
            for target in route["services"]:
                assert (
                    target["kind"] == "TraefikService" or (target["name"], target["port"]) in ports
                )
    for item in (o for o in objects if o["kind"] == "HorizontalPodAutoscaler"):
        target = found(objects, "Deployment", item["spec"]["scaleTargetRef"]["name"])
        assert "replicas" not in target["spec"]


def test_no_secret_is_rendered() -> None:
    """Pods mount Secrets that are in no file; given the values, they are made."""
    stack, contents = musicshare()
    objects = kubernetes.objects(stack, contents)
    assert names(objects, "Secret") == []
    mounted = {
        volume["secret"]["secretName"]
        for o in objects
        if "template" in o.get("spec", {})
        for volume in o["spec"]["template"]["spec"].get("volumes", ())
        if "secret" in volume
    }
    assert mounted == set(kubernetes.secret_names(stack).values())
    made = kubernetes.secrets(stack, {"postgres-password": b"x", "unknown": b"y"})
    check(made)
    assert [(o["metadata"]["name"], o["data"]) for o in made] == [
        ("postgres-password", {"postgres-password": "eA=="})
    ]


def test_namespace() -> None:
    """The project's name, else the file's, else what is asked for; everything is in it."""
    assert kubernetes.namespace_of(stack_of({"web": {}})) == "shop"
    stack = stack_of({"web": {}}, kubernetes={"namespace": "other"})
    assert kubernetes.namespace_of(stack) == "other"
    for item in kubernetes.objects(stack, namespace="third"):
        where = item["metadata"].get("namespace", item["metadata"]["name"])
        assert where == "third"


def test_life_of_a_replica() -> None:
    """A pod that ends drains first, by the sleep of the kubelet, and then has its own grace."""
    spec = pod(web(rollout={"drain": "7s"}, stop_grace="4s"))
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert spec["terminationGracePeriodSeconds"] == 11
    assert "lifecycle" not in pod(web(rollout={"drain": "0s"}))["containers"][0]
    database = pod(shop(), "db", "StatefulSet")
    assert "lifecycle" not in database["containers"][0]


def test_what_holds_data_has_time_to_end_and_to_begin() -> None:
    """Thirty seconds to write it down unless the file says how long; and ten minutes at least to
    recover, before a start counts as failed."""
    data = {"image": "db", "stateful": True, "health": {"command": ["ok"]}}
    spec = pod(stack_of({"db": data}), "db", "StatefulSet")
    assert spec["terminationGracePeriodSeconds"] == 30
    probe = spec["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 600
    brief = pod(stack_of({"db": {**data, "stop_grace": "5s"}}), "db", "StatefulSet")
    assert brief["terminationGracePeriodSeconds"] == 5


def test_probes() -> None:
    """Readiness is the health check; liveness is twice as patient; the start has its own time."""
    health = {"path": "/health", "interval": "4s", "timeout": "1500ms", "retries": 2}
    (container,) = pod(web(health=health, rollout={"health_timeout": "30s"}))["containers"]
    asked = {"httpGet": {"path": "/health", "port": 80}, "timeoutSeconds": 2}
    assert container["readinessProbe"] == {**asked, "periodSeconds": 4, "failureThreshold": 2}
    assert container["livenessProbe"] == {**asked, "periodSeconds": 4, "failureThreshold": 4}
    assert container["startupProbe"] == {**asked, "periodSeconds": 1, "failureThreshold": 30}
    (other,) = pod(web(health={"command": ["ok", "now"]}))["containers"]
    assert other["livenessProbe"]["exec"] == {"command": ["ok", "now"]}
    (grpc,) = pod(web(health={"grpc": True}))["containers"]
    assert grpc["readinessProbe"]["grpc"] == {"port": 80}
    (bare,) = pod(web())["containers"]
    assert bare["readinessProbe"]["tcpSocket"] == {"port": 80}
    assert "livenessProbe" not in bare


@pytest.mark.parametrize(
    ("rollout", "update"),
    [
        ({}, {"maxSurge": 1, "maxUnavailable": 0}),
        ({"surge": "25%"}, {"maxSurge": "25%", "maxUnavailable": 0}),
        ({"surge": 2, "order": "stop-first"}, {"maxSurge": 0, "maxUnavailable": 2}),
    ],
)
def test_rolling_update(rollout: Data, update: Data) -> None:
    """The surge of the file, and never fewer than wanted unless it says stop-first."""
    spec = found(kubernetes.objects(web(rollout=rollout)), "Deployment", "web")["spec"]
    assert spec["strategy"]["rollingUpdate"] == update
    assert spec["progressDeadlineSeconds"] > spec["minReadySeconds"]


def test_replicas_budgets_and_spread() -> None:
    """Two replicas or more are spread and have a budget; one has neither; the key says how many."""
    single = kubernetes.objects(web())
    assert "web" not in names(single, "PodDisruptionBudget")
    several = kubernetes.objects(web(kubernetes={"replicas": 3}))
    assert found(several, "Deployment", "web")["spec"]["replicas"] == 3
    assert "web" in names(several, "PodDisruptionBudget")
    spec = found(several, "Deployment", "web")["spec"]["template"]["spec"]
    assert [c["topologyKey"] for c in spec["topologySpreadConstraints"]] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]


def test_autoscaler() -> None:
    """Bounds, target, windows and rates are those that `msctl autoscale` goes by."""
    scaled = {"min": 2, "max": 6, "cpu": "70%", "stabilize_down": "120s"}
    stack = web(autoscale=scaled, resources={"cpus": 1})
    spec = found(kubernetes.objects(stack), "HorizontalPodAutoscaler", "web")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    assert spec["metrics"][0]["resource"] == {
        "name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 70},
    }
    assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 120
    up = spec["behavior"]["scaleUp"]
    assert [(p["type"], p["value"], p["periodSeconds"]) for p in up["policies"]] == [
        ("Percent", 100, 15),
        ("Pods", 4, 15),
    ]


def test_scaled_object() -> None:
    """With KEDA, requests are an average of the replicas and latency is in seconds."""
    scaled = {"rps": 50, "latency_p95": "500ms"}
    stack = stack_of(
        {"web": {"port": 80, "routes": ["/"], "autoscale": scaled}},
        kubernetes={"keda": True, "prometheus": "http://metrics.example:9090"},
    )
    spec = found(kubernetes.objects(stack), "ScaledObject", "web")["spec"]
    rates, times = spec["triggers"]
    assert (rates["metricType"], rates["metadata"]["threshold"]) == ("AverageValue", "50")
    assert (times["metricType"], times["metadata"]["threshold"]) == ("Value", "0.5")
    assert {t["metadata"]["serverAddress"] for t in spec["triggers"]} == {
        "http://metrics.example:9090"
    }
    wanted = re.search(r'service=~"([^"]+)"', rates["metadata"]["query"])
    assert wanted
    assert "docker" not in wanted[1]
    name = re.compile(wanted[1])
    assert name.fullmatch(f"shop-web-route-{'0a' * 10}@kubernetescrd")
    assert not name.fullmatch(f"shop-web-2-route-{'0a' * 10}@kubernetescrd")


def test_security_by_what_is_known_of_the_image() -> None:
    """Images whose user is known fit the restricted profile, and the namespace says so; one
    unknown image makes it the baseline."""
    stack = stack_of(
        {"web": {"port": 80, "kubernetes": {"user": 10001}}, "db": {"image": "postgres:15"}}
    )
    spec = pod(stack)
    assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == 10001
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["sysctls"][0]["name"] == "net.ipv4.ip_unprivileged_port_start"
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(stack, "db")["securityContext"]["runAsUser"] == 999
    profile = "pod-security.kubernetes.io/enforce"
    assert kubernetes.objects(stack)[0]["metadata"]["labels"][profile] == "restricted"
    unknown = web()
    assert kubernetes.objects(unknown)[0]["metadata"]["labels"][profile] == "baseline"
    assert "runAsNonRoot" not in pod(unknown)["securityContext"]


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("postgres:15", 999),
        ("docker.io/library/postgres", 999),
        ("prom/prometheus:v3.5.0@sha256:" + "0" * 64, 65534),
        ("registry:5000/postgres:15", None),
        ("musicshare/userservice:latest", None),
    ],
)
def test_known_images(image: str, user: int | None) -> None:
    """An image is known by its repository on Docker Hub, whatever its version."""
    what = known(image)
    assert (what and what.user) == user


def test_volumes() -> None:
    """A stateful service's own volume is claimed by its StatefulSet; a shared one once, for many
    nodes; tmpfs and nameless ones are scratch space."""
    stack = stack_of(
        {
            "db": {"stateful": True, "volumes": ["own:/data", "both:/both"]},
            "web": {
                "volumes": [
                    "both:/see:ro",
                    "/cache",
                    {"type": "tmpfs", "target": "/run/x", "tmpfs": {"size": "64M"}},
                ],
                "kubernetes": {"storage": "2G"},
            },
        }
    )
    objects = kubernetes.objects(stack)
    claims = found(objects, "StatefulSet", "db")["spec"]["volumeClaimTemplates"]
    assert [claim["metadata"]["name"] for claim in claims] == ["own"]
    assert claims[0]["spec"]["accessModes"] == ["ReadWriteOnce"]
    shared = found(objects, "PersistentVolumeClaim", "both")["spec"]
    assert shared["accessModes"] == ["ReadWriteMany"]
    assert shared["resources"]["requests"]["storage"] == "8Gi"
    spec = pod(stack)
    assert {"name": "both", "mountPath": "/see", "readOnly": True} in spec["containers"][0][
        "volumeMounts"
    ]
    scratch = [volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume]
    assert scratch == [{}, {"medium": "Memory", "sizeLimit": "64Mi"}]


def test_files_become_a_config_map() -> None:
    """Files that are only read are in a ConfigMap, folders with their paths; the pod changes with
    them; a mount of the key `kubernetes` replaces the one at its place."""
    stack = stack_of(
        {
            "web": {
                "volumes": ["./a.conf:/etc/a.conf:ro", "./rules:/etc/rules:ro"],
                "kubernetes": {"volumes": ["./b.conf:/etc/a.conf:ro"]},
            }
        }
    )
    contents = {
        "./a.conf": {"": b"a"},
        "./b.conf": {"": b"b"},
        "./rules": {"one.yml": b"1", "deep/two.bin": b"\xff"},
    }
    objects = kubernetes.objects(stack, contents)
    config = found(objects, "ConfigMap", "web-files")
    check([config])
    assert sorted(config["data"].values()) == ["1", "b"]
    assert list(config["binaryData"].values()) == ["/w=="]
    spec = pod(stack, contents=contents)
    paths = [item["path"] for v in spec["volumes"] for item in v["configMap"]["items"]]
    assert paths == ["a.conf", "one.yml", "deep/two.bin"]
    assert [m.get("subPath") for m in spec["containers"][0]["volumeMounts"]] == ["a.conf", None]
    changed = kubernetes.objects(stack, {**contents, "./b.conf": {"": b"c"}})
    notes = [
        found(every, "Deployment", "web")["spec"]["template"]["metadata"]["annotations"]
        for every in (objects, changed)
    ]
    assert notes[0] != notes[1]


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


def test_environment_and_commands_are_taken_literally() -> None:
    """Kubernetes puts nothing in for `$(NAME)`, and words are those of Compose."""
    assert literal("a$(B)$$c") == "a$$(B)$$$$c"
    stack = stack_of(
        {"web": {"env": {"A": "$(B)"}, "command": "run 'a b'", "entrypoint": ["/e", "$(X)"]}}
    )
    (container,) = pod(stack)["containers"]
    assert container["env"] == [{"name": "A", "value": "$$(B)"}]
    assert (container["command"], container["args"]) == (["/e", "$$(X)"], ["run", "a b"])


def test_a_job_runs_once() -> None:
    """A job is a Job, tried again as often as its restart policy says, and no Service."""
    stack = stack_of({"migrate": {"job": True, "restart": "on-failure:5"}})
    objects = kubernetes.objects(stack)
    spec = found(objects, "Job", "migrate")["spec"]
    assert spec["backoffLimit"] == 5
    assert spec["template"]["spec"]["restartPolicy"] == "OnFailure"
    assert names(objects, "Service") == []


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


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "500m"), (2, "2"), (0.0001, "1m"), (1.25, "1250m")]
)
def test_processors(value: float, text: str) -> None:
    """Thousandths, or whole ones."""
    assert cpus(value) == text


@pytest.mark.parametrize(("value", "text"), [(512 * 1024**2, "512Mi"), (1000, "1000")])
def test_sizes(value: int, text: str) -> None:
    """Powers of 1024, as the stack file's."""
    assert size(value) == text


def test_the_guide_has_exact_commands() -> None:
    """Every file is applied, every Secret made, every workload waited for; each command is one that
    a shell can read."""
    stack, contents = musicshare()
    files = kubernetes.files(stack, contents)
    text = kubernetes.guide(stack, list(files), source="stack.yaml", folder="compose")
    for name in files:
        assert f"kubectl apply --server-side --field-manager=msctl -f {name}\n" in text
    for file, name in kubernetes.secret_names(stack).items():
        assert f"create secret generic {name} -n musicshare --from-file={file}=" in text
    assert kubernetes.TRAEFIK_CRDS in text
    assert kubernetes.CERT_MANAGER in text
    assert "- `musicshare/frontend:latest`" in text
    assert "- `postgres:15`" not in text  # it is Docker Hub's
    for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
        assert shlex.split(block)
        commands = [line for line in block.splitlines() if not line.startswith(" ")]
        assert len(commands) == len(set(commands))


PROBLEMS: list[tuple[Data, tuple[str | int, ...], str]] = [
    ({"volumes": ["./x:/x"]}, ("volumes", 0), "add :ro"),
    ({"volumes": ["./x:/x:ro"]}, ("volumes", 0), "no file or folder"),
    ({"volumes": ["./big:/x:ro"]}, ("volumes",), "a ConfigMap holds 1048576"),
    ({"volumes": ["./none:/x:ro"]}, ("volumes", 0), "empty folder"),
    (
        {
            "volumes": [
                {
                    "type": "volume",
                    "source": "data",
                    "target": "/d",
                    "volume": {"subpath": "part"},
                }
            ]
        },
        ("volumes", 0),
        "mount it whole",
    ),
    (
        {"volumes": [{"type": "tmpfs", "target": "/d", "tmpfs": {"size": "much"}}]},
        ("volumes", 0),
        "no size",
    ),
    ({"ports": ["8000:80"]}, ("ports", 0), "kubernetes.service_type"),
    ({"restart": "no"}, ("restart",), "job: true"),
    ({"command": []}, ("command",), "an empty command"),
    ({"labels": {"traefik.enable": "true"}}, ("labels", "traefik.enable"), "reads no labels"),
    ({"labels": {"a b": "x"}}, ("labels", "a b"), "no name of an annotation"),
    ({"env": {"1A": "x"}}, ("env", "1A"), "no name of a variable"),
    ({"kubernetes": {"env": {"A": None}}}, ("kubernetes", "env", "A"), "has no value"),
    ({"basic_auth": ["alice"]}, ("basic_auth",), "remove basic_auth"),
    (
        {"routes": [{"path": "/", "basic_auth": ["a"]}]},
        ("routes", 0, "basic_auth"),
        "remove basic_auth",
    ),
    ({"kubernetes": {"replicas": 12}}, ("kubernetes", "replicas"), "max: 12"),
    ({"stateful": True, "kubernetes": {"replicas": 2}}, ("kubernetes", "replicas"), "one replica"),
    (
        {"autoscale": {"rps": 5}},
        ("autoscale",),
        "keda: true",
    ),
    (
        {"autoscale": {"cpu": "70%"}, "resources": {"cpus": 1}, "kubernetes": {"replicas": 2}},
        ("kubernetes", "replicas"),
        "an autoscaler says how many",
    ),
    (
        {"job": True, "routes": [], "port": 80, "kubernetes": {"service_type": "NodePort"}},
        ("kubernetes", "service_type"),
        "a job is reached by nobody",
    ),
    (
        {
            "replicas": 2,
            "volumes": ["data:/d"],
            "kubernetes": {"access_mode": "ReadWriteOncePod"},
        },
        ("kubernetes", "access_mode"),
        "ReadWriteMany",
    ),
]


@pytest.mark.parametrize(("service", "path", "message"), PROBLEMS)
def test_what_kubernetes_cannot_carry_is_said(
    service: Data, path: tuple[str | int, ...], message: str
) -> None:
    """Where it is, and what to do about it."""
    contents = {"./big": {"": b"x" * (1024**2 + 1)}, "./none": {}}
    ((where, said),) = kubernetes.problems(web(**service), contents)
    assert where == ("services", "web", *path)
    assert message in said


@pytest.mark.parametrize(
    ("gateway", "path"),
    [
        ({"args": ["--log.level=DEBUG"]}, ("gateway", "args")),
        ({"dashboard_host": "traefik.example.org"}, ("gateway", "dashboard_host")),
        (
            {"tls": {"mode": "acme", "email": "a@b.org", "challenge": "tls"}},
            ("gateway", "tls", "challenge"),
        ),
        ({"tls": {"mode": "files", "cert": "c", "key": "k"}}, ("gateway", "tls", "mode")),
        ({"http": "off", "https": "off"}, ("gateway", "http")),
    ],
)
def test_what_the_gateway_cannot_carry_is_said(gateway: Data, path: tuple[str, ...]) -> None:
    """Nothing of the gateway's is left out silently."""
    stack = stack_of({"web": {"port": 80, "routes": ["/"]}}, gateway=gateway)
    assert [where for where, _ in kubernetes.problems(stack)] == [path]


@pytest.mark.parametrize(
    "name",
    ["1web", "my_web", "web-", "traefik-gateway", "https-redirect", "w" * 51, "front-loadbalancer"],
)
def test_names_that_kubernetes_has_no_room_for(name: str) -> None:
    """A service keeps its name, since others call it by that; so it has to be one."""
    front = {"port": 80, "kubernetes": {"service_type": "LoadBalancer"}}
    (found,) = kubernetes.problems(stack_of({name: {"image": "a"}, "front": front}))
    assert found[0] == ("services", name)


def test_names_of_the_stack() -> None:
    """The project's name is a label; volumes are told apart without `_`; KEDA needs numbers."""
    assert [where for where, _ in kubernetes.problems(stack_of({"web": {}}, name="shop_"))] == [
        ("name",)
    ]
    twins = stack_of({"web": {"volumes": ["a_b:/a", "a-b:/b"]}})
    assert "both be a-b" in next(kubernetes.problems(twins))[1]
    blind = stack_of(
        {"web": {"port": 80, "routes": ["/"], "autoscale": {"rps": 1}}}, kubernetes={"keda": True}
    )
    assert [where for where, _ in kubernetes.problems(blind)] == [("kubernetes", "keda")]


def test_notes_say_what_is_otherwise() -> None:
    """What nobody has to change, but everybody shall know."""
    stack = web(
        autoscale={"cpu": "70%", "rps": 5, "interval": "30s"},
        resources={"cpus": 1},
        restart="on-failure:3",
        volumes=["data:/d"],
    )
    said = list(kubernetes.notes(stack))
    for part, text in zip(
        ("CPU alone", "how often", "ever more", "ReadWriteMany", "baseline"), said, strict=True
    ):
        assert part in text


def test_what_is_needed_comes_first() -> None:
    """In each file, in an order that is the same every time."""
    stack = stack_of({"c": {"needs": ["b", "a"]}, "a": {}, "b": {"needs": ["a"]}, "d": {}})
    assert names(kubernetes.objects(stack), "Deployment") == ["a", "d", "b", "c"]
