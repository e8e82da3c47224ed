"""What a step on the engine says where the engine refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from unittest.mock import MagicMock

import pytest

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.engines.compose.deeds.perform import Performer
from msctl.engines.compose.steps import RemoveNetwork
from msctl.errors import StepFailed


class Engine:
    """Refuses to remove a network, which these containers are in as it says."""

    def __init__(self, message: str, *names: str) -> None:
        self._message, self._names = message, names

    def call(self, request: Callable[[Any], Any]) -> Any:
        return request(self)

    def remove_network(self, _: str) -> None:
        raise EngineFault(self._message, 403)

    def inspect_network(self, _: str) -> dict[str, Any]:
        return {"Containers": {name: {"Name": name} for name in self._names}}


@pytest.mark.parametrize(
    ("engine", "message", "hint"),
    [
        (
            Engine("network n has active endpoints", "shop-tool-1"),
            "network n is in use by shop-tool-1",
            "docker network disconnect n shop-tool-1, then msctl down",
        ),
        (
            Engine("network n id 1 has active endpoints"),
            "network n: the engine counts containers that are gone",
            "it does so after many ended at once (Docker 20.10, seen with 200); restart the "
            "engine, then: msctl down",
        ),
        (Engine("no right to do so"), "cannot remove network n: no right to do so", None),
    ],
)
def test_a_network_that_stays(engine: Engine, message: str, hint: str | None) -> None:
    """Whoever is in it is named; where nobody is, the engine has lost count."""
    anything = MagicMock()
    performer = Performer(cast("Client", engine), anything, anything, anything)
    with pytest.raises(StepFailed) as failure:
        performer.perform(RemoveNetwork(target="n"), lambda _: None)
    assert (failure.value.message, failure.value.hint) == (message, hint)
