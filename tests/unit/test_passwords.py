"""Passwords of users: made once, hashed, one's own taken."""

from __future__ import annotations

import stat
from pathlib import Path

import bcrypt
import pytest

from msctl.errors import StepFailed
from msctl.files import passwords
from msctl.state import NO_PASSWORD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".msctl" / "secrets"


def test_another_password_takes_the_place_of_the_old_one(folder: Path) -> None:
    """Its hash too, so that nothing is due."""
    passwords.make(folder, "alice")
    before = passwords.password(folder, "alice"), passwords.hashes(folder, ["alice"])
    passwords.make(folder, "alice", fresh=True)
    after = passwords.password(folder, "alice"), passwords.hashes(folder, ["alice"])
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert passwords.due(folder, ["alice"]) == {}


def test_a_password_is_random_and_fits_its_hash(folder: Path) -> None:
    """Another one each time; only the user can read the two files."""
    assert passwords.due(folder, ["alice", "bob"]) == {"alice": NO_PASSWORD, "bob": NO_PASSWORD}
    for user in ("alice", "bob"):
        passwords.make(folder, user)
    assert passwords.due(folder, ["alice", "bob"]) == {}
    words = {passwords.password(folder, user) for user in ("alice", "bob")}
    assert len(words) == 2
    assert all(len(word) >= 20 for word in words)
    hashed = passwords.hashes(folder, ["alice"])["alice"]
    assert bcrypt.checkpw(passwords.password(folder, "alice").encode(), hashed.encode())
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_password_of_ones_own_is_taken(folder: Path) -> None:
    """Its hash is due, and made; the password stays."""
    passwords.make(folder, "alice")
    passwords.path_of(folder, "alice").write_text("s3cret, of my own\r\n")
    assert passwords.due(folder, ["alice"]) == {"alice": "it is another one"}
    passwords.make(folder, "alice")
    assert passwords.due(folder, ["alice"]) == {}
    assert passwords.password(folder, "alice") == "s3cret, of my own"
    hashed = passwords.hashes(folder, ["alice"])["alice"]
    assert bcrypt.checkpw(b"s3cret, of my own", hashed.encode())


def test_a_spoilt_hash_is_made_anew(folder: Path) -> None:
    """Whatever somebody has written into its file."""
    passwords.make(folder, "alice")
    (folder / "@alice.bcrypt").write_text("nonsense")
    assert passwords.due(folder, ["alice"]) == {"alice": "it is another one"}


@pytest.mark.parametrize("text", ["", "\n", "x" * 73])
def test_what_is_no_password_is_refused(folder: Path, text: str) -> None:
    """bcrypt would take the first 72 bytes of a longer one; the password itself is not told."""
    passwords.make(folder, "alice")
    passwords.path_of(folder, "alice").write_text(text)
    with pytest.raises(StepFailed, match="no password of 1 to 72 bytes") as error:
        passwords.due(folder, ["alice"])
    assert "xxx" not in str(error.value)


def test_links_are_refused(folder: Path, tmp_path: Path) -> None:
    """A password is not read from where somebody leads it."""
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("x")
    passwords.path_of(folder, "alice").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StepFailed, match="is a link"):
        passwords.due(folder, ["alice"])
