"""Jobs run once to success before what needs them, as it prints."""

from __future__ import annotations

from typing import Any

import pytest
from memory import Behaviour, MemoryEngine, World, finish, lines, planned, running
from memory.stacks import stack_of

from msctl.errors import StepFailed
from msctl.model import Stack

DONE = Behaviour(exit_code=0, exits_after=3.0)
FAILED = Behaviour(exit_code=3, exits_after=1.0, log=("column missing",))


def stack(**changes: Any) -> Stack:
    """An api that needs a migration, which needs a database."""
    return stack_of(
        {
            "db": {"stateful": True},
            "migrate": {"job": True, "needs": ["db"], **changes},
            "api": {"needs": ["migrate"]},
        }
    )


def world(behaviour: Behaviour = DONE) -> World:
    return World(behaviours={"migrate": behaviour}).have("db:1", "migrate:1", "api:1")


def test_what_needs_a_job_starts_when_it_has_succeeded() -> None:
    """The job starts when its needs are healthy, and its dependants when it is done."""
    assert str(planned(world(), stack())) == lines(
        """
        #1 create network shop_backend
        #2 create shop-db-1, it is not there after #1
        #3 start shop-db-1, it is not there after #2
        #4 await healthy shop-db-1 after #3
        #5 create shop-migrate-1, it has not run after #1
        #6 start shop-migrate-1, it has not run after #4 #5
        #7 await end of shop-migrate-1 after #6
        #8 create shop-api-1, it is not there after #1
        #9 start shop-api-1, it is not there after #7 #8
        #10 await healthy shop-api-1 after #9
        """
    )


def test_a_job_that_is_done_is_not_run_again() -> None:
    """A second `up` does not repeat a job that succeeded."""
    assert str(planned(running(stack(), world()), stack())) == ""


def test_a_job_that_changed_runs_again() -> None:
    """A new revision of a job is run once, while what needs it goes on."""
    there = running(stack(), world())
    assert str(planned(there, stack(env={"VERSION": "2"}))) == lines(
        """
        #1 keep image shop-migrate:previous
        #2 remove shop-migrate-1, its configuration changed
        #3 create shop-migrate-1, it has not run after #2
        #4 start shop-migrate-1, it has not run after #3
        #5 await end of shop-migrate-1 after #4
        """
    )


def test_a_failed_job_ends_up_and_holds_up_what_needs_it() -> None:
    """A job that fails is an error with its last lines, and its dependants do not start."""
    there = world(FAILED)
    with pytest.raises(StepFailed) as caught:
        finish(MemoryEngine(there, stack()))
    assert caught.value.message == "job shop-migrate-1 failed with status 3"
    assert caught.value.hint == "msctl logs migrate; msctl up runs it again"
    assert caught.value.log == ("column missing",)
    assert there.containers["shop-api-1"].state == "created"


def test_a_failed_job_is_run_again_by_the_next_up() -> None:
    """What failed is removed and run anew."""
    there = world(FAILED)
    with pytest.raises(StepFailed):
        finish(MemoryEngine(there, stack()))
    there.behave("migrate", DONE)
    assert str(planned(there, stack())) == lines(
        """
        #1 remove shop-migrate-1, it did not succeed
        #2 create shop-migrate-1, it has not run after #1
        #3 start shop-migrate-1, it has not run after #2
        #4 await end of shop-migrate-1 after #3
        #5 start shop-api-1, it is created after #4
        #6 await healthy shop-api-1 after #5
        """
    )
    finish(MemoryEngine(there, stack()))
    assert there.containers["shop-api-1"].running


def test_a_job_that_still_runs_is_waited_for() -> None:
    """An interrupted `up` does not make the next one start the job a second time."""
    there = running(stack_of({"db": {"stateful": True}}), world())
    engine = MemoryEngine(there, stack())
    for node in planned(there, stack()):
        if node.step.service == "migrate" and node.step.verb in ("create", "start"):
            engine.perform(node.step, lambda _: None)
    assert "await end of shop-migrate-1\n" in str(planned(there, stack())) + "\n"
    finish(engine)
    assert there.containers["shop-migrate-1"].exit_code == 0


@pytest.mark.parametrize(
    ("rollout", "seconds"), [({}, 600.0), ({"health_timeout": "90s"}, 90.0)], ids=["default", "set"]
)
def test_a_job_has_ten_minutes_unless_the_file_says_otherwise(
    rollout: dict[str, str], seconds: float
) -> None:
    """The default of services, which have to become healthy, is no measure for a migration."""
    plan = planned(world(), stack(rollout=rollout))
    waits = [step for step in plan.steps() if step.verb == "await end of"]
    assert [wait.timeout for wait in waits] == [seconds]  # type: ignore[attr-defined]
