"""Probes out of a service's `health`.

The readiness probe is the health check as it stands: a replica that fails it gets no traffic. The
liveness probe asks the same, but twice as patiently, since it ends the container: first out of
traffic, then started anew. Until the startup probe has succeeded once, within `health_timeout`, the
others wait; it asks often, so that a replica which is ready soon is used soon.

`command: none` says that the image has nothing to ask with; the kubelet asks by itself.
"""

from __future__ import annotations

import math
from datetime import timedelta

from msctl.fields import parse_duration
from msctl.model import Service
from msctl.render.kubernetes.names import Data
from msctl.render.kubernetes.passthrough import start_interval
from msctl.render.kubernetes.quantities import seconds

OFTEN, OFTEN_BY_COMMAND = 1, 5
"""Seconds between two startup probes: starting a command in the container costs."""
RECOVERY = timedelta(minutes=10)
"""That what holds data may take at least, after a crash, to read its log again: to end it meanwhile
would make it begin anew."""


def probes(service: Service) -> Data:
    """The container's probes; a port without a health check has to be open, no more."""
    health = service.health
    if service.job or (health is None and service.port is None):
        return {}
    action = _action(service)
    if health is None:
        return {"readinessProbe": {**action, "periodSeconds": 5, "timeoutSeconds": 2}}
    often = OFTEN_BY_COMMAND if "exec" in action else OFTEN
    if (told := start_interval(service)) is not None:
        often = seconds(parse_duration(told), 1)
    recovery = RECOVERY if service.stateful else timedelta(0)
    least = max(service.rollout.health_timeout, health.start_period, recovery)
    patience = least.total_seconds()
    usual = {"timeoutSeconds": seconds(health.timeout, 1)}
    period = {"periodSeconds": seconds(health.interval, 1)}
    start = {"periodSeconds": often, "failureThreshold": max(1, math.ceil(patience / often))}
    return {
        "startupProbe": {**action, **usual, **start},
        "readinessProbe": {**action, **usual, **period, "failureThreshold": health.retries},
        "livenessProbe": {**action, **usual, **period, "failureThreshold": 2 * health.retries},
    }


def _action(service: Service) -> Data:
    health = service.health
    if health is None:
        return {"tcpSocket": {"port": service.port}}
    if isinstance(health.command, tuple):
        return {"exec": {"command": list(health.command)}}
    if health.grpc and service.port is not None:
        return {"grpc": {"port": service.port}}
    return {"httpGet": {"path": health.path, "port": service.port}}
