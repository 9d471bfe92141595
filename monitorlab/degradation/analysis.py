"""When did it get worse, by how much, and is it still? Results per series.

>>> index = pd.date_range("2026-01-01", periods=400, freq="1min", tz="UTC")
>>> noise = np.random.default_rng(0).normal(100, 5, 400)
>>> latency = pd.Series(noise + 40 * (np.arange(400) >= 300), index=index)
>>> result = analyze({"latency_ms": latency})
>>> result[0].status, result[0].changes[0].time
('degraded', Timestamp('2026-01-01 05:00:00+0000', tz='UTC'))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.degradation.changes import Segmentation, segment
from monitorlab.degradation.comparison import Comparison, compare
from monitorlab.degradation.direction import Direction, worse_direction
from monitorlab.degradation.results import Change, Degradation, Drift, SeriesDegradation
from monitorlab.errors import NotEnoughDataError
from monitorlab.model import Metric, SeriesKey, Severity
from monitorlab.seasonality.adjust import robust_scale
from monitorlab.seasonality.grid import check_series
from monitorlab.seasonality.trend import analyze_trend
from monitorlab.times import from_ns, to_ns

__all__ = ["analyze", "as_rate"]

MIN_SAMPLES = 12
ALPHA = 0.01
DRIFT_ALPHA = 0.005
DRIFT_LEVEL = 0.99
LEAST_DRIFT = 1.0  # rise over the span, in deviations of the noise, that is worth a word
LEAST_EFFECT = 0.5  # the same for the present level against the usual one
LEAST_RATIO = 0.02
NEAR = 24  # samples on each side, at most, that must show a step which two lines have
LIMITED = ("use of something limited", "work that waits", "free or available")


def analyze(
    series_map: pd.Series | Mapping[SeriesKey, pd.Series],
    metrics: Mapping[str, Metric] | None = None,
    before: Any = None,
    after: Any = None,
    *,
    are_rates: bool = False,
) -> Degradation:
    """Find lasting changes and drifts in each series and say which are for the worse.

    Parameters
    ----------
    series_map : pandas.Series or mapping of SeriesKey to pandas.Series
        Any spacing; tz-aware increasing index; NaN where missing. Counters are turned
        into rates, resets honoured.
    metrics : mapping of str to Metric, optional
        By metric name: type, unit and direction of each.
    before, after : time or (start, end), optional
        Spans to compare. A single time in ``after`` is a release: everything from there is
        after, everything earlier is before (unless ``before`` says otherwise).
    are_rates : bool
        Whether counters have been turned into rates before.

    Returns
    -------
    Degradation
        One row a series; series too short to judge under ``skipped`` with the reason.

    Raises
    ------
    InvalidSeriesError
        If an index is naive, unsorted, duplicated or no DatetimeIndex.
    TimeError
        If ``before`` or ``after`` cannot be read.
    ValueError
        If ``before`` is given without ``after``, or a span is empty.

    See Also
    --------
    changepoints, compare, monitorlab.seasonality.analyze_trend

    Notes
    -----
    Changes come from `segment` (seasons, outliers and memory in the noise taken into
    account) and are significant below p = 0.01. The effect is the difference of the
    medians of neighbouring regimes (for lines: of their ends), season removed. A series is
    *degraded* when its present regime lies on the worse side of its longest earlier regime (a
    series with a course: when the steps since then add up to the worse), by half a deviation of
    the noise and 2 % at least; *recovered* when an earlier worse regime
    is over. What changes by slope alone is *drifting*; a rising drift of something limited
    is called a leak. The severity asks for size both in per cent (5, 20, 50) and in
    deviations of the noise (1, 2, 4).

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=200, freq="1min", tz="UTC")
    >>> flat = pd.Series(np.random.default_rng(1).normal(50, 1, 200), index=index)
    >>> analyze({"latency_ms": flat})[0].status
    'stable'
    """
    if isinstance(series_map, pd.Series):
        key = SeriesKey(str(series_map.name or "series"))
        items: dict[Any, pd.Series] = {key: series_map}
    else:
        items = dict(series_map)
    if before is not None and after is None:
        msg = "before is given without after; give both spans, or after alone as a release"
        raise ValueError(msg)
    known = dict(metrics or {})
    rows, skipped, data = [], {}, {}
    for key, series in items.items():
        name = str(key)
        metric = _metric(key, known)
        totals = metric.type.is_cumulative and not are_rates
        ready = as_rate(series, name) if totals else series
        data[name] = ready
        try:
            rows.append(_row(name, ready, metric, before, after))
        except NotEnoughDataError as error:
            skipped[name] = str(error)
    return Degradation(tuple(rows), skipped, data)


def as_rate(series: pd.Series, name: str = "series") -> pd.Series:
    """Turn a counter into its rate a second; a fall is a reset and counts from zero.

    Parameters
    ----------
    series : pandas.Series
        Running totals.
    name : str
        Named in error messages.

    Returns
    -------
    pandas.Series
        One sample fewer, at the later of each pair of times.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=4, freq="10s", tz="UTC")
    >>> as_rate(pd.Series([0.0, 10.0, 30.0, 5.0], index=index)).tolist()
    [1.0, 2.0, 0.5]
    """
    times, values = check_series(series, f"rate of {name}")
    rise = np.diff(values)
    rise = np.where(rise < 0, values[1:], rise)
    seconds = np.diff(times) / 1e9
    keep = np.isfinite(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return pd.Series(rise / seconds, index=series.index[keep][1:], name=series.name)


def _metric(key: Any, known: Mapping[str, Metric]) -> Metric:
    name = key.metric if isinstance(key, SeriesKey) else str(key).split("{", maxsplit=1)[0]
    return known.get(name) or Metric(name)


def _row(
    name: str, series: pd.Series, metric: Metric, before: Any, after: Any
) -> SeriesDegradation:
    times, values = check_series(series, f"degradation of {name}")
    if len(values) < MIN_SAMPLES:
        msg = f"degradation of {name}: needs {MIN_SAMPLES} finite samples, got {len(values)}"
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=len(values))
    way = worse_direction(metric)
    comparison = _compare(name, series, metric, before, after) if after is not None else None
    clean = pd.Series(values, index=series.index[np.isin(series.index.as_unit("ns").asi8, times)])
    parts = segment(clean)
    adjusted = values - parts.seasonal
    noise = robust_scale(values - parts.fit)
    changes = _changes(name, times, adjusted, parts, noise, way)
    real = [c for c in changes if c.is_significant]
    start = max((c.position for c in real), default=0)
    drift = _drift(times[start:], adjusted[start:], noise, way)
    status, effect, ratio = _status(adjusted, real, parts, noise, way, drift)
    if comparison is not None:
        named = {"worse": "degraded", "better": "improved", "changed": "changed"}
        status = named.get(comparison.verdict, "stable")
        effect, ratio = comparison.standardised, comparison.change_ratio
    severity = _severity(effect, ratio) if status in ("degraded", "drifting") else None
    if status == "drifting" and (drift is None or drift.is_worse is not True):
        severity = Severity.INFO
    return SeriesDegradation(
        name, status, severity, tuple(changes), drift, comparison, way.way, way.reason,
        parts.wanders, noise, len(values), from_ns(int(times[0])), from_ns(int(times[-1])),
    )  # fmt: skip


def _changes(
    name: str, times: np.ndarray, y: np.ndarray, parts: Segmentation, noise: float, way: Direction
) -> list[Change]:
    edges = [0, *parts.points, len(y)]
    level = parts.fit - parts.seasonal
    out = []
    for i, at in enumerate(parts.points):
        left, right = slice(edges[i], at), slice(at, edges[i + 2])
        if parts.shape == "level":
            was, now = float(np.median(y[left])), float(np.median(y[right]))
            kind = "sudden"
        else:
            was, now = float(level[at - 1]), float(level[at])
            kind = "sudden"
            if abs(now - was) < 2.0 * noise or _turns(y[left], y[right], now - was):
                kind = "gradual"  # a bend rather than a step
                was, now = float(np.median(y[left])), float(np.median(y[right]))
        effect = now - was
        worse = None if way.way is None or effect == 0 else (effect > 0) == (way.way == "up")
        out.append(
            Change(
                name, from_ns(int(times[at])), int(at), was, now, effect,
                effect / abs(was) if was else float("nan"),
                effect / noise if noise > 0 else float(np.sign(effect) * np.inf),
                parts.p_values[i],
                bool(parts.p_values[i] < ALPHA), worse, kind,
            )
        )  # fmt: skip
    return out


def _turns(before: np.ndarray, after: np.ndarray, step: float) -> bool:
    """Say whether a step of lines is denied by the samples beside it: a curve has no step."""
    near = max(3, min(NEAR, len(before) // 4, len(after) // 4))
    return (float(np.median(after[:near])) - float(np.median(before[-near:]))) * step <= 0.0


def _drift(times: np.ndarray, y: np.ndarray, noise: float, way: Direction) -> Drift | None:
    """Say whether what is left after the last change goes somewhere slowly."""
    if len(y) < 2 * MIN_SAMPLES or noise == 0.0:
        return None
    series = pd.Series(y, index=pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC"))
    line = analyze_trend(series, level=DRIFT_LEVEL, periods=[]).rows[0]
    rise = line.value_end - line.value_start
    spread = robust_scale(y - np.linspace(line.value_start, line.value_end, len(y)))
    if not line.is_significant or line.p_value > DRIFT_ALPHA:
        return None
    if abs(rise) < LEAST_DRIFT * spread or abs(rise) < LEAST_RATIO * abs(line.value_start):
        return None
    worse = None if way.way is None else (rise > 0) == (way.way == "up")
    limited = any(way.reason.startswith(word) for word in LIMITED)
    kind = "leak" if worse and limited else "drift"
    return Drift(
        kind, line.slope_per_hour, line.low_per_hour, line.high_per_hour, line.p_value, rise,
        rise / abs(line.value_start) if line.value_start else float("nan"),
        rise / spread if spread > 0 else float(np.sign(rise) * np.inf), line.start, worse,
    )  # fmt: skip


def _status(
    y: np.ndarray, real: list[Change], parts: Segmentation, noise: float, way: Direction,
    drift: Drift | None,
) -> tuple[str, float, float]:  # fmt: skip
    if not real:
        if drift is not None:
            return "drifting", drift.standardised, drift.ratio
        return ("wandering" if parts.wanders and parts.points else "stable"), 0.0, 0.0
    edges = [0, *(c.position for c in real), len(y)]
    spans = list(pairwise(edges))
    levels = [float(np.median(y[a:b])) for a, b in spans]
    longest = max(range(len(real)), key=lambda i: spans[i][1] - spans[i][0])
    usual, now = levels[longest], levels[-1]
    if parts.shape == "line":  # a course has no level: what its steps add up to
        since = real[longest:]
        usual, now = since[0].before, since[0].before + sum(c.effect for c in since)
    effect, ratio = _size(now - usual, usual, noise)
    if not _is_material(effect, ratio):
        away = [_size(level - now, now, noise) for level in levels[:-1]]
        was_bad = any(_is_material(*a) and (a[0] > 0) == (way.way == "up") for a in away)
        return ("recovered" if way.way and was_bad else "stable"), effect, ratio
    if way.way is None:
        return "changed", effect, ratio
    return ("degraded" if (effect > 0) == (way.way == "up") else "improved"), effect, ratio


def _size(change: float, base: float, noise: float) -> tuple[float, float]:
    """Give a change in deviations of the noise and over a base level."""
    effect = change / noise if noise > 0 else float(np.sign(change) * np.inf if change else 0.0)
    return effect, change / abs(base) if base else float("nan")


def _is_material(effect: float, ratio: float) -> bool:
    return abs(effect) >= LEAST_EFFECT and not abs(ratio) < LEAST_RATIO


def _severity(effect: float, ratio: float) -> Severity:
    order = list(Severity)
    by_noise = sum(abs(effect) >= bound for bound in (1.0, 2.0, 4.0))
    by_ratio = 3 if np.isnan(ratio) else sum(abs(ratio) >= b for b in (0.05, 0.2, 0.5))
    return order[min(by_noise, by_ratio)]


def _compare(name: str, series: pd.Series, metric: Metric, before: Any, after: Any) -> Comparison:
    start, end = _span(after, series)
    if before is None:
        first, last = int(series.index[0].as_unit("ns").value), start
    else:
        first, last = _span(before, series, until=start)
    times = series.index.as_unit("ns").asi8
    was = series[(times >= first) & (times < last)]
    now = series[(times >= start) & (times < end)]
    result = compare(was, now, metric=metric)

    return replace(result, series=name)


def _span(value: Any, series: pd.Series, until: int | None = None) -> tuple[int, int]:
    """Read a span; a single time reaches to the end (or, for before, to ``until``)."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            msg = f"a span is (start, end), got {value!r}"
            raise ValueError(msg)
        start, end = to_ns(value[0]), to_ns(value[1])
    elif until is None:
        start, end = to_ns(value), int(series.index[-1].as_unit("ns").value) + 1
    else:
        start, end = to_ns(value), until
    if end <= start:
        msg = f"the span {value!r} is empty: it ends at {from_ns(end)}, starts at {from_ns(start)}"
        raise ValueError(msg)
    return start, end
