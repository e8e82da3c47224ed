"""Where the Docker engine is, as Docker's own command finds it.

DOCKER_HOST, else DOCKER_CONTEXT, else the context that `docker context use` chose, else the socket
of this machine: the system's, the user's own (rootless), or Docker Desktop's.
Source: docker/cli, `cli/command/cli.go` (resolveContextName) and `cli/context/store`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msctl.errors import EngineUnreachable
from msctl.frozen import dataclass
from msctl.spelling import did_you_mean

SYSTEM = "/var/run/docker.sock"
_SCHEMES = ("unix", "tcp", "http", "https", "ssh", "npipe")
_SECRET = re.compile(r"//[^/@]*@")
_PIPE = "npipe:////./pipe/docker_engine"
_DEFAULT = "default"
_CONTEXT = "context "


@dataclass(frozen=True)
class Endpoint:
    """An engine's address, and by what it was chosen."""

    address: str
    chosen_by: str
    """DOCKER_HOST, `context NAME`, or empty for this machine's socket."""
    certificates: Path | None = None
    """Folder with ca.pem, and cert.pem and key.pem where the engine asks for them."""
    verify: bool = True
    """Whether the engine's certificate has to be right; where not, none is needed."""
    doubt: str = ""
    """Why another one may have been meant; empty: it is the one that was chosen."""

    def __str__(self) -> str:
        return f"{self.address} ({self.chosen_by})" if self.chosen_by else self.address

    @property
    def local(self) -> bool:
        """Whether the engine runs on this machine."""
        return self.address.startswith(("unix://", "npipe://"))

    @property
    def context(self) -> str | None:
        """The name of the context that it was chosen by."""
        named = self.chosen_by.startswith(_CONTEXT)
        return self.chosen_by.removeprefix(_CONTEXT) if named else None

    @property
    def hint(self) -> str:
        """What to do when nobody answers there."""
        if self.context:
            return (
                "start it, or choose another: docker context ls, docker context use NAME, "
                "or set DOCKER_HOST; msctl doctor tells more"
            )
        return (
            "start it (systemctl start docker, or Docker Desktop), or set DOCKER_HOST; "
            "msctl doctor tells more"
        )


def endpoint(environ: Mapping[str, str], *, system: str = SYSTEM) -> Endpoint:
    """The engine to talk to; `system` is the system's own socket.

    Raises:
        EngineUnreachable: a context was chosen that is not there, or cannot be read, or what was
            chosen is no address.
    """
    found = _endpoint(environ, system)
    if why := _wrong(found.address):
        address = _SECRET.sub("//…@", found.address)
        raise EngineUnreachable(
            f"{address} ({found.chosen_by}) is not the address of a Docker engine: {why}",
            hint="write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST",
        )
    return found


def _wrong(address: str) -> str | None:
    """Why nothing can be reached by an address; None: it may be."""
    scheme = address.partition("://")[0]
    if scheme not in _SCHEMES:
        return f"it begins with none of {', '.join(_SCHEMES)}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        return str(error)
    if scheme in ("tcp", "http", "https") and (parts.username or port == 0):
        return "it has a user" if parts.username else "there is no port 0"
    return None


def _endpoint(environ: Mapping[str, str], system: str) -> Endpoint:
    if host := environ.get("DOCKER_HOST", "").strip():
        return _by_environment(host, environ)
    folder, doubt = config_folder(environ), ""
    by, name = "DOCKER_CONTEXT", environ.get("DOCKER_CONTEXT")
    if not name:
        file = folder / "config.json"
        by, (name, doubt) = str(file), _chosen(file)
    if name and name != _DEFAULT:
        return _of_context(folder, name, by)
    socket = _PIPE if sys.platform == "win32" else f"unix://{_socket(environ, system)}"
    if doubt:
        doubt += f": this is about {socket}; mend the file, or set DOCKER_CONTEXT or DOCKER_HOST"
    return Endpoint(socket, "", doubt=doubt)


def _by_environment(host: str, environ: Mapping[str, str]) -> Endpoint:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    secure = verify or bool(environ.get("DOCKER_TLS") or environ.get("DOCKER_CERT_PATH"))
    address = _whole(host, secure)
    if not secure or not address.startswith(("tcp://", "https://")):
        return Endpoint(address, "DOCKER_HOST")
    given = environ.get("DOCKER_CERT_PATH")
    folder = Path(given) if given else config_folder(environ)
    return Endpoint(address, "DOCKER_HOST", folder, verify)


def _whole(host: str, secure: bool) -> str:
    """An address with what may be left out: TCP, its usual port (docker/cli, `opts/hosts.go`)."""
    address = host if "://" in host else f"tcp://{host}"
    if address == "unix://":
        return f"unix://{SYSTEM}"
    if not address.startswith("tcp://"):
        return address
    try:
        parts = urlsplit(address)
        usual = "" if parts.port else f":{2376 if secure else 2375}"
    except ValueError:
        return address
    name = parts.netloc.rstrip(":") if parts.hostname else f"127.0.0.1{parts.netloc}".rstrip(":")
    return f"tcp://{name}{usual}{parts.path}"


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or os.path.expanduser("~"))


def config_folder(environ: Mapping[str, str]) -> Path:
    """Where Docker's configuration lies."""
    given = environ.get("DOCKER_CONFIG")
    return Path(given) if given else _home(environ) / ".docker"


def _chosen(file: Path) -> tuple[str | None, str]:
    """The context of `docker context use`, or why it is not known which one that is.

    As Docker's own command has it, which warns and goes on without one, and reads a first value
    only (docker/cli, `config.LoadDefaultConfigFile`).
    """
    try:
        text = file.read_text("utf-8").lstrip()
        found, _ = json.JSONDecoder().raw_decode(text)
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except json.JSONDecodeError as error:
        why = f"is no JSON (line {error.lineno}: {error.msg})" if text else "is empty"
    except UnicodeDecodeError:
        why = "is no JSON (not UTF-8)"
    except OSError as error:
        why = f"cannot be read ({(error.strerror or 'no file').lower()})"
    else:
        name = found.get("currentContext") if isinstance(found, dict) else found
        if name is None or (isinstance(name, str) and isinstance(found, dict)):
            return name, ""
        why = "has no name of a context for currentContext"
    return None, f"{file} {why}, so that the context it may choose does not count"


def _of_context(folder: Path, name: str, by: str) -> Endpoint:
    key = hashlib.sha256(name.encode()).hexdigest()
    try:
        found = json.loads((folder / "contexts" / "meta" / key / "meta.json").read_text("utf-8"))
        docker: dict[str, Any] = found["Endpoints"]["docker"]
        if not isinstance(docker["Host"], str):
            raise TypeError
        address = _whole(docker["Host"], (folder / "contexts" / "tls" / key).is_dir())
    except FileNotFoundError:
        known = _contexts(folder)
        raise EngineUnreachable(
            f"there is no Docker context {name}, which {by} names{did_you_mean(name, known)}",
            hint="docker context ls shows them; DOCKER_CONTEXT=default is this machine's engine",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineUnreachable(
            f"Docker context {name} cannot be read: {type(error).__name__}",
            hint=f"docker context inspect {name}; DOCKER_CONTEXT=default is this machine's engine",
        ) from None
    certificates = folder / "contexts" / "tls" / key / "docker"
    return Endpoint(
        address,
        f"{_CONTEXT}{name}",
        certificates if certificates.is_dir() else None,
        not docker.get("SkipTLSVerify", False),
    )


def _contexts(folder: Path) -> list[str]:
    names = [_DEFAULT]
    for file in sorted((folder / "contexts" / "meta").glob("*/meta.json")):
        try:
            names.append(str(json.loads(file.read_text("utf-8"))["Name"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return names


def _socket(environ: Mapping[str, str], system: str) -> str:
    """The first socket that is there; the system's where none is."""
    home, runtime = _home(environ), environ.get("XDG_RUNTIME_DIR")
    places = [
        Path(system),
        *([Path(runtime) / "docker.sock"] if runtime else []),
        home / ".docker" / "desktop" / "docker.sock",
        home / ".docker" / "run" / "docker.sock",
    ]
    return str(next((place for place in places if place.exists()), system))
