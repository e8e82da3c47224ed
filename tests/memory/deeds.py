"""Does the steps of a Docker engine's plan to a world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from memory.machine import Refused
from memory.world import World
from msctl.engines.compose import labels
from msctl.engines.compose.servers import Server
from msctl.engines.compose.settingsteps import EmptySettings, IssueCertificate, WriteSettings
from msctl.engines.compose.steps import (
    ClearPins,
    CreateContainer,
    CreateNetwork,
    CreateVolume,
    EmptyPin,
    EmptyProbe,
    JoinNetwork,
    KeepImage,
    LeaveNetwork,
    ProvideImage,
    RecordIntent,
    ReleaseImage,
    RemoveContainer,
    RemoveNetwork,
    RemoveVolume,
    StartContainer,
    StopContainer,
    WritePin,
    WriteProbe,
)
from msctl.engines.secretsteps import (
    MakePassword,
    RotateSecret,
    StageSecret,
    TellSecret,
    WriteSecret,
)
from msctl.errors import ImageUnavailable, StepFailed
from msctl.model import GATEWAY, Stack
from msctl.plan import Step
from msctl.state import ImageState

Halfway = Callable[[], None]
_MINE = (labels.PROJECT, labels.SERVICE, labels.HASH, labels.REVISION)


class Deeds:
    """One command's steps; what is already done is done."""

    def __init__(self, world: World, stack: Stack) -> None:
        self.world = world
        self.stack = stack
        self.unavailable: dict[str, str] = {}
        self._deeds: dict[type[Step], Callable[[Any, Halfway], None]] = {
            ProvideImage: self._provide_image,
            ReleaseImage: self._release_image,
            KeepImage: lambda step, _: self.world.kept.update({step.target: step.image_id}),
            ClearPins: self._clear_pins,
            WriteSecret: self._write_secret,
            StageSecret: self._stage_secret,
            TellSecret: lambda step, _: self.world.told.append((step.target, step.command)),
            RotateSecret: self._rotate_secret,
            CreateNetwork: self._create_network,
            RemoveNetwork: self._remove_network,
            JoinNetwork: self._join_network,
            LeaveNetwork: self._leave_network,
            CreateVolume: self._create_volume,
            RemoveVolume: self._remove_volume,
            RecordIntent: self._record_intent,
            CreateContainer: self._create,
            StartContainer: self._start,
            StopContainer: self._stop,
            RemoveContainer: self._remove,
            WritePin: self._write_pin,
            EmptyPin: self._empty_pin,
            WriteProbe: self._write_probe,
            EmptyProbe: self._empty_probe,
            IssueCertificate: lambda *_: self._make(certificate_due=None),
            MakePassword: self._make_password,
            WriteSettings: self._write_settings,
            EmptySettings: self._empty_settings,
        }

    def do(self, step: Step, tell: Callable[[str], None]) -> None:
        """Raises:
        StepFailed: the engine refuses it.
        """
        with self.world.action(step) as halfway:
            if isinstance(step, ProvideImage):
                tell(f"looking for {step.target}")
            try:
                self._deeds[type(step)](step, halfway)
            except Refused as refusal:
                raise StepFailed(f"cannot {step.verb} {step.target}: {refusal}") from refusal

    def _provide_image(self, step: ProvideImage, _: Halfway) -> None:
        world, reference = self.world, step.target
        if step.force == "build" and step.build:
            self._build(step)
        elif reference in world.images and not step.force:
            pass
        elif reference in world.registry:
            world.images[reference] = world.registry[reference]
        elif reference in world.images:
            pass
        elif step.build:
            self._build(step)
        else:
            self.unavailable[reference] = f"image {reference} cannot be pulled: no such host"
            if not step.optional:
                raise ImageUnavailable(self.unavailable[reference])

    def _build(self, step: ProvideImage) -> None:
        if step.target in self.world.broken_builds:
            raise StepFailed(
                f"the build of {step.target} failed: exit status 1",
                hint="correct its Dockerfile; nothing was created",
                log=("Step 2/2 : RUN false",),
            )
        self.world.images[step.target] = ImageState(
            f"sha256:built {step.target} {self.world.tried}", False
        )

    def _write_secret(self, step: WriteSecret, halfway: Halfway) -> None:
        folder = step.path.rpartition("/")[0]
        secret = self.world.secrets.setdefault(
            f"{folder}/{step.secret}", f"random {step.secret} {self.world.tried}"
        )
        halfway()
        if step.template is not None:
            self.world.secrets.setdefault(step.path, step.template.replace("{secret}", secret))

    def _stage_secret(self, step: StageSecret, _: Halfway) -> None:
        self.world.secrets.setdefault(
            f"{step.folder}/.next.{step.target}", f"new {step.target} {self.world.tried}"
        )

    def _rotate_secret(self, step: RotateSecret, halfway: Halfway) -> None:
        value = self.world.secrets[f"{step.folder}/.next.{step.target}"]
        for name, template in {**step.files, step.target: None}.items():
            text = value if template is None else template.replace("{secret}", value)
            self.world.secrets[f"{step.folder}/{name}"] = text
            halfway()
        del self.world.secrets[f"{step.folder}/.next.{step.target}"]

    def _create_network(self, step: CreateNetwork, _: Halfway) -> None:
        self.world.networks.setdefault(step.target, dict(step.labels))

    def _remove_network(self, step: RemoveNetwork, _: Halfway) -> None:
        if step.target in self.world.networks:
            self.world.remove_network(step.target)

    def _join_network(self, step: JoinNetwork, _: Halfway) -> None:
        if (container := self.world.containers.get(step.container)) is None:
            raise Refused(f"No such container: {step.container}")
        self.world.connect(container, step.target)

    def _leave_network(self, step: LeaveNetwork, _: Halfway) -> None:
        if (container := self.world.containers.get(step.container)) is not None:
            container.networks.pop(step.target, None)

    def _create_volume(self, step: CreateVolume, _: Halfway) -> None:
        made = [self.world.secrets[path] for path in step.secrets]
        own = {labels.MADE_WITH: " ".join(made)} if made else {}
        found = self.world.volumes.setdefault(step.target, {**step.labels, **own})
        if made and found.get(labels.MADE_WITH) != own[labels.MADE_WITH]:
            raise Refused("somebody else made it a moment ago")

    def _remove_volume(self, step: RemoveVolume, _: Halfway) -> None:
        if step.target in self.world.volumes:
            self.world.remove_volume(step.target)

    def _record_intent(self, step: RecordIntent, halfway: Halfway) -> None:
        self.world.volumes.setdefault(step.volume, dict(step.labels))
        halfway()
        for volume in step.replaces:
            self.world.volumes.pop(volume, None)

    def _create(self, step: CreateContainer, halfway: Halfway) -> None:
        first, *others = step.networks or ("none",)
        there = self.world.containers.get(step.target)
        wanted = step.body["Labels"]
        if there is not None and all(there.labels.get(k) == wanted.get(k) for k in _MINE):
            container = there
        elif there is not None:
            raise StepFailed(
                f"cannot create {step.target}: another container has that name",
                hint=f"docker rm {step.target}, if nobody needs it",
            )
        else:
            container = self.world.create(step.target, step.body, [first])
        halfway()
        for network in others:
            self.world.connect(container, network)

    def _start(self, step: StartContainer, _: Halfway) -> None:
        self.world.start(step.target)

    def _stop(self, step: StopContainer, _: Halfway) -> None:
        if step.target in self.world.containers:
            self.world.stop(step.target)

    def _remove(self, step: RemoveContainer, _: Halfway) -> None:
        if step.target in self.world.containers:
            self.world.remove(step.target)

    # The gateway's files

    def _write_pin(self, step: WritePin, _: Halfway) -> None:
        key = self._pin(step)
        if key in self.world.pins:
            raise AssertionError(f"{step.line()}: a pin in force is overwritten")
        self.world.pins[key] = tuple(self._url(server) for server in step.servers)

    def _empty_pin(self, step: EmptyPin, _: Halfway) -> None:
        self.world.pins.pop(self._pin(step), None)

    def _release_image(self, step: ReleaseImage, _: Halfway) -> None:
        if self.world.kept.get(step.target) == step.image_id:
            del self.world.kept[step.target]

    def _clear_pins(self, step: ClearPins, _: Halfway) -> None:
        self._need_gateway()
        if self.world.containers[step.target].running:
            raise AssertionError(f"{step.line()}: the gateway runs")
        for key in [key for key in self.world.pins if key[0] == self.stack.name]:
            del self.world.pins[key]

    def _write_probe(self, step: WriteProbe, _: Halfway) -> None:
        self._need_gateway()
        self.world.probes[step.target] = self._url(step.server)

    def _empty_probe(self, step: EmptyProbe, _: Halfway) -> None:
        self.world.probes.pop(step.target, None)

    def _make(self, **changes: Any) -> None:
        made = replace(self.world.settings, **changes)
        wanted = made.wanted if made.unmade else self.world.settings_made
        self.world.settings = replace(made, wanted=wanted)

    def _make_password(self, step: MakePassword, _: Halfway) -> None:
        if step.fresh:
            self._make(wanted=self.world.settings_made)
        due = self.world.settings.passwords_due
        self._make(passwords_due={user: due[user] for user in due if user != step.target})

    def _write_settings(self, step: WriteSettings, _: Halfway) -> None:
        self._need_gateway()
        settings = self.world.settings
        if step.digest != settings.wanted:
            raise AssertionError(f"{step.line()}: {settings.wanted} is wanted")
        runs = self.world.containers[f"{self.stack.name}_{GATEWAY}"].running
        if step.alone and runs:
            raise AssertionError(f"{step.line()}: the gateway runs")
        kept = frozenset() if step.alone else settings.present
        new = {step.digest} if step.digest else set()
        self.world.settings = replace(settings, present=kept | new)

    def _empty_settings(self, step: EmptySettings, _: Halfway) -> None:
        self._need_gateway()
        settings = self.world.settings
        self.world.settings = replace(settings, present=settings.present - {step.digest})

    def _pin(self, step: WritePin | EmptyPin) -> tuple[str, str, str]:
        self._need_gateway()
        return self.stack.name, step.service, step.slot

    def _need_gateway(self) -> None:
        if f"{self.stack.name}_{GATEWAY}" not in self.world.containers:
            raise Refused(f"No such container: {self.stack.name}_{GATEWAY}")

    def _url(self, server: Server) -> str:
        container = self.world.containers.get(server.container)
        address = container.networks.get(server.network) if container else None
        if address is None:
            raise Refused(f"{server.container} does not run, or is not on {server.network}")
        return f"http://{address}:{server.port}"
