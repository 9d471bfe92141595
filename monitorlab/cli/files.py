"""Commands that read a recording: query, report, convert."""

from __future__ import annotations

import json
from typing import Any

import click

from monitorlab.cli.reading import Recording, csv_options, open_recording, write_recording
from monitorlab.display import text_table, to_plain
from monitorlab.errors import RuleError

__all__ = ["convert", "open_recording", "query", "report", "write_recording"]

_MAX_ROWS = 200


@click.command()
@click.argument("file", type=Recording())
@click.argument("expression")
@click.option("--at", metavar="TIME", help="Time of the answer (default: the newest sample).")
@click.option("--step", metavar="DURATION", help="Answer at every step of a range instead.")
@click.option("--start", metavar="TIME", help="With --step: from here (default: the oldest).")
@click.option("--end", metavar="TIME", help="With --step: up to here (default: the newest).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@csv_options
def query(
    file: str,
    expression: str,
    at: str | None,
    step: str | None,
    start: str | None,
    end: str | None,
    as_json: bool,
    timestamp: str | None,
    tz: str | None,
) -> None:
    """Answer the PromQL EXPRESSION over FILE, at one time or over a range.

    \b
    Examples:
      monitorlab query shop 'sum by (route) (rate(http_requests_total[1m]))'
      monitorlab query shop 'max(node_load1)' --step 10m
      monitorlab query cpu.csv 'cpu > 0.9' --timestamp when --json
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(query, ["fleet", "count(cpu_usage_ratio)", "--json"]).exit_code
    0
    """
    if step is None and (start is not None or end is not None):
        raise click.UsageError("--start and --end need --step, the distance of the answers")
    if step is not None and at is not None:
        raise click.UsageError("give --at for one answer, or --step for a range, not both")
    frame = open_recording(file, timestamp=timestamp, tz=tz)
    if step is None:
        answer = frame.query(expression, at=at)
    else:
        answer = frame.query_range(expression, start, end, step).to_pandas(layout="long")
    if as_json:
        click.echo(json.dumps(to_plain(answer)))
    elif answer.empty:
        click.echo("no series answers that", err=True)
    else:
        click.echo(text_table(answer, max_rows=_MAX_ROWS))


@click.command()
@click.argument("file", type=Recording())
@click.option(
    "--horizon",
    "horizons",
    multiple=True,
    default=("1h", "24h", "7d"),
    show_default=True,
    metavar="DURATION",
    help="Look back so far; may be repeated.",
)
@click.option("-o", "--out", help="HTML file to write (default: report.html; none with --json).")
@click.option("--rules", "rules_path", type=click.Path(), help="Rule file, Prometheus' form.")
@click.option("--incidents", type=click.Path(), help="CSV of incidents: start,end,kind,…")
@click.option(
    "--forecast",
    multiple=True,
    metavar="SELECTOR[=CAPACITY]",
    help="Forecast this, up to a number or a metric; may be repeated.",
)
@click.option("--title", help="Heading (default: the file's name).")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@csv_options
def report(
    file: str,
    horizons: tuple[str, ...],
    out: str | None,
    rules_path: str | None,
    incidents: str | None,
    forecast: tuple[str, ...],
    title: str | None,
    as_json: bool,
    quiet: bool,
    timestamp: str | None,
    tz: str | None,
) -> None:
    """Write the report of FILE over one or more horizons.

    \b
    Examples:
      monitorlab report shop --horizon 30m -o report.html
      monitorlab report disk.parquet --forecast 'disk_used_bytes{device="sda"}=5e11'
      monitorlab report recording.csv --rules rules.yml --json > report.json
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(report, ["--help"]).exit_code
    0
    """
    from pathlib import Path

    from monitorlab.report import Report
    from monitorlab.times import parse_duration

    for horizon in horizons:
        parse_duration(horizon)  # a wrong one is told before the work
    out = out or (None if as_json else "report.html")
    if out and not Path(out).parent.is_dir():
        raise click.UsageError(f"the folder of {out} is not there; make it first")
    frame = open_recording(file, timestamp=timestamp, tz=tz)
    if rules_path:
        from monitorlab.alerting import load_rules

        frame.rules[:] = load_rules(rules_path)
    if incidents:
        from monitorlab.tables import read_incidents

        frame.store.incidents[:] = read_incidents(incidents)
    made = Report(
        frame,
        horizons=horizons,
        forecast=dict(map(_capacity, forecast)) or None,
        title=title or f"Monitoring report: {Path(file).name}",
        progress=not quiet,
    )
    if out:
        made.to_html(out)
    click.echo(json.dumps(made.to_dict()) if as_json else str(made))
    if out:
        click.echo(f"\nwritten to {out}", err=True)


@click.command()
@click.argument("source", type=Recording())
@click.argument("target", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@csv_options
def convert(source: str, target: str, as_json: bool, timestamp: str | None, tz: str | None) -> None:
    """Convert the recording SOURCE into TARGET; the endings say the forms.

    Endings: .parquet, .csv, .csv.gz and .tsv (read only), and .om, .prom or .txt for
    OpenMetrics text.

    \b
    Examples:
      monitorlab convert recording.csv recording.parquet
      monitorlab convert shop shop.csv
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(convert, ["--help"]).exit_code
    0
    """
    frame = open_recording(source, timestamp=timestamp, tz=tz)
    write_recording(frame, target)
    view = frame.selection
    if as_json:
        told = {"path": target, "series": len(view.keys), "samples": view.sample_count}
        click.echo(json.dumps(told))
    click.echo(f"{frame!r} written to {target}", err=True)


def _capacity(text: str) -> tuple[str, Any]:
    """Split ``SELECTOR=CAPACITY``; an equals sign inside braces belongs to the selector."""
    head, brace, tail = text.rpartition("}")
    selector, sign, capacity = tail.partition("=")
    name = f"{head}{brace}{selector}".strip()
    if not sign:
        return name, None
    capacity = capacity.strip()
    if not name or not capacity:
        msg = f"--forecast {text!r} is not a selector and a capacity; write 'disk_bytes=5e11'"
        raise RuleError(msg)
    try:
        return name, float(capacity)
    except ValueError:
        return name, capacity  # the name of a metric
