"""`msctl render kubernetes` at a terminal."""

from __future__ import annotations

import pytest
import yaml
from terminal import SHOP, Terminal

from msctl.render.kubernetes import FILES, SETUP

VOLUMES = '    volumes: ["data:/data"]\n'
BARE = SHOP.removesuffix(VOLUMES)
"""It ends with a service without volumes."""


def test_without_a_folder_it_prints_one_stream(terminal: Terminal) -> None:
    """All objects, for `kubectl apply -f -`; no engine is asked."""
    terminal.world.reachable = False
    answer = terminal.msctl("render", "kubernetes")
    assert answer.status == 0
    kinds = [item["kind"] for item in yaml.safe_load_all(answer.out)]
    assert kinds[0] == "Namespace"
    assert {"Deployment", "StatefulSet", "IngressRoute"} <= set(kinds)


def test_a_folder_gets_the_files(terminal: Terminal) -> None:
    """The folder is made; the guide is among the files; what no object is in any more goes, and
    what is not msctl's stays."""
    answer = terminal.msctl("render", "kubernetes", "-o", "k8s")
    assert (answer.status, answer.lines[-1]) == (0, "k8s: 8 files are written")
    folder = terminal.folder / "k8s"
    written = {path.name for path in folder.iterdir()}
    assert written == {*FILES, SETUP} - {"hpa.yaml", "frontend-deployment-service.yaml"}
    assert "--field-manager=msctl -f namespace.yaml" in (folder / SETUP).read_text()

    (folder / "mine.yaml").write_text("mine")
    (folder / "hpa.yaml").write_text("somebody else's")
    bare = SHOP.replace("    routes: [/]\n", "").replace(
        "    routes: [{path: /api, strip: true}]\n", ""
    )
    terminal.write(bare)
    assert terminal.msctl("render", "kubernetes", "-o", "k8s").status == 0
    assert {path.name for path in folder.iterdir()} == {
        *("namespace.yaml", "databases.yaml", "backend-deployments-services.yaml"),
        *("mine.yaml", "hpa.yaml", SETUP),
    }


def test_the_folder_is_none(terminal: Terminal) -> None:
    """A file where the folder shall be is not touched."""
    answer = terminal.msctl("render", "kubernetes", "-o", "stack.yaml")
    assert (answer.status, answer.lines) == (
        2,
        ["error: -o stack.yaml is a file; name a folder for the manifests"],
    )


def test_what_kubernetes_cannot_carry_ends_it(terminal: Terminal) -> None:
    """Every such thing with file, line and key, and nothing is written."""
    terminal.write(BARE + "    restart: no\n    volumes: ['./here:/data']\n", "other.yaml")
    answer = terminal.msctl("-f", "other.yaml", "render", "kubernetes", "-o", "k8s")
    assert answer.status == 2
    start = len(BARE.splitlines())
    first, second = answer.lines[:2]
    assert f"other.yaml:{start + 1}: services.db.restart: " in first
    assert f"other.yaml:{start + 2}: services.db.volumes[0]: " in second
    assert not (terminal.folder / "k8s").exists()


def test_files_beside_the_stack_file_come_along(terminal: Terminal) -> None:
    """What a service only reads is in a ConfigMap, from wherever msctl is run."""
    (terminal.folder / "conf").mkdir()
    (terminal.folder / "conf" / "a.ini").write_text("a = 1\n")
    terminal.write(BARE + "    volumes: ['./conf:/etc/db:ro']\n")
    answer = terminal.msctl("render", "kubernetes")
    objects = list(yaml.safe_load_all(answer.out))
    (config,) = [o for o in objects if o["metadata"]["name"] == "db-files"]
    assert list(config["data"].values()) == ["a = 1\n"]


@pytest.mark.parametrize("by", ["option", "environment"])
def test_the_namespace_that_is_given_is_everywhere(terminal: Terminal, by: str) -> None:
    """In every object and in the commands of the guide."""
    if by == "environment":
        terminal.environ["MSCTL_NAMESPACE"] = "blue"
    words = ["--namespace", "blue"] if by == "option" else []
    assert terminal.msctl(*words, "render", "kubernetes", "-o", "k8s").status == 0
    for path in (terminal.folder / "k8s").glob("*.yaml"):
        for item in yaml.safe_load_all(path.read_text()):
            metadata = item["metadata"]
            assert metadata.get("namespace", metadata["name"]) == "blue"
    guide = (terminal.folder / "k8s" / SETUP).read_text()
    assert "-n blue" in guide
    assert "-n shop" not in guide


def test_what_is_carried_otherwise_is_said(terminal: Terminal) -> None:
    """On stderr, so that the stream stays one of objects."""
    terminal.write(SHOP + "    restart: on-failure:3\n")
    answer = terminal.msctl("render", "kubernetes")
    assert answer.status == 0
    assert "note: db: started again as often as it fails" in answer.err
