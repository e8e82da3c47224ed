"""A service's traffic is counted while a pin holds it, too."""

from __future__ import annotations

import json
import time

import pytest
from live import PROMETHEUS_IMAGE, NewStack, Stack, free_port, service, until
from load import Load, Requests, echo

from msctl.prometheus import PrometheusApi
from msctl.queries import pattern, quantile, rps

pytestmark = pytest.mark.engine

SCRAPE = """\
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: traefik
    static_configs: [{targets: ["traefik:8080"]}]
"""
SHOP, NEIGHBOUR = 40.0, 10.0
"""Requests a second. The neighbour is called as the shop's pin would be: shop-a."""
SHORT = "4s"
"""A window within the drain."""


@pytest.fixture
def shop(stacks: NewStack, prometheus_image: None) -> tuple[Stack, str]:  # noqa: ARG001
    """Two replicas and a neighbour are up, and a Prometheus, at this URL, that scrapes every
    second."""
    stack, port = stacks(), free_port()
    prometheus = {
        "image": PROMETHEUS_IMAGE,
        "stateful": True,
        "ports": [f"127.0.0.1:{port}:9090"],
        "volumes": ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"],
        "stop_grace": "1s",
    }
    (stack.folder / "prometheus.yml").write_text(SCRAPE)
    stack.write(
        {
            "shop": service(
                "/shop", replicas=2, env={"SERVICE_NAME": "shop"}, rollout={"drain": "7s"}
            ),
            "shop-a": service("/neighbour", env={"SERVICE_NAME": "shop-a"}),
            "prometheus": prometheus,
        },
        metrics={"prometheus": f"http://127.0.0.1:{port}"},
    )
    stack.ok("up")
    return stack, f"http://127.0.0.1:{port}"


def test_traffic_under_a_pin_is_counted(shop: tuple[Stack, str]) -> None:
    """In the middle of a drain all requests go through the pin, and the queries count them as the
    service's; those of a service with the pin's name stay its own."""
    stack, address = shop
    url = stack.visitor.url
    load = Load(
        Requests(f"{url}/shop/x", SHOP, echo("shop", "/shop/x"), delay_ms=20),
        Requests(f"{url}/neighbour/x", NEIGHBOUR, echo("shop-a", "/neighbour/x"), delay_ms=20),
    )
    with PrometheusApi(address) as prometheus:

        def rates(expression: str) -> dict[str, float | None]:
            return {found.labels["name"]: found.value for found in prometheus.instant(expression)}

        def by_labels(window: str = SHORT) -> float | None:
            query = f'sum(rate(traefik_service_requests_total{{service="shop@docker"}}[{window}]))'
            return next((found.value for found in prometheus.instant(query)), None)

        with load:
            until(lambda: (by_labels() or 0) > 0.7 * SHOP, 20, "the load is counted")
            scaling = stack.start("scale", "shop", "1")
            until(lambda: by_labels() == 0, 20, "all requests go through the pin")
            time.sleep(1)
            short = rates(rps(pattern(["shop", "shop-a"]), SHORT))
            latency = rates(quantile(0.95, pattern(["shop"]), SHORT))
            metrics = json.loads(stack.ok("metrics", "shop", "--json").out)
            minute = prometheus.traffic(["shop"])["shop"]
            labels_alone, still_by_labels = by_labels("1m"), by_labels()
            assert scaling.ended() == 0, scaling.lines
    assert load.lost == 0, load
    assert still_by_labels == 0
    assert short["shop"] == pytest.approx(SHOP, rel=0.3)
    assert short["shop-a"] == pytest.approx(NEIGHBOUR, rel=0.3)
    assert latency["shop"] is not None
    assert 0.01 < latency["shop"] < 2
    [told] = metrics["services"]
    assert labels_alone is not None
    assert told["rps"] > 1.1 * labels_alone
    assert told["rps"] == pytest.approx(minute.rps, rel=0.3)
    assert told["p95_ms"] == pytest.approx(minute.p95_ms, rel=0.5)
    assert sum(router["rps"] or 0 for router in metrics["routers"]) > 0
