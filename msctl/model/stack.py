"""The whole stack file."""

from collections.abc import Mapping
from typing import Annotated, Self

from msctl.fields import (
    HttpUrl,
    Name,
    ProjectName,
    names,
)
from msctl.model.autoscaler import Autoscaler, Operator
from msctl.model.gateway import Gateway
from msctl.model.kubernetes import KubernetesStack
from msctl.model.passthrough import StackPassthrough
from msctl.model.service import Service
from msctl.records import Check, Record, key


class Metrics(Record):
    """Where the numbers of the gateway are."""

    prometheus: HttpUrl = "http://127.0.0.1:9090"
    """URL of the Prometheus that msctl asks; `$MSCTL_PROMETHEUS` wins."""


class Stack(Record):
    """A whole stack file."""

    name: ProjectName
    """Project name."""
    metrics: Metrics = Metrics()
    """Where msctl reads how the stack does."""
    networks: Annotated[tuple[Name, ...], Check(names)] = ("backend",)
    """Networks of the stack; the engine's names are PROJECT_NAME."""
    gateway: Gateway = Gateway()
    """Traefik; rendered only when some service has routes."""
    services: Mapping[str, Service]
    """The services, by name."""
    autoscaler: Autoscaler = Autoscaler()
    """Whether the stack runs `msctl autoscale` by itself."""
    kubernetes: KubernetesStack = KubernetesStack()
    """Where the stack differs on Kubernetes."""
    passthrough: StackPassthrough = key(factory=dict, alias="x-compose")
    """What Compose says about networks and volumes, such as `external: true`."""
    operator: Operator | None = key(None, of_file=False)
    """Whose stack it is; known where the stack scales itself."""

    def of_operator(self, operator: Operator) -> Self:
        """The same stack, as one of this user's."""
        return self.replaced(operator=operator)

    @property
    def routed(self) -> bool:
        """Whether the stack has a gateway."""
        return any(service.routes for service in self.services.values())

    def network_name(self, network: str) -> str:
        """The engine's name of a network."""
        options = (self.passthrough.get("networks") or {}).get(network) or {}
        own = network if options.get("external") else f"{self.name}_{network}"
        return str(options.get("name") or own)

    def networks_of(self, service: Service) -> tuple[str, ...]:
        """The service's networks; the first is the one that the gateway reaches it by."""
        return service.networks or self.networks[:1]
