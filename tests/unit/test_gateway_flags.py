"""What the gateway itself is told: its static flags."""

from __future__ import annotations

from typing import Any

import pytest
from routed import flags, stack

from msctl.render.compose import document
from msctl.render.traefik import BUCKETS, gateway_flags


def test_the_redirect_goes_to_the_published_port() -> None:
    """The port in the container is of no use to a client."""
    found = flags(https="0.0.0.0:8443")
    assert "--entrypoints.web.http.redirections.entrypoint.to=:8443" in found
    assert "--entrypoints.web.http.redirections.entrypoint.scheme=https" in found
    assert "--entrypoints.web.http.redirections.entrypoint.permanent=true" in found
    assert "--entrypoints.websecure.address=:443" in found


def test_no_redirect_without_a_published_http_port() -> None:
    """Where HTTP is off, nobody can be sent on."""
    assert not [flag for flag in flags(http="off") if "redirections" in flag]


def test_the_api_is_on_only_where_msctl_can_reach_it() -> None:
    """The dashboard off means no API either, unless the file says by which URL msctl asks it."""
    on = {"--api.dashboard=true", "--api.insecure=true"}
    assert on <= set(flags())
    assert not on & set(flags(dashboard="off"))
    assert on <= set(flags(dashboard="off", api="http://traefik:8080"))


def test_a_host_of_the_dashboard_opens_no_port_without_a_password() -> None:
    """The API is there for the router that asks for a password, and for nobody else."""
    found = flags(dashboard="off", dashboard_host="d.example.org")
    assert "--api.dashboard=true" in found
    assert "--api.insecure=true" not in found


ACME = {"mode": "acme", "email": "me@example.org", "hosts": "www.example.org"}


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (
            {},
            ["storage=/etc/traefik/acme/production.json", "httpchallenge.entrypoint=web"],
        ),
        (
            {"challenge": "tls", "staging": True},
            [
                "storage=/etc/traefik/acme/staging.json",
                "tlschallenge=true",
                "caserver=https://acme-staging-v02.api.letsencrypt.org/directory",
            ],
        ),
    ],
)
def test_lets_encrypt_is_asked_as_the_file_says(more: dict[str, Any], wanted: list[str]) -> None:
    """Account and certificates of trials are kept apart, in a volume."""
    prefix = "--certificatesresolvers.acme.acme."
    found = [flag for flag in flags(tls={**ACME, **more}) if flag.startswith(prefix)]
    assert found == [f"{prefix}{flag}" for flag in ["email=me@example.org", *wanted]]
    whole = stack(gateway={"tls": {**ACME, **more}}, web={"image": "i", "port": 80, "routes": "/"})
    assert "gateway-acme:/etc/traefik/acme" in document(whole)["services"]["traefik"]["volumes"]
    assert not [flag for flag in flags() if "certificatesresolvers" in flag]
    web = {"image": "i", "port": 80, "routes": "/"}
    unserved = stack(gateway={"tls": {**ACME, **more}, "https": "off"}, web=web)
    assert "acme" not in str(document(unserved))


def test_the_gateway_reads_its_own_project_alone() -> None:
    """A second stack with equal names on the same engine is not seen."""
    assert "--providers.docker.constraints=Label(`com.docker.compose.project`,`shop`)" in flags()
    assert "--providers.docker.exposedbydefault=false" in flags()


@pytest.mark.parametrize(
    "flag",
    [
        "--providers.file.directory=/etc/traefik/dynamic",
        "--providers.file.watch=true",
        "--providers.precedence=file,docker",
        "--providers.providersthrottleduration=200ms",
        "--serverstransport.forwardingtimeouts.dialtimeout=500ms",
        "--entrypoints.traefik.address=:8080",
        "--entrypoints.probe.address=:8081",
        "--ping=true",
        "--accesslog=true",
        "--accesslog.format=json",
        "--accesslog.fields.headers.names.X-Request-Id=keep",
        "--metrics.prometheus=true",
        "--metrics.prometheus.addentrypointslabels=true",
        "--metrics.prometheus.addrouterslabels=true",
        "--metrics.prometheus.addserviceslabels=true",
    ],
)
@pytest.mark.parametrize("gateway", [{}, {"dashboard": "off"}, {"tls": {"mode": "off"}}])
def test_what_draining_and_metrics_need_is_always_there(flag: str, gateway: dict[str, Any]) -> None:
    """Adding it later would replace the gateway, and lose requests."""
    assert flag in flags(**gateway)


def test_the_histogram_has_the_buckets_of_the_guide() -> None:
    """Queries that name one of its buckets keep their meaning."""
    assert {0.1, 0.3, 1.2, 5.0} <= set(BUCKETS)
    assert list(BUCKETS) == sorted(set(BUCKETS))


def test_the_users_flags_come_last() -> None:
    """For Traefik the last one of equal flags counts."""
    assert flags(args=["--log.level=DEBUG"])[-1] == "--log.level=DEBUG"


def test_a_gateway_that_ends_does_not_wait_long_for_who_is_inside() -> None:
    """It refuses what comes meanwhile, and a WebSocket may stay for ever."""
    flags = gateway_flags(stack())
    for name in ("web", "websecure"):
        assert f"--entrypoints.{name}.transport.lifecycle.gracetimeout=3s" in flags
