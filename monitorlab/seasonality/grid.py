"""A series on an even grid of times: what spectra, STL and cycle averages need.

Nothing is invented: a slot without a sample is NaN, and ``Grid.resampled`` says whether
samples had to move.

>>> index = pd.date_range("2026-01-01", periods=5, freq="1h", tz="UTC")
>>> regular_grid(pd.Series(range(5), index=index).drop(index[2])).values.tolist()
[0.0, 1.0, nan, 3.0, 4.0]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitorlab.errors import InvalidSeriesError, NotEnoughDataError

__all__ = [
    "Grid",
    "check_series",
    "coarsen",
    "fill_gaps",
    "lag_one",
    "moving_mean",
    "regular_grid",
]

MAX_SLOTS_PER_SAMPLE = 20  # beyond this the median step says nothing about the series
JITTER = 0.05  # share of a step by which a sample may be off its slot and still be "regular"


@dataclass(frozen=True, slots=True)
class Grid:
    """Values at even times.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n_slots,)
        NaN where there is no sample.
    start_ns, step_ns : int
        Time of the first slot and distance of two slots, nanoseconds.
    resampled : bool
        Whether samples were moved or averaged to fit the grid.

    Examples
    --------
    >>> import pandas as pd
    >>> from monitorlab.seasonality.grid import regular_grid
    >>> index = pd.date_range("1970-01-01", periods=4, freq="1s", tz="UTC")
    >>> grid = regular_grid(pd.Series(range(4), index=index).drop(index[1]), step_ns=10**9)
    >>> grid.values.tolist(), grid.times_ns[-1].item(), grid.resampled
    ([0.0, nan, 2.0, 3.0], 3000000000, False)
    """

    values: np.ndarray
    start_ns: int
    step_ns: int
    resampled: bool

    @property
    def times_ns(self) -> np.ndarray:
        """Time of each slot, nanoseconds since the epoch."""
        return self.start_ns + self.step_ns * np.arange(len(self.values), dtype=np.int64)


def check_series(series: pd.Series, what: str = "this analysis") -> tuple[np.ndarray, np.ndarray]:
    """Check a series once, at the edge, and give its finite samples.

    Parameters
    ----------
    series : pandas.Series
        Float values on an increasing, tz-aware ``DatetimeIndex``.
    what : str
        Named in error messages.

    Returns
    -------
    times_ns, values : numpy.ndarray, shape (n_finite,)
        Samples that are neither NaN nor infinite.

    Raises
    ------
    InvalidSeriesError
        If it is no Series, the index is naive, of the wrong kind, or not increasing.

    Examples
    --------
    >>> check_series(pd.Series([1.0], index=pd.to_datetime(["1970-01-01"], utc=True)))[0].tolist()
    [0]
    """
    if not isinstance(series, pd.Series):
        msg = f"{what}: give a pandas.Series, got {type(series).__name__}"
        raise InvalidSeriesError(msg)
    index = series.index
    if not isinstance(index, pd.DatetimeIndex):
        msg = f"{what}: the index must be a DatetimeIndex, got {type(index).__name__}"
        raise InvalidSeriesError(msg)
    if index.tz is None:
        msg = f"{what}: the index has no time zone; use series.tz_localize('UTC')"
        raise InvalidSeriesError(msg)
    times = index.as_unit("ns").asi8
    if len(times) > 1 and not bool(np.all(times[1:] > times[:-1])):
        msg = f"{what}: times must increase and be unique; sort and drop duplicates first"
        raise InvalidSeriesError(msg)
    try:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        msg = f"{what}: values are not numbers ({error})"
        raise InvalidSeriesError(msg) from error
    finite = np.isfinite(values)
    return (times, values) if bool(finite.all()) else (times[finite], values[finite])


def regular_grid(
    series: pd.Series, *, step_ns: int | None = None, what: str = "this analysis"
) -> Grid:
    """Place the samples of a series on an even grid.

    Parameters
    ----------
    series : pandas.Series
        Any spacing; tz-aware increasing index.
    step_ns : int, optional
        Distance of two slots; default the median distance of two samples.
    what : str
        Named in error messages.

    Returns
    -------
    Grid
        Samples that share a slot are averaged, slots without a sample are NaN.

    Raises
    ------
    InvalidSeriesError, NotEnoughDataError
        As in `check_series`; with fewer than three finite samples.

    Notes
    -----
    Cost O(n). A grid that would be twenty times longer than the series (bursts with long
    pauses) uses the mean distance instead of the median.

    Examples
    --------
    >>> index = pd.to_datetime([0, 60, 121, 180], unit="s", utc=True)
    >>> regular_grid(pd.Series([0.0, 1.0, 2.0, 3.0], index=index)).step_ns
    60000000000
    """
    times, values = check_series(series, what)
    if len(values) < 3:
        msg = f"{what}: needs at least 3 finite samples, got {len(values)}"
        raise NotEnoughDataError(msg, needed=3, got=len(values))
    span = int(times[-1] - times[0])
    step = step_ns or max(1, int(np.median(np.diff(times))))
    if step_ns is None and span // step > MAX_SLOTS_PER_SAMPLE * len(values):
        step = max(1, span // (len(values) - 1))
    offset = (times - times[0]) / step
    slot = np.rint(offset).astype(np.int64)
    n_slots = int(slot[-1]) + 1
    if n_slots == len(values) and bool((np.diff(slot) == 1).all()):
        moved = bool(np.abs(offset - slot).max() > JITTER)
        return Grid(np.array(values), int(times[0]), step, moved)
    counts = np.bincount(slot, minlength=n_slots)
    sums = np.bincount(slot, weights=values, minlength=n_slots)
    out = np.full(n_slots, np.nan)
    np.divide(sums, counts, out=out, where=counts > 0)
    moved = bool((counts > 1).any() or np.abs(offset - slot).max() > JITTER)
    return Grid(out, int(times[0]), step, moved)


def coarsen(grid: Grid, factor: int) -> Grid:
    """Average each ``factor`` slots into one; the start of a slot stays its time.

    Parameters
    ----------
    grid : Grid
        Any grid.
    factor : int
        1 gives the grid back.

    Returns
    -------
    Grid
        An incomplete last block is left out.

    Examples
    --------
    >>> coarsen(Grid(np.arange(5.0), 0, 10, False), 2).values.tolist()
    [0.5, 2.5]
    """
    if factor <= 1:
        return grid
    n_blocks = len(grid.values) // factor
    block = grid.values[: n_blocks * factor].reshape(n_blocks, factor)
    finite = np.isfinite(block)
    counts = finite.sum(axis=1)
    out = np.full(n_blocks, np.nan)
    np.divide(np.where(finite, block, 0.0).sum(axis=1), counts, out=out, where=counts > 0)
    return Grid(out, grid.start_ns, grid.step_ns * factor, resampled=True)


def fill_gaps(values: np.ndarray) -> np.ndarray:
    """Draw straight lines over gaps (and repeat the ends); a copy when there are any.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN where missing; at least one finite.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> fill_gaps(np.array([np.nan, 1.0, np.nan, 3.0])).tolist()
    [1.0, 1.0, 2.0, 3.0]
    """
    finite = np.isfinite(values)
    if bool(finite.all()):
        return values
    rows = np.flatnonzero(finite)
    filled: np.ndarray = np.interp(np.arange(len(values)), rows, values[rows])
    return filled


def lag_one(residual: np.ndarray, *, fitted: int = 2) -> float:
    """Autocorrelation of neighbours, corrected for the bias of short series.

    Parameters
    ----------
    residual : numpy.ndarray, shape (n,)
        What a fit left.
    fitted : int
        Parameters of that fit, which pull the estimate down.

    Returns
    -------
    float
        Between -0.99 and 0.9999.

    Notes
    -----
    ``phi + (fitted + (2 + fitted) phi) / n``, which is Kendall's (1954) correction for a
    mean and its like for a straight line.

    Examples
    --------
    >>> round(lag_one(np.tile([1.0, -1.0], 50)), 2)
    -0.99
    """
    n = len(residual)
    if n < 4:
        return 0.0
    before, after = residual[:-1], residual[1:]
    power = float(before @ before)
    if power == 0.0:
        return 0.0
    phi = float(before @ after) / power
    return float(np.clip(phi + (fitted + (2 + fitted) * phi) / n, -0.99, 0.9999))


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Centred moving mean that leaves NaN out and continues the line at both ends.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN where missing.
    window : int
        Slots, an even number is taken with half weight at both ends (so a whole season
        averages out exactly).

    Returns
    -------
    numpy.ndarray, shape (n,)

    Notes
    -----
    Cost O(n) by prefix sums. Within half a window of an end the mean of the nearest whole
    window is continued with the slope of the smoothed line there.

    Examples
    --------
    >>> moving_mean(np.arange(6.0), 3).tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    """
    n = len(values)
    window = int(max(1, min(window, n)))
    if window == 1:
        return np.array(values)
    finite = np.isfinite(values)
    center = float(values[finite].mean()) if bool(finite.any()) else 0.0
    clean = np.where(finite, values - center, 0.0)
    total = np.concatenate(([0.0], np.cumsum(clean)))
    count = np.concatenate(([0.0], np.cumsum(finite, dtype=np.float64)))

    def windowed(prefix: np.ndarray) -> np.ndarray:
        whole: np.ndarray = prefix[window:] - prefix[:-window]
        if window % 2 == 0 and len(whole) > 1:
            whole = 0.5 * (whole[1:] + whole[:-1])
        return whole

    sums, counts = windowed(total), windowed(count)
    middle = np.full(len(sums), np.nan)
    np.divide(sums, counts, out=middle, where=counts > 0)
    middle = fill_gaps(middle) if bool(np.isfinite(middle).any()) else np.zeros(len(middle))
    before = (n - len(middle)) // 2
    after = n - len(middle) - before
    reach = min(len(middle) - 1, max(1, window // 2))
    head = (middle[reach] - middle[0]) / reach if reach else 0.0
    tail = (middle[-1] - middle[-1 - reach]) / reach if reach else 0.0
    left = middle[0] - head * np.arange(before, 0, -1)
    right = middle[-1] + tail * np.arange(1, after + 1)
    return np.concatenate((left, middle, right)) + center
