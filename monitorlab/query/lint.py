"""Find what is allowed in an expression and is probably not meant.

>>> from monitorlab.storage import SeriesStore
>>> lint("rate(temperature[5m]) > 1", SeriesStore())[0]
'rate() of `temperature`: it may not be a counter (its name does not end in _total, ...'
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.errors import MonitorlabWarning
from monitorlab.query.ast import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    Node,
    NumberLiteral,
    VectorSelector,
    unwrap,
    walk,
)
from monitorlab.query.check import COMPARISONS
from monitorlab.query.parser import parse
from monitorlab.times import format_duration

if TYPE_CHECKING:
    from monitorlab.model import MetricType

__all__ = ["lint", "warn_of_doubts"]

_COUNTER_ENDINGS = ("_total", "_count", "_sum", "_bucket")
_FOR_COUNTERS = frozenset(("rate", "increase", "irate"))
_FOR_GAUGES = frozenset(("delta", "idelta", "deriv", "predict_linear"))
_TWO_SAMPLES = _FOR_COUNTERS | _FOR_GAUGES
_LOOKED_AT = 1000  # newest samples of a series that its interval is taken from


def lint(expr: str | Node, source: Any = None) -> list[str]:
    """List what is probably a mistake in an expression.

    Parameters
    ----------
    expr : str or Node
        PromQL.
    source : SeriesStore or Selection, optional
        Where the metrics' types and intervals are known; without it only names tell.

    Returns
    -------
    list of str
        One sentence a finding: a rate of a gauge, a comparison of a raw counter, a
        difference of a counter, a range too short for two samples, a histogram without
        ``le``.

    Raises
    ------
    QueryError
        If the expression cannot be read.

    Notes
    -----
    A type that was described wins over the name; without both a metric is taken to be a
    counter if its name ends as counters' names do.

    Examples
    --------
    >>> lint("requests_total > 100")
    ['`requests_total > …` compares a raw counter: it only rises; compare rate(requests_total[5m])']
    >>> lint("rate(requests_total[5m]) > 100")
    []
    """
    tree = parse(expr) if isinstance(expr, str) else expr
    found: list[str] = []
    for node in walk(tree):
        if isinstance(node, Call):
            found += _of_call(node, source)
        elif isinstance(node, Binary) and node.op in COMPARISONS:
            found += _of_comparison(node, source)
    return list(dict.fromkeys(found))


def warn_of_doubts(expr: str | Node, source: Any = None, *, stacklevel: int = 2) -> None:
    """Warn of each finding of ``lint``; for questions that a person asks.

    Parameters
    ----------
    expr : str or Node
        PromQL.
    source : SeriesStore or Selection, optional
        Where the metrics' types and intervals are known.
    stacklevel : int
        Whose line the warning names, as in ``warnings.warn``; 2 is the caller's.

    Raises
    ------
    QueryError
        If the expression cannot be read.

    Warns
    -----
    MonitorlabWarning
        Once for each finding.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True, action="always") as told:
    ...     warn_of_doubts("requests_total > 100")
    >>> len(told)
    1
    """
    for finding in lint(expr, source):
        warnings.warn(finding, MonitorlabWarning, stacklevel=stacklevel + 1)


def _of_call(node: Call, source: Any) -> list[str]:
    if node.name == "histogram_quantile":
        return _of_histogram(node)
    ranges = [unwrap(arg) for arg in node.args]
    window = next((arg for arg in ranges if isinstance(arg, MatrixSelector)), None)
    if window is None or node.name not in _TWO_SAMPLES or window.selector.name is None:
        return []
    name = window.selector.name
    found = []
    described = _described(name, source)
    if node.name in _FOR_COUNTERS and described is not None and not _cumulative(described, name):
        found.append(
            f"{node.name}() of `{name}`: it is a {described.value}, not a counter; use deriv() or "
            "delta() for a gauge"
        )
    elif node.name in _FOR_COUNTERS and described is None and not _counter_name(name):
        found.append(
            f"{node.name}() of `{name}`: it may not be a counter (its name does not end in _total, "
            "_count, _sum or _bucket); use deriv() or delta() for a gauge"
        )
    elif node.name in _FOR_GAUGES and _is_counter(name, source):
        found.append(f"{node.name}() of `{name}`: it is a counter, which resets; use increase()")
    return found + _of_range(node, window, source)


def _of_range(node: Call, window: MatrixSelector, source: Any) -> list[str]:
    interval = None if source is None else _interval(window.selector, source)
    if interval is None or window.range_ns >= 2 * interval:
        return []
    finding = (
        f"{node.name}() of `{window.selector.name}` over {format_duration(window.range_ns)}: its "
        f"samples are {format_duration(interval)} apart, so most windows have fewer than two; "
        f"use at least {format_duration(4 * interval)}"
    )
    return [finding]


def _of_comparison(node: Binary, source: Any) -> list[str]:
    found = []
    for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
        raw = _raw(side)
        if raw is None or raw.name is None or not _is_counter(raw.name, source):
            continue
        if isinstance(unwrap(other), NumberLiteral) and unwrap(other) == NumberLiteral(0.0):
            continue  # "has it ever happened" is a fair question
        found.append(
            f"`{raw.name} {node.op} …` compares a raw counter: it only rises; compare "
            f"rate({raw.name}[5m])"
        )
    return found


def _of_histogram(node: Call) -> list[str]:
    argument = unwrap(node.args[1])
    if not isinstance(argument, Aggregate) or ("le" in argument.grouping) != argument.without:
        return []
    fix = "leave it out of without (…)" if argument.without else "add it: by (…, le)"
    return [f"histogram_quantile() of {argument.op} without the label `le` gives nothing; {fix}"]


def _raw(node: Node) -> VectorSelector | None:
    """Give the selector whose values an expression passes on as they are, or adds up."""
    node = unwrap(node)
    while isinstance(node, Aggregate) and node.op in ("sum", "avg", "min", "max", "topk"):
        node = unwrap(node.expr)
    return node if isinstance(node, VectorSelector) else None


def _described(name: str, source: Any) -> MetricType | None:
    store = getattr(source, "store", source)
    described = getattr(store, "metrics", None)
    if not isinstance(described, Mapping) or name not in described:
        return None
    kind: MetricType = described[name].type
    return kind


def _cumulative(kind: MetricType, name: str) -> bool:
    return kind.is_cumulative or (kind.is_distribution and _counter_name(name))


def _is_counter(name: str, source: Any) -> bool:
    kind = _described(name, source)
    return _counter_name(name) if kind is None else kind.is_cumulative


def _counter_name(name: str) -> bool:
    return name.endswith(_COUNTER_ENDINGS)


def _interval(selector: VectorSelector, source: Any) -> int | None:
    views = source.select(selector.matchers)
    gaps = [np.median(np.diff(v.times[-_LOOKED_AT:])) for v in views if len(v.times) > 1]
    return int(np.median(gaps)) if gaps else None
