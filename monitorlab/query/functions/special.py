"""Functions of the shape of a vector: time, constants, absence, order.

>>> from monitorlab.query.ast import Call
>>> from monitorlab.query.functions.context import Context
>>> FUNCTIONS["pi"](Context(np.array([0]), Call("pi", ())))
array([3.14159265])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitorlab.model import Labels
from monitorlab.query.ast import MatrixSelector, Node, VectorSelector, unwrap
from monitorlab.query.matrix import NAME, Floats, Vector, Windows

if TYPE_CHECKING:
    from monitorlab.query.functions.context import Context, Function

__all__ = ["FUNCTIONS"]


def _time(context: Context) -> Floats:
    return context.seconds


def _pi(context: Context) -> Floats:
    return np.full(len(context.steps), np.pi)


def _vector(_context: Context, scalar: Floats) -> Vector:
    return Vector.constant(Labels(), np.asarray(scalar, float))


def _scalar(_context: Context, vector: Vector) -> Floats:
    """Give the only value of each step; NaN where there is none, or more than one."""
    alone = vector.present.sum(axis=0) == 1
    total = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return np.where(alone, total, np.nan)


def _timestamp(context: Context, vector: Vector) -> Vector:
    """Give the step's time; of a plain selector the engine gives the samples' times."""
    return vector.with_values(np.broadcast_to(context.seconds, vector.values.shape))


def _absent(context: Context, vector: Vector) -> Vector:
    missing = ~np.asarray(vector.present.any(axis=0))
    labels = _implied_labels(unwrap(context.node.args[0]))
    return Vector.constant(labels, np.ones(len(context.steps)), missing)


def _absent_over_time(context: Context, windows: Windows) -> Vector:
    missing = ~np.asarray((windows.counts > 0).any(axis=0))
    labels = _implied_labels(unwrap(context.node.args[0]))
    return Vector.constant(labels, np.ones(len(missing)), missing)


def _implied_labels(node: Node) -> Labels:
    """Give the labels that a selector's ``=`` matchers fix without contradiction."""
    selector = node.selector if isinstance(node, MatrixSelector) else node
    if not isinstance(selector, VectorSelector):
        return Labels()
    seen: set[str] = set()
    fixed: dict[str, str] = {}
    for matcher in selector.matchers:
        if matcher.name == NAME:
            continue
        if matcher.op == "=" and matcher.name not in seen:
            seen.add(matcher.name)
            fixed[matcher.name] = matcher.value
        else:
            fixed.pop(matcher.name, None)
    return Labels(fixed)


def _sorted(*, descending: bool) -> Function:
    def function(_context: Context, vector: Vector) -> Vector:
        """Order the series of an instant query; NaN comes last; ranges stay as they are."""
        if vector.values.shape[1] != 1:
            return vector
        here = vector.take(vector.present[:, 0])
        values = here.values[:, 0]
        key = -values if descending else values
        order = np.lexsort((key, np.isnan(values)))
        return here.take(order, ordered=True)

    return function


FUNCTIONS: dict[str, Function] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "pi": _pi,
    "scalar": _scalar,
    "sort": _sorted(descending=False),
    "sort_desc": _sorted(descending=True),
    "time": _time,
    "timestamp": _timestamp,
    "vector": _vector,
}
