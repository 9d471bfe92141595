"""What a range query gives: a matrix of series × steps, as table, series or picture.

>>> ones = np.ones((1, 1))
>>> RangeResult((SeriesKey("up"),), np.array([0]), ones, ones > 0, "up")
RangeResult: up: 1 series × 1 step, 1 point
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import Result
from monitorlab.model import Labels, SeriesKey
from monitorlab.query.matrix import NAME, Bools, Floats, Ints, Vector
from monitorlab.storage import SeriesView
from monitorlab.times import from_ns, to_index

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["RangeResult", "key_of", "table"]

_MAX_LINES = 40  # series that are drawn


@dataclass(frozen=True, repr=False, eq=False, slots=True)
class RangeResult(Result):
    """An expression evaluated at every step of a range.

    Parameters
    ----------
    keys : tuple of SeriesKey
        One a series; the metric is ``""`` where the expression dropped the name.
    times_ns : numpy.ndarray of int64, shape (n_steps,)
        The steps, nanoseconds since the epoch.
    values : numpy.ndarray, shape (n_series, n_steps)
        Values; NaN where ``present`` is False, and where the value is NaN.
    present : numpy.ndarray of bool, shape (n_series, n_steps)
        Where the expression has a value.
    expr : str
        The expression.

    Examples
    --------
    >>> keys, ones = (SeriesKey("up"),), np.ones((1, 2))
    >>> RangeResult(keys, np.array([0, 60]), ones, ones > 0, "up").to_frame().shape
    (2, 3)
    """

    keys: tuple[SeriesKey, ...]
    times_ns: Ints
    values: Floats
    present: Bools
    expr: str = ""

    @classmethod
    def from_vector(cls, vector: Vector, times_ns: Ints, expr: str) -> RangeResult:
        """Make a result of what the engine gave."""
        values = np.where(vector.present, vector.values, np.nan)
        keys = tuple(key_of(labels) for labels in vector.labels)
        return cls(keys, times_ns, values, np.array(vector.present), expr)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def times(self) -> pd.DatetimeIndex:
        """The steps as a UTC index."""
        return to_index(self.times_ns)

    def summary(self) -> str:
        """Say the size in one line."""
        steps = len(self.times_ns)
        points = int(self.present.sum())
        return (
            f"{self.expr}: {len(self)} series × {steps} step{'' if steps == 1 else 's'}, "
            f"{points} point{'' if points == 1 else 's'}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give one row a point: metric, labels, timestamp, value."""
        series, steps = np.nonzero(self.present)
        return table(self.keys, series, self.times_ns[steps], self.values[series, steps])

    def to_pandas(self) -> pd.DataFrame:
        """Give one column a series, indexed by step; NaN where there is nothing."""
        columns = pd.Index([str(key) for key in self.keys], dtype="object")
        return pd.DataFrame(self.values.T, index=self.times, columns=columns)

    def to_views(self) -> list[SeriesView]:
        """Give one ``SeriesView`` a series, for a new store or frame."""
        return [
            SeriesView.make(key, self.times_ns[mask], row[mask])
            for key, row, mask in zip(self.keys, self.values, self.present, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types: for each series its labels and its points."""
        from monitorlab.display import to_plain

        return {
            "expr": self.expr,
            "series": [
                {
                    "metric": key.metric,
                    "labels": key.labels.to_dict(),
                    "times": to_plain([from_ns(t) for t in self.times_ns[mask].tolist()]),
                    "values": to_plain(row[mask].tolist()),
                }
                for key, row, mask in zip(self.keys, self.values, self.present, strict=True)
            ],
        }

    def plot(self) -> go.Figure:
        """Draw a line for each series; gaps stay gaps."""
        import plotly.graph_objects as go

        from monitorlab.plotting import PALETTE, new_figure

        figure = new_figure(title=self.expr)
        for number, key in enumerate(self.keys[:_MAX_LINES]):
            figure.add_trace(
                go.Scatter(
                    x=self.times,
                    y=self.values[number],
                    mode="lines",
                    name=str(key) or self.expr,
                    line={"color": PALETTE[number % len(PALETTE)], "width": 1.5},
                )
            )
        return figure


def key_of(labels: Labels) -> SeriesKey:
    """Split a label set with ``__name__`` into metric and labels.

    Parameters
    ----------
    labels : Labels
        As the engine uses them.

    Returns
    -------
    SeriesKey
        The metric is ``""`` without a name.

    Examples
    --------
    >>> key_of(Labels({"__name__": "up", "job": "shop"}))
    up{job="shop"}
    """
    return SeriesKey(labels.get(NAME, ""), labels.without(NAME))


def table(
    keys: tuple[SeriesKey, ...] | list[SeriesKey],
    rows: Ints,
    times_ns: Ints,
    values: Floats,
) -> pd.DataFrame:
    """Make a table of points: metric, one column a label, timestamp, value.

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series.
    rows : numpy.ndarray of int
        Series of each point.
    times_ns, values : numpy.ndarray
        Time and value of each point.

    Returns
    -------
    pandas.DataFrame
        A label that a series does not have is ``""``; labels named like one of the other
        columns get ``label_`` before their name.

    Examples
    --------
    >>> table([SeriesKey("up")], np.array([0]), np.array([0]), np.array([1.0])).columns.tolist()
    ['metric', 'timestamp', 'value']
    """
    names = sorted({name for key in keys for name in key.labels})
    codes = np.asarray(rows, np.int64)

    def column(texts: list[str]) -> Any:
        return np.asarray(texts, dtype=object)[codes] if texts else np.zeros(0, object)

    columns: dict[str, Any] = {"metric": column([key.metric for key in keys])}
    for name in names:
        title = f"label_{name}" if name in ("metric", "timestamp", "value") else name
        columns[title] = column([key.labels.get(name, "") for key in keys])
    columns["timestamp"] = to_index(np.ascontiguousarray(times_ns, np.int64))
    columns["value"] = np.asarray(values, np.float64)
    return pd.DataFrame(columns)
