"""How rare a statistic is among spells of its own past: block maxima of it (numba).

The past is cut into blocks of 24 samples and the greatest value of each is kept, so that a
long spell counts once and not once a sample. A new value is ranked among them. Near and beyond
the record a predictive tail takes over: the excesses over the sixth greatest block count as
exponential, their unknown mean has a prior, and what is left after averaging over it is a
Pareto tail that is the heavier the fewer blocks there are.

Every function works in place on one flat ``float64`` slice, so that a detector's whole state
is one array: cheap to pass, to copy and to pickle.
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.compiled import njit

__all__ = [
    "BLOCK",
    "CALIBRATOR_SIZE",
    "CLOSED",
    "GROUPS",
    "LOWEST",
    "block_peak",
    "blocks",
    "calibrator_reset",
    "close",
    "count_beyond",
    "count_in_groups",
    "evidence",
    "group",
    "learn",
    "least_peak",
    "log_odds",
    "middle",
    "put",
    "record",
    "share",
    "weigh",
]

BLOCK = 24  # samples
BLOCKS = 768  # remembered, the oldest are forgotten
HEAD = 4
GROUP = 16  # of the past peaks, counted together
GROUPS = BLOCKS // GROUP
CALIBRATOR_SIZE = HEAD + 2 * BLOCKS

# slots of the head
SEEN = 0  # samples in the block that is being filled
CLOSED = 1  # blocks closed so far, the forgotten ones included
PEAK = 2  # greatest value in the block that is being filled

TAIL_BLOCKS = 5  # greatest blocks that set the scale of the tail
PRIOR_STRENGTH = 4.0  # the prior of the mean excess counts as so many blocks
PRIOR_EXCESS = 1.0  # their excesses together, in units of the statistic (its logarithm)
LOWEST = -700.0  # a logarithm is cut off here: nothing was found at all
LEAST_SHARE = 1e-12
MOST_SHARE = 1.0 - 1e-4
_HALVES = np.log(np.arange(BLOCKS + 1) + 0.5)
_WHOLES = np.log(np.arange(BLOCKS + 1) + 1.0)


@njit(cache=True)
def calibrator_reset(c: np.ndarray) -> None:
    """Make zeros an empty calibrator; the memory behind its head stays untouched."""
    c[PEAK] = -np.inf


@njit(cache=True)
def blocks(c: np.ndarray) -> float:
    """Number of blocks that a value is ranked among."""
    return min(c[CLOSED], float(BLOCKS))


@njit(cache=True)
def block_peak(c: np.ndarray) -> float:
    """Greatest value so far in the block that is being filled, ``-inf`` when it is full."""
    return -np.inf if c[SEEN] >= BLOCK else c[PEAK]


@njit(cache=True)
def record(c: np.ndarray) -> float:
    """Greatest of the past blocks; there must be one."""
    return c[HEAD]


@njit(cache=True)
def least_peak(c: np.ndarray) -> float:
    """Smallest of the past blocks; there must be one."""
    return c[HEAD + int(blocks(c)) - 1]


@njit(cache=True)
def middle(c: np.ndarray) -> float:
    """Median of the past blocks; there must be one."""
    kept = int(blocks(c))
    return 0.5 * (c[HEAD + (kept - 1) // 2] + c[HEAD + kept // 2])


@njit(cache=True)
def count_beyond(c: np.ndarray, x: float) -> int:
    """Number of past blocks with a value of ``x`` and more."""
    low, high = HEAD, HEAD + int(blocks(c))  # falling order
    while low < high:
        middle = (low + high) // 2
        if c[middle] >= x:
            low = middle + 1
        else:
            high = middle
    return low - HEAD


@njit(cache=True)
def excess(c: np.ndarray, k: int) -> float:
    """Sum of the excesses of the ``k`` greatest blocks over the next."""
    total = 0.0
    for j in range(HEAD, HEAD + k):
        total += c[j] - c[HEAD + k]
    return total


@njit(cache=True)
def share(c: np.ndarray, x: float) -> float:
    """Predict the share of blocks with a value of ``x`` and more; needs two blocks."""
    kept = int(blocks(c))
    count = count_beyond(c, x)
    if count >= min(TAIL_BLOCKS, kept - 1):
        return (count + 0.5) / (kept + 1.0)
    return _tail_share(c, x)


@njit(cache=True)
def evidence(c: np.ndarray, x: float) -> tuple[float, float]:
    """Give the log odds against the share of ``x`` and its surprise, minus its logarithm."""
    return weigh(c, x, count_beyond(c, x))


@njit(cache=True)
def weigh(c: np.ndarray, x: float, count: int) -> tuple[float, float]:
    """Give the evidence of ``x`` when so many blocks have as much."""
    kept = int(blocks(c))
    if count >= min(TAIL_BLOCKS, kept - 1):
        return _HALVES[kept - count] - _HALVES[count], _WHOLES[kept] - _HALVES[count]
    part = _tail_share(c, x)
    return log_odds(part), -math.log(max(part, 1e-300))


@njit(cache=True)
def _tail_share(c: np.ndarray, x: float) -> float:
    kept = int(blocks(c))
    k = min(TAIL_BLOCKS, kept - 1)
    beyond = (x - c[HEAD + k]) / (PRIOR_EXCESS + excess(c, k))
    return (k + 0.5) / (kept + 1.0) * (1.0 + beyond) ** -(k + PRIOR_STRENGTH)


@njit(cache=True)
def log_odds(p: float) -> float:
    """Logarithm of the odds against a share: great when it is small, negative above a half."""
    p = min(max(p, LEAST_SHARE), MOST_SHARE)
    return math.log((1.0 - p) / p)


@njit(cache=True)
def learn(c: np.ndarray, x: float) -> None:
    """Add a value to the block that is being filled; a full block is closed first."""
    if c[SEEN] >= BLOCK:
        close(c, c[PEAK])
    c[SEEN] += 1.0
    c[PEAK] = max(c[PEAK], x)


@njit(cache=True)
def close(c: np.ndarray, peak: float) -> None:
    """Keep the peak of a full block, and begin the next."""
    oldest = c[HEAD + BLOCKS + int(c[CLOSED]) % BLOCKS]
    full = c[CLOSED] >= BLOCKS
    put(c, peak, count_beyond(c, peak), count_beyond(c, oldest) if full else 0)


@njit(cache=True)
def put(c: np.ndarray, peak: float, above: int, older: int) -> None:
    """Keep a peak; so many past blocks have as much, and so many as much as the oldest."""
    closed = int(c[CLOSED])
    hole = HEAD + closed if closed < BLOCKS else HEAD + older - 1  # the oldest is forgotten
    j = HEAD + above
    if j > hole:  # what lies between moves up, or down
        between = c[hole:j]
        for i in range(len(between) - 1):
            between[i] = between[i + 1]
        between[-1] = peak
    else:
        between = c[j : hole + 1]
        above_it = peak
        for i in range(len(between)):
            here = between[i]
            between[i] = above_it
            above_it = here
    c[HEAD + BLOCKS + closed % BLOCKS] = peak
    c[CLOSED] = closed + 1.0
    c[SEEN] = 0.0
    c[PEAK] = -np.inf


@njit(cache=True)
def group(c: np.ndarray, coarse: np.ndarray) -> None:
    """Write the first of each sixteen of the past peaks; what is not there yet is ``-inf``."""
    for j in range(len(coarse)):
        coarse[j] = c[HEAD + GROUP * j]


@njit(cache=True)
def count_in_groups(c: np.ndarray, coarse: np.ndarray, x: float) -> int:
    """Count past blocks of ``x`` and more without a branch that cannot be foreseen.

    ``coarse`` is as ``group`` left it after the last block, and peaks that are not there yet are
    ``-inf``.
    """
    groups = 0
    for j in range(len(coarse)):
        groups += coarse[j] >= x
    first = GROUP * max(groups - 1, 0)
    count = 0
    here = c[HEAD + first : HEAD + first + GROUP]
    for j in range(len(here)):
        count += here[j] >= x
    return first + count
