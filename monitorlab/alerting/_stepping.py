"""Rules that read what later rules make: stepped through, one evaluation at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monitorlab import query
from monitorlab.alerting.engine import LiveEngine
from monitorlab.alerting.groups import RuleGroup, RuleSet
from monitorlab.alerting.overlay import Overlay, Source
from monitorlab.alerting.rules import AlertRule, RecordingRule
from monitorlab.alerting.signals import Context, Signals
from monitorlab.alerting.tree import selectors_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.alerting.events import PersonAction
    from monitorlab.model import Labels, SeriesKey

__all__ = ["ALERT_SERIES", "grid", "looks_ahead", "no_signals", "stepped_signals"]

ALERT_SERIES = ("ALERTS", "ALERTS_FOR_STATE")


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


def looks_ahead(rules: RuleSet) -> bool:
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


def stepped_signals(
    source: Source,
    rules: RuleSet,
    start_ns: int,
    end_ns: int,
    steps: Sequence[int],
    context: Context,
    actions: Sequence[PersonAction],
) -> tuple[list[tuple[AlertRule, int, Signals]], Overlay]:
    """Run the live engine over a span; gives each alert rule's step and signals."""
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
    found = [
        (rule, step_ns, _assembled(collected[id(rule)]))
        for group, step_ns in zip(rules.groups, steps, strict=True)
        for rule in group.rules
        if isinstance(rule, AlertRule)
    ]
    return found, Overlay(source, engine.recorded.select())


def _range(start_ns: int, end_ns: int, step_ns: int) -> tuple[int, int, int]:
    first, last = grid(start_ns, end_ns, step_ns)
    return first, last + 1, step_ns


def _assembled(parts: Sequence[Signals]) -> Signals:
    """Put the answers of single evaluations side by side."""
    if not parts:
        return no_signals()
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
        values[rows, t] = np.ravel(part.values)
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


def no_signals() -> Signals:
    nothing = np.zeros((0, 0), dtype=bool)
    return Signals(np.empty(0, dtype=np.int64), (), (), nothing, np.zeros((0, 0)), None, None)
