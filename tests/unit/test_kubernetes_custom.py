"""What is made for cert-manager and KEDA, held against their own schemas.

Their models are generated from the custom resource definitions; a key that they do not know is not
in what they give back.
"""

from __future__ import annotations

from typing import Any

import pytest
from memory.stacks import stack_of

from msctl.model import Stack
from msctl.render import kubernetes

Data = dict[str, Any]
ROUTED = {"port": 80, "routes": [{"host": "shop.example.org"}]}


def check(stack: Stack) -> dict[str, list[Data]]:
    """The objects of other groups by kind, each as its schema has it."""
    from cloudcoil.models.cert_manager.v1 import Certificate, Issuer
    from cloudcoil.models.keda.v1alpha1 import ScaledObject

    models = {"Certificate": Certificate, "Issuer": Issuer, "ScaledObject": ScaledObject}
    assert list(kubernetes.problems(stack)) == []
    found: dict[str, list[Data]] = {}
    for item in kubernetes.objects(stack):
        if (model := models.get(item["kind"])) is None:
            continue
        read = model.model_validate(item)
        assert read.model_dump(by_alias=True, exclude_unset=True, mode="json") == item
        found.setdefault(item["kind"], []).append(item)
    return found


def acme(kubernetes_key: Data | None = None, **more: Any) -> Stack:
    tls = {"mode": "acme", "email": "a@example.org", **more}
    return stack_of({"web": ROUTED}, gateway={"tls": tls}, kubernetes=kubernetes_key or {})


def test_an_authority_of_the_stacks_own() -> None:
    """Two Issuers and two Certificates, the gateway's for its names in the cluster too."""
    found = check(stack_of({"web": ROUTED}))
    assert (len(found["Issuer"]), len(found["Certificate"])) == (2, 2)
    names = found["Certificate"][1]["spec"]["dnsNames"]
    assert names[:2] == ["shop.example.org", "traefik-gateway"]


@pytest.mark.parametrize(
    ("staging", "server"), [(False, "https://acme-v02.api"), (True, "https://acme-staging-v02.api")]
)
def test_lets_encrypt(staging: bool, server: str) -> None:
    """An Issuer with an account, and a certificate for the public hosts alone."""
    found = check(acme(staging=staging))
    (issuer,) = found["Issuer"]
    assert issuer["spec"]["acme"]["server"].startswith(server)
    assert issuer["spec"]["acme"]["email"] == "a@example.org"
    assert issuer["spec"]["acme"]["solvers"] == [{"http01": {"ingress": {}}}]
    (certificate,) = found["Certificate"]
    assert certificate["spec"]["dnsNames"] == ["shop.example.org"]
    assert certificate["spec"]["issuerRef"]["name"] == issuer["metadata"]["name"]
    (with_class,) = check(acme({"ingress_class": "nginx"}))["Issuer"]
    ingress = with_class["spec"]["acme"]["solvers"][0]["http01"]["ingress"]
    assert ingress == {"ingressClassName": "nginx"}


def test_an_issuer_of_the_cluster() -> None:
    """It is named, and none is made."""
    for stack in (
        stack_of({"web": ROUTED}, kubernetes={"cluster_issuer": "letsencrypt"}),
        acme({"cluster_issuer": "letsencrypt"}),
    ):
        found = check(stack)
        assert "Issuer" not in found
        (certificate,) = found["Certificate"]
        assert certificate["spec"]["issuerRef"] == {
            "group": "cert-manager.io",
            "kind": "ClusterIssuer",
            "name": "letsencrypt",
        }


def test_autoscalers_of_keda() -> None:
    """CPU, requests and latency as triggers."""
    scaled = {"cpu": "70%", "rps": 5, "latency_p95": "500ms"}
    web = {**ROUTED, "autoscale": scaled, "resources": {"cpus": 1}}
    keys = {"keda": True, "prometheus": "http://metrics.example:9090"}
    (found,) = check(stack_of({"web": web}, kubernetes=keys))["ScaledObject"]
    assert [t["type"] for t in found["spec"]["triggers"]] == ["cpu", "prometheus", "prometheus"]


@pytest.mark.parametrize(
    ("stack", "path"),
    [
        (acme({"cert_manager": False}), ("kubernetes", "cert_manager")),
        (
            stack_of({"web": ROUTED}, kubernetes={"cluster_issuer": "x", "cert_manager": False}),
            ("kubernetes", "cluster_issuer"),
        ),
        (
            stack_of({"web": {"port": 80, "routes": ["/"]}}, kubernetes={"cluster_issuer": "x"}),
            ("kubernetes", "cluster_issuer"),
        ),
    ],
)
def test_a_certificate_that_nobody_can_issue_is_said(stack: Stack, path: tuple[str, ...]) -> None:
    """Where the file has it."""
    assert [where for where, _ in kubernetes.problems(stack)] == [path]
