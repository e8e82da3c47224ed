"""One service of the stack."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from msctl.fields import (
    Command,
    Duration,
    Environment,
    FilePath,
    Flag,
    Image,
    Labels,
    Name,
    Port,
    names,
    one_or_many,
    shown,
    wrong,
)
from msctl.model.build import BuildField
from msctl.model.capacity import Autoscale, Replicas, Resources
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
from msctl.model.entries import MountEntry, PortEntry
from msctl.model.forms import short
from msctl.model.health import HealthCheck
from msctl.model.kubernetes import KubernetesService
from msctl.model.middlewares import (
    BasicAuthField,
    BodyLimitField,
    Headers,
    HeadersField,
    InFlightField,
    IpAllowField,
    RateLimitField,
    Retry,
    RetryField,
)
from msctl.model.passthrough import ServicePassthrough
from msctl.model.rollout import Rollout
from msctl.model.routes import Route, Sticky
from msctl.model.secrets import SecretMount
from msctl.records import Check, Record, Schema, key


class Service(Record):
    """One service of the stack."""

    image: Image
    """Image reference."""
    build: BuildField | None = None
    """How to build the image where it is neither present nor to be pulled."""
    command: Command | None = None
    entrypoint: Command | None = None
    env: Environment = key(factory=dict)
    """Environment variables."""
    env_file: Annotated[tuple[FilePath, ...], Check(one_or_many)] = ()
    """Files of environment variables; `env` wins."""
    ports: Annotated[tuple[PortEntry, ...], Check(one_or_many)] = ()
    """Published ports, as in Compose. A fixed host port allows one replica."""
    volumes: Annotated[tuple[MountEntry, ...], Check(one_or_many)] = ()
    """Volumes and bind mounts, as in Compose."""
    labels: Labels = key(factory=dict)
    restart: Annotated[
        str,
        Check(lambda value: _restart(value)),
        Schema({"type": ["string", "boolean"]}),
    ] = "unless-stopped"
    """no, always, unless-stopped, on-failure or on-failure:N."""
    stop_grace: Duration = timedelta(seconds=10)
    """Time between SIGTERM and SIGKILL."""
    networks: Annotated[tuple[Name, ...], Check(names)] = ()
    """Networks of the stack; default: its first one."""
    secrets: Annotated[
        tuple[Annotated[SecretMount, short("name", SecretMount)], ...],
        Check(one_or_many),
    ] = ()
    """Secrets, mounted as files."""
    port: Port | None = None
    """The container's port that routes lead to."""
    routes: Annotated[tuple[Annotated[Route, short("path", Route)], ...], Check(one_or_many)] = ()
    """What the gateway leads here; none: internal."""
    replicas: Annotated[Replicas, short("initial", Replicas, int | str)] = Replicas()
    """How many replicas."""
    resources: Resources = Resources()
    """Limits and reservations of each replica."""
    health: HealthCheck | None = None
    """Health check of the gateway and of the engine."""
    sticky: Annotated[Sticky, short("name", Sticky)] | None = None
    """Cookie that keeps a client on its replica."""
    needs: Annotated[tuple[Name, ...], Check(names)] = ()
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
    rate_limit: RateLimitField = None
    """Requests that each client address may send, per second; off, a number, or more. This and the
    following keys hold for each route that has not its own."""
    in_flight: InFlightField = None
    """Requests that each client address may have open."""
    headers: HeadersField = Headers()
    """Security headers of the answers; on, off, or which."""
    ip_allow: IpAllowField = None
    """Addresses and ranges of clients that may come; others get 403."""
    basic_auth: BasicAuthField = None
    """Users that may come; the password of each is the secret `@USER`."""
    body_limit: BodyLimitField = None
    """Size of the largest request body; a larger one gets 413."""
    retry: RetryField = Retry()
    """How often a request is sent that could not be sent."""
    user: User | None = None
    """User of the container's processes; default: the image's."""
    read_only: Flag = False
    """Whether the container cannot change its image's files; volumes and tmpfs it can."""
    tmpfs: Tmpfs = ()
    """Folders in memory, as in Compose."""
    cap_add: Capabilities = ()
    """Capabilities besides the default ones (CHOWN, DAC_OVERRIDE, FOWNER, KILL, NET_BIND_SERVICE,
    SETGID, SETUID); with cap_drop given, all that there are."""
    cap_drop: Capabilities = ("ALL",)
    """Capabilities that are taken away; [] leaves the engine's."""
    security_opt: SecurityOptions = (NO_NEW_PRIVILEGES,)
    """Security options, as in Compose; [] for none."""
    pids_limit: PidsLimit = PIDS_LIMIT
    """Processes and threads at the most, or off."""
    logging: LoggingField = LOGGING
    """Logging driver and options, as in Compose; off leaves the engine's."""
    passthrough: ServicePassthrough = key(factory=dict, alias="x-compose")
    """Keys of Compose that the stack file has none of its own for, as `msctl import` keeps them."""
    kubernetes: KubernetesService = KubernetesService()
    """Where it differs on Kubernetes."""

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
