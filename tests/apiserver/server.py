"""The server: paths, verbs and refusals of the API, on a port of loopback."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apiserver.apply import Data, applied, conflicts, patched
from apiserver.controllers import Behaviour, Controllers, Store

TOKEN = "a-token"
_STANDARD = ("", "apps", "batch", "policy", "autoscaling")
CRDS = ("traefik.io", "cert-manager.io")
_CLUSTER_WIDE = ("namespaces", "clusterroles", "clusterrolebindings", "clusterissuers",
                 "ingressclasses")  # fmt: skip
_DEFAULTED: dict[str, Data] = {
    "deployments.apps": {"paused": False},
    "services": {"sessionAffinity": "None"},
}


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
            "details": details,
        }


@dataclass(frozen=True)
class Place:
    """What a path names."""

    group: str
    version: str
    plural: str
    namespace: str
    name: str | None
    sub: str | None

    @property
    def resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


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
    watches: list[str] = field(default_factory=list)
    """The paths that were watched."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    log_queries: list[dict[str, str]] = field(default_factory=list)
    """What was asked of each log that is followed."""
    _cuts: int = 0
    _version: int = 0
    _ended: bool = False

    def __post_init__(self) -> None:
        self.controllers = Controllers(self.store)
        handler = type("Handler", (_Handler,), {"api": self})
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
        self.controllers.count, self._version = other.controllers.count, other._version

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
            self._keep(Place("", "", plural, "shop", name, None), found)

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
            return 200, "application/json", json.dumps(_shown(found))

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
        place = _parse(path)
        assert place is not None
        known: dict[str, str] = {}
        while not self._ended:
            with self._lock:
                found = self._chosen(place, query)
            now = {thing["metadata"]["name"]: json.dumps(_shown(thing)) for thing in found}
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
        place = _parse(path)
        if place is None or not self._knows(place.group):
            return "404 page not found\n"
        if not place.plural:
            return {"kind": "APIResourceList", "resources": []}
        self._check_rights(method, place)
        if method == "WATCH":
            return {}
        if place.name is None:
            return self._list(place, query)
        if place.sub == "log":
            return self._log(place, query)
        if method == "GET":
            return self._find(place)
        if method == "DELETE":
            return self._delete(place)
        return self._patch(place, query, body)

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

    def _key(self, place: Place) -> tuple[str, str, str]:
        assert place.name is not None
        return place.resource, place.namespace, place.name

    def _find(self, place: Place) -> Data:
        found = self.store.get(self._key(place))
        if found is None:
            message = f'{place.resource} "{place.name}" not found'
            raise Refusal(404, "NotFound", message, name=place.name, kind=place.plural)
        return found

    def _chosen(self, place: Place, query: dict[str, str]) -> list[Data]:
        wanted = dict(part.split("=") for part in query.get("labelSelector", "").split(",") if part)
        return [
            thing
            for (resource, namespace, _), thing in sorted(self.store.items())
            if resource == place.resource
            and namespace == place.namespace
            and wanted.items() <= (thing["metadata"].get("labels") or {}).items()
        ]

    def _list(self, place: Place, query: dict[str, str]) -> Data:
        found = self._chosen(place, query)
        if "fieldSelector" in query:
            _, _, reason = query["fieldSelector"].partition("=")
            found = [thing for thing in found if thing.get("reason") == reason]
        # A list leaves out what its kind says already.
        items = [{k: v for k, v in t.items() if k not in ("kind", "apiVersion")} for t in found]
        start, size = int(query.get("continue", "0")), 7
        more = {"continue": str(start + size)} if len(items) > start + size else {}
        return {"kind": "List", "metadata": more, "items": items[start : start + size]}

    def _log(self, place: Place, query: dict[str, str]) -> str:
        pod = self._find(Place("", "v1", "pods", place.namespace, place.name, None))
        lines = list(self.controllers.behaviour(pod).log)
        if "tailLines" in query:
            lines = lines[len(lines) - int(query["tailLines"]) :]
        if query.get("timestamps") == "true":
            lines = [f"2030-01-01T00:00:{n:02}.000000001Z {text}" for n, text in enumerate(lines)]
            lines = [line for line in lines if line >= query.get("sinceTime", "")]
        return "".join(f"{line}\n" for line in lines)

    def _patch(self, place: Place, query: dict[str, str], body: bytes) -> Data:
        given, manager = json.loads(body), query["fieldManager"]
        live = self.store.get(self._key(place))
        if "resourceVersion" in (given.get("metadata") or {}):
            raise Refusal(400, "BadRequest", "a test does not send versions")
        if place.sub == "scale" or "apiVersion" not in given:
            found = patched(self._find(place), given, manager)
        else:
            if place.namespace and ("namespaces", "", place.namespace) not in self.store:
                message = f'namespaces "{place.namespace}" not found'
                raise Refusal(404, "NotFound", message, kind="namespaces")
            found = self._applied(place, live, given, manager, force=query.get("force") == "true")
        if query.get("dryRun") == "All":
            return found
        return self._keep(place, found)

    def _applied(
        self, place: Place, live: Data | None, given: Data, manager: str, *, force: bool
    ) -> Data:
        if live is not None:
            if place.plural == "jobs" and live["spec"]["template"] != {
                **live["spec"]["template"],
                **given["spec"]["template"],
            }:
                message = f'Job.batch "{place.name}" is invalid: spec.template: field is immutable'
                raise Refusal(422, "Invalid", message)
            if place.plural == "statefulsets" and any(
                live["spec"].get(key) != given["spec"].get(key)
                for key in ("volumeClaimTemplates", "podManagementPolicy", "serviceName")
            ):
                message = f'StatefulSet.apps "{place.name}" is invalid: spec: Forbidden: updates'
                raise Refusal(422, "Invalid", message)
            found = conflicts(live, given, (manager, "Apply"))
            if found and not force:
                raise _conflict(found)
        thing = applied(live, given, manager)
        spec = thing.setdefault("spec", {}) if place.resource in _DEFAULTED else {}
        for key, value in _DEFAULTED.get(place.resource, {}).items():
            spec.setdefault(key, value)
        if place.plural == "deployments":
            spec.setdefault("replicas", 1)
        return thing

    def _keep(self, place: Place, thing: Data) -> Data:
        self._version += 1
        before = self.store.get(self._key(place))
        meta = thing["metadata"]
        meta.setdefault("uid", f"object-{self._version}")
        meta.setdefault("creationTimestamp", "2030-01-01T00:00:00Z")
        meta["resourceVersion"] = str(self._version)
        if before is None or before.get("spec") != thing.get("spec"):
            meta["generation"] = meta.get("generation", 0) + 1
        self.store[self._key(place)] = thing
        self.controllers.settle()
        return thing

    def _delete(self, place: Place) -> Data:
        gone = self._find(place)
        del self.store[self._key(place)]
        uids = {gone["metadata"].get("uid")}
        while dependants := [
            key
            for key, thing in self.store.items()
            if uids & {o["uid"] for o in thing["metadata"].get("ownerReferences", ())}
        ]:
            for key in dependants:
                uids.add(self.store.pop(key)["metadata"].get("uid"))
        if place.plural == "namespaces":
            for key in [key for key in self.store if key[1] == place.name]:
                del self.store[key]
        self.controllers.settle()
        return {"kind": "Status", "status": "Success"}


def _conflict(found: list[tuple[str, tuple[str, ...]]]) -> Refusal:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{owner}" using apps/v1',
            "field": "." + ".".join(path),
        }
        for owner, path in found
    ]
    message = f"Apply failed with {len(causes)} conflicts"
    return Refusal(409, "Conflict", message, causes=causes)


def _parse(path: str) -> Place | None:
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    plural, name, sub = [*rest, *[None] * 3][:3]
    return Place(group, version, plural or "", namespace, name, sub)


def _shown(found: Data) -> Data:
    """Without what the server keeps for itself."""

    def clean(thing: Data) -> Data:
        shown = copy.deepcopy(thing)
        for entry in shown.get("metadata", {}).get("managedFields", ()):
            entry.pop("paths", None)
        return shown

    if "items" in found:
        return {**found, "items": [clean(item) for item in found["items"]]}
    return clean(found)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    api: ApiServer
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        if "watch=true" in self.path:
            self._stream(self.api.watch(self.path, self.headers))
        elif "follow=true" in self.path:
            self._stream(self.api.follow(self.path, self.headers))
        else:
            self._answer()

    def _stream(self, found: Iterator[str] | tuple[int, str, str]) -> None:
        """A line for each event, until somebody ends it."""
        if isinstance(found, tuple):
            self._send(*found)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for line in found:
                data = f"{line}\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(*self.api.answer(self.command, self.path, self.headers, body))

    def _send(self, code: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if code == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""
