"""Amounts, times and texts as the API of Kubernetes writes them."""

from __future__ import annotations

import math
from datetime import timedelta

from msctl.fields import show_size


def seconds(value: timedelta, least: int = 0) -> int:
    """Whole seconds, rather more than less."""
    return max(least, math.ceil(value.total_seconds()))


def cpus(value: float) -> str:
    """`500m`, or `2`; the API knows nothing smaller than a thousandth."""
    thousandths = max(1, round(value * 1000))
    whole, rest = divmod(thousandths, 1000)
    return f"{thousandths}m" if rest else str(whole)


def size(value: int) -> str:
    """`512Mi`."""
    text = show_size(value)
    return text if text.isdigit() else f"{text}i"


def literal(text: str) -> str:
    """A text in which Kubernetes shall put in no `$(VARIABLE)`."""
    return text.replace("$", "$$")
