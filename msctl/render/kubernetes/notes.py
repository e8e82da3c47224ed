"""What Kubernetes carries otherwise than an engine does; nobody has to change anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msctl.model import Gateway, Service, Stack
from msctl.render.kubernetes import passthrough
from msctl.render.kubernetes.mounts import mounts_of, own_volumes, tmpfs_of
from msctl.render.kubernetes.security import PROFILES, profile_of, user_of

_OF_THE_STACK = {
    "networks": "what Compose says of it is for Docker alone; here it is a NetworkPolicy",
    "volumes": "what Compose says of it is for Docker alone; here it is a claim of the cluster's "
    "default storage class",
}
_Test = Callable[[Stack, str, Service], bool]
_OF_GATEWAY = (
    "user", "read_only", "tmpfs", "cap_add", "cap_drop", "security_opt", "pids_limit", "logging",
)  # fmt: skip


def notes(stack: Stack) -> Iterator[str]:
    """One for each thing, with the services that it is about."""
    for text, holds in _NOTES.items():
        about = [name for name, service in stack.services.items() if holds(stack, name, service)]
        if about:
            yield f"{', '.join(about)}: {text}"
    yield from _passed(stack)
    acme = stack.routed and stack.gateway.tls_on and stack.gateway.tls.mode == "acme"
    if acme and stack.kubernetes.cluster_issuer is None:
        yield (
            "gateway.tls: Let's Encrypt asks for each host at port 80, where the Ingress that "
            "cert-manager makes for it must be reached (kubernetes.ingress_class, else the "
            "cluster's default one)"
        )
    if stack.routed and (given := [key for key in _OF_GATEWAY if _says(stack.gateway, key)]):
        yield (
            f"gateway.{', gateway.'.join(given)}: for Docker alone; on Kubernetes Traefik runs as "
            "a user without rights, on a read-only root"
        )


def _passed(stack: Stack) -> Iterator[str]:
    """What `x-compose` says, and is otherwise here."""
    found: dict[str, list[str]] = {}
    for name, service in stack.services.items():
        for text in passthrough.notes(service):
            found.setdefault(text, []).append(name)
    yield from (f"{', '.join(names)}: {text}" for text, names in found.items())
    for key, text in _OF_THE_STACK.items():
        if about := stack.passthrough.get(key):
            yield f"x-compose.{key}: {', '.join(about)}: {text}"


def _says(record: Service | Gateway, key: str) -> bool:
    return key in record.given


def _by_cpu_alone(stack: Stack, _: str, service: Service) -> bool:
    scaled = service.autoscale
    more = scaled is not None and (scaled.rps is not None or scaled.latency_p95 is not None)
    return more and not stack.kubernetes.keda


def _at_its_own_pace(stack: Stack, _: str, service: Service) -> bool:
    scaled = service.autoscale
    said = scaled is not None and "interval" in scaled.given
    return said and not stack.kubernetes.keda


def _without_end(_: Stack, __: str, service: Service) -> bool:
    return service.restart.startswith("on-failure:") and not service.job


def _for_many_nodes(stack: Stack, name: str, service: Service) -> bool:
    own = own_volumes(stack, name)
    shared = [
        mounted
        for mounted in mounts_of(service)
        if mounted.mount.kind == "volume" and mounted.mount.source not in (None, *own)
    ]
    return bool(shared) and service.kubernetes.access_mode is None


def _of_an_unknown_user(_: Stack, __: str, service: Service) -> bool:
    return user_of(service) is None


def _not_restricted(_: Stack, __: str, service: Service) -> bool:
    return user_of(service) is not None and profile_of(service) != PROFILES[0]


def _with_a_limit_of_processes(_: Stack, __: str, service: Service) -> bool:
    return _says(service, "pids_limit")


def _with_its_own_logs(_: Stack, __: str, service: Service) -> bool:
    return _says(service, "logging")


def _with_options_of_tmpfs(_: Stack, __: str, service: Service) -> bool:
    return any(others for _, _, others in tmpfs_of(service))


_NOTES: Mapping[str, _Test] = {
    "scaled by CPU alone; for rps and latency_p95 install KEDA, and write kubernetes: "
    "{keda: true} at the top": _by_cpu_alone,
    "the cluster says how often it decides about replicas, not autoscale.interval": (
        _at_its_own_pace
    ),
    "started again as often as it fails, ever more slowly; on-failure:N has no counterpart": (
        _without_end
    ),
    "its shared volume wants storage that many nodes mount (ReadWriteMany); on a cluster of one "
    "node write kubernetes: {access_mode: ReadWriteOnce}": _for_many_nodes,
    "the image's user is not known, so that the namespace has the baseline Pod Security profile; "
    "write kubernetes: {user: NUMBER}": _of_an_unknown_user,
    "root, a capability, an option of security_opt or what it shares with the node does not fit "
    "the restricted Pod Security profile, so that the namespace has a wider one": _not_restricted,
    "pids_limit has no counterpart in a pod; podPidsLimit of the nodes' kubelets bounds it": (
        _with_a_limit_of_processes
    ),
    "logging has no counterpart in a pod; the nodes keep what it writes": _with_its_own_logs,
    "of tmpfs only the path and the size are carried": _with_options_of_tmpfs,
}
