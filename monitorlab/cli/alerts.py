"""The ``backtest`` command: rules checked on recorded data, also in a user's CI."""

from __future__ import annotations

import json
import operator
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from monitorlab.cli.files import open_recording
from monitorlab.display import to_plain
from monitorlab.errors import RuleError, did_you_mean

__all__ = ["backtest", "parse_condition"]

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_CONDITION = re.compile(r"\s*([a-z_0-9]+)\s*(>=|<=|>|<)\s*([-+0-9.eE]+)\s*")


def parse_condition(text: str, scores: dict[str, float]) -> bool:
    """Decide a condition such as ``false_positive_rate>0.01`` over the scores of a backtest.

    Parameters
    ----------
    text : str
        Name of a score, one of ``> >= < <=``, a number.
    scores : dict of str to float
        The scores there are; a missing score (NaN) fulfils no condition.

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
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not a condition; write one like 'false_positive_rate>0.01'"
        raise RuleError(msg)
    name, sign, number = match.groups()
    if name not in scores:
        msg = f"there is no score {name!r}{did_you_mean(name, scores)}"
        raise RuleError(msg)
    try:
        limit = float(number)
    except ValueError as error:
        msg = f"{number!r} in {text!r} is not a number"
        raise RuleError(msg) from error
    value = scores[name]
    return value is not None and _OPERATORS[sign](value, limit)


@click.command()
@click.argument("file")
@click.option("--rules", "rules_path", help="Rule file (default: the rules of the dataset).")
@click.option("--incidents", help="CSV of incidents: start,end,kind,severity,metrics.")
@click.option("--interval", default="15s", show_default=True, help="Evaluate so often.")
@click.option("-o", "--out", help="HTML file for the picture.")
@click.option("--fail-on", multiple=True, help="Exit with 3 if this holds; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def backtest(
    file: str,
    rules_path: str | None,
    incidents: str | None,
    interval: str,
    out: str | None,
    fail_on: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what alert rules would have done on the recording FILE.

    Examples
    --------
    \b
      monitorlab backtest shop --rules rules.yml --fail-on "false_positive_rate>0.01"

    >>> from click.testing import CliRunner
    >>> CliRunner().invoke(backtest, ["--help"]).exit_code
    0
    """
    from monitorlab.alerting import load_rules
    from monitorlab.tables import read_incidents

    frame = open_recording(file)
    rules = load_rules(rules_path) if rules_path else None
    marked = read_incidents(incidents) if incidents else None
    result = frame.backtest(rules=rules, incidents=marked, interval=interval)
    if as_json:
        click.echo(json.dumps(to_plain(result.to_dict())))
    else:
        click.echo(str(result))
    if out:
        Path(out).write_text(result.plot().to_html(include_plotlyjs=True), encoding="utf-8")
        click.echo(f"written to {out}", err=True)
    broken = [text for text in fail_on if parse_condition(text, dict(result.score))]
    for text in broken:
        click.echo(f"failed: {text}", err=True)
    if broken:
        sys.exit(3)
