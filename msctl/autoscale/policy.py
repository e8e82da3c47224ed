"""What is aimed at: a service's `autoscale`, with all its defaults filled in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from msctl.model import Service

TOLERANCE = 0.1
"""A ratio of value to target this close to 1 changes nothing: the controller's
`--horizontal-pod-autoscaler-tolerance`."""


@dataclass(frozen=True)
class Policy:
    """Targets and bounds of one service; a target that is None is not looked at."""

    min: int
    max: int
    cpu: float | None = None
    """Percent of `cpu_base`, on average over the replicas."""
    rps: float | None = None
    """Requests a second for each replica."""
    latency_p95: float | None = None
    """Milliseconds."""
    cpu_base: float | None = None
    """Processors that 100 percent stand for: those reserved for a replica, else its limit."""
    interval: float = 15.0
    """Seconds between two decisions."""
    stabilize_down: float = 300.0
    """Seconds for which fewer replicas must have been enough."""

    @property
    def needs_traffic(self) -> bool:
        """Whether the gateway's numbers are looked at."""
        return self.rps is not None or self.latency_p95 is not None


def policy_of(service: Service) -> Policy | None:
    """What the stack file asks for; None: the service is not scaled by its load."""
    found, bounds, resources = service.autoscale, service.replicas, service.resources
    if found is None:
        return None
    reserved, latency = resources.reserve.cpus, found.latency_p95
    return Policy(
        min=bounds.min if found.min is None else found.min,
        max=bounds.max if found.max is None else found.max,
        cpu=found.cpu,
        rps=found.rps,
        latency_p95=None if latency is None else latency / timedelta(milliseconds=1),
        cpu_base=resources.cpus if reserved is None else reserved,
        interval=found.interval.total_seconds(),
        stabilize_down=found.stabilize_down.total_seconds(),
    )
