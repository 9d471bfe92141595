"""The evidence of a whole statistic at once: each number ranked among the blocks before (numba).

The same as in a step, number by number. But in most blocks nearly all numbers are less than
every past peak and have the same evidence, so that few need their rank.
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.kernels.anomaly_auto import FEWEST_BLOCKS, SETTLE
from monitorlab.kernels.anomaly_calibration import (
    BLOCK,
    BLOCKS,
    CALIBRATOR_SIZE,
    CLOSED,
    GROUPS,
    HEAD,
    LOWEST,
    blocks,
    calibrator_reset,
    count_in_groups,
    group,
    least_peak,
    put,
    weigh,
)
from monitorlab.kernels.anomaly_parts import log_of
from monitorlab.kernels.compiled import njit

__all__ = ["calibrate"]

CLOSE = 1.0 - 1e-12  # what is below another by this factor has a smaller logarithm


@njit(cache=True)
def _all_there(x: np.ndarray) -> bool:
    missing = 0
    for j in range(len(x)):
        missing += x[j] != x[j]
    return missing == 0


@njit(cache=True, fastmath=True)
def _greatest(x: np.ndarray) -> float:
    """Give the greatest of numbers, none of them missing."""
    top = x[0]
    for j in range(1, len(x)):
        top = x[j] if x[j] > top else top  # noqa: FURB136 - max() would not become vector code
    return top


@njit(cache=True)
def _closed(
    c: np.ndarray, peak: float, coarse: np.ndarray, distances: bool
) -> tuple[float, float, float]:
    """Close a block; give what is less than all past peaks, and the evidence of that."""
    oldest = c[HEAD + BLOCKS + int(c[CLOSED]) % BLOCKS]
    older = count_in_groups(c, coarse, oldest) if c[CLOSED] >= BLOCKS else 0
    put(c, peak, count_in_groups(c, coarse, peak), older)
    group(c, coarse)
    if c[1] < FEWEST_BLOCKS:
        return -np.inf, 0.0, 0.0
    lowest = least_peak(c)
    odds, surprised = weigh(c, lowest, int(blocks(c)))
    return CLOSE * math.exp(lowest) if distances else lowest, odds, surprised


@njit(cache=True, nogil=True)
def calibrate(raw: np.ndarray, surprise: np.ndarray, distances: bool) -> None:
    """Put log odds against each statistic in its place; NaN where it says nothing.

    ``surprise`` is empty, or gets the surprise of each sample. Of distances the logarithm is
    taken, but only of those that are near the least of the past peaks, or the present one.
    """
    c = np.zeros(CALIBRATOR_SIZE)
    calibrator_reset(c)
    c[HEAD : HEAD + BLOCKS] = -np.inf
    coarse = np.full(GROUPS, -np.inf)  # the first of each group of the past peaks
    traced = len(surprise) > 0
    least, usual, surprised = -np.inf, 0.0, 0.0  # nearly all that comes is less than any past peak
    seen = 0
    peak = -np.inf  # of the block that is being filled
    i = 0
    while i < len(raw):
        # the calibrator changes after the first sample of a block, so mostly 24 have the same
        speaks = c[1] >= FEWEST_BLOCKS
        run = BLOCK if speaks and seen == 1 and i + BLOCK <= len(raw) else 1
        if run == BLOCK and not _all_there(raw[i : i + run]):
            run = 1
        x = raw[i + run - 1]
        value = max(log_of(x) if distances else x, LOWEST)
        if run == BLOCK:
            top = _greatest(raw[i : i + run - 1])
            peak = max(peak, log_of(top) if distances else top)
            seen = BLOCK
        for j in range(i, i + run):
            here = raw[j]
            found = usual, surprised
            if here > least and speaks:
                size = max(log_of(here) if distances else here, LOWEST)
                found = weigh(c, size, count_in_groups(c, coarse, size))
            known = speaks and not math.isnan(here)
            raw[j] = found[0] if known else np.nan
            if traced:
                surprise[j] = found[1] if known else 0.0
        i += run
        if i <= SETTLE or math.isnan(x):
            continue
        if seen == BLOCK:
            least, usual, surprised = _closed(c, max(peak, LOWEST), coarse, distances)
            seen = 0
            peak = -np.inf
        seen += 1
        peak = max(peak, value)
