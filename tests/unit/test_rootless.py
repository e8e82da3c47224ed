"""What is different with an engine that a user runs: limits, folders and low ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import Mock

import pytest

from msctl import doctor
from msctl.engines.compose.api.client import EngineFault
from msctl.engines.compose.deeds.perform import Performer
from msctl.engines.compose.engine import ComposeEngine
from msctl.engines.compose.observing.observe import engine_info
from msctl.engines.compose.steps import StartContainer
from msctl.errors import StepFailed
from msctl.state import EngineInfo, StackState

ROOTLESS = {
    "ID": "1", "NCPU": 2, "MemTotal": 2**34, "CgroupDriver": "none",
    "DockerRootDir": "/home/op/.local/share/docker",
    "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"],
}  # fmt: skip
REFUSED = (
    "driver failed programming external connectivity: Error starting userland proxy: error while "
    "calling PortManager.AddPort(): cannot expose privileged port 80, you can add "
    "'net.ipv4.ip_unprivileged_port_start=80' to /etc/sysctl.conf (currently 1024)"
)


@dataclass
class Told:
    """A client whose engine tells this of itself, or refuses everything."""

    info: dict[str, Any] = field(default_factory=lambda: dict(ROOTLESS))
    fault: str = ""
    address: str = "unix:///run/user/1000/docker.sock"

    def version(self) -> dict[str, Any]:
        return {"Version": "20.10.24", "ApiVersion": "1.41"}

    def call(self, _request: Callable[[Any], Any]) -> dict[str, Any]:
        if self.fault:
            raise EngineFault(self.fault, 500)
        return self.info


def info(**told: Any) -> EngineInfo:
    return engine_info(cast("Any", Told({**ROOTLESS, **told})))


def test_an_engine_without_control_groups_is_named() -> None:
    """Limits of the stack file do not hold there, which somebody has to know."""
    without = info()
    assert (without.rootless, without.limits) == (True, False)
    assert without.folder == "/home/op/.local/share/docker"
    (finding,) = doctor.of_limits(without)
    assert (finding.area, finding.status) == ("limits", "warn")
    assert list(doctor.of_limits(info(CgroupDriver="systemd"))) == []


def test_nothing_is_measured_that_the_engine_cannot_tell_apart() -> None:
    """It would give what all containers take together for each of them: null, not a number."""
    state = StackState("shop", info(), (), {}, {}, {})
    assert ComposeEngine.usage(cast("Any", None), state) == {}


def test_a_low_port_that_a_user_may_not_have_is_explained() -> None:
    """With the port, and both ways out."""
    performer = Performer(*cast("Any", (Told(fault=REFUSED), Mock(), Mock(), Mock())))
    with pytest.raises(StepFailed, match="may not publish port 80") as caught:
        performer.perform(StartContainer(target="shop_traefik"), print)
    assert "gateway: http, https" in (caught.value.hint or "")
    assert "ip_unprivileged_port_start=80" in (caught.value.hint or "")
