"""Random services. The strategies hold what the Compose Specification allows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from composing.document import normal

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
