"""Random services, in batches, against Docker Compose 5.6.1."""

from __future__ import annotations

from typing import Any

import pytest
from composing.document import our_hashes, real_hashes
from composing.drawn import ALONE, KEYS, SERVICES
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from msctl.render.canonical.composetypes import SERVICE


def test_the_strategies_hold_every_key() -> None:
    """A key that joins the tables has to join the random services."""
    assert KEYS.keys() | ALONE.keys() == set(SERVICE.fields or {})


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # to shrink a batch would take minutes; the failure names services
    suppress_health_check=list(HealthCheck),
)
@given(services=st.lists(SERVICES, min_size=8, max_size=24))
def test_random_services_have_the_hash_of_docker_compose(
    tmp_path_factory: pytest.TempPathFactory, services: list[dict[str, Any]]
) -> None:
    """Whatever a file holds, the hash is the one that Docker Compose prints."""
    named = {f"s{number}": drawn for number, drawn in enumerate(services)}
    ours, real = our_hashes(named), real_hashes(named, tmp_path_factory.mktemp("random"))
    assert [drawn for name, drawn in named.items() if ours[name] != real[name]] == []
