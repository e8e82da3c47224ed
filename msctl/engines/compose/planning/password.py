"""Another password for somebody whom the gateway asks for one: no replica is touched, since the
gateway reads the new hash beside the old one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from msctl.engines.compose.desired import Desired
from msctl.engines.compose.planning.blocks import Blocks
from msctl.engines.compose.planning.pinning import refuse_without_gateway
from msctl.engines.compose.planning.settings import UNKNOWN, change_settings, end_old_settings
from msctl.engines.secretsteps import MakePassword
from msctl.errors import UsageProblem
from msctl.model import GATEWAY
from msctl.plan import Draft, Plan
from msctl.render.traefik.settings import users
from msctl.request import Plans, Rotate
from msctl.spelling import did_you_mean
from msctl.state import GatewaySettings, StackState

_OF_USER = "@"
"""Begins the name of a secret that is a user's password."""


def is_of_user(secret: str) -> bool:
    """Whether a secret is a user's password."""
    return secret.startswith(_OF_USER)


def passwords(desired: Desired) -> list[str]:
    """The users' passwords, by the names that they have among the secrets."""
    return [f"{_OF_USER}{user}" for user in users(desired.stack)]


def plans_of_password(
    desired: Desired,
    state: StackState,
    request: Rotate,
    observe_settings: Callable[[], Callable[[], GatewaySettings]],
) -> Plans:
    """The password, then the settings with its hash.

    Raises:
        UsageProblem: there is no such user, or the stack is not as the file says.
        MsctlError: the gateway cannot be asked whether it has the new settings.
    """
    user = request.secret.removeprefix(_OF_USER)
    settings = observe_settings()()
    _check(desired, settings, user)
    blocks = Blocks(desired, state)
    if request.drain:
        refuse_without_gateway(blocks)
    outcome = yield _another(user)
    if outcome is not None and outcome.failures:
        return
    # Not made when it is only shown: what comes of it is not known then.
    settings = observe_settings()() if outcome else replace(settings, wanted=UNKNOWN)
    blocks.desired = replace(desired, settings=settings)
    change_settings(blocks)
    end_old_settings(blocks)
    yield blocks.draft.plan()


def _check(desired: Desired, settings: GatewaySettings, user: str) -> None:
    """An edited file would come along with the new hash, and replicas may name what it lacks."""
    secret, known = f"{_OF_USER}{user}", passwords(desired)
    if secret not in known:
        raise UsageProblem(
            f"{secret} is nobody whom the gateway of {desired.project} asks for a password"
            + did_you_mean(secret, known),
            hint=None if known else f"write basic_auth: [{user}] at a service that has routes",
        )
    if settings.unmade or settings.wanted not in settings.present:
        raise UsageProblem(
            "the gateway does not have the settings of the stack file; nothing was changed",
            hint=f"msctl up, then msctl secret rotate {secret}",
        )


def _another(user: str) -> Plan:
    draft = Draft()
    draft.add(MakePassword(target=user, service=GATEWAY, cause="rotated", new=True, fresh=True))
    return draft.plan()
