"""A network for the gateway and what it leads to, where the Compose file put all into one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msctl.importing.networks import DEFAULT
from msctl.importing.source import Source
from msctl.model import GATEWAY_NETWORK


def network_apart(
    source: Source,
    gateway: str | None,
    networks: Mapping[str, str],
    drafts: Mapping[str, dict[str, Any]],
) -> list[str]:
    """Its name, to go behind the stack's others; none where the file has networks of its own for
    what is routed, which stay as they are.

    Who is in no other network stays in the one it was in, so that nothing but what is routed has to
    be replaced for it.
    """
    unnamed = {name: entry for name, entry in drafts.items() if "networks" not in entry}
    routed = [entry for entry in unnamed.values() if "routes" in entry]
    first = next(iter(networks.values()), DEFAULT)
    if GATEWAY_NETWORK in networks.values():  # theirs, which they would join by themselves
        for entry in routed:
            entry["networks"] = [first]
        return []
    if source.own or DEFAULT not in networks or not routed:
        return []
    asking = [name for name, entry in unnamed.items() if _reads_metrics(name, entry)]
    for name in asking:
        drafts[name]["networks"] = [first, GATEWAY_NETWORK]
    message = (
        f"the gateway is in network {GATEWAY_NETWORK}, with what it leads to"
        + (f" and {', '.join(asking)}" if asking else "")
        + f"; who else asks it by its name: networks: [{first}, {GATEWAY_NETWORK}]"
    )
    source.note(("services",) if gateway is None else ("services", gateway), message)
    return [GATEWAY_NETWORK]


def _reads_metrics(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether a service is a Prometheus, which asks the gateway."""
    image = str(entry.get("image", "")).rpartition("/")[2].partition(":")[0]
    return "routes" not in entry and "prometheus" in (name, image)
