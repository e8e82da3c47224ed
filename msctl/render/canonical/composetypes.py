"""The structs of compose-go (``types/types.go``), as tables.

Of each: its fields in the order in which Go writes them, how a field is read from YAML, and which
values Go leaves out. Checked against Docker Compose 5.6.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from msctl.frozen import dataclass


@dataclass(frozen=True)
class Kind:
    """How a value is read (by ``msctl.render.canonical``) and how Go writes it."""

    reads: str
    zeros: tuple[object, ...] = ()  # left out when equal to one of these: Go's omitempty
    absent: str | None = None  # the JSON to write when there is no value
    of: Kind | None = None  # of each element
    fields: Mapping[str, Kind] | None = None  # of a struct, in Go's order
    hashed: bool = True


def _list(of: Kind, reads: str = "list") -> Kind:
    return Kind(reads, zeros=([],), of=of)


def _map(of: Kind, reads: str = "map") -> Kind:
    return Kind(reads, zeros=({},), of=of)


def _fields(**fields: Kind) -> Kind:
    """A struct behind a Go pointer: written when given, even empty."""
    return Kind("struct", fields=fields)


def _pointer(kind: Kind) -> Kind:
    """A field that is written when given, even if it is zero."""
    return replace(kind, zeros=())


def _unhashed(kind: Kind) -> Kind:
    return replace(kind, hashed=False, absent=None)


TEXT = Kind("text", zeros=("",))
FLAG = Kind("flag", zeros=(False,))
OPT_OUT = Kind("flag", zeros=(True,))
NUMBER = Kind("number", zeros=(0,))
REAL = Kind("real", zeros=(0,))
BYTES = Kind("bytes", zeros=("0",))
DURATION = Kind("duration", zeros=("0s",))
SPAN = _pointer(DURATION)
COMMAND = Kind("command", absent="null")
TEXTS = _list(TEXT)  # a list
SET = _list(TEXT, "set")  # a list in which a later `key=…` replaces an earlier one
ONE_OR_MORE = _list(TEXT, "one_or_more")  # a set that may be written as one string
PAIRS = Kind("pairs", zeros=({},))  # a map of strings, or a list of `key=value`
ENVIRONMENT = Kind("environment", zeros=({},))  # pairs, where null means: from the host
MOUNTED_FILE = _fields(source=TEXT, target=TEXT, uid=TEXT, gid=TEXT, mode=Kind("mode"))
DEVICE = _fields(source=TEXT, target=TEXT, permissions=TEXT)
DEVICE_REQUEST = replace(
    _fields(
        capabilities=TEXTS,
        driver=TEXT,
        count=Kind("count", zeros=(0,)),
        device_ids=TEXTS,
        options=PAIRS,
    ),
    reads="device_request",
)
RESOURCE = _fields(
    cpus=REAL,
    memory=BYTES,
    pids=NUMBER,
    devices=_list(DEVICE_REQUEST),
    generic_resources=_list(
        _fields(
            discrete_resource_spec=_fields(
                kind=replace(TEXT, zeros=(), absent='""'),
                value=replace(NUMBER, zeros=(), absent="0"),
            )
        )
    ),
)
UPDATE = _fields(
    parallelism=_pointer(NUMBER),
    delay=DURATION,
    failure_action=TEXT,
    monitor=DURATION,
    max_failure_ratio=REAL,
    order=TEXT,
)
DEPLOY = _fields(
    mode=TEXT,
    replicas=_unhashed(NUMBER),
    labels=PAIRS,
    update_config=UPDATE,
    rollback_config=UPDATE,
    resources=replace(_fields(limits=RESOURCE, reservations=RESOURCE), absent="{}"),
    restart_policy=_fields(condition=TEXT, delay=SPAN, max_attempts=_pointer(NUMBER), window=SPAN),
    placement=replace(
        _fields(
            constraints=TEXTS,
            preferences=_list(_fields(spread=TEXT)),
            max_replicas_per_node=NUMBER,
        ),
        absent="{}",
    ),
    endpoint_mode=TEXT,
)
HEALTHCHECK = _fields(
    test=Kind("test", zeros=([],)),
    timeout=SPAN,
    interval=SPAN,
    retries=_pointer(NUMBER),
    start_period=SPAN,
    start_interval=SPAN,
    disable=FLAG,
)
HOOK = _fields(
    command=COMMAND,
    user=TEXT,
    privileged=FLAG,
    working_dir=TEXT,
    environment=ENVIRONMENT,
)
ATTACHMENT = _fields(
    aliases=SET,
    driver_opts=PAIRS,
    gw_priority=NUMBER,
    interface_name=TEXT,
    ipv4_address=TEXT,
    ipv6_address=TEXT,
    link_local_ips=SET,
    mac_address=TEXT,
    priority=NUMBER,
)
PORT = _fields(
    name=TEXT,
    mode=TEXT,
    host_ip=TEXT,
    target=NUMBER,
    published=TEXT,
    protocol=TEXT,
    app_protocol=TEXT,
)
MOUNT = _fields(
    type=TEXT,
    source=TEXT,
    target=TEXT,
    read_only=FLAG,
    consistency=TEXT,
    bind=_fields(selinux=TEXT, propagation=TEXT, create_host_path=OPT_OUT, recursive=TEXT),
    volume=_fields(labels=PAIRS, nocopy=FLAG, subpath=TEXT),
    tmpfs=_fields(size=BYTES, mode=NUMBER),
    image=_fields(subpath=TEXT),
)
ULIMIT = replace(_fields(soft=NUMBER, hard=NUMBER), reads="ulimit")
DEPENDENCY = _fields(condition=TEXT, restart=FLAG, required=FLAG)
SERVICE = _fields(
    profiles=_unhashed(SET),
    annotations=PAIRS,
    attach=_pointer(FLAG),
    build=_unhashed(Kind("build")),
    blkio_config=_fields(weight=NUMBER),
    cap_add=SET,
    cap_drop=SET,
    cgroup_parent=TEXT,
    cgroup=TEXT,
    cpu_count=NUMBER,
    cpu_percent=REAL,
    cpu_period=NUMBER,
    cpu_quota=NUMBER,
    cpu_rt_period=NUMBER,
    cpu_rt_runtime=NUMBER,
    cpus=REAL,
    cpuset=TEXT,
    cpu_shares=NUMBER,
    command=COMMAND,
    configs=_list(MOUNTED_FILE, "configs"),
    container_name=TEXT,
    credential_spec=_fields(config=TEXT, file=TEXT, registry=TEXT),
    depends_on=_unhashed(_map(DEPENDENCY, "depends_on")),
    deploy=DEPLOY,
    device_cgroup_rules=TEXTS,
    devices=_list(DEVICE, "devices"),
    dns=ONE_OR_MORE,
    dns_opt=SET,
    dns_search=ONE_OR_MORE,
    domainname=TEXT,
    entrypoint=COMMAND,
    environment=ENVIRONMENT,
    expose=SET,
    external_links=TEXTS,
    extra_hosts=Kind("hosts", zeros=([],)),
    group_add=TEXTS,
    gpus=_list(DEVICE_REQUEST, "gpus"),
    hostname=TEXT,
    healthcheck=HEALTHCHECK,
    image=TEXT,
    init=_pointer(FLAG),
    ipc=TEXT,
    isolation=TEXT,
    labels=PAIRS,
    links=SET,
    logging=_fields(driver=TEXT, options=PAIRS),
    mem_limit=BYTES,
    mem_reservation=BYTES,
    memswap_limit=BYTES,
    mem_swappiness=BYTES,
    mac_address=TEXT,
    network_mode=TEXT,
    networks=_map(ATTACHMENT, "attachments"),
    oom_kill_disable=FLAG,
    oom_score_adj=NUMBER,
    pid=TEXT,
    pids_limit=NUMBER,
    platform=TEXT,
    ports=_list(PORT, "ports"),
    privileged=FLAG,
    pull_policy=_unhashed(TEXT),
    read_only=FLAG,
    restart=TEXT,
    runtime=TEXT,
    scale=_unhashed(NUMBER),
    secrets=_list(MOUNTED_FILE, "secrets"),
    security_opt=TEXTS,
    shm_size=BYTES,
    stdin_open=FLAG,
    stop_grace_period=SPAN,
    stop_signal=TEXT,
    storage_opt=PAIRS,
    sysctls=PAIRS,
    tmpfs=ONE_OR_MORE,
    tty=FLAG,
    ulimits=_map(ULIMIT),
    use_api_socket=FLAG,
    user=TEXT,
    userns_mode=TEXT,
    uts=TEXT,
    volumes=_list(MOUNT, "mounts"),
    volumes_from=TEXTS,
    working_dir=TEXT,
    post_start=_list(HOOK),
    pre_stop=_list(HOOK),
)
NETWORK = _fields(
    name=TEXT,
    driver=TEXT,
    driver_opts=PAIRS,
    ipam=replace(
        _fields(
            driver=TEXT,
            config=_list(_fields(subnet=TEXT, gateway=TEXT, ip_range=TEXT, aux_addresses=PAIRS)),
            options=PAIRS,
        ),
        absent="{}",
    ),
    external=FLAG,
    internal=FLAG,
    attachable=FLAG,
    labels=PAIRS,
    enable_ipv4=_pointer(FLAG),
    enable_ipv6=_pointer(FLAG),
)
VOLUME = _fields(name=TEXT, driver=TEXT, driver_opts=PAIRS, external=FLAG, labels=PAIRS)
FILE = _fields(
    name=TEXT,
    file=TEXT,
    environment=TEXT,
    content=TEXT,
    external=FLAG,
    labels=PAIRS,
    driver=TEXT,
    driver_opts=PAIRS,
    template_driver=TEXT,
)
RESOURCES = {"networks": NETWORK, "volumes": VOLUME, "secrets": FILE, "configs": FILE}
