"""Run every analysis over one source and hold the answers together.

>>> from monitorlab.storage import SeriesStore
>>> collect(SeriesStore()).summary()
'nothing recorded'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from monitorlab.cache import NoContentError, fingerprint, remember
from monitorlab.model import Incident
from monitorlab.overview import steps
from monitorlab.overview.findings import Findings, nothing
from monitorlab.overview.objectives import Attainment, Objective, attainment
from monitorlab.overview.signals import base_metric, signals, worse_way
from monitorlab.recommend import Recommendations, recommend
from monitorlab.times import DurationLike, format_duration, from_ns, parse_duration

__all__ = ["HORIZONS", "collect", "recommendations"]

HORIZONS = ("1h", "24h", "7d")
_LEARNING = 0.1  # the detectors know too little in the first tenth of a recording


def collect(
    source: Any,
    *,
    rules: Sequence[Any] | None = None,
    incidents: Sequence[Incident] | None = None,
    interval: DurationLike | None = None,
    grace: DurationLike = "1m",
    forecast: Mapping[str, Any] | None = None,
    horizon: DurationLike | None = None,
    objectives: Sequence[Objective] = (),
    horizons: Sequence[DurationLike] = HORIZONS,
    progress: bool = False,
) -> Findings:
    """Run rules, anomaly detection, change points, forecasts and objectives over a source.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    rules : sequence of AlertRule, optional
        Rules to backtest.
    incidents : sequence of Incident, optional
        Labelled truth, and verdicts on earlier anomalies: what is marked as expected is no
        incident, and neither it nor an anomaly like it is listed.
    interval : duration, optional
        Evaluation interval of the rules; by default that of the finest series, see
        ``rule_interval``.
    grace : duration
        So long after an incident's end it still excuses an alert: a rule over a window cannot
        resolve before the window has passed.
    forecast : mapping of str to capacity, optional
        Signals or selectors to forecast, each with its capacity: a number, the name of the
        metric that limits it, a function, or None; by default every pair of a metric and its
        recorded limit.
    horizon : duration, optional
        How far to forecast; a quarter of the recording by default.
    objectives : sequence of Objective
        What was promised.
    horizons : sequence of duration
        Spans before the as-of time over which objectives are measured.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Findings

    Notes
    -----
    Anomalies and change points are looked for in ``signals(source)``: one regular series for
    each thing worth watching, not in raw counters. Cost O(samples). Every step is kept by
    content (``monitorlab.cache``): asked again about the same samples, it costs one digest.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> len(collect(SeriesStore()).advice)
    0
    """
    from tqdm.auto import tqdm

    views = [view for view in source.select(None) if len(view)]
    if not views:
        return nothing()
    seen = _content(source)
    start = from_ns(min(int(view.times[0]) for view in views))
    end = from_ns(max(int(view.times[-1]) for view in views))
    truth_given = [one for one in incidents or () if not one.is_expected] or None
    every = interval or steps.rule_interval(views)
    ahead = format_duration(int((end - start).value) // 4) if horizon is None else horizon
    with tqdm(total=5, desc="reading", disable=not progress, unit="step") as bar:
        watched = remember("signals", lambda: signals(source), seen)
        bar.update()
        bar.set_description("rules")
        firings, truth, scores = remember(
            "rules",
            lambda: steps.alert_tables(source, rules, truth_given, every, grace),
            seen, rules, truth_given, every, grace,
        )  # fmt: skip
        bar.update()
        bar.set_description("anomalies")
        events = remember("events", lambda: steps.events(watched, incidents or ()), seen, incidents)
        bar.update()
        bar.set_description("changes")
        changes, notes = remember("changes", lambda: steps.changes(source, watched), seen)
        bar.update()
        bar.set_description("forecasts")
        forecasts, more = steps.forecasts(source, watched, forecast, ahead)
        bar.update()
        bar.set_description("done")
    spans = [parse_duration(one) for one in horizons]
    standing = {span: _standing(source, objectives, start, end, span, seen) for span in spans}
    before = {
        span: _standing(source, objectives, start, end - pd.Timedelta(span, unit="ns"), span, seen)
        for span in spans
    }
    advice = recommend(
        anomalies=events,
        changes=changes,
        firings=firings if rules else None,
        incidents=truth if len(truth) else None,
        rule_scores=scores if rules else None,
        forecasts={k: f for k, f in forecasts.items() if f.time_to_capacity is not None} or None,
        objectives=_objective_table(standing) if objectives else None,
        as_of=end,
        learned=start + _LEARNING * (end - start) if len(events) else None,
    )
    described = {key.metric: source.metric(base_metric(key.metric)) for key in watched}
    ways = {str(key): worse_way(source, key) for key in watched}
    units = {
        name: f"{metric.unit or '1'}/s" if name.endswith(":rate") else metric.unit
        for name, metric in described.items()
    }
    return Findings(
        start, end, len(views), sum(len(view) for view in views), watched, events, changes,
        firings, truth, scores, forecasts, advice, {n: w for n, w in ways.items() if w}, units,
        standing, before, (*notes, *more),
    )  # fmt: skip


def recommendations(
    source: Any,
    *,
    rules: Sequence[Any] | None = None,
    incidents: Sequence[Incident] | None = None,
    **options: Any,
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
    **options : object
        As in ``collect``: ``forecast``, ``horizon``, ``objectives`` and so on.

    Returns
    -------
    Recommendations

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> recommendations(SeriesStore()).items
    ()
    """
    return collect(source, rules=rules, incidents=incidents, **options).advice


def _content(source: Any) -> Any:
    """Give the digest of a source; a source without one is handed on and nothing is kept."""
    try:
        return fingerprint(source)
    except NoContentError:
        return source


def _standing(
    source: Any,
    objectives: Sequence[Objective],
    start: pd.Timestamp,
    end: pd.Timestamp,
    span: int,
    seen: Any,
) -> tuple[Attainment, ...]:
    first = max(start, end - pd.Timedelta(span, unit="ns"))
    return tuple(
        remember(
            "objective",
            lambda one=one: attainment(source, one, first, end),  # type: ignore[misc]
            seen, one, first, end,
        )
        for one in objectives
    )  # fmt: skip


def _objective_table(standing: Mapping[int, Sequence[Attainment]]) -> pd.DataFrame:
    columns = [
        "objective", "horizon", "span_ns", "target", "attainment", "burn_rate", "budget_left",
        "good", "total", "unit", "end",
    ]  # fmt: skip
    rows = [
        (
            one.objective.name, format_duration(span), span, one.objective.target, one.ratio,
            one.burn_rate, one.budget_left, one.good, one.total,
            "events" if one.objective.kind == "events" else "s", one.end,
        )
        for span, several in sorted(standing.items())
        for one in several
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
