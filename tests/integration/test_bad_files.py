"""Stack files that cannot be: through the installed command, against the real engine."""

from __future__ import annotations

import pytest
from live import NewStack, Stack

pytestmark = pytest.mark.engine

WEB = "services:\n  web: {image: nginx, port: 80, routes: [{path: /}]}\n"
BAD: dict[str, tuple[str | bytes, list[str]]] = {
    "unknown key": (
        "name: shop\nservices:\n  web:\n    image: nginx\n    prot: 80\n",
        ["stack.yaml:5: services.web", "prot", "port"],
    ),
    "bad port": (
        "name: shop\nservices:\n  web:\n    image: nginx\n    port: 99999\n",
        ["stack.yaml:5: services.web.port: 99999 is not a port (1-65535)"],
    ),
    "bad size": (
        "name: shop\nservices:\n  web:\n    image: nginx\n    resources: {memory: 12Q}\n",
        ["stack.yaml:5: services.web.resources.memory", "12Q"],
    ),
    "more CPUs than the machine has": (
        "name: shop\nservices:\n  web:\n    image: nginx\n    resources: {cpus: 5000}\n",
        ["services.web.resources.cpus", "5000"],
    ),
    "the same route twice": (
        f"name: shop\n{WEB}  api: {{image: nginx, port: 80, routes: [{{path: /}}]}}\n",
        ["stack.yaml:4", "web", "api"],
    ),
    "needs of a missing service": (
        "name: shop\nservices:\n  web:\n    image: nginx\n    needs: [datbase]\n  database:"
        " {image: nginx}\n",
        ["stack.yaml:5: services.web.needs", "datbase", "database"],
    ),
    "needs in a cycle": (
        "name: shop\nservices:\n  a: {image: nginx, needs: [b]}\n  b: {image: nginx, needs: [a]}\n",
        ["a", "b", "needs"],
    ),
    "duplicate keys": (
        "name: shop\nservices:\n  web: {image: nginx}\n  web: {image: nginx}\n",
        ["stack.yaml:4", "web", "twice"],
    ),
    "an unset variable": (
        "name: shop\nservices:\n  web:\n    image: nginx:${MSCTL_NEVER_SET}\n",
        ["stack.yaml:4", "MSCTL_NEVER_SET"],
    ),
    "binary": (b"\x7fELF\x02\x00\xff\xfe" * 20, ["stack.yaml"]),
    "nested aliases": (
        "a0: &a0 [x, x]\n"
        + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 1000)),
        ["stack.yaml"],
    ),
}


@pytest.fixture(scope="module")
def place(module_stacks: NewStack) -> Stack:
    """A folder for stack files, all for one project."""
    stack = module_stacks()
    stack.options = ["-p", stack.project]
    return stack


@pytest.mark.parametrize("case", BAD)
def test_refused(place: Stack, case: str) -> None:
    """A file that cannot be is refused with status 2, the line, the key and what was found, no
    traceback; nothing is made."""
    text, says = BAD[case]
    place.write_text(text)
    result = place.msctl("up")
    assert result.status == 2, result
    assert all(word in result.err for word in says), result
    assert "Traceback" not in result.err
    assert result.out == ""
    assert len(result.err) < 5000
    assert place.traces() == []


def test_missing(place: Stack) -> None:
    """A stack file that is not there is named, with status 2."""
    result = place.msctl("up", "-f", "nowhere.yaml")
    assert result.status == 2, result
    assert "nowhere.yaml" in result.err
