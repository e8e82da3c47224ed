"""The engines under contract, and what a test does with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from memory import Behaviour, MemoryEngine, Recorder, World, each_run

from msctl.config import LoadedStack
from msctl.engines import connect
from msctl.engines.base import Engine
from msctl.engines.compose import labels
from msctl.engines.compose.desired import Desired, desired
from msctl.engines.compose.steps import StartContainer
from msctl.execute import execute
from msctl.model import Stack
from msctl.plan import Draft, Outcome, Plan, Step, Wait
from msctl.request import Request, Up

IMAGE = "debian:bookworm-slim"
NO_SUCH_IMAGE = "127.0.0.1:1/msctl-contract:none"
"""A registry that refuses the connection at once."""

Process = Literal["steady", "checked", "ill", "failing", "job"]
STEADY = "trap 'exit 0' TERM; sleep 600 & wait"
SCRIPTS: Mapping[Process, str] = {
    "steady": f"echo first; echo second; {STEADY}",
    "checked": f"sleep 0.5; touch /ready; {STEADY}",
    "ill": STEADY,
    "failing": "echo something is wrong; exit 3",
    "job": "echo migrated; exit 0",
}
BEHAVIOURS: Mapping[Process, Behaviour] = {
    "steady": Behaviour(log=("first", "second")),
    "checked": Behaviour(healthy_after=0.5),
    "ill": Behaviour(healthy_after=None),
    "failing": Behaviour(exit_code=3, log=("something is wrong",)),
    "job": Behaviour(exit_code=0, log=("migrated",)),
}
CHECK = {"command": ["test", "-e", "/ready"], "interval": "200ms", "timeout": "5s"}


class Machine(Protocol):
    """What lies behind an engine, so that a test can reach around msctl."""

    @property
    def near(self) -> bool:
        """Whether msctl takes it for this machine."""

    def connect(self, stack: Stack) -> Engine: ...
    def kill(self, container: str) -> None: ...
    def clock(self) -> float: ...
    def occupy(self, name: str) -> None:
        """Have a container of that name that is not msctl's."""


@dataclass
class Bench:
    """One project on one engine."""

    machine: Machine
    project: str

    def stack(self, services: Mapping[str, Process | Mapping[str, Any]]) -> Stack:
        """A stack whose services are processes (by name), or say it in their key `process`."""
        found = {}
        for name, given in services.items():
            service = {"process": given} if isinstance(given, str) else dict(given)
            process: Process = service.pop("process", "steady")
            found[name] = {
                "image": IMAGE,
                "command": ["sh", "-c", SCRIPTS[process]],
                "restart": "no",
                **({"health": CHECK} if process in ("checked", "ill") else {}),
                **({"job": True} if process == "job" else {}),
                **service,
            }
            if isinstance(self.machine, MemoryMachine):
                self.machine.world.behave(name, BEHAVIOURS[process])
        return Stack.read({"name": self.project, "services": found})

    def site(self, services: Mapping[str, Process | Mapping[str, Any]]) -> Site:
        stack = self.stack(services)
        return Site(self, stack, self.machine.connect(stack))


@dataclass
class Site:
    """An engine for one stack, and its steps one by one."""

    bench: Bench
    stack: Stack
    engine: Engine
    desired: Desired = field(init=False)

    def __post_init__(self) -> None:
        self.desired = desired(self.stack, "/nowhere", lambda _: "")

    def name(self, service: str, number: int = 1) -> str:
        return f"{self.stack.name}-{service}-{number}"

    def steps(self, request: Request | None = None) -> list[Step]:
        """The steps of a request, none of them done."""
        return [step for plan in self.engine.plans(request or Up()) for step in plan.steps()]

    def do(self, *verbs: str, request: Request | None = None) -> None:
        """Do only those steps of a request that have these verbs."""
        for step in self.steps(request):
            if step.verb in verbs:
                self.perform(step)

    def perform(self, step: Step) -> None:
        self.engine.perform(step, lambda _: None)

    def run(self, plan: Plan, reporter: Recorder | None = None) -> Outcome:
        clock = self.bench.machine.clock
        return execute(plan, self.engine, reporter or Recorder(), clock=clock)

    def wait(self, wait: Wait, reporter: Recorder | None = None) -> Outcome:
        """Wait for something, and do nothing before."""
        draft = Draft()
        draft.add(wait)
        return self.run(draft.plan(), reporter)

    def start_and_wait(self, wait: Wait, reporter: Recorder | None = None) -> Outcome:
        """Start a container that is there, and wait for it."""
        draft = Draft()
        draft.add(wait, [draft.add(StartContainer(target=wait.target, service=wait.service))])
        return self.run(draft.plan(), reporter)

    def fulfil(self, request: Request | None = None) -> list[str]:
        """Run a request to its end; its plans as they print."""
        printed = []
        for plan, outcome in each_run(self.engine, request or Up(), self.bench.machine.clock):
            printed.append(str(plan))
            assert outcome.failures == {}, printed
        return printed

    def only(self, service: str) -> Any:
        """The one replica of a service."""
        (replica,) = self.engine.observe().of(service)
        return replica


Make = Callable[..., Site]
"""What the fixture `site` is: gives a stack of these services, each by what its process does."""


@dataclass
class MemoryMachine:
    """A world in memory."""

    world: World = field(default_factory=lambda: World().have(IMAGE))
    near: bool = True

    def connect(self, stack: Stack) -> Engine:
        return MemoryEngine(self.world, stack)

    def kill(self, container: str) -> None:
        self.world.kill(container)

    def clock(self) -> float:
        return self.world.now

    def occupy(self, name: str) -> None:
        self.world.create(name, {"Image": IMAGE}, [])


@dataclass
class RealMachine:
    """The Docker engine of this machine."""

    folder: Path
    api: Any
    environ: Mapping[str, str]
    """How msctl gets to it."""
    near: bool
    occupied: list[str] = field(default_factory=list)

    def connect(self, stack: Stack) -> Engine:
        loaded = LoadedStack(stack, self.folder / "stack.yaml", self.folder)
        return connect("compose", loaded, self.environ)

    def kill(self, container: str) -> None:
        self.api.kill(container)
        self.api.wait(container, timeout=10)  # Docker 28 answers before the process has ended

    def clock(self) -> float:
        return time.monotonic()

    def occupy(self, name: str) -> None:
        self.api.create_container(IMAGE, ["true"], name=name)
        self.occupied.append(name)

    def clean(self, project: str) -> None:
        """Remove whatever carries the project's label, and what `occupy` made."""
        ours = {"label": [f"{labels.PROJECT}={project}"]}
        for row in self.api.containers(all=True, filters=ours):
            self.api.remove_container(row["Id"], force=True, v=True)
        for name in self.occupied:
            self.api.remove_container(name, force=True)
        for row in self.api.networks(filters=ours):
            self.api.remove_network(row["Id"])
        for row in self.api.volumes(filters=ours)["Volumes"] or ():
            self.api.remove_volume(row["Name"])
        for row in self.api.images(filters=ours):
            self.api.remove_image(row["Id"], force=True)
