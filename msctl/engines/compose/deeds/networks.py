"""Networks of a project, and who is in them: steps done on one engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msctl.engines.compose.api.client import MISSING, Client, EngineFault
from msctl.engines.compose.steps import CreateNetwork, JoinNetwork, LeaveNetwork, RemoveNetwork
from msctl.errors import StepFailed


class Networks:
    """See `msctl.engines.compose.deeds.perform`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, step: CreateNetwork) -> None:
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

    def remove(self, step: RemoveNetwork) -> None:
        try:
            self._client.call(lambda api: api.remove_network(step.target))
        except EngineFault as fault:
            if fault.status == MISSING:
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

    def join(self, step: JoinNetwork) -> None:
        self.connect(step.container, step.target, {})

    def leave(self, step: LeaveNetwork) -> None:
        try:
            self._client.call(
                lambda api: api.disconnect_container_from_network(step.container, step.target)
            )
        except EngineFault as fault:
            if fault.status != MISSING and "is not connected to" not in fault.message:
                raise

    def connect(self, container: str, network: str, settings: Any) -> None:
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


def ipam(settings: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Addresses of a network, as the engine is told them; None: it chooses itself."""
    if not settings:
        return None
    fields = {
        "subnet": "Subnet", "gateway": "Gateway", "ip_range": "IPRange",
        "aux_addresses": "AuxiliaryAddresses",
    }  # fmt: skip
    pools = settings.get("config") or ()
    return {
        "Driver": settings.get("driver") or "default",
        "Config": [{fields[key]: value for key, value in pool.items()} for pool in pools],
        "Options": settings.get("options") or {},
    }
