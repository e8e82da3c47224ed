"""What the kubelets do: a pod has its status at once, by the behaviour of its service."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Data = dict[str, Any]
NOW = "2030-01-01T00:00:00Z"


@dataclass
class Behaviour:
    """How a service's pods behave."""

    ready: bool = True
    waiting: tuple[str, str] | None = None
    """Reason and message for which a container does not start."""
    restarts: int = 0
    stuck: bool = False
    """Whether the Deployment's controller gives up (ProgressDeadlineExceeded)."""
    log: tuple[str, ...] = ("first", "second")
    by_image: Mapping[str, Behaviour] = field(default_factory=dict)
    """How the pods of an image behave, where it differs."""
    refused: str = ""
    """Why the cluster lets no pod be made."""
    restarted: Behaviour | None = None
    """How pods behave that a restart has made, where it differs."""

    def of(self, image: str, restarted: bool) -> Behaviour:
        if restarted and self.restarted is not None:
            return self.restarted
        return self.by_image.get(image, self)


def live(pod: Data, found: Behaviour) -> None:
    """Give a pod the status that it has by its behaviour."""
    if found.waiting is not None:
        reason, message = found.waiting
        state: Data = {"waiting": {"reason": reason, "message": message}}
    else:
        state = {"running": {"startedAt": NOW}}
    name = pod["metadata"]["name"]
    last = hashlib.sha256(name.encode()).digest()[0]
    ready = found.ready and found.waiting is None
    pod["status"] = {
        "phase": "Pending" if found.waiting is not None else "Running",
        "podIP": f"10.0.{len(name) % 250}.{last}",
        "conditions": [
            {
                "type": "Ready",
                "status": "True" if ready else "False",
                "lastTransitionTime": "2030-01-01T00:00:05Z",
            }
        ],
        "containerStatuses": [
            {
                "name": pod["spec"]["containers"][0]["name"],
                "ready": ready,
                "started": found.waiting is None,
                "restartCount": found.restarts,
                "state": state,
            }
        ],
    }


def is_ready(pod: Data) -> bool:
    return bool(pod["status"]["containerStatuses"][0]["ready"])
