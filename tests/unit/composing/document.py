"""A Compose document, normalised and hashed by msctl and by the real Docker Compose."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msctl.render.canonical import canonical
from msctl.render.canonical.confighash import config_hash

WORKING_DIR = "/srv/shop"
HOME = "/home/op"
BINARY = Path(sys.executable).with_name("docker-compose")
TOP_LEVEL: dict[str, Any] = {
    "networks": {"n": None, "out": {"external": True}},
    "volumes": {"vol": None, "ext": {"external": {"name": "theirs"}}},
    "secrets": {"key": {"file": "./key"}, "other": {"external": True}},
    "configs": {"conf": {"content": "a=1"}},
}


def service(**keys: Any) -> dict[str, Any]:
    return {"image": "i", **keys}


def document(services: Mapping[str, Any]) -> dict[str, Any]:
    return {"services": {"base": {"image": "i"}, **services}, **TOP_LEVEL}


def normal(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of one service, without what every service has."""
    read = canonical(document({"s": raw}), working_dir=WORKING_DIR, project="p", home=HOME)
    changed: dict[str, Any] = read["services"]["s"]
    return changed


def compose(raw: Mapping[str, Any], tmp: Path, *arguments: str) -> str:
    """What the real Docker Compose prints for a document, in whose text a dollar is a dollar."""
    assert BINARY.exists(), f"{BINARY} is missing: install the test extras"
    path = tmp / "compose.yaml"
    path.write_text(json.dumps(raw).replace("$", "$$"))
    place = ("-p", "p", "--project-directory", WORKING_DIR, "--profile", "*", "-f", str(path))
    ran = subprocess.run(
        [str(BINARY), *place, "config", *arguments],
        capture_output=True,
        check=False,
        env={"HOME": HOME, "PATH": "/usr/bin:/bin"},
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def real_hashes(services: Mapping[str, Any], tmp: Path) -> dict[str, str]:
    printed = compose(document(services), tmp, "--hash", "*").splitlines()
    hashes = dict(line.split() for line in printed)
    return {name: hashes[name] for name in services}


def our_hashes(services: Mapping[str, Any]) -> dict[str, str]:
    """Checks, on the way, that nothing is changed or lost and that JSON and a second pass agree."""
    raw = document(services)
    before = copy.deepcopy(raw)
    read = canonical(raw, working_dir=WORKING_DIR, project="p", home=HOME)
    assert raw == before
    stored = json.loads(json.dumps(read))
    assert stored == read
    assert canonical(stored, working_dir="/elsewhere", project="p") == read
    return {name: config_hash(stored["services"][name]) for name in services}
