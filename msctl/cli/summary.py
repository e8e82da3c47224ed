"""The last lines of a command that changed something."""

from __future__ import annotations

from collections.abc import Sequence

from msctl.addresses import outer_dashboard_url
from msctl.assessment import ServiceStatus, Status
from msctl.assessment.assess import assess
from msctl.cli.converge import Run
from msctl.cli.session import Session
from msctl.config import LoadedStack
from msctl.engines.base import Engine
from msctl.engines.secretsteps import MakePassword
from msctl.errors import MsctlError
from msctl.render.compose import SECRETS_FOLDER
from msctl.render.traefik.settings import ADMIN
from msctl.state import StackState
from msctl.words import plural


def up(
    session: Session, loaded: LoadedStack, engine: Engine, run: Run, named: Sequence[str]
) -> None:
    """Where the stack is reached, and how many replicas of it there are."""
    stack, status = loaded.stack, _status(session, loaded, engine, run.state)
    replicas, services = _totals(status)
    if not run.changed:
        session.ui.say(f"nothing to do: {replicas} of {services} are as the file says")
    else:
        text = f"{stack.name} is up: {replicas} of {services} in {run.seconds:.1f} s"
        session.ui.say(text, "bold green")
    if status.gateway is not None:
        if url := status.gateway.url:
            session.ui.say(f"  gateway    {url}")
        if url := status.gateway.dashboard:
            session.ui.say(f"  dashboard  {url}")
        if url := outer_dashboard_url(stack.gateway):
            session.ui.say(f"  dashboard  {url} (user {ADMIN})")
    new_passwords(session, loaded, run)
    for problem in status.problems:
        if problem.kind == "gateway_api":
            session.ui.note(problem.message)
    failed = [p for p in status.problems if p.severity == "error"]
    if named:
        failed = [problem for problem in failed if problem.service in named]
    if failed:
        # It was healthy a moment ago.
        raise MsctlError("\n".join(problem.message for problem in failed), hint=failed[0].hint)


def new_passwords(session: Session, loaded: LoadedStack, run: Run) -> None:
    """Shown once, to a person; what keeps a command's output is no place for a password."""
    made = [node.step for node in run.done if isinstance(node.step, MakePassword)]
    for step in made:
        if not step.new:
            continue
        from msctl.files import passwords

        folder, user = loaded.folder / SECRETS_FOLDER, step.target
        kept = f"kept in {session.shown(passwords.path_of(folder, user))}"
        if session.ui.live:
            kept = f"{passwords.password(folder, user)} ({kept})"
        session.ui.say(f"  password   {user}: {kept}")


def scale(
    session: Session, loaded: LoadedStack, engine: Engine, run: Run, names: Sequence[str]
) -> None:
    """What each service has now, and what the gateway says of it."""
    status = _status(session, loaded, engine)
    found = {service.name: service for service in status.services}
    for name in names:
        style = "bold green" if run.changed else ""
        session.ui.say(f"{name}: {_counts(found[name])}", style)
    session.ui.say(f"done in {run.seconds:.1f} s" if run.changed else "nothing to do")
    for problem in status.problems:
        if problem.kind in ("gateway_api", "gateway_down"):
            session.ui.note(problem.message)


def down(session: Session, loaded: LoadedStack, engine: Engine, run: Run) -> None:
    """What is gone, and what was kept."""
    name = loaded.stack.name
    if run.changed:
        session.ui.say(f"{name} is down in {run.seconds:.1f} s", "bold green")
    else:
        session.ui.say(f"nothing to do: {name} is not up")
    if kept := data_volumes(engine.observe()):
        again = session.again("down --volumes")
        session.ui.say(f"kept, with their data: {', '.join(kept)} ({again} removes them)")


def data_volumes(state: StackState) -> list[str]:
    """The project's volumes that hold somebody's data."""
    intents = {intent.volume for intent in state.intents}
    return sorted(
        name
        for name, volume in state.volumes.items()
        if volume.project == state.project and name not in intents
    )


def _status(
    session: Session, loaded: LoadedStack, engine: Engine, state: StackState | None = None
) -> Status:
    state = state or engine.observe()
    return assess(loaded.stack, state, engine=engine.name, again=session.again)


def _totals(status: Status) -> tuple[str, str]:
    counts = [len(service.replicas) for service in status.services]
    services, replicas = sum(count > 0 for count in counts), sum(counts)
    if status.gateway is not None:
        services, replicas = services + 1, replicas + 1
    return plural(replicas, "replica"), plural(services, "service")


def _counts(service: ServiceStatus) -> str:
    text = f"{plural(len(service.replicas), 'replica')}, {service.healthy} healthy"
    return text if service.routed is None else f"{text}, {service.routed} get requests"
