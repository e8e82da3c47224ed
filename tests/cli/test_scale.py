"""`msctl scale` at a terminal."""

from __future__ import annotations

import pytest
from memory import Behaviour
from terminal import SHOP, Terminal


def test_scale_shows_replica_by_replica_what_happens(shop: Terminal) -> None:
    """Every step is a line, and the end says what the gateway makes of it."""
    answer = shop.msctl("scale", "api", "3")
    assert (answer.status, answer.out) == (0, "")
    assert answer.lines == [
        "[1/5] record scale of api = 3, scale (0.0 s)",
        "[2/5] create shop-api-3, scale 2 → 3 (0.0 s)",
        "[3/5] start shop-api-3, scale 2 → 3 (0.0 s)",
        "[4/5] await healthy shop-api-3 (10.0 s)",
        "[5/5] await routed shop-api-3 (0.2 s)",
        "api: 3 replicas, 3 healthy, 3 get requests",
        "done in 10.2 s",
    ]


FORMS = [
    (["api", "4"], {"api": 4, "web": 1}),
    (["all", "4"], {"api": 4, "web": 1}),
    (["api=4", "web=3"], {"api": 4, "web": 3}),
    (["all=4", "web=3"], {"api": 4, "web": 3}),
]


@pytest.mark.parametrize(("words", "counts"), FORMS, ids=lambda value: str(value))
def test_scale_has_three_forms(shop: Terminal, words: list[str], counts: dict[str, int]) -> None:
    """A service, all that start with two or more, or several with a number each."""
    assert shop.msctl("scale", *words).status == 0
    assert {name: len(shop.world.named(name)) for name in counts} == counts
    assert len(shop.world.named("db")) == 1


def test_scaling_down_removes_the_youngest(shop: Terminal) -> None:
    """Scaling from 4 to 1 leaves the first replica, and the intent of one."""
    shop.msctl("scale", "api", "4")
    assert shop.msctl("scale", "api", "1").status == 0
    assert shop.world.named("api") == ["shop-api-1"]
    assert [name for name in shop.world.volumes if "_msctl-" in name] == ["shop_msctl-api-2"]


def test_the_same_scale_again_has_nothing_to_do(shop: Terminal) -> None:
    """Asking twice changes nothing the second time."""
    shop.msctl("scale", "api", "3")
    before = shop.world.snapshot()
    answer = shop.msctl("scale", "api", "3")
    assert (answer.status, answer.lines) == (
        0,
        ["api: 3 replicas, 3 healthy, 3 get requests", "nothing to do"],
    )
    assert shop.world.snapshot() == before


def test_up_keeps_a_scale_and_says_so_until_it_is_reset(shop: Terminal) -> None:
    """A manual scale lasts until `--reset-scale`."""
    shop.msctl("scale", "api", "3")
    note = "note: api keeps its scale of 3 (scale); the file says 2, --reset-scale returns to it"
    assert note in shop.msctl("up").lines
    assert len(shop.world.named("api")) == 3
    assert shop.msctl("up", "--reset-scale").status == 0
    assert len(shop.world.named("api")) == 2
    assert note not in shop.msctl("up").lines


def test_an_edited_file_is_not_deployed_by_scale(shop: Terminal) -> None:
    """`scale` clones what runs, whatever was edited since."""
    shop.write(SHOP.replace("image: api:1", "image: api:1\n    env: {A: edited}"))
    assert shop.msctl("scale", "api", "3").status == 0
    assert shop.world.containers["shop-api-3"].body["Env"] == []


def test_a_new_replica_that_does_not_get_healthy_is_a_failure(shop: Terminal) -> None:
    """The old replicas go on, the new one is left for a look, and the next command goes on."""
    shop.world.behave("shop-api-3", Behaviour(healthy_after=None))
    answer = shop.msctl("scale", "api", "3", "--timeout", "5")
    assert answer.status == 1
    assert "error: shop-api-3 did not become healthy within 5s; it was left running" in answer.lines
    assert (
        "  left running: api (2 of 3 healthy), db (1 healthy), traefik (1 healthy), web (1 healthy)"
        in answer.lines
    )
    assert all(shop.world.containers[f"shop-api-{n}"].healthy for n in (1, 2))
    shop.world.behaviours.clear()
    shop.world.kill("shop-api-3")
    assert shop.msctl("up").status == 0
    assert [shop.world.containers[name].healthy for name in shop.world.named("api")] == [True] * 3
