"""Two stacks on one engine that know nothing of each other."""

from __future__ import annotations

import pytest
from live import NewStack, Stack, service

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def pair(module_stacks: NewStack) -> tuple[Stack, Stack]:
    """Two stacks with the same services; the second one's `web` has one more route."""
    one, two = module_stacks(), module_stacks()
    api = service("/api", env={"SERVICE_NAME": "api"})
    one.write({"web": service("/", env={"SERVICE_NAME": "one"}), "api": api})
    two.write({"web": service("/", "/only-two", env={"SERVICE_NAME": "two"}), "api": api})
    ups = [stack.start("up") for stack in (one, two)]  # neither is in the other's way
    assert [up.ended() for up in ups] == [0, 0], [up.lines for up in ups]
    return one, two


def _replicas(stack: Stack) -> set[str]:
    """The containers by the name that they call themselves."""
    return {container[:12] for container in stack.ids().values()}


def test_each_answers_for_itself(pair: tuple[Stack, Stack]) -> None:
    """Behind each gateway stand its own containers alone, though names and routes are equal."""
    for stack, name in zip(pair, ("one", "two"), strict=True):
        assert stack.visitor.echo("/x")["service"] == name
        answered = stack.visitor.replicas("/x", 4) + stack.visitor.replicas("/api/x", 4)
        assert set(answered) <= _replicas(stack)


def test_neither_sees_the_others_routes(pair: tuple[Stack, Stack]) -> None:
    """A gateway lists the routers of its own project only, and one server for each service."""
    rules = []
    for stack in pair:
        routers = stack.gateway_api.get("/api/http/routers").json()
        rules.append(sorted(r["rule"] for r in routers if r["provider"] == "docker"))
        api = stack.gateway_api.get("/api/http/services/api@docker").json()
        assert list(api["serverStatus"].values()) == ["UP"]
    assert rules[0] == ["PathPrefix(`/`)", "PathPrefix(`/api`)"]
    assert rules[1] == [*rules[0], "PathPrefix(`/only-two`)"]


def test_what_is_done_to_one_leaves_the_other(pair: tuple[Stack, Stack]) -> None:
    """Scaling and removing one stack changes no container of the other, which goes on."""
    one, two = pair
    others = two.ids()
    one.ok("scale", "web", "2")
    assert len(one.visitor.replicas("/x", 4)) == 2
    assert two.ids() == others
    one.ok("down", "--volumes", "--yes")
    assert one.traces() == []
    assert two.ids() == others
    assert two.visitor.echo("/only-two")["service"] == "two"
    two.ok("status")
