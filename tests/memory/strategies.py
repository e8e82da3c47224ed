"""Stacks, and moments to be killed at, for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from memory.stacks import stack_of
from msctl.model import Stack

NAMES = ("alpha", "beta", "gamma")


@st.composite
def services(draw: st.DrawFn, name: str, earlier: tuple[str, ...]) -> dict[str, Any]:
    """One service of any kind."""
    kind = draw(st.sampled_from(["routed", "internal", "stateful", "job"]))
    service: dict[str, Any] = {
        "image": f"{name}:{draw(st.sampled_from('12'))}",
        "env": {"SETTING": draw(st.sampled_from("xy"))},
        "networks": draw(st.sampled_from([["back"], ["back", "side"], ["side", "back"]])),
        "needs": sorted(draw(st.sets(st.sampled_from(earlier)))) if earlier else [],
    }
    if kind in ("routed", "internal"):
        service["replicas"] = draw(st.integers(1, 3))
        service["rollout"] = {
            "surge": draw(st.sampled_from([1, 2, "50%"])),
            "order": draw(st.sampled_from(["start-first", "start-first", "stop-first"])),
        }
    if kind == "routed":
        path = draw(st.sampled_from(["/health", "/ready"]))
        service |= {"port": 80, "routes": [f"/{name}"], "health": {"path": path}}
    if kind == "stateful":
        service |= {"stateful": True, "volumes": ["data:/data"], "secrets": ["key"]}
    if kind == "job":
        service["job"] = True
    return service


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """One to three services, each of which may need those before it."""
    names = NAMES[: draw(st.integers(1, 3))]
    chosen = {name: draw(services(name, names[:i])) for i, name in enumerate(names)}
    return stack_of(chosen, networks=["back", "side"])
