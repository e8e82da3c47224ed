"""Where the engine is: DOCKER_HOST, contexts, and the sockets of this machine."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from pathlib import Path

import pytest

from msctl.engines.compose.api.client import Client
from msctl.engines.compose.api.endpoint import Endpoint, endpoint
from msctl.engines.compose.api.sdk import certificates, connection
from msctl.engines.compose.api.unreached import unreachable
from msctl.engines.compose.observing.files import check_mounts
from msctl.engines.compose.revision import Revision
from msctl.errors import EngineUnreachable, UsageProblem


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user with two contexts, of which none is chosen."""
    make(tmp_path, "prod", "tcp://prod.example.org:2376", certificates=True)
    make(tmp_path, "lab", "ssh://me@lab")
    return tmp_path


def make(home: Path, name: str, host: str, *, certificates: bool = False) -> None:
    key = hashlib.sha256(name.encode()).hexdigest()
    folder = home / ".docker" / "contexts" / "meta" / key
    folder.mkdir(parents=True)
    docker = {"Host": host, "SkipTLSVerify": False}
    text = json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": docker}})
    (folder / "meta.json").write_text(text)
    if certificates:
        (home / ".docker" / "contexts" / "tls" / key / "docker").mkdir(parents=True)


def use(home: Path, name: str) -> None:
    """`docker context use NAME`."""
    (home / ".docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def found(home: Path, **environ: str) -> Endpoint:
    return endpoint({"HOME": str(home), **environ}, system=str(home / "var" / "docker.sock"))


def test_a_context_is_taken_as_docker_takes_it(home: Path) -> None:
    """DOCKER_HOST wins over DOCKER_CONTEXT, which wins over the one in use."""
    use(home, "prod")
    chosen = found(home)
    assert (chosen.address, chosen.chosen_by) == ("tcp://prod.example.org:2376", "context prod")
    assert chosen.certificates is not None
    assert (chosen.verify, chosen.local) == (True, False)
    assert found(home, DOCKER_CONTEXT="lab").address == "ssh://me@lab"
    by_host = found(home, DOCKER_CONTEXT="lab", DOCKER_HOST="unix:///x.sock")
    assert (by_host.address, by_host.chosen_by) == ("unix:///x.sock", "DOCKER_HOST")
    assert found(home, DOCKER_CONTEXT="default").chosen_by == ""
    elsewhere = found(home, DOCKER_CONFIG=str(home / "other"))
    assert elsewhere.chosen_by == ""


BROKEN = [
    ('{"currentContext": "prod"', "is no JSON (line 1: Expecting ',' delimiter)"),
    ("", "is empty"),
    ("[]", "has no name of a context for currentContext"),
    ('{"currentContext": 3}', "has no name of a context for currentContext"),
    (b"\xff{", "is no JSON (not UTF-8)"),
    (None, "cannot be read (is a directory)"),
]


@pytest.mark.parametrize(("content", "why"), BROKEN)
def test_a_configuration_that_cannot_be_read_is_told(
    home: Path, content: str | bytes | None, why: str
) -> None:
    """The file may choose another engine than the one that is taken then, as Docker takes it."""
    file = home / ".docker" / "config.json"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    told: list[str] = []
    place = found(home)
    assert (place.address, place.chosen_by) == (f"unix://{home}/var/docker.sock", "")
    assert place.doubt == (
        f"{file} {why}, so that the context it may choose does not count: this is about "
        f"{place.address}; mend the file, or set DOCKER_CONTEXT or DOCKER_HOST"
    )
    Client({"HOME": str(home)}, told.append)
    assert [text.partition(": this")[0] for text in told] == [place.doubt.partition(": this")[0]]


@pytest.mark.parametrize(
    "content",
    ["{}", "null", '{"currentContext": null}', '{"currentContext": ""}', "{} {", '{"auths": {}}\n'],
)
def test_a_configuration_without_a_context_is_no_news(home: Path, content: str) -> None:
    """Docker's command, too, reads a first value and no more."""
    (home / ".docker" / "config.json").write_text(content)
    assert found(home).doubt == ""


def test_a_broken_configuration_does_not_matter_to_whoever_names_an_engine(home: Path) -> None:
    """By DOCKER_HOST or DOCKER_CONTEXT; nor is a folder without one, or no folder, a fault."""
    assert found(home).doubt == ""
    (home / "file").touch()
    assert found(home, DOCKER_CONFIG=str(home / "file")).doubt == ""
    (home / ".docker" / "config.json").write_text("{")
    assert found(home).doubt
    for chosen in ({"DOCKER_HOST": "unix:///x"}, {"DOCKER_CONTEXT": "lab"}):
        assert found(home, **chosen).doubt == ""
    assert found(home, DOCKER_CONTEXT="default").doubt == ""


@pytest.mark.parametrize(
    "place", ["var/docker.sock", "run/docker.sock", ".docker/desktop/docker.sock",
              ".docker/run/docker.sock"],
)  # fmt: skip
def test_the_first_socket_that_is_there_is_taken(home: Path, place: str) -> None:
    """The system's, the user's own (rootless), or Docker Desktop's; the system's where none is."""
    environ = {"XDG_RUNTIME_DIR": str(home / "run")}
    assert found(home, **environ).address == f"unix://{home}/var/docker.sock"
    (home / place).parent.mkdir(parents=True, exist_ok=True)
    (home / place).touch()
    assert found(home, **environ).address == f"unix://{home}/{place}"
    assert found(home, **environ).local


def test_tls_is_as_the_environment_says(home: Path) -> None:
    """DOCKER_CERT_PATH, else the folder of Docker's configuration; a socket has none."""
    tcp = "tcp://10.0.0.1:2376"
    assert found(home, DOCKER_HOST=tcp).certificates is None
    verified = found(home, DOCKER_HOST=tcp, DOCKER_TLS_VERIFY="1")
    assert (verified.certificates, verified.verify) == (home / ".docker", True)
    given = found(home, DOCKER_HOST=tcp, DOCKER_CERT_PATH="/certs")
    assert (given.certificates, given.verify) == (Path("/certs"), False)
    assert found(home, DOCKER_HOST="unix:///x", DOCKER_TLS_VERIFY="1").certificates is None
    unverified = found(home, DOCKER_HOST="box", DOCKER_TLS="1")
    assert (unverified.address, unverified.verify) == ("tcp://box:2376", False)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("10.0.0.1:2375", "tcp://10.0.0.1:2375"),
        ("10.0.0.1", "tcp://10.0.0.1:2375"),
        ("tcp://[::1]", "tcp://[::1]:2375"),
        ("tcp://box:", "tcp://box:2375"),
        (":2375", "tcp://127.0.0.1:2375"),
        (" unix:///x.sock ", "unix:///x.sock"),
        ("unix://", "unix:///var/run/docker.sock"),
        ("npipe:////./pipe/docker_engine", "npipe:////./pipe/docker_engine"),
        ("ssh://me@lab", "ssh://me@lab"),
    ],
)
def test_what_an_address_may_leave_out(home: Path, given: str, meant: str) -> None:
    """Scheme and port are Docker's usual ones; TLS is spoken with such an address, too."""
    assert found(home, DOCKER_HOST=given).address == meant
    if meant.startswith("tcp://"):
        secure = found(home, DOCKER_HOST=given, DOCKER_TLS_VERIFY="1")
        assert secure.certificates == home / ".docker"


def test_only_the_certificates_that_are_there_are_used(home: Path) -> None:
    """An engine that asks for none of the client's gets none; a context that skips verification
    speaks TLS without any file, never plain HTTP."""
    folder = home / ".docker"
    (folder / "ca.pem").write_text("")
    one = Endpoint("tcp://box:2376", "DOCKER_HOST", folder)
    assert certificates(one) == {"ca_cert": str(folder / "ca.pem")}
    (folder / "cert.pem").write_text("")
    assert "client_cert" in certificates(one)
    make(home, "loose", "tcp://box:2376")
    key = hashlib.sha256(b"loose").hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    meta.write_text(meta.read_text().replace("false", "true"))
    loose = found(home, DOCKER_CONTEXT="loose")
    assert (loose.certificates, loose.verify) == (None, False)
    assert connection(loose)["tls"].verify is False


def test_docker_desktops_socket_is_where_its_machine_has_it(home: Path) -> None:
    """On Linux as on macOS its context leads to a socket in the user's home; the gateway's proxy
    has the one in its machine, which need not be a file here. Another engine's has to be."""
    make(home, "desktop-linux", f"unix://{home}/.docker/desktop/docker.sock")
    use(home, "desktop-linux")
    desktop = found(home)
    assert desktop.address == f"unix://{home}/.docker/desktop/docker.sock"
    assert desktop.local
    mount = {"type": "bind", "source": "/nowhere.sock", "target": "/var/run/docker.sock"}
    proxy = Revision("socket-proxy", {"volumes": [{**mount, "read_only": True}]}, {}, {}, {})
    check_mounts(proxy, local=True, virtual=True)
    with pytest.raises(UsageProblem, match="there is no socket of the engine") as caught:
        check_mounts(proxy, local=True)
    assert "under gateway, write: socket: PATH" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("platform", "name", "virtual"),
    [
        ("linux", "Docker Engine - Community", False),
        ("linux", "Docker Desktop 4.30.0 (149282)", True),
        ("darwin", "Docker Engine - Community", True),
        ("linux", None, False),
    ],
)
def test_an_engine_in_a_machine_of_its_own(
    monkeypatch: pytest.MonkeyPatch, platform: str, name: str | None, virtual: bool
) -> None:
    """Docker Desktop's, and whatever runs on macOS."""
    client = Client({"DOCKER_HOST": "unix:///x.sock"})
    client._told = {"Platform": {"Name": name}} if name else {}
    monkeypatch.setattr("sys.platform", platform)
    assert client.virtual is virtual


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("prdo", "there is no Docker context prdo, which DOCKER_CONTEXT names; did you mean"),
        ("broken", "Docker context broken cannot be read"),
    ],
)  # fmt: skip
def test_a_context_that_cannot_be_had_is_told(home: Path, name: str, told: str) -> None:
    """With exit status 3 and what to type; this machine's engine is never taken instead."""
    key = hashlib.sha256(b"broken").hexdigest()
    (home / ".docker" / "contexts" / "meta" / key).mkdir()
    (home / ".docker" / "contexts" / "meta" / key / "meta.json").write_text("{}")
    with pytest.raises(EngineUnreachable, match="Docker context") as caught:
        found(home, DOCKER_CONTEXT=name)
    assert told in caught.value.message
    assert "DOCKER_CONTEXT=default" in (caught.value.hint or "")


def test_a_broken_configuration_chooses_nothing(home: Path) -> None:
    """As Docker's own command has it."""
    (home / ".docker" / "config.json").write_text("{")
    assert found(home).chosen_by == ""


def test_the_error_tells_which_engine_was_tried_and_how_to_choose(home: Path) -> None:
    """By address, by what it was chosen, and with the next command to type."""
    use(home, "prod")
    error = unreachable("tcp://prod", ConnectionRefusedError(111, "refused"), found(home))
    assert error.message == "no Docker engine answers at tcp://prod (context prod): refused"
    assert "docker context use" in (error.hint or "")
    denied = unreachable("unix:///x", PermissionError(13, "Permission denied"))
    assert "usermod -aG docker" in (denied.hint or "")
    assert "DOCKER_HOST" in (unreachable("unix:///x", OSError(2, "gone")).hint or "")


def test_certificates_that_are_not_there_are_told(home: Path) -> None:
    """Before anything is sent, with the folder where they are looked for."""
    environ = {"HOME": str(home), "DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1"}
    with pytest.raises(EngineUnreachable, match=r"there is no .*/\.docker/ca\.pem") as caught:
        Client(environ)
    assert "key.pem are not there; DOCKER_CERT_PATH names another" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("tcp://[::1", "Invalid IPv6 URL"),
        ("tcp://127.0.0.1:99999", "Port out of range"),
        ("tcp://127.0.0.1:port", "Port could not be cast"),
        ("ftp://x", "it begins with none of unix, tcp"),
        ("tcp://me:secret@x:2375", "it has a user"),
    ],
)
def test_what_is_no_address_is_told(home: Path, address: str, why: str) -> None:
    """As that, not as an engine that is away; and no password with it."""
    with pytest.raises(EngineUnreachable, match="is not the address of a Docker engine") as caught:
        found(home, DOCKER_HOST=address)
    assert why in caught.value.message
    assert "secret" not in caught.value.message
    assert "tcp://HOST:PORT" in (caught.value.hint or "")


class _Answer(http.server.BaseHTTPRequestHandler):
    """Gives every question one answer."""

    status, body = 200, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"<html>", "its answer is no JSON"),
        (200, b"null", "it does not tell its version"),
        (200, b'{"ApiVersion": "x"}', "it does not tell its version"),
        (200, b'{"ApiVersion": "1.99", "MinAPIVersion": "1.90"}', "its API is 1.90 or newer"),
        (401, b'{"message": "denied"}', "denied (status 401)"),
        (500, b"oops", "oops (status 500)"),
    ],
)
def test_what_is_no_engine_is_told(home: Path, status: int, body: bytes, why: str) -> None:
    """Whatever answers there."""
    handler = type("Handler", (_Answer,), {"status": status, "body": body})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_address[1]}"
        client = Client({"HOME": str(home), "DOCKER_HOST": address})
        with pytest.raises(EngineUnreachable, match="is no Docker engine") as caught:
            client.version()
        server.shutdown()
    assert why in caught.value.message
