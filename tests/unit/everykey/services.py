"""One service of a drawn stack file."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]
Drawn = st.SearchStrategy[Any]

NETWORKS = ("front", "back", "data_net")
ENVIRON = {"TAG": "1.4", "EMPTY": "", "DOLLAR": "a$b", "FOLDER": "./files", "FROM_HERE": "yes",
           "VOLUME": "var-data"}  # fmt: skip
"""The environment in which files are read."""
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00$"), max_size=10)
TEXTS = WORDS | st.sampled_from(
    ["${TAG}", "${UNSET:-x}", "$$HOME", "a${EMPTY}b", "${DOLLAR}", "${TAG:+on}", "<&>\u2028", "yes",
     "${TAG:?not set}", "${EMPTY?}", "${EMPTY:+x}", "${UNSET-}", "${UNSET:-${TAG}-$$}", "$1", "a$",
     "$(date)", "${COMPOSE_PROJECT_NAME}", "${COMPOSE_PROJECT_NAME:-x}", "$TAG$TAG", "1e3", "0x1F",
     "017", "12:30", "2001-01-01", "null", "~", "ünï", "\U0001f600", "tr ", "\n", "a\n b\n"]
)  # fmt: skip
"""Values that pass through: a dollar in them is a variable, or two for one."""
KEYS = st.text(st.sampled_from("ABCdef019_"), max_size=5).map("V{}".format)
VALUES = (
    TEXTS
    | st.integers(-5, 10**12)
    | st.booleans()
    | st.floats(-1e30, 1e30)
    | st.dates(date(1990, 1, 1), date(2030, 1, 1))
)
DURATIONS = st.sampled_from(["10s", "1m30s", "500ms", "1h", "1.5s"])
SIZES = st.sampled_from(["64M", "1G", "100663296", "0.5g"])


def optional(**keys: Drawn) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries({}, optional=keys)


def some(*values: Any) -> Drawn:
    return st.lists(st.sampled_from(values), unique_by=repr, max_size=3)


BUILD = st.just("./src") | st.fixed_dictionaries(
    {"context": st.sampled_from(["./src", "~/src", "${FOLDER}", "https://a.org/a.git"])},
    optional={"dockerfile": st.just("D"), "args": st.dictionaries(KEYS, VALUES, max_size=2)},
)
COMMAND = st.lists(TEXTS, max_size=3) | st.sampled_from(
    ["run --it 'now then'", 'sh -c "echo $$HOME ${TAG}"', "a\\ b"]
)
CONFINED: dict[str, Drawn] = {
    "user": st.sampled_from(["1000:1000", "nobody", 1000]),
    "read_only": st.booleans(),
    "tmpfs": some("/run", "/tmp:size=1m", "/var/tmp:mode=1777,size=2m", "/x:size=1M,exec"),
    "cap_add": some("NET_RAW", "sys_time", "CAP_NET_ADMIN"),
    "cap_drop": some("ALL", "MKNOD"),
    "security_opt": some("no-new-privileges:true", "apparmor:unconfined"),
    "pids_limit": st.sampled_from([100, "200", "off", False, -1]),
    "logging": st.sampled_from(
        [
            "off",
            {"driver": "local"},
            {"driver": "json-file", "options": {"max-file": 5, "tag": "t"}},
        ]
    ),
}
"""Of services and of the gateway."""
MIDDLEWARES: dict[str, Drawn] = {
    "rate_limit": st.sampled_from(["off", 100, {"average": 5, "burst": 9, "period": "1m"}]),
    "in_flight": st.sampled_from(["off", 10]),
    "headers": st.sampled_from(
        ["off", {"frame": "sameorigin", "csp": "default-src 'self'", "hsts": "1h"},
         {"response": {"X-A": "b", "X-Gone": ""}, "permissions": "camera=()", "referrer": "off"}]
    ),
    "ip_allow": st.sampled_from(["off", "10.0.0.0/8", ["192.0.2.1", "::1"]]),
    "basic_auth": st.sampled_from(["off", "alice", ["bob", "carol"]]),
    "body_limit": st.sampled_from(["off", "10M"]),
    "retry": st.sampled_from(["off", 5, {"attempts": 2, "interval": "10ms"}]),
}  # fmt: skip
HEALTH_TIMES: dict[str, Drawn] = {
    "interval": DURATIONS,
    "timeout": DURATIONS,
    "retries": st.integers(1, 100),
    "start_period": DURATIONS,
}
HEALTH = (
    st.fixed_dictionaries(
        {"path": st.sampled_from(["/", "/health", "/it's/up"])},
        optional={**HEALTH_TIMES, "command": st.sampled_from(["auto", "none", ["true", "a b"]])},
    )
    | st.fixed_dictionaries({"grpc": st.just(True)}, optional=HEALTH_TIMES)
    | st.fixed_dictionaries(
        {"command": st.lists(WORDS, min_size=1, max_size=3)}, optional=HEALTH_TIMES
    )
)
MOUNTS = some(
    "data:/m1", "./a:/m2:ro", "../b:/m3", "/c:/m4:rw,z", "~/d:/m5", "/m6", "${FOLDER}:/m7",
    "more-data:/m8:nocopy", "${UNSET:-some-data}:/m12", "${VOLUME}:/m13:ro", "./a/../f/:/m14/:Z",
    {"type": "volume", "source": "${UNSET-some-data}", "target": "/m15"},
    {"type": "volume", "source": "data", "target": "/m16",
     "volume": {"nocopy": True, "subpath": "s"}},
    {"type": "bind", "source": "~/g", "target": "/m17",
     "bind": {"propagation": "rslave", "create_host_path": False, "selinux": "z"}},
    {"type": "tmpfs", "target": "/m18", "tmpfs": {"size": "10m", "mode": 0o1777}},
    {"type": "bind", "source": "./e", "target": "/m9", "read_only": True},
    {"type": "volume", "source": "data", "target": "/m10"},
    {"type": "tmpfs", "target": "/m11", "tmpfs": {"size": 1048576}},
)  # fmt: skip
PORTS = some(
    "80", "127.0.0.1::81", "19000-19009:9000", "19100-19109:82/udp", 8080,
    "::86", "[::1]::87/udp", "90-91", "0.0.0.0:19300-19309:92/sctp",
    {"target": 88, "published": "19400-19410", "host_ip": "::1", "name": "n", "mode": "host"},
    {"target": 83}, {"target": 84, "published": "19200-19210", "protocol": "tcp"},
)  # fmt: skip
SECRETS = some(
    "one", {"name": "two", "target": "/etc/two"}, {"name": "three", "template": "x={secret}\n"}
)
RESOURCES = optional(
    cpus=st.floats(0.25, 64) | st.just("1.5"),
    memory=SIZES,
    reserve=optional(cpus=st.floats(0.01, 0.25), memory=st.just("16M")),
)
STICKY = st.just("cookie") | st.just(
    {"name": "c", "secure": True, "http_only": True, "same_site": "strict", "max_age": 60}
)
ROLLOUT = optional(
    surge=st.sampled_from([1, "50%"]), health_timeout=DURATIONS, monitor=DURATIONS,
    drain=DURATIONS, order=st.just("stop-first"),
)  # fmt: skip
KUBERNETES = optional(service_type=st.just("NodePort"))
ANY: dict[str, Drawn] = {
    "build": BUILD,
    "command": COMMAND,
    "entrypoint": COMMAND,
    "env": st.dictionaries(KEYS | st.just("FROM_HERE"), VALUES | st.none(), max_size=4)
    | st.just(["A=1", "B=", "FROM_HERE", "C=${TAG}"]),
    "env_file": some("some.env", "./other.env", "odd.env")
    | st.just(["some.env", {"path": "nowhere.env", "required": False}]),
    "volumes": MOUNTS,
    "labels": st.dictionaries(KEYS, VALUES, max_size=3) | st.just(["a=b", "c="]),
    "restart": st.sampled_from(["no", False, "on-failure", "on-failure:3"]),
    "stop_grace": DURATIONS,
    "networks": some(*NETWORKS),
    "secrets": SECRETS,
    "resources": RESOURCES,
    "optional": st.booleans(),
    "kubernetes": KUBERNETES,
    **CONFINED,
}
"""Keys of a service of whatever kind."""
SCALED: dict[str, Drawn] = {
    "ports": PORTS,
    "replicas": st.integers(1, 10)
    | st.sampled_from([{"initial": 3, "max": 5}, {"min": 2, "initial": 4}]),
    "rollout": ROLLOUT,
}
ROUTED: dict[str, Drawn] = {"sticky": STICKY, "health": HEALTH, **MIDDLEWARES}


@st.composite
def services(draw: st.DrawFn, name: str, earlier: tuple[str, ...], passed: Data) -> Data:
    """One service of any kind, which may need those before it; `passed` is what its `x-compose`
    may hold."""
    kind = draw(st.sampled_from(["routed", "routed", "internal", "stateful", "job"]))
    keys = dict(ANY)
    fixed: dict[str, Drawn] = {"image": st.sampled_from(["shop/api:${TAG}", "postgres:15", "i"])}
    if kind in ("routed", "internal"):
        keys |= SCALED
    if kind == "routed":
        keys |= ROUTED
        fixed |= {"port": st.sampled_from([80, 8000, "8080"]), "routes": routes(name)}
    elif kind == "internal":
        keys |= {"port": st.just(8000), "restart": st.sampled_from(["always", "unless-stopped"])}
    else:
        fixed |= {kind: st.just(True)}
    if kind == "stateful":
        keys |= {"ports": some(f"127.0.0.1:{20000 + len(earlier)}:5432", "5433")}
    found: Data = draw(st.fixed_dictionaries(fixed, optional=keys))
    if kind == "routed" and draw(st.booleans()):
        found["autoscale"] = {"rps": 50, "latency_p95": "500ms"}
    if earlier:
        found["needs"] = draw(st.lists(st.sampled_from(earlier), unique=True))
    chosen = draw(st.sets(st.sampled_from(sorted(passed)), max_size=6))
    if more := {key: passed[key] for key in sorted(chosen) if _may_pass(key, found)}:
        found["x-compose"] = more
    return found


def routes(name: str) -> Drawn:
    """Routes that no other service has."""
    route = st.fixed_dictionaries(
        {"path": st.sampled_from([f"/{name}", f"/{name}/v2", f"/it's/{name}"])},
        optional={
            "host": st.sampled_from(["a.org", "www.a.org"]),
            "strip": st.booleans(),
            "priority": st.integers(1, 1000),
            **MIDDLEWARES,
        },
    )
    return st.just([f"/{name}"]) | st.lists(
        route, min_size=1, max_size=3, unique_by=lambda r: (r.get("host"), r["path"])
    )


def _may_pass(key: str, service: Data) -> bool:
    """What is said of a build or a check needs one."""
    if key == "build":
        return "build" in service
    if key == "networks":
        return "front" in service.get("networks", ())
    return key != "healthcheck" or "health" in service
