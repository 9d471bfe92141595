"""How many spells of its own past were as strange: block maxima of a statistic (numba).

The past is cut into blocks of 24 samples and the greatest value of each is kept, so that a
long spell counts once and not once a sample. A new value is ranked among them; beyond the
record an exponential tail goes on, its scale the mean excess of the five greatest blocks
shrunk to a prior.

Every function works in place on one flat ``float64`` slice, so that a detector's whole state
is one array: cheap to pass, to copy and to pickle.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = [
    "BLOCK",
    "CALIBRATOR_SIZE",
    "block_peak",
    "blocks",
    "calibrator_reset",
    "learn",
    "log_count",
]

BLOCK = 24  # samples
BLOCKS = 768  # remembered, the oldest are forgotten
HEAD = 4
CALIBRATOR_SIZE = HEAD + 2 * BLOCKS

# slots of the head
SEEN = 0  # samples in the block that is being filled
CLOSED = 1  # blocks closed so far, the forgotten ones included
PEAK = 2  # greatest value in the block that is being filled

TAIL_BLOCKS = 5  # greatest blocks that set the scale of the tail
PRIOR_SCALE = 0.25
PRIOR_STRENGTH = 4.0  # the prior counts as so many blocks
LOWEST = -1e3  # a block that was silent throughout counts as this in the tail


@njit(cache=True)
def calibrator_reset(c: np.ndarray) -> None:
    """Empty the calibrator ``c``."""
    c[:] = 0.0
    c[PEAK] = -np.inf


@njit(cache=True)
def blocks(c: np.ndarray) -> float:
    """Number of blocks that a value is ranked among."""
    return min(c[CLOSED], float(BLOCKS))


@njit(cache=True)
def block_peak(c: np.ndarray) -> float:
    """Greatest value so far in the block that is being filled."""
    return c[PEAK]


@njit(cache=True)
def log_count(c: np.ndarray, x: float, limit: float) -> float:
    """Logarithm of the number of past blocks with a value of ``x`` and more, plus a half.

    Beyond the record it falls below ``ln 0.5`` by the excess in units of the tail's scale, at
    most by ``limit``.
    """
    kept = int(min(c[CLOSED], float(BLOCKS)))
    low, high = HEAD, HEAD + kept  # falling order: count those >= x
    while low < high:
        middle = (low + high) // 2
        if c[middle] >= x:
            low = middle + 1
        else:
            high = middle
    count = low - HEAD
    if count > 0 or kept < 2:
        return math.log(count + 0.5)
    k = min(TAIL_BLOCKS, kept - 1)
    base = max(c[HEAD + k], LOWEST)
    excess = 0.0
    for j in range(HEAD, HEAD + k):
        excess += max(c[j], LOWEST) - base
    scale = (excess + PRIOR_SCALE * PRIOR_STRENGTH) / (k + PRIOR_STRENGTH)
    return math.log(0.5) - min((x - max(c[HEAD], LOWEST)) / scale, limit)


@njit(cache=True)
def learn(c: np.ndarray, x: float) -> None:
    """Add a value to the block that is being filled, and close the block when it is full."""
    if c[SEEN] >= BLOCK:
        _close(c)
    c[SEEN] += 1.0
    c[PEAK] = max(c[PEAK], x)


@njit(cache=True)
def _close(c: np.ndarray) -> None:
    peak = c[PEAK]
    closed = int(c[CLOSED])
    kept = min(closed, BLOCKS)
    place = HEAD + BLOCKS + closed % BLOCKS
    if closed >= BLOCKS:  # forget the oldest
        oldest = c[place]
        j = HEAD
        while c[j] != oldest:
            j += 1
        for i in range(j, HEAD + kept - 1):
            c[i] = c[i + 1]
        kept -= 1
    j = HEAD + kept
    while j > HEAD and c[j - 1] < peak:
        c[j] = c[j - 1]
        j -= 1
    c[j] = peak
    c[place] = peak
    c[CLOSED] = closed + 1.0
    c[SEEN] = 0.0
    c[PEAK] = -np.inf
