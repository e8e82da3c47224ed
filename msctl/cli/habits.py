"""What somebody types who comes from Docker Compose, and what to type instead. Pure."""

from __future__ import annotations

_COMMANDS = {
    "build": "up --build",
    "config": "render",
    "create": "up",
    "images": "status",
    "ls": "status",
    "port": "routes",
    "ps": "status",
    "pull": "up --pull",
    "rm": "down",
    "start": "up",
    "stats": "status --load",
    "top": "status --load",
    "unpause": "up",
    "version": "--version",
}
_COMPOSES = ("attach", "cp", "events", "exec", "kill", "pause", "run", "stop", "watch")
"""These stay Docker Compose's."""
_OPTIONS = {
    ("up", "-d"): "leave it out: `up` ends when all is healthy, and the stack goes on",
    ("up", "--detach"): "leave it out: `up` ends when all is healthy, and the stack goes on",
    ("up", "--wait"): "leave it out: `up` always waits until all is healthy and gets requests",
    ("up", "--scale"): "msctl scale SERVICE=N, which the next `up` keeps",
    ("up", "--force-recreate"): "msctl restart SERVICE, which loses no request",
    ("up", "--no-recreate"): "msctl up SERVICE, which updates only the named; or msctl scale",
    ("scale", "--no-recreate"): "leave it out: `scale` replaces nothing",
    ("msctl", "--profile"): "msctl import --profile NAME: a stack file has no profiles",
    ("msctl", "--env-file"): "values come from the environment, and .env beside the stack file",
    ("msctl", "--project-name"): "-p, --project",
}


def of_command(word: str) -> str | None:
    """What to type in place of a command of Docker Compose."""
    if word in _COMMANDS:
        return f"msctl {_COMMANDS[word]}"
    if word in _COMPOSES:
        return f"msctl render -o docker-compose.yml, then: docker compose {word}"
    return None


def of_option(command: str | None, option: str) -> str | None:
    """What to do without an option of Docker Compose."""
    return _OPTIONS.get((command or "", option))
