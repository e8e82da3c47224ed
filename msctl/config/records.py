"""What is found in a value → problems that speak of the file's keys and lines."""

from __future__ import annotations

from collections.abc import Iterator

from msctl.config.problems import MOST_PROBLEMS, Path, Problem
from msctl.config.yamltext import Document
from msctl.fields import shown
from msctl.model import Build, Service, Stack
from msctl.records import Finding, Record, Unfit
from msctl.spelling import did_you_mean

_COMPOSE_KEYS: dict[type[Record], dict[str, str]] = {
    Service: {
        "environment": "use env",
        "depends_on": "use needs",
        "healthcheck": "use health",
        "deploy": "use replicas, resources and rollout",
        "scale": "use replicas",
        "expose": "use port",
        "stop_grace_period": "use stop_grace",
        "cpus": "use resources.cpus",
        "mem_limit": "use resources.memory",
        "mem_reservation": "use resources.reserve.memory",
        "container_name": "remove it; containers are named PROJECT-SERVICE-NUMBER",
    },
    Stack: {
        "version": "remove it",
        "volumes": "remove it; volumes that services mount need no more",
        "secrets": "remove it; name secrets in the services that mount them",
    },
}
_MISSING: dict[tuple[type[Record], str], str] = {
    (Stack, "name"): "name is missing; add one, such as name: shop",
    (Build, "context"): "context, the folder with the Dockerfile, is missing",
}


def problems_of(error: Unfit, at: Path, document: Document) -> Iterator[Problem]:
    """Each finding, with the path and line of the key or value that it is about."""
    for found in error.findings[:MOST_PROBLEMS]:
        path = (*at, *found.at)
        match found:
            case Finding(kind="unknown", message=key, record=record):
                line = document.problem(path, "").line
                yield Problem(line, document.place(path[:-1]), _unknown_key(key, record))
            case Finding(kind="missing", message=key, record=record):
                message = _MISSING.get((record, key), f"{key} is missing")
                yield document.problem(path[:-1], message)
            case _:
                yield document.problem(path, found.message)


def keys_of(record: type[Record]) -> list[str]:
    """The keys of a record."""
    return [key.name for key in record.keys.values() if key.of_file]


def _unknown_key(key: str, record: type[Record]) -> str:
    quoted = f"'{key}'" if key.isprintable() and len(key) < 60 else shown(key)
    advice = _COMPOSE_KEYS.get(record, {}).get(key)
    return f"unknown key {quoted}" + (
        f"; {advice}" if advice else did_you_mean(key, keys_of(record))
    )
