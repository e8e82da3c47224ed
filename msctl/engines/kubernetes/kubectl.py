"""How `kubectl` is told to ask the same cluster, in commands that are shown to be typed. Pure."""

from __future__ import annotations

from msctl.shellwords import quoted


def kubectl(context: str | None, namespace: str | None = None) -> str:
    """The command, up to its verb."""
    words = ["kubectl"]
    if context:
        words += ["--context", quoted(context)]
    if namespace:
        words += ["-n", quoted(namespace)]
    return " ".join(words)


def port_forward(context: str | None, namespace: str) -> str:
    """What brings a port to this machine, with `{service}` and `{port}` in it."""
    command = kubectl(context, namespace).replace("{", "{{").replace("}", "}}")
    return f"{command} port-forward service/{{service}} {{port}}"
