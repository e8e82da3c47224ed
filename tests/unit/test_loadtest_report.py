"""The page of a load test: its structure, and how a real browser shows it."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msctl.loadtest.charts import DOTS
from msctl.loadtest.outcome import Outcome
from msctl.loadtest.report import page
from msctl.loadtest.result import result
from msctl.loadtest.scales import Scale, latency_scale
from msctl.loadtest.shape import shape
from msctl.loadtest.traffic import Traffic

VOID = {"meta", "br"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = next((found for name in BROWSERS if (found := shutil.which(name))), None)


class Page(HTMLParser):
    """The elements of a page, which has to close what it opens."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def ids(self) -> set[str]:
        return {value for name, value in self.attributes if name == "id"}


def outcomes(count: int, *, failing: int = 0) -> list[Outcome]:
    chance = random.Random(7)
    return [
        Outcome(n, n / 300, n / 300, n / 300 + chance.lognormvariate(-4, 0.5),
                502 if n < failing else 200)
        for n in range(count)
    ]  # fmt: skip


def report(found: list[Outcome], traffic: Traffic | None = None, **more: str) -> str:
    names = tuple(f"shop-web-{n}" for n in range(1, 6))
    traffic = traffic or Traffic({o.number: names[o.number % 5] for o in found}, names)
    load = shape(rate=300, requests=max(1, len(found)), sticky=True, clients=1)
    return page(
        result(more.get("service", "web"), load, found, traffic),
        found,
        load=str(load),
        target="GET https://shop.test/",
        began=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
        remarks=[more.get("remark", "a remark")],
    )


@pytest.mark.parametrize("count", [0, 1, 20, DOTS + 1, 6000])
def test_a_page_needs_nothing_else(count: int) -> None:
    """One document, well formed, without a script and without a reference to anything outside."""
    text = report(outcomes(count))
    found = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert not {"src", "href", "srcset", "data", "action"} & {name for name, _ in found.attributes}
    assert "url(" not in text
    assert "@import" not in text
    assert {"replicas", "latency", "statuses"} <= found.ids
    assert ({"over-time", "distribution"} <= found.ids) is bool(count)
    assert "prefers-color-scheme: dark" in text


def test_few_requests_are_dots_and_many_are_lines() -> None:
    """Each of a few can be pointed at; of many, percentiles over time are drawn."""
    few, many = Page(report(outcomes(20))), Page(report(outcomes(6000)))
    assert few.tags.count("circle") == 20
    assert "circle" not in many.tags
    lines = [value for name, value in many.attributes if name == "class" and "line " in value]
    assert lines == ["line max", "line p95", "line p50"]


def test_the_figures_are_in_it() -> None:
    """Requests, statuses, failures, and every replica with its count and share."""
    words = " ".join(Page(report(outcomes(1000, failing=3))).words)
    for wanted in ("1,000", "3 of 1000 failed", "502", "shop-web-5", "20.0%", "a remark"):
        assert wanted in words
    assert "Clients that kept their cookies: 1; each stayed on one replica." in words


def test_what_is_not_known_is_said() -> None:
    """No share is made up."""
    words = " ".join(Page(report(outcomes(20), Traffic(error="no driver"))).words)
    assert "Requests per replica are not known" in words


def test_names_cannot_become_markup() -> None:
    """What comes from elsewhere is text."""
    bad = '<script>alert("x")</script>'
    traffic = Traffic(dict.fromkeys(range(20), bad), (bad,))
    failing = [Outcome(0, 0.0, 0.0, 0.1, None, bad)]
    text = report(outcomes(20), traffic, service=bad, remark=bad) + report(failing)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


# Axes


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1e6), max_size=50))
def test_every_latency_has_its_place(values: list[float]) -> None:
    """Whatever was measured lies on the axis, and the axis has round numbers on it."""
    scale = latency_scale(values, 300)
    assert all(0 <= scale.at(value) <= 300 for value in values)
    assert 2 <= len(scale.ticks(5)) <= 12
    assert scale.high >= max(values, default=0) * 0.999


def test_far_outliers_make_the_axis_logarithmic() -> None:
    """So that what is usual is not squeezed into a line."""
    assert latency_scale([10.0] * 99 + [5000.0], 300).log
    assert not latency_scale([10.0] * 99 + [50.0], 300).log
    assert Scale(1, 1000, 300, log=True).ticks(6) == [1, 3, 10, 30, 100, 300, 1000]


# A real browser


def browse(folder: Path, text: str, *options: str, width: int = 1040) -> str:
    assert BROWSER is not None
    (folder / "page.html").write_text(text, "utf-8")
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--window-size={width},1600", f"--user-data-dir={folder / 'profile'}", *options,
        (folder / "page.html").as_uri(),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


PROBE = """<script>
addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const texts = [...document.querySelectorAll("svg text")].map(one => one.getBoundingClientRect());
  const touching = texts.filter((a, i) => texts.some((b, j) => i < j
    && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
  const cut = [...document.querySelectorAll("svg")].reduce((sum, svg) => {
    const box = svg.getBoundingClientRect();
    return sum + [...svg.querySelectorAll("text")].filter(one => {
      const own = one.getBoundingClientRect();
      return own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1;
    }).length;
  }, 0);
  const bars = [...document.querySelectorAll(".track i")]
    .map(one => Math.round(one.getBoundingClientRect().width));
  const ink = getComputedStyle(document.querySelector("path.line.p50, circle.p50"));
  document.title = JSON.stringify({wide, touching, cut, bars, stroke: ink.stroke, fill: ink.fill});
});
</script>"""


@pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is on the PATH")
@pytest.mark.parametrize(("count", "width"), [(20, 1040), (6000, 1040), (6000, 500)])
def test_a_browser_shows_it_well(tmp_path: Path, count: int, width: int) -> None:
    """The page is not wider than its window (a chart scrolls in its own room), no label is cut off
    or covers another one, the bars have the lengths of the shares, and the style sheet's colours
    are there."""
    text = report(outcomes(count, failing=2)).replace("</body>", f"{PROBE}</body>")
    shown = browse(tmp_path, text, "--dump-dom", "--virtual-time-budget=2000", width=width)
    match = re.search(r"<title>(\{.*?\})</title>", shown)
    assert match is not None, shown[:500]
    seen = json.loads(match[1].replace("&quot;", '"'))
    assert (max(0, seen["wide"]), seen["touching"], seen["cut"]) == (0, 0, 0)
    assert len(set(seen["bars"])) == 1
    assert seen["bars"][0] > width / 4
    assert "rgb(47, 111, 219)" in (seen["stroke"], seen["fill"])


@pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(BROWSERS)} is on the PATH")
def test_a_browser_can_picture_it(tmp_path: Path) -> None:
    """Its picture is not empty."""
    picture = tmp_path / "page.png"
    browse(tmp_path, report(outcomes(2000)), f"--screenshot={picture}")
    assert picture.stat().st_size > 30_000
