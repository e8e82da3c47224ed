"""`${VAR}`, .env and env_file: what Docker Compose makes of them, and errors where it guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import compose_environment
from hypothesis import given
from hypothesis import strategies as st

from msctl.config import envfiles, load_text
from msctl.config.envfiles import EnvFileProblem
from msctl.config.variables import Substitution, VariableProblem
from msctl.errors import StackFileError

ENVIRON = {"S": "set", "E": "", "T": "two words", "D": "$S"}

SUBSTITUTED = [
    ("plain", "plain"),
    ("$S", "set"),
    ("${S}", "set"),
    ("$S$S", "setset"),
    ("$S-x", "set-x"),
    ("${S}}", "set}"),
    ("a${T}b", "atwo wordsb"),
    ("${E}", ""),
    ("${D}", "$S"),
    ("$$", "$"),
    ("$$S", "$S"),
    ("$$$S", "$set"),
    ("$$$$S", "$$S"),
    ("$${S}", "${S}"),
    ("$1", "$1"),
    ("a$", "a$"),
    ("$ x", "$ x"),
    ("$é", "$é"),
    ("$Sé", "seté"),
    ("${U:-d}", "d"),
    ("${E:-d}", "d"),
    ("${S:-d}", "set"),
    ("${U-d}", "d"),
    ("${E-d}", ""),
    ("${U:-}", ""),
    ("${U-}", ""),
    ("${U:-a:-b}", "a:-b"),
    ("${U:-a:?b}", "a:?b"),
    ("${U:-a b $S}", "a b set"),
    ("${U:-${V:-${W-deep}}}", "deep"),
    ("${U:-$$}", "$"),
    ("${U:-$${x}}", "${x}"),
    ('${U:-{"a":1}}', '{"a":1}'),
    ("${U:-{{}}}", "{{}}"),
    ("${U:-{}", "{"),
    ("${U:-{a}", "{a"),
    ("${U:-a}b}", "ab}"),
    ("${U:-a${S}b{c}d}e", "asetb{c}de"),
    ("${E:+r}", ""),
    ("${E+r}", "r"),
    ("${S:+r$S}", "rset"),
    ("${U+r}", ""),
    ("${U:+${NOT_SET}}", ""),
    ("${S:?needed}", "set"),
    ("${E?needed}", ""),
]


@pytest.mark.parametrize(("text", "result"), SUBSTITUTED)
def test_references_are_replaced(text: str, result: str) -> None:
    """The whole syntax of Compose, nested."""
    assert Substitution(ENVIRON.get)(text) == result


def test_docker_compose_replaces_them_alike(tmp_path: Path) -> None:
    """The table above is what the real binary makes of it."""
    lines = "".join(
        f"      V{number}: '{text.replace(chr(39), chr(39) * 2)}'\n"
        for number, (text, _) in enumerate(SUBSTITUTED)
    )
    theirs = compose_environment(tmp_path, f"    environment:\n{lines}", ENVIRON)
    assert theirs == {f"V{number}": result for number, (_, result) in enumerate(SUBSTITUTED)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$U", "variable U is not set; set it in the environment or in .env"),
        ("${U}", "or write ${U:-default}"),
        ("${S:-$U}", None),
        ("${U:-$V}", "variable V is not set"),
        ("${U:?say $S}", "variable U is not set: say set"),
        ("${U?}", "variable U is not set: it is required"),
        ("${E:?}", "variable E is empty: it is required"),
        ("${E:?a\nb}", "variable E is empty: 'a\\nb'"),
        ("${", "is not a reference to a variable (its } is missing)"),
        ("${}", "a name is letters, digits and _"),
        ("${1}", "a name is letters"),
        ("${S!x}", "after the name comes }"),
        ("${S/a/b}", "after the name comes }"),
        ("${S:x}", "after the name comes }"),
        ("${S[0]}", "after the name comes }"),
        ("${" * 100, "its } is missing"),
        ("${U:-" * 30 + "}" * 30, "nested deeper than 16 levels"),
    ],
)
def test_what_has_no_value_is_an_error(text: str, message: str | None) -> None:
    """Where Compose takes an empty text, msctl asks."""
    substitute = Substitution(ENVIRON.get)
    if message is None:
        assert substitute(text) == "set"
        return
    with pytest.raises(VariableProblem) as error:
        substitute(text)
    assert message in str(error.value)


def test_a_value_that_is_no_text_is_an_error() -> None:
    """Bytes of the environment that are not UTF-8 do not reach a container half right."""
    with pytest.raises(VariableProblem, match="the value of variable X is not UTF-8"):
        Substitution({"X": "a\udcff"}.get)("$X")


def test_values_cannot_fill_the_memory() -> None:
    """A megabyte of references to a large variable ends."""
    substitute = Substitution({"X": "x" * 100_000}.get)
    with pytest.raises(VariableProblem, match="longer than 16 MiB"):
        substitute("$X" * 10_000)


@given(st.text(alphabet="$${}:-?+!aS_1 \n{", max_size=60))
def test_any_text_is_replaced_or_refused(text: str) -> None:
    """Nothing but a VariableProblem comes out; a doubled `$` always gives the text back."""
    substitute = Substitution({"S": "s", "a": ""}.get)
    complaint = ""
    try:
        substitute(text)
    except VariableProblem as problem:
        complaint = str(problem)
    assert complaint.isprintable()
    assert substitute(text.replace("$", "$$")) == text


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


def test_a_tilde_is_the_home_folder_where_a_path_begins_with_it() -> None:
    """As in Docker Compose; a rendered file keeps it, and other values are not touched."""
    text = """\
name: p
gateway: {build: ~/t, tls: {mode: files, cert: ~/c.pem, key: "${KEY}"}}
services:
  web:
    image: i
    build: {context: ~/src, args: {A: ~/kept}}
    command: ~/kept
    env_file: ~/x.env
    volumes: [~/d:/d, {type: bind, source: ~/e, target: /e}, ./f:/f]
"""
    read: list[str] = []

    def read_file(path: str) -> bytes:
        read.append(path)
        return b""

    environ = {"HOME": "/home/op", "KEY": "~/k.pem"}
    stack = load_text(text, name="f", environ=environ, read_file=read_file)
    web = stack.services["web"]
    assert web.build is not None
    assert (web.build.context, web.build.args) == ("/home/op/src", {"A": "~/kept"})
    assert web.command == "~/kept"
    assert read == [".env", "/home/op/x.env"]
    mount = {"type": "bind", "source": "/home/op/e", "target": "/e"}
    assert web.volumes == ("/home/op/d:/d", mount, "./f:/f")
    assert (stack.gateway.tls.cert, stack.gateway.tls.key) == ("/home/op/c.pem", "/home/op/k.pem")
    assert stack.gateway.build is not None
    assert stack.gateway.build.context == "/home/op/t"
    kept = load_text(text, name="f", environ=environ, keep_variables=True).services["web"]
    assert kept.volumes[0] == "~/d:/d"
