"""The building blocks of every plan on a Docker engine: a replica's coming and going."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.body.container import compose_labels, create_body, endpoints
from msctl.engines.compose.body.mounts import with_volumes
from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.reach import Reach, with_ports_kept
from msctl.engines.compose.planning.resources import Resources
from msctl.engines.compose.planning.settings import write_before_start
from msctl.engines.compose.revision import Previous, Revision
from msctl.engines.compose.steps import (
    AwaitCheck,
    AwaitCompleted,
    AwaitHealthy,
    AwaitRouted,
    AwaitSteady,
    ClearPins,
    CreateContainer,
    RecordIntent,
    RemoveContainer,
    RemoveVolume,
    StartContainer,
    StopContainer,
)
from msctl.fields import parse_duration
from msctl.frozen import dataclass
from msctl.model import GATEWAY, SOCKET_PROXY
from msctl.plan import Draft
from msctl.render.compose import DEFAULT_STOP_GRACE
from msctl.state import Replica, StackState

JOB_TIMEOUT = 600.0
"""Seconds that a job may take unless the stack file says otherwise."""
ROUTED_TIMEOUT = 30.0
"""Seconds that the gateway may take to list a healthy replica."""


@dataclass(frozen=True)
class Pattern:
    """What new replicas are made from."""

    revision: Revision
    files: str
    """Digest of the contents of its mounted files."""
    image_id: str | None = None
    """The very image, where its reference may lead to another one by now."""
    previous: Previous | None = None
    """What a rollback returns to."""
    proven: bool = False
    """Whether replicas of it serve already."""


class Blocks:
    """A draft of a plan, and what every planner adds to it."""

    def __init__(self, desired: Desired, state: StackState, timeout: float | None = None) -> None:
        self.desired = desired
        self.state = state
        self.timeout = timeout
        self.draft = Draft()
        self.gateway_ready: list[int] = []
        """What has to be done before the gateway can list anybody."""
        self.settings_ready: list[int] = []
        """What has to be done before it knows all that new routes name."""
        self.needed: frozenset[str] = frozenset()
        """Services that others wait for in this plan."""
        self.serving: dict[int, int] = {}
        """What has to be done before what needs a replica may start, where that is less than the
        wait until it is healthy: by the number of that."""
        self.resources = Resources(desired, state, self.draft)
        self.reach = Reach(desired, state, self.draft)
        self._numbers: dict[str, int] = {}
        self._recorded: dict[str, list[int]] = {}

    # A replica's coming

    def next_number(self, service: str) -> int:
        """One more than the highest, as Docker Compose counts."""
        used = [replica.number for replica in self.state.of(service)]
        self._numbers[service] = max([*used, self._numbers.get(service, 0)]) + 1
        return self._numbers[service]

    def create(
        self,
        model: Pattern,
        number: int,
        cause: str,
        after: Iterable[int] = (),
        heir_of: Replica | None = None,
    ) -> tuple[str, int]:
        """Create a container; its name and the step. It has the unnamed volumes of the replica in
        whose place it comes, as Docker Compose does it."""
        project, revision = self.desired.project, model.revision
        current = self.state.images.get(revision.image)
        image_id = model.image_id or (current.id if current else "")
        name = str(revision.service.get("container_name") or f"{project}-{revision.name}-{number}")
        own = {
            **compose_labels(
                revision,
                project=project,
                number=number,
                image_id=image_id,
                working_dir=self.desired.folder,
                config_file=f"{self.desired.folder}/docker-compose.yml",
            ),
            labels.REVISION: revision.to_json(),
            labels.FILES: model.files,
        }
        if model.previous is not None:
            own[labels.PREVIOUS] = model.previous.to_json()
        body = create_body(
            revision,
            own_labels=own,
            health_timeout=self.desired.health_timeout(revision.name),
            api=self.state.engine.api,
        )
        if current is None or image_id != current.id:
            body["Image"] = image_id or revision.image  # its tag leads elsewhere by now
        if heir_of is not None:
            body["HostConfig"] = with_volumes(body["HostConfig"], heir_of.unnamed)
        networks: dict[str, Any] = endpoints(revision, name)
        if revision.name == GATEWAY:
            networks = with_ports_kept(networks, revision, self.state.engine.api)
            networks |= {network: {} for network in self.reach.of_new_gateway(revision)}
        step = CreateContainer(
            target=name,
            service=revision.name,
            cause=cause,
            body=body,
            networks=networks,
            platform=revision.service.get("platform"),
        )
        behind = [*self.resources.of(revision), *self._recorded.get(revision.name, ()), *after]
        return name, self.draft.add(step, behind)

    def start(self, name: str, service: str, cause: str, after: Iterable[int]) -> int:
        behind = list(after)
        if service == GATEWAY:
            # A pin that a killed msctl left would be believed.
            behind = [self.draft.add(ClearPins(target=name, service=service), behind)]
            behind = write_before_start(self.draft, self.desired, behind)
        return self.draft.add(StartContainer(target=name, service=service, cause=cause), behind)

    def healthy(self, name: str, revision: Revision, after: Iterable[int]) -> int:
        """Wait until a replica is healthy; what needs it waits for its first check only, since the
        engine may run that late."""
        step = AwaitHealthy(
            target=name,
            service=revision.name,
            timeout=self.patience(revision.name),
            checked=self.is_checked(revision),
            version=revision.hash,
        )
        if not step.checked or revision.name not in self.needed:
            healthy = self.draft.add(step, after)
        else:
            filled = frozenset(revision.volume_names()) & self.state.volumes.keys()
            check = self.draft.add(AwaitCheck(**vars(step), filled=filled), after)
            healthy = self.draft.add(step, [check])
            self.serving[healthy] = check
        if revision.name in (GATEWAY, SOCKET_PROXY):
            self.gateway_ready.append(healthy)
        return healthy

    def steady(self, name: str, revision: Revision, seconds: float, after: Iterable[int]) -> int:
        """See that a replica stays healthy for so long, or is still, and has not ended."""
        step = AwaitSteady(
            target=name,
            service=revision.name,
            timeout=seconds + self.patience(revision.name),
            checked=self.is_checked(revision),
            seconds=seconds,
        )
        return self.draft.add(step, after)

    def completed(self, name: str, service: str, after: Iterable[int]) -> int:
        """Wait until a job is done."""
        rollout = self.desired.rollout(service)
        said = "health_timeout" in rollout.given
        timeout = rollout.health_timeout.total_seconds() if said else JOB_TIMEOUT
        step = AwaitCompleted(target=name, service=service, timeout=self.timeout or timeout)
        return self.draft.add(step, after)

    def patience(self, service: str) -> float:
        """Seconds that a new replica has to become healthy."""
        return self.timeout or self.desired.health_timeout(service).total_seconds()

    def is_checked(self, revision: Revision) -> bool:
        """Whether a health check runs in the container: the service's own, or its image's."""
        if check := revision.service.get("healthcheck"):
            return not check.get("disable")
        image = self.state.images.get(revision.image)
        return image is not None and image.health_check

    def routed(self, name: str, revision: Revision, after: Iterable[int]) -> int | None:
        """Wait until the gateway lists a replica; None where there is nothing to wait for."""
        server = revision.server(name)
        if server is None or self.state.gateway is None:
            return None
        if not self.state.gateway.running and not self.gateway_ready:
            self.draft.note(
                f"the gateway is not running: {revision.name} gets no requests until it does"
            )
            return None
        step = AwaitRouted(
            target=name,
            service=revision.name,
            timeout=self.timeout or ROUTED_TIMEOUT,
            network=server.network,
            port=server.port,
        )
        return self.draft.add(step, [*after, *self.gateway_ready, *self.settings_ready])

    # A replica's going

    def remove(
        self, replica: Replica, cause: str, after: Iterable[int] = (), *, has_heir: bool = False
    ) -> int:
        """Stop a container where it runs, and remove it. Returns the last step.

        What is in its unnamed volumes stays where another replica comes in its place, or where
        msctl has not made it: nobody who takes a stack over loses data.
        """
        kept = bool(replica.unnamed) and (has_heir or not replica.ours)
        if kept and not has_heir:
            places = ", ".join(f"{name} ({target})" for target, name in replica.unnamed.items())
            self.draft.note(f"volumes of {replica.name} stay on the engine: {places}")
        behind = [*self._recorded.get(replica.service, ()), *after]
        if replica.state in ("running", "paused", "restarting"):
            stop = StopContainer(
                target=replica.name, service=replica.service, cause=cause, grace=grace(replica)
            )
            behind = [self.draft.add(stop, behind)]
        step = RemoveContainer(
            target=replica.name, service=replica.service, cause=cause, keep_volumes=kept
        )
        return self.draft.add(step, behind)

    # Intent

    def record_intent(self, service: str, replicas: int, cause: str) -> int | None:
        """Write down a scale; None when it stands there already."""
        found = self.state.intent(service)
        stale = [i.volume for i in self.state.intents if i.service == service]
        if found is not None and found.replicas == replicas and stale == [found.volume]:
            return None
        generation = found.generation + 1 if found else 1
        step = RecordIntent(
            target=f"{service} = {replicas}",
            service=service,
            cause=cause,
            volume=f"{self.desired.project}_msctl-{service}-{generation}",
            labels={
                labels.PROJECT: self.desired.project,
                labels.INTENT: str(replicas),
                labels.INTENT_SERVICE: service,
                labels.INTENT_CAUSE: cause,
                labels.INTENT_GENERATION: str(generation),
            },
            replaces=tuple(stale),
        )
        recorded = self.draft.add(step)
        self._recorded[service] = [recorded]
        return recorded

    def forget_intent(self, service: str, cause: str) -> None:
        for intent in self.state.intents:
            if intent.service == service:
                self.draft.add(RemoveVolume(target=intent.volume, service=service, cause=cause))


def grace(replica: Replica) -> float:
    """Seconds that a replica has between SIGTERM and SIGKILL, by its own revision."""
    period = None
    if replica.revision is not None:
        revision = Revision.from_json(replica.service, replica.revision)
        period = revision.service.get("stop_grace_period")
    return (parse_duration(period) if period else DEFAULT_STOP_GRACE).total_seconds()
