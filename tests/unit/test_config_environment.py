""".env, env_file and the environment, as Docker Compose reads them; errors where it guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import compose_environment
from hypothesis import given
from hypothesis import strategies as st

from msctl.config import envfiles, load_text
from msctl.config.envfiles import EnvFileProblem
from msctl.errors import StackFileError

ENV_FILE = """\
# comment
A=plain # c

B="dq $A \\n x \\$A"
C='sq $A'
export D=exp
E = spaced
F=${A}-${NOT_SET:-d}
G=
H
I=pa$word
I1="${NOT_SET}x"
J=a#b
K="x" # c
L=$HOSTV
M=pa$$w
N=`bt`
O=a\\nb
P="multi
line"
HOSTV=infile
Q=$HOSTV
S="a\\tb\\"c\\\\d"
T='it\\'s'
U=a=b
W-X=dash
Y.Z=dot
Aa="\\\\$A"
Ab=\\$A
Ac='multi
line'
Ad=é
"""


def test_env_files_are_read_as_docker_compose_reads_them(tmp_path: Path) -> None:
    """Quotes, escapes, comments, several lines, and the environment over lines above."""
    environ = {"HOSTV": "fromenv", "H": "henv", "G": "genv"}
    (tmp_path / "app.env").write_text(ENV_FILE, encoding="utf-8")
    theirs = compose_environment(tmp_path, "    env_file: app.env\n", environ)
    assert envfiles.parse(ENV_FILE.encode(), environ.get) == theirs


def test_a_name_alone_takes_the_environment_or_nothing() -> None:
    """As in Compose, a name that the environment does not have is left out."""
    assert envfiles.parse(b"A\nB\n", {"A": "1"}.get) == {"A": "1"}


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (b"A=1\n\n\nB C=2\n", [(4, "not NAME=value")]),
        (b'A="open\nB=1\n', [(1, "not NAME=value")]),
        (b"A!=1\n$B=2\n", [(1, "not NAME=value"), (2, "not NAME=value")]),
        (b"=x", [(1, "not NAME=value")]),
        (b"A=${NOPE?no}\nB=ok\nC=${", [(1, "A: variable NOPE is not set: no"), (3, "C: ")]),
        (b"A=\xff", [(1, "not UTF-8")]),
        (b"A=a\x00b", [(1, "not NAME=value")]),
        (b"A" * 2_000_000, [(1, "the file is larger than 1 MiB")]),
    ],
)
def test_what_is_no_env_file_is_an_error(data: bytes, problems: list[tuple[int, str]]) -> None:
    """Every such line is named with its number."""
    with pytest.raises(EnvFileProblem) as error:
        envfiles.parse(data, dict[str, str]().get)
    found = error.value.problems
    assert [line for line, _ in found] == [line for line, _ in problems]
    assert all(
        text.startswith(start) for (_, text), (_, start) in zip(found, problems, strict=True)
    )


@given(st.text())
def test_any_env_file_is_read_or_refused(text: str) -> None:
    """Nothing but an EnvFileProblem comes out."""
    complaints: list[tuple[int, str]] = []
    try:
        envfiles.parse(text.encode("utf-8", "surrogatepass"), {"A": "a"}.get)
    except EnvFileProblem as error:
        complaints = error.problems
    assert all(message.isprintable() for _, message in complaints)


STACK = "name: shop\nservices: {web: {image: a, env: {V: '${V:-none}', W: }}}\n"


def web_env(environ: dict[str, str], dotenv: bytes | None) -> dict[str, str | None]:
    def read_file(path: str) -> bytes:
        if path != ".env" or dotenv is None:
            raise FileNotFoundError(path)
        return dotenv

    stack = load_text(STACK, name="stack.yaml", environ=environ, read_file=read_file)
    return dict(stack.services["web"].env)


def test_the_environment_wins_over_dotenv() -> None:
    """As in Compose: .env has what the environment has not."""
    assert web_env({}, None) == {"V": "none", "W": None}
    assert web_env({}, b"V=file\nW=$V!") == {"V": "file", "W": "file!"}
    assert web_env({"V": "env"}, b"V=file\nW=$V!") == {"V": "env", "W": "env!"}
    assert web_env({"V": ""}, b"V=file") == {"V": "none", "W": None}


def test_the_project_has_a_variable() -> None:
    """As for Docker Compose; that of the environment, of -p, or the file's name."""
    text = "name: shop\nservices: {web: {image: i, env: {A: '${COMPOSE_PROJECT_NAME:-x}'}}}"

    def env(environ: dict[str, str], project: str | None = None) -> dict[str, str | None]:
        stack = load_text(text, name="f", environ=environ, project=project)
        return dict(stack.services["web"].env)

    assert env({}) == {"A": "shop"}
    assert env({}, "other") == {"A": "other"}
    assert env({"COMPOSE_PROJECT_NAME": "mine"}) == {"A": "mine"}


def test_a_broken_dotenv_is_told_with_its_own_name() -> None:
    """Its problems come first, then those of the file, which is read without it."""

    def read_file(path: str) -> bytes:
        assert path == ".env"
        return b"A=1\nB C\n"

    with pytest.raises(StackFileError) as error:
        load_text("name: A", name="sub/stack.yaml", environ={}, read_file=read_file)
    assert error.value.problems == (
        "sub/.env:2: not NAME=value; close quotes, and start comments with #",
        "sub/stack.yaml:1: services is missing; add at least one service",
        "sub/stack.yaml:1: name: A is not a project name (lower-case letters, digits, - and _, "
        "first a letter or digit)",
    )


def test_a_dotenv_that_cannot_be_read_is_an_error() -> None:
    """A folder of that name, or one without permission, is not the same as none."""

    def read_file(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    with pytest.raises(StackFileError) as error:
        load_text(STACK, name="stack.yaml", environ={}, read_file=read_file)
    assert error.value.problems == (".env: permission denied",)
