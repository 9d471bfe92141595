"""Functions of windows: rates, differences, regressions and everything ``*_over_time``.

A window with too few samples gives nothing. What loops over the samples of a window is
compiled (``monitorlab.query.kernels``); what only looks at its ends is plain numpy.

>>> sorted(FUNCTIONS)[:3]
['avg_over_time', 'changes', 'count_over_time']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.query.matrix import Bools, Floats, Ints, Vector, Windows

if TYPE_CHECKING:
    from monitorlab.query.functions.context import Context, Function

__all__ = ["FUNCTIONS"]


def _kernels() -> Any:
    from monitorlab.query import kernels

    return kernels


def _blank(windows: Windows) -> Floats:
    return np.zeros(windows.first.shape)


def _extrapolated(*, is_counter: bool, per_second: bool) -> Function:
    def function(context: Context, windows: Windows) -> Vector:
        out = _blank(windows)
        _kernels().extrapolated(
            windows.times,
            windows.values,
            windows.first,
            windows.last,
            windows.ends,
            windows.range_ns,
            is_counter,
            per_second,
            context.options.closed,
            out,
        )
        return windows.vector(out, windows.counts > 1)

    return function


def _last_two(windows: Windows) -> tuple[Bools, Ints, Ints]:
    """Give where there are two samples, and the indexes of the last two."""
    enough = windows.counts > 1
    newest = np.where(enough, windows.last - 1, 0)
    return enough, newest, np.maximum(newest - 1, 0)


def _idelta(_context: Context, windows: Windows) -> Vector:
    enough, newest, before = _last_two(windows)
    if not len(windows.values):
        return windows.vector(_blank(windows), enough)
    return windows.vector(windows.values[newest] - windows.values[before], enough)


def _irate(_context: Context, windows: Windows) -> Vector:
    enough, newest, before = _last_two(windows)
    if not len(windows.values):
        return windows.vector(_blank(windows), enough)
    new, old = windows.values[newest], windows.values[before]
    rise = np.where(new < old, new, new - old)
    seconds = (windows.times[newest] - windows.times[before]) / 1e9
    return windows.vector(rise / np.where(enough, seconds, 1.0), enough)


def _deriv(_context: Context, windows: Windows) -> Vector:
    slope, _ = _regression(windows, np.zeros(0, np.int64))
    return windows.vector(slope, windows.counts > 1)


def _predict_linear(context: Context, windows: Windows, ahead: Floats) -> Vector:
    slope, intercept = _regression(windows, np.asarray(context.steps))
    return windows.vector(slope * ahead + intercept, windows.counts > 1)


def _regression(windows: Windows, origin: Ints) -> tuple[Floats, Floats]:
    slope, intercept = _blank(windows), _blank(windows)
    _kernels().regression(
        windows.times, windows.values, windows.first, windows.last, origin, slope, intercept
    )
    return slope, intercept


def _changes(_context: Context, windows: Windows) -> Vector:
    values = windows.values
    both_nan = np.isnan(values[1:]) & np.isnan(values[:-1])
    return _counted(windows, (values[1:] != values[:-1]) & ~both_nan)


def _resets(_context: Context, windows: Windows) -> Vector:
    return _counted(windows, windows.values[1:] < windows.values[:-1])


def _counted(windows: Windows, marked: Bools) -> Vector:
    """Count marks between neighbours inside each window, by exact integer sums."""
    before = np.zeros(len(windows.values) + 1, np.int64)
    if len(windows.values):
        np.cumsum(marked, out=before[2:])
    filled = windows.counts > 0
    start = np.where(filled, windows.first + 1, 0)
    count = before[np.where(filled, windows.last, 0)] - before[start]
    return windows.vector(count.astype(np.float64), filled)


def _count(_context: Context, windows: Windows) -> Vector:
    return windows.vector(windows.counts.astype(np.float64), windows.counts > 0)


def _present(_context: Context, windows: Windows) -> Vector:
    return windows.vector(np.ones(windows.first.shape), windows.counts > 0)


def _last(_context: Context, windows: Windows) -> Vector:
    filled = windows.counts > 0
    values = _blank(windows)
    values[filled] = windows.values[windows.last[filled] - 1]
    return Vector(windows.labels, windows.drops_name, values, filled)


def _compiled(name: str) -> Function:
    def function(_context: Context, windows: Windows) -> Vector:
        out = _blank(windows)
        getattr(_kernels(), name)(windows.values, windows.first, windows.last, out)
        return windows.vector(out, windows.counts > 0)

    return function


def _extreme(*, largest: bool) -> Function:
    def function(_context: Context, windows: Windows) -> Vector:
        out = _blank(windows)
        _kernels().window_extreme(windows.values, windows.first, windows.last, largest, out)
        return windows.vector(out, windows.counts > 0)

    return function


def _stddev(context: Context, windows: Windows) -> Vector:
    made = _variance(context, windows)
    return windows.vector(np.sqrt(made.values), made.present)


def _quantile(_context: Context, phi: Floats, windows: Windows) -> Vector:
    out = _blank(windows)
    _kernels().quantile(
        windows.values, windows.first, windows.last, np.ascontiguousarray(phi, float), out
    )
    return windows.vector(out, windows.counts > 0)


_variance = _compiled("variance")

FUNCTIONS: dict[str, Function] = {
    "avg_over_time": _compiled("average"),
    "changes": _changes,
    "count_over_time": _count,
    "delta": _extrapolated(is_counter=False, per_second=False),
    "deriv": _deriv,
    "idelta": _idelta,
    "increase": _extrapolated(is_counter=True, per_second=False),
    "irate": _irate,
    "last_over_time": _last,
    "max_over_time": _extreme(largest=True),
    "min_over_time": _extreme(largest=False),
    "predict_linear": _predict_linear,
    "present_over_time": _present,
    "quantile_over_time": _quantile,
    "rate": _extrapolated(is_counter=True, per_second=True),
    "resets": _resets,
    "stddev_over_time": _stddev,
    "stdvar_over_time": _variance,
    "sum_over_time": _compiled("total"),
}
