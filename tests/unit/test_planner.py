"""What `up` refuses before anything is created, and which images it provides."""

from __future__ import annotations

from typing import Any

import pytest
from memory import MemoryEngine, World, finish, images_of, lines, planned, running
from memory.runs import run
from memory.stacks import stack_of

from msctl.errors import ImageUnavailable, MsctlError, UsageProblem
from msctl.model import Stack
from msctl.request import Up
from msctl.state import ImageState


def images_plan(world: World, stack: Stack, request: Up | None = None) -> str:
    return str(next(MemoryEngine(world, stack).plans(request or Up())))


def refused(world: World, stack: Stack, request: Up | None = None) -> MsctlError:
    """The error of a request that changes nothing."""
    before = world.snapshot()
    with pytest.raises(MsctlError) as caught:
        finish(MemoryEngine(world, stack), request or Up())
    assert world.snapshot()[0] == before[0]
    return caught.value


# The machine


def test_more_cpus_than_the_machine_has_are_refused() -> None:
    """A limit that the engine would refuse is found before anything is created."""
    error = refused(World(cpus=2).have("web:1"), stack_of({"web": {"resources": {"cpus": 2.5}}}))
    assert isinstance(error, UsageProblem)
    assert error.message == (
        "services.web.resources.cpus: 2.5 is more than the 2 CPUs of the machine"
    )


def test_all_cpus_of_the_machine_are_allowed() -> None:
    """A limit may be as large as the machine."""
    world = running(stack_of({"web": {"resources": {"cpus": 2}}}), World(cpus=2))
    (web,) = world.containers.values()
    assert web.body["HostConfig"]["NanoCpus"] == 2e9


PORTS: list[tuple[Any, str]] = [
    ("8080:80", "8080/tcp"),
    ("127.0.0.1:8080:80", "127.0.0.1:8080/tcp"),
]


@pytest.mark.parametrize(("port", "shown"), PORTS)
def test_a_port_that_a_process_holds_is_refused_with_its_name(port: str, shown: str) -> None:
    """A taken port is an error that names who holds it, before anything is created."""
    world = World(processes={(8080, "tcp"): "nginx (pid 42)"}).have("web:1")
    error = refused(world, stack_of({"web": {"ports": [port]}}))
    assert error.exit_status == 1
    assert error.message == f"web publishes port {shown}, which is taken by nginx (pid 42)"
    assert error.hint == ("nothing was changed; stop it, or choose another port in the stack file")


def test_a_port_of_another_project_is_refused_with_its_container() -> None:
    """A container of another project that publishes the port is named."""
    world = running(stack_of({"web": {"ports": ["8080:80"]}}))
    other = Stack.read(
        {"name": "other", "services": {"site": {"image": "web:1", "ports": ["8080:80"]}}}
    )
    error = refused(world, other)
    assert error.message == ("site publishes port 8080/tcp, which is taken by container shop-web-1")


@pytest.mark.parametrize(
    "request_", [Up(), Up(services=("web",)), Up(("web",), remove_orphans=True)]
)
def test_a_port_of_a_stranger_in_the_project_is_refused(request_: Up) -> None:
    """What is kept keeps its port: the container is named, and what removes it."""
    world = running(stack_of({"tool": {"ports": ["8080:80"]}})).have("web:1")
    world.disown()
    error = refused(world, stack_of({"web": {"ports": ["127.0.0.1:8080:80"]}}), request_)
    assert error.message == (
        "web publishes port 127.0.0.1:8080/tcp, which is taken by container shop-tool-1, which is "
        "in the project but neither made by msctl nor in the file"
    )
    assert error.hint == (
        "nothing was changed; msctl up --remove-orphans removes it, docker stop shop-tool-1 stops "
        "it"
    )


def test_a_port_of_a_stranger_that_goes_is_waited_for() -> None:
    """`--remove-orphans` frees it before it is published again: the file's own Traefik, say."""
    world = running(stack_of({"tool": {"ports": ["8080:80"]}})).have("web:1")
    world.disown()
    stack = stack_of({"web": {"ports": ["8080:80"]}})
    plan = str(planned(world, stack, Up(remove_orphans=True)))
    removal = next(line for line in plan.splitlines() if "remove shop-tool-1" in line)
    start = next(line for line in plan.splitlines() if "start shop-web-1" in line)
    assert removal.split()[0] in start.split(" after ")[1].split()
    finish(MemoryEngine(world, stack), Up(remove_orphans=True))


def test_a_port_of_what_is_not_updated_is_refused() -> None:
    """`up SERVICE` leaves others as they are, with their ports."""
    old = stack_of({"web": {}, "api": {"ports": ["8080:80"]}})
    moved = stack_of({"web": {"ports": ["8080:80"]}, "api": {}})
    error = refused(running(old), moved, Up(services=("web",)))
    assert error.hint == "nothing was changed; msctl up web api updates both"
    left = stack_of({"web": {"ports": ["8080:80"]}})
    error = refused(running(old), left, Up(services=("web",)))
    assert "msctl up, without a service, removes what left the file" in (error.hint or "")


def test_a_port_that_moves_is_waited_for() -> None:
    """From a service to one before it in the file, and through a chain of them."""
    old = stack_of({"a": {}, "b": {"ports": ["8080:80"]}, "c": {"ports": ["8081:80"]}})
    moved = stack_of({"a": {"ports": ["8080:80"]}, "b": {"ports": ["8081:80"]}, "c": {}})
    world = running(old)
    lines = str(planned(world, moved)).splitlines()
    for giver, taker in (("b", "a"), ("c", "b")):
        removal = next(line for line in lines if f"remove shop-{giver}-1" in line)
        # the old one of the taker makes room too, and only when the port is free
        stop = next(line for line in lines if f"stop shop-{taker}-1" in line)
        assert removal.split()[0] in stop.split(" after ")[1].split()
    finish(MemoryEngine(world, moved), Up())


def test_ports_that_change_places_cannot_be_waited_for() -> None:
    """Nothing is changed, and what to stop is named."""
    old = stack_of({"a": {"ports": ["8080:80"]}, "b": {"ports": ["8081:80"], "needs": ["a"]}})
    moved = stack_of({"a": {"ports": ["8081:80"]}, "b": {"ports": ["8080:80"], "needs": ["a"]}})
    error = refused(running(old), moved)
    assert error.message == (
        "a publishes port 8081/tcp, which is taken by container shop-b-1, which has to wait for a"
    )
    assert error.hint == "nothing was changed; docker stop shop-b-1 frees it, and then: msctl up"


def test_two_ports_that_change_places_are_refused() -> None:
    """Each alone could be waited for; neither can while the other one is."""
    old = stack_of({"a": {"ports": ["8080:80"]}, "b": {"ports": ["8081:80"]}})
    moved = stack_of({"a": {"ports": ["8081:80"]}, "b": {"ports": ["8080:80"]}})
    error = refused(running(old), moved)
    assert "which has to wait for" in error.message
    assert error.hint is not None
    assert "docker stop shop-" in error.hint


def test_a_port_that_the_gateway_takes_from_what_it_leads_to() -> None:
    """The service waits for the gateway, so that the gateway cannot wait for it."""
    old = stack_of({"web": {"ports": ["80:80"]}})
    moved = stack_of({"web": {"port": 80, "routes": ["/"]}})
    error = refused(running(old), moved)
    assert error.message.startswith("traefik publishes port 80/tcp, which is taken by")
    assert "docker stop shop-web-1 frees it" in (error.hint or "")


def test_the_stacks_own_ports_are_not_taken() -> None:
    """A port that this stack publishes itself is no obstacle to its `up`."""
    stack = stack_of({"web": {"ports": ["8080:80"]}})
    assert str(planned(running(stack), stack)) == ""


def test_the_same_port_of_another_protocol_is_free() -> None:
    """UDP and TCP do not take each other's ports."""
    world = World(processes={(53, "udp"): "dnsmasq"}).have("web:1")
    running(stack_of({"web": {"ports": ["53:53/tcp"]}}), world)
    (web,) = world.containers.values()
    assert web.published() == [("0.0.0.0", 53, "tcp")]


def test_a_missing_mounted_file_is_refused() -> None:
    """What a container would read from the host has to be there."""
    error = refused(World().have("web:1"), stack_of({"web": {"volumes": ["./no.conf:/c:ro"]}}))
    assert error.message == "services.web.volumes: /srv/shop/no.conf is not there"


# Images


def test_an_image_that_cannot_be_had_ends_up_before_anything_is_created() -> None:
    """Not present, not to be pulled and without a build: an error with nothing made."""
    stack = stack_of({"web": {}, "api": {}})
    world = World().have("api:1")
    engine = MemoryEngine(world, stack)
    plans = engine.plans(Up())
    outcome = run(engine, next(plans))
    assert [str(error) for error in outcome.failures.values()] == [
        "image web:1 cannot be pulled: no such host"
    ]
    with pytest.raises(ImageUnavailable) as caught:
        next(plans)
    assert caught.value.message == (
        "web: image web:1 cannot be had: image web:1 cannot be pulled: no such host"
    )
    assert world.containers == {}
    assert world.networks == {}


def test_an_optional_service_without_image_is_left_out_with_a_line() -> None:
    """What may be left out is left out, and what needs it goes on without."""
    stack = stack_of({"web": {"needs": ["extra"]}, "extra": {"optional": True}})
    world = World().have("web:1")
    plans = finish(MemoryEngine(world, stack))
    assert plans[-1].notes == ("extra is left out: image extra:1 cannot be pulled: no such host",)
    assert world.named() == ["shop-web-1"]


def test_an_optional_service_comes_as_soon_as_its_image_is_there() -> None:
    """What was left out once is started by the next `up` that finds its image."""
    stack = stack_of({"web": {"needs": ["extra"]}, "extra": {"optional": True}})
    world = World().have("web:1")
    finish(MemoryEngine(world, stack))
    world.registry["extra:1"] = ImageState("sha256:extra", stand_in=False)
    assert str(planned(world, stack)) == lines(
        """
        #1 create shop-extra-1, it is not there
        #2 start shop-extra-1, it is not there after #1
        #3 await healthy shop-extra-1 after #2
        """
    )


def test_pull_asks_for_every_image_and_replaces_what_changed() -> None:
    """`--pull` pulls present images too; a new one replaces the replicas of its service only."""
    stack = stack_of({"web": {}, "api": {}})
    world = running(stack)
    assert images_plan(world, stack, Up(pull=True)) == lines(
        """
        #1 provide image web:1, --pull
        #2 provide image api:1, --pull
        """
    )
    world.registry["web:1"] = ImageState("sha256:new", stand_in=False)
    plans = finish(MemoryEngine(world, stack), Up(pull=True))
    assert {step.service for step in plans[-1].steps()} == {"web"}


def test_build_builds_what_has_a_build() -> None:
    """`--build` builds present images too, where the file says how."""
    stack = stack_of({"web": {"build": "./web"}, "api": {}})
    world = running(stack)
    assert images_plan(world, stack, Up(build=True)) == lines(
        """
        #1 provide image web:1, --build
        """
    )


def test_only_the_images_of_named_services_are_asked_for() -> None:
    """`up SERVICE --pull` pulls the service's image, and what is missing of its needs."""
    stack = stack_of({"web": {"needs": ["db"]}, "db": {}, "other": {}})
    world = World(registry=World().have(*images_of(stack)).images).have("web:1", "other:1")
    assert images_plan(world, stack, Up(services=("web",), pull=True)) == lines(
        """
        #1 provide image web:1, --pull
        #2 provide image db:1, db needs it
        """
    )


def test_a_dry_run_plans_what_would_come_after_the_images() -> None:
    """`--dry-run` shows the whole way, though no image was fetched."""
    world = World()
    plans = list(MemoryEngine(world, stack_of({"web": {}})).plans(Up(dry_run=True)))
    assert "\n".join(map(str, plans)) == lines(
        """
        #1 provide image web:1, web needs it
        #1 create network shop_backend
        #2 create shop-web-1, it is not there after #1
        #3 start shop-web-1, it is not there after #2
        #4 await healthy shop-web-1 after #3
        """
    )
    assert world.log == []
