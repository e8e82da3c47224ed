"""How figures of a decision are written. Pure."""

from __future__ import annotations

from msctl.autoscale.records import Reading

NAMES = {"cpu": "cpu", "rps": "requests/s", "latency_p95": "p95"}


def value(metric: str, found: float | None) -> str:
    """`83%`, `41.5`, `210 ms`; `-` is unknown."""
    if found is None:
        return "-"
    if metric == "cpu":
        return f"{found:.0f}%"
    if metric == "latency_p95":
        return f"{found:.0f} ms"
    return f"{found:.1f}".removesuffix(".0")


def against(reading: Reading) -> str:
    """`cpu 141%, target 70%`: a metric beside its target."""
    name, target = NAMES[reading.metric], value(reading.metric, reading.target)
    if reading.metric == "latency_p95" and reading.value is None:
        return "no requests"
    each = " a replica" if reading.metric == "rps" else ""
    return f"{name} {value(reading.metric, reading.value)}{each}, target {target}"


def share(reading: Reading) -> str:
    """`141/70%`: the same in a column."""
    target = value(reading.metric, reading.target)
    found = value(reading.metric, reading.value).removesuffix("%").removesuffix(" ms")
    return f"{found}/{target}"


def seconds(span: float) -> str:
    return f"{span:.0f} s"
