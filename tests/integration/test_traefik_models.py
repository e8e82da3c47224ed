"""Traefik's objects, held against the types of its own code (3.7): no key that it does not know.

A key of a wrong name or place is no error for Traefik's API, which would drop it. TypeScript's
compiler refuses one in a literal.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from live import REPOSITORY
from memory.stacks import stack_of

from msctl.config import load
from msctl.files.bindfiles import read_bind_files
from msctl.render import kubernetes

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]

Data = dict[str, Any]
VERSION = "traefik.io/v1alpha1"
EVERY_KEY: Data = {
    "port": 80,
    "routes": [{"path": "/a", "strip": True}, "/"],
    "sticky": {"name": "s", "secure": True, "http_only": True, "same_site": "lax", "max_age": 5},
    "headers": {
        "frame": "sameorigin", "csp": "x", "permissions": "y", "hsts": "1h",
        "response": {"X-A": "1"},
    },
    "ip_allow": ["10.0.0.0/8"],
    "rate_limit": {"average": 5, "burst": 9, "period": "1m"},
    "in_flight": 3,
    "body_limit": "1M",
    "retry": {"attempts": 2},
    "kubernetes": {"service_type": "LoadBalancer"},
}  # fmt: skip


@pytest.fixture(scope="module")
def models() -> Path:
    """The folder of an npm project that has the types."""
    script = REPOSITORY / "scripts" / "ensure-traefik-models"
    found = subprocess.run([script], check=True, stdout=subprocess.PIPE, text=True).stdout
    return Path(found.strip())


def complaints(models: Path, name: str, objects: list[Data]) -> list[str]:
    """What the compiler says against objects, written as literals of their types."""
    found = [item for item in objects if item["apiVersion"] == VERSION]
    assert {item["kind"] for item in found} == {"IngressRoute", "Middleware"}
    kinds = ", ".join(f"I{kind}" for kind in sorted({item["kind"] for item in found}))
    lines = [f'import type {{ {kinds} }} from "@kubernetes-models/traefik/{VERSION}";']
    lines += [f"const o{n}: I{o['kind']} = {json.dumps(o)};" for n, o in enumerate(found)]
    source = models / f"{name}.ts"
    source.write_text("\n".join(lines))
    options = ["--strict", "--skipLibCheck", "--noEmit", "--pretty", "false"]
    options += ["--module", "nodenext", "--moduleResolution", "nodenext"]
    tsc = models / "node_modules" / ".bin" / "tsc"
    return subprocess.run(
        [tsc, *options, source.name], cwd=models, capture_output=True, text=True
    ).stdout.splitlines()


def test_musicshare_is_what_traefik_knows(models: Path) -> None:
    """Every IngressRoute and Middleware of the sample stack."""
    folder = REPOSITORY / "compose"
    stack = load(folder / "stack.yaml", {}).stack
    objects = kubernetes.objects(stack, read_bind_files(stack, folder))
    assert complaints(models, "musicshare", objects) == []


def test_every_middleware_is_what_traefik_knows(models: Path) -> None:
    """Each key of the stack file for requests."""
    assert complaints(models, "every", kubernetes.objects(stack_of({"web": EVERY_KEY}))) == []


def test_an_unknown_key_is_found(models: Path) -> None:
    """So that silence of the two tests above means something."""
    objects = kubernetes.objects(stack_of({"web": EVERY_KEY}))
    (route, *_) = [item for item in objects if item["kind"] == "IngressRoute"]
    route["spec"]["routes"][0]["services"][0]["stickyy"] = {}
    (said,) = complaints(models, "unknown", objects)
    assert "stickyy" in said
