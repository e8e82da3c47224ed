"""From the file to the stack: which file, its environment, the form for `render`."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from msctl.config import find_stack_file, load, load_text
from msctl.config.starter import starter
from msctl.errors import StackFileError, UsageProblem
from msctl.model import Service, Stack
from msctl.records import written

SMALL = "name: shop\nservices: {web: {image: a}}\n"


def read(text: str | bytes, **options: Any) -> Stack:
    return load_text(text, name="stack.yaml", **{"environ": {}, **options})


def problems(text: str | bytes, **options: Any) -> tuple[str, ...]:
    """What is wrong with a file; nothing: it is accepted."""
    try:
        read(text, **options)
    except StackFileError as error:
        return error.problems
    return ()


# Which file ----------------------------------------------------------------------------------


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


# Values --------------------------------------------------------------------------------------


def test_the_project_option_overrides_the_name() -> None:
    """Also where the file has none, or a wrong one."""
    assert read(SMALL, project="other").name == "other"
    assert read("services: {web: {image: a}}", project="other").name == "other"
    with pytest.raises(UsageProblem, match="-p/--project: 'My Shop' is not a project name"):
        read(SMALL, project="My Shop")


def test_short_and_long_forms_are_one() -> None:
    """A bare value stands for the record's first key, a single one for a list."""
    short = read(
        "name: shop\n"
        "services:\n"
        "  db: {image: a}\n"
        "  web:\n"
        "    {image: a, build: ., port: '80', replicas: 2, routes: /, sticky: c, needs: db,\n"
        "     env: [A=1, B], env_file: [], secrets: s, networks: backend, command: run it}\n"
    )
    long = read(
        "name: shop\n"
        "services:\n"
        "  db: {image: a}\n"
        "  web:\n"
        "    {image: a, build: {context: .}, port: 80, replicas: {initial: 2},\n"
        "     routes: [{path: /}], sticky: {name: c}, needs: [db], env: {A: 1, B: }, \n"
        "     secrets: [{name: s}], networks: [backend], command: run it}\n"
    )
    assert short == long


def test_extensions_are_the_users() -> None:
    """`x-*` is let through everywhere, with whatever is in it."""
    stack = read(
        "x-a: {b: '${NOT_SET}', c: }\n"
        "name: shop\n"
        "services:\n"
        "  web: {image: a, port: 80, x-b: , routes: [{path: /, x-c: 1}], env: {x-d: $$1}}\n"
    )
    assert stack.services["web"].env == {"x-d": "$1"}


def test_env_wins_over_env_file_and_null_takes_the_environment() -> None:
    """Later files win over earlier ones, `env` over all; what is set nowhere stays None."""
    files = {"one": b"A=1\nB=1\nC=1", "two": b"B=2\nC=2"}
    text = (
        "name: shop\n"
        "services: {web: {image: a, env_file: [one, two], env: {C: 3, D: , E: , F: ''}}}\n"
    )

    def read_file(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory")
        return files[path]

    web = read(text, environ={"D": "d"}, read_file=read_file).services["web"]
    assert web.env == {"A": "1", "B": "2", "C": "3", "D": "d", "E": None, "F": ""}
    assert web.env_file == ()


def test_bounds_of_replicas_tell_given_from_default() -> None:
    """A stateful service may leave `replicas` out, though the default maximum is 10."""
    text = "name: shop\nservices: {web: {image: a, stateful: true, ports: ['80:80']}}\n"
    assert read(text).services["web"].replicas.max == 10


# The form for render -------------------------------------------------------------------------

KEPT = """\
name: ${NAME:-shop}
gateway:
  image: traefik:${TAG:-v3.7}
  http: ${HTTP:-8000}
  args: ["--x=${X}", "--y=$$"]
services:
  web:
    image: web:${TAG:-1}
    build: {context: "./${DIR}", args: {A: "${X}"}}
    command: [run, "${X}", "$$HOME"]
    entrypoint: run '${X}
    env: {A: "${X}", B: "$$5", C: }
    env_file: ["${X}.env"]
    ports: ["${PORT}:80", {target: 80, published: "${PORT}"}]
    volumes: ["${DATA:-./data}:/data"]
    labels: {l: "${X}"}
    port: ${WEB_PORT:-80}
    routes: ["/${PATH_:-api}"]
    replicas: ${N:-2}
    secrets: [{name: s, template: "a$$b{secret}"}]
    stop_grace: ${GRACE:-5s}
  api:
    image: api
    env: ["${NAME_:-KEY}=$X", "K=${X}"]
"""


def test_what_passes_through_keeps_its_variables() -> None:
    """`render` writes `${VAR}` where Compose reads it, values elsewhere, and a plain `$` as $$."""
    stack = read(KEPT, environ={"X": "5$", "DIR": "d"}, keep_variables=True)
    web, api = stack.services["web"], stack.services["api"]
    assert stack.name == "shop"
    assert stack.gateway.image == "traefik:${TAG:-v3.7}"
    assert stack.gateway.http == "8000"
    assert stack.gateway.args == ("--x=${X}", "--y=$$")
    assert web.image == "web:${TAG:-1}"
    assert web.build is not None
    assert web.build.context == "./${DIR}"
    assert web.build.args == {"A": "${X}"}
    assert web.command == ("run", "${X}", "$$HOME")
    assert web.entrypoint == "run '${X}"
    assert web.env == {"A": "${X}", "B": "$$5", "C": None}
    assert [file.path for file in web.env_file] == ["${X}.env"]
    assert web.ports == ("${PORT}:80", {"target": 80, "published": "${PORT}"})
    assert web.volumes == ("${DATA:-./data}:/data",)
    assert web.labels == {"l": "${X}"}
    assert (web.port, web.replicas.initial, web.stop_grace) == (80, 2, timedelta(seconds=5))
    assert web.routes[0].path == "/api"
    assert web.secrets[0].template == "a$$b{secret}"
    # A list's name becomes a key, which Compose does not resolve.
    assert api.env == {"KEY": "5$$", "K": "${X}"}


def test_without_it_everything_is_resolved() -> None:
    """A doubled `$` is one, and every variable has its value."""
    text = KEPT.replace("env_file", "x-env_file").replace("run '$", "run $")
    environ = {"X": "5$", "DIR": "d", "PORT": "90-99"}
    web = read(text, environ=environ).services["web"]
    assert web.command == ("run", "5$", "$HOME")
    assert web.env == {"A": "5$", "B": "$5", "C": None}
    assert web.secrets[0].template == "a$b{secret}"
    assert web.ports[0] == "90-99:80"


def test_the_starter_is_accepted_as_it_is() -> None:
    """`msctl init` writes a file that `msctl check` has nothing to say about."""
    stack = read(starter("my-shop"))
    assert stack.name == "my-shop"
    assert [service.kind for service in stack.services.values()] == ["routed", "stateful"]
    assert read(starter("my-shop"), keep_variables=True).gateway.http == "80"


# Properties ----------------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        *("name", "services", "web", "image", "routes", "path", "replicas", "port", "env", "needs"),
        *("gateway", "http", "tls", "mode", "off", "null", "true", "80", "99999", "1e9", ".inf"),
        *("/api", "a:", "b", "${X}", "${", "$$", "-", "[", "]", "{", "}", ",", ":", "&", "*"),
        *("&a", "*a", "<<:", "!!str", "!", "|", ">", "'", '"', "#", "%", "@", "`", "?", "---"),
        *("...", "\n", "\n  ", "\n    ", "\n\n", "\t", "x-a:", "\\", "\u00e9", "\u2028"),
    ]
)


@given(st.one_of(st.text(), st.binary(), st.lists(_WORDS, max_size=40).map(" ".join)))
@example("name: a\nservices: {a: {image: a, port: 99999999999999999999999999999999999}}")
@example("name: a\nservices: {a: {image: a, resources: {cpus: 1e400, memory: 9e99}}}")
@settings(max_examples=200, deadline=timedelta(seconds=5))
def test_any_text_is_a_stack_or_a_list_of_problems(text: str | bytes) -> None:
    """Nothing but a StackFileError comes out, one printable line a problem."""
    for keep in (False, True):
        for problem in problems(text, keep_variables=keep):
            assert problem.startswith("stack.yaml:")
            assert problem.isprintable()


_ANY = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=8),
        st.sampled_from(["/", "80", "a", "10s", "512M", "50%", "off", "$X", "${X:-1}", "b=c"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["path", "name", "initial", "a", "target"]), inner),
    ),
    max_leaves=6,
)
_KEYS = sorted(key.name for key in Service.keys.values())


@given(st.dictionaries(st.sampled_from(_KEYS), _ANY, max_size=6), st.booleans())
@settings(max_examples=200, deadline=timedelta(seconds=5))
def test_any_value_of_any_key_is_accepted_or_explained(service: dict[str, Any], keep: bool) -> None:
    """Wrong types anywhere in a service are told by path, in words of msctl's own."""
    text = json.dumps({"name": "shop", "services": {"a": service}}, ensure_ascii=False)
    for problem in problems(text, keep_variables=keep):
        assert problem.startswith("stack.yaml:1: services.a"), problem
        assert "not accepted here" not in problem, problem


_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))


@st.composite
def _services(draw: st.DrawFn, name: str, before: list[str]) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": draw(st.sampled_from(["a", "postgres:15", "reg:5000/team/app:1.2"])),
        "env": draw(st.dictionaries(_NAMES, st.one_of(_TEXTS, st.none()), max_size=3)),
        "command": draw(st.lists(_TEXTS, max_size=3)),
        "stop_grace": f"{draw(st.integers(0, 9999))}ms",
        "resources": {"memory": f"{draw(st.integers(6, 4096))}M", "cpus": 0.25},
        "labels": draw(st.dictionaries(_NAMES, _TEXTS, max_size=2)),
        "volumes": draw(
            st.sampled_from([[], ["./x:/x:ro"], ["data:/v", {"type": "tmpfs", "target": "/t"}]])
        ),
    }
    if before:
        service["needs"] = draw(st.lists(st.sampled_from(before), unique=True))
    if draw(st.booleans()):
        initial = draw(st.integers(1, 9))
        service["replicas"] = {"initial": initial, "max": draw(st.integers(initial, 20))}
        service["port"] = draw(st.integers(1, 65535))
        service["routes"] = [{"path": f"/{name}", "strip": draw(st.booleans())}]
        service["health"] = {"path": "/", "interval": f"{draw(st.integers(1, 600))}s"}
        service["sticky"] = {"name": "c", "max_age": draw(st.integers(0, 99))}
    return service


@st.composite
def stacks(draw: st.DrawFn) -> dict[str, Any]:
    """The data of a stack file that is right."""
    names = draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True))
    names = [f"s-{name}" for name in names]
    return {
        "name": draw(_NAMES),
        "services": {name: draw(_services(name, names[:n])) for n, name in enumerate(names)},
    }


def _with_dollars_doubled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_dollars_doubled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_dollars_doubled(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


@given(stacks())
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_stack_written_again_is_the_same_stack(data: dict[str, Any]) -> None:
    """Read, written from the model, and read again: equal, also in the form for `render`."""
    text = json.dumps(_with_dollars_doubled(data), ensure_ascii=False)
    stack = read(text)
    again = json.dumps(_with_dollars_doubled(written(stack)), ensure_ascii=False)
    assert read(again) == stack
    kept = read(again, keep_variables=True)
    assert {name: service.port for name, service in kept.services.items()} == {
        name: service.port for name, service in stack.services.items()
    }


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


@pytest.mark.parametrize(
    "text",
    [
        "name: a\nservices:\n" + "".join(f"  s{n}: {{image: a}}\n" for n in range(20_000)),
        "name: a\nservices:\n"
        + "".join(f"  s{n}: {{image: a, needs: [s{n + 1}]}}\n" for n in range(15_000)),
        "name: a\nservices:\n"
        + "".join(
            f"  s{n}: {{image: a, needs: [{','.join(f's{m}' for m in range(500) if m != n)}]}}\n"
            for n in range(500)
        ),
        "name: a\nservices:\n"
        + "".join(
            f"  s{n}: {{image: a, needs: [{','.join(f's{(n + m) % 500}' for m in range(1, 99))}]}}"
            "\n"
            for n in range(500)
        ),
        "name: a\nservices:\n  a: {image: a, env_file: [" + "a.env," * 100_000 + "]}",
        "name: a\nservices:\n"
        + "".join(f"  s{n}: {{image: a, env_file: [a.env, b.env]}}\n" for n in range(1000)),
        "name: a\nservices:\n  a: {image: a, needs: ["
        + ",".join(f"b{n}" for n in range(80_000))
        + "]}",
        "name: a\nservices:\n  a: {image: a, ports: [" + ",".join(["'80:80'"] * 80_000) + "]}",
        "name: a\nservices:\n  a: {image: a, ports: ["
        + ",".join(["1-65535:1-65535"] * 20_000)
        + "]}",
        "name: a\nservices:\n  a: {image: a, port: 1, routes: [" + ",".join(["/"] * 100_000) + "]}",
        "name: a\n" + "".join(f"key{n}: 1\n" for n in range(60_000)),
        "name: a\nnetworks: [" + ",".join(f"n{n}" for n in range(80_000)) + "]\nservices: {}",
        "name: a\nservices:\n  a: {image: a, env: {"
        + ",".join(f"k{n}: $$" for n in range(80_000))
        + "}}",
        "name: '" + "${A:-" * 100_000,
        "name: '" + "$A" * 400_000 + "'",
    ],
    ids=[
        "many services",
        "a chain of needs",
        "all need all",
        "each needs many",
        "files of variables",
        "files of variables of many services",
        "needs of nothing",
        "one port again and again",
        "all ports again and again",
        "one route again and again",
        "unknown keys",
        "networks",
        "variables of a service",
        "nested references",
        "references",
    ],
)
def test_large_files_end_soon(text: str) -> None:
    """No check takes more than a few seconds on the largest file that is read."""
    start = time.process_time()  # however busy the machine is
    variables = b"".join(b"NAME_%d=%d\n" % (n, n) for n in range(40_000))
    found = problems(text, environ={"A": "a"}, read_file=lambda _: variables)
    assert 0 < len(found) <= 201 or "k0" in text
    assert time.process_time() - start < 15
