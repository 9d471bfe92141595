"""Ranks in the own past of a series, and how rare a statistic of several series is (numba)."""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.anomaly_calibration import (
    BLOCK,
    CALIBRATOR_SIZE,
    HEAD,
    blocks,
    calibrator_reset,
    learn,
)
from monitorlab.kernels.anomaly_memory import place_of, remember
from monitorlab.kernels.compiled import njit

__all__ = ["REMEMBERED", "SETTLE", "own_chances", "past_ranks"]

REMEMBERED = 3_000  # numbers that a number is ranked among
SETTLE = 100  # numbers before the first that is ranked
LEARNED = 60  # further ones before the statistics of ranks are learned
BELIEVED = 20.0  # blocks of its own past after which a system is half believed
UPPER = 0.2  # share of the blocks beyond the upper of the two quantiles that set the tail
GUMBEL = 1.133  # between the median and that quantile, of block maxima with a tail of scale one
NARROWEST = 0.2  # scale that a tail is given at least
FEWEST_BLOCKS = 4


@njit(cache=True, nogil=True)
def past_ranks(x: np.ndarray, ranks: np.ndarray) -> None:
    """Write how many past numbers are below, equal and above each, and the greatest of them.

    One row each; NaN for the first hundred, and where ``x`` is NaN.
    """
    ranked = np.empty(REMEMBERED)
    aged = np.empty(REMEMBERED)
    k = 0
    ranks[:] = np.nan
    for i in range(len(x)):
        value = x[i]
        if math.isnan(value):
            continue
        held = min(k, REMEMBERED)
        if held >= SETTLE:
            below = place_of(ranked, held, value)
            above = held - _beyond(ranked, held, value)
            ranks[0, i] = below
            ranks[1, i] = held - below - above
            ranks[2, i] = above
            ranks[3, i] = ranked[held - 1]
        remember(ranked, aged, k, REMEMBERED, value)
        k += 1


@njit(cache=True)
def _beyond(ranked: np.ndarray, held: int, x: float) -> int:
    """First of ``held`` rising numbers that is above ``x``."""
    low, high = 0, held
    while low < high:
        middle = (low + high) // 2
        if ranked[middle] <= x:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def own_chances(x: np.ndarray, median: float, upper: float, chance: np.ndarray) -> None:
    """Write how likely as great a statistic is, by the block maxima of its own past.

    Their median and upper quantile, shrunk towards those of ordinary systems, set an
    exponential tail. What few great incidents reach moves neither of the two.
    """
    c = np.zeros(CALIBRATOR_SIZE)
    calibrator_reset(c)
    for i in range(len(x)):
        m = int(blocks(c))
        usual, great = median, upper
        if m >= FEWEST_BLOCKS:
            w = m / (m + BELIEVED)
            usual += w * (c[HEAD + m // 2] - usual)
            great += w * (c[HEAD + int(UPPER * m)] - great)
        scale = max((great - usual) / GUMBEL, NARROWEST)
        share = UPPER * math.exp((great - x[i]) / scale) if x[i] > great else 1.0
        chance[i] = min(share / BLOCK, 1.0)
        if i >= SETTLE + LEARNED:
            learn(c, x[i])
