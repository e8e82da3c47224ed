"""Takes a snapshot of a project: a few list calls, whatever the number of replicas."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from msctl.deadline import Job
from msctl.engines.compose import labels
from msctl.engines.compose.api.client import MISSING, OLDEST_API, Client, EngineFault
from msctl.engines.compose.observing.hostports import published
from msctl.engines.compose.observing.podman import as_docker_tells, is_podman
from msctl.engines.secretfiles import secret_digests
from msctl.errors import EngineUnreachable, MsctlError
from msctl.gateway import GatewayApi
from msctl.model import GATEWAY
from msctl.state import (
    PODMAN,
    Detail,
    EngineInfo,
    GatewayView,
    Health,
    ImageState,
    Intent,
    Replica,
    Resource,
    StackState,
)

WORKERS = 6
"""Questions under way at a time."""
PATIENCE = 2
"""Seconds that the engine has to tell more of a container."""
_UNNAMED = re.compile(r"[0-9a-f]{64}")
"""What the engine calls a volume that nobody gave a name."""
_EXITED = re.compile(r"Exited \((\d+)\)")


def engine_info(client: Client) -> EngineInfo:
    """The engine that answers.

    Raises:
        EngineUnreachable: none does, or it is too old.
    """
    info = client.call(lambda api: api.info())
    version = client.version()
    found = tuple(int(part) for part in version["ApiVersion"].split("."))
    if found < OLDEST_API:
        raise EngineUnreachable(
            f"the engine at {client.address} is too old: API {version['ApiVersion']}, "
            f"msctl needs {OLDEST_API[0]}.{OLDEST_API[1]} (Docker 20.10) or newer"
        )
    if not {"NCPU", "MemTotal"} <= info.keys():
        raise EngineUnreachable(
            f"what answers at {client.address} is no Docker engine: it does not tell its CPUs",
            hint="see what is there: docker info; msctl doctor tells more",
        )
    return EngineInfo(
        id=info.get("ID") or client.address,
        version=version["Version"],
        api=(found[0], found[1]),
        cpus=info["NCPU"],
        memory=info["MemTotal"],
        address=client.address,
        product=PODMAN if is_podman(client) else "Docker",
        limits=info.get("CgroupDriver") != "none",
        folder=info.get("DockerRootDir"),
        rootless="name=rootless" in (info.get("SecurityOptions") or ()),
        selinux="name=selinux" in (info.get("SecurityOptions") or ()),
    )


class Observer:
    """Snapshots of one project."""

    def __init__(self, client: Client, project: str, gateway_url: str | None) -> None:
        self.client = client
        self.project = project
        self.gateway_url = gateway_url
        # The engine answers while the command loads what it needs.
        self._asked: Job[EngineInfo] | None = Job(lambda: engine_info(client))

    def info(self) -> EngineInfo:
        asked = self._asked or Job(lambda: engine_info(self.client))
        asked.ends()
        try:
            found = asked.result()
        except MsctlError:
            self._asked = None  # whoever tries again asks again
            raise
        self._asked = asked
        return found

    def observe(
        self, images: Iterable[str], secrets: Iterable[str], *, detail: bool = False
    ) -> StackState:
        """Containers, networks, volumes, images and the gateway, asked at the same time."""
        references, paths = sorted(set(images)), sorted(set(secrets))
        with ThreadPoolExecutor(WORKERS) as pool:
            info = pool.submit(self.info)
            networks = pool.submit(self._networks)
            volumes = pool.submit(self._volumes)
            present = pool.submit(self._images, references)
            containers = self.containers()
            gateway = pool.submit(self._gateway, containers)
            if detail:
                containers = tuple(pool.map(self._with_detail, containers))
            found_volumes, intents = volumes.result()
            return StackState(
                project=self.project,
                engine=info.result(),
                containers=containers,
                networks=networks.result(),
                volumes=found_volumes,
                images=present.result(),
                intents=intents,
                secret_files=frozenset(path for path in paths if os.path.lexists(path)),
                secrets=secret_digests(paths),
                gateway=gateway.result(),
            )

    def containers(self) -> tuple[Replica, ...]:
        """Every container of the project, by one call; of Podman, by four."""
        rows = self._listed()
        if is_podman(self.client):
            rows = as_docker_tells(rows, lambda health: self._listed(health=[health]))
        return tuple(sorted(map(_replica, rows), key=lambda r: (r.service, r.number, r.name)))

    def _listed(self, **more: list[str]) -> list[Mapping[str, Any]]:
        filters = {"label": [f"{labels.PROJECT}={self.project}"], **more}
        found: list[Mapping[str, Any]]
        found = self.client.call(lambda api: api.containers(all=True, filters=filters))
        return found

    def _networks(self) -> dict[str, Resource]:
        rows = self.client.call(lambda api: api.networks())
        return {
            row["Name"]: Resource(row["Name"], (row.get("Labels") or {}).get(labels.PROJECT))
            for row in rows
        }

    def _volumes(self) -> tuple[dict[str, Resource], tuple[Intent, ...]]:
        rows = self.client.call(lambda api: api.volumes())["Volumes"] or []
        found: dict[str, Resource] = {}
        intents: list[Intent] = []
        for row in rows:
            own = row.get("Labels") or {}
            found[row["Name"]] = Resource(row["Name"], own.get(labels.PROJECT))
            if own.get(labels.PROJECT) == self.project and labels.INTENT in own:
                intents.append(
                    Intent(
                        service=own[labels.INTENT_SERVICE],
                        replicas=int(own[labels.INTENT]),
                        cause=own[labels.INTENT_CAUSE],
                        generation=int(own[labels.INTENT_GENERATION]),
                        volume=row["Name"],
                    )
                )
        return found, tuple(intents)

    def _images(self, references: list[str]) -> dict[str, ImageState]:
        found: dict[str, ImageState] = {}
        for reference in references:
            if (state := image_state(self.client, reference)) is not None:
                found[reference] = state
        return found

    def _gateway(self, containers: tuple[Replica, ...]) -> GatewayView | None:
        if self.gateway_url is None:
            return None
        if not any(c.service == GATEWAY and c.running for c in containers):
            # Somebody else may answer at its address.
            return GatewayView(self.gateway_url, error="the gateway is not running", running=False)
        with GatewayApi(self.gateway_url) as api:
            return api.view()

    def _with_detail(self, replica: Replica) -> Replica:
        """Unknown where the container was removed meanwhile, or the engine is too busy with it."""
        try:
            found = self.client.call(lambda api: api.inspect_container(replica.id), PATIENCE)
        except EngineUnreachable:
            return replica
        except EngineFault as fault:
            if fault.status == MISSING:
                return replica
            raise
        return replace(replica, detail=_detail(found))


def image_state(client: Client, reference: str) -> ImageState | None:
    """The image that a reference leads to on the engine; None when it is not there."""
    try:
        row = client.call(lambda api: api.inspect_image(reference))
    except EngineFault as fault:
        if fault.status == MISSING:
            return None
        raise
    config = row.get("Config") or {}
    check = (config.get("Healthcheck") or {}).get("Test") or ["NONE"]
    return ImageState(
        id=row["Id"],
        stand_in=(config.get("Labels") or {}).get(labels.STAND_IN) == "true",
        health_check=check[0] != "NONE",
    )


def _replica(row: Mapping[str, Any]) -> Replica:
    own = row["Labels"] or {}
    status = row["Status"]
    exited = _EXITED.search(status)
    number = own.get(labels.NUMBER, "")
    networks = (row.get("NetworkSettings") or {}).get("Networks") or {}
    return Replica(
        id=row["Id"],
        name=row["Names"][0].lstrip("/"),
        service=own.get(labels.SERVICE, ""),
        number=int(number) if number.isdigit() else 0,
        state=row["State"],
        health=_health(status),
        image=row["Image"],
        image_id=row["ImageID"],
        config_hash=own.get(labels.HASH),
        revision=own.get(labels.REVISION),
        previous=own.get(labels.PREVIOUS),
        files=own.get(labels.FILES),
        ours=labels.REVISION in own,
        working_dir=own.get(labels.WORKING_DIR),
        oneoff=own.get(labels.ONEOFF) == "True",
        secrets=_digests(own.get(labels.SECRETS)),
        addresses={name: endpoint.get("IPAddress") or "" for name, endpoint in networks.items()},
        routing={key: value for key, value in own.items() if key.startswith("traefik.")},
        exit_code=int(exited[1]) if exited else None,
        ports=frozenset(published(row)),
        unnamed={
            mount["Destination"]: mount["Name"]
            for mount in row.get("Mounts") or ()
            if mount.get("Type") == "volume" and _UNNAMED.fullmatch(mount.get("Name") or "")
        },
    )


def _digests(text: str | None) -> dict[str, str]:
    """Of a container's secrets, by path; none where the label is missing or not ours."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _health(status: str) -> Health:
    """The list call tells health in words: `Up 5 minutes (healthy)`."""
    if "(healthy)" in status:
        return Health.HEALTHY
    if "(unhealthy)" in status:
        return Health.UNHEALTHY
    return Health.STARTING if "(health: starting)" in status else Health.NONE


def _detail(found: Mapping[str, Any]) -> Detail:
    state = found["State"]
    started = state.get("StartedAt") or ""
    checks = (state.get("Health") or {}).get("Log") or []
    output = (checks[-1].get("Output") or "").strip() if checks else ""
    return Detail(
        started_at=None if started.startswith("0001-") else started or None,
        restarts=found.get("RestartCount", 0),
        oom_killed=bool(state.get("OOMKilled")),
        cpu_limit=_cpu_limit(found["HostConfig"]),
        memory_limit=found["HostConfig"].get("Memory") or None,
        last_check=output.splitlines()[0] if output else None,
    )


def _cpu_limit(config: Mapping[str, Any]) -> float | None:
    """Processors that a container may keep busy, however it was said."""
    if nano := config.get("NanoCpus"):
        return float(nano) / 1e9
    if (quota := config.get("CpuQuota") or 0) > 0:
        return float(quota) / (config.get("CpuPeriod") or 100_000)
    return None
