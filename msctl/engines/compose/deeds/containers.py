"""Containers: steps done on one engine, and what stood in their way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.api.client import CONFLICT, MISSING, Client, EngineFault
from msctl.engines.compose.deeds.networks import Networks
from msctl.engines.compose.steps import (
    CreateContainer,
    RemoveContainer,
    StartContainer,
    StopContainer,
)
from msctl.engines.secretfiles import secret_digests
from msctl.errors import StepFailed

_PORT_TAKEN = re.compile(r"port is already allocated|address already in use", re.IGNORECASE)
_PORT_REFUSED = re.compile(r"cannot expose privileged port (\d+)")
_ENDPOINT = re.compile(r"(?:Bind for|listen tcp4?6?) (\S+?):? ")


class Containers:
    """See `msctl.engines.compose.deeds.perform`."""

    def __init__(self, client: Client, networks: Networks) -> None:
        self._client, self._networks = client, networks

    def create(self, step: CreateContainer) -> None:
        first, *others = step.networks.items() or [("none", {})]
        body = {**step.body, "NetworkingConfig": {"EndpointsConfig": {first[0]: first[1]}}}
        body["HostConfig"] = {**body["HostConfig"], "NetworkMode": first[0]}
        body["Labels"] = {**body["Labels"], **_secrets_label(body)}
        try:
            self._client.call(
                lambda api: api.create_container_from_config(body, step.target, step.platform)
            )
        except EngineFault as fault:
            if fault.status != CONFLICT or not self._is_ours(step):
                raise self._explained(step, fault) from fault
        for network, settings in others:
            self._networks.connect(step.target, network, settings)

    def _is_ours(self, step: CreateContainer) -> bool:
        """Whether the name is held by the very container that was to be made."""
        row = self._client.call(lambda api: api.inspect_container(step.target))
        own, wanted = row["Config"]["Labels"] or {}, step.body["Labels"]
        keys = (labels.PROJECT, labels.SERVICE, labels.HASH, labels.REVISION)
        return all(own.get(key) == wanted.get(key) for key in keys)

    def _explained(self, step: CreateContainer, fault: EngineFault) -> StepFailed:
        if fault.status == CONFLICT:
            return StepFailed(
                f"cannot create {step.target}: another container has that name",
                hint=f"docker rm {step.target}, if nobody needs it",
            )
        return StepFailed(f"cannot create {step.target}: {fault.message}")

    def start(self, step: StartContainer) -> None:
        try:
            self._client.call(lambda api: api.start(step.target))
        except EngineFault as fault:
            if "paused" in fault.message:
                self._client.call(lambda api: api.unpause(step.target))
            elif _PORT_TAKEN.search(fault.message):
                found = _ENDPOINT.search(fault.message)
                raise StepFailed(
                    f"cannot start {step.target}: {f'port {found[1]}' if found else 'a port'} is "
                    f"taken ({fault.message})",
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

    def stop(self, step: StopContainer) -> None:
        self._client.quietly(
            MISSING, lambda api: api.stop(step.target, timeout=round(step.grace)), longer=step.grace
        )

    def remove(self, step: RemoveContainer) -> None:
        try:
            volumes = not step.keep_volumes
            self._client.call(lambda api: api.remove_container(step.target, v=volumes))
        except EngineFault as fault:
            removing = fault.status == CONFLICT and "already in progress" in fault.message
            if fault.status != MISSING and not removing:
                raise


def _secrets_label(body: Mapping[str, Any]) -> dict[str, str]:
    """What the secrets that a container mounts hold now, when they are there: the plan was made
    before."""
    mounts = body["HostConfig"].get("Mounts") or ()
    paths = [mount["Source"] for mount in mounts if mount["Type"] == "bind"]
    ours = [path for path in paths if "/.msctl/secrets/" in path]
    found = secret_digests(ours, new_key=True)
    return {labels.SECRETS: json.dumps(found, sort_keys=True)} if found else {}
