"""`${VAR}`: what Docker Compose makes of it, and errors where it guesses."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import compose_environment
from hypothesis import given
from hypothesis import strategies as st

from msctl.config import load_text
from msctl.config.variables import Substitution, VariableProblem

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
