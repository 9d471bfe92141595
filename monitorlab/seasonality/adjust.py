"""Take seasons out of a series, and describe the noise that is left (numpy).

>>> index = pd.date_range("2026-01-01", periods=240, freq="1h", tz="UTC")
>>> wave = pd.Series(np.sin(np.arange(240) * np.pi / 12), index=index)
>>> bool(np.abs(remove_seasons(wave).values).max() < 1e-6)
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitorlab.seasonality.grid import check_series, lag_one, regular_grid
from monitorlab.seasonality.periods import find_periods
from monitorlab.seasonality.spectrum import clipped, season

__all__ = ["Adjusted", "block_means", "lag_one", "remove_seasons", "robust_scale"]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Finite samples of a series without its seasons.

    Parameters
    ----------
    times_ns : numpy.ndarray of int64, shape (n,)
        Times of the finite samples.
    values : numpy.ndarray of float64, shape (n,)
        Samples less the seasons.
    seasonal : numpy.ndarray of float64, shape (n,)
        What was taken out (zero when there is no season).
    periods : tuple of pandas.Timedelta
        Seasons taken out.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import remove_seasons
    >>> index = pd.date_range("2026-01-01", periods=240, freq="1h", tz="UTC")
    >>> part = remove_seasons(pd.Series(5 + np.sin(np.arange(240) * np.pi / 12), index=index))
    >>> part.periods, part.values[:3].round(6).tolist()
    ((Timedelta('1 days 00:00:00'),), [5.0, 5.0, 5.0])
    """

    times_ns: np.ndarray
    values: np.ndarray
    seasonal: np.ndarray
    periods: tuple[pd.Timedelta, ...]


def remove_seasons(
    series: pd.Series, periods: Sequence[pd.Timedelta] | None = None, *, what: str = "this analysis"
) -> Adjusted:
    """Take the mean cycle of each season out of a series.

    Parameters
    ----------
    series : pandas.Series
        Any spacing; NaN where missing.
    periods : sequence of pandas.Timedelta, optional
        Seasons to take out; None finds them, an empty one takes none out.
    what : str
        Named in error messages.

    Returns
    -------
    Adjusted
        Finite samples only.

    Raises
    ------
    InvalidSeriesError
        If the index is naive, unsorted, duplicated or no DatetimeIndex.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=9, freq="1h", tz="UTC")
    >>> remove_seasons(pd.Series(np.arange(9.0), index=index)).periods
    ()
    """
    times, values = check_series(series, what)
    known = find_periods(series) if periods is None else list(periods)
    known = [p for p in known if len(values) and p.value * 2 <= times[-1] - times[0] + p.value]
    seasonal = np.zeros(len(values))
    if known:
        grid = regular_grid(series, what=what)
        slots = np.rint((times - grid.start_ns) / grid.step_ns).astype(np.int64)
        rest = clipped(grid.values)
        for period in sorted(known):
            shape = season(rest, period.as_unit("ns").value / grid.step_ns)
            rest = rest - shape
            seasonal += shape[slots]
    return Adjusted(times, values - seasonal, seasonal, tuple(known))


def robust_scale(values: np.ndarray) -> float:
    """Deviation by the median absolute deviation, by the mean one where that is zero.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Finite.

    Returns
    -------
    float
        Equal to the standard deviation for normal noise; 0 only for a constant.

    Examples
    --------
    >>> robust_scale(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    1.4826
    """
    if not len(values):
        return 0.0
    away = np.abs(values - np.median(values))
    return 1.4826 * float(np.median(away)) or 1.2533 * float(away.mean())


def block_means(
    times: np.ndarray, values: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Average neighbours so that at most ``limit`` points are left.

    Parameters
    ----------
    times, values : numpy.ndarray, shape (n,)
        Finite samples in order.
    limit : int
        Points wanted at the most.

    Returns
    -------
    times, values : numpy.ndarray of float64, shape (<= limit,)
        Mean time and value of each block; an incomplete last block is left out.
    size : int
        Samples a block.

    Examples
    --------
    >>> block_means(np.arange(6), np.arange(6.0), 3)[1].tolist()
    [0.5, 2.5, 4.5]
    """
    size = -(-len(values) // limit)
    if size <= 1:
        return times.astype(np.float64), values, 1
    count = len(values) // size
    cut = count * size
    return (
        times[:cut].reshape(count, size).astype(np.float64).mean(axis=1),
        values[:cut].reshape(count, size).mean(axis=1),
        size,
    )
