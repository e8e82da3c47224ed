"""`--engine kubernetes`: `logs`, also followed."""

from __future__ import annotations

import time
from itertools import islice

import pytest
from apiserver import Behaviour
from clusters import Site

from msctl.config import load
from msctl.engines import connect
from msctl.engines.kubernetes.observing import follow
from msctl.engines.kubernetes.observing.follow import LOOK

pytestmark = pytest.mark.timeout(120)


def test_logs_are_merged_by_time(shop: Site) -> None:
    """Of all pods of a service, each with its name."""
    answer = shop.msctl("logs", "web", "--tail", "1")
    assert answer.status == 0, answer.err
    assert len(answer.out.splitlines()) == 2
    assert all(line.endswith("| second") for line in answer.out.splitlines())


def test_logs_can_be_followed(shop: Site) -> None:
    """Of all pods of a service, without an end; the caller ends it."""
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True)
    lines = list(islice(found, 4))
    found.close()  # type: ignore[attr-defined]
    assert len({line.replica for line in lines}) == 2
    assert [line.text for line in lines].count("second") == 2


def test_a_followed_log_has_the_pods_that_start_later(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch tells of them; however much the others write meanwhile."""
    monkeypatch.setattr(follow, "LOOK", 600.0)
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True)
    seen = {line.replica for line in islice(found, 4)}
    shop.api.scale("web", 3)
    started = time.monotonic()
    late = list(islice(found, 2))
    found.close()  # type: ignore[attr-defined]
    assert len({line.replica for line in late} - seen) == 1
    assert [line.text for line in late] == ["first", "second"]
    assert time.monotonic() - started < 60


def test_a_followed_log_goes_on_where_its_stream_broke(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is told twice, and none that came meanwhile is lost."""
    monkeypatch.setattr(follow, "BRIEF", 0.1)
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True)
    assert [line.text for line in islice(found, 4)].count("second") == 2
    time.sleep(0.2)
    shop.api.cut_logs()
    shop.api.behave("web", Behaviour(log=("first", "second", "third")))
    started = time.monotonic()
    late = list(islice(found, 2))
    assert [line.text for line in late] == ["third", "third"]
    assert len({line.replica for line in late}) == 2
    assert time.monotonic() - started < LOOK
    assert shop.api.log_queries[-1]["sinceTime"].startswith("2030-01-01T00:00:01")
    time.sleep(0.2)
    monkeypatch.setattr(follow, "LOOK", 0.2)
    shop.api.expired = True  # the server is away for a while
    shop.api.cut_logs()
    time.sleep(0.5)
    shop.api.expired = False
    shop.api.behave("web", Behaviour(log=("first", "second", "third", "fourth")))
    assert [line.text for line in islice(found, 2)] == ["fourth", "fourth"]
    found.close()  # type: ignore[attr-defined]
