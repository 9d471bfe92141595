"""Window statistics: the figures of one window of many series, or of every window of one.

Windows are time windows, open on the left: ``(t - w, t]``. NaN samples (and stale markers)
are skipped; infinities count as values.

>>> times = pd.date_range("2026-01-01", periods=4, freq="1min", tz="UTC")
>>> rolling(pd.Series([1.0, 5.0, 3.0, 2.0], times), "2m", "max").tolist()
[1.0, 5.0, 5.0, 3.0]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.errors import InvalidSeriesError, RuleError
from monitorlab.model import MetricType, SeriesKey, TimeWindow
from monitorlab.storage.view import SeriesView
from monitorlab.times import DurationLike, TimeLike, to_ns

__all__ = ["Statistic", "counter_increase", "rolling", "window_slice", "window_stats"]

Statistic: TypeAlias = Literal["count", "sum", "mean", "std", "min", "max", "median", "quantile"]
Types: TypeAlias = "Mapping[str, MetricType] | Callable[[str], MetricType]"

FIGURES = ("count", "min", "max", "mean", "median", "std", "p95", "p99", "rate")
BLOCK = 8192  # samples ranked at a time for rolling quantiles: the ranks stay in cache
SCRATCH = 1 << 14  # samples expected in a window at most; a longer one costs a second try
_KINDS = {MetricType.COUNTER: 1, MetricType.RATE: 2}


@runtime_checkable
class _Source(Protocol):
    def select(self, selector: None = None) -> Iterable[SeriesView]: ...


def window_stats(
    series: Any,
    window: DurationLike | TimeWindow,
    at: TimeLike | None = None,
    *,
    types: Types | None = None,
) -> pd.DataFrame:
    """Summarise one window ``(at - window, at]`` of each of many series.

    Parameters
    ----------
    series : SeriesView, pandas.Series, sequence of either, mapping, store or selection
        What to summarise; the keys of a mapping name its series.
    window : duration
        Length of the window.
    at : time, optional
        End of the window, the same for all; None means the newest sample of all of them.
    types : mapping or callable, optional
        Metric types by metric name, or a function that gives one; without it a store or a
        selection is asked, and other series are gauges.

    Returns
    -------
    pandas.DataFrame
        A row for each series (index ``"series"``), columns ``count min max mean median std
        p95 p99 rate``. ``std`` has ``ddof=1``; quantiles interpolate linearly; ``rate`` is
        the reset-aware increase per second of a counter, the mean of a rate, and NaN for
        the other types. A series with nothing in the window has count 0 and NaN.

    Raises
    ------
    InvalidSeriesError
        If a ``pandas.Series`` has no increasing, aware ``DatetimeIndex``.

    Notes
    -----
    One compiled call for all series: the window is found by galloping back from the newest
    sample, O(log k), the figures cost O(k) for k samples in the window (selection, no
    sort). Measured: 1 000 series of 20 samples in the window about a millisecond. The
    counter's rate is the sum of rises (after a reset, the new value) over the time between
    its first and last sample in the window; PromQL's extrapolation is left to ``query``.

    Examples
    --------
    >>> view = SeriesView.make("up", np.array([0, 30, 60]) * 10**9, [1.0, 2.0, 6.0])
    >>> window_stats([view], "1m")[["count", "mean", "max"]].to_numpy().tolist()
    [[2.0, 4.0, 6.0]]
    """
    from monitorlab.kernels.stats import window_figures

    length = TimeWindow.parse(window).nanoseconds
    if types is None and callable(getattr(series, "metric", None)):
        types = lambda name: series.metric(name).type  # noqa: E731 - a default argument
    names, views = _as_views(series)
    count = len(views)
    lengths = np.fromiter(map(len, views), np.int64, count)
    addresses = np.array([view.addresses for view in views], dtype=np.int64).reshape(count, 2)
    if at is None:
        end = max((int(view.times[-1]) for view in views if len(view)), default=0)
    else:
        end = to_ns(at)
    out = np.empty((count, len(FIGURES)))
    window_figures(
        np.ascontiguousarray(addresses[:, 0]),
        np.ascontiguousarray(addresses[:, 1]),
        lengths,
        _kinds(views, types),
        max(end - length, -(2**63)),
        end,
        out,
    )
    index = pd.Index(names, name="series", dtype=object)
    frame = pd.DataFrame(out, index=index, columns=list(FIGURES), copy=False)
    frame["count"] = frame["count"].astype(np.int64)
    return frame


def rolling(
    series: pd.Series,
    window: DurationLike | TimeWindow,
    statistic: Statistic,
    q: float | None = None,
) -> pd.Series:
    """Compute a statistic of the window ``(t - window, t]`` of every sample.

    Parameters
    ----------
    series : pandas.Series
        Aware, increasing ``DatetimeIndex``, any spacing; NaN is skipped.
    window : duration
        Length of the window.
    statistic : {"count", "sum", "mean", "std", "min", "max", "median", "quantile"}
        What to compute; ``std`` has ``ddof=1``, quantiles interpolate linearly.
    q : float, optional
        The quantile, 0 to 1; for ``"quantile"`` only.

    Returns
    -------
    pandas.Series
        Same index and name; NaN where a window has no sample (no two for ``std``), 0 for
        ``count``.

    Raises
    ------
    InvalidSeriesError
        If the index is not as it must be.
    RuleError
        If the statistic is unknown, ``q`` is missing or out of range, or the window is zero.

    Notes
    -----
    Equal to ``series.rolling(window, min_periods=1)`` of pandas to 1e-9, where pandas
    itself keeps its digits: windows here are summed afresh from halves, so a spike leaves
    nothing behind, and infinities are values (pandas takes them as missing). Cost is O(n)
    for any window; measured per sample: mean, sum, min, max about 10 ns, std about 16 ns,
    quantiles about 60 ns.

    Examples
    --------
    >>> times = pd.date_range("2026-01-01", periods=3, freq="1min", tz="UTC")
    >>> rolling(pd.Series([1.0, 2.0, 4.0], times), "1h", "quantile", 0.5).tolist()
    [1.0, 1.5, 2.0]
    """
    from monitorlab.kernels import rolling as kernels

    length = TimeWindow.parse(window).nanoseconds
    if length <= 0:
        msg = f"a rolling window must be longer than {window!r}"
        raise RuleError(msg)
    if statistic not in get_args(Statistic):
        msg = f"unknown statistic {statistic!r}; use one of {', '.join(get_args(Statistic))}"
        raise RuleError(msg)
    if statistic == "median":
        q = 0.5
    elif statistic == "quantile":
        if q is None or not 0.0 <= q <= 1.0:
            msg = f"statistic 'quantile' needs q between 0 and 1, not {q!r}"
            raise RuleError(msg)
    elif q is not None:
        msg = f"q={q!r} belongs to statistic 'quantile', not to {statistic!r}"
        raise RuleError(msg)
    times, values = series_arrays(series)
    if len(times) == 0:
        return pd.Series(np.empty(0), index=series.index, name=series.name)
    length = min(length, int(times[-1]) - int(times[0]) + 1)  # longer ones could overflow
    if q is not None:
        out = _rolling_quantile(times, values, length, float(q))
    else:
        starts = np.empty(len(times), np.int64)  # numpy asks for large pages, a kernel does not
        kernels.window_starts(times, length, starts)
        missing = np.isnan(values)
        present = np.empty(0, np.int64)
        if missing.any():
            present = np.zeros(len(values) + 1, np.int64)
            np.cumsum(~missing, out=present[1:])
        out = np.empty(len(values))
        kernel = getattr(kernels, f"rolling_{statistic}")
        needed = SCRATCH
        while needed:
            needed = kernel(starts, values, present, np.empty((2, 2 * needed)), out)
    return pd.Series(out, index=series.index, name=series.name, copy=False)


def window_slice(times: npt.NDArray[np.int64], t: int, w: int) -> slice:
    """Find the samples in ``(t - w, t]``.

    Parameters
    ----------
    times : numpy.ndarray of int64
        Nanoseconds, increasing.
    t, w : int
        End and length of the window, nanoseconds.

    Returns
    -------
    slice
        Into ``times`` and the values beside it.

    Notes
    -----
    Two binary searches, O(log n).

    Examples
    --------
    >>> window_slice(np.array([10, 20, 30, 40]), 30, 20)
    slice(1, 3, None)
    """
    return slice(
        int(times.searchsorted(max(t - w, -(2**63)), "right")),
        int(times.searchsorted(t, "right")),
    )


def counter_increase(
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    *,
    per_second: bool = False,
    through_resets: bool = True,
) -> npt.NDArray[np.float64]:
    """Give a counter's increase since its previous sample, resets understood.

    Parameters
    ----------
    times : numpy.ndarray of int64
        Nanoseconds, increasing.
    values : numpy.ndarray of float64
        The counter; NaN samples (and stale markers) are stepped over.
    per_second : bool
        Divide by the seconds since the previous sample.
    through_resets : bool
        Count what a counter reached after it began again; otherwise NaN there, as that is not
        all that it grew.

    Returns
    -------
    numpy.ndarray of float64
        As long as the input: 0 (NaN when ``per_second``) at the first sample, NaN where
        the sample is NaN. After a fall the counter began again at zero, so the new value
        is the increase (see ``through_resets``).

    Raises
    ------
    InvalidSeriesError
        If the lengths differ.

    Notes
    -----
    O(n), vectorised. The sum over a stretch is the increase over it; what happened before
    a reset and after the sample before it is lost, as with Prometheus.

    Examples
    --------
    >>> counter_increase(np.array([0, 1, 2, 3]), np.array([5.0, 7.0, 1.0, 4.0])).tolist()
    [0.0, 2.0, 1.0, 3.0]
    """
    times = np.asarray(times, dtype=np.int64)
    values = np.asarray(values, dtype=np.float64)
    if times.shape != values.shape:
        msg = f"counter_increase: {times.shape} times for {values.shape} values; give as many"
        raise InvalidSeriesError(msg)
    out = np.full(len(values), np.nan)
    there = np.flatnonzero(~np.isnan(values))
    if len(there) == 0:
        return out
    kept = values[there]
    steps = np.diff(kept)
    steps = np.where(steps < 0, kept[1:] if through_resets else np.nan, steps)
    if per_second:
        out[there[1:]] = steps / (np.diff(times[there]) * 1e-9)
    else:
        out[there[0]] = 0.0
        out[there[1:]] = steps
    return out


def series_arrays(
    series: pd.Series,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Give a series as read-only time and value columns for kernels; checks the index."""
    if not isinstance(series, pd.Series):
        msg = f"expected a pandas Series, not {type(series).__name__}"
        raise InvalidSeriesError(msg)
    name = "the series" if series.name is None else str(series.name)
    index = series.index
    if not isinstance(index, pd.DatetimeIndex):
        msg = f"{name} needs a DatetimeIndex, not {type(index).__name__}"
        raise InvalidSeriesError(msg)
    if index.tz is None:
        msg = f"{name} has a naive index; attach a zone: series.tz_localize('UTC')"
        raise InvalidSeriesError(msg)
    times = index.as_unit("ns").asi8
    if len(times) > 1 and not (times[1:] >= times[:-1]).all():
        msg = f"the index of {name} is not increasing; use series.sort_index()"
        raise InvalidSeriesError(msg)
    if index.hasnans:
        msg = f"the index of {name} has missing times (NaT); drop those rows"
        raise InvalidSeriesError(msg)
    try:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        msg = f"{name} holds {series.dtype} values that are not numbers"
        raise InvalidSeriesError(msg) from error
    return _read_only(times), _read_only(values)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Make all arrays look alike, so that each kernel is compiled once."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _rolling_quantile(
    times: npt.NDArray[np.int64], values: npt.NDArray[np.float64], length: int, q: float
) -> npt.NDArray[np.float64]:
    from monitorlab.kernels.quantile import quantile_block
    from monitorlab.kernels.rolling import window_starts

    starts = np.empty(len(times), np.int64)
    window_starts(times, length, starts)
    out = np.empty(len(values))
    first = 0
    while first < len(values):
        # A block carries the samples before it that its first window still needs; it is at
        # least as long as those, so no sample is ranked more than a few times.
        low = int(starts[first])
        stop = min(first + max(BLOCK, first - low), len(values))
        block = values[low:stop]
        order = np.argsort(block)
        quantile_block(block, order, starts[first:stop] - low, first - low, q, out[first:stop])
        first = stop
    return out


def _as_views(series: Any) -> tuple[npt.NDArray[Any], list[SeriesView]]:
    """Give the names and the columns of whatever series came."""
    if isinstance(series, SeriesView):
        views = [series]
    elif isinstance(series, pd.Series):
        views = [_as_view(series.name, series)]
    elif isinstance(series, Mapping):
        views = [_as_view(key, one) for key, one in series.items()]
    elif isinstance(series, Iterable) and not isinstance(series, (str, bytes, pd.DataFrame)):
        views = [
            one if isinstance(one, SeriesView) else _as_view(getattr(one, "name", None), one)
            for one in series
        ]
    elif isinstance(series, _Source) and not isinstance(series, pd.DataFrame):
        views = list(series.select(None))
    else:
        msg = f"expected series or a store, not {type(series).__name__}"
        raise InvalidSeriesError(msg)
    names = np.empty(len(views), dtype=object)
    names[:] = [view.key for view in views]
    return names, views


def _as_view(key: Any, one: Any) -> SeriesView:
    if isinstance(one, SeriesView):
        return one
    times, values = series_arrays(one)
    name = key if isinstance(key, SeriesKey) else SeriesKey("" if key is None else str(key))
    return SeriesView(name, times, values)


def _kinds(views: list[SeriesView], types: Types | None) -> npt.NDArray[np.int64]:
    if types is None:
        return np.zeros(len(views), np.int64)
    known: dict[str, int] = {}
    for view in views:
        name = view.metric
        if name not in known:
            kind = types.get(name) if isinstance(types, Mapping) else types(name)
            known[name] = _KINDS.get(kind, 0) if kind is not None else 0
    return np.fromiter((known[view.metric] for view in views), np.int64, len(views))
