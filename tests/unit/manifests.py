"""Rendered objects, and what every one of them has to be."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
from kubernetes_validate import utils
from memory.stacks import stack_of

from msctl.config import load
from msctl.files.bindfiles import read_bind_files
from msctl.model import Stack
from msctl.render import kubernetes
from msctl.render.kubernetes.names import INSTANCE, MANAGED_BY

REPOSITORY = Path(__file__).parents[2]
VERSIONS = ("1.34", "1.35", "1.36")


utils.schema_contents = cache(utils.schema_contents)
"""Else each object's validation parses all definitions of a version anew."""
CUSTOM = ("traefik.io", "cert-manager.io", "keda.sh")
"""Groups whose schemas are not Kubernetes's own."""


Data = dict[str, Any]


@cache
def musicshare() -> tuple[Stack, dict[str, dict[str, bytes]]]:
    folder = REPOSITORY / "compose"
    stack = load(folder / "stack.yaml", {}).stack
    return stack, read_bind_files(stack, folder)


def found(objects: Sequence[Data], kind: str, name: str) -> Data:
    (one,) = [o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return one


def names(objects: Sequence[Data], kind: str) -> list[str]:
    return [o["metadata"]["name"] for o in objects if o["kind"] == kind]


def web(**more: Any) -> Stack:
    """One routed service."""
    return stack_of({"web": {"port": 80, "routes": ["/"], **more}})


def pod(stack: Stack, name: str = "web", kind: str = "Deployment", **more: Any) -> Data:
    spec: Data = found(kubernetes.objects(stack, **more), kind, name)["spec"]["template"]["spec"]
    return spec


def check(objects: Sequence[Data], versions: Sequence[str] = VERSIONS) -> None:
    """Each is what the API of each version takes, and a whole of its own."""
    seen = set()
    for item in objects:
        key = (item["apiVersion"], item["kind"], item["metadata"]["name"])
        assert key not in seen
        seen.add(key)
        labels = item["metadata"]["labels"]
        assert labels[MANAGED_BY] == "msctl"
        assert labels[INSTANCE]
        if item["apiVersion"].partition("/")[0] not in CUSTOM:
            for version in versions:
                kubernetes_validate.validate(item, version, strict=True)
