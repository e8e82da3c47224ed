"""What holds once a stack is up: nothing missing, nothing stray."""

from __future__ import annotations

from memory.engine import MemoryEngine
from memory.gateway import view
from memory.machine import Container
from memory.world import World
from msctl.engines.compose import labels
from msctl.engines.compose.planning.compare import outdated
from msctl.model import GATEWAY, Stack
from msctl.render.socketproxy import own_names


def strays(world: World, stack: Stack) -> list[str]:
    """Containers of the project that belong to no service of the stack."""
    known = own_names(stack) | stack.services.keys()
    return [c.name for c in _of(world, stack) if c.service not in known]


def assert_converged(world: World, stack: Stack, **wanted: int) -> None:
    """Every service has its replicas (`wanted`, else the file's), each as the file says.

    Jobs have ended with success, all others are healthy, and the gateway lists exactly the
    replicas of what has routes.
    """
    assert strays(world, stack) == []
    engine = MemoryEngine(world, stack)
    state = engine.observe()
    whole = engine.desired(state)
    for name, service in stack.services.items():
        replicas = [c for c in _of(world, stack) if c.service == name]
        single = whole.single(name) is not None
        count = 1 if single else wanted.get(name, service.replicas.initial)
        assert len(replicas) == count, f"{name}: {[c.name for c in replicas]}, {count} wanted"
        for replica in state.of(name):
            assert not outdated(replica, whole.revisions[name], whole.files[name], state)
        if service.job:
            assert [(c.state, c.exit_code) for c in replicas] == [("exited", 0)]
        else:
            assert all(c.healthy for c in replicas), f"{name}: {[c.state for c in replicas]}"
    if stack.routed:
        _assert_routed(world, stack)
        (gateway,) = state.of(GATEWAY)
        assert set(gateway.addresses) == set(whole.revisions[GATEWAY].network_names())


def _assert_routed(world: World, stack: Stack) -> None:
    gateway = view(world, stack)
    assert gateway is not None
    assert gateway.answered
    pins = [name for name in gateway.servers if name.endswith("@file")]
    assert pins == []
    for name, service in stack.services.items():
        if service.routes:
            network = f"{stack.name}_{stack.networks_of(service)[0]}"
            addresses = {
                f"http://{c.networks[network]}:{service.port}"
                for c in _of(world, stack)
                if c.service == name
            }
            assert gateway.servers.get(f"{name}@docker", {}).keys() == addresses


def _of(world: World, stack: Stack) -> list[Container]:
    return [c for c in world.containers.values() if c.labels.get(labels.PROJECT) == stack.name]
