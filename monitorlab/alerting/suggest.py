"""A starting set of rules for metrics that nobody has written rules for yet.

>>> import numpy as np
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> t = np.arange(2_000) * 15_000_000_000
>>> store.extend("queue_depth", t, 10 + np.sin(np.arange(2_000) / 7.0))
>>> [rule.expr for rule in suggest_rules(store).alerts]
['avg_over_time(queue_depth[5m]) > 11']
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from monitorlab.alerting.backtest import data_span
from monitorlab.alerting.groups import RuleGroup, RuleSet
from monitorlab.alerting.history import grid
from monitorlab.alerting.overlay import Source, metric_names, source_of
from monitorlab.alerting.rules import AlertRule
from monitorlab.alerting.scoring import Universe, read_incidents
from monitorlab.alerting.signals import ask
from monitorlab.errors import RuleError, TimeError, UnknownSeriesError, did_you_mean
from monitorlab.model import Metric, MetricType
from monitorlab.times import DurationLike, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["suggest_rules"]

MIN_SAMPLES = 50  # of clean data, below which nothing is proposed
_BAD_WORDS = ("error", "fail", "exception", "timeout", "reject", "drop", "5xx", "panic", "crash")
_LOW_IS_BAD = ("free", "available", "idle", "success", "throughput", "remaining", "healthy", "hit")
_UP = ("up", "probe_success", "healthy", "alive")
_SUFFIXES = ("_bucket", "_sum", "_count", "_created", "_info")


@dataclass(frozen=True, slots=True)
class _Idea:
    """A value worth watching, and which way is bad."""

    title: str
    value: str
    bad: str  # "up" or "down"
    why: str


def suggest_rules(
    source: Source,
    metrics: Iterable[str] | None = None,
    *,
    incidents: Any = None,
    window: DurationLike = "5m",
    margin: float = 0.25,
    for_: DurationLike = "2m",
    interval: DurationLike = "15s",
    max_false_positive_rate: float = 0.01,
) -> RuleSet:
    """Propose alert rules from metric types and from what clean data look like.

    Parameters
    ----------
    source : MonitoringFrame, SeriesStore or Selection
        The recorded samples.
    metrics : iterable of str, optional
        Metrics to propose for; all unless given.
    incidents : incidents in any form
        Spans to leave out of "clean"; the source's own unless given.
    window : duration
        Smoothing window.
    margin : float
        How far beyond what clean data reach a threshold is put, as a share of the distance
        between their median and their extreme.
    for_ : duration
        How long a condition must hold.
    interval : duration
        Grid at which clean data are looked at.
    max_false_positive_rate : float
        The extreme of clean data is their quantile at one minus this share, at least their
        99.9th percentile.

    Returns
    -------
    RuleSet
        At most one rule a metric, with its reason in the annotations. Constant gauges,
        information metrics and metrics with fewer than 50 clean values get none.

    Raises
    ------
    RuleError
        If an argument is wrong.
    UnknownSeriesError
        If a metric that was asked for is not there.

    Notes
    -----
    A counter is watched by its rate (an error counter when it rises above what is clean, any
    other when it falls), a timer or histogram by its 95th percentile, a 0/1 gauge when it is
    0, any other gauge in the direction that is worse for it. These are starting points:
    ``tune`` them on incidents.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(100) * 15_000_000_000, np.ones(100))
    >>> suggest_rules(store)["UpDown"].expr
    'up < 1'
    """
    if margin < 0 or not math.isfinite(margin):
        msg = f"margin is a share of 0 or more, not {margin!r}"
        raise RuleError(msg)
    try:
        window_text = format_duration(parse_duration(window))
        step_ns = parse_duration(interval)
        parse_duration(for_)
    except TimeError as error:
        msg = f"suggest_rules: {error}"
        raise RuleError(msg) from error
    source = source_of(source)
    known = metric_names(source)
    wanted = known if metrics is None else list(metrics)
    for name in wanted:
        if name not in known:
            msg = f"there is no metric {name!r}{did_you_mean(name, known)}"
            raise UnknownSeriesError(msg)
    first, last = grid(*data_span(source), step_ns)
    truth = read_incidents(getattr(source, "incidents", []) if incidents is None else incidents)
    universe = Universe.make(first, last + step_ns, [(i.start.value, i.end.value) for i in truth])
    quantile = max(0.999, 1 - max_false_positive_rate)
    rules = []
    for name in wanted:
        idea = _idea(source.metric(name), name, window_text)
        if idea is None or last < first:
            continue
        clean = _clean(source, idea.value, universe, first, last, step_ns)
        cut = _cut(clean, idea.bad, quantile, margin)
        if cut is None:
            continue
        op = ">" if idea.bad == "up" else "<"
        rules.append(
            AlertRule(
                idea.title,
                f"{idea.value} {op} {cut:g}",
                for_=for_,
                severity="warning",
                annotations={"summary": f"{name} is unusual", "description": idea.why},
            )
        )
    return RuleSet([RuleGroup("suggested", rules)] if rules else [])


def _idea(metric: Metric, name: str, window: str) -> _Idea | None:
    words = name.lower()
    title = "".join(part.capitalize() for part in name.replace(":", "_").split("_") if part)
    if name.endswith("_bucket"):
        base = name.removesuffix("_bucket")
        title = title.removesuffix("Bucket")
        value = f"histogram_quantile(0.95, sum by (le) (rate({name}[{window}])))"
        return _Idea(f"{title}Slow", value, "up", f"95th percentile of {base} over {window}")
    if name.endswith(_SUFFIXES):
        return None
    if name in _UP:
        return _Idea(f"{title}Down", name, "down", f"{name} is 1 when all is well")
    if metric.type is MetricType.COUNTER or (
        name.endswith("_total") and metric.type is MetricType.GAUGE
    ):
        value = f"sum(rate({name}[{window}]))"
        if any(word in words for word in _BAD_WORDS):
            return _Idea(f"{title}High", value, "up", f"rate of {name} over {window}")
        return _Idea(f"{title}RateLow", value, "down", f"rate of {name} over {window}")
    if metric.type.is_distribution:
        value = f"quantile_over_time(0.95, {name}[{window}])"
        return _Idea(f"{title}P95High", value, "up", f"95th percentile of {name} over {window}")
    low = metric.direction == "down" or (
        metric.direction is None and any(word in words for word in _LOW_IS_BAD)
    )
    value = f"avg_over_time({name}[{window}])"
    if low:
        return _Idea(f"{title}Low", value, "down", f"mean of {name} over {window}")
    return _Idea(f"{title}High", value, "up", f"mean of {name} over {window}")


def _clean(
    source: Source, value: str, universe: Universe, first: int, last: int, step_ns: int
) -> npt.NDArray[np.float64]:
    result = ask(source, value, first, last, step_ns)
    times = result.times_ns
    inside = universe.overlap(times, times + step_ns) > 0
    values = result.values[:, ~inside]
    return values[np.isfinite(values)]


def _cut(clean: npt.NDArray[np.float64], bad: str, quantile: float, margin: float) -> float | None:
    if len(clean) < MIN_SAMPLES:
        return None
    middle = float(np.median(clean))
    if bad == "down" and set(np.unique(clean).tolist()) <= {0.0, 1.0}:
        return 1.0 if middle == 1.0 else None
    edge = float(np.quantile(clean, quantile if bad == "up" else 1 - quantile))
    reach = edge - middle
    if bad == "up" and reach == 0 and middle == 0:
        return 0.0 if float(clean.max()) == 0 else None  # an error counter that never moves
    if reach == 0:
        return None
    cut = edge + margin * reach
    if bad == "down" and cut <= 0 < middle:
        cut = middle / 10 if edge > middle / 10 else 0.0
        if cut == 0.0:
            return None
    return _rounded(cut, up=bad == "up")


def _rounded(value: float, *, up: bool) -> float:
    """Round away from clean data, to two or three significant digits."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1) / 2
    steps = value / unit
    return float(f"{(math.ceil(steps) if up else math.floor(steps)) * unit:.6g}")
