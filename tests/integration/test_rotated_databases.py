"""MusicShare's databases take a new password by the commands of compose/stack.yaml."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import yaml
from live import REPOSITORY, Stack, service, until
from live.onlooker import Onlooker

pytestmark = [pytest.mark.engine, pytest.mark.soak]

FOLDER = REPOSITORY / "compose"
BY_PSYCOPG = (
    "import sys, psycopg2; psycopg2.connect(sys.argv[1], password=sys.argv[2], connect_timeout=5)"
)
BY_PIKA = "import sys, pika; pika.BlockingConnection(pika.URLParameters(sys.argv[1] % sys.argv[2]))"
ENV = {
    "DATABASE": "postgresql://musicshare@postgres:5432/users_db",
    "DATABASE_PASSWORD_FILE": "/run/secrets/postgres-password",
    "RABBITMQ_URL": "amqp://musicshare@rabbitmq:5672/",
    "RABBITMQ_PASSWORD_FILE": "/run/secrets/rabbitmq-password",
}


def _of_musicshare(name: str, interval: str = "1s") -> dict[str, Any]:
    """A database as the stack file has it, checked more often."""
    file = yaml.safe_load((FOLDER / "stack.yaml").read_text())
    found: dict[str, Any] = file["services"][name]
    del found["networks"]
    found["build"] = str(FOLDER / found["build"])
    found["volumes"] = [volume for volume in found["volumes"] if not volume.startswith(".")]
    found["health"]["interval"] = interval
    return found


def _rotate(stack: Stack, *names: str) -> None:
    """Under visitors, each of whom is answered, and an onlooker, who sees no password."""
    secrets = stack.folder / ".msctl" / "secrets"
    answers: list[int] = []
    done = threading.Event()

    def come() -> None:
        while not done.is_set():
            answers.append(stack.visitor.get("/").status_code)

    old = {name: (secrets / name).read_text() for name in names}
    visitor = threading.Thread(target=come)
    with Onlooker(stack.folder) as onlooker:
        visitor.start()
        try:
            told = [stack.ok("secret", "rotate", name) for name in names]
        finally:
            done.set()
            visitor.join()
    assert onlooker.seen == []
    assert set(answers) == {200}
    text = "".join(one.out + one.err for one in told) + stack.ok("logs").out
    for name, value in old.items():
        assert (new := (secrets / name).read_text()) != value
        assert new not in text
        assert value not in text


def _connected(stack: Stack) -> bool:
    health = stack.visitor.get("/health").json()
    return all(dependency["ok"] for dependency in health["dependencies"].values())


def _connects(stack: Stack, *words: str) -> bool:
    """Whether a client with such an address and password gets in."""
    name, *_ = stack.ids("web")
    status, _ = stack.engine.containers.get(name).exec_run(["python3", "-c", *words])
    return bool(status == 0)


def test_postgresql(stack: Stack) -> None:
    """The new password opens it, the old one does not; nobody who came meanwhile was lost, and the
    server was not replaced."""
    env = {key: value for key, value in ENV.items() if key.startswith("DATABASE")}
    web = service("/", needs=["postgres"], secrets=["postgres-password"], env=env)
    stack.write({"postgres": _of_musicshare("postgres"), "web": web})
    stack.ok("up")
    file = stack.folder / ".msctl" / "secrets" / "postgres-password"
    old, database = file.read_text(), stack.ids("postgres")
    address = "host=postgres user=musicshare dbname=users_db"
    assert _connects(stack, BY_PSYCOPG, address, old)
    _rotate(stack, "postgres-password")
    until(lambda: _connected(stack), 30, "the new replica is connected")
    assert _connects(stack, BY_PSYCOPG, address, file.read_text())
    assert not _connects(stack, BY_PSYCOPG, address, old)
    assert stack.ids("postgres") == database


def test_rabbitmq(stack: Stack) -> None:
    """As PostgreSQL; its file of settings, made from a template, is another one too."""
    env = {key: value for key, value in ENV.items() if key.startswith("RABBITMQ")}
    web = service("/", needs=["rabbitmq"], secrets=["rabbitmq-password"], env=env)
    stack.write({"rabbitmq": _of_musicshare("rabbitmq", "3s"), "web": web})
    stack.ok("up")
    folder = stack.folder / ".msctl" / "secrets"
    old, database = (folder / "rabbitmq-password").read_text(), stack.ids("rabbitmq")
    address = "amqp://musicshare:%s@rabbitmq:5672/"
    assert _connects(stack, BY_PIKA, address, old)
    _rotate(stack, "rabbitmq-password")
    until(lambda: _connected(stack), 15, "the new replica is connected")
    new = (folder / "rabbitmq-password").read_text()
    assert f"default_pass = {new}\n" in (folder / "rabbitmq.rabbitmq-password").read_text()
    assert _connects(stack, BY_PIKA, address, new)
    assert not _connects(stack, BY_PIKA, address, old)
    assert stack.ids("rabbitmq") == database
