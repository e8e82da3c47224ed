"""The health check of a service's containers, in Compose's form.

`auto` asks with what the image has: a script that finds out, and says so where there is nothing.
"""

from __future__ import annotations

import math
import shlex
from typing import Any

from msctl.fields import show_duration
from msctl.model import HealthCheck, Service

_HTTP_CHECK = """\
export no_proxy=127.0.0.1
if command -v wget >/dev/null; then
  wget -q -T {seconds} -O /dev/null {url}
elif command -v curl >/dev/null; then
  curl -fsS -m {seconds} -o /dev/null {url}
elif command -v python3 >/dev/null; then
  python3 -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout={seconds})' {url}
else
  echo 'msctl: the image has no wget, curl or python3; set health.command: none'
  exit 1
fi"""
_GRPC_CHECK = """\
export no_proxy=127.0.0.1
if command -v grpc_health_probe >/dev/null; then
  grpc_health_probe -addr={address} -connect-timeout={seconds}s -rpc-timeout={seconds}s
elif command -v python3 >/dev/null; then
  python3 -c '
try:
    import grpc
except ImportError:
    raise SystemExit("msctl: python3 of the image has no grpcio; set health.command")
check = grpc.insecure_channel("{address}").unary_unary("/grpc.health.v1.Health/Check")
raise SystemExit(check(b"", timeout={seconds}) != b"\\x08\\x01")'
else
  echo 'msctl: the image has no grpc_health_probe, nor python3 with grpcio; set health.command'
  exit 1
fi"""


def has_container_check(service: Service) -> bool:
    """Whether the engine checks the health of the service's containers."""
    return service.health is not None and service.health.command != "none"


def health_check(service: Service) -> dict[str, Any]:
    """Compose's `healthcheck`; empty for a service without one."""
    health = service.health
    if health is None or health.command == "none":
        return {}
    if isinstance(health.command, tuple):
        test = ["CMD", *health.command]
    else:
        test = ["CMD-SHELL", _script(service, health)]
    found = {
        "test": test,
        "interval": show_duration(health.interval),
        "timeout": show_duration(health.timeout),
        "retries": health.retries,
    }
    if health.start_period:
        found["start_period"] = show_duration(health.start_period)
    return found


def _script(service: Service, health: HealthCheck) -> str:
    template = _GRPC_CHECK if health.grpc else _HTTP_CHECK
    address = "127.0.0.1" if service.port is None else f"127.0.0.1:{service.port}"
    return template.format(
        address=address,
        url=shlex.quote(f"http://{address}{health.path}"),
        seconds=max(1, math.ceil(health.timeout.total_seconds())),
    )
