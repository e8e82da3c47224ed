"""The Docker SDK: the only module that imports docker.

It makes what msctl seldom asks of an engine at a socket, and all calls to the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import docker
import requests
import urllib3
from docker.errors import (
    APIError,
    DockerException,
    create_api_error_from_http_exception,
)
from docker.tls import TLSConfig
from docker.transport import UnixHTTPAdapter
from docker.utils.socket import frames_iter

from msctl.deadline import within
from msctl.engines.compose.api.endpoint import Endpoint
from msctl.engines.compose.api.faults import EngineFault
from msctl.engines.compose.api.ssh import SCHEME
from msctl.engines.compose.api.wire import Limits

__all__ = ["FAULTS", "APIError", "Sdk", "frames_iter"]

FAULTS = (
    requests.RequestException,  # with an answer that breaks off, or is no JSON
    urllib3.exceptions.HTTPError,
    DockerException,  # where a connection could not be made at all, with the reason inside
)
"""What it raises where the engine does not answer."""


def connection(place: Endpoint) -> dict[str, Any]:
    """What the SDK is told of an engine."""
    if place.address.startswith(SCHEME):
        return {"base_url": "unix:///ssh"}  # its connections are made by an adapter of ours
    if place.local or (place.certificates is None and place.verify):
        return {"base_url": place.address}
    tls = TLSConfig(**certificates(place), verify=place.verify)
    return {"base_url": place.address.replace("tcp://", "https://", 1), "tls": tls}


def certificates(place: Endpoint) -> dict[str, Any]:
    """The files that there are; without its authority's an engine is not verified by chance."""
    if place.certificates is None:
        return {}
    ca, cert, key = (place.certificates / name for name in ("ca.pem", "cert.pem", "key.pem"))
    found: dict[str, Any] = {"ca_cert": str(ca)} if place.verify or ca.exists() else {}
    if cert.exists() or key.exists():
        found["client_cert"] = (str(cert), str(key))
    return found


class _Api(docker.APIClient):
    """The SDK, without a trap of requests, and with a call that is missing."""

    def exec_output(self, exec_id: str) -> Iterator[bytes]:
        """What a command says, as it comes, with the heads of its frames; the SDK's own call does
        not close the connection."""
        said = {"Detach": False, "Tty": False}
        url = f"{self.base_url}/v{self.api_version}/exec/{exec_id}/start"
        with self.post(url, json=said, stream=True, timeout=self.timeout) as answer:
            try:
                answer.raise_for_status()
            except requests.HTTPError as error:
                raise create_api_error_from_http_exception(error) from error
            yield from answer.iter_content(65536)

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> Any:
        """The engine's own authority counts, where requests would put $REQUESTS_CA_BUNDLE first."""
        verify = self.verify if verify is None else verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)


class _Socket(UnixHTTPAdapter):
    """The SDK's way to a socket, which would make a connection for every URL."""

    def get_connection(self, _url: Any, proxies: Any = None) -> Any:
        return super().get_connection("http+docker://localhost", proxies)


class Sdk:
    """Makes calls in one version of the API, by a client for each thread: its sessions are not to
    be shared."""

    def __init__(self, place: Endpoint, environ: Mapping[str, str], version: str) -> None:
        self._place, self._environ, self._version = place, environ, version
        self._settings = connection(place)
        self._threads = threading.local()

    def run(self, request: Callable[[Any], Any], limits: Limits) -> Any:
        """One call, or what streams its answer.

        Raises:
            APIError: the engine refused it.
            FAULTS, OSError: the engine did not answer in time.
        """
        api = self._api(limits.byte)
        if limits.whole is None:
            return request(api)
        try:
            return within(limits.whole, lambda: request(api))
        except TimeoutError:
            del self._threads.api  # it is still at it
            raise

    def _api(self, timeout: float | None) -> docker.APIClient:
        if not hasattr(self._threads, "api"):
            self._threads.api = self._new()
        api: docker.APIClient = self._threads.api
        api.timeout = timeout  # type: ignore[assignment]  # requests takes any time
        return api

    def _new(self) -> docker.APIClient:
        address = self._place.address
        api = _Api(version=self._version, **self._settings)
        if self._place.local:  # no proxy leads to a socket, and to look for one costs much
            api.trust_env = False
        if address.startswith("unix://"):
            api.mount("http+docker://", _Socket(f"http+{address}"))
        if address.startswith(SCHEME):
            from msctl.engines.compose.api.sshadapter import SshAdapter

            api.mount("http+docker://", SshAdapter(address, self._environ))
        return api


def refused(error: APIError) -> EngineFault:
    return EngineFault(error.explanation or str(error), error.status_code or 500)
