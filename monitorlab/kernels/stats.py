"""The figures of one window of many series in one call.

>>> import numpy as np
>>> values = np.array([4.0, 1.0, 3.0, 2.0])
>>> select(values, 0, 4, 1), float(values[1])
(2.0, 2.0)
"""

# NaN is what differs from itself; min and max would answer otherwise for it.
# ruff: noqa: FURB136
from __future__ import annotations

from typing import Any

import numpy as np
from numba.np.numpy_support import carray

from monitorlab.kernels.bits import pointer
from monitorlab.kernels.compiled import njit

__all__ = ["FIGURES", "last_at_or_before", "select", "window_figures"]

FIGURES = ("count", "min", "max", "mean", "median", "std", "p95", "p99", "rate")
SMALL = 24  # parts of a window up to this size are sorted by insertion


@njit(cache=True)
def last_at_or_before(times: Any, limit: int) -> int:
    """Give the number of times that are ``<= limit``, searching from the end. O(log k)."""
    n = len(times)
    step = 1
    high = n
    while high - step >= 0 and times[high - step] > limit:
        high -= step
        step *= 2
    low = max(high - step, -1) + 1  # all before low are <= limit, all from high on are not
    while low < high:
        middle = (low + high) >> 1
        if times[middle] <= limit:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def window_figures(
    times_at: Any, values_at: Any, lengths: Any, kinds: Any, begin: int, end: int, out: Any
) -> None:
    """Fill a row of ``out`` for each series with the figures of ``(begin, end]``.

    ``times_at`` and ``values_at`` are memory addresses of the columns, ``lengths`` their
    lengths; ``kinds`` is 1 for a counter, 2 for a rate, 0 for the rest. Finding the window
    is O(log k), the figures O(k) for k samples in it.
    """
    scratch = np.empty(512)
    for s in range(len(lengths)):
        n = lengths[s]
        times = carray(pointer(times_at[s]), (n,), np.int64)
        values = carray(pointer(values_at[s]), (n,), np.float64)
        stop = last_at_or_before(times, end)
        start = last_at_or_before(times[:stop], begin)
        if stop - start > len(scratch):
            scratch = np.empty(2 * (stop - start))
        count = 0
        for i in range(start, stop):
            x = values[i]
            scratch[count] = x
            count += x == x
        row = out[s]
        row[0] = count
        for k in range(1, 9):
            row[k] = np.nan
        if count == 0:
            continue
        _moments(scratch, count, row)
        if kinds[s] == 1:
            if count > 1:
                row[8] = _increase(scratch, count) / _span(times, values, start, stop)
        elif kinds[s] == 2:
            row[8] = row[3]
        _quantiles(scratch, count, row)


@njit(cache=True)
def _moments(x: Any, count: int, row: Any) -> None:
    # Four sums at a time; shifted by the first sample, so an offset costs no digits.
    shift = x[0]
    a = 0.0
    b = 0.0
    c = 0.0
    d = 0.0
    low = x[0]
    high = x[0]
    whole = count - (count & 3)
    for i in range(0, whole, 4):
        a += x[i] - shift
        b += x[i + 1] - shift
        c += x[i + 2] - shift
        d += x[i + 3] - shift
    for i in range(whole, count):
        a += x[i] - shift
    for i in range(count):
        low = x[i] if x[i] < low else low
        high = x[i] if x[i] > high else high
    row[1] = low
    row[2] = high
    if np.isinf(low) or np.isinf(high):
        total = 0.0
        for i in range(count):
            total += x[i]
        row[3] = total / count
        return
    centre = ((a + b) + (c + d)) / count
    mean = shift + centre
    row[3] = min(max(mean, low), high)
    if count < 2:
        return
    a = 0.0
    b = 0.0
    for i in range(count):
        delta = (x[i] - shift) - centre
        a += delta * delta
        b += delta
    row[5] = np.sqrt(max(a - b * b / count, 0.0) / (count - 1))


@njit(cache=True)
def _increase(x: Any, count: int) -> float:
    """Sum the rises; after a fall (a reset) the new value is the rise."""
    total = 0.0
    for i in range(1, count):
        step = x[i] - x[i - 1]
        total += step if step >= 0.0 else x[i]
    return total


@njit(cache=True)
def _span(times: Any, values: Any, start: int, stop: int) -> float:
    """Seconds from the first to the last sample that is not NaN."""
    first = start
    while values[first] != values[first]:
        first += 1
    last = stop - 1
    while values[last] != values[last]:
        last -= 1
    return (times[last] - times[first]) * 1e-9


@njit(cache=True)
def _quantiles(x: Any, count: int, row: Any) -> None:
    # From the median up: each selection works on what the one before left above it.
    done = 0
    for which in range(3):
        q = 0.5 if which == 0 else (0.95 if which == 1 else 0.99)
        exact = q * (count - 1)
        k = int(exact)
        share = exact - k
        if k >= done:
            low = select(x, done, count, k)
            done = k + 1
        else:
            low = x[k]
        if share > 0.0:
            high = x[k + 1]
            if k + 1 >= done:
                for i in range(k + 2, count):
                    if x[i] < high:
                        x[k + 1] = x[i]
                        x[i] = high
                        high = x[k + 1]
                done = k + 2
            step = high - low
            if low != high:
                low = low * (1.0 - share) + high * share if np.isinf(step) else low + step * share
        row[4 if which == 0 else 5 + which] = low


@njit(cache=True)
def select(x: Any, low: int, high: int, k: int) -> float:
    """Bring the k-th smallest of ``x[low:high]`` to ``x[k]``, smaller ones before it.

    Quickselect with a branch-free partition; O(high - low) on average, and a plain sort
    when the pivots turn out badly.
    """
    tries = 0
    while high - low > SMALL:
        tries += 1
        if tries > 40:
            x[low:high] = np.sort(x[low:high])
            return x[k]
        pivot = _pivot(x, low, high)
        # Smaller ones to the front; where none is smaller, equal ones.
        j = low
        for i in range(low, high):
            y = x[i]
            x[i] = x[j]
            x[j] = y
            j += y < pivot
        if k < j:
            high = j
            continue
        stuck = j == low
        low = j
        if stuck or tries > 3:
            for i in range(low, high):
                y = x[i]
                x[i] = x[j]
                x[j] = y
                j += y <= pivot
            if k < j:
                return x[k]
            low = j
    for i in range(low + 1, high):
        y = x[i]
        j = i
        while j > low and x[j - 1] > y:
            x[j] = x[j - 1]
            j -= 1
        x[j] = y
    return x[k]


@njit(cache=True)
def _pivot(x: Any, low: int, high: int) -> float:
    """Median of three samples spread over the range."""
    a = x[low + (high - low) // 4]
    b = x[(low + high) // 2]
    c = x[high - 1 - (high - low) // 4]
    return max(min(a, b), min(max(a, b), c))
