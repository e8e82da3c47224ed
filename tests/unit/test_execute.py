"""The executor does a plan's steps in their order, side by side, and decides nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import Recorder
from memory.script import Ask, Await, Deed, Do, Script

from msctl.errors import EngineUnreachable, ImageUnavailable, Interrupted, StepFailed
from msctl.execute import WORKERS, execute
from msctl.plan import Draft, Outcome, Plan, Step, Wait


def plan_of(*steps: tuple[Step, list[int]]) -> Plan:
    draft = Draft()
    for step, after in steps:
        draft.add(step, after)
    return draft.plan()


def do(target: str, *after: int) -> tuple[Step, list[int]]:
    return Do(target=target), list(after)


def wait(target: str, *after: int, timeout: float = 60.0) -> tuple[Step, list[int]]:
    return Await(target=target, timeout=timeout), list(after)


def run(script: Script, *steps: tuple[Step, list[int]]) -> Outcome:
    return execute(plan_of(*steps), script, Recorder(), clock=script.clock)


def failing(error: BaseException) -> Deed:
    def deed(_: Callable[[str], None]) -> None:
        raise error

    return deed


def test_an_empty_plan_is_done_at_once() -> None:
    """Nothing to do is not an error."""
    assert run(Script()) == Outcome(frozenset(), {}, ())


@st.composite
def plans(draw: st.DrawFn) -> list[tuple[Step, list[int]]]:
    count = draw(st.integers(1, 12))
    steps = []
    for number in range(1, count + 1):
        after = draw(st.sets(st.integers(1, number - 1), max_size=3)) if number > 1 else set()
        make = wait if draw(st.booleans()) else do
        steps.append(make(str(number), *sorted(after)))
    return steps


@given(plans())
@settings(deadline=None, max_examples=50)
def test_every_step_comes_after_all_that_it_needs(steps: list[tuple[Step, list[int]]]) -> None:
    """A step begins when all that it comes after has been reported as done, and each is done."""
    script, recorder = Script(), Recorder()
    script.ready = {step.target for step, _ in steps}
    outcome = execute(plan_of(*steps), script, recorder, clock=script.clock)
    assert outcome == Outcome(frozenset(range(1, len(steps) + 1)), {}, ())
    for number, (step, after) in enumerate(steps, 1):
        begun = recorder.lines.index(f"started {step.verb} {number}")
        for other in after:
            assert recorder.lines.index(f"done {steps[other - 1][0].verb} {other}") < begun


def test_actions_run_side_by_side_but_not_more_than_the_workers() -> None:
    """As many actions as there are workers are in hand at once, never more."""
    barrier = threading.Barrier(WORKERS, timeout=10)
    script = Script({str(i): lambda _: barrier.wait() and None for i in range(2 * WORKERS)})
    outcome = run(script, *[do(str(i)) for i in range(2 * WORKERS)])
    assert len(outcome.done) == 2 * WORKERS
    assert script.most_at_once == WORKERS


def test_waits_take_no_thread() -> None:
    """A hundred waits hold up no action, and start no thread."""
    script = Script()
    threads: list[int] = []

    def release(_: Callable[[str], None]) -> None:
        threads.append(threading.active_count())
        script.ready = {f"replica {i}" for i in range(100)}

    script.deeds["last"] = release
    before = threading.active_count()
    outcome = run(script, *[wait(f"replica {i}") for i in range(100)], do("last"))
    assert len(outcome.done) == 101
    assert threads[0] - before <= WORKERS


def test_a_wait_is_looked_at_when_the_engine_reports_a_change() -> None:
    """Between two reports nobody looks: two waits cost as many looks as there were reports."""
    script = Script()

    def report(_: Callable[[str], None]) -> None:
        for _ in range(3):
            script.changed()
        script.ready.add("replica")
        script.changed()

    script.deeds["engine"] = report
    outcome = run(script, wait("replica"), do("engine"))
    assert outcome.done == {1, 2}
    assert script.looks <= 6


def test_what_has_no_events_is_asked_again_and_again() -> None:
    """A wait with a pace is looked at though nothing is reported."""
    script = Script()

    def look(_: Wait) -> None:
        if script.looks == 5:
            script.ready.add("gateway")

    script.on_look = look
    outcome = run(script, (Ask(target="gateway", timeout=60.0), []))
    assert (outcome.done, script.looks) == ({1}, 5)


def test_a_failed_step_holds_up_only_what_comes_after_it() -> None:
    """The rest of the plan goes on, and what was not tried is named."""
    script = Script({"bad": failing(StepFailed("no"))})
    outcome = run(
        script, do("bad"), do("after bad", 1), do("after that", 2), do("good"), do("x", 4)
    )
    assert outcome.done == {4, 5}
    assert [str(error) for error in outcome.failures.values()] == ["no"]
    assert [node.step.target for node in outcome.skipped] == ["after bad", "after that"]


def test_all_failures_are_reported_together() -> None:
    """One failure does not hide another, whatever kind of error it is."""
    script = Script(
        {"a": failing(StepFailed("no a")), "b": failing(ImageUnavailable("no b"))},
        dead={"c": StepFailed("c ended with status 3")},
    )
    recorder = Recorder()
    outcome = execute(plan_of(do("a"), do("b"), wait("c")), script, recorder, clock=script.clock)
    assert {n: str(error) for n, error in outcome.failures.items()} == {
        1: "no a",
        2: "no b",
        3: "c ended with status 3",
    }
    assert sorted(line for line in recorder.lines if line.startswith("failed")) == [
        "failed await c: c ended with status 3",
        "failed do a: no a",
        "failed do b: no b",
    ]


def test_a_wait_fails_when_its_deadline_has_passed() -> None:
    """The deadline counts from when the wait began, not from the start of the plan."""
    script = Script()

    def slow(_: Callable[[str], None]) -> None:
        script.now = 100.0

    def look(_: Wait) -> None:
        script.now += 4.0
        script.changed()

    script.deeds["slow"] = slow
    script.on_look = look
    outcome = run(script, do("slow"), wait("replica", 1, timeout=10.0))
    assert [str(error) for error in outcome.failures.values()] == ["replica took too long"]
    assert script.looks == 3


def test_a_wait_that_is_over_at_its_deadline_has_not_failed() -> None:
    """What was reached is reached, however late somebody looks."""
    script = Script(ready={"replica"})
    script.on_look = lambda _: setattr(script, "now", 1000.0)
    assert run(script, wait("replica", timeout=1.0)).done == {1}


def test_a_deadline_comes_though_nothing_is_reported() -> None:
    """A silent engine does not make a wait endless."""
    script = Script()
    script.on_look = lambda _: setattr(script, "now", script.now + 0.02)
    outcome = run(script, wait("replica", timeout=0.03))
    assert list(outcome.failures) == [1]


def test_an_engine_that_goes_away_ends_the_plan() -> None:
    """An unreachable engine ends everything: nothing that has not begun is tried."""
    script = Script({"first": failing(EngineUnreachable("gone"))})
    with pytest.raises(EngineUnreachable, match="gone"):
        run(script, do("first"), do("second", 1), wait("replica"))
    assert script.did == []
    assert script.watching == 0


def test_an_engine_that_goes_away_ends_a_wait() -> None:
    """The watch may find the engine gone, too."""
    script = Script()

    def gone(_: Wait) -> None:
        raise EngineUnreachable("gone")

    script.on_look = gone
    with pytest.raises(EngineUnreachable, match="gone"):
        run(script, wait("replica"), do("later", 1))
    assert script.did == []


def test_an_error_of_msctl_itself_is_not_hidden() -> None:
    """What is no error of a step ends the plan as it is."""
    script = Script({"bad": failing(ZeroDivisionError("bug"))})
    with pytest.raises(ZeroDivisionError, match="bug"):
        run(script, do("bad"), do("later", 1))


def test_ctrl_c_lets_the_steps_in_hand_end_and_begins_no_other() -> None:
    """After Ctrl-C each action in hand comes to its end, and none that waited is begun."""
    begun, script = threading.Barrier(WORKERS + 1, timeout=10), Script()
    for i in range(WORKERS):
        script.deeds[str(i)] = lambda _: begun.wait() and None

    def interrupt(_: Wait) -> None:
        begun.wait()
        raise KeyboardInterrupt

    script.on_look = interrupt
    steps = [do(str(i)) for i in range(WORKERS)]
    with pytest.raises(KeyboardInterrupt):
        run(script, wait("replica"), *steps, do("never"), do("nor this", 2))
    assert sorted(script.did) == [str(i) for i in range(WORKERS)]


def test_ctrl_c_breaks_off_an_action_that_tells_its_progress() -> None:
    """A long pull ends the next time it says how far it is."""
    script, ended = Script(), []
    pulling, stopped = threading.Event(), threading.Event()

    def pull(tell: Callable[[str], None]) -> None:
        try:
            while not stopped.is_set():
                tell("pulling")
                pulling.set()
        except Interrupted:
            ended.append("interrupted")
            raise

    def interrupt(_: Wait) -> None:
        assert pulling.wait(10)
        raise KeyboardInterrupt

    script.deeds["image"] = pull
    script.on_look = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(script, do("image"), wait("replica"))
    stopped.set()
    assert ended == ["interrupted"]
    assert script.did == []


def test_what_an_action_tells_is_passed_on() -> None:
    """Progress is shown beside its step."""
    script, recorder = Script({"image": lambda tell: tell("pulling: 3 MB")}), Recorder()
    execute(plan_of(do("image")), script, recorder, clock=script.clock)
    assert recorder.lines == ["started do image", "told do image: pulling: 3 MB", "done do image"]


def test_the_engine_is_watched_before_the_first_step() -> None:
    """No event falls between a step and the wait for what it does."""
    script = Script()

    def look_out(_: Callable[[str], None]) -> None:
        assert script.watching == 1

    script.deeds["start"] = look_out
    assert run(script, do("start")).done == {1}
    assert script.watching == 0
