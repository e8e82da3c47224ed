"""After an update that failed: the old replicas go on, what never served well goes."""

from __future__ import annotations

from typing import Any

import pytest
from memory import Behaviour, MemoryEngine, World, finish, running
from memory.stacks import HEALTH, stack_of

from msctl.errors import StepFailed
from msctl.request import Request, Restart, Rollout, Up
from msctl.state import ImageState

WEB = {"port": 80, "routes": ["/"], "health": HEALTH, "replicas": 2}
RESTARTED = {"restart": "always"}
OLD = ["shop-web-1", "shop-web-2"]


def a_shop(**changes: Any) -> tuple[World, MemoryEngine]:
    """Two replicas of web serve, and another image is there."""
    stack = stack_of({"web": {**WEB, **changes}})
    world = running(stack)
    world.images["web:2"] = ImageState("sha256:web2", stand_in=False)
    return world, MemoryEngine(world, stack)


def web(world: World) -> list[str]:
    return sorted(name for name, c in world.containers.items() if c.service == "web")


ILL = pytest.param(Behaviour(healthy_after=None), id="never healthy")
DYING = pytest.param(Behaviour(healthy_after=0.5, exits_after=1.5, exit_code=1), id="soon dead")
LATER = pytest.param(Behaviour(healthy_after=0.5, exits_after=6.0, exit_code=1), id="dead later")


@pytest.mark.parametrize("behaviour", [ILL, DYING, LATER])
@pytest.mark.parametrize(
    "request_", [Rollout("web", image="web:2"), Restart("web"), Up()], ids=["image", "copy", "file"]
)
def test_the_old_replicas_go_on(request_: Request, behaviour: Behaviour) -> None:
    """Whether another image, a copy of what runs, or the file's new version was to come; also
    where the engine starts again what has ended, so that it looks well."""
    world, engine = a_shop(**RESTARTED)
    if isinstance(request_, Up):
        engine = MemoryEngine(
            world, stack_of({"web": {**WEB, "restart": "always", "env": {"A": "1"}}})
        )
    for number in (3, 4):
        world.behave(f"shop-web-{number}", behaviour)
    with pytest.raises(StepFailed):
        finish(engine, request_)
    assert web(world) == OLD
    assert all(world.containers[name].healthy for name in OLD)
    assert not world.pins


def test_what_gets_requests_is_drained_before_it_goes() -> None:
    """A new replica that has ended once may be back, and requests be inside it."""
    world, engine = a_shop(**RESTARTED)
    world.behave("shop-web-3", Behaviour(healthy_after=0.5, exits_after=6.0, exit_code=1))
    world.log.clear()
    with pytest.raises(StepFailed):
        finish(engine, Rollout("web", image="web:2"))
    gone = world.log.index("stop shop-web-3, the update failed; the old replicas go on")
    pinned = [n for n, line in enumerate(world.log) if line.startswith("pin web.")]
    assert max(pinned) < gone
