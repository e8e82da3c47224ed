"""A Prometheus in a stack, that scrapes the gateway every second."""

from __future__ import annotations

from typing import Any

from live.stack import PROMETHEUS_IMAGE, Stack

_SCRAPE = """\
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: traefik
    static_configs: [{targets: ["traefik:8080"]}]
"""


def prometheus(stack: Stack, port: int) -> dict[str, Any]:
    """The service, at that port of loopback; its configuration is written beside the stack file."""
    (stack.folder / "prometheus.yml").write_text(_SCRAPE)
    return {
        "image": PROMETHEUS_IMAGE,
        "stateful": True,
        "networks": ["backend", "gateway"],
        "ports": [f"127.0.0.1:{port}:9090"],
        "volumes": ["./prometheus.yml:/etc/prometheus/prometheus.yml:ro"],
        "stop_grace": "1s",
    }
