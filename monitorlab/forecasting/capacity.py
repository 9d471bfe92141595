"""Capacity: the limit given, when it is reached, and the growth a month.

No capacity is ever made up: without one there is no time to capacity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from monitorlab.display import format_number, to_plain
from monitorlab.errors import InvalidSeriesError
from monitorlab.forecasting._numbers import student_quantile
from monitorlab.times import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitorlab.forecasting._grid import Grid

__all__ = [
    "CapacityLike",
    "LimitSide",
    "MonthlyGrowth",
    "TimeToCapacity",
    "growth_of",
    "limits_at",
    "side_of",
    "time_to",
]

CapacityLike: TypeAlias = "float | int | pd.Series | Callable[[pd.Timestamp], float]"
LimitSide: TypeAlias = Literal["upper", "lower"]
_MONTH = 30 * 86_400_000_000_000
_BLOCKS = 50
_LEFT = {"free", "avail", "available", "remaining", "left", "headroom", "idle", "spare", "unused"}
_USED = {"used", "usage", "use", "utilization", "utilisation", "busy", "load", "allocated"}
_FEWEST_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class TimeToCapacity:
    """When the capacity is reached, as a distribution over simulated paths.

    Parameters
    ----------
    p10, p50, p90 : pandas.Timedelta or None
        Time from the newest sample until one path in ten, in two, nine in ten have reached
        the capacity; None: not within the horizon.
    probability : float
        Share of the paths that reach it within the horizon.
    horizon : pandas.Timedelta
        How far was looked ahead.
    from_time : pandas.Timestamp
        Time of the newest sample.

    Examples
    --------
    >>> day = pd.Timedelta("1D")
    >>> print(TimeToCapacity(None, None, None, 0.0, day, pd.Timestamp(0, tz="UTC")))
    will not reach within 1d (0% of paths do)
    """

    p10: pd.Timedelta | None
    p50: pd.Timedelta | None
    p90: pd.Timedelta | None
    probability: float
    horizon: pd.Timedelta
    from_time: pd.Timestamp

    @property
    def is_reached(self) -> bool:
        """Whether at least half of the paths reach the capacity within the horizon."""
        return self.p50 is not None

    def __str__(self) -> str:
        share = f"{self.probability:.0%} of paths do"
        ahead = format_duration(int(self.horizon.as_unit("ns").value))
        if self.p10 is None:
            return f"will not reach within {ahead} ({share})"
        early = format_number(self.p10)
        if self.p50 is None:
            return f"may reach from {early} on, more likely not within {ahead} ({share})"
        late = f"after {ahead}" if self.p90 is None else format_number(self.p90)
        return f"in {format_number(self.p50)} (p10 {early}, p90 {late})"

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types: seconds, or None for not within the horizon."""
        return {
            "p10_seconds": to_plain(self.p10),
            "p50_seconds": to_plain(self.p50),
            "p90_seconds": to_plain(self.p90),
            "probability": self.probability,
            "horizon_seconds": to_plain(self.horizon),
            "from_time": to_plain(self.from_time),
            "text": str(self),
        }


@dataclass(frozen=True, slots=True)
class MonthlyGrowth:
    """How much a series grows in 30 days, with its uncertainty.

    Parameters
    ----------
    value, lower, upper : float
        In the unit of the series, for 30 days; the bounds hold at ``level``.
    ratio : float or None
        ``value`` over the mean of the series; None for a mean of zero.
    level : float
        Nominal probability of the bounds.
    span : pandas.Timedelta
        How much history it was measured on.

    Examples
    --------
    >>> g = MonthlyGrowth(5.0, 4.0, 6.0, 0.05, 0.95, pd.Timedelta("60D"))
    >>> print(g)
    +5 in 30 days (4 to 6 at 95 %), 5.0 % of the mean
    """

    value: float
    lower: float
    upper: float
    ratio: float | None
    level: float
    span: pd.Timedelta

    @property
    def is_extrapolated(self) -> bool:
        """Whether the history is shorter than the 30 days that the growth is stated for."""
        return bool(self.span < pd.Timedelta(_MONTH, unit="ns"))

    @property
    def is_certain(self) -> bool:
        """Whether the bounds leave out zero."""
        return not self.lower <= 0.0 <= self.upper

    def __str__(self) -> str:
        sign = "+" if self.value > 0 else ""
        part = "" if self.ratio is None else f", {self.ratio:.1%} of the mean".replace("%", " %")
        text = (
            f"{sign}{format_number(self.value)} in 30 days ({format_number(self.lower)} to "
            f"{format_number(self.upper)} at {format_number(100 * self.level)} %){part}"
        )
        if self.is_extrapolated:
            text += f"; measured on {format_number(self.span)} only"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {
            "value": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "ratio": self.ratio,
            "level": self.level,
            "span_seconds": to_plain(self.span),
            "is_extrapolated": self.is_extrapolated,
            "text": str(self),
        }


def limits_at(capacity: CapacityLike, times: pd.DatetimeIndex) -> np.ndarray:
    """Read a capacity at each time.

    Parameters
    ----------
    capacity : number, pandas.Series or callable
        One limit for ever; a limit that is itself a series (its newest value at or before
        each time holds); or a function of a time.
    times : pandas.DatetimeIndex, shape (n,)
        UTC.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    InvalidSeriesError
        If it is none of these, or gives no finite number at some time.

    Examples
    --------
    >>> limits_at(80, pd.DatetimeIndex(["2026-01-01"], tz="UTC")).tolist()
    [80.0]
    """
    if isinstance(capacity, pd.Series):
        limits = _series_limits(capacity, times)
    elif callable(capacity):
        limits = np.array([_number(capacity(t), f"capacity at {t}") for t in times], dtype=float)
    else:
        limits = np.full(len(times), _number(capacity, "capacity"))
    wrong = ~np.isfinite(limits)
    if wrong.any():
        first = times[int(np.argmax(wrong))]
        msg = f"capacity at {first} is {limits[wrong][0]}; give a finite limit for every time"
        raise InvalidSeriesError(msg)
    return limits


def side_of(
    values: np.ndarray, first_limit: float, wanted: str = "auto", *, name: str = ""
) -> LimitSide:
    """Say whether a limit is to be reached from below or from above.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        History; finite.
    first_limit : float
        Capacity at the first step ahead.
    wanted : {"auto", "upper", "lower"}
        What was asked for.
    name : str
        Of the series.

    Returns
    -------
    {"upper", "lower"}
        With "auto" lower only where every sample so far lies above the limit, and the name
        speaks of what is left ("free", "available", "remaining" ...) or, where it speaks
        neither of that nor of use, the newest third does not lie above the oldest.

    Raises
    ------
    InvalidSeriesError
        If ``wanted`` is none of the three.

    Examples
    --------
    >>> side_of(np.array([30.0, 20.0]), 0.0), side_of(np.array([30.0, 50.0]), 40.0)
    ('lower', 'upper')
    >>> side_of(np.array([91.0, 90.0]), 80.0, name="disk_used")
    'upper'
    """
    if wanted not in ("auto", "upper", "lower"):
        msg = f"limit must be 'auto', 'upper' or 'lower', got {wanted!r}"
        raise InvalidSeriesError(msg)
    if wanted == "lower":
        return "lower"
    if wanted == "upper" or not float(values.min()) > first_limit:
        return "upper"
    words = set(re.split(r"[^a-z]+", name.lower()))
    if words & _LEFT:
        return "lower"
    if words & _USED:
        return "upper"
    part = max(1, len(values) // 3)
    falls = float(np.median(values[-part:])) <= float(np.median(values[:part]))
    return "lower" if falls else "upper"


def time_to(
    paths: np.ndarray,
    limits: np.ndarray,
    grid: Grid,
    *,
    current: float | None = None,
    side: LimitSide = "upper",
) -> TimeToCapacity:
    """Find when simulated paths reach their limits.

    Parameters
    ----------
    paths : numpy.ndarray, shape (n_paths, horizon)
        Simulated futures.
    limits : numpy.ndarray, shape (horizon,)
        Capacity at each step.
    grid : Grid
        Gives the time of a step.
    current : float, optional
        The newest sample; at or beyond the first limit the time is zero.
    side : {"upper", "lower"}
        Whether the limit is reached from below or from above.

    Returns
    -------
    TimeToCapacity

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.forecasting._grid import grid_from
    >>> index = pd.date_range("2026-01-01", periods=48, freq="1h", tz="UTC")
    >>> grid = grid_from(pd.Series(np.arange(48.0), index=index))
    >>> paths = np.array([[70.0, 80.0, 90.0], [60.0, 70.0, 80.0]])
    >>> print(time_to(paths, np.full(3, 80.0), grid))
    in 2h00m (p10 2h00m, p90 3h00m)
    """
    count, horizon = paths.shape
    sign = -1.0 if side == "lower" else 1.0
    if current is not None and sign * current >= sign * limits[0]:
        first = np.zeros(count)
    else:
        over = sign * paths >= sign * limits
        first = np.where(over.any(axis=1), over.argmax(axis=1) + 1.0, np.inf)
    ranked = np.sort(first)

    def after(share: float) -> pd.Timedelta | None:
        step = ranked[max(0, int(np.ceil(share * count)) - 1)]
        return pd.Timedelta(int(step) * grid.step, unit="ns") if np.isfinite(step) else None

    return TimeToCapacity(
        p10=after(0.1),
        p50=after(0.5),
        p90=after(0.9),
        probability=float(np.isfinite(first).mean()),
        horizon=pd.Timedelta(horizon * grid.step, unit="ns"),
        from_time=pd.Timestamp(grid.end, unit="ns", tz="UTC"),
    )


def growth_of(grid: Grid, season: int, level: float) -> MonthlyGrowth | None:
    """Measure the growth of a series in 30 days.

    Parameters
    ----------
    grid : Grid
        The series; on whole steps without time None is given.
    season : int
        Longest season in steps; 1 for none.
    level : float
        Nominal probability of the bounds.

    Returns
    -------
    MonthlyGrowth or None
        None where fewer than four blocks of a season fit the history.

    Notes
    -----
    Least squares on the means of blocks of whole seasons. The error of the slope is widened
    for the autocorrelation of what is left: ``n (1 - r) / (1 + r)`` blocks count, with the
    correlation ``r`` corrected for its bias in short series by ``(1 + 4 r) / n``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.forecasting._grid import grid_from
    >>> index = pd.date_range("2026-01-01", periods=60, freq="1D", tz="UTC")
    >>> grid = grid_from(pd.Series(100 + 0.5 * np.arange(60), index=index))
    >>> round(growth_of(grid, season=1, level=0.95).value, 6)
    15.0
    """
    size = len(grid)
    block = max(1, season, size // _BLOCKS // max(season, 1) * max(season, 1))
    blocks = size // block
    if not grid.timed or blocks < _FEWEST_BLOCKS:
        return None
    means = grid.values[size - blocks * block :].reshape(blocks, block).mean(axis=1)
    place = np.arange(blocks) - (blocks - 1) / 2
    square = float(place @ place)
    scale = float(np.abs(means).max()) or 1.0
    shown = means / scale
    slope = float(place @ (shown - shown.mean())) / square
    rest = shown - shown.mean() - slope * place
    variance = float(rest @ rest)
    alike = float(rest[1:] @ rest[:-1]) / variance if variance > 0 else 0.0
    alike = float(np.clip(alike + (1 + 4 * alike) / blocks, 0.0, 0.95))
    count = max(3.0, blocks * (1 - alike) / (1 + alike))
    error = np.sqrt(variance / (blocks - 2) / square * blocks / count)
    reach = student_quantile((1 + level) / 2, max(1.0, count - 2)) * float(error)
    month = _MONTH / (block * grid.step) * scale
    middle = float(shown.mean()) * scale
    value = slope * month
    return MonthlyGrowth(
        value=value,
        lower=value - reach * month,
        upper=value + reach * month,
        ratio=value / abs(middle) if middle else None,
        level=level,
        span=pd.Timedelta(size * grid.step, unit="ns"),
    )


def _series_limits(capacity: pd.Series, times: pd.DatetimeIndex) -> np.ndarray:
    index = capacity.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is None:
        msg = "a capacity given as a series needs a DatetimeIndex with a time zone"
        raise InvalidSeriesError(msg)
    known = capacity.dropna().sort_index()
    stamps, asked = (
        np.asarray(pd.DatetimeIndex(i).tz_convert("UTC").as_unit("ns").asi8, dtype=np.int64)
        for i in (known.index, times)
    )
    at = np.searchsorted(stamps, asked, side="right")
    if len(known) == 0 or (at == 0).any():
        start = "has no value" if len(known) == 0 else f"starts at {known.index[0]}"
        msg = (
            f"the capacity series {start}, after the time {times[0]} that it is asked for; "
            "give one that covers the end of the history"
        )
        raise InvalidSeriesError(msg)
    return np.asarray(known.to_numpy(dtype=np.float64)[at - 1])


def _number(value: Any, what: str) -> float:
    if isinstance(value, (bool, str)) or value is None:
        msg = f"{what} is {value!r}; give a number, a series of limits or a function of time"
        raise InvalidSeriesError(msg)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        msg = f"{what} is {value!r}; give a number, a series of limits or a function of time"
        raise InvalidSeriesError(msg) from error
