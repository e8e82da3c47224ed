"""A whole stack file, drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import strategies as st

from everykey.services import BUILD, CONFINED, NETWORKS, WORDS, Data, optional, services

NAMES = ("api", "db", "web-1", "job_x", "a")
FILES = {
    "some.env": 'FROM_FILE=1\n# a comment\nQUOTED="a b"\nOF_ANOTHER=${TAG}-x\n',
    "other.env": "FROM_FILE=2\nPLAIN='$HOME'\nEMPTY_ONE=\n",
    "odd.env": "export A=1\t# no comment\nB= # none\nC: yaml\nD='a\\\\b'\n"
    'E="x\\b\\$TAG" F\nG="two\nlines"\nH=$COMPOSE_PROJECT_NAME\nI\nJ=${UNSET:-a b}c #\n',
    ".env": "FROM_DOTENV=z\n",
}
"""What lies beside a drawn file, by name."""
PASSED: Data = {
    "annotations": {"a": "b"},
    "cgroup": "private",
    "cgroup_parent": "m",
    "cpu_period": 100000,
    "cpu_quota": "50000",
    "cpu_rt_period": 1000,
    "cpu_rt_runtime": 400,
    "cpu_shares": 512,
    "cpuset": "0-1",
    "device_cgroup_rules": ["c 1:3 mr"],
    "devices": ["/dev/ttyUSB0:/dev/ttyACM0:r", "/dev/null"],
    "dns": "9.9.9.9",
    "dns_opt": ["use-vc"],
    "dns_search": ["example.org"],
    "domainname": "example.org",
    "expose": ["3000", 3001],
    "extra_hosts": ["host.docker.internal:host-gateway", "a=192.0.2.1"],
    "gpus": "all",
    "group_add": ["mail", 1000],
    "hostname": "h",
    "init": True,
    "ipc": "host",
    "isolation": "default",
    "mac_address": "02:42:ac:11:00:02",
    "mem_swappiness": 10,
    "memswap_limit": "1g",
    "oom_kill_disable": True,
    "oom_score_adj": -5,
    "pid": "host",
    "platform": "linux/amd64",
    "privileged": True,
    "runtime": "runc",
    "shm_size": "128mb",
    "stdin_open": True,
    "stop_signal": "SIGINT",
    "storage_opt": {"size": "1G"},
    "sysctls": {"net.core.somaxconn": 1024},
    "tty": True,
    "ulimits": {"nofile": {"soft": 1024, "hard": 2048}, "nproc": 65535},
    "userns_mode": "host",
    "uts": "host",
    "working_dir": "${UNSET:-/srv}",
    "build": {"target": "production"},
    "deploy": {
        "resources": {
            "reservations": {"devices": [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]}
        }
    },
    "healthcheck": {"start_interval": "2s"},
    "networks": {"front": {"aliases": ["www"], "ipv4_address": "172.30.0.9"}},
}
"""Everything that a service's `x-compose` may hold."""
OTHERWISE: Data = {
    "annotations": ["a=b", "c"],
    "devices": [{"source": "/dev/null", "target": "/dev/x", "permissions": "r"}],
    "dns": ["9.9.9.9", "${UNSET:-1.1.1.1}"],
    "dns_search": "example.org",
    "extra_hosts": {"b": ["192.0.2.1", "::1"], "a": "host-gateway"},
    "gpus": [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"], "options": {"a": "1"}}],
    "hostname": "a$$b",
    "init": False,
    "mem_swappiness": "10",
    "memswap_limit": -1,
    "privileged": "${UNSET:-false}",
    "shm_size": 67108864,
    "storage_opt": {"size": "${UNSET:-1G}"},
    "sysctls": ["net.core.somaxconn=1024", "a="],
    "ulimits": {"core": 0, "nofile": {"soft": "10", "hard": "${UNSET:-20}"}},
    "deploy": {
        "resources": {
            "reservations": {"devices": [{"capabilities": ["tpu"], "device_ids": ["0", "1"]}]}
        }
    },
    "healthcheck": {"start_interval": "1m0.5s"},
    "networks": {"front": {"aliases": ["b", "a"], "ipv6_address": "fd00::9"}},
}
"""Some of it in another form."""
PASSING = st.fixed_dictionaries(
    {key: st.sampled_from([one, OTHERWISE.get(key, one)]) for key, one in PASSED.items()}
)
PASSED_BY_STACK = optional(
    networks=optional(
        front=st.sampled_from(
            [
                {"external": True, "name": "proxy"},
                {"driver": "bridge", "driver_opts": {"a": 1}, "labels": {"l": "m"}},
                {"ipam": {"config": [{"subnet": "172.30.0.0/16"}]}, "enable_ipv6": True},
                {"internal": True, "attachable": True, "name": "n-${TAG}"},
            ]
        )
    ),
    volumes=optional(
        data=st.sampled_from(
            [
                {"external": True},
                {"name": "old_${TAG}", "labels": ["a=b"]},
                {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": "./v"}},
            ]
        )
    ),
)
TLS = st.sampled_from(
    [
        "off",
        {"mode": "off"},
        {"mode": "self-signed", "hosts": ["a.org"]},
        {"mode": "files", "cert": "./cert.pem", "key": "./key.pem"},
        {"mode": "acme", "email": "me@example.org", "hosts": "a.org", "staging": True},
        {"mode": "acme", "email": "me@example.org", "hosts": "a.org", "challenge": "tls"},
    ]
)
OF_GATEWAY = dict(
    image=st.sampled_from(["traefik:v3.7", "traefik:${UNSET:-v3.7}"]),
    build=BUILD,
    http=st.sampled_from([80, "127.0.0.1:8000"]),
    https=st.sampled_from([443, "[::1]:8443", "${HTTPS:-off}"]),
    dashboard=st.sampled_from([8080, "0.0.0.0:9999", "off"]),
    api=st.just("http://127.0.0.1:9999"),
    tls=TLS.map(lambda tls: {"mode": tls} if isinstance(tls, str) else tls),
    dashboard_host=st.just("d.example.org"),
    socket_proxy=st.sampled_from(["off", {"image": "tecnativa/docker-socket-proxy:0.3"}]),
    socket=st.sampled_from(["/run/user/1000/docker.sock", "${UNSET:-/run/user/1000}/docker.sock"]),
    args=st.lists(WORDS, max_size=2) | st.just(["--log.level=${LEVEL:-DEBUG}"]),
    **CONFINED,
)
TOP = {
    "metrics": st.just({"prometheus": "http://127.0.0.1:9091"}),
    "kubernetes": st.just({"namespace": "shop"}),
    "gateway": optional(**OF_GATEWAY),
    "autoscaler": st.sampled_from([{"enabled": False}, {"enabled": True, "interval": "5s"}]),
}


@dataclass(frozen=True)
class StackFile:
    """A stack file; valid as far as drawing can see to it."""

    data: Data

    @property
    def text(self) -> str:
        return str(yaml.safe_dump(self.data, sort_keys=False, allow_unicode=True))


@st.composite
def stack_files(draw: st.DrawFn) -> StackFile:
    """A stack file with services of every kind, each key of which is there or not."""
    found: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1)):
        found[name] = draw(services(name, tuple(found), draw(PASSING)))
    data: Data = {
        "name": draw(st.sampled_from(["shop", "s-1", "0_x"])),
        "networks": draw(st.permutations(NETWORKS)),
        **draw(optional(**TOP)),
    }
    if not any("autoscale" in service for service in found.values()):
        data.pop("autoscaler", None)
    data["services"] = found
    if passed := draw(PASSED_BY_STACK):
        data["x-compose"] = passed
    return StackFile(data)
