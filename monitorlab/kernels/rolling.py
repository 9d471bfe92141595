"""Statistics of every time window ``(t - w, t]`` of a series, each in one pass.

Each window is held as two halves: running figures of the newer half, and for the older one
a figure for every place where it may begin, computed backwards once when the older half is
used up. So nothing is ever subtracted: a window's figure depends on its own samples alone,
a spike that has left leaves no rounding error behind, and infinities do no harm. Every
sample is looked at twice, whatever the window.

NaN is skipped. ``times`` are ``int64`` and do not decrease; ``window`` is positive.

References
----------
K. Tangwongsan, M. Hirzel, S. Schneider, K.-L. Wu (2015), "General incremental
sliding-window aggregation" (the two-stacks form). T. F. Chan, G. H. Golub, R. J. LeVeque
(1983), "Algorithms for computing the sample variance". T. Ogita, S. M. Rump, S. Oishi
(2005), "Accurate sum and dot product".

>>> import numpy as np
>>> times, values = np.array([0, 10, 20, 30]), np.array([1.0, 5.0, 3.0, 2.0])
>>> rolling_max(times, values, 25).tolist()
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
def rolling_count(times: Any, values: Any, window: int) -> Any:
    """Count the samples that are not NaN. O(n)."""
    n = len(times)
    out = np.empty(n)
    left = 0
    count = 0
    for i in range(n):
        count += values[i] == values[i]
        limit = times[i] - window
        while times[left] <= limit:
            count -= values[left] == values[left]
            left += 1
        out[i] = count
    return out


@njit(cache=True)
def rolling_sum(times: Any, values: Any, window: int) -> Any:
    """Sum, compensated: the error does not grow with the window. O(n)."""
    return _rolling_sum(times, values, window, False)


@njit(cache=True)
def rolling_mean(times: Any, values: Any, window: int) -> Any:
    """Mean, from the compensated sum. O(n)."""
    return _rolling_sum(times, values, window, True)


@njit(cache=True)
def _rolling_sum(times: Any, values: Any, window: int, divide: bool) -> Any:
    n = len(times)
    out = np.empty(n)
    old_sum = np.zeros(64)  # sums of the older half from each place on, and their errors
    old_error = np.zeros(64)
    base = 0  # the older half is [left, middle), old_sum[k - base] belongs to k
    middle = 0
    left = 0
    count = 0
    new_sum = 0.0
    new_error = 0.0
    for i in range(n):
        x = values[i]
        if x == x:
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
        if left < middle:
            older = old_sum[left - base]
            error = old_error[left - base] + new_error
        else:
            older = 0.0
            error = new_error
        total = older + new_sum
        back = total - older
        result = total + (error + ((older - (total - back)) + (new_sum - back)))
        if result != result:  # infinities: their "rounding error" is NaN
            result = total
        out[i] = result / count if divide else result
    return out


@njit(cache=True)
def rolling_std(times: Any, values: Any, window: int) -> Any:
    """Sample standard deviation (``ddof=1``), NaN below two samples. O(n).

    Each half is shifted by one of its own samples, so a large common offset costs no
    digits, and grows by Welford's update; the halves are joined by Chan's formula.
    """
    n = len(times)
    out = np.empty(n)
    room = 64
    old_count = np.zeros(room, np.int64)
    old_mean = np.zeros(room)
    old_square = np.zeros(room)
    inverse = np.empty(room + 1)
    for k in range(room + 1):
        inverse[k] = 1.0 / max(k, 1)
    base = 0
    middle = 0
    left = 0
    new_count = 0
    new_mean = 0.0
    new_square = 0.0
    new_shift = 0.0
    old_shift = 0.0
    for i in range(n):
        x = values[i]
        if x == x:
            if new_count == 0:
                new_shift = x
            new_count += 1
            if new_count >= len(inverse):
                inverse = _inverses(2 * new_count)
            x -= new_shift
            delta = x - new_mean
            new_mean += delta * inverse[new_count]
            new_square += delta * (x - new_mean)
        limit = times[i] - window
        while times[left] <= limit:
            left += 1
        if left > middle:
            base = left
            middle = i + 1
            if middle - base > len(old_mean):
                room = 2 * (middle - base)
                old_count = np.zeros(room, np.int64)
                old_mean = np.zeros(room)
                old_square = np.zeros(room)
            if middle - base >= len(inverse):
                inverse = _inverses(2 * (middle - base))
            count = 0
            mean = 0.0
            square = 0.0
            for k in range(i, left - 1, -1):
                x = values[k]
                if x == x:
                    if count == 0:
                        old_shift = x
                    count += 1
                    x -= old_shift
                    delta = x - mean
                    mean += delta * inverse[count]
                    square += delta * (x - mean)
                old_count[k - base] = count
                old_mean[k - base] = mean
                old_square[k - base] = square
            new_count = 0
            new_mean = 0.0
            new_square = 0.0
        count = new_count
        square = new_square
        if left < middle:
            older = old_count[left - base]
            if older > 0:
                square = old_square[left - base]
                if new_count > 0:
                    delta = (new_shift - old_shift) + (new_mean - old_mean[left - base])
                    weight = np.float64(older) * np.float64(new_count)
                    square += new_square + delta * delta * (weight / (older + new_count))
                count = older + new_count
        out[i] = np.sqrt(square / (count - 1)) if count > 1 else np.nan
    return out


@njit(cache=True)
def _inverses(size: int) -> Any:
    out = np.empty(size + 1)
    for k in range(size + 1):
        out[k] = 1.0 / max(k, 1)
    return out


@njit(cache=True)
def rolling_max(times: Any, values: Any, window: int) -> Any:
    """Largest sample. O(n), without a data-dependent branch."""
    n = len(times)
    out = np.empty(n)
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
    return out


@njit(cache=True)
def rolling_min(times: Any, values: Any, window: int) -> Any:
    """Smallest sample. O(n), without a data-dependent branch."""
    n = len(times)
    out = np.empty(n)
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
    return out
