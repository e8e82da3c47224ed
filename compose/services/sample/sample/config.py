"""Settings, all from the environment.

What it plays
    SERVICE_NAME            name in answers and logs ("sample")
    PORT                    port to listen on (8080)
    PROTOCOL                http, or grpc: only a gRPC server with grpc.health.v1 (http)
    KIND                    api, or frontend: an HTML page for browsers on every path (api)
    CORS_ORIGINS            origins that may call it, with commas, or * (none)
    SESSION_COOKIE          cookie of the session counter ({SERVICE_NAME}_app)
    GATEWAY_URL             forward /api and /ws to this base URL (answer them itself)
    ACCESS_LOG              on or off: a line for each request but health checks (on)
    GRACE                   seconds that requests in flight get after SIGTERM (30)

What it depends on: connections are real and held open, and `/health` reports them
    DATABASE                postgresql://user@host:5432/name, its password in DATABASE_PASSWORD_FILE
    MONGO_URL               mongodb://user@host:27017/name, its password in MONGO_PASSWORD_FILE
    RABBITMQ_URL            amqp://user@host:5672/, its password in RABBITMQ_PASSWORD_FILE
    METADATA_GRPC           host:port of a service with grpc.health.v1
    CHECK_INTERVAL          seconds between two checks of a dependency (5)

How it misbehaves, for tests
    MISBEHAVE               switches with commas, such as health-fail,latency=250; all of them are
                            in `misbehaviour`
    MISBEHAVE_API           who may POST /_misbehave: direct (only callers that reach this replica
                            without a proxy), any, or off (direct)
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from .misbehaviour import Misbehaviour


class SettingError(Exception):
    """A setting whose value cannot be used; the message names it and what is allowed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The URL of a dependency and, optionally, the file that holds its password."""

    url: str
    password_file: Path | None = None

    def with_password(self) -> str:
        """The URL with the password in it; the file is read anew each time, so it may change.

        Raises OSError when the file cannot be read.
        """
        if self.password_file is None:
            return self.url
        parts = urlsplit(self.url)
        user = (parts.username or "").strip()
        host = parts.netloc.rpartition("@")[2]
        password = quote(self.password_file.read_text().strip(), safe="")
        return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment says, checked."""

    name: str
    replica: str
    port: int
    protocol: str
    kind: str
    cors_origins: frozenset[str]
    session_cookie: str
    gateway_url: str | None
    access_log: bool
    grace: float
    database: Endpoint | None
    mongo: Endpoint | None
    rabbitmq: Endpoint | None
    metadata_grpc: str | None
    check_interval: float
    misbehaviour: Misbehaviour
    misbehave_api: str


def read(env: Mapping[str, str]) -> Settings:
    """Settings from environment variables; an empty variable counts as unset.

    Raises SettingError for the first value that cannot be used.
    """
    env = {key: value for key, value in env.items() if value}
    try:
        misbehaviour = Misbehaviour.parse(env.get("MISBEHAVE", ""))
    except ValueError as error:
        raise SettingError(f"MISBEHAVE: {error}") from None
    gateway = env.get("GATEWAY_URL", "").rstrip("/") or None
    if gateway and urlsplit(gateway).scheme not in ("http", "https"):
        raise SettingError(f"GATEWAY_URL: {gateway!r} is not an http:// or https:// URL")
    name = env.get("SERVICE_NAME", "sample")
    return Settings(
        name=name,
        replica=socket.gethostname(),
        port=int(_number(env, "PORT", 8080, 1, 65535)),
        protocol=_choice(env, "PROTOCOL", "http", "grpc"),
        kind=_choice(env, "KIND", "api", "frontend"),
        cors_origins=frozenset(
            origin.strip().rstrip("/") for origin in env.get("CORS_ORIGINS", "").split(",")
        )
        - {""},
        session_cookie=env.get("SESSION_COOKIE", f"{name}_app"),
        gateway_url=gateway,
        access_log=_choice(env, "ACCESS_LOG", "on", "off") == "on",
        grace=_number(env, "GRACE", 30, 0, 3600),
        database=_endpoint(env, "DATABASE", ("postgresql", "postgres")),
        mongo=_endpoint(env, "MONGO_URL", ("mongodb", "mongodb+srv"), "MONGO_PASSWORD_FILE"),
        rabbitmq=_endpoint(env, "RABBITMQ_URL", ("amqp", "amqps"), "RABBITMQ_PASSWORD_FILE"),
        metadata_grpc=env.get("METADATA_GRPC"),
        check_interval=_number(env, "CHECK_INTERVAL", 5, 0.1, 3600),
        misbehaviour=misbehaviour,
        misbehave_api=_choice(env, "MISBEHAVE_API", "direct", "any", "off"),
    )


def _choice(env: Mapping[str, str], key: str, default: str, *others: str) -> str:
    value = env.get(key, default)
    if value not in (default, *others):
        raise SettingError(f"{key}: {value!r} is not {' or '.join((default, *others))}")
    return value


def _number(env: Mapping[str, str], key: str, default: float, low: float, high: float) -> float:
    text = env.get(key, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingError(f"{key}: {text!r} is not a number") from None
    if not low <= value <= high:
        raise SettingError(f"{key}: {text} is not within {low:g} and {high:g}")
    return value


def _endpoint(
    env: Mapping[str, str], key: str, schemes: tuple[str, ...], password_key: str | None = None
) -> Endpoint | None:
    url = env.get(key)
    if url is None:
        return None
    if urlsplit(url).scheme not in schemes:
        raise SettingError(f"{key}: {url!r} is not a {schemes[0]}:// URL")
    file = env.get(password_key or f"{key}_PASSWORD_FILE")
    return Endpoint(url, Path(file) if file else None)
