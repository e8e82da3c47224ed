"""One run of msctl: the world, the options, and what both together give."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from msctl.cli.app import App
from msctl.cli.group import arguments, command_names
from msctl.cli.options import given
from msctl.errors import MsctlError, UsageProblem
from msctl.frozen import dataclass
from msctl.shellwords import quoted
from msctl.spelling import did_you_mean

if TYPE_CHECKING:  # imported when they are used
    from msctl.config import LoadedStack
    from msctl.engines.base import Engine
    from msctl.files.lock import StackLock
    from msctl.model import Stack
    from msctl.ui import Ui

_OF_A_STACK = [re.escape(name) for name in command_names() if name != "import"]
_COMMAND = re.compile(rf"\bmsctl ({'|'.join(_OF_A_STACK)})(?![\w-])")
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Options:
    """The global options, as they were given."""

    file: str | None = None
    project: str | None = None
    engine: str = "compose"
    context: str | None = None
    namespace: str | None = None
    json: bool = False
    no_color: bool = False
    quiet: bool = False
    debug: bool = False
    wait_lock: float = 0.0


@dataclass(frozen=True)
class Session:
    """What a command function gets."""

    app: App
    options: Options
    command: str
    """As it was typed, for the lock: `msctl up web`."""

    @cached_property
    def ui(self) -> Ui:
        from msctl.ui import Ui

        color = not self.options.no_color and not self.app.environ.get("NO_COLOR")
        return Ui(color=color, quiet=self.options.quiet)

    @cached_property
    def file(self) -> Path:
        """The stack file.

        Raises:
            UsageProblem: there is none.
        """
        from msctl.config import find_stack_file

        return find_stack_file(self.options.file, self.app.environ, self.app.cwd)

    def load(self, *, keep_variables: bool = False, may_be_empty: bool = False) -> LoadedStack:
        """The stack file, read and checked.

        Raises:
            StackFileError: every problem of it.
        """
        from msctl.config import load

        return load(
            self.file,
            self.app.environ,
            project=self.options.project,
            keep_variables=keep_variables,
            may_be_empty=may_be_empty,
            shown_as=self.shown(self.file),
        )

    def connect(self, loaded: LoadedStack) -> Engine:
        """The engine that runs the stack.

        Raises:
            EngineUnreachable: it does not answer.
        """
        return self.app.connect(self.options.engine, loaded, self._environ(), self._warn)

    def _warn(self, text: str) -> None:
        self.ui.warn(text)  # which is loaded for it

    def home(self, stack: Stack) -> str | None:
        """The stack's namespace; None where the engine has none."""
        return self.home_of(self.options.engine, stack)

    def home_of(self, engine: str, stack: Stack) -> str | None:
        """The stack's namespace on an engine; None where that has none."""
        from msctl.engines import home

        return home(engine, stack, self._environ(engine))

    def forward(self, stack: Stack) -> str | None:
        """The command that brings a port of the stack to this machine; see `engines.forward`."""
        from msctl.engines import forward

        return forward(self.options.engine, stack, self._environ())

    def _environ(self, engine: str | None = None) -> Mapping[str, str]:
        from msctl.engines import with_options

        options = self.options
        given = {"context": options.context, "namespace": options.namespace}
        return with_options(engine or options.engine, self.app.environ, given)

    def shown(self, path: Path) -> str:
        """A path as a user in the working directory would type it."""
        absolute = self.app.cwd / path
        try:
            relative = os.path.relpath(absolute, self.app.cwd)
        except ValueError:  # on another drive
            return str(absolute)
        return relative if not relative.startswith(os.path.join("..", "..")) else str(absolute)

    def again(self, rest: str) -> str:
        """A command to type next, with the options that lead to the same stack."""
        words = ["msctl"]
        if self.options.file is not None:
            words += ["-f", self.options.file]
        if self.options.project is not None:
            words += ["-p", self.options.project]
        if self.options.engine != Options.engine:
            words += ["--engine", self.options.engine]
        if self.options.context is not None:
            words += ["--context", self.options.context]
        if self.options.namespace is not None:
            words += ["--namespace", self.options.namespace]
        return f"{' '.join(map(quoted, words))} {rest}"

    def as_typed(self, error: MsctlError) -> MsctlError:
        """The error; the commands of its hint (`msctl up web`) lead to the same stack."""
        if error.hint is not None:
            error.hint = _COMMAND.sub(lambda found: self.again(found[1]), error.hint)
        return error

    def lock(self, engine: Engine, project: str) -> StackLock:
        from msctl.files.lock import StackLock, lock_folder

        given_folder = self.app.lock_folder
        candidates = () if given_folder is None else (lambda: given_folder,)
        return StackLock(lock_folder(candidates), engine.info().id, project)

    @contextmanager
    def locked(self, engine: Engine, project: str) -> Iterator[None]:
        """Nobody else changes the stack meanwhile.

        Raises:
            StackLocked: somebody does already.
        """
        lock = self.lock(engine, project)
        with lock.held(
            self.command,
            self.app.now().astimezone(),
            wait=self.options.wait_lock,
            waiting=self.ui.say,
        ):
            yield

    def known(self, loaded: LoadedStack, services: Sequence[str]) -> tuple[str, ...]:
        """The services named, each once; the gateway's name counts where there is one, and
        its proxy's.

        Raises:
            UsageProblem: one is not in the stack.
        """
        from msctl.render.socketproxy import own_names

        stack = loaded.stack
        names = [*stack.services, *sorted(own_names(stack))]
        for service in services:
            if service not in names:
                raise UsageProblem(
                    f"{service} is not a service of {stack.name}" + did_you_mean(service, names)
                )
        return tuple(dict.fromkeys(services))


def in_session(
    command: Callable[Concatenate[Session, P], R],
) -> Callable[P, R]:
    """Hand a command function its session."""

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        session = session_of(click.get_current_context())
        try:
            return command(session, *args, **kwargs)
        except MsctlError as error:
            session.as_typed(error)
            raise

    return update_wrapper(call, command)


def session_of(ctx: click.Context) -> Session:
    app = ctx.find_object(App)
    words = ["msctl", ctx.info_name or "", *arguments(ctx)]
    try:
        return Session(app or App(), Options(**given(ctx)), shlex.join(words))
    except FileNotFoundError:
        raise MsctlError("the working directory has been removed", hint="cd somewhere") from None
