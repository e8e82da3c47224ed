"""What the autoscaler decides, as metrics that Prometheus scrapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from msctl.errors import MsctlError

if TYPE_CHECKING:
    from msctl.autoscale.records import Decision


class Exporter:
    """The metrics of one autoscaler, and who serves them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._wanted = self._gauge("wanted_replicas", "Replicas that the load asks for.")
        self._current = self._gauge("current_replicas", "Replicas that the service shall have now.")
        self._cpu = self._gauge(
            "cpu_ratio", "CPU of a replica, of its reservation (or limit); 1 is all.", "replica"
        )
        self._decisions = Counter(
            "msctl_autoscaler_decisions",
            "Decisions by what they change (up, down, none) and the metric that asked for most.",
            ("service", "change", "metric"),
            registry=self.registry,
        )
        self._replicas: dict[str, set[str]] = {}

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        labelled = ("service", *labels)
        return Gauge(f"msctl_autoscaler_{name}", text, labelled, registry=self.registry)

    def serve(self, port: int) -> None:
        """Answer on a port of every address, in a thread of its own.

        Raises:
            MsctlError: the port is taken.
        """
        try:
            start_http_server(port, registry=self.registry)
        except OSError as error:
            raise MsctlError(
                f"metrics cannot be served on port {port}: {error.strerror}",
                hint="choose another port: --metrics PORT",
            ) from None

    def decided(
        self, service: str, current: int, decision: Decision, cpu: Mapping[str, float | None]
    ) -> None:
        """Take up a decision. `cpu` is percent by replica; one that is not known has no value."""
        wanted = decision.replicas
        self._wanted.labels(service).set(wanted)
        self._current.labels(service).set(current)
        change = "up" if wanted > current else "down" if wanted < current else "none"
        known = [one for one in decision.readings if one.replicas is not None]
        most = max(known, key=lambda one: one.load, default=None)
        self._decisions.labels(service, change, most.metric if most else "unknown").inc()
        known_cpu = {replica: percent for replica, percent in cpu.items() if percent is not None}
        for gone in self._replicas.get(service, set()) - known_cpu.keys():
            self._cpu.remove(service, gone)
        for replica, percent in known_cpu.items():
            self._cpu.labels(service, replica).set(percent / 100)
        self._replicas[service] = set(known_cpu)
