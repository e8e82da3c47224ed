"""What a container may do on Kubernetes: security contexts, and the profile of the namespace."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory.stacks import stack_of

from msctl.model import Stack
from msctl.render import kubernetes
from msctl.render.confinement import SERVICE_CAPABILITIES

Data = dict[str, Any]
PROFILE = "pod-security.kubernetes.io/enforce"
CAPABILITIES = ("NET_RAW", "CAP_NET_BIND_SERVICE", "SYS_ADMIN", "ALL", "CHOWN")


def web(**more: Any) -> Stack:
    return stack_of({"web": {"port": 8080, **more}})


def pod(stack: Stack) -> Data:
    made = [o for o in kubernetes.objects(stack) if o["kind"] == "Deployment"]
    (found,) = [o for o in made if o["metadata"]["name"] == "web"]
    kubernetes_validate.validate(found, "1.36", strict=True)
    spec: Data = found["spec"]["template"]["spec"]
    return spec


def profile(stack: Stack) -> str:
    labels: dict[str, str] = kubernetes.objects(stack)[0]["metadata"]["labels"]
    return labels[PROFILE]


def test_a_container_that_may_be_root_has_the_capabilities_that_it_has_on_an_engine() -> None:
    """All are dropped but those of entry points that begin as root."""
    (container,) = pod(web(cap_add=["NET_RAW"]))["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": [*SERVICE_CAPABILITIES, "NET_RAW"]},
    }


def test_a_container_of_a_known_user_has_none_but_those_of_the_file() -> None:
    """Without root the usual ones are of no use; names are those of the API."""
    (container,) = pod(web(user="1000:1001", cap_add=["CAP_NET_BIND_SERVICE"]))["containers"]
    assert container["securityContext"]["capabilities"] == {
        "drop": ["ALL"],
        "add": ["NET_BIND_SERVICE"],
    }
    (bare,) = pod(web(user=1000))["containers"]
    assert bare["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("service", "context"),
    [
        ({"user": "1000:1001"}, {"runAsUser": 1000, "runAsGroup": 1001, "fsGroup": 1001}),
        ({"user": "1000"}, {"runAsUser": 1000, "runAsGroup": None, "fsGroup": 1000}),
        ({"user": "0"}, {"runAsUser": 0, "runAsNonRoot": None, "fsGroup": None}),
        ({"user": "1", "kubernetes": {"user": 7}}, {"runAsUser": 7, "runAsGroup": 7}),
        ({"user": "postgres", "image": "postgres:15"}, {"runAsUser": 999, "runAsGroup": 999}),
        ({}, {"runAsUser": None, "runAsNonRoot": None}),
    ],
)
def test_the_user_is_the_files(service: Data, context: Data) -> None:
    """In numbers; the key `kubernetes` wins, and of some images the user's number is known."""
    found = pod(web(**service))["securityContext"]
    assert {key: found.get(key) for key in context} == context


def test_a_read_only_root_has_its_folders_in_memory() -> None:
    """`tmpfs` is an emptyDir with its size; what a mount has already is not made twice."""
    spec = pod(web(read_only=True, tmpfs=["/tmp:size=64m,mode=1777", "/run", "/cache"],
                   volumes=["/cache"]))  # fmt: skip
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert [m["mountPath"] for m in container["volumeMounts"]] == ["/cache", "/tmp", "/run"]
    assert [volume["emptyDir"] for volume in spec["volumes"]] == [
        {},
        {"medium": "Memory", "sizeLimit": "64Mi"},
        {"medium": "Memory"},
    ]


def test_security_options_have_fields_of_their_own() -> None:
    """What Docker writes in words the API has in fields."""
    (container,) = pod(
        web(security_opt=["seccomp=unconfined", "apparmor:mine", "label:type:spc_t"])
    )["containers"]
    assert container["securityContext"] == {
        "seccompProfile": {"type": "Unconfined"},
        "appArmorProfile": {"type": "Localhost", "localhostProfile": "mine"},
        "seLinuxOptions": {"type": "spc_t"},
        "capabilities": {"drop": ["ALL"], "add": list(SERVICE_CAPABILITIES)},
    }


@pytest.mark.parametrize(
    ("service", "wanted"),
    [
        ({"user": 1000}, "restricted"),
        ({"user": 1000, "cap_add": ["NET_BIND_SERVICE"]}, "restricted"),
        ({"user": 1000, "cap_add": ["CHOWN"]}, "baseline"),
        ({"user": 1000, "cap_drop": []}, "baseline"),
        ({"user": 1000, "security_opt": []}, "baseline"),
        ({"user": 0}, "baseline"),
        ({}, "baseline"),
        ({"cap_add": ["NET_ADMIN"]}, "privileged"),
        ({"user": 1000, "security_opt": ["seccomp=unconfined"]}, "privileged"),
        ({"security_opt": ["apparmor=unconfined"]}, "privileged"),
        ({"security_opt": ["label=type:spc_t"]}, "privileged"),
    ],
)
def test_the_namespace_is_held_to_what_its_pods_fit(service: Data, wanted: str) -> None:
    """A stricter profile would refuse them, a wider one would let others in."""
    assert profile(web(**service)) == wanted


@settings(max_examples=30, deadline=None)
@given(
    user=st.sampled_from([None, "0", "1000", "1000:0"]),
    add=st.lists(st.sampled_from(CAPABILITIES), unique=True),
    drop=st.none() | st.lists(st.sampled_from(CAPABILITIES), unique=True),
    options=st.none() | st.lists(st.sampled_from(["no-new-privileges", "seccomp=unconfined"])),
)
def test_restricted_is_only_what_the_restricted_profile_lets_in(
    user: str | None, add: list[str], drop: list[str] | None, options: list[str] | None
) -> None:
    """As the profile's own page has it, whatever the file says."""
    given_keys = {"user": user, "cap_add": add, "cap_drop": drop, "security_opt": options}
    stack = web(**{key: value for key, value in given_keys.items() if value is not None})
    spec = pod(stack)
    context = spec["containers"][0].get("securityContext", {})
    capabilities = context.get("capabilities", {})
    fits = (
        spec["securityContext"].get("runAsNonRoot") is True
        and context.get("allowPrivilegeEscalation") is False
        and "seccompProfile" not in context
        and "ALL" in capabilities.get("drop", ())
        and set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"}
    )
    assert (profile(stack) == "restricted") == fits


@pytest.mark.parametrize(
    ("service", "path", "said"),
    [
        ({"user": "app"}, ("user",), "no node looks names up"),
        ({"user": "1000:staff"}, ("user",), "staff"),
        ({"user": "postgres:staff", "image": "postgres:15"}, None, ""),
        ({"user": "app", "kubernetes": {"user": 5}}, None, ""),
        ({"security_opt": ["seccomp=./mine.json"]}, ("security_opt", 0), "no counterpart"),
        ({"security_opt": ["label:disable"]}, ("security_opt", 0), "no counterpart"),
    ],
)
def test_what_has_no_counterpart_is_said(
    service: Data, path: tuple[str | int, ...] | None, said: str
) -> None:
    """A container is never run with more rights than the file gives it."""
    found = list(kubernetes.problems(web(**service)))
    assert [where for where, _ in found] == ([] if path is None else [("services", "web", *path)])
    assert all(said in message for _, message in found)


def test_what_is_carried_otherwise_is_noted() -> None:
    """Where the file says it, since the defaults are everybody's."""
    stack = stack_of(
        {
            "web": {
                "user": 5, "pids_limit": 9, "logging": "off", "tmpfs": ["/tmp:mode=700"],
                "cap_add": ["CHOWN"], "port": 80, "routes": ["/"],
                "x-compose": {"ulimits": {"nproc": 9}},
            }
        },
        gateway={"read_only": False},
    )  # fmt: skip
    said = "\n".join(kubernetes.notes(stack))
    for part in ("podPidsLimit", "the nodes keep", "only the path", "x-compose.ulimits",
                 "wider one", "gateway.read_only"):  # fmt: skip
        assert part in said
    assert list(kubernetes.notes(web(user=5))) == []
