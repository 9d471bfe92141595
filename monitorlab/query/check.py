"""Check the types in a tree, wherever it came from, and point at what does not fit.

>>> from monitorlab.query import parse
>>> value_type(parse("scalar(up) * 2"))
'scalar'
"""

from __future__ import annotations

from typing import NoReturn

from monitorlab.errors import QueryError
from monitorlab.query.ast import (
    Aggregate,
    Binary,
    Call,
    Node,
    Paren,
    Subquery,
    Unary,
    ValueType,
    depth,
    walk,
)
from monitorlab.query.signatures import AGGREGATIONS, SIGNATURES, Signature, why_refused

__all__ = ["COMPARISONS", "MAX_DEPTH", "SET_OPERATORS", "TYPE_WORDS", "check", "value_type"]

COMPARISONS = frozenset(("==", "!=", ">", "<", ">=", "<="))
SET_OPERATORS = frozenset(("and", "or", "unless"))
MAX_DEPTH = 100  # levels of a tree
TYPE_WORDS: dict[str, str] = {
    "matrix": "a range of samples such as x[5m]",
    "vector": "an instant vector such as x",
    "scalar": "a number",
    "string": "a text in quotes",
}


def value_type(node: Node) -> ValueType:
    """Tell what an expression evaluates to.

    Parameters
    ----------
    node : Node
        A tree that passed ``check``.

    Returns
    -------
    {"scalar", "vector", "matrix", "string"}
        Its type.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> value_type(parse("up[5m]"))
    'matrix'
    """
    while isinstance(node, (Paren, Unary)):
        node = node.expr
    if isinstance(node, Call):
        return SIGNATURES[node.name].returns
    if isinstance(node, Binary):
        sides = {value_type(node.lhs), value_type(node.rhs)}
        return "scalar" if sides == {"scalar"} else "vector"
    kind: ValueType = node.kind  # type: ignore[attr-defined]
    return kind


def check(node: Node, *, text: str = "") -> Node:
    """Check names, numbers of arguments and types in a whole tree.

    Parameters
    ----------
    node : Node
        Any tree, for example one rewritten by ``replace``.
    text : str
        The expression that the positions point into.

    Returns
    -------
    Node
        The same tree.

    Raises
    ------
    QueryError
        For the first thing that does not fit.

    Examples
    --------
    >>> from monitorlab.query.ast import Call, NumberLiteral
    >>> check(Call("rate", (NumberLiteral(1.0),)))
    Traceback (most recent call last):
        ...
    monitorlab.errors.QueryError: `rate` needs a range of samples such as x[5m], not a number
    """
    if depth(node) > MAX_DEPTH:
        msg = f"the expression is nested deeper than {MAX_DEPTH} levels; split it into rules"
        raise QueryError(msg, text=text, position=node.position)
    for part in reversed(list(walk(node))):  # leaves first
        if isinstance(part, Call):
            _check_call(part, text)
        elif isinstance(part, Aggregate):
            _check_aggregate(part, text)
        elif isinstance(part, Binary):
            _check_binary(part, text)
        elif isinstance(part, Unary):
            kind = value_type(part.expr)
            if kind not in ("scalar", "vector"):
                _fail(
                    f"a sign needs a number or an instant vector, not {TYPE_WORDS[kind]}",
                    part,
                    text,
                )
        elif isinstance(part, Subquery) and value_type(part.expr) != "vector":
            _fail(
                "a subquery needs an instant vector before its [range:step], "
                f"not {TYPE_WORDS[value_type(part.expr)]}",
                part,
                text,
            )
    return node


def _check_call(node: Call, text: str) -> None:
    signature: Signature | None = SIGNATURES.get(node.name)
    if signature is None:
        reason = why_refused(node.name)
        tail = f" is not supported: {reason}" if reason else " is no function"
        _fail(f"`{node.name}`{tail}", node, text)
    got = len(node.args)
    if got < signature.least or (signature.most is not None and got > signature.most):
        _fail(f"`{node.name}` takes {_count(signature)}, got {got}", node, text)
    wanted = signature.arguments + signature.arguments[-1:] * max(0, got - len(signature.arguments))
    for kind, arg in zip(wanted, node.args, strict=False):
        found = value_type(arg)
        if found != kind:
            _fail(f"`{node.name}` needs {TYPE_WORDS[kind]}, not {TYPE_WORDS[found]}", arg, text)


def _check_aggregate(node: Aggregate, text: str) -> None:
    if node.op not in AGGREGATIONS:
        reason = why_refused(node.op)
        tail = f" is not supported: {reason}" if reason else " is no aggregation"
        _fail(f"`{node.op}`{tail}", node, text)
    wanted = AGGREGATIONS[node.op]
    found = None if node.param is None else value_type(node.param)
    if found != wanted:
        needs = "no parameter" if wanted is None else f"{TYPE_WORDS[wanted]} as its parameter"
        got = "none" if found is None else TYPE_WORDS[found]
        _fail(f"`{node.op}` needs {needs}, got {got}", node.param or node, text)
    kind = value_type(node.expr)
    if kind != "vector":
        _fail(f"`{node.op}` needs an instant vector, not {TYPE_WORDS[kind]}", node.expr, text)


def _check_binary(node: Binary, text: str) -> None:
    sides = (value_type(node.lhs), value_type(node.rhs))
    for side in sides:
        if side not in ("scalar", "vector"):
            _fail(
                f"`{node.op}` needs numbers or instant vectors, not {TYPE_WORDS[side]}", node, text
            )
    if node.returns_bool and node.op not in COMPARISONS:
        _fail(f"`bool` belongs to comparisons, not to `{node.op}`", node, text)
    if node.op in SET_OPERATORS and "scalar" in sides:
        _fail(f"`{node.op}` needs an instant vector on both sides, not a number", node, text)
    if node.op in COMPARISONS and sides == ("scalar", "scalar") and not node.returns_bool:
        _fail(f"comparing two numbers needs `bool`: write `{node.op} bool`", node, text)


def _count(signature: Signature) -> str:
    least, most = signature.least, signature.most
    if most is None:
        return f"at least {least} arguments"
    span = str(most) if least == most else f"{least} to {most}"
    return f"{span} argument{'' if span == '1' else 's'}"


def _fail(message: str, node: Node, text: str) -> NoReturn:
    raise QueryError(message, text=text, position=node.position)
