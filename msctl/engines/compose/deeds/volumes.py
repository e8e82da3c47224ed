"""Volumes of a project, which hold its data, and how many replicas its services shall have: steps
done on one engine."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from msctl.engines.compose import labels
from msctl.engines.compose.api.client import MISSING, Client
from msctl.engines.compose.steps import CreateVolume, RecordIntent, RemoveVolume
from msctl.engines.secretfiles import made_with
from msctl.errors import StepFailed


class Volumes:
    """See `msctl.engines.compose.deeds.perform`."""

    def __init__(self, client: Client, made: Set[Path]) -> None:
        """`made`: files of secrets that are new; it grows meanwhile."""
        self._client = client
        self._made = made
        self._kept: set[Path] = set()
        """Those that a database has by now."""

    def create(self, step: CreateVolume) -> None:
        """The engine gives the one that is there, where somebody was quicker."""
        options, own = step.options, dict(step.labels)
        if step.secrets:
            own[labels.MADE_WITH] = made_with(step.target, step.secrets)
        found = self._client.call(
            lambda api: api.create_volume(
                step.target,
                driver=options.get("driver") or "local",
                driver_opts=options.get("driver_opts"),
                labels=own,
            )
        )
        theirs = (found.get("Labels") or {}).get(labels.MADE_WITH)
        if step.secrets and theirs != own[labels.MADE_WITH]:
            for path in self._made & set(map(Path, step.secrets)) - self._kept:
                path.unlink(missing_ok=True)
            raise StepFailed(
                f"volume {step.target} was made by somebody else a moment ago, with secrets that "
                "are not here; those that were made here are taken back",
                hint=f"copy {', '.join(step.secrets)} from there, then msctl up",
            )
        self._kept |= set(map(Path, step.secrets))

    def remove(self, step: RemoveVolume) -> None:
        self._client.quietly(MISSING, lambda api: api.remove_volume(step.target))

    def record_intent(self, step: RecordIntent) -> None:
        """The new generation is there before the old one goes: the highest wins."""
        self._client.call(lambda api: api.create_volume(step.volume, labels=dict(step.labels)))
        for volume in step.replaces:
            self.remove(RemoveVolume(target=volume))
