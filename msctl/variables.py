"""The variables of the environment that say what an option or the stack file would. Pure."""

from __future__ import annotations

FILE = "MSCTL_FILE"
"""The stack file, as `-f` names it."""
PROMETHEUS = "MSCTL_PROMETHEUS"
"""The URL of `metrics.prometheus`."""
GATEWAY_API = "MSCTL_GATEWAY_API"
"""The URL of `gateway.api`."""
LOCKS = "MSCTL_LOCKS"
"""Another folder for locks; in a container, that of the host."""
CONTEXT, NAMESPACE = "MSCTL_CONTEXT", "MSCTL_NAMESPACE"
"""What `--context` and `--namespace` choose."""
