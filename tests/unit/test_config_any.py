"""Whatever a stack file holds, it is a stack or a list of problems, and soon."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reading import problems, read

from msctl.model import Service
from msctl.records import written

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
