"""What `autoscale` asks of the rest of its service: bounds, resources, routes. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msctl.config.problems import Path
from msctl.fields.ports import parse_port

if TYPE_CHECKING:
    from msctl.model import Service

Found = Iterator[tuple[Path, str]]


def problems(service: Service) -> Found:
    """What keeps a service from being scaled as its `autoscale` says."""
    if service.autoscale is None:
        return
    if service.stateful:
        yield ("autoscale",), "a stateful service has one replica and is not scaled"
    elif service.job:
        yield ("autoscale",), "a job runs once and is not scaled"
    else:
        yield from _bounds(service)
        yield from _host_ports(service)
    yield from _processors(service)
    yield from _traffic(service)


def _bounds(service: Service) -> Found:
    wanted, bounds = service.autoscale, service.replicas
    assert wanted is not None
    low = bounds.min if wanted.min is None else wanted.min
    high = bounds.max if wanted.max is None else wanted.max
    within = f"outside replicas ({bounds.min} to {bounds.max})"
    for key, value in (("min", wanted.min), ("max", wanted.max)):
        if value is not None and not bounds.min <= value <= bounds.max:
            yield ("autoscale", key), f"{value} is {within}; change one of them"
    if bounds.min <= low <= bounds.max and bounds.min <= high <= bounds.max and low > high:
        given = "min" if wanted.min is not None else "max"
        yield ("autoscale", given), f"min {low} is more than max {high}"


def _host_ports(service: Service) -> Found:
    """`replicas.max` counts for host ports only where it is written; here it is meant."""
    assert service.autoscale is not None
    most = service.autoscale.max or service.replicas.max
    if "max" in service.replicas.given or most == 1:
        return
    for index, entry in enumerate(service.ports):
        port = parse_port(entry)
        if port.published is None:
            continue
        room = 1 if port.fixed else len(port.published)
        if room < most:
            message = (
                f"ports[{index}] has room for {room} on the host, and max is {most}; "
                "write the container's port alone, or a longer range"
            )
            yield ("autoscale",), message
            return


def _processors(service: Service) -> Found:
    """A target that no replica can exceed by more than the tolerance would never scale up."""
    assert service.autoscale is not None
    target = service.autoscale.cpu
    if target is None:
        return
    limit, reserved = service.resources.cpus, service.resources.reserve.cpus
    base = reserved if reserved is not None else limit
    if base is None:
        message = (
            "a CPU target is a share of what a replica may take; "
            "add resources.reserve.cpus or resources.cpus"
        )
        yield ("autoscale", "cpu"), message
        return
    from msctl.autoscale.policy import (
        TOLERANCE,
    )  # only where it is asked for: it takes others along

    most = None if limit is None else int(100 * limit / base / (1 + TOLERANCE) + 1e-9)
    if most is not None and target > most:
        of = "limit" if reserved is None else f"reservation of {base:g}"
        message = (
            f"{target:g}% of the {of} can never be exceeded under the limit of {limit:g}, "
            f"so that it would never scale up; at most {most}%"
        )
        yield ("autoscale", "cpu"), message


def _traffic(service: Service) -> Found:
    assert service.autoscale is not None
    for key in ("rps", "latency_p95"):
        if getattr(service.autoscale, key) is not None and not service.routes:
            message = f"{key} needs routes; only requests through the gateway are counted"
            yield ("autoscale", key), message
