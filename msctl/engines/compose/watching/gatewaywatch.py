"""Tells when the gateway has caught up; its API has no event stream, so it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from msctl.engines.compose.api.client import Client
from msctl.engines.compose.deeds.gatewayfiles import GatewayFiles, server_url
from msctl.engines.compose.observing.logs import last_lines
from msctl.engines.compose.planning.pinning import url_of
from msctl.engines.compose.servers import Server
from msctl.engines.compose.settingsteps import AwaitSettings, AwaitSettingsEnd
from msctl.engines.compose.steps import (
    AwaitPinned,
    AwaitProbe,
    AwaitRouted,
    AwaitServers,
    AwaitUnpinned,
)
from msctl.errors import StepFailed
from msctl.gateway import GatewayApi, GatewaySilent, status_of
from msctl.model import GATEWAY, SOCKET_PROXY
from msctl.plan import Wait
from msctl.render.traefik.pins import gateway_name, probe_path
from msctl.render.traefik.settings import gateway_name as settings_name
from msctl.state import Replica

PACE = 0.05
"""Seconds between two questions to the gateway's API, at the least."""
PROBE_TIMEOUT = 2.0
"""Seconds that a new replica has to answer a probe."""
GATEWAY_WAITS = (
    AwaitRouted,
    AwaitPinned,
    AwaitUnpinned,
    AwaitServers,
    AwaitProbe,
    AwaitSettings,
    AwaitSettingsEnd,
)


_READ, _SHOWN = 200, 5
"""Lines of its log that are looked through when it did not catch up, and of these shown."""


class GatewayWatch:
    """The gateway's view of servers, not older than `PACE`."""

    def __init__(
        self,
        client: Client,
        url: str | None,
        files: GatewayFiles,
        containers: Callable[[], Iterable[Replica]],
    ) -> None:
        self._containers = containers
        self._client = client
        self._files = files
        self._api = GatewayApi(url) if url else None
        self._servers: Mapping[str, Mapping[str, str]] = {}
        self._error = "it was not asked yet"
        self._asked = 0.0
        self._urls: dict[Server, str] = {}
        self._probe_answers: dict[str, str] = {}

    def close(self) -> None:
        if self._api is not None:
            self._api.__exit__()

    def reached(self, wait: Wait) -> bool:
        self._ask()
        if self._error:
            return False
        match wait:
            case AwaitRouted():
                server = Server(wait.target, wait.network, wait.port)
                return self._listed(f"{wait.service}@docker").get(self._url(server)) == "UP"
            case AwaitPinned():
                name = gateway_name(wait.service, wait.slot)
                expected = {self._url(server) for server in wait.servers}
                return name in self._servers and self._servers[name].keys() == expected
            case AwaitUnpinned():
                return gateway_name(wait.service, wait.slot) not in self._servers
            case AwaitServers():
                return self._lists_the_living(wait)
            case AwaitProbe():
                return self._answers(wait)
            case AwaitSettings():
                return settings_name(wait.digest) in self._servers
            case AwaitSettingsEnd():
                return settings_name(wait.digest) not in self._servers
        raise TypeError(f"the gateway cannot tell of {type(wait).__name__}")

    def why_not(self, wait: Wait) -> StepFailed:
        within = f"within {wait.timeout:g}s"
        if self._error:
            reason = f"its API does not answer: {self._error}"
        elif isinstance(wait, AwaitProbe):
            reason = self._probe_answers.get(wait.target, "no answer")
        else:
            listed = {
                name: dict(servers)
                for name, servers in self._servers.items()
                if name.startswith((f"{wait.service}@", f"{wait.service}-"))
            }
            reason = f"it lists {listed or 'nothing'}"
        around = [c for c in self._containers() if c.service in (GATEWAY, SOCKET_PROXY)]
        return StepFailed(
            f"the gateway did not get so far: {wait.line()} {within}: {reason}{_deaf(around)}",
            hint="msctl routes shows what it has; msctl logs traefik tells why",
            log=[line for container in around for line in self._last_words(container)],
        )

    def _last_words(self, container: Replica) -> list[str]:
        """What it wrote last, without the requests that it served."""
        lines = last_lines(self._client, container.name, _READ)
        told = [line for line in lines if not line.startswith("{")]
        return [f"{container.service}: {line}" for line in told[-_SHOWN:]]

    def _running(self, service: str) -> list[Replica]:
        return [c for c in self._containers() if c.service == service and c.running]

    def _listed(self, name: str) -> Mapping[str, str]:
        return self._servers.get(name, {})

    def _ask(self) -> None:
        now = time.monotonic()
        if self._api is None or now - self._asked < PACE:
            return
        self._asked = now
        try:
            self._servers, self._error = self._api.servers(), ""
        except GatewaySilent as error:
            self._error = str(error)

    def _lists_the_living(self, wait: AwaitServers) -> bool:
        listed = self._listed(f"{wait.service}@docker").keys()
        if not listed >= {self._url(server) for server in wait.servers}:
            return False
        return listed <= {url_of(replica) for replica in self._running(wait.service)}

    def _url(self, server: Server) -> str:
        """A server's URL; one that does not run (yet) has none that the gateway could list."""
        if server not in self._urls:
            try:
                self._urls[server] = server_url(self._client, server)
            except StepFailed:
                return f"http://{server.container}"
        return self._urls[server]

    def _answers(self, wait: AwaitProbe) -> bool:
        url = self._files.probe_url()
        if url is None:
            raise StepFailed(f"cannot probe {wait.target}: the gateway has no port for probes")
        try:
            status = status_of(url + probe_path(wait.target), PROBE_TIMEOUT)
        except GatewaySilent as error:
            self._probe_answers[wait.target] = str(error)
            return False
        self._probe_answers[wait.target] = f"it answered {status}"
        return 200 <= status < 400


def _deaf(around: Iterable[Replica]) -> str:
    """Where the gateway cannot hear of containers: what is wrong with its proxy."""
    proxies = [c for c in around if c.service == SOCKET_PROXY and not c.healthy]
    ill = [f"{c.name} is {c.health if c.running else c.state}" for c in proxies]
    return f"; {', '.join(ill)}, and it hears of changes by that alone" if ill else ""
