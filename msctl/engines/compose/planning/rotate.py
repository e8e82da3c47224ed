"""The plans that give a secret a new value: kept aside, told to who keeps it in its data, put in
the place of the old one; then every user is replaced, since a container sees the old file."""

from __future__ import annotations

import posixpath

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.password import passwords
from msctl.engines.secretsteps import RotateSecret, StageSecret, TellSecret
from msctl.errors import UsageProblem
from msctl.model import SecretMount
from msctl.plan import Draft, Plan
from msctl.render.compose import SECRETS_FOLDER
from msctl.spelling import did_you_mean
from msctl.state import StackState


def users_of(desired: Desired, secret: str) -> tuple[str, ...]:
    """The services that mount a secret.

    Raises:
        UsageProblem: none does.
    """
    names = {mount.name for s in desired.stack.services.values() for mount in s.secrets}
    if secret not in names:
        known = [*sorted(names), *passwords(desired)]
        raise UsageProblem(
            f"{secret} is not a secret of {desired.project}" + did_you_mean(secret, known),
            hint=None if known else f"write secrets: [{secret}] at a service; msctl up makes it",
        )
    return tuple(name for name in desired.names if _mounts(desired, name, secret))


def to_replace(desired: Desired, state: StackState, secret: str) -> list[str]:
    """The users whose replicas have to be replaced to see a new value."""
    return [
        name
        for name in users_of(desired, secret)
        if state.of(name) and not desired.is_job(name) and not _is_stateful(desired, name)
    ]


def plan_rotate(desired: Desired, state: StackState, secret: str) -> Plan:
    """A new value in the place of the old one.

    Raises:
        UsageProblem: there is no such secret, it has no value yet, or a service that keeps it in
            its data does not say by which command it takes a new one, or does not run.
    """
    folder = posixpath.normpath(posixpath.join(desired.folder, SECRETS_FOLDER))
    files = {f.name: f.template for f in desired.secret_files() if f.secret == secret}
    if not any(f"{folder}/{name}" in state.secret_files for name in files):
        raise UsageProblem(f"{secret} has no value yet", hint="msctl up makes it")
    _check_place(desired, state, secret, folder)
    draft = Draft()
    before = [draft.add(StageSecret(target=secret, folder=folder))]
    for name in users_of(desired, secret):
        commands = [m.rotate for m in _mounts(desired, name, secret) if m.rotate]
        if not commands and _is_stateful(desired, name):
            raise UsageProblem(
                f"{name} is stateful: it keeps {secret} in its data, which a new file does not "
                "change; nothing was changed",
                hint=f"name the command that does: services.{name}.secrets: [{{name: {secret}, "
                "rotate: [COMMAND, …]}], run in the container, which finds the new value in the "
                "file $$MSCTL_SECRET_FILE",
            )
        replica = next((r for r in state.of(name) if r.running), None)
        if commands and replica is None:
            raise UsageProblem(
                f"{name} does not run, and has to be told the new {secret}; nothing was changed",
                hint=f"msctl up {name}",
            )
        for command in commands:
            step = TellSecret(
                target=replica.name if replica else "",
                secret=secret,
                folder=folder,
                command=command,
                cause=f"{name} keeps it",
            )
            before.append(draft.add(step, before))
    draft.add(RotateSecret(target=secret, folder=folder, files=files), before)
    return draft.plan()


def _check_place(desired: Desired, state: StackState, secret: str, folder: str) -> None:
    """What runs has this folder's secret, not that of another copy of the stack file, which would
    keep the old value.

    Raises:
        UsageProblem: nothing was changed.
    """
    for name in users_of(desired, secret):
        for replica in state.of(name):
            elsewhere = [path for path in replica.secrets if not path.startswith(f"{folder}/")]
            if elsewhere:
                place = posixpath.dirname(elsewhere[0])
                raise UsageProblem(
                    f"{replica.name} has its secrets from {place}, not from here; nothing was "
                    "changed",
                    hint=f"rotate {secret} with the stack file that is beside them, or bring the "
                    f"stack here: copy {place}, then msctl up",
                )


def _mounts(desired: Desired, name: str, secret: str) -> list[SecretMount]:
    service = desired.service(name)
    return [mount for mount in service.secrets if mount.name == secret] if service else []


def _is_stateful(desired: Desired, name: str) -> bool:
    service = desired.service(name)
    return service is not None and service.stateful
