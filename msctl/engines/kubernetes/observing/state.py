"""The API's objects as msctl's own snapshot of a stack: pods as replicas. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from msctl.engines.kubernetes.cluster import Cluster, replicas_of, template_of
from msctl.engines.kubernetes.desired import Desired
from msctl.engines.kubernetes.kinds import (
    DEPLOYMENT,
    INGRESS_ROUTE,
    JOB,
    SERVICE,
    STATEFUL_SET,
    Data,
    labels_of,
)
from msctl.engines.kubernetes.observing.quantity import quantity
from msctl.engines.kubernetes.rollouts import (
    condition,
    is_leaving,
    is_ready,
    is_true,
    selects,
    waiting,
)
from msctl.model import GATEWAY
from msctl.render.kubernetes.names import NAME
from msctl.render.traefik.routers import priority, router_names, rule
from msctl.state import (
    Detail,
    EngineInfo,
    GatewayView,
    Health,
    ImageState,
    Intent,
    Replica,
    Resource,
    Router,
    StackState,
)

_SERVICE_NAME = "kubernetes.io/service-name"


def state_of(
    desired: Desired, cluster: Cluster, info: EngineInfo, checks: Mapping[str, str]
) -> StackState:
    """The snapshot that the commands work with.

    `checks` has what the kubelet last said of a failing probe, by the pod's name.
    """
    stack = desired.stack
    return StackState(
        project=stack.name,
        engine=info,
        containers=tuple(_replicas(desired, cluster, checks)),
        networks={},
        volumes={
            claim["metadata"]["name"]: Resource(claim["metadata"]["name"], stack.name)
            for claim in cluster.claims
        },
        images=dict(_images(desired)),
        intents=tuple(_intents(desired, cluster)),
        gateway=_gateway(desired, cluster) if stack.routed else None,
        published=tuple(_published(cluster)),
    )


# Replicas


def _replicas(desired: Desired, cluster: Cluster, checks: Mapping[str, str]) -> Iterator[Replica]:
    owners = [*cluster.of(DEPLOYMENT), *cluster.of(STATEFUL_SET)]
    by_service: dict[str, list[Data]] = {name: [] for name in desired.names}
    for pod in cluster.pods:
        service = cluster.service_of(pod)
        known = service or labels_of(pod).get(NAME, "")
        if not is_leaving(pod) and not _is_replaced(pod, owners):
            by_service.setdefault(known, []).append(pod)
    for job in cluster.of(JOB):
        service = cluster.service_of(job)
        own = [pod for pod in by_service.get(service, ()) if selects(job, pod)]
        done = is_true(condition(job, "Complete"))
        best = next((p for p in own if p["status"].get("phase") == "Succeeded"), None)
        if best is not None or own:
            by_service[service] = [best or max(own, key=_created)]
        elif done:
            yield _of_finished(job, service)
    for service, pods in sorted(by_service.items()):
        for number, pod in enumerate(sorted(pods, key=_created), 1):
            yield _replica(service, number, pod, checks)


def _is_replaced(pod: Data, owners: list[Data]) -> bool:
    """A pod that has ended, in whose place its controller has made another one."""
    ended = (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded")
    return ended and any(selects(owner, pod) for owner in owners)


def _created(pod: Data) -> tuple[str, str]:
    return pod["metadata"].get("creationTimestamp") or "", pod["metadata"]["name"]


def _of_finished(job: Data, service: str) -> Replica:
    """A job that has ended well, whose pods the cluster has cleared away."""
    [container, *_] = template_of(job)["spec"]["containers"]
    return replace(_bare(service, 1, job, container, "exited"), exit_code=0)


def _replica(service: str, number: int, pod: Data, checks: Mapping[str, str]) -> Replica:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    container = pod["spec"]["containers"][0]
    found: Mapping[str, Any] = next(
        (c for c in status.get("containerStatuses") or () if c["name"] == container["name"]), {}
    )
    state = _state(pod, found)
    ended = (found.get("state") or {}).get("terminated") or {}
    address = status.get("podIP")
    return replace(
        _bare(service, number, pod, container, state),
        health=_health(pod, container, found) if state == "running" else Health.NONE,
        addresses={"pod": address} if address else {},
        exit_code=ended.get("exitCode"),
        detail=_detail(pod, container, found, checks.get(name)),
        reason=waiting(pod) if state != "running" else None,
    )


def _bare(service: str, number: int, thing: Data, container: Data, state: str) -> Replica:
    """Without how it does; what msctl writes on containers is on no pod."""
    return Replica(
        id=thing["metadata"].get("uid", ""),
        name=thing["metadata"]["name"],
        service=service,
        number=number,
        state=state,
        health=Health.NONE,
        image=container["image"],
        image_id=container["image"],
        config_hash=None,
        revision=None,
        files=None,
        ours=True,
        working_dir=None,
    )


def _state(pod: Data, container: Data) -> str:
    """In the words of `msctl.state.Replica`."""
    state = container.get("state") or {}
    if "running" in state:
        return "running"
    phase = (pod.get("status") or {}).get("phase")
    if "terminated" in state or phase in ("Succeeded", "Failed"):
        return "exited"
    reason = (state.get("waiting") or {}).get("reason", "")
    return "restarting" if reason == "CrashLoopBackOff" else "created"


def _health(pod: Data, spec: Data, found: Data) -> Health:
    """A pod that has been ready since its container started, and is not any more, is unhealthy."""
    if not any(spec.get(probe) for probe in ("readinessProbe", "startupProbe", "livenessProbe")):
        return Health.NONE
    if found.get("ready") and is_ready(pod):
        return Health.HEALTHY
    started = ((found.get("state") or {}).get("running") or {}).get("startedAt") or ""
    since = (condition(pod, "Ready") or {}).get("lastTransitionTime") or ""
    return Health.UNHEALTHY if found.get("started") and since > started else Health.STARTING


def _detail(pod: Data, spec: Data, found: Data, check: str | None) -> Detail:
    limits = (spec.get("resources") or {}).get("limits") or {}
    state, last = found.get("state") or {}, found.get("lastState") or {}
    ends = [s["terminated"].get("reason") for s in (state, last) if "terminated" in s]
    running = state.get("running") or state.get("terminated") or {}
    memory = quantity(limits.get("memory"))
    return Detail(
        started_at=running.get("startedAt"),
        restarts=found.get("restartCount", 0),
        oom_killed="OOMKilled" in ends,
        cpu_limit=quantity(limits.get("cpu")),
        memory_limit=None if memory is None else int(memory),
        last_check=None if is_ready(pod) else check,
    )


# What was asked for


def _images(desired: Desired) -> Iterator[tuple[str, ImageState]]:
    """The image of each service that the rendering names, by that of the file: the nodes pull what
    they lack, so that every one counts as present."""
    wanted = {GATEWAY: desired.stack.gateway.image} if desired.stack.routed else {}
    wanted |= {name: service.image for name, service in desired.stack.services.items()}
    for name, image in wanted.items():
        workload = desired.workload(name)
        if workload is not None:
            [container, *_] = template_of(workload)["spec"]["containers"]
            yield image, ImageState(id=container["image"], stand_in=False)
        else:
            yield image, ImageState(id=image, stand_in=False)


def _intents(desired: Desired, cluster: Cluster) -> Iterator[Intent]:
    """Who says how many replicas there shall be is the Deployment, whoever wrote it: the file's
    bounds are those of `scale`. Where there is none yet, it is the rendering."""
    for name in desired.names:
        live, rendered = cluster.workload(name), desired.workload(name)
        workload = live or rendered
        if workload is None or workload["kind"] != DEPLOYMENT.kind:
            continue
        scaler = cluster.autoscaler(workload)
        count, cause = replicas_of(workload), scaler["kind"] if scaler else DEPLOYMENT.kind
        if live is None and (scaler := desired.autoscaler(workload)) is not None:
            count = int(scaler["spec"]["minReplicas"])
        yield Intent(name, count, cause, generation=1, volume="", bounded=False)


# The gateway


def _gateway(desired: Desired, cluster: Cluster) -> GatewayView:
    """Traefik takes the addresses that are ready from the EndpointSlices."""
    servers: dict[str, dict[str, str]] = {}
    for found in cluster.slices:
        name = (found["metadata"].get("labels") or {}).get(_SERVICE_NAME, "")
        service = cluster.names.services.get(name)
        if service is None:
            continue
        own = servers.setdefault(f"{service}@docker", {})
        port = next((p["port"] for p in found.get("ports") or () if p.get("port")), 80)
        for endpoint in found.get("endpoints") or ():
            ready = (endpoint.get("conditions") or {}).get("ready", True)
            for address in endpoint.get("addresses") or ():
                own[f"http://{address}:{port}"] = "UP" if ready is not False else "DOWN"
    return GatewayView(
        url=f"namespace {cluster.namespace}",
        servers=servers,
        routers=tuple(_routers(desired, cluster)),
    )


def _routers(desired: Desired, cluster: Cluster) -> Iterator[Router]:
    """A route of the file is enabled where an IngressRoute has its rule."""
    rules = {
        route.get("match"): (route, found)
        for found in cluster.of(INGRESS_ROUTE)
        for route in found["spec"].get("routes") or ()
    }
    for name, service in desired.stack.services.items():
        for router, route in zip(router_names(name, service), service.routes, strict=True):
            if (known := rules.get(rule(route))) is None:
                continue
            points = tuple(known[1]["spec"].get("entryPoints") or ())
            yield Router(
                name=f"{router}@docker",
                rule=rule(route),
                entry_points=points,
                service=f"{name}@docker",
                priority=priority(route),
                tls="tls" in known[1]["spec"],
                status="enabled",
                provider="kubernetescrd",
            )


def _published(cluster: Cluster) -> Iterator[str]:
    """Where load balancers answer."""
    for found in cluster.of(SERVICE):
        if found["spec"].get("type") != "LoadBalancer":
            continue
        ports = found["spec"].get("ports") or ()
        for entry in ((found.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
            host = entry.get("hostname") or entry.get("ip")
            for port in ports if host else ():
                number = port["port"]
                scheme = "https" if number == 443 or port.get("name") == "https" else "http"
                standard = number == (443 if scheme == "https" else 80)
                yield f"{scheme}://{host}" + ("" if standard else f":{number}")
