"""What is said of an engine that does not answer, or is none."""

from __future__ import annotations

from msctl.engines.compose.api.endpoint import Endpoint
from msctl.engines.compose.api.ssh import SshFault
from msctl.errors import EngineUnreachable, causes, reason


def no_engine(place: Endpoint, why: str) -> EngineUnreachable:
    return EngineUnreachable(
        f"what answers at {place} is no Docker engine that msctl can use: {why}",
        hint="see what is there: docker version; msctl doctor tells more",
    )


def unreachable(
    address: str, error: BaseException, place: Endpoint | None = None
) -> EngineUnreachable:
    place = place or Endpoint(address, "")
    by, why = f" ({place.chosen_by})" if place.chosen_by else "", reason(error)
    hint = place.hint
    if place.local and "ermission denied" in why:
        hint = "sudo usermod -aG docker $USER, then log in anew; or use sudo"
    if any(word in why for word in ("SSL", "TLS", "X509", "violation of protocol")):
        why, hint = _of_tls(place, why)
    if (fault := _by_ssh(error)) is not None:
        why, hint = fault.reason, fault.hint
    return EngineUnreachable(f"no Docker engine answers at {address}{by}: {why}", hint=hint)


def _of_tls(place: Endpoint, why: str) -> tuple[str, str]:
    """What there is to say about a connection by TLS that could not be made."""
    folder = place.certificates
    if folder is None:
        return why, "DOCKER_TLS_VERIFY=1, with DOCKER_CERT_PATH, is for an engine that asks for TLS"
    lacking = [name for name in ("ca.pem", "cert.pem", "key.pem") if not (folder / name).is_file()]
    if "ca.pem" in lacking:
        why = f"there is no {folder / 'ca.pem'}"
    also = f"; {' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not there"
    told = f"ca.pem, cert.pem and key.pem are looked for in {folder}{also if lacking else ''}"
    return why, f"{told}; DOCKER_CERT_PATH names another folder"


def _by_ssh(error: BaseException) -> SshFault | None:
    """The fault of ssh that another one is about."""
    return next((cause for cause in causes(error) if isinstance(cause, SshFault)), None)
