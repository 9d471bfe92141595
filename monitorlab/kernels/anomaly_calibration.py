"""Tail probability of a statistic among its own past (numba, one sample at a time).

A statistic's logarithms go into a histogram whose old counts fade; the share of the past at
or above a new value is its tail probability. Beyond the record an exponential tail of the
logarithm (a Pareto tail of the statistic, Hill's estimator shrunk to a prior) goes on.

Every function works in place on one flat ``float64`` slice, so that a detector's whole state
is one array: cheap to pass, to copy and to pickle.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["CALIBRATOR_SIZE", "calibrator_reset", "learn", "surprise"]

BINS = 256
WIDTH = 0.125  # of a bin, in units of the natural logarithm: 32 e-foldings in all
HEAD = 12
CALIBRATOR_SIZE = HEAD + BINS

# slots of the head
TOTAL = 0  # sum of the weights
WEIGHT = 1  # weight of the next sample; grows instead of fading all the others
TOP = 2  # highest bin in use, -1 when none
RECORD = 3  # greatest logarithm seen
REFERENCE = 4  # logarithm in the middle of the histogram; NaN until the first positive value
GROWTH = 5  # factor on the weight from one sample to the next: 1 never forgets
PRIOR = 6  # prior mean excess of the logarithm in the tail
COUNT = 7  # samples learned
RUN = 8  # samples in which a lower value counts as an echo of a high one
LAST = 9  # count at the last high value
PEAK = 10  # that value

PRIOR_STRENGTH = 4.0  # the prior counts as so many exceedances
TAIL_SHARE = 0.02
TAIL_COUNT = 8.0
WEIGHT_LIMIT = 1e12
HIGH = 3.0  # surprise from which a value counts as high


@njit(cache=True)
def calibrator_reset(c: np.ndarray, memory: float, prior: float, run: float) -> None:  # type: ignore[type-arg]
    """Empty the calibrator ``c``; samples fade with the time constant ``memory`` (0: never)."""
    c[:] = 0.0
    c[WEIGHT] = 1.0
    c[TOP] = -1.0
    c[RECORD] = -np.inf
    c[REFERENCE] = np.nan
    c[GROWTH] = math.exp(1.0 / memory) if memory > 0.0 else 1.0
    c[PRIOR] = prior
    c[RUN] = run
    c[LAST] = -1e18
    c[PEAK] = -np.inf


@njit(cache=True)
def surprise(c: np.ndarray, x: float) -> float:  # type: ignore[type-arg]
    """Give ``-ln p``, ``p`` the tail probability of a statistic whose logarithm is ``x``.

    ``x`` is ``-inf`` for a statistic of zero, whose ``p`` is 1.
    """
    weight = c[WEIGHT]
    n = c[TOTAL] / weight
    if x == -np.inf or n < 1.0:
        return 0.0
    if c[TOP] < 0.0:  # the first value above zero, ever
        return math.log(n + 1.0) + 1.0
    position = (x - c[REFERENCE]) / WIDTH + 0.5 * BINS
    row = min(max(int(math.floor(position)), 0), BINS - 1)
    top = int(c[TOP])
    above = 0.0
    for j in range(top, row, -1):
        above += c[HEAD + j]
    if row <= top:
        above += c[HEAD + row] * min(max(row + 1.0 - position, 0.0), 1.0)
    above /= weight
    if above >= 1.0:
        return math.log((n + 1.0) / min(above + 0.5, n + 1.0))
    # near or beyond the record: where the faded count above falls to one
    count = 0.0
    edge = top
    for j in range(top, -1, -1):
        count += c[HEAD + j] / weight
        edge = j
        if count >= 1.0:
            break
    start = min(c[REFERENCE] + (edge + 0.5 - 0.5 * BINS) * WIDTH, c[RECORD])
    reach = max(TAIL_COUNT, TAIL_SHARE * n)
    count = 0.0
    excess = 0.0
    for j in range(top, -1, -1):
        h = c[HEAD + j] / weight
        if h > 0.0:
            excess += h * j
            count += h
            edge = j
            if count >= reach:
                break
    excess = (excess - count * edge + 0.5 * count) * WIDTH
    scale = (excess + PRIOR_STRENGTH * c[PRIOR]) / (count + PRIOR_STRENGTH)
    return math.log((n + 1.0) / 1.5) + max(x - start, 0.0) / scale


@njit(cache=True)
def learn(c: np.ndarray, x: float, found: float) -> None:  # type: ignore[type-arg]
    """Add a statistic whose logarithm is ``x`` (``-inf`` for zero) to the past."""
    c[COUNT] += 1.0
    c[WEIGHT] *= c[GROWTH]
    weight = c[WEIGHT]
    if weight > WEIGHT_LIMIT:
        for j in range(BINS):
            c[HEAD + j] /= weight
        c[TOTAL] /= weight
        c[WEIGHT] = weight = 1.0
    c[TOTAL] += weight
    if x == -np.inf:
        return
    if c[RUN] > 0.0 and found >= HIGH:
        if c[COUNT] - c[LAST] <= c[RUN] and x <= c[PEAK]:
            return
        if c[COUNT] - c[LAST] > c[RUN] or x > c[PEAK]:
            c[PEAK] = x
        c[LAST] = c[COUNT]
    if c[TOP] < 0.0:
        c[REFERENCE] = x
    position = (x - c[REFERENCE]) / WIDTH + 0.5 * BINS
    row = min(max(int(math.floor(position)), 0), BINS - 1)
    c[HEAD + row] += weight
    if row > c[TOP]:
        c[TOP] = row
    c[RECORD] = max(c[RECORD], x)
