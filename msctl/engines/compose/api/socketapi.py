"""The Docker Engine API over a socket of this machine: the calls that msctl makes often.

They have the names and arguments of the Docker SDK's, which makes all the others.
Source: Docker Engine API 1.41.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from msctl.engines.compose.api.faults import EngineFault
from msctl.engines.compose.api.wire import Limits, Opened, Unanswered, Wire

if TYPE_CHECKING:
    from msctl.engines.compose.api.sdk import Sdk

_JSON = "application/json"
_TAR = "application/x-tar"


class SocketLine:
    """Makes calls in one version of the API; used by several threads at once."""

    def __init__(self, wire: Wire, version: str, sdk: Callable[[], Sdk]) -> None:
        self.wire, self.version = wire, version
        self._sdk = sdk

    @cached_property
    def sdk(self) -> Sdk:
        """It is loaded by the first call that needs it."""
        return self._sdk()

    def run(self, request: Callable[[Any], Any], limits: Limits) -> Any:
        """One call, or what streams its answer.

        Raises:
            EngineFault: the engine refused it.
            Unanswered: the engine did not answer in time.
        """
        return request(_Api(self, limits))


class _Api:
    """The calls, for each of which the engine has so much time."""

    def __init__(self, line: SocketLine, limits: Limits) -> None:
        self._line, self._limits = line, limits

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **given: Any) -> Any:
            return self._line.sdk.run(lambda api: getattr(api, name)(*args, **given), self._limits)

        return call

    def _ask(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        kind: str | None = None,
        /,
        *,
        longer: float = 0,
        **parameters: Any,
    ) -> bytes:
        limits = self._limits
        if longer and limits.byte is not None:
            limits = limits._replace(byte=limits.byte + longer)
        answer = self._line.wire.ask(method, self._url(path, parameters), limits, content, kind)
        _refuse(answer.status, answer.content)
        return answer.content

    def _url(self, path: str, parameters: Mapping[str, Any]) -> str:
        found = {name: value for name, value in parameters.items() if value is not None}
        return f"/v{self._line.version}{path}{'?' if found else ''}{urlencode(found)}"

    def _get(self, path: str, **parameters: Any) -> Any:
        return _read(self._ask("GET", path, **parameters))

    def _post(self, path: str, given: Mapping[str, Any], **parameters: Any) -> Any:
        said = {key: value for key, value in given.items() if value is not None}
        return _read(self._ask("POST", path, json.dumps(said).encode(), _JSON, **parameters))

    def _open(self, url: str, limits: Limits, given: Mapping[str, Any] | None = None) -> Opened:
        said = () if given is None else (json.dumps(given).encode(), _JSON)
        opened = self._line.wire.open(url, limits, *said)
        if opened.status >= 400:
            try:
                _refuse(opened.status, opened.read())
            finally:
                opened.close()
        return opened

    def _stream(self, path: str, limits: Limits, **parameters: Any) -> JsonStream:
        return JsonStream(self._open(self._url(path, parameters), limits))

    # The engine

    def version(self, *, api_version: bool) -> Any:  # noqa: ARG002  # the first call asks it
        answer = self._line.wire.ask("GET", "/version", self._limits)
        _refuse(answer.status, answer.content)
        return _read(answer.content)

    def info(self) -> Any:
        return self._get("/info")

    def events(self, *, filters: Mapping[str, Any], decode: bool) -> JsonStream:  # noqa: ARG002
        return self._stream("/events", Limits(None), filters=_filters(filters))

    # Containers

    def containers(self, *, all: bool = False, filters: Mapping[str, Any] | None = None) -> Any:
        return self._get("/containers/json", all=int(all), filters=_filters(filters))

    def inspect_container(self, container: str) -> Any:
        return self._get(f"/containers/{_quoted(container)}/json")

    def create_container_from_config(
        self, config: Mapping[str, Any], name: str, platform: str | None
    ) -> Any:
        return self._post("/containers/create", config, name=name, platform=platform or None)

    def start(self, container: str) -> None:
        self._ask("POST", f"/containers/{_quoted(container)}/start")

    def unpause(self, container: str) -> None:
        self._ask("POST", f"/containers/{_quoted(container)}/unpause")

    def stop(self, container: str, timeout: int) -> None:
        self._ask("POST", f"/containers/{_quoted(container)}/stop", longer=timeout, t=timeout)

    def remove_container(self, container: str, *, v: bool) -> None:
        self._ask("DELETE", f"/containers/{_quoted(container)}", v=v)

    def stats(self, container: str, *, decode: bool, stream: bool) -> JsonStream:  # noqa: ARG002
        path = f"/containers/{_quoted(container)}/stats"
        return self._stream(path, self._limits, stream=stream)

    def get_archive(self, container: str, path: str) -> tuple[list[bytes], None]:
        found = self._ask("GET", f"/containers/{_quoted(container)}/archive", path=path)
        return [found], None

    def put_archive(self, container: str, path: str, data: bytes) -> None:
        self._ask("PUT", f"/containers/{_quoted(container)}/archive", data, _TAR, path=path)

    def exec_create(self, container: str, cmd: list[str], *, stdin: bool = False) -> Any:
        given = {"Cmd": cmd, "AttachStdin": stdin, "AttachStdout": True, "AttachStderr": True}
        return self._post(f"/containers/{_quoted(container)}/exec", given)

    def exec_output(self, exec_id: str) -> Iterator[bytes]:
        """See `msctl.engines.compose.api.sdk`."""
        url = self._url(f"/exec/{_quoted(exec_id)}/start", {})
        return self._open(url, self._limits, {"Detach": False, "Tty": False}).parts()

    def exec_inspect(self, exec_id: str) -> Any:
        return self._get(f"/exec/{_quoted(exec_id)}/json")

    # Networks, volumes and images

    def networks(self, names: list[str] | None = None) -> Any:
        return self._get("/networks", filters=_filters({"name": names} if names else None))

    def create_network(
        self,
        name: str,
        *,
        driver: str,
        options: Mapping[str, Any] | None,
        ipam: Any,
        internal: bool,
        attachable: bool,
        enable_ipv6: bool,
        labels: Mapping[str, str],
        check_duplicate: bool,
    ) -> Any:
        given = {
            "Name": name, "Driver": driver, "Options": options, "IPAM": ipam, "Labels": labels,
            "CheckDuplicate": check_duplicate, "Internal": internal or None,
            "Attachable": attachable, "EnableIPv6": enable_ipv6 or None,
        }  # fmt: skip
        return self._post("/networks/create", given)

    def inspect_network(self, network: str) -> Any:
        return self._get(f"/networks/{_quoted(network)}")

    def remove_network(self, network: str) -> None:
        self._ask("DELETE", f"/networks/{_quoted(network)}")

    def connect_container_to_network(
        self,
        container: str,
        network: str,
        *,
        aliases: list[str] | None,
        ipv4_address: str | None,
        ipv6_address: str | None,
    ) -> None:
        addresses = {"IPv4Address": ipv4_address, "IPv6Address": ipv6_address}
        given = {key: value for key, value in addresses.items() if value}
        endpoint = {"Aliases": aliases, "IPAMConfig": given or None}
        said = {key: value for key, value in endpoint.items() if value}
        path = f"/networks/{_quoted(network)}/connect"
        content = json.dumps({"Container": container, "EndpointConfig": said}).encode()
        self._ask("POST", path, content, _JSON)

    def volumes(self) -> Any:
        return self._get("/volumes")

    def create_volume(
        self,
        name: str,
        *,
        driver: str | None = None,
        driver_opts: Mapping[str, Any] | None = None,
        labels: Mapping[str, str],
    ) -> Any:
        given = {"Name": name, "Driver": driver, "DriverOpts": driver_opts, "Labels": labels}
        return self._post("/volumes/create", given)

    def remove_volume(self, name: str) -> None:
        self._ask("DELETE", f"/volumes/{_quoted(name)}")

    def inspect_image(self, reference: str) -> Any:
        return self._get(f"/images/{_quoted(reference)}/json")

    def tag(self, image: str, repository: str, tag: str) -> None:
        self._ask("POST", f"/images/{_quoted(image)}/tag", repo=repository, tag=tag)


class JsonStream:
    """The objects of an answer, as they come."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._items = map(_read, filter(bytes.strip, opened.lines()))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._items)

    def close(self) -> None:
        self._opened.close()


def _quoted(name: str) -> str:
    return quote(name, safe="/:")


def _filters(given: Mapping[str, Any] | None) -> str | None:
    """As the engine takes them: a list of values for each name."""
    if not given:
        return None
    return json.dumps(
        {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    )


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError as error:
        raise Unanswered from error


def _refuse(status: int, content: bytes) -> None:
    """Raises:
    EngineFault: that is what this answer says.
    """
    if status < 400:
        return
    try:
        said = str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        said = content.decode("utf-8", "replace").strip()
    raise EngineFault(said or f"the engine answers {status}", status)
