"""The objects that the server keeps, and what its verbs do to them."""

from __future__ import annotations

import copy
import json

from apiserver.apply import Data, applied, conflicts, patched
from apiserver.asked import Place, Refusal, conflict
from apiserver.controllers import Controllers
from apiserver.network import Store

_DEFAULTED: dict[str, Data] = {
    "deployments.apps": {"paused": False},
    "services": {"sessionAffinity": "None"},
}


class Objects:
    """By resource, namespace and name; the controllers settle after each change."""

    def __init__(self, store: Store, controllers: Controllers) -> None:
        self.store, self.controllers = store, controllers
        self.version = 0

    def key(self, place: Place) -> tuple[str, str, str]:
        assert place.name is not None
        return place.resource, place.namespace, place.name

    def find(self, place: Place) -> Data:
        found = self.store.get(self.key(place))
        if found is None:
            message = f'{place.resource} "{place.name}" not found'
            raise Refusal(404, "NotFound", message, name=place.name, kind=place.plural)
        return found

    def chosen(self, place: Place, query: dict[str, str]) -> list[Data]:
        wanted = dict(part.split("=") for part in query.get("labelSelector", "").split(",") if part)
        return [
            thing
            for (resource, namespace, _), thing in sorted(self.store.items())
            if resource == place.resource
            and namespace == place.namespace
            and wanted.items() <= (thing["metadata"].get("labels") or {}).items()
        ]

    def listed(self, place: Place, query: dict[str, str]) -> Data:
        found = self.chosen(place, query)
        if "fieldSelector" in query:
            _, _, reason = query["fieldSelector"].partition("=")
            found = [thing for thing in found if thing.get("reason") == reason]
        # A list leaves out what its kind says already.
        items = [{k: v for k, v in t.items() if k not in ("kind", "apiVersion")} for t in found]
        start, size = int(query.get("continue", "0")), 7
        more = {"continue": str(start + size)} if len(items) > start + size else {}
        return {"kind": "List", "metadata": more, "items": items[start : start + size]}

    def patch(self, place: Place, query: dict[str, str], body: bytes) -> Data:
        given, manager = json.loads(body), query["fieldManager"]
        live = self.store.get(self.key(place))
        if "resourceVersion" in (given.get("metadata") or {}):
            raise Refusal(400, "BadRequest", "a test does not send versions")
        if place.sub == "scale" or "apiVersion" not in given:
            found = patched(self.find(place), given, manager)
        else:
            if place.namespace and ("namespaces", "", place.namespace) not in self.store:
                message = f'namespaces "{place.namespace}" not found'
                raise Refusal(404, "NotFound", message, kind="namespaces")
            found = self._applied(place, live, given, manager, force=query.get("force") == "true")
        if query.get("dryRun") == "All":
            return found
        return self.keep(place, found)

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
                raise conflict(found)
        thing = applied(live, given, manager)
        spec = thing.setdefault("spec", {}) if place.resource in _DEFAULTED else {}
        for key, value in _DEFAULTED.get(place.resource, {}).items():
            spec.setdefault(key, value)
        if place.plural == "deployments":
            spec.setdefault("replicas", 1)
        return thing

    def keep(self, place: Place, thing: Data) -> Data:
        self.version += 1
        before = self.store.get(self.key(place))
        meta = thing["metadata"]
        meta.setdefault("uid", f"object-{self.version}")
        meta.setdefault("creationTimestamp", "2030-01-01T00:00:00Z")
        meta["resourceVersion"] = str(self.version)
        if before is None or before.get("spec") != thing.get("spec"):
            meta["generation"] = meta.get("generation", 0) + 1
        self.store[self.key(place)] = thing
        self.controllers.settle()
        return thing

    def delete(self, place: Place) -> Data:
        gone = self.find(place)
        del self.store[self.key(place)]
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


def shown(found: Data) -> Data:
    """Without what the server keeps for itself."""

    def clean(thing: Data) -> Data:
        shown = copy.deepcopy(thing)
        for entry in shown.get("metadata", {}).get("managedFields", ()):
            entry.pop("paths", None)
        return shown

    if "items" in found:
        return {**found, "items": [clean(item) for item in found["items"]]}
    return clean(found)
