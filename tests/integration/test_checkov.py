"""MusicShare's manifests by checkov, a linter of the field: it finds nothing but what is known."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from live import MSCTL, REPOSITORY

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

_UNSIZED = {
    "nextjs", "formulario-post", "frontend", "metadata-service",
    "postgres", "mongo", "rabbitmq", "prometheus", "grafana",
}  # fmt: skip
_SERVICES = {*_UNSIZED, "userservice", "music-service", "social-service", "notificationservice"}
_BUILT = _SERVICES - {"postgres", "mongo", "rabbitmq", "prometheus", "grafana"}
KNOWN: dict[str, tuple[set[str], str]] = {
    "CKV_K8S_10": (_UNSIZED, "the stack file reserves no CPU for them (the seed's table has four)"),
    "CKV_K8S_11": (_UNSIZED, "nor limits it"),
    "CKV_K8S_12": (_UNSIZED, "nor reserves memory"),
    "CKV_K8S_13": (_UNSIZED, "nor limits it"),
    "CKV_K8S_14": (_BUILT, "the sample's images are built here, as `latest`, and in no registry"),
    "CKV_K8S_15": (
        {*_SERVICES, "traefik-gateway"},
        "Always would ask a registry for images that were brought to the nodes by hand",
    ),
    "CKV_K8S_22": (_SERVICES, "where a service writes is its image's own business; Traefik's is"),
    "CKV_K8S_38": ({"traefik-gateway"}, "Traefik reads its routes from the API"),
    "CKV_K8S_40": (
        {"postgres", "mongo", "rabbitmq", "grafana"},
        "the user of the official image, who owns what is in it",
    ),
    "CKV_K8S_43": (
        {*_SERVICES, "traefik-gateway"},
        "an image is what the stack file names; who wants a digest writes it there",
    ),
}
"""By check: the workloads that it may find fault with, and why that is right."""


def test_checkov_finds_nothing_unknown(tmp_path: Path) -> None:
    """Each exception is one of the list above; no check that passed before fails."""
    folder = tmp_path / "k8s"
    stack = REPOSITORY / "compose" / "stack.yaml"
    subprocess.run([MSCTL, "-q", "-f", stack, "render", "kubernetes", "-o", folder], check=True)
    checkov = subprocess.run(
        [REPOSITORY / "scripts" / "ensure-checkov"], check=True, capture_output=True, text=True
    ).stdout.strip()
    words = ["--framework", "kubernetes", "--compact", "--quiet", "-o", "json", "--skip-download"]
    answer = subprocess.run([checkov, "-d", folder, *words], capture_output=True, text=True)
    report: dict[str, Any] = json.loads(answer.stdout)
    assert report["summary"]["passed"] > 1000
    assert report["summary"]["parsing_errors"] == 0
    found: dict[str, set[str]] = {}
    for fault in report["results"]["failed_checks"]:
        found.setdefault(fault["check_id"], set()).add(fault["resource"].rpartition(".")[2])
    assert found == {check: workloads for check, (workloads, _) in KNOWN.items()}
