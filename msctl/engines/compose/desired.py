"""What shall be: the stack file, rendered and normalised, service by service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from msctl.engines.compose.revision import Revision
from msctl.errors import UsageProblem
from msctl.fields.ports import parse_port
from msctl.frozen import dataclass
from msctl.model import GATEWAY, OWN_SERVICES, Rollout, Service, Stack
from msctl.render.canonical import canonical
from msctl.render.compose import document, secret_files
from msctl.state import GatewaySettings

GATEWAY_START = timedelta(seconds=60)
"""Time in which the gateway has to become healthy."""


@dataclass(frozen=True)
class SecretFile:
    """A file beside the stack file that holds a secret."""

    name: str
    """The file's name in the folder of secrets."""
    secret: str
    template: str | None


@dataclass(frozen=True)
class Desired:
    """A stack, ready to be compared with what is there."""

    stack: Stack
    folder: str
    """Absolute path of the stack file's folder."""
    document: Mapping[str, Any]
    """The whole Compose document in normalised form."""
    files: Mapping[str, str]
    """Digest of the contents of each service's mounted files."""
    left_out: Mapping[str, str]
    """Optional services that cannot be had, and why."""
    settings: GatewaySettings | None = None
    """The gateway's own settings; None where they are left as they are."""

    @property
    def project(self) -> str:
        return self.stack.name

    @cached_property
    def revisions(self) -> Mapping[str, Revision]:
        """The rendered services by name; `traefik` first where there is a gateway."""
        return {name: Revision.of(self.document, name) for name in self.document["services"]}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.document["services"])

    @property
    def has_gateway(self) -> bool:
        return GATEWAY in self.document["services"]

    def service(self, name: str) -> Service | None:
        """The stack file's entry; None for the gateway and its proxy, which have none."""
        return self.stack.services.get(name)

    def needs(self, name: str) -> tuple[str, ...]:
        """The services that it needs first, without those that are left out."""
        service = self.service(name)
        wanted = service.needs if service else self.document["services"][name].get("depends_on", ())
        return tuple(need for need in wanted if need not in self.left_out)

    def health_timeout(self, name: str) -> timedelta:
        service = self.service(name)
        return service.rollout.health_timeout if service else GATEWAY_START

    def rollout(self, name: str) -> Rollout:
        service = self.service(name)
        return service.rollout if service else Rollout()

    def is_job(self, name: str) -> bool:
        service = self.service(name)
        return service is not None and service.job

    def single(self, name: str) -> str | None:
        """Why a service can have one replica at the most; None when it can have more."""
        service = self.service(name)
        if service is None:
            return f"it is {OWN_SERVICES[name]}"
        if service.stateful:
            return "it is stateful"
        if service.job:
            return "it is a job"
        if any(parse_port(port).fixed for port in service.ports):
            return "it has a fixed host port"
        return None

    def secret_files(self) -> tuple[SecretFile, ...]:
        used = {
            key for name in self.names for key in self.revisions[name].secrets
        }  # a left-out service's secrets are not made
        return tuple(
            SecretFile(file, secret, template)
            for file, (secret, template) in secret_files(self.stack).items()
            if file in used
        )


def desired(
    stack: Stack,
    folder: str,
    digest: Callable[[Revision], str],
    left_out: Mapping[str, str] | None = None,
) -> Desired:
    """Render a stack for the engine, without the services that are left out.

    `digest` gives the digest of the contents of a revision's mounted files.

    Raises:
        UsageProblem: the file holds what Compose has no form for.
    """
    missing = dict(left_out or {})
    try:
        whole = canonical(document(stack), working_dir=folder, project=stack.name)
    except ValueError as error:  # what Docker Compose would misread
        raise UsageProblem(f"{error}; nothing was changed") from None
    services = {name: service for name, service in whole["services"].items() if name not in missing}
    files = {name: digest(Revision.of(whole, name)) for name in services}
    return Desired(stack, folder, {**whole, "services": services}, files, missing)
