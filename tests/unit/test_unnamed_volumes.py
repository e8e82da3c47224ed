"""Volumes that nobody gave a name: an image's own, or a path alone in the file."""

from __future__ import annotations

from typing import Any

import pytest
from memory import MemoryEngine, World, finish, planned, running
from memory.stacks import stack_of

from msctl.engines.compose import labels
from msctl.engines.compose.body.mounts import with_volumes
from msctl.engines.compose.steps import CreateContainer, RemoveContainer, RemoveVolume
from msctl.model import Stack
from msctl.plan import Plan
from msctl.request import Down, Request, Restart

NAME = "f" * 64
OLD = {"/var/lib/data": NAME}


def db(**changes: Any) -> Stack:
    return stack_of({"db": {"stateful": True, **changes}})


def with_data(stack: Stack) -> World:
    world = running(stack)
    for container in world.containers.values():
        container.unnamed = OLD
    return world


def mounts(plan: Plan) -> list[Any]:
    (step,) = [step for step in plan.steps() if isinstance(step, CreateContainer)]
    return list(step.body["HostConfig"]["Mounts"])


def keeps(plan: Plan) -> bool:
    (step,) = [step for step in plan.steps() if isinstance(step, RemoveContainer)]
    return step.keep_volumes


@pytest.mark.parametrize(
    ("stack", "request_"),
    [(db(env={"A": "1"}), None), (db(), Restart("db"))],
    ids=["up", "restart"],
)
def test_the_successor_of_a_stateful_replica_has_them(
    stack: Stack, request_: Request | None
) -> None:
    """What a database wrote without a volume in the file outlives its container."""
    plan = planned(with_data(db()), stack, request_)
    assert keeps(plan)
    assert mounts(plan) == [{"Type": "volume", "Target": "/var/lib/data", "Source": NAME}]


def test_what_has_a_name_in_the_file_wins() -> None:
    """There the file says what is to be in the container."""
    host = {
        "Binds": ["/a:/b:ro", "/c:/d:ro,rslave,z"],
        "Tmpfs": {"/t": ""},
        "Mounts": [
            {"Type": "volume", "Target": "/n", "Source": "named"},
            {"Type": "volume", "Target": "/u", "ReadOnly": True},
        ],
    }
    found = with_volumes(
        host, {"/b": NAME, "/d": NAME, "/t": NAME, "/n": NAME, "/u": NAME, "/i": NAME}
    )
    assert found["Mounts"] == [
        {"Type": "volume", "Target": "/n", "Source": "named"},
        {"Type": "volume", "Target": "/u", "ReadOnly": True, "Source": NAME},
        {"Type": "volume", "Target": "/i", "Source": NAME},
    ]


def test_replicas_of_a_service_that_can_be_many_do_not_share_them() -> None:
    """They go with their container, as before."""
    stack = stack_of({"web": {"replicas": 1}})
    plan = planned(with_data(stack), stack_of({"web": {"replicas": 1, "env": {"A": "1"}}}))
    assert not keeps(plan)
    assert mounts(plan) == []


def test_what_msctl_did_not_make_loses_nothing() -> None:
    """Docker Compose's containers are replaced at a takeover; their volumes stay, and are named."""
    stack = stack_of({"web": {"replicas": 1}})
    world = with_data(stack)
    (container,) = world.containers.values()
    own = {key: text for key, text in container.labels.items() if key != labels.REVISION}
    container.body = {**container.body, "Labels": own}
    plan = planned(world, stack_of({"web": {"replicas": 1, "env": {"A": "1"}}}))
    assert keeps(plan)
    assert f"volumes of {container.name} stay on the engine: {NAME} (/var/lib/data)" in plan.notes


def test_down_with_volumes_takes_them_away() -> None:
    """The engine itself forgets those that a successor was given."""
    plan = planned(with_data(db()), db(), Down(volumes=True))
    assert not keeps(plan)
    assert [s.target for s in plan.steps() if isinstance(s, RemoveVolume)] == [NAME]
    world = with_data(db())
    finish(MemoryEngine(world, db()), Down())
    assert world.containers == {}
