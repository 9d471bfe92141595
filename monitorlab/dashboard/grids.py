"""Heat maps: means by hour and weekday, and distributions over time.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("load", np.arange(48) * 3_600_000_000_000, np.arange(48) % 24.0)
>>> found = by_hour_and_weekday(Panel("load", kind="heatmap"), store, 0, 47 * HOUR_NS, HOUR_NS)
>>> found.content.cells[3, 5].item()
5.0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitorlab.dashboard.answers import Answer, ask
from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.units import human
from monitorlab.errors import MatcherError, MonitorlabError
from monitorlab.storage import Matcher, parse_selector
from monitorlab.times import format_duration

__all__ = ["Grid", "by_hour_and_weekday", "over_time"]

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
EPOCH_WEEKDAY = 3  # 1 January 1970 was a Thursday
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
COLUMNS = 90  # of a distribution over time
ROWS = 28
MOST_SAMPLES = 1_000_000  # of a distribution; more are taken at even distances
EDGE_RATIO = 0.002  # so much of the samples may lie outside of the scale at each end


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells of a heat map.

    Parameters
    ----------
    times : numpy.ndarray of int64, or None
        Middles of the columns in nanoseconds; None for the hours of the day.
    rows : tuple of str
        Names of the rows, the lowest first.
    cells : numpy.ndarray, shape (rows, columns)
        Values, NaN where there are none.
    is_share : bool
        Whether a cell is the share of the samples of its column.

    Examples
    --------
    >>> Grid(None, ("Mon",), np.zeros((1, 24))).is_share
    False
    """

    times: npt.NDArray[np.int64] | None
    rows: tuple[str, ...]
    cells: npt.NDArray[np.float64]
    is_share: bool = False


def by_hour_and_weekday(
    panel: Panel, source: Any, start_ns: int, end_ns: int, step_ns: int
) -> Answer:
    """Average all series of a question by hour of the day and weekday (UTC).

    Parameters
    ----------
    panel : Panel
        The question.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The range.
    step_ns : int
        Step of expressions.

    Returns
    -------
    Answer
        Its ``content`` is a ``Grid`` of seven rows, Monday at the top.

    Notes
    -----
    Cost O(samples).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> by_hour_and_weekday(Panel("up", kind="heatmap"), SeriesStore(), 0, HOUR_NS, HOUR_NS).content
    """
    try:
        series = ask(source, panel.expr, start_ns, end_ns, min(step_ns, HOUR_NS))
    except MonitorlabError as error:
        return Answer(panel, problem=str(error))
    total, count = np.zeros(7 * 24), np.zeros(7 * 24)
    for _, times, values in series:
        good = np.isfinite(values)
        hours, weekdays = _clock(times[good])
        cell = weekdays * 24 + hours
        total += np.bincount(cell, weights=values[good], minlength=7 * 24)
        count += np.bincount(cell, minlength=7 * 24)
    if not count.any():
        return Answer(panel, problem="no samples in this range")
    with np.errstate(invalid="ignore"):
        means = (total / np.where(count > 0, count, np.nan)).reshape(7, 24)
    return Answer(panel, found=len(series), content=Grid(None, WEEKDAYS, means))


def over_time(panel: Panel, source: Any, start_ns: int, end_ns: int, step_ns: int) -> Answer:
    """Show how the values of a question are spread, column by column of time.

    Parameters
    ----------
    panel : Panel
        A metric with ``_bucket{le=…}`` series, a selector of raw samples, or an expression.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The range.
    step_ns : int
        Step of expressions.

    Returns
    -------
    Answer
        Its ``content`` is a ``Grid`` of shares: each column adds up to one.

    Notes
    -----
    Classic buckets are used as they are, from their increase in each column. Raw values are
    put into about 28 rows of a round height between their 0.2 % and 99.8 % quantiles, the rest
    into the outermost; a row is named by its lower edge. Of more than a million samples every
    n-th is taken. Cost O(samples).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("depth", np.arange(90) * 10**9, np.arange(90) % 3.0)
    >>> grid = over_time(Panel("depth", kind="histogram"), store, 0, 89 * 10**9, 10**9).content
    >>> float(np.nansum(grid.cells[:, 10]))
    1.0
    """
    width = max(1, (end_ns - start_ns) // COLUMNS)
    try:
        buckets = _bucket_selector(panel.expr, source)
        if buckets is not None:
            return _of_buckets(panel, source, buckets, start_ns, end_ns, width)
        series = ask(source, panel.expr, start_ns, end_ns, step_ns)
    except MonitorlabError as error:
        return Answer(panel, problem=str(error))
    stride = max(1, -(-sum(len(values) for _, _, values in series) // MOST_SAMPLES))
    taken = [(times[::stride], values[::stride]) for _, times, values in series]
    if not taken:
        return Answer(panel, problem="no samples in this range")
    times = np.concatenate([t for t, _ in taken])
    values = np.concatenate([v for _, v in taken])
    good = np.isfinite(values)
    if not good.any():
        return Answer(panel, problem="all values are missing (NaN) in this range")
    times, values = times[good], values[good]
    low, high = (float(v) for v in np.quantile(values, [EDGE_RATIO, 1.0 - EDGE_RATIO]))
    size = _round_size((high - low) / ROWS, low)
    first = math.floor(low / size)
    rows = math.floor(high / size) - first + 1
    column = np.clip((times - start_ns) // width, 0, COLUMNS - 1)
    row = np.clip(np.floor(values / size) - first, 0, rows - 1).astype(np.intp)
    counts = np.bincount(row * COLUMNS + column, minlength=rows * COLUMNS).astype(np.float64)
    edges = (first + np.arange(rows)) * size
    names = tuple("".join(human(float(edge), panel.unit)) for edge in edges)
    grid = Grid(
        _middles(start_ns, width),
        _told_apart(names),
        _shares(counts.reshape(rows, -1)),
        is_share=True,
    )
    return Answer(panel, found=len(series), content=grid)


def _of_buckets(
    panel: Panel, source: Any, selector: str, start_ns: int, end_ns: int, width: int
) -> Answer:
    step = format_duration(max(1_000_000_000, -(-width // 1_000_000_000) * 1_000_000_000))
    middle = width // 2
    series = ask(
        source, f"sum by (le) (increase({selector}[{step}]))", start_ns + middle, end_ns, width
    )
    limits = (
        sorted(
            (float(key.labels["le"].replace("+Inf", "inf")), times, values)
            for key, times, values in series
            if "le" in key.labels
        )
        if len(series)
        else []
    )
    if not limits:
        return Answer(panel, problem="no buckets in this range")
    longest = max((times for _, times, _ in limits), key=len)
    below = np.zeros((len(limits), len(longest)))
    for row, (_, times, values) in enumerate(limits):
        below[row, np.searchsorted(longest, times)] = values
    counts = np.diff(np.nan_to_num(below), axis=0, prepend=0.0).clip(0.0)
    names = tuple(
        "more" if np.isinf(limit) else "≤ " + "".join(human(limit, panel.unit))
        for limit, _, _ in limits
    )
    shares = _shares(counts)
    if not np.isfinite(shares).any():
        return Answer(panel, problem="nothing was counted in this range")
    grid = Grid(longest, _told_apart(names), shares, is_share=True)
    return Answer(panel, found=len(limits), content=grid)


def _bucket_selector(expr: str, source: Any) -> str | None:
    """Give the selector of the buckets of a histogram's metric; None when it has none."""
    try:
        selector = parse_selector(expr)
    except MatcherError:
        return None
    if selector.metric is None:
        return None
    name = selector.metric.removesuffix("_bucket") + "_bucket"
    rest = [m for m in selector.matchers if m.name != "__name__"]
    if not source.select([Matcher("__name__", "=", name), Matcher("le", "!=", ""), *rest]):
        return None
    inner = ",".join(f"{m.name}{m.op}{_quoted(m.value)}" for m in rest)
    return f"{name}{{{inner}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _clock(times: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    hours = (times // HOUR_NS) % 24
    weekdays = (times // DAY_NS + EPOCH_WEEKDAY) % 7
    return hours.astype(np.intp), weekdays.astype(np.intp)


def _shares(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = counts.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = counts / np.where(total > 0, total, np.nan)
    return np.where(shares > 0, shares, np.nan)


def _round_size(size: float, low: float) -> float:
    """Give the next greater round number; of a constant a hundredth of its size."""
    if size <= abs(low) * 1e-9 or size == 0.0:
        size = (abs(low) or 1.0) / 100.0
    power = 10.0 ** math.floor(math.log10(size))
    return next(n * power for n in (1.0, 2.0, 2.5, 5.0, 10.0) if n * power >= size * (1 - 1e-9))


def _middles(start_ns: int, width: int) -> npt.NDArray[np.int64]:
    return start_ns + width * np.arange(COLUMNS, dtype=np.int64) + width // 2


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Make equal names differ: Plotly would draw rows of one name over each other."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name + "\u200b" * (seen[name] - 1))
    return tuple(made)
