"""Operators between numbers and vectors, with the matching of series.

>>> apply_operator("%", np.array([-5.0]), np.array([3.0]))
array([-2.])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.errors import QueryError
from monitorlab.model import Labels
from monitorlab.query.check import COMPARISONS
from monitorlab.query.matrix import NAME, Bools, Floats, Vector, merge_equal, unique_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from monitorlab.query.ast import Matching

__all__ = ["apply_operator", "scalar_with_vector", "set_operation", "vectors"]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}


def apply_operator(op: str, lhs: Floats, rhs: Floats) -> Any:
    """Apply an operator to numbers, element by element.

    Parameters
    ----------
    op : str
        Arithmetic gives numbers, a comparison gives booleans; NaN compares false, but for
        ``!=``.
    lhs, rhs : numpy.ndarray
        Numbers; their shapes broadcast.

    Returns
    -------
    numpy.ndarray
        One result an element.

    Examples
    --------
    >>> apply_operator(">", np.array([1.0, np.nan]), np.array([0.0]))
    array([ True, False])
    """
    return _OPERATORS[op](lhs, rhs)


def scalar_with_vector(
    op: str, vector: Vector, scalar: Floats, *, scalar_first: bool, returns_bool: bool
) -> Vector:
    """Apply an operator between a vector and one number a step.

    Parameters
    ----------
    op : str
        Arithmetic or comparison.
    vector : Vector
        One side.
    scalar : numpy.ndarray, shape (n_steps,)
        The other side.
    scalar_first : bool
        Whether the number stands on the left.
    returns_bool : bool
        Give 0 or 1 where a comparison would filter.

    Returns
    -------
    Vector
        A comparison keeps the vector's values where it holds.

    Examples
    --------
    >>> one = Vector.constant(Labels(), np.array([1.0, 5.0]))
    >>> two = np.array([2.0, 2.0])
    >>> scalar_with_vector(">", one, two, scalar_first=False, returns_bool=False).present
    array([[False,  True]])
    """
    sides = (scalar, vector.values) if scalar_first else (vector.values, scalar)
    result = apply_operator(op, *sides)
    if op not in COMPARISONS:
        return vector.with_values(result)
    if returns_bool:
        return vector.with_values(result.astype(np.float64))
    return vector.with_values(vector.values, vector.present & result, drops_name=False)


def set_operation(op: str, lhs: Vector, rhs: Vector, matching: Matching) -> Vector:
    """Apply ``and``, ``or`` or ``unless``.

    Parameters
    ----------
    op : {"and", "or", "unless"}
        Operator.
    lhs, rhs : Vector
        The sides.
    matching : Matching
        Labels that must agree.

    Returns
    -------
    Vector
        Series of the left side, and for ``or`` those of the right that it does not cover.

    Examples
    --------
    >>> from monitorlab.query import Matching
    >>> one = Vector.constant(Labels(), np.ones(2), np.array([True, False]))
    >>> two = Vector.constant(Labels(), np.zeros(2))
    >>> set_operation("or", one, two, Matching("many-to-many")).values
    array([[1., 0.]])
    """
    left_keys, right_keys = _signatures(lhs, matching), _signatures(rhs, matching)
    groups, firsts = unique_groups([*left_keys, *right_keys])
    left, right = groups[: len(lhs)], groups[len(lhs) :]
    steps = lhs.values.shape[1]
    covered = np.zeros((len(firsts), steps), bool)
    if op == "or":
        for row, group in enumerate(left.tolist()):
            covered[group] |= lhs.present[row]
        rest = Vector(rhs.labels, rhs.drops_name, rhs.values, rhs.present & ~covered[right])
        return merge_equal(Vector.stack([lhs, rest.compact()], steps))
    for row, group in enumerate(right.tolist()):
        covered[group] |= rhs.present[row]
    mask = covered[left] if op == "and" else ~covered[left]
    return lhs.with_values(lhs.values, lhs.present & mask, drops_name=False).compact()


def vectors(op: str, lhs: Vector, rhs: Vector, matching: Matching, *, returns_bool: bool) -> Vector:
    """Apply arithmetic or a comparison between the matching series of two vectors.

    Parameters
    ----------
    op : str
        Arithmetic or comparison.
    lhs, rhs : Vector
        The sides.
    matching : Matching
        Labels that must agree, and which side may have many series for one.
    returns_bool : bool
        Give 0 or 1 where a comparison would filter.

    Returns
    -------
    Vector
        One series for each pair.

    Raises
    ------
    QueryError
        If at some step more than one series could be meant.

    Notes
    -----
    Pairs are formed once for all steps; whether a match is ambiguous is decided at each
    step from what is present there, as in Prometheus.

    Examples
    --------
    >>> from monitorlab.query import Matching
    >>> one = Vector.constant(Labels(a="x"), np.array([6.0]))
    >>> two = Vector.constant(Labels(a="x"), np.array([3.0]))
    >>> vectors("/", one, two, Matching(), returns_bool=False).values
    array([[2.]])
    """
    swapped = matching.card == "one-to-many"
    many, one = (rhs, lhs) if swapped else (lhs, rhs)
    steps = many.values.shape[1]
    # Where one side has nothing at all, nothing is matched and nothing is wrong.
    active = np.asarray(many.present.any(axis=0) & one.present.any(axis=0))
    many_keys, one_keys = _signatures(many, matching), _signatures(one, matching)
    _refuse_duplicates(one, one_keys, active, "left" if swapped else "right", matching)
    partners: dict[Hashable, list[int]] = {}
    for row, key in enumerate(one_keys):
        partners.setdefault(key, []).append(row)
    pairs = [(i, j) for i, key in enumerate(many_keys) for j in partners.get(key, ())]
    if not pairs:
        return Vector.empty(steps)
    rows, others = (np.asarray(side, np.int64) for side in zip(*pairs, strict=True))
    both = many.present[rows] & one.present[others]
    if matching.card == "one-to-one":
        _refuse_many(many, many_keys, rows, both)
    x, y = many.values[rows], one.values[others]
    result = apply_operator(op, *((y, x) if swapped else (x, y)))
    keeps_name = op in COMPARISONS
    if op in COMPARISONS and not returns_bool:
        both &= result
        values = lhs.values[others if swapped else rows]
    else:
        values = np.asarray(result, np.float64)
    labels = [
        _result_labels(many.labels[i], one.labels[j], matching, keeps_name=keeps_name)
        for i, j in pairs
    ]
    drops = many.drops_name[rows] | returns_bool if keeps_name else np.zeros(len(pairs), bool)
    made = Vector(labels, drops, values, both)
    try:
        return merge_equal(made)
    except QueryError as error:
        msg = (
            "several series of one side give the same result series; the grouping labels must "
            f"tell them apart ({error.message})"
        )
        raise QueryError(msg) from error


def _signatures(vector: Vector, matching: Matching) -> Sequence[Hashable]:
    if matching.on:
        return [labels.only(*matching.labels) for labels in vector.labels]
    return [labels.without(*matching.labels, NAME) for labels in vector.labels]


def _refuse_duplicates(
    one: Vector, keys: Sequence[Hashable], active: Bools, side: str, matching: Matching
) -> None:
    groups, firsts = unique_groups(keys)
    if len(firsts) == len(keys):
        return
    seen = np.zeros((len(firsts), len(active)), bool)
    for row, group in enumerate(groups.tolist()):
        mask = one.present[row] & active
        if (seen[group] & mask).any():
            pair = f"{one.labels[firsts[group]]!r} and {one.labels[row]!r}"
            fix = "on (…) with more labels" if matching.on else "ignoring (…) with fewer labels"
            msg = (
                f"the {side} side has several series for {keys[row]!r}: {pair}; "
                f"each must be unique there: use {fix}, or aggregate that side"
            )
            raise QueryError(msg)
        seen[group] |= mask


def _refuse_many(many: Vector, keys: Sequence[Hashable], rows: Any, both: Bools) -> None:
    groups, firsts = unique_groups([keys[row] for row in rows.tolist()])
    if len(firsts) == len(rows):
        return
    seen = np.zeros((len(firsts), both.shape[1]), bool)
    for index, group in enumerate(groups.tolist()):
        if (seen[group] & both[index]).any():
            msg = (
                f"the left side has several series for {keys[rows[index]]!r}, among them "
                f"{many.labels[rows[index]]!r}; say group_left (or group_right) if many are "
                "meant to match one"
            )
            raise QueryError(msg)
        seen[group] |= both[index]


def _result_labels(many: Labels, one: Labels, matching: Matching, *, keeps_name: bool) -> Labels:
    kept = many if keeps_name else many.without(NAME)
    if matching.card == "one-to-one":
        return kept.only(*matching.labels) if matching.on else kept.without(*matching.labels)
    if not matching.include:
        return kept
    return Labels({**kept, **{name: one.get(name, "") for name in matching.include}})
