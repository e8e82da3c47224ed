"""Plans as they print."""

from __future__ import annotations

from textwrap import dedent

from memory.engine import MemoryEngine
from memory.runs import finish, read_through
from memory.stacks import images_of
from memory.world import World
from msctl.model import Stack
from msctl.plan import Plan
from msctl.request import Request


def lines(text: str) -> str:
    """An expected plan, as it stands indented in a test."""
    return dedent(text).strip()


def running(stack: Stack, world: World | None = None) -> World:
    """A machine on which the stack is up, and everything it says was done."""
    world = (world or World()).have(*images_of(stack))
    finish(MemoryEngine(world, stack))
    return world


def planned(world: World, stack: Stack, request: Request | None = None) -> Plan:
    """What a request would do now; images are provided, nothing else is done."""
    return read_through(MemoryEngine(world, stack), request)
