"""From what was observed to the samples of a decision, and to what is shown of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory import MemoryEngine, World, up
from memory.stacks import images_of, stack_of

from msctl.autoscale import Decision, History, Policy, Reading, ReplicaSample, policy_of
from msctl.autoscale.observed import processors_between, samples_of
from msctl.cli.autoscale_view import line, table, view
from msctl.cli.autoscaling import Verdict
from msctl.cli.rounds import Rounds
from msctl.queries import FIGURE, Sample, load_query, read_load
from msctl.request import Scale
from msctl.state import Traffic, Usage
from msctl.ui import Table

SERVICE = {
    "port": 80,
    "routes": ["/"],
    "health": {"path": "/"},
    "replicas": {"initial": 2, "min": 1, "max": 8},
    "resources": {"cpus": 1, "reserve": {"cpus": 0.5}},
    "autoscale": {"max": 6, "cpu": "60%", "rps": 50, "latency_p95": "1.5s", "interval": "5s"},
}


def test_a_policy_is_the_files_with_its_defaults() -> None:
    """Bounds of `replicas` where there are no others; 100 % of CPU is the reservation."""
    stack = stack_of({"web": SERVICE, "plain": {}})
    policy = policy_of(stack.services["web"])
    assert policy == Policy(1, 6, 60.0, 50.0, 1500.0, 0.5, 5.0, 300.0)
    assert policy_of(stack.services["plain"]) is None
    unreserved = {**SERVICE, "resources": {"cpus": 2}}
    limited = policy_of(stack_of({"web": unreserved}).services["web"])
    assert limited is not None
    assert limited.cpu_base == 2.0


def test_samples_are_those_of_the_service() -> None:
    """The number asked for, readiness by health, CPU as a share, and whose hand it was."""
    stack = stack_of({"web": SERVICE})
    world = World().have(*images_of(stack))
    engine = MemoryEngine(world, stack)
    up(engine)
    policy = policy_of(stack.services["web"])
    assert policy is not None
    world.kill("shop-web-2")
    state = engine.observe()
    first = state.of("web")[0].id
    found = samples_of("web", policy, state, {first: 0.4}, Traffic(rps=5.0, p95_ms=7.0))
    assert found.replicas == (ReplicaSample(True, 80.0), ReplicaSample(False, None))
    assert (found.current, found.rps, found.latency_p95, found.by_hand) == (2, 5.0, 7.0, None)


@pytest.mark.parametrize(("cause", "by_hand"), [("scale", True), ("autoscale", False)])
def test_a_hand_is_told_by_the_cause(cause: str, by_hand: bool) -> None:
    """What msctl scaled by the load is no hand."""
    from memory.runs import finish

    stack = stack_of({"web": SERVICE})
    engine = MemoryEngine(World().have(*images_of(stack)), stack)
    up(engine)
    finish(engine, Scale({"web": 3}, cause=cause))
    found = samples_of("web", Policy(1, 9), engine.observe(), {}, Traffic())
    assert (found.current, found.by_hand is not None) == (3, by_hand)


def test_processors_are_those_since_the_round_before() -> None:
    """Of a container that is new, was started anew, or over midnight, those of the moment."""
    before = {
        "a": Usage(0.9, 1, spent=10.0, at=100.0),
        "c": Usage(0.9, 1, spent=10.0, at=100.0),
        "d": Usage(0.9, 1, spent=10.0, at=86399.0),
        "e": Usage(0.9, 1),
    }
    after = {
        "a": Usage(0.1, 1, spent=15.0, at=110.0),
        "b": Usage(0.2, 1, spent=15.0, at=110.0),
        "c": Usage(0.3, 1, spent=1.0, at=110.0),
        "d": Usage(0.4, 1, spent=12.0, at=5.0),
        "e": Usage(0.5, 1, spent=12.0, at=5.0),
        "f": Usage(None, 1),
    }
    found = processors_between(before, after)
    assert found == {"a": 0.5, "b": 0.2, "c": 0.3, "d": 0.4, "e": 0.5, "f": None}


def test_prometheus_is_asked_once_for_all() -> None:
    """A short window, pins and all, and whether there is a gateway to tell of."""
    query = load_query(["web", "api"])
    assert query.count("[30s]") == 2
    assert "(?:web|api)(?:@docker|-[ab]@file)" in query
    assert "scraped" in query


def test_a_gateway_that_is_silent_about_a_service_had_no_requests_for_it() -> None:
    """But without a gateway nothing is known."""
    samples = [
        Sample({FIGURE: "scraped"}, 1.0),
        Sample({FIGURE: "rps", "name": "web"}, 5.0),
        Sample({FIGURE: "p95_ms", "name": "web"}, None),
    ]
    found = read_load(samples, ["web", "api"])
    assert found == {"web": Traffic(rps=5.0), "api": Traffic(rps=0.0)}
    assert read_load(samples[1:], ["web"]) is None


VERDICT = Verdict(
    "2030-01-01T12:00:15+00:00",
    "web",
    Policy(1, 6),
    4,
    Decision(
        2,
        "cpu 20%, target 60%",
        (Reading("cpu", 20.0, 60.0, 2), Reading("rps", None, 50.0, None)),
        History(),
    ),
)


def test_a_line_tells_what_changes_and_why() -> None:
    """And whether it was done."""
    text = "12:00:15 web 4 → 2: cpu 20%, target 60%"
    assert line(replace(VERDICT, acted=True), dry_run=False) == text
    assert line(VERDICT, dry_run=True) == f"{text} (dry run)"
    assert line(VERDICT, dry_run=False) == f"{text} (not done)"


def test_the_table_holds_each_metric_against_its_target() -> None:
    """What is not known is a dash, and what has no target too."""
    held = replace(VERDICT.decision, replicas=4, next_down=130.0)
    found = table([VERDICT, replace(VERDICT, decision=held)], 100.0)
    first, second = ([cell.text for cell in row] for row in found.rows)
    assert first == ["web", "4 → 2", "20% of 60%", "- of 50", "-", "-", "cpu 20%, target 60%"]
    assert second[1:2] + second[5:6] == ["4", "30 s"]


def test_the_live_view_says_what_is_done_and_keeps_what_was_told() -> None:
    """What msctl is at, and the last messages beneath the table."""
    blocks = view("shop", [VERDICT], ["12:00:00 it holds"], 100.0, "measuring")
    texts = ["".join(c.text for c in b) for b in blocks if not isinstance(b, Table)]
    assert texts == [
        "shop is scaled by its load  measuring; Ctrl-C ends",
        "",
        "",
        "12:00:00 it holds",
    ]


def test_each_service_has_its_own_interval() -> None:
    """The next round is when the first of them is due."""
    now = [0.0]
    rounds = Rounds({"web": 5.0, "api": 15.0}, lambda: now[0])
    assert (rounds.due(), rounds.patience()) == (["web", "api"], 5.0)
    now[0] = 5.0
    assert (rounds.due(), rounds.patience()) == (["web"], 5.0)
    now[0] = 16.0
    assert (rounds.due(), rounds.patience()) == (["web", "api"], 5.0)
