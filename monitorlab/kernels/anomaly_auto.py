"""The step of every detector and its loop over a whole series (numba).

One flat ``float64`` array is the whole state: a head of settings and counters, the short
memories of the statistics, a calibrator for each, and a calibrator for their mean. Statistics
that are switched off cost nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from monitorlab.kernels.anomaly_calibration import (
    BLOCK,
    CALIBRATOR_SIZE,
    block_peak,
    blocks,
    calibrator_reset,
    learn,
    log_count,
)
from monitorlab.kernels.anomaly_parts import (
    DAY_SIZE,
    EWMA_SIZE,
    RING,
    ROBUST_SIZE,
    WEEK,
    WEEK_SIZE,
    WEEK_SLOTS,
    day_novelty,
    ewma_error,
    log_of,
    missing_time,
    novelty,
    record_excess,
    ring_mean,
    ring_push,
    ring_spread,
    robust_z,
    season_error,
    stuck_run,
)

__all__ = ["CHANNELS", "OUTPUTS", "SETTINGS", "decide_run", "reset", "run", "step"]

CHANNELS = (
    "value_novelty",
    "level_novelty",
    "roughness_novelty",
    "long_roughness_novelty",
    "day_novelty",
    "day_level_novelty",
    "robust_z",
    "ewma_slow",
    "ewma_fast",
    "jump",
    "level_short",
    "level_long",
    "variance",
    "trend",
    "weekly",
    "record",
    "stuck",
    "missing",
)
N = len(CHANNELS)
FIRST = 4
OUTPUTS = FIRST + N  # score, tail, expected, spread, then the surprise of each channel
(
    VALUE, LEVEL, ROUGH, LONG_ROUGH, DAY_VALUE, DAY_LEVEL, ROBUST, SLOW, FAST, JUMP,
    SHORT, LONG, VARIANCE, TREND, WEEKLY, RECORD, STUCK, GAP,
) = range(N)  # fmt: skip
LONG_REACH = 20.0  # of the tail of the final calibration, in units of its scale
REACH = 3.0  # of the tail of each statistic

# settings, the head of the state
MASK = 0  # bit k set: channel k takes part
WARMUP = 1  # samples before the first alarm
THRESHOLD = 2  # tail probability at and below which a sample alarms
REFRACTORY = 3  # samples after an alarm without another
SETTINGS = 4
# counters
COUNT = 4
SINCE = 5
LAST = 6  # tail probability of the last alarm
HEAD = 8

FLOOR = 0.05  # share of the usual deviation that every deviation is given
SETTLE = 60.0  # samples before the statistics are believed
SETTLE_FINAL = 100.0
PRIOR_SAMPLES = 4_000.0  # every stream counts as having this much past
RARER = 0.01  # in the refractory span an alarm must be rarer than the last one by this factor
BARRED = 0.99  # factor on a score that may not alarm

EWMAS = HEAD
N_EWMA = 9
RECENT = EWMAS + N_EWMA * EWMA_SIZE
SEASON_WEEK = RECENT + 2 * RING
SORTED = SEASON_WEEK + WEEK_SIZE
SMALL = SORTED + ROBUST_SIZE
# memories of the novelty statistics: width, stride, values remembered
VALUE_SIZE, LEVEL_SIZE, ROUGH_SIZE, LONG_ROUGH_SIZE = 3_000, 1_000, 1_000, 500
MEMORY_VALUE = SMALL + 16
MEMORY_LEVEL = MEMORY_VALUE + 1 + RING + VALUE_SIZE
MEMORY_ROUGH = MEMORY_LEVEL + 1 + RING + LEVEL_SIZE
MEMORY_LONG = MEMORY_ROUGH + 1 + RING + ROUGH_SIZE
MEMORY_DAY = MEMORY_LONG + 1 + RING + LONG_ROUGH_SIZE
CALIBRATORS = MEMORY_DAY + DAY_SIZE
STATE_SIZE = CALIBRATORS + (N + 1) * CALIBRATOR_SIZE


@njit(cache=True)
def reset(s: np.ndarray) -> None:
    """Forget everything but the settings at the head of ``s``."""
    s[SETTINGS:] = 0.0
    s[SINCE] = 1e18
    for k in range(N + 1):
        a = CALIBRATORS + k * CALIBRATOR_SIZE
        calibrator_reset(s[a : a + CALIBRATOR_SIZE])


@njit(cache=True)
def ewma_at(s: np.ndarray, k: int, x: float, rate: float, spread: float, floor: float) -> float:
    """Logarithm of the error of the ``k``-th exponentially weighted mean."""
    a = EWMAS + k * EWMA_SIZE
    return log_of(ewma_error(s[a : a + EWMA_SIZE], x, rate, spread, floor))


@njit(cache=True)
def statistics(s: np.ndarray, t: float, x: float, mask: int, raw: np.ndarray) -> None:
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
    floor = FLOOR * usual[1] + 1e-9 * abs(x) + 1e-300
    ewma_error(usual, x, 0.02, 0.0005, floor)
    mean12 = ring_mean(ring, at, 12)
    if mask & (1 << VALUE):
        m = s[MEMORY_VALUE:MEMORY_LEVEL]
        raw[VALUE] = log_of(novelty(m, ring_mean(ring, at, 4), 4, 1, VALUE_SIZE))
    if mask & (1 << LEVEL):
        m = s[MEMORY_LEVEL:MEMORY_ROUGH]
        raw[LEVEL] = log_of(novelty(m, mean12, 12, 3, LEVEL_SIZE))
    if mask & (1 << ROUGH):
        m = s[MEMORY_ROUGH:MEMORY_LONG]
        raw[ROUGH] = log_of(novelty(m, ring_spread(ring, at, 12), 12, 3, ROUGH_SIZE))
    if mask & (1 << LONG_ROUGH):
        m = s[MEMORY_LONG:MEMORY_DAY]
        raw[LONG_ROUGH] = log_of(novelty(m, ring_spread(ring, at, 36), 36, 6, LONG_ROUGH_SIZE))
    if mask & (1 << DAY_VALUE | 1 << DAY_LEVEL):
        near = day_novelty(s[MEMORY_DAY:CALIBRATORS], t, x, mean12)
        raw[DAY_VALUE] = log_of(near[0])
        raw[DAY_LEVEL] = log_of(near[1])
    if mask & (1 << ROBUST):
        raw[ROBUST] = log_of(robust_z(s[SORTED : SORTED + ROBUST_SIZE], x, floor))
    if mask & (1 << SLOW):
        raw[SLOW] = ewma_at(s, 1, x, 0.02, 0.02, floor)
    if mask & (1 << FAST):
        raw[FAST] = ewma_at(s, 2, x, 0.3, 0.02, floor)
    if mask & (1 << JUMP):
        raw[JUMP] = ewma_at(s, 3, x - x1, 0.0, 0.05, floor)
    if mask & (1 << SHORT):
        raw[SHORT] = ewma_at(s, 4, mean12, 0.01, 0.01, floor)
    if mask & (1 << LONG):
        raw[LONG] = ewma_at(s, 5, ring_mean(ring, at, 48), 0.01, 0.01, floor)
    if mask & (1 << VARIANCE):
        rough = 0.0
        end = at + RING + 1
        for j in range(end - 24, end):
            rough += abs(ring[j] - ring[j - 1])
        raw[VARIANCE] = ewma_at(s, 6, math.log(rough / 24.0 + floor), 0.01, 0.01, 0.02)
    if mask & (1 << TREND):
        slope = (2.0 * ring_mean(ring, at, 24) - 2.0 * ring_mean(ring, at, 48)) / 24.0
        raw[TREND] = ewma_at(s, 7, slope, 0.005, 0.005, floor / 24.0)
    if mask & (1 << WEEKLY):
        z = season_error(s[SEASON_WEEK:SORTED], t, x, WEEK, WEEK_SLOTS, floor)
        raw[WEEKLY] = log_of(abs(z))
    if mask & (1 << RECORD):
        raw[RECORD] = log_of(record_excess(s[SMALL : SMALL + 4], x, usual[1] + floor))
    if mask & (1 << STUCK):
        raw[STUCK] = log_of(stuck_run(s[SMALL + 4 : SMALL + 8], x))
    if mask & (1 << GAP):
        raw[GAP] = log_of(missing_time(s[SMALL + 8 : SMALL + 12], t))


@njit(cache=True)
def step(s: np.ndarray, t: float, x: float, out: np.ndarray) -> float:
    """Score one sample, then learn it; what was found goes to ``out``."""
    if not math.isfinite(x):
        out[:] = np.nan
        return np.nan
    mask = int(s[MASK])
    # what was expected before the sample was seen
    band = EWMAS + 8 * EWMA_SIZE
    out[2] = s[band] if s[COUNT] > 0.0 else x
    out[3] = s[band + 1]
    ewma_error(s[band : band + EWMA_SIZE], x, 0.1, 0.01, 0.0)
    raw = out[FIRST:]
    statistics(s, t, x, mask, raw)
    total = 0.0
    used = 0.0
    for k in range(N):
        if mask & (1 << k):
            a = CALIBRATORS + k * CALIBRATOR_SIZE
            c = s[a : a + CALIBRATOR_SIZE]
            found = 0.0
            if raw[k] > -np.inf and c[1] >= 2.0:
                found = math.log(blocks(c) + 1.0) - log_count(c, raw[k], REACH)
            if s[COUNT] >= SETTLE:
                learn(c, raw[k])
            raw[k] = found
            total += found
            used += 1.0
        else:
            raw[k] = 0.0
    return decide(s, total / used, out)


@njit(cache=True)
def decide(s: np.ndarray, x: float, out: np.ndarray) -> float:
    """Rank the mean surprise among its own past; one spell alarms once."""
    n = s[COUNT]
    s[COUNT] = n + 1.0
    s[SINCE] += 1.0
    a = CALIBRATORS + N * CALIBRATOR_SIZE
    c = s[a : a + CALIBRATOR_SIZE]
    chance = 1.0
    past = blocks(c)
    if past >= 2.0:
        # share of the blocks with as much, for one sample, with the past that a stream is given
        share = min(math.exp(log_count(c, x, LONG_REACH)) / (past + 1.0), 1.0)
        one = -math.expm1(math.log1p(-share) / BLOCK) if share < 1.0 else 1.0
        weight = min(1.0, 2.0 * (1.0 - share))
        chance = min(one * (BLOCK * (past + 1.0) / PRIOR_SAMPLES) ** weight, 1.0)
    grows = x > block_peak(c) or c[0] >= BLOCK
    if n >= SETTLE_FINAL:
        learn(c, x)
    score = 1.0 - chance
    out[1] = score
    if chance <= s[THRESHOLD]:
        rested = s[SINCE] > s[REFRACTORY] or chance < RARER * s[LAST]
        if n >= s[WARMUP] and rested and grows:
            s[SINCE] = 0.0
            s[LAST] = chance
        else:
            score *= BARRED
    out[0] = score
    return score


@njit(cache=True)
def run(s: np.ndarray, times: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Take one step for each sample; row ``i`` of ``out`` is what step ``i`` found."""
    for i in range(len(values)):
        step(s, times[i], values[i], out[i])


@njit(cache=True)
def decide_run(s: np.ndarray, surprises: np.ndarray, out: np.ndarray) -> None:
    """Calibrate surprises that were worked out elsewhere, one after the other."""
    for i in range(len(surprises)):
        if math.isfinite(surprises[i]):
            decide(s, surprises[i], out[i])
        else:
            out[i] = np.nan
