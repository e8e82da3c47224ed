"""The shop under load."""

from __future__ import annotations

import pytest
from live import NewStack, Stack

from traffic import write


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """The shop and its neighbour are up."""
    stack = module_stacks()
    write(stack)
    stack.ok("up")
    return stack
