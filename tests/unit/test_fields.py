"""The scalars of the stack file: what is taken, how it is shown, and that nothing odd gets by."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msctl import fields
from msctl.records import Unfit, read_as

ODD: list[object] = [
    float("inf"),
    float("-inf"),
    float("nan"),
    True,
    None,
    [],
    {},
    "",
    " 5",
    "5 ",
    "\u0665",
]
ODD += ["1_0", "0x10", "inf", "nan", "1e999", 10**400, "9" * 5000, "5\n", b"5", object()]


def taken(kind: Any, value: object) -> Any:
    return read_as(kind, value)


def refused(kind: Any, value: object) -> str:
    with pytest.raises(Unfit) as error:
        taken(kind, value)
    [found] = error.value.findings
    assert found.kind == "wrong"
    assert found.message.isprintable()
    return found.message


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize("kind", [fields.Port, fields.Cpus, fields.Size, fields.Surge])
def test_odd_numbers_are_refused(kind: Any, value: object) -> None:
    """Infinite, not a number, huge, a boolean, other digits: none is a number here."""
    refused(kind, value)


@pytest.mark.parametrize("value", [80, 80.0, "80", "80.0", "+80", "8e1", "0080"])
def test_a_port_may_come_out_of_a_variable(value: object) -> None:
    """Text is taken as the number that it shows."""
    found = taken(fields.Port, value)
    assert (found, type(found)) == (80, int)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("10s", timedelta(seconds=10)),
        ("1m30s", timedelta(seconds=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("1.5h", timedelta(minutes=90)),
        (".5s", timedelta(milliseconds=500)),
        ("250us", timedelta(microseconds=250)),
        ("8760h", timedelta(days=365)),
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
        (0, timedelta(0)),
    ],
)
def test_durations_are_gos(text: object, duration: timedelta) -> None:
    """As Compose reads them."""
    assert taken(fields.Duration, text) == duration


@pytest.mark.parametrize(
    "text",
    [
        *[
            "10",
            10,
            "1mm",
            "1d",
            "1w",
            "1y",
            "-5s",
            "+5s",
            "1s ",
            "5 s",
            "s",
            ".s",
            "1.2.3s",
            "9e9h",
        ],
        *["8761h", "9" * 400 + "h", True, None, [], "\u0665s", float("inf"), 1.5],
    ],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    """Days and months, which Go does not know, as well."""
    assert "is not a duration" in refused(fields.Duration, text)


@given(st.timedeltas(timedelta(0), timedelta(days=365)))
def test_a_duration_reads_as_it_is_shown(duration: timedelta) -> None:
    """To the microsecond."""
    text = fields.show_duration(duration)
    assert fields.parse_duration(text) - duration < timedelta(microseconds=2)
    assert duration - fields.parse_duration(text) < timedelta(microseconds=2)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(hours=2), "2h"),
        (timedelta(hours=5000, milliseconds=1), "5000h0.001s"),
        (timedelta(milliseconds=1500), "1.5s"),
        (timedelta(microseconds=1500), "1ms500us"),
    ],
)
def test_durations_are_shown_short(duration: timedelta, text: str) -> None:
    """In units that Go reads."""
    assert fields.show_duration(duration) == text


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("512M", 512 * 1024**2),
        ("1.5g", 1536 * 1024**2),
        ("100kb", 102400),
        ("1GiB", 1024**3),
        ("1024", 1024),
        (1024, 1024),
        ("5b", 5),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_sizes_are_powers_of_1024(value: object, size: int) -> None:
    """As in Compose, and exact."""
    assert taken(fields.Size, value) == size


@pytest.mark.parametrize("value", ["512X", "-1", -1, 1.5, "1.M", "99999999999999999999G", "8E"])
def test_what_is_no_size_is_refused(value: object) -> None:
    """Or none that a machine has."""
    assert "is not a size" in refused(fields.Size, value)


@given(st.integers(0, 2**62))
def test_a_size_reads_as_it_is_shown(size: int) -> None:
    """Whatever the unit that it is shown in."""
    assert fields.parse_size(fields.show_size(size)) == size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (5, "5"),
        (1.0, "1"),
        (1.10, "1.1"),
        (1000.0, "1000"),
        (1e6, "1e+06"),
        (1234567.5, "1.2345675e+06"),
        (123456.5, "123456.5"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e20, "1e+20"),
        (-2.5, "-2.5"),
        (0.0, "0"),
        (2**64 - 1, "18446744073709551615"),
    ],
)
def test_numbers_become_the_text_that_compose_makes(value: object, text: str) -> None:
    """Go's %v."""
    assert taken(fields.Text, value) == text


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400, None, [], {}, "a\x00b"])
def test_what_is_no_text_is_refused(value: object) -> None:
    """A NUL ends a text in a container."""
    refused(fields.Text, value)


@pytest.mark.parametrize(
    ("value", "published"),
    [
        (80, "80"),
        ("080", "80"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("localhost:80", "127.0.0.1:80"),
        ("[::1]:80", "[::1]:80"),
        (False, None),
        ("off", None),
    ],
)
def test_what_the_gateway_publishes(value: object, published: str | None) -> None:
    """A port, with an address or without; off in both readings of YAML."""
    assert taken(fields.Publish, value) == published


@pytest.mark.parametrize(
    "value",
    [
        *[
            0,
            65536,
            True,
            80.0,
            ":80",
            "::1:80",
            "1.2.3:80",
            "[1.2.3.4]:80",
            "[]:80",
            "x:80",
            "80:x",
        ],
        *["\u0668\u0660", "9" * 5000, None],
    ],
)
def test_what_the_gateway_cannot_publish(value: object) -> None:
    """Names of hosts, which mean something else tomorrow, as well."""
    assert "is not a port to publish" in refused(fields.Publish, value)


@pytest.mark.parametrize("value", ["www.example.org", "WWW.Example.Org", "a", "a-b.c", "1.2.3.4"])
def test_host_names(value: str) -> None:
    """Case does not matter to a host."""
    assert taken(fields.HostName, value) == value.lower()


@pytest.mark.parametrize("value", ["", "-a", "a-", "a..b", "a_b", "a" * 64, "*.a", "a.b\n", 5])
def test_what_is_no_host_name(value: object) -> None:
    """Traefik would never match it."""
    refused(fields.HostName, value)


@given(st.text())
def test_a_value_is_shown_in_one_short_line(text: str) -> None:
    """No control characters, no line breaks, whatever is in the file."""
    shown = fields.shown(text)
    assert shown.isprintable()
    assert len(shown) <= 60


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.binary()))
def test_no_value_gets_past_the_checks(value: object) -> None:
    """Each field takes a value or refuses it with a message of its own."""
    kinds: list[Any] = [
        fields.Port,
        fields.Cpus,
        fields.Size,
        fields.Duration,
        fields.Text,
        fields.Flag,
    ]
    kinds += [fields.Publish, fields.Surge, fields.Image, fields.Command, fields.Environment]
    kinds += [fields.Labels, fields.Name, fields.RoutePath, fields.HostName, fields.CookieName]
    for kind in (*kinds, fields.ProjectName, fields.FilePath):
        try:
            taken(kind, value)
        except Unfit as error:
            [found] = error.findings
        else:
            continue
        assert found.kind == "wrong"
