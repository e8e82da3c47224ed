"""The normalised form of a Compose document, against the one that Docker Compose 5.6.1 makes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from composing.cases import CASES
from composing.document import (
    HOME,
    TOP_LEVEL,
    WORKING_DIR,
    compose,
    normal,
    our_hashes,
    real_hashes,
    service,
)

from msctl.render.canonical import canonical
from msctl.render.canonical.composetypes import SERVICE


@pytest.fixture(scope="module")
def hashes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return real_hashes(CASES, tmp_path_factory.mktemp("cases"))


@pytest.mark.parametrize("name", CASES)
def test_a_service_has_the_hash_of_docker_compose(name: str, hashes: dict[str, str]) -> None:
    """Each way to write a key gives the hash that Docker Compose gives it."""
    assert our_hashes({name: CASES[name]}) == {name: hashes[name]}


def test_the_cases_hold_every_key() -> None:
    """No key that can be hashed goes without a comparison."""
    assert {key for case in CASES.values() for key in case} >= set(SERVICE.fields or {})


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"command": "a 'b c'"}, {"command": ["a", "b c"]}),
        ({"command": None}, {"command": None}),
        ({"environment": ["A=1", "B"]}, {"environment": {"A": "1", "B": None}}),
        ({"labels": ["a=1", "b"]}, {"labels": {"a": "1", "b": ""}}),
        (
            {"ports": ["127.0.0.1:8080:80/udp"]},
            {
                "ports": [
                    {
                        "mode": "ingress",
                        "host_ip": "127.0.0.1",
                        "target": 80,
                        "published": "8080",
                        "protocol": "udp",
                    }
                ]
            },
        ),
        (
            {"volumes": ["./a:/b:ro", "vol:/c/"]},
            {
                "volumes": [
                    {
                        "type": "bind",
                        "source": "/srv/shop/a",
                        "target": "/b",
                        "read_only": True,
                        "bind": {},
                    },
                    {"type": "volume", "source": "vol", "target": "/c", "volume": {}},
                ]
            },
        ),
        ({"volumes": ["~/a:/b"]}, {"volumes": [{"source": "/home/op/a"}]}),
        ({"secrets": ["key"]}, {"secrets": [{"source": "key", "target": "/run/secrets/key"}]}),
        ({"secrets": [{"source": "key", "mode": 0o440}]}, {"secrets": [{"mode": "0440"}]}),
        ({"configs": ["conf"]}, {"configs": [{"source": "conf"}]}),
        (
            {"links": ["base:db"]},
            {
                "depends_on": {
                    "base": {"condition": "service_started", "restart": True, "required": True}
                }
            },
        ),
        ({"mem_limit": "1.5g", "cpus": "0.50"}, {"mem_limit": "1610612736", "cpus": 0.5}),
        ({"stop_grace_period": "90s"}, {"stop_grace_period": "1m30s"}),
        ({"healthcheck": {"test": "x"}}, {"healthcheck": {"test": ["CMD-SHELL", "x"]}}),
        ({"scale": 2, "deploy": {}}, {"deploy": {"replicas": 2}}),
        ({"networks": ["n"]}, {"networks": {"n": None}}),
        ({}, {"networks": {"default": None}}),
        ({"build": "src"}, {"build": {"context": "/srv/shop/src", "dockerfile": "Dockerfile"}}),
        (
            {"build": {"context": "https://example.com/r.git"}},
            {"build": {"context": "https://example.com/r.git", "dockerfile": "Dockerfile"}},
        ),
    ],
)
def test_short_syntaxes_become_long(raw: dict[str, Any], wanted: dict[str, Any]) -> None:
    """A value takes the one form that a reader of the canonical service has to know."""
    read = normal(raw)
    for key, value in wanted.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            assert [{**e, **w} for e, w in zip(read[key], value, strict=True)] == read[key]
        else:
            assert read.get(key) == value


def test_durations_print_as_go_prints_them() -> None:
    """The largest unit comes first, and what is below a second has a unit of its own."""
    for text, printed in {
        "0": "0s",
        "1d": "24h0m0s",
        "1w1h": "169h0m0s",
        "1500ms": "1.5s",
        "100us": "100µs",
        "1.5ms": "1.5ms",
        "7ns": "7ns",
        "-1m": "-1m0s",
        ".5h": "30m0s",
    }.items():
        assert normal({"stop_grace_period": text})["stop_grace_period"] == printed


def test_the_top_level_is_named_and_completed(tmp_path: Path) -> None:
    """Networks, volumes, secrets and configs are named and read as Docker Compose reads them."""
    raw: dict[str, Any] = {
        "name": "ignored",
        "services": {
            "a": service(
                networks=["default", "n", "e", "f"],
                volumes=["bound:/1", "named:/2"],
                secrets=["s", "t", "u"],
                configs=["c", "d"],
            )
        },
        "networks": {
            "n": {
                "driver": "bridge",
                "driver_opts": {"a": 1},
                "internal": "yes",
                "attachable": True,
                "enable_ipv6": False,
                "labels": ["a=b"],
                "ipam": {
                    "driver": "default",
                    "config": [
                        {
                            "subnet": "10.9.0.0/16",
                            "gateway": "10.9.0.1",
                            "ip_range": "10.9.1.0/24",
                            "aux_addresses": {"h": "10.9.0.9"},
                        }
                    ],
                    "options": {"o": "1"},
                },
            },
            "e": {"external": True},
            "f": {"external": {"name": "theirs"}},
        },
        "volumes": {
            "bound": {
                "driver": "local",
                "driver_opts": {"o": "bind", "device": "./d", "type": "none"},
            },
            "named": {"name": "own", "labels": {"a": 1}},
        },
        "secrets": {"s": {"file": "./s"}, "t": {"environment": "T"}, "u": {"external": True}},
        "configs": {"c": {"content": "x"}, "d": {"file": "~/d", "name": "own"}},
    }
    read = canonical(raw, working_dir=WORKING_DIR, project="p", home=HOME)
    shown = json.loads(compose(raw, tmp_path, "--format", "json"))
    for network in shown["networks"].values():
        assert network.get("ipam") or not network.pop("ipam")
    assert {key: read[key] for key in TOP_LEVEL} == {key: shown[key] for key in TOP_LEVEL}
    assert canonical(read, working_dir="/", project="p") == read


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"develop": {"watch": []}}, "services.s.develop"),
        ({"provider": {"type": "x"}}, "services.s.provider"),
        ({"models": ["m"]}, "services.s.models"),
        ({"extends": "base"}, "services.s.extends"),
        ({"env_file": ".env"}, "services.s.env_file"),
        ({"label_file": "l"}, "services.s.label_file"),
        ({"pre_start": [{"command": "a"}]}, "services.s.pre_start"),
        ({"blkio_config": {"device_read_bps": []}}, "services.s.blkio_config.device_read_bps"),
        ({"tpyo": 1}, "services.s.tpyo"),
        ({"deploy": {"resources": {"limit": {}}}}, "services.s.deploy.resources.limit"),
        ({"labels": {"x-a": "b"}}, "services.s.labels.x-a"),
        ({"environment": {"A": ["b"]}}, "services.s.environment.A"),
        ({"environment": {"A": 2**64}}, "services.s.environment.A"),
        ({"cpu_shares": 2**63}, "services.s.cpu_shares"),
        ({"mem_limit": "9999p"}, "services.s.mem_limit"),
        ({"stop_grace_period": "16000w"}, "services.s.stop_grace_period"),
        ({"extra_hosts": {"a": []}}, "services.s.extra_hosts"),
        ({"mem_limit": 1.5}, "services.s.mem_limit"),
        ({"mem_limit": "5 parsecs"}, "services.s.mem_limit"),
        ({"stop_grace_period": 10}, "services.s.stop_grace_period"),
        ({"cpus": "half"}, "services.s.cpus"),
        ({"cpus": float("inf")}, "services.s.cpus"),
        ({"cpus": 1e39}, "services.s.cpus"),
        ({"networks": [["n"]]}, "services.s.networks"),
        ({"depends_on": [{}]}, "services.s.depends_on"),
        ({"ports": ["[::1:80:80"]}, "services.s.ports"),
        ({"pids_limit": 5.5}, "services.s.pids_limit"),
        ({"privileged": "perhaps"}, "services.s.privileged"),
        ({"image": 1.5}, "services.s.image"),
        ({"command": "echo 'a"}, "services.s.command"),
        ({"command": "echo (a)"}, "services.s.command"),
        ({"command": "echo $(a (b))"}, "services.s.command"),
        ({"command": 5}, "services.s.command"),
        ({"ports": ["80:90-91"]}, "services.s.ports"),
        ({"ports": ["99999"]}, "services.s.ports"),
        ({"ports": ["80/icmp"]}, "services.s.ports"),
        ({"ports": ["a:80:80"]}, "services.s.ports"),
        ({"ports": ["80:80", {"target": 80, "published": 80}]}, "services.s.ports"),
        ({"volumes": ["a:/b::ro"]}, "services.s.volumes"),
        ({"volumes": ["vol:/a", {"type": "tmpfs", "target": "/a/"}]}, "services.s.volumes"),
        ({"volumes": [{"type": "bind", "target": "/a"}]}, "services.s.volumes[0].source"),
        ({"volumes": [{"type": "tmpfs"}]}, "services.s.volumes[0].target"),
        ({"devices": ["a:b:c:d"]}, "services.s.devices"),
        ({"extra_hosts": ["a"]}, "services.s.extra_hosts"),
        ({"secrets": [{"source": "key", "mode": "9"}]}, "services.s.secrets[0].mode"),
        ({"scale": 1, "deploy": {"replicas": 2}}, "services.s"),
        ({"network_mode": "host", "networks": ["n"]}, "services.s"),
        ({"cap_add": "ALL"}, "services.s.cap_add"),
        ({"networks": {1: None}}, "services.s.networks"),
    ],
)
def test_what_has_no_certain_hash_is_refused(raw: dict[str, Any], path: str) -> None:
    """A key or value that Compose refuses, misreads or hashes in ways unknown is named."""
    with pytest.raises(ValueError, match=f"^{re.escape(path)}:"):
        normal(raw)


def test_an_unknown_top_level_key_is_refused() -> None:
    """An include or a model would change the services in ways that are not followed."""
    with pytest.raises(ValueError, match="include"):
        canonical({"include": ["a.yaml"]}, working_dir="/", project="p")


def test_home_is_never_guessed() -> None:
    """Without a home directory a path that needs one is refused."""
    with pytest.raises(ValueError, match="home"):
        canonical({"services": {"s": {"volumes": ["~/a:/b"]}}}, working_dir="/", project="p")
