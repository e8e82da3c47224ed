"""What the shell completes behind a command: services, secrets, words, files, folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:  # click loads it only where a shell asks
    from click.shell_completion import CompletionItem

    Completed = list[str] | list[CompletionItem]
    Complete = Callable[[click.Context, click.Parameter, str], Completed]


def one_of(*words: str) -> Complete:
    """One of these."""
    return lambda _ctx, _param, incomplete: _beginning(incomplete, words)


def services(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The services of the stack file that are not named yet; none where there is no such file."""
    return _beginning(incomplete, _services(ctx), without=_given(ctx))


def having(key: str) -> Complete:
    """The services that have this key and are not named yet."""

    def found(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        names = [name for name, service in _services(ctx).items() if key in service]
        return _beginning(incomplete, names, without=_given(ctx))

    return found


def members(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The services, and the gateway where it leads to one."""
    from msctl.model import GATEWAY

    found = _services(ctx)
    routed = any("routes" in service for service in found.values())
    return _beginning(incomplete, [*found, *[GATEWAY] * routed], without=_given(ctx))


def counted(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """What has a number of replicas; nothing where that number is to be typed.

    `web=3` is one word for zsh and fish, and three for bash.
    """
    given = _given(ctx)
    if given and "=" not in given[-1] and given[-2:-1] != ["="]:
        return []
    found = _services(ctx)
    fixed = [n for n, service in found.items() if service.get("stateful") or service.get("job")]
    taken = [word.partition("=")[0] for word in given]
    return _beginning(incomplete, [*found, *["all"] * (not given)], without=[*fixed, *taken])


def secrets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """The secrets of the stack file."""
    listed = [service.get("secrets") for service in _services(ctx).values()]
    mounts = [mount for mounts in listed if isinstance(mounts, list) for mount in mounts]
    names = [mount.get("name") if isinstance(mount, dict) else mount for mount in mounts]
    return _beginning(incomplete, map(str, names))


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Files, as the shell knows them."""
    return [click.shell_completion.CompletionItem(incomplete, type="file")]


def folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Folders, as the shell knows them."""
    return [click.shell_completion.CompletionItem(incomplete, type="dir")]


def _beginning(incomplete: str, names: Iterable[str], without: Iterable[str] = ()) -> list[str]:
    """Those that begin like this, each once; anything but a name would be typed, or shown, as it
    stands."""
    from msctl.fields import NAME_RULE

    taken = set(without)
    found = [name for name in dict.fromkeys(names) if name.startswith(incomplete)]
    return [name for name in found if name not in taken and re.fullmatch(NAME_RULE, name)]


def _given(ctx: click.Context) -> list[str]:
    """The words that stand before."""
    return [word for value in ctx.params.values() if isinstance(value, tuple) for word in value]


def _services(ctx: click.Context) -> Mapping[str, Mapping[str, Any]]:
    """As they stand in the file, which is not checked, so that one with errors completes too."""
    import yaml

    from msctl.cli.session import session_of
    from msctl.config.files import read_start
    from msctl.errors import MsctlError

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(read_start(session_of(ctx).file), Loader=loader)
    except (MsctlError, OSError, ValueError, yaml.YAMLError):
        return {}
    found = document.get("services") if isinstance(document, dict) else None
    services = found if isinstance(found, dict) else {}
    return {str(k): service if isinstance(service, dict) else {} for k, service in services.items()}
