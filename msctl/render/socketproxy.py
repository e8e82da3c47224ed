"""What stands between the gateway and the engine's socket: a proxy that only lets it look.

Whoever has the socket is root on the machine, and a read-only mount of it limits nothing. The
image is HAProxy from Debian, under a name of its contents, so that an older one is never taken
for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from msctl.model import AUTOSCALER, AUTOSCALER_PROXY, DOCKER_SOCKET, GATEWAY, SOCKET_PROXY, Stack
from msctl.render.confinement import bounded

GATEWAY_SOCKET = "/run/docker.sock"
"""Where a gateway without a proxy has it. Not below /var/run: that is a link in most images, and
engines from 28.5 on copy no file into a container that has something mounted behind a link."""
PORT = 2375
"""Where the proxy listens, on its own network only."""
NETWORK = SOCKET_PROXY
"""The network of the gateway and its proxy alone; it leads nowhere else."""
ENDPOINT = f"tcp://{SOCKET_PROXY}:{PORT}"

SCALING = "MSCTL_SCALING"
"""The variable that also lets a proxy through what scaling takes."""
PROJECT = "MSCTL_PROJECT"
"""The variable that narrows what the gateway sees to the containers of one project.

Traefik lists all containers, then asks for each by itself, then listens to events: at every event
of any container. What starts between the list and the events is never heard of, and one that a
failing proxy hides is taken for gone. So it is told of no other project's, and its events begin
with the list.
"""
_HEARD = "%22type%22:[%22container%22],%22event%22:[%22start%22,%22die%22,%22health_status%22],"


def _filters(more: str = "") -> str:
    """The engine's filters in a query, as HAProxy's log format writes them."""
    own = f"%22label%22:[%22com.docker.compose.project=%[env({PROJECT})]%22]"
    return f"%7B{more}{own}%7D".replace("%", "%%").replace("%%[", "%[")


_RULES = (
    "global",
    "  log stdout format raw local0",
    "  maxconn 64",
    "defaults",
    "  mode http",
    "  log global",
    '  log-format "refused %HM %HPO %ST"',
    "  timeout connect 5s",
    "  timeout http-request 10s",
    # The stream of events is silent for as long as nothing happens.
    "  timeout client 20d",
    "  timeout server 20d",
    "  option clitcpka",
    "frontend api",
    f"  bind :{PORT}",
    "  acl read method GET HEAD",
    # \z is the end of the path, without the dollar that Compose would take for a variable.
    r"  acl general path_reg ^(/v[0-9.]+)?/(_ping|version|events|containers/json)\z",
    r"  acl container path_reg ^(/v[0-9.]+)?/containers/[A-Za-z0-9_.-]+/json\z",
    "  http-request set-var(txn.may) bool(true) if read general or read container",
    f".if defined({SCALING})",
    r"  acl more path_reg ^(/v[0-9.]+)?/(info|networks|volumes)\z",
    r"  acl image path_reg ^(/v[0-9.]+)?/images/[A-Za-z0-9_./:@-]+/json\z",
    r"  acl usage path_reg ^(/v[0-9.]+)?/containers/[A-Za-z0-9_.-]+/(stats|logs)\z",
    r"  acl make path_reg ^(/v[0-9.]+)?/(containers|volumes)/create\z",
    r"  acl turn path_reg ^(/v[0-9.]+)?/containers/[A-Za-z0-9_.-]+/(start|stop)\z",
    r"  acl attach path_reg ^(/v[0-9.]+)?/networks/[A-Za-z0-9_.-]+/(connect|disconnect)\z",
    r"  acl one path_reg ^(/v[0-9.]+)?/containers/[A-Za-z0-9_.-]+\z",
    # How many replicas shall be: msctl's volumes, and no other.
    r"  acl intent path_reg ^(/v[0-9.]+)?/volumes/[A-Za-z0-9_.-]+_msctl-[A-Za-z0-9_.-]+\z",
    r"  acl pins path_reg ^(/v[0-9.]+)?/containers/[A-Za-z0-9_.-]+_traefik/archive\z",
    "  http-request set-var(txn.may) bool(true) if read more or read image or read usage",
    "  http-request set-var(txn.may) bool(true) if METH_POST make or METH_POST turn",
    "  http-request set-var(txn.may) bool(true) if METH_POST attach",
    "  http-request set-var(txn.may) bool(true) if { method DELETE } one",
    "  http-request set-var(txn.may) bool(true) if { method DELETE } intent",
    "  http-request set-var(txn.may) bool(true) if { method PUT GET } pins",
    ".endif",
    f".if defined({PROJECT})",
    "  acl list path_end /containers/json",
    "  acl events path_end /events",
    "  http-request set-var(proc.listed) date() if list",
    f"  http-request set-query filters={_filters()} if list",
    f"  http-request set-query filters={_filters(_HEARD)}&since=%[var(proc.listed)] if events",
    ".endif",
    "  http-request set-log-level silent if { var(txn.may) -m bool }",
    "  http-request deny deny_status 403 unless { var(txn.may) -m bool }",
    "  default_backend engine",
    "backend engine",
    f"  server engine unix@{DOCKER_SOCKET}",
)
"""What Traefik's Docker provider asks for, and nothing else (haproxy.cfg of HAProxy 2.6)."""
_LINES = " \\\n".join(f"  '{line}'" for line in _RULES)
_START = (
    f"exec setpriv --reuid=haproxy --regid=`stat -c %g {DOCKER_SOCKET}` --clear-groups "
    "haproxy -db -f /etc/haproxy/haproxy.cfg"
)
"""HAProxy is not root: its group is the socket's, whatever that is on this machine."""
DOCKERFILE = f"""\
FROM debian:bookworm-slim
RUN apt-get update \\
 && apt-get install -y --no-install-recommends haproxy wget \\
 && rm -rf /var/lib/apt/lists/*
RUN printf '%s\\n' \\
{_LINES} \\
  > /etc/haproxy/haproxy.cfg \\
 && haproxy -c -f /etc/haproxy/haproxy.cfg
ENTRYPOINT ["sh", "-c", "{_START}"]"""
IMAGE = f"localhost/msctl-socket-proxy:{hashlib.sha256(DOCKERFILE.encode()).hexdigest()[:12]}"
_SETTINGS = {
    **dict.fromkeys(("CONTAINERS", "EVENTS", "PING", "VERSION"), "1"),
    **dict.fromkeys(("INFO", "NETWORKS", "POST"), "0"),
}
"""The same rules for another image, by the variables of tecnativa/docker-socket-proxy."""


def image_of(stack: Stack) -> str | None:
    """The proxy's image; None where the gateway has the socket itself."""
    proxy = stack.gateway.socket_proxy
    if not stack.routed or proxy is None:
        return None
    return proxy.image or IMAGE


def own_names(stack: Stack) -> set[str]:
    """The services that are in no stack file, but belong to this stack."""
    scaling = stack.autoscaler.enabled and stack.operator is not None
    return {
        *([GATEWAY] if stack.routed else []),
        *([SOCKET_PROXY] if image_of(stack) else []),
        *([AUTOSCALER, AUTOSCALER_PROXY] if scaling else []),
    }


def socket_proxy(stack: Stack) -> dict[str, Any]:
    """The service `socket-proxy`."""
    image = image_of(stack) or IMAGE
    environment = {PROJECT: stack.name} if image == IMAGE else _SETTINGS
    return proxy(stack, NETWORK, environment, image)


def proxy(
    stack: Stack, network: str, environment: Mapping[str, str], image: str = IMAGE
) -> dict[str, Any]:
    """A proxy of the engine's socket. It starts as root, without any power but that to become
    another user."""
    own = image == IMAGE
    return {
        "image": image,
        **({"build": {"dockerfile_inline": DOCKERFILE}} if own else {}),
        "environment": dict(environment),
        "volumes": [f"{stack.gateway.socket}:{DOCKER_SOCKET}:ro"],
        "networks": [network],
        "healthcheck": {
            "test": ["CMD", "wget", "-q", "--spider", f"http://127.0.0.1:{PORT}/_ping"],
            "interval": "2s",
            "timeout": "5s",
            "retries": 3,
        },
        "init": True,  # HAProxy as the first process would not hear SIGTERM
        "read_only": True,
        **({} if own else {"tmpfs": ["/run", "/tmp"]}),
        "cap_drop": ["ALL"],
        "cap_add": ["SETGID", "SETUID"],
        "security_opt": ["no-new-privileges:true"],
        **bounded(),
        "restart": "unless-stopped",
    }
