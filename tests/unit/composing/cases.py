"""Each way to write each key of a service."""

from __future__ import annotations

from typing import Any

from composing.document import service

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
