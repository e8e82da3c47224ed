"""The kinds of objects that msctl makes: where the API has them, and which wait for which. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from msctl.render.kubernetes.guide import CERT_MANAGER, KEDA, TRAEFIK_CRDS

Data = Mapping[str, Any]

MANAGER = "msctl"
"""Our name: in the label, and as the manager of the fields that we apply."""
RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""The annotation of a pod template that `kubectl rollout restart` writes too."""
REVISION = "deployment.kubernetes.io/revision"


class Key(NamedTuple):
    """What an object is called; `group` is without the version."""

    group: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


@dataclass(frozen=True)
class Kind:
    """A kind, as the API's discovery lists it."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str | None = None) -> str:
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{inside}/{self.plural}" + (f"/{name}" if name is not None else "")

    @property
    def resource(self) -> str:
        """As `kubectl` and the API's messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


NAMESPACE = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
SECRET = Kind("", "v1", "Secret", "secrets")
SERVICE = Kind("", "v1", "Service", "services")
CLAIM = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
POD = Kind("", "v1", "Pod", "pods")
EVENT = Kind("", "v1", "Event", "events")
DEPLOYMENT = Kind("apps", "v1", "Deployment", "deployments")
STATEFUL_SET = Kind("apps", "v1", "StatefulSet", "statefulsets")
JOB = Kind("batch", "v1", "Job", "jobs")
REPLICA_SET = Kind("apps", "v1", "ReplicaSet", "replicasets")
CONTROLLER_REVISION = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
ENDPOINT_SLICE = Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices")
AUTOSCALER = Kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
POD_METRICS = Kind("metrics.k8s.io", "v1beta1", "PodMetrics", "pods")
INGRESS_ROUTE = Kind("traefik.io", "v1alpha1", "IngressRoute", "ingressroutes")

SCALED_OBJECT = Kind("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects")

APPLIED = (
    NAMESPACE,
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("", "v1", "ConfigMap", "configmaps"),
    SECRET,
    CLAIM,
    SERVICE,
    Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
    Kind(
        "rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings",
        namespaced=False,
    ),
    Kind("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    Kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False),
    Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    DEPLOYMENT,
    STATEFUL_SET,
    Kind("apps", "v1", "DaemonSet", "daemonsets"),
    JOB,
    AUTOSCALER,
    INGRESS_ROUTE,
    Kind("traefik.io", "v1alpha1", "Middleware", "middlewares"),
    Kind("traefik.io", "v1alpha1", "TLSOption", "tlsoptions"),
    Kind("traefik.io", "v1alpha1", "TLSStore", "tlsstores"),
    Kind("traefik.io", "v1alpha1", "ServersTransport", "serverstransports"),
    Kind("traefik.io", "v1alpha1", "TraefikService", "traefikservices"),
    Kind("cert-manager.io", "v1", "Issuer", "issuers"),
    Kind("cert-manager.io", "v1", "ClusterIssuer", "clusterissuers", namespaced=False),
    Kind("cert-manager.io", "v1", "Certificate", "certificates"),
    SCALED_OBJECT,
    Kind("keda.sh", "v1alpha1", "TriggerAuthentication", "triggerauthentications"),
)  # fmt: skip
"""What a rendered stack may hold; objects of these kinds that left it are looked for."""
WORKLOADS = (DEPLOYMENT, STATEFUL_SET, JOB)
"""What has pods, and so a rollout to wait for."""
_BUILT_IN = ("", "apps", "batch", "autoscaling", "policy")
_KINDS = {(kind.api_version, kind.kind): kind for kind in APPLIED}
CRDS: Mapping[str, tuple[str, str]] = {
    "traefik.io": ("Traefik's custom resource definitions are", TRAEFIK_CRDS),
    "cert-manager.io": ("cert-manager is", CERT_MANAGER),
    "keda.sh": ("KEDA is", KEDA),
}
"""What brings a group's kinds into a cluster, and the command that installs it."""


def is_built_in(group: str) -> bool:
    """Whether every cluster has the group."""
    return group in _BUILT_IN or group.endswith(".k8s.io")


def kind_of(thing: Data) -> Kind:
    """Raises:
    KeyError: msctl makes no such objects.
    """
    return _KINDS[thing["apiVersion"], thing["kind"]]


def key_of(thing: Data) -> Key:
    group = thing["apiVersion"].rpartition("/")[0]
    return Key(group, thing["kind"], thing["metadata"]["name"])


def labels_of(thing: Data) -> Mapping[str, str]:
    found: Mapping[str, str] = thing["metadata"].get("labels") or {}
    return found


def is_controlled(thing: Data) -> bool:
    """Whether a controller made it, and will remove it with its owner."""
    owners = thing["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") for owner in owners)


def is_workload(thing: Data) -> bool:
    return (thing["apiVersion"], thing["kind"]) in {(k.api_version, k.kind) for k in WORKLOADS}
