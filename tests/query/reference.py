"""Slow and obvious PromQL: plain Python, one step at a time, for comparison only."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Sample = tuple[int, float]  # nanoseconds, value; a stale marker has the value STALE
STALE = object()


def instant(samples: Sequence[tuple], t: int, lookback: int, *, closed: bool = False):
    """Give the newest sample at or before t that is young enough, or None."""
    newest = None
    for when, value in samples:
        if when <= t:
            newest = (when, value)
    if newest is None or newest[1] is STALE:
        return None
    age = t - newest[0]
    if age > lookback or (age == lookback and not closed):
        return None
    return newest


def window(samples: Sequence[tuple], t: int, width: int, *, closed: bool = False) -> list[Sample]:
    """Give the samples in (t - width, t]."""
    low = t - width
    return [
        (when, value)
        for when, value in samples
        if value is not STALE and when <= t and (when > low or (closed and when == low))
    ]


def extrapolate(points, t, width, *, counter, per_second):
    if len(points) < 2:
        return None
    change = points[-1][1] - points[0][1]
    if counter:
        for (_, before), (_, after) in itertools.pairwise(points):
            if after < before:
                change += before
    sampled = (points[-1][0] - points[0][0]) / 1e9
    gap = sampled / (len(points) - 1)
    to_start = (points[0][0] - (t - width)) / 1e9
    to_end = (t - points[-1][0]) / 1e9
    if to_start >= gap * 1.1:
        to_start = gap / 2
    if counter and change > 0 and points[0][1] >= 0:
        to_start = min(to_start, sampled * points[0][1] / change)
    if to_end >= gap * 1.1:
        to_end = gap / 2
    result = change * (sampled + to_start + to_end) / sampled
    return result / (width / 1e9) if per_second else result


def last_two(points, *, per_second):
    if len(points) < 2:
        return None
    (t0, v0), (t1, v1) = points[-2:]
    if not per_second:
        return v1 - v0
    return (v1 if v1 < v0 else v1 - v0) / ((t1 - t0) / 1e9)


def line(points, origin):
    """Give slope and intercept by the normal equations, centred."""
    xs = [(t - origin) / 1e9 for t, _ in points]
    ys = [v for _, v in points]
    mx, my = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    slope = math.fsum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)) / math.fsum(
        (x - mx) ** 2 for x in xs
    )
    return slope, my - slope * mx


def mean(values):
    return math.fsum(values) / len(values)


def variance(values):
    middle = mean(values)
    return math.fsum((v - middle) ** 2 for v in values) / len(values)


def quantile(q, values):
    if math.isnan(q):
        return math.nan
    if q < 0 or q > 1:
        return -math.inf if q < 0 else math.inf
    ordered = [v for v in values if math.isnan(v)] + sorted(v for v in values if not math.isnan(v))
    rank = q * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(len(ordered) - 1, low + 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


def needs(count: int, function: Callable) -> Callable:
    """Give nothing for windows of fewer samples."""

    def guarded(points, t, width):
        return None if len(points) < count else function(points, t, width)

    return guarded


def values_of(function: Callable) -> Callable:
    return needs(1, lambda points, _t, _width: function([v for _, v in points]))


def neighbours(test: Callable) -> Callable:
    return values_of(lambda v: float(sum(test(a, b) for a, b in itertools.pairwise(v))))


RANGE: dict[str, Callable] = {
    "rate": lambda p, t, w: extrapolate(p, t, w, counter=True, per_second=True),
    "increase": lambda p, t, w: extrapolate(p, t, w, counter=True, per_second=False),
    "delta": lambda p, t, w: extrapolate(p, t, w, counter=False, per_second=False),
    "irate": lambda p, _t, _w: last_two(p, per_second=True),
    "idelta": lambda p, _t, _w: last_two(p, per_second=False),
    "deriv": needs(2, lambda p, _t, _w: line(p, p[0][0])[0]),
    "changes": neighbours(lambda a, b: a != b),
    "resets": neighbours(lambda a, b: b < a),
    "sum_over_time": values_of(math.fsum),
    "avg_over_time": values_of(mean),
    "min_over_time": values_of(min),
    "max_over_time": values_of(max),
    "count_over_time": values_of(lambda v: float(len(v))),
    "last_over_time": values_of(lambda v: v[-1]),
    "present_over_time": values_of(lambda _v: 1.0),
    "stddev_over_time": values_of(lambda v: math.sqrt(variance(v))),
    "stdvar_over_time": values_of(variance),
}

AGGREGATE: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "avg": mean,
    "min": min,
    "max": max,
    "count": lambda v: float(len(v)),
    "group": lambda _v: 1.0,
    "stddev": lambda v: math.sqrt(variance(v)),
    "stdvar": variance,
}
