"""The engine of a stack in a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from msctl import variables
from msctl.config import LoadedStack, refusal
from msctl.engines.base import LogLine
from msctl.engines.kubernetes.api.client import Client
from msctl.engines.kubernetes.cluster import Answer, Cluster
from msctl.engines.kubernetes.desired import Desired
from msctl.engines.kubernetes.kinds import NAMESPACE, Data, kind_of
from msctl.engines.kubernetes.kubectl import port_forward
from msctl.engines.kubernetes.observing.ask import Asker
from msctl.engines.kubernetes.observing.follow import Follower
from msctl.engines.kubernetes.observing.logs import merged, query_of
from msctl.engines.kubernetes.observing.observe import Observer
from msctl.engines.kubernetes.observing.quantity import quantity
from msctl.engines.kubernetes.observing.state import state_of
from msctl.engines.kubernetes.rollouts import is_leaving
from msctl.engines.kubernetes.secrets import Secrets
from msctl.files.bindfiles import read_bind_files
from msctl.plan import Step
from msctl.render.kubernetes import objects, problems
from msctl.request import Down, Plans, Request
from msctl.state import EngineInfo, StackState, Usage

if TYPE_CHECKING:
    from msctl.execute import Watch


def connect(
    loaded: LoadedStack, environ: Mapping[str, str], warn: Callable[[str], None]
) -> KubernetesEngine:
    """Raises:
    StackFileError: the stack has what a cluster cannot carry.
    EngineUnreachable: no cluster is configured.
    """
    contents = read_bind_files(loaded.stack, loaded.folder)
    if found := list(problems(loaded.stack, contents)):
        raise refusal(loaded.path, found, shown_as=str(loaded.path))
    client = Client(environ, environ.get(variables.CONTEXT), warn)
    rendered = objects(loaded.stack, contents, namespace=environ.get(variables.NAMESPACE))
    return KubernetesEngine(loaded, client, rendered)


class KubernetesEngine:
    """See `msctl.engines.base.Engine`."""

    name = "kubernetes"
    on_host = False

    def __init__(self, loaded: LoadedStack, client: Client, rendered: Sequence[Data]) -> None:
        self._stack = loaded.stack
        self._client = client
        home = next(o["metadata"]["name"] for o in rendered if o["kind"] == NAMESPACE.kind)
        self._bare = Desired(loaded.stack, home, tuple(rendered))
        self._secrets = Secrets(loaded, home)
        self._observer = Observer(client, loaded.stack, home)
        self._asker = Asker(client, loaded.stack.name, home)

    def info(self) -> EngineInfo:
        found = self._client.get("/version")
        return EngineInfo(
            id=f"{self._client.address} {self._bare.namespace}",
            version=found.get("gitVersion", "unknown").removeprefix("v"),
            api=(1, int("".join(c for c in found.get("minor", "0") if c.isdigit()) or 0)),
            cpus=0,
            memory=0,
            address=self._client.address,
            product="Kubernetes",
            guarded=False,
            forward=port_forward(self._client.context, self._bare.namespace),
        )

    def observe(self, *, detail: bool = False) -> StackState:
        info, cluster = self.info(), self._observer.status()
        state = state_of(self._bare, cluster, info, {})
        if detail and not all(replica.healthy for replica in state.containers):
            state = state_of(self._bare, cluster, info, self._observer.checks())
        return state

    def usage(self, state: StackState) -> Mapping[str, Usage]:
        """As metrics-server measured it; a pod's containers together."""
        ids = {replica.name: replica.id for replica in state.containers}
        found: dict[str, Usage] = {}
        for row in self._observer.metrics():
            used = [c.get("usage") or {} for c in row.get("containers") or ()]
            cpus = [quantity(u.get("cpu")) for u in used]
            memory = [quantity(u.get("memory")) for u in used]
            if (uid := ids.get(row["metadata"]["name"])) is not None:
                found[uid] = Usage(_sum(cpus), int(total) if (total := _sum(memory)) else None)
        return found

    def plans(self, request: Request) -> Plans:
        from msctl.engines.kubernetes.planning.planner import Planner

        planner = Planner(
            desired=self._desired,
            observe=lambda: self._inventory(request),
            materials=self._secrets.due,
            ask=self._ask,
        )
        return planner.plans(request)

    def _desired(self, cluster: Cluster) -> Desired:
        objects = self._secrets.beside(self._bare.objects, cluster)
        return Desired(self._stack, self._bare.namespace, objects)

    def _inventory(self, request: Request) -> Cluster:
        rendered = [*map(kind_of, self._bare.objects), *self._secrets.kinds]
        cluster = self._observer.inventory(rendered)
        if isinstance(request, Down):
            return replace(cluster, strangers=self._observer.strangers())
        return cluster

    def _ask(self, cluster: Cluster, objects: Sequence[Data]) -> list[Answer]:
        return self._asker.ask(cluster, objects, "msctl up")

    def perform(self, step: Step, tell: Callable[[str], None]) -> None:  # noqa: ARG002
        from msctl.engines.kubernetes.deeds.perform import Performer

        Performer(self._client, self._bare.namespace).perform(step)

    def watch(self, changed: Callable[[], None]) -> AbstractContextManager[Watch]:
        from msctl.engines.kubernetes.watching.watch import RolloutWatch

        home, selector = self._bare.namespace, self._observer.selector
        return RolloutWatch(self._client, home, selector, changed)

    def logs(
        self,
        services: tuple[str, ...],
        *,
        follow: bool = False,
        tail: int | None = None,
        since: datetime | None = None,
    ) -> Iterator[LogLine]:
        def pods() -> list[Data]:
            found = self._observer.pods()
            names = self._observer.names
            return [
                pod
                for pod in found
                if not is_leaving(pod) and (not services or names.service_of(pod) in services)
            ]

        query, home = query_of(tail, since), self._bare.namespace
        if follow:
            follower = Follower(self._client, home, self._observer.selector, pods)
            return follower.follow(query)
        return merged(self._client, home, pods(), query)


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
