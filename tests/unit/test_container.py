"""The body of the engine's create call says what the Compose service says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from bodies import NEW, OLD, body, revision

from msctl.engines.compose import labels
from msctl.engines.compose.body.container import compose_labels, create_body, endpoints

# What a key of the service becomes, at a path in the body.
TRANSLATED: list[tuple[dict[str, Any], str, Any]] = [
    ({}, "Image", "web:1"),
    ({}, "Cmd", None),
    ({"command": ["a", "b c"]}, "Cmd", ["a", "b c"]),
    ({"command": "a 'b c'"}, "Cmd", ["a", "b c"]),
    ({"command": []}, "Cmd", []),
    ({"entrypoint": ["sh", "-c"]}, "Entrypoint", ["sh", "-c"]),
    ({"environment": {"B": "2", "A": "1", "C": None}}, "Env", ["A=1", "B=2", "C"]),
    ({"labels": {"a": "b"}}, "Labels", {"a": "b"}),
    ({"user": "1000"}, "User", "1000"),
    ({"working_dir": "/app"}, "WorkingDir", "/app"),
    ({"hostname": "web"}, "Hostname", "web"),
    ({"stop_signal": "SIGQUIT"}, "StopSignal", "SIGQUIT"),
    ({"tty": True}, "Tty", True),
    ({"stop_grace_period": "1m30s"}, "StopTimeout", 90),
    ({"expose": ["80", "53/udp"]}, "ExposedPorts", {"80/tcp": {}, "53/udp": {}}),
    ({"ports": ["80"]}, "HostConfig.PortBindings", {"80/tcp": [{"HostIp": "", "HostPort": ""}]}),
    (
        {"ports": ["127.0.0.1:8080:80", "53:53/udp"]},
        "HostConfig.PortBindings",
        {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
            "53/udp": [{"HostIp": "", "HostPort": "53"}],
        },
    ),
    ({"ports": ["8080:80"]}, "ExposedPorts", {"80/tcp": {}}),
    ({"init": True}, "HostConfig.Init", True),
    ({"cap_add": ["NET_ADMIN"]}, "HostConfig.CapAdd", ["NET_ADMIN"]),
    ({"read_only": True}, "HostConfig.ReadonlyRootfs", True),
    ({"privileged": True}, "HostConfig.Privileged", True),
    ({"dns": ["1.1.1.1"]}, "HostConfig.Dns", ["1.1.1.1"]),
    ({"sysctls": {"a.b": "1"}}, "HostConfig.Sysctls", {"a.b": "1"}),
    ({"shm_size": "64M"}, "HostConfig.ShmSize", 64 << 20),
    ({"mem_limit": "64M"}, "HostConfig.Memory", 64 << 20),
    ({"extra_hosts": ["db:10.0.0.1"]}, "HostConfig.ExtraHosts", ["db:10.0.0.1"]),
    ({"tmpfs": ["/tmp:size=1m", "/run"]}, "HostConfig.Tmpfs", {"/tmp": "size=1m", "/run": ""}),
    (
        {"ulimits": {"nofile": {"soft": 1, "hard": 2}, "nproc": 3}},
        "HostConfig.Ulimits",
        [{"Name": "nofile", "Soft": 1, "Hard": 2}, {"Name": "nproc", "Soft": 3, "Hard": 3}],
    ),
    (
        {"logging": {"driver": "json-file", "options": {"max-size": "1m"}}},
        "HostConfig.LogConfig",
        {"Type": "json-file", "Config": {"max-size": "1m"}},
    ),
    ({}, "HostConfig.LogConfig", {"Type": "", "Config": {}}),
]  # fmt: skip


def at(found: dict[str, Any], path: str) -> Any:
    for key in path.split("."):
        found = found[key]
    return found


@pytest.mark.parametrize(("service", "path", "value"), TRANSLATED)
def test_every_key_has_its_place_in_the_body(
    service: dict[str, Any], path: str, value: Any
) -> None:
    """What Compose says is what the engine is told."""
    assert at(body(service), path) == value


RESTARTS: list[tuple[dict[str, Any], tuple[str, int]]] = [
    ({}, ("no", 0)),
    ({"restart": "always"}, ("always", 0)),
    ({"restart": "on-failure:3"}, ("on-failure", 3)),
    (
        {"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 3}}},
        ("on-failure", 3),
    ),
    ({"deploy": {"restart_policy": {"condition": "any"}}}, ("always", 0)),
    ({"deploy": {"restart_policy": {"condition": "none"}}}, ("no", 0)),
    (
        {"restart": "unless-stopped", "deploy": {"restart_policy": {"condition": "none"}}},
        ("unless-stopped", 0),
    ),
]


@pytest.mark.parametrize(("service", "wanted"), RESTARTS)
def test_the_restart_policy_is_the_services_own(
    service: dict[str, Any], wanted: tuple[str, int]
) -> None:
    """`restart` counts, and without it `deploy.restart_policy`, as Docker Compose reads them."""
    policy = body(service)["HostConfig"]["RestartPolicy"]
    assert (policy["Name"], policy["MaximumRetryCount"]) == wanted


def test_limits_are_those_of_deploy() -> None:
    """CPUs in billionths, memory in bytes; a reservation of CPUs means nothing on one engine."""
    found = body(
        {
            "deploy": {
                "resources": {
                    "limits": {"cpus": "0.5", "memory": "512M", "pids": 100},
                    "reservations": {"cpus": "0.25", "memory": "256M"},
                }
            }
        }
    )["HostConfig"]
    assert found["NanoCpus"] == 500_000_000
    assert found["Memory"] == 512 << 20
    assert found["MemoryReservation"] == 256 << 20
    assert found["PidsLimit"] == 100
    assert "CpuReservation" not in found


CHECK = {"test": ["CMD", "true"], "interval": "10s", "timeout": "500ms", "retries": 3}
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("check", "api", "more"),
    [
        ({}, OLD, {}),
        ({"start_period": "5s"}, OLD, {"StartPeriod": 5 * SECOND}),
        ({"start_interval": "2s"}, OLD, {}),
        ({}, NEW, {"StartPeriod": 60 * SECOND, "StartInterval": SECOND}),
        ({"start_period": "5s"}, NEW, {"StartPeriod": 60 * SECOND, "StartInterval": SECOND}),
        ({"start_period": "90s"}, NEW, {"StartPeriod": 90 * SECOND, "StartInterval": SECOND}),
        ({"start_interval": "2s"}, NEW, {"StartPeriod": 60 * SECOND, "StartInterval": 2 * SECOND}),
    ],
)
def test_a_health_check_is_paced_faster_while_its_container_starts(
    check: dict[str, Any], api: tuple[int, int], more: dict[str, int]
) -> None:
    """Where the engine can, checks come every second for as long as a start may take."""
    assert body({"healthcheck": {**CHECK, **check}}, api=api)["Healthcheck"] == {
        "Test": ["CMD", "true"],
        "Interval": 10 * SECOND,
        "Timeout": SECOND // 2,
        "Retries": 3,
        **more,
    }


def test_without_a_health_check_the_images_own_is_kept() -> None:
    """Nothing is said about the check, unless the service turns it off."""
    assert "Healthcheck" not in body({})
    assert body({"healthcheck": {"disable": True}})["Healthcheck"] == {"Test": ["NONE"]}


def test_what_cannot_be_translated_is_refused() -> None:
    """A key that msctl does not know is never dropped silently."""
    with pytest.raises(ValueError, match="service web: cannot translate links"):
        body({"links": ["db"]})


def test_labels_of_msctl_win_over_the_services() -> None:
    """What identifies a container cannot be written over in the file."""
    found = create_body(
        revision({"labels": {"a": "file", "b": "file"}}),
        own_labels={"a": "msctl"},
        health_timeout=timedelta(seconds=60),
        api=OLD,
    )
    assert found["Labels"] == {"a": "msctl", "b": "file"}


def test_every_network_has_an_endpoint_and_the_first_comes_first() -> None:
    """A container answers to its own name, its service's, and the aliases that the file gives."""
    made = revision(
        {
            "networks": {
                "side": {"aliases": ["also", "web"], "ipv4_address": "10.0.0.9"},
                "back": {"priority": 10},
            }
        },
        networks={"side": {"name": "elsewhere"}, "back": None},
    )
    found = endpoints(made, "shop-web-1")
    assert list(found) == ["shop_back", "elsewhere"]
    assert found == {
        "shop_back": {"Aliases": ["shop-web-1", "web"]},
        "elsewhere": {
            "Aliases": ["shop-web-1", "web", "also"],
            "IPAMConfig": {"IPv4Address": "10.0.0.9"},
        },
    }


def test_labels_are_those_of_docker_compose() -> None:
    """Compose knows the container as its own by these labels."""
    made = revision(
        {
            "depends_on": {
                "db": {"condition": "service_healthy", "restart": True},
                "api": {"condition": "service_started"},
            }
        }
    )
    found = compose_labels(
        made,
        project="shop",
        number=2,
        image_id="sha256:1",
        working_dir="/srv/shop",
        config_file="/srv/shop/docker-compose.yml",
    )
    assert found == {
        labels.PROJECT: "shop",
        labels.SERVICE: "web",
        labels.NUMBER: "2",
        labels.HASH: made.hash,
        labels.ONEOFF: "False",
        labels.IMAGE: "sha256:1",
        labels.DEPENDS_ON: "api:service_started:false,db:service_healthy:true",
        labels.WORKING_DIR: "/srv/shop",
        labels.CONFIG_FILES: "/srv/shop/docker-compose.yml",
        labels.COMPOSE_VERSION: labels.COMPATIBLE_WITH,
    }
