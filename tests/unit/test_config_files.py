"""Which stack file is read, and what of the files beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from reading import SMALL

from msctl.config import find_stack_file, load
from msctl.errors import StackFileError, UsageProblem


def test_the_file_is_looked_for_here_above_and_in_compose(tmp_path: Path) -> None:
    """`-f` wins, then $MSCTL_FILE, then stack.yaml here or above, then compose/stack.yaml."""
    inner = tmp_path / "a" / "b"
    (inner / "compose").mkdir(parents=True)
    in_compose = inner / "compose" / "stack.yaml"
    in_compose.touch()
    assert find_stack_file(None, {}, inner) == in_compose
    above = tmp_path / "stack.yaml"
    above.touch()
    assert find_stack_file(None, {}, inner) == above
    assert find_stack_file(None, {"MSCTL_FILE": ""}, inner) == above
    other = inner / "other.yaml"
    other.touch()
    assert find_stack_file(None, {"MSCTL_FILE": "other.yaml"}, inner) == other
    explicit = find_stack_file("../../stack.yaml", {"MSCTL_FILE": "other.yaml"}, inner)
    assert explicit.samefile(above)
    assert find_stack_file(str(other), {}, tmp_path) == other


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owners here")
def test_a_stranger_s_file_above_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as /tmp/stack.yaml, which would start what its owner likes; -f takes it."""
    inner = tmp_path / "a"
    inner.mkdir()
    above = tmp_path / "stack.yaml"
    above.touch()
    real = Path.stat

    def stat(path: Path, **given: Any) -> Any:
        found = list(real(path, **given))
        found[4] = os.getuid() + 7 if path == above else found[4]
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(UsageProblem, match="belongs to another user") as refusal:
        find_stack_file(None, {}, inner)
    assert refusal.value.hint == f"nothing was done; -f {above} takes it nonetheless"
    assert find_stack_file(None, {}, tmp_path) == above
    assert find_stack_file(str(above), {}, inner) == above


@pytest.mark.parametrize(
    ("explicit", "environ", "message"),
    [
        (None, {}, "no stack.yaml here, in a folder above, or in compose/"),
        ("x.yaml", {}, "-f/--file: x.yaml: no such file"),
        (None, {"MSCTL_FILE": "y.yaml"}, "$MSCTL_FILE: y.yaml: no such file"),
        ("folder", {}, "-f/--file: folder is a folder"),
    ],
)
def test_no_file_is_a_usage_problem(
    explicit: str | None, environ: dict[str, str], message: str, tmp_path: Path
) -> None:
    """It says what was looked for, and what to type."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageProblem) as error:
        find_stack_file(explicit, environ, tmp_path)
    assert error.value.message == message
    assert error.value.hint
    assert error.value.exit_status == 2


def test_a_loaded_stack_knows_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both paths are absolute, whatever the user typed; errors say what was typed."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "stack.yaml").write_text(SMALL, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    loaded = load(Path("sub/stack.yaml"), {})
    assert loaded.path == tmp_path / "sub" / "stack.yaml"
    assert loaded.folder == tmp_path / "sub"
    assert load(Path("sub/../sub/stack.yaml"), {}) == loaded
    assert loaded.stack.name == "shop"
    (tmp_path / "sub" / "stack.yaml").write_text("name: X", encoding="utf-8")
    for shown_as, start in ((None, "sub/stack.yaml:1: "), ("typed", "typed:1: ")):
        with pytest.raises(StackFileError) as error:
            load(Path("sub/stack.yaml"), {}, shown_as=shown_as)
        assert all(problem.startswith(start) for problem in error.value.problems)


def test_files_beside_the_stack_file_are_read_from_there(tmp_path: Path) -> None:
    """.env and env_file are found beside the file, not in the working directory."""
    (tmp_path / "stack.yaml").write_text(
        "name: shop\nservices: {web: {image: 'a:${TAG}', env_file: [conf/app.env]}}\n"
    )
    (tmp_path / ".env").write_text("TAG=1.2\n")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "app.env").write_text("VERSION=${TAG}\n")
    web = load(tmp_path / "stack.yaml", {}).stack.services["web"]
    assert (web.image, web.env, web.env_file) == ("a:1.2", {"VERSION": "1.2"}, ())


def test_a_file_of_variables_may_be_missing_where_the_stack_file_says_so(tmp_path: Path) -> None:
    """As for Docker Compose; one that is there is read, and has to be right."""
    (tmp_path / "stack.yaml").write_text(
        "name: shop\nservices: {web: {image: a, env_file: [{path: my.env, required: false}]}}\n"
    )
    assert load(tmp_path / "stack.yaml", {}).stack.services["web"].env == {}
    (tmp_path / "my.env").write_text("A=1\n")
    assert load(tmp_path / "stack.yaml", {}).stack.services["web"].env == {"A": "1"}
    (tmp_path / "my.env").write_text("A='1\n")
    with pytest.raises(StackFileError, match="env_file"):
        load(tmp_path / "stack.yaml", {})


def test_a_file_that_cannot_be_read_is_a_usage_problem(tmp_path: Path) -> None:
    """Missing, or a folder."""
    for path, reason in ((tmp_path / "x.yaml", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(UsageProblem, match=reason):
            load(path, {}, shown_as="x.yaml")


def test_an_endless_file_is_not_read_whole(tmp_path: Path) -> None:
    """No more than a megabyte of it is."""
    path = tmp_path / "stack.yaml"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(StackFileError, match="larger than 1 MiB"):
        load(path, {})


@pytest.mark.parametrize("name", ["stack.yaml", ".env", "a.env"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str, kind: str) -> None:
    """A pipe without a writer, or a device that never ends, is refused wherever a file is meant."""
    (tmp_path / "stack.yaml").write_text("name: a\nservices: {a: {image: a, env_file: a.env}}\n")
    (tmp_path / "a.env").write_text("A=1\n")
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(UsageProblem) as error:
        load(tmp_path / "stack.yaml", {})
    assert "not a regular file" in str(error.value)


def test_a_stack_file_may_come_by_a_pipe_of_the_shell() -> None:
    """`-f <(command)` is a pipe in /dev/fd."""
    reader, writer = os.pipe()
    os.write(writer, SMALL.encode())
    os.close(writer)
    try:
        assert load(Path(f"/dev/fd/{reader}"), {}).stack.name == "shop"
    finally:
        os.close(reader)
