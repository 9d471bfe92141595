"""Read PromQL: the only place that knows the package ``promql-parser``.

That package decides what an expression means; this module checks the words first (its
messages do not say where), turns its tree into ours, and explains its refusals.

>>> parse("sum(rate(x[5m])) / 2").op
'/'
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

from monitorlab.errors import MatcherError, QueryError
from monitorlab.query.ast import (
    Aggregate,
    Binary,
    Call,
    Card,
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
from monitorlab.query.check import MAX_DEPTH, SET_OPERATORS, TYPE_WORDS, check, value_type
from monitorlab.query.lexer import Token, tokenize
from monitorlab.query.signatures import SIGNATURES, Signature
from monitorlab.query.strings import unquote
from monitorlab.query.syntax import Marks, scan
from monitorlab.storage import Selector, parse_selector

__all__ = ["declare", "parse"]

_MICROSECOND = timedelta(microseconds=1)
_MAX_TRIALS = 200  # parts of a refused expression that are tried one by one
_CARDS: dict[str, Card] = {
    "ManyToOne": "many-to-one",
    "OneToMany": "one-to-many",
    "ManyToMany": "many-to-many",
    "OneToOne": "one-to-one",
}
_METHODS = {
    "NumberLiteral": "number",
    "StringLiteral": "string",
    "VectorSelector": "vector_selector",
    "MatrixSelector": "matrix_selector",
    "SubqueryExpr": "subquery",
    "Call": "call",
    "AggregateExpr": "aggregate",
    "UnaryExpr": "unary",
    "ParenExpr": "paren",
    "BinaryExpr": "binary",
}
_WRONG_TYPE = re.compile(r"expected type (\w+) in (?:call to function '(\w+)'|(.+)), got (\w+)")


def parse(text: str) -> Node:
    """Read an expression.

    Parameters
    ----------
    text : str
        PromQL as of Prometheus 3, without native histograms and experimental parts.

    Returns
    -------
    Node
        The tree; equal texts give the same one, the last 2048 are remembered.

    Raises
    ------
    QueryError
        If the expression is malformed, of the wrong types, or uses what is not supported;
        ``.position`` says where, and the message shows the place.

    Notes
    -----
    Costs about 0.1 ms a rule, once. At most 20 000 characters, 2 000 tokens, brackets 60
    deep and a tree of 100 levels.

    References
    ----------
    The Prometheus Authors, "Querying basics" and "Operators".

    Examples
    --------
    >>> parse("up == 0").lhs.name
    'up'
    """
    if not isinstance(text, str):
        msg = f"an expression is a text such as 'up == 0', not {type(text).__name__}"
        raise QueryError(msg)
    return _parse(text)


def declare(name: str, signature: Signature) -> None:
    """Make a function name known to the parser.

    Parameters
    ----------
    name : str
        New name; letters, digits and ``_``.
    signature : Signature
        What it takes and gives.

    Raises
    ------
    QueryError
        If Prometheus has a function of that name.

    Notes
    -----
    Declaring a name again replaces its signature.

    Examples
    --------
    >>> declare("rate", Signature(("matrix",)))
    Traceback (most recent call last):
        ...
    monitorlab.errors.QueryError: cannot register the function 'rate': ...
    """
    import promql_parser

    kinds = {
        "scalar": promql_parser.ValueType.Scalar,
        "vector": promql_parser.ValueType.Vector,
        "matrix": promql_parser.ValueType.Matrix,
        "string": promql_parser.ValueType.String,
    }
    try:
        promql_parser.register_extra_functions(
            [
                promql_parser.Function(
                    name,
                    [kinds[kind] for kind in signature.arguments],
                    kinds[signature.returns],
                    signature.optional,
                    False,
                )
            ]
        )
    except ValueError as error:
        msg = f"cannot register the function {name!r}: {error}"
        raise QueryError(msg) from error
    SIGNATURES[name] = signature
    _parse.cache_clear()


@lru_cache(maxsize=2048)
def _parse(text: str) -> Node:
    tokens = tokenize(text)
    marks = scan(text, tokens, SIGNATURES)
    try:
        tree = _foreign(_plain_numbers(text, tokens))
    except ValueError as error:
        raise _explain(text, marks, str(error)) from error
    return check(_Converter(text, marks).convert(tree), text=text)


def _plain_numbers(text: str, tokens: list[Token]) -> str:
    """Take the underscores out of numbers (the package does not know them); places stay."""
    for token in tokens:
        if token.kind == "number" and "_" in token.text:
            plain = token.text.replace("_", "").ljust(len(token.text))
            text = text[: token.position] + plain + text[token.end :]
    return text


def _foreign(text: str) -> Any:
    """Call the package; a panic in its native code becomes an ordinary error."""
    import promql_parser

    try:
        return promql_parser.parse(text)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        msg = "the expression cannot be read"
        raise ValueError(msg) from error


class _Converter:
    """Turns the package's tree into ours, pairing its nodes with the marks in text order."""

    def __init__(self, text: str, marks: Marks) -> None:
        self.text = text
        self.numbers = iter(marks.numbers)
        self.strings = iter(marks.strings)
        self.selectors = iter(marks.selectors)
        self.heads = iter(marks.heads)
        self.parens = iter(marks.parens)
        self.operators = iter(marks.operators)
        self.ats = iter(marks.ats)
        self.level = 0

    def convert(self, node: Any) -> Node:
        self.level += 1
        if self.level > MAX_DEPTH:
            msg = f"the expression is nested deeper than {MAX_DEPTH} levels; split it into rules"
            raise QueryError(msg)
        made: Node = getattr(self, _METHODS[type(node).__name__])(node)
        self.level -= 1
        return made

    def number(self, node: Any) -> Node:
        return NumberLiteral(float(node.val), position=next(self.numbers, None))

    def string(self, _node: Any) -> Node:
        token = next(self.strings)
        value = unquote(token.text, text=self.text, position=token.position)
        return StringLiteral(value, position=token.position)

    def vector_selector(self, node: Any) -> VectorSelector:
        start, end = next(self.selectors)
        selector = _selector(self.text, start, end)
        return VectorSelector(
            selector.metric, selector.matchers, _ns(node.offset), self.at(node), position=start
        )

    def matrix_selector(self, node: Any) -> Node:
        selector = self.vector_selector(node.vector_selector)
        return MatrixSelector(selector, _ns(node.range), position=selector.position)

    def subquery(self, node: Any) -> Node:
        expr = self.convert(node.expr)
        step = None if node.step is None else _ns(node.step)
        return Subquery(
            expr, _ns(node.range), step, _ns(node.offset), self.at(node), position=expr.position
        )

    def call(self, node: Any) -> Node:
        head = next(self.heads)
        args = tuple(self.convert(arg) for arg in node.args)
        return Call(node.func.name, args, position=head.position)

    def aggregate(self, node: Any) -> Node:
        head = next(self.heads)
        param = None if node.param is None else self.convert(node.param)
        expr = self.convert(node.expr)
        modifier = node.modifier
        return Aggregate(
            str(node.op).lower(),
            expr,
            param,
            () if modifier is None else tuple(modifier.labels),
            modifier is not None and str(modifier.type).endswith("Without"),
            position=head.position,
        )

    def unary(self, node: Any) -> Node:
        expr = self.convert(node.expr)
        return Unary("-", expr, position=expr.position)

    def paren(self, node: Any) -> Node:
        position = next(self.parens, None)
        return Paren(self.convert(node.expr), position=position)

    def binary(self, node: Any) -> Node:
        lhs = self.convert(node.lhs)
        position = next(self.operators, None)
        rhs = self.convert(node.rhs)
        op = str(node.op).lower()
        modifier = node.modifier
        matching = None
        if _is_vector(lhs) and _is_vector(rhs):
            matching = _matching(op, modifier)
        returns_bool = modifier is not None and bool(modifier.return_bool)
        return Binary(op, lhs, rhs, matching, returns_bool, position=position)

    def at(self, node: Any) -> Any:
        """Give the time behind ``@`` from the text: the package loses its sign."""
        return None if node.at is None else next(self.ats)


def _selector(text: str, start: int, end: int) -> Selector:
    try:
        return parse_selector(text[start:end])
    except MatcherError as error:
        position = start + (error.position or 0)
        raise QueryError(error.message, text=text, position=position) from error


def _is_vector(node: Node) -> bool:
    return value_type(node) == "vector"


def _matching(op: str, modifier: Any) -> Matching:
    card: Card = "many-to-many" if op in SET_OPERATORS else "one-to-one"
    if modifier is None:
        return Matching(card)
    if modifier.card is not None:
        card = _CARDS[str(modifier.card).rsplit(".", 1)[-1]]
    rule = modifier.matching
    return Matching(
        card,
        () if rule is None else tuple(rule.labels),
        rule is not None and str(rule.type).endswith("Include"),
        tuple(modifier.group_labels or ()),
    )


def _ns(delta: timedelta | None) -> int:
    return 0 if delta is None else (delta // _MICROSECOND) * 1000


def _explain(text: str, marks: Marks, message: str) -> QueryError:
    """Find the smallest part that is refused by itself, and say why in our words."""
    try:  # our own readers of the small parts know the place
        for start, end in marks.selectors:
            _selector(text, start, end)
        for token in marks.strings:
            unquote(token.text, text=text, position=token.position)
    except QueryError as error:
        return error
    start, end = 0, len(text)
    spans = sorted(marks.groups, key=lambda span: span[1] - span[0])
    for span in spans[:_MAX_TRIALS]:
        try:
            _foreign(text[span[0] : span[1]])
        except ValueError as error:
            (start, end), message = span, str(error)
            break
    position = start + len(text[start:]) - len(text[start:].lstrip())
    wrong = _WRONG_TYPE.fullmatch(message)
    if wrong:
        wanted, function, place, got = wrong.groups()
        message = (
            f"{f'`{function}`' if function else place} needs {_words(wanted)}, not {_words(got)}"
        )
    elif any(word in message for word in ("binary", "bool", "scalars", "set operator", "grouping")):
        inner = [s for s in spans if start <= s[0] and s[1] <= end and s != (start, end)]
        own = [
            at
            for at in marks.operators
            if start <= at < end and not any(a <= at < b for a, b in inner)
        ]
        position = own[0] if own else position
        if message.startswith("comparisons between scalars"):
            message = "comparing two numbers needs `bool`, as in `1 > bool 2`"
    return QueryError(message, text=text, position=position)


def _words(kind: str) -> str:
    kinds: dict[str, str] = TYPE_WORDS
    return kinds.get(kind, kind)
