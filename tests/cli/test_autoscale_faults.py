"""`msctl autoscale` where something goes away, is in the way or ends it, in virtual time."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from loads import AUTOSCALED, Load, scaled
from memory import Behaviour, Fault, Killed
from memory.converged import assert_converged

from msctl.config import load
from msctl.files.lock import StackLock
from msctl.plan import Step


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
