"""How far a whole series is from what was seen at this time of other days (numba).

The same distances as ``day_distances`` finds step by step, by the same operations.
"""

from __future__ import annotations

import numpy as np

from monitorlab.kernels.anomaly_memory import (
    BOTH,
    DAY,
    DAY_KEPT,
    DAY_SLOT,
    DAY_SLOTS,
    DAY_STEP,
    FAR,
    FEWEST,
    OTHER_DAY,
    SUMMARIES,
    side_of,
)
from monitorlab.kernels.bits import closest
from monitorlab.kernels.compiled import njit

__all__ = ["day_novelty"]

DAY_BIN = 300.0
DAY_BINS = 288
NEAR_BINS = 6  # on each side of the present one may hold samples of half an hour around
SURE_BINS = 2 * NEAR_BINS - 1  # of those hold no other
ROW = 8  # six summaries, nothing, time of the day


@njit(cache=True, nogil=True)
def _remembered(times: np.ndarray, clocks: np.ndarray, bins: np.ndarray, sizes: np.ndarray) -> int:
    """Write the time of the day of each sample, and its five minutes, -1 if it is not kept."""
    last = np.full(DAY_SLOTS, -np.inf)
    kept = 0
    for i in range(len(times)):
        clock = times[i] - DAY * np.floor(times[i] / DAY)  # exact, and faster than a remainder
        if clock < 0.0:  # the quotient was rounded up to a whole day
            clock += DAY
        clocks[i] = clock
        slot = min(max(int(clock / DAY_SLOT), 0), DAY_SLOTS - 1)
        bins[i] = -1
        if times[i] - last[slot] >= DAY_STEP:
            last[slot] = times[i]
            bins[i] = min(max(int(clock / DAY_BIN), 0), DAY_BINS - 1)
            sizes[bins[i]] += 1
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _near(clock: float, other: float) -> bool:
    """Tell whether two times of the day are half an hour apart or less."""
    gap = abs(clock - other)
    return gap <= DAY_SLOT or gap >= DAY - DAY_SLOT


@njit(cache=True, nogil=True)
def _sides(
    rows: np.ndarray, begins: np.ndarray, ends: np.ndarray, runs: int, clock: float
) -> tuple[int, int]:
    """Count the samples of some runs, and tell to which sides of a time of the day they are."""
    number = sides = 0
    for r in range(runs):
        number += ends[r] - begins[r]
        for j in range(begins[r], ends[r]):
            sides |= side_of(rows[j, SUMMARIES + 1], clock)
    return number, sides


@njit(cache=True, nogil=True)
def _advance(places: np.ndarray, b: int) -> None:
    """Move a place by one; days have no end, so those near midnight are there twice."""
    at = b + NEAR_BINS
    places[at] += 1
    if b < NEAR_BINS:
        places[at + DAY_BINS] += 1
    elif b >= DAY_BINS - NEAR_BINS:
        places[at - DAY_BINS] += 1


@njit(cache=True, nogil=True)
def day_novelty(times: np.ndarray, found: np.ndarray, least: np.ndarray, raw: np.ndarray) -> None:
    """Write how far the summaries are from those of half an hour around on other days.

    All that is ever remembered is laid out by the five minutes of the day, in order of time, so
    that what is held and of another day is one run in each.
    """
    n = len(times)
    bins = np.empty(n, np.int64)
    sizes = np.zeros(DAY_BINS, np.int64)
    clocks = np.empty(n)
    kept = _remembered(times, clocks, bins, sizes)
    rows = np.zeros((kept, ROW))
    last = np.cumsum(sizes) - sizes  # of each five minutes: the end
    around = np.arange(-NEAR_BINS, DAY_BINS + NEAR_BINS) % DAY_BINS
    first = last[around]  # the oldest that is held
    ready = last[around]  # the first that is not yet of another day
    earliest = np.full(DAY_BINS, np.inf)  # time of the day in each five minutes, and latest
    latest = np.full(DAY_BINS, -np.inf)
    at = np.empty(kept, np.int64)  # samples in the order they were remembered
    numbers = np.zeros(DAY_SLOTS, np.int64)
    rings = np.empty((DAY_SLOTS, DAY_KEPT), np.int64)
    waiting = 0
    held = 0
    begins = np.empty(2 * (DAY_KEPT + NEAR_BINS), np.int64)
    ends = np.empty(len(begins), np.int64)
    x = np.zeros(ROW)
    best = np.empty(ROW)
    for i in range(n):
        t = times[i]
        clock = clocks[i]
        while waiting < held and t - times[at[waiting]] >= OTHER_DAY:
            _advance(ready, bins[at[waiting]])
            waiting += 1
        best[:] = FAR
        for k in range(SUMMARIES):
            x[k] = found[k, i]
        here = min(max(int(clock / DAY_BIN), 0), DAY_BINS - 1)
        sure = slice(here + 1, here + 1 + SURE_BINS)
        closest(rows, first[sure], ready[sure], SURE_BINS, x, best)
        number = 0
        for r in range(sure.start, sure.stop):
            number += ready[r] - first[r]
        runs = 0
        for edge in (here, here + 2 * NEAR_BINS):
            b = (edge - NEAR_BINS) % DAY_BINS
            near = _near(clock, earliest[b])
            if near == _near(clock, latest[b]):  # all that is between too
                if near:
                    begins[runs] = first[edge]
                    ends[runs] = ready[edge]
                    runs += 1
                continue
            for j in range(first[edge], ready[edge]):
                if _near(clock, rows[j, SUMMARIES + 1]):
                    if runs > 0 and ends[runs - 1] == j:
                        ends[runs - 1] = j + 1
                    else:
                        begins[runs] = j
                        ends[runs] = j + 1
                        runs += 1
        closest(rows, begins, ends, runs, x, best)
        known = number >= FEWEST  # five are enough to compare with, or some to both sides
        if not known:
            some, sides = _sides(rows, first[sure], ready[sure], SURE_BINS, clock)
            more, others = _sides(rows, begins, ends, runs, clock)
            known = some + more >= FEWEST or sides | others == BOTH
        for k in range(SUMMARIES):
            raw[k, i] = (0.0 if best[k] <= least[i] else best[k]) if known else np.nan
        b = bins[i]
        if b >= 0:
            slot = min(max(int(clock / DAY_SLOT), 0), DAY_SLOTS - 1)
            ring = rings[slot]
            place = numbers[slot] % DAY_KEPT
            if numbers[slot] >= DAY_KEPT:
                _advance(first, ring[place])
            ring[place] = b
            numbers[slot] += 1
            row = rows[last[b]]
            for k in range(SUMMARIES):
                row[k] = x[k]
            row[SUMMARIES + 1] = clock
            earliest[b] = min(earliest[b], clock)
            latest[b] = max(latest[b], clock)
            last[b] += 1
            at[held] = i
            held += 1
