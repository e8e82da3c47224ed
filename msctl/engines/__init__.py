"""Engines that run a stack, by the name that `--engine` takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from msctl.errors import UsageProblem
from msctl.model import Stack
from msctl.variables import CONTEXT, NAMESPACE

if TYPE_CHECKING:
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine

ENGINES: Mapping[str, str] = {
    "compose": "msctl.engines.compose.engine",
    "kubernetes": "msctl.engines.kubernetes.engine",
}
"""Module of each engine; it is imported when it is used, and has a function `connect`."""
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "kubernetes": {"context": CONTEXT, "namespace": NAMESPACE}
}
"""The global options that only one engine takes, and the variable that stands for each."""


def with_options(
    name: str, environ: Mapping[str, str], given: Mapping[str, str | None]
) -> Mapping[str, str]:
    """The environment, with the options of one engine in it.

    Raises:
        UsageProblem: the engine has no such option.
    """
    found = dict(environ)
    for option, value in given.items():
        if value is None:
            continue
        takers = [engine for engine, options in OPTIONS.items() if option in options]
        if name not in takers:
            raise UsageProblem(f"--{option} is an option of --engine {' and '.join(takers)}")
        found[OPTIONS[name][option]] = value
    return found


def home(name: str, stack: Stack, environ: Mapping[str, str]) -> str | None:
    """The namespace that a stack has at an engine; None where there are no namespaces."""
    variable = OPTIONS.get(name, {}).get("namespace")
    if variable is None:
        return None
    from msctl.render.kubernetes.names import namespace_of

    return namespace_of(stack, environ.get(variable))


def forward(name: str, stack: Stack, environ: Mapping[str, str]) -> str | None:
    """The command that brings a port of a stack to this machine, with `{service}` and `{port}`, as
    far as it is known without the engine; None where that publishes ports."""
    namespace = home(name, stack, environ)
    if namespace is None:
        return None
    from msctl.engines.kubernetes.kubectl import port_forward

    return port_forward(environ.get(OPTIONS[name]["context"]), namespace)


def connect(
    name: str,
    loaded: LoadedStack,
    environ: Mapping[str, str],
    warn: Callable[[str], None] = lambda _: None,
) -> Engine:
    """The engine of that name, for one stack. `warn` is told when it is late, or may be another
    than the one that was meant.

    Raises:
        UsageProblem: there is no such engine.
        EngineUnreachable: it does not answer.
    """
    if name not in ENGINES:
        raise UsageProblem(f"--engine: {name} is not an engine ({', '.join(ENGINES)})")
    engine: Engine = import_module(ENGINES[name]).connect(loaded, environ, warn)
    return engine
