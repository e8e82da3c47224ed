"""What `up` does about what is in the project, but not in the file."""

from __future__ import annotations

from memory import MemoryEngine, finish, lines, planned, running
from memory.stacks import stack_of

from msctl.request import Up


def test_what_left_the_file_is_removed() -> None:
    """Containers and intents of a service that was taken out of the file go."""
    world = running(stack_of({"web": {}, "old": {}}))
    stack = stack_of({"web": {}})
    assert str(planned(world, stack)) == lines(
        """
        #1 stop shop-old-1, it left the file
        #2 remove shop-old-1, it left the file after #1
        """
    )


def test_a_host_port_is_free_before_a_renamed_service_takes_it() -> None:
    """What left the file goes before a service starts that publishes the same port."""
    world = running(stack_of({"web": {"ports": ["8080:80"]}}))
    stack = stack_of({"site": {"image": "web:1", "ports": ["8080:80"]}})
    assert str(planned(world, stack)) == lines(
        """
        #1 stop shop-web-1, it left the file
        #2 remove shop-web-1, it left the file after #1
        #3 create shop-site-1, it is not there
        #4 start shop-site-1, it is not there after #2 #3
        #5 await healthy shop-site-1 after #4
        """
    )
    finish(MemoryEngine(world, stack))


def test_what_is_foreign_in_the_project_is_named_and_kept() -> None:
    """A container that msctl did not make, of a service that the file does not name, stays."""
    world = running(stack_of({"web": {}, "tool": {}}))
    world.disown()
    plan = planned(world, stack_of({"web": {}}))
    assert (str(plan), plan.notes) == (
        "",
        (
            "shop-tool-1 is in the project but neither made by msctl nor in the file; it is kept "
            "(--remove-orphans removes it)",
        ),
    )


def test_remove_orphans_removes_what_is_foreign() -> None:
    """`--remove-orphans` removes the project's containers that nobody knows."""
    world = running(stack_of({"web": {}, "tool": {}}))
    world.disown()
    plan = planned(world, stack_of({"web": {}}), Up(remove_orphans=True))
    assert (str(plan), plan.notes) == (
        lines(
            """
        #1 stop shop-tool-1, --remove-orphans
        #2 remove shop-tool-1, --remove-orphans after #1
        """
        ),
        (),
    )


def test_what_left_the_file_lets_its_previous_image_go() -> None:
    """Nobody can roll back to it any more; the tag would keep it on the disk for ever."""
    world = running(stack_of({"old": {}, "web": {}}))
    finish(MemoryEngine(world, stack_of({"old": {"env": {"A": "1"}}, "web": {}})))
    assert "shop-old:previous" in world.kept
    finish(MemoryEngine(world, stack_of({"web": {}})))
    assert "shop-old:previous" not in world.kept
    assert world.named("old") == []
