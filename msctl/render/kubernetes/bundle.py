"""All objects of a stack, by file."""

from __future__ import annotations

from msctl.model import Stack
from msctl.render.kubernetes.names import Data, Maker


def files(stack: Stack, *, namespace: str | None = None) -> dict[str, list[Data]]:
    """File name → objects, in the order in which they are applied."""
    make = Maker(stack, namespace)
    return {"namespace.yaml": [make.object("v1 Namespace", make.namespace, stack.name, "stack")]}


def objects(stack: Stack, *, namespace: str | None = None) -> list[Data]:
    """All objects, in the order in which they are applied."""
    return [item for found in files(stack, namespace=namespace).values() for item in found]
