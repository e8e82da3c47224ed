"""`x-compose`: what the stack file has no key for, on its way to Docker Compose and the engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml
from everykey import PASSED

from msctl.config import load_text
from msctl.config.schema import schema
from msctl.engines.compose.body.container import create_body
from msctl.engines.compose.deeds.networks import ipam
from msctl.engines.compose.revision import Revision
from msctl.errors import StackFileError
from msctl.model.passthrough import SERVICE_KEYS, STACK_KEYS
from msctl.render.canonical import canonical
from msctl.render.canonical.composetypes import SERVICE
from msctl.render.compose import compose_file, document


def loaded(passed: dict[str, Any], top: dict[str, Any] | None = None) -> Any:
    data = {
        "name": "p",
        "networks": ["front", "back"],
        "services": {
            "web": {
                "image": "i",
                "build": "./src",
                "port": 80,
                "routes": ["/"],
                "health": {"path": "/up"},
                "volumes": ["data:/data"],
                "networks": ["front", "back"],
                "resources": {"cpus": 1, "reserve": {"cpus": 0.5}},
                "x-compose": passed,
            }
        },
        "x-compose": top or {},
    }
    return load_text(yaml.safe_dump(data), name="f", environ={})


def test_every_key_that_may_be_passed_on_is_hashed_and_made() -> None:
    """The table holds nothing that the config hash or the engine's container would not know."""
    assert SERVICE_KEYS.keys() <= (SERVICE.fields or {}).keys()
    stack = loaded(PASSED)
    normal = canonical(document(stack), working_dir="/w", project="p")
    revision = Revision.of(normal, "web")
    body = create_body(revision, own_labels={}, health_timeout=timedelta(60), api=(1, 41))
    host = body["HostConfig"]
    assert host["Devices"][0] == {
        "PathOnHost": "/dev/ttyUSB0",
        "PathInContainer": "/dev/ttyACM0",
        "CgroupPermissions": "r",
    }
    assert host["DeviceRequests"][0]["Capabilities"] == [["gpu"]]
    assert host["MemorySwap"] == 2**30
    assert host["MemorySwappiness"] == 10
    assert host["ShmSize"] == 2**27
    assert host["Privileged"] is True
    assert (body["Hostname"], body["WorkingDir"], body["Tty"]) == ("h", "/srv", True)
    assert revision.service["networks"]["front"]["aliases"] == ["www"]


def test_networks_and_volumes_keep_what_compose_says_of_them() -> None:
    """An external network has its own name, for the engine and for the gateway."""
    top = {
        "networks": {"front": {"external": True, "name": "proxy"}, "back": {"internal": True}},
        "volumes": {"data": {"name": "old_data", "driver_opts": {"type": "nfs"}}},
    }
    stack = loaded({}, top)
    found = document(stack)
    assert {**found["networks"], **top["networks"]} == found["networks"]
    assert found["volumes"]["data"] == top["volumes"]["data"]
    labels = found["services"]["web"]["labels"]
    assert labels["traefik.docker.network"] == "proxy"
    assert Revision.of(canonical(found, working_dir="/w", project="p"), "web").network_names() == (
        "p_back",
        "proxy",
    )


def test_the_rendered_file_keeps_variables() -> None:
    """As everything that passes through does."""
    text = """\
name: p
services:
  web:
    image: i
    x-compose: {hostname: "${HOST:-h}", environment-note: 1}
"""
    text = text.replace(", environment-note: 1", "")
    stack = load_text(text, name="f", environ={}, keep_variables=True)
    assert "hostname: ${HOST:-h}" in compose_file(stack, source="f")
    assert load_text(text, name="f", environ={}).services["web"].passthrough == {"hostname": "h"}


@pytest.mark.parametrize(
    ("passed", "top", "told"),
    [
        ({"hostnam": "h"}, {}, "hostnam cannot be passed on to Docker Compose's file by msctl; "
         "did you mean 'hostname'?"),
        ({"network_mode": "host"}, {}, "network_mode cannot be passed on"),
        ({"image": "j"}, {}, "image cannot be passed on"),
        ({"deploy": {"replicas": 2}}, {}, "deploy.replicas cannot be passed on"),
        ({"networks": {"other": {}}}, {}, "the service is not in network other"),
        ({"ipc": "service:db"}, {}, "another container's cannot be shared"),
        ({"init": "perhaps"}, {}, "init"),
        ({"ulimits": {"nofile": {"soft": 5}}}, {}, "is not a number, or soft and hard"),
        ({"stop_signal": 9}, {}, "x-compose.stop_signal: 9 is no text; quote it: '9'"),
        ({"devices": [{"source": "/dev/x"}]}, {}, "is not a list of source:target"),
        ({"networks": {"backend": {"aliases": "a"}}}, {}, "networks.backend.aliases"),
        ({"deploy": {"resources": {"reservations": {"devices": [{"count": 1}]}}}}, {},
         "a device without capabilities"),
        ({}, {"networks": {"gone": {}}}, "network gone is not among"),
        ({}, {"secrets": {}}, "secrets cannot be passed on"),
        ({}, {"volumes": {"v": {"labels": [1.5]}}}, "volumes.v.labels"),
    ],
)  # fmt: skip
def test_what_cannot_be_passed_on_is_refused(
    passed: dict[str, Any], top: dict[str, Any], told: str
) -> None:
    """With the key; nothing is ever dropped silently."""
    with pytest.raises(StackFileError, match=r"^") as caught:
        loaded(passed, top)
    assert told in str(caught.value)
    assert "x-compose" in str(caught.value)


def test_the_schema_knows_it() -> None:
    """Editors complete the keys."""
    found = schema()
    assert found["properties"]["x-compose"]["propertyNames"]["anyOf"][0]["enum"] == sorted(
        STACK_KEYS
    )
    service = found["$defs"]["Service"]["properties"]["x-compose"]
    assert "shm_size" in service["propertyNames"]["anyOf"][0]["enum"]
    assert "description" in service


def test_addresses_of_a_network_are_told_to_the_engine() -> None:
    """Without any, the engine chooses."""
    assert ipam(None) is None
    found = ipam({"config": [{"subnet": "172.30.0.0/16", "gateway": "172.30.0.1"}]})
    assert found == {
        "Driver": "default",
        "Config": [{"Subnet": "172.30.0.0/16", "Gateway": "172.30.0.1"}],
        "Options": {},
    }
