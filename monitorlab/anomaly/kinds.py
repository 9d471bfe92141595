"""What kind of thing an event is: its samples beside the series' own past.

>>> import numpy as np
>>> values = np.r_[np.arange(60) % 7.0, 40.0, np.arange(30) % 7.0]
>>> shape = Shape(values, start=60, alarm=60, lower=np.full(91, -1.0), upper=np.full(91, 8.0))
>>> shape.kind({"jump": 9.0})
'spike'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from monitorlab.anomaly.changes import (
    LEAST,
    WINDOW,
    Season,
    equal_run,
    moves,
    name_of_change,
    texture,
    usual_move,
)
from monitorlab.anomaly.usual import Usual

__all__ = ["AFTER", "KINDS", "QUIET", "Home", "Shape"]

Floats = npt.NDArray[np.float64]

KINDS = (
    "spike",
    "dip",
    "level shift",
    "trend change",
    "variance change",
    "seasonal break",
    "flat-line",
    "gap",
    "unusual pattern",
)
PAST = 600  # samples before the event that it is compared with
CAP = 600  # samples after the start within which values that come back end an event
AFTER = 24  # samples from the alarm on that say what it became
LATER, LATEST = 120, 360  # and so many where a slow change does not show in those
NEAR = 120  # samples before an event whose spread says what is near to the level before it
HALF = 3.0  # deviations that are still near
BACK = 0.25  # so near, in parts of the way that values went, is back as well
LAGS = (0.0, 10_800.0, 21_600.0)  # seconds: a season that is moved is a sum of these
LONGER = 2.0  # a run of equal values so many times the longest before is a flat line
QUIET = 3  # usual samples in a row that end an event
HORIZON = 60  # samples after an alarm that a change is fitted to; of a day a quarter
MOSTLY = 0.75  # of the samples of an event are away, and of those after it are not
STEEPER = 1.25  # a step so many times the greatest usual ones is none of a season
_KIND_OF = {
    "variance": "variance change",
    "trend": "trend change",
    "stuck": "flat-line",
    "missing": "gap",
    "level_short": "level shift",
    "level_long": "level shift",
}


@dataclass(frozen=True)
class Home:
    """Where values were before an event, after what is usual at their time is taken off.

    Examples
    --------
    >>> Home(level=10.0, half=2.0).away(np.array([9.0, 12.0, 16.0])).tolist()
    [-0.5, 0.0, 2.0]
    """

    level: float
    half: float

    def away(self, rest: Floats) -> Floats:
        """Give how far values are from it, in half widths of what is near; 0 and less is near."""
        with np.errstate(over="ignore"):
            away: Floats = (np.abs(rest - self.level) - self.half) / max(self.half, 1e-300)
        return away


@dataclass(frozen=True)
class Shape:
    """The samples of an event and round it.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n,)
        The whole series without missing samples.
    start, alarm : int
        First strange sample, and the one that alarmed.
    lower, upper : numpy.ndarray of float64, shape (n,)
        The band that was expected, NaN where none was.
    usual : Usual, optional
        What is usual at a time of the day; without it nothing is.
    known : Home, optional
        Where values were before, when the samples before the start do not say it.

    Notes
    -----
    What is usual at the time of the day is taken off where there is such a season. The up to
    24 samples from the alarm on (60 for a slow change, 360 where there is a season) are
    compared with the up to 600 before the start: a level or a roughness counts as changed when
    it stays beyond what windows of the past ever showed, and a flat line when equal values go
    on for twice as long as ever. Where the values went away from where they were before the
    event (three deviations of the 120 samples before, or a quarter of the way that they went)
    and came back within 600 samples, that is the event: up to 12 samples are a spike or a dip,
    or a seasonal break where the values as they are lie and step as they always do. Without a
    season they must come back by a greater step of the level than the past showed, so that a
    wandering or an unknown season is no return. Of a step, a ramp and a season that is not the
    usual one, the best fit (by the Bayesian information criterion) names a change. Only what
    is none of these is named after the statistic that spoke first. Cost O(samples compared).

    References
    ----------
    Schwarz (1978), "Estimating the Dimension of a Model".

    Examples
    --------
    >>> flat = np.r_[np.arange(90) % 7.0, np.full(30, 3.0)]
    >>> nothing = np.full(120, np.nan)
    >>> Shape(flat, 96, 96, nothing, nothing).kind({})
    'flat-line'
    """

    values: Floats
    start: int
    alarm: int
    lower: Floats
    upper: Floats
    usual: Usual | None = None
    known: Home | None = None

    def kind(self, spoke: Mapping[str, float]) -> str:
        """Name the kind.

        Parameters
        ----------
        spoke : mapping of str to float
            The statistics that spoke, the loudest first.

        Returns
        -------
        str
            One of ``KINDS``.
        """
        first = next(iter(spoke), "")
        if first == "missing":
            return "gap"
        if self.lasting:
            return self.lasting
        side = self._way or self.side()
        if side:
            return "spike" if side > 0 else "dip"
        if first == "weekly" or first.startswith("day_"):
            return "seasonal break"
        if first in ("jump", "ewma_fast", "ewma_slow", "robust_z", "record"):
            past = self._past
            high = len(past) > 0 and self.values[self.alarm] >= np.median(past)
            return "spike" if high else "dip"
        if first.endswith("roughness_novelty"):
            return "variance change"
        return _KIND_OF.get(first, "unusual pattern")

    @cached_property
    def lasting(self) -> str:
        """Name of the change that lasts, as far as the samples show one; ``""`` for none."""
        if self._is_flat():
            return "flat-line"
        past, event = self._past, self._rest[len(self._past) :]
        if len(past) < 2 * WINDOW:
            return ""
        after = event[self.alarm - self.start :]
        if self.end is not None:
            return self._passing(self.end)
        for count in (AFTER, HORIZON, LATER, LATEST)[: 4 if self._is_daily else 2]:
            if len(after) >= LEAST and moves(past, after[:count]):
                return self._for_good()
        return self._rough

    def prolonged(self, end: int) -> str:
        """Name what an event that went on to ``end`` became, ``""`` where nothing lasts.

        Parameters
        ----------
        end : int
            Row after its last sample.

        Returns
        -------
        str
            ``"level shift"``, ``"trend change"``, ``"variance change"``, ``"seasonal break"``
            or ``""``.
        """
        past = self._past
        whole = self._rest[len(past) : len(past) + end - self.start]
        if len(past) < 2 * WINDOW or len(whole) < AFTER:
            return ""
        if moves(past, whole[-AFTER:]):
            return self._fit(end)
        return texture(self._raw_past, self.values[end - AFTER : end])

    def side(self) -> int:
        """Tell on which side of the band the event is: 1 above, -1 below, 0 inside."""
        rows = slice(max(self.start, self.alarm - 2), self.alarm + 1)
        above = self.values[rows] - self.upper[rows]
        below = self.lower[rows] - self.values[rows]
        if not np.isfinite(above).any():
            return 0
        high, low = float(np.nanmax(above)), float(np.nanmax(below))
        if max(high, low) <= 0.0:
            return 0
        return 1 if high >= low else -1

    @cached_property
    def home(self) -> Home | None:
        """Where values were before the event; None when too few samples say it."""
        past = self._past
        if self.known is None and len(past) < WINDOW:
            return None
        home = self.known
        if home is None:
            near = past[-NEAR:]
            spread = 1.4826 * float(np.median(np.abs(near - np.median(near))))
            home = Home(float(np.median(past[-WINDOW:])), HALF * spread)
        onset = self._rest[len(past) : len(past) + self.alarm + 1 - self.start]
        gone = float(np.abs(onset - home.level).max())
        return Home(home.level, max(home.half, BACK * gone))

    @cached_property
    def end(self) -> int | None:
        """Row from which on the values are back where they were; None when it is not seen."""
        if self.home is None:
            return None
        past, event = self._past, self._rest[len(self._past) :]
        away = self.home.away(event) > 0.0
        alarm = self.alarm - self.start
        after = event[alarm : alarm + AFTER]
        moved = len(past) >= 2 * WINDOW and len(after) >= LEAST and moves(past, after)
        first = max(0, alarm + 1 - WINDOW)
        gone = first + np.flatnonzero(away[first : alarm + 1 + AFTER * moved])
        if not len(gone):
            return None
        last = int(gone[gone <= alarm][-1] if gone[0] <= alarm else gone[0])
        back = _quiet(away, last + 1)
        if moved and back is not None and back < alarm + LEAST:
            back = _quiet(away, alarm + AFTER)  # it was near for a moment, but went away
        if back is None or away[last:back].mean() < MOSTLY:
            return None
        sides = np.sign(event[last:back] - self.home.level)
        if abs(sides.mean()) < 2.0 * MOSTLY - 1.0 and self._rough:
            return None  # to and fro
        if back > LEAST and not self._is_daily and not self._turns(self.start + back):
            return None
        return max(self.start + back, self.alarm + 1)

    @property
    def passes(self) -> bool:
        """Whether it lasts for more than twelve samples and is seen to be over."""
        return self.end is not None and self.end > max(self.start + LEAST, self.alarm + 1)

    def _turns(self, row: int) -> bool:
        """Tell whether the level at a row steps as it never did before the event."""
        past, at = self._past, row - self._first
        there, here = self._rest[at - WINDOW : at], self._rest[at : at + WINDOW]
        if len(past) < 2 * WINDOW or not len(here):
            return False
        return abs(float(np.median(here) - np.median(there))) > usual_move(past, WINDOW)

    @property
    def _way(self) -> int:
        """Tell where the values went that came back: 1 up, -1 down."""
        if self.home is None or self.end is None:
            return 0
        event = self._rest[len(self._past) :][: self.alarm + 1 - self.start][-WINDOW:]
        far = event - self.home.level
        return int(np.sign(far[np.argmax(np.abs(far))]))

    @property
    def _first(self) -> int:
        return max(0, self.start - PAST)

    @cached_property
    def _rest(self) -> Floats:
        """The past, and the event with what may belong to it, less what is usual."""
        last = min(len(self.values), self.alarm + CAP + WINDOW)
        if self.usual is None:
            return self.values[self._first : last]
        return self.usual.rest(self._first, last, self.start)

    @property
    def _past(self) -> Floats:
        return self._rest[: self.start - self._first]

    @property
    def _raw_past(self) -> Floats:
        return self.values[self._first : self.start]

    @cached_property
    def _is_daily(self) -> bool:
        usual = self.usual
        return (
            usual is not None
            and usual.between(self._first, self._first + 1, self.start) is not None
        )

    @property
    def _horizon(self) -> int:
        if self.usual is None or not self._is_daily:
            return HORIZON
        return max(AFTER, min(CAP, 2 * self.usual.quarter))

    @cached_property
    def _rough(self) -> str:
        return texture(self._raw_past, self.values[self.alarm : self.alarm + AFTER])

    def _for_good(self) -> str:
        """Name what does not come back; a slope may end before it shows what a season does."""
        if self._horizon > LATER and self._fit(self.alarm + LATER) == "trend change":
            return "trend change"
        return self._fit(self.alarm + self._horizon)

    def _passing(self, end: int) -> str:
        """Name what came back; what comes back by and by may be a season that goes on."""
        if self.passes:
            return self._fit(end if self._turns(end) else max(end, self.alarm + self._horizon))
        if self._rough:
            return self._rough
        return "seasonal break" if self._is_daily and self._looks_usual(end) else ""

    def _looks_usual(self, end: int) -> bool:
        """Tell whether values as they are lie and step as usual, if not at this time."""
        past, event = self._raw_past, self.values[self.start : end]
        low, high = np.quantile(past, [0.01, 0.99])
        steps = np.abs(np.diff(self.values[self.start - 1 : end]))
        usual = STEEPER * np.quantile(np.abs(np.diff(past)), 0.99)
        return bool((event >= low).all() and (event <= high).all() and (steps <= usual).all())

    def _fit(self, end: int) -> str:
        first = max(self._first, self.start - 3 * WINDOW)
        rows = (first, min(end, self._first + len(self._rest)))
        rest = self._rest[first - self._first : rows[1] - self._first]
        return name_of_change(rest, self.start - first, self._season(*rows))

    def _season(self, first: int, last: int) -> Season | None:
        """Give what is usual from a row on, if the level is one that the season knows."""
        if self.usual is None or not self._is_daily:
            return None
        lags = [self.usual.between(first, last, self.start, before=lag) for lag in LAGS]
        known = [usual for usual in lags if usual is not None]
        if len(known) < len(LAGS):
            return None
        past, event = self._raw_past, self.values[self.start : last]
        low, high = np.quantile(np.r_[past, *known], [0.01, 0.99])
        margin = BACK * (high - low)
        if not low - margin <= np.median(event) <= high + margin:
            return None
        step, odd = (
            float(np.median(later[:WINDOW]) - np.median(before[-WINDOW:]))
            for before, later in ((past, event), (self._past, self._rest[len(past) :]))
        )
        own = moves(past, event[-AFTER:])
        return Season(self.values[first:last], np.array(known), own, abs(step) < BACK * abs(odd))

    def _is_flat(self) -> bool:
        first, last = equal_run(self.values, self.alarm)
        past = self.values[max(0, first - PAST) : first]
        length = last - first
        if len(past) < LEAST or length < LEAST // 2:
            return False
        breaks = np.flatnonzero(np.diff(past) != 0.0)
        runs = np.diff(np.r_[-1, breaks, len(past) - 1])
        return bool(length >= LONGER * runs.max())


def _quiet(member: npt.NDArray[np.bool_], row: int) -> int | None:
    """Give the first row from one on that three usual ones follow, and mostly usual ones."""
    sums = np.r_[0, np.cumsum(member)]
    rows = np.arange(row, len(member) - QUIET + 1)
    later = np.minimum(rows + WINDOW, len(member))
    few = (sums[later] - sums[rows]) <= (1.0 - MOSTLY) * (later - rows)
    found = np.flatnonzero((sums[rows + QUIET] == sums[rows]) & few)
    return row + int(found[0]) if len(found) else None
