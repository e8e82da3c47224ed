"""Commands in containers, on an engine that says of them what a test has it say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from msctl.engines.compose.api.client import Client, EngineFault

HEAD = b"\x01\x00\x00\x00\x00\x00\x00\x02"


class Api:
    def __init__(self, status: int | None) -> None:
        self.status = status
        self.read = 0

    def exec_create(self, container: str, words: list[str]) -> dict[str, str]:
        assert (container, words) == ("web", ["check"])
        return {"Id": "c0ffee"}

    def exec_output(self, command: str) -> Iterator[bytes]:
        assert command == "c0ffee"
        for part in (HEAD + b"no", HEAD + b"!!"):
            self.read += 1
            yield part

    def exec_inspect(self, command: str) -> dict[str, int | None]:
        assert command == "c0ffee"
        return {"ExitCode": self.status}


def client_of(api: Api, monkeypatch: pytest.MonkeyPatch) -> Client:
    def call(request: Callable[[Any], Any], *_: object) -> Any:
        return request(api)

    client = Client({"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    monkeypatch.setattr(client, "call", call)
    return client


@pytest.mark.parametrize("status", [0, 7])
def test_a_command_has_a_status_and_a_beginning(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it says is read, and no more than the beginning kept."""
    api = Api(status)
    assert client_of(api, monkeypatch).run("web", ["check"], 5) == (status, "no")
    assert api.read == 2


def test_a_command_without_a_status_has_not_succeeded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineFault, match="has not ended"):
        client_of(Api(None), monkeypatch).run("web", ["check"], 5)
