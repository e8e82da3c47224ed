"""What to do about pods that do not start, by the reason that the cluster gives. Pure."""

from __future__ import annotations

_EVENTS = "{kubectl} get events tells more"
_BY_REASON = {
    "unbound immediate PersistentVolumeClaims": "no storage was found for a volume: {kubectl} get "
    "pvc,storageclass",
    "ImagePull": "no node can have the image: push it, bring it to the nodes, or name another in "
    f"services.{{service}}.kubernetes.image; {_EVENTS}",
    "ErrImageNeverPull": "bring the image to the nodes",
    "InvalidImageName": "write another name into services.{service}.image",
    "Unschedulable": "no node has room, or fits: services.{service}.resources.reserve says what it "
    f"asks for; {_EVENTS}",
    "exceeded quota": "ask for less in services.{service}.resources, or for a larger quota; "
    "{kubectl} describe resourcequota tells how much there is",
    "violates PodSecurity": "write services.{service}.kubernetes: {{user: NUMBER}}, or let the "
    "namespace have a wider Pod Security profile",
    "CreateContainerConfigError": _EVENTS,
}
"""The first that is found; a volume's comes before that of the pod which waits for it."""
_OTHERWISE = "msctl logs {service}"


def advice(said: str, *, service: str, kubectl: str) -> str:
    """A hint; `said` is all that is known of the pods."""
    found = (text for reason, text in _BY_REASON.items() if reason in said)
    return next(found, _OTHERWISE).format(service=service, kubectl=kubectl)
