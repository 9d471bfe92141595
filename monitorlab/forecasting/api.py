"""The two ways in: ``forecast`` in steps, ``forecast_series`` in time and with a capacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from monitorlab.errors import InvalidSeriesError, NotEnoughDataError
from monitorlab.forecasting._grid import (
    MIN_SAMPLES,
    coarse_step,
    grid_from,
    numbers,
    stamps_of,
    typical_step,
)
from monitorlab.forecasting.capacity import CapacityLike, limits_at
from monitorlab.forecasting.models import make_forecaster
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.forecasting.result import Forecast

__all__ = ["forecast", "forecast_series"]

MAX_STEPS = 750
"""Steps ahead above which ``forecast_series`` takes a coarser grid."""
OVERVIEW_STEPS = 4_000
"""Steps in which seasons and growth of a series too long to be fitted whole are looked at."""


def forecast(
    series: Any,
    horizon: int,
    *,
    season: int | Sequence[int] | None = None,
    level: float = 0.95,
    model: str = "auto",
) -> Forecast:
    """Forecast the next steps of regular samples, with intervals.

    Parameters
    ----------
    series : pandas.Series, numpy.ndarray or sequence of numbers, shape (n_samples,)
        Regular samples in time order: plain values, a whole-number index, or a tz-aware
        ``DatetimeIndex`` (irregular times are laid on a grid of a round step near their
        interval). NaN is a missing sample.
    horizon : int
        Steps ahead.
    season : int or sequence of int, optional
        Season, or several, in steps; found where None, none where 1 or 0.
    level : float
        Nominal probability that a sample falls into its interval.
    model : str
        One of :func:`monitorlab.forecasting.models`.

    Returns
    -------
    Forecast
        ``mean``, ``lower``, ``upper`` on the index that goes on from the series, the
        ``season`` used, a ``fallback`` reason, ``notes``, and ``accuracy`` on demand.

    Raises
    ------
    InvalidSeriesError
        If the values are no numbers, the index cannot be used, or an argument is out of
        its range.
    NotEnoughDataError
        With fewer than four finite samples.
    UnknownNameError
        If there is no such model.

    See Also
    --------
    forecast_series : the same with a horizon in time and a capacity.

    Notes
    -----
    The default model is the weighted median of about ten small models (see
    :class:`monitorlab.forecasting.Auto`); weights, floor and intervals come from up to
    twelve past origins inside the series. About 20 ms for 960 samples on one core.
    A level that jumped and stayed for eight samples or more is the new level (``notes`` says
    so). It is weak where the future does not resemble the past: holidays, saturation, a
    release to come or only just made.

    References
    ----------
    Makridakis, Spiliotis and Assimakopoulos (2020), "The M4 Competition", International
    Journal of Forecasting 36(1). Vovk, Gammerman and Shafer (2005), "Algorithmic Learning
    in a Random World". Taylor (2003), "Short-term electricity demand forecasting using
    double seasonal exponential smoothing".

    Examples
    --------
    >>> day = 100 + 10 * np.sin(np.arange(24 * 21) / 24 * 2 * np.pi)
    >>> fc = forecast(day, horizon=6)
    >>> fc.mean.round(1).tolist()
    [100.0, 102.6, 105.0, 107.1, 108.7, 109.7]
    """
    return make_forecaster(model, season=season).fit(series).predict(horizon, level)


def forecast_series(
    series: pd.Series,
    horizon: DurationLike = "24h",
    *,
    capacity: CapacityLike | None = None,
    limit: Literal["auto", "upper", "lower"] = "auto",
    level: float = 0.95,
    model: str = "auto",
) -> Forecast:
    """Forecast a series over a time, and say when it reaches its capacity.

    Parameters
    ----------
    series : pandas.Series, shape (n_samples,)
        Gauge or rate samples with a tz-aware increasing ``DatetimeIndex``; NaN is missing.
    horizon : str, timedelta or number of seconds
        How far ahead.
    capacity : number, pandas.Series or callable, optional
        The limit: one number, a limit that is itself a series (its newest value holds), or
        a function of a time. None: none is made up.
    limit : {"auto", "upper", "lower"}
        Whether the capacity is reached from below (used space) or from above (free space,
        down to 0). "auto": from above only where every sample so far lies above it and the
        name says that it is what is left, or (a name that says neither) the series does not
        rise; ``notes`` says so.
    level : float
        Nominal probability that a sample falls into its interval.
    model : str
        One of :func:`monitorlab.forecasting.models`.

    Returns
    -------
    Forecast
        With ``time_to_capacity``, ``peaks`` and ``monthly_growth``.

    Raises
    ------
    InvalidSeriesError
        If the index is not of times, the capacity gives no finite number, or ``limit`` is
        none of the three.
    NotEnoughDataError
        With too few samples for this horizon.
    TimeError
        If the horizon is no duration.
    UnknownNameError
        If there is no such model.

    See Also
    --------
    forecast : the same in steps, for plain values too.

    Notes
    -----
    Where the horizon has more than 750 sample intervals the forecast is made in coarser
    round steps, each the mean of its samples, and ``notes`` says so; peaks and the time to
    capacity still speak of the highest sample in each step.

    Examples
    --------
    >>> times = pd.date_range("2026-01-01", periods=24 * 60, freq="1h", tz="UTC")
    >>> disk = pd.Series(50 + np.arange(24 * 60) / 72, index=times, name="disk_used")
    >>> fc = forecast_series(disk, "30d", capacity=74.99)
    >>> print(fc.time_to_capacity.p50.round("1h"))
    15 days 01:00:00
    >>> free = forecast_series((100 - disk).rename("disk_free"), "120d", capacity=0)
    >>> free.limit, free.time_to_capacity.is_reached
    ('lower', True)
    """
    ahead = parse_duration(horizon)
    if ahead <= 0:
        msg = f"horizon {horizon!r} is nothing; give a time ahead such as '24h'"
        raise InvalidSeriesError(msg)
    if not isinstance(series, pd.Series) or not isinstance(series.index, pd.DatetimeIndex):
        msg = (
            "forecast_series needs a pandas Series with a DatetimeIndex; "
            "use forecast(values, horizon=steps) for plain values"
        )
        raise InvalidSeriesError(msg)
    forecaster = make_forecaster(model)
    interval = _interval(series)
    grid = grid_from(series, step=coarse_step(interval, ahead, MAX_STEPS))
    steps = max(1, -(-ahead // grid.step))
    limits = None
    if capacity is not None:
        future = pd.DatetimeIndex(grid.future(steps))
        limits = pd.Series(limits_at(capacity, future), index=future, name="capacity")
    overview = None
    span = _span(series)
    if span > grid.step * len(grid):
        overview = grid_from(series, step=coarse_step(interval, span, OVERVIEW_STEPS))
    made = forecaster.adopt(grid, series, overview=overview)
    return made.predict(steps, level, capacity=limits, limit=limit)


def _span(series: pd.Series) -> int:
    stamps = pd.DatetimeIndex(series.index).as_unit("ns").asi8
    return int(stamps[-1] - stamps[0])


def _interval(series: pd.Series) -> int:
    finite = np.isfinite(numbers(series))
    stamps = stamps_of(pd.DatetimeIndex(series.index), series.name)[finite]
    if len(stamps) < MIN_SAMPLES:
        msg = (
            f"forecast of {series.name or 'the series'}: needs at least {MIN_SAMPLES} finite "
            f"samples, got {len(stamps)}; give a longer span"
        )
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=len(stamps))
    return typical_step(stamps)
