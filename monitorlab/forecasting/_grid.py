"""From a series as it comes to regular values without gaps, and what was done on the way.

>>> grid_from(pd.Series([1.0, np.nan, 3.0, 4.0, 5.0])).values.tolist()
[1.0, 2.0, 3.0, 4.0, 5.0]
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.errors import InvalidSeriesError, NotEnoughDataError
from monitorlab.times import format_duration, to_index

__all__ = [
    "MAX_SAMPLES",
    "MIN_SAMPLES",
    "Grid",
    "coarse_step",
    "fill_gaps",
    "grid_from",
    "numbers",
    "stamps_of",
    "typical_step",
]

MIN_SAMPLES = 4
"""Fewer say nothing of the spread, so no interval could be given."""
MAX_SAMPLES = 20_000
"""Newest grid steps that a model is fitted on."""
_JITTER = 0.01
_UNEVEN, _UNEVEN_SHARE = 0.1, 0.2
_OUTAGE = 5
_ABOUT = 0.9
_MANY = 20  # samples a step, above which uneven counts do not matter
_SECOND = 1_000_000_000
_ROUND_STEPS = tuple(
    n * _SECOND
    for n in (
        *(1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800),
        *(3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400, 604_800),
    )
)


@dataclass(frozen=True, slots=True)
class Grid:
    """Regular values for fitting.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_steps,)
        Without NaN: gaps are filled, for fitting only.
    observed : numpy.ndarray of bool, shape (n_steps,)
        False where a value was filled in.
    end : int
        Nanoseconds (or the integer position) of the newest step.
    step : int
        Nanoseconds (or positions) between steps.
    timed : bool
        Whether ``end`` and ``step`` are nanoseconds.
    name : object
        Name of the series.
    notes : tuple of str
        What was done to the samples, for the reader.
    excess, dip : numpy.ndarray or None
        Highest and lowest sample minus mean in each step, where several share a step.
    cleaned : numpy.ndarray or None
        The values without single far samples, where those would spoil the fit.
    """

    values: np.ndarray
    observed: np.ndarray
    end: int
    step: int
    timed: bool
    name: Any = None
    notes: tuple[str, ...] = ()
    excess: np.ndarray | None = None
    dip: np.ndarray | None = None
    cleaned: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    def future(self, horizon: int) -> pd.Index:
        """Give the index of the next ``horizon`` steps."""
        positions = self.end + self.step * np.arange(1, horizon + 1, dtype=np.int64)
        if self.timed:
            return to_index(positions)
        return pd.RangeIndex(self.end + self.step, self.end + self.step * (horizon + 1), self.step)

    def times(self) -> np.ndarray:
        """Give the positions of the known steps."""
        return self.end + self.step * np.arange(1 - len(self.values), 1, dtype=np.int64)

    def head(self, length: int) -> Grid:
        """Give the grid as it was when it had ``length`` steps."""
        return replace(
            self,
            values=self.values[:length],
            observed=self.observed[:length],
            end=self.end - self.step * (len(self.values) - length),
            excess=None if self.excess is None else self.excess[:length],
            dip=None if self.dip is None else self.dip[:length],
            cleaned=None,
        )

    def known(self) -> Grid:
        """Give the grid up to its newest sample."""
        return self if self.observed[-1] else self.head(int(np.flatnonzero(self.observed)[-1]) + 1)

    def filled(self, seasons: tuple[int, ...]) -> Grid:
        """Give the grid with its gaps filled along the season."""
        if self.observed.all() or not seasons:
            return self
        return replace(self, values=fill_gaps(self.values, self.observed, seasons[0]))


def grid_from(series: Any, *, step: int | None = None) -> Grid:
    """Read a series, check it and lay it on a regular grid.

    Parameters
    ----------
    series : pandas.Series, numpy.ndarray or sequence of numbers
        With a tz-aware increasing ``DatetimeIndex``, or regular samples.
    step : int, optional
        Nanoseconds between steps; see :func:`typical_step` by default.

    Returns
    -------
    Grid
        At most ``MAX_SAMPLES`` newest steps.

    Raises
    ------
    InvalidSeriesError
        If the values are no numbers, or the index is naive, unsorted or duplicated.
    NotEnoughDataError
        With fewer than ``MIN_SAMPLES`` finite samples.
    """
    if isinstance(series, pd.Series):
        values, name, index = numbers(series), series.name, series.index
    else:
        values, name, index = numbers(series), None, None
    finite = np.isfinite(values)
    if finite.sum() < MIN_SAMPLES:
        msg = (
            f"forecast of {_called(name)}: needs at least {MIN_SAMPLES} finite samples to say "
            f"how far a forecast may miss, got {int(finite.sum())}; give a longer span"
        )
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=int(finite.sum()))
    notes = []
    infinite = int(np.isinf(values).sum())
    if infinite:
        notes.append(f"{infinite} infinite samples are taken as missing")
    if isinstance(index, pd.DatetimeIndex):
        stamps = stamps_of(index, name)
        grid = _timed(stamps[finite], values[finite], step, int(stamps[-1]), name, notes)
    else:
        end, stride = _positions(index, len(values), name)
        grid = _plain(values, finite, end, stride, name, notes)
    return grid


def coarse_step(interval: int, horizon: int, max_steps: int) -> int:
    """Choose a round step that keeps a horizon within a number of steps.

    Parameters
    ----------
    interval : int
        Nanoseconds between samples.
    horizon : int
        Nanoseconds ahead.
    max_steps : int
        Steps wanted at the most.

    Returns
    -------
    int
        Nanoseconds; the interval itself where that is fine enough.
    """
    if horizon <= interval * max_steps:
        return interval
    wanted = horizon / max_steps
    for candidate in _ROUND_STEPS:
        ratio = candidate / interval
        whole = abs(ratio - round(ratio)) <= _JITTER * ratio
        if candidate >= wanted and ratio >= 1 and (whole or ratio > _MANY):
            return candidate
    return int(np.ceil(wanted / interval)) * interval


def typical_step(stamps: np.ndarray) -> int:
    """Give the interval of samples, or a round step where they come as they like.

    Parameters
    ----------
    stamps : numpy.ndarray of int64, shape (n,)
        Nanoseconds, increasing; at least two.

    Returns
    -------
    int
        The median interval; where more than a fifth of the intervals are no whole number
        of these, the next round step (1 s to 1 w) above their mean without outages.

    Examples
    --------
    >>> typical_step(np.arange(10) * 15 * 10**9) // 10**9
    15
    """
    gaps = np.diff(stamps)
    interval = max(1, int(np.median(gaps)))
    off = np.abs(gaps - np.round(gaps / interval) * interval) > _UNEVEN * interval
    if float(off.mean()) <= _UNEVEN_SHARE:
        return interval
    mean = float(gaps[gaps <= _OUTAGE * interval].mean())
    return next((s for s in _ROUND_STEPS if s >= _ABOUT * mean), interval)


def fill_gaps(values: np.ndarray, observed: np.ndarray, season: int | None = None) -> np.ndarray:
    """Fill missing values by straight lines, on top of the season where there is one.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Values; what stands at missing places is ignored.
    observed : numpy.ndarray of bool, shape (n,)
        Where a value is known; at least one.
    season : int, optional
        Steps; the mean profile of the known values is taken off, and put back on.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> fill_gaps(np.array([1.0, 0.0, 3.0]), np.array([True, False, True])).tolist()
    [1.0, 2.0, 3.0]
    """
    if observed.all():
        return values
    place = np.arange(len(values))
    profile = np.zeros(len(values))
    if season is not None and observed.sum() >= 2 * season:
        phase = place % season
        count = np.bincount(phase[observed], minlength=season)
        total = np.bincount(phase[observed], weights=values[observed], minlength=season)
        overall = float(values[observed].mean())
        means = np.divide(total, count, out=np.full(season, overall), where=count > 0)
        profile = means[phase]
    rest = np.interp(place, place[observed], (values - profile)[observed])
    return np.where(observed, values, rest + profile)


def numbers(series: Any) -> np.ndarray:
    """Read the values of a series, or say what is wrong with them."""
    try:
        if isinstance(series, pd.Series):
            values = series.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        else:
            values = np.array(series, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = (
            "a forecast needs one series of numbers: a pandas Series, an array or a list; "
            f"got {type(series).__name__} that cannot be read as numbers ({error})"
        )
        raise InvalidSeriesError(msg) from error
    if values.ndim != 1:
        msg = f"a forecast needs one series, got an array of shape {values.shape}; pass one column"
        raise InvalidSeriesError(msg)
    return np.asarray(values)


def stamps_of(index: pd.DatetimeIndex, name: Any) -> np.ndarray:
    """Read increasing nanoseconds from an index, or say what is wrong with it."""
    if index.tz is None:
        msg = (
            f"forecast of {_called(name)}: the index has no time zone; "
            "use series.tz_localize('UTC') (or the zone that it was recorded in)"
        )
        raise InvalidSeriesError(msg)
    if index.hasnans:
        msg = f"forecast of {_called(name)}: the index has missing times; drop those rows"
        raise InvalidSeriesError(msg)
    stamps = index.tz_convert("UTC").as_unit("ns").asi8
    if len(stamps) > 1 and (np.diff(stamps) <= 0).any():
        msg = (
            f"forecast of {_called(name)}: times must increase without duplicates; "
            "use series[~series.index.duplicated(keep='last')].sort_index()"
        )
        raise InvalidSeriesError(msg)
    return np.asarray(stamps)


def _positions(index: pd.Index | None, length: int, name: Any) -> tuple[int, int]:
    if index is None:
        return length - 1, 1
    if not pd.api.types.is_integer_dtype(index.dtype):
        msg = (
            f"forecast of {_called(name)}: the index is {index.dtype}, neither times nor whole "
            "numbers; give a DatetimeIndex with a time zone, or plain values"
        )
        raise InvalidSeriesError(msg)
    positions = np.asarray(index, dtype=np.int64)
    steps = np.diff(positions)
    if (steps <= 0).any():
        msg = f"forecast of {_called(name)}: the index must increase without duplicates"
        raise InvalidSeriesError(msg)
    return int(positions[-1]), max(int(np.median(steps)), 1)


def _plain(
    values: np.ndarray, finite: np.ndarray, end: int, step: int, name: Any, notes: list[str]
) -> Grid:
    last = int(np.flatnonzero(finite)[-1]) + 1
    first = int(np.flatnonzero(finite)[0])
    if last < len(values):
        notes.append(f"the newest {len(values) - last} samples are missing")
    values, finite = values[first:], finite[first:]
    if len(values) > MAX_SAMPLES:
        notes.append(f"fitted on the newest {MAX_SAMPLES} of {len(values)} samples")
        values, finite = values[-MAX_SAMPLES:], finite[-MAX_SAMPLES:]
    return _finished(values, finite, end, step, False, name, notes, None)


def _timed(
    stamps: np.ndarray,
    values: np.ndarray,
    step: int | None,
    end: int,
    name: Any,
    notes: list[str],
) -> Grid:
    gaps = np.diff(stamps)
    interval = typical_step(stamps)
    if step is None:
        step = interval
    # bin k steps before the end holds the samples of (end - (k + 1/2) step, end - (k - 1/2) step]
    # on the samples' own grid, and of (end - (k + 1) step, end - k step] on a coarser one
    half = step // 2 if step <= interval else 0
    back = (end + half - stamps) // step
    used = back < MAX_SAMPLES
    if used.sum() < MIN_SAMPLES:
        msg = (
            f"forecast of {_called(name)}: only {int(used.sum())} samples lie in the newest "
            f"{MAX_SAMPLES} steps of {_interval_text(step)}; end the series where its samples end"
        )
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=int(used.sum()))
    if not used.all():
        notes.append(f"fitted on the newest {format_duration(MAX_SAMPLES * step)}")
        stamps, values, back = stamps[used], values[used], back[used]
    length = int(back[0]) + 1
    place = length - 1 - back
    count = np.bincount(place, minlength=length)
    finite = count > 0
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    means = np.zeros(length)
    peak, low = np.zeros(length), np.zeros(length)
    # scaled before adding up, so that the sum of huge values stays finite
    means[place[starts]] = np.add.reduceat(values / count[place], starts)
    peak[place[starts]] = np.maximum.reduceat(values, starts)
    low[place[starts]] = np.minimum.reduceat(values, starts)
    excess = dip = None
    if step > interval:
        excess = np.where(finite, peak - means, 0.0)
        dip = np.where(finite, low - means, 0.0)
        notes.append(
            f"the horizon is long for samples every {format_duration(interval)}: "
            f"forecast in steps of {format_duration(step)}, each the mean of its samples"
        )
    elif len(gaps) and (np.abs(gaps - np.round(gaps / step) * step) > _JITTER * step).any():
        notes.append(f"irregular samples are laid on a grid of {_interval_text(step)}")
    if finite.sum() < MIN_SAMPLES:
        msg = (
            f"forecast of {_called(name)}: its samples fill only {int(finite.sum())} steps of "
            f"{format_duration(step)}, which this horizon asks for, and {MIN_SAMPLES} are needed; "
            "give a longer history or a shorter horizon"
        )
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=int(finite.sum()))
    return _finished(means, finite, end, step, True, name, notes, excess, dip)


def _finished(
    values: np.ndarray,
    finite: np.ndarray,
    end: int,
    step: int,
    timed: bool,
    name: Any,
    notes: list[str],
    excess: np.ndarray | None,
    dip: np.ndarray | None = None,
) -> Grid:
    missing = int((~finite).sum())
    if missing:
        share = missing / len(finite)
        notes.append(
            f"{missing} of {len(finite)} steps ({share:.1%}) have no sample and are "
            "interpolated for fitting; errors are measured on samples only"
        )
    if finite.sum() < MIN_SAMPLES:
        msg = (
            f"forecast of {_called(name)}: the newest {len(finite)} steps hold only "
            f"{int(finite.sum())} samples and {MIN_SAMPLES} are needed"
        )
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=int(finite.sum()))
    return Grid(
        values=fill_gaps(values, finite),
        observed=finite,
        end=end,
        step=step,
        timed=timed,
        name=name,
        notes=tuple(notes),
        excess=excess,
        dip=dip,
    )


def _interval_text(step: int) -> str:
    text = format_duration(step)
    return text if text != "0s" else f"{step} ns"


def _called(name: Any) -> str:
    return "the series" if name is None or name == "" else str(name)
