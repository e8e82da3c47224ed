"""Killed (`kill -9`) between any two changes of a file: every file is whole, old or new, and the
next run comes to the same end as if nothing had happened."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from msctl.engines.secretfiles import (
    rotate_secret,
    secret_digests,
    stage_secret,
    staged_secret,
    write_secret,
)
from msctl.engines.secretsteps import RotateSecret, StageSecret, WriteSecret
from msctl.files import passwords
from msctl.tls.authority import Authority

NOON = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
CHANGES = ("replace", "link", "unlink", "mkdir", "chmod", "fchmod", "fsync")
MOST = 60
"""Changes of files that a scenario may have."""
TEMPLATE = "user = shop\npassword = {secret}\n"


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine does not go down, so that what is written is there."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def killed_at(change: int, after: bool, work: Callable[[], None]) -> bool:
    """Run `work` in a process that is killed before or after a change of a file, by number; whether
    it was: False means that it came to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads that other tests have left
        child = os.fork()
    if child == 0:
        made = 0

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **options: Any) -> Any:
                nonlocal made
                made += 1
                if made == change and not after:
                    os._exit(9)
                mine = made
                try:
                    return call(*args, **options)
                finally:
                    if mine == change:
                        os._exit(9)

            return run

        try:
            for name in CHANGES:
                setattr(os, name, counted(getattr(os, name)))
            work()
            os._exit(0)
        finally:
            os._exit(7)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 9


def kills(folder: Path, begin: Callable[[Path], None], work: Callable[[Path], None]) -> list[Path]:
    """A folder for each moment at which `work` was killed, after `begin`."""
    found: list[Path] = []
    for change in range(1, MOST):
        for after in (False, True):
            place = folder / f"{change}{'after' if after else 'before'}"
            place.mkdir()
            begin(place)
            if not killed_at(change, after, lambda place=place: work(place)):  # type: ignore[misc]
                return found
            found.append(place)
    raise AssertionError("it has no end")


def secrets_of(place: Path) -> Path:
    return place / ".msctl" / "secrets"


def make_secrets(place: Path) -> None:
    folder = secrets_of(place)
    for name, template in (("token", None), ("web.token", TEMPLATE)):
        write_secret(
            WriteSecret(target=name, path=str(folder / name), secret="token", template=template)
        )
    secret_digests([str(folder / "token")], new_key=True)


def rotate_secrets(place: Path) -> None:
    folder = str(secrets_of(place))
    stage_secret(StageSecret(target="token", folder=folder))
    staged_secret(folder, "token")
    rotate_secret(
        RotateSecret(target="token", folder=folder, files={"token": None, "web.token": TEMPLATE})
    )


def whole(place: Path) -> tuple[str, str]:
    """Token and what its template makes of it; each is there whole or not at all."""
    folder = secrets_of(place)
    token, web = ((folder / name) for name in ("token", "web.token"))
    values = token.read_text() if token.exists() else "", web.read_text() if web.exists() else ""
    assert len(values[0]) in (0, 32)
    assert len(values[1]) in (0, len(TEMPLATE) - len("{secret}") + 32)
    return values


def test_secrets_are_made_whole(tmp_path: Path) -> None:
    """Killed while they are made: the next run makes what is missing, of the same value."""
    moments = kills(tmp_path, lambda _: None, make_secrets)
    assert len(moments) > 15
    for place in moments:
        token, web = whole(place)
        make_secrets(place)
        after, of_web = whole(place)
        assert token in ("", after)
        assert web in ("", of_web)
        assert of_web == TEMPLATE.replace("{secret}", after)


def test_a_rotation_goes_on_with_the_same_value(tmp_path: Path) -> None:
    """Killed in its middle, what was told to a database before is what ends up in the files."""
    moments = kills(tmp_path, make_secrets, rotate_secrets)
    assert len(moments) > 10
    for place in moments:
        folder = secrets_of(place)
        staged = folder / ".next.token"
        told = staged.read_text() if staged.exists() else None
        before, _ = whole(place)
        rotate_secrets(place)
        after, of_web = whole(place)
        assert of_web == TEMPLATE.replace("{secret}", after)
        assert told in (None, after)
        assert told is not None or after != before
        assert not staged.exists()


@pytest.mark.parametrize("days", [None, 340, 3640], ids=["first", "renewed", "new authority"])
def test_a_certificate_and_its_authority_fit(tmp_path: Path, days: int | None) -> None:
    """Killed while they are made: what is due then is made, and fits; never a half of a pair."""
    now = NOON if days is None else NOON + timedelta(days=days)

    def own(place: Path) -> Authority:
        return Authority(place / ".msctl/tls", "shop", ["www.example.org"])

    moments = kills(
        tmp_path,
        lambda place: own(place).issue(NOON) if days is not None else None,
        lambda place: own(place).issue(now),
    )
    assert len(moments) > 3
    for place in moments:
        if own(place).due(now) is not None:
            own(place).issue(now)
        assert own(place).due(now) is None
        assert own(place).pair() is not None


def test_a_password_fits_its_hash(tmp_path: Path) -> None:
    """Killed while a new one is made: the one in the file is the one that is due, or in force."""
    moments = kills(
        tmp_path,
        lambda place: passwords.make(secrets_of(place), "alice"),
        lambda place: passwords.make(secrets_of(place), "alice", fresh=True),
    )
    assert len(moments) > 5
    for place in moments:
        text = passwords.password(secrets_of(place), "alice")
        if passwords.due(secrets_of(place), ["alice"]):
            passwords.make(secrets_of(place), "alice")
        assert passwords.due(secrets_of(place), ["alice"]) == {}
        assert passwords.password(secrets_of(place), "alice") == text
