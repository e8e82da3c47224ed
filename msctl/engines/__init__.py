"""Engines that run a stack, by the name that `--engine` takes."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from msctl.config import LoadedStack
from msctl.engines.base import Engine
from msctl.errors import UsageProblem

ENGINES: Mapping[str, str] = {"compose": "msctl.engines.compose.engine"}
"""Module of each engine; it is imported when it is used, and has a function `connect`."""


def connect(name: str, loaded: LoadedStack, environ: Mapping[str, str]) -> Engine:
    """The engine of that name, for one stack.

    Raises:
        UsageProblem: there is no such engine.
        EngineUnreachable: it does not answer.
    """
    if name not in ENGINES:
        raise UsageProblem(f"--engine: {name} is not an engine ({', '.join(ENGINES)})")
    engine: Engine = import_module(ENGINES[name]).connect(loaded, environ)
    return engine
