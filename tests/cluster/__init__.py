"""A cluster without nodes: an API that is listed and watched, and pods that are tasks here.

What is rendered for Kubernetes can be tried on it by whatever reads the API: Traefik, say.
"""

from __future__ import annotations

from cluster.api import Api
from cluster.background import Background
from cluster.gateway import Gateway
from cluster.pods import Pods, address

__all__ = ["Api", "Background", "Gateway", "Pods", "address"]
