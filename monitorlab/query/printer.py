"""Write a tree as PromQL text again.

>>> from monitorlab.query import parse
>>> to_promql(parse('sum by(job)(rate(x{a="1"}[1h30m]))'))
'sum by (job) (rate(x{a="1"}[1h30m]))'
"""

from __future__ import annotations

import math
import re

from monitorlab.query.ast import (
    Aggregate,
    At,
    Binary,
    Call,
    Matching,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from monitorlab.storage import Selector
from monitorlab.times import format_duration

__all__ = ["PRECEDENCE", "to_promql"]

PRECEDENCE = {
    "or": 1,
    "and": 2,
    "unless": 2,
    "==": 3,
    "!=": 3,
    "<=": 3,
    "<": 3,
    ">=": 3,
    ">": 3,
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "atan2": 5,
    "^": 7,
}
_UNARY = 6  # binds tighter than *, looser than ^
_ATOM = 9
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_INTEGERS_UP_TO = 1e15


def to_promql(node: Node) -> str:
    """Write a tree as PromQL; parsing the text gives the same tree again.

    Parameters
    ----------
    node : Node
        Any tree; parentheses are added where a rewritten tree needs them.

    Returns
    -------
    str
        One line of PromQL.

    Notes
    -----
    Offsets and ranges are written in milliseconds or coarser, as PromQL's durations are.

    Examples
    --------
    >>> from monitorlab.query.ast import Binary, NumberLiteral
    >>> one = NumberLiteral(1.0)
    >>> to_promql(Binary("*", Binary("+", one, one), one))
    '(1 + 1) * 1'
    """
    if isinstance(node, NumberLiteral):
        return _number(node.value)
    if isinstance(node, StringLiteral):
        return _quote(node.value)
    if isinstance(node, VectorSelector):
        return _selector(node) + _modifiers(node.offset_ns, node.at)
    if isinstance(node, MatrixSelector):
        inner = node.selector
        window = f"[{format_duration(node.range_ns)}]"
        return _selector(inner) + window + _modifiers(inner.offset_ns, inner.at)
    if isinstance(node, Subquery):
        step = "" if node.step_ns is None else format_duration(node.step_ns)
        window = f"[{format_duration(node.range_ns)}:{step}]"
        return _wrapped(node.expr, _ATOM) + window + _modifiers(node.offset_ns, node.at)
    if isinstance(node, Call):
        return f"{node.name}({', '.join(map(to_promql, node.args))})"
    if isinstance(node, Aggregate):
        return _aggregate(node)
    if isinstance(node, Unary):
        return node.op + _wrapped(node.expr, _UNARY)
    if isinstance(node, Binary):
        return _binary(node)
    if isinstance(node, Paren):
        return f"({to_promql(node.expr)})"
    msg = f"cannot write {type(node).__name__} as PromQL"
    raise TypeError(msg)


def _wrapped(node: Node, least: int) -> str:
    text = to_promql(node)
    return text if _strength(node) >= least else f"({text})"


def _strength(node: Node) -> int:
    if isinstance(node, Binary):
        return PRECEDENCE[node.op]
    if isinstance(node, Unary) or (
        isinstance(node, NumberLiteral) and math.copysign(1.0, node.value) < 0
    ):
        return _UNARY
    return _ATOM


def _binary(node: Binary) -> str:
    own = PRECEDENCE[node.op]
    right_first = node.op == "^"
    left = _wrapped(node.lhs, own + 1 if right_first else own)
    # A sign on the right of "^" needs no parentheses: 2 ^ -1.
    signed = right_first and isinstance(node.rhs, (Unary, NumberLiteral))
    right = to_promql(node.rhs) if signed else _wrapped(node.rhs, own + (not right_first))
    return f"{left} {node.op}{_matching(node)} {right}"


def _matching(node: Binary) -> str:
    parts = " bool" if node.returns_bool else ""
    matching: Matching | None = node.matching
    if matching is None:
        return parts
    if matching.on or matching.labels:
        parts += f" {'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})"
    if matching.card in ("many-to-one", "one-to-many"):
        side = "left" if matching.card == "many-to-one" else "right"
        if not (matching.on or matching.labels):
            parts += " ignoring ()"
        parts += f" group_{side} ({_labels(matching.include)})"
    return parts


def _aggregate(node: Aggregate) -> str:
    head = node.op
    if node.grouping or node.without:
        head += f" {'without' if node.without else 'by'} ({_labels(node.grouping)}) "
    param = "" if node.param is None else f"{to_promql(node.param)}, "
    return f"{head}({param}{to_promql(node.expr)})"


def _selector(node: VectorSelector) -> str:
    return str(Selector(node.name, node.matchers))


def _modifiers(offset_ns: int, at: At) -> str:
    text = ""
    if isinstance(at, str):
        text += f" @ {at}()"
    elif at is not None:
        text += f" @ {_number(at / 1e9)}"
    if offset_ns:
        sign = "-" if offset_ns < 0 else ""
        text += f" offset {sign}{format_duration(abs(offset_ns))}"
    return text


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(n if _LABEL.fullmatch(n) else _quote(n) for n in names)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if value.is_integer() and abs(value) < _INTEGERS_UP_TO:
        return "-0" if value == 0 and math.copysign(1.0, value) < 0 else str(int(value))
    return repr(value)


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
