"""`x-compose` on Kubernetes: each key has a place in a pod, ends the rendering, or is told."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
from everykey import PASSED
from memory.stacks import stack_of

from msctl.model import Stack
from msctl.model.passthrough import SERVICE_KEYS
from msctl.render import kubernetes
from msctl.render.kubernetes.passthrough import CARRIED, ENDS, NO_MATTER, TOLD

Data = dict[str, Any]
PROFILE = "pod-security.kubernetes.io/enforce"


def web(passed: Data, **more: Any) -> Stack:
    return stack_of({"web": {"port": 8080, "user": 1000, "x-compose": passed, **more}})


def made(stack: Stack, kind: str = "Deployment") -> Data:
    assert list(kubernetes.problems(stack)) == []
    (found,) = [
        o for o in kubernetes.objects(stack)
        if (o["kind"], o["metadata"]["name"]) == (kind, "web")
    ]  # fmt: skip
    kubernetes_validate.validate(found, "1.36", strict=True)
    return found


def template(stack: Stack) -> Data:
    found: Data = made(stack)["spec"]["template"]
    return found


def test_each_key_is_carried_or_told() -> None:
    """None is left out silently, and none is in two places."""
    every = [*CARRIED, *NO_MATTER, *ENDS, *TOLD]
    assert sorted(every) == sorted(SERVICE_KEYS)
    ended = {where[-1] for where, _ in kubernetes.problems(web(PASSED))}
    assert set(ENDS) <= ended
    said = " ".join(kubernetes.notes(web(PASSED)))
    for key in TOLD:
        assert f"x-compose.{key} " in said


@pytest.mark.parametrize(
    ("passed", "spec"),
    [
        ({"hostname": "h"}, {"hostname": "h"}),
        ({"init": True}, {"shareProcessNamespace": True}),
        ({"pid": "host", "ipc": "host"}, {"hostPID": True, "hostIPC": True}),
        ({"ipc": "private"}, {"hostIPC": None}),
        (
            {"platform": "linux/arm64/v8"},
            {"nodeSelector": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}},
        ),
        (
            {"extra_hosts": ["a=192.0.2.1", "b:192.0.2.1", "c=::1"]},
            {
                "hostAliases": [
                    {"ip": "192.0.2.1", "hostnames": ["a", "b"]},
                    {"ip": "::1", "hostnames": ["c"]},
                ]
            },
        ),
        (
            {"dns_search": "example.org", "dns_opt": ["ndots:2", "use-vc"]},
            {
                "dnsConfig": {
                    "searches": ["example.org"],
                    "options": [{"name": "ndots", "value": "2"}, {"name": "use-vc"}],
                }
            },
        ),
    ],
)
def test_fields_of_the_pod(passed: Data, spec: Data) -> None:
    """By the names that the API has for them."""
    found = template(web(passed))["spec"]
    assert {key: found.get(key) for key in spec} == spec


def test_fields_of_the_container() -> None:
    """Folder, terminal, and annotations of the pod."""
    passed = {"working_dir": "/w", "tty": True, "stdin_open": True, "annotations": {"a": "b"}}
    found = template(web(passed))
    (container,) = found["spec"]["containers"]
    assert (container["workingDir"], container["tty"], container["stdin"]) == ("/w", True, True)
    assert found["metadata"]["annotations"] == {"a": "b"}


def test_groups_and_sysctls_are_of_the_security_context() -> None:
    """Groups by number; a sysctl that not every kubelet allows is told."""
    stack = web({"group_add": [44, "1000"], "sysctls": {"net.core.somaxconn": 1024}})
    context = template(stack)["spec"]["securityContext"]
    assert context["supplementalGroups"] == [44, 1000]
    assert context["sysctls"] == [{"name": "net.core.somaxconn", "value": "1024"}]
    assert any("allowedUnsafeSysctls" in note for note in kubernetes.notes(stack))
    safe = web({"sysctls": ["net.ipv4.tcp_syncookies=1"]})
    assert not any("allowedUnsafeSysctls" in note for note in kubernetes.notes(safe))


def test_a_privileged_container_is_one_that_the_api_takes() -> None:
    """It refuses one that is privileged and may not escalate."""
    (container,) = template(web({"privileged": True}))["spec"]["containers"]
    assert container["securityContext"] == {"privileged": True}


@pytest.mark.parametrize(
    ("passed", "profile"),
    [
        ({}, "restricted"),
        ({"privileged": True}, "privileged"),
        ({"pid": "host"}, "privileged"),
        ({"sysctls": {"net.core.somaxconn": 1}}, "privileged"),
        ({"sysctls": {"net.ipv4.tcp_syncookies": 1}}, "restricted"),
        ({"init": True, "shm_size": "64m", "group_add": [5], "tty": True}, "restricted"),
    ],
)
def test_the_namespace_lets_the_pod_in(passed: Data, profile: str) -> None:
    """It is held to the strictest profile that the pod fits."""
    assert kubernetes.objects(web(passed))[0]["metadata"]["labels"][PROFILE] == profile


def test_shared_memory_is_a_folder_in_memory() -> None:
    """As large as the file says; not where the node's is shared, or something is mounted there."""
    spec = template(web({"shm_size": "64m"}))["spec"]
    assert spec["volumes"] == [
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
    ]
    assert spec["containers"][0]["volumeMounts"] == [{"name": "shm", "mountPath": "/dev/shm"}]
    assert "volumes" not in template(web({"shm_size": "64m", "ipc": "host"}))["spec"]
    taken = template(web({"shm_size": "64m"}, tmpfs=["/dev/shm:size=1m"]))["spec"]
    assert [volume["name"] for volume in taken["volumes"]] == ["tmpfs-0"]


def test_exposed_ports_are_reached_by_the_services_name() -> None:
    """Ranges and protocols too; the service's own port comes first."""
    stack = web({"expose": ["9000-9001", "53/udp", 8080]})
    ports = made(stack, "Service")["spec"]["ports"]
    assert [(p["port"], p["protocol"]) for p in ports] == [
        (8080, "TCP"), (9000, "TCP"), (9001, "TCP"), (53, "UDP"),
    ]  # fmt: skip


def test_a_start_is_asked_as_often_as_the_file_says() -> None:
    """And no less patiently."""
    stack = web({"healthcheck": {"start_interval": "3s"}}, health={"path": "/up"})
    probe = template(stack)["spec"]["containers"][0]["startupProbe"]
    assert (probe["periodSeconds"], probe["failureThreshold"]) == (3, 20)


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        ({"devices": ["/dev/fuse"]}, "no place in a pod"),
        ({"gpus": "all"}, "GPU"),
        (
            {"deploy": {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"]}]}}}},
            "no place",
        ),
        ({"group_add": ["audio"]}, "audio is no number"),
        ({"extra_hosts": ["host.docker.internal:host-gateway"]}, "host-gateway is no address"),
        ({"hostname": "A_b"}, "no name of a pod"),
        ({"annotations": {"a/b/c": "d"}}, "no name of an annotation"),
    ],
)
def test_what_no_pod_can_be_given_ends_it(passed: Data, said: str) -> None:
    """At its key, with what to do."""
    [(where, message)] = kubernetes.problems(web(passed))
    assert where[:4] == ("services", "web", "x-compose", next(iter(passed)))
    assert said in message


def test_what_is_said_of_networks_and_volumes_is_told() -> None:
    """A driver or a name of Docker's means nothing to a cluster."""
    stack = stack_of(
        {"web": {"volumes": ["data:/d"], "kubernetes": {"access_mode": "ReadWriteOnce"}}},
        **{"x-compose": {"volumes": {"data": {"driver": "nfs"}}}},
    )
    assert any(
        note.startswith("x-compose.volumes: data: what Compose says")
        for note in kubernetes.notes(stack)
    )
