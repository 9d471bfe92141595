"""Ranks in the own past of a series, how rare a statistic of several is, and spells (numba)."""

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

__all__ = [
    "REMEMBERED",
    "SETTLE",
    "bar",
    "beyond_usual",
    "own_chances",
    "past_ranks",
    "spell_end",
    "usual_counts",
]

REMEMBERED = 3_000  # numbers that a number is ranked among
SETTLE = 100  # numbers before the first that is ranked
LEARNED = 60  # further ones before the statistics of ranks are learned
BELIEVED = 20.0  # blocks of its own past after which a system is half believed
WARNED = 4.0  # the same, of a system that shows more than ordinary ones
UPPER = 0.2  # share of the blocks beyond the upper of the two quantiles that set the tail
GUMBEL = 1.133  # between the median and that quantile, of block maxima with a tail of scale one
NARROWEST = 0.2  # scale that a tail is given at least
FEWEST_BLOCKS = 4
RARE = 4e-3  # chance at and below which a statistic may be kept out: a tenth of the blocks has it
DELAY = 36  # numbers that are not compared with yet
STRIDE = 4  # one in so many is remembered
EDGE = 0.05  # share of the past numbers beyond each end of the usual range
SAME = 1e-9  # a usual range this narrow beside its numbers is none
MEMORY = 1_200.0  # moments after which what was usual for a count fades
CLIP = 3.0  # deviations above the usual at which a count is learned
LEAST_MEAN = 1e-6
GROWING = 6  # moments in which more and more series answer one fault
RARER = 100.0  # within a spell only what is so many times rarer alarms again
SPELL = 0.995  # tail below which, three moments in a row, a spell is over
QUIET = 3
BARRED = 10.0  # times as frequent as an alarm: what goes on after one is made so


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
def beyond_usual(x: np.ndarray, beyond: np.ndarray) -> None:
    """Write how far each number lies beyond where nine of ten past ones were.

    ``log(1 + distance / range)``: 0 inside, and where the past has no range. Of numbers that
    change slowly one in four is enough to compare with.
    """
    size = REMEMBERED // STRIDE
    ranked = np.empty(size)
    aged = np.empty(size)
    k = 0
    beyond[:] = 0.0
    for i in range(DELAY, len(x)):
        if (i - DELAY) % STRIDE == 0:
            remember(ranked, aged, k, size, x[i - DELAY])
            k += 1
        held = min(k, size)
        if held * STRIDE < SETTLE:
            continue
        edge = int(EDGE * held)
        low, high = ranked[edge], ranked[held - 1 - edge]
        usual = high - low
        if usual > SAME * max(abs(low), abs(high)):
            beyond[i] = math.log1p(max(x[i] - high, low - x[i], 0.0) / usual)


@njit(cache=True, nogil=True)
def own_chances(
    x: np.ndarray, median: float, upper: float, kept_out: float, chance: np.ndarray
) -> None:
    """Write how likely as great a statistic is, by the block maxima of its own past.

    Their median and upper quantile, shrunk towards those of ordinary systems, set an
    exponential tail. What few great incidents reach moves neither of the two. Where one begins,
    a block is not learned at all, as long as ``kept_out`` of such a block was saved up for
    each number that was: a habit takes more than that, and is learned.
    """
    c = np.zeros(CALIBRATOR_SIZE)
    calibrator_reset(c)
    saved, left = 0.0, 0
    for i in range(len(x)):
        m = int(blocks(c))
        usual, great = median, upper
        if m >= FEWEST_BLOCKS:
            usual = _shrunk(c[HEAD + m // 2], usual, m)
            great = _shrunk(c[HEAD + int(UPPER * m)], great, m)
        scale = max((great - usual) / GUMBEL, NARROWEST)
        share = UPPER * math.exp((great - x[i]) / scale) if x[i] > great else 1.0
        chance[i] = min(share / BLOCK, 1.0)
        if i < SETTLE + LEARNED:
            continue
        if left == 0 and chance[i] <= RARE and saved >= BLOCK:
            saved -= BLOCK
            left = BLOCK
        if left > 0:
            left -= 1
        else:
            learn(c, x[i])
            saved += kept_out


@njit(cache=True)
def _shrunk(own: float, ordinary: float, blocks_seen: int) -> float:
    """Draw what a system shows towards what is ordinary; more than that is sooner believed."""
    half = BELIEVED if own < ordinary else WARNED
    return ordinary + blocks_seen / (blocks_seen + half) * (own - ordinary)


@njit(cache=True, nogil=True)
def usual_counts(counts: np.ndarray, mean: float, means: np.ndarray) -> None:
    """Write the mean that a count had before each moment; it fades, and outliers are clipped."""
    fade = math.log(2.0) / MEMORY
    for i in range(len(counts)):
        means[i] = mean
        usual = min(counts[i], mean + CLIP * math.sqrt(mean) + 1.0)
        mean += max(fade, 1.0 / (MEMORY + i)) * (usual - mean)
        mean = max(mean, LEAST_MEAN)


@njit(cache=True, nogil=True)
def bar(tail: np.ndarray, threshold: float, refractory: int, score: np.ndarray) -> None:
    """Write the tail, lowered below the threshold where a spell has alarmed already."""
    cap = max(0.0, 1.0 - BARRED * (1.0 - threshold))
    left, quiet, spoken, rarest = 0, 0, False, 1.0
    for i in range(len(tail)):
        quiet = 0 if tail[i] >= SPELL else quiet + 1
        spoken = spoken and quiet < QUIET
        score[i] = tail[i]
        if tail[i] >= threshold:
            chance = 1.0 - tail[i]
            grown = left <= refractory + 1 - GROWING and chance * RARER <= rarest
            if (left <= 0 and not spoken) or grown:
                left, spoken, rarest = refractory + 1, True, chance
            else:
                score[i] = cap
        left -= 1


@njit(cache=True, nogil=True)
def spell_end(tail: np.ndarray, alarm: int) -> int:
    """Row after the last of the spell that an alarm is in."""
    end, quiet = alarm + 1, 0
    for i in range(alarm + 1, len(tail)):
        quiet = 0 if tail[i] >= SPELL else quiet + 1
        if quiet >= QUIET:
            break
        if quiet == 0:
            end = i + 1
    return end
