"""The stack, as its file describes it: frozen records, checked one by one.

The documentation of a key is its field here; `msctl schema` prints it. What concerns several
records at once (routes of two services, `needs` in a circle) is in `msctl.config.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import WithJsonSchema

from msctl.fields import (
    Command,
    CookieName,
    Cpus,
    Duration,
    Environment,
    Flag,
    HostName,
    Image,
    Labels,
    Name,
    Port,
    Publish,
    RoutePath,
    Size,
    Surge,
    Text,
    one_or_many,
    shown,
    whole,
    wrong,
)

GATEWAY = "traefik"
RESERVED_NAMES = (GATEWAY, "socket-proxy", "autoscaler")
DEFAULT_MAX_REPLICAS = 10


class Record(BaseModel):
    """A mapping of the stack file: frozen, unknown keys refused, `x-*` left to the user."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            wrong(f"{shown(value)} is not a mapping of keys to values")
        return {key: item for key, item in value.items() if not str(key).startswith("x-")}


def _to_come(value: object) -> None:
    if value is not None:
        wrong("this key is not implemented in this version of msctl; remove it")


ToCome = Annotated[
    None, BeforeValidator(_to_come), WithJsonSchema({"not": {}, "description": "Not yet."})
]


def _short(key: str, record: type[Record]) -> BeforeValidator:
    """The short form of a record: a bare value that stands for its key `key`."""

    def expand(value: object) -> object:
        return {key: value} if isinstance(value, str | int | float) else value

    return BeforeValidator(expand, json_schema_input_type=str | int | record)


class Build(Record):
    """How to build an image."""

    context: Text
    """Folder with the sources, from the stack file's folder."""
    dockerfile: Text | None = None
    """File in the context (Dockerfile)."""
    args: Environment = {}
    """Build arguments."""


BuildField = Annotated[Build, _short("context", Build)]


class Tls(Record):
    """Certificates of the gateway's HTTPS entry point."""

    mode: Annotated[
        Literal["off", "self-signed"],
        BeforeValidator(lambda value: _tls_mode(value)),
        WithJsonSchema({"enum": ["off", False, "self-signed", "files", "acme"]}),
    ] = "self-signed"
    """off, or self-signed; files and acme are to come."""
    cert: ToCome = None
    key: ToCome = None
    email: ToCome = None
    hosts: ToCome = None
    challenge: ToCome = None
    staging: ToCome = None


def _tls_mode(value: object) -> object:
    if value is False:
        return "off"
    if value in ("files", "acme"):
        wrong(f"mode {value} is not implemented in this version of msctl; use self-signed or off")
    if value not in ("off", "self-signed"):
        wrong(f"{shown(value)} is not a TLS mode (off, self-signed, files, acme)")
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
    dashboard: Publish = "127.0.0.1:8080"
    """Where API and dashboard are published, `[HOST:]PORT` or off."""
    api: Text | None = None
    """URL by which msctl asks the gateway's API; default: the dashboard's address."""
    tls: Tls = Tls()
    """Certificates."""
    dashboard_host: ToCome = None
    args: Annotated[tuple[Text, ...], BeforeValidator(one_or_many)] = ()
    """More static flags for Traefik."""

    @property
    def tls_on(self) -> bool:
        """Whether routes are served by HTTPS."""
        return self.tls.mode != "off" and self.https is not None


class Route(Record):
    """A path (and host) that the gateway leads to a service."""

    path: RoutePath = "/"
    """Path prefix."""
    host: HostName | None = None
    """Host name; any when absent."""
    strip: Flag = False
    """Whether the prefix is taken off before the request is passed on."""
    priority: Annotated[
        int | None,
        BeforeValidator(lambda v: v if v is None else whole(v, "a priority (from 1)", 1)),
        WithJsonSchema({"type": ["integer", "string"], "minimum": 1}),
    ] = None
    """Which route wins where several match: the highest. Default: the length of the rule."""
    rate_limit: ToCome = None
    in_flight: ToCome = None
    headers: ToCome = None
    ip_allow: ToCome = None
    basic_auth: ToCome = None
    body_limit: ToCome = None
    retry: ToCome = None


def _count(what: str) -> Any:
    return BeforeValidator(lambda value: whole(value, what, 1, 1000))


_COUNT_SCHEMA = WithJsonSchema({"type": ["integer", "string"], "minimum": 1, "maximum": 1000})


class Replicas(Record):
    """How many replicas a service starts with, and between which bounds it may be scaled."""

    initial: Annotated[int, _count("a number of replicas (1-1000)"), _COUNT_SCHEMA] = 1
    """Replicas of the first `up`."""
    min: Annotated[int, _count("a number of replicas (1-1000)"), _COUNT_SCHEMA] = 1
    """Fewest that `scale` accepts."""
    max: Annotated[int, _count("a number of replicas (1-1000)"), _COUNT_SCHEMA] = (
        DEFAULT_MAX_REPLICAS
    )
    """Most that `scale` accepts."""

    @model_validator(mode="after")
    def _in_order(self) -> Replicas:
        if not self.min <= self.initial <= self.max:
            wrong(
                f"{self.initial} replicas are not between min {self.min} and max {self.max}; "
                f"write {{initial: {self.initial}, min: …, max: …}}"
            )
        return self


class Reservation(Record):
    """What the engine keeps free for each replica."""

    cpus: Cpus | None = None
    memory: Size | None = None


class Resources(Record):
    """Limits of each replica."""

    cpus: Cpus | None = None
    """CPUs at the most; 0.5 is half of one."""
    memory: Size | None = None
    """Memory at the most; more ends the container."""
    reserve: Reservation = Reservation()
    """What is reserved for each replica."""

    @model_validator(mode="after")
    def _reservation_within_limit(self) -> Resources:
        for key in ("cpus", "memory"):
            limit, reserved = getattr(self, key), getattr(self.reserve, key)
            if limit is not None and reserved is not None and reserved > limit:
                wrong(f"reserve.{key} is more than the limit of {key}")
        return self


HealthCommand = Annotated[
    Literal["auto", "none"] | tuple[str, ...],
    BeforeValidator(lambda value: _health_command(value)),
    WithJsonSchema(
        {"anyOf": [{"enum": ["auto", "none"]}, {"type": "array", "items": {"type": "string"}}]}
    ),
]


def _health_command(value: object) -> object:
    if isinstance(value, list | tuple) and value:
        return tuple(str(word) for word in value)
    if value not in ("auto", "none"):
        wrong(f"{shown(value)} is not a health command (auto, none, or a list of words)")
    return value


class HealthCheck(Record):
    """How the engine and the gateway find out whether a replica is well."""

    path: RoutePath | None = None
    """Path that answers 2xx or 3xx while the replica is well."""
    interval: Duration = timedelta(seconds=10)
    """Time between two checks."""
    timeout: Duration = timedelta(seconds=5)
    """Time after which a check has failed."""
    retries: Annotated[
        int,
        BeforeValidator(lambda value: whole(value, "a number of retries (1-100)", 1, 100)),
        WithJsonSchema({"type": ["integer", "string"], "minimum": 1}),
    ] = 3
    """Failures in a row after which the replica is unhealthy."""
    start_period: Duration = timedelta(0)
    """Time after the start in which failures do not count."""
    command: HealthCommand = "auto"
    """The container's check: auto (wget, curl or python3 of the image), none, or a command."""
    grpc: Flag = False
    """Whether the service answers the gRPC health protocol on its port."""

    @model_validator(mode="after")
    def _has_something_to_ask(self) -> HealthCheck:
        if self.command == "auto" and self.path is None and not self.grpc:
            wrong("a health check needs a path, grpc: true, or a command")
        if self.command == "none" and self.path is None:
            wrong("command none needs a path, which the gateway asks")
        for key in ("interval", "timeout"):
            if getattr(self, key) < timedelta(milliseconds=1):
                wrong(f"{key} is shorter than 1ms")
        return self


class Sticky(Record):
    """A cookie that keeps a client on its replica."""

    name: CookieName
    """The cookie's name."""
    secure: Flag = False
    http_only: Flag = False
    same_site: (
        Annotated[
            Literal["none", "lax", "strict"],
            BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
        ]
        | None
    ) = None
    max_age: Annotated[
        int | None,
        BeforeValidator(lambda v: v if v is None else whole(v, "a number of seconds (from 0)", 0)),
        WithJsonSchema({"type": ["integer", "string"]}),
    ] = None
    """Seconds; a session cookie when absent."""


class SecretMount(Record):
    """A secret as a file in the container."""

    name: Name
    """Name of the secret: its file is `.msctl/secrets/NAME`."""
    target: Text | None = None
    """Path in the container (`/run/secrets/NAME`)."""
    template: Text | None = None
    """Content of the file, with `{secret}` where the secret goes; default: the secret alone."""

    @model_validator(mode="after")
    def _template_uses_the_secret(self) -> SecretMount:
        if self.template is not None and "{secret}" not in self.template:
            wrong("a template holds {secret} where the secret goes")
        return self


class Rollout(Record):
    """How replicas are replaced."""

    surge: Surge = 1
    """Replicas more than wanted while replacing: a number, or percent of the replicas."""
    health_timeout: Duration = timedelta(seconds=60)
    """Time in which a new replica has to become healthy."""
    drain: ToCome = None
    order: Annotated[
        Literal["start-first", "stop-first"],
        BeforeValidator(lambda value: _order(value)),
        WithJsonSchema({"enum": ["start-first", "stop-first"]}),
    ] = "start-first"
    """Whether the new replica starts before the old one stops."""


def _order(value: object) -> object:
    if value not in ("start-first", "stop-first"):
        wrong(f"{shown(value)} is not an order (start-first or stop-first)")
    return value


def _map_or_text(value: object) -> object:
    if isinstance(value, dict):
        return value
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else value


MountOrPort = Annotated[
    str | dict[str, Any],
    BeforeValidator(_map_or_text),
    WithJsonSchema({"type": ["string", "integer", "object"]}),
]


class Service(Record):
    """One service of the stack."""

    image: Image
    """Image reference."""
    build: BuildField | None = None
    """How to build the image where it is neither present nor to be pulled."""
    command: Command | None = None
    entrypoint: Command | None = None
    env: Environment = {}
    """Environment variables."""
    env_file: Annotated[tuple[Text, ...], BeforeValidator(one_or_many)] = ()
    """Files of environment variables; `env` wins."""
    ports: Annotated[tuple[MountOrPort, ...], BeforeValidator(one_or_many)] = ()
    """Published ports, as in Compose. A fixed host port allows one replica."""
    volumes: Annotated[tuple[MountOrPort, ...], BeforeValidator(one_or_many)] = ()
    """Volumes and bind mounts, as in Compose."""
    labels: Labels = {}
    restart: Annotated[
        str,
        BeforeValidator(lambda value: _restart(value)),
        WithJsonSchema({"type": ["string", "boolean"]}),
    ] = "unless-stopped"
    """no, always, unless-stopped, on-failure or on-failure:N."""
    stop_grace: Duration = timedelta(seconds=10)
    """Time between SIGTERM and SIGKILL."""
    networks: Annotated[tuple[Name, ...], BeforeValidator(one_or_many)] = ()
    """Networks of the stack; default: its first one."""
    secrets: Annotated[
        tuple[Annotated[SecretMount, _short("name", SecretMount)], ...],
        BeforeValidator(one_or_many),
    ] = ()
    """Secrets, mounted as files."""
    port: Port | None = None
    """The container's port that routes lead to."""
    routes: Annotated[
        tuple[Annotated[Route, _short("path", Route)], ...], BeforeValidator(one_or_many)
    ] = ()
    """What the gateway leads here; none: internal."""
    replicas: Annotated[Replicas, _short("initial", Replicas)] = Replicas()
    """How many replicas."""
    resources: Resources = Resources()
    """Limits and reservations of each replica."""
    health: HealthCheck | None = None
    """Health check of the gateway and of the engine."""
    sticky: Annotated[Sticky, _short("name", Sticky)] | None = None
    """Cookie that keeps a client on its replica."""
    needs: Annotated[tuple[Name, ...], BeforeValidator(one_or_many)] = ()
    """Services that must be healthy first."""
    stateful: Flag = False
    """One replica, never scaled, replaced stop-first."""
    job: Flag = False
    """Runs once to success before what needs it."""
    optional: Flag = False
    """May be left out when its image cannot be had."""
    rollout: Rollout = Rollout()
    """How replicas are replaced."""
    rate_limit: ToCome = None
    in_flight: ToCome = None
    headers: ToCome = None
    ip_allow: ToCome = None
    basic_auth: ToCome = None
    body_limit: ToCome = None
    retry: ToCome = None
    autoscale: ToCome = None
    kubernetes: ToCome = None

    @property
    def kind(self) -> Literal["routed", "internal", "stateful", "job"]:
        if self.job:
            return "job"
        if self.stateful:
            return "stateful"
        return "routed" if self.routes else "internal"


def _restart(value: object) -> object:
    if value is False:
        return "no"
    rule = r"no|always|unless-stopped|on-failure(:[1-9]\d*)?"
    if not isinstance(value, str) or not re.fullmatch(rule, value):
        wrong(
            f"{shown(value)} is not a restart policy "
            "(no, always, unless-stopped, on-failure, on-failure:N)"
        )
    return value


class Stack(Record):
    """A whole stack file."""

    name: Annotated[
        str,
        Field(pattern=r"^[a-z0-9][a-z0-9_-]*$"),
    ]
    """Project name."""
    metrics: ToCome = None
    networks: Annotated[tuple[Name, ...], BeforeValidator(one_or_many)] = ("backend",)
    """Networks of the stack; the engine's names are PROJECT_NAME."""
    gateway: Gateway = Gateway()
    """Traefik; rendered only when some service has routes."""
    services: Mapping[str, Service]
    """The services, by name."""
    autoscaler: ToCome = None

    @property
    def routed(self) -> bool:
        """Whether the stack has a gateway."""
        return any(service.routes for service in self.services.values())

    def networks_of(self, service: Service) -> tuple[str, ...]:
        """The service's networks; the first is the one that the gateway reaches it by."""
        return service.networks or self.networks[:1]
