"""`--dry-run` of every command that changes the stack."""

from __future__ import annotations

import json

import pytest
from terminal import SHOP, Terminal

TOKEN = "    secrets: [token]\n"


@pytest.fixture
def running(terminal: Terminal) -> Terminal:
    """The shop, up, with a secret and a revision before."""
    text = SHOP.replace("image: web:1\n", f"image: web:1\n{TOKEN}")
    terminal.write(text)
    assert terminal.msctl("up").status == 0
    terminal.world.have("web:2")
    assert terminal.msctl("rollout", "web", "--image", "web:2").status == 0
    return terminal


COMMANDS = {
    "up": "remove shop-web-",
    "up --reset-scale": "create shop-web-",
    "down": "remove network shop_",
    "down --volumes": "remove volume shop_",
    "scale web 4": "record scale of web = 4",
    "rollout web": "create shop-web-",
    "rollout web --image web:9": "provide image web:9",
    "rollback web": "create shop-web-",
    "restart web": "create shop-web-",
    "secret rotate token": "create shop-web-",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_plan_is_printed_and_nothing_changes(running: Terminal, command: str) -> None:
    """Without asking anything, and while another msctl holds the lock; `--json` has the same
    steps."""
    before = running.world.snapshot()
    shown = running.msctl(*command.split(), "--dry-run")
    assert shown.status == 0, shown.err
    assert "nothing was changed" in shown.err
    assert COMMANDS[command] in shown.out, shown.out
    steps = json.loads(running.msctl(*command.split(), "--dry-run", "--json").out)["steps"]
    assert {"id", "verb", "target", "service", "cause", "after"} <= steps[0].keys()
    assert running.world.snapshot() == before


def test_nothing_to_do_is_told(terminal: Terminal) -> None:
    """Where the stack is as it is asked for."""
    terminal.msctl("up")
    assert "nothing to do" in terminal.msctl("up", "--dry-run").err
