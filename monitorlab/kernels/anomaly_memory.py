"""What was ever seen, and what was seen at this time of the day: memories to compare with (numba).

A memory answers how far a number is from the nearest that it holds. The first kind keeps its
numbers in order, so that the answer costs a binary search; the second keeps those of each half
hour of the day for three weeks of days; the third compares the last samples with all runs of as
many before. Each works on one slice of a flat ``float64`` state.
"""

from __future__ import annotations

import numpy as np

from monitorlab.kernels.compiled import njit

__all__ = [
    "DAY",
    "DAY_SIZE",
    "PATTERN_SIZE",
    "RING",
    "SUMMARIES",
    "day_distances",
    "memory_size",
    "nearest",
    "pattern_distances",
    "place_of",
    "remember",
    "side_of",
]

RING = 64  # samples in the short memories
FEWEST = 5  # numbers a memory must hold before it answers
SUMMARIES = 6  # numbers that a day memory keeps of each sample
DAY = 86_400.0
DAY_SLOT = 1_800.0
DAY_SLOTS = 48
DAY_KEPT = 128  # samples remembered in each half hour of the day
DAY_STEP = 299.0  # seconds between two that are remembered: three weeks of days
OTHER_DAY = 0.25 * DAY  # a sample at least so long ago is of another day
ENTRY = 2 + SUMMARIES  # time, time of the day, summaries
DAY_SLOT_SIZE = 2 + DAY_KEPT * ENTRY
DAY_SIZE = DAY_SLOTS * DAY_SLOT_SIZE + DAY_KEPT
FAR = 1e308
BOTH = 3  # sides of the time of the day
PATTERN = 4  # samples in a row that are compared with others
PATTERN_KEPT = 3_000  # samples, patterns of which are remembered
PATTERN_TILE = 256  # compared with together
PATTERN_SIZE = 1 + PATTERN_KEPT + PATTERN - 1


def memory_size(size: int) -> int:
    """Length of the state of a memory of ``size`` numbers.

    >>> memory_size(100)
    265
    """
    return 1 + RING + 2 * size


@njit(cache=True)
def nearest(s: np.ndarray, x: float, delay: int, stride: int, size: int) -> float:
    """Distance of ``x`` to the nearest number before; remembers ``x`` after ``delay`` samples.

    ``s`` holds a counter, a ring for the delay, ``size`` numbers in rising order and the same
    in order of time; one in ``stride`` is remembered. NaN while it holds fewer than five.
    """
    n = int(s[0])
    s[0] = n + 1.0
    waiting = s[1 : 1 + RING]
    ranked = s[1 + RING : 1 + RING + size]
    aged = s[1 + RING + size : 1 + RING + 2 * size]
    if n >= delay and (n - delay) % stride == 0:
        k = (n - delay) // stride
        remember(ranked, aged, k, size, waiting[(n - delay) % RING])
    waiting[n % RING] = x
    held = min((n - delay) // stride + 1, size) if n >= delay else 0
    if held < FEWEST:
        return np.nan
    place = place_of(ranked, held, x)
    above = ranked[place] - x if place < held else np.inf
    below = x - ranked[place - 1] if place > 0 else np.inf
    return min(above, below)


@njit(cache=True)
def place_of(ranked: np.ndarray, held: int, x: float) -> int:
    """First of ``held`` rising numbers that is not below ``x``."""
    low, high = 0, held
    while low < high:
        middle = (low + high) // 2
        if ranked[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def remember(ranked: np.ndarray, aged: np.ndarray, k: int, size: int, y: float) -> None:
    """Put the ``k``-th number among the others, in the place of the oldest when full."""
    held = min(k, size)
    hole = held if k < size else place_of(ranked, size, aged[k % size])
    place = place_of(ranked, held, y)
    if place <= hole:
        ranked[place + 1 : hole + 1] = ranked[place:hole]
    else:
        place -= 1
        ranked[hole:place] = ranked[hole + 1 : place + 1]
    ranked[place] = y
    aged[k % size] = y


@njit(cache=True)
def day_distances(s: np.ndarray, t: float, x: np.ndarray, found: np.ndarray) -> None:
    """Write how far each summary is from the nearest within half an hour on other days.

    NaN until such a day was seen, and where a gap in it leaves fewer than five samples, all of
    them earlier in the day or all later. A sample is remembered when the last one of its half hour
    is five minutes old. Each half hour holds two counters and a row of times, of times of the
    day, and of each summary; the last 128 numbers of ``s`` are scratch.
    """
    clock = t % DAY
    slot = min(max(int(clock / DAY_SLOT), 0), DAY_SLOTS - 1)
    apart = s[DAY_SLOTS * DAY_SLOT_SIZE : DAY_SIZE]
    found[:] = FAR
    number = 0
    sides = 0
    for shift in range(-1, 2):
        a = ((slot + shift) % DAY_SLOTS) * DAY_SLOT_SIZE
        kept = int(min(s[a], float(DAY_KEPT)))
        if kept == 0:
            continue
        a += 2
        clocks = s[a + DAY_KEPT : a + 2 * DAY_KEPT]
        number += _other_days(s[a : a + DAY_KEPT], clocks, kept, t, clock, apart)
        if number < FEWEST:
            for j in range(kept):
                if apart[j] == 0.0:
                    sides |= side_of(clocks[j], clock)
        for k in range(SUMMARIES):
            a_k = a + (2 + k) * DAY_KEPT
            found[k] = min(found[k], _nearest_of(s[a_k : a_k + DAY_KEPT], kept, x[k], apart))
    a = slot * DAY_SLOT_SIZE
    if s[a] == 0.0 or abs(t - s[a + 1]) >= DAY_STEP:
        j = a + 2 + int(s[a]) % DAY_KEPT
        s[j] = t
        s[j + DAY_KEPT] = clock
        for k in range(SUMMARIES):
            s[j + (2 + k) * DAY_KEPT] = x[k]
        s[a] += 1.0
        s[a + 1] = t
    if number == 0 or (number < FEWEST and sides != BOTH):
        found[:] = np.nan


@njit(cache=True, nogil=True)
def side_of(other: float, clock: float) -> int:
    """Tell whether a time of the day is before (1) or after (2) another; about as late is both."""
    gap = other - clock
    gap -= DAY * round(gap / DAY)
    return (1 if gap <= DAY_STEP else 0) + (2 if gap >= -DAY_STEP else 0)


@njit(cache=True, fastmath=True)
def _other_days(
    times: np.ndarray, clocks: np.ndarray, kept: int, t: float, clock: float, apart: np.ndarray
) -> int:
    """Write 0 for each sample to compare with, a great number for the others; count the first."""
    number = 0
    for j in range(kept):
        gap = abs(clock - clocks[j])
        near = (gap <= DAY_SLOT) | (gap >= DAY - DAY_SLOT)
        good = near & (abs(t - times[j]) >= OTHER_DAY)
        apart[j] = 0.0 if good else FAR
        number += 1 if good else 0
    return number


@njit(cache=True, fastmath=True)
def _nearest_of(values: np.ndarray, kept: int, x: float, apart: np.ndarray) -> float:
    """Distance of ``x`` to the nearest of the first ``kept`` values that are not apart."""
    best = FAR
    for j in range(kept):
        d = abs(values[j] - x) + apart[j]
        best = d if d < best else best  # noqa: FURB136 - min() would not become vector code
    return best


@njit(cache=True)
def pattern_distances(s: np.ndarray, x: float) -> tuple[float, float]:
    """Distance of the last four samples to the nearest four before, as they are and as a shape.

    It is the greatest difference of a sample to that in its place; of shapes, at the level where
    they fit best. NaN while there are fewer than five to compare with. ``s`` holds a counter and
    a ring of samples, a quarter of each, so that no difference is infinite; behind its end are
    the first three again.
    """
    n = int(s[0])
    s[0] = n + 1.0
    ring = s[1:PATTERN_SIZE]
    at = n % PATTERN_KEPT
    ring[at] = 0.25 * x
    if at < PATTERN - 1:
        ring[PATTERN_KEPT + at] = ring[at]
    end = at + 2 - 2 * PATTERN  # four that start from here on end among the last four
    if n + 2 - 2 * PATTERN < FEWEST:
        return np.nan, np.nan
    a = (at - 3) % PATTERN_KEPT
    last = ring[a], ring[a + 1], ring[a + 2], ring[a + 3]
    near = np.full(PATTERN_TILE, np.inf)
    span = np.full(PATTERN_TILE, np.inf)
    _compare_patterns(ring, 0, end, last, near, span)
    if n >= PATTERN_KEPT:  # older ones stand behind the newest sample
        _compare_patterns(ring, at + 1, PATTERN_KEPT + min(end, 0), last, near, span)
    return 4.0 * near.min(), 2.0 * span.min()


@njit(cache=True)
def _compare_patterns(
    ring: np.ndarray,
    begin: int,
    end: int,
    last: tuple[float, float, float, float],
    near: np.ndarray,
    span: np.ndarray,
) -> None:
    """Lower the greatest difference and the range of differences to what four in a row have."""
    for i in range(begin, end, PATTERN_TILE):
        m = min(PATTERN_TILE, end - i)
        a, b, c, d = ring[i : i + m], ring[i + 1 :], ring[i + 2 :], ring[i + 3 :]
        _lower(a, b, c, d, last, near, span)


@njit(cache=True)
def _lower(
    a: np.ndarray,
    b: np.ndarray,
    c: np.ndarray,
    d: np.ndarray,
    last: tuple[float, float, float, float],
    near: np.ndarray,
    span: np.ndarray,
) -> None:
    """Do so for a tile, each place by itself: this becomes vector code."""
    for j in range(len(a)):
        e, f, g, h = a[j] - last[0], b[j] - last[1], c[j] - last[2], d[j] - last[3]
        high, low = max(e, f, g, h), min(e, f, g, h)
        near[j] = min(near[j], max(high, -low))
        span[j] = min(span[j], high - low)
