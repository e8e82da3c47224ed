"""The stack, as its file describes it: frozen records, checked one by one.

The documentation of a key is its field here; `msctl schema` prints it. What concerns several
records at once (routes of two services, `needs` in a circle) is in `msctl.config.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator
from pydantic.json_schema import WithJsonSchema

from msctl.fields import (
    Command,
    CookieName,
    Cpus,
    Duration,
    Environment,
    FilePath,
    Flag,
    HostName,
    HttpUrl,
    Image,
    Labels,
    Name,
    Percentage,
    Port,
    ProjectName,
    Publish,
    Rate,
    RoutePath,
    Size,
    Surge,
    Text,
    check_text,
    is_raw,
    names,
    one_or_many,
    show_duration,
    show_size,
    shown,
    whole,
    wrong,
)
from msctl.mounts import parse_mount
from msctl.ports import parse_port

GATEWAY = "traefik"
RESERVED_NAMES = (GATEWAY, "socket-proxy", "autoscaler")
DEFAULT_MAX_REPLICAS = 10
SMALLEST_MEMORY = 6 * 1024 * 1024


class Record(BaseModel):
    """A mapping of the stack file: frozen, unknown keys refused, `x-*` left to the user."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_extensions(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            first = next(iter(cls.model_fields))
            wrong(f"{shown(value)} is not a mapping of keys to values, such as {{{first}: …}}")
        return {key: item for key, item in value.items() if not str(key).startswith("x-")}


def _to_come(value: object) -> None:
    if value is not None:
        wrong("this key is not implemented in this version of msctl; remove it")


ToCome = Annotated[
    None, BeforeValidator(_to_come), WithJsonSchema({"not": {}, "description": "Not yet."})
]


def _short(key: str, record: type[Record], bare: Any = str) -> BeforeValidator:
    """The short form of a record: a bare value that stands for its key `key`."""

    def expand(value: object) -> object:
        return {key: value} if isinstance(value, str | int | float) else value

    return BeforeValidator(expand, json_schema_input_type=bare | record)


class Build(Record):
    """How to build an image."""

    context: FilePath
    """Folder with the sources, from the stack file's folder."""
    dockerfile: FilePath | None = None
    """File in the context (Dockerfile)."""
    args: Environment = {}
    """Build arguments."""


BuildField = Annotated[Build, _short("context", Build)]


class Tls(Record):
    """Certificates of the gateway's HTTPS entry point."""

    mode: Annotated[
        Literal["off", "self-signed"],
        BeforeValidator(lambda value: _tls_mode(value)),
        WithJsonSchema({"enum": ["off", False, "self-signed"]}),
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
        wrong(f"{shown(value)} is not a TLS mode (off or self-signed)")
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
        BeforeValidator(lambda v: v if v is None else _route_priority(v)),
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


def _route_priority(value: object) -> int:
    return whole(value, "a priority (1 to 1000000)", 1, 1_000_000)


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
        if self.min > self.max:
            wrong(f"min {self.min} is more than max {self.max}")
        if self.initial < self.min:
            wrong(f"initial {self.initial} is less than min {self.min}")
        if self.initial > self.max:
            wrong(
                f"initial {self.initial} is more than max {self.max}; "
                f"write {{initial: {self.initial}, max: {self.initial}}}"
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
        if self.memory is not None and self.memory < SMALLEST_MEMORY:
            wrong(f"memory {show_size(self.memory)} is less than the 6M that an engine accepts")
        return self


HealthCommand = Annotated[
    Literal["auto", "none"] | tuple[str, ...],
    BeforeValidator(lambda value: _health_command(value)),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["auto", "none"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]


def _health_command(value: object) -> object:
    if isinstance(value, list | tuple) and value:
        return tuple(check_text(word) for word in value)
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
            BeforeValidator(lambda value: _same_site(value)),
            WithJsonSchema({"enum": ["none", "lax", "strict"]}),
        ]
        | None
    ) = None
    max_age: Annotated[
        int | None,
        BeforeValidator(lambda v: v if v is None else _seconds(v)),
        WithJsonSchema({"type": ["integer", "string"]}),
    ] = None
    """Seconds; a session cookie when absent."""


def _seconds(value: object) -> int:
    return whole(value, "a number of seconds (0 to 2147483647)", 0, 2**31 - 1)


def _same_site(value: object) -> str:
    word = value.lower() if isinstance(value, str) else value
    if word not in ("none", "lax", "strict"):
        wrong(f"{shown(value)} is not none, lax or strict")
    return str(word)


_ABSOLUTE = {"type": "string", "pattern": "^/"}


def _absolute(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/[^\x00]+", value):
        wrong(f"{shown(value)} is not an absolute path of the container")
    return value


class SecretMount(Record):
    """A secret as a file in the container."""

    name: Name
    """Name of the secret: its file is `.msctl/secrets/NAME`."""
    target: (
        Annotated[str, BeforeValidator(lambda value: _absolute(value)), WithJsonSchema(_ABSOLUTE)]
        | None
    ) = None
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
    monitor: Duration = timedelta(seconds=2)
    """Time that a new replica has to stay healthy before it gets requests; Compose's word, from
    `deploy.update_config`."""
    drain: Duration = timedelta(seconds=10)
    """Time in which the requests inside a replica may end, before it is stopped."""
    order: Annotated[
        Literal["start-first", "stop-first"],
        BeforeValidator(lambda value: _order(value)),
        WithJsonSchema({"enum": ["start-first", "stop-first"]}),
    ] = "start-first"
    """Whether the new replica starts before the old one stops."""


class Autoscale(Record):
    """How many replicas the load asks for, by the rules of the Horizontal Pod Autoscaler."""

    min: Annotated[int, _count("a number of replicas (1-1000)"), _COUNT_SCHEMA] | None = None
    """Fewest replicas; default: `replicas.min`."""
    max: Annotated[int, _count("a number of replicas (1-1000)"), _COUNT_SCHEMA] | None = None
    """Most replicas; default: `replicas.max`."""
    cpu: Percentage | None = None
    """CPU of a replica, as a share of its reservation (`resources.reserve.cpus`), else of its
    limit (`resources.cpus`)."""
    rps: Rate | None = None
    """Requests a second for each replica."""
    latency_p95: Duration | None = None
    """Time within which 95 of 100 requests shall be answered."""
    interval: Duration = timedelta(seconds=15)
    """Time between two decisions."""
    stabilize_down: Duration = timedelta(seconds=300)
    """Time for which fewer replicas must have been enough before any goes."""

    @model_validator(mode="after")
    def _can_be_followed(self) -> Autoscale:
        if self.min is not None and self.max is not None and self.min > self.max:
            wrong(f"min {self.min} is more than max {self.max}")
        if self.cpu is None and self.rps is None and self.latency_p95 is None:
            wrong("no target is given; add at least one of cpu, rps and latency_p95")
        if self.latency_p95 is not None and self.latency_p95 < timedelta(milliseconds=1):
            wrong("latency_p95 is shorter than 1ms")
        if not timedelta(seconds=1) <= self.interval <= timedelta(hours=1):
            wrong(f"interval {show_duration(self.interval)} is not between 1s and 1h")
        if self.stabilize_down > timedelta(hours=1):
            wrong(f"stabilize_down {show_duration(self.stabilize_down)} is longer than 1h")
        return self


def _order(value: object) -> object:
    if value not in ("start-first", "stop-first"):
        wrong(f"{shown(value)} is not an order (start-first or stop-first)")
    return value


def _read_by(parse: Callable[[object], object]) -> BeforeValidator:
    """An entry of a list of Compose's, in its short or long form, which `parse` understands."""

    def check(value: object, info: ValidationInfo) -> object:
        texts = value.values() if isinstance(value, dict) else [value]
        if not any(is_raw(text, info) for text in texts):
            try:
                parse(value)
            except ValueError as error:
                wrong(str(error))
        return value if isinstance(value, dict) else check_text(value)

    return BeforeValidator(check)


PortEntry = Annotated[
    str | dict[str, Any],
    _read_by(parse_port),
    WithJsonSchema({"type": ["string", "integer", "object"]}),
]
MountEntry = Annotated[
    str | dict[str, Any],
    _read_by(parse_mount),
    WithJsonSchema({"type": ["string", "object"]}),
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
    env_file: Annotated[tuple[FilePath, ...], BeforeValidator(one_or_many)] = ()
    """Files of environment variables; `env` wins."""
    ports: Annotated[tuple[PortEntry, ...], BeforeValidator(one_or_many)] = ()
    """Published ports, as in Compose. A fixed host port allows one replica."""
    volumes: Annotated[tuple[MountEntry, ...], BeforeValidator(one_or_many)] = ()
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
    networks: Annotated[tuple[Name, ...], BeforeValidator(names)] = ()
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
    replicas: Annotated[Replicas, _short("initial", Replicas, int | str)] = Replicas()
    """How many replicas."""
    resources: Resources = Resources()
    """Limits and reservations of each replica."""
    health: HealthCheck | None = None
    """Health check of the gateway and of the engine."""
    sticky: Annotated[Sticky, _short("name", Sticky)] | None = None
    """Cookie that keeps a client on its replica."""
    needs: Annotated[tuple[Name, ...], BeforeValidator(names)] = ()
    """Services that must be healthy first."""
    stateful: Flag = False
    """One replica, never scaled, replaced stop-first."""
    job: Flag = False
    """Runs once to success before what needs it."""
    optional: Flag = False
    """May be left out when its image cannot be had."""
    rollout: Rollout = Rollout()
    """How replicas are replaced."""
    autoscale: Autoscale | None = None
    """How many replicas the load asks for; `msctl autoscale` follows it."""
    rate_limit: ToCome = None
    in_flight: ToCome = None
    headers: ToCome = None
    ip_allow: ToCome = None
    basic_auth: ToCome = None
    body_limit: ToCome = None
    retry: ToCome = None
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
    rule = r"no|always|unless-stopped|on-failure(:[1-9][0-9]{0,5})?"
    if not isinstance(value, str) or not re.fullmatch(rule, value):
        wrong(
            f"{shown(value)} is not a restart policy "
            "(no, always, unless-stopped, on-failure, on-failure:N)"
        )
    return value


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
    networks: Annotated[tuple[Name, ...], BeforeValidator(names)] = ("backend",)
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
