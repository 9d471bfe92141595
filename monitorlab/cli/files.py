"""Commands that read a recording: query, report, convert."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitorlab.display import text_table, to_plain
from monitorlab.errors import RecordingError, did_you_mean

if TYPE_CHECKING:
    from monitorlab.frame import MonitoringFrame

__all__ = ["convert", "open_recording", "query", "report", "write_recording"]

_ENDINGS = (".parquet", ".csv", ".csv.gz", ".om", ".prom", ".txt")


def open_recording(path: str) -> MonitoringFrame:
    """Open a recording by its ending, or a bundled dataset by its name.

    Parameters
    ----------
    path : str
        A ``.parquet``, ``.csv``, ``.csv.gz`` file, OpenMetrics text (``.om``, ``.prom``,
        ``.txt``), or the name of a bundled dataset.

    Returns
    -------
    MonitoringFrame

    Raises
    ------
    RecordingError
        If there is no such file or dataset, or the ending is not known.

    Examples
    --------
    >>> open_recording("fleet").metrics.index.name
    'metric'
    """
    from monitorlab import datasets, recordings

    file = Path(path)
    if not file.exists():
        if path in datasets.list_datasets().index:
            return datasets.load_dataset(path)
        names = list(datasets.list_datasets().index)
        near = did_you_mean(path, names)
        msg = f"there is no such file, and no bundled dataset of that name{near}"
        raise RecordingError(msg, path=path)
    if path.endswith(".parquet"):
        return recordings.read_parquet(file)
    if path.endswith((".csv", ".csv.gz")):
        return recordings.read_csv(file)
    if path.endswith((".om", ".prom", ".txt")):
        return recordings.read_openmetrics(file)
    msg = f"its ending says nothing; known endings are {', '.join(_ENDINGS)}"
    raise RecordingError(msg, path=path)


def write_recording(frame: MonitoringFrame, path: str) -> None:
    """Write a recording in the form that the ending of its path names.

    Parameters
    ----------
    frame : MonitoringFrame
        What to write.
    path : str
        ``.parquet``, ``.csv``, or ``.om`` / ``.prom`` / ``.txt`` for OpenMetrics text.

    Raises
    ------
    RecordingError
        If the ending is not known.

    Examples
    --------
    >>> import tempfile, os, monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.record("up", 1, timestamp="2026-01-01T00:00:00Z")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_recording(mf, os.path.join(folder, "up.parquet"))
    """
    if path.endswith(".parquet"):
        frame.to_parquet(path)
    elif path.endswith(".csv"):
        frame.to_csv(path)
    elif path.endswith((".om", ".prom", ".txt")):
        frame.to_openmetrics(path)
    else:
        msg = "its ending says nothing; write to .parquet, .csv or .om"
        raise RecordingError(msg, path=path)


@click.command()
@click.argument("file")
@click.argument("expression")
@click.option("--at", default=None, help="Time of the answer (default: the newest sample).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def query(file: str, expression: str, at: str | None, as_json: bool) -> None:
    """Answer the PromQL EXPRESSION over FILE at one time.

    Examples
    --------
    \b
      monitorlab query shop 'sum by (route) (rate(http_requests_total[1m]))'

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(query, ["fleet", "count(cpu_usage_ratio)", "--json"]).exit_code
    0
    """
    answer = open_recording(file).query(expression, at=at)
    click.echo(json.dumps(to_plain(answer)) if as_json else text_table(answer, max_rows=200))


@click.command()
@click.argument("file")
@click.option(
    "--horizon",
    "horizons",
    multiple=True,
    default=("1h", "24h", "7d"),
    show_default=True,
    help="Look back so far; may be repeated.",
)
@click.option("-o", "--out", default="report.html", show_default=True, help="HTML file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def report(file: str, horizons: tuple[str, ...], out: str, as_json: bool, quiet: bool) -> None:
    """Write the report of FILE over one or more horizons.

    Examples
    --------
    \b
      monitorlab report shop --horizon 30m -o report.html

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(report, ["--help"]).exit_code
    0
    """
    from monitorlab.report import Report

    made = Report(open_recording(file), horizons=horizons, progress=not quiet)
    if as_json:
        click.echo(json.dumps(made.to_dict()))
        return
    made.to_html(out)
    click.echo(str(made))
    click.echo(f"\nwritten to {out}", err=True)


@click.command()
@click.argument("source")
@click.argument("target")
def convert(source: str, target: str) -> None:
    """Convert the recording SOURCE into TARGET; the endings say the forms.

    Examples
    --------
    \b
      monitorlab convert recording.csv recording.parquet

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(convert, ["--help"]).exit_code
    0
    """
    frame = open_recording(source)
    write_recording(frame, target)
    click.echo(f"{frame!r} written to {target}", err=True)
