"""The stack, as its file describes it: frozen records, checked one by one.

The documentation of a key is its field here; `msctl schema` prints it. What concerns several
records at once (routes of two services, `needs` in a circle) is in `msctl.config.checks`.
"""

from msctl.model.autoscaler import Autoscaler, Operator
from msctl.model.build import Build
from msctl.model.capacity import (
    DEFAULT_MAX_REPLICAS,
    SMALLEST_MEMORY,
    Autoscale,
    Replicas,
    Reservation,
    Resources,
)
from msctl.model.gateway import (
    AUTOSCALER,
    AUTOSCALER_PROXY,
    DOCKER_SOCKET,
    GATEWAY,
    OWN_SERVICES,
    SOCKET_PROXY,
    Gateway,
    Tls,
)
from msctl.model.health import HealthCheck
from msctl.model.kubernetes import KubernetesService, KubernetesStack
from msctl.model.middlewares import Headers, RateLimit, Retry
from msctl.model.rollout import Rollout
from msctl.model.routes import Route, Sticky
from msctl.model.secrets import SecretMount
from msctl.model.service import Service
from msctl.model.stack import Metrics, Stack

__all__ = [
    "AUTOSCALER",
    "AUTOSCALER_PROXY",
    "DEFAULT_MAX_REPLICAS",
    "DOCKER_SOCKET",
    "GATEWAY",
    "OWN_SERVICES",
    "SMALLEST_MEMORY",
    "SOCKET_PROXY",
    "Autoscale",
    "Autoscaler",
    "Build",
    "Gateway",
    "Headers",
    "HealthCheck",
    "KubernetesService",
    "KubernetesStack",
    "Metrics",
    "Operator",
    "RateLimit",
    "Replicas",
    "Reservation",
    "Resources",
    "Retry",
    "Rollout",
    "Route",
    "SecretMount",
    "Service",
    "Stack",
    "Sticky",
    "Tls",
]
