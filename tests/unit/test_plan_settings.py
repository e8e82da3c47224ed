"""The gateway gets its settings before it starts, and new ones while it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from memory import MemoryEngine, World, finish, images_of, lines, planned, running, shop

from msctl.errors import UsageProblem
from msctl.request import Restart, Scale, Up
from msctl.state import NO_AUTHORITY, NO_PASSWORD, GatewaySettings

NEW = World().settings_made
OLD = "01d01d01d01d"


def up_with(settings: GatewaySettings) -> World:
    """The shop is up, and its settings are as they are said to be."""
    world = running(shop())
    world.settings = settings
    return world


def test_a_first_up_makes_what_is_missing_and_starts_the_gateway_with_it() -> None:
    """Certificate and passwords in a plan of their own, before anything is created."""
    stack = shop()
    world = World().have(*images_of(stack))
    due = {"admin": NO_PASSWORD}
    world.settings = GatewaySettings("", certificate_due="there is none", passwords_due=due)
    first, second = finish(MemoryEngine(world, stack))
    assert str(first) == lines(
        """
        #1 issue certificate of traefik, there is none
        #2 make password of admin, there is none
        """
    )
    assert "#5 write settings of traefik after #4\n#6 start shop_traefik" in str(second)
    assert world.settings.present == {NEW}
    assert str(planned(world, stack)) == ""


def test_a_gateway_that_starts_has_none_of_an_earlier_time() -> None:
    """What `down` left in the volume is ended before the gateway could read it."""
    stack = shop()
    world = World().have(*images_of(stack))
    world.settings = GatewaySettings(NEW, present=frozenset({OLD}))
    finish(MemoryEngine(world, stack))
    assert world.settings.present == {NEW}


def test_new_settings_are_read_before_the_old_ones_end() -> None:
    """And nothing else is touched; it is over when an old password counts no more."""
    world = up_with(GatewaySettings(NEW, present=frozenset({OLD})))
    assert str(planned(world, shop())) == lines(
        """
        #1 write settings of traefik, they have changed
        #2 await settings of traefik after #1
        #3 end old settings of traefik, new ones are in force after #1 #2
        #4 await end of old settings of traefik after #3
        """
    )
    finish(MemoryEngine(world, shop()))
    assert world.settings.present == {NEW}


def test_old_settings_end_when_no_replica_needs_them_any_more() -> None:
    """Replicas that go may name a middleware that the new settings lack."""
    world = up_with(GatewaySettings(NEW, present=frozenset({OLD})))
    changed = shop(web={"env": {"A": "1"}}).services
    plan = planned(world, shop().replaced(services=changed))
    *before, last, awaited = plan.nodes
    assert last.step.verb == "end old settings of"
    assert (awaited.step.verb, awaited.after) == ("await end of old settings of", {last.id})
    others = [node for node in before if node.step.verb != "await routed"]
    assert last.after == {node.id for node in others}
    assert "remove" in {node.step.verb for node in others}


def test_named_services_leave_the_old_settings() -> None:
    """The others, which are not updated, may still need them."""
    world = up_with(GatewaySettings(NEW, present=frozenset({OLD})))
    verbs = [step.verb for step in planned(world, shop(), Up(services=("web",))).steps()]
    assert verbs == ["write settings of", "await settings of"]


def test_other_commands_leave_settings_alone() -> None:
    """They deploy no edited file; a gateway that is restarted keeps what it has."""
    world = up_with(GatewaySettings(NEW, present=frozenset({OLD})))
    before = world.settings
    finish(MemoryEngine(world, shop()), Scale({"api": 3}, cause="scale"))
    finish(MemoryEngine(world, shop()), Restart("traefik"))
    assert world.settings == before


def test_a_plan_that_is_only_shown_makes_nothing() -> None:
    """It tells what would be made, and what would be written of it."""
    world = up_with(GatewaySettings("", present=frozenset({OLD}), certificate_due="it ends"))
    before = world.settings
    first, second = MemoryEngine(world, shop()).plans(Up(dry_run=True))
    assert [step.verb for step in first.steps()] == ["issue certificate of"]
    assert [step.verb for step in second.steps()] == [
        "write settings of",
        "await settings of",
        "end old settings of",
        "await end of old settings of",
    ]
    assert world.settings == before


def test_a_gateway_whose_api_is_away_gets_them_all_the_same() -> None:
    """A certificate must not end because nobody can look."""
    world = up_with(GatewaySettings(NEW, present=frozenset({OLD})))
    world.gateway_answers = False
    plan = planned(world, shop())
    written, ended = [node for node in plan if "settings" in node.step.verb]
    assert (written.step.verb, ended.step.verb) == ("write settings of", "end old settings of")
    assert ended.after == {written.id}


def test_settings_that_are_wanted_no_more_end() -> None:
    """TLS was switched off, say."""
    world = up_with(GatewaySettings("", present=frozenset({OLD})))
    verbs = [step.verb for step in planned(world, shop()).steps()]
    assert verbs == ["end old settings of", "await end of old settings of"]
    assert replace(world.settings, present=frozenset()).unmade is False


def test_what_another_copy_of_the_stack_file_made_is_not_made_anew() -> None:
    """Who was given a password, or trusts the authority, would be locked out; files that are lost
    where they were made are made again."""
    due = {"alice": NO_PASSWORD}
    lost = GatewaySettings("", frozenset({OLD}), NO_AUTHORITY, due)
    world = up_with(lost)
    message = "made, and here there is no authority, no password of alice"
    with pytest.raises(UsageProblem, match=message) as refused:
        next(MemoryEngine(world, shop(), "/home/bob/shop").plans(Up()))
    assert "copy /srv/shop/.msctl beside the stack file" in (refused.value.hint or "")
    assert planned(world, shop())
    world.settings = GatewaySettings("", frozenset({OLD}), "it ends on 2026-01-01")
    assert next(MemoryEngine(world, shop(), "/home/bob/shop").plans(Up()))
