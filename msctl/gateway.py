"""Traefik's API (`/api/http/…`, version 3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msctl.httpclient import Answer, Ask, HttpClient, NoAnswer
from msctl.state import GatewayView, Router

TIMEOUT = 2.0
"""Seconds after which the gateway is said not to answer."""
_PAGE = 1000
_MOST_PAGES = 100
_STRANGE = "the answer is not that of Traefik's API"


class GatewaySilent(Exception):
    """The gateway did not answer, or with something else than its API would."""


class GatewayApi:
    """Asks one gateway. Not to be shared between threads."""

    def __init__(self, url: str, *, ask: Ask | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = HttpClient(self.url, TIMEOUT, ask)

    def __enter__(self) -> GatewayApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def view(self) -> GatewayView:
        """Routers, and servers with their status; what is wrong is in `error`."""
        try:
            with _read():
                version = str(self._get("/api/version").json().get("Version", ""))
                routers = tuple(_router(entry) for entry in self._list("/api/http/routers"))
            return GatewayView(
                self.url, version=version or None, servers=self.servers(), routers=routers
            )
        except GatewaySilent as error:
            return GatewayView(self.url, error=str(error))

    def servers(self) -> Mapping[str, Mapping[str, str]]:
        """UP or DOWN by server URL, by service (`web@docker`).

        Raises:
            GatewaySilent: the gateway does not answer.
        """
        with _read():
            return {
                str(entry["name"]): _texts(entry.get("serverStatus") or {})
                for entry in self._list("/api/http/services")
                if "loadBalancer" in entry
            }

    def metrics(self) -> str:
        """What it has counted, in Prometheus's text format.

        Raises:
            GatewaySilent: the gateway does not answer, or counts nothing.
        """
        return self._get("/metrics").content.decode("utf-8", "replace")

    def _list(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        for _ in range(_MOST_PAGES):
            answer = self._get(path, per_page=_PAGE, page=page)
            found += answer.json()
            following = int(answer.headers.get("X-Next-Page", 1))
            if following <= page:
                break
            page = following
        return found

    def _get(self, path: str, **parameters: int) -> Answer:
        try:
            answer = self._client.get(path, **parameters)
        except NoAnswer as error:
            raise GatewaySilent(str(error)) from error
        if answer.status != 200:
            raise GatewaySilent(f"{self.url}{path} answers {answer.status} {answer.reason}")
        return answer


@contextmanager
def _read() -> Iterator[None]:
    """Something else may answer at the gateway's address.

    Raises:
        GatewaySilent: what it says is not what the API would.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GatewaySilent(_STRANGE) from error


def status_of(url: str, timeout: float) -> int:
    """The status of the answer to one GET.

    Raises:
        GatewaySilent: there was no answer.
    """
    api = HttpClient(url, timeout)
    try:
        return api.get("").status
    except NoAnswer as error:
        raise GatewaySilent(str(error)) from error
    finally:
        api.close()


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    return {str(url): str(status) for url, status in found.items()}


def _router(entry: Mapping[str, Any]) -> Router:
    return Router(
        name=str(entry["name"]),
        rule=str(entry.get("rule", "")),
        entry_points=tuple(map(str, entry.get("entryPoints") or ())),
        service=str(entry.get("service", "")),
        priority=int(entry.get("priority", 0)),
        tls="tls" in entry,
        status=str(entry.get("status", "")),
        provider=str(entry.get("provider", "")),
    )
