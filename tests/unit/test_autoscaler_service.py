"""The autoscaler as a service of the stack: rendered, planned, built, and what it exports."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from memory import MemoryEngine, World, finish, images_of, planned
from memory.stacks import stack_of
from prometheus_client import generate_latest

import msctl
from msctl import ownimage
from msctl.assessment.assess import assess
from msctl.assessment.problem import Problem
from msctl.autoscale.records import Decision, History, Reading
from msctl.model import Operator, Stack
from msctl.monitoring.exporter import Exporter
from msctl.ownimage import context, reference, requirements
from msctl.render.canonical import canonical
from msctl.render.canonical.confighash import config_hash
from msctl.render.compose import compose_file, document
from msctl.render.socketproxy import IMAGE as PROXY_IMAGE

WEB = {
    "port": 80,
    "routes": ["/"],
    "health": {"path": "/health"},
    "networks": ["front"],
    "replicas": {"initial": 2, "max": 5},
    "autoscale": {"min": 1, "max": 5, "rps": 10},
}
PROMETHEUS = {"port": 9090, "stateful": True, "networks": ["back"]}
IMAGE = "localhost/msctl-autoscaler:0.1.0-0123456789ab"
OPERATOR = Operator("/srv/shop/stack.yaml", "1000:1001", "/home/op/locks", IMAGE)


def shop(**autoscaler: Any) -> Stack:
    found = stack_of(
        {"web": WEB, "prometheus": PROMETHEUS, "db": {"networks": ["data"]}},
        networks=["front", "back", "data"],
        autoscaler={"enabled": True, **autoscaler},
    )
    return found.of_operator(OPERATOR)


def services(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = document(stack)["services"]
    return found


def test_it_works_where_the_operator_works() -> None:
    """As the same user, on the same paths and locks, so that hashes and lock agree."""
    scaler = services(shop())["autoscaler"]
    assert (scaler["image"], scaler["user"]) == (IMAGE, "1000:1001")
    assert scaler["volumes"] == [
        "/srv/shop:/srv/shop:ro",
        "/home/op/locks:/home/op/locks",
    ]
    assert scaler["environment"] == {
        "DOCKER_HOST": "tcp://autoscaler-proxy:2375",
        "MSCTL_FILE": "/srv/shop/stack.yaml",
        "MSCTL_LOCKS": "/home/op/locks",
        "MSCTL_GATEWAY_API": "http://traefik:8080",
        "MSCTL_PROMETHEUS": "http://prometheus:9090",
    }
    assert scaler["command"] == ["-p", "shop", "autoscale", "--metrics=9101"]
    assert "--interval=2.5" in services(shop(interval="2500ms"))["autoscaler"]["command"]


def test_nobody_else_reaches_its_proxy() -> None:
    """It is on a network with the autoscaler alone, and neither has a port on the host."""
    found = document(shop())
    joined = [n for n, s in found["services"].items() if "autoscaler-proxy" in s["networks"]]
    assert joined == ["autoscaler", "autoscaler-proxy"]
    assert found["networks"]["autoscaler-proxy"] == {"internal": True}
    assert found["services"]["autoscaler"]["networks"] == ["front", "back", "autoscaler-proxy"]
    for name in joined:
        one = found["services"][name]
        assert not {"ports", "privileged"} & one.keys()
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
    assert "cap_add" not in found["services"]["autoscaler"]


def test_without_it_nothing_of_it_is_there() -> None:
    """It is off by default."""
    assert not {"autoscaler", "autoscaler-proxy"} & services(shop(enabled=False)).keys()


def test_the_gateways_api_answers_inside_though_it_is_not_published() -> None:
    """Draining takes it."""
    more = {"gateway": {"dashboard": "off"}, "autoscaler": {"enabled": True}}
    found = services(stack_of({"web": {**WEB, "networks": []}}, **more).of_operator(OPERATOR))
    assert "--api.insecure=true" in found["traefik"]["command"]


def test_docker_compose_hashes_it_alike(tmp_path: Path) -> None:
    """What msctl makes is what Docker Compose would make of the rendered file."""
    stack = shop(interval="5s")
    (tmp_path / "docker-compose.yml").write_text(compose_file(stack, source="stack.yaml"))
    binary = Path(sys.executable).with_name("docker-compose")
    printed = subprocess.run(
        [binary, "-f", tmp_path / "docker-compose.yml", "config", "--hash", "*"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/home/op"},
    ).stdout
    normal = canonical(document(stack), working_dir=str(tmp_path), project="shop")
    assert dict(line.split() for line in printed.splitlines()) == {
        name: config_hash(found) for name, found in normal["services"].items()
    }


def test_up_brings_it_and_status_misses_it() -> None:
    """A stack without it serves on, so that it is a warning."""
    stack = shop()
    world = World().have(*images_of(stack), IMAGE, PROXY_IMAGE)
    world.files["/srv/shop"] = ""
    engine = MemoryEngine(world, stack)
    finish(engine)
    assert world.containers["shop-autoscaler-1"].running
    assert str(planned(world, stack)) == ""
    assert of_autoscaler(stack, engine) == []
    world.stop("shop-autoscaler-1")
    [problem] = of_autoscaler(stack, engine)
    assert (problem.severity, problem.service) == ("warning", "autoscaler")
    finish(MemoryEngine(world, shop(enabled=False)))
    assert not [name for name in world.containers if "autoscaler" in name]


def of_autoscaler(stack: Stack, engine: MemoryEngine) -> list[Problem]:
    found = assess(stack, engine.observe(), engine="compose").problems
    return [problem for problem in found if problem.kind == "autoscaler"]


def test_its_image_is_this_msctl() -> None:
    """Its context has Dockerfile, requirements without the extras', and the package; twice the
    same, so that the engine's cache knows it."""
    first, second = context(), context()
    assert first == second
    with tarfile.open(fileobj=BytesIO(first)) as tar:
        names = tar.getnames()
    assert {"Dockerfile", "requirements.txt", "msctl/__main__.py", "msctl/py.typed"} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("/")]
    assert any(one.startswith("prometheus-client") for one in requirements())
    assert not [one for one in requirements() if one.startswith(("pytest", "ruff"))]


def test_another_msctl_has_another_image(tmp_path: Path) -> None:
    """Its name is of its contents: a changed module, requirement or Dockerfile gives another, what
    Python compiles does not; the same name asks for the same image."""
    package = tmp_path / "msctl"
    shutil.copytree(ownimage.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    first = reference(package)
    assert first == reference()
    assert re.fullmatch(rf"{IMAGE.partition(':')[0]}:{msctl.__version__}-[0-9a-f]{{12}}", first)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "plan.cpython-311.pyc").write_bytes(b"x")
    assert reference(package) == first
    names = {first}
    for changed in ("plan.py", "ownimage/autoscaler.Dockerfile"):
        with (package / changed).open("a") as file:
            file.write("\n")
        names.add(reference(package))
    (package / "cli" / "new.py").write_text("")
    assert len(names | {reference(package)}) == 4


def test_an_upgrade_of_msctl_replaces_the_autoscaler_alone() -> None:
    """`status` tells of the old one, and `up` replaces it, once."""
    world = World().have(*images_of(shop()), IMAGE, PROXY_IMAGE)
    world.files["/srv/shop"] = ""
    finish(MemoryEngine(world, shop()))
    before = dict(world.containers)
    newer = shop().of_operator(replace(OPERATOR, image=f"{IMAGE[:-1]}c"))
    world.have(f"{IMAGE[:-1]}c")
    assert [p.kind for p in of_revision(newer, MemoryEngine(world, newer))] == ["outdated"]
    assert "web" not in str(planned(world, newer))
    finish(MemoryEngine(world, newer))
    replaced = {name for name, one in world.containers.items() if before.get(name) is not one}
    assert replaced == {"shop-autoscaler-1"}
    assert str(planned(world, newer)) == ""


def of_revision(stack: Stack, engine: MemoryEngine) -> list[Problem]:
    normal = canonical(document(stack), working_dir="/srv/shop", project="shop")["services"]
    hashes = {name: config_hash(found) for name, found in normal.items()}
    found = assess(stack, engine.observe(), engine="compose", hashes=hashes).problems
    return [problem for problem in found if problem.service == "autoscaler"]


def decision(replicas: int, *readings: Reading) -> Decision:
    return Decision(replicas, "because", readings, History())


def test_the_dashboard_asks_for_what_is_exported() -> None:
    """By name; a counter has `_total` behind it."""
    board = Path(__file__).parents[2] / "grafana" / "dashboards" / "musicshare.json"
    asked = set(re.findall(r"msctl_autoscaler_\w+", board.read_text()))
    exported = {metric.name for metric in Exporter().registry.collect()}
    assert asked
    assert {name.removesuffix("_total") for name in asked} <= exported


def test_decisions_become_metrics() -> None:
    """Wanted and current replicas, decisions by change and metric, CPU of each replica; one that
    is gone is no longer told."""
    exporter = Exporter()
    cpu = Reading("cpu", 90.0, 70.0, 3, 2.6)
    rps = Reading("rps", None, 10.0, None)
    exporter.decided("web", 2, decision(3, cpu, rps), {"web-1": 95.0, "web-2": None})
    exporter.decided("web", 3, decision(3, cpu, rps), {"web-3": 50.0})
    exporter.decided("db", 3, decision(2, rps), {})
    told = generate_latest(exporter.registry).decode().splitlines()
    assert {line for line in told if line.startswith("msctl") and "_created" not in line} == {
        'msctl_autoscaler_wanted_replicas{service="web"} 3.0',
        'msctl_autoscaler_wanted_replicas{service="db"} 2.0',
        'msctl_autoscaler_current_replicas{service="web"} 3.0',
        'msctl_autoscaler_current_replicas{service="db"} 3.0',
        'msctl_autoscaler_cpu_ratio{replica="web-3",service="web"} 0.5',
        'msctl_autoscaler_decisions_total{change="up",metric="cpu",service="web"} 1.0',
        'msctl_autoscaler_decisions_total{change="none",metric="cpu",service="web"} 1.0',
        'msctl_autoscaler_decisions_total{change="down",metric="unknown",service="db"} 1.0',
    }
