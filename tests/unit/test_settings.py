"""The gateway's own file: what is in it, and that its name tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from msctl.model import Stack
from msctl.render.traefik.settings import Pair, Settings, digest_of_file, settings, users

PAIR = Pair("CERTIFICATE", "KEY")
HASHES = {"admin": "$2b$06$admin", "alice": "$2b$06$alice", "bob": "$2b$06$bob"}
FILES = {"mode": "files", "cert": "c.pem", "key": "k.pem"}


def stack(gateway: dict[str, Any] | None = None, **service: Any) -> Stack:
    web = {"image": "i", "port": 80, "routes": ["/"], **service}
    return Stack.read({"name": "shop", "gateway": gateway or {}, "services": {"web": web}})


def made(
    gateway: dict[str, Any] | None = None, pair: Pair | None = PAIR, **service: Any
) -> Settings:
    found = settings(stack(gateway, **service), pair, HASHES)
    assert found is not None
    return found


def content(found: Settings) -> dict[str, Any]:
    text: dict[str, Any] = json.loads(found.files[f"gateway-{found.digest}.yml"])
    return text


@pytest.mark.parametrize("gateway", [{"tls": {"mode": "off"}}, {"https": "off"}])
def test_there_is_nothing_to_say_without_tls_and_users(gateway: dict[str, Any]) -> None:
    """No file, and nobody who needs a password."""
    whole = stack(gateway)
    assert (settings(whole, None, {}), users(whole)) == (None, ())


def test_the_certificate_is_everybodys_and_old_tls_is_nobodys() -> None:
    """It is the default for every host; TLS 1.2 at least."""
    assert content(made())["tls"] == {
        "options": {"default": {"minVersion": "VersionTLS12"}},
        "stores": {
            "default": {"defaultCertificate": {"certFile": "CERTIFICATE", "keyFile": "KEY"}}
        },
    }


def test_lets_encrypt_is_asked_for_one_certificate_for_all_hosts() -> None:
    """Those of the file, else those of routes and dashboard."""
    gateway = {
        "tls": {"mode": "acme", "email": "me@example.org"},
        "dashboard_host": "d.example.org",
    }
    route = {"path": "/", "host": "www.example.org"}
    store = content(made(gateway, None, routes=[route]))["tls"]["stores"]["default"]
    domain = {"main": "www.example.org", "sans": ["d.example.org"]}
    assert store == {"defaultGeneratedCert": {"resolver": "acme", "domain": domain}}
    gateway["tls"] = {**gateway["tls"], "hosts": ["one.example.org"]}  # type: ignore[dict-item]
    store = content(made(gateway, None, routes=[route]))["tls"]["stores"]["default"]
    assert store["defaultGeneratedCert"]["domain"] == {"main": "one.example.org"}


def test_a_name_is_its_contents() -> None:
    """Equal ones are equal; another certificate or hash gives another name, also where only a file
    beside it differs."""
    whole = stack(basic_auth=["alice", "bob"])
    first = settings(whole, PAIR, HASHES)
    assert first == settings(whole, PAIR, dict(reversed(HASHES.items())))
    digests = {
        found.digest
        for found in (
            first,
            settings(whole, Pair("OTHER", "KEY"), HASHES),
            settings(whole, PAIR, {**HASHES, "bob": "$2b$06$new"}),
            settings(stack(basic_auth=["alice"]), PAIR, HASHES),
        )
        if found is not None
    }
    assert len(digests) == 4
    assert first is not None
    assert digest_of_file(list(first.files)[-1]) == first.digest
    assert content(first)["http"]["services"] == {
        f"gateway-{first.digest}": {"loadBalancer": {"servers": []}}
    }


def test_hashes_are_in_files_of_their_own() -> None:
    """The gateway's API shows the text of a middleware, but not the file that it names."""
    found = made({"dashboard_host": "d.example.org"}, basic_auth=["bob", "alice"])
    *logins, own = found.files.values()
    assert "$2b$" not in own
    assert sorted(logins) == ["admin:$2b$06$admin\n", "alice:$2b$06$alice\nbob:$2b$06$bob\n"]
    middlewares = content(found)["http"]["middlewares"]
    for name in ("dashboard-auth", "web-basicauth"):
        path = middlewares[name]["basicauth"]["usersfile"]
        assert path.removeprefix("/etc/traefik/dynamic/") in found.files
    assert users(stack({"dashboard_host": "d"}, basic_auth="bob")) == ("admin", "bob")


def test_the_dashboards_router_wins_at_its_host_and_asks_for_a_password() -> None:
    """More than any route's priority; by HTTPS."""
    found = content(made({"dashboard_host": "d.example.org"}))["http"]
    router = found["routers"]["dashboard"]
    assert router["rule"] == "Host(`d.example.org`)"
    assert (router["entryPoints"], router["tls"]) == (["websecure"], {})
    assert router["priority"] > 1_000_000
    assert "dashboard-auth" in router["middlewares"]
    assert set(router["middlewares"]) == found["middlewares"].keys()


def test_files_of_the_user_are_shown_as_they_are() -> None:
    """Mode files differs from self-signed in whose certificate it is, and in HSTS."""
    files = content(made({"tls": FILES, "dashboard_host": "d"}))
    assert files["tls"] == content(made())["tls"]
    assert files["http"]["middlewares"]["dashboard-headers"]["headers"]["stsseconds"] == "31536000"
