"""The command group: options that all commands share, errors without tracebacks."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from monitorlab import __version__
from monitorlab.errors import MonitorlabError

__all__ = ["main"]

# Name of a command -> the module that defines it, imported when the command is called.
_COMMANDS = {
    "backtest": ("monitorlab.cli.alerts", "Backtest alert rules on a recording."),
    "convert": (
        "monitorlab.cli.files",
        "Convert a recording between CSV, Parquet and OpenMetrics.",
    ),
    "demo": ("monitorlab.cli.demo", "Replay the bundled recording and write a report."),
    "lab": ("monitorlab.cli.notebooks", "Open JupyterLab on the notebooks."),
    "nbrun": ("monitorlab.cli.notebooks", "Run a notebook anew and store its outputs, stripped."),
    "query": ("monitorlab.cli.files", "Answer a PromQL expression over a recording."),
    "record": ("monitorlab.cli.record", "Record a live source into a Parquet file."),
    "report": ("monitorlab.cli.files", "Write the report of a recording."),
}


class _Group(click.Group):
    """Imports a command when it is named; turns our errors into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(_COMMANDS.items())])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MonitorlabError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"error: {error}", err=True)
            sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="monitorlab")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Look at recorded metrics: report, backtest, query.

    Examples
    --------
    \b
      monitorlab demo
      monitorlab report recording.parquet -o report.html
      monitorlab backtest recording.parquet --rules rules.yml --fail-on "false_positive_rate>0.01"
      monitorlab query recording.parquet 'sum(rate(http_requests_total[1m]))'

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(main, ["--help"]).exit_code
    0
    """
