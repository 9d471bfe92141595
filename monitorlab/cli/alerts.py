"""The ``backtest`` command: rules checked on recorded data, also in a user's CI."""

from __future__ import annotations

import html
import json
import operator
import re
import string
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import click

from monitorlab.cli.reading import Recording, csv_options, open_recording
from monitorlab.display import html_table, to_plain
from monitorlab.errors import RuleError, TimeError, did_you_mean
from monitorlab.times import parse_duration

__all__ = ["backtest", "backtest_page", "parse_condition"]

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*([a-z_0-9]+)\s*(>=|<=|>|<)\s*(\S+)\s*")


def parse_condition(text: str, scores: Mapping[str, Any]) -> bool:
    """Decide a condition such as ``false_positive_rate>0.01`` over the scores of a backtest.

    Parameters
    ----------
    text : str
        Name of a score, one of ``> >= < <=``, and a number, or a duration such as ``30s``.
    scores : mapping of str to float or timedelta
        The scores there are; a missing score (NaN, None) fulfils no condition.

    Returns
    -------
    bool

    Raises
    ------
    RuleError
        If the text is no such condition, or names no score.

    Examples
    --------
    >>> parse_condition("recall < 0.9", {"recall": 0.5})
    True
    >>> parse_condition("time_to_detect > 1m", {"time_to_detect": timedelta(seconds=20)})
    False
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not a condition; write one like 'false_positive_rate>0.01'"
        raise RuleError(msg)
    name, sign, number = match.groups()
    if name not in scores:
        near = did_you_mean(name, scores)
        listed = "" if "did you mean" in near else f"; there are {', '.join(sorted(scores))}"
        raise RuleError(f"there is no score {name!r}{listed or near}")
    limit = _limit(number, text)
    value = scores[name]
    if value is None or value != value:  # NaN, or NaT where nothing was detected
        return False
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return _OPERATORS[sign](float(seconds), limit)


@click.command()
@click.argument("file", type=Recording())
@click.option(
    "--rules",
    "rules_path",
    type=click.Path(),
    help="Rule file, Prometheus' form (default: the rules of the dataset).",
)
@click.option("--incidents", type=click.Path(), help="CSV: start,end,kind,severity,metrics.")
@click.option(
    "--interval", default="15s", show_default=True, metavar="DURATION", help="Evaluate so often."
)
@click.option(
    "--grace",
    metavar="DURATION",
    help="A firing that begins so soon after an incident's end still belongs to it.",
)
@click.option("-o", "--out", help="HTML file to write: scores, incidents, picture.")
@click.option(
    "--fail-on",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 3 if this holds, e.g. 'recall<0.9', 'time_to_detect>1m'; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@csv_options
def backtest(
    file: str,
    rules_path: str | None,
    incidents: str | None,
    interval: str,
    grace: str | None,
    out: str | None,
    fail_on: tuple[str, ...],
    as_json: bool,
    timestamp: str | None,
    tz: str | None,
) -> None:
    """Say what alert rules would have done on the recording FILE.

    Scores for --fail-on: precision, recall, f1, false_positive_rate (share of the time without
    an incident in which something fired), time_to_detect, time_to_detect_p90, firings,
    false_firings, firings_per_week, pages_per_week, flaps, and what --json names.

    \b
    Examples:
      monitorlab backtest shop --rules rules.yml --fail-on "false_positive_rate>0.01"
      monitorlab backtest week.parquet --rules rules.yml --incidents incidents.csv -o out.html
    \f

    Examples
    --------
    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(backtest, ["--help"]).exit_code
    0
    """
    from monitorlab.alerting import load_rules
    from monitorlab.tables import read_incidents

    if out and not Path(out).parent.is_dir():
        raise click.UsageError(f"the folder of {out} is not there; make it first")
    for text in fail_on:
        match = _CONDITION.fullmatch(text)
        if match is not None:
            _limit(match[3], text)  # a wrong one is told before the work
    frame = open_recording(file, timestamp=timestamp, tz=tz)
    rules = load_rules(rules_path) if rules_path else None
    if rules is None and not frame.rules:
        raise click.UsageError(f"{file} brings no alert rules; name a rule file with --rules")
    marked = read_incidents(incidents) if incidents else None
    options = {} if grace is None else {"grace": grace}
    result = frame.backtest(rules=rules, incidents=marked, interval=interval, **options)
    scores = dict(result.score)
    broken = [text for text in fail_on if parse_condition(text, scores)]
    click.echo(json.dumps(to_plain(result.to_dict())) if as_json else str(result))
    if out:
        Path(out).write_text(backtest_page(result, f"Backtest of {Path(file).name}"), "utf-8")
        click.echo(f"written to {out}", err=True)
    if fail_on and not marked and not frame.selection.incidents:
        click.echo("note: no incident is known, so every firing counts as false", err=True)
    for text in broken:
        name = text.replace(">", "<").partition("<")[0].strip()
        click.echo(f"failed: {text} (it is {to_plain(scores[name])})", err=True)
    if broken:
        sys.exit(3)


def backtest_page(result: Any, title: str) -> str:
    """Write a backtest as one HTML page that needs no network.

    Parameters
    ----------
    result : monitorlab.alerting.Backtest
        What to show.
    title : str
        Heading.

    Returns
    -------
    str
        Scores by rule, incidents, and the interactive picture.

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 40.0])
    >>> _ = mf.alert("Long", "value > 10", metric="queue", for_="0s")
    >>> "<h1>of a queue</h1>" in backtest_page(mf.backtest(), "of a queue")
    True
    """
    page = resources.files("monitorlab") / "static" / "backtest.html"
    return string.Template(page.read_text(encoding="utf-8")).substitute(
        title=html.escape(title),
        summary=html.escape(result.summary()),
        rules=html_table(result.to_frame(), max_rows=500),
        incidents=html_table(result.incidents, max_rows=500),
        picture=result.plot().to_html(full_html=False, include_plotlyjs=True),
    )


def _limit(number: str, text: str) -> float:
    try:
        return float(number)
    except ValueError:
        try:
            return parse_duration(number) / 1e9
        except TimeError as error:
            msg = f"{number!r} in {text!r} is neither a number nor a duration such as 30s"
            raise RuleError(msg) from error
