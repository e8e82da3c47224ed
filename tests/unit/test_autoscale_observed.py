"""From what was observed to the samples of a decision, and to what is shown of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory import MemoryEngine, World, up
from memory.stacks import images_of, stack_of

from msctl.autoscale.observed import Look, looked, processors, samples_of
from msctl.autoscale.policy import Policy, policy_of
from msctl.autoscale.records import Decision, History, Reading, ReplicaSample
from msctl.cli.autoscale_view import Room, line, table, view
from msctl.cli.autoscaling import Verdict
from msctl.cli.rounds import Rounds
from msctl.monitoring.queries import FIGURE, Sample, load_query, read_load
from msctl.request import Scale
from msctl.state import Health, Traffic, Usage
from msctl.views import Table

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


POLICY = Policy(1, 6, cpu=60.0, cpu_base=0.5)


@pytest.fixture
def engine() -> MemoryEngine:
    """Two replicas of web, healthy."""
    stack = stack_of({"web": SERVICE})
    found = MemoryEngine(World().have(*images_of(stack)), stack)
    up(found)
    return found


def test_samples_are_those_of_the_service(engine: MemoryEngine) -> None:
    """The number asked for, readiness by health, CPU as a share, and whose hand it was."""
    engine.world.kill("shop-web-2")
    state = engine.observe()
    first = state.of("web")[0].id
    now = looked({}, state.containers, {first: Usage(0.4, 1)}, 5.0)
    found = samples_of("web", POLICY, state, {}, now, Traffic(rps=5.0, p95_ms=7.0))
    assert found.replicas == (ReplicaSample(True, 80.0, True), ReplicaSample(False, None, False))
    assert (found.current, found.rps, found.latency_p95, found.by_hand) == (2, 5.0, 7.0, None)


def test_without_a_target_processors_are_not_looked_at(engine: MemoryEngine) -> None:
    """Readiness alone."""
    found = samples_of("web", Policy(1, 6, rps=5.0), engine.observe(), {}, {}, Traffic())
    assert found.replicas == (ReplicaSample(True),) * 2


READY, STARTING = Look(0.0, True, True, Usage(0.1, 1)), Look(0.0, False, False, Usage(0.1, 1))


@pytest.mark.parametrize(
    ("health", "state", "before", "tells"),
    [
        pytest.param(Health.HEALTHY, "running", None, True, id="new and ready: of this moment"),
        pytest.param(Health.HEALTHY, "running", READY, True, id="ready all the while"),
        pytest.param(Health.HEALTHY, "running", STARTING, False, id="its start is in the sample"),
        pytest.param(Health.NONE, "running", READY, True, id="without a check"),
        pytest.param(Health.STARTING, "running", STARTING, False, id="it starts"),
        pytest.param(Health.STARTING, "running", READY, False, id="it was started anew"),
        pytest.param(Health.UNHEALTHY, "running", STARTING, False, id="it never got ready"),
        pytest.param(Health.UNHEALTHY, "running", None, False, id="nor was it ever seen ready"),
        pytest.param(Health.UNHEALTHY, "running", READY, True, id="it is overloaded"),
        pytest.param(Health.UNHEALTHY, "exited", READY, False, id="it is gone"),
    ],
)
def test_whose_processors_tell_of_the_load(
    engine: MemoryEngine, health: Health, state: str, before: Look | None, tells: bool
) -> None:
    """As the controller has it: what a start costs is no load, and a replica that fails its check
    after it was ready is under one."""
    whole = engine.observe()
    [one, _] = whole.of("web")
    one = replace(one, health=health, state=state)
    whole = replace(whole, containers=(one,))
    earlier = {} if before is None else {one.id: before}
    now = looked(earlier, [one], {one.id: Usage(0.4, 1)}, 15.0)
    [sample] = samples_of("web", POLICY, whole, earlier, now, Traffic()).replicas
    assert sample.counts is tells


def test_that_a_replica_was_ready_is_not_forgotten(engine: MemoryEngine) -> None:
    """However long it has failed its check since."""
    [one, _] = engine.observe().of("web")
    looks = looked({}, [one], {}, 0.0)
    for round_ in range(5):
        looks = looked(looks, [replace(one, health=Health.UNHEALTHY)], {}, 15.0 * round_)
    assert looks[one.id] == Look(60.0, False, True, Usage(None, None))


@pytest.mark.parametrize(("cause", "by_hand"), [("scale", True), ("autoscale", False)])
def test_a_hand_is_told_by_the_cause(cause: str, by_hand: bool) -> None:
    """What msctl scaled by the load is no hand."""
    from memory.runs import finish

    stack = stack_of({"web": SERVICE})
    engine = MemoryEngine(World().have(*images_of(stack)), stack)
    up(engine)
    finish(engine, Scale({"web": 3}, cause=cause))
    found = samples_of("web", Policy(1, 9), engine.observe(), {}, {}, Traffic())
    assert (found.current, found.by_hand is not None) == (3, by_hand)


@pytest.mark.parametrize(
    ("before", "after", "busy"),
    [
        pytest.param((10.0, 100.0), (15.0, 110.0), 0.5, id="5 s of 10 s"),
        pytest.param(None, (15.0, 110.0), 0.7, id="new"),
        pytest.param((10.0, 100.0), (1.0, 110.0), 0.7, id="started anew"),
        pytest.param((10.0, 100.0), (15.0, 100.0), 0.7, id="the same sample again"),
        pytest.param((10.0, 86399.0), (12.0, 5.0), 0.7, id="over midnight"),
        pytest.param((10.0, 100.0), (15.0, 3710.0), 0.7, id="the clock was set an hour forward"),
        pytest.param((10.0, 3700.0), (15.0, 110.0), 0.7, id="or back"),
        pytest.param((10.0, 100.0), (13.0, 106.0), 0.5, id="samples are a little older"),
        pytest.param((None, None), (15.0, 110.0), 0.7, id="nobody counted before"),
        pytest.param((10.0, 100.0), (None, None), 0.7, id="nor now"),
    ],
)
def test_processors_are_those_since_the_round_before(
    before: tuple[float | None, float | None] | None,
    after: tuple[float | None, float | None],
    busy: float,
) -> None:
    """Ten seconds ago by our clock. Where the engine's clock says otherwise, or counts begin anew,
    those of the moment."""
    spent, at = after
    now = Look(20.0, True, True, Usage(0.7, 1, spent=spent, at=at))
    earlier = None
    if before is not None:
        earlier = Look(10.0, True, True, Usage(0.9, 1, spent=before[0], at=before[1]))
    assert processors(earlier, now) == busy
    assert processors(now, Look(30.0, True, True, Usage(None, 1))) is None


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
    """What is not known is a dash, a metric without any target has no column, and the reason does
    not repeat the figures."""
    why = "cpu 20%, target 60%; 2 would do, down in 30 s at the earliest"
    held = replace(VERDICT.decision, replicas=4, next_down=130.0, reason=why)
    found = table([VERDICT, replace(VERDICT, decision=held)], 100.0)
    first, second = ([cell.text for cell in row] for row in found.rows)
    assert found.headings == ["SERVICE", "REPLICAS", "CPU", "REQ/S", "FEWER IN", "REASON"]
    assert first == ["web", "4 → 2", "20/60%", "-/50", "-", "cpu"]
    assert second == ["web", "4", "20/60%", "-/50", "30 s", "2 would do"]


def test_the_live_view_says_what_is_done_and_keeps_what_was_told() -> None:
    """What msctl is at, and the last messages beneath the table."""
    blocks = view("shop", [VERDICT], ["12:00:00 it holds"], 100.0, "measuring", Room(80, 24))
    texts = ["".join(c.text for c in b) for b in blocks if not isinstance(b, Table)]
    assert texts == [
        "shop is scaled by its load  measuring; Ctrl-C ends",
        "",
        "",
        "12:00:00 it holds",
    ]


def test_a_small_terminal_shows_what_changes_and_what_was_told() -> None:
    """Of fifty services those that change or are held, in the file's order, and how many more there
    are; a long message is wrapped, not cut."""
    calm = replace(VERDICT, decision=replace(VERDICT.decision, replicas=4))
    held = replace(calm, decision=replace(calm.decision, held=True))
    verdicts = [replace(calm, service=f"s{number}") for number in range(50)]
    verdicts[30] = replace(held, service="s30")
    verdicts[40] = replace(VERDICT, service="s40")
    message = "12:00:00 Prometheus does not tell of requests; the gateway's own counters are read"
    blocks = view("shop", verdicts, [message], 100.0, "measuring", Room(60, 14))
    [found] = [block for block in blocks if isinstance(block, Table)]
    names = [row[0].text for row in found.rows]
    assert names == ["s0", "s1", "s2", "s3", "s4", "s30", "s40"]
    texts = [block[0].text for block in blocks[3:] if not isinstance(block, Table) and block]
    assert texts == ["… and 43 services more", message[:60], message[61:]]
    assert len(blocks) - 1 + len(found.rows) + 1 == 14


def test_each_service_has_its_own_interval() -> None:
    """The next round is when the first of them is due."""
    now = [0.0]
    rounds = Rounds({"web": 5.0, "api": 15.0}, lambda: now[0])
    assert (rounds.due(), rounds.patience()) == (["web", "api"], 5.0)
    now[0] = 5.0
    assert (rounds.due(), rounds.patience()) == (["web"], 5.0)
    now[0] = 16.0
    assert (rounds.due(), rounds.patience()) == (["web", "api"], 5.0)


def test_a_clock_that_is_set_back_freezes_no_round() -> None:
    """Nobody waits longer than an interval, and nobody is due all the time."""
    now = [10000.0]
    rounds = Rounds({"web": 5.0, "api": 15.0}, lambda: now[0])
    assert rounds.due() == ["web", "api"]
    now[0] = 6400.0
    assert (rounds.due(), rounds.patience()) == ([], 5.0)
    now[0] = 6405.0
    assert (rounds.due(), rounds.patience()) == (["web"], 5.0)
    now[0] = 10005.0
    assert (rounds.due(), rounds.due()) == (["web", "api"], [])
