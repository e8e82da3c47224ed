"""The normalised form of a Compose document, against the one that Docker Compose 5.6.1 makes."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from msctl.render.canonical import canonical
from msctl.render.confighash import SERVICE, config_hash

WORKING_DIR = "/srv/shop"
HOME = "/home/op"
TOP_LEVEL: dict[str, Any] = {
    "networks": {"n": None, "out": {"external": True}},
    "volumes": {"vol": None, "ext": {"external": {"name": "theirs"}}},
    "secrets": {"key": {"file": "./key"}, "other": {"external": True}},
    "configs": {"conf": {"content": "a=1"}},
}


def service(**keys: Any) -> dict[str, Any]:
    return {"image": "i", **keys}


def document(services: Mapping[str, Any]) -> dict[str, Any]:
    return {"services": {"base": {"image": "i"}, **services}, **TOP_LEVEL}


def normal(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form of one service, without what every service has."""
    read = canonical(document({"s": raw}), working_dir=WORKING_DIR, project="p", home=HOME)
    changed: dict[str, Any] = read["services"]["s"]
    return changed


def compose(raw: Mapping[str, Any], tmp: Path, *arguments: str) -> str:
    """What the real Docker Compose prints for a document, in whose text a dollar is a dollar."""
    binary = Path(sys.executable).with_name("docker-compose")
    assert binary.exists(), f"{binary} is missing: install the test extras"
    path = tmp / "compose.yaml"
    path.write_text(json.dumps(raw).replace("$", "$$"))
    place = ("-p", "p", "--project-directory", WORKING_DIR, "--profile", "*", "-f", str(path))
    ran = subprocess.run(
        [str(binary), *place, "config", *arguments],
        capture_output=True,
        check=False,
        env={"HOME": HOME, "PATH": "/usr/bin:/bin"},
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


def real_hashes(services: Mapping[str, Any], tmp: Path) -> dict[str, str]:
    printed = compose(document(services), tmp, "--hash", "*").splitlines()
    hashes = dict(line.split() for line in printed)
    return {name: hashes[name] for name in services}


def our_hashes(services: Mapping[str, Any]) -> dict[str, str]:
    """Checks, on the way, that nothing is changed or lost and that JSON and a second pass agree."""
    raw = document(services)
    before = copy.deepcopy(raw)
    read = canonical(raw, working_dir=WORKING_DIR, project="p", home=HOME)
    assert raw == before
    stored = json.loads(json.dumps(read))
    assert stored == read
    assert canonical(stored, working_dir="/elsewhere", project="p") == read
    return {name: config_hash(stored["services"][name]) for name in services}


MOUNT = {"type": "bind", "source": "./d"}
CASES: dict[str, dict[str, Any]] = {
    "plain": service(),
    "build": {"build": "./src", "platform": "linux/amd64"},
    "build-long": {"build": {"args": ["A=1"], "dockerfile_inline": "FROM scratch"}, "image": "i"},
    "command-words": service(command="sh -c 'echo \"$HOME\" && sleep 1' a\\ b", entrypoint=""),
    "command-cut": service(command="serve --port 80; rm -rf x", entrypoint=["/bin/x", ""]),
    "command-substitution": service(command="echo $(date +%s) `uname -a` \\n"),
    "environment-map": service(
        environment={"A": None, "B": "", "C": 1, "D": True, "E": 1.50, "F": 1e6, "G": 0.00001}
    ),
    "environment-list": service(environment=["A", "B=", "C=1=2", "C=3", "D=<&>\u2028"]),
    "labels-map": service(labels={"a": None, "b": 1, "c": False, "traefik.x": "Host(`a`)"}),
    "labels-list": service(labels=["a", "b=", "c=1=2", "a=x"], annotations=["q=1"]),
    "ports": service(
        ports=[
            "80",
            90,
            "8080:80",
            "127.0.0.1:8081:80",
            "[::1]:8082:80/udp",
            "127.0.0.1::81",
            "3000-3002:4000-4002",
            "9990-9999:5000",
            "9998-10001/sctp",
            "0070:0071",
        ]
    ),
    "ports-long": service(
        ports=[
            {"target": 80, "published": 8080},
            {"target": "81", "published": "8090-8099", "host_ip": "0.0.0.0", "protocol": "udp"},
            {"target": 82, "mode": "host", "name": "web", "app_protocol": "http"},
        ]
    ),
    "ports-twice": service(ports=["80:80", "0.0.0.0:80:80", "79-81:79-81/TCP"]),
    "expose": service(expose=[80, "80", "90-91/udp", 100]),
    "volumes-short": service(
        volumes=[
            "/anonymous",
            "vol:/named/",
            "vol:/named2:ro,nocopy",
            "vol:/named3:z",
            "/abs/:/abs",
            "./rel/../x:/rel:ro",
            "../up:/up:Z,rshared",
            "~/home:/home",
            "ext:/ext:rw,unknown",
            "v:/drive",
            "C:\\data:/win",
            "/q",
        ]
    ),
    "volumes-long": service(
        volumes=[
            {**MOUNT, "target": "/a"},
            {**MOUNT, "target": "/b/", "bind": {}, "read_only": True},
            {**MOUNT, "target": "/c", "bind": {"create_host_path": False, "selinux": "z"}},
            {**MOUNT, "target": "/d", "bind": {"propagation": "shared", "recursive": "enabled"}},
            {"type": "volume", "target": "/e"},
            {"type": "volume", "source": "vol", "target": "/f", "volume": {"nocopy": True}},
            {
                "type": "volume",
                "source": "vol",
                "target": "/g",
                "volume": {"subpath": "s", "labels": ["a=b"]},
            },
            {"type": "tmpfs", "target": "/h", "tmpfs": {"size": "64m", "mode": 0o1777}},
            {"type": "image", "source": "i", "target": "/j", "image": {"subpath": "s"}},
            {"type": "bind", "source": "~", "target": "/k", "consistency": "cached"},
        ]
    ),
    "tmpfs": service(tmpfs="/run:size=1m"),
    "tmpfs-list": service(tmpfs=["/run", "/tmp:size=1m", "/tmp:size=2m"]),
    "networks-list": service(networks=["n", "out", "default"]),
    "networks-empty": service(networks=[]),
    "networks-map": service(
        networks={
            "n": {
                "aliases": ["b", "a", "b"],
                "ipv4_address": "10.0.0.2",
                "ipv6_address": "fd00::2",
                "link_local_ips": ["169.254.1.1"],
                "mac_address": "02:42:ac:11:00:02",
                "driver_opts": {"a": 1},
                "gw_priority": 1,
                "interface_name": "eth7",
                "priority": 100,
                "x-note": 1,
            },
            "out": {},
            "default": None,
        }
    ),
    "files-short": service(secrets=["key", "other"], configs=["conf"]),
    "files-long": service(
        secrets=[
            "key",
            {"source": "key", "target": "/run/secrets/key", "mode": "440"},
            {"source": "other", "target": "o", "uid": "103", "gid": "103", "mode": 0o400},
        ],
        configs=[{"source": "conf", "target": "/etc/conf", "mode": "0444"}],
    ),
    "depends-list": service(depends_on=["base"]),
    "depends-map": service(
        depends_on={"base": {"condition": "service_healthy", "restart": True, "required": False}}
    ),
    "healthcheck": service(
        healthcheck={
            "test": "curl -f localhost",
            "interval": "1m30s",
            "timeout": "1.5s",
            "retries": 0,
            "start_period": "1d",
            "start_interval": "250ms",
        }
    ),
    "healthcheck-list": service(healthcheck={"test": ["CMD", "true"], "interval": "90s"}),
    "healthcheck-off": service(healthcheck={"disable": True}),
    "empty-structs": service(healthcheck={}, deploy={}, logging={}),
    "deploy": service(
        deploy={
            "mode": "replicated",
            "replicas": 3,
            "endpoint_mode": "vip",
            "labels": {"a": 1},
            "resources": {
                "limits": {"cpus": "0.50", "memory": "512M", "pids": 100},
                "reservations": {
                    "cpus": 0.25,
                    "memory": "1.5g",
                    "devices": [
                        {"capabilities": ["gpu"], "count": "all", "driver": "nvidia"},
                        {"capabilities": ["gpu"], "device_ids": ["0"], "options": {"a": "b"}},
                        {"capabilities": ["tpu"]},
                        {"capabilities": ["gpu"], "count": 2},
                    ],
                    "generic_resources": [{"discrete_resource_spec": {"kind": "ssd", "value": 2}}],
                },
            },
            "restart_policy": {
                "condition": "on-failure",
                "delay": "5s",
                "max_attempts": 3,
                "window": "2m",
            },
            "update_config": {
                "parallelism": 0,
                "delay": "10s",
                "failure_action": "rollback",
                "monitor": "0s",
                "max_failure_ratio": 0.1,
                "order": "start-first",
            },
            "rollback_config": {"parallelism": 1},
            "placement": {
                "constraints": ["node.role==manager"],
                "preferences": [{"spread": "node.labels.zone"}],
                "max_replicas_per_node": 2,
            },
        }
    ),
    "scale": service(scale=2, deploy={"labels": ["a=b"]}, pull_policy="if_not_present"),
    "stop": service(stop_grace_period="1h2m3.004005006s", stop_signal="SIGINT", restart="always"),
    "names": service(
        container_name="shop", hostname="h", domainname="d", user="1:2", working_dir="/w/"
    ),
    "flags": service(
        init=False, attach="no", read_only=True, privileged="true", stdin_open=True, tty="yes"
    ),
    "security": service(
        cap_add=["ALL", "NET_ADMIN"],
        cap_drop=["MKNOD"],
        security_opt=["no-new-privileges:true", "label=user:a", "label=role:b"],
        group_add=["mail", 4],
        userns_mode="host",
        isolation="default",
        credential_spec={"file": "spec.json"},
    ),
    "memory": service(
        mem_limit="1gb",
        memswap_limit=-1,
        mem_reservation="100",
        mem_swappiness=60,
        shm_size="64 kib",
        oom_kill_disable=True,
        oom_score_adj=-500,
        pids_limit=-1,
    ),
    "processor": service(
        cpus="0.333",
        cpu_count=2,
        cpu_percent=50,
        cpu_shares="512",
        cpu_quota=50000,
        cpu_period=100000,
        cpu_rt_period=1000,
        cpu_rt_runtime=950,
        cpuset="0,1",
        blkio_config={"weight": 300},
    ),
    "ulimits": service(ulimits={"nofile": 1024, "core": 0, "nproc": {"soft": "1", "hard": 0}}),
    "kernel": service(
        sysctls={"net.core.somaxconn": 1024, "a": None},
        devices=["/dev/a", "/dev/a:/dev/b:r", "/dev/c::w", {"source": "/dev/d", "target": "/d"}],
        device_cgroup_rules=["c 1:3 mr"],
        storage_opt={"size": "1G"},
        runtime="runc",
        cgroup="host",
        cgroup_parent="m",
    ),
    "hosts-map": service(extra_hosts={"b": "10.0.0.1", "a": ["10.0.0.2", "[::1]"]}),
    "hosts-list": service(extra_hosts=["b:10.0.0.1", "a=::1", "c:::1", "a:[fd00::1],10.0.0.9"]),
    "dns": service(dns="1.1.1.1", dns_search="a.example", dns_opt=["use-vc", "ndots=1", "ndots=2"]),
    "dns-list": service(dns=["1.1.1.1", "", "9.9.9.9"], dns_search=["."]),
    "logging": service(logging={"driver": "json-file", "options": {"max-size": "1m", "n": 3}}),
    "namespaces": service(ipc="service:base", pid="host", uts="host", network_mode="service:base"),
    "links": service(
        links=["base:db"], external_links=["their:db"], volumes_from=["base:ro", "container:c"]
    ),
    "gpus-all": service(gpus="all"),
    "gpus": service(gpus=[{"driver": "n", "count": 0}, {"device_ids": ["1"]}, {"options": ["a"]}]),
    "profiles": service(profiles=["debug"], mac_address="02:42:ac:11:00:02", use_api_socket=True),
    "hooks": service(
        post_start=[{"command": "a 'b c'", "user": "root", "privileged": True}],
        pre_stop=[{"command": ["a"], "working_dir": "/w", "environment": ["A=1", "B"]}],
    ),
    "extension": service(**{"x-note": {"a": 1}, "deploy": {"x-note": 1}}),
}


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


# Random services, in batches. The strategies hold what the Compose Specification allows.

WORD = st.text("abcxyz0", min_size=1, max_size=4)
PRINTED = st.text("ab é/.,:=<>&'\"\\$\n\t\x01\u2028λ", max_size=8)
INTEGER = st.integers(-(2**63), 2**64 - 1)
PAIRS = st.dictionaries(
    WORD,
    st.one_of(st.none(), st.booleans(), INTEGER, PRINTED, st.floats(-1e9, 1e9)),
    max_size=3,
) | st.lists(st.builds("{}={}".format, WORD, PRINTED) | WORD, max_size=3, unique=True)
WORDS = st.lists(WORD, max_size=3, unique=True)
KEYED = st.lists(WORD | st.builds("{}={}".format, WORD, WORD), max_size=4, unique=True)
ONE_OR_MORE = WORD | WORDS
COUNT = st.integers(0, 2**31)
FLAG = st.booleans() | st.sampled_from(["true", "no", "ON"])
SIZE = st.integers(-1, 2**40) | st.builds(
    "{}{}".format,
    st.integers(0, 999) | st.decimals(0, 99, places=2),
    st.sampled_from(["", "b", "k", "K", "mb", "MiB", "g", "GB", " ", " t", "Pb"]),
)
DURATION = st.lists(
    st.builds(
        "{}{}".format,
        st.integers(0, 99) | st.decimals(0, 99, places=3),
        st.sampled_from(["ns", "us", "µs", "ms", "s", "m", "h", "d", "w"]),
    ),
    min_size=1,
    max_size=3,
).map("".join)
REAL = st.one_of(
    st.integers(0, 99), st.floats(0, 1e6, width=32), st.decimals(0, 64, places=2).map(str)
)
PORT = st.integers(1, 65000)
SHELL = st.text("ab1 \t'\"\\`$();&|<>", max_size=12)


def splits(line: str) -> bool:
    try:
        normal({"command": line})
    except ValueError:
        return False
    return True


COMMAND = st.none() | SHELL.filter(splits) | st.lists(PRINTED, max_size=3)


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def numbered(entries: Iterable[Any]) -> list[Any]:
    """Gives each mount a target of its own."""
    return [
        e.replace("TARGET", f"/t{n}/") if isinstance(e, str) else {**e, "target": f"/t{n}"}
        for n, e in enumerate(entries)
    ]


def one_of_each(entries: list[Any]) -> list[Any]:
    """Lists of Compose may not hold one entry twice."""
    return list({json.dumps(entry, sort_keys=True): entry for entry in entries}.values())


HOOK = st.fixed_dictionaries(
    {"command": COMMAND},
    optional={"user": WORD, "privileged": FLAG, "working_dir": WORD, "environment": PAIRS},
)
FILE_KEYS = {
    "target": WORD,
    "uid": WORD,
    "gid": WORD,
    "mode": st.integers(0, 0o777) | st.sampled_from(["0440", "444"]),
}


def files(*sources: str) -> st.SearchStrategy[list[Any]]:
    source = st.sampled_from(sources)
    long = st.fixed_dictionaries({"source": source}, optional=FILE_KEYS)
    return st.lists(source | long, max_size=3)


PUBLISHED = st.one_of(
    PORT.map(str),
    st.builds("{}:{}{}".format, PORT, PORT, st.sampled_from(["", "/udp", "/TCP"])),
    st.builds("127.0.0.1:{}:{}".format, PORT, PORT),
    st.builds(lambda a, b, n: f"{a}-{a + n}:{b}-{b + n}", PORT, PORT, st.integers(0, 9)),
    st.builds(lambda a, b, n: f"{a}-{a + n}:{b}", PORT, PORT, st.integers(0, 9)),
    st.fixed_dictionaries(
        {"target": PORT, "published": PORT.map(str)},
        optional={"host_ip": st.just("::1"), "protocol": st.just("udp"), "mode": st.just("host")},
    ),
    PORT,
)
MOUNTED = st.one_of(
    st.builds(
        "{}:TARGET{}".format,
        st.sampled_from(["vol", "ext", "/a", "./b", "~/c/..", "..", "C:\\d"]),
        st.sampled_from(["", ":ro", ":rw,z", ":nocopy", ":Z,rslave,ro", ":what"]),
    ),
    st.just("TARGET"),
    st.fixed_dictionaries(
        {"type": st.just("bind"), "source": st.sampled_from(["a", "/b//", "~/c"])},
        optional={
            "read_only": FLAG,
            "consistency": WORD,
            "bind": some(
                propagation=WORD, create_host_path=FLAG, selinux=st.sampled_from(["z", "Z"])
            ),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("volume"), "source": st.just("vol")},
        optional={"volume": some(nocopy=FLAG, subpath=WORD, labels=PAIRS)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tmpfs")}, optional={"tmpfs": some(size=COUNT, mode=COUNT)}
    ),
)
REQUEST = some(driver=WORD, options=PAIRS, capabilities=WORDS)
REQUESTS = st.lists(
    st.builds(
        lambda request, more: {"capabilities": [], **request, **more},
        REQUEST,
        some(count=st.integers(0, 3) | st.just("all")) | some(device_ids=WORDS),
    ),
    max_size=2,
)
UPDATE = some(
    parallelism=COUNT,
    delay=DURATION,
    failure_action=WORD,
    monitor=DURATION,
    max_failure_ratio=st.floats(0, 1, width=32),
    order=st.sampled_from(["start-first", "stop-first"]),
)
MEMORY = SIZE.map(str)
DEPLOY = some(
    mode=WORD,
    replicas=st.integers(0, 5),
    labels=PAIRS,
    endpoint_mode=WORD,
    update_config=UPDATE,
    rollback_config=UPDATE,
    resources=some(
        limits=some(cpus=REAL, memory=MEMORY, pids=COUNT),
        reservations=some(cpus=REAL, memory=MEMORY, devices=REQUESTS),
    ),
    restart_policy=some(condition=WORD, delay=DURATION, max_attempts=COUNT, window=DURATION),
    placement=some(constraints=WORDS, max_replicas_per_node=COUNT),
)
ATTACHED = st.none() | some(
    aliases=KEYED,
    driver_opts=st.dictionaries(WORD, WORD | INTEGER, max_size=2),
    gw_priority=COUNT,
    interface_name=WORD,
    ipv4_address=WORD,
    ipv6_address=WORD,
    link_local_ips=KEYED,
    mac_address=WORD,
    priority=COUNT,
)
NETWORK = st.sampled_from(["n", "out", "default"])
ADDRESS = st.sampled_from(["10.0.0.1", "::1", "[fd00::1]"])
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "annotations": PAIRS,
    "attach": FLAG,
    "blkio_config": some(weight=st.integers(0, 1000)),
    "build": WORD,
    "cap_add": KEYED,
    "cap_drop": KEYED,
    "cgroup": st.sampled_from(["host", "private"]),
    "cgroup_parent": WORD,
    "command": COMMAND,
    "configs": files("conf"),
    "cpu_count": COUNT,
    "cpu_percent": st.integers(0, 100),
    "cpu_period": COUNT,
    "cpu_quota": COUNT,
    "cpu_rt_period": COUNT,
    "cpu_rt_runtime": COUNT,
    "cpu_shares": COUNT | COUNT.map(str),
    "cpuset": WORD,
    "credential_spec": some(config=WORD, file=WORD, registry=WORD),
    "depends_on": st.sampled_from([["base"], {"base": {"condition": "service_healthy"}}]),
    "deploy": st.none() | DEPLOY,
    "device_cgroup_rules": WORDS,
    "devices": st.lists(
        st.builds("/{}:/{}:{}".format, WORD, WORD, WORD) | WORD, max_size=3, unique=True
    ),
    "dns": ONE_OR_MORE,
    "dns_opt": KEYED,
    "dns_search": ONE_OR_MORE,
    "domainname": PRINTED,
    "entrypoint": COMMAND,
    "environment": PAIRS,
    "expose": st.lists(PORT | PORT.map(str), max_size=3, unique_by=str),
    "external_links": WORDS,
    "extra_hosts": st.dictionaries(
        WORD, ADDRESS | st.lists(ADDRESS, min_size=1, max_size=2), max_size=3
    )
    | st.lists(st.builds("{}{}{}".format, WORD, st.sampled_from("=:"), ADDRESS), unique=True),
    "gpus": st.just("all") | REQUESTS,
    "group_add": WORDS,
    "healthcheck": some(
        test=PRINTED | st.lists(PRINTED, max_size=3).map(lambda words: ["CMD", *words]),
        interval=DURATION,
        timeout=DURATION,
        retries=COUNT,
        start_period=DURATION,
        start_interval=DURATION,
        disable=FLAG,
    ),
    "hostname": PRINTED,
    "image": WORD,
    "init": FLAG,
    "ipc": st.sampled_from(["host", "service:base", ""]),
    "isolation": WORD,
    "labels": PAIRS,
    "links": st.sampled_from([["base"], ["base:db"]]),
    "logging": some(driver=WORD, options=st.dictionaries(WORD, PRINTED | INTEGER)),
    "mac_address": WORD,
    "memswap_limit": SIZE,
    "mem_swappiness": st.integers(0, 100),
    "networks": st.lists(NETWORK, unique=True) | st.dictionaries(NETWORK, ATTACHED),
    "oom_kill_disable": FLAG,
    "oom_score_adj": st.integers(-1000, 1000),
    "pid": WORD,
    "platform": WORD,
    "ports": st.lists(PUBLISHED, max_size=4).map(one_of_each),
    "post_start": st.lists(HOOK, max_size=2),
    "pre_stop": st.lists(HOOK, max_size=2),
    "privileged": FLAG,
    "profiles": WORDS,
    "pull_policy": st.sampled_from(["always", "if_not_present", "daily"]),
    "read_only": FLAG,
    "restart": PRINTED,
    "runtime": WORD,
    "secrets": files("key", "other"),
    "security_opt": KEYED,
    "shm_size": SIZE,
    "stdin_open": FLAG,
    "stop_grace_period": DURATION,
    "stop_signal": WORD,
    "storage_opt": st.dictionaries(WORD, WORD | COUNT, max_size=2),
    "sysctls": PAIRS,
    "tmpfs": st.builds("/tmp{}".format, WORD) | WORDS,
    "tty": FLAG,
    "ulimits": st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        COUNT | st.fixed_dictionaries({"soft": COUNT, "hard": COUNT}),
        max_size=3,
    ),
    "use_api_socket": st.booleans(),
    "user": PRINTED,
    "userns_mode": WORD,
    "uts": WORD,
    "volumes": st.lists(MOUNTED, max_size=4).map(numbered),
    "volumes_from": st.sampled_from([["base:ro"], ["container:c"]]),
    "working_dir": PRINTED,
}
# Compose refuses these beside other keys: as what is drawn, they stand alone.
ALONE: dict[str, st.SearchStrategy[Any]] = {
    "container_name": st.builds("aa{}".format, WORD),
    "cpus": REAL,
    "mem_limit": SIZE,
    "mem_reservation": MEMORY,
    "network_mode": st.sampled_from(["host", "service:base", "none"]),
    "pids_limit": st.integers(-1, 99),
    "scale": st.integers(0, 3),
}
SERVICES = (some(**KEYS) | some(**ALONE)).map(
    lambda drawn: {"image": "i", **drawn, **({"scale": 1} if "container_name" in drawn else {})}
)


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
