"""The command group: options that all commands share, errors in a line, exit codes.

Exit codes are written once, in ``EXIT_CODES``; the help text and the documentation show them.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from typing import Any, TextIO

import click

from monitorlab import __version__
from monitorlab.errors import MonitorlabError, MonitorlabWarning, did_you_mean

__all__ = ["EXIT_CODES", "main"]

EXIT_CODES = {
    0: "all well",
    1: "an error of the data, the rules or the expression, said in one line",
    2: "wrong usage: an unknown option, a missing argument",
    3: "a check failed: --fail-on holds, a notebook differs, nbstrip --check found something",
    4: "a fault of monitorlab itself",
    130: "interrupted",
}

# Name of a command -> the module that defines it, imported when the command is called.
_COMMANDS = {
    "backtest": ("monitorlab.cli.alerts", "Say what alert rules would have done; check in CI."),
    "completion": ("monitorlab.cli.completion", "Print what makes a shell complete commands."),
    "convert": ("monitorlab.cli.files", "Convert between CSV, Parquet and OpenMetrics."),
    "demo": ("monitorlab.cli.demo", "Replay the bundled recording and write a report."),
    "lab": ("monitorlab.cli.notebooks", "Open JupyterLab on a folder of notebooks."),
    "nbcheck": ("monitorlab.cli.notebooks", "Run notebooks again; compare with what is stored."),
    "nbrun": ("monitorlab.cli.notebooks", "Run notebooks anew and store their outputs, stripped."),
    "nbstrip": ("monitorlab.cli.notebooks", "Take widget state and run times out of notebooks."),
    "query": ("monitorlab.cli.files", "Answer a PromQL expression over a recording."),
    "record": ("monitorlab.cli.record", "Record a live source into a file."),
    "report": ("monitorlab.cli.files", "Write the report of a recording."),
}


class _Group(click.Group):
    """Imports a command when it is named; turns errors into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        if not any(option.name == "debug" for option in command.params):
            command.params.append(_debug_option())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"there is no command {args[0]!r}{did_you_mean(args[0], _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), text) for code, text in EXIT_CODES.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default", MonitorlabWarning)
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if ctx.meta.get("monitorlab.debug"):
                raise
            code, text = _told(error)
            click.echo(text, err=True)
            sys.exit(code)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(130)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - Python's signature
    line: str | None = None,
) -> None:
    """Show a warning of ours as a note, any other as Python does."""
    if issubclass(category, MonitorlabWarning):
        text = str(message).replace("pass tz=…", "give --tz ZONE")
        click.echo(f"note: {text}", err=True)
    else:
        shown = warnings.formatwarning(message, category, filename, lineno, line)
        click.echo(shown, err=True, nl=False)


def _told(error: Exception) -> tuple[int, str]:
    """Give exit code and message of an error."""
    if isinstance(error, MonitorlabError):
        return 1, f"error: {error}"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return 1, f"error: {where}{(error.strerror or str(error)).lower()}"
    return 4, (
        f"internal error: {type(error).__name__}: {error}\n"
        "this is a fault of monitorlab, not yours; --debug shows the traceback"
    )


def _remember_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value:
        ctx.meta["monitorlab.debug"] = True


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug", "--traceback"],
        is_flag=True,
        expose_value=False,
        callback=_remember_debug,
        help="Show the traceback of an error.",
    )


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    params=[_debug_option()],
)
@click.version_option(__version__, prog_name="monitorlab")
def main() -> None:
    """Look at recorded metrics: report, backtest, query, record.

    FILE is a CSV, Parquet or OpenMetrics file, or the name of a bundled dataset (shop, fleet).
    Results go to standard output, progress and remarks to standard error.

    \b
    Examples:
      monitorlab demo
      monitorlab report recording.parquet -o report.html
      monitorlab backtest recording.parquet --rules rules.yml --fail-on "false_positive_rate>0.01"
      monitorlab query shop 'sum(rate(http_requests_total[1m]))'
      monitorlab record host.parquet --source host --for 10m
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(main, ["--help"]).exit_code
    0
    """
