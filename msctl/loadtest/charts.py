"""Charts of a load test as SVG, coloured by the page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from msctl.loadtest.outcome import Outcome
from msctl.loadtest.scales import Scale, latency_scale
from msctl.loadtest.statistics import Histogram
from msctl.words import plural

_WIDTH, _HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 28, 44
_ROOM_X, _ROOM_Y = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
DOTS = 600
"""Requests up to which each is a dot; more are shown by percentiles of equal times."""
_SLICES, _BINS = 80, 48
LINES = ("max", "p95", "p50")
"""Lines of the latency over time, the one at the top first."""


def over_time(outcomes: Sequence[Outcome]) -> str:
    """Latency by the time at which requests were meant to start; failures as marks below."""
    last = max((outcome.due for outcome in outcomes), default=0.0)
    # One step more than the last start, so that a load of 20 s has an axis of 20 s.
    end = last + last / max(1, len(outcomes) - 1)
    points = [
        (outcome.due, latency * 1000, outcome)
        for outcome in outcomes
        if (latency := outcome.latency) is not None
    ]
    x = Scale(0.0, end or 1.0, _ROOM_X)
    y = latency_scale([ms for _, ms, _ in points], _ROOM_Y)
    frame = _Frame(x, y, "seconds since the start", "ms")
    failures = _failures(frame, outcomes)
    if len(points) <= DOTS:
        drawn = "".join(_dot(frame, due, ms, outcome) for due, ms, outcome in points)
    else:
        drawn = "".join(_lines(frame, [(due, ms) for due, ms, _ in points]))
    return frame.svg("Latency over time", drawn + failures)


def distribution(milliseconds: Sequence[float], percentiles: Mapping[str, float | None]) -> str:
    """How many requests took how long, with the percentiles marked."""
    x = latency_scale(milliseconds, _ROOM_X)
    bins = x.bins(_BINS)
    counts = [0] * _BINS
    for value in milliseconds:
        counts[min(_BINS - 1, int(x.at(value) / _ROOM_X * _BINS))] += 1
    y = Scale(0.0, max(4, *counts) * 1.08, _ROOM_Y)
    frame = _Frame(x, y, "ms, logarithmic" if x.log else "ms", "requests")
    bars = "".join(
        _bar(frame, low, high, count)
        for (low, high), count in zip(bins, counts, strict=True)
        if count
    )
    return frame.svg("Latency distribution", bars + "".join(_marks(frame, percentiles)))


@dataclass(frozen=True)
class _Frame:
    """The axes around a chart."""

    x: Scale
    y: Scale
    x_title: str
    y_title: str

    def place(self, x: float, y: float) -> tuple[float, float]:
        return _LEFT + self.x.at(x), _TOP + _ROOM_Y - self.y.at(y)

    def svg(self, title: str, content: str) -> str:
        return (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
            f"{''.join(self._grid())}{content}</svg>"
        )

    def _grid(self) -> Iterator[str]:
        right, bottom = _WIDTH - _RIGHT, _TOP + _ROOM_Y
        for tick in self.y.ticks(5):
            _, y = self.place(self.x.low, tick)
            yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>'
            yield _text("tick", _LEFT - 8, y + 4, f"{tick:g}", "end")
        for tick in self.x.ticks(10):
            x, _ = self.place(tick, self.y.low)
            yield f'<path class="axis" d="M{x:.1f} {bottom}v5"/>'
            yield _text("tick", x, bottom + 19, f"{tick:g}", "middle")
        yield f'<path class="axis" d="M{_LEFT} {bottom}H{right}"/>'
        log = ", logarithmic" if self.y.log else ""
        yield _text("name", 0, 14, self.y_title + log, "start")
        yield _text("name", right, bottom + 38, self.x_title, "end")


def _text(kind: str, x: float, y: float, words: str, anchor: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{words}</text>'


def _dot(frame: _Frame, due: float, ms: float, outcome: Outcome) -> str:
    x, y = frame.place(due, ms)
    kind = "bad" if outcome.failed else "p50"
    label = f"request {outcome.number + 1}: {outcome.word}, {ms:.1f} ms"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{label}</title></circle>'


def _failures(frame: _Frame, outcomes: Iterable[Outcome]) -> str:
    """A mark on the time axis for each failure; those that would cover each other are one."""
    places: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.failed:
            places.setdefault(round(frame.x.at(outcome.due)), []).append(outcome)
    marks = []
    for place, failed in places.items():
        words = ", ".join(sorted({outcome.word for outcome in failed}))
        title = f"{len(failed)} failed at {failed[0].due:.1f} s: {words}"
        x, y = _LEFT + place - 1, _TOP + _ROOM_Y - 8
        rect = f'<rect class="bad" x="{x}" y="{y}" width="3" height="8">'
        marks.append(f"{rect}<title>{_escaped(title)}</title></rect>")
    return "".join(marks)


def _lines(frame: _Frame, points: Sequence[tuple[float, float]]) -> Iterator[str]:
    slices = [Histogram() for _ in range(_SLICES)]
    span = frame.x.high
    for due, ms in points:
        slices[min(_SLICES - 1, int(due / span * _SLICES))].add(ms / 1000)
    for name in LINES:
        percent = 100.0 if name == "max" else float(name[1:])
        path, pen = [], "M"
        for number, histogram in enumerate(slices):
            value = histogram.percentile(percent)
            if value is None:  # no request then: no line either
                pen = "M"
                continue
            x, y = frame.place((number + 0.5) / _SLICES * span, value)
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        yield f'<path class="line {name}" d="{"".join(path)}"/>'


def _bar(frame: _Frame, low: float, high: float, count: int) -> str:
    left, top = frame.place(low, count)
    right, bottom = frame.place(high, 0)
    title = f"{low:.3g} to {high:.3g} ms: {plural(count, 'request')}"
    return (
        f'<rect class="p50" x="{left + 0.5:.1f}" y="{top:.1f}" width="{right - left - 1:.1f}" '
        f'height="{bottom - top:.1f}"><title>{title}</title></rect>'
    )


def _marks(frame: _Frame, percentiles: Mapping[str, float | None]) -> Iterator[str]:
    """A line for each percentile; of labels that would touch, the highest percentile's stays."""
    taken = float("-inf")
    for name, ms in reversed([*percentiles.items()]):
        if ms is None:
            continue
        x, _ = frame.place(ms, 0)
        yield f'<path class="mark" d="M{x:.1f} {_TOP}V{_TOP + _ROOM_Y}"/>'
        if abs(taken - x) < 36:
            continue
        taken = x
        yield _text("name", x, _TOP - 8, name, "middle")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
