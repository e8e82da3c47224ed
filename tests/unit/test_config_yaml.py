"""YAML: what its scalars mean, where its values are, and where it ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from corpus import compose_environment

from msctl.config import yamlnodes, yamltext
from msctl.config.problems import Malformed
from msctl.config.scalars import plain
from msctl.fields import check_text

SCALARS = [
    # as written, what it is
    ("", None),
    ("~", None),
    ("null", None),
    ("nUll", "nUll"),
    ("true", True),
    ("FALSE", False),
    ("tRue", "tRue"),
    ("on", "on"),
    ("yes", "yes"),
    ("n", "n"),
    ("8080:22", "8080:22"),
    ("12:30:45", "12:30:45"),
    ("2024-01-01", "2024-01-01"),
    ("0", 0),
    ("-0", "-0"),
    ("+5", 5),
    ("0755", 493),
    ("0o17", 15),
    ("-0o7", -7),
    ("0x1F", 31),
    ("0b11", 3),
    ("08", 8.0),
    ("1_000", 1000),
    ("_1", "_1"),
    ("1.10", 1.1),
    ("1.", 1.0),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("1e-7", 1e-7),
    ("1e999", "1e999"),
    ("18446744073709551615", 18446744073709551615),
    ("99999999999999999999", 1e20),
    ("0x", "0x"),
    ("1.2.3", "1.2.3"),
    ("-", "-"),
    ("+", "+"),
    (".", "."),
    ("=", "="),
    ("\uff11", "\uff11"),
]


@pytest.mark.parametrize(("text", "meaning"), SCALARS)
def test_a_scalar_means_what_it_means_to_compose(text: str, meaning: object) -> None:
    """Go's rules: two booleans, no times, no dates, octal and binary numbers."""
    found = plain(text)
    assert found == meaning
    assert type(found) is type(meaning)


def test_text_of_scalars_is_what_compose_gives_a_container(tmp_path: Path) -> None:
    """A number in `env` arrives as Docker Compose writes it, `1.10` as 1.1."""
    written = [text for text, _ in SCALARS if text not in ("2024-01-01", "-")]
    written += ["123456.5", "1234567.5", "1e6", "1e5", "0.0001", "0.00001", "1e20", "-1.5e10"]
    pairs = {f"V{number}": text for number, text in enumerate(written)}
    lines = "".join(f"      {name}: {text}\n" for name, text in pairs.items())
    theirs = compose_environment(tmp_path, f"    environment:\n{lines}", {})
    ours = {
        name: None if (value := plain(text)) is None else check_text(value)
        for name, text in pairs.items()
    }
    assert ours == theirs


@pytest.fixture(params=["C", "Python"])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "Python":
        monkeypatch.setattr(yamlnodes, "_PARSER", yaml.SafeLoader)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML without libyaml")


@pytest.mark.usefixtures("_parser")
def test_every_key_and_item_has_its_line() -> None:
    """A key's line is the key's, an item's the item's; through aliases it is the definition's."""
    document = yamltext.parse(
        "name: shop\n"
        "x-base: &base\n"
        "  image: a\n"
        "  port: 1\n"
        "services:\n"
        "  web:\n"
        "    <<: *base\n"
        "    port: 80\n"
        "    routes:\n"
        "      - path:\n"
        "          /\n"
        "      - {path: /b,\n"
        "         host: x}\n"
    )
    assert document.value["services"] == {
        "web": {
            "image": "a",
            "port": 80,
            "routes": [{"path": "/"}, {"path": "/b", "host": "x"}],
        }
    }
    web = ("services", "web")
    assert document.lines[()] == 1
    assert document.lines[web] == 6
    assert document.lines[*web, "image"] == 3
    assert document.lines[*web, "port"] == 8
    assert document.lines[*web, "routes", 0] == 10
    assert document.lines[*web, "routes", 0, "path"] == 10
    assert document.lines[*web, "routes", 1, "host"] == 13
    assert not document.problems


@pytest.mark.usefixtures("_parser")
def test_merged_keys_lose_to_own_ones_and_to_earlier_sources() -> None:
    """`<<` brings in what is not there, the first source first, sources of sources as well."""
    document = yamltext.parse(
        "a: &a {k: 1, l: 1}\n"
        "b: &b {<<: *a, l: 2, m: 2}\n"
        "c: {<<: [*a, *b], k: 3}\n"
        "d: {<<: [*b, *a]}\n"
        "'e': {'<<': 1}\n"
    )
    assert document.value["c"] == {"k": 3, "l": 1, "m": 2}
    assert document.value["d"] == {"l": 2, "m": 2, "k": 1}
    assert document.value["e"] == {"<<": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"name: \xff", "1: not text in UTF-8; is it a stack file?"),
        (b"a: 1\nname: \x00", "2: holds the character U+0000, which YAML does not allow"),
        ("a: 1\r\nname: \x1b", "2: holds the character U+001B, which YAML does not allow"),
        ("name: \ud800", "1: holds the character U+D800, which YAML does not allow"),
        (b"\xfe\xff\x00a", "1: not text in UTF-8; is it a stack file?"),
        (b"\x7fELF\x02", "1: holds the character U+007F, which YAML does not allow"),
        ("%YAML 2.0\n---\na: 1", "1: not valid YAML at column 1: found incompatible YAML document"),
        (b"a" * (1024 * 1024 + 1), "1: the file is larger than 1 MiB; is it a stack file?"),
        ("é" * 600_000, "1: the file is larger than 1 MiB; is it a stack file?"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes | str, message: str) -> None:
    """Binary, other encodings and whole disks end in one line."""
    with pytest.raises(Malformed) as error:
        yamltext.parse(data)
    assert error.value.problem.text("f").startswith(f"f:{message}")


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Editors on Windows write one."""
    assert yamltext.parse(b"\xef\xbb\xbfname: shop").value == {"name": "shop"}


BOMBS = {
    "aliases of aliases": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    "a thousand nested aliases": "a0: &a0 [x]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 1001)),
    "merges of merges": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{','.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)),
    "a thousand nested merges": "a0: &a0 {x: 1}\n"
    + "".join(f"a{n}: &a{n} {{<<: *a{n - 1}}}\n" for n in range(1, 1001)),
    "a large mapping merged often": "a: &a {"
    + ",".join(f"k{n}: 1" for n in range(50_000))
    + "}\nb: {<<: ["
    + ",".join(["*a"] * 1000)
    + "]}",
    "a long text repeated": f"a: &a {'x' * 500_000}\nb: [{','.join(['*a'] * 100_000)}]",
    "deep lists": "[" * 1_000_000,
    "deep mappings": "{a: " * 200_000,
    "deep dashes": "- " * 500_000,
    "question marks": "? " * 500_000,
    "wide": f"a: [{'1,' * 500_000}]",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_soon(name: str) -> None:
    """Whatever expands without end is refused in seconds, before it fills the memory."""
    start = time.process_time()  # however busy the machine is
    with pytest.raises(Malformed) as error:
        yamltext.parse(BOMBS[name])
    assert time.process_time() - start < 10
    text = error.value.problem.text("f")
    assert "nested deeper" in text or "nesting depth" in text or "more than" in text, text
