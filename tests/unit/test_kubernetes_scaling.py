"""How many pods there are, how they are replaced, and what autoscalers go by."""

from __future__ import annotations

import re

import pytest
import yaml
from manifests import Data, found, musicshare, names, web
from memory.stacks import stack_of

from msctl.render import kubernetes
from msctl.render.kubernetes.scaling import traefik_names


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
