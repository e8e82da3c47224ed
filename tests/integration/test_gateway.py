"""What the gateway lets through, to whom, and by which certificate: seen from outside."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import stat
import threading
import warnings
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from live import NewStack, Stack, free_port, service, until

from msctl.tls.authority import Authority

pytestmark = pytest.mark.engine

DASHBOARD = "traefik.example.test"
HOST = "shop.example.test"
ROUTES: list[dict[str, Any]] = [
    {"path": "/open"},
    {"path": "/limited", "rate_limit": {"average": 1, "burst": 5, "period": "10s"}},
    {"path": "/few", "in_flight": 1},
    {"path": "/inside", "ip_allow": ["192.0.2.0/24"]},
    {"path": "/members", "basic_auth": ["alice"]},
    {"path": "/small", "body_limit": "1K"},
    {"path": "/bare", "headers": False},
    {"path": "/", "host": HOST},
]


class Shop:
    """Somebody who trusts the stack's own authority, and nobody else."""

    def __init__(self, stack: Stack, https: int) -> None:
        self.stack, self.https = stack, https

    @property
    def folder(self) -> Path:
        return self.stack.folder / ".msctl"

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "tls" / "ca.pem"))

    def ask(self, path: str, method: str = "GET", **extra: Any) -> httpx.Response:
        url = f"https://127.0.0.1:{self.https}{path}"
        with httpx.Client(verify=self.trust(), trust_env=False, timeout=10) as client:
            return client.request(method, url, **extra)

    def status(self, path: str, method: str = "GET", **extra: Any) -> int:
        return self.ask(path, method, **extra).status_code

    def shown(self, name: str) -> dict[str, Any]:
        """The certificate that those get who ask for a host; verified."""
        with (
            socket.create_connection(("127.0.0.1", self.https), timeout=5) as plain,
            self.trust().wrap_socket(plain, server_hostname=name) as connection,
        ):
            assert connection.version() in ("TLSv1.2", "TLSv1.3")
            return dict(connection.getpeercert() or {})

    def password(self, user: str) -> tuple[str, str]:
        return user, (self.folder / "secrets" / f"@{user}").read_text().strip()

    def hash(self, user: str) -> str:
        return (self.folder / "secrets" / f"@{user}.bcrypt").read_text().strip()


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Shop:
    """Two replicas of a service behind each of the middlewares, by HTTPS, and a dashboard."""
    stack, https = module_stacks(), free_port()
    web = service(routes=ROUTES, replicas={"initial": 2, "min": 1}, rollout={"drain": "4s"})
    gateway = {
        "https": f"127.0.0.1:{https}",
        "tls": {"mode": "self-signed"},
        "dashboard_host": DASHBOARD,
    }
    stack.write({"web": web}, gateway=gateway)
    stack.ok("up")
    return Shop(stack, https)


def test_the_certificate_is_of_the_stacks_own_authority(shop: Shop) -> None:
    """For each of the stack's hosts and for loopback; its keys are the user's alone; HTTP leads to
    it, older TLS does not, and a load test trusts it."""
    for name in (HOST, DASHBOARD, "localhost", "127.0.0.1"):
        assert shop.shown(name)["subjectAltName"]
    with pytest.raises(ssl.SSLCertVerificationError):
        shop.shown("other.example.test")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (shop.folder / "tls").iterdir()}
    assert modes == {"ca.pem": 0o644, "ca.key": 0o600, "gateway.pem": 0o600}
    moved = shop.stack.visitor.get("/open?a=b")
    assert moved.status_code in (301, 308)
    assert moved.headers["Location"] == f"https://127.0.0.1:{shop.https}/open?a=b"
    with pytest.raises(httpx.ConnectError, match="protocol version"):
        httpx.get(f"https://127.0.0.1:{shop.https}/open", verify=_of_2006(shop), trust_env=False)
    tested = shop.stack.ok("load-test", "web", "--requests", "5", "--json")
    assert json.loads(tested.out)["succeeded"] == 5
    told = shop.stack.msctl("doctor").out
    assert str(shop.folder / "tls" / "ca.pem") in told
    assert "update-ca-certificates" in told


def _of_2006(shop: Shop) -> ssl.SSLContext:
    """A client that knows no TLS newer than 1.1."""
    old = shop.trust()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    return old


def test_each_route_has_its_own_middlewares(shop: Shop) -> None:
    """429, 403, 401 and 413 where the file says so; the security headers are on all of these."""
    answers = Counter(shop.status("/limited") for _ in range(8))
    assert (answers[200], answers[429]) == (5, 3)
    assert shop.status("/inside") == 403
    assert shop.status("/members") == 401
    assert shop.status("/members", auth=("alice", "wrong")) == 401
    assert shop.status("/members", auth=shop.password("alice")) == 200
    assert shop.status("/small", "POST", content=b"x" * 1000) == 200
    assert shop.status("/small", "POST", content=b"x" * 1100) == 413
    assert Counter(shop.status("/open") for _ in range(20)) == {200: 20}
    for path in ("/open", "/limited", "/members"):
        headers = shop.ask(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "Server" not in headers
        assert "Strict-Transport-Security" not in headers  # browsers would lock themselves out
    assert "X-Frame-Options" not in shop.ask("/bare").headers


def test_one_request_at_a_time(shop: Shop) -> None:
    """A second one of the same client gets 429 while the first is under way."""
    first: list[int] = []
    slow = threading.Thread(target=lambda: first.append(shop.status("/few?delay_ms=4000")))
    before = _begun(shop)
    slow.start()
    until(lambda: _begun(shop) > before, 10, "the first is inside a replica", every=0.02)
    second = shop.status("/few")
    slow.join()
    assert (first, second) == ([200], 429)


def _begun(shop: Shop) -> int:
    """Requests that have come to the replicas, by their own count."""
    begun = 0
    for name in shop.stack.ids("web"):
        [network, *_] = shop.stack.inspect(name)["NetworkSettings"]["Networks"].values()
        answer = httpx.get(f"http://{network['IPAddress']}:8000/health", trust_env=False)
        begun += int(answer.json()["requests"])
    return begun


def test_the_dashboard_asks_for_a_password(shop: Shop) -> None:
    """At its host alone; the page and the API behind it, and the user's own is another one."""
    there = {"Host": DASHBOARD}
    for path in ("/dashboard/", "/api/rawdata", "/"):
        assert shop.status(path, headers=there) == 401
    assert shop.status("/api/rawdata", headers=there, auth=shop.password("alice")) == 401
    admin = shop.password("admin")
    assert shop.status("/api/rawdata", headers=there, auth=admin) == 200
    page = shop.ask("/", headers=there, auth=admin)
    assert page.headers["Location"] == f"https://{DASHBOARD}/dashboard/"
    assert "Traefik" in shop.ask("/dashboard/", headers=there, auth=admin).text
    assert shop.status("/api/rawdata") == 404


def test_no_password_is_where_others_could_read_it(shop: Shop) -> None:
    """Neither it nor its hash: not in what was printed, in containers, the rendered file, or what
    the gateway's API tells."""
    stack = shop.stack
    again = stack.ok("up")
    places = {
        "containers": json.dumps([stack.inspect(name) for name in stack.ids()]),
        "rendered": stack.ok("render", "compose").out,
        "plan": stack.ok("up", "--dry-run").out + again.out + again.err,
        "API": stack.gateway_api.get("/api/rawdata").text,
        "log": stack.ok("logs", "traefik").out,
    }
    for user in ("alice", "admin"):
        for secret in (shop.password(user)[1], shop.hash(user)):
            assert [place for place, text in places.items() if secret in text] == []


@pytest.mark.alone
def test_a_pin_has_the_middlewares_of_its_service(shop: Shop) -> None:
    """While a replica is drained, nobody gets in who did not before."""
    going = shop.stack.start("scale", "web", "1")
    pinned = until(lambda: _pin(shop.stack), 15, "the pin is in force")
    assert shop.status("/members") == 401
    assert shop.status("/members", auth=shop.password("alice")) == 200
    assert shop.status("/inside") == 403
    answers = Counter(shop.status("/limited") for _ in range(8))
    assert answers[429] >= 3
    assert shop.ask("/open").headers["X-Frame-Options"] == "DENY"
    assert _pin(shop.stack) == pinned, "the pin was gone before all was asked"
    assert going.ended() == 0


def _pin(stack: Stack) -> str | None:
    found = stack.gateway_api.get("/api/http/services").json()
    names = [entry["name"] for entry in found]
    return next((name for name in names if name in ("web-a@file", "web-b@file")), None)


def test_a_certificate_is_renewed_and_the_gateway_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends soon is replaced by `up`; everybody who comes meanwhile finds one that the
    authority has signed, and the gateway's container is the same."""
    stack = shop.stack
    gateway = f"{stack.project}_traefik"
    began, serial = stack.inspect(gateway)["State"]["StartedAt"], shop.shown(HOST)["serialNumber"]
    authority = Authority(shop.folder / "tls", stack.project, [HOST, DASHBOARD])
    with monkeypatch.context() as then:  # by the authority that is there, as if it were as old
        then.setattr("msctl.tls.authority._lasts", lambda *_: True)
        authority.issue(datetime.now(UTC) - timedelta(days=340))
    assert authority.due(datetime.now(UTC))
    seen: Counter[str] = Counter()
    done = threading.Event()

    def come() -> None:
        while not done.is_set():
            try:
                seen[shop.shown(HOST)["serialNumber"]] += 1
            except (OSError, ssl.SSLError) as error:
                seen[f"{error}"] += 1

    visitor = threading.Thread(target=come)
    visitor.start()
    try:
        renewed = stack.ok("up")
    finally:
        done.set()
        visitor.join()
    assert "issue certificate" in renewed.err
    new = shop.shown(HOST)["serialNumber"]
    assert new != serial
    assert seen.keys() <= {serial, new}, seen
    assert stack.inspect(gateway)["State"]["StartedAt"] == began
    assert "nothing to do" in stack.ok("up").err


def test_a_user_and_a_password_of_ones_own(shop: Shop) -> None:
    """Another user and a password that was written by hand are in force after `up`, and no replica
    is replaced for them."""
    stack = shop.stack
    replicas = stack.ids()
    text = (stack.folder / stack.file).read_text()
    stack.write_text(text.replace("- alice", "- alice\n      - bob"))
    assert "bob" in (stack.folder / stack.file).read_text()
    (shop.folder / "secrets" / "@alice").write_text("of my own\n")
    told = stack.ok("up")
    assert "of my own" not in told.out + told.err
    assert shop.status("/members", auth=("alice", "of my own")) == 200
    assert shop.status("/members", auth=shop.password("bob")) == 200
    assert stack.ids() == replicas


def test_passwords_are_rotated_and_no_request_is_lost(shop: Shop) -> None:
    """The dashboard's and a user's: one of the old and the new one is right at every moment, and
    the gateway and the replicas are the same."""
    stack = shop.stack
    before = {name: stack.inspect(name)["State"]["StartedAt"] for name in stack.ids()}
    there, old = {"Host": DASHBOARD}, {user: shop.password(user) for user in ("alice", "admin")}
    seen: Counter[tuple[int, ...]] = Counter()
    done = threading.Event()

    def come() -> None:
        while not done.is_set():
            first = shop.status("/members", auth=old["alice"])
            seen[shop.status("/open"), first, shop.status("/members", auth=old["alice"])] += 1

    visitor = threading.Thread(target=come)
    visitor.start()
    try:
        told = [stack.ok("secret", "rotate", f"@{user}") for user in old]
    finally:
        done.set()
        visitor.join()
    assert seen.keys() <= {(200, 200, 200), (200, 200, 401), (200, 401, 401)}, seen
    assert shop.status("/members", auth=old["alice"]) == 401
    assert shop.status("/members", auth=shop.password("alice")) == 200
    assert shop.status("/api/rawdata", headers=there, auth=old["admin"]) == 401
    assert shop.status("/api/rawdata", headers=there, auth=shop.password("admin")) == 200
    for user in old:
        assert all(shop.password(user)[1] not in one.out + one.err for one in told)
    assert {name: stack.inspect(name)["State"]["StartedAt"] for name in stack.ids()} == before
    assert "nothing to do" in stack.ok("up").err


def test_files_of_ones_own(shop: Shop) -> None:
    """Mode files: the gateway is replaced by none, shows the certificate, and sends HSTS."""
    stack = shop.stack
    for name in ("mine.pem", "mine.key"):
        shutil.copy(shop.folder / "tls" / "gateway.pem", stack.folder / name)
    text = (stack.folder / stack.file).read_text()
    files = "mode: files\n    cert: mine.pem\n    key: mine.key"
    stack.write_text(text.replace("mode: self-signed", files))
    (stack.folder / "mine.key").write_text("nothing")
    refused = stack.msctl("up")
    assert (refused.status, refused.out) == (2, "")
    assert "gateway.tls.key: mine.key holds no private key in PEM form" in refused.err
    shutil.copy(shop.folder / "tls" / "gateway.pem", stack.folder / "mine.key")
    stack.ok("up")
    assert shop.ask("/open").headers["Strict-Transport-Security"] == "max-age=31536000"
