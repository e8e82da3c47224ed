"""Where a stack's pages and APIs are reached. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msctl.errors import UsageProblem
from msctl.fields import is_http_url, shown
from msctl.model import Stack

PROMETHEUS_VARIABLE = "MSCTL_PROMETHEUS"


def prometheus_url(stack: Stack, environ: Mapping[str, str]) -> str:
    """The Prometheus that msctl asks: the environment's, else the stack file's.

    Raises:
        UsageProblem: the environment's is no URL.
    """
    given = environ.get(PROMETHEUS_VARIABLE)
    if not given:
        return stack.metrics.prometheus
    if not is_http_url(given):
        raise UsageProblem(
            f"${PROMETHEUS_VARIABLE}: {shown(given)} is not a URL (such as http://127.0.0.1:9090)"
        )
    return given.rstrip("/")
