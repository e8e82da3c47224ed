"""Traefik on Kubernetes: two replicas that are reached in the cluster only.

Its static configuration is a file; names and meanings are Traefik 3.7's
(https://doc.traefik.io/traefik/v3.7/reference/install-configuration/). It sees the stack's
namespace alone, so that a Role is enough. It listens on ports that need no privilege.
"""

from __future__ import annotations

from collections.abc import Iterator

from msctl.model import GATEWAY
from msctl.render.kubernetes.images import GATEWAY_USER
from msctl.render.kubernetes.mounts import digest
from msctl.render.kubernetes.names import (
    GATEWAY_NAME,
    NETWORK,
    Data,
    Maker,
    labels,
    selector,
)
from msctl.render.kubernetes.networks import gateway_networks, gateway_policy
from msctl.render.kubernetes.pods import spread
from msctl.render.kubernetes.routes import (
    CLASS,
    INTERNAL,
    READY,
    WEB,
    WEBSECURE,
    passed_on,
)
from msctl.render.kubernetes.workloads import budget
from msctl.render.traefik import BUCKETS

COMPONENT = "gateway"
REPLICAS = 2
API = "traefik"
PORTS = {WEB: 8000, WEBSECURE: 8443, INTERNAL: 8090, API: 8080, READY: 8082}
"""Entry points, in the container."""
SERVICE_PORTS = {WEB: 80, WEBSECURE: 443, INTERNAL: 8090, API: 8080}
"""Entry points, by the Service."""
CONFIG = "traefik-config"
CONFIG_FILE = "traefik.yaml"
DRAIN, GRACE = 10, 20
"""Seconds: until no node leads here any more, and for the requests that are inside then."""


def static_configuration(make: Maker) -> Data:
    """What `traefik.yaml` says."""
    points: Data = {name: {"address": f":{port}"} for name, port in ports(make).items()}
    for name in points.keys() - {API, READY}:
        points[name]["transport"] = {"lifeCycle": {"graceTimeOut": f"{GRACE}s"}}
    if INTERNAL in points:
        # The clients' addresses are known to the public services, which alone come here.
        points[INTERNAL]["forwardedHeaders"] = {"insecure": True}
    labelled = dict.fromkeys(
        ("addEntryPointsLabels", "addRoutersLabels", "addServicesLabels"), True
    )
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": points,
        "ping": {},
        **({"api": {"dashboard": True, "insecure": True}} if api_on(make) else {}),
        "providers": {
            "kubernetesCRD": {
                "namespaces": [make.namespace],
                "ingressClass": CLASS,
                "disableClusterScopeResources": True,
                "throttleDuration": "500ms",
                # A service that has no replica yet answers 503 instead of losing its route.
                "allowEmptyServices": True,
            },
        },
        "serversTransport": {"forwardingTimeouts": {"dialTimeout": "500ms"}},
        "log": {"level": "INFO", "noColor": True},
        "accessLog": {
            "format": "json",
            "fields": {"headers": {"names": {"X-Request-Id": "keep"}}},
        },
        "metrics": {"prometheus": {**labelled, "buckets": list(BUCKETS)}},
    }


def api_on(make: Maker) -> bool:
    return make.stack.gateway.dashboard is not None or make.stack.gateway.api is not None


def ports(make: Maker) -> dict[str, int]:
    """The entry points that the stack has."""
    unused = set() if make.stack.gateway.tls_on else {WEBSECURE}
    if not passed_on(make):
        unused.add(INTERNAL)
    return {name: port for name, port in PORTS.items() if name not in unused}


def configuration(make: Maker, text: str) -> Data:
    """The ConfigMap; `text` is the static configuration as YAML."""
    return make.object("v1 ConfigMap", CONFIG, GATEWAY, COMPONENT, data={CONFIG_FILE: text})


def gateway(make: Maker, text: str) -> Iterator[Data]:
    """What runs Traefik, and what it may do."""
    yield make.object(
        "v1 ServiceAccount",
        GATEWAY_NAME,
        GATEWAY,
        COMPONENT,
        # The pod asks for its token itself.
        automountServiceAccountToken=False,
    )
    yield from _rights(make)
    listed = [port for name, port in ports(make).items() if name in (WEB, WEBSECURE)]
    yield gateway_policy(make, listed)
    yield from _services(make)
    yield _deployment(make, text)
    yield budget(make, GATEWAY_NAME, COMPONENT, of=GATEWAY)


def _rights(make: Maker) -> Iterator[Data]:
    seen = ["get", "list", "watch"]
    rules = [
        {"apiGroups": [""], "resources": ["services", "secrets", "configmaps"], "verbs": seen},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": seen},
        {
            "apiGroups": ["traefik.io"],
            "resources": [
                "ingressroutes", "ingressroutetcps", "ingressrouteudps", "middlewares",
                "middlewaretcps", "serverstransports", "serverstransporttcps", "tlsoptions",
                "tlsstores", "traefikservices",
            ],
            "verbs": seen,
        },
    ]  # fmt: skip
    group = "rbac.authorization.k8s.io"
    yield make.object(f"{group}/v1 Role", GATEWAY_NAME, GATEWAY, COMPONENT, rules=rules)
    account = {"kind": "ServiceAccount", "name": GATEWAY_NAME, "namespace": make.namespace}
    role = {"apiGroup": group, "kind": "Role", "name": GATEWAY_NAME}
    yield make.object(
        f"{group}/v1 RoleBinding",
        GATEWAY_NAME,
        GATEWAY,
        COMPONENT,
        roleRef=role,
        subjects=[account],
    )


def _services(make: Maker) -> Iterator[Data]:
    """The gateway for the cluster; and `traefik`, each replica for itself, for Prometheus."""
    chosen = selector(make.stack, GATEWAY)
    listed = [
        {"name": name, "port": SERVICE_PORTS[name], "targetPort": name, "protocol": "TCP"}
        for name in ports(make)
        if name in SERVICE_PORTS
    ]
    spec = {"type": "ClusterIP", "selector": chosen, "ports": listed}
    yield make.object("v1 Service", GATEWAY_NAME, GATEWAY, COMPONENT, spec=spec)
    metrics = [port for port in listed if port["name"] == API]
    spec = {"type": "ClusterIP", "clusterIP": "None", "selector": chosen, "ports": metrics}
    yield make.object("v1 Service", GATEWAY, GATEWAY, COMPONENT, spec=spec)


def _deployment(make: Maker, text: str) -> Data:
    stack = make.stack
    chosen = selector(stack, GATEWAY)
    networks = {f"{NETWORK}{name}": "member" for name in gateway_networks(stack)}
    pod = {
        "metadata": {
            "labels": {**labels(stack, GATEWAY, COMPONENT), **networks},
            "annotations": digest({CONFIG_FILE: text.encode()}),
        },
        "spec": {
            "serviceAccountName": GATEWAY_NAME,
            "automountServiceAccountToken": True,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": DRAIN + GRACE + 5,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": GATEWAY_USER,
                "runAsGroup": GATEWAY_USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": spread(chosen),
            "containers": [_container(make)],
            "volumes": [
                {"name": "config", "configMap": {"name": CONFIG}},
                {"name": "tmp", "emptyDir": {}},
            ],
        },
    }
    spec = {
        "replicas": REPLICAS,
        "selector": {"matchLabels": chosen},
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        },
        "minReadySeconds": 2,
        "template": pod,
    }
    return make.object("apps/v1 Deployment", GATEWAY_NAME, GATEWAY, COMPONENT, spec=spec)


def _container(make: Maker) -> Data:
    ping = {"httpGet": {"path": "/ping", "port": API}, "timeoutSeconds": 5}
    return {
        "name": GATEWAY,
        "image": make.stack.gateway.image,
        "imagePullPolicy": "IfNotPresent",
        "args": [f"--configFile=/etc/traefik/{CONFIG_FILE}"],
        "ports": [
            {"name": name, "containerPort": port, "protocol": "TCP"}
            for name, port in ports(make).items()
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "2", "memory": "512Mi"},
        },
        "startupProbe": {**ping, "periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": {
            "httpGet": {"path": f"/{READY}", "port": READY},
            "timeoutSeconds": 5,
            "periodSeconds": 5,
            "failureThreshold": 2,
        },
        "livenessProbe": {**ping, "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/traefik", "readOnly": True},
            # Of request bodies that wait to be sent, where `body_limit` is set.
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
