"""A service's pods: one container each.

What it may do is in `msctl.render.kubernetes.security`.
"""

from __future__ import annotations

import shlex
from datetime import timedelta

from msctl.fields.mounts import parse_mount
from msctl.model import Service, Stack
from msctl.render.kubernetes import mounts, passthrough, secrets, security
from msctl.render.kubernetes.images import known
from msctl.render.kubernetes.mounts import Contents
from msctl.render.kubernetes.names import (
    Data,
    filled,
    labels,
    networks_as_labels,
    selector,
)
from msctl.render.kubernetes.probes import probes
from msctl.render.kubernetes.quantities import cpus, literal, seconds, size
from msctl.render.kubernetes.security import image_of

GRACE = timedelta(seconds=30)


def ports_of(service: Service) -> dict[str, tuple[int, str]]:
    """The container's ports that are known: name → number and protocol."""
    found: dict[tuple[int, str], str] = {}
    if service.port is not None:
        grpc = service.health is not None and service.health.grpc
        found[service.port, "TCP"] = "grpc" if grpc else "http"
    if (image := known(image_of(service))) is not None:
        for name, number in image.ports.items():
            found.setdefault((number, "TCP"), name if name not in found.values() else f"p{number}")
    for number, protocol in security.published_ports(service):
        found.setdefault((number, protocol.upper()), f"{protocol}-{number}")
    for number, protocol in passthrough.exposed(service):
        found.setdefault((number, protocol.upper()), f"{protocol}-{number}")
    return {name: key for key, name in found.items()}


def drain_of(service: Service) -> timedelta:
    """How long a pod that ends goes on serving. What holds data is asked by no gateway, and only
    waits where the file says so."""
    explicit = "drain" in service.rollout.given
    if service.job or (service.stateful and not explicit):
        return timedelta(0)
    return service.rollout.drain


def grace_of(service: Service) -> timedelta:
    """Between SIGTERM and SIGKILL. What holds data has at least what Kubernetes gives by itself,
    where the file says nothing: Docker's ten seconds are few to write all of it down."""
    if service.stateful and "stop_grace" not in service.given:
        return max(service.stop_grace, GRACE)
    return service.stop_grace


def template(stack: Stack, name: str, contents: Contents) -> Data:
    """The pod template of a service."""
    service = stack.services[name]
    files = mounts.files_of(service, contents)
    annotations = {**service.labels, **passthrough.pod_annotations(service), **mounts.digest(files)}
    of_mounts, mounted = mounts.volumes(stack, name, contents)
    of_tmpfs, mounted_tmpfs = mounts.memory(service)
    mode = 0o440 if security.user_of(service) else 0o444
    of_secrets, mounted_secrets = secrets.volumes(name, service, mode=mode)
    container = {
        "name": name,
        "image": image_of(service),
        # An image that was built and brought to the nodes by hand is in no registry.
        "imagePullPolicy": "IfNotPresent",
        **_commands(service),
        **passthrough.of_container(service),
        **filled({"env": _environment(service), "ports": _ports(service)}),
        **filled({"resources": _resources(service)}),
        **probes(service),
        **_lifecycle(service),
        **filled({"securityContext": security.of_container(service)}),
        **filled({"volumeMounts": [*mounted, *mounted_tmpfs, *mounted_secrets]}),
    }
    spec = {
        # Variables such as POSTGRES_PORT, which some images take for their settings.
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        **_restart(service),
        "terminationGracePeriodSeconds": seconds(drain_of(service) + grace_of(service), 1),
        **passthrough.of_pod(service),
        "securityContext": security.of_pod(service, (n for n, _ in ports_of(service).values())),
        "containers": [container],
        **filled({"volumes": [*of_mounts, *of_tmpfs, *of_secrets]}),
    }
    if several(service):
        spec["topologySpreadConstraints"] = spread(selector(stack, name))
    metadata = {
        "labels": {**labels(stack, name, service.kind), **networks_as_labels(stack, service)},
        **filled({"annotations": annotations}),
    }
    return {"metadata": metadata, "spec": spec}


def count(service: Service) -> int:
    """Replicas that the service starts with."""
    if service.stateful or service.job:
        return 1
    return service.kubernetes.replicas or service.replicas.initial


def several(service: Service) -> bool:
    """Whether the service has two replicas or more."""
    if service.stateful or service.job:
        return False
    return service.autoscale is not None or count(service) > 1


def spread(chosen: Data) -> list[Data]:
    """Replicas of one revision on many nodes and in many zones, where there are some."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": chosen},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
    ]


def _commands(service: Service) -> Data:
    given = {"command": service.entrypoint, "args": service.command}
    return {
        key: [literal(word) for word in (shlex.split(value) if isinstance(value, str) else value)]
        for key, value in given.items()
        if value
    }


def _environment(service: Service) -> list[Data]:
    image = known(image_of(service))
    told = dict(image.env) if image and _has_volume(service) else {}
    whole = {**told, **service.env, **service.kubernetes.env}
    return [
        {"name": name, "value": literal(value)}
        for name, value in whole.items()
        if value is not None
    ]


def _has_volume(service: Service) -> bool:
    return any(parse_mount(entry).kind == "volume" for entry in service.volumes)


def _ports(service: Service) -> list[Data]:
    return [
        {"name": name, "containerPort": number, "protocol": protocol}
        for name, (number, protocol) in ports_of(service).items()
    ]


def _resources(service: Service) -> Data:
    limits = service.resources
    return filled(
        {
            "requests": _amounts(limits.reserve.cpus, limits.reserve.memory),
            "limits": _amounts(limits.cpus, limits.memory),
        }
    )


def _amounts(processors: float | None, memory: int | None) -> Data:
    return filled(
        {
            "cpu": None if processors is None else cpus(processors),
            "memory": None if memory is None else size(memory),
        }
    )


def _lifecycle(service: Service) -> Data:
    """A pod that ends gets requests until every gateway and node has heard of it.

    The `sleep` action needs no shell in the image; Kubernetes has it on by default since 1.30.
    """
    drain = seconds(drain_of(service))
    return {"lifecycle": {"preStop": {"sleep": {"seconds": drain}}}} if drain else {}


def _restart(service: Service) -> Data:
    if not service.job:
        return {}
    return {"restartPolicy": "OnFailure" if service.restart.startswith("on-failure") else "Never"}
