"""Tells when a wait is over, or that it never will be."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msctl.engines.compose.api.client import MISSING, Client, EngineFault
from msctl.engines.compose.deeds.gatewayfiles import GatewayFiles
from msctl.engines.compose.observing.logs import last_lines
from msctl.engines.compose.observing.observe import Observer
from msctl.engines.compose.steps import (
    AwaitCheck,
    AwaitCompleted,
    AwaitHealthy,
    AwaitSteady,
    Drain,
)
from msctl.engines.compose.watching.checks import Checks
from msctl.engines.compose.watching.gatewaywatch import GATEWAY_WAITS, GatewayWatch
from msctl.engines.compose.watching.lives import PROBED, SETTLE, Life, Lives
from msctl.errors import StepFailed
from msctl.plan import Wait
from msctl.state import Health

DEATHS = 3
"""Deaths after which a container that its engine keeps restarting is given up."""
_NO_PROBE = ("msctl: ", "executable file not found", "no such file or directory")
"""What the output of a health check that can never succeed contains."""
_NOT_RUN = ("msctl: ", "OCI runtime exec failed")
"""How it begins where it is the check itself that could not be run."""


class ContainerWatch:
    """The executor's view of the engine. Entered, asked and left by one thread."""

    def __init__(
        self,
        client: Client,
        observer: Observer,
        files: GatewayFiles,
        changed: Callable[[], None],
    ) -> None:
        self._client = client
        self._lives = Lives(client, observer.project, changed)
        self._checks = Checks(client, changed)
        self._gateway = GatewayWatch(client, observer.gateway_url, files, observer.containers)
        self._begun: dict[int, float] = {}
        """When each wait for a span of time began; two drains of a service in one plan are equal,
        but not the same."""
        self._lasting: set[tuple[str, str]] = set()
        """Services and versions of which a replica without a health check has kept running."""

    def __enter__(self) -> ContainerWatch:
        self._lives.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._checks.close()
        self._lives.close()
        self._gateway.close()

    # Telling

    def reached(self, wait: Wait) -> bool:
        if self._lives.fault is not None:
            raise self._lives.fault
        match wait:
            case AwaitCheck():
                return self._is_healthy(wait) or self._passes(wait)
            case AwaitHealthy():
                return self._is_healthy(wait)
            case AwaitCompleted():
                return self._is_completed(wait)
            case AwaitSteady():
                return self._is_healthy(wait) and self._has_passed(wait)
            case Drain():
                return self._has_passed(wait)
        if isinstance(wait, GATEWAY_WAITS):
            return self._gateway.reached(wait)
        raise TypeError(f"cannot wait for {type(wait).__name__}")

    def _has_passed(self, wait: AwaitSteady | Drain) -> bool:
        begun = self._begun.setdefault(id(wait), time.monotonic())
        return time.monotonic() - begun >= wait.seconds

    def _passes(self, wait: AwaitCheck) -> bool:
        life = self._lives.of(wait.target)
        return life is not None and life.running and self._checks.passed(life.id, wait.filled)

    def _is_healthy(self, wait: AwaitHealthy | AwaitSteady) -> bool:
        life = self._lives.of(wait.target)
        if life is None:
            return False
        if not life.running or (isinstance(wait, AwaitSteady) and life.deaths):
            self._refuse_the_dead(wait, life)
            return False
        if life.health is Health.UNHEALTHY:
            self._refuse_the_unprobeable(wait, self._last_check(wait.target))
        elif wait.checked and not life.probed and time.monotonic() - life.since >= PROBED:
            life.probed = True
            if (output := self._last_check(wait.target)).startswith(_NOT_RUN):
                self._refuse_the_unprobeable(wait, output)
        if wait.checked:
            return life.health is Health.HEALTHY
        return self._keeps_running(wait, life)

    def _keeps_running(self, wait: AwaitHealthy | AwaitSteady, life: Life) -> bool:
        """A version that does not last is found out by its first replica; the others, which start
        later, are not waited for as long again."""
        lasts = time.monotonic() - life.since >= SETTLE
        if isinstance(wait, AwaitSteady):
            return lasts
        version = (wait.service, wait.version)
        if lasts:
            self._lasting.add(version)
        return lasts or (version in self._lasting and not life.deaths)

    def _refuse_the_dead(self, wait: AwaitHealthy | AwaitSteady, life: Life) -> None:
        state = self._inspect(wait.target).get("State", {})
        lives = state.get("Restarting") or state.get("Running")
        steady = isinstance(wait, AwaitSteady)
        patience = 1 if steady else DEATHS
        if state.get("Status") == "created" or (lives and life.deaths < patience):
            return
        code = state.get("ExitCode") if life.code is None else life.code
        times = f", {life.deaths} times" if life.deaths > 1 else ""
        raise StepFailed(
            f"{wait.target} ended with status {code}{times}"
            + (", after it had been healthy" if steady else ""),
            hint=f"msctl logs {wait.service}",
            log=last_lines(self._client, wait.target),
        )

    def _refuse_the_unprobeable(self, wait: Wait, output: str) -> None:
        """A health check that the image cannot run does not get better by waiting."""
        if any(sign in output for sign in _NO_PROBE):
            raise StepFailed(
                f"{wait.target}: the image cannot run its health check: {output}",
                hint=f"set services.{wait.service}.health.command: none in the stack file, "
                "or a command that the image has",
            )

    def _is_completed(self, wait: AwaitCompleted) -> bool:
        life = self._lives.of(wait.target)
        if life is None or life.running:
            return False
        state = self._inspect(wait.target).get("State", {})
        if state.get("Restarting") or state.get("Running") or state.get("Status") == "created":
            return False
        if state.get("ExitCode") == 0:
            return True
        raise StepFailed(
            f"job {wait.target} failed with status {state.get('ExitCode')}",
            hint=f"msctl logs {wait.service}; msctl up runs it again",
            log=last_lines(self._client, wait.target),
        )

    # Explaining

    def progress(self, wait: Wait) -> str | None:  # noqa: ARG002
        """A container is healthy or not: there is nothing between."""
        return None

    def why_not(self, wait: Wait) -> StepFailed:
        within = f"within {wait.timeout:g}s"
        if isinstance(wait, GATEWAY_WAITS):
            return self._gateway.why_not(wait)
        if isinstance(wait, AwaitCompleted):
            return StepFailed(
                f"job {wait.target} did not end {within}",
                hint=f"set services.{wait.service}.rollout.health_timeout, or --timeout",
                log=last_lines(self._client, wait.target),
            )
        check = self._last_check(wait.target)
        return StepFailed(
            f"{wait.target} did not become healthy {within}"
            + (f": its last check said: {check}" if check else "")
            + "; it was left running",
            hint=f"msctl logs {wait.service}",
            log=last_lines(self._client, wait.target),
        )

    def _last_check(self, name: str) -> str:
        checks = ((self._inspect(name).get("State") or {}).get("Health") or {}).get("Log") or []
        output = (checks[-1].get("Output") or "").strip() if checks else ""
        return " ".join(output.split())[:200]

    def _inspect(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._client.call(lambda api: api.inspect_container(name))
        except EngineFault as fault:
            if fault.status == MISSING:
                raise StepFailed(f"{name} was removed by somebody else") from fault
            raise
        return found
