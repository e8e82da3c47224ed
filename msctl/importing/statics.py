"""What somebody's Traefik is told as a whole: by its file, by flags or by its environment.

Of these three it takes the first that there is, and nothing of the others
(https://doc.traefik.io/traefik/v3.7/reference/install-configuration/boot-environment/).
"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msctl.config import yamltext
from msctl.config.problems import Malformed, Path
from msctl.importing.source import Note, Source, pairs, several

_VARIABLE = "traefik_"
CONFIG_FILE = "configfile"
_USUAL_FILES = tuple(
    f"{folder}/traefik.{kind}"
    for folder in ("/etc/traefik", "")
    for kind in ("toml", "yaml", "yml")
)
"""Where it looks for a file, in its image."""


@dataclass(frozen=True)
class Setting:
    """One thing that Traefik is told."""

    name: str
    """As its flags have it, with the letters that are written."""
    value: str
    said: str
    """As it is written; in a file, its value."""
    note: Note
    """Where it is written."""

    @property
    def key(self) -> str:
        """Its name as Traefik compares it."""
        return self.name.lower()


@dataclass(frozen=True)
class Statics:
    """What a Traefik is told, and what it does not listen to."""

    settings: tuple[Setting, ...] = ()
    unheard: tuple[tuple[Setting, str], ...] = ()
    """With the reason."""
    mount: int | None = None
    """Which of its volumes is its file."""


def statics_of(source: Source, name: str, service: Mapping[str, Any]) -> Statics:
    """What the Traefik of this name is told."""
    at: Path = ("services", name)
    flags = list(_flags(source, (*at, "command"), service.get("command")))
    variables = list(_variables(source, (*at, "environment"), service.get("environment")))
    named = [s for s in (*flags, *variables) if s.key == CONFIG_FILE and s.value]
    found = _of_file(source, service, at, [source.resolved(s.value) for s in named[:1]])
    if found is not None:
        file, settings, mount = found
        why = f"Traefik takes nothing of it beside {file}"
        rest = [one for one in (*flags, *variables) if one.key != CONFIG_FILE]
        return Statics(settings, tuple((one, why) for one in rest), mount)
    if flags:
        why = "Traefik takes nothing of it beside flags"
        return Statics(tuple(flags), tuple((one, why) for one in variables))
    return Statics(tuple(variables))


def words(command: Any) -> list[str]:
    """The words of a command."""
    if not isinstance(command, str):
        return [str(word) for word in several(command)]
    try:
        return shlex.split(command)
    except ValueError:  # a quote is open: no shell would take it
        return command.split()


def _flags(source: Source, at: Path, command: Any) -> Iterator[Setting]:
    """`--name=value`, `--name value`, and `--name` for true; the program's own name is none."""
    listed, todo = isinstance(command, list), list(enumerate(words(command)))
    while todo:
        index, word = todo.pop(0)
        if index == 0 and posixpath.basename(word) == "traefik":
            continue
        name, equals, value = word.partition("=")
        if not equals and name.startswith("-") and todo and not todo[0][1].startswith("-"):
            value = todo.pop(0)[1]
            word = f"{word} {value}"
        place = (*at, index) if listed else at
        bare = name.lstrip("-") if name.startswith("-") else ""
        yield Setting(bare, value or ("" if equals else "true"), word, source.at(place))


def _variables(source: Source, at: Path, environment: Any) -> Iterator[Setting]:
    """`TRAEFIK_LOG_LEVEL=DEBUG`."""
    for name, value, place in pairs(environment):
        if name.lower().startswith(_VARIABLE):
            key = name[len(_VARIABLE) :].replace("_", ".").lower()
            text = source.lookup(name) if value is None else _text(value)
            if text is not None:
                yield Setting(key, text, f"{name}={text}", source.at((*at, place)))


def mounted(volume: Any) -> tuple[str, str]:
    """From where, and to where in the container, a mount leads."""
    if isinstance(volume, Mapping):
        return str(volume.get("source", "")), str(volume.get("target", ""))
    parts = str(volume).split(":")
    return parts[0], parts[1] if len(parts) > 1 else parts[0]


def _configs(source: Source, service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The files that are `configs`, as mounts of them."""
    known = source.document.value.get("configs")
    for entry in several(service.get("configs")):
        said = entry if isinstance(entry, Mapping) else {"source": str(entry)}
        name = str(said.get("source"))
        config = known.get(name) if isinstance(known, Mapping) else None
        if isinstance(config, Mapping) and "file" in config:
            yield str(config["file"]), str(said.get("target") or f"/{name}")


def _of_file(
    source: Source, service: Mapping[str, Any], at: Path, named: list[str]
) -> tuple[str, tuple[Setting, ...], int | None] | None:
    """Its file, what is in it, and the volume that it is, if it is one; None where there is none
    to be read."""
    volumes = [mounted(volume) for volume in several(service.get("volumes"))]
    mounts = [*volumes, *_configs(source, service)]
    wanted = [posixpath.normpath(posixpath.join("/", name)) for name in named] or _USUAL_FILES
    for path in wanted:
        for index, (start, target) in enumerate(mounts):
            target = posixpath.normpath(target)
            if path != target and not path.startswith(f"{target}/"):
                continue
            file = posixpath.normpath(source.resolved(start) + path[len(target) :])
            try:
                data = source.read(file)
            except OSError:
                continue
            place = (*at, "volumes", index) if index < len(volumes) else (*at, "configs")
            if path.endswith(".toml"):
                source.not_carried(place, f"{file} is TOML; write it as YAML, and import it again")
                return file, (), index if path == target else None
            found = _settings(source, place, file, data)
            return file, found, index if path == target else None
    for name in named:
        source.not_carried((*at, "volumes"), f"{name}, Traefik's file, cannot be read here")
    return None


def _settings(source: Source, place: Path, file: str, data: bytes) -> tuple[Setting, ...]:
    """What a file says; why it says nothing is told."""
    if not data.strip():
        return ()
    try:
        document = yamltext.parse(data)
    except Malformed as error:
        source.not_carried(place, error.problem.text(file))
        return ()
    for problem in document.problems:
        source.not_carried(place, problem.text(file))
    return tuple(_leaves(document.value, (), document.lines, file))


def _leaves(value: Any, path: Path, lines: Mapping[Path, int], file: str) -> Iterator[Setting]:
    """The settings of a file: `log: {level: DEBUG}` is `log.level=DEBUG`, as a flag has it."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)), lines, file)
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index), lines, file)
    else:
        name = ""
        for part in path:
            name += f"[{part}]" if isinstance(part, int) else f"{'.' if name else ''}{part}"
        text = ",".join(map(_text, value)) if isinstance(value, list) else _text(value)
        note = Note(lines.get(path, 1), path, "", file)
        yield Setting(name, text, text, note)


def _text(value: Any) -> str:
    """A value as a flag has it; a section without a word in it is there."""
    if value is None or value == {} or value is True:
        return "true"
    return "false" if value is False else str(value)
