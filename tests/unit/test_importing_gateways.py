"""`msctl.importing`: what somebody's Traefik does for all its routers, and what guards them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from taking import taken, told

FLAGS = (
    "--providers.docker=true", "--entrypoints.web.address=:80",
    "--entrypoints.websecure.address=:443", "--entrypoints.inside.address=:9000",
)  # fmt: skip


def shop(*labels: str, flags: tuple[str, ...] = (), **service: Any) -> str:
    """A Traefik and a service behind it."""
    rule = ("traefik.http.routers.web.rule=Host(`a.org`)",)
    port = ("traefik.http.services.web.loadbalancer.server.port=80",)
    traefik = {"image": "traefik:v3.7", "command": [*FLAGS, *flags], "ports": ["80:80", "443:443"]}
    web = {"image": "web", "labels": [*rule, *port, *labels], **service}
    return yaml.safe_dump({"services": {"traefik": traefik, "web": web}})


@pytest.mark.parametrize(
    ("labels", "flags", "why"),
    [
        (("traefik.http.routers.web.entrypoints=inside",), (), "entry point inside (port 9000)"),
        ((), ("--entrypoints.websecure.http.middlewares=login@file",), "login@file may keep"),
        (
            ("traefik.http.routers.web.tls.options=mtls@file",),
            (),
            "tls.options=mtls@file may keep",
        ),
        ((), ("--providers.docker.exposedbydefault=false",), "without traefik.enable=true"),
        (("traefik.enable=false",), (), "without traefik.enable=true"),
    ],
)
def test_what_the_file_does_not_open_to_all_stays_shut(
    labels: tuple[str, ...], flags: tuple[str, ...], why: str
) -> None:
    """An entry point of another port, middlewares of an entry point, certificates of clients, and
    a container that Traefik is not to take: no route comes of them, and that is told."""
    found = taken(shop(*labels, flags=flags))
    assert "routes" not in found.data["services"]["web"]
    assert why in told(found)


def test_middlewares_of_an_entry_point_are_those_of_its_routers() -> None:
    """They come before the router's own."""
    guard = "traefik.http.middlewares.lan.ipallowlist.sourcerange=10.0.0.0/8"
    found = taken(shop(guard, flags=("--entrypoints.web.http.middlewares=lan@docker",)))
    assert found.data["services"]["web"]["ip_allow"] == ["10.0.0.0/8"]


def test_a_router_of_several_entry_points_keeps_those_of_the_gateway() -> None:
    """And the other is told."""
    found = taken(shop("traefik.http.routers.web.entrypoints=web,inside"))
    assert found.data["services"]["web"]["routes"] == [{"path": "/", "host": "a.org"}]
    assert "entry point inside (port 9000) is none of the stack's gateway" in told(found)


def test_a_gateway_in_the_hosts_network_publishes_what_it_listens_on() -> None:
    """Its entry points are the host's ports; that somebody starts after it says nothing."""
    text = shop(depends_on=["traefik"])
    flags = "ports:\n    - 80:80\n    - 443:443\n"
    found = taken(text.replace(flags, "network_mode: host\n"))
    assert "gateway" not in found.data or "http" not in found.data["gateway"]
    assert "left out" not in told(found)
    assert "needs" not in found.data["services"]["web"]


def test_a_redirect_to_another_name_is_told() -> None:
    """One to HTTPS is the gateway's own."""
    found = taken(
        shop(
            "traefik.http.routers.web.tls=true",
            "traefik.http.routers.web.middlewares=www,secure",
            "traefik.http.middlewares.www.redirectregex.regex=^https://www.a.org/(.*)",
            "traefik.http.middlewares.www.redirectregex.replacement=https://a.org/$${1}",
            "traefik.http.middlewares.secure.redirectscheme.scheme=https",
        )
    )
    assert "redirectregex has no place in the stack file" in told(found)
    assert "redirectscheme" not in told(found)
    assert found.data["services"]["web"]["routes"]


def test_no_flag_is_dropped_in_silence() -> None:
    """What is said of an entry point goes with it, whatever its name; the rest is told."""
    found = taken(
        shop(
            flags=(
                "--entryPoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/8",
                "--providers.docker.defaultRule=Host(`{{ .Name }}.a.org`)",
                "--providers.file.filename=/etc/dynamic.yml",
                "--experimental.plugins.x.modulename=github.com/x/y",
                "--metrics.influxdb2=true",
                "--log.level=DEBUG",
            )
        )
    )
    assert found.data["gateway"]["args"] == [
        "--entrypoints.websecure.forwardedHeaders.trustedIPs=10.0.0.0/8",
        "--experimental.plugins.x.modulename=github.com/x/y",
        "--log.level=DEBUG",
    ]
    for flag in ("defaultRule", "providers.file.filename", "metrics.influxdb2"):
        assert f"{flag}=" in told(found)
    assert "log.level" not in told(found)


def test_what_several_routers_lack_is_told_once() -> None:
    """It is one line of the file."""
    found = taken(
        shop(
            "traefik.http.routers.web.middlewares=gzip",
            "traefik.http.routers.api.rule=PathPrefix(`/api`)",
            "traefik.http.routers.api.middlewares=gzip",
            "traefik.http.middlewares.gzip.compress=true",
        )
    )
    assert told(found).count("compress has no place") == 1


def test_middlewares_that_nobody_goes_through_are_told() -> None:
    """Somebody may have meant to use them."""
    text = told(taken(shop("traefik.http.middlewares.gzip.compress=true")))
    assert "not carried: no router has the middleware gzip" in text


def test_a_stack_file_is_laid_out_as_people_write_it() -> None:
    """Short lists and mappings on one line, routing beside the routes, nothing that is usual."""
    limits = {"resources": {"limits": {"cpus": "0.50", "memory": "64M"}}}
    files = ["a.env", {"path": "b.env", "required": False}]
    found = taken(
        shop(
            "traefik.http.routers.web.middlewares=lan",
            "traefik.http.middlewares.lan.ipallowlist.sourcerange=10.0.0.0/8",
            deploy=limits, env_file=files, environment={"A": None}, container_name="web",
            depends_on={"db": {"condition": "service_started", "required": False}},
        )
        + "  db: {image: db}\nvolumes: {old: {external: true}}\n"
    )  # fmt: skip
    text = found.text("base.yml", "prod.yml")
    assert text.startswith("# Imported by msctl from base.yml and prod.yml.")
    assert (
        """\
  web:
    image: web
    port: 80
    routes: [{path: /, host: a.org}]
    headers: 'off'
    ip_allow: [10.0.0.0/8]
    resources: {cpus: 0.5, memory: 64M}
    needs: [db]
    env_file: [a.env, {path: b.env, required: false}]
    env:
      A:
    cap_drop: []
    security_opt: []
"""
        in text
    )
    assert "`cap_drop: []` and `security_opt: []` leave a container what it may" in text
    assert "x-compose" not in found.data
    assert "containers are called shop-SERVICE-N; others reach this one by its name still" in told(
        found
    )
    assert "depends_on.db.required: not carried: db has to start" in told(found)
