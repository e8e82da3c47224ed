"""`msctl secret rotate` at a terminal."""

from __future__ import annotations

import pytest
from memory import Fault
from terminal import SHOP, Terminal

from msctl.state import GatewaySettings

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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("nope", "hint: write secrets: [nope] at a service; msctl up makes it"),
        ("@bob", "hint: write basic_auth: [bob] at a service that has routes"),
    ],
)
def test_a_stack_without_secrets_tells_how_to_have_one(
    shop: Terminal, name: str, hint: str
) -> None:
    """There is no name that could have been meant."""
    answer = shop.msctl("secret", "rotate", name)
    assert (answer.status, answer.lines[1:]) == (2, [hint])


def test_a_password_is_found_where_a_secret_was_looked_for(terminal: Terminal) -> None:
    """Its name begins with @, which is easily forgotten."""
    terminal.write(with_secret(SHOP, "web", "    basic_auth: [alice]\n"))
    assert "did you mean '@alice'?" in terminal.msctl("secret", "rotate", "alice").err


AUTH = "    secrets: [alice]\n    basic_auth: [alice]\n"


@pytest.fixture
def member(terminal: Terminal) -> Terminal:
    """alice has a password at web, which has a secret of that name too."""
    terminal.write(with_secret(SHOP, "web", AUTH))
    assert terminal.msctl("up").status == 0
    terminal.world.settings = GatewaySettings("01d01d01d01d", present=frozenset({"01d01d01d01d"}))
    return terminal


def test_a_users_password_is_another_one_and_no_replica_is_touched(member: Terminal) -> None:
    """The gateway reads the new hash before the old one ends; where no terminal is, the password is
    not shown."""
    containers, secrets = set(member.world.containers), values(member)
    answer = member.msctl("secret", "rotate", "@alice")
    assert answer.status == 0, answer.err
    steps = [line.partition("] ")[2].partition(" (")[0] for line in answer.lines[:5]]
    assert steps == [
        "make password of alice, rotated",
        "write settings of traefik, they have changed",
        "await settings of traefik",
        "end old settings of traefik, new ones are in force",
        "await end of old settings of traefik",
    ]
    assert answer.lines[5].startswith("secret @alice has a new value, in ")
    assert answer.lines[6:] == ["  password   alice: kept in .msctl/secrets/@alice"]
    assert member.world.settings.present == {member.world.settings_made}
    assert (set(member.world.containers), values(member)) == (containers, secrets)


@pytest.mark.parametrize(
    ("settings", "user", "message"),
    [
        (None, "alcie", "@alcie is nobody whom the gateway of shop asks for a password; did you"),
        (None, "", "@ is nobody whom the gateway of shop asks for a password (known: @alice)"),
        (None, "../alice", "@../alice is nobody whom the gateway of shop asks for a password"),
        (
            GatewaySettings("5e77145e7714", present=frozenset({"01d01d01d01d"})),
            "alice",
            "the gateway does not have the settings of the stack file; nothing was changed",
        ),
        (
            GatewaySettings("", passwords_due={"alice": "there is none"}),
            "alice",
            "the gateway does not have the settings of the stack file; nothing was changed",
        ),
    ],
)
def test_whose_password_cannot_be_rotated(
    member: Terminal, settings: GatewaySettings | None, user: str, message: str
) -> None:
    """Nobody's that has none, and none while an edited file would come along."""
    member.world.settings = settings or member.world.settings
    before = member.world.snapshot(), member.world.settings
    answer = member.msctl("secret", "rotate", f"@{user}")
    assert (answer.status, answer.out) == (2, "")
    assert message in answer.lines[0]
    assert (member.world.snapshot(), member.world.settings) == before


def test_a_gateway_that_cannot_be_asked_keeps_its_passwords(member: Terminal) -> None:
    """Nobody could tell when the old settings may end."""
    member.world.gateway_answers = False
    before = member.world.snapshot(), member.world.settings
    answer = member.msctl("secret", "rotate", "@alice")
    assert (answer.status, answer.out) == (1, "")
    assert (member.world.snapshot(), member.world.settings) == before
    assert member.msctl("secret", "rotate", "@alice", "--no-drain").status == 0


def test_an_interrupted_rotation_of_a_password_is_finished_by_up(member: Terminal) -> None:
    """What has been made is put in force."""
    member.world.plant(Fault("interrupt", verb="write settings of"))
    assert member.msctl("secret", "rotate", "@alice").status == 130
    member.world.faults.clear()
    assert member.msctl("up").status == 0
    assert member.world.settings.present == {member.world.settings_made}


def test_what_has_no_value_is_made_by_up(terminal: Terminal) -> None:
    """Before the first `up` there is nothing to rotate."""
    terminal.write(with_secret(SHOP, "web", "    secrets: [token]\n"))
    answer = terminal.msctl("secret", "rotate", "token")
    assert (answer.status, answer.lines) == (
        2,
        ["error: token has no value yet", "hint: msctl up makes it"],
    )
