"""What alerting needs to know of an expression's tree: its threshold, its windows, its data.

>>> from monitorlab.query import parse, to_promql
>>> node = parse("rate(errors_total[5m]) > 0.1 and up == 1")
>>> cut = threshold_of(node)
>>> cut.op, cut.number, to_promql(cut.value)
('>', 0.1, 'rate(errors_total[5m]) and up == 1')
>>> to_promql(with_threshold(node, 0.2))
'rate(errors_total[5m]) > 0.2 and up == 1'
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from monitorlab.query.ast import (
    Binary,
    Call,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    Unary,
    VectorSelector,
    children,
    replace,
    unwrap,
    walk,
)

__all__ = [
    "COMPARISONS",
    "Threshold",
    "data_of",
    "required_names",
    "selectors_of",
    "threshold_of",
    "windows_of",
    "with_threshold",
    "with_window",
]

COMPARISONS = ("==", "!=", "<=", "<", ">=", ">")
_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Threshold:
    """The comparison with a number that decides an alert.

    Parameters
    ----------
    op : str
        The comparison, as if the number stood on the right.
    number : float
        The number.
    value : Node
        The whole expression with the comparison replaced by what it compares.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> threshold_of(parse("100 < latency_ms")).op
    '>'
    """

    op: str
    number: float
    value: Node


def threshold_of(node: Node) -> Threshold | None:
    """Find the comparison with a number on the left edge of an expression.

    Parameters
    ----------
    node : Node
        The expression of a rule.

    Returns
    -------
    Threshold or None
        None when the expression does not compare with a number there.

    Notes
    -----
    The left edge is followed through parentheses and the left sides of ``and`` and
    ``unless``: these keep labels and values of their left side.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> threshold_of(parse("up == 0")).number, threshold_of(parse("up"))
    (0.0, None)
    """
    if isinstance(node, Paren):
        return threshold_of(node.expr)
    if not isinstance(node, Binary):
        return None
    if node.op in ("and", "unless"):
        inner = threshold_of(node.lhs)
        if inner is None:
            return None
        return Threshold(inner.op, inner.number, dataclasses.replace(node, lhs=inner.value))
    if node.op not in COMPARISONS or node.returns_bool:
        return None
    right, left = _number(node.rhs), _number(node.lhs)
    if right is not None and left is None:
        return Threshold(node.op, right, node.lhs)
    if left is not None and right is None:
        return Threshold(_MIRROR[node.op], left, node.rhs)
    return None


def with_threshold(node: Node, number: float) -> Node:
    """Give the expression with another number in that comparison.

    Parameters
    ----------
    node : Node
        An expression for which ``threshold_of`` is not None.
    number : float
        The new number.

    Returns
    -------
    Node
        The new tree.

    Examples
    --------
    >>> from monitorlab.query import parse, to_promql
    >>> to_promql(with_threshold(parse("latency > 1"), 2.5))
    'latency > 2.5'
    """
    if isinstance(node, Paren):
        return dataclasses.replace(node, expr=with_threshold(node.expr, number))
    if isinstance(node, Binary) and node.op in ("and", "unless"):
        return dataclasses.replace(node, lhs=with_threshold(node.lhs, number))
    if isinstance(node, Binary) and _number(node.rhs) is not None:
        return dataclasses.replace(node, rhs=NumberLiteral(number))
    if isinstance(node, Binary):
        return dataclasses.replace(node, lhs=NumberLiteral(number))
    return node


def windows_of(node: Node) -> list[int]:
    """Give the range windows of an expression in nanoseconds, each once, in order.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> windows_of(parse("rate(x[1m]) > 0"))
    [60000000000]
    """
    found = [n.range_ns for n in walk(node) if isinstance(n, MatrixSelector)]
    return list(dict.fromkeys(found))


def with_window(node: Node, range_ns: int) -> Node:
    """Give the expression with all its range windows set to one length.

    Examples
    --------
    >>> from monitorlab.query import parse, to_promql
    >>> to_promql(with_window(parse("rate(x[1m]) > 0"), 300 * 10**9))
    'rate(x[5m]) > 0'
    """

    def change(part: Node) -> Node:
        if isinstance(part, MatrixSelector) and part.range_ns != range_ns:
            return dataclasses.replace(part, range_ns=range_ns)
        return part

    return replace(node, change)


def selectors_of(node: Node) -> list[VectorSelector]:
    """Give every selector of an expression, in the order of the text.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> [selector.name for selector in selectors_of(parse("a > b"))]
    ['a', 'b']
    """
    return [n for n in walk(node) if isinstance(n, VectorSelector)]


def required_names(node: Node) -> list[str]:
    """Give the metric names without which an expression can only be a mistake.

    Parameters
    ----------
    node : Node
        The expression.

    Returns
    -------
    list of str
        In the order of the text. Names inside ``absent``, beside ``or`` and on the right of
        ``unless`` may be missing.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> required_names(parse("a unless absent(b)"))
    ['a']
    """
    found: list[str] = []
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, Call) and part.name in ("absent", "absent_over_time"):
            continue
        if isinstance(part, Binary) and part.op == "or":
            continue
        if isinstance(part, Binary) and part.op == "unless":
            stack.append(part.lhs)
            continue
        if isinstance(part, VectorSelector) and part.name is not None:
            found.append(part.name)
        stack.extend(reversed(children(part)))
    return list(dict.fromkeys(found))


def data_of(node: Node) -> Node | None:
    """Give an expression that has an element wherever the given one had data to judge.

    Parameters
    ----------
    node : Node
        The expression of a rule.

    Returns
    -------
    Node or None
        Every filtering comparison becomes one that answers 0 or 1, and ``unless`` its left
        side. None when the expression asks for absence itself: then there is always data.

    Examples
    --------
    >>> from monitorlab.query import parse, to_promql
    >>> to_promql(data_of(parse("a > 1 unless b")))
    'a > bool 1'
    """
    if any(isinstance(n, Call) and n.name.startswith("absent") for n in walk(node)):
        return None

    def change(part: Node) -> Node:
        if not isinstance(part, Binary):
            return part
        if part.op == "unless":
            return part.lhs
        if part.op in COMPARISONS and not part.returns_bool:
            return dataclasses.replace(part, returns_bool=True)
        return part

    return replace(node, change)


def _number(node: Node) -> float | None:
    node = unwrap(node)
    if isinstance(node, NumberLiteral):
        return node.value
    if isinstance(node, Unary):
        inner = _number(node.expr)
        return None if inner is None else (-inner if node.op == "-" else inner)
    return None
