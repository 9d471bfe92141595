"""The statistics of a whole series at once, channel by channel (numba).

What one step after the other finds, found in another order: the summaries of all samples,
then for each statistic its memory and its calibrator alone, small enough for the fastest
memory of the machine, then the fusion of each sample. Every number is made by the same
operations on the same operands as in a step, so that even ties fall alike.

Only finite samples in order of time come here.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from monitorlab.kernels import ranks
from monitorlab.kernels.anomaly_auto import (
    CALIBRATORS,
    EWMAS,
    FARTHEST,
    NEXT,
    RESOLUTION,
    N,
    statistics,
)
from monitorlab.kernels.anomaly_calibration import CALIBRATOR_SIZE, CLOSED, LOWEST
from monitorlab.kernels.anomaly_decision import (
    COUNT,
    SPELL,
    STRANGE,
    THRESHOLD,
    WALKS,
    chance_of,
    count_equals,
    settle,
    usual_odds,
    walking,
    weigh_past,
)
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
from monitorlab.kernels.anomaly_parts import EWMA_SIZE, HUGE, ewma_error
from monitorlab.kernels.bits import closest

__all__ = [
    "chances",
    "day_novelty",
    "decide",
    "expect",
    "fuse",
    "novelty",
    "others",
    "summaries",
    "walks",
]

TILE = 256  # samples summarised together
LONGEST = 36  # samples in a summary
DAY_BIN = 300.0
DAY_BINS = 288
NEAR_BINS = 6  # on each side of the present one may hold samples of half an hour around
SURE_BINS = 2 * NEAR_BINS - 1  # of those hold no other
ROW = 8  # six summaries, nothing, time of the day
DONE = -1.0  # in the place of a share: score and tail are there


@njit(cache=True)
def _add(total: np.ndarray, x: np.ndarray, m: int) -> None:
    """Add the four samples from each on, in order, to its total."""
    for i in range(m):
        total[i] = (((total[i] + x[i]) + x[i + 1]) + x[i + 2]) + x[i + 3]


@njit(cache=True)
def _add_squares(total: np.ndarray, x: np.ndarray, mean: np.ndarray, m: int) -> None:
    """Add the squared errors of the four samples from each on, in order, to its total."""
    for i in range(m):
        usual = mean[i]
        a, b = x[i] - usual, x[i + 1] - usual
        c, d = x[i + 2] - usual, x[i + 3] - usual
        total[i] = (((total[i] + a * a) + b * b) + c * c) + d * d


@njit(cache=True, nogil=True)
def summaries(x: np.ndarray, begin: int, end: int, found: np.ndarray, least: np.ndarray) -> None:
    """Write six summaries of samples ``begin`` to ``end``, a row each, and what is rounding."""
    past = np.empty(TILE + LONGEST)
    total = np.empty(TILE)
    for first in range(begin, end, TILE):
        m = min(TILE, end - first)
        known = min(first, LONGEST)
        past[: LONGEST - known] = x[0]
        past[LONGEST - known : LONGEST + m] = x[first - known : first + m]
        found[0, first : first + m] = x[first : first + m]
        for row, width in ((1, 4), (2, 12), (3, 36)):
            mean = found[row, first : first + m]
            total[:] = 0.0
            for j in range(LONGEST - width + 1, LONGEST + 1, 4):
                _add(total, past[j:], m)
            for i in range(m):
                mean[i] = max(min(total[i] / width, HUGE), -HUGE)
            if row == 1:
                continue
            spread = found[row + 2, first : first + m]
            total[:] = 0.0
            for j in range(LONGEST - width + 1, LONGEST + 1, 4):
                _add_squares(total, past[j:], mean, m)
            for i in range(m):
                spread[i] = min(math.sqrt(total[i] / width), HUGE)
        for i in range(first, first + m):
            least[i] = RESOLUTION * abs(x[i]) + RESOLUTION * abs(found[3, i])


@njit(cache=True, nogil=True)
def novelty(
    x: np.ndarray,
    least: np.ndarray,
    window: tuple[int, int, int],
    memory: tuple[int, int, int],
    keys: np.ndarray,
    raw: np.ndarray,
) -> bool:
    """Write the distance of ``x`` to the nearest number before.

    ``window`` is the first sample whose number is still held, the first and the end of those
    that are answered; ``memory`` its delay, stride and size; ``keys`` the sorted keys of the
    whole window. False when the keys are not good enough (see ``rank``).
    """
    start, begin, end = window
    delay, stride, size = memory
    rank = np.empty(end - start, np.int64)
    ordered = np.empty(end - start)
    if not ranks.rank(x[start:end], keys, rank, ordered):
        return False
    words = np.zeros(((end - start) >> 6) + 1, np.uint64)
    summary = np.zeros((len(words) >> 6) + 1, np.uint64)
    number = (begin - 1 - delay) // stride + 1 if begin > delay else 0
    for k in range(max(number - size, 0), number):
        ranks.add(words, summary, rank[k * stride - start])
    due = delay + number * stride
    for i in range(begin, end):
        if i == due:
            due += stride
            if number >= size:
                ranks.discard(words, summary, rank[(number - size) * stride - start])
            ranks.add(words, summary, rank[i - delay - start])
            number += 1
        if number < FEWEST:
            raw[i] = np.nan
            continue
        here = rank[i - start]
        high = ranks.next_above(words, summary, here)
        low = ranks.next_below(words, summary, here)
        over = ordered[high] - x[i] if high >= 0 else np.inf
        under = x[i] - ordered[low] if low >= 0 else np.inf
        d = min(over, under)
        raw[i] = 0.0 if d <= least[i] else d
    return True


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
        if number < FEWEST:  # five are enough to compare with, or some to both sides
            some, sides = _sides(rows, first[sure], ready[sure], SURE_BINS, clock)
            more, others = _sides(rows, begins, ends, runs, clock)
            if some + more < FEWEST and sides | others != BOTH:
                best[0] = FAR
        for k in range(SUMMARIES):
            raw[k, i] = np.nan if best[0] >= FAR else (0.0 if best[k] <= least[i] else best[k])
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


@njit(cache=True, nogil=True)
def others(s: np.ndarray, times: np.ndarray, x: np.ndarray, mask: int, raw: np.ndarray) -> None:
    """Write the raw statistics that need a step for each sample, those of ``mask``."""
    one = np.empty(N)
    for i in range(len(x)):
        s[COUNT] = i
        statistics(s, times[i], x[i], mask, one)
        row = 0
        for k in range(N):
            if mask & (1 << k):
                raw[row, i] = one[k]
                row += 1
    s[COUNT] = 0.0


@njit(cache=True, nogil=True)
def walks(x: np.ndarray, found: np.ndarray) -> None:
    """Write how like a walk the stream is at each sample."""
    travel = np.zeros(3)
    found[:FARTHEST] = 0.0
    for i in range(FARTHEST, len(x)):
        now = x[i]
        apart = abs(now - x[i - 1]), abs(now - x[i - NEXT]), abs(now - x[i - FARTHEST])
        found[i] = walking(travel, i - FARTHEST, apart[0], apart[1], apart[2])


@njit(cache=True, nogil=True)
def fuse(odds: np.ndarray, begin: int, end: int, found: np.ndarray) -> None:
    """Write the mean of the log odds of those statistics that have something to say."""
    total = np.empty(TILE)
    used = np.empty(TILE)
    for first in range(begin, end, TILE):
        m = min(TILE, end - first)
        total[:] = 0.0
        used[:] = 0.0
        for k in range(len(odds)):
            row = odds[k, first : first + m]
            for j in range(m):
                there = not math.isnan(row[j])
                total[j] += row[j] if there else 0.0
                used[j] += 1.0 if there else 0.0
        for j in range(m):
            found[first + j] = total[j] / used[j] if used[j] > 0.0 else LOWEST


@njit(cache=True, nogil=True)
def decide(
    s: np.ndarray, fused: np.ndarray, likeness: np.ndarray, weights: np.ndarray, out: np.ndarray
) -> None:
    """Decide sample by sample; write score and tail of those that may be, or prolong, an alarm.

    Nothing that follows depends on the score of another. What it is made of goes to
    ``weights``, for ``chances`` to work it out.
    """
    c = s[CALIBRATORS : CALIBRATORS + CALIBRATOR_SIZE]
    harmless = SPELL * STRANGE * s[THRESHOLD] * (1.0 + 1e-9)
    usual = 0.0
    closed = -1.0
    for i in range(len(fused)):
        s[WALKS] = likeness[i]
        x = fused[i]
        if c[CLOSED] != closed:
            closed = c[CLOSED]
            usual = usual_odds(s, c)
        part, strict = weigh_past(s, c, x, usual, count_equals(c, x))
        weights[0, i] = part
        weights[1, i] = strict
        if part > harmless:
            settle(s, c, x, 1.0)
            continue
        chance = chance_of(part, strict)
        out[0, i] = settle(s, c, x, chance)
        out[1, i] = 1.0 - chance
        weights[0, i] = DONE


@njit(cache=True, nogil=True)
def chances(weights: np.ndarray, begin: int, end: int, out: np.ndarray) -> None:
    """Write score and tail of those samples that ``decide`` left."""
    for i in range(begin, end):
        part = weights[0, i]
        if part != DONE:
            score = 1.0 - chance_of(part, weights[1, i])
            out[0, i] = score
            out[1, i] = score


@njit(cache=True, nogil=True)
def expect(s: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Write what was expected before each sample was seen, and how far from it samples are."""
    band = s[EWMAS + 8 * EWMA_SIZE : EWMAS + 9 * EWMA_SIZE]
    for i in range(len(x)):
        out[2, i] = band[0] if i > 0 else x[0]
        out[3, i] = band[1]
        ewma_error(band, x[i], 0.1, 0.01, 0.0)
