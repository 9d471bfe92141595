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

from monitorlab.kernels import ranks
from monitorlab.kernels.anomaly_auto import (
    CALIBRATORS,
    DAY_ALONE,
    EWMAS,
    FARTHEST,
    NEXT,
    RESOLUTION,
    N,
    statistics,
)
from monitorlab.kernels.anomaly_calibration import CALIBRATOR_SIZE, CLOSED, LOWEST, learn
from monitorlab.kernels.anomaly_decision import (
    CALM,
    COUNT,
    SETTLE_FUSION,
    SINCE,
    SPELL,
    SPOKEN,
    SPREAD,
    STRANGE,
    THRESHOLD,
    chance_of,
    count_equals,
    settle,
    usual_odds,
    weigh_past,
)
from monitorlab.kernels.anomaly_memory import FEWEST
from monitorlab.kernels.anomaly_nature import DISTANCES, lift
from monitorlab.kernels.anomaly_parts import EWMA_SIZE, HUGE, ewma_error
from monitorlab.kernels.compiled import njit

__all__ = [
    "chances",
    "decide",
    "expect",
    "fuse",
    "lifts",
    "novelty",
    "others",
    "summaries",
]

TILE = 256  # samples summarised together
LONGEST = 36  # samples in a summary
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
def lifts(x: np.ndarray, for_walk: float, for_noise: float, found: np.ndarray) -> None:
    """Write at each sample how much rarer it must be for what the stream is by nature."""
    usual = np.zeros(DISTANCES)
    found[:FARTHEST] = 0.0
    for i in range(FARTHEST, len(x)):
        now = x[i]
        apart = abs(now - x[i - 1]), abs(now - x[i - NEXT]), abs(now - x[i - FARTHEST])
        found[i] = lift(usual, i - FARTHEST, apart, for_walk, for_noise)


@njit(cache=True, nogil=True)
def fuse(odds: np.ndarray, days: tuple[int, int], begin: int, end: int, found: np.ndarray) -> None:
    """Write the mean of the log odds of those statistics that have something to say.

    Rows ``days`` are those by the time of the day; there are none where they do not count alone.
    """
    total = np.empty(TILE)
    used = np.empty(TILE)
    for first in range(begin, end, TILE):
        m = min(TILE, end - first)
        _mean(odds[:, first : first + m], total, used)
        for j in range(m):
            found[first + j] = total[j] / used[j] if used[j] > 0.0 else LOWEST
        if days[0] == days[1]:
            continue
        _mean(odds[days[0] : days[1], first : first + m], total, used)
        for j in range(m):
            if used[j] > 0.0:
                found[first + j] = max(found[first + j], total[j] / used[j] - DAY_ALONE)


@njit(cache=True, nogil=True)
def _mean(odds: np.ndarray, total: np.ndarray, used: np.ndarray) -> None:
    """Add up what is there of each sample, and count it."""
    total[:] = 0.0
    used[:] = 0.0
    for k in range(len(odds)):
        row = odds[k]
        for j in range(len(row)):
            there = not math.isnan(row[j])
            total[j] += row[j] if there else 0.0
            used[j] += 1.0 if there else 0.0


@njit(cache=True, nogil=True)
def decide(
    s: np.ndarray, fused: np.ndarray, lifted: np.ndarray, weights: np.ndarray, out: np.ndarray
) -> None:
    """Decide sample by sample; write score and tail of those that may be, or prolong, an alarm.

    Nothing that follows depends on the score of another. What it is made of goes to
    ``weights``, for ``chances`` to work it out.
    """
    c = s[CALIBRATORS : CALIBRATORS + CALIBRATOR_SIZE]
    spread = s[SPREAD]
    harmless = SPELL * STRANGE * s[THRESHOLD] * (1.0 + 1e-9)
    usual = 0.0
    closed = -1.0
    calm = 0.0  # harmless samples outside of a spell that are not counted yet
    for i in range(len(fused)):
        x = fused[i]
        if c[CLOSED] != closed:
            closed = c[CLOSED]
            usual = usual_odds(s, c)
        lifted_usual = usual + lifted[i] * spread
        part, strict = weigh_past(s, c, x, lifted_usual, count_equals(c, x), float(i))
        weights[0, i] = part
        weights[1, i] = strict
        if part > harmless and s[SPOKEN] == 0.0:
            calm += 1.0
            if i >= SETTLE_FUSION:
                learn(c, x)
            continue
        for counter in (COUNT, SINCE, CALM):
            s[counter] += calm
        calm = 0.0
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
