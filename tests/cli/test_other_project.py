"""What names Docker Compose another project than the stack's is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from terminal import Terminal

COMPOSE = Path(sys.executable).with_name("docker-compose")
TOLD = (
    ".env says COMPOSE_PROJECT_NAME=bakery: docker compose looks at bakery here, and msctl at shop"
)
HINT = (
    "docker compose -p shop ps; to follow it, write name: ${COMPOSE_PROJECT_NAME:-shop} in the "
    "stack file"
)


def project_of_docker_compose(folder: Path, *words: str, **environ: str) -> str:
    """The project that the real Docker Compose works on in a folder."""
    done = subprocess.run(
        [COMPOSE, *words, "config"],
        cwd=folder, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()[0].removeprefix("name: ")


def test_doctor_tells_which_project_docker_compose_is_led_to(terminal: Terminal) -> None:
    """As the real one has it: -p before its variable, and that before the file's name; an empty
    variable names none."""
    terminal.msctl("render", "-o", "docker-compose.yml")

    def both(*options: str) -> tuple[str, list[tuple[str, str]]]:
        found = terminal.msctl(*options, "doctor", "--json").json["findings"]
        told = [(one["message"], one["hint"]) for one in found if one["area"] == "project"]
        real = project_of_docker_compose(terminal.folder, *options, **terminal.environ)
        return real, told

    assert both() == ("shop", [])
    terminal.write("COMPOSE_PROJECT_NAME=shop\n", ".env")
    assert both() == ("shop", [])
    terminal.write("COMPOSE_PROJECT_NAME=bakery\n", ".env")
    assert both() == ("bakery", [(TOLD, HINT)])
    assert both("-p", "third") == ("third", [])
    terminal.environ["COMPOSE_PROJECT_NAME"] = ""
    assert both() == ("shop", [])
    terminal.environ["COMPOSE_PROJECT_NAME"] = "bakery"
    assert both() == ("bakery", [(TOLD.replace(".env", "the environment"), HINT)])


def test_up_and_render_tell_of_another_project(terminal: Terminal) -> None:
    """Whoever brings the stack up, or writes Docker Compose its file, hears of it; what is printed
    to be read by others stays as it is."""
    terminal.write("COMPOSE_PROJECT_NAME=bakery\n", ".env")
    note = f"note: {TOLD}; {HINT}"
    assert note in terminal.msctl("up", "--dry-run").lines
    written = terminal.msctl("render", "-o", "docker-compose.yml")
    assert written.lines == ["docker-compose.yml is written", note]
    assert terminal.msctl("render").err == ""
    assert note in terminal.msctl("up").lines
    assert note not in terminal.msctl("-p", "shop", "up").lines


def test_a_stack_file_that_follows_the_variable_is_no_news(terminal: Terminal) -> None:
    """What the hint says to write mends it."""
    text = (terminal.folder / "stack.yaml").read_text()
    terminal.write(text.replace("name: shop", "name: ${COMPOSE_PROJECT_NAME:-shop}"))
    terminal.write("COMPOSE_PROJECT_NAME=bakery\n", ".env")
    assert terminal.msctl("check", "--json").json["project"] == "bakery"
    assert "COMPOSE_PROJECT_NAME" not in terminal.msctl("up").err
