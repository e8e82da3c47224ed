"""Requests → plans, for stacks on a Docker engine. Pure: observing is passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from msctl.engines.compose.desired import Desired, desired
from msctl.engines.compose.planning.down import plan_down
from msctl.engines.compose.planning.machine import check_machine
from msctl.engines.compose.planning.password import is_of_user, plans_of_password
from msctl.engines.compose.planning.pinning import with_leaving
from msctl.engines.compose.planning.portcheck import check_ports
from msctl.engines.compose.planning.retreat import plan_retreat
from msctl.engines.compose.planning.rollout import plan_restart, plan_rollback, plan_rollout
from msctl.engines.compose.planning.rotate import plan_rotate, to_replace, users_of
from msctl.engines.compose.planning.scale import plan_scale
from msctl.engines.compose.planning.settings import UNKNOWN, plan_materials, refuse_another_copys
from msctl.engines.compose.planning.up import plan_up
from msctl.engines.compose.revision import Revision
from msctl.engines.compose.steps import ProvideImage
from msctl.errors import ImageUnavailable, UsageProblem
from msctl.frozen import dataclass
from msctl.model import AUTOSCALER, GATEWAY, Stack
from msctl.plan import Draft, Plan
from msctl.request import Down, Plans, Request, Restart, Rollback, Rollout, Rotate, Scale, Up
from msctl.spelling import did_you_mean
from msctl.state import GatewaySettings, StackState


@dataclass(frozen=True)
class Planner:
    """Plans for one stack."""

    stack: Stack
    folder: str
    """Absolute path of the stack file's folder."""
    digest: Callable[[Revision], str]
    """Digest of the contents of a revision's mounted files."""
    observe: Callable[..., StackState]
    """A snapshot; references of more images than the stack's may be given."""
    unavailable: Mapping[str, str]
    """Why an image could not be had, by reference; filled while plans run."""
    check_mounts: Callable[[Revision], None]
    """Refuses (UsageProblem) a revision whose mounts from the host cannot work."""
    observe_settings: Callable[[], Callable[[], GatewaySettings]]
    """Begins to look at the gateway's own settings; what it gives tells them, as they shall be and
    as they are."""

    def plans(self, request: Request) -> Plans:
        """Each plan is made when the one before has been run, or shown (None is sent in).

        Raises:
            UsageProblem: the request cannot be accepted.
            ImageUnavailable: an image that is needed cannot be had.
            MsctlError: a port is taken.
        """
        match request:
            case Up():
                return (yield from self._up(request))
            case Scale():
                state = self._state()
                yield plan_scale(self.desired(state), state, request)
            case Rollout():
                yield from self._rollout(request)
            case Rollback() | Restart():
                state = self._state()
                whole = self.desired(state)
                _check_name(whole, request.service)
                plan = (
                    plan_rollback(whole, state, request)
                    if isinstance(request, Rollback)
                    else plan_restart(whole, state, request)
                )
                yield from self._with_retreat(whole, plan)
            case Rotate():
                yield from self._rotate(request)
            case Down():
                state = self._state()
                yield plan_down(self.desired(state), state, request)

    def _state(self, *images: str) -> StackState:
        """A snapshot from before a plan."""
        return with_leaving(self.observe(*images))

    def desired(self, state: StackState) -> Desired:
        """What shall be, without the optional services whose image is not there."""
        whole = desired(self.stack, self.folder, self.digest)
        left_out = {
            name: self.unavailable.get(whole.revisions[name].image, "its image is not there")
            for name, service in self.stack.services.items()
            if service.optional and whole.revisions[name].image not in state.images
        }
        if not left_out:
            return whole
        return desired(self.stack, self.folder, self.digest, left_out)

    def _up(self, request: Up) -> Plans:
        whole = desired(self.stack, self.folder, self.digest)
        looked = self.observe_settings() if whole.has_gateway else None
        state = self._state()
        for service in request.services:
            _check_name(whole, service)
        check_machine(whole, state)
        for name in whole.names:
            self.check_mounts(whole.revisions[name])
        check_ports(whole, state, request)
        settings = looked() if looked else None
        if settings is not None:
            refuse_another_copys(whole, state, settings)
        images = plan_images(whole, state, request)
        if images:
            outcome = yield images
            if outcome is not None and outcome.failures:
                return None
            if not request.dry_run:
                state = self._state()
        reachable = self._with_images(whole, state, request)
        if settings is not None and settings.unmade:
            outcome = yield plan_materials(settings)
            if outcome is not None and outcome.failures:
                return None
            # Not made when it is only shown: what is in it is not known then.
            settings = self.observe_settings()() if outcome else replace(settings, wanted=UNKNOWN)
        reachable = replace(reachable, settings=settings)
        yield from self._with_retreat(reachable, plan_up(reachable, state, request))
        return state

    def _rollout(self, request: Rollout) -> Plans:
        state = self._state(*filter(None, [request.image]))
        whole = self.desired(state)
        _check_name(whole, request.service)
        revision = whole.revisions[request.service]
        self.check_mounts(revision)
        reference = request.image or revision.image
        build = revision.service.get("build") if request.image is None else None
        if request.build and not build:
            raise UsageProblem(f"{request.service} has no build in the stack file")
        if request.build or reference not in state.images:
            draft = Draft()
            step = ProvideImage(
                target=reference,
                service=request.service,
                cause="rollout",
                build=build,
                force="build" if request.build else "",
            )
            draft.add(step)
            outcome = yield draft.plan()
            if outcome is not None and outcome.failures:
                return
            state = self._state(reference)
        yield from self._with_retreat(whole, plan_rollout(whole, state, request))

    def _rotate(self, request: Rotate) -> Plans:
        state = self._state()
        whole = self.desired(state)
        if is_of_user(request.secret):
            yield from plans_of_password(whole, state, request, self.observe_settings)
            return
        for name in users_of(whole, request.secret):
            self.check_mounts(whole.revisions[name])
        outcome = yield plan_rotate(whole, state, request.secret)
        for name in to_replace(whole, state, request.secret):
            if outcome is not None and outcome.failures:
                return
            state = self._state()
            restart = Restart(name, request.timeout, request.drain)
            plan = plan_restart(whole, state, restart)
            outcome = yield plan
            if outcome is not None and outcome.failures:
                retreat = plan_retreat(whole, self.observe(), plan, outcome)
                if retreat:
                    yield retreat
                return

    def _with_retreat(self, whole: Desired, plan: Plan) -> Plans:
        """After an update that failed, what did not become healthy goes again."""
        outcome = yield plan
        if outcome is not None and outcome.failures:
            retreat = plan_retreat(whole, self.observe(), plan, outcome)
            if retreat:
                yield retreat

    def _with_images(self, whole: Desired, state: StackState, request: Up) -> Desired:
        if request.dry_run:
            return whole
        missing = {
            name: revision.image
            for name, revision in whole.revisions.items()
            if revision.image not in state.images
            and not ((service := whole.service(name)) and service.optional)
            and (not request.services or name in request.services)
        }
        if missing:
            lines = [
                f"{name}: image {image} cannot be had: "
                + self.unavailable.get(image, "it is not there")
                for name, image in missing.items()
            ]
            raise ImageUnavailable(
                "\n".join(lines),
                hint="nothing was created; correct the image, give the service a build, "
                "or load it with docker load",
            )
        return self.desired(state)


def _check_name(whole: Desired, service: str) -> None:
    if service in whole.left_out:
        raise UsageProblem(f"{service} is left out: {whole.left_out[service]}")
    if service not in whole.names:
        raise UsageProblem(
            f"{service} is not a service of {whole.project}" + did_you_mean(service, whole.names)
        )


def plan_images(whole: Desired, state: StackState, request: Up) -> Plan:
    """Provide each image that is missing or asked for anew; equal builds one after the other, so
    that the second finds the first in the engine's cache."""
    draft, seen, built = Draft(), set(), dict[str, int]()
    for name, revision in whole.revisions.items():
        build = revision.service.get("build")
        chosen = not request.services or name in request.services
        force: Literal["", "pull", "build"] = ""
        if chosen and request.build and (build or name == AUTOSCALER):
            force = "build"
        elif chosen and request.pull:
            force = "pull"
        if revision.image in seen or (revision.image in state.images and not force):
            continue
        if not chosen and name not in _needed(whole, request.services):
            continue
        seen.add(revision.image)
        service = whole.service(name)
        step = ProvideImage(
            target=revision.image,
            service=name,
            cause=f"--{force}" if force else f"{name} needs it",
            build=build,
            optional=service is not None and service.optional,
            force=force,
        )
        same = str(build) if build else revision.image
        built[same] = draft.add(step, [built[same]] if same in built else [])
    return draft.plan()


def _needed(whole: Desired, services: tuple[str, ...]) -> set[str]:
    """The gateway, and what it and the named services need, directly or not."""
    found = {name for name in (GATEWAY,) if name in whole.names}
    todo = [*found, *services]
    while todo:
        for need in whole.needs(todo.pop()):
            if need not in found:
                found.add(need)
                todo.append(need)
    return found
