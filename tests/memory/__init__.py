"""An engine over plain dictionaries and virtual time, for tests of everything above an engine.

`World` is the machine: it outlives engines, as a Docker engine outlives the commands that talk to
it. `MemoryEngine` is one command's connection to it.
"""

from memory.crowd import Crowd
from memory.engine import MemoryEngine
from memory.faults import Fault, Killed
from memory.machine import Behaviour, Container, Refused
from memory.printed import lines, planned, running
from memory.runs import Recorder, each_run, finish, read_through, run_prefix, up
from memory.stacks import images_of, shop, stack_of
from memory.world import World

__all__ = [
    "Behaviour",
    "Container",
    "Crowd",
    "Fault",
    "Killed",
    "MemoryEngine",
    "Recorder",
    "Refused",
    "World",
    "each_run",
    "finish",
    "images_of",
    "lines",
    "planned",
    "read_through",
    "run_prefix",
    "running",
    "shop",
    "stack_of",
    "up",
]
