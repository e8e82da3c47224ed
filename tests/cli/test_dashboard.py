"""`msctl dashboard` at a terminal."""

from __future__ import annotations

import pytest
from terminal import SHOP, Terminal

PAGES = SHOP + (
    "  grafana: {image: 'grafana:1', optional: true, port: 3000, stateful: true,"
    " ports: ['127.0.0.1:3010:3000']}\n"
    "  prometheus: {image: 'prometheus:1', stateful: true, ports: ['9090:9090']}\n"
)


@pytest.fixture
def pages(terminal: Terminal) -> Terminal:
    """The shop with its pages is up; grafana's image cannot be had."""
    terminal.world.have("prometheus:1")
    terminal.write(PAGES)
    assert terminal.msctl("up").status == 0
    return terminal


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ([], "http://127.0.0.1:8080/dashboard/"),
        (["traefik"], "http://127.0.0.1:8080/dashboard/"),
        (["prometheus"], "http://localhost:9090"),
    ],
)
def test_a_pages_address_is_printed(pages: Terminal, words: list[str], url: str) -> None:
    """Alone on stdout; off a terminal nothing is opened."""
    answer = pages.msctl("dashboard", *words)
    assert (answer.status, answer.out, answer.err) == (0, f"{url}\n", "")
    found = pages.msctl("dashboard", *words, "--json").json
    assert found == {"name": words[0] if words else "traefik", "url": url}
    assert pages.opened == []


def test_a_page_is_opened_where_there_is_a_browser(pages: Terminal) -> None:
    """Unless only its address, or JSON, is asked for."""
    pages.browses = True
    assert pages.msctl("dashboard").out == "http://127.0.0.1:8080/dashboard/\n"
    assert pages.opened == ["http://127.0.0.1:8080/dashboard/"]
    assert pages.msctl("dashboard", "--print").status == 0
    assert pages.msctl("dashboard", "--json").status == 0
    assert len(pages.opened) == 1


def test_a_page_that_is_not_served_is_told(pages: Terminal) -> None:
    """Left out, not running, or off: exit status 1, and what to type next."""
    pages.browses = True
    left_out = pages.msctl("dashboard", "grafana")
    assert (left_out.status, left_out.out) == (1, "")
    assert left_out.lines == [
        "error: grafana is left out of shop: image grafana:1 is not there",
        "hint: msctl up grafana",
    ]
    pages.world.kill("shop-prometheus-1")
    ended = pages.msctl("dashboard", "prometheus")
    assert (ended.status, ended.lines) == (
        1,
        ["error: prometheus is not running", "hint: msctl up prometheus"],
    )
    pages.write(PAGES.replace("gateway: {", "gateway: {dashboard: off, "))
    off = pages.msctl("dashboard")
    assert off.status == 1
    assert off.lines[0] == "error: the gateway's dashboard is off (gateway.dashboard)"
    assert pages.opened == []
