"""`msctl`: readies the process, then runs the command line."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from msctl.cli.group import cli

_SHOW_CURSOR = b"\x1b[?25h\n"


def main() -> None:
    """Entry point; ends the process."""
    _never_fail_at_letters()
    for signum in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(signum) is not signal.SIG_IGN:  # as of a shell's background job
            signal.signal(signum, _interrupt)
    cli.main(prog_name="msctl")


def _never_fail_at_letters() -> None:
    """In a locale without UTF-8, what cannot be written is shown as `?`."""
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="replace")


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    """The first time, end in good order; the second time, at once."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _leave)
    raise KeyboardInterrupt


def _leave(_signum: int, _frame: FrameType | None) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        os.write(sys.stderr.fileno(), _SHOW_CURSOR)
    os._exit(130)


if __name__ == "__main__":
    main()
