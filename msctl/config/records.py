"""Pydantic's findings → problems that speak of keys and values."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from msctl.config.problems import MOST_PROBLEMS, Path, Problem
from msctl.config.yamltext import Document
from msctl.fields import shown
from msctl.model import Build, Record, Service, Stack
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


def problems_of(
    error: ValidationError, record: type[Record], at: Path, document: Document
) -> Iterator[Problem]:
    """Each finding, with the path and line of the key or value that it is about."""
    for found in islice(error.errors(include_url=False), MOST_PROBLEMS):
        loc = found["loc"]
        path = (*at, *loc)
        match found["type"]:
            case "extra_forbidden":
                message = _unknown_key(str(loc[-1]), _record_at(record, loc[:-1]))
                line = document.problem(path, "").line
                yield Problem(line, document.place(path[:-1]), message)
            case "missing":
                lacking = (_record_at(record, loc[:-1]), str(loc[-1]))
                message = _MISSING.get(lacking, f"{loc[-1]} is missing")
                yield document.problem(path[:-1], message)
            case _:
                yield document.problem(path, _message(found))


def keys_of(record: type[Record]) -> list[str]:
    """The keys of a record."""
    return [field.alias or key for key, field in record.model_fields.items()]


def _message(found: ErrorDetails) -> str:
    if found["type"] == "msctl":
        return found["msg"]
    # The model's own checks come before pydantic's; this is for a type that they leave through.
    return f"{shown(found['input'])} is not accepted here"


def _unknown_key(key: str, record: type[Record]) -> str:
    quoted = f"'{key}'" if key.isprintable() and len(key) < 60 else shown(key)
    advice = _COMPOSE_KEYS.get(record, {}).get(key)
    return f"unknown key {quoted}" + (
        f"; {advice}" if advice else did_you_mean(key, keys_of(record))
    )


def _record_at(record: type[Record], loc: Path) -> type[Record]:
    """The record that a location leads to."""
    for part in loc:
        if isinstance(part, str):
            record = _record_in(record.model_fields[part].annotation) or record
    return record


def _record_in(annotation: Any) -> type[Record] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation if issubclass(annotation, Record) else None
    return next(filter(None, map(_record_in, get_args(annotation))), None)
