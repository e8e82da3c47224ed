"""Podman, which speaks Docker's API: what it tells otherwise, and what is refused there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from msctl import doctor
from msctl.engines.compose import labels
from msctl.engines.compose.api.client import Client
from msctl.engines.compose.deeds import building, buildx
from msctl.engines.compose.deeds.order import Order
from msctl.engines.compose.desired import desired
from msctl.engines.compose.observing.observe import Observer, engine_info
from msctl.engines.compose.planning.machine import check_machine
from msctl.errors import UsageProblem
from msctl.model import Operator, Stack
from msctl.state import PODMAN, EngineInfo, Health, StackState

PLACE = "unix:///run/podman/podman.sock"
SHOP = {"web": {"image": "web", "port": 80, "routes": ["/"]}}


def row(name: str, health: str = "", asked: str = "acme/web:1") -> dict[str, Any]:
    """Of Podman's list; `health` is what it knows, and does not say."""
    revision = json.dumps({"service": {"image": asked}})
    return {
        "Id": name, "Names": [f"/{name}"], "Image": "docker.io/acme/web:1", "ImageID": "sha256:1",
        "State": "running", "Status": "Up 5 minutes", "Labels": {labels.REVISION: revision},
        "known": health,
    }  # fmt: skip


@dataclass
class Podman:
    """A client of Podman, and the API that it hands out."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    options: tuple[str, ...] = ("name=seccomp,profile=default",)
    name: str = "Podman Engine"
    address: str = PLACE
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def version(self) -> dict[str, Any]:
        parts = [{"Name": self.name}, {"Name": "Conmon"}]
        return {"Version": "5.4.2", "ApiVersion": "1.41", "Components": parts}

    def call(self, request: Callable[[Any], Any]) -> Any:
        return request(self)

    def info(self) -> dict[str, Any]:
        options = list(self.options)
        return {"NCPU": 2, "MemTotal": 2**34, "CgroupDriver": "systemd", "SecurityOptions": options}

    def containers(self, *, all: bool, filters: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: ARG002
        self.asked.append(filters)
        wanted = filters.get("health")
        return [one for one in self.rows if wanted is None or one["known"] in wanted]


def told_by(podman: Podman) -> EngineInfo:
    return engine_info(cast("Any", podman))


def seen_by(podman: Podman) -> list[tuple[str, Health, str]]:
    observer = Observer(cast("Any", podman), "shop", None)
    return [(one.name, one.health, one.image) for one in observer.containers()]


def test_health_is_asked_for_where_the_list_does_not_tell_it() -> None:
    """An unhealthy replica that counts as one without a check would count as healthy."""
    rows = [row("a", "healthy"), row("b", "unhealthy"), row("c", "starting"), row("d")]
    podman = Podman(rows)
    assert [health for _, health, _ in seen_by(podman)] == [
        Health.HEALTHY, Health.UNHEALTHY, Health.STARTING, Health.NONE,
    ]  # fmt: skip
    assert all(list(one["label"]) == [f"{labels.PROJECT}=shop"] for one in podman.asked)
    docker = Podman(rows, name="Engine")
    seen_by(docker)
    assert len(docker.asked) == 1


@pytest.mark.parametrize("word", ["stopped", "exited"])
def test_a_job_that_has_ended_is_done(word: str) -> None:
    """Whether or not Podman has cleaned up behind it."""
    ended = {**row("a"), "State": word, "Status": "Exited (0) 5 seconds ago"}
    (found,) = Observer(cast("Any", Podman([ended])), "shop", None).containers()
    assert (found.state, found.exit_code) == ("exited", 0)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("acme/web:1", "acme/web:1"),
        ("docker.io/acme/web:1", "docker.io/acme/web:1"),
        ("web:1", "web:1"),
        ("b:1", "docker.io/acme/web:1"),
        ("acme/web:2", "docker.io/acme/web:1"),
    ],
)
def test_an_image_is_named_as_it_was_asked_for(asked: str, shown: str) -> None:
    """Else every replica would seem to run another image than the file's; what does, shows."""
    assert seen_by(Podman([row("a", asked=asked)])) == [("a", Health.NONE, shown)]


def test_a_container_that_msctl_did_not_make_is_told_as_it_is() -> None:
    """Without labels, or with one that is not ours."""
    rows = [{**row("a"), "Labels": None}, {**row("b"), "Labels": {labels.REVISION: "[]"}}]
    assert [image for *_, image in seen_by(Podman(rows))] == ["docker.io/acme/web:1"] * 2


def test_doctor_calls_it_by_its_name() -> None:
    """What is said of Docker's versions is not said of Podman's."""
    assert doctor.of_engine(told_by(Podman())).message == (
        f"Podman 5.4.2 at {PLACE} (API 1.41), 2 CPUs, 16.0 GiB"
    )
    assert told_by(Podman(name="Engine")).product == "Docker"


def checked(podman: Podman, **top: Any) -> None:
    stack = Stack.read({"name": "shop", "services": SHOP, **top})
    stack = stack.of_operator(Operator("/srv/shop/stack.yaml", "0:0", "/run/locks", "own"))
    whole = desired(stack, "/srv/shop", lambda *_: "")
    check_machine(whole, StackState("shop", told_by(podman), (), {}, {}, {}))


def test_its_socket_has_to_be_named() -> None:
    """It would make an empty folder of the one that is not there, and the gateway hear nothing."""
    with pytest.raises(UsageProblem, match=f"is {PODMAN}, and its socket is not") as caught:
        checked(Podman())
    assert caught.value.hint == (
        "in the stack file, under gateway, write: socket: /run/podman/podman.sock"
    )
    checked(Podman(), gateway={"socket": "/run/podman/podman.sock"})
    checked(Podman(address="unix:///var/run/docker.sock"))  # as podman-docker has it
    checked(Podman(name="Engine"))


def test_under_selinux_a_proxy_is_refused_before_anything_is_made() -> None:
    """Of Podman, which always has it on; the gateway may have the socket by itself."""
    podman = Podman(options=("name=selinux",), address="unix:///var/run/docker.sock")
    with pytest.raises(UsageProblem, match="under SELinux, which keeps socket-proxy") as caught:
        checked(podman)
    assert "security_opt: [label=disable" in (caught.value.hint or "")
    around = {"socket_proxy": False, "security_opt": ["label=disable", "no-new-privileges:true"]}
    checked(podman, gateway=around)
    with pytest.raises(UsageProblem, match="keeps autoscaler-proxy from its socket"):
        checked(podman, gateway=around, autoscaler={"enabled": True}, services=AUTOSCALED)


AUTOSCALED = {"web": {**SHOP["web"], "autoscale": {"min": 1, "max": 3, "rps": 50}}}


def test_its_own_builder_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """buildx would look for a BuildKit that Podman does not have."""
    monkeypatch.setattr(buildx, "find", lambda _: Path("/usr/bin/docker-buildx"))
    monkeypatch.setattr(building, "_of_the_engine", lambda *_: iter(["STEP 1/1"]))
    told: list[str] = []
    podman = cast("Client", Podman())
    monkeypatch.setattr(Podman, "environ", {}, raising=False)
    building.build(podman, Order("web", given=b"FROM scratch"), told.append)
    assert told == ["STEP 1/1"]
