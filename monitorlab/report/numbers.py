"""Cells, times and series as people read them in a report.

>>> percent(50.0)
'+50 %'
"""

from __future__ import annotations

import html
import re
from typing import Any

import pandas as pd

from monitorlab.display import format_number
from monitorlab.recommend.quantities import human

__all__ = ["cell", "percent", "series_html", "when"]

_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def when(value: Any, *, seconds: bool = True) -> str:
    """Write a time as date and time in UTC.

    Parameters
    ----------
    value : str or pandas.Timestamp or None
        ISO 8601 text or a time.
    seconds : bool
        Whether to write them.

    Returns
    -------
    str

    Examples
    --------
    >>> when("2026-01-01T10:00:00+00:00"), when(None)
    ('2026-01-01 10:00:00', '–')
    """
    if value is None:
        return "–"
    return pd.Timestamp(value).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def percent(value: float | None, digits: int = 3) -> str:
    """Write a share or a change in per cent, with its sign where it is a change.

    Parameters
    ----------
    value : float or None
        Already in per cent.
    digits : int
        Significant digits.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(12.345), percent(-3.0), percent(4321.0)
    ('+12.3 %', '-3 %', '×44')
    """
    if value is None:
        return "–"
    if value >= 1000:
        return f"×{format_number(1 + value / 100, digits=2)}"
    return f"{'+' if value > 0 else ''}{format_number(value, digits=digits)} %"


def series_html(name: str) -> str:
    """Write a series as its metric and, softly, its labels; escaped.

    Parameters
    ----------
    name : str
        As ``str(SeriesKey)`` gives it; any other text is only escaped.

    Returns
    -------
    str
        HTML.

    Examples
    --------
    >>> series_html('up{job="a"}')
    '<span class="metric">up</span> <span class="labels">job=a</span>'
    """
    metric, brace, rest = name.partition("{")
    labels = " · ".join(f"{k}={v}" for k, v in _LABEL.findall(rest))
    shown = f'<span class="metric">{html.escape(metric)}</span>'
    if not brace:
        return shown
    return f'{shown} <span class="labels">{html.escape(labels or rest)}</span>'


def cell(value: Any, key: str) -> str:
    """Write one table cell; the column's name says its kind.

    Parameters
    ----------
    value : object
        Plain JSON value.
    key : str
        Name of the column.

    Returns
    -------
    str

    Examples
    --------
    >>> cell(12.5, "delay_seconds"), cell(-3.2, "change_percent"), cell(0.25, "coverage")
    ('12.5 s', '-3.2 %', '25 %')
    """
    if value is None:
        return "–"
    if key in {"start", "end", "time", "peak"}:
        return when(value)
    if key in {"false_positive_rate", "coverage", "attainment", "target", "probability"}:
        return f"{format_number(100 * value, digits=4)} %"
    if key in {"delay_seconds", "firing_seconds"}:
        return human(float(value), "seconds")
    if key in {"change_percent", "effect_percent"}:
        return percent(value)
    return format_number(value)
