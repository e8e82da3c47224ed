"""Who tells what services have to answer: Prometheus, else the gateway's own counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msctl.autoscale.counters import Counters, read_counters, traffic_between
from msctl.gateway import GatewaySilent
from msctl.monitoring.prometheus import PrometheusSilent
from msctl.monitoring.queries import load_query, read_load

if TYPE_CHECKING:
    from msctl.cli.app import App
    from msctl.cli.troubles import Troubles
    from msctl.state import GatewayView, Traffic

APART = 2.0
"""Seconds between two looks at the gateway's counters, where there was none in the round before."""
_BOTH = "requests and latencies are not known, so that what needs them is held"


@dataclass
class LoadSource:
    """Asks every round anew; what goes away and comes back is told once."""

    app: App
    prometheus_url: str
    troubles: Troubles
    before: Counters | None = None

    def traffic(
        self, services: Sequence[str], gateway: GatewayView | None
    ) -> Mapping[str, Traffic]:
        """Of each service; what is not known has no entry. Ends within a few seconds."""
        if not services:
            return {}
        found, why = self._of_prometheus(services)
        if found is not None:
            self.before = None
            self.troubles.over("prometheus", f"Prometheus at {self.prometheus_url} tells again")
            self.troubles.over("gateway")
            return found
        who = f"Prometheus at {self.prometheus_url} does not tell of requests ({why})"
        self.troubles.note("prometheus", f"{who}; the gateway's own counters are read")
        try:
            found = self._of_gateway(services, gateway)
        except GatewaySilent as error:
            self.before = None
            self.troubles.note("gateway", f"nor does the gateway ({error}): {_BOTH}")
            return {}
        self.troubles.over("gateway", "the gateway tells of requests again")
        return found

    def _of_prometheus(self, services: Sequence[str]) -> tuple[Mapping[str, Traffic] | None, str]:
        try:
            with self.app.prometheus(self.prometheus_url) as prometheus:
                found = read_load(prometheus.instant(load_query(services)), services)
        except PrometheusSilent as error:
            return None, str(error)
        return found, "it has no numbers of the gateway"

    def _of_gateway(
        self, services: Sequence[str], view: GatewayView | None
    ) -> Mapping[str, Traffic]:
        """Raises:
        GatewaySilent: it is out of reach.
        """
        if view is None:
            raise GatewaySilent("gateway.dashboard is off")
        with self.app.gateway(view.url) as gateway:

            def look() -> Counters:
                return read_counters(gateway.metrics(), services, self.app.clock())

            if (before := self.before) is None:
                before = look()
                self.app.sleep(APART)
            self.before = look()
        return traffic_between(before, self.before, services)
