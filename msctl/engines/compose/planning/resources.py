"""What containers stand on in a plan: networks, volumes and secrets."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from msctl.engines.compose import labels
from msctl.engines.compose.desired import Desired
from msctl.engines.compose.revision import Revision
from msctl.engines.compose.steps import CreateNetwork, CreateVolume
from msctl.engines.secretsteps import WriteSecret
from msctl.errors import MsctlError, UsageProblem
from msctl.plan import Draft
from msctl.state import StackState


class Resources:
    """Networks, volumes and secrets, as a plan makes them."""

    def __init__(self, desired: Desired, state: StackState, draft: Draft) -> None:
        self._desired = desired
        self._state = state
        self._draft = draft
        self._made: dict[str, int] = {}

    def of(self, revision: Revision) -> list[int]:
        """The steps that make those of a revision, where they are missing; each is made once."""
        steps = [
            *(self._network(key, options) for key, options in revision.networks.items()),
            *(self._secret(revision, secret) for secret in revision.secrets.values()),
            *(self._volume(key, options) for key, options in revision.volumes.items()),
        ]
        return [step for step in steps if step is not None]

    def _network(self, key: str, options: Mapping[str, Any]) -> int | None:
        name = str(options.get("name", key))
        if (found := self._state.networks.get(name)) is not None:
            if not options.get("external") and found.project != self._desired.project:
                raise MsctlError(
                    f"network {name} exists but is not one of project {self._desired.project}",
                    hint=f"docker network rm {name}",
                )
            return None
        if options.get("external"):
            self._draft.note(f"network {name} is external: it has to be made by hand")
            return None
        if name not in self._made:
            own = {
                **(options.get("labels") or {}),
                labels.NETWORK: key,
                labels.PROJECT: self._desired.project,
                labels.COMPOSE_VERSION: labels.COMPATIBLE_WITH,
            }
            step = CreateNetwork(target=name, labels=own, options=options)
            self._made[name] = self._draft.add(step)
        return self._made[name]

    def _volume(self, key: str, options: Mapping[str, Any]) -> int | None:
        name = str(options.get("name", key))
        if name in self._state.volumes or options.get("external"):
            return None
        resource = f"volume {name}"
        if resource not in self._made:
            own = {
                **(options.get("labels") or {}),
                labels.VOLUME: key,
                labels.PROJECT: self._desired.project,
                labels.COMPOSE_VERSION: labels.COMPATIBLE_WITH,
            }
            secrets = self._secrets_behind(key)
            made = [self._draft.nodes[number - 1].step for number in secrets]
            paths = {
                path: None
                for step in made
                if isinstance(step, WriteSecret)
                for path in (posixpath.join(posixpath.dirname(step.path), step.secret), step.path)
            }
            step = CreateVolume(target=name, labels=own, options=options, secrets=tuple(paths))
            self._made[resource] = self._draft.add(step, secrets)
        return self._made[resource]

    def _secrets_behind(self, volume: str) -> list[int]:
        """The secrets of the databases on a volume, which are there before it is: a volume without
        them means that they were lost."""
        steps = [
            self._secret(revision, secret)
            for revision in self._desired.revisions.values()
            if volume in revision.volumes
            for secret in revision.secrets.values()
        ]
        return [step for step in steps if step is not None]

    def _secret(self, revision: Revision, secret: Mapping[str, Any]) -> int | None:
        path = str(secret.get("file", ""))
        if not path or path in self._state.secret_files:
            return None
        if path not in self._made:
            self._refuse_new_secret(revision, path)
            file = next(f for f in self._desired.secret_files() if path.endswith(f"/{f.name}"))
            step = WriteSecret(
                target=file.name, path=path, secret=file.secret, template=file.template
            )
            self._made[path] = self._draft.add(step)
        return self._made[path]

    def _refuse_new_secret(self, revision: Revision, path: str) -> None:
        """A database keeps the password that its volume was made with."""
        service = self._desired.service(revision.name)
        kept = [name for name in revision.volume_names() if name in self._state.volumes]
        if service is not None and service.stateful and kept:
            raise UsageProblem(
                f"{revision.name}: the secret {path} is missing, but volume {kept[0]} exists and "
                "was made with it",
                hint="put the file back, or remove the data with msctl down --volumes",
            )
