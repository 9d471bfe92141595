"""Ask a source a question in PromQL: at one time, or at every step of a range.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("up", np.array([0, 60, 120]) * 10**9, [1.0, 0.0, 1.0])
>>> evaluate(store, "avg_over_time(up[3m])")["value"].round(3).tolist()
[0.667]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from monitorlab.errors import QueryError, UnknownSeriesError, did_you_mean
from monitorlab.model import Labels, SeriesKey
from monitorlab.query import columns
from monitorlab.query.ast import Binary, Call, Node, VectorSelector, children
from monitorlab.query.check import check
from monitorlab.query.engine import Evaluator
from monitorlab.query.matrix import Ints, Value, Vector, Windows
from monitorlab.query.options import Compat, Limits, QueryOptions
from monitorlab.query.parser import parse
from monitorlab.query.printer import to_promql
from monitorlab.query.result import RangeResult, key_of, table
from monitorlab.storage.showing import behind
from monitorlab.times import DurationLike, TimeLike, parse_duration, to_ns

if TYPE_CHECKING:
    from monitorlab.query.lookup import Source

__all__ = ["evaluate", "evaluate_at", "evaluate_range", "evaluate_value"]


def evaluate(
    source: Source,
    expr: str | Node,
    at: TimeLike | None = None,
    *,
    lookback: DurationLike | Literal["auto"] = "5m",
    prom_compat: Compat = "3",
    default_step: DurationLike = "1m",
    limits: Limits | None = None,
    unknown: Literal["error", "empty"] = "error",
) -> pd.DataFrame:
    """Evaluate an expression at one time.

    Parameters
    ----------
    source : SeriesStore or Selection
        Anything with ``select(matchers, start_ns, end_ns)``.
    expr : str or Node
        PromQL.
    at : time, optional
        When; the newest sample (the as-of time of a selection) unless given.
    lookback : duration or "auto"
        How old a sample may be to count as the current value; ``"auto"``: five median
        intervals of each series.
    prom_compat : {"3", "2"}
        Windows open on the left, or closed as in Prometheus 2.
    default_step : duration
        Step of subqueries that name none.
    limits : Limits, optional
        Bounds on the size.
    unknown : {"error", "empty"}
        What a metric that the source does not have gives: an error that offers the nearest
        names, or nothing, as in Prometheus (``absent``, ``or`` and ``unless`` always allow it).

    Returns
    -------
    pandas.DataFrame
        One row a series with ``metric``, its labels, ``timestamp`` and ``value``; one row for
        a scalar; one row a sample for a bare range such as ``up[5m]``.

    Raises
    ------
    QueryError
        If the expression cannot be read or evaluated.


    Notes
    -----
    Times at which a range of samples is asked are exact; nothing is interpolated.

    References
    ----------
    The Prometheus Authors, "Querying basics", "Operators", "Query functions".

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("jobs", np.array([0, 60]) * 10**9, [2.0, 4.0], {"queue": "mail"})
    >>> evaluate(store, "jobs * 2")[["queue", "value"]].to_dict("records")
    [{'queue': 'mail', 'value': 8.0}]
    """
    options = QueryOptions(lookback, prom_compat, default_step, limits or Limits())
    source = behind(source)
    now = newest(source) if at is None else to_ns(at)
    steps = np.array([now], np.int64)
    value = evaluate_value(source, expr, steps, options)
    if unknown == "error":
        refuse_unknown(source, expr)
    if isinstance(value, str):
        return pd.DataFrame({"timestamp": pd.to_datetime(steps, utc=True), "value": [value]})
    if isinstance(value, Windows):
        rows = np.repeat(np.arange(len(value)), value.counts[:, 0])
        inside = [np.arange(a, b) for a, b in zip(value.first[:, 0], value.last[:, 0], strict=True)]
        index = np.concatenate(inside) if inside else np.zeros(0, np.int64)
        keys = [key_of(labels) for labels in value.labels]
        samples = value.values
        return table(keys, rows, value.times[index], samples[index])
    if not isinstance(value, Vector):
        return table([SeriesKey("")], np.zeros(1, np.int64), steps, value)
    keys = [key_of(labels) for labels in value.labels]
    current = value.values[:, 0]
    return table(keys, np.arange(len(keys)), np.repeat(steps, len(keys)), current)


def evaluate_range(
    source: Source,
    expr: str | Node,
    start: TimeLike,
    end: TimeLike,
    step: DurationLike,
    *,
    lookback: DurationLike | Literal["auto"] = "5m",
    prom_compat: Compat = "3",
    default_step: DurationLike = "1m",
    limits: Limits | None = None,
    unknown: Literal["error", "empty"] = "error",
) -> RangeResult:
    """Evaluate an expression at every step from start to end, both included.

    Parameters
    ----------
    source : SeriesStore or Selection
        Anything with ``select(matchers, start_ns, end_ns)``.
    expr : str or Node
        PromQL that gives a vector or a scalar.
    start, end : time
        First step, and the time that no step passes.
    step : duration
        Distance of the steps.
    lookback : duration or "auto"
        How old a sample may be to count as the current value.
    prom_compat : {"3", "2"}
        Windows open on the left, or closed as in Prometheus 2.
    default_step : duration
        Step of subqueries that name none.
    limits : Limits, optional
        Bounds on the size.
    unknown : {"error", "empty"}
        What a metric that the source does not have gives: an error that offers the nearest
        names, or nothing, as in Prometheus (``absent``, ``or`` and ``unless`` always allow it).

    Returns
    -------
    RangeResult
        Series × steps with a mask; a scalar gives one series without labels.

    Raises
    ------
    QueryError
        If the expression cannot be read or evaluated, is a range or a text, or the range is
        empty or too large.

    Notes
    -----
    Everything is evaluated once for all steps. Cost: O(samples + steps) a selector, O(steps
    × samples in a window) a range function.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.array([0, 60, 120]) * 10**9, [1.0, 0.0, 1.0])
    >>> evaluate_range(store, "up == 0", 0, 120, "1m").present.tolist()
    [[False, True, False]]
    """
    options = QueryOptions(lookback, prom_compat, default_step, limits or Limits())
    steps = make_steps(to_ns(start), to_ns(end), parse_duration(step), options.limits)
    source = behind(source)
    value = evaluate_value(source, expr, steps, options, end_ns=to_ns(end))
    if unknown == "error":
        refuse_unknown(source, expr)
    text = _text(expr)
    if isinstance(value, (str, Windows)):
        what = "a text" if isinstance(value, str) else "a range of samples"
        msg = f"a range query needs an instant vector or a number at each step, not {what}"
        raise QueryError(msg, text=text, position=0)
    if not isinstance(value, Vector):
        value = Vector.constant(Labels(), value)
    return RangeResult.from_vector(value, steps, text)


def evaluate_at(
    source: Source, expr: str | Node, steps: Ints, options: QueryOptions | None = None
) -> RangeResult:
    """Evaluate an expression at given steps; what rules and replays use.

    Parameters
    ----------
    source : SeriesStore or Selection
        Anything with ``select(matchers, start_ns, end_ns)``.
    expr : str or Node
        PromQL that gives a vector or a scalar.
    steps : numpy.ndarray of int64
        Times in nanoseconds, increasing; need not be regular.
    options : QueryOptions, optional
        Settings.

    Returns
    -------
    RangeResult
        Series × steps with a mask.

    Raises
    ------
    QueryError
        As ``evaluate_range``.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> evaluate_at(SeriesStore(), "vector(1)", np.array([0, 5])).values
    array([[1., 1.]])
    """
    value = evaluate_value(source, expr, np.asarray(steps, np.int64), options or QueryOptions())
    if isinstance(value, (str, Windows)):
        msg = "a rule needs an instant vector or a number at each step"
        raise QueryError(msg, text=_text(expr), position=0)
    if not isinstance(value, Vector):
        value = Vector.constant(Labels(), value)
    return RangeResult.from_vector(value, np.asarray(steps, np.int64), _text(expr))


def evaluate_value(
    source: Source,
    expr: str | Node,
    steps: Ints,
    options: QueryOptions,
    *,
    end_ns: int | None = None,
) -> Value:
    """Evaluate an expression and give the engine's own value.

    Parameters
    ----------
    source : SeriesStore or Selection
        Anything with ``select(matchers, start_ns, end_ns)``.
    expr : str or Node
        PromQL.
    steps : numpy.ndarray of int64
        Times in nanoseconds, increasing.
    options : QueryOptions
        Settings.
    end_ns : int, optional
        What ``@ end()`` means; the last step unless given.

    Returns
    -------
    Vector, Windows, numpy.ndarray or str
        By the type of the expression.

    Raises
    ------
    QueryError
        If the expression cannot be read or evaluated.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> evaluate_value(SeriesStore(), '"text"', np.array([0]), QueryOptions())
    'text'
    """
    text = "" if isinstance(expr, Node) else expr
    tree = columns.expand(check(expr) if isinstance(expr, Node) else parse(expr))
    seen = columns.over(source, tree)
    return Evaluator(seen, text, steps, options, end_ns=end_ns).run(tree)


def make_steps(start_ns: int, end_ns: int, step_ns: int, limits: Limits) -> Ints:
    """Give the steps of a range, both ends included, or say what is wrong with it."""
    if step_ns <= 0:
        msg = "the step must be longer than nothing"
        raise QueryError(msg)
    if end_ns < start_ns:
        msg = "the range ends before it starts; give start <= end"
        raise QueryError(msg)
    count = (end_ns - start_ns) // step_ns + 1
    if count > limits.max_steps:
        msg = (
            f"the range has {count} steps, more than {limits.max_steps}; widen the step, or "
            "raise Limits.max_steps"
        )
        raise QueryError(msg)
    return start_ns + step_ns * np.arange(count, dtype=np.int64)


def newest(source: Any) -> int:
    """Give the as-of time of a source: its own, or that of its newest sample; 0 when empty."""
    for name in ("as_of_ns", "newest_ns"):
        found = getattr(source, name, None)
        if isinstance(found, (int, np.integer)):
            return int(found)
    views = source.select(None)
    return max((int(view.times[-1]) for view in views if len(view.times)), default=0)


def _text(expr: str | Node) -> str:
    return to_promql(expr) if isinstance(expr, Node) else expr


def refuse_unknown(source: Any, expr: str | Node) -> None:
    """Raise for a metric that the source has never heard of, where that must be a mistake.

    Names that ``absent``, ``or`` or ``unless`` allow to be missing are left alone, and so are
    sources that cannot list their metrics or have none.
    """
    listed = getattr(source, "metric_names", None) or getattr(
        getattr(source, "store", None), "metric_names", None
    )
    names = set() if listed is None else set(listed() if callable(listed) else listed)
    if not names:
        return
    stack = [columns.underlying(expr if isinstance(expr, Node) else parse(expr), source)]
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node.name in ("absent", "absent_over_time"):
            continue
        if isinstance(node, Binary) and node.op == "or":
            continue
        if isinstance(node, Binary) and node.op == "unless":
            stack.append(node.lhs)
            continue
        if isinstance(node, VectorSelector) and node.name is not None and node.name not in names:
            msg = f"no metric is called {node.name!r}{did_you_mean(node.name, names)}"
            raise UnknownSeriesError(msg)
        stack.extend(children(node))
