"""`--engine kubernetes`: `status`, `routes` and `doctor`."""

from __future__ import annotations

from urllib.parse import parse_qsl

import httpx
import pytest
from apiserver import Behaviour
from clusters import SHOP, Site, nobody

pytestmark = pytest.mark.timeout(60)


def test_status_has_the_shape_of_every_engine(shop: Site) -> None:
    """Pods are replicas, endpoints say what gets requests, and the autoscaler what is desired."""
    answer = shop.msctl("status", "--json")
    assert answer.status == 0, answer.out
    found = answer.json
    assert (found["engine"], found["project"], found["healthy"]) == ("kubernetes", "shop", True)
    services = {service["name"]: service for service in found["services"]}
    assert list(services) == ["web", "api", "migrate", "db"]
    web = services["web"]
    assert (web["desired"], web["running"], web["healthy"], web["routed"]) == (2, 2, 2, 2)
    assert web["replicas"][0]["gateway_status"] == "UP"
    assert services["migrate"]["kind"] == "job"
    assert found["problems"] == []


def test_status_tells_where_the_load_balancer_answers(shop: Site) -> None:
    """The ports that the file publishes are those of another engine."""
    shop.edit(
        "    replicas: {initial: 2, max: 6}\n", "    kubernetes: {service_type: LoadBalancer}\n"
    )
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert "gateway    http://203.0.113.7:8080" in answer.err
    assert shop.msctl("status", "--json").json["gateway"]["url"] == "http://203.0.113.7:8080"


@pytest.mark.parametrize("command", ["status", "doctor"])
def test_a_file_of_ones_home_is_looked_at_without_home_in_the_environment(
    shop: Site, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Docker Compose would not know where it is; a cluster has no use for the path."""
    monkeypatch.setenv("HOME", str(shop.folder))
    (shop.folder / "web.conf").write_text("a = 1\n")
    shop.edit("    image: web:1\n", "    image: web:1\n    volumes: ['~/web.conf:/w:ro']\n")
    assert shop.msctl("up").status == 0
    answer = shop.msctl(command)
    assert answer.status == 0, answer.err


def test_doctor_asks_of_a_cluster_what_a_cluster_has(shop: Site) -> None:
    """Neither Docker's disk nor the machine's ports."""
    answer = shop.msctl("doctor")
    assert answer.status == 0, answer.out + answer.err
    assert "Kubernetes 1.36.0 at http://127.0.0.1:" in answer.out
    assert "Docker" not in answer.out
    assert "`up` has nothing to do" in answer.out


def test_routes_are_those_of_the_ingress_routes(shop: Site) -> None:
    """With the addresses that are ready behind each."""
    routes = shop.msctl("routes", "--json").json["routes"]
    assert {(r["service"], r["status"], r["servers_up"]) for r in routes} == {
        ("web", "enabled", 2),
        ("api", "enabled", 2),
    }


def test_status_is_degraded_when_a_pod_is(shop: Site) -> None:
    """Exit status 1, with the pod's own reason."""
    shop.api.behave("web", Behaviour(waiting=("CrashLoopBackOff", "back-off 5m0s"), restarts=7))
    answer = shop.msctl("status", "--json")
    assert answer.status == 1
    messages = [problem["message"] for problem in answer.json["problems"]]
    assert any("ends again and again: CrashLoopBackOff: back-off 5m0s" in m for m in messages)
    assert shop.msctl("status").status == 1


def test_status_of_a_stack_that_is_not_up(site: Site) -> None:
    """Every service is missing; nothing is made up."""
    answer = site.msctl("status", "--json")
    assert answer.status == 1
    assert {p["kind"] for p in answer.json["problems"]} == {"missing", "gateway_down"}


def test_status_with_load_takes_usage_from_metrics_server(shop: Site) -> None:
    """Percent of the limit, and bytes."""
    pod = next(name for name in shop.api.names("pods") if name.startswith("api-"))
    usage = {"name": "api", "usage": {"cpu": "250m", "memory": "32Mi"}}
    labels = {"app.kubernetes.io/instance": "shop"}
    shop.api.put(
        "pods.metrics.k8s.io",
        {"metadata": {"name": pod, "labels": labels}, "containers": [usage]},
    )
    found = shop.msctl("status", "api", "--load", "--json").json
    replica = next(r for r in found["services"][0]["replicas"] if r["name"] == pod)
    assert (replica["cpu_percent"], replica["memory_bytes"]) == (25.0, 32 << 20)


def test_figures_of_requests_are_those_of_the_stacks_namespace(shop: Site) -> None:
    """Whoever scrapes Traefik there gives a name for each rule; where nobody does, they are
    unknown."""
    asked: list[str] = []

    def prometheus(request: httpx.Request) -> httpx.Response:
        asked.append(dict(parse_qsl(request.content.decode()))["query"])
        metric = {"name": "web", "figure": "rps"}
        kind = "matrix" if "range" in request.url.path else "vector"
        result = [] if kind == "matrix" else [{"metric": metric, "value": [0, "12.5"]}]
        data = {"resultType": kind, "result": result}
        return httpx.Response(200, json={"status": "success", "data": data})

    shop.prometheus = prometheus
    web, api, *_ = shop.msctl("status", "--load", "--json").json["services"]
    assert (web["rps"], api["rps"]) == (12.5, None)
    assert "shop-(?:web|api)-route-" in asked[-1]
    shop.msctl("--namespace", "shop", "metrics", "--json")
    assert "shop-(?:web|api)-route-" in asked[-1]
    shop.prometheus = nobody
    assert shop.msctl("status", "--load", "--json").json["services"][0]["rps"] is None
    shop.write(SHOP + "  prometheus: {image: 'prom/prometheus:v3', stateful: true}\n")
    hint = "-n shop port-forward service/prometheus 9090"
    assert hint in shop.msctl("status", "--load").out
    assert f"hint: kubectl {hint}" in shop.msctl("metrics").err
    chosen = shop.msctl("--context", "my cluster", "--namespace", "shop", "metrics")
    assert f"hint: kubectl --context 'my cluster' {hint}" in chosen.err
    shop.environ["MSCTL_CONTEXT"] = "{arn}"
    assert f"hint: kubectl --context '{{arn}}' {hint}" in shop.msctl("metrics").err


def test_replicas_beyond_the_files_bounds_are_no_surplus(shop: Site) -> None:
    """Who scaled the Deployment by hand, or its autoscaler, has the last word."""
    shop.api.write_as("kubectl", "deployments.apps", "web", {"spec": {"replicas": 9}})
    answer = shop.msctl("status", "web", "--json")
    assert answer.status == 0
    assert answer.json["services"][0]["desired"] == 9
    assert answer.json["problems"] == []


def test_before_the_first_up_what_is_desired_is_the_renderings(site: Site) -> None:
    """The key `kubernetes` and the autoscaler's least replicas count."""
    site.edit("    replicas: {initial: 2, max: 6}\n",
              "    replicas: {initial: 2, max: 6}\n    kubernetes: {replicas: 4}\n")  # fmt: skip
    web, api, *_ = site.msctl("status", "--json").json["services"]
    assert (web["desired"], api["desired"]) == (4, 2)
