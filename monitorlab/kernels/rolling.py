"""Statistics of every time window ``(t - w, t]`` of a series, each in one pass.

Each window is held as two halves: running figures of the newer half, and for the older one
a figure for every place where it may begin, computed backwards once when the older half is
used up. So nothing is ever subtracted: a window's figure depends on its own samples alone,
a spike that has left leaves no rounding error behind, and infinities do no harm. Every
sample is looked at twice, whatever the window.

NaN is skipped. Kernels fill an ``out`` of the caller, whose allocator asks for large pages.
``times`` are ``int64`` and do not decrease; ``window`` is positive.

References
----------
K. Tangwongsan, M. Hirzel, S. Schneider, K.-L. Wu (2015), "General incremental
sliding-window aggregation" (the two-stacks form). T. F. Chan, G. H. Golub, R. J. LeVeque
(1983), "Algorithms for computing the sample variance" (shifted data). T. Ogita, S. M. Rump,
S. Oishi (2005), "Accurate sum and dot product".

>>> import numpy as np
>>> times, values = np.array([0, 10, 20, 30]), np.array([1.0, 5.0, 3.0, 2.0])
>>> out = np.empty(4)
>>> rolling_max(times, values, 25, out)
>>> out.tolist()
[1.0, 5.0, 5.0, 5.0]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

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
def window_starts(times: Any, window: int) -> Any:
    """Give for each sample the index of the first sample in its window. O(n)."""
    n = len(times)
    starts = np.empty(n, np.int64)
    left = 0
    for i in range(n):
        limit = times[i] - window
        while times[left] <= limit:
            left += 1
        starts[i] = left
    return starts


@njit(cache=True)
def rolling_count(times: Any, values: Any, window: int, out: Any) -> None:
    """Count the samples that are not NaN. O(n)."""
    n = len(times)
    left = 0
    count = 0
    for i in range(n):
        count += values[i] == values[i]
        limit = times[i] - window
        while times[left] <= limit:
            count -= values[left] == values[left]
            left += 1
        out[i] = count


@njit(cache=True)
def rolling_sum(times: Any, values: Any, window: int, out: Any) -> None:
    """Sum, compensated: the error does not grow with the window. O(n)."""
    _rolling_sum(times, values, window, False, out)


@njit(cache=True)
def rolling_mean(times: Any, values: Any, window: int, out: Any) -> None:
    """Mean, from the compensated sum. O(n)."""
    _rolling_sum(times, values, window, True, out)


@njit(cache=True)
def _rolling_sum(times: Any, values: Any, window: int, divide: bool, out: Any) -> None:
    n = len(times)
    old_sum = np.zeros(64)  # sums of the older half from each place on, and their errors
    old_error = np.zeros(64)
    base = 0  # the older half is [left, middle), old_sum[k - base] belongs to k
    middle = 0
    left = 0
    count = 0
    new_sum = 0.0
    new_error = 0.0
    run = 0  # all samples from here on are equal: their mean is exact
    same = np.nan
    for i in range(n):
        x = values[i]
        if x == x:
            if x != same:
                run = i
                same = x
            count += 1
            total = new_sum + x
            back = total - new_sum
            new_error += (new_sum - (total - back)) + (x - back)
            new_sum = total
        limit = times[i] - window
        while times[left] <= limit:
            count -= values[left] == values[left]
            left += 1
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old_sum):
                old_sum = np.empty(2 * (middle - base))
                old_error = np.empty(2 * (middle - base))
            running = 0.0
            error = 0.0
            for k in range(i, left - 1, -1):
                x = values[k]
                if x == x:
                    total = running + x
                    back = total - running
                    error += (running - (total - back)) + (x - back)
                    running = total
                old_sum[k - base] = running
                old_error[k - base] = error
            new_sum = 0.0
            new_error = 0.0
        if count == 0:
            out[i] = np.nan
            continue
        if divide and run <= left:
            out[i] = same
            continue
        if left < middle:
            older = old_sum[left - base]
            error = old_error[left - base] + new_error
        else:
            older = 0.0
            error = new_error
        total = older + new_sum
        result = total + error
        if result != result:  # infinities: their "rounding error" is NaN
            result = total
        out[i] = result / count if divide else result


@njit(cache=True)
def rolling_std(times: Any, values: Any, window: int, out: Any) -> None:
    """Sample standard deviation (``ddof=1``), NaN below two samples. O(n).

    Sums and sums of squares about a centre, the mean at the last change of halves; so a
    large common offset costs no digits. When the window has moved so far from the centre
    that three digits would be lost, the halves are made anew about the present mean.
    Windows with samples beyond 1e150 are computed one by one.
    """
    n = len(times)
    old_sum = np.empty(64)
    old_square = np.empty(64)
    base = 0
    middle = 0
    left = 0
    count = 0
    huge = 0  # samples whose square would overflow, infinities among them
    new_sum = 0.0
    new_square = 0.0
    centre = 0.0
    for i in range(n):
        x = values[i]
        if abs(x) <= HUGE:
            count += 1
            x -= centre
            new_sum += x
            new_square += x * x
        elif x == x:
            huge += 1
        limit = times[i] - window
        while times[left] <= limit:
            x = values[left]
            if abs(x) <= HUGE:
                count -= 1
            elif x == x:
                huge -= 1
            left += 1
        if huge > 0:
            out[i] = _std_directly(values, left, i + 1)
            continue
        if count < 2:
            out[i] = np.nan
            continue
        fresh = left > middle
        while True:
            if fresh:
                base = left
                middle = i + 1
                if middle - base > len(old_sum):
                    old_sum = np.empty(2 * (middle - base))
                    old_square = np.empty(2 * (middle - base))
                centre = _centre(values, left, middle)
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
            if fresh or rest >= 1e-3 * scaled:
                break
            fresh = True
        out[i] = np.sqrt(max(rest, 0.0) / (np.float64(count) * (count - 1)))


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
def rolling_max(times: Any, values: Any, window: int, out: Any) -> None:
    """Largest sample. O(n), without a data-dependent branch."""
    n = len(times)
    old = np.empty(64)
    base = 0
    middle = 0
    left = 0
    count = 0
    new = -np.inf
    for i in range(n):
        x = values[i]
        count += x == x
        new = x if x > new else new
        limit = times[i] - window
        while times[left] <= limit:
            count -= values[left] == values[left]
            left += 1
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old):
                old = np.empty(2 * (middle - base))
            running = -np.inf
            for k in range(i, left - 1, -1):
                x = values[k]
                running = x if x > running else running
                old[k - base] = running
            new = -np.inf
        best = new
        if left < middle:
            older = old[left - base]
            best = older if older > new else new
        out[i] = best if count > 0 else np.nan


@njit(cache=True)
def rolling_min(times: Any, values: Any, window: int, out: Any) -> None:
    """Smallest sample. O(n), without a data-dependent branch."""
    n = len(times)
    old = np.empty(64)
    base = 0
    middle = 0
    left = 0
    count = 0
    new = np.inf
    for i in range(n):
        x = values[i]
        count += x == x
        new = x if x < new else new
        limit = times[i] - window
        while times[left] <= limit:
            count -= values[left] == values[left]
            left += 1
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old):
                old = np.empty(2 * (middle - base))
            running = np.inf
            for k in range(i, left - 1, -1):
                x = values[k]
                running = x if x < running else running
                old[k - base] = running
            new = np.inf
        best = new
        if left < middle:
            older = old[left - base]
            best = older if older < new else new
        out[i] = best if count > 0 else np.nan
