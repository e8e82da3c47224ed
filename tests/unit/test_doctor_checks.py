"""Health checks of databases that pass while one still sets itself up."""

from __future__ import annotations

from typing import Any

import pytest

from msctl.doctor import of_checks
from msctl.model import Stack


def told(command: object, *, needed: bool = True, **more: Any) -> list[str]:
    db = {"image": "db:1", "health": {"command": command}, **more}
    web = {"image": "web:1", "needs": ["db"] if needed else []}
    stack = Stack.read({"name": "shop", "services": {"db": db, "web": web}})
    return [f"{found.status}: {found.message}; {found.hint}" for found in of_checks(stack)]


def test_a_check_by_the_socket_is_told() -> None:
    assert told(["pg_isready", "-U", "shop"]) == [
        "warn: services.db.health.command: pg_isready asks the database's socket, where it answers "
        "while it sets itself up; what needs it may start too soon; add to it: -h 127.0.0.1"
    ]


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "pg_isready -U $$POSTGRES_USER || exit 1"],
        ["pg_isready", "-h/var/run/postgresql"],
        ["pg_isready", "-h", "/var/run/postgresql", "-d", "a"],
        ["mysqladmin", "ping"],
        ["mysqladmin", "ping", "-h", "localhost"],
        ["sh", "-c", "mysqladmin ping --host='localhost' -p$$MYSQL_PASSWORD"],
        ["mariadb-admin", "ping", "-hlocalhost"],
    ],
)
def test_sockets_have_many_names(command: list[str]) -> None:
    assert len(told(command)) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "shop"],
        ["pg_isready", "--host=localhost"],
        ["sh", "-c", 'pg_isready -h "$$HOSTNAME"'],
        ["mysqladmin", "ping", "-h", "127.0.0.1"],
        ["mysqladmin", "ping", "-h127.0.0.1", "-u", "root"],
        ["mysqladmin", "ping", "-h", "localhost", "--protocol=TCP"],
        ["healthcheck.sh", "--connect", "--innodb_initialized"],
        ["redis-cli", "-h", "localhost", "ping"],
    ],
)
def test_what_goes_by_the_network_is_right(command: list[str]) -> None:
    assert told(command) == []


def test_nobody_minds_a_check_that_nobody_waits_for() -> None:
    assert told(["pg_isready"], needed=False) == []
    assert told(["pg_isready"], env={"PGHOST": "127.0.0.1"}) == []
    assert told("none", port=80, routes=["/"], health={"path": "/", "command": "none"}) == []
