"""An API server in memory, with the controllers that make pods out of workloads.

What the commands of `--engine kubernetes` ask of a cluster, as the API's documentation has it: get,
list with selectors and pages, watches, server-side apply with owners of fields and conflicts,
merge patches, the subresources `scale` and `log`, deletion with what belongs to it, and dry runs.
There are no nodes: a pod becomes ready when a controller says so.
"""

from __future__ import annotations

from apiserver.asked import Refusal
from apiserver.kubelet import Behaviour
from apiserver.server import ApiServer

__all__ = ["ApiServer", "Behaviour", "Refusal"]
