"""Published ports and mounts in Compose's forms."""

from __future__ import annotations

import pytest

from msctl.fields.mounts import Mount, parse_mount
from msctl.fields.ports import PublishedPort, parse_port

ONE = range(80, 81)


def ports(first: int, last: int | None = None) -> range:
    return range(first, (last or first) + 1)


@pytest.mark.parametrize(
    ("value", "port"),
    [
        (80, PublishedPort(ONE)),
        ("80", PublishedPort(ONE)),
        ("80-82", PublishedPort(ports(80, 82))),
        ("80/udp", PublishedPort(ONE, protocol="udp")),
        ("80/TCP", PublishedPort(ONE)),
        (":80", PublishedPort(ONE)),
        ("8080:80", PublishedPort(ONE, ports(8080))),
        ("22:22", PublishedPort(ports(22), ports(22))),
        ("8000-8010:80", PublishedPort(ONE, ports(8000, 8010))),
        ("80-81:90-91", PublishedPort(ports(90, 91), ports(80, 81))),
        ("127.0.0.1:8080:80", PublishedPort(ONE, ports(8080), "127.0.0.1")),
        ("127.0.0.1::80", PublishedPort(ONE, None, "127.0.0.1")),
        ("[::1]:81:80", PublishedPort(ONE, ports(81), "::1")),
        ("::1:81:80", PublishedPort(ONE, ports(81), "::1")),
        ("0.0.0.0:81:80/sctp", PublishedPort(ONE, ports(81), "0.0.0.0", "sctp")),
        ({"target": 80}, PublishedPort(ONE)),
        ({"target": "80", "published": "81-85"}, PublishedPort(ONE, ports(81, 85))),
        (
            {"target": 80, "published": 81, "host_ip": "::", "protocol": "udp", "mode": "host"},
            PublishedPort(ONE, ports(81), "::", "udp"),
        ),
    ],
)
def test_a_port_is_read_in_every_form(value: object, port: PublishedPort) -> None:
    """Numbers, texts and mappings, as Docker Compose reads them."""
    assert parse_port(value) == port


@pytest.mark.parametrize(
    "text",
    ["80", "80-82/udp", "8080:80", "80-81:90-91", "127.0.0.1:1:2", "[::1]:1:2", "1.2.3.4::80"],
)
def test_a_port_prints_as_it_is_written(text: str) -> None:
    """The short form, read again, is the same port."""
    assert str(parse_port(text)) == text


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("80", False),
        ("8080:80", True),
        ("80-81:80-81", True),
        ("80-89:80", False),
        ("80-82", False),
    ],
)
def test_a_port_is_fixed_when_one_replica_takes_all(text: str, fixed: bool) -> None:
    """A range for one container port serves as many replicas as it is long."""
    assert parse_port(text).fixed is fixed


def test_addresses_know_their_families() -> None:
    """No address is every address, of both families."""
    assert parse_port("1:1").families == (4, 6)
    assert parse_port("[::]:1:1").families == (6,)
    assert parse_port("127.0.0.1:1:1").families == (4,)
    assert [parse_port(f"{ip}:1:1").everywhere for ip in ("0.0.0.0", "[::]", "1.1.1.1")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "value",
    [
        *[
            "",
            "x",
            "0",
            "65536",
            "-80",
            "80 ",
            "80:",
            "a:80",
            "80-70",
            "1:2:3:4:5",
            "localhost:1:1",
        ],
        *["80/xyz", "80/", "1.2.3.4:80", "256.1.1.1:1:1", "80-81:80-83", "\u0661", "9" * 5000],
        *[
            None,
            True,
            80.5,
            [],
            {},
            {"target": []},
            {"target": 80, "x": 1},
            {"target": 80, "mode": 1},
        ],
    ],
)
def test_what_is_no_port_is_refused(value: object) -> None:
    """In one line that quotes it."""
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        parse_port(value)


@pytest.mark.parametrize(
    ("value", "mount"),
    [
        ("/data", Mount("volume", "/data")),
        ("data:/data", Mount("volume", "/data", "data")),
        ("data:/data:ro", Mount("volume", "/data", "data", read_only=True)),
        ("./x:/y:ro,z", Mount("bind", "/y", "./x", read_only=True)),
        ("../x:/y", Mount("bind", "/y", "../x")),
        ("/a/b:/y", Mount("bind", "/y", "/a/b")),
        ("~/a:/y", Mount("bind", "/y", "~/a")),
        ("C:\\a:/y:rw", Mount("bind", "/y", "C:\\a")),
        ({"type": "bind", "source": ".", "target": "/y"}, Mount("bind", "/y", ".")),
        ({"type": "tmpfs", "target": "/y"}, Mount("tmpfs", "/y")),
        (
            {"type": "volume", "source": "v", "target": "/y", "read_only": True, "volume": {}},
            Mount("volume", "/y", "v", read_only=True),
        ),
    ],
)
def test_a_mount_is_read_in_every_form(value: object, mount: Mount) -> None:
    """Named and nameless volumes, folders beside the file and elsewhere, memory."""
    assert parse_mount(value) == mount


@pytest.mark.parametrize(
    "value",
    [
        *[
            "",
            "x",
            "x:y",
            "a/b:/c",
            ":/z",
            "v:",
            "v:/z:",
            "v:/z:foo",
            "v:/z:ro:x",
            "-v:/z",
            None,
            5,
            [],
        ],
        *[{}, {"type": "bind", "target": "/x"}, {"type": "volume", "source": 5, "target": "/x"}],
        *[{"type": "volume", "target": "x"}, {"type": "tmpfs", "source": "v", "target": "/x"}],
    ],
)
def test_what_is_no_mount_is_refused(value: object) -> None:
    """In one line that quotes it."""
    with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
        parse_mount(value)
