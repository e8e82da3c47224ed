"""Autoscalers out of `autoscale`: a HorizontalPodAutoscaler (autoscaling/v2) for CPU, or, where
KEDA is asked for, a ScaledObject with requests and latency too. A ScaledObject makes its own
HorizontalPodAutoscaler, so that a service has one or the other.

The windows and rates are those that `msctl autoscale` follows (see `msctl.autoscale.limits`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from msctl.autoscale.limits import PERIOD, UP_REPLICAS, UP_SHARE
from msctl.autoscale.policy import Policy, policy_of
from msctl.model import Service
from msctl.monitoring.queries import OF_RULES
from msctl.render.kubernetes.names import Data, Maker
from msctl.render.kubernetes.quantities import seconds


def autoscalers(make: Maker) -> Iterator[Data]:
    for name, service in make.stack.services.items():
        policy = policy_of(service)
        if policy is None:
            continue
        if make.stack.kubernetes.keda:
            yield _scaled_object(make, name, service, policy)
        elif policy.cpu is not None:
            yield _horizontal(make, name, service, policy)


def _target(name: str) -> Data:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}


def _behavior(policy: Policy) -> Data:
    period = int(PERIOD)
    share = {"type": "Percent", "value": int(UP_SHARE * 100), "periodSeconds": period}
    few = {"type": "Pods", "value": UP_REPLICAS, "periodSeconds": period}
    window = seconds(timedelta(seconds=policy.stabilize_down))
    return {
        "scaleDown": {
            "stabilizationWindowSeconds": window,
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": period}],
        },
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [share, few],
        },
    }


def _horizontal(make: Maker, name: str, service: Service, policy: Policy) -> Data:
    target = {"type": "Utilization", "averageUtilization": max(1, round(policy.cpu or 0))}
    spec = {
        "scaleTargetRef": _target(name),
        "minReplicas": policy.min,
        "maxReplicas": policy.max,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": _behavior(policy),
    }
    kind = "autoscaling/v2 HorizontalPodAutoscaler"
    return make.object(kind, name, name, service.kind, spec=spec)


def _scaled_object(make: Maker, name: str, service: Service, policy: Policy) -> Data:
    """https://keda.sh/docs/latest/reference/scaledobject-spec/"""
    triggers: list[Data] = []
    if policy.cpu is not None:
        value = str(max(1, round(policy.cpu)))
        triggers.append({"type": "cpu", "metricType": "Utilization", "metadata": {"value": value}})
    names = traefik_names(make.namespace, name)
    if make.stack.kubernetes.prometheus is None:
        # The stack's own Prometheus may call it as it does on an engine, for alerts and dashboard.
        names = f"{name}@docker|{names}"
    requests = f'traefik_service_requests_total{{service=~"{names}"}}'
    times = requests.replace("requests_total", "request_duration_seconds_bucket")
    if policy.rps is not None:
        query = f"sum(rate({requests}[1m]))"
        triggers.append(_prometheus(make, query, policy.rps, "AverageValue"))
    if policy.latency_p95 is not None:
        query = f"histogram_quantile(0.95, sum(rate({times}[1m])) by (le))"
        triggers.append(_prometheus(make, query, policy.latency_p95 / 1000, "Value"))
    spec = {
        "scaleTargetRef": _target(name),
        "pollingInterval": seconds(timedelta(seconds=policy.interval), 1),
        "minReplicaCount": policy.min,
        "maxReplicaCount": policy.max,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(policy)}},
        "triggers": triggers,
    }
    return make.object("keda.sh/v1alpha1 ScaledObject", name, name, service.kind, spec=spec)


def _prometheus(make: Maker, query: str, threshold: float, kind: str) -> Data:
    address = make.stack.kubernetes.prometheus
    metadata = {
        # KEDA asks from its own namespace.
        "serverAddress": address or f"http://prometheus.{make.namespace}.svc:9090",
        "query": query,
        "threshold": f"{threshold:g}",
        # Without requests there is nothing to scale by; an error would stop the CPU's trigger too.
        "ignoreNullValues": "true",
    }
    return {"type": "prometheus", "metricType": kind, "metadata": metadata}


def traefik_names(namespace: str, name: str) -> str:
    """What the gateway's metrics call a service, as a regular expression: there is one for each
    rule of its IngressRoutes, with a digest of the rule."""
    return f"{namespace}-{name}{OF_RULES}"
