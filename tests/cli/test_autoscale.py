"""`msctl autoscale` at a terminal, in virtual time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from loads import AUTOSCALED, Load, scaled
from memory import MemoryEngine
from terminal import Terminal

from msctl.config import load


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
