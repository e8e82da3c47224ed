"""The services `autoscaler` and `autoscaler-proxy`: the stack scales itself.

Whoever can create containers has the machine. So the autoscaler alone reaches its proxy, nobody
reaches the autoscaler but Prometheus, for its metrics, and it has no port on the host.
"""

from __future__ import annotations

import posixpath
from typing import Any

from msctl import variables
from msctl.model import AUTOSCALER, AUTOSCALER_PROXY, GATEWAY, Stack
from msctl.render.confinement import bounded
from msctl.render.socketproxy import PORT, SCALING, proxy

IMAGE = "localhost/msctl-autoscaler"
"""msctl's own image, built of the msctl that runs and never pulled; its tag is of its contents."""
METRICS_PORT = 9101
NETWORK = AUTOSCALER_PROXY
"""The network of the autoscaler and its proxy alone."""
PROMETHEUS = "prometheus"
"""The service that msctl takes for the stack's Prometheus."""
API_PORT = 8080


def autoscaler(stack: Stack) -> dict[str, Any]:
    """Both services; none where the stack does not scale itself."""
    operator = stack.operator
    if not stack.autoscaler.enabled or operator is None:
        return {}
    folder, interval = posixpath.dirname(operator.file), stack.autoscaler.interval
    seconds = [] if interval is None else [f"--interval={interval.total_seconds():g}"]
    command = ["-p", stack.name, "autoscale", *seconds, f"--metrics={METRICS_PORT}"]
    scaler = {
        "image": operator.image,
        "command": command,
        "environment": {"DOCKER_HOST": f"tcp://{AUTOSCALER_PROXY}:{PORT}", **_places(stack)},
        "user": operator.user,
        "hostname": AUTOSCALER,  # so that whoever waits for its lock reads who holds it
        # Where they are on the host: what containers are made of names them, and the lock is one.
        "volumes": [f"{folder}:{folder}:ro", f"{operator.locks}:{operator.locks}"],
        "networks": list(dict.fromkeys([*_networks(stack), NETWORK])),
        # A proxy that is away has no name; the resolver beyond the engine's, which is asked then,
        # may never answer, and who looks a name up hears no SIGTERM.
        "dns_opt": ["timeout:1", "attempts:1"],
        "dns_search": ["."],
        "depends_on": {AUTOSCALER_PROXY: {"condition": "service_started"}},
        "init": True,
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        **bounded(),
        "restart": "unless-stopped",
        "stop_grace_period": "2m",  # SIGTERM: it finishes what it is doing
    }
    return {AUTOSCALER: scaler, AUTOSCALER_PROXY: proxy(stack, NETWORK, {SCALING: "1"})}


def _places(stack: Stack) -> dict[str, str]:
    operator, prometheus = stack.operator, stack.services.get(PROMETHEUS)
    places = {variables.FILE: operator.file, variables.LOCKS: operator.locks} if operator else {}
    if stack.routed:
        places[variables.GATEWAY_API] = f"http://{GATEWAY}:{API_PORT}"
    if prometheus is not None and prometheus.port is not None:
        places[variables.PROMETHEUS] = f"http://{PROMETHEUS}:{prometheus.port}"
    return places


def _networks(stack: Stack) -> list[str]:
    """Those by which it reaches the gateway and Prometheus, and Prometheus reaches it."""
    routed = [service for service in stack.services.values() if service.routes]
    prometheus = stack.services.get(PROMETHEUS)
    reached = [*routed[:1], *([prometheus] if prometheus is not None else [])]
    return [stack.networks_of(service)[0] for service in reached]
