"""The server: who may do what, watches and logs, on a port of loopback."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apiserver.apply import Data, patched
from apiserver.asked import Place, Refusal, parse
from apiserver.controllers import Controllers
from apiserver.handler import Handler
from apiserver.kubelet import Behaviour
from apiserver.network import Store
from apiserver.objects import Objects, shown

TOKEN = "a-token"
_STANDARD = ("", "apps", "batch", "policy", "autoscaling")
CRDS = ("traefik.io", "cert-manager.io")
_CLUSTER_WIDE = ("namespaces", "clusterroles", "clusterrolebindings", "clusterissuers",
                 "ingressclasses")  # fmt: skip


@dataclass
class ApiServer:
    """A cluster; faults are switched on by its attributes."""

    crds: set[str] = field(default_factory=lambda: set(CRDS))
    forbidden: set[tuple[str, str]] = field(default_factory=set)
    """Verb and resource that nobody may do."""
    expired: bool = False
    refuse: Callable[[str, str], Refusal | None] = lambda _method, _path: None
    """Says of a request, by its method (`DRY` of a dry run) and path, how it is refused."""
    store: Store = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request; a dry run's is `DRY`."""
    controllers: Controllers = field(init=False)
    objects: Objects = field(init=False)
    watches: list[str] = field(default_factory=list)
    """The paths that were watched."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    log_queries: list[dict[str, str]] = field(default_factory=list)
    """What was asked of each log that is followed."""
    _cuts: int = 0
    _ended: bool = False

    def __post_init__(self) -> None:
        self.controllers = Controllers(self.store)
        self.objects = Objects(self.store, self.controllers)
        handler = type("Handler", (Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # What a test does

    def kubeconfig(self, folder: Path) -> Path:
        context = {"cluster": "here", "user": "me"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": context}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def like(self, other: ApiServer) -> None:
        """Have what another cluster has."""
        self.store.update(copy.deepcopy(other.store))
        self.controllers.count = other.controllers.count
        self.objects.version = other.objects.version

    def behave(self, service: str, behaviour: Behaviour) -> None:
        with self._lock:
            self.controllers.behaviours[service] = behaviour
            self.controllers.settle()

    def names(self, plural: str) -> list[str]:
        return sorted(name for (found, _, name) in self.store if found == plural)

    def get(self, plural: str, name: str, namespace: str = "shop") -> Data:
        return self.store[plural, "" if plural in _CLUSTER_WIDE else namespace, name]

    def put(self, plural: str, thing: Data, namespace: str = "shop") -> None:
        """Have an object that somebody else made."""
        with self._lock:
            thing.setdefault("metadata", {}).setdefault("uid", f"put-{len(self.store)}")
            home = "" if plural in _CLUSTER_WIDE else namespace
            self.store[plural, home, thing["metadata"]["name"]] = thing

    def scale(self, name: str, replicas: int) -> None:
        """Somebody else scales a Deployment."""
        self.write_as("kubectl", "deployments.apps", name, {"spec": {"replicas": replicas}})

    def write_as(self, manager: str, plural: str, name: str, patch: Data) -> None:
        """Somebody else changes an object."""
        with self._lock:
            found = patched(self.get(plural, name), patch, manager)
            self.objects.keep(Place("", "", plural, "shop", name, None), found)

    def cut_logs(self) -> None:
        """Break the connections of those who follow a log."""
        self._cuts += 1

    def changes(self) -> list[tuple[str, str]]:
        """What was asked for that changes something."""
        return [
            (method, path)
            for method, path in self.requests
            if method not in ("GET", "DRY", "WATCH")
        ]

    # What the server does

    def answer(self, method: str, raw: str, headers: Any, body: bytes) -> tuple[int, str, str]:
        url = urlsplit(raw)
        query = dict(parse_qsl(url.query))
        dry = query.get("dryRun") == "All"
        with self._lock:
            self.requests.append(("DRY" if dry else method, url.path))
            try:
                if self.expired or headers.get("Authorization") != f"Bearer {TOKEN}":
                    raise Refusal(401, "Unauthorized", "Unauthorized")
                if (refused := self.refuse("DRY" if dry else method, url.path)) is not None:
                    raise refused
                found = self._route(method, url.path, query, body)
            except Refusal as refusal:
                return refusal.code, "application/json", json.dumps(refusal.body)
            if isinstance(found, str):
                return (404 if found == "404 page not found\n" else 200), "text/plain", found
            return 200, "application/json", json.dumps(shown(found))

    def watch(self, raw: str, headers: Any) -> Iterator[str] | tuple[int, str, str]:
        """The events of a list, those of what is there first; or a refusal."""
        url = urlsplit(raw)
        code, kind, text = self.answer("WATCH", raw, headers, b"")
        if code != 200:
            return code, kind, text
        self.watches.append(url.path)
        return self._events(url.path, dict(parse_qsl(url.query)))

    def follow(self, raw: str, headers: Any) -> Iterator[str] | tuple[int, str, str]:
        """The lines of a log as they come, until the connection breaks; or a refusal."""
        code, kind, text = self.answer("GET", raw, headers, b"")
        if code != 200:
            return code, kind, text
        self.log_queries.append(dict(parse_qsl(urlsplit(raw).query)))
        return self._lines(raw, headers, text.splitlines())

    def _lines(self, raw: str, headers: Any, lines: list[str]) -> Iterator[str]:
        cuts, told = self._cuts, lines
        yield from lines
        while not self._ended:
            time.sleep(0.02)
            if self._cuts != cuts:
                break
            code, _, text = self.answer("GET", raw, headers, b"")
            lines = text.splitlines() if code == 200 else told
            yield from lines[len(told) :]
            told = lines
        raise BrokenPipeError

    def _events(self, path: str, query: dict[str, str]) -> Iterator[str]:
        place = parse(path)
        assert place is not None
        known: dict[str, str] = {}
        while not self._ended:
            with self._lock:
                found = self.objects.chosen(place, query)
            now = {thing["metadata"]["name"]: json.dumps(shown(thing)) for thing in found}
            for name in known.keys() - now.keys():
                yield json.dumps({"type": "DELETED", "object": json.loads(known[name])})
            for name, text in now.items():
                if known.get(name) != text:
                    event = "MODIFIED" if name in known else "ADDED"
                    yield json.dumps({"type": event, "object": json.loads(text)})
            known = now
            time.sleep(0.02)

    def _route(self, method: str, path: str, query: dict[str, str], body: bytes) -> Data | str:
        if path == "/version":
            return {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}
        place = parse(path)
        if place is None or not self._knows(place.group):
            return "404 page not found\n"
        if not place.plural:
            return {"kind": "APIResourceList", "resources": []}
        self._check_rights(method, place)
        if method == "WATCH":
            return {}
        if place.name is None:
            return self.objects.listed(place, query)
        if place.sub == "log":
            return self._log(place, query)
        if method == "GET":
            return self.objects.find(place)
        if method == "DELETE":
            return self.objects.delete(place)
        return self.objects.patch(place, query, body)

    def _knows(self, group: str) -> bool:
        return group in (*_STANDARD, *self.crds) or group.endswith(".k8s.io")

    def _check_rights(self, method: str, place: Place) -> None:
        verb = {"GET": "get", "PATCH": "patch", "DELETE": "delete", "WATCH": "watch"}[method]
        if verb == "get" and place.name is None:
            verb = "list"
        if (verb, place.resource) in self.forbidden:
            inside = f' in the namespace "{place.namespace}"' if place.namespace else ""
            raise Refusal(
                403,
                "Forbidden",
                f'{place.resource} is forbidden: User "me" cannot {verb} resource '
                f'"{place.plural}" in API group "{place.group}"{inside}',
            )

    def _log(self, place: Place, query: dict[str, str]) -> str:
        pod = self.objects.find(Place("", "v1", "pods", place.namespace, place.name, None))
        lines = list(self.controllers.behaviour(pod).log)
        if "tailLines" in query:
            lines = lines[len(lines) - int(query["tailLines"]) :]
        if query.get("timestamps") == "true":
            lines = [f"2030-01-01T00:00:{n:02}.000000001Z {text}" for n, text in enumerate(lines)]
            lines = [line for line in lines if line >= query.get("sinceTime", "")]
        return "".join(f"{line}\n" for line in lines)
