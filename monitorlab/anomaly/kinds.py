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

import numpy as np
import numpy.typing as npt

__all__ = ["AFTER", "KINDS", "Shape"]

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
AFTER = 24  # samples from the alarm on that say what it became
LEAST = 12  # fewer say nothing of a regime
WINDOW = 12  # samples that a local level, slope or roughness is taken from
LONGEST = 120  # samples that a step and a ramp are fitted to; of more, means are taken
ROUGHER = 2.0  # a roughness so many times the usual, and beyond any before, is a change
LONGER = 2.0  # a run of equal values so many times the longest before is a flat line
_KIND_OF = {
    "variance": "variance change",
    "trend": "trend change",
    "stuck": "flat-line",
    "missing": "gap",
    "level_short": "level shift",
    "level_long": "level shift",
}


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

    Notes
    -----
    The up to 24 samples from the alarm on are compared with the up to 600 before the start:
    a level, a slope, or a roughness counts as changed when it stays beyond what windows of
    the past ever showed, and a flat line when equal values go on for twice as long as ever.
    What returns is a spike or a dip. Only what is neither is named after the statistic that
    spoke first. Cost O(samples compared).

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
        lasting = self.lasting()
        if lasting:
            return lasting
        side = self.side()
        if side:
            return "spike" if side > 0 else "dip"
        if first == "weekly" or first.startswith("day_"):
            return "seasonal break"
        if first in ("jump", "ewma_fast", "ewma_slow", "robust_z", "record"):
            past = self._past()
            high = len(past) > 0 and self.values[self.alarm] >= np.median(past)
            return "spike" if high else "dip"
        if first.endswith("roughness_novelty"):
            return "variance change"
        return _KIND_OF.get(first, "unusual pattern")

    def lasting(self) -> str:
        """Name the change that lasts, as far as the samples show one; ``""`` for none."""
        if self._is_flat():
            return "flat-line"
        first = max(0, self.start - PAST)
        piece = self.values[first : self.alarm + AFTER]
        scale = float(np.abs(piece).max())
        piece = piece / scale if scale > 0.0 else piece  # whatever the unit, squares are finite
        past, onset = piece[: self.start - first], piece[self.start - first : self.alarm - first]
        after = piece[self.alarm - first :]
        if len(past) < 2 * WINDOW or len(after) < LEAST:
            return ""
        return _change(past, onset, after)

    def prolonged(self, end: int) -> str:
        """Name what an event that went on to ``end`` became, ``""`` where nothing lasts.

        Parameters
        ----------
        end : int
            Row after its last sample.

        Returns
        -------
        str
            ``"level shift"``, ``"trend change"``, ``"variance change"`` or ``""``.
        """
        past, whole = self._past(), self.values[self.start : end]
        if len(past) < 2 * WINDOW or len(whole) < AFTER:
            return ""
        scale = float(max(np.abs(past).max(), np.abs(whole).max())) or 1.0
        return _change(past / scale, whole[:-AFTER] / scale, whole[-AFTER:] / scale)

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

    def _past(self) -> Floats:
        return self.values[max(0, self.start - PAST) : self.start]

    def _is_flat(self) -> bool:
        values, alarm = self.values, self.alarm
        first = alarm
        while first > max(0, alarm - PAST) and values[first - 1] == values[alarm]:
            first -= 1
        last = alarm
        while last + 1 < len(values) and values[last + 1] == values[alarm]:
            last += 1
        past = values[max(0, first - PAST) : first]
        length = last + 1 - first
        if len(past) < LEAST or length < LEAST // 2:
            return False
        breaks = np.flatnonzero(np.diff(past) != 0.0)
        runs = np.diff(np.r_[-1, breaks, len(past) - 1])
        return bool(length >= LONGER * runs.max())


def _change(past: Floats, onset: Floats, after: Floats) -> str:
    before = past[-WINDOW:]
    moved = abs(float(np.median(after[-WINDOW:]) - np.median(before)))
    if moved > _usual_move(past, len(after)) and _stays(before, after):
        return _step_or_ramp(np.r_[before, onset, after])
    usual = _roughness(past)
    rough = float(np.median(np.abs(np.diff(after))))
    moving = usual[usual > 0.0]
    if len(moving) < WINDOW:
        return ""
    middle = float(np.median(moving))
    rougher = rough > max(ROUGHER * middle, float(np.quantile(usual, 0.99)))
    calmer = rough < min(middle / ROUGHER, float(np.quantile(usual, 0.01)))
    return "variance change" if rougher or calmer else ""


def _stays(before: Floats, after: Floats) -> bool:
    """Tell whether the later samples lie on the far side of the middle of the move."""
    level = float(np.median(before))
    half = 0.5 * (float(np.median(after[-WINDOW:])) - level)
    far = (after[-WINDOW:] - level - half) * np.sign(half) > 0.0
    return bool(far.mean() >= 0.8)


def _step_or_ramp(piece: Floats) -> str:
    """Fit a step and a ramp to the samples round a change, and take the better."""
    size = -(-len(piece) // LONGEST)
    piece = piece[: len(piece) // size * size].reshape(-1, size).mean(axis=1)
    x = np.arange(len(piece), dtype=np.float64)
    step = ramp = np.inf
    for cut in range(WINDOW // 2, len(piece) - WINDOW // 2):
        left, right = piece[:cut], piece[cut:]
        apart = float(((left - left.mean()) ** 2).sum() + ((right - right.mean()) ** 2).sum())
        rise = np.maximum(0.0, x - cut)
        rise -= rise.mean()
        rest = piece - float(np.dot(rise, piece) / np.dot(rise, rise)) * rise
        step, ramp = min(step, apart), min(ramp, float(((rest - rest.mean()) ** 2).sum()))
    return "level shift" if step <= ramp else "trend change"


def _usual_move(past: Floats, apart: int) -> float:
    """Give the greatest change of the local level over such a distance in the past."""
    windows = np.lib.stride_tricks.sliding_window_view(past, WINDOW)
    level = np.median(windows, axis=1)
    if len(level) <= apart:
        return 3.0 * float(np.ptp(level))
    return 1.2 * float(np.abs(level[apart:] - level[:-apart]).max())


def _roughness(past: Floats) -> Floats:
    steps = np.abs(np.diff(past))
    windows = np.lib.stride_tricks.sliding_window_view(steps, WINDOW)
    rough: Floats = np.median(windows, axis=1)
    return rough
