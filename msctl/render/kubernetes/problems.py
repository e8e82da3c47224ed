"""What a stack file has and Kubernetes cannot carry, each with what to do about it.

Pure; `msctl.config` adds file and line.
"""

from __future__ import annotations

import re

from msctl.fields import shown
from msctl.model import Stack
from msctl.render.compose import secret_files
from msctl.render.kubernetes.mounts import Contents, mounts_of
from msctl.render.kubernetes.names import GATEWAY_NAME, dns_name
from msctl.render.kubernetes.problems_service import Found, of_service
from msctl.render.traefik.hosts import certificate_hosts

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")


def problems(stack: Stack, contents: Contents | None = None) -> Found:
    """Everything of the stack that Kubernetes cannot carry, by path in the stack file."""
    yield from _whole(stack)
    yield from _gateway(stack)
    for name in stack.services:
        for path, message in of_service(stack, name, contents or {}):
            yield ("services", name, *path), message


def _whole(stack: Stack) -> Found:
    if not _LABEL_VALUE.fullmatch(stack.name):
        message = (
            f"{shown(stack.name)} is no label of Kubernetes; end it with a letter or digit, and "
            "write 63 characters at the most"
        )
        yield ("name",), message
    seen: dict[tuple[str, str], str] = {}
    volumes = [
        mounted.mount.source
        for service in stack.services.values()
        for mounted in mounts_of(service)
        if mounted.mount.kind == "volume" and mounted.mount.source
    ]
    names = [("volume", name) for name in volumes] + [
        ("secret", name) for name in secret_files(stack)
    ]
    names += [("network", name) for name in stack.networks]
    for what, name in names:
        plain = dns_name(name.lower() if what == "volume" else name)
        first = seen.setdefault((what, plain), name)
        if first != name:
            yield ("services",), f"{what}s {first} and {name} would both be {plain}; rename one"
        elif not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", plain) or (
            what == "network" and not _LABEL_VALUE.fullmatch(name)
        ):
            yield ("services",), f"{what} {name} is no name for Kubernetes; rename it"
        elif what == "volume" and (plain != dns_name(name) or "." in plain or len(plain) > 63):
            message = f"volume {name}: write lower-case letters, digits and -, 63 at the most"
            yield ("services",), message
    if stack.kubernetes.keda and stack.kubernetes.prometheus is None:
        needed = any(
            s.autoscale and (s.autoscale.rps or s.autoscale.latency_p95)
            for s in stack.services.values()
        )
        if needed and "prometheus" not in stack.services:
            yield (
                ("kubernetes", "keda"),
                "KEDA needs numbers; add a service prometheus, or kubernetes.prometheus, the "
                "URL of one",
            )


def _gateway(stack: Stack) -> Found:
    gateway = stack.gateway
    if not stack.routed:
        return
    if gateway.args:
        yield (
            ("gateway", "args"),
            "more flags for Traefik are not rendered for Kubernetes; remove args, or keep "
            "another stack file without",
        )
    if gateway.dashboard_host is not None:
        yield (
            ("gateway", "dashboard_host"),
            "not rendered for Kubernetes; remove it, and reach the dashboard by `kubectl "
            f"port-forward service/{GATEWAY_NAME} 8080`",
        )
    if gateway.tls.mode == "files":
        yield (
            ("gateway", "tls", "mode"),
            "files is not rendered for Kubernetes; write self-signed or acme, or name a "
            "ClusterIssuer in kubernetes.cluster_issuer",
        )
    if gateway.tls.mode == "acme" and gateway.tls_on:
        yield from _acme(stack)
    issuer = stack.kubernetes.cluster_issuer
    if issuer is not None and not stack.kubernetes.cert_manager:
        yield ("kubernetes", "cluster_issuer"), "cert-manager asks it; remove cert_manager: false"
    elif issuer is not None and gateway.tls_on and not certificate_hosts(stack):
        yield (
            ("kubernetes", "cluster_issuer"),
            "a certificate needs hosts: no route has a host, and gateway.tls.hosts is empty",
        )
    if gateway.http is None and not gateway.tls_on:
        yield (
            ("gateway", "http"),
            "neither HTTP nor HTTPS is on; the gateway would have no entry point",
        )


def _acme(stack: Stack) -> Found:
    if stack.gateway.tls.challenge == "tls":
        yield (
            ("gateway", "tls", "challenge"),
            "cert-manager knows no challenge by port 443; write http",
        )
    if not stack.kubernetes.cert_manager:
        yield (
            ("kubernetes", "cert_manager"),
            "on Kubernetes cert-manager asks Let's Encrypt; remove it, or write self-signed into "
            "gateway.tls.mode",
        )
