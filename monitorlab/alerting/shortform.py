"""Short conditions about one metric, such as ``rate_5m > 0.1``, made into PromQL.

The short form already parses as PromQL, so it is rewritten on the syntax tree: bare names
(without matchers) that mean something here are replaced, everything else stays.

>>> rewrite("p95_5m > threshold", 'latency_ms{route="/cart"}', threshold=200.0)
'quantile_over_time(0.95, latency_ms{route="/cart"}[5m]) > 200'
"""

from __future__ import annotations

import dataclasses
import re

from monitorlab.alerting.tree import threshold_of, with_threshold
from monitorlab.errors import MatcherError, QueryError, RuleError, TimeError
from monitorlab.query import check_columns, expand, parse, to_promql
from monitorlab.query.ast import (
    Binary,
    Call,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    VectorSelector,
    replace,
    unwrap,
    walk,
)
from monitorlab.storage import Matcher, parse_selector
from monitorlab.times import parse_duration

__all__ = [
    "check",
    "column_selector",
    "has_short_names",
    "renumber",
    "rewrite",
    "uses_threshold",
]

MAX_LENGTH = 20_000
_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*")
_DURATION = r"((?:\d+(?:ms|[smhdwy]))+)"
_WINDOWED = re.compile(
    r"(rate|increase|delta|deriv|irate|mean|avg|min|max|sum|count|stddev|last|median|p\d+|zscore"
    rf"|forecast)_{_DURATION}"
)
_PLAIN = re.compile(
    r"value|threshold|mean|min|max|median|stddev|count|p\d+|anomaly_score|seasonal_residual"
)
_OVER_TIME = {
    "mean": "avg", "avg": "avg", "min": "min", "max": "max", "sum": "sum", "count": "count",
    "stddev": "stddev", "last": "last",
}  # fmt: skip
_RATES = ("rate", "increase", "delta", "deriv", "irate")
_COLUMNS = ("anomaly_score", "seasonal_residual")


def check(text: str) -> str:
    """Check the PromQL of a rule.

    Parameters
    ----------
    text : str
        The expression.

    Returns
    -------
    str
        The same, without white space around it.

    Raises
    ------
    QueryError
        If it is malformed, or gives a range or a text, which no rule can use.
    RuleError
        If it speaks of a score without a metric, or of a detector that there is none of.

    Examples
    --------
    >>> check(" up == 0 ")
    'up == 0'
    """
    check_columns(_parse(text))
    return text.strip()


def rewrite(text: str, metric: str, *, threshold: float | None = None, window: str = "5m") -> str:
    """Make the short condition of a metric into PromQL.

    Parameters
    ----------
    text : str
        For example ``"value > 100"``, ``"> 100"``, ``"rate_5m > 0.1 and value > 3"``.
    metric : str
        Metric name or selector that the bare names speak of.
    threshold : float, optional
        What ``threshold`` means.
    window : str
        Window of the names that give none.

    Returns
    -------
    str
        PromQL.

    Raises
    ------
    QueryError
        If the text is malformed, or uses ``threshold`` without one.
    RuleError
        If the metric is no selector, or as for ``check``.

    Notes
    -----
    ``value`` is the metric; ``rate increase delta deriv irate``, ``mean avg min max sum count
    stddev last median p50 … p999`` and ``zscore`` take a window (``_5m``); ``mean min max
    median stddev count p95 …`` alone use the rule's own window. ``anomaly_score``,
    ``seasonal_residual`` and ``forecast_1h`` are series of their own, named as
    ``column_selector`` says.

    Examples
    --------
    >>> rewrite("zscore_1h > 3", "queue_depth")
    '(queue_depth - avg_over_time(queue_depth[1h])) / stddev_over_time(queue_depth[1h]) > 3'
    """
    text = _completed(text)
    node = _parse(text)
    base = _metric(metric)

    def change(part: Node) -> Node:
        if not _is_bare(part):
            return part
        new = _meaning(part, base, text, threshold=threshold, window=window)  # type: ignore[arg-type]
        return part if new is None else new

    found = replace(node, change)
    check_columns(found)
    return to_promql(found)


def has_short_names(text: str) -> bool:
    """Tell whether an expression uses a name that only a metric gives a meaning.

    Parameters
    ----------
    text : str
        The expression.

    Returns
    -------
    bool

    Examples
    --------
    >>> has_short_names("value > 3"), has_short_names("up == 0")
    (True, False)
    """
    return any(
        _is_bare(node)
        and (_PLAIN.fullmatch(node.name or "") or _WINDOWED.fullmatch(node.name or ""))  # type: ignore[attr-defined]
        for node in walk(_parse(_completed(text)))
    )


def column_selector(metric: str, column: str) -> str:
    """Say which series hold a column computed from a metric.

    Parameters
    ----------
    metric : str
        Metric name.
    column : str
        ``"anomaly_score"``, ``"seasonal_residual"``, ``"forecast_1h"``.

    Returns
    -------
    str
        A selector: the column is the metric name, the metric is the label ``metric``, and
        all labels of the metric stay.

    Examples
    --------
    >>> column_selector("latency_ms", "anomaly_score")
    'anomaly_score{metric="latency_ms"}'
    """
    return f'{column}{{metric="{metric}"}}'


def renumber(text: str, number: float) -> str:
    """Give a condition with another number in the comparison that decides it.

    Parameters
    ----------
    text : str
        A short condition or PromQL.
    number : float
        The new number.

    Returns
    -------
    str
        The new condition.

    Raises
    ------
    RuleError
        If the condition does not compare with a number on its left edge.

    Examples
    --------
    >>> renumber("rate_5m > 0.1 and value > 3", 0.2)
    'rate_5m > 0.2 and value > 3'
    """
    node = _parse(_completed(text))
    if threshold_of(node) is None:
        msg = (
            f"{text!r} has no threshold to change: it must compare with a number, "
            "as in 'rate_5m > 0.1' (or 'rate_5m > 0.1 and …')"
        )
        raise RuleError(msg)
    return to_promql(with_threshold(node, number))


def uses_threshold(text: str) -> bool:
    """Tell whether a short condition speaks of ``threshold`` by name.

    Parameters
    ----------
    text : str
        The condition.

    Returns
    -------
    bool

    Examples
    --------
    >>> uses_threshold("value > threshold"), uses_threshold("value > 3")
    (True, False)
    """
    nodes = walk(_parse(_completed(text)))
    return any(_is_bare(n) and n.name == "threshold" for n in nodes)  # type: ignore[attr-defined]


def _completed(text: str) -> str:
    if len(text) > MAX_LENGTH:
        return text
    lone = _COMPARISON.fullmatch(text)
    if lone is not None:
        return f"value {lone.group(1)} threshold"
    return f"value {text.strip()}" if _COMPARISON.match(text) is not None else text


def _parse(text: str) -> Node:
    if len(text) > MAX_LENGTH:
        msg = f"the expression has {len(text)} characters; at most {MAX_LENGTH} are read"
        raise QueryError(msg)
    node = parse(text)
    expand(node)  # refuses a column of anything but a metric
    top = unwrap(node)
    if isinstance(top, (StringLiteral, MatrixSelector, Subquery)):
        kind = "a text" if isinstance(top, StringLiteral) else "a range of samples"
        msg = f"a rule needs a number or one value for each series, and this gives {kind}"
        raise QueryError(msg, text=text, position=top.position or 0)
    return node


def _metric(metric: str) -> VectorSelector:
    try:
        selector = parse_selector(metric)
    except MatcherError as error:
        msg = f"metric={metric!r} is neither a metric name nor a selector: {error}"
        raise RuleError(msg) from error
    return VectorSelector(selector.metric, selector.matchers)


def _is_bare(node: Node) -> bool:
    return isinstance(node, VectorSelector) and node.name is not None and len(node.matchers) == 1


def _meaning(
    part: VectorSelector, base: VectorSelector, text: str, *, threshold: float | None, window: str
) -> Node | None:
    name = part.name or ""
    selector = dataclasses.replace(base, offset_ns=part.offset_ns, at=part.at)
    if name == "value":
        return selector
    if name == "threshold":
        if threshold is None:
            msg = "the condition speaks of a threshold and the rule has none; give threshold=…"
            raise QueryError(msg, text=text, position=part.position)
        return NumberLiteral(threshold)
    windowed = _WINDOWED.fullmatch(name)
    if windowed is not None:
        return _windowed(windowed.group(1), windowed.group(2), selector, text, part.position)
    if name in _COLUMNS:
        return _column(selector, name, text, part.position)
    if _PLAIN.fullmatch(name):
        return _windowed(name, window, selector, text, part.position)
    return None


def _windowed(
    what: str, length: str, selector: VectorSelector, text: str, position: int | None
) -> Node:
    if what == "forecast":
        return _column(selector, f"forecast_{length}", text, position)
    try:
        range_ns = parse_duration(length)
    except TimeError as error:
        raise QueryError(str(error), text=text, position=position) from error
    samples = MatrixSelector(selector, range_ns)
    if what in _RATES:
        return Call(what, (samples,))
    if what in _OVER_TIME:
        return Call(f"{_OVER_TIME[what]}_over_time", (samples,))
    if what == "zscore":
        mean = Call("avg_over_time", (samples,))
        spread = Call("stddev_over_time", (samples,))
        return Binary("/", Paren(Binary("-", selector, mean)), spread)
    quantile = NumberLiteral(_quantile(what))
    if (selector.name or "").endswith("_bucket"):
        return Call("histogram_quantile", (quantile, Call("rate", (samples,))))
    return Call("quantile_over_time", (quantile, samples))


def _quantile(what: str) -> float:
    if what == "median":
        return 0.5
    digits = what[1:]
    if digits == "100":
        return 1.0
    return int(digits) / 10 ** max(len(digits), 2)


def _column(
    selector: VectorSelector, column: str, text: str, position: int | None
) -> VectorSelector:
    if selector.name is None:
        msg = f"{column} needs a rule that is bound to one metric name"
        raise QueryError(msg, text=text, position=position)
    rest = tuple(m for m in selector.matchers if m.name != "__name__")
    own = (Matcher("__name__", "=", column), Matcher("metric", "=", selector.name))
    return dataclasses.replace(selector, name=column, matchers=(*own, *rest))
