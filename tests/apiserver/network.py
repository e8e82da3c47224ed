"""What leads to pods: the EndpointSlices of Services, and a load balancer."""

from __future__ import annotations

from apiserver.kubelet import Data, is_ready

Store = dict[tuple[str, str, str], Data]
"""Objects by plural with group, namespace and name."""
BALANCER = "203.0.113.7"
"""Where the cluster's load balancer answers."""


def lead(store: Store) -> None:
    """Of each Service with a selector, the addresses of its pods."""
    for (plural, namespace, name), thing in list(store.items()):
        if plural == "services" and thing["spec"].get("type") == "LoadBalancer":
            thing["status"] = {"loadBalancer": {"ingress": [{"ip": BALANCER}]}}
        chosen = thing.get("spec", {}).get("selector") if plural == "services" else None
        if not chosen:
            continue
        endpoints = [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": is_ready(pod)},
            }
            for key, pod in store.items()
            if key[:2] == ("pods", namespace)
            and chosen.items() <= pod["metadata"]["labels"].items()
            and pod["status"].get("phase") == "Running"
        ]
        labels = {**thing["metadata"].get("labels", {}), "kubernetes.io/service-name": name}
        meta = {"name": f"{name}-x", "namespace": namespace, "labels": labels}
        meta["ownerReferences"] = [
            {"uid": thing["metadata"]["uid"], "name": name, "controller": True}
        ]
        ports = thing["spec"].get("ports") or [{"port": 80}]
        store["endpointslices.discovery.k8s.io", namespace, f"{name}-x"] = {
            "metadata": meta,
            "ports": [{"port": port["port"]} for port in ports],
            "endpoints": endpoints,
        }
