"""From fused evidence to a score, and whether it may alarm (numba).

The head of a detector's state is here: its settings, and what it has counted. ``weigh_past``
ranks the fused log odds among an ordinary past and the own one, ``chance_of`` makes a tail
probability of that, and ``settle`` lets a spell alarm once and learns. A step does one after
the other; a batch leaves the second out where it cannot alarm, and makes it up afterwards.
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.anomaly_calibration import (
    BLOCK,
    BLOCKS,
    block_peak,
    blocks,
    count_beyond,
    excess,
    learn,
    least_peak,
    middle,
    record,
)
from monitorlab.kernels.anomaly_nature import DISTANCES
from monitorlab.kernels.compiled import njit

__all__ = [
    "CALM",
    "COUNT",
    "HEAD",
    "LIFT",
    "MASK",
    "NOISE",
    "REFRACTORY",
    "ROAMING",
    "SETTLE_FUSION",
    "SINCE",
    "SPELL",
    "SPOKEN",
    "SPREAD",
    "STRANGE",
    "THRESHOLD",
    "TRAVEL",
    "USUAL",
    "WARMUP",
    "chance_of",
    "count_equals",
    "decide",
    "settle",
    "usual_odds",
    "weigh_past",
]

# settings, the head of the state
MASK = 0  # bit k set: channel k takes part
WARMUP = 1  # samples before the first alarm
THRESHOLD = 2  # tail probability at and below which a sample alarms
REFRACTORY = 3  # samples after an alarm without another
USUAL = 4  # fused log odds that every ordinary block reaches
SPREAD = 5  # fused log odds by which more becomes e times rarer among ordinary blocks
ROAMING = 6  # spreads by which an ordinary past lies higher for a walk
NOISE = 7  # the same for noise with heavy tails
# counters
COUNT = 8
SINCE = 9
LAST = 10  # tail probability of the last alarm
ALARMS = 11
CALM = 12  # samples in a row that were not strange
SPOKEN = 13  # whether the spell that is on has alarmed
LIFT = 14  # spreads by which an ordinary past lies higher for what the stream is by nature
TRAVEL = 15  # usual distances of samples 1, 4 and 36 apart
HEAD = TRAVEL + DISTANCES

SETTLE_FUSION = 100.0  # samples before the fused log odds are learned
ORDINARY = 120.0  # blocks of an ordinary past that every stream is given
SPELL = 2.0 * BLOCK  # samples that one alarm stands for: its block, and the span after it
LIFETIME = 4_000.0 / BLOCK  # blocks after which alarms become ever rarer
ALLOWANCE = 3.0  # alarms that every stream may have
ALLOWED_RATE = 4e-4  # further ones a sample
HELD = 144.0  # samples of a spell that are kept out of the own past, at most
LIVELY = 1.15  # spreads above the usual: a stream whose middle block is beyond is a lively one
LIVELY_BLOCKS = 30.0  # of its own past after which a stream is half believed to be lively
RARER = 0.01  # in the refractory span an alarm must be rarer than the last one by this factor
STRANGE = 5.0  # a sample this many times as frequent as an alarm still belongs to a spell
QUIET = 3.0  # other samples in a row that end a spell
BARRED = 10.0  # a score that may not alarm is as if so many times as frequent as an alarm
FUSION_SCALE = 0.25  # prior of the mean excess of the fused log odds
FUSION_STRENGTH = 4.0  # counts as so many blocks
TOP_BLOCKS = 5
REACH = 20.0  # of the tail beyond the record, in units of its scale

# how much rarer an alarm must be with so many blocks of an own past
_STRICTER = np.log(np.maximum((ORDINARY + np.arange(BLOCKS + 1)) / LIFETIME, 1.0))


@njit(cache=True)
def _expected_blocks(c: np.ndarray, x: float, count: int) -> float:
    """Blocks of the own past that have as much: a half more than counted, or less than that."""
    if count > 0:
        return count + 0.5
    k = min(TOP_BLOCKS, int(blocks(c)) - 1)
    if k < 0:
        return 0.0
    scale = (excess(c, k) + FUSION_SCALE * FUSION_STRENGTH) / (k + FUSION_STRENGTH)
    return 0.5 * math.exp(-min((x - record(c)) / scale, REACH))


@njit(cache=True)
def usual_odds(s: np.ndarray, c: np.ndarray) -> float:
    """Give the fused log odds that ordinary blocks reach; higher for lively streams."""
    usual = s[USUAL]
    m = blocks(c)
    if m > 0.0:
        usual += max(middle(c) - usual - LIVELY * s[SPREAD], 0.0) * m / (m + LIVELY_BLOCKS)
    return float(usual)


@njit(cache=True)
def count_equals(c: np.ndarray, x: float) -> int:
    """Count the blocks of the own past that have as much, mostly all of them."""
    kept = int(blocks(c))
    return kept if kept > 0 and x <= least_peak(c) else count_beyond(c, x)


@njit(cache=True)
def weigh_past(
    s: np.ndarray, c: np.ndarray, x: float, usual: float, count: int, n: float
) -> tuple[float, float]:
    """Give the share of past blocks with as much, and how much rarer an alarm must be.

    ``usual`` is reached by ordinary blocks; ``count`` blocks of the own past have as much, and
    ``n`` samples were seen.
    """
    kept = blocks(c)
    spread = s[SPREAD]
    ordinary = ORDINARY * math.exp((usual - x) / spread) if x > usual else ORDINARY
    part = (ordinary + _expected_blocks(c, x, count)) / (ORDINARY + kept)
    if part >= 1.0:
        return part, 0.0
    strict = _STRICTER[int(kept)]
    allowance = ALLOWANCE + ALLOWED_RATE * n
    if s[ALARMS] + 1.0 > allowance:
        strict += math.log((s[ALARMS] + 1.0) / allowance)
    return part, strict


@njit(cache=True)
def chance_of(part: float, strict: float) -> float:
    """Give the share of samples with as much: at least ``part / SPELL``."""
    if part >= 1.0:
        return 1.0
    one = -math.expm1(math.log1p(-part) / SPELL)
    if strict > 0.0:
        one *= math.exp(strict * min(1.0, 2.0 * (1.0 - part)))
    return min(one, 1.0)


@njit(cache=True)
def settle(s: np.ndarray, c: np.ndarray, x: float, chance: float) -> float:
    """Give the score, which alarms if it may; count and learn the sample."""
    n = s[COUNT]
    s[COUNT] = n + 1.0
    s[SINCE] += 1.0
    score = 1.0 - chance
    if chance <= s[THRESHOLD]:
        rested = s[SINCE] > s[REFRACTORY] and s[SPOKEN] == 0.0
        grows = x > block_peak(c)
        if n >= s[WARMUP] and grows and (rested or chance < RARER * s[LAST]):
            s[SINCE] = 0.0
            s[LAST] = chance
            s[ALARMS] += 1.0
            s[SPOKEN] = 1.0
        else:
            score = min(score, max(1.0 - BARRED * s[THRESHOLD], 0.0))
    # an incident is not ordinary, unless the stream has too many of them
    held = s[SPOKEN] == 1.0 and s[SINCE] <= HELD and s[ALARMS] <= ALLOWANCE + ALLOWED_RATE * n
    if n >= SETTLE_FUSION and not held:
        learn(c, x)
    s[CALM] = 0.0 if chance <= STRANGE * s[THRESHOLD] else s[CALM] + 1.0
    if s[CALM] >= QUIET:
        s[SPOKEN] = 0.0
    return score


@njit(cache=True)
def decide(s: np.ndarray, c: np.ndarray, x: float, out: np.ndarray) -> float:
    """Rank the fused log odds among an ordinary past and the own one; a spell alarms once."""
    usual = usual_odds(s, c) + s[LIFT] * s[SPREAD]
    part, strict = weigh_past(s, c, x, usual, count_equals(c, x), s[COUNT])
    chance = chance_of(part, strict)
    out[1] = 1.0 - chance
    out[0] = settle(s, c, x, chance)
    return float(out[0])
