"""The command line: knows every command's name and help, imports a command when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import click

from msctl import __version__
from msctl.cli.options import given, global_options
from msctl.cli.rescue import rescued
from msctl.errors import UsageProblem

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Stack": {
        "up": "Start the stack, or bring it to what the file says.",
        "down": "Remove the stack.",
        "scale": "Change how many replicas a service has.",
        "autoscale": "Give services as many replicas as their load asks for.",
    },
    "Service": {
        "rollout": "Replace every replica by what the file says, or by another image.",
        "rollback": "Return to the revision before.",
        "restart": "Replace every replica by a copy of itself.",
        "secret": "Give a secret a new value, and replace what uses it.",
    },
    "Look": {
        "status": "Show the health of every replica.",
        "routes": "Show which path leads to which service.",
        "logs": "Show what the services write.",
        "metrics": "Show requests, latencies and errors of each service.",
        "dashboard": "Open the gateway's dashboard, Grafana or Prometheus.",
        "load-test": "Send requests to a service: latency, statuses, share of each replica.",
        "doctor": "Find what is wrong with machine or stack, and how to mend it.",
    },
    "Stack file": {
        "init": "Write a stack file to start from.",
        "add": "Put a service into the stack file.",
        "import": "Take over a Compose file, as a stack file.",
        "check": "Say whether the stack file is right.",
        "render": "Print the Compose file that the stack file stands for.",
        "schema": "Print the stack file's JSON Schema, for editors.",
    },
    "Shell": {
        "completion": "Print the completion script for a shell.",
    },
}
"""Name and short help of each command by section; its module in `commands` has that name, with `_`
for `-`."""

EXAMPLES: Mapping[str, str] = {
    "up": "msctl up; msctl up userservice --dry-run; msctl up --pull",
    "down": "msctl down; msctl down --volumes --yes",
    "scale": "msctl scale userservice 5; msctl scale web=3 api=4; msctl scale all 3",
    "autoscale": "msctl autoscale; msctl autoscale web --once --dry-run",
    "rollout": "msctl rollout web; msctl rollout web --image shop/web:1.5",
    "rollback": "msctl rollback web",
    "restart": "msctl restart web",
    "secret": "msctl secret rotate database_password",
    "status": "msctl status; msctl status web --load; msctl status --watch",
    "routes": "msctl routes; msctl routes --json",
    "logs": "msctl logs; msctl logs web -f --tail 100",
    "metrics": "msctl metrics; msctl metrics web --json",
    "dashboard": "msctl dashboard; msctl dashboard grafana --print",
    "load-test": "msctl load-test web; msctl load-test web --rate 300 --duration 20",
    "doctor": "msctl doctor",
    "init": "msctl init; msctl -f shop.yaml -p shop init",
    "add": "msctl add search --path /api/search --port 8084 --build ./search --needs postgres",
    "import": "msctl import; msctl import base.yml prod.yml -o stack.yaml",
    "check": "msctl check; msctl -f other.yaml check",
    "render": "msctl render; msctl render -o docker-compose.yml; msctl render kubernetes -o k8s",
    "schema": "msctl schema > stack.schema.json",
    "completion": 'eval "$(msctl completion bash)"',
}
"""How each command is used, for its help; several are parted by `; `."""
STATUSES = (
    ("0", "done"),
    ("1", "failed or degraded"),
    ("2", "wrong arguments or file; nothing was changed"),
    ("3", "no engine answers"),
    ("4", "another msctl is at work on the stack"),
    ("130", "interrupted"),
    ("141", "nobody reads on"),
)
"""What msctl leaves with; see `msctl.errors`."""

_SHORT = {name: text for section in COMMANDS.values() for name, text in section.items()}
_MODULES = {"import": "importing"}  # a word that Python keeps
_WITHOUT_JSON = {"init", "add", "import", "render", "completion"}
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_ARGUMENTS = "msctl.arguments"


class Command(click.Command):
    """A command that takes the global options behind its name too."""

    def __init__(
        self, name: str, context_settings: Mapping[str, Any] | None = None, **attributes: Any
    ) -> None:
        super().__init__(name, {**_SETTINGS, **(context_settings or {})}, **attributes)
        own = {declared for param in self.params for declared in param.opts}
        # A command's own -f (logs: follow) hides the global one's short form.
        self.shared = global_options(without=own)
        self.params = [*self.params, *self.shared]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        if self.name in _WITHOUT_JSON and given(ctx).get("json"):
            raise UsageProblem(
                f"msctl {self.name} has no data to print as JSON", hint="leave out --json"
            )
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first; the global ones are the same everywhere."""
        records = [
            (record, param in self.shared)
            for param in self.get_params(ctx)
            if isinstance(param, click.Option)
            and (record := param.get_help_record(ctx)) is not None
        ]
        for title, wanted in (("Options", False), ("Global options", True)):
            if rows := [record for record, is_shared in records if is_shared is wanted]:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        if examples := EXAMPLES.get(self.name or ""):
            with formatter.section("Examples"):
                for line in examples.split("; "):
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")
        _write_statuses(formatter)


def _write_statuses(formatter: click.HelpFormatter) -> None:
    with formatter.section("Exit status"):
        formatter.write_dl(STATUSES)


def command_names() -> list[str]:
    """Every command's."""
    return list(_SHORT)


def arguments(ctx: click.Context) -> list[str]:
    """What was typed behind the command's name."""
    return list(ctx.meta.get(_ARGUMENTS, ()))


class Msctl(click.Group):
    """The group; errors of everything in it end in one message and an exit status."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] == ["help"]:  # as habit has it
            args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_SHORT)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in _SHORT:
            return None
        module = _MODULES.get(name, name.replace("-", "_"))
        command: click.Command = import_module(f"msctl.cli.commands.{module}").command
        command.short_help = _SHORT[name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _SHORT and not ctx.resilient_parsing and not name.startswith("-"):
            from msctl.cli.habits import of_command
            from msctl.spelling import did_you_mean

            if instead := of_command(name):
                raise UsageProblem(f"'{name}' is not a command of msctl", hint=instead)
            message = f"'{name}' is not a command of msctl" + did_you_mean(name, _SHORT)
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[click.shell_completion.CompletionItem]:
        item = click.shell_completion.CompletionItem
        names = [item(n, help=text) for n, text in _SHORT.items() if n.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        _write_statuses(formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for title, commands in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:10}", text) for name, text in commands.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run to the end, and leave with the exit status of errors.py."""
        extra["standalone_mode"] = False
        return rescued(super().main, *args, **extra)


@click.group("msctl", cls=Msctl, params=list(global_options()), context_settings=_SETTINGS)
@click.version_option(__version__, "--version", message="msctl %(version)s")
def cli() -> None:
    """Run a microservice stack behind Traefik: start it, scale it, see how it is.

    \b
    msctl init                    a stack file to start from
    msctl up                      start what it describes
    msctl status                  the health of every replica
    msctl scale web 5             five replicas, admitted when healthy
    """


def command(name: str, **attributes: Any) -> Callable[[Callable[..., int | None]], Command]:
    """A command; it returns its exit status, or None for 0."""
    return click.command(name, cls=Command, **attributes)
