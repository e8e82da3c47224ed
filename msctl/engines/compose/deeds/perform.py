"""Does one step. Each checks again what it takes for granted, since others may be at work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msctl.engines.compose.api.client import CONFLICT, MISSING, Client, EngineFault
from msctl.engines.compose.deeds.containers import Containers
from msctl.engines.compose.deeds.gatewayfiles import GatewayFiles
from msctl.engines.compose.deeds.images import Images, Tell
from msctl.engines.compose.deeds.networks import Networks
from msctl.engines.compose.deeds.settings import SettingsSource
from msctl.engines.compose.deeds.volumes import Volumes
from msctl.engines.compose.observing.observe import image_state
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
from msctl.engines.secretfiles import rotate_secret, stage_secret, staged_secret, write_secret
from msctl.engines.secretsteps import (
    MakePassword,
    RotateSecret,
    StageSecret,
    TellSecret,
    WriteSecret,
)
from msctl.errors import StepFailed
from msctl.plan import Step

_TELL = """\
umask 077
MSCTL_SECRET_FILE=$(mktemp /dev/shm/msctl.XXXXXX) || exit 1
export MSCTL_SECRET_FILE
trap 'rm -f "$MSCTL_SECRET_FILE"' EXIT
IFS= read -r value
printf %s "$value" >"$MSCTL_SECRET_FILE"
unset value
"$@" </dev/null"""
"""Keeps a secret in a file while a command runs."""


class Performer:
    """Steps on one engine; used by several threads at once."""

    def __init__(
        self, client: Client, images: Images, files: GatewayFiles, source: SettingsSource
    ) -> None:
        self._client = client
        self._images = images
        made: set[Path] = set()
        networks, volumes = Networks(client), Volumes(client, made)
        containers = Containers(client, networks)
        self._deeds: dict[type[Step], Callable[[Any], None]] = {
            KeepImage: self._keep_image,
            ReleaseImage: self._release_image,
            WriteSecret: lambda step: made.update(write_secret(step)),
            StageSecret: stage_secret,
            TellSecret: self._tell_secret,
            RotateSecret: rotate_secret,
            CreateNetwork: networks.create,
            RemoveNetwork: networks.remove,
            JoinNetwork: networks.join,
            LeaveNetwork: networks.leave,
            CreateVolume: volumes.create,
            RemoveVolume: volumes.remove,
            RecordIntent: volumes.record_intent,
            CreateContainer: containers.create,
            StartContainer: containers.start,
            StopContainer: containers.stop,
            RemoveContainer: containers.remove,
            WritePin: files.write_pin,
            EmptyPin: files.empty_pin,
            ClearPins: files.clear_pins,
            WriteProbe: files.write_probe,
            EmptyProbe: files.empty_probe,
            IssueCertificate: source.issue,
            MakePassword: source.make_password,
            WriteSettings: source.write,
            EmptySettings: files.empty_settings,
        }

    def perform(self, step: Step, tell: Tell) -> None:
        """Do it.

        Raises:
            StepFailed: it cannot be done; with the engine's reason.
        """
        if isinstance(step, ProvideImage):
            self._images.provide(step, tell)
            return
        try:
            self._deeds[type(step)](step)
        except EngineFault as fault:
            raise StepFailed(f"cannot {step.verb} {step.target}: {fault.message}") from fault

    def _keep_image(self, step: KeepImage) -> None:
        repository, _, tag = step.target.rpartition(":")
        self._client.quietly(MISSING, lambda api: api.tag(step.image_id, repository, tag))

    def _release_image(self, step: ReleaseImage) -> None:
        """A tag that leads to another image is somebody else's; an image that a container has stays
        as it is."""
        found = image_state(self._client, step.target)
        if found is None or found.id != step.image_id:
            return
        try:
            self._client.call(lambda api: api.remove_image(step.target))
        except EngineFault as fault:
            if fault.status not in (MISSING, CONFLICT):
                raise

    def _tell_secret(self, step: TellSecret) -> None:
        """The value goes in by standard input, then into a file in memory: a command line or an
        environment could be read by others. What the command says is told without it."""
        value = staged_secret(step.folder, step.secret)
        words = ["sh", "-c", _TELL, "msctl", *step.command]
        status, output = self._client.execute(step.target, words, value + "\n")
        if status:
            raise StepFailed(
                f"{step.target} did not take the new {step.secret}: its command ended with status "
                f"{status}; the old one is still in force",
                hint=f"correct rotate in the stack file, then msctl secret rotate {step.secret}",
                log=tuple(output.replace(value, "***").splitlines()[-10:]),
            )
