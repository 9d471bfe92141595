"""Evaluate a tree: every part once, for all steps, as series × steps.

There is no loop over steps: an instant query is a range query of one step.

>>> from monitorlab.query import QueryOptions, parse
>>> from monitorlab.storage import SeriesStore
>>> grid = np.array([0, 60_000_000_000])
>>> Evaluator(SeriesStore(), "1 + 1", grid, QueryOptions()).run(parse("1 + 1"))
array([2., 2.])
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.errors import QueryError
from monitorlab.query import lookup
from monitorlab.query.aggregate import aggregate
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
    unwrap,
)
from monitorlab.query.binary import apply_operator, scalar_with_vector, set_operation, vectors
from monitorlab.query.check import SET_OPERATORS
from monitorlab.query.functions import FUNCTIONS, Context
from monitorlab.query.matrix import NAME, Floats, Ints, Value, Vector, Windows, merge_equal

if TYPE_CHECKING:
    from monitorlab.model import Labels
    from monitorlab.query.options import QueryOptions

__all__ = ["Evaluator"]


class Evaluator:
    """One evaluation of one expression over one grid of steps.

    Parameters
    ----------
    source : object
        Anything with ``select(matchers, start_ns, end_ns)``.
    text : str
        The expression, for error messages.
    steps : numpy.ndarray of int64
        Times to evaluate at, increasing.
    options : QueryOptions
        Settings.
    end_ns : int, optional
        What ``@ end()`` means; the last step unless given.

    Examples
    --------
    >>> from monitorlab.query import QueryOptions, parse
    >>> from monitorlab.storage import SeriesStore
    >>> Evaluator(SeriesStore(), "pi()", np.array([0]), QueryOptions()).run(parse("pi()"))
    array([3.14159265])
    """

    def __init__(
        self,
        source: Any,
        text: str,
        steps: Ints,
        options: QueryOptions,
        *,
        end_ns: int | None = None,
    ) -> None:
        self.source = source
        self.text = text
        self.steps = steps
        self.options = options
        last = int(steps[-1]) if len(steps) else 0
        self.end_ns = last if end_ns is None else end_ns

    def run(self, node: Node) -> Value:
        """Evaluate a tree and settle which series keep their names.

        Parameters
        ----------
        node : Node
            The checked tree.

        Returns
        -------
        Vector, Windows, numpy.ndarray or str
            A vector without empty series, windows for a bare range, one number a step for a
            scalar, a text for a string.

        Raises
        ------
        QueryError
            If the evaluation cannot be done; points at the part at fault.
        """
        with np.errstate(all="ignore"):
            value: Value = self.evaluate(node, self.steps)
        if not isinstance(value, Vector):
            return value
        labels = [
            _nameless(own) if drops else own
            for own, drops in zip(value.labels, value.drops_name.tolist(), strict=True)
        ]
        settled = Vector(
            labels, np.zeros(len(labels), bool), value.values, value.present, value.ordered
        )
        return merge_equal(settled.compact(), text=self.text, position=node.position)

    def evaluate(self, node: Node, steps: Ints) -> Any:
        """Evaluate one part on a grid of steps; errors are given its place in the text."""
        try:
            return self._evaluate(node, steps)
        except QueryError as error:
            if error.text or not self.text:
                raise
            raise QueryError(error.message, text=self.text, position=node.position) from error

    def _evaluate(self, node: Node, steps: Ints) -> Any:
        if isinstance(node, Paren):
            return self.evaluate(node.expr, steps)
        if isinstance(node, NumberLiteral):
            return np.full(len(steps), node.value)
        if isinstance(node, StringLiteral):
            return node.value
        if isinstance(node, VectorSelector):
            return self._instant(node, steps, times=False)
        if isinstance(node, (MatrixSelector, Subquery)):
            return self._windows(node, steps)
        if isinstance(node, Binary):
            return self._binary(node, steps)
        if isinstance(node, Aggregate):
            return self._aggregate(node, steps)
        if isinstance(node, Call):
            return self._call(node, steps)
        if isinstance(node, Unary):
            value = self.evaluate(node.expr, steps)
            if node.op == "+":
                return value
            return value.with_values(-value.values) if isinstance(value, Vector) else -value
        msg = f"cannot evaluate {type(node).__name__}"
        raise QueryError(msg)

    def _ends(self, at: At, offset_ns: int, steps: Ints) -> tuple[Ints, bool]:
        """Give the times to look at, and whether ``@`` made them all the same (then one)."""
        if at is None or not len(steps):
            return steps - offset_ns, False
        if at == "start":
            fixed = int(self.steps[0])
        elif at == "end":
            fixed = self.end_ns
        else:
            fixed = int(at)
        return np.array([fixed - offset_ns], np.int64), True

    def _instant(self, node: VectorSelector, steps: Ints, *, times: bool) -> Vector:
        ends, fixed = self._ends(node.at, node.offset_ns, steps)
        vector = lookup.instant(self.source, node, ends, self.options, times=times)
        if not fixed or len(steps) == 1:
            return vector
        return Vector(
            vector.labels,
            vector.drops_name,
            np.repeat(vector.values, len(steps), axis=1),
            np.repeat(vector.present, len(steps), axis=1),
        )

    def _windows(self, node: MatrixSelector | Subquery, steps: Ints) -> Windows:
        inner = node.selector if isinstance(node, MatrixSelector) else node
        ends, fixed = self._ends(inner.at, inner.offset_ns, steps)
        if isinstance(node, MatrixSelector):
            made = lookup.windows(self.source, node.selector, node.range_ns, ends, self.options)
        else:
            made = self._subquery(node, ends)
        if not fixed or len(steps) == 1:
            return made
        return Windows(
            made.labels,
            made.drops_name,
            made.times,
            made.values,
            np.repeat(made.first, len(steps), axis=1),
            np.repeat(made.last, len(steps), axis=1),
            np.repeat(made.ends, len(steps)),
            made.range_ns,
        )

    def _subquery(self, node: Subquery, ends: Ints) -> Windows:
        step = node.step_ns or self.options.default_step_ns
        limit = self.options.limits.max_subquery_points
        grid = np.zeros(0, np.int64)
        if len(ends):
            edge = int(ends[0]) - node.range_ns
            start = -(-edge // step) * step  # first multiple of the step at or after the edge
            if start == edge and not self.options.closed:
                start += step
            count = max(0, (int(ends[-1]) - start) // step + 1)
            self._refuse_subquery(node, count, limit)
            grid = start + step * np.arange(count, dtype=np.int64)
        vector = self.evaluate(node.expr, grid)
        self._refuse_subquery(node, len(grid) * max(1, len(vector)), limit)
        return lookup.subquery_windows(vector, grid, node.range_ns, ends, self.options)

    def _refuse_subquery(self, node: Subquery, points: int, limit: int) -> None:
        if points > limit:
            msg = (
                f"the subquery has {points} points (series × inner steps), more than {limit}; "
                "widen its step, shorten its range, or raise Limits.max_subquery_points"
            )
            raise QueryError(msg, text=self.text, position=node.position)

    def _binary(self, node: Binary, steps: Ints) -> Any:
        lhs, rhs = self.evaluate(node.lhs, steps), self.evaluate(node.rhs, steps)
        if isinstance(lhs, Vector) and isinstance(rhs, Vector):
            if node.op in SET_OPERATORS:
                matching = node.matching or Matching("many-to-many")
                return set_operation(node.op, lhs, rhs, matching)
            matching = node.matching or Matching()
            return vectors(node.op, lhs, rhs, matching, returns_bool=node.returns_bool)
        if isinstance(lhs, Vector) or isinstance(rhs, Vector):
            scalar_first = isinstance(rhs, Vector)
            vector, scalar = (rhs, lhs) if scalar_first else (lhs, rhs)
            return scalar_with_vector(
                node.op, vector, scalar, scalar_first=scalar_first, returns_bool=node.returns_bool
            )
        return np.asarray(apply_operator(node.op, lhs, rhs), np.float64)

    def _aggregate(self, node: Aggregate, steps: Ints) -> Vector:
        param = None if node.param is None else self.evaluate(node.param, steps)
        vector = self.evaluate(node.expr, steps)
        return aggregate(
            node.op,
            vector,
            node.grouping,
            without=node.without,
            param=param,
            max_points=self.options.limits.max_points,
        )

    def _call(self, node: Call, steps: Ints) -> Vector | Floats:
        if node.name == "timestamp":
            argument = unwrap(node.args[0])
            if isinstance(argument, VectorSelector):
                found = self._instant(argument, steps, times=True)
                return found.with_values(found.values)
        args = [self.evaluate(arg, steps) for arg in node.args]
        context = Context(steps, node, self.options, self.text)
        function = FUNCTIONS.get(node.name)
        if function is None:
            msg = f"`{node.name}` is declared but has no implementation; use register_function"
            raise QueryError(msg, text=self.text, position=node.position)
        value: Vector | Floats = function(context, *args)
        return value


@lru_cache(maxsize=65_536)
def _nameless(labels: Labels) -> Labels:
    return labels.without(NAME)
