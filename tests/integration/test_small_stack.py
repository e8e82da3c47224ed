"""A stack that has nothing of MusicShare: two services of a book shop, HTTP only."""

from __future__ import annotations

import json

import pytest
from live import NewStack, Stack, service

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def shop(module_stacks: NewStack) -> Stack:
    """A catalogue behind the gateway, and a till that only others of the stack reach."""
    stack = module_stacks()
    catalogue = service(
        "/books", replicas={"initial": 2, "min": 1, "max": 3}, needs=["till"], rollout={"surge": 2}
    )
    till = service(port=8081, env={"PORT": 8081}, stateful=True)
    stack.write({"catalogue": catalogue, "till": till}, networks=["shelf"])
    stack.ok("up")
    return stack


def test_it_answers(shop: Stack) -> None:
    """A request on the gateway's HTTP port reaches the service, and no other path does."""
    assert shop.visitor.echo("/books/1")["path"] == "/books/1"
    assert shop.visitor.get("/till").status_code == 404


def test_it_is_what_the_file_says(shop: Stack) -> None:
    """What is made bears the project's own name and networks: nothing of MusicShare."""
    names = ("_traefik", "-socket-proxy-1", "-catalogue-1", "-catalogue-2", "-till-1")
    assert set(shop.ids()) == {f"{shop.project}{name}" for name in names}
    assert shop.networks() == [f"{shop.project}_shelf", f"{shop.project}_socket-proxy"]
    assert not any("musicshare" in json.dumps(shop.inspect(name)) for name in shop.ids())


def test_it_is_confined(shop: Stack) -> None:
    """The engine holds the gateway and the services to what they may do."""
    gateway = shop.inspect(f"{shop.project}_traefik")["HostConfig"]
    assert (gateway["CapDrop"], gateway["CapAdd"]) == (["ALL"], ["NET_BIND_SERVICE"])
    assert gateway["ReadonlyRootfs"]
    for name in shop.ids():
        config = shop.inspect(name)["HostConfig"]
        assert config["SecurityOpt"] == ["no-new-privileges=true"]
        assert config["CapDrop"] == ["ALL"]
        assert config["PidsLimit"] == 2048
        assert config["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    status = shop.engine.containers.get(f"{shop.project}_traefik").exec_run(
        ["grep", "-E", "CapEff|NoNewPrivs", "/proc/1/status"]
    )
    assert status.output.decode().split() == ["CapEff:", "0000000000000400", "NoNewPrivs:", "1"]


def test_status(shop: Stack) -> None:
    """`status` tells engine, health check and gateway of each replica, as a table and as JSON."""
    table = shop.ok("status").out
    assert f"{shop.project} is healthy" in table
    status = json.loads(shop.ok("status", "--json").out)
    kinds = {found["name"]: (found["kind"], found["routed"]) for found in status["services"]}
    assert kinds == {"catalogue": ("routed", 2), "till": ("stateful", None)}
    replicas = [replica for found in status["services"] for replica in found["replicas"]]
    assert {replica["id"] for replica in replicas} < set(shop.ids().values())
    assert {replica["health"] for replica in replicas} == {"healthy"}
    assert {replica["cpu_percent"] for replica in replicas} == {None}


def test_a_second_up_does_nothing(shop: Stack) -> None:
    """`up` has nothing to do, tells so on stderr, and gives no data."""
    before = shop.ids()
    result = shop.ok("up")
    assert "nothing to do: 4 replicas of 3 services" in result.err
    assert result.out == ""
    assert shop.ids() == before


def test_dry_run_changes_nothing(shop: Stack) -> None:
    """`up --dry-run` prints each step with its cause, and changes nothing."""
    before = shop.ids()
    text = (shop.folder / shop.file).read_text()
    shop.write_text(text.replace("PORT: 8081", "PORT: 8081\n      SHELF: b"))
    try:
        plan = shop.ok("up", "--dry-run").out
        assert f"create {shop.project}-till-1, its configuration changed" in plan
        assert "catalogue" not in plan
        assert "outdated" in shop.ok("status", "--json").out
    finally:
        shop.write_text(text)
    assert shop.ids() == before


REFUSED = [
    (("catalogue", "0"), ["catalogue: 0 replicas are outside 1 to 3", "replicas"]),
    (("catalogue", "4"), ["catalogue: 4 replicas are outside 1 to 3"]),
    (("catalogue", "-1"), ["catalogue: -1 replicas are outside 1 to 3"]),
    (("catalogue", "x"), ["'x' is not a number of replicas"]),
    (("catalog", "2"), ["catalog is not a service", "catalogue"]),
    (("till", "2"), ["till cannot be scaled", "stateful"]),
    (("traefik", "2"), ["traefik is the gateway"]),
    (("all", "4"), ["catalogue: 4 replicas are outside 1 to 3"]),
]


@pytest.mark.parametrize(("words", "says"), REFUSED, ids=lambda value: " ".join(value))
def test_refused_scale(shop: Stack, words: tuple[str, ...], says: list[str]) -> None:
    """A scale that cannot be is refused with status 2 and what is allowed; nothing changes."""
    before = shop.ids(), shop.volumes()
    result = shop.msctl("scale", *words)
    assert result.status == 2, result
    assert all(word in result.err for word in says), result
    assert (shop.ids(), shop.volumes()) == before


def test_unknown_service(shop: Stack) -> None:
    """A command that takes services suggests the nearest one."""
    for command in ("up", "logs"):
        result = shop.msctl(command, "catalouge")
        assert result.status == 2, result
        assert "catalouge is not a service" in result.err
        assert "catalogue" in result.err


def test_logs(shop: Stack) -> None:
    """`logs` merges what the replicas wrote, and tells whose line it is."""
    shop.visitor.replicas("/books/logged", 4)
    lines = [line for line in shop.ok("logs", "catalogue").out.splitlines() if "/logged" in line]
    assert len(lines) == 4
    assert {line.split()[0] for line in lines} == {"catalogue-1", "catalogue-2"}


def test_an_edited_service_is_updated_alone(shop: Stack) -> None:
    """`up` after an edit replaces the service that was edited, and no other container."""
    before = shop.ids()
    text = (shop.folder / shop.file).read_text()
    shop.write_text(text.replace("PORT: 8000", "PORT: 8000\n      SERVICE_NAME: second"))
    shop.ok("up")
    kept = {name for name, one in shop.ids().items() if before.get(name) == one}
    others = ("_traefik", "-socket-proxy-1", "-till-1")
    assert kept == {f"{shop.project}{name}" for name in others}
    assert len(shop.ids("catalogue")) == 2
    assert shop.visitor.echo("/books")["service"] == "second"
    assert "nothing to do" in shop.ok("up").err


def test_down(shop: Stack) -> None:
    """`down --volumes` leaves nothing of the stack on the engine."""
    shop.ok("down", "--volumes", "--yes")
    assert shop.traces() == []
