"""Rules over recorded data: every alert's life at once, recording rules included.

This is the batch twin of ``monitorlab.alerting.engine``; both give the same events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab import query
from monitorlab.alerting.batch import Lives, run
from monitorlab.alerting.engine import LiveEngine, recorded_key
from monitorlab.alerting.events import COLUMNS, PersonAction, Silence
from monitorlab.alerting.groups import RuleGroup, RuleSet
from monitorlab.alerting.overlay import Overlay, Source, metric_names
from monitorlab.alerting.rules import AlertRule, RecordingRule
from monitorlab.alerting.shortform import has_short_names
from monitorlab.alerting.signals import Context, Signals, ask, observe
from monitorlab.alerting.tree import required_names, selectors_of
from monitorlab.errors import RuleError, UnknownSeriesError, did_you_mean
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import STALE_NAN, Matcher, SeriesView
from monitorlab.times import parse_duration, to_index

__all__ = [
    "History",
    "alert_views",
    "check_metrics",
    "events_of",
    "grid",
    "replay",
    "series_views",
]

ALERT_SERIES = ("ALERTS", "ALERTS_FOR_STATE")
_KINDS = np.array(["pending", "firing", "escalated", "resolved"], dtype=object)


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
    """

    rule: AlertRule
    step_ns: int
    signals: Signals
    lives: Lives


def grid(start_ns: int, end_ns: int, step_ns: int) -> tuple[int, int]:
    """Give the first and last whole multiple of the step in ``[start, end]``.

    Parameters
    ----------
    start_ns, end_ns : int
        The span.
    step_ns : int
        The step.

    Returns
    -------
    first, last : int
        ``last < first`` when there is none.

    Examples
    --------
    >>> grid(1, 31, 10)
    (10, 30)
    """
    return -(-start_ns // step_ns) * step_ns, end_ns // step_ns * step_ns


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
    """
    context = context or Context()
    steps = [
        interval_ns if g.interval is None else parse_duration(g.interval) for g in rules.groups
    ]
    if _looks_ahead(rules):
        return _stepped(source, rules, start_ns, end_ns, steps, context, actions)
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
                else _no_signals()
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
    """
    made = {r.record for r in rules.recordings} | set(ALERT_SERIES)
    checked: dict[str, bool] = {}
    problems: list[tuple[str, str, str]] = []
    for rule in rules:
        expressions = [rule.expr]
        if isinstance(rule, AlertRule) and rule.resolve_expr is not None:
            expressions.append(rule.resolve_expr)
        for text in expressions:
            node = query.parse(text)
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
        if has_short_names(name):
            hint = f"; {name!r} speaks of a rule's metric: give the rule metric=…"
        lines.append(f"rule {rule_name!r}: no metric {name!r} in the data{hint}\n    {text}")
    raise UnknownSeriesError("\n".join(lines))


def events_of(
    histories: Iterable[History], silences: Sequence[Silence] = ()
) -> pd.DataFrame:
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
    """
    parts = [_events(i, history, silences) for i, history in enumerate(histories)]
    parts = [part for part in parts if len(part)]
    if not parts:
        frame = pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
        frame["time"] = to_index(np.empty(0, dtype=np.int64), name=None)
        frame["value"] = np.empty(0)
        return frame
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["time", "_rule", "_order"], kind="stable", ignore_index=True)
    return table[list(COLUMNS)]


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
    """
    views: list[SeriesView] = []
    for history in histories:
        times, lives = history.signals.times, history.lives
        steps = len(times)
        for row, labels in enumerate(history.signals.labels):
            masks = {}
            since = np.zeros(steps)
            for state, rows, begins, ends, origin in (
                ("pending", lives.pending_row, lives.pending_start, lives.pending_end, lives.pending_start),
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
    present, values = result.present.copy(), result.values.copy()
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


def _events(index: int, history: History, silences: Sequence[Silence]) -> pd.DataFrame:
    table = history.lives.columns()
    count = len(table["row"])
    if not count:
        return pd.DataFrame()
    rule, signals = history.rule, history.signals
    levels = np.array(
        [rule.severity.value, *(s.value for _, s in history.lives.policy.escalations)], dtype=object
    )
    times = signals.times[table["step"]]
    suppressed = np.where(table["quiet"], "cooldown", "").astype(object)
    for silence in silences:
        rows = [i for i, labels in enumerate(signals.labels) if silence.matches(labels)]
        hit = np.isin(table["row"], rows) & (times >= silence.start_ns) & (times < silence.end_ns)
        suppressed[hit] = "silenced"
    reason = np.where(table["manual"], "manual", "cleared").astype(object)
    reason[table["kind"] != 3] = ""  # noqa: PLR2004 - resolved
    labels = np.empty(len(signals.labels), dtype=object)
    labels[:] = signals.labels
    return pd.DataFrame(
        {
            "time": to_index(times, name=None),
            "rule": rule.name,
            "state": _KINDS[table["kind"]],
            "severity": levels[np.where(table["kind"] >= 2, table["level"], 0)],  # noqa: PLR2004
            "series": np.array([str(k) for k in signals.keys], dtype=object)[table["row"]],
            "value": table["value"],
            "reason": reason,
            "suppressed": suppressed,
            "labels": labels[table["row"]],
            "_rule": index,
            "_order": np.arange(count),
        }
    )


def _looks_ahead(rules: RuleSet) -> bool:
    """Tell whether a rule reads what itself, a later rule or an alert makes."""
    made: set[str] = set()
    later = [r.record for r in rules.recordings]
    for rule in rules:
        texts = [rule.expr]
        if isinstance(rule, AlertRule) and rule.resolve_expr is not None:
            texts.append(rule.resolve_expr)
        for text in texts:
            for selector in selectors_of(query.parse(text)):
                names = [m for m in selector.matchers if m.name == "__name__"]
                reads = [n for n in later if n not in made and all(m.matches(n) for m in names)]
                if reads or any(all(m.matches(n) for m in names) for n in ALERT_SERIES):
                    return True
        if isinstance(rule, RecordingRule):
            made.add(rule.record)
    return False


def _stepped(
    source: Source,
    rules: RuleSet,
    start_ns: int,
    end_ns: int,
    steps: Sequence[int],
    context: Context,
    actions: Sequence[PersonAction],
) -> tuple[list[History], Overlay]:
    groups = [
        RuleGroup(g.name, g.rules, step_ns / 1e9)
        for g, step_ns in zip(rules.groups, steps, strict=True)
    ]
    engine = LiveEngine(RuleSet(groups), context=context, retention="100y")
    engine.keep_alert_series = True
    collected: dict[int, list[Signals]] = {id(rule): [] for rule in rules.alerts}
    engine.watch = lambda rule, signals: collected[id(rule)].append(signals)
    for act in actions:
        if act.kind == "resolve":
            engine.resolve(pd.Timestamp(act.time_ns, tz="UTC"), rule=act.rule, labels=act.labels)
    times = np.unique(
        np.concatenate(
            [np.arange(*_range(start_ns, end_ns, s), dtype=np.int64) for s in set(steps)]
        )
    )
    for t in times:
        engine.evaluate(source, int(t))
    histories = []
    for group, step_ns in zip(rules.groups, steps, strict=True):
        for rule in group.rules:
            if isinstance(rule, AlertRule):
                signals = _assembled(collected[id(rule)])
                histories.append(_history(rule, step_ns, signals, actions))
    return histories, Overlay(source, engine.recorded.select())


def _range(start_ns: int, end_ns: int, step_ns: int) -> tuple[int, int, int]:
    first, last = grid(start_ns, end_ns, step_ns)
    return first, last + 1, step_ns


def _assembled(parts: Sequence[Signals]) -> Signals:
    """Put the answers of single evaluations side by side."""
    if not parts:
        return _no_signals()
    keys: dict[Labels, SeriesKey] = {}
    for part in parts:
        for labels, key in zip(part.labels, part.keys, strict=True):
            keys.setdefault(labels, key)
    index = {labels: i for i, labels in enumerate(keys)}
    shape = (len(keys), len(parts))
    present, values = np.zeros(shape, dtype=bool), np.full(shape, np.nan)
    wanted = parts[0].data is not None
    back = parts[0].resolve is not None
    data, resolve = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for t, part in enumerate(parts):
        rows = [index[labels] for labels in part.labels]
        present[rows, t] = part.present[:, 0]
        values[rows, t] = part.values[:, 0]
        if part.data is not None:
            data[rows, t] = part.data[:, 0]
        if part.resolve is not None:
            resolve[rows, t] = part.resolve[:, 0]
    return Signals(
        times=np.concatenate([part.times for part in parts]),
        labels=tuple(keys),
        keys=tuple(keys.values()),
        present=present,
        values=values,
        data=data if wanted else None,
        resolve=resolve if back else None,
        seen=parts[-1].seen,
    )


def _no_signals() -> Signals:
    nothing = np.zeros((0, 0), dtype=bool)
    return Signals(np.empty(0, dtype=np.int64), (), (), nothing, np.zeros((0, 0)), None, None)


