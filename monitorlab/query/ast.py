"""The tree of a PromQL expression: small frozen nodes, and tools to walk and rewrite them.

>>> from monitorlab.query import parse
>>> parse("rate(http_requests_total[5m])").args[0].range_ns
300000000000
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitorlab.storage import Matcher

__all__ = [
    "Aggregate",
    "At",
    "Binary",
    "Call",
    "Card",
    "Matching",
    "MatrixSelector",
    "Node",
    "NumberLiteral",
    "Paren",
    "StringLiteral",
    "Subquery",
    "Unary",
    "ValueType",
    "VectorSelector",
    "children",
    "depth",
    "replace",
    "unwrap",
    "walk",
]

ValueType: TypeAlias = Literal["scalar", "vector", "matrix", "string"]
At: TypeAlias = "int | Literal['start', 'end'] | None"
Card: TypeAlias = Literal["one-to-one", "many-to-one", "one-to-many", "many-to-many"]


@dataclass(frozen=True, slots=True)
class Node:
    """Any node; ``position`` is its place in the text (None when it was made by code).

    Examples
    --------
    >>> NumberLiteral(1.0) == NumberLiteral(1.0, position=7)
    True
    """

    position: int | None = field(default=None, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class NumberLiteral(Node):
    """A number; durations written as numbers are seconds.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("1h30m")
    NumberLiteral(value=5400.0)
    """

    value: float

    kind: ClassVar[ValueType] = "scalar"


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """A text in quotes.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("'text'")
    StringLiteral(value='text')
    """

    value: str

    kind: ClassVar[ValueType] = "string"


@dataclass(frozen=True, slots=True)
class VectorSelector(Node):
    """The newest sample of each matching series.

    ``offset_ns`` looks back (negative: ahead); ``at`` fixes the time, in nanoseconds since
    the epoch, or at the query's ``"start"`` or ``"end"``.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("up offset 5m").offset_ns
    300000000000
    """

    name: str | None
    matchers: tuple[Matcher, ...]
    offset_ns: int = 0
    at: At = None

    kind: ClassVar[ValueType] = "vector"


@dataclass(frozen=True, slots=True)
class MatrixSelector(Node):
    """The samples of each matching series in the window before each step.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("up[5m]").selector.name
    'up'
    """

    selector: VectorSelector
    range_ns: int

    kind: ClassVar[ValueType] = "matrix"


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """An expression evaluated on a grid of its own, seen as windows of samples.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("up[1h:30s]").step_ns
    30000000000
    """

    expr: Node
    range_ns: int
    step_ns: int | None = None
    offset_ns: int = 0
    at: At = None

    kind: ClassVar[ValueType] = "matrix"


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function call.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("abs(up)").name
    'abs'
    """

    name: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """An aggregation over series: ``op by (grouping) (param, expr)``.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("sum by (job) (up)").grouping
    ('job',)
    """

    op: str
    expr: Node
    param: Node | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False

    kind: ClassVar[ValueType] = "vector"


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign before an expression.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("-up").op
    '-'
    """

    op: str
    expr: Node


@dataclass(frozen=True, slots=True)
class Matching:
    """How the series of two vectors find each other.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("a * on (job) b").matching
    Matching(card='one-to-one', labels=('job',), on=True, include=())
    """

    card: Card = "one-to-one"
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two expressions with an operator between them; ``matching`` only between vectors.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> parse("up == bool 0").returns_bool
    True
    """

    op: str
    lhs: Node
    rhs: Node
    matching: Matching | None = None
    returns_bool: bool = False


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """An expression in parentheses.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> type(parse("(up)")).__name__
    'Paren'
    """

    expr: Node


def children(node: Node) -> tuple[Node, ...]:
    """Give the nodes directly below a node, in the order of the text.

    Parameters
    ----------
    node : Node
        Any node.

    Returns
    -------
    tuple of Node
        Empty for a leaf.

    Examples
    --------
    >>> children(Unary("-", NumberLiteral(2.0)))
    (NumberLiteral(value=2.0),)
    """
    if isinstance(node, Binary):
        return (node.lhs, node.rhs)
    if isinstance(node, Call):
        return node.args
    if isinstance(node, Aggregate):
        return (node.expr,) if node.param is None else (node.param, node.expr)
    if isinstance(node, (Unary, Paren, Subquery)):
        return (node.expr,)
    if isinstance(node, MatrixSelector):
        return (node.selector,)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Visit a tree, parents before children, in the order of the text.

    Parameters
    ----------
    node : Node
        Where to begin.

    Yields
    ------
    Node
        Every node of the tree.

    Examples
    --------
    >>> from monitorlab.query import parse
    >>> [type(n).__name__ for n in walk(parse("sum(up) > 1"))]
    ['Binary', 'Aggregate', 'VectorSelector', 'NumberLiteral']
    """
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(children(current)))


def depth(node: Node) -> int:
    """Count the levels of a tree.

    Parameters
    ----------
    node : Node
        Top of the tree.

    Returns
    -------
    int
        1 for a leaf.

    Examples
    --------
    >>> depth(Paren(NumberLiteral(1.0)))
    2
    """
    deepest = 0
    stack = [(node, 1)]
    while stack:
        current, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(current))
    return deepest


def replace(node: Node, change: Callable[[Node], Node]) -> Node:
    """Make a tree in which every node has been passed through a function, leaves first.

    Parameters
    ----------
    node : Node
        The tree; it is not changed.
    change : callable
        Takes a node whose children are already replaced; gives it back or gives another.

    Returns
    -------
    Node
        The new tree; nodes that did not change are shared.

    Examples
    --------
    >>> from monitorlab.query import parse, to_promql
    >>> double = lambda n: NumberLiteral(n.value * 2) if isinstance(n, NumberLiteral) else n
    >>> to_promql(replace(parse("up > 1 + 2"), double))
    'up > 2 + 4'
    """
    if isinstance(node, Binary):
        lhs, rhs = replace(node.lhs, change), replace(node.rhs, change)
        if lhs is not node.lhs or rhs is not node.rhs:
            node = dataclasses.replace(node, lhs=lhs, rhs=rhs)
    elif isinstance(node, Call):
        args = tuple(replace(arg, change) for arg in node.args)
        if any(new is not old for new, old in zip(args, node.args, strict=True)):
            node = dataclasses.replace(node, args=args)
    elif isinstance(node, Aggregate):
        param = None if node.param is None else replace(node.param, change)
        expr = replace(node.expr, change)
        if param is not node.param or expr is not node.expr:
            node = dataclasses.replace(node, param=param, expr=expr)
    elif isinstance(node, (Unary, Paren, Subquery)):
        expr = replace(node.expr, change)
        if expr is not node.expr:
            node = dataclasses.replace(node, expr=expr)
    elif isinstance(node, MatrixSelector):
        selector = replace(node.selector, change)
        if selector is not node.selector and isinstance(selector, VectorSelector):
            node = dataclasses.replace(node, selector=selector)
    return change(node)


def unwrap(node: Node) -> Node:
    """Take the parentheses off a node.

    Parameters
    ----------
    node : Node
        Any node.

    Returns
    -------
    Node
        The first node below that is no ``Paren``.

    Examples
    --------
    >>> unwrap(Paren(Paren(NumberLiteral(1.0))))
    NumberLiteral(value=1.0)
    """
    while isinstance(node, Paren):
        node = node.expr
    return node
