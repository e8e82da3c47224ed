"""Files of secrets: what is no file is refused before anything is changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from msctl.config import load_text
from msctl.engines.compose.desired import Desired, desired
from msctl.engines.compose.files import check_mounts
from msctl.errors import UsageProblem

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


@pytest.mark.parametrize("kind", ["link", "dead link", "folder", "pipe", "linked folder"])
def test_a_secret_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    """A link would hand another file of the host to the container: status 2, with the path."""
    folder = tmp_path / ".msctl" / "secrets"
    folder.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/token").write_text("x")
    if kind == "linked folder":
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.mkdir()
        token = folder / "token"
        {
            "link": lambda: token.symlink_to(tmp_path / "elsewhere/token"),
            "dead link": lambda: token.symlink_to(tmp_path / "nowhere"),
            "folder": token.mkdir,
            "pipe": lambda: os.mkfifo(token),
        }[kind]()
    with pytest.raises(UsageProblem) as error:
        check_mounts(shop(tmp_path).revisions["web"], local=True)
    assert str(folder) in error.value.message
    assert "rm " in (error.value.hint or "")
