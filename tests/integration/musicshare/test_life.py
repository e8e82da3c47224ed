"""MusicShare while it is changed: scaled, brought up again, hurt, and taken down. In this order:
the last test takes it down."""

from __future__ import annotations

import json

import pytest
from live import until

from musicshare.conftest import MusicShare

pytestmark = pytest.mark.engine

BACKEND = ("userservice", "music-service", "social-service", "notificationservice")


def _counts(musicshare: MusicShare) -> list[int]:
    return [len(musicshare.ids(service)) for service in BACKEND]


def _answering(musicshare: MusicShare, requests: int) -> int:
    return len(musicshare.visitor.replicas("/api/users/x", requests))


def _up(musicshare: MusicShare) -> str:
    """What `up` says when all are healthy: on a busy machine a check may fail, and `up` waits."""
    until(lambda: musicshare.msctl("status").status == 0, 120, "every replica is healthy")
    return musicshare.ok("up").err


def test_a_second_up_does_nothing(musicshare: MusicShare) -> None:
    """`up` on a stack that is up says that there is nothing to do, and replaces no container."""
    before = musicshare.ids()
    assert "nothing to do" in _up(musicshare)
    assert musicshare.ids() == before


def test_scale_and_back(musicshare: MusicShare) -> None:
    """2 → 5 → 2: told replica by replica, each new one gets requests, the first two stay."""
    before = musicshare.ids("userservice")
    up = musicshare.ok("scale", "userservice", "5").err
    for number in (3, 4, 5):
        replica = f"{musicshare.project}-userservice-{number}"
        for verb in ("create", "start", "await healthy", "await routed"):
            assert f"{verb} {replica}" in up
    assert "userservice: 5 replicas, 5 healthy, 5 get requests" in up
    assert _answering(musicshare, 10) == 5

    down = musicshare.ok("scale", "userservice", "2").err
    for number in (3, 4, 5):
        assert f"remove {musicshare.project}-userservice-{number}" in down
    assert "userservice: 2 replicas, 2 healthy, 2 get requests" in down
    assert musicshare.ids("userservice") == before
    assert _answering(musicshare, 4) == 2


def test_scale_all(musicshare: MusicShare) -> None:
    """`scale all 3` scales the four services that start with two replicas, nothing else; a later
    `up` keeps that, and `--reset-scale` returns to the file."""
    others = set(musicshare.ids()) - {name for one in BACKEND for name in musicshare.ids(one)}
    musicshare.ok("scale", "all", "3")
    assert _counts(musicshare) == [3, 3, 3, 3]
    assert _answering(musicshare, 6) == 3
    assert others < set(musicshare.ids())

    scaled = musicshare.ids()
    kept = _up(musicshare)
    assert "userservice keeps its scale of 3" in kept
    assert "nothing to do" in kept
    assert musicshare.ids() == scaled

    musicshare.ok("up", "--reset-scale")
    assert _counts(musicshare) == [2, 2, 2, 2]
    assert musicshare.ids().items() < scaled.items()
    assert "nothing to do" in _up(musicshare)


def test_a_killed_replica_is_seen_and_mended(musicshare: MusicShare) -> None:
    """`status` ends with 1 and names a replica that was killed; `up` mends it and touches no
    other."""
    before = musicshare.ids()
    victim = f"{musicshare.project}-userservice-2"
    musicshare.engine.api.kill(victim)
    until(lambda: not musicshare.inspect(victim)["State"]["Running"], 10, "it has ended")

    result = musicshare.msctl("status", "--json")
    assert result.status == 1
    status = json.loads(result.out)
    assert not status["healthy"]
    errors = [p["replica"] for p in status["problems"] if p["severity"] == "error"]
    assert errors == [victim]
    table = musicshare.msctl("status", "userservice")
    assert table.status == 1
    assert f"{victim} has ended with exit status 137" in table.out

    musicshare.ok("up")
    musicshare.ok("status")
    now = musicshare.ids()
    assert set(now) == set(before)
    assert {name for name in now if now[name] != before[name]} <= {victim}
    assert _answering(musicshare, 4) == 2


def test_down_leaves_nothing(musicshare: MusicShare) -> None:
    """`down` leaves no container and no network and names the data that it keeps; `--volumes`
    wants `--yes` and leaves no volume either."""
    mounts = [m for name in musicshare.ids() for m in musicshare.inspect(name)["Mounts"]]
    mounted = {mount["Name"] for mount in mounts if mount["Type"] == "volume"}
    data = f"{musicshare.project}_postgres-data"
    assert data in musicshare.ok("down").err
    assert (musicshare.ids(), musicshare.networks()) == ({}, [])
    assert data in musicshare.volumes()
    assert not [name for name in musicshare.volumes() if "_msctl-" in name]

    refused = musicshare.msctl("down", "--volumes")
    assert refused.status == 2
    assert "--yes" in refused.err
    assert data in musicshare.volumes()

    musicshare.ok("down", "--volumes", "--yes")
    assert musicshare.volumes() == []
    everyone = musicshare.engine.api.volumes()["Volumes"] or []
    assert mounted.isdisjoint(volume["Name"] for volume in everyone)
    assert "nothing to do" in musicshare.ok("down").err
