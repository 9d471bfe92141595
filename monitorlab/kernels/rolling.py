"""Statistics of every time window ``(t - w, t]`` of a series, each in one pass.

Each window is held as two halves: running figures of the newer half, and for the older one
a figure for every place where it may begin, computed backwards once when the older half is
used up. So nothing is ever subtracted: a window's figure depends on its own samples alone,
a spike that has left leaves no rounding error behind, and infinities do no harm. Every
sample is looked at twice, whatever the window.

NaN is skipped. ``starts`` are the places where the windows begin (``window_starts`` of
increasing ``int64`` times), ``present[k]`` is the number of samples before ``k`` that are
not NaN, or an empty array when all are there. The caller gives ``out`` and ``scratch`` (two
rows; an array that a compiled loop may replace makes it twice as slow). A kernel whose
scratch is too short for a window stops and returns the length that it needs, otherwise 0.

References
----------
K. Tangwongsan, M. Hirzel, S. Schneider, K.-L. Wu (2015), "General incremental
sliding-window aggregation" (the two-stacks form). T. F. Chan, G. H. Golub, R. J. LeVeque
(1983), "Algorithms for computing the sample variance" (shifted data). T. Ogita, S. M. Rump,
S. Oishi (2005), "Accurate sum and dot product".

>>> import numpy as np
>>> starts, values = np.empty(4, np.int64), np.array([1.0, 5.0, 3.0, 2.0])
>>> window_starts(np.array([0, 10, 20, 30]), 25, starts)
>>> out = np.empty(4)
>>> rolling_max(starts, values, np.empty(0, np.int64), np.empty((2, 4)), out)
0
>>> out.tolist()
[1.0, 5.0, 5.0, 5.0]
"""

# NaN is what differs from itself; min and max would answer otherwise for it.
# All kernels have the same arguments.
# ruff: noqa: ARG001, FURB136
from __future__ import annotations

from typing import Any

import numpy as np

from monitorlab.kernels.compiled import njit

__all__ = [
    "rolling_count",
    "rolling_max",
    "rolling_mean",
    "rolling_min",
    "rolling_std",
    "rolling_sum",
    "window_starts",
]

HUGE = 1e150  # the square of what is larger overflows


@njit(cache=True)
def window_starts(times: Any, window: int, starts: Any) -> None:
    """Fill in for each sample the index of the first sample in its window. O(n).

    Four stretches are walked side by side and each step advances without a branch, so that
    irregular times, where no branch can be foretold, cost no more than regular ones.
    """
    n = len(times)
    part = n // 4
    a = 0
    b = _first_inside(times, part, window)
    c = _first_inside(times, 2 * part, window)
    d = _first_inside(times, 3 * part, window)
    for i in range(part):
        limit = times[i] - window
        a += times[a] <= limit
        a += times[a] <= limit
        while times[a] <= limit:
            a += 1
        starts[i] = a
        limit = times[i + part] - window
        b += times[b] <= limit
        b += times[b] <= limit
        while times[b] <= limit:
            b += 1
        starts[i + part] = b
        limit = times[i + 2 * part] - window
        c += times[c] <= limit
        c += times[c] <= limit
        while times[c] <= limit:
            c += 1
        starts[i + 2 * part] = c
        limit = times[i + 3 * part] - window
        d += times[d] <= limit
        d += times[d] <= limit
        while times[d] <= limit:
            d += 1
        starts[i + 3 * part] = d
    for i in range(4 * part, n):
        limit = times[i] - window
        while times[d] <= limit:
            d += 1
        starts[i] = d


@njit(cache=True)
def _first_inside(times: Any, i: int, window: int) -> int:
    if i >= len(times):
        return 0
    limit = times[i] - window
    low = 0
    high = i
    while low < high:
        middle = (low + high) >> 1
        if times[middle] <= limit:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def rolling_count(starts: Any, values: Any, present: Any, scratch: Any, out: Any) -> int:
    """Count the samples that are not NaN. O(n)."""
    for i in range(len(starts)):
        out[i] = _count(present, starts[i], i)
    return 0


@njit(cache=True)
def _count(present: Any, left: int, i: int) -> int:
    """Count the samples in ``[left, i]`` that are there."""
    return present[i + 1] - present[left] if len(present) > 0 else i + 1 - left


@njit(cache=True)
def rolling_sum(starts: Any, values: Any, present: Any, scratch: Any, out: Any) -> int:
    """Sum, compensated: the error does not grow with the window. O(n)."""
    return _rolling_sum(starts, values, present, scratch, False, out)


@njit(cache=True)
def rolling_mean(starts: Any, values: Any, present: Any, scratch: Any, out: Any) -> int:
    """Mean, from the compensated sum; of equal samples exactly their value. O(n)."""
    return _rolling_sum(starts, values, present, scratch, True, out)


@njit(cache=True)
def _rolling_sum(
    starts: Any, values: Any, present: Any, scratch: Any, divide: bool, out: Any
) -> int:
    old_sum = scratch[0]  # sums of the older half from each place on …
    old_error = scratch[1]  # … and what their rounding lost
    base = 0  # the older half is [left, middle); old_sum[k - base] belongs to k
    middle = 0
    new_sum = 0.0
    new_error = 0.0
    run = 0  # all samples from here on are equal
    same = np.nan
    for i in range(len(starts)):
        left = starts[i]
        x = values[i]
        if x == x:
            if x != same:
                run = i
                same = x
            total = new_sum + x
            back = total - new_sum
            new_error += (new_sum - (total - back)) + (x - back)
            new_sum = total
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old_sum):
                return middle - base
            new_sum = 0.0
            new_error = 0.0
            for k in range(i, left - 1, -1):
                x = values[k]
                if x == x:
                    total = new_sum + x
                    back = total - new_sum
                    new_error += (new_sum - (total - back)) + (x - back)
                    new_sum = total
                old_sum[k - base] = new_sum
                old_error[k - base] = new_error
            new_sum = 0.0
            new_error = 0.0
        count = _count(present, left, i)
        if count == 0:
            out[i] = np.nan
            continue
        if divide and run <= left:
            out[i] = same
            continue
        total = new_sum
        error = new_error
        if left < middle:
            total += old_sum[left - base]
            error += old_error[left - base]
        result = total + error
        if result != result:  # infinities: their "rounding error" is NaN
            result = total
        out[i] = result / count if divide else result
    return 0


@njit(cache=True)
def rolling_std(starts: Any, values: Any, present: Any, scratch: Any, out: Any) -> int:
    """Sample standard deviation (``ddof=1``), NaN below two samples. O(n).

    Sums and sums of squares about a centre, the mean near the last change of halves; so a
    large common offset costs no digits. When the window has moved so far from the centre
    that three digits would be lost, the halves are made anew about the present mean.
    Windows with samples beyond 1e150 are computed one by one.
    """
    old_sum = scratch[0]
    old_square = scratch[1]
    base = 0
    middle = 0
    huge = -1  # newest sample whose square would overflow, infinities among them
    new_sum = 0.0
    new_square = 0.0
    centre = 0.0
    drift = 0.0  # mean of the last window about the centre
    for i in range(len(starts)):
        left = starts[i]
        x = values[i]
        if abs(x) <= HUGE:
            x -= centre
            new_sum += x
            new_square += x * x
        elif x == x:
            huge = i
        if huge >= left:
            out[i] = _std_directly(values, left, i + 1)
            continue
        count = _count(present, left, i)
        if count < 2:
            out[i] = np.nan
            continue
        renew = 1 if left > middle else 0  # 1: about the last known mean, 2: the exact one
        scaled = 0.0
        rest = 0.0
        while True:
            if renew > 0:
                base = left
                middle = i + 1
                if middle - base > len(old_sum):
                    return middle - base
                centre = _centre(values, left, middle) if renew == 2 else centre + drift
                new_sum = 0.0
                new_square = 0.0
                for k in range(i, left - 1, -1):
                    x = values[k]
                    if abs(x) <= HUGE:
                        x -= centre
                        new_sum += x
                        new_square += x * x
                    old_sum[k - base] = new_sum
                    old_square[k - base] = new_square
                new_sum = 0.0
                new_square = 0.0
            total = new_sum
            square = new_square
            if left < middle:
                total += old_sum[left - base]
                square += old_square[left - base]
            scaled = square * count
            rest = scaled - total * total
            drift = total / count
            if renew == 2 or rest >= 1e-3 * scaled:
                break
            renew = 2
        out[i] = np.sqrt(max(rest, 0.0) / (np.float64(count) * (count - 1)))
    return 0


@njit(cache=True)
def _centre(values: Any, start: int, stop: int) -> float:
    """Give the mean of what is not NaN or huge; of equal samples exactly their value."""
    shift = 0.0
    total = 0.0
    count = 0
    for k in range(start, stop):
        x = values[k]
        if abs(x) <= HUGE:
            if count == 0:
                shift = x
            count += 1
            total += x - shift
    return shift + total / max(count, 1)


@njit(cache=True)
def _std_directly(values: Any, start: int, stop: int) -> float:
    """Compute one window in two passes, scaled so that no square overflows."""
    largest = 0.0
    count = 0
    for k in range(start, stop):
        x = values[k]
        if x == x:
            count += 1
            largest = max(largest, abs(x))
    if count < 2 or np.isinf(largest):
        return np.nan
    mean = 0.0
    for k in range(start, stop):
        x = values[k]
        if x == x:
            mean += x / largest / count
    square = 0.0
    for k in range(start, stop):
        x = values[k]
        if x == x:
            square += (x / largest - mean) ** 2
    return largest * np.sqrt(square / (count - 1))


@njit(cache=True)
def rolling_max(starts: Any, values: Any, present: Any, scratch: Any, out: Any) -> int:
    """Largest sample. O(n), without a data-dependent branch."""
    old = scratch[0]
    base = 0
    middle = 0
    new = -np.inf
    for i in range(len(starts)):
        left = starts[i]
        x = values[i]
        new = x if x > new else new
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old):
                return middle - base
            new = -np.inf
            for k in range(i, left - 1, -1):
                x = values[k]
                new = x if x > new else new
                old[k - base] = new
            new = -np.inf
        best = new
        if left < middle:
            older = old[left - base]
            best = older if older > new else new
        out[i] = best if _count(present, left, i) > 0 else np.nan
    return 0


@njit(cache=True)
def rolling_min(starts: Any, values: Any, present: Any, scratch: Any, out: Any) -> int:
    """Smallest sample. O(n), without a data-dependent branch."""
    old = scratch[0]
    base = 0
    middle = 0
    new = np.inf
    for i in range(len(starts)):
        left = starts[i]
        x = values[i]
        new = x if x < new else new
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old):
                return middle - base
            new = np.inf
            for k in range(i, left - 1, -1):
                x = values[k]
                new = x if x < new else new
                old[k - base] = new
            new = np.inf
        best = new
        if left < middle:
            older = old[left - base]
            best = older if older < new else new
        out[i] = best if _count(present, left, i) > 0 else np.nan
    return 0
