"""Compiled loops over windows: one pass for each window, no running sums over windows.

Each kernel takes the samples of all series one after the other and the bounds of each
window (series × steps), and fills ``out`` of the same shape; windows with too few samples
are skipped. Sums are compensated (Neumaier). Import this module inside functions only:
numba takes a third of a second to load.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

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
    compiled: _Function = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled


@_jit
def _add(inc: float, total: float, rest: float) -> tuple[float, float]:
    """One step of Neumaier's compensated sum."""
    new = total + inc
    if math.isinf(new):
        return new, 0.0
    if abs(total) >= abs(inc):
        return new, rest + ((total - new) + inc)
    return new, rest + ((inc - new) + total)


@_jit
def total(values: Any, first: Any, last: Any, out: Any) -> None:
    """Sum of each window."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            acc, rest = 0.0, 0.0
            for i in range(first[s, t], last[s, t]):
                acc, rest = _add(values[i], acc, rest)
            out[s, t] = acc if math.isinf(acc) else acc + rest


@_jit
def average(values: Any, first: Any, last: Any, out: Any) -> None:
    """Mean of each window; goes over to an incremental mean when the sum overflows."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b <= a:
                continue
            acc, rest = values[a], 0.0
            mean, incremental = 0.0, False
            count = 1.0
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
            out[s, t] = mean + rest if incremental else acc / count + rest / count


@_jit
def variance(values: Any, first: Any, last: Any, out: Any) -> None:
    """Population variance of each window (Welford, compensated)."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b <= a:
                continue
            count, mean, mean_rest, acc, rest = 0.0, 0.0, 0.0, 0.0, 0.0
            for i in range(a, b):
                count += 1.0
                x = values[i]
                delta = x - (mean + mean_rest)
                mean, mean_rest = _add(delta / count, mean, mean_rest)
                acc, rest = _add(delta * (x - (mean + mean_rest)), acc, rest)
            out[s, t] = (acc + rest) / count


@_jit
def window_extreme(values: Any, first: Any, last: Any, largest: bool, out: Any) -> None:
    """Largest or smallest value of each window; NaN only if all are."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t]
            if b <= a:
                continue
            best = values[a]
            for i in range(a + 1, b):
                x = values[i]
                if (x > best if largest else x < best) or math.isnan(best):
                    best = x
            out[s, t] = best


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
    """``rate``, ``increase`` and ``delta``: the change, stretched to the window's edges."""
    for s in range(first.shape[0]):
        for t in range(first.shape[1]):
            a, b = first[s, t], last[s, t] - 1
            if b <= a:
                continue
            change = values[b] - values[a]
            if is_counter:
                previous = values[a]
                for i in range(a + 1, b + 1):
                    x = values[i]
                    if x < previous:
                        change += previous
                    previous = x
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
                factor /= range_ns / 1e9
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
                sx, cx = _add(x, sx, cx)
                sy, cy = _add(y, sy, cy)
                sxy, cxy = _add(x * y, sxy, cxy)
                sxx, cxx = _add(x * x, sxx, cxx)
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
def _insert(buffer: Any, size: int, x: float) -> None:
    at = np.searchsorted(buffer[:size], x)
    for i in range(size, at, -1):
        buffer[i] = buffer[i - 1]
    buffer[at] = x


@_jit
def _remove(buffer: Any, size: int, x: float) -> None:
    at = np.searchsorted(buffer[:size], x)
    for i in range(at, size - 1):
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
                below = int(math.floor(rank))
                above = min(b - a - 1, below + 1)
                weight = rank - math.floor(rank)
                low = buffer[below - nans] if below >= nans else math.nan
                high = buffer[above - nans] if above >= nans else math.nan
                out[s, t] = low * (1.0 - weight) + high * weight
