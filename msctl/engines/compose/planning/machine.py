"""What a stack asks of the engine's machine, held against what that has."""

from __future__ import annotations

from msctl.engines.compose.desired import Desired
from msctl.errors import UsageProblem
from msctl.model import AUTOSCALER_PROXY, DOCKER_SOCKET, SOCKET_PROXY
from msctl.state import PODMAN, EngineInfo, StackState


def check_machine(whole: Desired, state: StackState) -> None:
    """Raises:
    UsageProblem: something would not work there.
    """
    engine = state.engine
    if any(DOCKER_SOCKET in revision.sockets for revision in whole.revisions.values()):
        _refuse_another_socket(engine)
    if engine.product == PODMAN and engine.selinux:
        _refuse_proxies(whole)
    for name, service in whole.stack.services.items():
        cpus = service.resources.cpus
        if cpus is not None and cpus > engine.cpus:
            raise UsageProblem(
                f"services.{name}.resources.cpus: {cpus:g} is more than the "
                f"{engine.cpus} CPUs of the machine"
            )


def _refuse_another_socket(engine: EngineInfo) -> None:
    """The engine's own is given to the gateway's proxy, or to nobody."""
    near = engine.address.startswith("unix://")
    podman = engine.product == PODMAN and near and engine.address != f"unix://{DOCKER_SOCKET}"
    if engine.rootless or podman:
        path = engine.address.removeprefix("unix://") if near else "PATH"
        raise UsageProblem(
            f"the engine is {'rootless' if engine.rootless else PODMAN}, and its socket is not "
            f"{DOCKER_SOCKET}, which the gateway's proxy would be given",
            hint=f"in the stack file, under gateway, write: socket: {path}",
        )


_AROUND = {
    SOCKET_PROXY: "in the stack file, under gateway, write: socket_proxy: off, and "
    "security_opt: [label=disable, no-new-privileges:true]: the gateway has the socket then",
    AUTOSCALER_PROXY: "take autoscaler out of the stack file, and run msctl autoscale instead",
}


def _refuse_proxies(whole: Desired) -> None:
    """SELinux lets a container speak to Podman's socket only where the container says so."""
    for name, hint in _AROUND.items():
        if name in whole.names:
            raise UsageProblem(
                f"the engine is {PODMAN} under SELinux, which keeps {name} from its socket",
                hint=hint,
            )
