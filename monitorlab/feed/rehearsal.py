"""Let rules judge made-up samples once, so that nothing has to be compiled while samples wait.

>>> from monitorlab.alerting import AlertRule, as_rules
>>> [str(key) for key in stage(as_rules(AlertRule("Slow", 'rate(hits_total{job="a"}[5m]) > 1')))]
['hits_total{job="a"}']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitorlab.model import Labels, SeriesKey

if TYPE_CHECKING:
    from monitorlab.alerting import RuleSet

__all__ = ["rehearse", "stage"]

SAMPLES = 40
STEP_NS = 15_000_000_000


def stage(rules: RuleSet) -> list[SeriesKey]:
    """Give series that the rules ask for, one for each selector.

    Parameters
    ----------
    rules : RuleSet
        Alert and recording rules.

    Returns
    -------
    list of SeriesKey
        Metric names with the labels that selectors ask for by equality.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule, as_rules
    >>> stage(as_rules(AlertRule("Down", "up == 0")))
    [up]
    """
    from monitorlab import query

    found: dict[SeriesKey, None] = {}
    for rule in rules:
        for node in query.walk(query.parse(rule.expr)):
            if isinstance(node, query.VectorSelector) and node.name:
                equal = {m.name: m.value for m in node.matchers if m.op == "=" and m.value}
                equal.pop("__name__", None)
                found[SeriesKey(node.name, Labels(equal))] = None
    return list(found)


def rehearse(rules: RuleSet) -> None:
    """Evaluate rules over made-up samples, in a store of their own.

    Parameters
    ----------
    rules : RuleSet
        Alert and recording rules.

    Notes
    -----
    The first use of compiled functions takes seconds where no compiled code is stored yet,
    and a tenth of a second where it is. Here it happens before a feed is started; later it
    would keep samples, and everybody else in the event loop, waiting. What the rules find
    wrong with the made-up samples says nothing and is left alone.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule, as_rules
    >>> rehearse(as_rules(AlertRule("Down", "up == 0")))
    """
    from monitorlab.alerting import LiveEngine
    from monitorlab.storage import SeriesStore

    store = SeriesStore()
    times = np.arange(SAMPLES, dtype=np.int64) * STEP_NS
    for key in stage(rules):
        store.extend(key, times, np.arange(SAMPLES, dtype=np.float64))
    engine = LiveEngine(rules, interval="15s", on_error="collect")
    # The first call judges one step; the second several steps together, in other functions.
    engine.evaluate(store, int(times[-4]))
    engine.evaluate(store, int(times[-3]))
    engine.evaluate(store, int(times[-1]))
