"""`msctl load-test` at a terminal, on a machine in memory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from memory import Crowd, lines
from memory.engine import EPOCH, MemoryEngine
from terminal import SHOP, Terminal

from msctl.errors import MsctlError

FIELDS = [
    "service", "requests", "succeeded", "failed", "statuses", "rate", "seconds", "latency_ms",
    "evenness", "sticky", "replicas",
]  # fmt: skip
API = SHOP.replace("replicas: 2", "replicas: 2\n    sticky: api_session")


def crowd(shop: Terminal, **behaviour: Any) -> Crowd:
    """Let load tests reach the api in memory."""
    shop.now = lambda: EPOCH + timedelta(seconds=shop.world.now)
    shop.send = Crowd(shop.world, "api", **behaviour)
    return shop.send


@pytest.fixture
def shop(terminal: Terminal) -> Terminal:
    """The shop is up, and its api has a sticky cookie."""
    terminal.write(API)
    assert terminal.msctl("up").status == 0
    crowd(terminal)
    return terminal


def test_without_options_it_does_what_the_script_did(shop: Terminal) -> None:
    """20 requests, 500 ms apart, each of them shown; then times, and the share of each replica."""
    answer = shop.msctl("load-test", "api")
    assert answer.status == 0
    assert answer.lines[0] == (
        "api: 20 requests one after the other, 500 ms apart, GET https://127.0.0.1/api"
    )
    assert answer.lines[1] == "[ 1/20]  200    10.0 ms"
    assert len(answer.lines) == 21
    assert answer.out.strip() == lines(
        """
        api: 20 requests in 9.7 s, 2.06/s  all succeeded
        statuses  200: 20

        LATENCY  MIN   AVG   MAX   P50   P90   P95   P99
        ms       10.0  10.0  10.0  10.0  10.0  10.0  10.0

        REPLICA     REQUESTS  SHARE
        shop-api-1        10   50.0%  ████████████████████████
        shop-api-2        10   50.0%  ████████████████████████
        evenness  1.00  the largest share ÷ a fair one; 1 is even
        """
    )


def test_as_json_it_is_the_record_of_the_contract(shop: Terminal) -> None:
    """The keys are these, in this order; sticky is null where it was not asked for."""
    answer = shop.msctl("load-test", "api", "--requests", "101", "--json")
    found = answer.json
    assert (answer.status, list(found)) == (0, FIELDS)
    assert list(found["latency_ms"]) == ["min", "avg", "max", "p50", "p90", "p95", "p99"]
    assert (found["requests"], found["succeeded"], found["failed"]) == (101, 101, 0)
    assert (found["statuses"], found["sticky"]) == ({"200": 101}, None)
    assert found["replicas"] == [
        {"name": "shop-api-1", "requests": 51, "share": 0.505},
        {"name": "shop-api-2", "requests": 50, "share": 0.495},
    ]
    assert found["evenness"] == 1.01


def test_a_long_one_does_not_show_each_request(shop: Terminal) -> None:
    """Above 50 requests, only what they are is told beforehand."""
    answer = shop.msctl("load-test", "api", "--rate", "100", "--duration", "2s")
    assert answer.lines == ["api: 200 requests at 100/s for 2 s, GET https://127.0.0.1/api"]


@pytest.mark.parametrize("provider", ["-a@file", "-b@file"])
def test_requests_under_a_pin_count(shop: Terminal, provider: str) -> None:
    """While a pin leads the traffic, the gateway calls the service by the pin's name."""
    crowd(shop, provider=provider)
    found = shop.msctl("load-test", "api", "--requests", "10", "--json").json
    assert [replica["requests"] for replica in found["replicas"]] == [5, 5]


def test_a_failed_request_ends_it_with_status_1(shop: Terminal) -> None:
    """Statuses from 400 and requests without an answer are failures; a redirect is none."""
    answers = [200, 302, 404, 502, "timeout", "connection refused"]
    crowd(shop, answer=lambda n: answers[n], logged=lambda n: n < 5)
    answer = shop.msctl("load-test", "api", "--requests", "6", "--json")
    found = answer.json
    assert (answer.status, found["succeeded"], found["failed"]) == (1, 2, 4)
    assert found["statuses"] == dict.fromkeys(map(str, answers), 1)
    assert sum(replica["requests"] for replica in found["replicas"]) == 5


def test_a_log_that_cannot_be_read_is_told(shop: Terminal, monkeypatch: Any) -> None:
    """The figures of the requests stand; what each replica got is null."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise MsctlError("configured logging driver does not support reading")

    monkeypatch.setattr(MemoryEngine, "logs", refuse)
    answer = shop.msctl("load-test", "api", "--sticky", "--requests", "60", "--json")
    assert answer.status == 0
    assert (answer.json["replicas"], answer.json["evenness"]) == (None, None)
    assert answer.json["sticky"] == {"clients": 10, "moved": None}
    assert "note: requests per replica are not known: the gateway's access log could not be" in (
        answer.err
    )


def test_missing_lines_are_told(shop: Terminal) -> None:
    """Counts are of what was found; what follows from all of them is null."""
    crowd(shop, logged=lambda number: number % 10 != 0)
    answer = shop.msctl("load-test", "api", "--requests", "100", "--json")
    assert [replica["share"] for replica in answer.json["replicas"]] == [None, None]
    assert answer.json["evenness"] is None
    assert sum(replica["requests"] for replica in answer.json["replicas"]) == 90
    assert "10 of 100 requests are not in the gateway's access log" in answer.err


def test_a_log_without_any_of_them_is_told(shop: Terminal) -> None:
    """As where gateway.args switch it off: no replica is said to have got 0."""
    crowd(shop, logged=lambda _number: False)
    answer = shop.msctl("load-test", "api", "--requests", "5", "--json")
    assert (answer.status, answer.json["replicas"]) == (0, None)
    assert "none of the requests is in the gateway's access log" in answer.err


def test_an_engine_that_goes_meanwhile_leaves_the_figures(shop: Terminal) -> None:
    """Latency and statuses are known without it."""

    def leave(number: int) -> None:
        shop.world.reachable = number < 5

    crowd(shop, before=leave)
    answer = shop.msctl("load-test", "api", "--requests", "10", "--json")
    assert (answer.json["requests"], answer.json["replicas"]) == (10, None)
    assert "the gateway's access log could not be read: no Docker engine answers" in answer.err


def test_replicas_that_come_and_go_are_known(shop: Terminal) -> None:
    """One that is scaled away in the middle has its name, and so has one that came."""

    def scale(number: int) -> None:
        if number in (20, 60):
            assert shop.msctl("scale", "api", "3" if number == 20 else "1").status == 0

    crowd(shop, before=scale)
    found = shop.msctl("load-test", "api", "--requests", "90", "--json").json
    counts = {replica["name"]: replica["requests"] for replica in found["replicas"]}
    assert set(counts) == {"shop-api-1", "shop-api-2", "shop-api-3"}
    assert sum(counts.values()) == 90


def test_sticky_clients_that_stay(shop: Terminal) -> None:
    """Each client's cookie keeps it on its replica."""
    found = shop.msctl("load-test", "api", "--sticky", "--requests", "60", "--json").json
    assert found["sticky"] == {"clients": 10, "moved": 0}
    told = shop.msctl("load-test", "api", "--sticky", "--clients", "4", "--requests", "60").out
    assert "sticky    4 clients, each stayed on one replica" in told


def test_sticky_clients_that_move(shop: Terminal) -> None:
    """Those whose replica went are counted."""

    def scale(number: int) -> None:
        if number == 30:
            assert shop.msctl("scale", "api", "1").status == 0

    crowd(shop, before=scale)
    found = shop.msctl("load-test", "api", "--sticky", "--requests", "60", "--json").json
    assert found["sticky"] == {"clients": 10, "moved": 5}


def test_ctrl_c_gives_the_figures_so_far(shop: Terminal) -> None:
    """The requests that had ended are summed up, and the exit status is 130."""

    def interrupt(number: int) -> None:
        if number == 7:
            raise KeyboardInterrupt

    crowd(shop, before=interrupt)
    answer = shop.msctl("load-test", "api", "--rate", "100", "--requests", "500", "--json")
    assert (answer.status, answer.json["requests"]) == (130, 7)
    assert sum(replica["requests"] for replica in answer.json["replicas"]) == 7
    assert "interrupted: these are the figures of the requests that had ended" in answer.err


def test_ctrl_c_before_the_first_answer(shop: Terminal) -> None:
    """Nothing is known, and nothing is made up."""

    def interrupt(_number: int) -> None:
        raise KeyboardInterrupt

    crowd(shop, before=interrupt)
    answer = shop.msctl("load-test", "api", "--json")
    assert (answer.status, answer.json["requests"], answer.json["rate"]) == (130, 0, None)
    assert set(answer.json["latency_ms"].values()) == {None}
    assert shop.msctl("load-test", "api").out.startswith("api: 0 requests in 0.0 s  no request")


def test_a_report_is_written(shop: Terminal, tmp_path: Path) -> None:
    """The page is there, is named, and nothing else is left behind."""
    before = {*tmp_path.iterdir()}
    answer = shop.msctl("load-test", "api", "--requests", "60", "--report", "page.html")
    assert answer.status == 0
    assert "page.html is written" in answer.err
    assert {*tmp_path.iterdir()} - before == {tmp_path / "page.html"}
    assert "shop-api-2" in (tmp_path / "page.html").read_text("utf-8")


# Refusals

REFUSED = [
    (["api", "--rate", "5", "--concurrency", "2"], "--rate and --concurrency contradict"),
    (["api", "--rate", "5", "--delay", "20"], "a pause of 20 ms is --rate 50"),
    (["api", "--requests", "5", "--duration", "2"], "--requests and --duration contradict"),
    (["api", "--clients", "3"], "add --sticky"),
    (["api", "--sticky", "--clients", "30", "--requests", "20"], "30 clients have nothing to do"),
    (["web", "--sticky"], "web has no sticky cookie"),
    (["db"], "db is internal: it has no routes"),
    (["apo"], "apo is not a service of shop; did you mean 'api'?"),
    (["traefik"], "traefik is not a service of shop"),
    (["api", "--path", "two words"], "is not the path of a URL"),
    (["api", "--path", "http://elsewhere/"], "is not the path of a URL"),
    (["api", "--report", "nowhere/page.html"], "there is no folder nowhere"),
    (["api", "--report", "."], "--report . is a folder"),
    (["api", "--requests", "0"], "0 is not in the range"),
    (["api", "--rate", "0"], "is not in the range"),
    (["api", "--method", "FETCH"], "'FETCH' is not one of"),
    (["api", "--timeout", "0"], "leaves no time"),
    ([], "Missing argument 'SERVICE'"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED, ids=lambda value: " ".join(value))
def test_what_cannot_be_is_refused(shop: Terminal, words: list[str], says: str) -> None:
    """Exit status 2 with what is wrong; no request is sent."""
    answer = shop.msctl("load-test", *words)
    assert (answer.status, shop.send.targets) == (2, [])
    assert says in answer.err


def stop(name: str) -> Any:
    return lambda shop: [shop.world.stop(found) for found in shop.world.named(name)]


@pytest.mark.parametrize(
    ("break_it", "says", "hint"),
    [
        (stop("traefik"), "the gateway of shop is not running", "msctl up"),
        (stop("api"), "api has no replica that runs", "msctl up api"),
    ],
)
def test_what_does_not_run_cannot_be_tested(
    shop: Terminal, break_it: Any, says: str, hint: str
) -> None:
    """Exit status 1, with what to type next; no request is sent."""
    break_it(shop)
    answer = shop.msctl("load-test", "api")
    assert (answer.status, shop.send.targets) == (1, [])
    assert answer.lines == [f"error: {says}", f"hint: {hint}"]


def test_an_engine_that_is_away(shop: Terminal) -> None:
    """Exit status 3, as with every command."""
    shop.world.reachable = False
    assert shop.msctl("load-test", "api").status == 3


def test_a_silent_api_of_the_gateway_is_no_obstacle(shop: Terminal) -> None:
    """The requests do not need it."""
    shop.world.gateway_answers = False
    assert shop.msctl("load-test", "api", "--requests", "2").status == 0


def test_quiet_shows_the_figures_alone(shop: Terminal) -> None:
    """`-q` leaves stderr empty."""
    assert shop.msctl("-q", "load-test", "api").err == ""
