"""Which series the queries take for which service, and what is read from their answers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl.fields import NAME_RULE
from msctl.monitoring.queries import (
    ANY,
    GUIDE,
    WINDOW,
    Chosen,
    Sample,
    apart,
    by_name,
    error_rate,
    known,
    matcher,
    own_name,
    pattern,
    quantile,
    read_traffic,
    rps,
    servers,
    servers_up,
    together,
    traffic_query,
)
from msctl.render.traefik import BUCKETS
from msctl.render.traefik.pins import SLOTS, gateway_name
from msctl.state import Traffic

NAMES = st.from_regex(NAME_RULE, fullmatch=True)


def matches(matcher_text: str, label: str) -> bool:
    """Whether Prometheus, which anchors its patterns, takes a series with this service label."""
    found = re.fullmatch(r'service=~"(.*)"', matcher_text)
    assert found is not None
    unquoted = re.sub(r"\\(.)", r"\1", found[1])
    return re.fullmatch(unquoted, label) is not None


@given(NAMES)
def test_a_service_is_counted_under_its_pins_too(name: str) -> None:
    """By its labels, and in each slot of a pin."""
    labels = [f"{name}@docker", *(gateway_name(name, slot) for slot in SLOTS)]
    assert all(matches(matcher(pattern([name])), label) for label in labels)
    assert [own_name(label) for label in labels] == [name] * 3


@given(st.lists(NAMES, min_size=1, max_size=5), NAMES)
def test_a_service_is_counted_where_it_is_named_and_nowhere_else(
    asked: list[str], other: str
) -> None:
    """Whatever the names have in common: one that ends like a slot, one within another."""
    for label in (f"{other}@docker", *(gateway_name(other, slot) for slot in SLOTS)):
        assert matches(matcher(pattern(asked)), label) == (other in asked)


def test_a_name_that_ends_like_a_slot_is_a_service_of_its_own() -> None:
    """`web-a@docker` is the service web-a, `web-a@file` the service web in slot a."""
    web, web_a = matcher(pattern(["web"])), matcher(pattern(["web-a"]))
    labels = ["web@docker", "web-a@file", "web-b@file", "web-a@docker", "web-a-b@file"]
    assert [matches(web, label) for label in labels] == [True, True, True, False, False]
    assert [matches(web_a, label) for label in labels] == [False, False, False, True, True]
    assert [own_name(label) for label in labels] == ["web", "web", "web", "web-a", "web-a"]


@given(st.text(min_size=1).filter(lambda text: "\n" not in text), st.text())
def test_no_name_is_read_as_a_pattern(name: str, other: str) -> None:
    """Characters with a meaning stand for themselves, whatever a name holds."""
    assert re.fullmatch(pattern([name]), name)
    assert bool(re.fullmatch(pattern([name]), other)) == (name == other)


def test_whom_nobody_named_is_every_service() -> None:
    """Not what is no service of the stack: the gateway's own, or a probe of msctl's."""
    labels = ["web@docker", "web-b@file", "api@internal", "probe-shop-web-1@file"]
    assert [matches(matcher(), label) for label in labels] == [True, True, False, False]


def test_a_label_of_another_form_keeps_its_name() -> None:
    """What no provider of msctl's made is shown as it is."""
    assert own_name("api@internal") == "api@internal"


@pytest.mark.parametrize(
    "expression",
    [
        rps(pattern(["web"])),
        quantile(0.95, pattern(["web"])),
        error_rate(pattern(["web"])),
        servers(pattern(["web"])),
        servers_up(pattern(["web"])),
    ],
)
def test_an_expression_reads_no_other_service_and_groups_by_name(expression: str) -> None:
    """Every series that it reads is chosen by the same matcher, and told by the file's name."""
    metrics = re.findall(r"traefik_\w+{(service=~\"[^\"]+\")", expression)
    assert metrics
    assert set(metrics) == {matcher(pattern(["web"]))}
    assert by_name("x").removeprefix("label_replace(x, ").removesuffix(")") in expression


def test_the_guides_queries_are_to_the_letter() -> None:
    """As MusicShare's guide has them, so that they are found again."""
    assert list(GUIDE.values()) == [
        "sum(rate(traefik_entrypoint_requests_total[1m]))",
        "histogram_quantile(0.95, sum(rate(traefik_service_request_duration_seconds_bucket[5m]))"
        " by (le))",
        'sum by(service) (increase(traefik_service_requests_total{code=~"5.."}[5m]))',
        "sum by(router) (rate(traefik_router_requests_total[1m]))",
    ]


def test_the_gateways_buckets_hold_the_guides() -> None:
    """0.1, 0.3, 1.2 and 5 s are among them, and 500 ms, over which an alert is raised."""
    assert {0.1, 0.3, 1.2, 5.0, 0.5} <= set(BUCKETS)
    assert list(BUCKETS) == sorted(BUCKETS)


def test_a_rate_has_samples_enough() -> None:
    """Two at the least, of one scrape in ten seconds, when one has failed."""
    assert WINDOW == "1m"
    assert f"[{WINDOW}]" in rps()
    assert "[$__rate_interval]" in rps(ANY, "$__rate_interval")


def test_expressions_that_are_asked_together_are_told_apart() -> None:
    """Each sample carries the key of its expression."""
    query = together({"up": "sum(up)", "down": "sum(down)"})
    assert query == (
        'label_replace(sum(up), "figure", "up", "", "") or '
        'label_replace(sum(down), "figure", "down", "", "")'
    )
    samples = [Sample({"figure": "up"}, 1.0), Sample({"figure": "down"}, 2.0), Sample({}, 3.0)]
    assert [sample.value for sample in apart(samples, "down")] == [2.0]


def test_what_is_asked_is_what_is_read() -> None:
    """Every figure of the record is in the query, and none is forgotten."""
    asked = re.findall(r'"figure", "(\w+)"', traffic_query(["web"]))
    assert set(asked) == set(Traffic.__dataclass_fields__)


def samples(**figures: float | None) -> list[Sample]:
    return [Sample({"name": "web", "figure": key}, value) for key, value in figures.items()]


def test_traffic_is_read_by_service() -> None:
    """Counts are whole numbers; who was not asked for is not told."""
    answer = samples(rps=5.0, p95_ms=12.5, error_rate=0.0, servers=2.0, servers_up=1.0)
    stranger = Sample({"name": "api", "figure": "rps"}, 1.0)
    assert read_traffic([*answer, stranger], ["web"]) == {
        "web": Traffic(rps=5.0, p95_ms=12.5, error_rate=0.0, servers=2, servers_up=1)
    }


def test_no_traffic_is_a_rate_of_0_without_latency() -> None:
    """Prometheus has the series, and divides nothing by nothing."""
    found = read_traffic(samples(rps=0.0, p95_ms=None, error_rate=None), ["web"])["web"]
    assert (found.rps, found.p95_ms, found.error_rate) == (0.0, None, None)


def test_a_service_that_prometheus_never_saw_is_unknown() -> None:
    """Not 0: nothing is known of it."""
    assert read_traffic([], ["web"]) == {"web": Traffic()}


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0.0), ("1.5", 1.5), ("NaN", None), ("+Inf", None), ("-Inf", None)]
)
def test_a_value_that_is_no_number_is_unknown(text: str, value: float | None) -> None:
    """A quantile of no requests is NaN, and a share of none too."""
    assert known(text) == value


DIGEST = "0a" * 10


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (f"shop-web-route-{DIGEST}@kubernetescrd", "web"),
        (f"shop-web-route-internal-{DIGEST}@kubernetescrd", "web"),
        (f"shop-my-web-route-{DIGEST}@kubernetescrd", "my-web"),
        ("web@docker", "web"),
        ("web-a@file", "web"),
        (f"other-web-route-{DIGEST}@kubernetescrd", None),
        ("noop@internal", None),
    ],
)
def test_a_service_in_a_cluster_has_a_name_for_each_rule(label: str, name: str | None) -> None:
    """In its own namespace; whoever has relabelled them to the names of an engine is read too."""
    assert own_name(label, "shop") == (name or label)
    chosen = Chosen(pattern(["web"]), "shop")
    assert bool(re.fullmatch(chosen.label, label)) == (name == "web")
    assert "$1$2$3" in rps(chosen)


def test_without_a_namespace_nothing_of_a_cluster_is_asked_for() -> None:
    """The expressions of a Docker engine are what they were."""
    assert "kubernetescrd" not in traffic_query(["web"])
    assert "shop-(?:web)-route-" in traffic_query(["web"], "shop")
