"""Files of secrets: what is no file is refused before anything is changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from msctl.config import load_text
from msctl.engines.compose.desired import Desired, desired
from msctl.engines.compose.observing.files import check_mounts
from msctl.engines.secretfiles import rotate_secret, stage_secret, write_secret
from msctl.engines.secretsteps import RotateSecret, StageSecret, WriteSecret
from msctl.errors import StepFailed, UsageProblem
from msctl.files import wholefile

STACK = "name: shop\nservices: {web: {image: web, secrets: [token]}}\n"


def shop(folder: Path) -> Desired:
    stack = load_text(STACK, name="stack.yaml", environ={})
    return desired(stack, str(folder), lambda _: "")


def test_a_secret_that_is_there_or_will_be_made_is_fine(tmp_path: Path) -> None:
    """A file, and none."""
    revision = shop(tmp_path).revisions["web"]
    check_mounts(revision, local=True)
    (tmp_path / ".msctl/secrets").mkdir(parents=True)
    check_mounts(revision, local=True)
    (tmp_path / ".msctl/secrets/token").write_text("x")
    check_mounts(revision, local=True)


@pytest.mark.parametrize(
    "kind", ["link", "dead link", "folder", "pipe", "linked folder", "linked .msctl", "huge"]
)
def test_a_secret_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    """A link would hand another file of the host to the container: status 2, with the path."""
    folder = tmp_path / ".msctl" / "secrets"
    (tmp_path / "elsewhere/secrets").mkdir(parents=True)
    (tmp_path / "elsewhere/token").write_text("x")
    named = folder
    if kind == "linked .msctl":  # of another stack, say
        folder.parent.symlink_to(tmp_path / "elsewhere")
        named = folder.parent
    elif kind == "linked folder":
        folder.parent.mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir(parents=True)
        token = folder / "token"
        {
            "link": lambda: token.symlink_to(tmp_path / "elsewhere/token"),
            "dead link": lambda: token.symlink_to(tmp_path / "nowhere"),
            "folder": token.mkdir,
            "pipe": lambda: os.mkfifo(token),
            "huge": lambda: token.write_bytes(b"x" * (wholefile.MOST_BYTES + 1)),
        }[kind]()
    with pytest.raises(UsageProblem) as error:
        check_mounts(shop(tmp_path).revisions["web"], local=True)
    assert str(named) in error.value.message
    assert ("rm " if kind != "huge" else "volumes") in (error.value.hint or "")


@pytest.mark.parametrize("which", [".msctl", ".msctl/secrets"])
def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """They could exchange what is in it. Root works for who owns the stack file's folder, too."""
    (tmp_path / ".msctl/secrets").mkdir(parents=True)
    revision = shop(tmp_path).revisions["web"]
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(UsageProblem, match="belongs to another user") as error:
        check_mounts(revision, local=True)
    assert "chown" in (error.value.hint or "")
    monkeypatch.undo()
    if os.getuid() == 0:
        os.chown(tmp_path / which, 4711, 4711)
        with pytest.raises(UsageProblem, match=f"{which} belongs to another user .number 4711"):
            check_mounts(revision, local=True)
        os.chown(tmp_path, 4711, 4711)
        check_mounts(revision, local=True)


def test_a_hard_link_is_never_written_through(tmp_path: Path) -> None:
    """What has another name elsewhere keeps its content there: files are replaced, not changed."""
    folder = tmp_path / ".msctl/secrets"
    folder.mkdir(parents=True)
    (tmp_path / "precious").write_text("precious")
    (folder / "token").hardlink_to(tmp_path / "precious")
    check_mounts(shop(tmp_path).revisions["web"], local=True)
    stage_secret(StageSecret(target="token", folder=str(folder)))
    rotate_secret(RotateSecret(target="token", folder=str(folder), files={"token": None}))
    assert (tmp_path / "precious").read_text() == "precious"
    assert (folder / "token").read_text() != "precious"


def test_a_template_takes_no_secret_through_a_link(tmp_path: Path) -> None:
    """Swapped after the check: the file that is opened is the one that counts."""
    folder = tmp_path / ".msctl/secrets"
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("of the host")
    (folder / "token").symlink_to(tmp_path / "elsewhere")
    step = WriteSecret(
        target="token", path=str(folder / "web.token"), secret="token", template="x={secret}"
    )
    with pytest.raises(StepFailed, match="is a link"):
        write_secret(step)
    assert not (folder / "web.token").exists()
