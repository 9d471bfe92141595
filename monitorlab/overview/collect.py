"""Run every analysis over one source and hold the answers together.

>>> from monitorlab.storage import SeriesStore
>>> collect(SeriesStore()).summary()
'nothing recorded'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab import alerting, anomaly, degradation, forecasting
from monitorlab.display import Result
from monitorlab.errors import NotEnoughDataError, UnknownSeriesError
from monitorlab.model import Incident, MetricType, SeriesKey
from monitorlab.overview.signals import capacity_pairs, signals
from monitorlab.recommend import Recommendations, recommend
from monitorlab.times import DurationLike, format_duration, from_ns, parse_duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Findings", "collect", "recommendations"]

EVENT_COLUMNS = ["series", "start", "peak", "end", "value", "expected", "score", "kind", "severity"]
CHANGE_COLUMNS = [
    "series", "time", "before", "after", "effect_percent", "effect_std", "worse", "kind",
]  # fmt: skip
FIRING_COLUMNS = ["rule", "series", "severity", "start", "end", "incident"]
_CHANGE_STEPS = 1_500  # lasting changes are looked for in means over this many stretches
_HELD = 0.05  # a change must have held for this share of the span to be called lasting
_LASTING = ("degraded", "improved", "changed")  # what came and went again is no lasting change
INCIDENT_COLUMNS = [
    "start", "end", "kind", "severity", "metrics", "detected", "rule", "delay", "description",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class Findings(Result):
    """The answers of every analysis over one span, as tables.

    Parameters
    ----------
    start, end : pandas.Timestamp or None
        First and last sample; None when nothing is recorded.
    n_series, n_samples : int
        Size of the recording.
    signals : dict of SeriesKey to pandas.Series
        What the analyses looked at.
    backtest : Backtest or None
        What the rules would have done; None without rules.
    anomalies, changes, firings, incidents, rule_scores : pandas.DataFrame
        Tables with one row a finding.
    forecasts : dict of str to Forecast
        By series.
    advice : Recommendations
        What follows from the above.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> collect(SeriesStore()).n_series
    0
    """

    start: pd.Timestamp | None
    end: pd.Timestamp | None
    n_series: int
    n_samples: int
    signals: dict[SeriesKey, pd.Series]
    backtest: Any
    anomalies: pd.DataFrame
    changes: pd.DataFrame
    firings: pd.DataFrame
    incidents: pd.DataFrame
    rule_scores: pd.DataFrame
    forecasts: dict[str, Any]
    advice: Recommendations
    notes: tuple[str, ...] = field(default=())

    def summary(self) -> str:
        """Say how much of each was found."""
        if self.end is None:
            return "nothing recorded"
        return (
            f"{len(self.incidents)} incidents, {len(self.firings)} firings, "
            f"{len(self.anomalies)} anomalies, {len(self.changes)} lasting changes, "
            f"{len(self.forecasts)} forecasts in {self.n_series} series"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the number of findings by kind."""
        counts = {
            "incidents": len(self.incidents),
            "firings": len(self.firings),
            "anomalies": len(self.anomalies),
            "lasting changes": len(self.changes),
            "forecasts": len(self.forecasts),
            "recommendations": len(self.advice),
        }
        return pd.DataFrame({"count": counts}).rename_axis("finding")

    def to_dict(self) -> dict[str, Any]:
        """Give counts and advice as plain JSON types."""
        return {"summary": self.summary(), "advice": self.advice.to_dict()}

    def plot(self) -> go.Figure:
        """Draw the advice over time."""
        return self.advice.plot()


def collect(
    source: Any,
    *,
    rules: Sequence[Any] | None = None,
    incidents: Sequence[Incident] | None = None,
    interval: DurationLike | None = None,
    grace: DurationLike = "1m",
    forecast: Mapping[str, Any] | None = None,
    horizon: DurationLike | None = None,
    progress: bool = False,
) -> Findings:
    """Run rules, anomaly detection, change points and forecasts over a source.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    rules : sequence of AlertRule, optional
        Rules to backtest.
    incidents : sequence of Incident, optional
        Labelled truth.
    interval : duration, optional
        Evaluation interval of the rules; five sampling intervals by default.
    grace : duration
        So long after an incident's end it still excuses an alert: a rule over a window cannot
        resolve before the window has passed.
    forecast : mapping of str to capacity, optional
        Signals or selectors to forecast, each with its capacity: a number, the name of the
        metric that limits it, a function, or None; by default every pair of a metric and its
        recorded limit.
    horizon : duration, optional
        How far to forecast; a quarter of the recording by default.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Findings

    Notes
    -----
    Anomalies and change points are looked for in ``signals(source)``: one regular series for
    each thing worth watching, not in raw counters. Cost O(samples).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> len(collect(SeriesStore()).advice)
    0
    """
    from tqdm.auto import tqdm

    views = [view for view in source.select(None) if len(view)]
    if not views:
        return _nothing()
    start = from_ns(min(int(view.times[0]) for view in views))
    end = from_ns(max(int(view.times[-1]) for view in views))
    with tqdm(total=5, desc="reading", disable=not progress, unit="step") as bar:
        watched = signals(source)
        bar.update()
        bar.set_description("rules")
        backtest = (
            alerting.backtest(
                source,
                rules,
                incidents=incidents,
                interval=interval or _default_interval(watched),
                grace=grace,
            )
            if rules
            else None
        )
        firings, truth, scores = _alert_tables(backtest, incidents or [])
        bar.update()
        bar.set_description("anomalies")
        events = _events(watched)
        bar.update()
        bar.set_description("changes")
        changes, notes = _changes(source, watched)
        bar.update()
        bar.set_description("forecasts")
        forecasts, more = _forecasts(source, watched, forecast, horizon, end - start)
        bar.update()
        bar.set_description("done")
    advice = recommend(
        anomalies=events,
        changes=changes,
        firings=firings if rules else None,
        incidents=truth if len(truth) else None,
        rule_scores=scores if rules else None,
        forecasts={k: f for k, f in forecasts.items() if f.time_to_capacity is not None} or None,
        as_of=end,
    )
    return Findings(
        start, end, len(views), sum(len(view) for view in views), watched, backtest, events,
        changes, firings, truth, scores, forecasts, advice, (*notes, *more),
    )  # fmt: skip


def recommendations(
    source: Any, *, rules: Sequence[Any] | None = None, incidents: Sequence[Incident] | None = None
) -> Recommendations:
    """Say what to do next about what was recorded.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    rules : sequence of AlertRule, optional
        Rules to judge.
    incidents : sequence of Incident, optional
        Labelled truth.

    Returns
    -------
    Recommendations

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> recommendations(SeriesStore()).items
    ()
    """
    return collect(source, rules=rules, incidents=incidents).advice


def _nothing() -> Findings:
    empty = pd.DataFrame
    return Findings(
        None, None, 0, 0, {}, None, empty(columns=EVENT_COLUMNS), empty(columns=CHANGE_COLUMNS),
        empty(columns=FIRING_COLUMNS), empty(columns=INCIDENT_COLUMNS), empty(), {},
        Recommendations((), ("everything: nothing is recorded",)),
    )  # fmt: skip


def _default_interval(watched: Mapping[SeriesKey, pd.Series]) -> str:
    """Five sampling steps, rounded up to whole seconds."""
    steps = [series.index[1] - series.index[0] for series in watched.values() if len(series) > 1]
    if not steps:
        return "15s"
    seconds = int(np.ceil(min(steps).total_seconds() * 5))
    return format_duration(parse_duration(seconds))


def _alert_tables(
    backtest: Any, incidents: Sequence[Incident]
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Give firings, incidents and one row a rule, in the columns that the report reads."""
    ordered = sorted(incidents, key=lambda incident: incident.start)
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
    if backtest is None:
        return pd.DataFrame(columns=FIRING_COLUMNS), truth, pd.DataFrame()
    for name in ("detected", "rule", "delay"):
        truth[name] = backtest.incidents[name].to_numpy()
    return backtest.firings[FIRING_COLUMNS], truth, backtest.by_rule.reset_index()


def _events(watched: Mapping[SeriesKey, pd.Series]) -> pd.DataFrame:
    """Give the anomaly events of every signal; gaps are told apart by their kind."""
    found = anomaly.detect(dict(watched)).events if watched else pd.DataFrame()
    if not len(found):
        return pd.DataFrame(columns=EVENT_COLUMNS)
    return found[EVENT_COLUMNS].sort_values("start", ignore_index=True)


def _changes(
    source: Any, watched: Mapping[SeriesKey, pd.Series]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Give the lasting changes and drifts of every signal, and what could not be judged."""
    described = {key.metric: source.metric(key.metric.partition(":")[0]) for key in watched}
    # A signal of a counter is a rate already: what is known of the metric is its direction.
    metrics = {
        name: replace(metric, name=name, type=MetricType.GAUGE)
        for name, metric in described.items()
    }
    found = degradation.analyze({k: _coarse(s) for k, s in watched.items()}, metrics=metrics)
    rows = []
    for row in found.rows:
        lasting = [change for change in row.changes if change.is_significant]
        held = lasting and (row.end - lasting[-1].time) >= _HELD * (row.end - row.start)
        if row.status in _LASTING and held:
            change = lasting[-1]
            rows.append(
                (
                    change.series, change.time, change.before, change.after, 100.0 * change.ratio,
                    change.standardised, change.is_worse,
                    "sudden" if change.kind == "sudden" else "slow",
                )
            )  # fmt: skip
        elif row.status == "drifting" and row.drift is not None:
            drift = row.drift
            rows.append(
                (
                    row.series, drift.since, float("nan"), drift.effect, 100.0 * drift.ratio,
                    drift.standardised, drift.is_worse, "slow",
                )
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=CHANGE_COLUMNS)
    skipped = found.skipped
    notes = (
        (f"lasting changes of {len(skipped)} series, for example {next(iter(skipped.items()))}",)
        if skipped
        else ()
    )
    return table.sort_values("time", ignore_index=True), notes


def _coarse(series: pd.Series, most: int = _CHANGE_STEPS) -> pd.Series:
    """Give means of neighbouring samples, so that at most so many are left."""
    every = -(-len(series) // most)
    if every <= 1:
        return series
    starts = np.arange(0, len(series), every)
    values = series.to_numpy(dtype=float)
    known = np.isfinite(values)
    counts = np.add.reduceat(known.astype(float), starts)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts)
    means = np.where(counts > 0, sums / np.maximum(counts, 1.0), np.nan)
    return pd.Series(means, index=series.index[starts], name=series.name)


def _forecasts(
    source: Any,
    watched: Mapping[SeriesKey, pd.Series],
    wanted: Mapping[str, Any] | None,
    horizon: DurationLike | None,
    span: pd.Timedelta,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Forecast what was asked for, or every metric whose limit is recorded beside it."""
    targets = dict(capacity_pairs(source)) if wanted is None else dict(wanted)
    ahead = span / 4 if horizon is None else horizon
    made: dict[str, Any] = {}
    notes: list[str] = []
    for name, capacity in targets.items():
        for key, series in _targets(source, watched, name):
            try:
                limit = _limit(source, key, capacity)
                made[str(key)] = forecasting.forecast_series(series, horizon=ahead, capacity=limit)
            except NotEnoughDataError as error:
                notes.append(f"forecast of {key}: {error}")
    return made, tuple(notes)


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
