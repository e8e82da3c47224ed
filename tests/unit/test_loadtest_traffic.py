"""Requests joined with the gateway's access log."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msctl.loadtest.accesslog import Entry, Sightings, parse, request_id
from msctl.loadtest.outcome import Outcome
from msctl.loadtest.traffic import Traffic, join

RUN = "msctl-0123456789ab"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REAL = (
    '{"ClientAddr":"192.168.80.1:42000","DownstreamStatus":200,"Duration":7565687,'
    '"RequestPath":"/x","RetryAttempts":0,"RouterName":"web@docker",'
    '"ServiceAddr":"192.168.80.6:8000","ServiceName":"web@docker",'
    '"ServiceURL":"http://192.168.80.6:8000","StartUTC":"2026-11-25T01:55:10.040572313Z",'
    f'"level":"info","msg":"","request_X-Request-Id":"{RUN}-17","time":"2026-11-25T01:55:10Z"}}'
)
"""A line of Traefik 3.7, shortened."""


def outcome(number: int, status: int | None = 200, **more: Any) -> Outcome:
    error = more.pop("error", None if status else "timeout")
    return Outcome(number, 0.0, 0.0, 0.01, status, error, **more)


def entry(number: int, address: str | None = "10.0.0.1:80", **more: Any) -> Entry:
    given = {"status": 200, "at": NOON, "seconds": 0.01, "retries": 0, "service": "web@docker"}
    return Entry(number=number, address=address, **{**given, **more})


def test_a_line_of_the_gateway_is_read() -> None:
    """Number, replica's address, status, duration and retries come from the log's fields."""
    assert parse(RUN, REAL, NOON) == Entry(
        17, "192.168.80.6:8000", 200, NOON, 0.007565687, 0, "web@docker"
    )


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-25T02:12:41Z INF Starting provider *docker.Provider",
        REAL.replace(RUN, "msctl-somebodyelse"),
        REAL.replace(f"{RUN}-17", RUN),
        REAL.replace(f"{RUN}-17", f"{RUN}-x"),
        REAL.replace(f"{RUN}-17", f"x{RUN}-17"),
        REAL[:-1],
        f'"{RUN}"',
        "",
    ],
)
def test_other_lines_are_left_alone(line: str) -> None:
    """What the gateway writes of others, or not as a record, is no entry."""
    assert parse(RUN, line) is None


def test_a_request_that_reached_no_replica_has_no_address() -> None:
    """As where no router matched, or no server was left."""
    line = json.dumps({"request_X-Request-Id": f"{RUN}-1", "DownstreamStatus": 404})
    found = parse(RUN, line)
    assert found is not None
    assert (found.address, found.status) == (None, 404)


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_an_id_leads_back_to_its_request(number: int) -> None:
    """Whatever the number, it is read as it was sent."""
    line = json.dumps({"request_X-Request-Id": request_id(RUN, number)})
    found = parse(RUN, line)
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize(
    ("name", "service", "is_ours"),
    [
        ("web@docker", "web", True),
        ("web-a@file", "web", True),
        ("web-b@file", "web", True),
        ("web-a@docker", "web", False),
        ("web-a@docker", "web-a", True),
        ("web-a-b@file", "web-a", True),
        ("web-a-b@file", "web", False),
        ("webs@docker", "web", False),
        ("", "web", False),
    ],
)
def test_a_service_is_known_by_its_names(name: str, service: str, *, is_ours: bool) -> None:
    """With a pin and without; a service that is called like another one's pin is another one."""
    found = join(service, [outcome(1)], {1: entry(1, service=name)}, Sightings())
    assert (1 in found.replicas, name not in found.strays) == (is_ours, is_ours)


# Sightings


def test_an_address_is_the_replica_that_was_seen_there() -> None:
    """IPv4 and IPv6; one that nobody had stays an address."""
    found = Sightings()
    found.add(NOON, [("shop-web-1", ["10.0.0.1", ""]), ("shop-web-2", ["fd00::2"])])
    assert found.name("10.0.0.1:80", NOON) == "shop-web-1"
    assert found.name("[fd00::2]:80", NOON) == "shop-web-2"
    assert found.name("10.0.0.9:80", NOON) == "10.0.0.9:80"
    assert found.names == ("shop-web-1", "shop-web-2")


def test_an_address_that_changed_hands_is_told_by_the_time() -> None:
    """A request counts for the replica that had the address then."""
    found, minute = Sightings(), timedelta(minutes=1)
    found.add(NOON, [("one", ["10.0.0.1"])])
    found.add(NOON + minute, [("one", ["10.0.0.1"])])
    found.add(NOON + 2 * minute, [("two", ["10.0.0.1"])])
    times = [NOON - minute, NOON, NOON + minute, NOON + 2 * minute, NOON + 3 * minute, None]
    assert [found.name("10.0.0.1:80", at) for at in times] == [
        "one", "one", "one", "two", "two", "two",
    ]  # fmt: skip


# The join

WEB = Sightings()
WEB.add(NOON, [("web-1", ["10.0.0.1"]), ("web-2", ["10.0.0.2"]), ("web-3", ["10.0.0.3"])])


@settings(deadline=None)
@given(st.lists(st.sampled_from(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.7:80"])))
def test_every_request_counts_once(addresses: list[str]) -> None:
    """Counts add up to the requests, in the log's own words; a replica without any has 0."""
    outcomes = [outcome(number) for number in range(len(addresses))]
    entries = {number: entry(number, address) for number, address in enumerate(addresses)}
    found = join("web", outcomes, entries, WEB)
    names = {"10.0.0.1:80": "web-1", "10.0.0.2:80": "web-2", "10.0.0.7:80": "10.0.0.7:80"}
    wanted = Counter(names[address] for address in addresses)
    assert found.exact
    assert sum(found.counts().values()) == len(addresses)
    assert {name: count for name, count in found.counts().items() if count} == dict(wanted)
    assert found.counts()["web-3"] == 0


def test_what_the_log_tells_beside_the_replica() -> None:
    """Answers that are not in it, of the gateway itself, of another service; and retries."""
    outcomes = [outcome(number) for number in range(6)] + [outcome(6, None), outcome(7, None)]
    entries = {
        0: entry(0),
        1: entry(1, None, status=404, service=""),
        2: entry(2, service="webs@docker"),
        3: entry(3, retries=2),
        6: entry(6, status=499),
        99: entry(99),
    }
    found = join("web", outcomes, entries, WEB)
    assert found.replicas == {0: "web-1", 3: "web-1", 6: "web-1"}
    assert (found.missing, found.kept, found.strays) == (2, 1, {"webs@docker": 1})
    assert (found.retried, found.exact) == (1, False)


def test_a_client_moved_when_two_replicas_answered_it() -> None:
    """However often it moved, it counts once; what is not known is None."""
    outcomes = [outcome(number, client=number % 3) for number in range(9)]
    places = ["web-1", "web-2", "web-3", "web-1", "web-1", "web-3", "web-1", "web-2", "web-3"]
    found = Traffic(dict(enumerate(places)), WEB.names)
    assert found.moved(outcomes) == 1
    assert Traffic(dict(enumerate(places)), missing=1).moved(outcomes) is None
    assert Traffic(error="gone").moved(outcomes) is None
