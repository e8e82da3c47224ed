"""Who gets requests: a new replica without a health check of its own is admitted by proof.

It has to answer through the gateway first. That the gateway calls it UP proves nothing, since every
server starts so.
"""

from __future__ import annotations

from msctl.engines.compose.planning.blocks import Blocks
from msctl.engines.compose.planning.pinning import can_pin
from msctl.engines.compose.revision import Revision
from msctl.engines.compose.steps import AwaitProbe, EmptyProbe, WriteProbe


class Admission:
    """Of new replicas of one revision, in a plan."""

    def __init__(self, blocks: Blocks, revision: Revision) -> None:
        self._blocks, self._revision = blocks, revision
        balancer = f"traefik.http.services.{revision.name}.loadbalancer"
        self._path = revision.gateway_labels().get(f"{balancer}.healthcheck.path")

    @property
    def by_proof(self) -> bool:
        """Whether the gateway can ask for a proof, and no health check gives one."""
        return (
            can_pin(self._blocks.state)
            and self._revision.is_routed
            and self._path is not None
            and not self._blocks.is_checked(self._revision)
        )

    def prove(self, name: str, healthy: int) -> int:
        """What has to be done before a replica may get requests; `healthy` is the wait for it."""
        server = self._revision.server(name)
        if not self.by_proof or server is None or self._path is None:
            return healthy
        draft, service = self._blocks.draft, self._revision.name
        write = WriteProbe(target=name, service=service, server=server, path=self._path)
        written = draft.add(write, [healthy, *self._blocks.gateway_ready])
        timeout = self._blocks.patience(service)
        answered = draft.add(AwaitProbe(target=name, service=service, timeout=timeout), [written])
        return draft.add(EmptyProbe(target=name, service=service), [answered])
