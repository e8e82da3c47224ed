"""The gateway gets new settings, and keeps serving meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.settingsteps import (
    AwaitSettings,
    AwaitSettingsEnd,
    EmptySettings,
    IssueCertificate,
    WriteSettings,
)
from msctl.engines.compose.steps import AwaitRouted
from msctl.engines.secretsteps import MakePassword
from msctl.errors import UsageProblem
from msctl.model import GATEWAY
from msctl.plan import Draft, Plan
from msctl.shellwords import quoted
from msctl.state import NO_PASSWORD, GatewaySettings, StackState

if TYPE_CHECKING:
    from msctl.engines.compose.planning.blocks import Blocks

UNKNOWN = "new"
"""The digest of settings that are not made, since the plan is only shown."""
SETTINGS_TIMEOUT = 20.0
"""Seconds that the gateway may take to read its settings."""


def refuse_another_copys(desired: Desired, state: StackState, settings: GatewaySettings) -> None:
    """Authority and passwords that another copy of the stack file made are in force: new ones would
    lock out who was given them.

    Raises:
        UsageProblem: nothing was changed.
    """
    folders = {r.working_dir for r in state.of(GATEWAY) if r.working_dir and r.ours}
    if not settings.present or not settings.new or desired.folder in folders or not folders:
        return
    (folder, *_) = sorted(folders)
    raise UsageProblem(
        f"the gateway has what {folder} made, and here there is no {', no '.join(settings.new)}: "
        "new ones would lock out who was given those; nothing was changed",
        hint=f"copy {quoted(f'{folder}/.msctl')} beside the stack file; where it is lost: "
        "msctl down, then msctl up",
    )


def plan_materials(settings: GatewaySettings) -> Plan:
    """What settings are made of, where it is missing or about to end."""
    draft = Draft()
    if settings.certificate_due:
        why = settings.certificate_due
        draft.add(IssueCertificate(target=GATEWAY, service=GATEWAY, cause=why))
    for user, why in settings.passwords_due.items():
        step = MakePassword(target=user, service=GATEWAY, cause=why, new=why == NO_PASSWORD)
        draft.add(step)
    return draft.plan()


def write_before_start(draft: Draft, desired: Desired, after: Iterable[int]) -> list[int]:
    """A gateway that starts finds its settings, and none of an earlier time."""
    behind, settings = list(after), desired.settings
    if settings is None or not (settings.wanted or settings.present):
        return behind
    step = WriteSettings(target=GATEWAY, service=GATEWAY, digest=settings.wanted, alone=True)
    return [draft.add(step, behind)]


def change_settings(blocks: Blocks) -> list[int]:
    """A gateway that runs reads its new settings beside the old ones; what has to be done before
    they are in force."""
    settings, gateway = blocks.desired.settings, blocks.state.gateway
    if settings is None or not settings.wanted or settings.wanted in settings.present:
        return []
    if _starts_with_them(blocks.draft):
        return []
    write = WriteSettings(
        target=GATEWAY, service=GATEWAY, cause="they have changed", digest=settings.wanted
    )
    written = blocks.draft.add(write)
    if gateway is None or not gateway.answered:
        return [written]
    read = AwaitSettings(
        target=GATEWAY, service=GATEWAY, digest=settings.wanted, timeout=SETTINGS_TIMEOUT
    )
    return [blocks.draft.add(read, [written])]


def end_old_settings(blocks: Blocks) -> None:
    """Last of all: replicas that go may have named what is in the old ones; those that come do
    not, and whether the gateway lists them is no reason to keep an old certificate."""
    settings = blocks.desired.settings
    if settings is None or _starts_with_them(blocks.draft):
        return
    nodes = blocks.draft.nodes
    everything = [node.id for node in nodes if not isinstance(node.step, AwaitRouted)]
    for digest in sorted(settings.present - {settings.wanted}):
        step = EmptySettings(
            target=GATEWAY, service=GATEWAY, cause="new ones are in force", digest=digest
        )
        emptied = blocks.draft.add(step, everything)
        if blocks.state.gateway is not None and blocks.state.gateway.answered:
            forgotten = AwaitSettingsEnd(
                target=GATEWAY, service=GATEWAY, digest=digest, timeout=SETTINGS_TIMEOUT
            )
            blocks.draft.add(forgotten, [emptied])


def _starts_with_them(draft: Draft) -> bool:
    return any(isinstance(node.step, WriteSettings) and node.step.alone for node in draft.nodes)
