"""Columns of series as their samples come, and what a live engine remembers of them.

>>> from monitorlab.columns import make_column
>>> running = RunningColumn(make_column("anomaly_score").extend, cumulative=False)
>>> running.advance(SeriesView.make("load", [0, 10**9], [1.0, 2.0]))[1].tolist()
[0.0, 0.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView, is_stale
from monitorlab.windows import counter_increase

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitorlab.model import SeriesKey
    from monitorlab.times import DurationLike

__all__ = ["ColumnMemory", "RunningColumn", "ended"]


class ColumnMemory:
    """What a live engine remembers of columns from one evaluation to the next.

    Parameters
    ----------
    retention : duration
        How long computed samples are kept.

    Examples
    --------
    >>> len(ColumnMemory("1d").store)
    0
    """

    def __init__(self, retention: DurationLike = "1d") -> None:
        self.store = SeriesStore(max_age=retention)
        self.states: dict[SeriesKey, RunningColumn] = {}


class RunningColumn:
    """A column of one series as its samples come: the numbers of the whole series.

    Parameters
    ----------
    extend : callable
        Given times and values of the new samples (those of a counter as rates), gives the
        numbers and learns the samples; see ``monitorlab.columns.Column``.
    cumulative : bool
        Whether the series is a counter.

    Examples
    --------
    >>> from monitorlab.columns import make_column
    >>> running = RunningColumn(make_column("anomaly_score").extend, cumulative=False)
    >>> times, scores = running.advance(SeriesView.make("load", [0, 10**9], [1.0, 2.0]))
    >>> scores.tolist(), len(running.advance(SeriesView.make("load", [0], [1.0]))[0])
    ([0.0, 0.0], 0)
    """

    def __init__(
        self, extend: Callable[[np.ndarray, np.ndarray], np.ndarray], *, cumulative: bool
    ) -> None:
        self._extend = extend
        self._cumulative = cumulative
        self.last_ns: int | None = None  # time of the newest sample
        self._before: tuple[int, float] | None = None  # newest sample that is not missing

    def advance(self, view: SeriesView) -> tuple[np.ndarray, np.ndarray]:
        """Give times and numbers of the samples that are newer than those before."""
        first = 0
        if self.last_ns is not None:
            first = int(np.searchsorted(view.times, self.last_ns, side="right"))
        times, raw = view.times[first:], view.values[first:]
        if not len(times):
            return times, raw
        self.last_ns = int(times[-1])
        values = self._rated(times, raw) if self._cumulative else raw
        return times, ended(self._extend(times, values), raw)

    def _rated(self, times: np.ndarray, raw: np.ndarray) -> np.ndarray:
        if self._before is None:
            found = counter_increase(times, raw, per_second=True, through_resets=False)
        elif len(raw) == 1:  # as samples come live: a tenth of the work
            found = np.array([self._rate(int(times[0]), float(raw[0]))])
        else:
            time, value = self._before
            longer = np.append(time, times), np.append(value, raw)
            found = counter_increase(*longer, per_second=True, through_resets=False)[1:]
        there = np.flatnonzero(~np.isnan(raw))
        if len(there):
            self._before = (int(times[there[-1]]), float(raw[there[-1]]))
        return found

    def _rate(self, time: int, value: float) -> float:
        before, last = self._before or (time, np.nan)
        grown = value - last
        return grown / ((time - before) * 1e-9) if grown >= 0.0 else np.nan


def ended(numbers: np.ndarray, values: np.ndarray) -> np.ndarray:
    """End a column where its series ends.

    Parameters
    ----------
    numbers : numpy.ndarray of float64, shape (n_samples,)
        The column.
    values : numpy.ndarray of float64, shape (n_samples,)
        The samples that it was computed from.

    Returns
    -------
    numpy.ndarray of float64, shape (n_samples,)
        The numbers, with the marker of an end wherever the samples have one.

    Examples
    --------
    >>> is_stale(ended(np.array([0.5, np.nan]), np.array([1.0, STALE_NAN]))).tolist()
    [False, True]
    """
    return np.where(is_stale(values), STALE_NAN, numbers)
