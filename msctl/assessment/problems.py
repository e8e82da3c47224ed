"""What is wrong with a stack, the worst first, each with what to type about it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from msctl.assessment import PinStatus, Readings, ReplicaStatus, ServiceStatus
from msctl.assessment.problem import KINDS, Problem, about, worst_first
from msctl.frozen import dataclass
from msctl.model import AUTOSCALER, AUTOSCALER_PROXY, GATEWAY, SOCKET_PROXY, Service, Stack
from msctl.monitoring.latencies import slow_ones
from msctl.render.socketproxy import IMAGE as PROXY_IMAGE
from msctl.render.socketproxy import image_of, own_names
from msctl.state import Health, Replica, StackState, parse_time

FLAPS, FLAPPING = 3, timedelta(minutes=10)
"""How often a container that flaps was started again, and how long ago the last time."""
SIGTERM = 143
"""Exit status of what ends on that signal."""
SCALED = ("routed", "internal")
"""Kinds of services that may have another number of replicas."""
_ID = "sha256:"
EXPIRES_SOON = timedelta(days=14)
"""Time before its end at which a certificate is worth a warning."""


def problems_of(
    stack: Stack,
    state: StackState,
    services: Sequence[ServiceStatus],
    hashes: Mapping[str, str],
    folder: str | None,
    again: Callable[[str], str],
    readings: Readings,
) -> tuple[Problem, ...]:
    """Every problem; see `msctl.assessment.assess` for the arguments."""
    search = _Search(stack, state, hashes, again, readings)
    return worst_first([*search.of(services), *search.strangers(folder), *search.around()])


def left_pins(pins: Sequence[PinStatus], again: Callable[[str], str]) -> Iterator[Problem]:
    """Pins that no msctl at work holds: a killed one left them."""
    for pin in pins:
        if pin.held_by is None:
            message = (
                f"an interrupted msctl left a pin: the gateway leads {pin.service} to "
                f"{len(pin.servers)} chosen replicas only"
            )
            yield Problem("warning", "pin", pin.service, None, message, again("up"))


@dataclass(frozen=True)
class _Search:
    """A stack and its state, searched for problems."""

    stack: Stack
    state: StackState
    hashes: Mapping[str, str]
    again: Callable[[str], str]
    readings: Readings

    def of(self, services: Sequence[ServiceStatus]) -> Iterator[Problem]:
        """What is not as the file says, service by service."""
        if self.stack.routed:
            yield from self._of_the_gateway()
        if self.state.engine.guarded and AUTOSCALER in own_names(self.stack):
            yield from self._of_the_autoscaler()
        for status in services:
            service = self.stack.services[status.name]
            if is_left_out(self.state, status.name, service):
                message = f"{status.name} is left out: image {service.image} is not there"
                hint = self.again("up")
                yield Problem("info", "left_out", status.name, None, message, hint)
                continue
            yield from self._count(status)
            yield from self._labels(status.name)
            yield from self._astray(status.name)
            yield from self._slow(status)
            for found, replica in zip(self.state.of(status.name), status.replicas, strict=True):
                if not is_done(service, found):
                    yield from self._replica(found, replica)
            yield from self._revision(status.name, service.image)

    def _of_the_gateway(self) -> Iterator[Problem]:
        view, found = self.state.gateway, self.state.of(GATEWAY)
        up = self.again("up")
        if not found:
            yield Problem("error", "gateway_down", GATEWAY, None, "the gateway is not there", up)
        for replica in found:
            if not replica.healthy:
                word = f"is {replica.health}" if replica.running else _how_it_ended(replica)
                hint = up if not replica.running else self.again(f"logs {GATEWAY}")
                yield about("error", "gateway_down", replica, word, hint)
            elif view is not None and not view.answered:
                message = f"the gateway's API at {view.url} does not answer: {view.error}"
                yield Problem("error", "gateway_api", GATEWAY, replica.name, message, None)
        yield from self._revision(GATEWAY, self.stack.gateway.image)
        if self.state.engine.guarded and (image := image_of(self.stack)):
            yield from self._of_the_proxy(image)

    def _of_the_proxy(self, image: str) -> Iterator[Problem]:
        """Without it the gateway goes on as it is, and hears of no change."""
        found, healthy = self.state.of(SOCKET_PROXY), [r.healthy for r in self.state.of(GATEWAY)]
        if not any(replica.healthy for replica in found) and any(healthy):
            message = f"{SOCKET_PROXY} is not healthy, so that the gateway hears of no change"
            hint = self.again("up" if not any(r.running for r in found) else f"logs {SOCKET_PROXY}")
            yield Problem("error", "socket_proxy", GATEWAY, None, message, hint)
        yield from self._revision(SOCKET_PROXY, image)

    def _of_the_autoscaler(self) -> Iterator[Problem]:
        """The stack serves without it, with the replicas that it has."""
        for name in (AUTOSCALER_PROXY, AUTOSCALER):
            found = self.state.of(name)
            if not any(replica.healthy for replica in found):
                word = "is not healthy" if any(r.running for r in found) else "does not run"
                message = f"{name} {word}, so that replicas do not follow the load"
                hint = self.again(f"logs {name}" if found else "up")
                yield Problem("warning", "autoscaler", name, None, message, hint)
            own = self.stack.operator
            image = own.image if own is not None and name == AUTOSCALER else PROXY_IMAGE
            yield from self._revision(name, image)

    def _count(self, status: ServiceStatus) -> Iterator[Problem]:
        there, name = len(status.replicas), status.name
        up = self.again(f"up {name}")
        if not there:
            word = "has not run" if status.kind == "job" else "is not there"
            yield Problem("error", "missing", name, None, f"{name} {word}", up)
        elif there < status.desired:
            message = f"{name} has {there} of {status.desired} replicas"
            yield Problem("error", "missing", name, None, message, up)
        elif there > status.desired:
            message = f"{name} has {there} replicas where {status.desired} shall be"
            if there <= self.stack.services[name].replicas.max and status.kind in SCALED:
                up = f"{up}, or to keep them: {self.again(f'scale {name} {there}')}"
            yield Problem("warning", "surplus", name, None, message, up)

    def _replica(self, found: Replica, status: ReplicaStatus) -> Iterator[Problem]:
        logs = self.again(f"logs {found.service}")
        if not found.running:
            kind = found.state if found.state in KINDS else "exited"
            # By somebody: `docker compose stop`, say.
            stopped = kind == "exited" and found.exit_code in (0, SIGTERM)
            mended = stopped or kind in ("created", "paused")  # by a start; nothing is lost
            hint = self.again(f"up {found.service}") if mended else logs
            reason = f": {found.reason}" if found.reason else ""
            yield about("error", kind, found, f"{_how_it_ended(found)}{reason}", hint)
        elif found.health is Health.UNHEALTHY:
            said = f": {status.last_check}" if status.last_check else ""
            yield about("error", "unhealthy", found, f"fails its health check{said}", logs)
        elif found.health is Health.STARTING:
            word = "is not healthy yet"
            yield about("error", "starting", found, word, self.again("status --watch"))
        elif status.routed is False and self._pinned(found.service) is not None:
            word = "is healthy but gets no requests: a pin keeps them from it"
            yield about("error", "not_routed", found, word, self.again(f"up {found.service}"))
        elif status.routed is False:
            seen = "does not list it" if status.gateway_status is None else "calls it DOWN"
            word = f"is healthy but gets no requests: the gateway {seen}"
            yield about("error", "not_routed", found, word, self.again(f"logs {GATEWAY}"))
        if status.routed and not found.healthy:
            word = f"is {found.health if found.running else found.state} but gets requests"
            hint = self.again("routes" if found.running else f"up {found.service}")
            yield about("error", "routed_unhealthy", found, word, hint)
        yield from self._flapping(found, logs)
        if found.detail is not None and found.detail.oom_killed:
            hint = f"raise services.{found.service}.resources.memory in the stack file"
            yield about("warning", "oom", found, "ran out of memory", hint)

    def _flapping(self, found: Replica, logs: str) -> Iterator[Problem]:
        """It runs now, but has ended again and again, and lately."""
        detail, now = found.detail, self.readings.at
        if detail is None or now is None or not found.running or detail.restarts < FLAPS:
            return
        started = parse_time(detail.started_at)
        if started is not None and now - started < FLAPPING:
            seconds = max(0, int((now - started).total_seconds()))
            word = f"has ended and was started again {detail.restarts} times, {seconds} s ago"
            yield about("warning", "flapping", found, f"{word} the last time", logs)

    def _labels(self, name: str) -> Iterator[Problem]:
        """The gateway drops a service whose containers disagree; a pin holds it meanwhile."""
        routings = [dict(r.routing) for r in self.state.of(name) if r.healthy and r.routing]
        if all(routing == routings[0] for routing in routings):
            return
        if self._pinned(name) is not None:
            message = f"the replicas of {name} carry different Traefik labels; a pin holds {name}"
            yield Problem("warning", "labels", name, None, message, self.again(f"up {name}"))
        else:
            message = (
                f"the replicas of {name} carry different Traefik labels, so that the gateway "
                f"drops {name}"
            )
            yield Problem("error", "labels", name, None, message, self.again(f"up {name}"))

    def _astray(self, name: str) -> Iterator[Problem]:
        """A pin has addresses, which an engine that is restarted gives out anew."""
        hosts = {urlsplit(url).hostname for url in self._pinned(name) or ()}
        for other in self.state.containers:
            if other.service != name and hosts & set(other.addresses.values()):
                message = f"a pin of {name} from before the engine restarted leads to {other.name}"
                yield Problem("error", "pin", name, other.name, message, self.again(f"up {name}"))

    def _pinned(self, name: str) -> Mapping[str, str] | None:
        """What the pins in force lead to; None without one."""
        return self.state.gateway.pinned(name) if self.state.gateway else None

    def _slow(self, status: ServiceStatus) -> Iterator[Problem]:
        """A replica that takes much longer than the others, health check or not."""
        answers = self.readings.answers
        found = slow_ones({r.name: answers.get(r.address or "", ()) for r in status.replicas})
        for name, slow in found.items():
            message = (
                f"{name} answers slowly: half of its answers take {slow.median_ms:.0f} ms and "
                f"more, those of the others {slow.others_ms:.0f} ms"
            )
            hint = self.again(f"logs {status.name}")
            yield Problem("warning", "slow", status.name, name, message, hint)

    def around(self) -> Iterator[Problem]:
        """What is beside the stack's own containers: the certificate, and Prometheus."""
        certificate, now = self.readings.certificate, self.readings.at
        hint = self.again("doctor")
        if certificate is not None and certificate.expired:
            message = "the gateway's certificate has expired"
            yield Problem("error", "certificate", GATEWAY, None, message, hint)
        elif certificate is not None and certificate.expires is not None and now is not None:
            left = certificate.expires - now
            if left < EXPIRES_SOON:
                message = f"the gateway's certificate expires in {max(0, left.days)} days"
                yield Problem("warning", "certificate", GATEWAY, None, message, hint)
        prometheus, forward = self.readings.prometheus, self.state.engine.forward
        named = "prometheus" in self.stack.services
        runs = any(replica.running for replica in self.state.of("prometheus"))
        if prometheus is not None and not prometheus.reachable and named and (runs or forward):
            message = f"Prometheus does not answer at {prometheus.url}"
            hint = forward.format(service="prometheus", port=9090) if forward else ""
            hint = hint or self.again("up prometheus")
            yield Problem("warning", "prometheus", "prometheus", None, message, hint)

    def _revision(self, name: str, image: str) -> Iterator[Problem]:
        """What was made from another configuration or image than the file's."""
        present, wanted = self.state.images.get(image), self.hashes.get(name)
        up = self.again(f"up {name}")
        for replica in self.state.of(name):
            if wanted and replica.config_hash and replica.config_hash != wanted:
                word = "was made from another configuration than the stack file's"
                yield about("warning", "outdated", replica, word, up)
            elif present is not None and replica.image_id != present.id:
                word = f"runs an older image than {image} is now"
                nameless = replica.image.startswith(_ID)  # the tag has gone to another image
                if replica.image_id == replica.image and not nameless:  # no ids in a cluster
                    word = f"runs {replica.image}, not {present.id}"
                yield about("warning", "outdated", replica, word, up)
        if present is not None and present.stand_in and self.state.of(name):
            message = f"{image} is a stand-in, built in place of the official image"
            yield Problem("info", "stand_in", name, None, message, self.again(f"up --pull {name}"))

    def strangers(self, folder: str | None) -> Iterator[Problem]:
        """Containers of the project that the file does not know, or that were made elsewhere."""
        names = own_names(self.stack) | self.stack.services.keys()
        elsewhere: set[str] = set()
        for found in self.state.containers:
            if found.service in names and found.working_dir:
                elsewhere.add(found.working_dir)
            elif found.service not in names and found.ours:
                word = "is of a service that left the stack file"
                yield about("warning", "left_file", found, word, self.again("up"))
            elif found.service not in names:
                word = "is in the project, but neither made by msctl nor in the stack file"
                hint = self.again("up --remove-orphans")
                yield about("warning", "foreign", found, word, hint)
        for other in sorted(elsewhere - {folder} if folder else ()):
            message = f"containers of {self.stack.name} were made from {other}, not from {folder}"
            hint = "use that folder's stack file, or give this stack another name with -p"
            yield Problem("warning", "working_dir", None, None, message, hint)


def is_left_out(state: StackState, name: str, service: Service) -> bool:
    """Whether the stack does without an optional service, since its image cannot be had."""
    return service.optional and service.image not in state.images and not state.of(name)


def is_done(service: Service, found: Replica) -> bool:
    """Whether this is a job that has ended with success."""
    return service.job and found.state == "exited" and found.exit_code == 0


def _how_it_ended(found: Replica) -> str:
    if found.state == "exited" and found.exit_code is not None:
        return f"has ended with exit status {found.exit_code}"
    words = {"created": "was never started", "restarting": "ends again and again"}
    if found.reason and found.state == "created":
        return "has not started"
    return words.get(found.state, f"is {found.state}")
