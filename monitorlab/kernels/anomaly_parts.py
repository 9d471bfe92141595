"""Steps of the single statistics, one sample at a time, each on a slice of a flat state (numba).

A step scores the sample against what it has learned, then learns it, and gives a number that
is zero or more and grows with strangeness. All are plain functions of ``(state, sample)``.
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.anomaly_memory import DAY, RING
from monitorlab.kernels.compiled import njit

__all__ = [
    "EWMA_SIZE",
    "ROBUST_SIZE",
    "WEEK",
    "WEEK_SIZE",
    "WEEK_SLOTS",
    "ewma_error",
    "limited",
    "line_error",
    "log_of",
    "missing_time",
    "record_excess",
    "ring_mean",
    "ring_push",
    "ring_shift",
    "ring_spread",
    "robust_z",
    "season_error",
    "stuck_run",
]

EWMA_SIZE = 4
HUGE = 1e308  # what is greater is cut off
LIMIT = 4e307  # errors of what is smaller are finite
WEEK = 7.0 * DAY
WEEK_SLOTS = 336  # half an hour each
SEASON_HEAD = 8
WEEK_SIZE = SEASON_HEAD + 4 * WEEK_SLOTS
SEASON_RATE = 0.2  # weight of the newest period in the profile
VISITS = 3.0  # periods before a place is scored
SORTED = 32  # samples of the rolling median
ROBUST_SIZE = 2 + 2 * SORTED
CHANGES = 10.0  # a series must have changed so often before it can be stuck
SHORTEST_RUN = 5.0
GAP_RATIO = 2.5  # usual intervals
NEAR_SAMPLES = 10.0  # an error is not measured against a deviation of fewer samples


@njit(cache=True)
def log_of(value: float) -> float:
    """Natural logarithm, ``-inf`` at and below zero, NaN of NaN."""
    if math.isnan(value):
        return np.nan
    return math.log(min(value, HUGE)) if value > 0.0 else -np.inf


@njit(cache=True)
def limited(value: float) -> float:
    """Cut off what is so great that a difference could be infinite, and poison a mean."""
    return max(min(value, LIMIT), -LIMIT)


@njit(cache=True)
def ewma_error(s: np.ndarray, x: float, rate: float, spread_rate: float, floor: float) -> float:
    """Give the error of an exponentially weighted mean, in mean absolute errors."""
    x = limited(x)
    n = s[2]
    s[2] = n + 1.0
    if n == 0.0:
        s[0] = x
        return 0.0
    error = abs(x - s[0])
    scale = s[1] + floor
    z = error / scale if n >= NEAR_SAMPLES and scale > 0.0 else 0.0
    start = 1.0 / (n + 1.0)
    s[0] += max(rate, start) * (x - s[0])
    s[1] += max(spread_rate, start) * (error - s[1])
    return z


@njit(cache=True)
def line_error(s: np.ndarray, x: float, rate: float, spread_rate: float, floor: float) -> float:
    """Give the error of a moving line, in mean absolute errors.

    The mean lags behind what rises, and the mean of the mean twice as much: the line through
    both (Brown's) follows a slow season.
    """
    x = limited(x)
    n = s[3]
    s[3] = n + 1.0
    if n == 0.0:
        s[0] = s[1] = x
        return 0.0
    expected = s[0] + (s[0] - s[1]) / (1.0 - rate)
    error = abs(x - limited(expected))
    scale = s[2] + floor
    z = error / scale if n >= NEAR_SAMPLES and scale > 0.0 else 0.0
    start = 1.0 / (n + 1.0)
    s[0] += max(rate, start) * (x - s[0])
    s[1] += max(rate, start) * (s[0] - s[1])
    s[2] += max(spread_rate, start) * (error - s[2])
    return z


@njit(cache=True)
def ring_push(ring: np.ndarray, at: int, x: float) -> None:
    """Put ``x`` at place ``at`` of a ring that is written twice, so that its end is one run."""
    ring[at] = x
    ring[at + RING] = x


@njit(cache=True)
def ring_mean(ring: np.ndarray, at: int, width: int) -> float:
    """Mean of the last ``width`` samples, the newest at place ``at``."""
    total = 0.0
    end = at + RING + 1
    for j in range(end - width, end):
        total += ring[j]
    return max(min(total / width, HUGE), -HUGE)


@njit(cache=True)
def ring_shift(ring: np.ndarray, at: int, width: int) -> float:
    """Give how far the mean of the last samples is from the line through two windows before."""
    now = ring_mean(ring, at, width)
    before = ring_mean(ring, at - width, width)
    earlier = ring_mean(ring, at - 2 * width, width)
    return 4.0 * max(min(0.25 * now - 0.5 * before + 0.25 * earlier, 0.25 * HUGE), -0.25 * HUGE)


@njit(cache=True)
def ring_spread(ring: np.ndarray, at: int, width: int, mean: float) -> float:
    """Give the deviation of the last ``width`` samples from their mean, the newest at ``at``."""
    total = 0.0
    end = at + RING + 1
    for j in range(end - width, end):
        d = ring[j] - mean
        total += d * d
    return min(math.sqrt(total / width), HUGE)


@njit(cache=True)
def season_error(
    s: np.ndarray,
    t: float,
    x: float,
    period: float,
    slots: int,
    floor: float,
) -> float:
    """Give the signed error against the usual value at this place of the period.

    It is measured in usual errors, of this place and of all; NaN until the place was visited in
    three periods.
    """
    x = limited(x)
    length = period / slots
    slot = min(max(int((t % period) / length), 0), slots - 1)
    place = SEASON_HEAD + 4 * slot
    n = s[1]
    s[1] = n + 1.0
    if n > 0.0:  # usual interval, for the number of samples in one visit
        interval = min(max(t - s[3], 0.0), length)
        s[2] += max(0.01, 1.0 / n) * (interval - s[2])
    s[3] = t
    visits = s[place + 2]
    if visits == 0.0 or abs(t - s[place + 3]) > 0.5 * period:
        visits += 1.0
        s[place + 2] = visits
    s[place + 3] = t
    if visits == 1.0:
        if s[place] == 0.0 and s[place + 1] == 0.0:
            s[place] = x
        else:
            s[place] += 0.3 * (x - s[place])
        return np.nan
    error = x - s[place]
    z = np.nan
    if visits > VISITS:
        scale = s[place + 1] + s[0] + floor
        z = error / scale if scale > 0.0 else 0.0
        s[0] += max(0.002, 1.0 / (s[4] + 1.0)) * (abs(error) - s[0])
        s[4] += 1.0
    share = max(SEASON_RATE, 1.0 / visits)
    if s[2] < 0.5 * length:  # several samples to a visit share its weight
        share = min(1.0, 2.0 * share * s[2] / length)
    s[place] += share * error
    s[place + 1] += max(share, 1e-3) * (abs(error) - s[place + 1])
    return z


@njit(cache=True)
def robust_z(s: np.ndarray, x: float, floor: float) -> float:
    """Give the distance from the median of the last samples, in median absolute deviations."""
    x = limited(x)
    n = int(s[0])
    kept = min(n, SORTED)
    ranked = s[2 : 2 + SORTED]
    ring = s[2 + SORTED : 2 + 2 * SORTED]
    z = 0.0
    if kept >= NEAR_SAMPLES:
        middle = kept // 2
        median = ranked[middle]
        low, high, deviation = middle, middle, 0.0
        for _ in range(middle):  # walk outwards to the median deviation
            left = median - ranked[low - 1] if low > 0 else np.inf
            right = ranked[high + 1] - median if high < kept - 1 else np.inf
            if left < right:
                low -= 1
                deviation = left
            else:
                high += 1
                deviation = right
        scale = 1.4826 * deviation + floor
        z = abs(x - median) / scale if scale > 0.0 else 0.0
    if n >= SORTED:
        gone = np.searchsorted(ranked, ring[n % SORTED])
        for j in range(gone, SORTED - 1):
            ranked[j] = ranked[j + 1]
        kept -= 1
    place = np.searchsorted(ranked[:kept], x)
    for j in range(kept, place, -1):
        ranked[j] = ranked[j - 1]
    ranked[place] = x
    ring[n % SORTED] = x
    s[0] = n + 1.0
    return z


@njit(cache=True)
def record_excess(s: np.ndarray, x: float, scale: float) -> float:
    """Give how far a sample is beyond the highest or lowest so far, in units of ``scale``."""
    if s[2] == 0.0:
        s[0] = s[1] = x
        s[2] = 1.0
        return 0.0
    excess = max(x - s[1], s[0] - x, 0.0)
    s[0] = min(s[0], x)
    s[1] = max(s[1], x)
    return excess / scale if scale > 0.0 else 0.0


@njit(cache=True)
def stuck_run(s: np.ndarray, x: float) -> float:
    """Give the run of equal samples over the longest one before it, zero while it is shorter."""
    if s[3] == 0.0:
        s[3] = 1.0
    elif x == s[0]:
        s[1] += 1.0
    else:
        s[2] = max(s[2], s[1])
        s[1] = 0.0
        s[3] += 1.0
    s[0] = x
    if s[3] < CHANGES or s[1] <= s[2]:
        return 0.0
    return (s[1] + 1.0) / (s[2] + 1.0) if s[1] >= SHORTEST_RUN else 0.0


@njit(cache=True)
def missing_time(s: np.ndarray, t: float) -> float:
    """Give the time since the last sample over the usual one, zero while it is usual."""
    last = s[0]
    n = s[2]
    s[0] = t
    s[2] = n + 1.0
    if n == 0.0:
        return 0.0
    step = max(t - last, 0.0)
    if n == 1.0:
        s[1] = step
        return 0.0
    ratio = step / s[1] if s[1] > 0.0 else 0.0
    # a gap counts no more than twice the usual step, so that a changed interval is learned
    # within some tens of samples and a single gap hardly moves it
    s[1] += max(0.05, 1.0 / n) * (min(step, 2.0 * s[1] if s[1] > 0.0 else step) - s[1])
    return ratio - 1.0 if ratio >= GAP_RATIO and n >= NEAR_SAMPLES else 0.0
