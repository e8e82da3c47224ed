"""What was observed of a stack: frozen snapshots, no decisions."""

from msctl.state.gateway import (
    NO_AUTHORITY,
    NO_PASSWORD,
    Certificate,
    GatewaySettings,
    GatewayView,
    Router,
    Traffic,
)
from msctl.state.replica import Detail, Health, HostPort, Replica, Usage, overlap, parse_time
from msctl.state.stack import PODMAN, EngineInfo, ImageState, Intent, Resource, StackState

__all__ = [
    "NO_AUTHORITY",
    "NO_PASSWORD",
    "PODMAN",
    "Certificate",
    "Detail",
    "EngineInfo",
    "GatewaySettings",
    "GatewayView",
    "Health",
    "HostPort",
    "ImageState",
    "Intent",
    "Replica",
    "Resource",
    "Router",
    "StackState",
    "Traffic",
    "Usage",
    "overlap",
    "parse_time",
]
