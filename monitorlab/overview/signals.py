"""One regular series for each thing worth watching, made by PromQL from the stored series.

A counter becomes its rate, a histogram its 95th percentile and its mean, a gauge stays. Names
follow the custom of recording rules: ``http_requests_total:rate``.

>>> from monitorlab.storage import SeriesStore
>>> signals(SeriesStore())
{}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.degradation import worse_direction
from monitorlab.headline import Headline, auto_window, headlines
from monitorlab.model import MetricType, SeriesKey
from monitorlab.query import evaluate_range
from monitorlab.times import format_duration, from_ns, to_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitorlab.storage import SeriesView

__all__ = ["base_metric", "capacity_pairs", "sampling_interval", "signals", "worse_way"]

MAX_STEPS = 20_000
MAX_SAMPLES = 300_000
_LEAST_STEPS = 1_000
# Labels that tell an answer, and the answers that nobody wants.
_ANSWERS = ("code", "status", "status_code", "outcome", "result", "response_code")
_BAD = re.compile(r"5\d\d|5xx|.*error.*|fail.*|timeout.*|refused|rejected|dropped", re.IGNORECASE)
_UNSURE = re.compile(r"4\d\d|4xx|3\d\d|3xx")
_SUFFIXES = (":rate", ":p95", ":mean")
_LIMITS = ("_max", "_limit", "_size", "_total", "_capacity")


def signals(source: Any, *, max_steps: int = MAX_STEPS) -> dict[SeriesKey, pd.Series]:
    """Make the series that are worth watching.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    max_steps : int
        Longer recordings are looked at on a coarser grid, as are those of so many series that
        there would be more than 300 000 samples in all (but no coarser than 1 000 steps).

    Returns
    -------
    dict of SeriesKey to pandas.Series
        Regular in time, NaN where nothing was recorded; metrics that never change are left out.

    Notes
    -----
    One range evaluation an expression; cost O(samples).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
    >>> [str(key) for key in signals(store)]
    ['queue']
    """
    views = list(source.select(None))
    if not views or not sum(len(view) for view in views):
        return {}
    start = min(int(view.times[0]) for view in views if len(view))
    end = max(int(view.times[-1]) for view in views if len(view))
    interval = sampling_interval(views)
    step = interval * max(1, -(-(end - start) // (interval * _steps(views, max_steps))))
    step = -(-step // 1_000_000) * 1_000_000  # whole milliseconds
    window = auto_window(views, least=step / 1e9)
    found: dict[SeriesKey, pd.Series] = {}
    for head in headlines(source, window):
        if head.is_constant:
            continue
        for suffix, expr in _expressions(head, window):
            matrix = evaluate_range(
                source, expr, from_ns(start), from_ns(end), format_duration(step)
            )
            index = to_index(matrix.times_ns)
            for row, key in enumerate(matrix.keys):
                values = np.where(matrix.present[row], matrix.values[row], np.nan)
                if np.isfinite(values).sum() < 2:
                    continue
                name = SeriesKey(head.metric + suffix, key.labels)
                found[name] = pd.Series(values, index=index, name=str(name))
    return found


def capacity_pairs(source: Any) -> dict[str, str]:
    """Find metrics whose limit is recorded beside them, such as ``x_used`` and ``x_size``.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.

    Returns
    -------
    dict of str to str
        Metric name to the metric that limits it. Nothing is invented: both are recorded, both
        are gauges, and both have the same label sets.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> for name, value in (("disk_used_bytes", 3.0), ("disk_size_bytes", 10.0)):
    ...     store.extend(name, ["2026-01-01T00:00Z"], [value], labels={"host": "a"})
    >>> capacity_pairs(store)
    {'disk_used_bytes': 'disk_size_bytes'}
    """
    labels: dict[str, set[Any]] = {}
    for view in source.select(None):
        if source.metric(view.key.metric).type is MetricType.GAUGE:
            labels.setdefault(view.key.metric, set()).add(view.key.labels)
    pairs = {}
    for name in sorted(labels):
        candidates = [name + limit for limit in _LIMITS]
        for used in ("_used", "_in_use"):
            if used in name:
                candidates += [name.replace(used, limit) for limit in _LIMITS]
        for limit in candidates:
            if limit != name and labels.get(limit) == labels[name]:
                pairs[name] = limit
                break
    return pairs


def _expressions(head: Headline, window: str) -> Iterable[tuple[str, str]]:
    """Give the suffix and the expression of each signal of a metric."""
    if head.type is MetricType.COUNTER:
        yield ":rate", head.expr
    elif head.kind == "band":
        yield ":p95", head.expr
        if head.type is MetricType.HISTOGRAM and "_bucket[" in head.expr:
            name = head.metric
            yield (
                ":mean",
                f"sum(rate({name}_sum[{window}])) / sum(rate({name}_count[{window}]))",
            )
    else:
        yield "", head.expr


def _steps(views: Sequence[SeriesView], most: int) -> int:
    """Give how many steps are affordable for so many series."""
    series = sum(not view.key.metric.endswith("_bucket") for view in views)
    return min(most, max(_LEAST_STEPS, MAX_SAMPLES // max(1, series)))


def sampling_interval(views: Sequence[SeriesView], *, finest: bool = False) -> int:
    """Give the sampling interval of series: that of the typical one, or of the finest.

    Parameters
    ----------
    views : sequence of SeriesView
        The first fifty that have an interval are looked at, or all for the finest.
    finest : bool
        The shortest in place of the median.

    Returns
    -------
    int
        Nanoseconds; one second where nothing tells.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
    >>> sampling_interval(store.select())
    60000000000
    """
    several = [view for view in views if len(view) > 1]
    chosen = several if finest else several[:50]
    found = [float(np.median(np.diff(view.times[:1000]))) for view in chosen]
    if not found:
        return 1_000_000_000
    return int(min(found) if finest else np.median(found))


def base_metric(name: str) -> str:
    """Give the recorded metric that a signal was made from.

    Parameters
    ----------
    name : str
        Name of a signal's metric.

    Returns
    -------
    str

    Examples
    --------
    >>> base_metric("requests_total:rate"), base_metric("queue")
    ('requests_total', 'queue')
    """
    for suffix in _SUFFIXES:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def worse_way(source: Any, key: SeriesKey) -> str | None:
    """Say which way is worse for a signal: what is known of its metric, and of its answer.

    Parameters
    ----------
    source : SeriesStore or Selection
        Where metrics are described.
    key : SeriesKey
        The signal.

    Returns
    -------
    {"up", "down", None}
        Fewer requests are worse, but fewer of those that were answered with an error are not.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> [worse_way(store, SeriesKey("requests_total:rate", Labels(code=c))) for c in ("200", "500")]
    ['down', 'up']
    """
    metric = source.metric(base_metric(key.metric))
    if metric.direction in ("up", "down"):
        return str(metric.direction)
    for name in _ANSWERS:
        answer = key.labels.get(name, "")
        if answer and _BAD.fullmatch(answer):
            return "up"
        if answer and _UNSURE.fullmatch(answer):
            return None
    return worse_direction(metric).way
