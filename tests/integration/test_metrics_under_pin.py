"""A service's traffic is counted while a pin holds it, too."""

from __future__ import annotations

import json

import pytest
from live import NewStack, Stack, free_port, prometheus, service, until
from load import Load, Requests, echo

from msctl.monitoring.prometheus import PrometheusApi
from msctl.monitoring.queries import matcher, pattern

pytestmark = pytest.mark.engine

SHOP, NEIGHBOUR = 40.0, 10.0
"""Requests a second. The neighbour is called as the shop's pin would be: shop-a."""
SHORT = "3s"
"""A window within the drain."""
LABELS = 'service="shop@docker"'
"""The shop's traffic without a pin's."""


@pytest.fixture
def shop(stacks: NewStack, prometheus_image: None) -> tuple[Stack, str]:  # noqa: ARG001
    """Two replicas and a neighbour are up, and a Prometheus, at this URL, that scrapes every
    second."""
    stack, port = stacks(), free_port()
    stack.write(
        {
            "shop": service(
                "/shop", replicas=2, env={"SERVICE_NAME": "shop"}, rollout={"drain": "8s"}
            ),
            "shop-a": service("/neighbour", env={"SERVICE_NAME": "shop-a"}),
            "prometheus": prometheus(stack, port),
        },
        metrics={"prometheus": f"http://127.0.0.1:{port}"},
    )
    stack.ok("up")
    return stack, f"http://127.0.0.1:{port}"


@pytest.mark.alone
@pytest.mark.soak
def test_traffic_under_a_pin_is_counted(shop: tuple[Stack, str]) -> None:
    """In the middle of a drain all requests go through the pin, and each of them is counted as the
    service's; those of a service with the pin's name stay its own."""
    stack, address = shop
    url = stack.visitor.url
    load = Load(
        Requests(f"{url}/shop/x", SHOP, echo("shop", "/shop/x"), delay_ms=20),
        Requests(f"{url}/neighbour/x", NEIGHBOUR, echo("shop-a", "/neighbour/x"), delay_ms=20),
    )
    sent = dict(zip(("shop", "shop-a"), (clients.result for clients in load.clients), strict=True))
    with PrometheusApi(address) as prometheus:

        def one(expression: str) -> float:
            return next((found.value or 0 for found in prometheus.instant(expression)), 0)

        def counted(selector: str) -> float:
            return one(f"sum(traefik_service_requests_total{{{selector}}})")

        def by_labels(window: str = SHORT) -> float:
            return one(f"sum(rate(traefik_service_requests_total{{{LABELS}}}[{window}]))")

        with load:
            until(lambda: by_labels() > 0.5 * SHOP, 20, "the load is counted")
            scaling = stack.start("scale", "shop", "1")
            until(lambda: by_labels() == 0, 20, "all requests go through the pin")
            for name, result in sent.items():
                own, before = matcher(pattern([name])), result.sent
                until(lambda own=own, n=before: counted(own) >= n, 5, f"{name} is counted")
                assert counted(own) <= result.sent
            assert counted(LABELS) < counted(matcher(pattern(["shop"])))
            minute, labels_alone = prometheus.traffic(["shop"])["shop"], by_labels("1m")
            assert by_labels() == 0
            assert scaling.process.poll() is None, "the drain is over before it was looked at"
            [told] = json.loads(stack.ok("metrics", "shop", "--json").out)["services"]
            assert scaling.ended() == 0, scaling.lines
    assert load.lost == 0, str(load)
    assert minute.rps is not None
    assert minute.rps > 1.1 * labels_alone > 0
    assert minute.p95_ms is not None
    assert 10 < minute.p95_ms < 2000
    assert told["rps"] > 1.1 * labels_alone
    assert told["error_rate"] == 0
