"""Traefik, and the certificates of its entry points."""

from typing import Annotated, Literal

from msctl.fields import (
    Email,
    FilePath,
    Flag,
    HostName,
    HttpUrl,
    Image,
    Publish,
    Text,
    is_raw,
    one_or_many,
    shown,
    wrong,
)
from msctl.model.build import BuildField
from msctl.model.confinement import (
    LOGGING,
    NO_NEW_PRIVILEGES,
    PIDS_LIMIT,
    Capabilities,
    LoggingField,
    PidsLimit,
    SecurityOptions,
    Tmpfs,
    User,
)
from msctl.records import Check, Record, Schema

GATEWAY, SOCKET_PROXY = "traefik", "socket-proxy"
AUTOSCALER, AUTOSCALER_PROXY = "autoscaler", "autoscaler-proxy"
OWN_SERVICES = {
    GATEWAY: "the gateway",
    SOCKET_PROXY: "the gateway's proxy",
    AUTOSCALER: "the autoscaler",
    AUTOSCALER_PROXY: "the autoscaler's proxy",
}
"""Services that msctl adds to the stack file's, and what they are."""


MODES = ("off", "self-signed", "files", "acme")
_KEYS_OF_MODES = {"files": ("cert", "key"), "acme": ("email", "challenge", "staging")}
"""Which keys mean something in one mode only; `hosts` does in all of them."""


class Tls(Record):
    """Certificates of the gateway's HTTPS entry point."""

    mode: Annotated[
        Literal["off", "self-signed", "files", "acme"],
        Check(lambda value: _tls_mode(value)),
        Schema({"enum": [*MODES, False]}),
    ] = "self-signed"
    """off; self-signed (an authority of the stack's own); files (cert and key); or acme (Let's
    Encrypt)."""
    cert: FilePath | None = None
    """PEM file with the certificate and those between it and its authority; mode files."""
    key: FilePath | None = None
    """PEM file with the certificate's private key; mode files."""
    email: Email | None = None
    """Address of the account at Let's Encrypt; mode acme."""
    hosts: Annotated[tuple[HostName, ...], Check(one_or_many)] = ()
    """Host names that the certificate is for; default: those of the routes and the dashboard."""
    challenge: Annotated[
        Literal["http", "tls"],
        Check(lambda value: _challenge(value)),
        Schema({"enum": ["http", "tls"]}),
    ] = "http"
    """How Let's Encrypt sees that a host is ours: by port 80 (http) or 443 (tls); mode acme."""
    staging: Flag = False
    """Whether certificates come from Let's Encrypt's server for trials; mode acme."""

    def agree(self) -> None:
        if self.mode == "files" and (self.cert is None or self.key is None):
            wrong("mode files needs cert and key, each the path of a PEM file")
        if self.mode == "acme" and self.email is None:
            wrong("mode acme needs email, the address of the account at Let's Encrypt")
        for mode, keys in _KEYS_OF_MODES.items():
            given = sorted(self.given.intersection(keys))
            if given and self.mode != mode:
                wrong(f"{', '.join(given)}: only for mode {mode}, and it is {self.mode}")


def _tls_mode(value: object) -> object:
    if value is False:
        return "off"
    if value not in MODES:
        wrong(f"{shown(value)} is not a TLS mode (off, self-signed, files or acme)")
    return value


def _challenge(value: object) -> object:
    if value not in ("http", "tls"):
        wrong(f"{shown(value)} is not a challenge (http or tls)")
    return value


def _on_loopback(published: str | None) -> str | None:
    bare = published is not None and ":" not in published
    return f"127.0.0.1:{published}" if bare else published


DOCKER_SOCKET = "/var/run/docker.sock"
"""Where an engine that root runs has its socket; Docker Desktop's has it there for containers."""


def _socket(value: str, keep: bool) -> str:
    if not is_raw(value, keep) and (not value.startswith("/") or ":" in value):
        wrong(f"{shown(value)} is not the absolute path of a socket, such as {DOCKER_SOCKET}")
    return value


class SocketProxy(Record):
    """What stands between the gateway and the engine's socket, and lets it read only."""

    image: Image | None = None
    """Another proxy that takes the settings of tecnativa/docker-socket-proxy; default: HAProxy from
    Debian, built by msctl."""


def _proxy_or_off(value: object) -> object:
    if value is False or value in ("off", "false", "no"):
        return None
    if not isinstance(value, dict | SocketProxy):
        wrong(f"{shown(value)} is not a proxy ({{image: …}}, or off: the gateway has the socket)")
    return value


class Gateway(Record):
    """Traefik, in front of every service that has routes."""

    image: Image = "traefik:v3.7"
    """Traefik's image."""
    build: BuildField | None = None
    """How to build the image where it cannot be pulled."""
    http: Publish = "80"
    """Published HTTP port, `[HOST:]PORT` or off."""
    https: Publish = "443"
    """Published HTTPS port, `[HOST:]PORT` or off."""
    dashboard: Annotated[Publish, Check(lambda value: _on_loopback(value))] = "127.0.0.1:8080"
    """Where API and dashboard are published without a password, `[HOST:]PORT` or off; on loopback
    where no host is given."""
    api: HttpUrl | None = None
    """URL by which msctl asks the gateway's API; default: the dashboard's address."""
    tls: Tls = Tls()
    """Certificates."""
    dashboard_host: HostName | None = None
    """Host name by which the dashboard is reached from outside, by HTTPS and with a password."""
    socket: Annotated[FilePath, Check(_socket, keeps=True)] = DOCKER_SOCKET
    """The engine's socket on its machine; that of a rootless engine is elsewhere, such as
    ${XDG_RUNTIME_DIR}/docker.sock."""
    socket_proxy: Annotated[
        SocketProxy | None,
        Check(_proxy_or_off, accepts=SocketProxy | Literal["off", False]),
    ] = SocketProxy()
    """What asks the engine on behalf of the gateway; off: the gateway has the engine's socket,
    and whoever breaks into it has the machine."""
    args: Annotated[tuple[Text, ...], Check(one_or_many)] = ()
    """More static flags for Traefik."""
    user: User | None = None
    """User of the container's processes; default: the image's."""
    read_only: Flag = True
    """Whether the container cannot change its image's files; volumes and tmpfs it can."""
    tmpfs: Tmpfs = ("/tmp",)
    """Folders in memory, as in Compose; Traefik keeps large request bodies in /tmp while it reads
    them."""
    cap_add: Capabilities = ()
    """Capabilities besides the default one (NET_BIND_SERVICE); with cap_drop given, all that there
    are."""
    cap_drop: Capabilities = ("ALL",)
    """Capabilities that are taken away; [] leaves the engine's."""
    security_opt: SecurityOptions = (NO_NEW_PRIVILEGES,)
    """Security options, as in Compose; [] for none."""
    pids_limit: PidsLimit = PIDS_LIMIT
    """Processes and threads at the most, or off."""
    logging: LoggingField = LOGGING
    """Logging driver and options, as in Compose; off leaves the engine's."""

    @property
    def tls_on(self) -> bool:
        """Whether routes are served by HTTPS."""
        return self.tls.mode != "off" and self.https is not None
