"""The gateway's settings, as this machine's files make them and as the gateway has them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.deadline import Job
from msctl.engines.compose.deeds.gatewayfiles import GatewayFiles
from msctl.engines.compose.settingsteps import IssueCertificate, WriteSettings
from msctl.engines.secretsteps import MakePassword
from msctl.errors import StepFailed
from msctl.files import wholefile
from msctl.model import Stack
from msctl.render.compose import SECRETS_FOLDER
from msctl.render.traefik.hosts import reached_by
from msctl.render.traefik.settings import Pair, Settings, settings, users
from msctl.state import GatewaySettings
from msctl.tls.places import FOLDER

if TYPE_CHECKING:
    from msctl.tls.authority import Authority


class SettingsSource:
    """What one stack's settings are made of; libraries are loaded when they are needed."""

    def __init__(
        self, stack: Stack, folder: str, files: GatewayFiles, now: Callable[[], datetime]
    ) -> None:
        self._stack = stack
        self._folder = Path(folder)
        self._files = files
        self._now = now

    def observe(self) -> Callable[[], GatewaySettings]:
        """Begins to ask the gateway's container, which takes its engine long. What comes back tells
        what there is, and what is to be made first.

        It raises:
            UsageProblem: a file of the user's own is of no use.
            StepFailed: a file cannot be read.
        """
        asked = Job(self._files.present_settings)
        return lambda: self._observed(asked)

    def _observed(self, asked: Job[list[str]]) -> GatewaySettings:
        for folder in self._folders:
            wholefile.check_folder(folder)
        certificate = self._authority.due(self._now()) if self._signs_itself else None
        passwords: dict[str, str] = {}
        if names := users(self._stack):
            from msctl.files import passwords as of_users

            passwords = of_users.due(self._secrets, names)
        wanted = None if certificate or passwords else self._built()
        asked.ends()
        return GatewaySettings(
            wanted=wanted.digest if wanted else "",
            present=frozenset(asked.result()),
            certificate_due=certificate,
            passwords_due=passwords,
        )

    # Steps

    def issue(self, _: IssueCertificate) -> None:
        self._authority.issue(self._now())

    def make_password(self, step: MakePassword) -> None:
        from msctl.files import passwords as of_users

        of_users.make(self._secrets, step.target, fresh=step.fresh)

    def write(self, step: WriteSettings) -> None:
        """Raises:
        StepFailed: what it is made of has changed since the plan was made.
        """
        built = self._built() if step.digest else None
        if step.digest and (built is None or built.digest != step.digest):
            raise StepFailed("the certificate or a password has changed meanwhile", hint="msctl up")
        self._files.write_settings(step, built)

    # What they are made of

    @property
    def _signs_itself(self) -> bool:
        gateway = self._stack.gateway
        return self._stack.routed and gateway.tls_on and gateway.tls.mode == "self-signed"

    @property
    def _secrets(self) -> Path:
        return self._folder / SECRETS_FOLDER

    @property
    def _folders(self) -> list[Path]:
        """Those that are written to."""
        signs = [self._folder / FOLDER] if self._signs_itself else []
        return signs + ([self._secrets] if users(self._stack) else [])

    @cached_property
    def _authority(self) -> Authority:
        from msctl.tls.authority import Authority

        return Authority(self._folder / FOLDER, self._stack.name, reached_by(self._stack))

    def _built(self) -> Settings | None:
        hashes: dict[str, str] = {}
        if names := users(self._stack):
            from msctl.files import passwords as of_users

            hashes = of_users.hashes(self._secrets, names)
        return settings(self._stack, self._pair(), hashes)

    def _pair(self) -> Pair | None:
        tls = self._stack.gateway.tls
        if self._signs_itself:
            return self._authority.pair()
        if tls.mode != "files" or not self._stack.routed or tls.cert is None or tls.key is None:
            return None
        from msctl.tls.pairs import read_pair

        return read_pair(self._folder, tls.cert, tls.key, self._now())
