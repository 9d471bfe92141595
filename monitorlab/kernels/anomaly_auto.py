"""The step of every detector and its loop over a whole series (numba).

One flat ``float64`` array is the whole state: a head of settings and counters, the short
memories of the statistics, a calibrator for each, a calibrator for their greatest surprise,
and rings of remembered patterns. Statistics that are switched off cost nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from monitorlab.kernels.anomaly_calibration import CALIBRATOR_SIZE, calibrator_reset, learn, surprise
from monitorlab.kernels.anomaly_parts import (
    DAY,
    DAY_SIZE,
    DAY_SLOTS,
    EWMA_SIZE,
    RING,
    ROBUST_SIZE,
    WEEK,
    WEEK_SIZE,
    WEEK_SLOTS,
    ewma_error,
    log_of,
    missing_time,
    nearest_pattern,
    record_excess,
    ring_mean,
    ring_push,
    robust_z,
    season_error,
    stuck_run,
)

__all__ = ["CHANNELS", "OUTPUTS", "SETTINGS", "decide_run", "reset", "run", "state_size", "step"]

CHANNELS = (
    "value_novelty",
    "pattern_novelty",
    "ewma_slow",
    "ewma_fast",
    "jump",
    "level_short",
    "level_long",
    "daily",
    "variance",
    "trend",
    "robust_z",
    "record",
    "stuck",
    "missing",
    "weekly",
    "daily_long",
    "weekly_long",
    "burst_short",
    "burst_long",
)
N = len(CHANNELS)
FIRST = 4
OUTPUTS = FIRST + N  # score, tail, expected, spread, then the surprise of each channel
(
    VALUE, PATTERN, SLOW, FAST, JUMP, SHORT, LONG, DAILY,
    ROUGH, TREND, ROBUST, RECORD, STUCK, GAP, WEEKLY, DAILY_MEAN, WEEKLY_MEAN, BURST, LONG_BURST,
) = range(N)  # fmt: skip

# settings, the head of the state
MASK = 0  # bit k set: channel k takes part
WINDOW = 1  # patterns remembered
WARMUP = 2  # samples before the first alarm
THRESHOLD = 3  # surprise at and above which a sample alarms
REFRACTORY = 4  # samples after an alarm in which only a clearly greater surprise alarms
MARGIN = 5  # what "clearly greater" means, in units of surprise
EXTEND = 6  # 1: the refractory span starts anew while the surprise stays high
FLOOR = 7  # share of the usual deviation that every deviation is given
MEMORY = 8  # time constant of the channels' calibrators in samples, 0 for ever
PRIOR = 9  # prior tail index of the statistics
MEMORY_FINAL = 10
PRIOR_FINAL = 11
RUN = 12
RUN_FINAL = 13
COMBINE = 14
SETTINGS = 16
# counters
COUNT = 16
SINCE = 17
BAR = 18
HEAD = 20

EWMAS = HEAD
N_EWMA = 9
RECENT = EWMAS + N_EWMA * EWMA_SIZE
SEASON = RECENT + 2 * RING
SEASON_WEEK = SEASON + DAY_SIZE
SORTED = SEASON_WEEK + WEEK_SIZE
SMALL = SORTED + ROBUST_SIZE
CALIBRATORS = SMALL + 16
RINGS = CALIBRATORS + (N + 1) * CALIBRATOR_SIZE
SETTLE = 24.0  # samples before the statistics are believed
SETTLE_FINAL = 64.0
CLIP = 5.0  # one surprise counts no more than this in a burst
BARRED = 0.99  # factor on a score that may not alarm
DELAY = 3  # a pattern is remembered so many samples after it was seen


def state_size(window: int) -> int:
    """Give the length of the state that remembers ``window`` patterns."""
    return RINGS + 3 * window


@njit(cache=True)
def reset(s: np.ndarray) -> None:  # type: ignore[type-arg]
    """Forget everything but the settings at the head of ``s``."""
    s[SETTINGS:] = 0.0
    s[SINCE] = 1e18
    for k in range(N):
        a = CALIBRATORS + k * CALIBRATOR_SIZE
        calibrator_reset(s[a : a + CALIBRATOR_SIZE], s[MEMORY], s[PRIOR], s[RUN])
    a = CALIBRATORS + N * CALIBRATOR_SIZE
    calibrator_reset(s[a : a + CALIBRATOR_SIZE], s[MEMORY_FINAL], s[PRIOR_FINAL], s[RUN_FINAL])


@njit(cache=True)
def ewma_at(s: np.ndarray, k: int, x: float, rate: float, spread: float, floor: float) -> float:  # type: ignore[type-arg]
    """Logarithm of the error of the ``k``-th exponentially weighted mean."""
    a = EWMAS + k * EWMA_SIZE
    return log_of(ewma_error(s[a : a + EWMA_SIZE], x, rate, spread, floor))


@njit(cache=True)
def statistics(s: np.ndarray, t: float, x: float, mask: int, raw: np.ndarray) -> None:  # type: ignore[type-arg]
    """Write the logarithm of each statistic that takes part into ``raw``; learn the sample."""
    raw[:] = -np.inf
    n = int(s[COUNT])
    ring = s[RECENT : RECENT + 2 * RING]
    at = n % RING
    if n == 0:
        ring[:] = x
    ring_push(ring, at, x)
    x1 = ring[at + RING - 1]
    usual = s[EWMAS : EWMAS + EWMA_SIZE]
    floor = s[FLOOR] * usual[1] + 1e-9 * abs(x) + 1e-300
    ewma_error(usual, x, 0.02, 0.0005, floor)
    if mask & (1 << VALUE | 1 << PATTERN):
        window = int(s[WINDOW])
        kept = min(max(n - DELAY, 0), window)
        e0 = s[RINGS : RINGS + window]
        e1 = s[RINGS + window : RINGS + 2 * window]
        e2 = s[RINGS + 2 * window : RINGS + 3 * window]
        if kept > 0:
            near = nearest_pattern(e0, e1, e2, kept, x, x1, ring[at + RING - 2])
            raw[VALUE] = log_of(near[0])
            raw[PATTERN] = log_of(near[1])
        if n >= DELAY:
            j = (n - DELAY) % window
            e0[j] = ring[at + RING - DELAY]
            e1[j] = ring[at + RING - DELAY - 1]
            e2[j] = ring[at + RING - DELAY - 2]
    if mask & (1 << SLOW):
        raw[SLOW] = ewma_at(s, 1, x, 0.02, 0.02, floor)
    if mask & (1 << FAST):
        raw[FAST] = ewma_at(s, 2, x, 0.3, 0.02, floor)
    if mask & (1 << JUMP):
        raw[JUMP] = ewma_at(s, 3, x - x1, 0.0, 0.05, floor)
    if mask & (1 << SHORT):
        raw[SHORT] = ewma_at(s, 4, ring_mean(ring, at, 12), 0.01, 0.01, floor)
    if mask & (1 << LONG):
        raw[LONG] = ewma_at(s, 5, ring_mean(ring, at, 48), 0.01, 0.01, floor)
    if mask & (1 << DAILY):
        z = season_error(s[SEASON:SEASON_WEEK], t, x, DAY, DAY_SLOTS, floor)
        raw[DAILY] = log_of(abs(z))
        s[SMALL + 14] += 0.05 * (min(max(z, -CLIP), CLIP) - s[SMALL + 14])
        raw[DAILY_MEAN] = log_of(abs(s[SMALL + 14]))
    if mask & (1 << WEEKLY):
        z = season_error(s[SEASON_WEEK:SORTED], t, x, WEEK, WEEK_SLOTS, floor)
        raw[WEEKLY] = log_of(abs(z))
        s[SMALL + 15] += 0.05 * (min(max(z, -CLIP), CLIP) - s[SMALL + 15])
        raw[WEEKLY_MEAN] = log_of(abs(s[SMALL + 15]))
    if mask & (1 << ROUGH):
        rough = 0.0
        end = at + RING + 1
        for j in range(end - 24, end):
            rough += abs(ring[j] - ring[j - 1])
        raw[ROUGH] = ewma_at(s, 6, math.log(rough / 24.0 + floor), 0.01, 0.01, 0.02)
    if mask & (1 << TREND):
        slope = (2.0 * ring_mean(ring, at, 24) - 2.0 * ring_mean(ring, at, 48)) / 24.0
        raw[TREND] = ewma_at(s, 7, slope, 0.005, 0.005, floor / 24.0)
    if mask & (1 << ROBUST):
        raw[ROBUST] = log_of(robust_z(s[SORTED : SORTED + ROBUST_SIZE], x, floor))
    if mask & (1 << RECORD):
        raw[RECORD] = log_of(record_excess(s[SMALL : SMALL + 4], x, usual[1] + floor))
    if mask & (1 << STUCK):
        raw[STUCK] = log_of(stuck_run(s[SMALL + 4 : SMALL + 8], x))
    if mask & (1 << GAP):
        raw[GAP] = log_of(missing_time(s[SMALL + 8 : SMALL + 12], t))


@njit(cache=True)
def decide(s: np.ndarray, best: float, out: np.ndarray) -> float:  # type: ignore[type-arg]
    """Turn the greatest surprise into the tail probability of that, and bar echoes of an alarm."""
    n = s[COUNT]
    s[COUNT] = n + 1.0
    a = CALIBRATORS + N * CALIBRATOR_SIZE
    c = s[a : a + CALIBRATOR_SIZE]
    x = best if best > 0.0 else -np.inf
    total = surprise(c, x)
    if n >= SETTLE_FINAL:
        learn(c, x, total)
    score = 1.0 - math.exp(-total)
    out[1] = score
    s[SINCE] += 1.0
    if total >= s[THRESHOLD]:
        barred = s[SINCE] <= s[REFRACTORY] and total < s[BAR] + s[MARGIN]
        if n < s[WARMUP] or barred:
            score *= BARRED
            if s[EXTEND] > 0.0 and barred:
                s[SINCE] = 0.0
        else:
            s[SINCE] = 0.0
            s[BAR] = total
    out[0] = score
    return score


@njit(cache=True)
def step(s: np.ndarray, t: float, x: float, out: np.ndarray) -> float:  # type: ignore[type-arg]
    """Score one sample, then learn it; what was found goes to ``out``."""
    if not math.isfinite(x):
        out[:] = np.nan
        return np.nan
    mask = int(s[MASK])
    # what was expected before the sample was seen
    out[2] = s[EWMAS]
    out[3] = s[EWMAS + 1]
    raw = out[FIRST:]
    statistics(s, t, x, mask, raw)
    best = second = third = total = used = 0.0
    for k in range(N):
        if k == BURST:  # how surprised the others have been for a while
            clipped = min(best, CLIP)
            s[SMALL + 12] += 0.08 * (clipped - s[SMALL + 12])
            s[SMALL + 13] += 0.02 * (clipped - s[SMALL + 13])
            raw[BURST] = log_of(s[SMALL + 12])
            raw[LONG_BURST] = log_of(s[SMALL + 13])
        if mask & (1 << k):
            a = CALIBRATORS + k * CALIBRATOR_SIZE
            c = s[a : a + CALIBRATOR_SIZE]
            found = surprise(c, raw[k])
            if s[COUNT] >= SETTLE:
                learn(c, raw[k], found)
            raw[k] = found
            if found > best:
                second, third, best = best, second, found
            elif found > second:
                second, third = found, second
            elif found > third:
                third = found
            total += found
            used += 1.0
        else:
            raw[k] = 0.0
    how = int(s[COMBINE])
    if how == 1:
        best = 0.5 * (best + second)
    elif how == 2:
        best = (best + second + third) / 3.0
    elif how == 3:
        best = total / used
    elif how == 4:
        best = 0.5 * best + 0.5 * total / used
    return decide(s, best, out)


@njit(cache=True)
def run(s: np.ndarray, times: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:  # type: ignore[type-arg]
    """Take one step for each sample; row ``i`` of ``out`` is what step ``i`` found."""
    for i in range(len(values)):
        step(s, times[i], values[i], out[i])


@njit(cache=True)
def decide_run(s: np.ndarray, surprises: np.ndarray, out: np.ndarray) -> None:  # type: ignore[type-arg]
    """Calibrate surprises that were worked out elsewhere, one after the other."""
    for i in range(len(surprises)):
        if math.isfinite(surprises[i]):
            decide(s, surprises[i], out[i])
        else:
            out[i] = np.nan
