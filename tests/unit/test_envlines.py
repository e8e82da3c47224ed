"""Files of variables, against Docker Compose 5.6.1."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from composing.document import BINARY
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from msctl.config.envfiles import EnvFileProblem, parse
from msctl.config.envlines import Entry, entries

ENVIRON = {"TAG": "1.4", "DOLLAR": "a$b", "HOME": "/h", "PATH": "/bin"}
PARTS = st.sampled_from(
    ["A", "B_1", "c.d", "é", "export ", "=", ":", " ", "\t", "\n", "\r\n", "#", " #", "'", '"',
     "\\", "\\n", "\\$", "\\b", "\\0101", "$", "$$", "$TAG", "${TAG}", "${A:-x}", "${DOLLAR}", "-",
     "x y", "\u00a0", "{", "}"]
)  # fmt: skip
LINES = st.lists(PARTS, max_size=7).map("".join)
NAMED = st.builds("{}={}".format, st.sampled_from(["A", "B", "export C", "D ", "a.b"]), LINES)
FILES = st.lists(NAMED | LINES, max_size=4).map("\n".join)


def readable(text: str) -> bool:
    try:
        parse(text.encode(), ENVIRON.get)
    except EnvFileProblem:
        return False
    return True


def of_docker_compose(folder: Path, files: list[str]) -> list[dict[str, str | None]]:
    """What Docker Compose reads in each file."""
    services = {}
    for number, text in enumerate(files):
        (folder / f"{number}.env").write_bytes(text.encode())
        services[f"s{number}"] = {"image": "i", "env_file": f"{number}.env"}
    (folder / "compose.json").write_text(json.dumps({"services": services}))
    command = [BINARY, "-f", "compose.json", "-p", "p", "config", "--format", "json"]
    ran = subprocess.run(command, cwd=folder, env=ENVIRON, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    read = json.loads(ran.stdout)["services"]
    return [read[name].get("environment") or {} for name in services]


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(files=st.lists(FILES.filter(readable), min_size=10, max_size=30))
def test_files_are_read_as_docker_compose_reads_them(
    tmp_path_factory: pytest.TempPathFactory, files: list[str]
) -> None:
    """Else the environment, and with it the config hash, would be another."""
    theirs = of_docker_compose(tmp_path_factory.mktemp("env"), files)
    printed = [{k: (v or "").replace("$$", "$") for k, v in read.items()} for read in theirs]
    ours = [parse(text.encode(), ENVIRON.get) for text in files]
    differing = [found for found in zip(files, ours, printed, strict=True) if found[1] != found[2]]
    assert differing == []


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1\t# c", "1\t# c"),
        ("A=1 # c", "1"),
        ("A= # c", "# c"),
        ("A='a\\\\b'", "a\\\\b"),
        ("A='it\\'s'", "it's"),
        ('A="a\\bc\\0101\\$T"', "a\bcA$$T"),
        ("A: yaml", "yaml"),
        ('A="x" # c', "x"),
        ('A="one\ntwo"', "one\ntwo"),
        ("export A\n", None),
    ],
)
def test_how_a_value_is_written(line: str, value: str | None) -> None:
    """With quotes, comments and escapes; `$$` is one `$`."""
    assert next(entries(line)) == Entry(1, "A", value)


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\nB='x\n", 2), ("\n\n=x", 3), ("A B=1", 1), ("# c\n\nA=1\n!", 4), ("A=1\nB", 2)],
)
def test_what_is_no_entry_is_told_with_its_line(text: str, line: int) -> None:
    """Quotes that are open, and names that are none."""
    with pytest.raises(EnvFileProblem) as caught:
        parse(text.encode(), ENVIRON.get)
    assert [at for at, _ in caught.value.problems] == [line]
