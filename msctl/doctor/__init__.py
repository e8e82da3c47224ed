"""What is wrong with this machine or stack, and how to mend it: one finding a line.

The judgement is here, on facts that are handed in; `msctl.cli.commands.doctor` gathers them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from msctl.assessment import Status
from msctl.assessment.problem import folded
from msctl.errors import MsctlError
from msctl.model import AUTOSCALER, AUTOSCALER_PROXY, GATEWAY, SOCKET_PROXY, Stack
from msctl.plan import Step
from msctl.render.socketproxy import IMAGE, image_of, own_names
from msctl.shellwords import quoted
from msctl.state import PODMAN, Certificate, EngineInfo, StackState, parse_time
from msctl.words import plural

QUICK_CHECKS_API = (1, 44)
"""First API with a shorter health-check interval during the start (Docker 25)."""
SAME_HASHES = (5, 5)
"""First Docker Compose whose configuration hashes are msctl's."""
_MIB = 1024**2
LOW_DISK, NO_DISK = 2048 * _MIB, 256 * _MIB
_HOST = r"""(?<!\S)(?:-h|--host)[ =]?+["']?+"""
_BY_NETWORK = {
    "pg_isready": re.compile(_HOST + r"[^\s/-]"),
    "mysqladmin": re.compile(_HOST + r"(?!localhost\b)[^\s-]|--protocol[ =]tcp", re.IGNORECASE),
}
"""Words with which a database's client does not go by its socket, as MySQL's does to localhost."""
_CLIENT = re.compile(r"\b(pg_isready|mysqladmin|mariadb-admin)\b(.*)")
SKEW = timedelta(seconds=5)
"""Difference of clocks that is not worth a word."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    area: str
    status: Literal["ok", "warn", "fail"]
    message: str
    hint: str | None = None


def failure(area: str, error: MsctlError) -> Finding:
    """An error, as a finding; that the doctor tells more is not for the doctor to say."""
    hint = error.hint and error.hint.removesuffix("; msctl doctor tells more")
    return Finding(area, "fail", error.message, hint)


def of_engine(info: EngineInfo) -> Finding:
    """What answered, and how its age shows."""
    api = ".".join(map(str, info.api))
    message = f"{info.product} {info.version} at {info.address}"
    if not info.memory:
        return Finding("engine", "ok", message)  # a cluster, whose nodes are its own affair
    message += f" (API {api}), {info.cpus} CPUs, {info.memory / 1024**3:.1f} GiB"
    if info.product != PODMAN and info.api < QUICK_CHECKS_API:
        message += "; before Docker 25 a first health check comes after a whole `interval`"
    return Finding("engine", "ok", message)


def of_limits(info: EngineInfo) -> Iterator[Finding]:
    """Whether limits of the stack file hold."""
    if not info.limits:
        message = "this engine limits no CPU, memory and processes, and does not measure them"
        hint = "a rootless engine does under control groups version 2, with systemd"
        yield Finding("limits", "warn", message, hint)


def of_compose(version: str | None) -> Finding:
    """Docker Compose beside msctl; None: not installed."""
    area = "compose"
    if version is None:
        return Finding(area, "ok", "docker compose is not installed; msctl does not need it")
    found = re.match(r"v?(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < SAME_HASHES:
        message = f"docker compose {version}: its `up` may recreate what msctl has made"
        return Finding(area, "warn", message, "update it to 5.5 or newer, or use msctl up")
    return Finding(area, "ok", f"docker compose {version} knows msctl's containers as its own")


def of_checks(stack: Stack) -> Iterator[Finding]:
    """Health checks of databases that pass while one still sets itself up: it listens on its socket
    then, and starts once more."""
    needed = {need for service in stack.services.values() for need in service.needs}
    for name, service in stack.services.items():
        command = service.health and service.health.command
        if name not in needed or not isinstance(command, tuple):
            continue
        asked = _CLIENT.search(" ".join(command))
        if asked is None or service.env.get("PGHOST"):
            continue
        client = asked[1].replace("mariadb-", "mysql")
        if not _BY_NETWORK[client].search(asked[2]):
            message = (
                f"services.{name}.health.command: {asked[1]} asks the database's socket, where it "
                "answers while it sets itself up; what needs it may start too soon"
            )
            yield Finding("health", "warn", message, "add to it: -h 127.0.0.1")


def of_memory(stack: Stack, info: EngineInfo) -> Iterator[Finding]:
    """Whether the machine has what the stack reserves."""
    wanted = sum(
        (service.resources.reserve.memory or 0) * service.replicas.initial
        for service in stack.services.values()
    )
    if not wanted:
        return
    message = f"the stack reserves {wanted / 1024**3:.1f} of {info.memory / 1024**3:.1f} GiB"
    if wanted <= info.memory:
        yield Finding("memory", "ok", message)
    else:
        hint = "lower resources.reserve.memory or replicas in the stack file"
        yield Finding("memory", "warn", message, hint)


def of_disk(path: str, free: int) -> Finding:
    """Bytes that are left where the engine keeps its images and volumes."""
    message = f"{free / 1024**3:.1f} GiB free in {path}"
    if free >= LOW_DISK:
        return Finding("disk", "ok", message)
    hint = "docker system df shows what takes it, docker system prune frees what nobody uses"
    return Finding("disk", "fail" if free < NO_DISK else "warn", message, hint)


def of_images(stack: Stack, state: StackState, again: Callable[[str], str]) -> Iterator[Finding]:
    """Which images are there, stand-ins, or still to be had."""
    wanted = {service.image: name for name, service in stack.services.items()}
    if stack.routed:
        wanted[stack.gateway.image] = GATEWAY
    if image := image_of(stack):
        wanted[image] = SOCKET_PROXY
    if AUTOSCALER in own_names(stack) and stack.operator is not None:
        wanted |= {stack.operator.image: AUTOSCALER, IMAGE: AUTOSCALER_PROXY}
    present = [image for image in wanted if image in state.images]
    stand_ins = [image for image in present if state.images[image].stand_in]
    message = f"{len(present)} of {len(wanted)} images are there"
    if stand_ins:
        message += f"; stand-ins, built in place of the official ones: {len(stand_ins)}"
    hint = again("up --pull") + " replaces stand-ins" if stand_ins else None
    yield Finding("images", "ok", message, hint)
    for image, name in wanted.items():
        if image in state.images:
            continue
        service = stack.services.get(name)
        build = stack.gateway.build if service is None else service.build
        if build is not None or image == IMAGE or name == AUTOSCALER:
            yield Finding("images", "ok", f"{image} is not there; `up` pulls or builds it")
        elif service is not None and service.optional:
            message = f"{image} is not there; {name} is left out where it cannot be pulled"
            yield Finding("images", "ok", message)
        else:
            message = f"{image} is not there, and {name} has no build: `up` has to pull it"
            yield Finding("images", "warn", message)


def of_secrets(folder: str, mode: int | None, owned: bool) -> Finding:
    """The folder of secrets; `mode` is its permission bits, None where there is no folder."""
    area = "secrets"
    if mode is None:
        return Finding(area, "ok", f"{folder} is not there yet; `up` makes it when it is needed")
    if not owned:
        hint = f"run msctl as its owner, or: sudo chown -R $USER {quoted(folder)}"
        return Finding(area, "warn", f"{folder} belongs to another user", hint)
    if mode & 0o077:
        message = f"{folder} can be entered by other users (mode {mode:04o})"
        return Finding(area, "fail", message, f"chmod 700 {quoted(folder)}")
    return Finding(area, "ok", f"{folder} is closed to other users")


def of_certificate(
    stack: Stack, authority: str | None, shown: Certificate | None, now: datetime
) -> Finding:
    """The certificate that the gateway shows, and how one trusts it.

    `authority`: path of the stack's own authority's certificate; None where it was not made.
    """
    area, mode = "tls", stack.gateway.tls.mode
    expires = shown.expires if shown else None
    if shown is not None and (shown.expired or (expires is not None and expires <= now)):
        return Finding(area, "fail", "the gateway's certificate has ended", _RENEWAL[mode])
    ends = f", until {expires:%Y-%m-%d}" if expires else ""
    if mode == "files":
        return Finding(area, "ok", f"the certificate is {stack.gateway.tls.cert}{ends}")
    if mode == "acme":
        server = "its server for trials" if stack.gateway.tls.staging else "Let's Encrypt"
        return Finding(area, "ok", f"the certificate comes from {server}{ends}")
    if authority is None:
        message = "the stack's own authority is not made yet; the first `up` makes it"
        return Finding(area, "ok", message)
    message = f"the certificate is signed by the stack's own authority, {authority}{ends}"
    name = f"msctl-{stack.name}.crt"
    authority = quoted(authority)
    hint = (
        f"to trust it: curl --cacert {authority}\n"
        f"for this whole machine: sudo cp {authority} /usr/local/share/ca-certificates/{name} && "
        "sudo update-ca-certificates\n"
        "for a browser: add the file to its authorities"
    )
    return Finding(area, "ok", message, hint)


_RENEWAL = {
    "self-signed": "msctl up makes a new one",
    "files": "put a new one in its place, then msctl up",
    "acme": "msctl logs traefik tells why it was not renewed",
}


def of_dashboard(stack: Stack) -> Finding | None:
    """A dashboard that is published to others without a password; None where all is well."""
    published = stack.gateway.dashboard
    host = (published or "").rpartition(":")[0]
    if published is None or host.startswith("127.") or host == "[::1]":
        return None
    message = f"dashboard and API of the gateway are open to whoever reaches {published}"
    hint = (
        "set gateway.dashboard to 127.0.0.1:PORT, and gateway.dashboard_host for a way in "
        "by password"
    )
    return Finding("dashboard", "warn", message, hint)


def of_clock(state: StackState, now: datetime) -> Finding:
    """The engine's clock against this machine's, as far as its containers' starts tell."""
    ahead = timedelta(0)
    for replica in state.containers:
        started = parse_time(replica.detail.started_at) if replica.detail else None
        ahead = max(ahead, (started or now) - now)
    if ahead <= SKEW:
        return Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC")
    message = f"the engine's clock is {ahead.total_seconds():.0f} s ahead of this machine's"
    hint = "set both by NTP: certificates, health and autoscaling go by the clock"
    return Finding("clock", "warn", message, hint)


def of_plan(steps: Sequence[Step]) -> Finding:
    """What `up` would do, and to which services; what is the stack's goes without a name."""
    if not steps:
        return Finding("up", "ok", "`up` has nothing to do")
    names = ", ".join(dict.fromkeys(step.service for step in steps if step.service))
    count = plural(len(steps), "step")
    return Finding("up", "ok", f"`up` would take {count}" + (f", for {names}" if names else ""))


def of_status(status: Status) -> Iterator[Finding]:
    """What `status` complains about."""
    words: Mapping[str, Literal["warn", "fail"]] = {"error": "fail", "warning": "warn"}
    found = [problem for problem in status.problems if problem.severity in words]
    if not any(service.replicas for service in status.services):
        yield Finding("stack", "ok", f"{status.project} is not up")
        return
    for problem in folded(found):
        yield Finding("stack", words[problem.severity], problem.message, problem.hint)
    if not found:
        yield Finding("stack", "ok", f"every replica of {status.project} is as it should be")


def published(stack: Stack) -> list[str]:
    """The host's ports that the stack publishes, as the file gives them."""
    gateway = stack.gateway
    of_gateway = (gateway.http, gateway.https if gateway.tls_on else None, gateway.dashboard)
    found = [port for port in of_gateway if port] if stack.routed else []
    return found + [str(p) for s in stack.services.values() for p in s.ports]
