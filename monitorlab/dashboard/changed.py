"""What else changed here: every series ranked by how far it moved in a span of time.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> seconds = np.arange(120) * 1_000_000_000
>>> store.extend("queue_depth", seconds, np.where(np.arange(120) < 90, 2.0, 9.0))
>>> store.extend("temperature", seconds, np.full(120, 20.0))
>>> what_changed(store, 90, 120).table["series"].tolist()
['queue_depth', 'temperature']
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.display import Result, format_number
from monitorlab.errors import NotEnoughDataError, TimeError
from monitorlab.feed.target import reader_of
from monitorlab.headline import base_name
from monitorlab.model import MetricType
from monitorlab.times import TimeLike, from_ns, to_ns

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Changes", "what_changed"]

SAMPLES = 240  # of one series and window at the most; medians hardly gain from more
LEAST_SAMPLES = 3
BASELINE_LENGTHS = 3  # the time before is so many times as long as the span
NORMAL_MAD = 1.4826  # a median absolute deviation as a standard deviation
FLOOR_RATIO = 0.01  # a change of one percent of the level is never more than one deviation
FEW = 2.0  # with so many samples in the span an effect counts half
MOST_EFFECT = 1_000.0
PARTS = ("_bucket", "_sum", "_count")
_Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class Changes(Result):
    """Series ranked by how far they moved.

    Parameters
    ----------
    start, end : pandas.Timestamp
        The span, half-open.
    against : str
        "before" or "after": what it was compared with.
    table : pandas.DataFrame
        One row a series, the greatest effect first: series, metric, before and during
        (medians; counters per second), change_ratio (NaN from nothing), effect (signed, in
        robust deviations), samples (in the span).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(9) * 10**9, [1, 1, 1, 1, 1, 1, 0, 0, 0])
    >>> what_changed(store, 6, 9)
    Changes: 1 of 1 series moved; most of all up (1 → 0)
    """

    start: pd.Timestamp
    end: pd.Timestamp
    against: str
    table: pd.DataFrame

    def summary(self) -> str:
        """Say the result in one line."""
        moved = int((self.table["effect"].abs() >= 1.0).sum())
        text = f"{moved} of {len(self.table)} series moved"
        if not moved:
            return text
        top = self.table.iloc[0]
        before, during = format_number(top["before"]), format_number(top["during"])
        return f"{text}; most of all {top['series']} ({before} → {during})"

    def to_frame(self) -> pd.DataFrame:
        """Give the ranked series."""
        return self.table.copy()

    def top(self, count: int = 8, *, of_each_metric: int = 2) -> pd.DataFrame:
        """Give the series that moved most, few of each metric so that all have a place.

        Parameters
        ----------
        count : int
            Rows at the most.
        of_each_metric : int
            Rows of one metric at the most.

        Returns
        -------
        pandas.DataFrame
            Only those that moved by a robust deviation or more.
        """
        moved = self.table[self.table["effect"].abs() >= 1.0]
        return moved[moved.groupby("metric").cumcount() < of_each_metric].head(count)

    def plot(self) -> go.Figure:
        """Draw the effects of the twenty that moved most."""
        import plotly.graph_objects as go

        from monitorlab.plotting import PALETTE, new_figure

        shown = self.table.head(20).iloc[::-1]
        figure = new_figure(title=self.summary(), height=120 + 22 * len(shown))
        colors = [PALETTE[5] if effect > 0 else PALETTE[0] for effect in shown["effect"]]
        figure.add_trace(
            go.Bar(
                x=shown["effect"], y=shown["series"], orientation="h", marker={"color": colors},
                hovertemplate="%{y}<br>%{x:.3~g} robust deviations<extra></extra>",
            )
        )  # fmt: skip
        figure.update_layout(hovermode="closest")
        figure.update_yaxes(automargin=True)
        return figure


def what_changed(
    source: Any, start: TimeLike, end: TimeLike, *, baseline: TimeLike | None = None
) -> Changes:
    """Rank all series by how far they moved in a span against the time before.

    Parameters
    ----------
    source : MonitoringFrame, Selection or SeriesStore
        Where the series are.
    start, end : time
        The span, half-open.
    baseline : time, optional
        Where the time before begins; three lengths of the span earlier by default.

    Returns
    -------
    Changes
        With ``table`` and ``top()``.

    Raises
    ------
    TimeError
        If the end is not after the start, or the baseline not before it.
    NotEnoughDataError
        If no series has three samples in the span and three before or after it.

    Notes
    -----
    The effect is the difference of medians over 1.4826 times the median absolute deviation
    (root mean square of both windows), or over one percent of the level where that is more,
    so that flat series compare too; with n samples in the span it is shrunk by n / (n + 2).
    Counters, and the parts of histograms, count as their increase per second, resets
    understood. At most 240 samples of each series and window are looked at, spread evenly;
    all series go through the medians as one matrix. Cost O(series × 240). A spike that fills
    less than half of the span does not move a median: narrow the span. Where there is nothing
    before the span it is compared with the time after it.

    References
    ----------
    Rousseeuw and Croux (1993), "Alternatives to the Median Absolute Deviation", Journal of
    the American Statistical Association 88(424).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> store.extend("a", np.arange(400) * 10**9, noise + 8.0 * (np.arange(400) >= 300))
    >>> store.extend("b", np.arange(400) * 10**9, noise)
    >>> what_changed(store, 300, 400).table["effect"].round().tolist()
    [9.0, 0.0]
    """
    reader = reader_of(source)
    first, last = to_ns(start), to_ns(end)
    if last <= first:
        msg = f"the span ends at {from_ns(last)}, which is not after {from_ns(first)}"
        raise TimeError(msg)
    early = first - BASELINE_LENGTHS * (last - first) if baseline is None else to_ns(baseline)
    if early >= first:
        msg = f"the baseline begins at {from_ns(early)}, which is not before {from_ns(first)}"
        raise TimeError(msg)
    for against, low, high in (
        ("before", early, last),
        ("after", first, last + BASELINE_LENGTHS * (last - first)),
    ):
        views = reader.select(None, low, high)
        table = _ranked(reader, views, first, last)
        if len(table):
            return Changes(from_ns(first), from_ns(last), against, table)
    msg = (
        f"no series has {LEAST_SAMPLES} samples between {from_ns(first)} and {from_ns(last)} and "
        f"{LEAST_SAMPLES} beside it; take a longer span"
    )
    raise NotEnoughDataError(msg, needed=LEAST_SAMPLES, got=0)


def _ranked(reader: Any, views: Any, first: int, last: int) -> pd.DataFrame:
    types = _types(reader, {view.key.metric for view in views})
    names: list[tuple[str, str]] = []
    inside = np.full((len(views), SAMPLES), np.nan)
    beside = np.full((len(views), SAMPLES), np.nan)
    for view in views:
        metric = view.key.metric
        base = base_name(metric, types)
        counts = base != metric or reader.metric(metric).type is MetricType.COUNTER
        left, right = view.times.searchsorted([first, last])
        outside = slice(0, left) if left > 0 else slice(right, len(view.times))
        row = len(names)
        here = _gather(view, slice(left, right), inside[row], counts=counts)
        there = _gather(view, outside, beside[row], counts=counts)
        if here >= LEAST_SAMPLES and there >= LEAST_SAMPLES:
            names.append((str(view.key), base))
        else:
            inside[row] = beside[row] = np.nan
    inside, beside = inside[: len(names)], beside[: len(names)]
    during, spread_in = _median_and_spread(inside)
    before, spread_out = _median_and_spread(beside)
    level = np.maximum(np.abs(during), np.abs(before))
    scale = np.maximum(np.hypot(spread_in, spread_out) / np.sqrt(2.0), FLOOR_RATIO * level)
    count = np.isfinite(inside).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(during == before, 0.0, (during - before) / scale)
        ratio = np.where(before != 0.0, (during - before) / np.abs(before), np.nan)
    effect = np.clip(effect * count / (count + FEW), -MOST_EFFECT, MOST_EFFECT)
    table = pd.DataFrame(
        {
            "series": [series for series, _ in names],
            "metric": [metric for _, metric in names],
            "before": before,
            "during": during,
            "change_ratio": ratio,
            "effect": effect,
            "samples": count,
        }
    )
    order = np.lexsort((table["series"].to_numpy(dtype=str), -np.abs(effect)))
    return table.iloc[order].reset_index(drop=True)


def _types(reader: Any, metrics: set[str]) -> dict[str, MetricType]:
    """Give the types of metrics, and of the histograms that they may be parts of."""
    stems = {name.removesuffix(part) for name in metrics for part in PARTS}
    return {name: reader.metric(name).type for name in metrics | stems}


def _gather(view: Any, where: slice, target: _Matrix, *, counts: bool) -> int:
    """Put at most so many samples of a window into a row; give how many are finite."""
    size = where.stop - where.start
    room = len(target) + (1 if counts else 0)
    if size <= room:
        picked = np.arange(where.start, where.stop)
    else:
        picked = np.linspace(where.start, where.stop - 1, room).astype(np.intp)
    values = view.values[picked]
    if counts and len(picked):
        times = view.times[picked]
        rise = np.diff(values)
        rise = np.where(rise < 0.0, values[1:], rise)
        values = rise / (np.diff(times) / 1e9)
    target[: len(values)] = np.where(np.isfinite(values), values, np.nan)
    return int(np.isfinite(values).sum())


def _median_and_spread(rows: _Matrix) -> tuple[_Matrix, _Matrix]:
    """Give median and scaled median absolute deviation of each row, NaN left aside."""
    middle = _medians(rows)
    return middle, NORMAL_MAD * _medians(np.abs(rows - middle[:, None]))


def _medians(rows: _Matrix) -> _Matrix:
    if not len(rows):
        return np.empty(0)
    ordered = np.sort(rows, axis=1)  # NaN last
    count = np.isfinite(rows).sum(axis=1)
    low, high = (count - 1) // 2, count // 2
    line = np.arange(len(rows))
    return (ordered[line, low] + ordered[line, np.minimum(high, rows.shape[1] - 1)]) / 2.0
