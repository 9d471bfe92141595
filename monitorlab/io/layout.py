"""Which column of a table is what: told from the names of the columns.

>>> find_roles(["Time", "metric", "value", "route"]).labels
('route',)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monitorlab.errors import did_you_mean
from monitorlab.io.stamps import BadTableError

__all__ = ["LABEL_TEXT_NAMES", "TIME_NAMES", "LayoutName", "Roles", "TableLayout", "find_roles"]

TableLayout = Literal["auto", "wide", "long"]
LayoutName = Literal["wide", "long"]

# In order of preference; compared in lower case with spaces and dashes as underscores.
TIME_NAMES = (
    "timestamp",
    "time",
    "ts",
    "datetime",
    "date_time",
    "date",
    "_time",
    "epoch",
    "unix_time",
    "unixtime",
    "__index_level_0__",
    "unnamed:_0",
    "",
)
METRIC_NAMES = ("metric", "__name__", "metric_name", "_measurement", "series", "name", "variable")
VALUE_NAMES = ("value", "_value", "val", "reading")
LABEL_TEXT_NAMES = ("labels", "tags")


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column of a table is what.

    Parameters
    ----------
    timestamp : str
        Column of times.
    metric : str or None
        Column of metric names; None in a wide table, where each value column is a metric.
    values : tuple of str
        Columns of numbers; one in a long table.
    labels : tuple of str
        Columns that each hold one label.
    label_text : str or None
        Column that holds whole label sets.

    Examples
    --------
    >>> find_roles(["timestamp", "cpu", "memory"]).values
    ('cpu', 'memory')
    """

    timestamp: str
    metric: str | None
    values: tuple[str, ...]
    labels: tuple[str, ...] = ()
    label_text: str | None = None


def find_roles(
    columns: Sequence[str],
    *,
    layout: TableLayout = "auto",
    timestamp: str | None = None,
    metric: str | None = None,
    value: str | None = None,
    labels: Sequence[str] | None = None,
) -> Roles:
    """Tell from their names which column is what.

    Parameters
    ----------
    columns : sequence of str
        Column names.
    layout : {"auto", "wide", "long"}
        Long when there are a metric column and a value column, else wide.
    timestamp, metric, value : str, optional
        Names of these columns where guessing fails.
    labels : sequence of str, optional
        Label columns. In a long table the default is every other column; in a wide one none.

    Returns
    -------
    Roles
        The columns by role.

    Raises
    ------
    BadTableError
        If a column is missing, doubled, or no time column can be told.

    Examples
    --------
    >>> find_roles(["date", "host", "cpu"], labels=["host"])
    Roles(timestamp='date', metric=None, values=('cpu',), labels=('host',), label_text=None)
    """
    names = list(columns)
    if layout not in ("auto", "wide", "long"):
        raise BadTableError(f"layout={layout!r} is not one of 'auto', 'wide', 'long'")
    doubled = sorted({n for n in names if names.count(n) > 1})
    if doubled:
        raise BadTableError(f"column {doubled[0]!r} appears more than once; rename one of them")
    for given in (timestamp, metric, value, *(labels or ())):
        if given is not None and given not in names:
            raise BadTableError(f"there is no column {given!r}{did_you_mean(given, names)}")
    time_column = timestamp if timestamp is not None else _first_named(names, TIME_NAMES)
    if time_column is None:
        raise BadTableError(
            "no column looks like the time (timestamp, time, ts, datetime, date …); "
            f"name it with timestamp=… (columns: {', '.join(map(repr, names[:12]))})"
        )
    rest = [n for n in names if n != time_column]
    metric_column = metric or _first_named(rest, METRIC_NAMES)
    value_column = value or _first_named([n for n in rest if n != metric_column], VALUE_NAMES)
    is_long = metric_column is not None and value_column is not None
    if layout == "long" and not is_long:
        raise BadTableError(
            "a long table needs a metric column and a value column; name them with "
            f"metric=… and value=… (columns: {', '.join(map(repr, names[:12]))})"
        )
    if layout == "wide" or not is_long:
        chosen = tuple(labels or ())
        values = tuple(n for n in rest if n not in chosen)
        if any(not n.strip() for n in values):
            raise BadTableError("a value column has no name; name every column")
        if not values:
            raise BadTableError(f"there are no value columns beside the time {time_column!r}")
        return Roles(time_column, None, values, chosen)
    others = [n for n in rest if n not in (metric_column, value_column)]
    text_column = _first_named(others, LABEL_TEXT_NAMES) if labels is None else None
    label_columns = [n for n in others if n != text_column] if labels is None else list(labels)
    return Roles(
        time_column, metric_column, (str(value_column),), tuple(label_columns), text_column
    )


def _first_named(columns: Sequence[str], known: Sequence[str]) -> str | None:
    plain = {re.sub(r"[\s-]+", "_", str(c).strip().lower()): c for c in reversed(columns)}
    return next((plain[name] for name in known if name in plain), None)
