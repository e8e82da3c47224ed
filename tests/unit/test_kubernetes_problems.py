"""What Kubernetes cannot carry of a stack file, or carries otherwise."""

from __future__ import annotations

import pytest
from manifests import Data, web
from memory.stacks import stack_of

from msctl.render import kubernetes

PROBLEMS: list[tuple[Data, tuple[str | int, ...], str]] = [
    ({"volumes": ["./x:/x"]}, ("volumes", 0), "add :ro"),
    ({"volumes": ["./x:/x:ro"]}, ("volumes", 0), "no file or folder"),
    ({"volumes": ["./big:/x:ro"]}, ("volumes",), "a ConfigMap holds 1048576"),
    ({"volumes": ["./none:/x:ro"]}, ("volumes", 0), "empty folder"),
    (
        {
            "volumes": [
                {
                    "type": "volume",
                    "source": "data",
                    "target": "/d",
                    "volume": {"subpath": "part"},
                }
            ]
        },
        ("volumes", 0),
        "mount it whole",
    ),
    (
        {"volumes": [{"type": "tmpfs", "target": "/d", "tmpfs": {"size": "much"}}]},
        ("volumes", 0),
        "no size",
    ),
    ({"ports": ["8000:80"]}, ("ports", 0), "kubernetes.service_type"),
    ({"restart": "no"}, ("restart",), "job: true"),
    ({"command": []}, ("command",), "an empty command"),
    ({"labels": {"traefik.enable": "true"}}, ("labels", "traefik.enable"), "reads no labels"),
    ({"labels": {"a b": "x"}}, ("labels", "a b"), "no name of an annotation"),
    ({"env": {"1A": "x"}}, ("env", "1A"), "no name of a variable"),
    ({"kubernetes": {"env": {"A": None}}}, ("kubernetes", "env", "A"), "has no value"),
    ({"basic_auth": ["alice"]}, ("basic_auth",), "remove basic_auth"),
    (
        {"routes": [{"path": "/", "basic_auth": ["a"]}]},
        ("routes", 0, "basic_auth"),
        "remove basic_auth",
    ),
    ({"kubernetes": {"replicas": 12}}, ("kubernetes", "replicas"), "max: 12"),
    ({"stateful": True, "kubernetes": {"replicas": 2}}, ("kubernetes", "replicas"), "one replica"),
    (
        {"autoscale": {"rps": 5}},
        ("autoscale",),
        "keda: true",
    ),
    (
        {"autoscale": {"cpu": "70%"}, "resources": {"cpus": 1}, "kubernetes": {"replicas": 2}},
        ("kubernetes", "replicas"),
        "an autoscaler says how many",
    ),
    (
        {"job": True, "routes": [], "port": 80, "kubernetes": {"service_type": "NodePort"}},
        ("kubernetes", "service_type"),
        "a job is reached by nobody",
    ),
    (
        {
            "replicas": 2,
            "volumes": ["data:/d"],
            "kubernetes": {"access_mode": "ReadWriteOncePod"},
        },
        ("kubernetes", "access_mode"),
        "ReadWriteMany",
    ),
]


@pytest.mark.parametrize(("service", "path", "message"), PROBLEMS)
def test_what_kubernetes_cannot_carry_is_said(
    service: Data, path: tuple[str | int, ...], message: str
) -> None:
    """Where it is, and what to do about it."""
    contents = {"./big": {"": b"x" * (1024**2 + 1)}, "./none": {}}
    ((where, said),) = kubernetes.problems(web(**service), contents)
    assert where == ("services", "web", *path)
    assert message in said


@pytest.mark.parametrize(
    ("gateway", "path"),
    [
        ({"args": ["--log.level=DEBUG"]}, ("gateway", "args")),
        ({"dashboard_host": "traefik.example.org"}, ("gateway", "dashboard_host")),
        (
            {"tls": {"mode": "acme", "email": "a@b.org", "challenge": "tls"}},
            ("gateway", "tls", "challenge"),
        ),
        ({"tls": {"mode": "files", "cert": "c", "key": "k"}}, ("gateway", "tls", "mode")),
        ({"http": "off", "https": "off"}, ("gateway", "http")),
    ],
)
def test_what_the_gateway_cannot_carry_is_said(gateway: Data, path: tuple[str, ...]) -> None:
    """Nothing of the gateway's is left out silently."""
    stack = stack_of({"web": {"port": 80, "routes": ["/"]}}, gateway=gateway)
    assert [where for where, _ in kubernetes.problems(stack)] == [path]


@pytest.mark.parametrize(
    "name",
    ["1web", "my_web", "web-", "traefik-gateway", "https-redirect", "w" * 51, "front-loadbalancer"],
)
def test_names_that_kubernetes_has_no_room_for(name: str) -> None:
    """A service keeps its name, since others call it by that; so it has to be one."""
    front = {"port": 80, "kubernetes": {"service_type": "LoadBalancer"}}
    (found,) = kubernetes.problems(stack_of({name: {"image": "a"}, "front": front}))
    assert found[0] == ("services", name)


def test_names_of_the_stack() -> None:
    """The project's name is a label; volumes are told apart without `_`; KEDA needs numbers."""
    assert [where for where, _ in kubernetes.problems(stack_of({"web": {}}, name="shop_"))] == [
        ("name",)
    ]
    twins = stack_of({"web": {"volumes": ["a_b:/a", "a-b:/b"]}})
    assert "both be a-b" in next(kubernetes.problems(twins))[1]
    blind = stack_of(
        {"web": {"port": 80, "routes": ["/"], "autoscale": {"rps": 1}}}, kubernetes={"keda": True}
    )
    assert [where for where, _ in kubernetes.problems(blind)] == [("kubernetes", "keda")]


def test_notes_say_what_is_otherwise() -> None:
    """What nobody has to change, but everybody shall know."""
    stack = web(
        autoscale={"cpu": "70%", "rps": 5, "interval": "30s"},
        resources={"cpus": 1},
        restart="on-failure:3",
        volumes=["data:/d"],
    )
    said = list(kubernetes.notes(stack))
    for part, text in zip(
        ("CPU alone", "how often", "ever more", "ReadWriteMany", "baseline"), said, strict=True
    ):
        assert part in text
