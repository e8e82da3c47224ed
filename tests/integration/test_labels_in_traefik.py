"""Whatever the stack file accepts as a route is one that the real Traefik takes, and leads only its
own path: the binary out of its wheel, with the labels in a file of its file provider."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from live import free_port, until

from msctl.config import load_text
from msctl.errors import StackFileError
from msctl.fields import unroutable
from msctl.render.traefik import service_labels
from msctl.render.traefik.pins import pin

TRAEFIK = Path(sys.executable).with_name("traefik")
ODD = "ab/._~-!$&'()*+,;=:@%25{}`|\\\"<>^[]?# \t\n\u00e9"
"""Characters that mean something to Traefik's rules, to templates, YAML or URLs."""
paths = st.one_of(
    st.text(st.sampled_from(ODD), max_size=12).map("/{}".format),
    st.lists(st.sampled_from(["api", "v1", "a.b", "x_y", "~u"]), max_size=3).map(
        lambda words: "/" + "/".join(words)
    ),
)
texts = st.text(st.characters(codec="utf-8"), max_size=20)


@dataclass
class Gateway:
    """Traefik, and a backend that answers everything with the path that it was asked for."""

    folder: Path
    web: int
    api: int
    backend: str

    def load(self, text: str) -> None:
        """Put a file in force, whole."""
        new = self.folder.parent / "new"
        new.write_text(text)
        new.replace(self.folder / "web.a.yml")

    def serves(self) -> bool:
        """Whether its API is there; before it, nobody answers, or with 404."""
        with suppress(httpx.HTTPError):
            return httpx.get(self.routers, trust_env=False).status_code == 200
        return False

    @property
    def routers(self) -> str:
        return f"http://127.0.0.1:{self.api}/api/http/routers"

    def router(self, rule: str, seconds: float = 20) -> dict[str, Any]:
        """Traefik's word on the router with this rule, once it has it."""
        end, found = time.monotonic() + seconds, list[dict[str, Any]]()
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                listed = httpx.get(self.routers, trust_env=False).json()
                found = [router for router in listed if router["provider"] == "file"]
            if len(found) == 1 and found[0]["rule"] == rule:
                return found[0]
            time.sleep(0.01)
        raise AssertionError(f"no router has the rule {rule!r}: {found}")

    def status(self, path: str, host: str) -> int:
        """Of the answer to a request for a path, as it stands."""
        asked = http.client.HTTPConnection("127.0.0.1", self.web, timeout=5)
        try:
            asked.request("GET", path, headers={"Host": host})
            return asked.getresponse().status
        finally:
            asked.close()


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("traefik") / "dynamic"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = Gateway(
        folder, free_port(), free_port(), f"http://127.0.0.1:{server.server_address[1]}"
    )
    process = subprocess.Popen(
        [
            TRAEFIK,
            f"--entrypoints.web.address=127.0.0.1:{found.web}",
            f"--entrypoints.traefik.address=127.0.0.1:{found.api}",
            "--api.insecure=true",
            f"--providers.file.directory={folder}",
            "--providers.providersthrottleduration=10ms",
        ],
        env={key: value for key, value in os.environ.items() if "proxy" not in key.lower()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(found.serves, 20, "the gateway's API answers")
        yield found
    finally:
        process.kill()
        process.wait(10)
        server.shutdown()
        server.server_close()


def _no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(
    path=paths,
    host=st.none() | st.sampled_from(["shop.example.test", "a-b.example.test"]),
    strip=st.booleans(),
    csp=st.none() | texts,
    cookie=st.none() | texts,
)
def test_what_is_accepted_is_loaded_and_leads_its_own_path(
    gateway: Gateway, path: str, host: str | None, strip: bool, csp: str | None, cookie: str | None
) -> None:
    """Refused by the stack file, or taken by Traefik: nothing breaks out of a rule or a value."""
    web = {
        "image": "shop",
        "port": 80,
        "routes": [{"path": path, "strip": strip, **({"host": host} if host else {})}],
        **({"headers": {"csp": csp}} if csp is not None else {}),
        **({"sticky": cookie} if cookie is not None else {}),
    }
    content = {
        "name": "shop",
        "gateway": {"https": "off", "tls": {"mode": "off"}},
        "services": {"web": web},
    }
    text = yaml.safe_dump(content, allow_unicode=True)
    try:
        stack = load_text(text.encode(), name="stack.yaml", environ={}, read_file=_no_file)
    except StackFileError:
        assume(False)
    labels = service_labels(stack, "web", stack.services["web"])
    gateway.load(pin(labels, "web", "a", [gateway.backend]))
    router = gateway.router(labels["traefik.http.routers.web.rule"])
    assert router["status"] == "enabled", router
    assert "error" not in router, router
    assert gateway.status(path, host or "shop.test") == 200
    if path != "/":
        assert gateway.status("/zz", host or "shop.test") == 404
    if host:
        assert gateway.status(path, "other.example.test") == 404


UNMATCHED = [
    "/../a", "//a", "/a//b", "/./a", "/a/.", "/a/..", "/%2e%2e/a", "/%2E/a", "/%61", "/a%2fb",
    "/a%20b", "/a%00", "/a%0a", "/a%5Cb", "/%7Ex", "/caf%C3%A9",
]  # fmt: skip
MATCHED = ["/a..b", "/...", "/.well-known/x", "/a%2Fb", "/%252e", "/a%3Ab", "/a;b", "/*"]


def _pinned(gateway: Gateway, path: str) -> None:
    """A route of any path, as the stack file might have it."""
    web = {"image": "web", "port": 80, "routes": ["/placeholder"]}
    stack = load_text(
        yaml.safe_dump(
            {"name": "shop", "gateway": {"tls": {"mode": "off"}}, "services": {"web": web}}
        ),
        name="stack.yaml",
        environ={},
    )
    labels = service_labels(stack, "web", stack.services["web"])
    rule = f"PathPrefix(`{path}`)"
    labels |= {"traefik.http.routers.web.rule": rule, "traefik.http.routers.web.entrypoints": "web"}
    gateway.load(pin(labels, "web", "a", [gateway.backend]))
    gateway.router(rule)


@pytest.mark.parametrize("path", UNMATCHED)
def test_a_path_that_is_refused_matches_no_request(gateway: Gateway, path: str) -> None:
    """So that nobody waits for its requests, and none gets past a neighbour by it."""
    assert unroutable(path)
    _pinned(gateway, path)
    assert gateway.status(path, "shop.test") == 404


@pytest.mark.parametrize("path", MATCHED)
def test_a_path_that_looks_like_those_is_routed(gateway: Gateway, path: str) -> None:
    """Dots within a step, and what stays encoded."""
    assert unroutable(path) is None
    _pinned(gateway, path)
    assert gateway.status(path, "shop.test") == 200


TRAP = '{{ env "PATH" }}{{{{ .x }}{{/* "'
"""As a template it is the environment, or no template at all: the whole file would be refused."""


def test_a_template_in_a_pin_is_text(gateway: Gateway) -> None:
    """In values of headers, names and servers: Traefik runs files of its file provider as
    templates, and of a pin there is nothing to run."""
    web = {
        "image": "web",
        "port": 80,
        "routes": ["/trap"],
        "headers": {"csp": TRAP, "response": {"X-Trap": TRAP}},
    }
    content = {"name": "shop", "gateway": {"tls": {"mode": "off"}}, "services": {"web": web}}
    stack = load_text(yaml.safe_dump(content), name="stack.yaml", environ={})
    labels = service_labels(stack, "web", stack.services["web"])
    assert TRAP in labels.values()
    named = {key.replace("routers.web.", "routers.{{1}}."): text for key, text in labels.items()}
    server = f"{gateway.backend}/{{{{ 7 }}}}"
    gateway.load(pin(named, "web", "a", [server]))
    router = gateway.router("PathPrefix(`/trap`)")
    assert (router["name"], router["status"]) == ("{{1}}-a@file", "enabled")
    found = httpx.get(
        f"http://127.0.0.1:{gateway.api}/api/http/services/web-a@file", trust_env=False
    ).json()
    assert [one["url"] for one in found["loadBalancer"]["servers"]] == [server]
    answer = httpx.get(f"http://127.0.0.1:{gateway.web}/trap", trust_env=False)
    assert answer.headers["X-Trap"] == answer.headers["Content-Security-Policy"] == TRAP
