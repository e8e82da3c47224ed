"""What is said about pods that do not start."""

from __future__ import annotations

import pytest

from msctl.engines.kubernetes.watching.advice import advice


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("web-1: ImagePullBackOff: not found", "services.web.kubernetes.image; kubectl get events"),
        ("web-1: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.", "resources.reserve"),
        (
            "db-0: Unschedulable: pod has unbound immediate PersistentVolumeClaims.",
            "kubectl get pvc,storageclass",
        ),
        ("pods is forbidden: exceeded quota: compute", "kubectl describe resourcequota"),
        (
            'pods is forbidden: violates PodSecurity "restricted:latest"',
            "kubernetes: {user: NUMBER}",
        ),
        ("web-1: CreateContainerConfigError: secret not found", "kubectl get events"),
        ("web-1: CrashLoopBackOff: back-off", "msctl logs web"),
    ],
)
def test_each_reason_has_its_hint(said: str, wanted: str) -> None:
    """The next thing to do is another for an image, a quota, or a node."""
    assert wanted in advice(said, service="web", kubectl="kubectl")
