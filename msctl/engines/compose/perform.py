"""Does one step. Each checks again what it takes for granted, since others may be at work."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.client import Client, EngineFault
from msctl.engines.compose.gatewayfiles import GatewayFiles
from msctl.engines.compose.hostconfig import ipam
from msctl.engines.compose.images import Images, Tell
from msctl.engines.compose.observe import image_state
from msctl.engines.compose.settings import SettingsSource
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
from msctl.engines.secretfiles import (
    made_with,
    rotate_secret,
    secret_digests,
    stage_secret,
    staged_secret,
    write_secret,
)
from msctl.engines.secretsteps import (
    MakePassword,
    RotateSecret,
    StageSecret,
    TellSecret,
    WriteSecret,
)
from msctl.errors import StepFailed
from msctl.plan import Step

_PORT_TAKEN = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_PORT_REFUSED = re.compile(r"cannot expose privileged port (\d+)")
_ENDPOINT = re.compile(r"(?:Bind for|listen tcp4?6?) (\S+?):? ")
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
_MISSING, _CONFLICT, _UNCHANGED = 404, 409, 304


class Performer:
    """Steps on one engine; used by several threads at once."""

    def __init__(
        self, client: Client, images: Images, files: GatewayFiles, source: SettingsSource
    ) -> None:
        self._client = client
        self._images = images
        self._made: list[Path] = []
        """Files of secrets that are new."""
        self._kept: set[Path] = set()
        """Those that a database has by now."""
        self._deeds: dict[type[Step], Callable[[Any], None]] = {
            KeepImage: self._keep_image,
            ReleaseImage: self._release_image,
            WriteSecret: lambda step: self._made.extend(write_secret(step)),
            StageSecret: stage_secret,
            TellSecret: self._tell_secret,
            RotateSecret: rotate_secret,
            CreateNetwork: self._create_network,
            RemoveNetwork: self._remove_network,
            JoinNetwork: lambda step: self._connect(step.container, step.target, {}),
            LeaveNetwork: self._leave_network,
            CreateVolume: self._create_volume,
            RemoveVolume: self._remove_volume,
            RecordIntent: self._record_intent,
            CreateContainer: self._create,
            StartContainer: self._start,
            StopContainer: self._stop,
            RemoveContainer: self._remove,
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
        self._quietly(_MISSING, lambda api: api.tag(step.image_id, repository, tag))

    def _release_image(self, step: ReleaseImage) -> None:
        """A tag that leads to another image is somebody else's; an image that a container has stays
        as it is."""
        found = image_state(self._client, step.target)
        if found is None or found.id != step.image_id:
            return
        try:
            self._client.call(lambda api: api.remove_image(step.target))
        except EngineFault as fault:
            if fault.status not in (_MISSING, _CONFLICT):
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

    # Networks and volumes

    def _create_network(self, step: CreateNetwork) -> None:
        names = self._client.call(lambda api: api.networks(names=[step.target]))
        if any(row["Name"] == step.target for row in names):
            return  # the engine would make a second one of the same name
        options = step.options
        self._client.call(
            lambda api: api.create_network(
                step.target,
                driver=options.get("driver") or "bridge",
                options=options.get("driver_opts"),
                ipam=ipam(options.get("ipam")),
                internal=bool(options.get("internal")),
                attachable=bool(options.get("attachable")),
                enable_ipv6=bool(options.get("enable_ipv6")),
                labels=dict(step.labels),
                check_duplicate=True,
            )
        )

    def _remove_network(self, step: RemoveNetwork) -> None:
        try:
            self._client.call(lambda api: api.remove_network(step.target))
        except EngineFault as fault:
            if fault.status == _MISSING:
                return
            row = self._client.call(lambda api: api.inspect_network(step.target))
            users = [c.get("Name", "") for c in (row.get("Containers") or {}).values()]
            if not users and "active endpoints" in fault.message:
                raise StepFailed(
                    f"network {step.target}: the engine counts containers that are gone",
                    hint="it does so after many ended at once (Docker 20.10, seen with 200); "
                    "restart the engine, then: msctl down",
                ) from fault
            if not users:
                raise
            raise StepFailed(
                f"network {step.target} is in use by {', '.join(sorted(users))}",
                hint=f"docker network disconnect {step.target} {users[0]}, then msctl down",
            ) from fault

    def _leave_network(self, step: LeaveNetwork) -> None:
        try:
            self._client.call(
                lambda api: api.disconnect_container_from_network(step.container, step.target)
            )
        except EngineFault as fault:
            if fault.status != _MISSING and "is not connected to" not in fault.message:
                raise

    def _create_volume(self, step: CreateVolume) -> None:
        """The engine gives the one that is there, where somebody was quicker."""
        options, own = step.options, dict(step.labels)
        if step.secrets:
            own[labels.MADE_WITH] = made_with(step.target, step.secrets)
        found = self._client.call(
            lambda api: api.create_volume(
                step.target,
                driver=options.get("driver") or "local",
                driver_opts=options.get("driver_opts"),
                labels=own,
            )
        )
        theirs = (found.get("Labels") or {}).get(labels.MADE_WITH)
        if step.secrets and theirs != own[labels.MADE_WITH]:
            for path in set(self._made) & set(map(Path, step.secrets)) - self._kept:
                path.unlink(missing_ok=True)
            raise StepFailed(
                f"volume {step.target} was made by somebody else a moment ago, with secrets that "
                "are not here; those that were made here are taken back",
                hint=f"copy {', '.join(step.secrets)} from there, then msctl up",
            )
        self._kept |= set(map(Path, step.secrets))

    def _remove_volume(self, step: RemoveVolume) -> None:
        self._quietly(_MISSING, lambda api: api.remove_volume(step.target))

    def _record_intent(self, step: RecordIntent) -> None:
        """The new generation is there before the old one goes: the highest wins."""
        self._client.call(lambda api: api.create_volume(step.volume, labels=dict(step.labels)))
        for volume in step.replaces:
            self._remove_volume(RemoveVolume(target=volume))

    # Containers

    def _create(self, step: CreateContainer) -> None:
        first, *others = step.networks.items() or [("none", {})]
        body = {**step.body, "NetworkingConfig": {"EndpointsConfig": {first[0]: first[1]}}}
        body["HostConfig"] = {**body["HostConfig"], "NetworkMode": first[0]}
        body["Labels"] = {**body["Labels"], **_secrets_label(body)}
        try:
            self._client.call(
                lambda api: api.create_container_from_config(body, step.target, step.platform)
            )
        except EngineFault as fault:
            if fault.status != _CONFLICT or not self._is_ours(step):
                raise self._explained(step, fault) from fault
        for network, settings in others:
            self._connect(step.target, network, settings)

    def _connect(self, container: str, network: str, settings: Any) -> None:
        try:
            self._client.call(
                lambda api: api.connect_container_to_network(
                    container,
                    network,
                    aliases=settings.get("Aliases"),
                    ipv4_address=(settings.get("IPAMConfig") or {}).get("IPv4Address"),
                    ipv6_address=(settings.get("IPAMConfig") or {}).get("IPv6Address"),
                )
            )
        except EngineFault as fault:
            if "already exists in network" not in fault.message:
                raise

    def _is_ours(self, step: CreateContainer) -> bool:
        """Whether the name is held by the very container that was to be made."""
        row = self._client.call(lambda api: api.inspect_container(step.target))
        own, wanted = row["Config"]["Labels"] or {}, step.body["Labels"]
        keys = (labels.PROJECT, labels.SERVICE, labels.HASH, labels.REVISION)
        return all(own.get(key) == wanted.get(key) for key in keys)

    def _explained(self, step: CreateContainer, fault: EngineFault) -> StepFailed:
        if fault.status == _CONFLICT:
            return StepFailed(
                f"cannot create {step.target}: another container has that name",
                hint=f"docker rm {step.target}, if nobody needs it",
            )
        return StepFailed(f"cannot create {step.target}: {fault.message}")

    def _start(self, step: StartContainer) -> None:
        try:
            self._client.call(lambda api: api.start(step.target))
        except EngineFault as fault:
            if "paused" in fault.message:
                self._client.call(lambda api: api.unpause(step.target))
            elif _PORT_TAKEN.search(fault.message):
                found = _ENDPOINT.search(fault.message)
                raise StepFailed(
                    f"cannot start {step.target}: port {found[1] if found else ''} is taken "
                    f"({fault.message})",
                    hint="stop what holds it, or choose another port in the stack file",
                ) from fault
            elif (refused := _PORT_REFUSED.search(fault.message)) is not None:
                port = refused[1]
                raise StepFailed(
                    f"cannot start {step.target}: a rootless engine may not publish port {port}",
                    hint="choose one from 1024 on in the stack file (gateway: http, https), or: "
                    f"sudo sysctl net.ipv4.ip_unprivileged_port_start={port}",
                ) from fault
            else:
                raise

    def _stop(self, step: StopContainer) -> None:
        self._quietly(
            _MISSING, lambda api: api.stop(step.target, timeout=round(step.grace)), step.grace
        )

    def _remove(self, step: RemoveContainer) -> None:
        try:
            volumes = not step.keep_volumes
            self._client.call(lambda api: api.remove_container(step.target, v=volumes))
        except EngineFault as fault:
            removing = fault.status == _CONFLICT and "already in progress" in fault.message
            if fault.status != _MISSING and not removing:
                raise

    def _quietly(self, status: int, request: Callable[[Any], Any], longer: float = 0) -> None:
        """A call whose one expected refusal means that it is done already; see `Client.call`."""
        try:
            self._client.call(request, longer=longer)
        except EngineFault as fault:
            if fault.status != status:
                raise


def _secrets_label(body: Mapping[str, Any]) -> dict[str, str]:
    """What the secrets that a container mounts hold now, when they are there: the plan was made
    before."""
    mounts = body["HostConfig"].get("Mounts") or ()
    paths = [mount["Source"] for mount in mounts if mount["Type"] == "bind"]
    ours = [path for path in paths if "/.msctl/secrets/" in path]
    found = secret_digests(ours, new_key=True)
    return {labels.SECRETS: json.dumps(found, sort_keys=True)} if found else {}
