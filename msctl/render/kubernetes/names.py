"""Names and labels of what is made for Kubernetes.

Labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msctl.fields import shown
from msctl.model import Service, Stack

Data = dict[str, Any]
"""An API object, or a part of one."""

GATEWAY_NAME = "traefik-gateway"
"""The gateway's Deployment, ServiceAccount and Service."""
MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
NETWORK = "network.msctl.dev/"
"""Label of a pod for each network of the stack that it is in."""
FILES = "dev.msctl.files"
"""Annotation of a pod: the digest of what it mounts from a ConfigMap, so that a change of it
replaces the pod."""
SERVICE = "dev.msctl.service"
"""Annotation of a workload: the service of the stack file that it was made from."""

_ANNOTATION = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", re.ASCII
)


def dns_name(name: str) -> str:
    """A name of the stack file as Kubernetes has it: no `_`, and letters or digits at its ends."""
    return name.replace("_", "-").strip("-.")


def namespace_of(stack: Stack, namespace: str | None = None) -> str:
    return namespace or stack.kubernetes.namespace or dns_name(stack.name)


def selector(stack: Stack, name: str) -> Data:
    """What tells a service's pods from all others."""
    return {NAME: name, INSTANCE: stack.name}


def labels(stack: Stack, name: str, component: str) -> Data:
    return {
        **selector(stack, name),
        COMPONENT: component,
        PART_OF: stack.name,
        MANAGED_BY: "msctl",
    }


def networks_as_labels(stack: Stack, service: Service) -> Data:
    return {f"{NETWORK}{name}": "member" for name in dict.fromkeys(stack.networks_of(service))}


def filled(values: Mapping[str, Any]) -> Data:
    """Without the keys that say nothing; `False`, 0 and `{}` of a key that means something stay
    with the caller."""
    return {key: value for key, value in values.items() if value not in (None, {}, [], "")}


def wrong_annotation(name: str) -> str | None:
    """Why an annotation cannot be called so; None: it can."""
    if _ANNOTATION.fullmatch(name):
        return None
    return (
        f"{shown(name)} is no name of an annotation; write letters, digits, - _ . and one / at the "
        "most"
    )


class Maker:
    """Makes objects of one stack in one namespace."""

    def __init__(self, stack: Stack, namespace: str | None = None) -> None:
        self.stack = stack
        self.namespace = namespace_of(stack, namespace)

    def object(
        self,
        kind: str,
        name: str,
        of: str,
        component: str,
        *,
        annotations: Mapping[str, str] | None = None,
        **body: Any,
    ) -> Data:
        """An object `name` that belongs to the service `of`; `kind` is `VERSION KIND`."""
        version, _, word = kind.rpartition(" ")
        metadata = {
            "name": name,
            **({} if word == "Namespace" else {"namespace": self.namespace}),
            "labels": labels(self.stack, of, component),
            **({"annotations": dict(annotations)} if annotations else {}),
        }
        return {"apiVersion": version, "kind": word, "metadata": metadata, **body}
