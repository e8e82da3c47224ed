"""What differs on Kubernetes."""

import re
from typing import Annotated, Literal

from msctl.fields import (
    Environment,
    Flag,
    HttpUrl,
    Image,
    Size,
    one_or_many,
    shown,
    whole,
    wrong,
)
from msctl.model.entries import MountEntry
from msctl.model.forms import COUNT_SCHEMA, count_of
from msctl.records import Check, Record, Schema, key

SERVICE_TYPES = ("ClusterIP", "NodePort", "LoadBalancer")
ACCESS_MODES = ("ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany")
_OBJECT = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
_NAMESPACE = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def _one_of(what: str, allowed: tuple[str, ...]) -> Check:
    def check(value: object) -> object:
        if value not in allowed:
            wrong(f"{shown(value)} is not {what} ({', '.join(allowed)})")
        return value

    return Check(check)


def _namespace(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(_NAMESPACE, value):
        wrong(f"{shown(value)} is not a namespace (lower-case letters, digits and -; at most 63)")
    return value


def _object_name(value: object) -> object:
    if not isinstance(value, str) or len(value) > 253 or not re.fullmatch(_OBJECT, value):
        wrong(f"{shown(value)} is not a name of an object (lower-case letters, digits, - and .)")
    return value


class KubernetesService(Record):
    """Where a service differs on Kubernetes."""

    replicas: Annotated[int, count_of("a number of replicas (1-1000)"), COUNT_SCHEMA] | None = None
    """Replicas of the Deployment; default: `replicas.initial`."""
    service_type: (
        Annotated[
            Literal["ClusterIP", "NodePort", "LoadBalancer"],
            _one_of("a type of Service", SERVICE_TYPES),
            Schema({"enum": list(SERVICE_TYPES)}),
        ]
        | None
    ) = None
    """LoadBalancer or NodePort: reached from outside by one more Service, `NAME-loadbalancer` or
    `NAME-nodeport`; default: in the cluster only (ClusterIP)."""
    storage: Size = 8 * 1024**3
    """Size of each volume that the service claims."""
    access_mode: (
        Annotated[
            Literal["ReadWriteOnce", "ReadWriteOncePod", "ReadWriteMany", "ReadOnlyMany"],
            _one_of("an access mode of a volume", ACCESS_MODES),
            Schema({"enum": list(ACCESS_MODES)}),
        ]
        | None
    ) = None
    """Who may mount its volumes; default: ReadWriteOnce for a volume of one stateful service,
    ReadWriteMany for one that several replicas or services share."""
    image: Image | None = None
    """Image reference, where it has another name for the cluster."""
    user: Annotated[
        int | None,
        Check(lambda v: None if v is None else whole(v, "a user id", 1, 2**31 - 1)),
        Schema({"type": ["integer", "string"], "minimum": 1}),
    ] = None
    """Number of the user that the image runs as: its pods then fit the restricted Pod Security
    profile. Of a few well-known images msctl knows it."""
    env: Environment = key(factory=dict)
    """Environment variables that differ."""
    volumes: Annotated[tuple[MountEntry, ...], Check(one_or_many)] = ()
    """Mounts that differ; each replaces the service's one at the same path."""


class KubernetesStack(Record):
    """Where the stack differs on Kubernetes."""

    namespace: Annotated[str, Check(_namespace), Schema({"type": "string"})] | None = None
    """Namespace of all that is made; default: the project's name."""
    cert_manager: Flag = True
    """Whether cert-manager issues the gateway's certificate; else Traefik makes one up itself."""
    cluster_issuer: Annotated[str, Check(_object_name), Schema({"type": "string"})] | None = None
    """ClusterIssuer of the cluster that issues the certificate; default: an Issuer of the stack's
    own, by `gateway.tls`."""
    ingress_class: Annotated[str, Check(_object_name), Schema({"type": "string"})] | None = None
    """Class of the Ingress by which Let's Encrypt sees that a host is ours (`gateway.tls.mode`
    acme); default: the cluster's default one."""
    keda: Flag = False
    """Whether KEDA scales by `autoscale.rps` and `latency_p95`; else only `cpu` counts."""
    prometheus: HttpUrl | None = None
    """URL of the Prometheus that KEDA asks; default: the service `prometheus` of the stack."""
