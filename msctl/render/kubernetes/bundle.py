"""All objects of a stack, by file."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import TopologicalSorter

from msctl.model import Stack
from msctl.render.document import dump_plain
from msctl.render.kubernetes.certificates import certificates
from msctl.render.kubernetes.gateway import configuration, gateway, static_configuration
from msctl.render.kubernetes.mounts import Contents, of_namespace
from msctl.render.kubernetes.names import Data, Maker
from msctl.render.kubernetes.networks import policies
from msctl.render.kubernetes.routes import routes
from msctl.render.kubernetes.scaling import autoscalers
from msctl.render.kubernetes.security import least, profile_of
from msctl.render.kubernetes.workloads import is_public, workload

SETUP = "TRAEFIK_SETUP.md"
FILES = (
    "namespace.yaml",
    "traefik-config.yaml",
    "traefik-deployment-updated.yaml",
    "ingressroutes.yaml",
    "cert-manager.yaml",
    "databases.yaml",
    "backend-deployments-services.yaml",
    "frontend-deployment-service.yaml",
    "hpa.yaml",
)
"""Every file there can be."""
_PROFILE = "pod-security.kubernetes.io/"


def files(
    stack: Stack, contents: Contents | None = None, *, namespace: str | None = None
) -> dict[str, list[Data]]:
    """File name → objects, in the order in which they are applied; a file without objects is not
    there.

    `contents`: what lies at the sources of bind mounts (see `msctl.files.bindfiles`).
    """
    make = Maker(stack, namespace)
    found = of_namespace(make, contents or {})
    text = dump_plain(static_configuration(make))
    every = {
        "namespace.yaml": [_namespace(make), *policies(make)],
        "traefik-config.yaml": [configuration(make, text)] if stack.routed else [],
        "traefik-deployment-updated.yaml": list(gateway(make, text)) if stack.routed else [],
        "ingressroutes.yaml": list(routes(make)) if stack.routed else [],
        "cert-manager.yaml": list(certificates(make)),
        **{
            file: [item for name in names for item in workload(make, name, found)]
            for file, names in by_file(stack).items()
        },
        "hpa.yaml": list(autoscalers(make)),
    }
    return {file: objects for file, objects in every.items() if objects}


def objects(
    stack: Stack, contents: Contents | None = None, *, namespace: str | None = None
) -> list[Data]:
    """All objects, in the order in which they are applied."""
    every = files(stack, contents, namespace=namespace)
    return [item for found in every.values() for item in found]


def by_file(stack: Stack) -> dict[str, list[str]]:
    """The services in each file, after those that they need where the same file has them."""
    needs = {name: service.needs for name, service in stack.services.items()}
    ordered = [name for name in TopologicalSorter(needs).static_order() if name in stack.services]
    data = [name for name in ordered if stack.services[name].stateful]
    public = [name for name in ordered if is_public(stack.services[name]) and name not in data]
    return {
        "databases.yaml": data,
        "backend-deployments-services.yaml": _without(ordered, [*data, *public]),
        "frontend-deployment-service.yaml": public,
    }


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    gone = set(others)
    return [name for name in names if name not in gone]


def _namespace(make: Maker) -> Data:
    """Held to the strictest profile that all pods fit."""
    made = make.object("v1 Namespace", make.namespace, make.stack.name, "stack")
    made["metadata"]["labels"] |= {
        f"{_PROFILE}enforce": least(map(profile_of, make.stack.services.values())),
        f"{_PROFILE}warn": "restricted",
    }
    return made
