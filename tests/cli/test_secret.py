"""`msctl secret rotate` at a terminal."""

from __future__ import annotations

import pytest
from memory import Fault
from terminal import SHOP, Terminal

MOUNTS = "    secrets: [token, {name: token, target: /etc/t, template: 't={secret}'}]\n"
KEPT = "    secrets: [{name: token, rotate: [take, it]}]\n"


def with_secret(text: str, services: str, keys: str) -> str:
    """The shop, some of whose services have a secret."""
    for name in services.split():
        text = text.replace(f"image: {name}:1\n", f"image: {name}:1\n{keys}")
    return text


@pytest.fixture
def secret(terminal: Terminal) -> Terminal:
    """web and api use a secret."""
    terminal.write(with_secret(SHOP, "web api", MOUNTS))
    assert terminal.msctl("up").status == 0
    return terminal


def values(terminal: Terminal) -> dict[str, str]:
    return {path.rpartition("/")[2]: text for path, text in terminal.world.secrets.items()}


def test_a_new_value_and_new_replicas(secret: Terminal) -> None:
    """Every file of the secret has the new value, and every replica that mounts one is new; the
    value is not told."""
    old, before = values(secret), set(secret.world.containers)
    answer = secret.msctl("secret", "rotate", "token")
    assert answer.status == 0, answer.err
    new = values(secret)
    assert new["token"] != old["token"]
    assert new["web.token"] == new["api.token"] == f"t={new['token']}"
    assert ".next.token" not in new
    gone = before - set(secret.world.containers)
    assert {name for name in before if "-web-" in name or "-api-" in name} == gone
    assert new["token"] not in answer.err + answer.out


def test_a_stateful_user_is_refused_unless_it_names_a_command(terminal: Terminal) -> None:
    """A changed file does not change a database's password: status 2, with the way out."""
    terminal.write(with_secret(SHOP, "web db", "    secrets: [token]\n"))
    terminal.msctl("up")
    before = terminal.world.snapshot()
    answer = terminal.msctl("secret", "rotate", "token")
    assert answer.status == 2
    assert "db is stateful: it keeps token in its data" in answer.err
    assert "rotate: [COMMAND" in answer.err
    assert terminal.world.snapshot() == before
    terminal.write(with_secret(SHOP, "web", "    secrets: [token]\n"))
    text = (terminal.folder / "stack.yaml").read_text()
    terminal.write(with_secret(text, "db", KEPT))
    database = [name for name in terminal.world.containers if "-db-" in name]
    assert terminal.msctl("secret", "rotate", "token").status == 0
    assert terminal.world.told == [(database[0], ("take", "it"))]
    assert database[0] in terminal.world.containers


def test_an_interrupted_rotation_goes_on_with_the_same_value(secret: Terminal) -> None:
    """Somebody may have been told of the value already."""
    secret.world.plant(Fault("interrupt", verb="rotate secret"))
    assert secret.msctl("secret", "rotate", "token").status == 130
    kept = values(secret).get(".next.token") or values(secret)["token"]
    secret.world.faults.clear()
    assert secret.msctl("secret", "rotate", "token").status == 0
    assert values(secret)["token"] == kept


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["rotate", "tokn"], "error: tokn is not a secret of shop; did you mean 'token'?"),
        (["show", "token"], "error: 'show' is nothing that msctl does to a secret"),
    ],
)
def test_what_cannot_be_rotated(secret: Terminal, words: list[str], line: str) -> None:
    """An unknown secret and an unknown action change nothing."""
    before = secret.world.snapshot()
    answer = secret.msctl("secret", *words)
    assert (answer.status, answer.lines[0]) == (2, line)
    assert secret.world.snapshot() == before


def test_what_has_no_value_is_made_by_up(terminal: Terminal) -> None:
    """Before the first `up` there is nothing to rotate."""
    terminal.write(with_secret(SHOP, "web", "    secrets: [token]\n"))
    answer = terminal.msctl("secret", "rotate", "token")
    assert (answer.status, answer.lines) == (
        2,
        ["error: token has no value yet", "hint: msctl up makes it"],
    )
