"""The single steps of ``collect``: each asks one analysis and gives a plain table.

>>> events({}).empty
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from monitorlab import alerting, anomaly, degradation, forecasting
from monitorlab.cache import remember
from monitorlab.errors import NotEnoughDataError, UnknownSeriesError
from monitorlab.model import Incident, MetricType, SeriesKey
from monitorlab.overview.findings import (
    CHANGE_COLUMNS,
    EVENT_COLUMNS,
    FIRING_COLUMNS,
    INCIDENT_COLUMNS,
    RULE_COLUMNS,
)
from monitorlab.overview.signals import (
    base_metric,
    capacity_pairs,
    sampling_interval,
    worse_way,
)
from monitorlab.times import DurationLike, format_duration

__all__ = ["alert_tables", "changes", "events", "forecasts", "rule_interval"]

_CHANGE_STEPS = 3_000  # lasting changes are looked for in means over this many stretches
_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS
_HELD = 0.05  # both sides of a lasting change are at least this share of the span
_LASTING = ("degraded", "improved", "changed")  # what came and went again is no lasting change
_RULE_STEPS = 120_000
_FEWEST_STEPS = 100
_TYPICAL = 10 * 10**9


def rule_interval(views: Sequence[Any]) -> str:
    """Choose how often rules are evaluated: as often as the finest series says something new.

    Parameters
    ----------
    views : sequence of SeriesView
        What was recorded, one series at least.

    Returns
    -------
    str
        The finest sampling interval; 10 s where that is finer and the recording is not short;
        and at most 120 000 evaluations over the recording. Whole seconds.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:05Z"], [3.0, 4.0])
    >>> rule_interval(store.select())
    '5m'
    """
    finest = sampling_interval(views, finest=True)
    span = max(int(v.times[-1]) for v in views) - min(int(v.times[0]) for v in views)
    step = max(finest, min(_TYPICAL, span // _FEWEST_STEPS), -(-span // _RULE_STEPS), 1)
    return format_duration(-(-step // 10**9) * 10**9)


def alert_tables(
    source: Any,
    rules: Sequence[Any] | None,
    incidents: Sequence[Incident] | None,
    interval: DurationLike,
    grace: DurationLike,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Backtest rules and give firings, incidents and one row a rule.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    rules : sequence of AlertRule, optional
        Rules; without any the tables of firings and rules are empty.
    incidents : sequence of Incident, optional
        Labelled truth.
    interval, grace : duration
        As in ``alerting.backtest``.

    Returns
    -------
    tuple of pandas.DataFrame
        In the columns of ``findings``.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> [len(table) for table in alert_tables(SeriesStore(), None, None, "15s", "0s")]
    [0, 0, 0]
    """
    ordered = sorted(incidents or [], key=lambda incident: incident.start)
    truth = pd.DataFrame(
        {
            "start": pd.DatetimeIndex([i.start for i in ordered], tz="UTC"),
            "end": pd.DatetimeIndex([i.end for i in ordered], tz="UTC"),
            "kind": [i.kind for i in ordered],
            "severity": [i.severity.value for i in ordered],
            "metrics": [i.metrics for i in ordered],
            "detected": False,
            "rule": "",
            "delay": pd.NaT,
            "description": [i.description for i in ordered],
        },
        columns=INCIDENT_COLUMNS,
    )
    if not rules:
        return pd.DataFrame(columns=FIRING_COLUMNS), truth, pd.DataFrame(columns=RULE_COLUMNS)
    backtest = alerting.backtest(source, rules, incidents=incidents, interval=interval, grace=grace)
    for name in ("detected", "rule", "delay"):
        truth[name] = backtest.incidents[name].to_numpy()
    return backtest.firings[FIRING_COLUMNS], truth, backtest.by_rule.reset_index()


def events(watched: Mapping[SeriesKey, pd.Series], marks: Sequence[Incident] = ()) -> pd.DataFrame:
    """Give the anomaly events of every signal; gaps are told apart by their kind.

    Parameters
    ----------
    watched : mapping of SeriesKey to pandas.Series
        Regular series.
    marks : sequence of Incident
        Verdicts on earlier events; those marked as expected, and what is like them, are left
        out.

    Returns
    -------
    pandas.DataFrame
        Sorted by start.

    Examples
    --------
    >>> len(events({}))
    0
    """
    found = anomaly.detect(dict(watched), marks=marks).events if watched else pd.DataFrame()
    if not len(found):
        return pd.DataFrame(columns=EVENT_COLUMNS)
    found = found[found["verdict"] != "expected"]
    return found[EVENT_COLUMNS].sort_values("start", ignore_index=True)


def changes(
    source: Any, watched: Mapping[SeriesKey, pd.Series]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Give the lasting changes and drifts of every signal, and what could not be judged.

    Parameters
    ----------
    source : SeriesStore or Selection
        What is known of the metrics.
    watched : mapping of SeriesKey to pandas.Series
        Regular series.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of str)
        A change counts as lasting when the stretches before and after it are each a twentieth
        of the span at least: the start of a recording is no change.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> len(changes(SeriesStore(), {})[0])
    0
    """
    # A signal of a counter is a rate already; what is known of the metric is its direction.
    metrics = {
        key.metric: replace(source.metric(base_metric(key.metric)), type=MetricType.GAUGE)
        for key in watched
    }
    found = degradation.analyze({k: _coarse(s) for k, s in watched.items()}, metrics=metrics)
    ways = {str(key): worse_way(source, key) for key in watched}
    rows = []
    for row in found.rows:
        least = _HELD * (row.end - row.start)
        lasting = [change for change in row.changes if change.is_significant]
        held = lasting and min(row.end - lasting[-1].time, lasting[-1].time - row.start) >= least
        if row.status in _LASTING and held:
            change = lasting[-1]
            worse = _is_worse(ways[row.series], change.after - change.before)
            rows.append(
                (
                    change.series, change.time, change.before, change.after, 100.0 * change.ratio,
                    change.standardised, worse,
                    "sudden" if change.kind == "sudden" else "slow",
                )
            )  # fmt: skip
        elif row.status == "drifting" and row.drift is not None:
            drift = row.drift
            worse = _is_worse(ways[row.series], drift.effect)
            before = drift.effect / drift.ratio if drift.ratio else float("nan")
            rows.append(
                (
                    row.series, drift.since, before, before + drift.effect, 100.0 * drift.ratio,
                    drift.standardised, worse, "slow",
                )
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=CHANGE_COLUMNS)
    skipped = list(found.skipped.items())
    notes = (
        (f"lasting changes of {len(skipped)} series, for example {': '.join(skipped[0])}",)
        if skipped
        else ()
    )
    return table.sort_values("time", ignore_index=True), notes


def forecasts(
    source: Any,
    watched: Mapping[SeriesKey, pd.Series],
    wanted: Mapping[str, Any] | None,
    horizon: DurationLike,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Forecast what was asked for, or every metric whose limit is recorded beside it.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    watched : mapping of SeriesKey to pandas.Series
        Its signals.
    wanted : mapping of str to capacity, optional
        As in ``collect``.
    horizon : duration
        How far.

    Returns
    -------
    tuple of (dict of str to Forecast, tuple of str)
        Forecasts by series, each with its accuracy; and which failed, with the reason.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> forecasts(SeriesStore(), {}, None, "1h")
    ({}, ())
    """
    targets = dict(capacity_pairs(source)) if wanted is None else dict(wanted)
    made: dict[str, Any] = {}
    notes: list[str] = []
    for name, capacity in targets.items():
        for key, series in _targets(source, watched, name):
            limit = _limit(source, key, capacity)

            def compute(series: pd.Series = series, limit: Any = limit) -> Any:
                forecast = forecasting.forecast_series(series, horizon=horizon, capacity=limit)
                _ = forecast.accuracy  # kept with it
                return forecast

            try:
                made[str(key)] = remember("forecast", compute, series, horizon, limit)
            except NotEnoughDataError as error:
                notes.append(f"forecast of {key}: {error}")
    return made, tuple(notes)


def _is_worse(way: str | None, rise: float) -> bool | None:
    return None if way is None else (rise > 0) == (way == "up")


def _coarse(series: pd.Series, most: int = _CHANGE_STEPS) -> pd.Series:
    """Give means of neighbouring samples, so that at most so many are left.

    A day, or an hour where the means are of minutes, is a whole number of them if it can be:
    else its season would come back as a slow beat that is not in the series.
    """
    every = -(-len(series) // most)
    if every <= 1:
        return series
    step = int((series.index[1] - series.index[0]).value)
    unit = _HOUR_NS if every * step < _HOUR_NS else _DAY_NS
    every = next((m for m in range(every, 3 * every) if unit % (m * step) == 0), every)
    starts = np.arange(0, len(series), every)
    values = series.to_numpy(dtype=float)
    known = np.isfinite(values)
    counts = np.add.reduceat(known.astype(float), starts)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    means = np.where(counts > 0, sums / np.maximum(counts, 1.0), np.nan)
    return pd.Series(means, index=series.index[starts], name=series.name)


def _targets(
    source: Any, watched: Mapping[SeriesKey, pd.Series], name: str
) -> list[tuple[SeriesKey, pd.Series]]:
    """Find the signals of a name, or else the stored series that a selector names."""
    named = [(key, series) for key, series in watched.items() if name in (key.metric, str(key))]
    return named or [(view.key, view.to_pandas()) for view in source.select(name)]


def _limit(source: Any, key: SeriesKey, capacity: Any) -> Any:
    """Give a capacity as a number, a series or a function; a text names a recorded metric."""
    if not isinstance(capacity, str):
        return capacity
    views = list(source.select(capacity))
    same = [view for view in views if view.key.labels == key.labels] or views
    if len(same) != 1:
        found = ", ".join(str(view.key) for view in views) or "nothing"
        msg = f"the capacity {capacity!r} of {key} must name one series, it names {found}"
        raise UnknownSeriesError(msg)
    return same[0].to_pandas()
