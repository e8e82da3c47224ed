"""What needs another service starts as soon as that serves, whenever its engine looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest
from live import Stack, service

pytestmark = pytest.mark.engine
SELDOM = {"path": "/health", "interval": "4s"}
LATE = {"healthcheck": {"start_interval": "4s"}}
"""For engines that would look every second meanwhile."""


@dataclass
class Life:
    """When a container started, and when its engine first looked."""

    health: str
    started: datetime
    looked: datetime

    @classmethod
    def of(cls, stack: Stack, service: str) -> Life:
        found = stack.inspect(f"{stack.project}-{service}-1")["State"]
        times = found["StartedAt"], found["Health"]["Log"][0]["Start"]
        return cls(found["Health"]["Status"], *map(datetime.fromisoformat, times))


def test_a_chain_starts_before_the_first_health_check(stack: Stack) -> None:
    """Each tier by a check that msctl runs; at the end the engine calls all of them healthy, those
    that set up a volume first."""
    seldom = {"health": SELDOM, "x-compose": LATE}
    stack.write(
        {
            "api": service(**seldom),
            "web": service(needs=["api"], **seldom),
            "shop": service("/", needs=["web"], **seldom),
            "db": service(volumes=["data:/data"], **seldom),
            "report": service(needs=["db"], **seldom),
        }
    )
    stack.ok("up")
    api, web, shop, db, report = (
        Life.of(stack, name) for name in ("api", "web", "shop", "db", "report")
    )
    assert {one.health for one in (api, web, shop, db, report)} == {"healthy"}
    assert api.started < web.started < shop.started < api.looked
    assert db.looked < report.started  # its volume is new, and may have to be filled
    stack.ok("down")
    stack.ok("up")
    assert Life.of(stack, "report").started < Life.of(stack, "db").looked
