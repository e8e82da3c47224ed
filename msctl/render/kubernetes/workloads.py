"""A service as Deployment, StatefulSet or Job, with what belongs to it."""

from __future__ import annotations

from collections.abc import Iterator

from msctl.model import Service
from msctl.render.kubernetes.mounts import Contents, claim_templates, config_map, shared_claims
from msctl.render.kubernetes.names import SERVICE, Data, Maker, selector
from msctl.render.kubernetes.pods import count, ports_of, several, template
from msctl.render.kubernetes.quantities import seconds

PULL = 120
"""Seconds that a node may take to get an image, before a rollout counts as stuck."""
JOB_TRIES = 3
"""Attempts of a job whose `restart` does not say how many."""


def workload(make: Maker, name: str, contents: Contents) -> Iterator[Data]:
    """Everything of one service: its files and claims first, then what runs."""
    service = make.stack.services[name]
    if (files := config_map(make, name, contents)) is not None:
        yield files
    yield from (claim for user, claim in shared_claims(make) if user == name)
    if service.job:
        yield job(make, name, contents)
        return
    yield from services(make, name)
    yield (stateful_set if service.stateful else deployment)(make, name, contents)
    if several(service):
        yield budget(make, name, service.kind)


def deployment(make: Maker, name: str, contents: Contents) -> Data:
    """No `replicas` where an autoscaler says how many."""
    service, rollout = make.stack.services[name], make.stack.services[name].rollout
    replicas = {} if service.autoscale else {"replicas": count(service)}
    ready = seconds(rollout.monitor)
    spec = {
        **replicas,
        "selector": {"matchLabels": selector(make.stack, name)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": _update(service)},
        "minReadySeconds": ready,
        "progressDeadlineSeconds": PULL + seconds(rollout.health_timeout) + ready,
        "revisionHistoryLimit": 10,
        "template": template(make.stack, name, contents),
    }
    return _object(make, "apps/v1 Deployment", name, service, spec)


def _update(service: Service) -> Data:
    surge = service.rollout.surge
    if service.rollout.order == "stop-first":
        return {"maxSurge": 0, "maxUnavailable": surge}
    return {"maxSurge": surge, "maxUnavailable": 0}


def stateful_set(make: Maker, name: str, contents: Contents) -> Data:
    """One replica with its own volumes, replaced stop-first; the volumes outlive it."""
    service = make.stack.services[name]
    spec = {
        "replicas": 1,
        "serviceName": name,
        "selector": {"matchLabels": selector(make.stack, name)},
        "updateStrategy": {"type": "RollingUpdate"},
        # With one replica it orders nothing, and a pod that never gets ready is replaced by the
        # next revision: "OrderedReady" would wait for it for ever.
        "podManagementPolicy": "Parallel",
        "minReadySeconds": seconds(service.rollout.monitor),
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "template": template(make.stack, name, contents),
    }
    if claims := claim_templates(make.stack, name):
        spec["volumeClaimTemplates"] = claims
    return _object(make, "apps/v1 StatefulSet", name, service, spec)


def job(make: Maker, name: str, contents: Contents) -> Data:
    """Runs to success; `on-failure:N` says how often it may be tried again."""
    service = make.stack.services[name]
    policy, _, tries = service.restart.partition(":")
    again = int(tries) if tries else JOB_TRIES
    spec = {
        "backoffLimit": again if policy == "on-failure" else 0,
        "template": template(make.stack, name, contents),
    }
    return _object(make, "batch/v1 Job", name, service, spec)


def _object(make: Maker, kind: str, name: str, service: Service, spec: Data) -> Data:
    return make.object(kind, name, name, service.kind, annotations={SERVICE: name}, spec=spec)


def services(make: Maker, name: str) -> Iterator[Data]:
    """The name by which others in the cluster reach the service; one more for those outside.

    A StatefulSet's has no address of its own (headless), nor has that of a service whose ports the
    file does not tell: the name is that of the pods, and every port of theirs is reached.
    """
    service = make.stack.services[name]
    ports = [
        {"name": port, "port": number, "protocol": protocol, "targetPort": port, **_of(port)}
        for port, (number, protocol) in ports_of(service).items()
    ]
    spec: Data = {"type": "ClusterIP", "selector": selector(make.stack, name)}
    if service.stateful or not ports:
        spec["clusterIP"] = "None"
    if ports:
        spec["ports"] = ports
    yield make.object("v1 Service", name, name, service.kind, spec=spec)
    kind = service.kubernetes.service_type
    if is_public(service) and kind is not None and ports:
        outside = {
            "type": kind,
            # Only so does the service see the address of a client, by which limits are counted.
            "externalTrafficPolicy": "Local",
            "selector": selector(make.stack, name),
            "ports": ports[:1],
        }
        yield make.object("v1 Service", public_name(name, kind), name, service.kind, spec=outside)


def is_public(service: Service) -> bool:
    """Whether the service is reached from outside without the gateway."""
    return service.kubernetes.service_type in ("LoadBalancer", "NodePort")


def public_name(name: str, kind: str) -> str:
    return f"{name}-{kind.lower()}"


def _of(port: str) -> Data:
    return {"appProtocol": "kubernetes.io/h2c"} if port == "grpc" else {}


def budget(make: Maker, name: str, component: str, *, of: str | None = None) -> Data:
    """Nodes are emptied one replica after the other."""
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": selector(make.stack, of or name)},
        # A pod that does not work must not keep a node from being emptied.
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return make.object("policy/v1 PodDisruptionBudget", name, of or name, component, spec=spec)
