"""Whatever engine, gateway, Prometheus and containers say, nothing of it paints the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from memory import MemoryEngine
from terminal import SHOP, Terminal

from msctl.engines.base import LogLine
from msctl.errors import StepFailed
from msctl.plan import OutputLine, Step
from msctl.state import Certificate, Detail, EngineInfo, StackState, Usage

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202eevil\x00\x1b[8m"
"""A title, an erased screen, a colour, a line that begins anew, one that runs backwards."""
PAINTS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_KEYS = {
    "service",
    "state",
    "provider",
    "project",
    "id",
    "number",
    "revision",
    "previous",
    "config_hash",
}
"""What msctl itself goes by: with these changed it would show nothing at all."""


def evil(value: Any, name: str = "") -> Any:
    """The same, with escapes in every text that somebody else wrote."""
    if isinstance(value, str) and type(value) is str and name not in _KEYS:
        return f"{value}{EVIL}"
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: evil(getattr(value, f.name), f.name) for f in fields(value)}
        )
    if isinstance(value, tuple):
        return tuple(evil(item, name) for item in value)
    if isinstance(value, Mapping):
        return {key: evil(item, name) for key, item in value.items()}
    return value


class EvilEngine(MemoryEngine):
    """The machine in memory, as a hostile engine tells of it."""

    def info(self) -> EngineInfo:
        return evil(super().info())

    def observe(self, *, detail: bool = False) -> StackState:
        state = super().observe(detail=detail)
        unwell = Detail("2030-01-01T00:00:00Z", 7, True, 1.0, 1, f"{EVIL}failed {EVIL}")
        containers = [
            evil(replace(one, detail=unwell, reason="no")) if one.service != "traefik" else one
            for one in state.containers
        ]
        gateway = state.gateway and evil(state.gateway)
        return replace(state, containers=tuple(containers), gateway=gateway, engine=self.info())

    def usage(self, state: StackState) -> Mapping[str, Usage]:
        return {one.id: Usage(1.0, 1) for one in state.containers}

    def logs(self, services: tuple[str, ...], **_: Any) -> Iterator[LogLine]:  # type: ignore[override]
        for service in services or ("web", "traefik"):
            yield LogLine(f"shop-{service}-1{EVIL}", f"said {EVIL}", datetime.now(UTC))


def evil_prometheus(request: httpx.Request) -> httpx.Response:
    """Every figure of services and routers with such names."""
    kind = "vector" if request.url.path.endswith("query") else "matrix"
    figures = ("rps", "p50_ms", "p95_ms", "error_rate", "server_errors", "routers", "scraped")
    result = []
    for figure in figures:
        for name in (f"web{EVIL}", f"web{EVIL}@docker", "web", "web@docker"):
            metric = {"figure": figure, "name": name, "service": name, "router": name}
            value = [1893459600.0, "1"]
            result.append({"metric": metric, "value": value, "values": [value]})
    data = {"resultType": kind, "result": result}
    return httpx.Response(200, json={"status": "success", "data": data})


@pytest.fixture
def hostile(shop: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setattr(
        shop,
        "connect",
        lambda _name, loaded, *_: EvilEngine(shop.world, loaded.stack, str(loaded.folder)),
    )
    shop.prometheus = evil_prometheus
    shop.certificate = Certificate(None)
    return shop


COMMANDS = [
    "status", "status web", "status --load", "routes", "doctor", "logs", "logs --no-prefix",
    "metrics", "metrics web", "dashboard", "autoscale --once --dry-run",
]  # fmt: skip


@pytest.mark.parametrize("command", [*COMMANDS, *(f"{one} --json" for one in COMMANDS)])
def test_nothing_paints_the_terminal(hostile: Terminal, command: str) -> None:
    """Names, states, versions, outputs of health checks, labels, logs: in neutral form. In JSON
    they are told, as JSON writes them."""
    answer = hostile.msctl(*command.split())
    assert answer.status in (0, 1, 2), answer
    assert "internal error" not in answer.err
    for text in (answer.out, answer.err):
        assert (found := PAINTS.search(text)) is None, text[found.start() - 60 : found.end() + 20]
    if command.split()[0] in ("status", "routes", "doctor", "logs"):
        assert "evil" in answer.out
    if command == "status --load --json":
        checks = [r["last_check"] for s in answer.json["services"] for r in s["replicas"]]
        assert f"{EVIL}failed {EVIL}" in "".join(map(str, checks))


@pytest.mark.parametrize("answer", ["refuses", "breaks"])
def test_an_error_of_prometheus_paints_nothing(hostile: Terminal, answer: str) -> None:
    """Its words are quoted in neutral form."""

    def refuses(_: httpx.Request) -> httpx.Response:
        if answer == "breaks":
            raise httpx.ConnectError(f"broken {EVIL}")
        return httpx.Response(422, json={"status": "error", "error": f"refused {EVIL}"})

    hostile.prometheus = refuses
    found = hostile.msctl("metrics")
    assert found.status == 1
    assert "evil" in found.err
    assert PAINTS.search(found.out + found.err) is None


@pytest.mark.parametrize("command", ["up", "scale api 3", "rollout web", "down", "restart api"])
def test_a_fault_of_the_engine_paints_nothing(
    shop: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """What it gives as the reason of a step that failed."""

    def refuse(_: MemoryEngine, step: Step, tell: Callable[[str], None]) -> None:
        tell(OutputLine(f"building {EVIL}"))
        tell(f"pulling {EVIL}")
        raise StepFailed(f"no {step.target} {EVIL}", hint=f"try {EVIL}", log=(f"last {EVIL}",))

    monkeypatch.setattr(MemoryEngine, "perform", refuse)
    shop.write(SHOP.replace("image: web:1", "image: web:1\n    env: {A: b}"))
    answer = shop.msctl(*command.split())
    assert answer.status == 1
    assert "evil" in answer.err
    assert PAINTS.search(answer.out + answer.err) is None


@pytest.mark.parametrize(
    "words",
    [
        ["status", EVIL], ["scale", EVIL, "2"], ["scale", "api", EVIL], [f"--{EVIL}"], [EVIL],
        ["up", f"--timeout={EVIL}"], ["-f", EVIL, "status"], ["-p", EVIL, "status"],
        ["--engine", EVIL, "status"], ["render", EVIL], ["completion", EVIL],
        ["logs", "--tail", EVIL],
        ["add", EVIL], ["add", "x", "--path", EVIL, "--port", "80", "--image", "i"],
        ["import", EVIL], ["load-test", "web", "--path", EVIL], ["dashboard", EVIL],
        ["metrics", EVIL], ["secret", EVIL, "x"], ["--wait-lock", EVIL, "up"],
    ],
    ids=lambda words: " ".join(words).replace(EVIL, "EVIL"),
)  # fmt: skip
def test_what_was_typed_paints_nothing(shop: Terminal, words: list[str]) -> None:
    """It is quoted in neutral form, whoever finds it wrong."""
    words = [word.replace("\x00", "") for word in words]  # no argument can hold it
    answer = shop.msctl(*words)
    assert answer.status in (1, 2), answer
    assert "internal error" not in answer.err
    assert PAINTS.search(answer.out + answer.err) is None
