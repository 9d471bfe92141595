"""Sudden lasting shifts of the level: found, and taken out of the history for fitting.

>>> import numpy as np
>>> load = np.r_[np.tile([1.0, 2.0, 3.0, 2.0], 20), np.tile([41.0, 42.0, 43.0, 42.0], 5)]
>>> found = shifts(load, (4,))
>>> [(shift.at, shift.size) for shift in found]
[(80, 40.0)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Shift", "lifted", "shifts"]

_JUMP = 12.0  # robust deviations of the steps that a jump must have
_STANDS_OUT = 2.0  # times the largest step that is no jump
_MOST = 2  # jumps; a series with more of them jumps by nature
_TOGETHER = 3  # steps apart that are still one jump
_LEAST_AFTER = 8
_LOOK = 48  # samples on each side that must show the shift
_CYCLES = 3
_CLEAR = 5.0  # a shift is so many deviations of the samples about it
_LEAST = 24


@dataclass(frozen=True, slots=True)
class Shift:
    """A lasting shift.

    Parameters
    ----------
    at : int
        First sample of the new level.
    size : float
        New level minus old level.
    """

    at: int
    size: float


def shifts(values: np.ndarray, seasons: Sequence[int]) -> list[Shift]:
    """Find the one or two sudden shifts of a series that hardly ever jumps.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Without NaN.
    seasons : sequence of int
        Seasons in samples; what a season does is no shift.

    Returns
    -------
    list of Shift
        In the order of time; empty where there are more than two jumps, or none.

    Notes
    -----
    A jump is a step between neighbours, less the median step at this phase of the season, of
    twelve robust deviations that is also twice as large as any that is none. It is a shift if
    the samples after it, each less the median of up to three cycles before at its phase, differ
    by the same amount, and those before it do not. A spike returns and is none; eight samples
    must have followed. O(n).

    Examples
    --------
    >>> spike = np.where(np.arange(60) == 40, 50.0, np.arange(60) % 3)
    >>> shifts(spike, ())
    []
    """
    size = len(values)
    if size < _LEAST:
        return []
    usable = [s for s in seasons if 2 <= s <= size // 3]
    step = np.diff(values)
    if usable:
        step = step - _by_phase(step, min(usable))
    away = np.abs(step)
    spread = 1.4826 * float(np.median(away)) or 1.2533 * float(away.mean())
    if spread == 0.0:
        return []
    jumps = np.flatnonzero(away > _JUMP * spread)
    if not len(jumps):
        return []
    rest = np.delete(away, jumps)
    if len(rest) and float(away[jumps].min()) < _STANDS_OUT * float(rest.max()):
        return []
    events = np.split(jumps, np.flatnonzero(np.diff(jumps) > _TOGETHER) + 1)
    if len(events) > _MOST:
        return []
    found: list[Shift] = []
    edges = [0, *(int(event[-1]) + 1 for event in events), size]
    level = values.astype(float)
    for event, until in zip(events, edges[2:], strict=True):
        first, at = int(event[0]) + 1, int(event[-1]) + 1
        shift = _shift(level, first, at, until, usable)
        if shift is None:
            return []
        found.append(Shift(first, shift))
        level = level.copy()
        level[:first] += shift
    return found


def lifted(values: np.ndarray, found: Sequence[Shift]) -> np.ndarray:
    """Set what came before each shift on the level of what came after.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        The series.
    found : sequence of Shift
        Its shifts.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> lifted(np.array([1.0, 2.0, 11.0]), [Shift(2, 9.0)]).tolist()
    [10.0, 11.0, 11.0]
    """
    out = values.astype(float)
    for shift in found:
        out[: shift.at] += shift.size
    return out


def _by_phase(step: np.ndarray, season: int) -> np.ndarray:
    """Give the median step at the phase of each."""
    cycles = -(-len(step) // season)
    padded = np.full(cycles * season, np.nan)
    padded[: len(step)] = step
    usual = np.nanmedian(padded.reshape(cycles, season), axis=0)
    return np.tile(usual, cycles)[: len(step)]


def _shift(
    level: np.ndarray, first: int, at: int, until: int, seasons: Sequence[int]
) -> float | None:
    """Give by how much the level differs after a jump; None where that is not lasting."""
    last = min(until, at + _LOOK)
    season = max((s for s in seasons if s <= first), default=0)
    if last - at < _LEAST_AFTER or first < _LEAST_AFTER:
        return None
    after = _against(level, np.arange(at, last), first, season)
    size = float(np.median(after))
    noise = 1.4826 * float(np.median(np.abs(after - size)))
    jump = float(level[at] - level[first - 1])
    if size * jump <= 0.0 or abs(size) < _CLEAR * noise:
        return None
    earlier = np.arange(max(0, first - _LOOK), first)
    if first >= len(earlier) + max(season, _LOOK):
        before = _against(level, earlier, int(earlier[0]), season)
        if abs(float(np.median(before))) > abs(size) / 3.0:
            return None
    return size


def _against(level: np.ndarray, where: np.ndarray, first: int, season: int) -> np.ndarray:
    """Give samples less what was usual, at their phase, before ``first``."""
    if season == 0:
        return np.asarray(level[where] - np.median(level[max(0, first - _LOOK) : first]))
    back = where - season * -(-(where - first + 1) // season)
    cycles = back[None, :] - season * np.arange(_CYCLES)[:, None]
    known = np.where(cycles >= 0, level[np.maximum(cycles, 0)], np.nan)
    return np.asarray(level[where] - np.nanmedian(known, axis=0))
