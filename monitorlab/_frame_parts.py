"""What stands between the frame's methods and the modules of their topics.

Each function takes a frame (or its parts), prepares the arguments and calls one function;
topics are imported on first use.

>>> from monitorlab._frame_parts import example
>>> named_rule(example().rules, "Slow")
Traceback (most recent call last):
...
monitorlab.errors.UnknownNameError: there is no rule 'Slow'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab import analysis_input, tables
from monitorlab.cache import remember
from monitorlab.errors import UnknownNameError, did_you_mean
from monitorlab.model import Incident, MetricType, SeriesKey
from monitorlab.rulebook import RulesOfFrame
from monitorlab.storage import Selection, SeriesStore
from monitorlab.times import DurationLike, TimeLike, from_ns

if TYPE_CHECKING:
    import pandas as pd

    from monitorlab.frame import MonitoringFrame

__all__ = [
    "RulesOfFrame",
    "add_rule",
    "anomalies",
    "backtest",
    "degradation",
    "describe",
    "example",
    "extend",
    "forecast",
    "mark",
    "named_rule",
    "narrowed",
    "query",
    "query_range",
    "recommendations",
    "seasonality",
    "selection_of",
    "snapshot",
    "stats",
    "trend",
    "tune",
]


def example(minutes: int = 4) -> MonitoringFrame:
    """Give a small frame for examples: two latencies and a counter, one sample a minute."""
    from monitorlab.frame import MonitoringFrame

    frame = MonitoringFrame()
    times = 1_767_225_600_000_000_000 + 60_000_000_000 * np.arange(minutes)
    cart, home = [10.0, 11.0, 12.0, 12.0], [5.0, 9.0, 9.0, 9.0]
    frame.extend("latency_ms", times[:4], cart[:minutes], {"route": "/cart"})
    frame.extend("latency_ms", times[:4], home[:minutes], {"route": "/"})
    frame.extend("hits_total", times, 3.0 * np.arange(minutes), type="counter")
    return frame


def selection_of(data: Any, store_options: Mapping[str, Any], **options: Any) -> Selection:
    """Give the selection that a new frame starts with."""
    if isinstance(data, Selection):
        return data
    if isinstance(data, SeriesStore):
        return data.selection()
    held = getattr(data, "selection", None)
    if isinstance(held, Selection):
        return held
    store = SeriesStore(**store_options)
    if data is not None:
        from monitorlab.io.frames import from_pandas

        from_pandas(data, store=store, **options)
    return store.selection()


def narrowed(frame: MonitoringFrame, selection: Selection) -> MonitoringFrame:
    """Give a frame of a narrower selection that shares store and rules."""
    other = type(frame)(selection)
    other.rules = frame.rules
    return other


def extend(
    store: SeriesStore,
    metric: str | SeriesKey,
    timestamps: Any,
    values: Any,
    labels: Mapping[str, str] | None,
    kind: MetricType | str | None,
) -> None:
    """Add a batch; a type counts only where the metric is not described yet."""
    store.extend(metric, timestamps, values, labels)
    name = metric.metric if isinstance(metric, SeriesKey) else metric
    if kind is not None and name not in store.metrics:
        store.describe(name, type=kind)


def describe(
    store: SeriesStore, metric: str, kind: Any, unit: str, description: str, **more: Any
) -> None:
    """Describe a metric; an empty text leaves what was known."""
    known = {"unit": unit or None, "description": description or None}
    store.describe(metric, type=kind, **known, **more)


def mark(store: SeriesStore, start: TimeLike, end: TimeLike, kind: str, **known: Any) -> None:
    """Add an incident."""
    store.incidents.append(Incident.make(start, end, kind, **known))


def stats(frame: MonitoringFrame, window: Any) -> pd.DataFrame:
    """Summarise the last window as of the frame's time."""
    from monitorlab.windows import window_stats

    return window_stats(frame.selection, window, at=frame.as_of)


def query(frame: MonitoringFrame, expr: str, at: TimeLike | None, **options: Any) -> pd.DataFrame:
    """Evaluate at one time."""
    from monitorlab.query import evaluate, warn_of_doubts

    answer = evaluate(frame.selection, expr, at, **options)
    warn_of_doubts(expr, frame.selection, stacklevel=3)
    return answer


def query_range(
    frame: MonitoringFrame,
    expr: str,
    start: TimeLike | None,
    end: TimeLike | None,
    step: DurationLike,
    **options: Any,
) -> MonitoringFrame:
    """Evaluate over a range, all that is seen by default, into a frame of its own."""
    from monitorlab.query import evaluate_range, warn_of_doubts

    views = frame.selection.series()
    if start is None:
        start = from_ns(min((int(v.times[0]) for v in views), default=0))
    if end is None:
        end = frame.as_of if frame.as_of is not None else start
    store = SeriesStore()
    for view in evaluate_range(frame.selection, expr, start, end, step, **options).to_views():
        store.extend(SeriesKey(view.key.metric or expr, view.key.labels), view.times, view.values)
    warn_of_doubts(expr, frame.selection, stacklevel=3)
    return type(frame)(store)


def add_rule(rules: list[Any], rule: Any, condition: Any, metric: Any, **options: Any) -> Any:
    """Make a rule (or take a ready one) and add it; the same once more changes nothing."""
    from monitorlab.alerting import AlertRule, make_rule
    from monitorlab.alerting.groups import as_rules

    ready = isinstance(rule, AlertRule)
    made = rule if ready else make_rule(rule, condition, metric=metric, **options)
    if made in list(rules):
        return made  # a notebook's cell that runs again
    as_rules([*rules, made])
    rules.append(made)
    return made


def named_rule(rules: Sequence[Any], rule: Any) -> Any:
    """Give a rule by its name; a rule itself is given back."""
    if not isinstance(rule, str):
        return rule
    names = [known.name for known in rules]
    if rule not in names:
        raise UnknownNameError(f"there is no rule {rule!r}{did_you_mean(rule, names)}")
    return rules[names.index(rule)]


def backtest(frame: MonitoringFrame, rules: Any, incidents: Any, **options: Any) -> Any:
    """Backtest rules, the frame's own by default, against its incidents by default."""
    from monitorlab import alerting

    chosen = frame.rules if rules is None else rules
    truth = _truth(frame, incidents)
    source: Any = frame.selection
    return alerting.backtest(source, chosen, incidents=truth, **options)


def tune(frame: MonitoringFrame, rule: Any, incidents: Any, limit: float, **options: Any) -> Any:
    """Tune a rule against incidents, the frame's own by default."""
    from monitorlab import alerting

    chosen = named_rule(frame.rules, rule)
    options["max_false_positive_rate"] = limit
    if (interval := frame.rules.interval_of(chosen)) is not None:
        options.setdefault("interval", interval)
    options.setdefault("recordings", frame.rules)
    source: Any = frame.selection
    return alerting.tune(source, chosen, _truth(frame, incidents), **options)


def anomalies(frame: MonitoringFrame, selector: Any, detector: Any, **options: Any) -> Any:
    """Detect anomalies in the prepared series."""
    from monitorlab.anomaly import detect
    from monitorlab.anomaly.verdicts import verdicts

    series = analysis_input.prepare_all(frame.selection, selector)
    given = {"marks": verdicts(frame.selection.incidents), **options}
    found = remember(
        "anomalies", lambda: detect(series, detector, **given), series, detector, given
    )
    return dataclasses.replace(found, marks=frame.store.incidents)


def seasonality(frame: MonitoringFrame, selector: Any, **options: Any) -> Any:
    """Find what repeats in the prepared series."""
    from monitorlab.seasonality import analyze

    series = analysis_input.prepare_all(frame.selection, selector)
    return remember("seasonality", lambda: analyze(series, **options), series, options)


def trend(frame: MonitoringFrame, selector: Any, **options: Any) -> Any:
    """Find where the prepared series are going."""
    from monitorlab.seasonality.trend import analyze_trend

    series = analysis_input.prepare_all(frame.selection, selector)
    return remember("trend", lambda: analyze_trend(series, **options), series, options)


def degradation(frame: MonitoringFrame, selector: Any, **options: Any) -> Any:
    """Find lasting changes in the prepared series."""
    from monitorlab.degradation import analyze

    series = analysis_input.prepare_all(frame.selection, selector)
    known = {"metrics": frame.selection.metrics, "are_rates": True, **options}
    return remember("degradation", lambda: analyze(series, **known), series, known)


def forecast(
    frame: MonitoringFrame, selector: Any, horizon: DurationLike, capacity: Any, **options: Any
) -> Any:
    """Forecast one prepared series; a text as capacity names a series."""
    from monitorlab.forecasting import forecast_series

    series = analysis_input.prepare_one(frame.selection, selector)
    if isinstance(capacity, str):
        capacity = analysis_input.one_view(frame.selection, capacity).to_pandas()
    known = {"horizon": horizon, "capacity": capacity, **options}
    return remember("forecast of a frame", lambda: forecast_series(series, **known), series, known)


def recommendations(frame: MonitoringFrame, **options: Any) -> Any:
    """Give advice about all that is seen."""
    from monitorlab import overview

    given = {"rules": frame.rules, "incidents": frame.selection.incidents, **options}
    return overview.recommendations(frame.selection, **given)


def snapshot(frame: MonitoringFrame, window: DurationLike) -> Any:
    """Say how everything stands as of the newest sample that is seen."""
    from monitorlab import overview

    return overview.snapshot(frame.selection, window, rules=frame.rules)


def _truth(frame: MonitoringFrame, incidents: Any) -> list[Incident] | None:
    if incidents is None:  # a frame without incidents is unlabelled, not free of incidents
        return [i for i in frame.selection.incidents if not i.is_expected] or None
    return tables.as_incidents(incidents)
