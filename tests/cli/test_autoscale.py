"""`msctl autoscale` at a terminal, in virtual time."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from loads import AUTOSCALED, Load
from memory import Behaviour, Fault, Killed, MemoryEngine
from memory.converged import assert_converged
from terminal import Terminal

from msctl.config import load
from msctl.lock import StackLock
from msctl.plan import Step


@pytest.fixture
def loaded(terminal: Terminal) -> Load:
    """The shop is up with an api that scales, under a load that suits two replicas."""
    terminal.write(AUTOSCALED)
    assert terminal.msctl("up").status == 0
    return Load(terminal)


def scaled(out: str) -> list[str]:
    """`2 → 4` of each line."""
    return [line.split(":")[2].split(" api ")[1] for line in out.splitlines()]


def test_more_at_once_and_fewer_after_the_window(loaded: Load) -> None:
    """A step of the load and back: one line each way, and the stack is as decided."""
    loaded.at(20, loaded.change(rps=200.0)).at(60, loaded.change(rps=80.0)).end(150)
    answer = loaded.msctl("--interval", "5")
    assert answer.status == 130
    assert scaled(answer.out) == ["2 → 4", "4 → 2"]
    assert "requests/s 100 a replica, target 50" in answer.out
    assert answer.err == ""
    assert loaded.now() == 2
    intent = MemoryEngine(
        loaded.terminal.world, load(loaded.terminal.folder / "stack.yaml", {}).stack
    )
    assert intent.observe().intent("api").cause == "autoscale"  # type: ignore[union-attr]


def test_processors_alone_can_ask_for_more(loaded: Load) -> None:
    """0.9 processors are 180 % of what two replicas reserve."""
    loaded.at(10, loaded.change(busy=0.9)).end(40)
    answer = loaded.msctl()
    assert scaled(answer.out) == ["2 → 3"]
    assert "cpu 90%, target 60%" in answer.out


def test_scaling_down_is_drained(loaded: Load) -> None:
    """Through a pin, as `scale` does it."""
    loaded.at(5, loaded.change(rps=200.0)).at(30, loaded.change(rps=80.0)).end(140)
    loaded.msctl("--interval", "5")
    log = loaded.terminal.world.log
    down = log[next(i for i, line in enumerate(log) if "autoscale 4 → 2" in line) :]
    verbs = [line.split(" ")[0] for line in down]
    assert verbs.index("pin") < verbs.index("stop") < verbs.index("unpin")


def test_json_is_one_record_a_decision(loaded: Load) -> None:
    """Time, counts, reason, each metric against its target, and whether it was done."""
    loaded.rps = 200.0
    answer = loaded.end(20).msctl("--json")
    first, second = map(json.loads, answer.out.splitlines())
    assert first == {
        "time": "2030-01-01T01:00:00+00:00",
        "service": "api",
        "current": 2,
        "wanted": 4,
        "reason": "requests/s 100 a replica, target 50",
        "metrics": {
            "cpu": {"value": pytest.approx(40.0), "target": 60.0},
            "rps": {"value": 100.0, "target": 50.0},
            "latency_p95": {"value": 200.0, "target": 500.0},
        },
        "acted": True,
    }
    assert (second["current"], second["wanted"], second["acted"]) == (4, 4, False)


def test_a_metric_without_a_target_is_null(loaded: Load) -> None:
    """And one that is not known has a value of null."""
    text = AUTOSCALED.replace("cpu: 60%, rps: 50, latency_p95: 500ms", "cpu: 60%, rps: 50")
    loaded.terminal.write(text)
    loaded.scraped = loaded.counted = False
    [record] = map(json.loads, loaded.msctl("--once", "--json").out.splitlines())
    assert record["metrics"] == {
        "cpu": {"value": pytest.approx(40.0), "target": 60.0},
        "rps": {"value": None, "target": 50.0},
        "latency_p95": None,
    }


def test_once_shows_a_table(loaded: Load) -> None:
    """Every decision of one round, whether it changes something or not."""
    loaded.rps = 200.0
    answer = loaded.msctl("--once")
    assert answer.status == 0
    head, row = answer.out.splitlines()
    assert head.split() == [
        "SERVICE",
        "REPLICAS",
        "CPU",
        "REQ/S",
        "P95",
        "REASON",
    ]
    assert row.startswith("api      2 → 4     40/60%  100/50  200/500 ms  requests/s")
    assert loaded.now() == 4


def test_a_dry_run_changes_nothing(loaded: Load) -> None:
    """It decides, says so once, and takes no lock."""
    loaded.rps = 200.0
    before = loaded.terminal.world.snapshot()
    answer = loaded.end(100).msctl("--dry-run")
    assert loaded.terminal.world.snapshot() == before
    [line] = answer.out.splitlines()
    assert line.endswith("api 2 → 4: requests/s 100 a replica, target 50 (dry run)")


def test_without_prometheus_the_gateway_is_read(loaded: Load) -> None:
    """Requests and latency are differences of its counters; what changed is said once."""
    loaded.scraped = False
    loaded.at(10, loaded.change(p95=0.9, rps=60.0)).end(70)
    answer = loaded.msctl("--interval", "5")
    assert scaled(answer.out) == ["2 → 4", "4 → 6"]
    assert "p95 975 ms, target 500 ms" in answer.out
    assert answer.lines == [
        "note: Prometheus at http://127.0.0.1:9090 does not tell of requests (Connection refused); "
        "the gateway's own counters are read"
    ]


def test_prometheus_and_gateway_go_and_come_back(loaded: Load) -> None:
    """Nothing goes down meanwhile, each is told once, and then it goes on."""
    loaded.rps = 200.0
    away = loaded.change(scraped=False, counted=False, rps=80.0)  # type: ignore[arg-type]
    loaded.at(20, away).at(200, loaded.change(counted=True)).at(230, loaded.change(scraped=True))
    answer = loaded.end(400).msctl()
    assert scaled(answer.out) == ["2 → 4", "4 → 2"]
    assert answer.lines == [
        "note: Prometheus at http://127.0.0.1:9090 does not tell of requests (Connection refused); "
        "the gateway's own counters are read",
        "note: nor does the gateway (Connection refused): requests and latencies are not known, so "
        "that what needs them is held",
        "note: the gateway tells of requests again",
        "note: Prometheus at http://127.0.0.1:9090 tells again",
    ]


def test_the_engine_goes_and_comes_back(loaded: Load) -> None:
    """It is waited for, which is said once; the load that came meanwhile is followed then."""
    world = loaded.terminal.world
    loaded.at(20, lambda: setattr(world, "reachable", False)).at(25, loaded.change(rps=200.0))
    loaded.at(80, lambda: setattr(world, "reachable", True))
    answer = loaded.end(120).msctl()
    assert scaled(answer.out) == ["2 → 4"]
    assert answer.lines == [
        "note: no Docker engine answers at memory://world: Connection refused; nothing is changed "
        "until it does",
        "note: the engine answers again",
    ]


def test_an_engine_that_was_never_there_is_an_error(loaded: Load) -> None:
    """As for every command."""
    loaded.terminal.world.reachable = False
    assert loaded.msctl().status == 3


def test_a_lock_is_waited_for(loaded: Load) -> None:
    """Whoever works on the stack is named, and the next round tries again."""
    terminal = loaded.terminal
    lock = StackLock(terminal.folder / ".locks", "memory", "shop")
    held: Any = lock.held("msctl up", datetime(2030, 1, 1, tzinfo=UTC))
    held.__enter__()
    loaded.rps = 200.0
    loaded.at(40, lambda: held.__exit__(None, None, None)).end(60)
    answer = loaded.msctl()
    assert [line.rpartition(" ")[2] for line in answer.out.splitlines()] == ["done)", "50"]
    [line] = answer.lines
    assert line.startswith("note: another msctl works on shop: process ")
    assert line.endswith(
        "(msctl up), since 2030-01-01 00:00:00; it is tried again in the next round"
    )
    assert loaded.now() == 4


def test_once_ends_with_4_while_another_works(loaded: Load) -> None:
    """Nothing was changed, and it is not hidden."""
    loaded.rps = 200.0
    lock = StackLock(loaded.terminal.folder / ".locks", "memory", "shop")
    with lock.held("msctl up", datetime(2030, 1, 1, tzinfo=UTC)):
        assert loaded.msctl("--once").status == 4


def test_a_hand_is_not_fought(loaded: Load) -> None:
    """A scale by hand stays while the load does, which is said; then the load decides again."""
    loaded.at(10, lambda: loaded.terminal.msctl("scale", "api", "7"))
    loaded.at(200, lambda: _keep(loaded.now())).at(201, loaded.change(rps=290.0)).end(240)
    kept: list[int] = []

    def _keep(count: int) -> None:
        kept.append(count)

    answer = loaded.msctl()
    assert kept == [7]
    assert answer.lines == ["note: api: scaled by hand to 7, which stays until the load changes"]
    [line] = answer.out.splitlines()
    assert "7 → 6: the load has changed since the scale by hand; 7 is more than max 6" in line


def test_one_round_tells_of_a_hand_once(loaded: Load) -> None:
    """In the table, which has every reason; not in a note beside it."""
    loaded.terminal.msctl("scale", "api", "3")
    answer = loaded.msctl("--once")
    assert answer.lines == []
    assert "  scaled by hand to 3\n" in answer.out


def test_whoever_scales_between_look_and_deed_is_not_overruled(loaded: Load) -> None:
    """The scale that was asked for meanwhile stands."""
    loaded.rps = 200.0
    asked = loaded.prometheus

    def meanwhile(request: Any) -> Any:
        loaded.terminal.prometheus = asked
        assert loaded.terminal.msctl("scale", "api", "3").status == 0
        loaded.spread()
        return asked(request)

    loaded.terminal.prometheus = meanwhile
    answer = loaded.end(20).msctl()
    assert loaded.now() == 3
    assert "(not done)" in answer.out


def test_sigterm_ends_well(loaded: Load) -> None:
    """Whoever runs msctl as a service stops it so: status 0, without a word."""
    loaded.at(30, lambda: os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    answer = loaded.msctl()
    assert (answer.status, answer.out, answer.err) == (0, "", "")
    assert signal.getsignal(signal.SIGTERM) is before


class Told(Fault):
    """SIGTERM comes while an action is in hand."""

    def strike(self, step: Step) -> None:  # noqa: ARG002 - the fault's
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)  # so that the main thread has heard it before the action ends


def test_sigterm_in_the_middle_of_a_scale_finishes_the_step_in_hand(loaded: Load) -> None:
    """What was begun is done, nothing more is, and the next command goes on from there."""
    loaded.rps = 200.0
    loaded.terminal.world.plant(Told("slow", verb="create"))
    before = len(loaded.terminal.world.log)
    answer = loaded.msctl()
    assert answer.status == 0
    done = loaded.terminal.world.log[before:]
    assert not any(line.startswith("start ") for line in done)
    assert loaded.terminal.msctl("up").status == 0
    assert loaded.now() == 4


@pytest.mark.parametrize("verb", ["create", "start", "pin", "stop", "remove", "unpin"])
def test_what_a_killed_one_left_half_done_is_finished(loaded: Load, verb: str) -> None:
    """Killed at any step, started anew by its restart policy: the number that was decided is
    reached, and no pin stays, though the load asks for no other number by then."""
    down = verb not in ("create", "start")
    if down:
        loaded.rps = 200.0
        assert loaded.end(10).msctl().status == 130
        loaded.terminal.write(AUTOSCALED.replace("stabilize_down: 60s", "stabilize_down: 0s"))
    world, wanted = loaded.terminal.world, 3 if down else 4
    world.plant(Fault("kill", verb=verb))
    killed = Load(loaded.terminal, rps=50.0 * wanted)
    with pytest.raises(Killed):
        killed.msctl("--debug")
    world.faults.clear()
    answer = Load(loaded.terminal, rps=40.0 * wanted, busy=0.2 * wanted).end(40).msctl("--json")
    records = [json.loads(line) for line in answer.out.splitlines()]
    assert {(one["current"], one["wanted"]) for one in records} == {(wanted, wanted)}
    assert answer.lines == [f"note: api: {wanted} had been asked for, and now are there"]
    stack = load(loaded.terminal.folder / "stack.yaml", {}).stack
    assert_converged(world, stack, api=wanted)


def test_an_edited_file_is_not_deployed_and_that_is_said(loaded: Load) -> None:
    """Once, and once more when it is as it was."""
    before = loaded.terminal.world.named("web"), (loaded.terminal.folder / "stack.yaml").read_text()
    edited = AUTOSCALED.replace("image: api:1", "image: api:2").replace("  web:", "  site:")
    assert edited.count("api:2") == edited.count("  site:") == 1
    loaded.at(20, lambda: loaded.terminal.write(edited)).at(40, loaded.change(rps=200.0))
    loaded.at(100, lambda: loaded.terminal.write(before[1]))
    answer = loaded.end(130).msctl()
    assert scaled(answer.out) == ["2 → 4"]
    assert answer.lines == [
        "note: stack.yaml has been edited: what it says now counts from the next `up`, and until "
        "then replicas are copies of those that run",
        "note: stack.yaml is as it was again",
    ]
    world = loaded.terminal.world
    assert {world.containers[name].body["Image"] for name in world.named("api")} == {"api:1"}
    assert (world.named("web"), world.named("site")) == (before[0], [])


@pytest.mark.parametrize("hours", [1, -1, 24])
def test_the_time_of_day_may_jump(loaded: Load, hours: int) -> None:
    """Decisions go by a clock that does not; only their time stamps jump."""
    now = loaded.terminal.now

    def jump() -> None:
        loaded.terminal.now = lambda: now() + timedelta(hours=hours)

    loaded.at(10, loaded.change(rps=200.0)).at(30, loaded.change(rps=80.0)).at(40, jump)
    answer = loaded.end(110).msctl("--interval", "5", "--json")
    records = [json.loads(line) for line in answer.out.splitlines()]
    counts = [one["wanted"] for one in records]
    assert (len(records), sorted(set(counts))) == (20, [2, 4])
    assert counts.count(4) == 15  # from 10 s to 85 s: a window after the last round of the peak


def test_what_cannot_get_healthy_is_told_and_does_not_pile_up(loaded: Load) -> None:
    """The loop goes on; the replicas that are not ready bound what is asked for."""
    loaded.terminal.world.behave("api", Behaviour(healthy_after=None))
    loaded.busy, loaded.rps, loaded.p95 = 2.0, 200.0, 1.0
    answer = loaded.end(400).msctl()
    assert answer.lines[0].startswith("note: api could not be scaled: await healthy shop-api-")
    assert loaded.now() <= 6


def test_services_are_chosen_by_name(loaded: Load) -> None:
    """Only the named ones; each has its own interval."""
    assert loaded.end(20).msctl("api").status == 130
    answer = loaded.msctl("web")
    assert answer.status == 2
    assert answer.lines == [
        "error: web has no autoscale in stack.yaml, so that there is nothing to go by",
        "hint: write autoscale: {min: 1, max: 4, cpu: 70%} under services.web",
    ]


def test_a_stack_without_autoscale_has_nothing_to_do(shop: Terminal) -> None:
    """With what to write."""
    answer = shop.msctl("autoscale")
    assert answer.status == 2
    assert answer.lines == [
        "error: no service of shop has autoscale in stack.yaml, so that there is nothing to go by",
        "hint: write autoscale: {min: 1, max: 4, cpu: 70%} under services.NAME",
    ]
    assert shop.msctl("autoscale", "nope").status == 2
    assert shop.msctl("autoscale", "--interval", "0").status == 2


def test_a_service_that_is_not_up_is_left_alone(terminal: Terminal) -> None:
    """`up` starts it."""
    terminal.write(AUTOSCALED)
    terminal.sleep = Load(terminal).sleep if terminal.world.named("api") else terminal.sleep
    answer = terminal.msctl("autoscale", "--once")
    assert answer.status == 0
    assert answer.out.splitlines()[1].endswith("it is not up")


def test_scale_all_takes_what_scales_by_load(terminal: Terminal) -> None:
    """Also where it starts with one replica."""
    terminal.write(AUTOSCALED.replace("initial: 2", "initial: 1").replace("min: 2,", "min: 1,"))
    assert terminal.msctl("up").status == 0
    assert terminal.msctl("scale", "all", "3").status == 0
    assert len(terminal.world.named("api")) == 3
