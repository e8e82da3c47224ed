"""Every wrong stack file gets the message in the table, all of it."""

from __future__ import annotations

import pytest
from corpus import BadStack, bad_stacks

from msctl.config import load_text
from msctl.errors import StackFileError

ENVIRON = {"NINES": "99999", "WORD": "word", "EMPTY": ""}
FILES = {"good.env": b"A=1\n", "bad.env": b"A=1\nB C\nC=${NOPE:?say it}\n"}
JARGON = ("pydantic", "type=", "input", "validat", "Traceback", "NoneType", "tuple", "dict", "str_")


def read_file(path: str) -> bytes:
    if path == "folder":
        raise IsADirectoryError(21, "Is a directory")
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return FILES[path]


@pytest.mark.parametrize("case", bad_stacks(), ids=lambda case: case.title)
def test_a_wrong_file_is_refused_with_every_problem(case: BadStack) -> None:
    """The message names file, line, path, what was found and what is allowed, in file order."""
    with pytest.raises(StackFileError) as error:
        load_text(case.text, name="stack.yaml", environ=ENVIRON, read_file=read_file)
    assert str(error.value) == case.message


@pytest.mark.parametrize("case", bad_stacks(), ids=lambda case: case.title)
def test_messages_are_for_people(case: BadStack) -> None:
    """One printable line a problem, without the words of the libraries behind it."""
    for line in case.message.splitlines():
        assert line.isprintable()
        assert line.startswith("stack.yaml:")
        assert not any(word in line.replace("dictionary", "") for word in JARGON)


def test_the_table_is_rich() -> None:
    """More than a hundred cases, each with its own title."""
    titles = [case.title for case in bad_stacks()]
    assert len(titles) == len(set(titles))
    assert len(titles) >= 100


def test_endless_problems_end() -> None:
    """Nobody reads thousands of lines: the first are told, and that there are more."""
    keys = "".join(f"  key{number}: {{}}\n" for number in range(1000))
    with pytest.raises(StackFileError) as error:
        load_text(f"name: shop\nservices:\n{keys}", name="stack.yaml", environ={})
    assert len(error.value.problems) == 201
    assert error.value.problems[-1] == "stack.yaml: more than 200 problems; these are the first"


def test_a_hundred_routes_are_enough() -> None:
    """A service with more is told so in one line."""
    routes = ", ".join(f"/r{number}" for number in range(101))
    text = f"name: shop\nservices:\n  web: {{image: a, port: 80, routes: [{routes}]}}\n"
    with pytest.raises(StackFileError) as error:
        load_text(text, name="stack.yaml", environ={})
    message = "stack.yaml:3: services.web.routes: 101 routes; a service has 100 at the most"
    assert str(error.value) == message
