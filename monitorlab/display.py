"""How results look as text and as HTML: one summary, rendered many ways.

A result is a frozen dataclass that derives from ``Result`` and answers ``summary`` (one
line), ``to_frame`` (a table) and ``plot``; text, HTML and plain JSON follow from these.

>>> print(text_table(pd.DataFrame({"a": [1]}), index=False))
a
1
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import html
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Result", "format_number", "html_table", "text_table", "to_plain"]

MAX_ROWS = 20
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_STYLE = (
    "<style scoped>.ml-result table{border-collapse:collapse;font-size:12px}"
    ".ml-result td,.ml-result th{padding:2px 8px;text-align:right;"
    "border-bottom:1px solid rgba(128,128,128,.25)}"
    ".ml-result td:first-child,.ml-result th:first-child{text-align:left}"
    ".ml-result .day{white-space:nowrap}"
    ".ml-result caption{text-align:left;font-weight:600;padding:4px 0}</style>"
)


class Result:
    """Base of every result object: text, HTML and JSON from one summary and one table.

    Subclasses are dataclasses made with ``frozen=True, repr=False, eq=False`` and define
    ``summary()``, ``to_frame()`` and ``plot()``.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, repr=False)
    ... class Answer(Result):
    ...     value: float
    ...     def summary(self): return f"the answer is {self.value:g}"
    ...     def to_frame(self): return pd.DataFrame({"value": [self.value]})
    >>> Answer(42.0)
    Answer: the answer is 42
    """

    __slots__ = ()

    def summary(self) -> str:
        """Say the result in one line."""
        raise NotImplementedError(type(self).__name__)

    def to_frame(self) -> pd.DataFrame:
        """Give the result as a table."""
        raise NotImplementedError(type(self).__name__)

    def plot(self) -> go.Figure:
        """Draw the result."""
        raise NotImplementedError(type(self).__name__)

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types (numbers, text, lists, dictionaries, None)."""
        if dataclasses.is_dataclass(self):
            return {
                f.name: to_plain(getattr(self, f.name))
                for f in dataclasses.fields(self)
                if not f.name.startswith("_")
            }
        return {"summary": self.summary(), "table": to_plain(self.to_frame())}

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.summary()}"

    def __str__(self) -> str:
        frame = self.to_frame()
        return f"{self!r}\n{text_table(frame)}" if len(frame) else repr(self)

    def _repr_html_(self) -> str:
        return html_table(self.to_frame(), caption=repr(self))


def format_number(value: Any, *, digits: int = 4) -> str:
    """Write a number for people: significant digits, no exponent in the common range.

    Parameters
    ----------
    value : object
        A number; anything else is given as text.
    digits : int
        Significant digits.

    Returns
    -------
    str
        For example ``'12.35'``, ``'1.2e-07'``; ``'–'`` for NaN and None.

    Examples
    --------
    >>> format_number(12.3456), format_number(1234567.0), format_number(float("nan"))
    ('12.35', '1234567', '–')
    """
    if value is None or value is pd.NaT:
        return "–"
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if math.isnan(number):
            return "–"
        if math.isinf(number):
            return "∞" if number > 0 else "-∞"
        if number == 0:
            return "0"
        if 1e-4 <= abs(number) < 1e12:
            decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
            text = f"{number:.{decimals}f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        return f"{number:.{digits - 1}g}"
    if isinstance(value, (pd.Timestamp, dt.datetime)):
        return pd.Timestamp(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, (pd.Timedelta, dt.timedelta)):
        return _timedelta_text(pd.Timedelta(value))
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, (list, tuple)):
        return ", ".join(format_number(v, digits=digits) for v in value)
    return str(value)


def text_table(frame: pd.DataFrame, *, max_rows: int = MAX_ROWS, index: bool = True) -> str:
    """Write a table as aligned text, at most ``max_rows`` rows and then a count.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to write.
    max_rows : int
        Rows shown.
    index : bool
        Whether to show the index.

    Returns
    -------
    str
        The table, without a trailing line break.

    Examples
    --------
    >>> print(text_table(pd.DataFrame({"n": range(3)}), max_rows=2, index=False))
    n
    0
    1
    … and 1 more
    """
    shown = _formatted(frame.head(max_rows), index=index)
    lines = shown.to_string(index=False).splitlines() if len(shown.columns) else []
    if len(frame) > max_rows:
        lines.append(f"… and {len(frame) - max_rows} more")
    return "\n".join(line.rstrip() for line in lines)


def html_table(
    frame: pd.DataFrame, *, caption: str = "", max_rows: int = MAX_ROWS, index: bool = True
) -> str:
    """Write the same table as escaped HTML that reads well in light and dark.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to write.
    caption : str
        Line above the table.
    max_rows : int
        Rows shown.
    index : bool
        Whether to show the index.

    Returns
    -------
    str
        An HTML fragment.

    Examples
    --------
    >>> "&lt;b&gt;" in html_table(pd.DataFrame({"x": ["<b>"]}))
    True
    >>> '<span class="day">2026-01-01</span> 12:00:00' in html_table(
    ...     pd.DataFrame({"time": [pd.Timestamp("2026-01-01 12:00")]})
    ... )
    True
    """
    shown = _formatted(frame.head(max_rows), index=index)
    head = "".join(f"<th>{html.escape(str(c))}</th>" for c in shown.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(str(v))}</td>" for v in row) + "</tr>"
        for row in shown.itertuples(index=False, name=None)
    )
    more = f"<div>… and {len(frame) - max_rows} more</div>" if len(frame) > max_rows else ""
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="ml-result">{_STYLE}<table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>{more}</div>"
    )


def to_plain(value: Any) -> Any:
    """Turn anything that a result holds into plain JSON types.

    Parameters
    ----------
    value : object
        Numbers, times, arrays, tables, dataclasses, mappings, sequences.

    Returns
    -------
    object
        dict, list, str, int, float, bool or None; NaN and infinities become None, times
        ISO 8601 text in UTC, time differences seconds.

    Examples
    --------
    >>> to_plain({"a": np.float64(1.5), "t": pd.Timestamp("2026-01-01", tz="UTC")})
    {'a': 1.5, 't': '2026-01-01T00:00:00+00:00'}
    """
    if value is None or (isinstance(value, (bool, str)) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if value is pd.NaT:
        return None
    if isinstance(value, (np.bool_,)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (pd.Timedelta, np.timedelta64, dt.timedelta)):
        return pd.Timedelta(value).total_seconds()
    if isinstance(value, (pd.Timestamp, np.datetime64, dt.datetime)):
        return pd.Timestamp(value).isoformat()
    if isinstance(value, pd.DataFrame):
        plain = value if isinstance(value.index, pd.RangeIndex) else value.reset_index()
        return [
            {str(k): to_plain(v) for k, v in zip(plain.columns, row, strict=True)}
            for row in plain.itertuples(index=False, name=None)
        ]
    if isinstance(value, pd.Series):
        return {"index": to_plain(list(value.index)), "values": to_plain(value.to_numpy())}
    if hasattr(value, "to_dict") and not isinstance(value, Mapping):
        return to_plain(value.to_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return [to_plain(v) for v in value.tolist()] if value.dtype != object else list(value)
    if isinstance(value, (list, tuple, set, frozenset, range, pd.Index)):
        return [to_plain(v) for v in value]
    return str(value)


def _formatted(frame: pd.DataFrame, *, index: bool) -> pd.DataFrame:
    plain = frame.reset_index() if index and not isinstance(frame.index, pd.RangeIndex) else frame
    return pd.DataFrame(
        {str(c): [format_number(v) for v in plain.iloc[:, i]] for i, c in enumerate(plain.columns)}
    )


def _cell(text: str) -> str:
    """Escape the text of a cell; the day of a time stays in one line."""
    day, _, clock = text.partition(" ")
    if clock and _DAY.fullmatch(day):
        return f'<span class="day">{day}</span> {html.escape(clock)}'
    return html.escape(text)


def _timedelta_text(delta: pd.Timedelta) -> str:
    seconds = delta.total_seconds()
    if math.isnan(seconds):
        return "–"
    sign = "-" if seconds < 0 else ""
    seconds = abs(seconds)
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, secs = divmod(rest, 60)
    if days:
        return f"{sign}{int(days)}d{int(hours):02d}h"
    if hours:
        return f"{sign}{int(hours)}h{int(minutes):02d}m"
    if minutes:
        return f"{sign}{int(minutes)}m{int(secs):02d}s"
    return f"{sign}{secs:.3g}s"
