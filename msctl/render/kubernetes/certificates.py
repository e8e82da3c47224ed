"""The gateway's certificate, out of an authority of the stack's own, by cert-manager.

https://cert-manager.io/docs/configuration/selfsigned/#bootstrapping-ca-issuers
"""

from __future__ import annotations

from collections.abc import Iterator

from msctl.model import GATEWAY
from msctl.render.hosts import certificate_hosts
from msctl.render.kubernetes.names import GATEWAY_NAME, Data, Maker
from msctl.render.kubernetes.routes import API
from msctl.render.settings import MIN_VERSION

GROUP = "cert-manager.io"
SECRET = "traefik-gateway-tls"
AUTHORITY = "traefik-gateway-authority"
ROOT = "traefik-gateway-root"
KEY = {"algorithm": "ECDSA", "size": 256}


def certificates(make: Maker) -> Iterator[Data]:
    """Authority, certificate, and Traefik's order to show it; nothing where TLS is off."""
    if not (make.stack.routed and make.stack.gateway.tls_on and make.stack.kubernetes.cert_manager):
        return
    yield _object(make, "Issuer", ROOT, {"selfSigned": {}})
    authority = {
        "isCA": True,
        "commonName": f"{make.stack.name} authority"[:64],
        "secretName": AUTHORITY,
        "duration": "87600h",
        "privateKey": KEY,
        "issuerRef": _issuer(ROOT),
    }
    yield _object(make, "Certificate", AUTHORITY, authority)
    yield _object(make, "Issuer", AUTHORITY, {"ca": {"secretName": AUTHORITY}})
    certificate = {
        "secretName": SECRET,
        "dnsNames": list(dict.fromkeys([*certificate_hosts(make.stack), *_in_cluster(make)])),
        "duration": "2160h",
        "renewBefore": "720h",
        "privateKey": {**KEY, "rotationPolicy": "Always"},
        "issuerRef": _issuer(AUTHORITY),
    }
    yield _object(make, "Certificate", GATEWAY_NAME, certificate)
    store = {"defaultCertificate": {"secretName": SECRET}}
    yield make.object(f"{API} TLSStore", "default", GATEWAY, "certificate", spec=store)


def tls_options(make: Maker) -> Iterator[Data]:
    if make.stack.gateway.tls_on:
        spec = {"minVersion": MIN_VERSION}
        yield make.object(f"{API} TLSOption", "default", GATEWAY, "route", spec=spec)


def _object(make: Maker, kind: str, name: str, spec: Data) -> Data:
    return make.object(f"{GROUP}/v1 {kind}", name, GATEWAY, "certificate", spec=spec)


def _issuer(name: str) -> Data:
    return {"group": GROUP, "kind": "Issuer", "name": name}


def _in_cluster(make: Maker) -> list[str]:
    name = f"{GATEWAY_NAME}.{make.namespace}"
    return [GATEWAY_NAME, name, f"{name}.svc", f"{name}.svc.cluster.local"]
