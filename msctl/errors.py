"""What can go wrong, and the exit status it ends in.

MsctlError                  1  failed or degraded
├── StepFailed              1  a step of a plan did not reach its end
├── ImageUnavailable        1  an image that can neither be pulled nor built
├── UsageProblem            2  bad arguments; nothing was changed
│   └── StackFileError      2  a stack file with one or more problems
├── EngineUnreachable       3  no engine answers, or it does not know who asks
├── StackLocked             4  another msctl holds the stack's lock
└── Interrupted           130  Ctrl-C or SIGTERM

A message says what and where; `hint` says what to type next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence


class MsctlError(Exception):
    """Base of everything that msctl reports without a traceback."""

    exit_status = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class StepFailed(MsctlError):
    """A step of a plan did not reach its end.

    `log` holds the last lines that the container wrote, oldest first.
    """

    def __init__(self, message: str, *, hint: str | None = None, log: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.log = tuple(log)


class ImageUnavailable(MsctlError):
    """An image is not present, and neither a pull nor a build gave it."""


class UsageProblem(MsctlError):
    """Arguments or a file that cannot be accepted; nothing was changed."""

    exit_status = 2


class StackFileError(UsageProblem):
    """Every problem of a stack file, one line each, in the order of the file."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class EngineUnreachable(MsctlError):
    """No engine answers at the configured address, or it does not accept who asks."""

    exit_status = 3


class StackLocked(MsctlError):
    """Another msctl works on the stack."""

    exit_status = 4


class Interrupted(MsctlError):
    """Ctrl-C or SIGTERM ended the command between two steps."""

    exit_status = 130


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it came of, and so on inwards."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def reason(error: BaseException) -> str:
    """The innermost reason, without the layers of an HTTP library around it."""
    *_, innermost = causes(error)
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    return str(innermost) or type(innermost).__name__
