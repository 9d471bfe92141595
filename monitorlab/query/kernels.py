"""Compiled loops over windows: one pass for each window, no running sums over windows.

Each kernel takes the samples of all series one after the other and the bounds of each
window (series × steps), and fills ``out`` of the same shape; windows with too few samples
are skipped. Sums are compensated (Neumaier). Import this module inside functions only:
numba takes a third of a second to load.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from monitorlab.kernels.compiled import njit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "average",
    "extrapolated",
    "quantile",
    "regression",
    "total",
    "variance",
    "window_extreme",
]

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def _jit(function: _Function) -> _Function:
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast("_Function", compiled)


@_jit
def _add(inc: float, total: float, rest: float) -> tuple[float, float]:
    """Take one step of Neumaier's compensated sum."""
    new = total + inc
    if math.isinf(new):
        return new, 0.0
    if abs(total) >= abs(inc):
        return new, rest + ((total - new) + inc)
    return new, rest + ((inc - new) + total)


@_jit
def _lost(inc: float, total: float, new: float) -> float:
    """Give what rounding took from a finite sum; the same number as ``_add``, no branch."""
    part = new - total
    return (total - (new - part)) + (inc - part)


@_jit
def total(values: Any, first: Any, last: Any, out: Any) -> None:
    """Sum each window."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            acc, rest = 0.0, 0.0
            for i in range(first[s, t], last[s, t]):
                x = values[i]
                new = acc + x
                rest += _lost(x, acc, new)
                acc = new
            # Infinities and overflow make the rest NaN; the plain sum is right then.
            out[s, t] = acc + rest if math.isfinite(acc) else acc


@_jit
def average(values: Any, first: Any, last: Any, out: Any) -> None:
    """Average each window; goes over to an incremental mean when the sum overflows."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b <= a:
                continue
            acc, rest = 0.0, 0.0
            for i in range(a, b):
                x = values[i]
                new = acc + x
                rest += _lost(x, acc, new)
                acc = new
            if math.isfinite(acc):
                count = float(b - a)
                out[s, t] = acc / count + rest / count
            else:
                out[s, t] = _careful_mean(values, a, b)


@_jit
def _careful_mean(values: Any, a: int, b: int) -> float:
    acc, rest, mean, count = values[a], 0.0, 0.0, 1.0
    incremental = False
    for i in range(a + 1, b):
        count += 1.0
        x = values[i]
        if not incremental:
            new, new_rest = _add(x, acc, rest)
            if not math.isinf(new):
                acc, rest = new, new_rest
                continue
            incremental = True
            mean = acc / (count - 1.0)
            rest /= count - 1.0
        q = (count - 1.0) / count
        mean, rest = _add(x / count, q * mean, q * rest)
    return mean + rest if incremental else acc / count + rest / count


@_jit
def variance(values: Any, first: Any, last: Any, out: Any) -> None:
    """Give the population variance of each window, around its mean, from its first sample.

    Counting from the first sample makes a constant window give exactly zero.
    """
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b <= a:
                continue
            count = float(b - a)
            zero = values[a]
            acc, rest = 0.0, 0.0
            for i in range(a, b):
                x = values[i] - zero
                new = acc + x
                rest += _lost(x, acc, new)
                acc = new
            mean = acc / count + rest / count
            acc, rest = 0.0, 0.0
            for i in range(a, b):
                x = (values[i] - zero) - mean
                x *= x
                new = acc + x
                rest += _lost(x, acc, new)
                acc = new
            out[s, t] = (acc + rest) / count


@_jit
def window_extreme(values: Any, first: Any, last: Any, largest: bool, out: Any) -> None:
    """Give the largest or smallest value of each window; NaN only if all are.

    A queue holds the samples that may still become the extreme: O(samples + windows).
    """
    queue = np.empty(len(values) + 1, np.int64)
    for s in range(first.shape[0]):
        head, tail, upcoming = 0, 0, 0
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            upcoming = max(upcoming, a)
            while upcoming < b:
                x = values[upcoming]
                if not math.isnan(x):
                    while tail > head and (
                        values[queue[tail - 1]] <= x if largest else values[queue[tail - 1]] >= x
                    ):
                        tail -= 1
                    queue[tail] = upcoming
                    tail += 1
                upcoming += 1
            while head < tail and queue[head] < a:
                head += 1
            if b > a:
                out[s, t] = values[queue[head]] if head < tail else math.nan


@_jit
def extrapolated(
    times: Any,
    values: Any,
    first: Any,
    last: Any,
    ends: Any,
    range_ns: int,
    is_counter: bool,
    per_second: bool,
    clamp_first: bool,
    out: Any,
) -> None:
    """Give each window's change, stretched to its edges (``rate``, ``increase``, ``delta``)."""
    # Resets are rare: where they are is found once, and how many come before each sample.
    before = np.zeros(len(values) + 1, np.int64)
    where = np.empty(len(values) + 1, np.int64)
    found = 0
    for i in range(len(values)):
        if is_counter and i > 0 and values[i] < values[i - 1]:
            where[found] = i
            found += 1
        before[i + 1] = found
    seconds = range_ns / 1e9
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t] - 1
            if b <= a:
                continue
            change = values[b] - values[a]
            for k in range(before[a + 1], before[b + 1]):
                change += values[where[k] - 1]
            to_start = (times[a] - (ends[t] - range_ns)) / 1e9
            to_end = (ends[t] - times[b]) / 1e9
            sampled = (times[b] - times[a]) / 1e9
            mean_gap = sampled / (b - a)
            threshold = mean_gap * 1.1
            to_zero = math.inf
            if is_counter and change > 0.0 and values[a] >= 0.0:
                to_zero = sampled * (values[a] / change)
            if clamp_first:
                to_start = min(to_start, to_zero)
            if to_start >= threshold:
                to_start = mean_gap / 2.0
            if not clamp_first:
                to_start = min(to_start, to_zero)
            if to_end >= threshold:
                to_end = mean_gap / 2.0
            factor = (sampled + to_start + to_end) / sampled
            if per_second:
                factor /= seconds
            out[s, t] = change * factor


@_jit
def regression(
    times: Any, values: Any, first: Any, last: Any, origin: Any, slope: Any, intercept: Any
) -> None:
    """Least-squares line through each window; ``origin`` is the intercept's time per step.

    An ``origin`` of length 0 means the first sample of each window.
    """
    own_origin = origin.shape[0] == 0
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b - a < 2:
                continue
            zero = times[a] if own_origin else origin[t]
            constant = True
            n, sx, cx, sy, cy = 0.0, 0.0, 0.0, 0.0, 0.0
            sxy, cxy, sxx, cxx = 0.0, 0.0, 0.0, 0.0
            for i in range(a, b):
                y = values[i]
                if y != values[a]:
                    constant = False
                x = (times[i] - zero) / 1e9
                n += 1.0
                xy, xx = x * y, x * x
                new = sx + x
                cx += _lost(x, sx, new)
                sx = new
                new = sy + y
                cy += _lost(y, sy, new)
                sy = new
                new = sxy + xy
                cxy += _lost(xy, sxy, new)
                sxy = new
                new = sxx + xx
                cxx += _lost(xx, sxx, new)
                sxx = new
            if constant:
                infinite = math.isinf(values[a])
                slope[s, t] = math.nan if infinite else 0.0
                intercept[s, t] = math.nan if infinite else values[a]
                continue
            sx += cx
            sy += cy
            covariance = (sxy + cxy) - sx * sy / n
            spread = (sxx + cxx) - sx * sx / n
            slope[s, t] = covariance / spread
            intercept[s, t] = sy / n - slope[s, t] * sx / n


@_jit
def _place(buffer: Any, size: int, x: float) -> int:
    """Find the first place in a sorted buffer that does not come before a number."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if buffer[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@_jit
def _insert(buffer: Any, size: int, x: float) -> None:
    at = _place(buffer, size, x)
    for i in range(size, at, -1):
        buffer[i] = buffer[i - 1]
    buffer[at] = x


@_jit
def _remove(buffer: Any, size: int, x: float) -> None:
    for i in range(_place(buffer, size, x), size - 1):
        buffer[i] = buffer[i + 1]


@_jit
def quantile(values: Any, first: Any, last: Any, phi: Any, out: Any) -> None:
    """Quantile ``phi[t]`` of each window; a NaN sorts before everything.

    A sorted buffer follows the window; it is rebuilt where much of the window is new.
    """
    widest = 0
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            widest = max(widest, last[s, t] - first[s, t])
    buffer = np.empty(widest + 1)
    for s in range(first.shape[0]):
        size, nans, lo, hi = 0, 0, 0, 0
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b <= a:
                continue
            if a >= hi or a < lo or b < hi or ((a - lo) + (b - hi)) * 4 > b - a:
                size, nans = 0, 0
                for i in range(a, b):
                    if math.isnan(values[i]):
                        nans += 1
                    else:
                        buffer[size] = values[i]
                        size += 1
                buffer[:size].sort()
            else:
                for i in range(lo, a):
                    if math.isnan(values[i]):
                        nans -= 1
                    else:
                        _remove(buffer, size, values[i])
                        size -= 1
                for i in range(hi, b):
                    if math.isnan(values[i]):
                        nans += 1
                    else:
                        _insert(buffer, size, values[i])
                        size += 1
            lo, hi = a, b
            q = phi[t]
            if math.isnan(q):
                out[s, t] = math.nan
            elif q < 0.0:
                out[s, t] = -math.inf
            elif q > 1.0:
                out[s, t] = math.inf
            else:
                rank = q * (b - a - 1.0)
                below = int(rank)
                above = min(b - a - 1, below + 1)
                weight = rank - math.floor(rank)
                low = buffer[below - nans] if below >= nans else math.nan
                high = buffer[above - nans] if above >= nans else math.nan
                out[s, t] = low * (1.0 - weight) + high * weight
