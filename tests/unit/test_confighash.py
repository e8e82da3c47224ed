"""The config hash against the one that Docker Compose 5.6.1 prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from msctl.render.canonical.confighash import config_hash, config_json, float32_text

DEMO: dict[str, Any] = {
    "image": "demoapp",
    "environment": {"PORT": "8002", "DELAY": "0"},
    "deploy": {"resources": {"limits": {"memory": "536870912", "cpus": 0.5}}},
    "networks": {"n": None},
}


def test_the_json_is_what_go_writes() -> None:
    """Keys stand in Go's order, command and entrypoint are always there, as is placement."""
    assert config_json(DEMO) == (
        '{"command":null,"deploy":{"resources":{"limits":{"cpus":0.5,"memory":"536870912"}},'
        '"placement":{}},"entrypoint":null,"environment":{"DELAY":"0","PORT":"8002"},'
        '"image":"demoapp","networks":{"n":null}}'
    )


@pytest.mark.parametrize(
    ("service", "wanted"),
    [
        (DEMO, "4d2e9281019db3026c839e5f2a80ed929c5e43fbe9b4be3f9d08acb471845216"),
        (
            {"image": "i", "networks": {"default": None}},
            "b5503d15e9dfd8640ebae91969f22360eac34b863c420e1f1dfaa304737b96ce",
        ),
        (
            {"image": "i", "networks": {"n": {}}, "command": [], "entrypoint": ["a"]},
            "4ab1742ac6d0d28a31aeaa5fecf954bc9bdb356cd826b50f7d68622e3185f36e",
        ),
        (
            {
                "image": "i",
                "networks": {"default": None},
                "labels": {"a": "<b> & c\u2028d\u2029", "é": '"\\\n\t\x01'},
            },
            "0edc851e489dbdcb137073115ed60b2581ad02fbcc67bcaf7e3588a89eb87801",
        ),
        (
            {
                "image": "i",
                "networks": {"default": None},
                "cpus": 1.1,
                "init": False,
                "attach": False,
                "ulimits": {"core": 0, "nofile": 1024, "nproc": {"soft": 1, "hard": 2}},
                "memswap_limit": "-1",
                "stop_grace_period": "0s",
            },
            "26ed4303eada086cfba9d4b8033aca93621e9b9623e8e61e730dc29b262dfa90",
        ),
    ],
)
def test_the_hash_equals_that_of_docker_compose(service: dict[str, Any], wanted: str) -> None:
    """A canonical service has the hash that Docker Compose gives it."""
    assert config_hash(service) == wanted


def test_the_hash_survives_json() -> None:
    """A service that was stored as JSON keeps its hash."""
    assert config_hash(json.loads(json.dumps(DEMO))) == config_hash(DEMO)


@pytest.mark.parametrize(
    "change",
    [
        {"build": {"context": "/src"}},
        {"pull_policy": "always"},
        {"scale": 3},
        {"deploy": {**DEMO["deploy"], "replicas": 3}},
        {"depends_on": {"db": {"condition": "service_started", "required": True}}},
        {"profiles": ["debug"]},
        {"privileged": False, "cap_add": [], "hostname": ""},
        {"x-note": {"any": "thing"}},
    ],
)
def test_what_compose_leaves_out_does_not_count(change: dict[str, Any]) -> None:
    """Scale, build, dependencies, profiles, extensions and zero values are no part of the hash."""
    assert config_hash({**DEMO, **change}) == config_hash(DEMO)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"develop": {"watch": []}}, "service.develop"),
        ({"deploy": {"color": "red"}}, "service.deploy.color"),
        ({"volumes": [{"type": "bind", "subdir": "x"}]}, "service.volumes[0].subdir"),
        ({"networks": {"n": {"weight": 1}}}, "service.networks.n.weight"),
        ({"hostname": 1.5}, "service.hostname"),
    ],
)
def test_an_unknown_key_is_named(change: dict[str, Any], path: str) -> None:
    """A key that cannot be hashed exactly is refused with its path, never left out."""
    with pytest.raises(ValueError, match=path.replace("[", r"\[")):
        config_hash({**DEMO, **change})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (2.0, "2"),
        (0.1, "0.1"),
        (1 / 3, "0.33333334"),
        (16777217, "16777216"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (-0.25, "-0.25"),
    ],
)
def test_numbers_are_written_as_32_bit_floats(value: float, text: str) -> None:
    """The fewest digits that give the same float32, with an exponent where Go has one."""
    assert float32_text(value) == text


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e39])
def test_numbers_out_of_range_are_refused(value: float) -> None:
    """What no float32 holds has no hash."""
    with pytest.raises(ValueError, match="number"):
        float32_text(value)
