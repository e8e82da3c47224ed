"""Refusals of the API server, told in a way that says what to type next. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from msctl.engines.kubernetes.kinds import CRDS, MANAGER
from msctl.errors import EngineUnreachable, MsctlError

UNAUTHORIZED, FORBIDDEN, MISSING, CONFLICT, INVALID = 401, 403, 404, 409, 422
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
_CANNOT = re.compile(
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)


class Refused(MsctlError):
    """The API server answered with an error: `status` is that of HTTP, `body` its `Status`."""

    def __init__(self, status: int, body: Mapping[str, Any], *, hint: str | None = None) -> None:
        super().__init__(str(body.get("message") or f"HTTP status {status}"), hint=hint)
        self.status = status
        self.reason = str(body.get("reason") or "")
        self.details: Mapping[str, Any] = body.get("details") or {}

    @property
    def causes(self) -> tuple[Mapping[str, str], ...]:
        return tuple(self.details.get("causes") or ())

    @property
    def is_conflict(self) -> bool:
        """Whether somebody else owns a field that was to be applied."""
        return self.status == CONFLICT and any(
            cause.get("reason") == "FieldManagerConflict" for cause in self.causes
        )

    def owners(self) -> dict[str, list[str]]:
        """The fields that others own, by the name of who does."""
        found: dict[str, list[str]] = {}
        for cause in self.causes:
            match = _MANAGER.search(cause.get("message", ""))
            owner = match["manager"] if match else "somebody"
            found.setdefault(owner, []).append(str(cause.get("field", "")))
        return found

    @property
    def is_our_own(self) -> bool:
        """Whether all that stands in the way was written by msctl in another way."""
        return self.is_conflict and set(self.owners()) == {MANAGER}


class KindMissing(Refused):
    """The cluster does not know a kind, since what brings it was not installed."""


def parse(text: str) -> Mapping[str, Any]:
    """The `Status` in an answer's body; where there is none, its text as the message."""
    try:
        body = json.loads(text)
    except ValueError:
        return {"message": text.strip()}
    return body if isinstance(body, dict) else {"message": text.strip()}


def refusal(
    status: int, text: str, *, address: str, context: str | None, kubectl: str = "kubectl"
) -> MsctlError:
    """The error that an answer stands for."""
    body = parse(text)
    if status == UNAUTHORIZED:
        who = f"context {context}" if context else "the service account"
        return EngineUnreachable(
            f"the API server at {address} does not accept the credentials of {who} "
            "(401): the token may have expired",
            hint=f"log in again, see that {kubectl} get namespaces works, and repeat the command",
        )
    if status == FORBIDDEN and (found := _CANNOT.search(str(body.get("message")))):
        return _forbidden(body, found, kubectl)
    return Refused(status, body)


def _forbidden(body: Mapping[str, Any], found: re.Match[str], kubectl: str) -> Refused:
    resource = found["resource"] + (f".{found['group']}" if found["group"] else "")
    inside = f" in namespace {found['namespace']}" if found["namespace"] else ""
    option = f" --namespace {found['namespace']}" if found["namespace"] else ""
    message = f"forbidden: you may not {found['verb']} {resource}{inside}"
    return Refused(
        FORBIDDEN,
        {**body, "message": message},
        hint=f"{kubectl} auth can-i {found['verb']} {resource}{option}; "
        "the cluster's administrator can allow it with a RoleBinding",
    )


def kind_missing(group: str, version: str) -> KindMissing:
    """A cluster without a group of kinds: what brings it, and how it is installed."""
    what, command = CRDS.get(group, ("what brings it is", None))
    message = f"the cluster does not know {group}/{version}: {what} not installed"
    return KindMissing(MISSING, {"message": message, "reason": "NotFound"}, hint=command)


def conflict(target: str, refused: Refused, again: str) -> MsctlError:
    """Who owns the fields that were to be applied, and what to do about it."""
    lines = [
        f"{target} {_has_written(owner)} {', '.join(fields)}"
        for owner, fields in refused.owners().items()
        if owner != MANAGER
    ]
    owner = next((name for name in refused.owners() if name != MANAGER), "")
    return MsctlError(
        "\n".join([f"conflict: {target} was changed by others", *lines]),
        hint=f"give the field up there, write the same value into the stack file, or remove the "
        f"object and run {again}; kubectl get {target} -o yaml --show-managed-fields shows "
        f"what {owner} owns",
    )


def _has_written(owner: str) -> str:
    return f"is managed by {owner}:"
