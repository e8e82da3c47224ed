"""Who may talk to whom: the networks of the stack file as NetworkPolicies.

By default a pod of the stack is reached by nobody; each network lets its members in to each other,
as an engine's network does. What pods send is not limited, as it is not there: so that names are
resolved (DNS), and services outside are reached. A pod is in several networks at once; the policies
add up.
"""

from __future__ import annotations

from collections.abc import Iterator

from msctl.model import GATEWAY, Stack
from msctl.render.kubernetes.names import INSTANCE, NETWORK, Data, Maker, dns_name, selector
from msctl.render.kubernetes.pods import ports_of
from msctl.render.kubernetes.workloads import is_public

KEDA_NAMESPACE = "keda"
POLICY = "networking.k8s.io/v1 NetworkPolicy"


def gateway_networks(stack: Stack) -> list[str]:
    """The networks that the gateway reaches its services by."""
    routed = [service for service in stack.services.values() if service.routes]
    return list(dict.fromkeys(stack.networks_of(service)[0] for service in routed))


def policies(make: Maker) -> Iterator[Data]:
    stack = make.stack
    nobody = {"podSelector": {"matchLabels": {INSTANCE: stack.name}}, "policyTypes": ["Ingress"]}
    yield make.object(POLICY, "default-deny", stack.name, "network", spec=nobody)
    used = [name for service in stack.services.values() for name in stack.networks_of(service)]
    for network in dict.fromkeys([*used, *gateway_networks(stack)]):
        members = {"matchLabels": {f"{NETWORK}{network}": "member", INSTANCE: stack.name}}
        spec = {
            "podSelector": members,
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": members}]}],
        }
        name = f"network-{dns_name(network)}"
        yield make.object(POLICY, name, stack.name, "network", spec=spec)
    for name, service in stack.services.items():
        if is_public(service):
            first = next(iter(ports_of(service).values()), None)
            ports = [{"port": first[0], "protocol": first[1]}] if first else []
            spec = _from_anywhere(selector(stack, name), ports)
            yield make.object(POLICY, f"{name}-public", name, "network", spec=spec)
    if stack.kubernetes.keda and stack.kubernetes.prometheus is None:
        yield _keda(make)


def _from_anywhere(chosen: Data, ports: list[Data]) -> Data:
    return {
        "podSelector": {"matchLabels": chosen},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": ports}],
    }


def gateway_policy(make: Maker, ports: list[int]) -> Data:
    """The gateway's entry points, for whoever in the cluster comes: an Ingress of another, say."""
    listed = [{"port": port, "protocol": "TCP"} for port in ports]
    spec = _from_anywhere(selector(make.stack, GATEWAY), listed)
    return make.object(POLICY, "traefik-gateway", GATEWAY, "network", spec=spec)


def _keda(make: Maker) -> Data:
    operator = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": KEDA_NAMESPACE}}
    }
    spec = {
        "podSelector": {"matchLabels": selector(make.stack, "prometheus")},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [operator], "ports": [{"port": 9090, "protocol": "TCP"}]}],
    }
    return make.object(POLICY, "prometheus-keda", "prometheus", "network", spec=spec)
