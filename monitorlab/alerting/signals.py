"""What a rule's expressions say over a grid of times, one row for each alert instance.

This is the only place where alerting asks the query engine; live and batch both use it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from monitorlab import query
from monitorlab.alerting import templates
from monitorlab.alerting.tree import data_of
from monitorlab.errors import RuleError
from monitorlab.model import Labels, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitorlab.alerting.overlay import Source
    from monitorlab.alerting.rules import AlertRule
    from monitorlab.query.ast import Node

__all__ = ["MAX_INSTANCES", "Context", "Signals", "ask", "instance_labels", "observe"]

MAX_INSTANCES = 10_000
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Context:
    """What labels and annotations may speak of besides the alert itself.

    Parameters
    ----------
    external_labels : Labels
        ``$externalLabels``.
    external_url : str
        ``$externalURL``.
    options : QueryOptions, optional
        How expressions are evaluated (lookback, compatibility, limits).

    Examples
    --------
    >>> Context().external_url
    ''
    """

    external_labels: Labels = field(default_factory=Labels)
    external_url: str = ""
    options: query.QueryOptions | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """One row for each alert instance, one column for each evaluation.

    Parameters
    ----------
    times : numpy.ndarray of int64, shape (n_steps,)
        The grid.
    labels : tuple of Labels
        The alert's labels, ``alertname`` included.
    keys : tuple of SeriesKey
        The element of the expression's result that each row comes from.
    present : numpy.ndarray of bool, shape (n_rows, n_steps)
        Where the condition held.
    values : numpy.ndarray of float64, shape (n_rows, n_steps)
        The expression's value there.
    data, resolve : numpy.ndarray of bool or None
        Where there was data to judge; where the second condition held. None when the rule
        does not need to know.
    seen : bool
        Whether the rule has ever had data, up to the last step.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> signals = observe(AlertRule("Down", "up == 0"), store, 0, 45 * 10**9, 15 * 10**9)
    >>> signals.present.tolist()
    [[False, True, True, False]]
    """

    times: npt.NDArray[np.int64]
    labels: tuple[Labels, ...]
    keys: tuple[SeriesKey, ...]
    present: BoolArray
    values: npt.NDArray[np.float64]
    data: BoolArray | None
    resolve: BoolArray | None
    seen: bool = False


@dataclass(slots=True)
class _Row:
    labels: Labels
    key: SeriesKey
    present: BoolArray
    values: npt.NDArray[np.float64]


def ask(
    source: Source,
    expr: str,
    start_ns: int,
    end_ns: int,
    step_ns: int,
    options: query.QueryOptions | None = None,
) -> query.RangeResult:
    """Evaluate an expression on a grid, both ends included.

    Parameters
    ----------
    source : Source
        Where the samples are.
    expr : str
        PromQL.
    start_ns, end_ns, step_ns : int
        The grid.
    options : QueryOptions, optional
        How.

    Returns
    -------
    RangeResult
        Keys, times, values and where there are any.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> ask(store, "up + 1", 0, 30 * 10**9, 15 * 10**9).values.tolist()
    [[2.0, 1.0, 1.0]]
    """
    steps = np.arange(start_ns, end_ns + 1, step_ns, dtype=np.int64)
    return query.evaluate_at(source, _parsed(expr), steps, options)


def observe(
    rule: AlertRule,
    source: Source,
    start_ns: int,
    end_ns: int,
    step_ns: int,
    context: Context | None = None,
    *,
    known: Mapping[Labels, SeriesKey] | None = None,
    seen: bool = False,
) -> Signals:
    """Evaluate all expressions of a rule and sort the answers by alert instance.

    Parameters
    ----------
    rule : AlertRule
        The rule.
    source : Source
        Where the samples are.
    start_ns, end_ns, step_ns : int
        The grid, both ends included.
    context : Context, optional
        External labels and URL for templates.
    known : mapping of Labels to SeriesKey, optional
        Instances to give a row in any case: those that a live engine remembers.
    seen : bool
        Whether the rule has had data before.

    Returns
    -------
    Signals
        Rows in the order of the result.

    Raises
    ------
    RuleError
        If two elements get the same labels at the same time, or there are too many
        instances.
    QueryError
        If an expression cannot be evaluated.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> observe(AlertRule("Down", "up == 0"), store, 0, 0, 10**9).labels
    ()
    """
    context = context or Context()
    grid = (start_ns, end_ns, step_ns)
    result = ask(source, rule.expr, *grid, context.options)
    steps = len(result.times_ns)
    rows = _rows(rule, result, context)
    have = {row.labels for row in rows}
    nothing, blank = np.zeros(steps, dtype=bool), np.full(steps, np.nan)
    rows += [_Row(k, key, nothing, blank) for k, key in (known or {}).items() if k not in have]
    data = resolve = None
    if rule.no_data != "ok" or rule.resolve_expr is not None:
        expr = _data_expression(rule.expr)
        if expr is None:
            data, seen = np.ones((len(rows), steps), dtype=bool), True
        else:
            had = ask(source, expr, *grid, context.options)
            if rule.no_data == "alert":
                rows, seen = _with_vanished(rule, rows, had, context, seen=seen)
            data = _match(rows, had, steps, everywhere=False)
    if rule.resolve_expr is not None:
        back = ask(source, rule.resolve_expr, *grid, context.options)
        resolve = _match(rows, back, steps, everywhere=True)
    return Signals(
        times=result.times_ns,
        labels=tuple(row.labels for row in rows),
        keys=tuple(row.key for row in rows),
        present=_stack([row.present for row in rows], steps).astype(bool),
        values=_stack([row.values for row in rows], steps).astype(float),
        data=data,
        resolve=resolve,
        seen=seen,
    )


def instance_labels(rule: AlertRule, key: SeriesKey, value: float, context: Context) -> Labels:
    """Give the labels of an alert: the series', then the rule's, then ``alertname``.

    Parameters
    ----------
    rule : AlertRule
        The rule.
    key : SeriesKey
        The element of the result.
    value : float
        Its value, for templates.
    context : Context
        External labels and URL.

    Returns
    -------
    Labels
        What identifies the alert.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> rule = AlertRule("Down", "up == 0", labels={"team": "shop"}, severity=None)
    >>> instance_labels(rule, SeriesKey("up"), 0.0, Context())
    {alertname="Down", team="shop"}
    """
    extra = {
        name: templates.expand(text, key, value, context.external_labels, context.external_url)
        if "{{" in text
        else text
        for name, text in rule.labels.items()
    }
    return Labels({**key.labels, **extra, "alertname": rule.name})


def _rows(rule: AlertRule, result: query.RangeResult, context: Context) -> list[_Row]:
    by_value = any(templates.uses_value(text) for text in rule.labels.values())
    found: dict[Labels, _Row] = {}
    for i, full_key in enumerate(result.keys):
        present, values = result.present[i], result.values[i]
        key = _known_as(rule, full_key)
        if not by_value:
            _put(
                found, rule, _Row(instance_labels(rule, key, np.nan, context), key, present, values)
            )
            continue
        for value in np.unique(values[present]):
            # NaN is not equal to itself; np.unique gives it once, at the end.
            here = present & (np.isnan(values) if np.isnan(value) else values == value)
            labels = instance_labels(rule, key, float(value), context)
            _put(found, rule, _Row(labels, key, here, values))
    return list(found.values())


def _put(found: dict[Labels, _Row], rule: AlertRule, row: _Row) -> None:
    known = found.get(row.labels)
    if known is None:
        if len(found) >= MAX_INSTANCES:
            msg = (
                f"alert rule {rule.name!r} has more than {MAX_INSTANCES} instances; "
                "aggregate more, or leave the value out of its labels"
            )
            raise RuleError(msg)
        found[row.labels] = row
        return
    if (known.present & row.present).any():
        msg = (
            f"alert rule {rule.name!r}: two elements have the labels {row.labels!r} at the same "
            "time once the rule's labels are set; keep a label that tells them apart"
        )
        raise RuleError(msg)
    known.values = np.where(row.present, row.values, known.values)
    known.present = known.present | row.present


def _known_as(rule: AlertRule, key: SeriesKey) -> SeriesKey:
    """Drop the metric name where an instance may be known by its data alone."""
    return SeriesKey("", key.labels) if rule.no_data == "alert" else key


def _with_vanished(
    rule: AlertRule,
    rows: list[_Row],
    had: query.RangeResult,
    context: Context,
    *,
    seen: bool,
) -> tuple[list[_Row], bool]:
    """Add a row for each series with data, and one that alerts until there is any."""
    steps = len(had.times_ns)
    nothing, blank = np.zeros(steps, dtype=bool), np.full(steps, np.nan)
    known = {row.key.labels for row in rows}
    rows = rows + [
        _Row(instance_labels(rule, key, np.nan, context), key, nothing, blank)
        for key in (_known_as(rule, k) for k in had.keys)
        if key.labels not in known
    ]
    ever = np.logical_or.accumulate(had.present.any(axis=0)) if len(had.keys) else nothing
    unseen = nothing if seen else ~ever
    if not unseen.any():
        return rows, seen or bool(ever.any())
    key = SeriesKey("")
    labels = instance_labels(rule, key, np.nan, context)
    for row in rows:
        if row.labels == labels:
            row.present = row.present | unseen
            break
    else:
        rows.append(_Row(labels, key, unseen, blank))
    return rows, seen or bool(ever.any())


def _stack(rows: list[np.ndarray], steps: int) -> np.ndarray:
    return np.array(rows).reshape(len(rows), steps)


def _match(
    rows: list[_Row], result: query.RangeResult, steps: int, *, everywhere: bool
) -> BoolArray:
    """Give for each row where a result has an element with the same labels."""
    by_labels: dict[Labels, BoolArray] = {}
    for key, present in zip(result.keys, result.present, strict=True):
        known = by_labels.get(key.labels)
        by_labels[key.labels] = present if known is None else known | present
    nothing = np.zeros(steps, dtype=bool)
    default = by_labels.get(Labels(), nothing) if everywhere else nothing
    return _stack([by_labels.get(row.key.labels, default) for row in rows], steps).astype(bool)


@lru_cache(maxsize=1_024)
def _parsed(expr: str) -> Node:
    return query.parse(expr)


@lru_cache(maxsize=1_024)
def _data_expression(expr: str) -> str | None:
    node = data_of(query.parse(expr))
    return None if node is None else query.to_promql(node)
