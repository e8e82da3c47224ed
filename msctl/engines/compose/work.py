"""What changes a stack: its planner, what performs the steps, and who watches meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from msctl.engines.compose.api.client import Client
from msctl.engines.compose.deeds.gatewayfiles import GatewayFiles
from msctl.engines.compose.deeds.images import Images
from msctl.engines.compose.deeds.perform import Performer
from msctl.engines.compose.deeds.settings import SettingsSource
from msctl.engines.compose.desired import Desired
from msctl.engines.compose.observing.files import check_mounts, digest
from msctl.engines.compose.observing.hostports import busy_ports
from msctl.engines.compose.observing.observe import Observer
from msctl.engines.compose.planning.planner import Planner
from msctl.engines.compose.planning.portcheck import port_key
from msctl.engines.compose.watching.watch import ContainerWatch
from msctl.model import Stack
from msctl.state import StackState


class Work:
    """At one stack; who only looks at it needs none of this."""

    def __init__(
        self,
        client: Client,
        observer: Observer,
        stack: Stack,
        whole: Desired,
        observe: Callable[[Sequence[str]], StackState],
    ) -> None:
        self._client, self._observer, self._observe = client, observer, observe
        self._ports: Mapping[tuple[str, int, str], Mapping[str, Any]] = {
            (str(port.get("host_ip") or ""), int(port["published"]), str(port["protocol"])): port
            for revision in whole.revisions.values()
            for port in revision.service.get("ports") or ()
            if str(port.get("published") or "").isdigit()
        }
        images = Images(client)
        self._files = GatewayFiles(client, stack.name)
        source = SettingsSource(stack, whole.folder, self._files, lambda: datetime.now(UTC))
        self.performer = Performer(client, images, self._files, source)
        self.planner = Planner(
            stack,
            whole.folder,
            digest,
            self._observe_with_ports,
            images.unavailable,
            lambda it: check_mounts(it, local=client.local, virtual=client.virtual),
            source.observe,
        )

    def watch(self, changed: Callable[[], None]) -> ContainerWatch:
        return ContainerWatch(self._client, self._observer, self._files, changed)

    def _observe_with_ports(self, *images: str) -> StackState:
        state = self._observe(images)
        held = {port for replica in state.containers for port in replica.ports}
        wanted = self._ports.keys() - held  # what ours hold, nobody else can
        busy = busy_ports(self._client, state.project, wanted) if wanted else {}
        return replace(
            state, busy_ports={port_key(self._ports[port]): who for port, who in busy.items()}
        )
