"""Which PromQL expression shows a metric best, by its type: the default of panels and reports.

A counter is shown as its reset-aware rate, a histogram or a timer as quantiles, a rate as it
is, a gauge as it is (or averaged when there are many series).

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> times = ["2026-01-01T00:00Z", "2026-01-01T00:01Z", "2026-01-01T00:02Z"]
>>> store.extend("requests_total", times, [0.0, 5.0, 9.0])
>>> _ = store.describe("requests_total", type="counter")
>>> headlines(store, window="4m")[0].expr
'sum(rate(requests_total[4m]))'
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from monitorlab.model import Metric, MetricType
from monitorlab.times import DurationLike, format_duration, parse_duration

if TYPE_CHECKING:
    from monitorlab.storage import SeriesView

__all__ = ["Headline", "auto_window", "base_name", "headline", "headlines"]

# Up to so many lines can be told apart in one panel.
MAX_LINES = 8
_PARTS = ("_bucket", "_sum", "_count")
_ORDER = {
    MetricType.HISTOGRAM: 0,
    MetricType.TIMER: 1,
    MetricType.COUNTER: 2,
    MetricType.RATE: 3,
    MetricType.GAUGE: 4,
}


class _Source(Protocol):
    def select(self, selector: Any = None) -> Sequence[SeriesView]: ...

    def metric(self, name: str) -> Metric: ...


@dataclass(frozen=True, slots=True)
class Headline:
    """One metric and the expression that shows it best.

    Parameters
    ----------
    metric : str
        Metric name (the base name of a histogram).
    title : str
        Line for people.
    expr : str
        PromQL expression; for a band the 95th percentile.
    unit : str
        Unit of the answer.
    kind : {"line", "band", "stat", "gauge"}
        Panel that fits.
    type : MetricType
        Type of the metric.
    expressions : tuple of (str, str)
        Name and expression of each line: one for most, p50, p95 and p99 for a band.
    is_constant : bool
        Whether no series of the metric ever changes.

    Examples
    --------
    >>> Headline("up", "up", "up", "", "line", MetricType.GAUGE, (("", "up"),)).expr
    'up'
    """

    metric: str
    title: str
    expr: str
    unit: str
    kind: Literal["line", "band", "stat", "gauge"]
    type: MetricType
    expressions: tuple[tuple[str, str], ...]
    is_constant: bool = False


def base_name(metric: str, types: dict[str, MetricType]) -> str:
    """Give the histogram that a ``_bucket``, ``_sum`` or ``_count`` series belongs to.

    Parameters
    ----------
    metric : str
        Name of a series' metric.
    types : dict of str to MetricType
        Types of the described metrics.

    Returns
    -------
    str
        The base name when it is described as a histogram, else the name itself.

    Examples
    --------
    >>> base_name("latency_bucket", {"latency": MetricType.HISTOGRAM})
    'latency'
    """
    for part in _PARTS:
        stem = metric.removesuffix(part)
        if stem != metric and types.get(stem) is MetricType.HISTOGRAM:
            return stem
    return metric


def auto_window(views: Iterable[SeriesView], *, least: DurationLike = "1m") -> str:
    """Choose a rate window: at least four sampling intervals, so that one gap does not hide it.

    Parameters
    ----------
    views : iterable of SeriesView
        The series; the longest median interval of the first fifty counts.
    least : duration
        Not shorter than this.

    Returns
    -------
    str
        A Prometheus duration in whole seconds.

    Examples
    --------
    >>> auto_window([], least="1m")
    '1m'
    """
    longest = 0.0
    for view, _ in zip(views, range(50), strict=False):
        if len(view) > 2:
            longest = max(longest, float(np.median(np.diff(view.times[:1000]))))
    seconds = int(np.ceil(max(parse_duration(least), 4.0 * longest) / 1e9))
    return format_duration(seconds * 1_000_000_000)


def headlines(source: _Source, window: DurationLike | None = None) -> list[Headline]:
    """Choose how to show every metric of a source.

    Parameters
    ----------
    source : SeriesStore or Selection
        Anything with ``select`` and ``metric``.
    window : duration, optional
        Window of rates and quantiles; chosen from the sampling interval by default.

    Returns
    -------
    list of Headline
        Distributions first, then counters, rates and gauges, by name; metrics that never
        change come last.

    Notes
    -----
    Cost O(samples) once, to see which metrics change.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> headlines(SeriesStore())
    []
    """
    views = list(source.select(None))
    chosen = auto_window(views) if window is None else format_duration(parse_duration(window))
    metrics = {view.key.metric: source.metric(view.key.metric) for view in views}
    types = {name: metric.type for name, metric in metrics.items()}
    for name in list(metrics):
        for part in _PARTS:
            stem = name.removesuffix(part)
            if stem != name and stem not in types:
                types[stem] = source.metric(stem).type
    groups: dict[str, list[SeriesView]] = {}
    for view in views:
        groups.setdefault(base_name(view.key.metric, types), []).append(view)
    made = [headline(source.metric(name), group, chosen) for name, group in groups.items()]
    return sorted(made, key=lambda h: (h.is_constant, _ORDER[h.type], h.metric))


def headline(metric: Metric, views: Sequence[SeriesView], window: str) -> Headline:
    """Choose how to show one metric.

    Parameters
    ----------
    metric : Metric
        What is known of it.
    views : sequence of SeriesView
        Its series.
    window : str
        Window of rates and quantiles.

    Returns
    -------
    Headline

    Examples
    --------
    >>> headline(Metric("temperature", unit="C"), [], "5m").expr
    'temperature'
    """
    name, kind = metric.name, metric.type
    constant = all(_is_constant(view) for view in views)
    unit = metric.unit
    if kind is MetricType.HISTOGRAM and any(v.key.metric == f"{name}_bucket" for v in views):
        lines = tuple(
            (
                f"p{q}",
                f"histogram_quantile({q / 100:g}, sum by (le) (rate({name}_bucket[{window}])))",
            )
            for q in (50, 95, 99)
        )
        return Headline(
            name, f"{name} (p50, p95, p99)", lines[1][1], unit, "band", kind, lines, constant
        )
    if kind.is_distribution:
        lines = tuple(
            (f"p{q}", f"quantile_over_time({q / 100:g}, {name}[{window}])") for q in (50, 95, 99)
        )
        if len(views) > 1:
            lines = tuple((label, f"max({expr})") for label, expr in lines)
        return Headline(
            name, f"{name} (p50, p95, p99)", lines[1][1], unit, "band", kind, lines, constant
        )
    by = _best_label(views)
    if kind is MetricType.COUNTER:
        per_second = f"{unit}/s" if unit else "1/s"
        expr = f"sum by ({by}) (rate({name}[{window}]))" if by else f"sum(rate({name}[{window}]))"
        title = f"{name} per second" + (f" by {by}" if by else "")
        return Headline(name, title, expr, per_second, "line", kind, (("", expr),), constant)
    if len(views) <= MAX_LINES:
        return Headline(name, name, name, unit, "line", kind, (("", name),), constant)
    expr = f"avg by ({by}) ({name})" if by else f"avg({name})"
    title = f"{name}, mean" + (f" by {by}" if by else "")
    return Headline(name, title, expr, unit, "line", kind, (("", expr),), constant)


def _best_label(views: Sequence[SeriesView]) -> str | None:
    """Give the label that splits the series into the most lines that can still be told apart."""
    values: dict[str, set[str]] = {}
    for view in views:
        for name, value in view.key.labels.items():
            values.setdefault(name, set()).add(value)
    fitting = {n: len(v) for n, v in values.items() if 2 <= len(v) <= MAX_LINES}
    return max(sorted(fitting), key=lambda name: fitting[name]) if fitting else None


def _is_constant(view: SeriesView) -> bool:
    values = view.values
    if not len(values):
        return True
    finite = values[np.isfinite(values)]
    return not len(finite) or bool((finite == finite[0]).all())
