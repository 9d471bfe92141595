"""Rules over recorded data: every alert's life at once, recording rules included.

This is the batch twin of ``monitorlab.alerting.engine``; both give the same events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab import query
from monitorlab.alerting._stepping import (
    ALERT_SERIES,
    grid,
    looks_ahead,
    no_signals,
    stepped_signals,
)
from monitorlab.alerting.batch import Lives, run
from monitorlab.alerting.engine import recorded_key
from monitorlab.alerting.events import COLUMNS, PersonAction, Silence
from monitorlab.alerting.overlay import Overlay, Source, metric_names
from monitorlab.alerting.rules import AlertRule, RecordingRule
from monitorlab.alerting.shortform import has_short_names
from monitorlab.alerting.signals import Context, Signals, ask, observe
from monitorlab.alerting.tree import required_names
from monitorlab.columns import columns
from monitorlab.errors import RuleError, UnknownSeriesError, did_you_mean
from monitorlab.model import SeriesKey, Severity
from monitorlab.storage import STALE_NAN, Matcher, SeriesView
from monitorlab.times import parse_duration, to_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitorlab.alerting.groups import RuleSet

__all__ = [
    "History",
    "alert_views",
    "check_metrics",
    "events_of",
    "grid",
    "replay",
    "series_views",
]

_KINDS = ("pending", "firing", "escalated", "resolved")
_LEVELS = tuple(level.value for level in Severity)


@dataclass(frozen=True, slots=True)
class History:
    """What one alert rule did over the whole time.

    Parameters
    ----------
    rule : AlertRule
        The rule.
    step_ns : int
        Time between its evaluations.
    signals : Signals
        What its expressions said.
    lives : Lives
        Its pending and firing intervals.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting.groups import as_rules
    >>> rules = as_rules(AlertRule("Down", "up == 0"))
    >>> histories, _ = replay(store, rules, 0, 45 * 10**9, 15 * 10**9)
    >>> histories[0].lives.firing_steps
    2
    """

    rule: AlertRule
    step_ns: int
    signals: Signals
    lives: Lives


def replay(
    source: Source,
    rules: RuleSet,
    start_ns: int,
    end_ns: int,
    interval_ns: int,
    *,
    context: Context | None = None,
    actions: Sequence[PersonAction] = (),
) -> tuple[list[History], Overlay]:
    """Evaluate rules over a span of recorded time.

    Parameters
    ----------
    source : Source
        Where the samples are.
    rules : RuleSet
        What to evaluate, in group order.
    start_ns, end_ns : int
        The span, both ends included where they lie on the grid.
    interval_ns : int
        Time between evaluations of groups that name none.
    context : Context, optional
        External labels, URL, options of the query engine.
    actions : sequence of PersonAction
        What people did.

    Returns
    -------
    histories : list of History
        One for each alert rule, in order.
    seen : Overlay
        The source with what the recording rules made.

    Notes
    -----
    Each expression is evaluated once over the whole grid. Only sets in which a rule reads
    what a later one makes, or reads ``ALERTS``, are stepped through one evaluation at a time.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting.groups import as_rules
    >>> rules = as_rules(AlertRule("Down", "up == 0"))
    >>> histories, _ = replay(store, rules, 0, 45 * 10**9, 15 * 10**9)
    >>> [history.rule.name for history in histories]
    ['Down']
    """
    context = context or Context()
    steps = [
        interval_ns if g.interval is None else parse_duration(g.interval) for g in rules.groups
    ]
    if looks_ahead(rules):
        found, seen = stepped_signals(source, rules, start_ns, end_ns, steps, context, actions)
        return [_history(*item, actions) for item in found], seen
    over = Overlay(source)
    histories: list[History] = []
    for group, step_ns in zip(rules.groups, steps, strict=True):
        first, last = grid(start_ns, end_ns, step_ns)
        for rule in group.rules:
            if isinstance(rule, RecordingRule):
                if last >= first:
                    for view in _recorded(rule, over, first, last, step_ns, context):
                        over.add(view)
                continue
            signals = (
                observe(rule, over, first, last, step_ns, context)
                if last >= first
                else no_signals()
            )
            histories.append(_history(rule, step_ns, signals, actions))
    return histories, over


def check_metrics(rules: RuleSet, source: Source) -> None:
    """Refuse rules that speak of metrics that are not there.

    Parameters
    ----------
    rules : RuleSet
        The rules.
    source : Source
        Where the samples are.

    Raises
    ------
    UnknownSeriesError
        Lists every unknown metric with its rule and the nearest names.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting.groups import as_rules
    >>> check_metrics(as_rules(AlertRule("Down", "up == 0")), store)
    """
    made = {r.record for r in rules.recordings} | set(ALERT_SERIES)
    checked: dict[str, bool] = {}
    problems: list[tuple[str, str, str]] = []
    for rule in rules:
        expressions = [rule.expr]
        if isinstance(rule, AlertRule) and rule.resolve_expr is not None:
            expressions.append(rule.resolve_expr)
        for text in expressions:
            node = query.underlying(query.parse(text), source)
            for name in required_names(node):
                if name in made:
                    continue
                if name not in checked:
                    checked[name] = bool(source.select([Matcher("__name__", "=", name)]))
                if not checked[name]:
                    problems.append((rule.name, name, text))
    if not problems:
        return
    known = metric_names(source)
    lines = []
    for rule_name, name, text in problems:
        hint = did_you_mean(name, known)
        if name in columns():
            hint = f"; say of which metric: {name}(latency_ms), or give the rule metric=…"
        elif name == "seasonal_residual" or name.startswith("forecast_"):
            hint = "; it is a column that an analysis makes: write it into the data first"
        elif has_short_names(name):
            hint = f"; {name!r} speaks of a rule's metric: give the rule metric=…"
        lines.append(f"rule {rule_name!r}: no metric {name!r} in the data{hint}\n    {text}")
    raise UnknownSeriesError("\n".join(lines))


def events_of(histories: Iterable[History], silences: Sequence[Silence] = ()) -> pd.DataFrame:
    """Make the table of all events, in order of time.

    Parameters
    ----------
    histories : iterable of History
        From ``replay``.
    silences : sequence of Silence
        Spans in which nobody is told.

    Returns
    -------
    pandas.DataFrame
        See ``monitorlab.alerting.events.events_frame``.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting.groups import as_rules
    >>> rules = as_rules(AlertRule("Down", "up == 0"))
    >>> histories, _ = replay(store, rules, 0, 45 * 10**9, 15 * 10**9)
    >>> events_of(histories)["state"].tolist()
    ['firing', 'resolved']
    """
    found = list(histories)
    parts = [_events(history, silences) for history in found]
    times = np.concatenate([part["time"] for part in parts] or [np.empty(0, dtype=np.int64)])
    if not len(times):
        frame = pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
        frame["time"] = to_index(np.empty(0, dtype=np.int64), name=None)
        frame["value"] = np.empty(0)
        return frame
    sort = np.argsort(times, kind="stable")
    counts = [len(part["time"]) for part in parts]
    offsets = np.cumsum([0, *(len(history.signals.labels) for history in found)])[:-1]

    def column(name: str) -> npt.NDArray[np.int64]:
        return np.concatenate([part[name] for part in parts])[sort]

    rows = (np.concatenate([p["row"] for p in parts]) + np.repeat(offsets, counts))[sort]
    labels = [own for history in found for own in history.signals.labels]
    keys = [str(key) for history in found for key in history.signals.keys]
    return pd.DataFrame(
        {
            "time": to_index(times[sort], name=None),
            "rule": texts([h.rule.name for h in found], np.repeat(range(len(found)), counts)[sort]),
            "state": texts(_KINDS, column("kind")),
            "severity": texts(_LEVELS, column("severity")),
            "series": texts(keys, rows),
            "value": np.concatenate([part["value"] for part in parts])[sort],
            "reason": texts(("", "cleared", "manual"), column("reason")),
            "suppressed": texts(("", "cooldown", "silenced"), column("suppressed")),
            "labels": objects(labels, rows),
        }
    )


def series_views(
    times: npt.NDArray[np.int64],
    keys: Sequence[SeriesKey],
    present: npt.NDArray[np.bool_],
    values: npt.NDArray[np.float64],
) -> list[SeriesView]:
    """Make series of rows on a grid, with a stale marker where one ends.

    Parameters
    ----------
    times : numpy.ndarray of int64, shape (n_steps,)
        The grid.
    keys : sequence of SeriesKey
        One for each row.
    present : numpy.ndarray of bool, shape (n_rows, n_steps)
        Where there is a sample.
    values : numpy.ndarray of float64, shape (n_rows, n_steps)
        The samples.

    Returns
    -------
    list of SeriesView
        Only those with samples.

    Examples
    --------
    >>> on = np.array([[True, False]])
    >>> series_views(np.arange(2), [SeriesKey("x")], on, on.astype(float))[0].stale.tolist()
    [False, True]
    """
    views = []
    for key, here, row in zip(keys, present, values, strict=True):
        ended = np.zeros(len(times), dtype=bool)
        ended[1:] = here[:-1] & ~here[1:]
        kept = here | ended
        if kept.any():
            views.append(SeriesView.make(key, times[kept], np.where(ended, STALE_NAN, row)[kept]))
    return views


def alert_views(histories: Iterable[History]) -> list[SeriesView]:
    """Make the series ``ALERTS`` and ``ALERTS_FOR_STATE`` that Prometheus writes.

    Parameters
    ----------
    histories : iterable of History
        From ``replay``.

    Returns
    -------
    list of SeriesView

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting.groups import as_rules
    >>> rules = as_rules(AlertRule("Down", "up == 0"))
    >>> histories, _ = replay(store, rules, 0, 45 * 10**9, 15 * 10**9)
    >>> sorted({view.metric for view in alert_views(histories)})
    ['ALERTS', 'ALERTS_FOR_STATE']
    """
    views: list[SeriesView] = []
    for history in histories:
        times, lives = history.signals.times, history.lives
        steps = len(times)
        for row, labels in enumerate(history.signals.labels):
            masks = {}
            since = np.zeros(steps)
            for state, rows, begins, ends, origin in (
                (
                    "pending",
                    lives.pending_row,
                    lives.pending_start,
                    lives.pending_end,
                    lives.pending_start,
                ),
                ("firing", lives.firing_row, lives.fired, lives.ended, lives.first_active),
            ):
                mask = np.zeros(steps, dtype=bool)
                for i in np.flatnonzero(rows == row):
                    mask[begins[i] : ends[i]] = True
                    since[begins[i] : ends[i]] = times[origin[i]] // 10**9
                masks[state] = mask
            keys = [SeriesKey("ALERTS", labels.replaced(alertstate=state)) for state in masks]
            keys.append(SeriesKey("ALERTS_FOR_STATE", labels))
            present = np.array([*masks.values(), masks["pending"] | masks["firing"]])
            ones = np.ones(steps)
            views += series_views(times, keys, present, np.array([ones, ones, since]))
    return views


def _recorded(
    rule: RecordingRule, source: Source, first: int, last: int, step_ns: int, context: Context
) -> list[SeriesView]:
    result = ask(source, rule.expr, first, last, step_ns, context.options)
    rows: dict[SeriesKey, int] = {}
    present, values = np.array(result.present), np.array(result.values)
    for i, key in enumerate(result.keys):
        made = recorded_key(rule, key)
        if made in rows:
            j = rows[made]
            if (present[i] & present[j]).any():
                msg = (
                    f"recording rule {rule.record!r} gives two results with the labels "
                    f"{made.labels!r}; keep a label that tells them apart"
                )
                raise RuleError(msg)
            values[j] = np.where(present[i], values[i], values[j])
            present[j] |= present[i]
            continue
        rows[made] = i
    picked = list(rows.values())
    return series_views(result.times_ns, list(rows), present[picked], values[picked])


def _history(
    rule: AlertRule, step_ns: int, signals: Signals, actions: Sequence[PersonAction]
) -> History:
    steps: dict[str, dict[int, list[int]]] = {"resolve": {}, "acknowledge": {}}
    for action in actions:
        at = int(np.searchsorted(signals.times, action.time_ns))
        if at == len(signals.times):
            continue
        for row, labels in enumerate(signals.labels):
            if action.applies_to(rule.name, labels):
                steps[action.kind].setdefault(row, []).append(at)
    lives = run(
        rule.policy,
        signals.times,
        signals.present,
        signals.values,
        data=signals.data,
        resolve=signals.resolve,
        resolves=steps["resolve"],
        acknowledgements=steps["acknowledge"],
    )
    return History(rule, step_ns, signals, lives)


def _events(history: History, silences: Sequence[Silence]) -> dict[str, np.ndarray]:
    """Give one rule's events as columns of numbers."""
    table = history.lives.columns()
    rule, signals = history.rule, history.signals
    levels = [rule.severity.value, *(s.value for _, s in history.lives.policy.escalations)]
    codes = np.array([_LEVELS.index(level) for level in levels])
    times = signals.times[table["step"]]
    suppressed = table["quiet"].astype(np.int64)
    for silence in silences:
        rows = [i for i, labels in enumerate(signals.labels) if silence.matches(labels)]
        hit = np.isin(table["row"], rows) & (times >= silence.start_ns) & (times < silence.end_ns)
        suppressed[hit] = 2
    kind = table["kind"]
    return {
        "time": times,
        "row": table["row"],
        "kind": kind,
        "severity": codes[np.where(kind >= 2, table["level"], 0)],
        "value": table["value"],
        "reason": np.where(kind == 3, 1 + table["manual"], 0),
        "suppressed": suppressed,
    }


def texts(names: Sequence[str], codes: npt.NDArray[np.int64]) -> Any:
    """Give a column of texts from their numbers, without touching each one."""
    return pd.array(list(names), dtype="str").take(codes)


def objects(items: Sequence[Any], codes: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """Give a column of objects from their numbers."""
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column[codes]
