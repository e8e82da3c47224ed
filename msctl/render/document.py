"""A Compose document as the text of a file that Docker Compose reads."""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Mapping
from typing import Any

import yaml

Document = dict[str, Any]

_LOOKS_LIKE_A_NUMBER = re.compile(
    r"[-+]?(\.?\d[\d_]*(\.[\d_]*)?(e[-+]?\d+)?|0[xob][\da-f_]+)|(?=\D*\d)[\d.:]+", re.IGNORECASE
)
"""For some reader of YAML: PyYAML leaves `1e3` unquoted, which Docker Compose takes for 1000."""
_MOUNT = re.compile(r"((?:[A-Za-z]:[\\/])?(?:\$\{[^}]*\}|[^:$]|\$(?!\{))+):")
"""The source of a mount in its short form; `${VAR:-default}` is one word."""
_DEFAULT = re.compile(r"\$\{\w+:?-([a-zA-Z0-9][\w.-]*)\}", re.ASCII)
"""A variable that names a volume where it is not set."""
_ABSOLUTE = re.compile(r"[/~$]|[A-Za-z]:[\\/]|[\w+.-]+://|git@|github\.com/")
"""What does not lie beside the stack file, or cannot be told: it begins with a variable."""


class _Dumper(yaml.SafeDumper):
    """Writes YAML as people do: list items indented, null as nothing, long texts in blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = None
    if _LOOKS_LIKE_A_NUMBER.fullmatch(value):
        style = "'"
    elif re.search(r"[\n\x85\u2028\u2029]", value):
        odd = re.search(r"\A\s|\s\n|\s\Z|[^\n\x20-\x7e]", value)
        style = '"' if odd else "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _nothing(dumper: _Dumper, _value: None) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "")


class OnOneLine:
    """A list or mapping that is written on one line."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _on_one_line(dumper: _Dumper, on_one_line: OnOneLine) -> yaml.Node:
    return _flowing(dumper.represent_data(on_one_line.value))


def _flowing(node: yaml.Node) -> yaml.Node:
    if node.tag == "tag:yaml.org,2002:null":
        node.value = "null"
    if isinstance(node, yaml.CollectionNode):
        node.flow_style = True
        for entry in node.value:
            for inner in entry if isinstance(entry, tuple) else (entry,):
                _flowing(inner)
    return node


_Dumper.add_representer(OnOneLine, _on_one_line)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), _nothing)


class _PlainDumper(_Dumper):
    """For readers of all of YAML 1.2, such as Kubernetes's."""


def _block(dumper: _Dumper, value: str) -> yaml.Node:
    if "\n" in value:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|")
    return _text(dumper, value)


_PlainDumper.add_representer(str, _block)


def dump(document: Mapping[str, Any]) -> str:
    """YAML in the document's own order, an empty line between top-level keys and services."""
    parts = []
    for key, value in document.items():
        if key == "services" and value:
            services = [_dump({key: {n: service}}) for n, service in value.items()]
            parts.append(f"{key}:\n" + "\n".join(s.removeprefix(f"{key}:\n") for s in services))
        else:
            parts.append(_dump({key: value}))
    return "\n".join(parts)


def dump_plain(value: Mapping[str, Any]) -> str:
    """YAML in the value's own order, texts of several lines in blocks wherever YAML allows it."""
    return _dump(value, _PlainDumper)


def _dump(value: Mapping[str, Any], dumper: type[_Dumper] = _Dumper) -> str:
    return str(
        yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=float("inf"))
    )


def relocated(document: Document, prefix: str) -> Document:
    """The document for a file elsewhere: `prefix` leads from there to the stack file's folder.

    A path that begins with a variable stays as it is.
    """
    if not prefix:
        return document
    document = copy.deepcopy(document)
    for service in document["services"].values():
        if "build" in service:
            build = service["build"]
            if isinstance(build, str):
                service["build"] = moved(build, prefix)
            elif "context" in build:
                build["context"] = moved(build["context"], prefix)
        if "env_file" in service:
            service["env_file"] = [moved_file(file, prefix) for file in service["env_file"]]
        if "volumes" in service:
            service["volumes"] = [moved_mount(mount, prefix) for mount in service["volumes"]]
    for secret in document.get("secrets", {}).values():
        secret["file"] = moved(secret["file"], prefix)
    return document


def moved_mount(mount: str | dict[str, Any], prefix: str) -> str | dict[str, Any]:
    """A mount for a file elsewhere; see `relocated`."""
    path = bind_source(mount)
    if path is None:
        return mount
    if isinstance(mount, str):
        return moved(path, prefix) + mount[len(path) :]
    return {**mount, "source": moved(path, prefix)}


def moved_file(file: str | dict[str, Any], prefix: str) -> str | dict[str, Any]:
    """An entry of `env_file` for a file elsewhere; see `relocated`."""
    if isinstance(file, str):
        return moved(file, prefix)
    return {**file, "path": moved(file["path"], prefix)}


def moved(path: str, prefix: str) -> str:
    """A path for a file elsewhere; see `relocated`."""
    if _ABSOLUTE.match(path):
        return path
    way = posixpath.join(prefix, path.removeprefix("./"))
    if "$" not in way:  # a variable may stand for several folders, which `..` must not undo
        way = posixpath.normpath(way)
    return way if way.startswith((".", "/")) else f"./{way}"


def bind_source(mount: str | Mapping[str, Any]) -> str | None:
    """The path on the host of a bind mount; None for any other mount."""
    source = _source(mount)
    if not isinstance(mount, str):
        return source if mount.get("type") == "bind" else None
    is_path = source is not None and re.match(r"[./~]|[A-Za-z]:[\\/]", source)
    return source if is_path else None


def volume_name(mount: str | Mapping[str, Any]) -> str | None:
    """The named volume of a mount; None for any other mount, and where a variable names it that
    has no default."""
    source = _source(mount)
    if source is not None and (default := _DEFAULT.fullmatch(source)):
        source = default[1]
    if source is None or "$" in source or bind_source(mount) is not None:
        return None
    return source if isinstance(mount, str) or mount.get("type", "volume") == "volume" else None


def _source(mount: str | Mapping[str, Any]) -> str | None:
    if not isinstance(mount, str):
        source = mount.get("source")
        return source if isinstance(source, str) else None
    found = _MOUNT.match(mount)
    return found[1] if found else None
