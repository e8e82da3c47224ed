"""The gateway's certificate, by cert-manager.

It comes from an authority of the stack's own, from Let's Encrypt (`tls.mode: acme`), or from a
ClusterIssuer that the cluster has (`kubernetes.cluster_issuer`).

https://cert-manager.io/docs/configuration/selfsigned/#bootstrapping-ca-issuers
https://cert-manager.io/docs/configuration/acme/
"""

from __future__ import annotations

from collections.abc import Iterator

from msctl.model import GATEWAY, Stack
from msctl.render.kubernetes.names import GATEWAY_NAME, Data, Maker
from msctl.render.kubernetes.routes import SECRET, issued
from msctl.render.traefik import STAGING
from msctl.render.traefik.hosts import certificate_hosts

GROUP = "cert-manager.io"
AUTHORITY = "traefik-gateway-authority"
ROOT = "traefik-gateway-root"
ACME = "traefik-gateway-acme"
ACCOUNT = "traefik-gateway-acme-account"
"""The Secret that cert-manager keeps the account's key in."""
PRODUCTION = "https://acme-v02.api.letsencrypt.org/directory"
KEY = {"algorithm": "ECDSA", "size": 256}


def certificates(make: Maker) -> Iterator[Data]:
    """Issuer and certificate, which the routes name; nothing where TLS is off."""
    stack = make.stack
    if not (stack.routed and issued(stack)):
        return
    hosts, issuer = list(certificate_hosts(stack)), _issuer(AUTHORITY)
    terms: Data = {"duration": "2160h", "renewBefore": "720h"}
    if (given := stack.kubernetes.cluster_issuer) is not None:
        issuer, terms = _issuer(given, "ClusterIssuer"), {}
    elif stack.gateway.tls.mode == "acme":
        yield _object(make, "Issuer", ACME, {"acme": _acme(stack)})
        issuer, terms = _issuer(ACME), {}
    else:
        yield from _authority(make)
        hosts = list(dict.fromkeys([*hosts, *_in_cluster(make)]))
    certificate = {
        "secretName": SECRET,
        "dnsNames": hosts,
        **terms,
        "privateKey": {**KEY, "rotationPolicy": "Always"},
        "issuerRef": issuer,
    }
    yield _object(make, "Certificate", GATEWAY_NAME, certificate)


def _authority(make: Maker) -> Iterator[Data]:
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


def _acme(stack: Stack) -> Data:
    """Who asks for a host at port 80 has to reach the Ingress that cert-manager makes for it: of
    the class that is named, else of the cluster's default one."""
    said = stack.kubernetes.ingress_class
    ingress = {} if said is None else {"ingressClassName": said}
    return {
        "server": STAGING if stack.gateway.tls.staging else PRODUCTION,
        "email": stack.gateway.tls.email,
        "privateKeySecretRef": {"name": ACCOUNT},
        "solvers": [{"http01": {"ingress": ingress}}],
    }


def _object(make: Maker, kind: str, name: str, spec: Data) -> Data:
    return make.object(f"{GROUP}/v1 {kind}", name, GATEWAY, "certificate", spec=spec)


def _issuer(name: str, kind: str = "Issuer") -> Data:
    return {"group": GROUP, "kind": kind, "name": name}


def _in_cluster(make: Maker) -> list[str]:
    name = f"{GATEWAY_NAME}.{make.namespace}"
    return [GATEWAY_NAME, name, f"{name}.svc", f"{name}.svc.cluster.local"]
