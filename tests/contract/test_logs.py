"""What every engine does with what containers write, and tells of what they take."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta

import pytest
from machines import Make, MemoryMachine

from msctl.state import Usage


def test_logs_are_what_the_containers_wrote(site: Make) -> None:
    """Lines come in the order of their time, of the services that were named."""
    both = site(web="steady", once="job")
    both.fulfil()
    lines = [(line.replica, line.text) for line in both.engine.logs(("web",))]
    assert lines == [(both.name("web"), "first"), (both.name("web"), "second")]
    everything = {(line.replica, line.text) for line in both.engine.logs(())}
    assert everything == {*lines, (both.name("once"), "migrated")}
    assert all(line.at is not None for line in both.engine.logs(()))


@pytest.mark.parametrize(("tail", "wanted"), [(0, []), (1, ["second"]), (9, ["first", "second"])])
def test_logs_can_be_cut_to_their_end(site: Make, tail: int, wanted: list[str]) -> None:
    """`tail` is the number of last lines of each replica."""
    web = site(web="steady")
    web.fulfil()
    assert [line.text for line in web.engine.logs(("web",), tail=tail)] == wanted


@pytest.mark.far
def test_logs_can_be_cut_to_what_came_since(site: Make) -> None:
    """`since` leaves out what was written before, to a part of a second."""
    web = site(web="steady")
    web.fulfil()
    last = [line.at for line in web.engine.logs(("web",))][-1]
    assert last is not None
    moment = timedelta(milliseconds=20)

    def since(at: datetime) -> list[str]:
        return [line.text for line in web.engine.logs(("web",), since=at)]

    assert since(last - timedelta(seconds=30)) == ["first", "second"]
    assert since(last - moment)[-1] == "second"
    assert since(last + moment) == []


@pytest.mark.far
def test_logs_are_followed(site: Make) -> None:
    """From the last lines on, as they come, until nobody asks any more."""
    web = site(web="steady")
    web.fulfil()
    with closing(web.engine.logs((), follow=True, tail=1)) as lines:
        assert next(lines).text == "second"


@pytest.mark.far
def test_what_a_container_takes_of_the_machine_is_told(site: Make) -> None:
    """Of the running ones, by id, each time that it is asked."""
    both = site(web="steady", once="job")
    both.fulfil()
    web = both.only("web")
    if isinstance(both.bench.machine, MemoryMachine):
        both.bench.machine.world.usages[web.name] = Usage(0.5, 1 << 20)
    for _ in range(2):
        found = both.engine.usage(both.engine.observe())
        assert set(found) == {web.id}
        assert (found[web.id].memory or 0) > 0
        assert found[web.id].cpus is not None
