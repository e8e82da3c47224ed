"""The API server as a controller sees it: lists, and watches that go on.

Paths, list and watch: https://kubernetes.io/docs/reference/using-api/api-concepts/. Nothing is
checked or completed: what is put is what is shown.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from typing import Any

from aiohttp import web

Data = dict[str, Any]
_PATH = re.compile(
    r"/(?:api|apis)/(?P<version>v1|[^/]+/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<plural>[a-z]+)"
)
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


def plural(kind: str) -> str:
    """`ingressroutes` of `IngressRoute`."""
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"


class Api:
    """Objects, and those who watch them. To be used in one event loop."""

    def __init__(self, objects: Iterable[Data] = ()) -> None:
        self._objects: dict[tuple[str, str, str, str], Data] = {}
        self._watchers: set[asyncio.Queue[tuple[str, Data]]] = set()
        self._version = 1
        self.asked: set[str] = set()
        """Paths that somebody listed or watched."""
        for item in objects:
            self.put(item)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        return app

    def put(self, item: Data) -> None:
        """Create or replace an object, which watchers see."""
        key = self._key(item)
        self._version += 1
        metadata = {**item["metadata"], "resourceVersion": str(self._version), "uid": "/".join(key)}
        kept = {**item, "metadata": metadata}
        event = "MODIFIED" if key in self._objects else "ADDED"
        self._objects[key] = kept
        self._tell(event, kept)

    def delete(self, item: Data) -> None:
        gone = self._objects.pop(self._key(item))
        self._version += 1
        self._tell("DELETED", gone)

    @staticmethod
    def _key(item: Data) -> tuple[str, str, str, str]:
        metadata = item["metadata"]
        namespace = metadata.get("namespace", "")
        return item["apiVersion"], plural(item["kind"]), namespace, metadata["name"]

    def _tell(self, event: str, item: Data) -> None:
        for watcher in self._watchers:
            watcher.put_nowait((event, item))

    async def _get(self, request: web.Request) -> web.StreamResponse:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return web.json_response(
                {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}, status=404
            )
        self.asked.add(request.path)
        if request.query.get("watch") in ("1", "true"):
            return await self._watch(request, found)
        items = [item for key, item in self._objects.items() if self._matches(key, found)]
        kind = items[0]["kind"] if items else "Object"
        body = {
            "kind": f"{kind}List",
            "apiVersion": found["version"],
            "metadata": {"resourceVersion": str(self._version)},
            "items": items,
        }
        return web.json_response(body)

    async def _watch(self, request: web.Request, found: re.Match[str]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[tuple[str, Data]] = asyncio.Queue()
        since = int(request.query.get("resourceVersion") or 0)
        for key, item in self._objects.items():
            if self._matches(key, found) and int(item["metadata"]["resourceVersion"]) > since:
                queue.put_nowait(("ADDED", item))
        self._watchers.add(queue)
        if request.query.get("sendInitialEvents") == "true":
            queue.put_nowait(("BOOKMARK", self._bookmark(found)))
        try:
            while True:
                event, item = await queue.get()
                if event == "BOOKMARK" or self._matches(self._key(item), found):
                    line = json.dumps({"type": event, "object": item})
                    await response.write(f"{line}\n".encode())
        finally:
            self._watchers.discard(queue)

    def _bookmark(self, found: re.Match[str]) -> Data:
        kinds = [
            key_item["kind"] for key, key_item in self._objects.items() if key[1] == found["plural"]
        ]
        return {
            "apiVersion": found["version"],
            "kind": kinds[0] if kinds else _kind(found["plural"]),
            "metadata": {"resourceVersion": str(self._version), "annotations": _INITIAL_END},
        }

    @staticmethod
    def _matches(key: tuple[str, str, str, str], found: re.Match[str]) -> bool:
        version, kind, namespace, _ = key
        wanted = found["namespace"]
        return (version, kind) == (found["version"], found["plural"]) and wanted in (
            None,
            namespace,
        )


_KINDS = (
    "Secret", "Service", "ConfigMap", "EndpointSlice", "IngressRoute", "IngressRouteTCP",
    "IngressRouteUDP", "Middleware", "MiddlewareTCP", "ServersTransport", "ServersTransportTCP",
    "TLSOption", "TLSStore", "TraefikService",
)  # fmt: skip


def _kind(name: str) -> str:
    return next((kind for kind in _KINDS if plural(kind) == name), "Object")
