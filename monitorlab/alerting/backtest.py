"""Replay rules over recorded data: what they would have done, how wrongly, how late.

>>> from monitorlab.alerting import AlertRule
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> t = np.arange(240) * 15_000_000_000
>>> store.extend("latency_ms", t, np.where((t >= 1.5e12) & (t < 1.8e12), 900.0, 100.0))
>>> truth = [("1970-01-01T00:25:00Z", "1970-01-01T00:30:00Z", "slow shop")]
>>> bt = backtest(store, AlertRule("Slow", "latency_ms > 500", for_="1m"), truth)
>>> bt.score.recall, bt.score.false_positive_rate, bt.score.time_to_detect
(1.0, 0.0, Timedelta('0 days 00:01:00'))
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from monitorlab import query
from monitorlab.alerting.groups import RuleSet, as_rules
from monitorlab.alerting.history import History, check_metrics, events_of, replay
from monitorlab.alerting.overlay import Overlay, Source, source_of
from monitorlab.alerting.scorecard import (
    Score,
    firings_frame,
    flaps_of,
    incidents_frame,
    intervals,
    make_score,
)
from monitorlab.alerting.scoring import Universe, read_incidents
from monitorlab.alerting.signals import Context
from monitorlab.display import Result, to_plain
from monitorlab.errors import NotEnoughDataError, RuleError, TimeError
from monitorlab.times import DurationLike, TimeLike, format_duration, from_ns, parse_duration, to_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike
    from pathlib import Path

    import plotly.graph_objects as go

    from monitorlab.alerting.compare import Comparison
    from monitorlab.alerting.events import PersonAction, Silence
    from monitorlab.alerting.notify import NotifyConfig, Told
    from monitorlab.model import Incident

__all__ = ["Backtest", "backtest", "data_span"]

FLAP_WITHIN = "10m"


@dataclass(frozen=True, repr=False, eq=False)
class Backtest(Result):
    """What rules would have done over recorded data.

    Parameters
    ----------
    rules : RuleSet
        The rules.
    start, end : pandas.Timestamp
        The universe: from the first evaluation to one interval after the last.
    interval : str
        Time between evaluations of groups that name none.
    events : pandas.DataFrame
        ``time, rule, state, severity, series, value, reason, suppressed, labels``; state is
        ``pending``, ``firing``, ``escalated`` or ``resolved``.
    firings : pandas.DataFrame
        Firing intervals with their verdict.
    incidents : pandas.DataFrame
        Labelled incidents: detected or not, by which rule, how late.
    score : Score
        All rules together.
    by_rule : pandas.DataFrame
        The most important figures of each rule.
    mode : str
        How expressions were evaluated.
    notes : tuple of str
        What looks doubtful in the rules, such as the rate of a gauge.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> bt = backtest(store, AlertRule("Down", "up == 0"), [])
    >>> bt.firings[["rule", "series"]].values.tolist(), bt.score.firings
    ([['Down', 'up']], 1)
    """

    rules: RuleSet
    start: pd.Timestamp
    end: pd.Timestamp
    interval: str
    events: pd.DataFrame
    firings: pd.DataFrame
    incidents: pd.DataFrame
    score: Score
    by_rule: pd.DataFrame
    mode: str
    notes: tuple[str, ...] = ()
    _histories: tuple[History, ...] = ()
    _source: Overlay | None = None
    _truth: tuple[Incident, ...] = ()
    _context: Context = field(default_factory=Context)
    _told: Told | None = None

    @cached_property
    def notifications(self) -> pd.DataFrame:
        """What people would have been told; simulated when first asked for."""
        from monitorlab.alerting.notify import notifications_frame

        return notifications_frame([] if self._told is None else self._told.notifications)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {**super().to_dict(), "notifications": to_plain(self.notifications)}

    @property
    def histories(self) -> tuple[History, ...]:
        """Every rule's signals and intervals, on the grid."""
        return self._histories

    @property
    def data(self) -> Overlay:
        """The samples that were evaluated, frozen, with what recording rules made."""
        return self._source or Overlay(None)

    @property
    def truth(self) -> tuple[Incident, ...]:
        """The labelled incidents."""
        return self._truth

    @property
    def context(self) -> Context:
        """External labels and query options."""
        return self._context

    def summary(self) -> str:
        """Say the result in one line."""
        length = format_duration(max((self.end - self.start).value, 0))
        count = len(self.rules.alerts)
        return f"{count} rule{'s' * (count != 1)} over {length}: {self.score.summary()}"

    def to_frame(self) -> pd.DataFrame:
        """Give one row a rule."""
        return self.by_rule

    def plot(self, rules: Iterable[str] | None = None, *, max_rules: int = 6) -> go.Figure:
        """Draw each rule's series with its threshold, its alerts and the incidents, aligned.

        Parameters
        ----------
        rules : iterable of str, optional
            Names of the rules to draw; the first by default.
        max_rules : int
            At most so many.

        Returns
        -------
        plotly.graph_objects.Figure
        """
        from monitorlab.alerting.pictures import plot_backtest

        return plot_backtest(self, rules, max_rules=max_rules)

    def compare(self, other: Backtest, names: tuple[str, str] = ("this", "other")) -> Comparison:
        """Say what another set of rules catches and costs beside this one.

        Parameters
        ----------
        other : Backtest
            Over the same data and incidents.
        names : (str, str)
            What to call the two.

        Returns
        -------
        Comparison

        Raises
        ------
        RuleError
            If the two do not cover the same time and incidents.
        """
        from monitorlab.alerting.compare import compare

        return compare(self, other, names)

    def to_rule_test(self, path: str | PathLike[str], **options: Any) -> Path:
        """Write the backtest as a test that ``promtool test rules`` runs.

        Parameters
        ----------
        path : str or os.PathLike
            The test file; the rules go beside it, to ``<name>.rules.yml``.
        **options : object
            See ``monitorlab.alerting.export.write_rule_test``.

        Returns
        -------
        pathlib.Path
            The test file.
        """
        from monitorlab.alerting.export import write_rule_test

        return write_rule_test(self, path, **options)


def backtest(
    source: Source,
    rules: Any = None,
    incidents: Any = None,
    interval: DurationLike = "15s",
    *,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
    grace: DurationLike = "0s",
    flap_within: DurationLike = FLAP_WITHIN,
    notify: NotifyConfig | None = None,
    silences: Sequence[Silence] = (),
    actions: Sequence[PersonAction] = (),
    unknown: Literal["error", "empty"] = "error",
    context: Context | None = None,
) -> Backtest:
    """Replay rules over recorded data and score them against labelled incidents.

    Parameters
    ----------
    source : MonitoringFrame, SeriesStore or Selection
        The recorded samples; anything with ``select`` and ``metric``.
    rules : rules in any form
        See ``as_rules``; the source's own ``rules`` unless given.
    incidents : incidents in any form
        Labelled truth; the source's own ``incidents`` unless given. An empty list says that
        there was none.
    interval : duration
        Time between evaluations of groups that name none. Evaluations happen at whole
        multiples of it.
    start, end : time, optional
        First and last time of evaluation; the first and last sample unless given.
    grace : duration
        How long after its end an incident still excuses an alert (recovery tails, the length
        of a window). Zero is the strictest.
    flap_within : duration
        A firing that starts so soon after the one before of the same series is a flap.
    notify : NotifyConfig, optional
        Routes, for the pages per week; Alertmanager's defaults unless given.
    silences : sequence of Silence
        Spans in which nobody is told.
    actions : sequence of PersonAction
        Acknowledgements and resolutions by hand.
    unknown : {"error", "empty"}
        What a metric that the source does not have means.
    context : Context, optional
        External labels for templates, options of the query engine.

    Returns
    -------
    Backtest

    Raises
    ------
    RuleError
        If rules or incidents are wrong.
    QueryError
        If an expression cannot be evaluated.
    UnknownSeriesError
        If a rule speaks of a metric that is not there; lists near names.
    NotEnoughDataError
        If there are no samples, or no evaluation falls into the span.

    Notes
    -----
    Definitions stand in ``monitorlab.alerting.scoring``. Every expression is evaluated once
    over the whole grid and states are found from runs of it: 10 rules over 100 000 samples
    take about a tenth of a second.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(8) * 15_000_000_000, [1, 1, 0, 0, 0, 1, 1, 1])
    >>> backtest(store, AlertRule("Down", "up == 0", for_="15s")).events["state"].tolist()
    ['pending', 'firing', 'resolved']
    """
    given = getattr(source, "rules", None) if rules is None else rules
    source = source_of(source)
    found = as_rules(given if given is not None else [])
    if not found.alerts:
        msg = "there is no alert rule to test; give rules=…"
        raise RuleError(msg)
    labelled = incidents is not None
    truth = read_incidents(getattr(source, "incidents", []) if incidents is None else incidents)
    labelled = labelled or bool(truth)
    step_ns = _positive(interval, "interval")
    grace_ns = _duration(grace, "grace")
    first, last = data_span(source, start, end)
    if unknown == "error":
        check_metrics(found, source)
    elif unknown != "empty":
        msg = f"unknown must be 'error' or 'empty', not {unknown!r}"
        raise RuleError(msg)
    context = context or Context()
    histories, seen = replay(source, found, first, last, step_ns, context=context, actions=actions)
    begin, finish = _universe_span(histories, step_ns)
    spans = [(i.start.value, i.end.value) for i in truth]
    universe = Universe.make(begin, finish, spans, grace_ns)
    told = _told(histories, notify, silences, actions, finish)
    flap_ns = _duration(flap_within, "flap_within")
    return Backtest(
        rules=found,
        start=from_ns(begin),
        end=from_ns(finish),
        interval=format_duration(step_ns),
        events=events_of(histories, silences),
        firings=firings_frame(histories, truth, grace_ns),
        incidents=incidents_frame(histories, truth, universe, grace_ns),
        score=_score(histories, universe, labelled=labelled, flap_ns=flap_ns, pages=told),
        by_rule=_by_rule(histories, universe, labelled=labelled, flap_ns=flap_ns),
        mode=_mode(context),
        notes=tuple(f"{r.name}: {text}" for r in found for text in query.lint(r.expr, source)),
        _histories=tuple(histories),
        _source=_snapshot(seen),
        _truth=tuple(truth),
        _context=context,
        _told=told,
    )


def data_span(source: Source, start: Any = None, end: Any = None) -> tuple[int, int]:
    """Give the first and last time of a source, or those asked for.

    Parameters
    ----------
    source : Source
        The samples.
    start, end : time, optional
        Asked for.

    Returns
    -------
    first, last : int
        Nanoseconds.

    Raises
    ------
    NotEnoughDataError
        If there are no samples.
    RuleError
        If the end is not after the start.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> data_span(store)
    (0, 45000000000)
    """
    first = None if start is None else to_ns(start)
    last = None if end is None else to_ns(end)
    if first is None or last is None:
        views = [view for view in source.select() if len(view)]
        if not views:
            msg = "there are no samples to evaluate rules over"
            raise NotEnoughDataError(msg, needed=1, got=0)
        first = min(int(v.times[0]) for v in views) if first is None else first
        last = max(int(v.times[-1]) for v in views) if last is None else last
    if last < first:
        msg = f"the backtest ends at {from_ns(last)}, before its start {from_ns(first)}"
        raise RuleError(msg)
    return first, last


def _universe_span(histories: Sequence[History], step_ns: int) -> tuple[int, int]:
    spans = [
        (int(h.signals.times[0]), int(h.signals.times[-1]) + h.step_ns)
        for h in histories
        if len(h.signals.times)
    ]
    if not spans:
        msg = (
            "no evaluation falls into the span: it is shorter than the interval of "
            f"{format_duration(step_ns)} at which rules are evaluated"
        )
        raise NotEnoughDataError(msg, needed=1, got=0)
    return min(a for a, _ in spans), max(b for _, b in spans)


def _score(
    histories: Sequence[History],
    universe: Universe,
    *,
    labelled: bool,
    flap_ns: int,
    pages: Told | None = None,
) -> Score:
    parts = [intervals(history) for history in histories]
    return make_score(
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] for p in parts]),
        universe,
        labelled=labelled,
        flaps=sum(flaps_of(history, flap_ns) for history in histories),
        pages=pages,
    )


def _by_rule(
    histories: Sequence[History], universe: Universe, *, labelled: bool, flap_ns: int
) -> pd.DataFrame:
    rows = []
    for history in histories:
        score = _score([history], universe, labelled=labelled, flap_ns=flap_ns)
        rows.append(
            {
                "rule": history.rule.name,
                "severity": history.rule.severity.value,
                "firings": score.firings,
                "precision": score.precision,
                "detected": score.detected,
                "recall": score.recall,
                "false_positive_rate": score.false_positive_rate,
                "time_to_detect": score.time_to_detect,
                "flaps": score.flaps,
                "pending_steps": history.lives.pending_steps,
                "firing_steps": history.lives.firing_steps,
            }
        )
    return pd.DataFrame(rows)


def _told(
    histories: Sequence[History],
    config: NotifyConfig | None,
    silences: Sequence[Silence],
    actions: Sequence[PersonAction],
    end_ns: int,
) -> Told:
    from monitorlab.alerting.notify import NotifyConfig, Told

    config = config or NotifyConfig()
    config = replace(config, silences=(*config.silences, *silences))
    return Told(tuple(histories), config, end_ns, tuple(actions))


def _snapshot(seen: Overlay) -> Overlay:
    """Keep frozen views, so that a picture drawn later shows what was evaluated."""
    return Overlay(None, seen.select())


def _mode(context: Context) -> str:
    options = context.options
    if options is None:
        return "Prometheus 3 windows, lookback 5m"
    return f"Prometheus {options.prom_compat} windows, lookback {options.lookback}"


def _duration(value: DurationLike, what: str) -> int:
    try:
        return parse_duration(value)
    except TimeError as error:
        msg = f"backtest: {what}: {error}"
        raise RuleError(msg) from error


def _positive(value: DurationLike, what: str) -> int:
    length = _duration(value, what)
    if length <= 0:
        msg = f"backtest: {what} must be longer than nothing"
        raise RuleError(msg)
    return length
