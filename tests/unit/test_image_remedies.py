"""What a user is told where an image cannot be pulled."""

from __future__ import annotations

import pytest

from msctl.engines.compose.deeds.images import remedy


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("dial tcp: lookup registry-1.docker.io on 10.0.0.1:53: no such host", "reaches no"),
        ("the registry did not answer within 15s", "reaches no"),
        ("pull access denied for shop/web, repository does not exist", "docker login"),
        ("manifest for web:9 not found: manifest unknown", "correct the image"),
    ],
)
def test_what_to_do_where_an_image_cannot_be_pulled(why: str, told: str) -> None:
    """Depends on whether a registry was reached; `docker load` works always."""
    assert told in remedy(why)
    assert "docker load" in remedy(why)
