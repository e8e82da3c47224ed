"""Secrets on the real engine: rotated without a lost request, and nowhere to be read."""

from __future__ import annotations

import json
import threading

import pytest
from live import Stack, free_port, service
from live.onlooker import Onlooker, secret_lines

pytestmark = pytest.mark.engine


def test_rotated_under_visitors_and_nowhere_to_be_found(stack: Stack) -> None:
    """Users see the new value, requests go on, a stateful user is told by its command; neither
    value is in labels, environments, files, messages or logs. `up` after a hand-edited secret
    replaces its users and nobody else."""
    keep = {"name": "token", "rotate": ["sh", "-c", "cat $$MSCTL_SECRET_FILE > /tmp/told"]}
    stack.write(
        {
            "web": service("/", secrets=["token"], replicas=2),
            "db": service(stateful=True, secrets=[keep]),
            "other": service(),
        }
    )
    outputs = [stack.ok("up")]
    path = stack.folder / ".msctl" / "secrets" / "token"
    old, before = path.read_text(), stack.ids()
    assert "nothing to do" in stack.ok("up").err
    answers: list[int] = []
    done = threading.Event()

    def visit() -> None:
        while not done.is_set():
            answers.append(stack.visitor.get("/").status_code)

    visitor = threading.Thread(target=visit)
    visitor.start()
    try:
        outputs.append(stack.ok("secret", "rotate", "token"))
    finally:
        done.set()
        visitor.join()
    assert set(answers) == {200}
    new, after = path.read_text(), stack.ids()
    assert old != new
    assert {name for name in before.items() & after.items() if "-web-" in name[0]} == set()
    assert {n for n, _ in before.items() & after.items()} == {n for n in before if "-web-" not in n}

    def read(container: str, file: str) -> str:
        return stack.engine.containers.get(container).exec_run(["cat", file]).output.decode()

    for name in after:
        if "-web-" in name:
            assert read(name, "/run/secrets/token") == new
    assert read(f"{stack.project}-db-1", "/tmp/told") == new
    outputs += [stack.ok("status", "--json"), stack.ok("render"), stack.ok("logs")]
    found = json.dumps([stack.inspect(name) for name in after])
    found += json.dumps([stack.engine.volumes.get(v).attrs for v in stack.volumes()])
    found += "".join(output.out + output.err for output in outputs)
    assert old not in found
    assert new not in found
    assert "nothing to do" in stack.ok("up").err
    path.unlink()
    path.write_text("by-hand")
    plan = stack.ok("up", "--dry-run").out
    assert f"create {stack.project}-web-" in plan
    assert "secret token changed" in plan
    assert "other" not in plan
    assert "-db-" not in plan


TEMPLATE = {"name": "token", "target": "/etc/web.conf", "template": "password = {secret}"}
TALKS = {"name": "kept", "rotate": ["sh", "-c", "cat $$MSCTL_SECRET_FILE; env; exit 3"]}
LOOKS = [
    "status --json", "status --load --json", "status", "routes --json", "logs --json",
    "doctor --json", "render", "up --dry-run --json", "scale web 2 --json", "scale web 1 --json",
    "--debug up web", "secret rotate token --json", "secret rotate @alice --json",
    "load-test web --requests 2 --json",
]  # fmt: skip
FAIL = ["secret rotate kept", "--debug secret rotate kept", "secret rotate tokn", "--json up --x"]


@pytest.mark.soak
def test_no_secret_is_where_it_must_not_be(stack: Stack) -> None:
    """Neither passwords, their hashes, what templates made of them, nor keys: in nothing that msctl
    prints, whether it goes well or not, in the rendered files, what the engine knows of containers,
    volumes, networks and images, what containers wrote, what the gateway tells, nor in any command
    line or environment of the machine."""
    web = service(
        routes=["/", {"path": "/in", "basic_auth": ["alice"]}],
        secrets=["token", TEMPLATE],
        replicas={"initial": 1, "max": 2},
    )
    gateway = {
        "https": f"127.0.0.1:{free_port()}",
        "tls": {"mode": "self-signed"},
        "dashboard_host": "d.example.test",
    }
    db = service(stateful=True, secrets=[TALKS])
    stack.write({"web": web, "db": db}, gateway=gateway)
    told: dict[str, str] = {}

    def run(words: str) -> int:
        result = stack.msctl(*words.split())
        told[words] = result.out + result.err
        return result.status

    with Onlooker(stack.folder) as onlooker:
        assert run("up") == 0
        assert {words: run(words) for words in LOOKS} == dict.fromkeys(LOOKS, 0), told
        assert {words: run(words) for words in FAIL} == dict(zip(FAIL, (1, 1, 2, 2), strict=True))
    assert "***" in told["secret rotate kept"]
    assert onlooker.seen == []
    engine = stack.engine.api
    for name in stack.ids():
        told[f"inspect {name}"] = json.dumps(engine.inspect_container(name))
        told[f"logs {name}"] = engine.logs(name).decode(errors="replace")
        told[f"top {name}"] = json.dumps(engine.top(name))
        told[f"image of {name}"] = json.dumps(engine.inspect_image(stack.inspect(name)["Image"]))
    told |= {name: json.dumps(engine.inspect_network(name)) for name in stack.networks()}
    told |= {name: json.dumps(engine.inspect_volume(name)) for name in stack.volumes()}
    for path in ("/api/rawdata", "/api/overview", "/metrics"):
        told[path] = stack.gateway_api.get(path).text
    known = onlooker.known | secret_lines(stack.folder)
    files = set(known.values())
    assert files >= {"token", "web.token", "kept", "@alice", "@alice.bcrypt", "@admin", "ca.key"}
    assert {
        (place, known[line]) for line in known for place in told if line in told[place]
    } == set()
