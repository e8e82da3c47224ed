"""What a container may do, as keys of a Compose service.

The capabilities are those under which the usual images work: an entry point that begins as root,
gives its folders to a user and becomes that user needs five; KILL lets it pass signals on to that
user's processes.
"""

from __future__ import annotations

from typing import Any

from msctl.model import Gateway, Service

SERVICE_CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID",
)  # fmt: skip
GATEWAY_CAPABILITIES = ("NET_BIND_SERVICE",)

Data = dict[str, Any]


def confinement(of: Service | Gateway) -> Data:
    """The keys that confine the containers of a service, or the gateway's; those that say nothing
    are left out."""
    usual = GATEWAY_CAPABILITIES if isinstance(of, Gateway) else SERVICE_CAPABILITIES
    added = of.cap_add if "cap_drop" in of.given else (*usual, *of.cap_add)
    found = {
        "user": of.user,
        "read_only": of.read_only,
        "tmpfs": list(of.tmpfs),
        "cap_drop": list(of.cap_drop),
        "cap_add": list(dict.fromkeys(added)),
        "security_opt": list(of.security_opt),
        "logging": _logging(of),
    }
    return {key: value for key, value in found.items() if value}


def bounded() -> Data:
    """What a service of msctl's own may take: processes, and room for its logs."""
    usual = Gateway()
    return {"logging": _logging(usual), "pids_limit": usual.pids_limit}


def _logging(of: Service | Gateway) -> Data:
    if of.logging is None:
        return {}
    whole = {"driver": of.logging.driver, "options": dict(of.logging.options)}
    return {key: value for key, value in whole.items() if value}
