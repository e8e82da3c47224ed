"""Traefik, and the certificates of its entry points."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic.json_schema import WithJsonSchema

from msctl.fields import (
    Image,
    Publish,
    Text,
    one_or_many,
    shown,
    wrong,
)
from msctl.model.build import BuildField
from msctl.model.record import Record, ToCome

GATEWAY = "traefik"
RESERVED_NAMES = (GATEWAY, "socket-proxy", "autoscaler")


class Tls(Record):
    """Certificates of the gateway's HTTPS entry point."""

    mode: Annotated[
        Literal["off", "self-signed"],
        BeforeValidator(lambda value: _tls_mode(value)),
        WithJsonSchema({"enum": ["off", False, "self-signed"]}),
    ] = "self-signed"
    """off, or self-signed; files and acme are to come."""
    cert: ToCome = None
    key: ToCome = None
    email: ToCome = None
    hosts: ToCome = None
    challenge: ToCome = None
    staging: ToCome = None


def _tls_mode(value: object) -> object:
    if value is False:
        return "off"
    if value in ("files", "acme"):
        wrong(f"mode {value} is not implemented in this version of msctl; use self-signed or off")
    if value not in ("off", "self-signed"):
        wrong(f"{shown(value)} is not a TLS mode (off or self-signed)")
    return value


class Gateway(Record):
    """Traefik, in front of every service that has routes."""

    image: Image = "traefik:v3.7"
    """Traefik's image."""
    build: BuildField | None = None
    """How to build the image where it cannot be pulled."""
    http: Publish = "80"
    """Published HTTP port, `[HOST:]PORT` or off."""
    https: Publish = "443"
    """Published HTTPS port, `[HOST:]PORT` or off."""
    dashboard: Publish = "127.0.0.1:8080"
    """Where API and dashboard are published, `[HOST:]PORT` or off."""
    api: Text | None = None
    """URL by which msctl asks the gateway's API; default: the dashboard's address."""
    tls: Tls = Tls()
    """Certificates."""
    dashboard_host: ToCome = None
    args: Annotated[tuple[Text, ...], BeforeValidator(one_or_many)] = ()
    """More static flags for Traefik."""

    @property
    def tls_on(self) -> bool:
        """Whether routes are served by HTTPS."""
        return self.tls.mode != "off" and self.https is not None
