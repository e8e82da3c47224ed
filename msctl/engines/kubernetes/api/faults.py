"""Refusals of the API server, told in a way that says what to type next. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msctl.engines.kubernetes.kinds import CRDS, MANAGER
from msctl.errors import EngineUnreachable, MsctlError
from msctl.render.kubernetes.guide import CERT_MANAGER_UP

UNAUTHORIZED, FORBIDDEN, MISSING, CONFLICT, INVALID = 401, 403, 404, 409, 422
OVERLOADED, SERVER_ERROR = 429, 500
AWAY = (OVERLOADED, 502, 503, 504)
"""The server, or what is before it, cannot answer at this moment."""
_MANAGER = re.compile(r'conflict with "(?P<manager>[^"]*)"')
_CANNOT = re.compile(
    r'(?:User "(?P<user>[^"]+)" )?'
    r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)
_UNDECLARED = re.compile(
    r"; (?P<group>[a-z.-]+)/\w+, Kind=\w+\).*field not declared in schema", re.S
)
_ACCOUNT = re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)")
_WITHOUT = {
    "cert-manager.io": "kubernetes: {cert_manager: false}",
    "keda.sh": "kubernetes: {keda: false}",
}
_SHOWN = 3
"""Objects that are named, of those of which the same is told."""
_WEBHOOK = "failed calling webhook"
_MORE_THAN_ONES_OWN = "attempting to grant RBAC permissions not currently held"
_OWN_RIGHTS = (
    "who makes Traefik's Role must have what it grants (get, list and watch of traefik.io, "
    "services, secrets, configmaps and endpointslices): ask the cluster's administrator for the "
    "role admin, and for these of traefik.io"
)


class Refused(MsctlError):
    """The API server answered with an error: `status` is that of HTTP, `body` its `Status`."""

    def __init__(
        self, status: int, body: Mapping[str, Any], *, hint: str | None = None, of: str = ""
    ) -> None:
        text = str(body.get("message") or f"HTTP status {status}")
        super().__init__(f"{of}: {text}" if of else text, hint=hint)
        self.of = of
        """The object that it is about."""
        self.text = text
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
    message = str(body.get("message"))
    if status in AWAY:
        return EngineUnreachable(
            f"the API server at {address} cannot answer now ({status}): {message}",
            hint=f"repeat the command; {kubectl} get --raw '/readyz?verbose' tells what it waits "
            "for",
        )
    if _WEBHOOK in message:
        return Refused(status, body, hint=_webhook(message, kubectl))
    if status == FORBIDDEN and (found := _CANNOT.search(message)):
        return _forbidden(body, found, kubectl)
    if status == FORBIDDEN and _MORE_THAN_ONES_OWN in message:
        return Refused(status, body, hint=_OWN_RIGHTS)
    if found := _UNDECLARED.search(message):
        return Refused(status, body, hint=_newer(found["group"], kubectl))
    refused = Refused(status, body)
    if status == CONFLICT and not refused.is_conflict:
        return Refused(status, body, hint="somebody changes it at this moment: repeat the command")
    return refused


def _forbidden(body: Mapping[str, Any], found: re.Match[str], kubectl: str) -> Refused:
    plural, _, part = found["resource"].partition("/")
    resource = plural + (f".{found['group']}" if found["group"] else "")
    resource += f"/{part}" if part else ""
    inside = f" in namespace {found['namespace']}" if found["namespace"] else ""
    option = f" --namespace {found['namespace']}" if found["namespace"] else ""
    message = f"forbidden: you may not {found['verb']} {resource}{inside}"
    return Refused(
        FORBIDDEN,
        {**body, "message": message},
        hint=f"{kubectl} auth can-i {found['verb']} {resource}{option}; the cluster's "
        f"administrator allows it by {_grant(found, resource)}",
    )


def _grant(found: re.Match[str], resource: str) -> str:
    """The commands that allow it: in one namespace, or in the cluster."""
    home = found["namespace"]
    kubectl = f"kubectl -n {home}" if home else "kubectl"
    role = "role" if home else "clusterrole"
    account = _ACCOUNT.fullmatch(found["user"] or "")
    who = f"--user={found['user'] or 'USER'}"
    if account is not None:
        who = f"--serviceaccount={account['namespace']}:{account['name']}"
    verbs = f"--verb={found['verb']} --resource={resource}"
    return (
        f"{kubectl} create {role} msctl {verbs} and "
        f"{kubectl} create {role}binding msctl --{role}=msctl {who}"
    )


def _webhook(message: str, kubectl: str) -> str:
    """What admits objects is not up, as cert-manager is not at once."""
    if "cert-manager" in message:
        wait = re.sub(r"^kubectl\b", kubectl, CERT_MANAGER_UP)
        return f"cert-manager is not up yet: {wait}"
    kinds = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
    return f"what should answer is not up: {kubectl} get {kinds} tells whose it is"


def _newer(group: str, kubectl: str) -> str | None:
    """What brings kinds up to date that are older than what is applied."""
    if group not in CRDS:
        return None
    command = re.sub(r"^kubectl\b", kubectl, CRDS[group][1])
    return f"the cluster's {group} is older than what msctl renders; {command}"


def kind_missing(group: str, version: str, kubectl: str = "kubectl") -> KindMissing:
    """A cluster without a group of kinds: what brings it, how it is installed, and what does
    without."""
    what, command = CRDS.get(group, ("what brings it is", None))
    message = f"the cluster does not know {group}/{version}: {what} not installed"
    hint = None if command is None else re.sub(r"^kubectl\b", kubectl, command)
    if hint is not None and group in _WITHOUT:
        hint += f"; to do without: {_WITHOUT[group]} at the top of the stack file"
    return KindMissing(MISSING, {"message": message, "reason": "NotFound"}, hint=hint)


def conflict(target: str, refused: Refused, again: str, kubectl: str = "kubectl") -> MsctlError:
    """Who owns the fields that were to be applied, and what to do about it."""
    lines = [
        f"{target} {_has_written(owner)} {', '.join(fields)}"
        for owner, fields in refused.owners().items()
        if owner != MANAGER
    ]
    owner = next((name for name in refused.owners() if name != MANAGER), "")
    return MsctlError(
        "\n".join([f"conflict: {target} was changed by others", *lines]),
        hint=f"write the same value into the stack file, or remove the object and run {again}; to "
        f"take the fields from {owner}, with whatever else differs: msctl render kubernetes | "
        f"{kubectl} apply --server-side --field-manager={MANAGER} --force-conflicts -f -",
    )


def _has_written(owner: str) -> str:
    return f"is managed by {owner}:"


def messages(faults: Sequence[MsctlError]) -> str:
    """Their messages, each once; what is the same for many objects is told for all of them."""
    same: dict[str, list[str]] = {}
    for fault in faults:
        if isinstance(fault, Refused) and fault.of:
            same.setdefault(fault.text, []).append(fault.of)
        else:
            same.setdefault(fault.message, [])
    return "\n".join(f"{_some(of)}: {text}" if of else text for text, of in same.items())


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
