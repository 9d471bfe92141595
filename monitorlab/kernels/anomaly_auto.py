"""The step of every detector (numba).

One flat ``float64`` array is the whole state: a head of settings and counters, the short
memories of the statistics, a calibrator for their fusion, and one for each that takes part.
Statistics that are switched off cost nothing.
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.anomaly_calibration import (
    CALIBRATOR_SIZE,
    LOWEST,
    calibrator_reset,
    evidence,
    learn,
)
from monitorlab.kernels.anomaly_decision import (
    COUNT,
    HEAD,
    LIFT,
    MASK,
    NOISE,
    ROAMING,
    SINCE,
    TRAVEL,
    decide,
)
from monitorlab.kernels.anomaly_memory import (
    DAY_SIZE,
    PATTERN_SIZE,
    RING,
    SUMMARIES,
    day_distances,
    memory_size,
    nearest,
    pattern_distances,
)
from monitorlab.kernels.anomaly_nature import DISTANCES, lift
from monitorlab.kernels.anomaly_parts import (
    EWMA_SIZE,
    ROBUST_SIZE,
    WEEK,
    WEEK_SIZE,
    WEEK_SLOTS,
    ewma_error,
    line_error,
    log_of,
    missing_time,
    record_excess,
    ring_mean,
    ring_push,
    ring_shift,
    ring_spread,
    robust_z,
    season_error,
    stuck_run,
)
from monitorlab.kernels.compiled import njit

__all__ = ["CHANNELS", "OUTPUTS", "reset", "state_size", "step"]

CHANNELS = (
    "value_novelty",
    "short_level_novelty",
    "level_novelty",
    "long_level_novelty",
    "roughness_novelty",
    "long_roughness_novelty",
    "day_novelty",
    "day_short_level_novelty",
    "day_level_novelty",
    "day_long_level_novelty",
    "day_roughness_novelty",
    "day_long_roughness_novelty",
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
    "pattern_novelty",
    "shape_novelty",
)
N = len(CHANNELS)
FIRST = 4
OUTPUTS = FIRST + N  # score, tail, expected, spread, then the surprise of each channel
EVER, BY_DAY = 0, SUMMARIES  # the first channels: six summaries, twice
(
    ROBUST, SLOW, FAST, JUMP, SHORT, LONG, VARIANCE, TREND, WEEKLY, RECORD, STUCK, GAP,
    PATTERN, SHAPE,
) = range(2 * SUMMARIES, N)  # fmt: skip

RESOLUTION = 1e-13  # distances below this share of the values are rounding
FLOOR = 0.05  # share of the usual deviation that every deviation is given
SETTLE = 60.0  # samples before the statistics are believed
FEWEST_BLOCKS = 2.0  # of its own past before a statistic takes part
DAY_ALONE = 2.5  # less than the log odds by the time of the day the fused ones never are

EWMAS = HEAD
N_EWMA = 9
RECENT = EWMAS + N_EWMA * EWMA_SIZE
SEASON_WEEK = RECENT + 2 * RING
SORTED = SEASON_WEEK + WEEK_SIZE
SMALL = SORTED + ROBUST_SIZE
SUMMARY = SMALL + 12
# memories of the six summaries: width of the summary, one remembered in, numbers remembered
WIDTHS = (1, 4, 12, 36, 12, 36)
STRIDES = (1, 1, 3, 9, 3, 6)
SIZES = (3_000, 3_000, 1_000, 500, 1_000, 500)
MEMORY = SUMMARY + 2 * SUMMARIES
NEXT, FARTHEST = 4, 36  # samples before, the distances to which tell a walk
STARTS = tuple(MEMORY + sum(memory_size(size) for size in SIZES[:k]) for k in range(SUMMARIES + 1))
MEMORY_DAY = STARTS[SUMMARIES]
MEMORY_PATTERN = MEMORY_DAY + DAY_SIZE
CALIBRATORS = MEMORY_PATTERN + PATTERN_SIZE


def state_size(channels: int) -> int:
    """Length of the state of a detector with so many channels.

    >>> state_size(12) - state_size(11) == CALIBRATOR_SIZE
    True
    """
    return CALIBRATORS + (channels + 1) * CALIBRATOR_SIZE


@njit(cache=True)
def reset(s: np.ndarray) -> None:
    """Make settings at the head of zeros the state of a detector that has seen nothing.

    Memory behind it is touched as it is learned into, so a thousand new detectors cost little.
    """
    s[SINCE] = 1e18
    for a in range(CALIBRATORS, len(s), CALIBRATOR_SIZE):
        calibrator_reset(s[a : a + CALIBRATOR_SIZE])


@njit(cache=True)
def ewma_at(s: np.ndarray, k: int, x: float, rate: float, spread: float, floor: float) -> float:
    """Logarithm of the error of the ``k``-th exponentially weighted mean."""
    a = EWMAS + k * EWMA_SIZE
    return log_of(ewma_error(s[a : a + EWMA_SIZE], x, rate, spread, floor))


@njit(cache=True)
def summarize(ring: np.ndarray, at: int, summary: np.ndarray) -> None:
    """Write the value, means over 4, 12 and 36 samples and roughness over 12 and 36."""
    summary[0] = ring[at + RING]
    summary[1] = ring_mean(ring, at, 4)
    summary[2] = ring_mean(ring, at, 12)
    summary[3] = ring_mean(ring, at, 36)
    summary[4] = ring_spread(ring, at, 12, summary[2])
    summary[5] = ring_spread(ring, at, 36, summary[3])


@njit(cache=True)
def novelties(s: np.ndarray, t: float, mask: int, raw: np.ndarray) -> None:
    """Write how far the summaries are from all that was seen, ever and at this time of day."""
    summary = s[SUMMARY : SUMMARY + SUMMARIES]
    least = RESOLUTION * abs(summary[0]) + RESOLUTION * abs(summary[3])
    for k in range(SUMMARIES):
        if mask & (1 << (EVER + k)):
            m = s[STARTS[k] : STARTS[k + 1]]
            d = nearest(m, summary[k], WIDTHS[k], STRIDES[k], SIZES[k])
            raw[EVER + k] = -np.inf if d <= least else log_of(d)
    if (mask >> BY_DAY) & ((1 << SUMMARIES) - 1):
        near = s[SUMMARY + SUMMARIES : SUMMARY + 2 * SUMMARIES]
        day_distances(s[MEMORY_DAY:MEMORY_PATTERN], t, summary, near)
        for k in range(SUMMARIES):
            raw[BY_DAY + k] = -np.inf if near[k] <= least else log_of(near[k])


@njit(cache=True)
def statistics(s: np.ndarray, t: float, x: float, mask: int, raw: np.ndarray) -> None:
    """Write the logarithm of each statistic that takes part into ``raw``; learn the sample.

    ``-inf`` says that nothing was found, NaN that there is nothing yet to compare with.
    """
    raw[:] = -np.inf
    n = int(s[COUNT])
    ring = s[RECENT : RECENT + 2 * RING]
    at = n % RING
    if n == 0:
        ring[:] = x
    ring_push(ring, at, x)
    usual = s[EWMAS : EWMAS + EWMA_SIZE]
    floor = FLOOR * usual[1] + 1e-9 * abs(x) + 1e-300
    ewma_error(usual, x, 0.02, 0.0005, floor)
    if mask & ((1 << (2 * SUMMARIES)) - 1):
        summarize(ring, at, s[SUMMARY : SUMMARY + SUMMARIES])
        novelties(s, t, mask, raw)
    if not mask >> (2 * SUMMARIES):
        return
    if mask & (1 << ROBUST):
        raw[ROBUST] = log_of(robust_z(s[SORTED : SORTED + ROBUST_SIZE], x, floor))
    if mask & (1 << SLOW):
        a = EWMAS + EWMA_SIZE
        raw[SLOW] = log_of(line_error(s[a : a + EWMA_SIZE], x, 0.1, 0.005, floor))
    if mask & (1 << FAST):
        raw[FAST] = ewma_at(s, 2, x, 0.3, 0.005, floor)
    if mask & (1 << JUMP):
        raw[JUMP] = ewma_at(s, 3, x - ring[at + RING - 1], 0.0, 0.005, floor)
    if mask & (1 << SHORT):
        raw[SHORT] = ewma_at(s, 4, ring_shift(ring, at, 12), 0.01, 0.01, floor)
    if mask & (1 << LONG):
        raw[LONG] = ewma_at(s, 5, ring_shift(ring, at, 20), 0.01, 0.01, floor)
    if mask & (1 << VARIANCE):
        rough = 0.0
        end = at + RING + 1
        for j in range(end - 24, end):
            rough += abs(ring[j] - ring[j - 1])
        raw[VARIANCE] = ewma_at(s, 6, log_of(rough / 24.0 + floor), 0.01, 0.01, 0.02)
    if mask & (1 << TREND):
        slope = (ring_mean(ring, at, 24) - ring_mean(ring, at, 48)) / 12.0
        raw[TREND] = ewma_at(s, 7, slope, 0.01, 0.005, floor / 24.0)
    if mask & (1 << WEEKLY):
        z = season_error(s[SEASON_WEEK:SORTED], t, x, WEEK, WEEK_SLOTS, floor)
        raw[WEEKLY] = log_of(abs(z))
    if mask & (1 << RECORD):
        raw[RECORD] = log_of(record_excess(s[SMALL : SMALL + 4], x, usual[1] + floor))
    if mask & (1 << STUCK):
        raw[STUCK] = log_of(stuck_run(s[SMALL + 4 : SMALL + 8], x))
    if mask & (1 << GAP):
        raw[GAP] = log_of(missing_time(s[SMALL + 8 : SMALL + 12], t))
    if mask & (1 << PATTERN | 1 << SHAPE):
        least = RESOLUTION * abs(x) + RESOLUTION * abs(usual[0])
        pattern, shape = pattern_distances(s[MEMORY_PATTERN:CALIBRATORS], x)
        raw[PATTERN] = -np.inf if pattern <= least else log_of(pattern)
        raw[SHAPE] = -np.inf if shape <= least else log_of(shape)


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
    n = int(s[COUNT])
    if n >= FARTHEST:
        now = RECENT + n % RING + RING
        apart = abs(x - s[now - 1]), abs(x - s[now - NEXT]), abs(x - s[now - FARTHEST])
        usual = s[TRAVEL : TRAVEL + DISTANCES]
        s[LIFT] = lift(usual, n - FARTHEST, apart, s[ROAMING], s[NOISE])
    total, used = 0.0, 0.0
    total_by_day, used_by_day = 0.0, 0.0
    a = CALIBRATORS
    for k in range(N):
        if not mask & (1 << k):
            raw[k] = 0.0
            continue
        a += CALIBRATOR_SIZE
        value = raw[k]
        raw[k] = 0.0
        if math.isnan(value):  # nothing to compare with: out of the fusion, and not learned
            continue
        value = max(value, LOWEST)
        c = s[a : a + CALIBRATOR_SIZE]
        if c[1] >= FEWEST_BLOCKS:
            odds, raw[k] = evidence(c, value)
            total += odds
            used += 1.0
            if BY_DAY <= k < BY_DAY + SUMMARIES:
                total_by_day += odds
                used_by_day += 1.0
        if s[COUNT] >= SETTLE:
            learn(c, value)
    c = s[CALIBRATORS : CALIBRATORS + CALIBRATOR_SIZE]
    fused = total / used if used > 0.0 else LOWEST
    if used_by_day > 0.0 and mask & ((1 << BY_DAY) - 1):
        fused = max(fused, total_by_day / used_by_day - DAY_ALONE)
    return decide(s, c, fused, out)
