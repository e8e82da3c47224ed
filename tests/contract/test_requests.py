"""What every engine makes of a request, whatever its steps are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from apiserver import ApiServer
from apiserver import Behaviour as PodBehaviour
from memory import Behaviour, MemoryEngine, World, each_run

from msctl.assessment.assess import assess
from msctl.config import LoadedStack
from msctl.engines import connect
from msctl.engines.base import Engine
from msctl.errors import StepFailed, UsageProblem
from msctl.model import Stack
from msctl.plan import Outcome
from msctl.request import Down, Request, Restart, Scale, Up

pytestmark = pytest.mark.timeout(60)
CHECK = {"command": ["true"], "interval": "1s"}
SERVICES: Mapping[str, Any] = {
    "web": {"image": "web:1", "health": CHECK, "replicas": {"initial": 2, "max": 4}},
    "migrate": {"image": "migrate:1", "job": True, "restart": "on-failure"},
    "db": {"image": "db:1", "stateful": True, "volumes": ["data:/data"]},
}


@dataclass
class Place:
    """An engine, and what lies behind it."""

    connect: Callable[[Stack], Engine]
    clock: Callable[[], float]
    sicken: Callable[[str], None]
    """New replicas of a service do not become healthy from now on."""
    stack: Stack

    @property
    def engine(self) -> Engine:
        return self.connect(self.stack)

    def ask(self, request: Request) -> tuple[list[str], list[Outcome]]:
        """Run a request to its end: its plans as they print, and what became of them."""
        runs = list(each_run(self.engine, request, self.clock))
        return [str(plan) for plan, _ in runs if plan], [outcome for _, outcome in runs]

    def do(self, request: Request) -> list[str]:
        printed, outcomes = self.ask(request)
        assert all(outcome.failures == {} for outcome in outcomes), outcomes
        return printed

    def healthy(self) -> bool:
        return assess(self.stack, self.engine.observe(), engine="any").healthy

    def counts(self) -> dict[str, int]:
        state = self.engine.observe()
        return {name: len(state.of(name)) for name in self.stack.services}


@pytest.fixture(params=["memory", "cluster"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The shop on each engine that needs no machine."""
    stack = Stack.read({"name": "shop", "services": SERVICES})
    if request.param == "memory":
        world = World().have("web:1", "migrate:1", "db:1")
        world.behave("web", Behaviour(healthy_after=0.1))
        world.behave("migrate", Behaviour(exit_code=0))
        sick = Behaviour(healthy_after=None, log=("something is wrong",))
        yield Place(
            lambda stack: MemoryEngine(world, stack),
            lambda: world.now,
            lambda service: world.behave(service, sick) and None,
            stack,
        )
        return
    with ApiServer() as api:
        environ = {"KUBECONFIG": str(api.kubeconfig(tmp_path))}
        bad = PodBehaviour(ready=False, log=("something is wrong",))
        yield Place(
            lambda stack: connect(
                "kubernetes", LoadedStack(stack, tmp_path / "stack.yaml", tmp_path), environ
            ),
            time.monotonic,
            lambda service: api.behave(service, PodBehaviour(by_image={f"{service}:2": bad})),
            stack,
        )


def with_image(stack: Stack, service: str, image: str) -> Stack:
    services = {name: dict(given) for name, given in SERVICES.items()}
    services[service]["image"] = image
    return Stack.read({"name": stack.name, "services": services})


def test_up_brings_every_service_to_health(place: Place) -> None:
    """And jobs to their end."""
    place.do(Up())
    assert place.counts() == {"web": 2, "migrate": 1, "db": 1}
    assert place.healthy()


def test_a_second_up_plans_nothing(place: Place) -> None:
    """What is as it shall be is left alone, an ended job too."""
    place.do(Up())
    assert place.do(Up()) == []


def test_a_scale_lasts(place: Place) -> None:
    """The next up keeps it; `--reset-scale` returns to the file."""
    place.do(Up())
    place.do(Scale({"web": 3}))
    assert place.do(Up()) == []
    assert place.counts()["web"] == 3
    place.do(Up(reset_scale=True))
    assert place.counts()["web"] == 2


@pytest.mark.parametrize(("service", "count"), [("web", 5), ("db", 2), ("nobody", 1)])
def test_a_scale_out_of_bounds_is_refused(place: Place, service: str, count: int) -> None:
    """Before anything is changed."""
    place.do(Up())
    with pytest.raises(UsageProblem):
        place.do(Scale({service: count}))
    assert place.counts()["web"] == 2


def test_a_restart_replaces_every_replica(place: Place) -> None:
    """By a copy of itself: nothing is left for the next up."""
    place.do(Up())
    before = {replica.id for replica in place.engine.observe().of("web")}
    place.do(Restart("web"))
    after = {replica.id for replica in place.engine.observe().of("web")}
    assert len(after) == 2
    assert not before & after
    assert place.do(Up()) == []


def test_a_version_that_does_not_become_healthy_leaves_the_old_one_serving(place: Place) -> None:
    """The wait fails with the last lines that were written; the old replicas are there still."""
    place.do(Up())
    old = {replica.id for replica in place.engine.observe().of("web")}
    place.sicken("web")
    place.stack = with_image(place.stack, "web", "web:2")
    if isinstance(engine := place.engine, MemoryEngine):
        engine.world.have("web:2")
    _, outcomes = place.ask(Up(timeout=1.0))
    failures = [error for outcome in outcomes for error in outcome.failures.values()]
    assert any(isinstance(e, StepFailed) and "something is wrong" in e.log for e in failures)
    assert old <= {replica.id for replica in place.engine.observe().of("web") if replica.healthy}


def test_down_keeps_data_and_a_second_down_plans_nothing(place: Place) -> None:
    """Volumes stay until they are asked for."""
    place.do(Up())
    place.do(Down())
    state = place.engine.observe()
    assert state.containers == ()
    assert any("data" in name for name in state.volumes)
    assert place.do(Down()) == []
    place.do(Down(volumes=True))
    assert not any("data" in name for name in place.engine.observe().volumes)
