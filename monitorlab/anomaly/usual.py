"""What is usual at a time of the day, for the naming of events after the fact.

>>> import numpy as np
>>> hours = np.arange(240)
>>> values = 10.0 * np.sin(2.0 * np.pi * hours / 24.0) + 0.1 * (hours % 5)
>>> values[200] += 5.0
>>> rest = Usual(hours * 3600.0, values).rest(150, 240, start=200)
>>> int(np.argmax(rest)) + 150
200
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["Usual"]

Floats = npt.NDArray[np.float64]

DAY = 86_400.0  # seconds
DAYS = 7  # days before whose values at the same time are looked at
LEAST_DAYS = 2
LATER = 5.0 * 3600.0  # seconds over which a season must explain how values move
EXPLAINED = 0.7  # a season leaves less than this of such moves
LOOKS = 400  # moments at which that is tried
SMOOTH = 48  # what is usual is a mean over a quarter of a day, twice by this


class Usual:
    """The values of one series less what is usual at their time of the day.

    Parameters
    ----------
    seconds : numpy.ndarray of float64, shape (n,)
        Times of the samples, in seconds.
    values : numpy.ndarray of float64, shape (n,)
        The samples, none missing.

    Notes
    -----
    Usual is the median of the values at that time on the up to seven days before, two at
    least. A day counts as a season when it explains most of how values move within five
    hours, at 400 moments of the whole series; else nothing is taken off. Cost O(log n) a
    sample asked for.

    Examples
    --------
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=2_000))
    >>> Usual(np.arange(2_000) * 600.0, walk).is_daily
    False
    """

    def __init__(self, seconds: Floats, values: Floats) -> None:
        self._seconds = seconds
        self._values = values

    @cached_property
    def is_daily(self) -> bool:
        """Whether the values have a season of a day."""
        seconds = self._seconds
        first = (
            int(np.searchsorted(seconds, seconds[0] + LEAST_DAYS * DAY + LATER))
            if len(seconds)
            else 0
        )
        if len(seconds) - first < 2:
            return False
        moments = seconds[np.linspace(first, len(seconds) - 1, LOOKS).astype(int)]
        moved = np.interp(moments, seconds, self._values) - np.interp(
            moments - LATER, seconds, self._values
        )
        left = moved - (self._at(moments) - self._at(moments - LATER))
        few_or_most = [0.5, 0.65, 0.8]  # a season may rest for hours, a recording hold odd days
        return bool(
            np.any(
                np.quantile(np.abs(left), few_or_most)
                < EXPLAINED * np.quantile(np.abs(moved), few_or_most)
            )
        )

    @cached_property
    def quarter(self) -> int:
        """Samples in a quarter of a day, by the middle interval; 0 without a season."""
        if not self.is_daily:
            return 0
        return int(0.25 * DAY / max(float(np.median(np.diff(self._seconds))), 1e-9))

    def between(self, first: int, last: int, start: int, *, before: float = 0.0) -> Floats | None:
        """Give what is usual at the times of some rows, None where nothing is known.

        Parameters
        ----------
        first, last : int
            Rows, half-open.
        start : int
            Row from which on nothing counts as usual yet.
        before : float
            Seconds before those times.

        Returns
        -------
        numpy.ndarray of float64 or None
        """
        earliest = self._seconds[first] - before
        if not self.is_daily or earliest < self._seconds[0] + LEAST_DAYS * DAY:
            return None
        moments = self._seconds[first:last] - before
        since = np.maximum(moments - self._seconds[start], 0.0) // DAY
        usual = self._at(moments, since)
        width = 2 * (self.quarter // SMOOTH) + 1
        if width == 1 or len(usual) <= width:
            return usual
        wide = np.pad(usual, width // 2, mode="edge")
        return np.convolve(wide, np.full(width, 1.0 / width), mode="valid")

    def rest(self, first: int, last: int, start: int) -> Floats:
        """Give values less what is usual, as far as it is known for all of the rows.

        Parameters
        ----------
        first, last : int
            Rows, half-open.
        start : int
            Row from which on nothing counts as usual yet.

        Returns
        -------
        numpy.ndarray of float64
        """
        usual = self.between(first, last, start)
        values = self._values[first:last]
        return values if usual is None else values - usual

    def _at(self, moments: Floats, since: Floats | float = 0.0) -> Floats:
        """Give the median of the values on the days before, some days left out."""
        earliest = moments - since * DAY
        days = min(DAYS, int((earliest.min() - self._seconds[0]) // DAY))
        found = [
            np.interp(earliest - day * DAY, self._seconds, self._values)
            for day in range(1, days + 1)
        ]
        middle: Floats = np.median(found, axis=0)
        return middle
