"""Find the threshold, the ``for`` and the window that catch most within a false-alarm budget.

>>> from monitorlab.alerting import AlertRule
>>> from monitorlab.storage import SeriesStore
>>> store, n = SeriesStore(), 2_000
>>> t = np.arange(n) * 15_000_000_000
>>> bad = (np.arange(n) % 400) // 20 == 10
>>> store.extend("latency", t, np.where(bad, 9.0, 1.0) + np.sin(np.arange(n)))
>>> truth = [(from_ns(int(t[i])), from_ns(int(t[i + 20]))) for i in range(200, n, 400)]
>>> tuned = tune(store, AlertRule("Slow", "latency > 1.5"), truth)
>>> tuned.held_out.recall, tuned.held_out.false_positive_rate
(1.0, 0.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab import query
from monitorlab.alerting._choosing import (
    choose,
    fors_to_try,
    length_of,
    own_thresholds,
    pareto,
    thresholds_to_try,
    windows_to_try,
)
from monitorlab.alerting.backtest import data_span
from monitorlab.alerting.groups import RuleGroup, RuleSet, as_rules
from monitorlab.alerting.history import check_metrics, grid, replay
from monitorlab.alerting.overlay import source_of
from monitorlab.alerting.rules import RecordingRule
from monitorlab.alerting.runs import Runs, condition
from monitorlab.alerting.scoring import Measures, Universe, read_incidents
from monitorlab.alerting.signals import Context, ask
from monitorlab.alerting.tree import threshold_of, with_threshold, with_window
from monitorlab.alerting.tuned import Part, Tuned
from monitorlab.errors import NotEnoughDataError, RuleError
from monitorlab.times import (
    DurationLike,
    TimeLike,
    format_duration,
    from_ns,
    parse_duration,
    to_ns,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.alerting.overlay import Source
    from monitorlab.alerting.rules import AlertRule
    from monitorlab.alerting.state import Policy
    from monitorlab.model import Incident

__all__ = ["tune"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
MAX_COMBINATIONS = 200_000
_COMPARE = {
    ">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal,
    "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


@dataclass(slots=True)
class _Sweep:
    """Columns of the sweep, filled row by row."""

    windows: list[int | None]
    thresholds: list[float]
    fors: list[int]
    train: list[Measures]
    test: list[Measures]


def tune(
    source: Source,
    rule: AlertRule,
    incidents: Any = None,
    max_false_positive_rate: float = 0.01,
    *,
    thresholds: Sequence[float] | int = 50,
    for_: Sequence[DurationLike] | None = None,
    windows: Sequence[DurationLike] | None = None,
    interval: DurationLike = "15s",
    start: TimeLike | None = None,
    end: TimeLike | None = None,
    split: float | TimeLike = 0.6,
    grace: DurationLike = "0s",
    recordings: Any = None,
    context: Context | None = None,
) -> Tuned:
    """Choose threshold, ``for`` and window of a rule within a false-positive budget.

    Parameters
    ----------
    source : MonitoringFrame, SeriesStore or Selection
        The recorded samples.
    rule : AlertRule
        The rule to tune; its expression compares with a number (``… > 5``, also on the left
        of ``and`` and ``unless``).
    incidents : incidents in any form
        Labelled truth; the source's own unless given.
    max_false_positive_rate : float
        Share of incident-free time that may be spent firing.
    thresholds : sequence of float, or int
        Values to try, or how many to take from the values of the training part.
    for_ : sequence of duration, optional
        Values to try; 0 s to 15 min unless given.
    windows : sequence of duration, optional
        Range windows to try; half, once, twice and four times the rule's own unless given.
    interval : duration
        Time between evaluations.
    start, end : time, optional
        Span; all samples unless given.
    split : float or time
        Share of the incidents (of the time, with fewer than two) to choose on, or the time
        that ends the part to choose on. The rest, later in time, is only reported on.
    grace : duration
        How long after its end an incident still excuses an alert.
    recordings : rules in any form, optional
        A set whose recording rules make series that the rule reads; its alert rules are not
        looked at.
    context : Context, optional
        Options of the query engine.

    Returns
    -------
    Tuned

    Raises
    ------
    RuleError
        If the rule has no threshold, or an argument is wrong.
    NotEnoughDataError
        If there is no incident to choose by, or no data.

    Notes
    -----
    The expression without its comparison is evaluated once for each window; each threshold
    gives runs of the condition, each ``for`` one binary search over them. 1 000 settings over
    100 000 samples take about half a second.

    Among the settings within the budget those with the highest recall on the training part
    are kept, then those whose median delay is within two intervals (or a half) of the best,
    then those with the fewest false positives. What is left is usually a plateau of equally
    good thresholds; its middle is taken, because edges do not generalise.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> tune(store, AlertRule("Down", "up < 1"), [(15, 45)], thresholds=[1.0]).train.recall
    1.0
    """
    step_ns = length_of(interval, "interval", least=1)
    source = source_of(source)
    truth = read_incidents(getattr(source, "incidents", []) if incidents is None else incidents)
    context = context or Context()
    span = data_span(source, start, end)
    if recordings is not None:
        source = _with_recordings(source, as_rules(recordings), span, step_ns, context)
    check_metrics(as_rules(rule), source)
    node = query.parse(rule.expr)
    cut_point = threshold_of(node)
    if cut_point is None:
        msg = (
            f"alert rule {rule.name!r}: {rule.expr!r} has no threshold to tune; it must compare "
            "with a number, as in 'latency > 5' or 'latency > 5 and …'"
        )
        raise RuleError(msg)
    if not 0 <= max_false_positive_rate <= 1:
        msg = f"max_false_positive_rate is a share between 0 and 1, not {max_false_positive_rate!r}"
        raise RuleError(msg)
    first, last = grid(*span, step_ns)
    if last <= first:
        msg = "there is less than one interval of data to tune on"
        raise NotEnoughDataError(msg, needed=2, got=1)
    train, test, note = _parts(truth, first, last + step_ns, split, length_of(grace, "grace"))
    fors = fors_to_try(for_, rule, last - first)
    choices = windows_to_try(windows, node)
    sweep = _Sweep([], [], [], [], [])
    resolve = _resolve(rule, source, first, last, step_ns, context)
    tried: list[float] | None = None
    for window in choices:
        asked = node if window is None else with_window(node, window)
        cut = threshold_of(asked)
        text = query.to_promql(cut.value)  # type: ignore[union-attr]
        result = ask(source, text, first, last, step_ns, context.options)
        back = None if resolve is None else _aligned(resolve, result)
        before = result.times_ns < train.end
        if isinstance(thresholds, int):
            seen = np.compress(before, result.values, axis=1)
            found = thresholds_to_try(seen, cut_point.op, cut_point.number, thresholds)
        else:
            tried = tried or own_thresholds(thresholds, cut_point.number)
            found = tried
        if len(found) * len(fors) * len(choices) > MAX_COMBINATIONS:
            msg = (
                f"{len(found)} thresholds × {len(fors)} for × {len(choices)} windows are more "
                f"than {MAX_COMBINATIONS} settings; give fewer"
            )
            raise RuleError(msg)
        _try(
            sweep,
            rule.policy,
            result,
            cut_point.op,
            found,
            fors,
            window,
            train,
            test,
            step_ns,
            back,
        )
    return _result(
        rule, node, cut_point.number, sweep, train, test, max_false_positive_rate, step_ns, note
    )


def _try(
    sweep: _Sweep,
    policy: Policy,
    result: query.RangeResult,
    op: str,
    thresholds: Sequence[float],
    fors: Sequence[int],
    window: int | None,
    train: Universe,
    test: Universe,
    step_ns: int,
    resolve: BoolArray | None,
) -> None:
    times, data = result.times_ns, result.present
    until = np.append(times, times[-1] + step_ns)
    width = len(times) + 1
    compare = _COMPARE[op]
    for threshold in thresholds:
        with np.errstate(invalid="ignore"):
            present = compare(result.values, threshold) & data
        active, hold = condition(policy, present, data, resolve)
        runs = Runs.find(policy, times, active, hold)
        for for_ns in fors:
            _, _, fired, ended = runs.firings(for_ns)
            starts, ends = times[fired % width], until[ended % width]
            sweep.windows.append(window)
            sweep.thresholds.append(threshold)
            sweep.fors.append(for_ns)
            sweep.train.append(train.measure(starts, ends))
            sweep.test.append(test.measure(starts, ends))


def _parts(
    truth: Sequence[Incident], first: int, last: int, split: float | TimeLike, grace: int
) -> tuple[Universe, Universe, str]:
    at = _split_time(split, first, last)
    spans = [(i.start.value, i.end.value) for i in truth]
    spans = [(a, b) for a, b in spans if a < last and b + grace > first]
    if not spans:
        msg = "there is no incident in the data to tune by; mark some, or give incidents=…"
        raise NotEnoughDataError(msg, needed=1, got=0)
    share = split if isinstance(split, (int, float)) else 0.5
    if at is not None:
        cut, note = at, f"chosen before {from_ns(at):%Y-%m-%d %H:%M}, judged after"
    elif len(spans) < 2:
        cut = first + round((last - first) * share)
        note = "one incident only: nothing is left to judge recall by"
    else:
        k = min(max(round(share * len(spans)), 1), len(spans) - 1)
        over = max(b for _, b in spans[:k]) + grace
        cut = (over + spans[k][0]) // 2 if over < spans[k][0] else spans[k][0]
        note = f"chosen before {from_ns(cut):%Y-%m-%d %H:%M}, judged after"
    cut = min(max(cut, first + 1), last - 1)
    return Universe.make(first, cut, spans, grace), Universe.make(cut, last, spans, grace), note


def _split_time(split: float | TimeLike, first: int, last: int) -> int | None:
    """Give the time that a split names; None for a share."""
    if isinstance(split, (int, float)):
        if 0 < split < 1:
            return None
    else:
        at = to_ns(split)
        if first < at < last:
            return at
    msg = f"split is a share between 0 and 1, or a time inside the data, not {split!r}"
    raise RuleError(msg)


def _with_recordings(
    source: Source, rules: RuleSet, span: tuple[int, int], step_ns: int, context: Context
) -> Source:
    """Give the source with what the recording rules of a set make of it."""
    groups = [
        RuleGroup(g.name, [r for r in g.rules if isinstance(r, RecordingRule)], g.interval)
        for g in rules.groups
    ]
    return replay(source, RuleSet(groups), *span, step_ns, context=context)[1]


def _resolve(
    rule: AlertRule, source: Source, first: int, last: int, step_ns: int, context: Context
) -> query.RangeResult | None:
    if rule.resolve_expr is None:
        return None
    return ask(source, rule.resolve_expr, first, last, step_ns, context.options)


def _aligned(back: query.RangeResult, result: query.RangeResult) -> BoolArray:
    by_labels = {key.labels: row for key, row in zip(back.keys, back.present, strict=True)}
    nothing = np.zeros(len(result.times_ns), dtype=bool)
    default = next((row for labels, row in by_labels.items() if not labels), nothing)
    rows = [by_labels.get(key.labels, default) for key in result.keys]
    return np.array(rows, dtype=bool).reshape(len(rows), len(nothing))


def _result(
    rule: AlertRule,
    node: query.Node,
    own: float,
    sweep: _Sweep,
    train: Universe,
    test: Universe,
    budget: float,
    step_ns: int,
    note: str,
) -> Tuned:
    table = _table(sweep)
    pick, met, why = choose(table, budget, step_ns / 1e9)
    table["pareto"] = pareto(table)
    table["chosen"] = False
    table.loc[pick, "chosen"] = True
    was = _where(sweep, own, parse_duration(rule.for_))
    columns = [c for c in table.columns if c != "pareto"]
    frontier = table.loc[table["pareto"] | table["chosen"], columns]
    return Tuned(
        rule=_changed(rule, node, sweep.windows[pick], sweep.thresholds[pick], sweep.fors[pick]),
        original=rule,
        met_budget=met,
        max_false_positive_rate=budget,
        train=Part.of(sweep.train[pick], train),
        held_out=Part.of(sweep.test[pick], test),
        original_train=Part.of(sweep.train[was], train),
        original_held_out=Part.of(sweep.test[was], test),
        frontier=frontier.sort_values(
            ["false_positive_rate", "recall", "time_to_detect"], ignore_index=True
        ),
        sweep=table,
        note=f"{why}{note}",
    )


def _table(sweep: _Sweep) -> pd.DataFrame:
    def column(measures: Sequence[Measures], name: str) -> list[float]:
        return [getattr(m, name) for m in measures]

    return pd.DataFrame(
        {
            "window": ["" if w is None else format_duration(w) for w in sweep.windows],
            "threshold": np.array(sweep.thresholds, dtype=float),
            "for": [format_duration(f) for f in sweep.fors],
            "recall": column(sweep.train, "recall"),
            "precision": column(sweep.train, "precision"),
            "false_positive_rate": column(sweep.train, "false_positive_rate"),
            "time_to_detect": [m.delay_ns / 1e9 for m in sweep.train],
            "firings": column(sweep.train, "firings"),
            "held_out_recall": column(sweep.test, "recall"),
            "held_out_false_positive_rate": column(sweep.test, "false_positive_rate"),
            "held_out_time_to_detect": [m.delay_ns / 1e9 for m in sweep.test],
        }
    )


def _where(sweep: _Sweep, threshold: float, for_ns: int) -> int:
    for i, (window, t, f) in enumerate(
        zip(sweep.windows, sweep.thresholds, sweep.fors, strict=True)
    ):
        if window is None and t == threshold and f == for_ns:
            return i
    return 0


def _changed(
    rule: AlertRule, node: query.Node, window: int | None, threshold: float, for_ns: int
) -> AlertRule:
    if window is None:
        return rule.with_(threshold=threshold, for_=for_ns / 1e9)
    text = query.to_promql(with_threshold(with_window(node, window), threshold))
    return rule.with_(expr=text, for_=for_ns / 1e9)
