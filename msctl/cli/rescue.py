"""The one place where errors become a message and an exit status."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from msctl.errors import Interrupted, MsctlError, UsageProblem

READER_LEFT = 128 + 13
"""Exit status where nobody reads on: as a shell gives it for a tool that SIGPIPE has ended, since 1
means something else."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why a stream that leads to a file takes no more."""
COMPLETING = "_MSCTL_COMPLETE"
"""Is set where a shell asks for completions."""


def rescued(run: Callable[..., Any], *args: Any, **extra: Any) -> NoReturn:
    """Run, then leave the process with the exit status; whatever was raised is told once."""
    words: Sequence[str] = (args[0] if args else extra.get("args")) or sys.argv[1:]
    try:
        status = _status_of(run, *args, **extra)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        status = READER_LEFT
    except SystemExit:  # as click ends where nobody reads on
        if COMPLETING in os.environ:  # where click ends by itself
            raise
        _forget_stdout()
        status = READER_LEFT
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        status = error.exit_code
    except Exception as error:
        if COMPLETING in os.environ:  # a message would stand in the line that is being typed
            raise SystemExit(_as_ours(error).exit_status) from None
        if "--debug" in words:
            import traceback

            from msctl.views import neutral

            click.echo(neutral("".join(traceback.format_exception(error))), err=True, nl=False)
        status = _tell(_as_ours(error), plain="--no-color" in words)
        if isinstance(error, OSError):
            _forget_stdout()
    raise SystemExit(status)


def _status_of(run: Callable[..., Any], *args: Any, **extra: Any) -> int:
    try:
        result = run(*args, **extra)
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    except click.Abort as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise Interrupted("interrupted") from None
        raise MsctlError("no answer; nothing was changed") from None
    return result if isinstance(result, int) else 0


def _as_ours(error: Exception) -> MsctlError:
    if isinstance(error, MsctlError):
        return error
    if isinstance(error, click.NoSuchOption) and error.ctx is not None:
        from msctl.cli.habits import of_option

        if instead := of_option(error.ctx.info_name, error.option_name):
            return UsageProblem(f"No such option '{error.option_name}'", hint=instead)
    if isinstance(error, click.ClickException):
        ours = MsctlError(error.format_message().rstrip("."), hint=_usage(error))
        ours.exit_status = error.exit_code
        return ours
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        return MsctlError(f"cannot write all that was to be shown: {error.strerror}")
    text = f"internal error: {type(error).__name__}: {error}"
    return MsctlError(text, hint="run again with --debug and report it")


def _usage(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    return "msctl --help" if ctx is None else f"{ctx.command_path} --help"


def _tell(error: MsctlError, *, plain: bool) -> int:
    from msctl.ui import Ui

    Ui(color=not plain).error(error)
    return error.exit_status


def _forget_stdout() -> None:
    """Keep Python from complaining, when it ends, about output that nobody reads."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # until the process ends
