"""The report of a load test: one page (HTML) that needs nothing else, made for reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from html import escape

from msctl.loadtest.charts import DOTS, LINES, distribution, over_time
from msctl.loadtest.outcome import Outcome
from msctl.loadtest.result import ReplicaShare, Result, latencies
from msctl.loadtest.style import STYLE

_MARKED = ("p50", "p90", "p95", "p99")
_UNKNOWN = "&ndash;"


def page(
    result: Result,
    outcomes: Sequence[Outcome],
    *,
    load: str,
    target: str,
    began: datetime,
    remarks: Sequence[str] = (),
) -> str:
    """The whole page. `load` says how requests were sent, `target` where to."""
    sections = (
        _head(result, load, target, began),
        _tiles(result),
        _remarks(remarks),
        _charts(result, outcomes),
        _replicas(result),
        _tables(result),
    )
    title = escape(f"Load test of {result.service}")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(section for section in sections if section)
        + "\n<footer>Made by msctl load-test. Latency counts from the time at which a request was "
        "meant to start.</footer>\n</body>\n</html>\n"
    )


def _head(result: Result, load: str, target: str, began: datetime) -> str:
    verdict = (
        f'<span class="verdict failed">{result.failed} of {result.requests} failed</span>'
        if result.failed
        else '<span class="verdict">all requests succeeded</span>'
        if result.requests
        else '<span class="verdict failed">no request ended</span>'
    )
    when = began.strftime("%Y-%m-%d %H:%M:%S %Z")
    return (
        f"<header><h1>{escape(result.service)}{verdict}</h1>"
        f"<p>{escape(load)} · {escape(target)} · {escape(when)}</p></header>"
    )


def _tiles(result: Result) -> str:
    latency = result.latency_ms
    rate = _UNKNOWN if result.rate is None else f"{result.rate:.4g}<small> /s</small>"
    tiles = [
        ("requests", f"{result.requests:,}"),
        ("rate", rate),
        ("time", f"{result.seconds:.1f}<small> s</small>"),
        *((name, _ms(getattr(latency, name))) for name in ("p50", "p95", "p99", "max")),
        ("evenness", _UNKNOWN if result.evenness is None else f"{result.evenness:.2f}"),
    ]
    items = "".join(f"<li><span>{name}</span><b>{value}</b></li>" for name, value in tiles)
    return f'<ul class="tiles">{items}</ul>'


def _ms(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    digits = 0 if value >= 100 else 1
    return f"{value:,.{digits}f}<small> ms</small>"


def _remarks(remarks: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    return f'<ul class="card remarks">{items}</ul>' if items else ""


def _charts(result: Result, outcomes: Sequence[Outcome]) -> str:
    found = [seconds * 1000 for seconds in latencies(outcomes)]
    if not found:
        return ""
    marked = {name: asdict(result.latency_ms)[name] for name in _MARKED}
    return (
        f'<section class="card" id="over-time"><h2>Latency over time</h2>{over_time(outcomes)}'
        f'<ul class="legend">{"".join(_legend(result, len(found)))}</ul></section>'
        f'<section class="card" id="distribution"><h2>Latency distribution</h2>'
        f"{distribution(found, marked)}</section>"
    )


def _legend(result: Result, count: int) -> Iterator[str]:
    if count <= DOTS:
        yield '<li class="p50"><i></i>one request</li>'
    else:
        words = {"max": "slowest", "p95": "p95", "p50": "p50 (median)"}
        for name in reversed(LINES):
            yield f'<li class="{name}"><i></i>{words[name]}</li>'
    if result.failed:
        yield '<li class="bad"><i></i>failed</li>'


def _replicas(result: Result) -> str:
    head = '<section class="card" id="replicas"><h2>Share per replica</h2>'
    if not result.replicas:
        return f"{head}<p>Requests per replica are not known.</p></section>"
    most = max(share.requests for share in result.replicas) or 1
    total = sum(share.requests for share in result.replicas)
    fair = total / len(result.replicas) / most * 100
    rows = "".join(_row(share, most, fair) for share in result.replicas)
    note = (
        "The dashed line is a fair share. Evenness is the largest share divided by it: 1 is even."
        if result.evenness is not None
        else "Not every request was found in the gateway's log: shares are not known."
    )
    return (
        f'{head}<table><thead><tr><th>replica</th><th class="number">requests</th>'
        f'<th class="number">share</th><th></th></tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="note">{note}{_sticky(result)}</p></section>'
    )


def _row(share: ReplicaShare, most: int, fair: float) -> str:
    percent = _UNKNOWN if share.share is None else f"{share.share:.1%}"
    width = share.requests / most * 100
    return (
        f'<tr><td class="replica">{escape(share.name)}</td>'
        f'<td class="number">{share.requests:,}</td><td class="number">{percent}</td>'
        f'<td class="bar"><div class="track"><i style="width:{width:.2f}%"></i>'
        f'<u style="left:{fair:.2f}%"></u></div></td></tr>'
    )


def _sticky(result: Result) -> str:
    if (sticky := result.sticky) is None:
        return ""
    if sticky.moved is None:
        words = "whether each stayed on its replica is not known"
    elif sticky.moved:
        words = f"{sticky.moved} of them moved to another replica"
    else:
        words = "each stayed on one replica"
    return f" Clients that kept their cookies: {sticky.clients}; {words}."


def _tables(result: Result) -> str:
    latency = "".join(
        f'<tr><td>{name}</td><td class="number">{_ms(value)}</td></tr>'
        for name, value in asdict(result.latency_ms).items()
    )
    statuses = "".join(
        f'<tr><td>{escape(word)}</td><td class="number">{count:,}</td></tr>'
        for word, count in result.statuses.items()
    )
    return (
        '<div class="columns">'
        f'<section class="card" id="latency"><h2>Latency</h2><table>{latency}</table></section>'
        f'<section class="card" id="statuses"><h2>Statuses</h2><table>{statuses}</table></section>'
        "</div>"
    )
