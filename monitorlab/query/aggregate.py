"""Aggregation over series, at all steps at once.

Loops go over series or groups, never over steps.

>>> vector = Vector.constant(Labels(job="a"), np.array([1.0, 2.0]))
>>> aggregate("sum", vector, (), without=False).values
array([[1., 2.]])
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn

import numpy as np

from monitorlab.errors import QueryError
from monitorlab.model import Labels
from monitorlab.query.matrix import NAME, Bools, Floats, Ints, Vector, unique_groups
from monitorlab.query.strings import is_label_name

__all__ = ["aggregate", "format_value"]

_INT64 = 9.223372036854775807e18


def aggregate(
    op: str,
    vector: Vector,
    grouping: tuple[str, ...],
    *,
    without: bool,
    param: Floats | str | None = None,
    max_points: int = 50_000_000,
) -> Vector:
    """Aggregate the series of each group at each step.

    Parameters
    ----------
    op : str
        One of ``AGGREGATIONS``.
    vector : Vector
        The series.
    grouping : tuple of str
        Labels to group by, or to leave out.
    without : bool
        Whether ``grouping`` lists the labels to leave out.
    param : numpy.ndarray or str, optional
        k or quantile at each step, or the label of ``count_values``.
    max_points : int
        Largest result of ``count_values``.

    Returns
    -------
    Vector
        One series a group; for ``topk`` and ``bottomk`` the chosen series themselves.

    Raises
    ------
    QueryError
        If the parameter cannot be used.

    Notes
    -----
    Sums and means are compensated (Neumaier), variances use Welford's update. ``min`` and
    ``max`` leave NaN aside while there is anything else; ``quantile`` sorts NaN first.
    Of equal values ``topk`` takes the first series in the order of the source.

    Examples
    --------
    >>> one = Vector.constant(Labels(job="a"), np.array([3.0]))
    >>> aggregate("count", one, ("job",), without=False).labels
    [{job="a"}]
    """
    if op in ("topk", "bottomk"):
        return _largest(vector, grouping, _whole(param), without=without, top=op == "topk")
    if op == "count_values":
        return _count_values(vector, grouping, str(param), max_points, without=without)
    keys = [_group_labels(labels, grouping, without=without) for labels in vector.labels]
    groups, firsts = unique_groups(keys)
    count = np.zeros((len(firsts), vector.values.shape[1]))
    if count.shape[1] == 1:
        count[:, 0] = np.bincount(groups, vector.present[:, 0], minlength=len(firsts))
    else:
        for row, group in enumerate(groups.tolist()):
            count[group] += vector.present[row]
    if op == "quantile":
        values = _quantiles(vector, groups, len(firsts), np.asarray(param, float))
    else:
        values = _REDUCERS[op](vector.values, vector.present, groups, count)
    drops = np.zeros(len(firsts), bool)
    np.logical_or.at(drops, groups, vector.drops_name)
    return Vector([keys[i] for i in firsts], drops, values, count > 0)


def format_value(value: float) -> str:
    """Write a value as ``count_values`` labels it: shortest digits, no exponent.

    Parameters
    ----------
    value : float
        Any number.

    Returns
    -------
    str
        For example ``'0.1'``, ``'3'``, ``'+Inf'``, ``'NaN'``.

    Examples
    --------
    >>> format_value(1e21), format_value(0.5), format_value(float("-inf"))
    ('1000000000000000000000', '0.5', '-Inf')
    """
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@lru_cache(maxsize=65_536)
def _group_labels(labels: Labels, grouping: tuple[str, ...], *, without: bool) -> Labels:
    return labels.without(*grouping, NAME) if without else labels.only(*grouping)


Reducer = Callable[[Floats, Bools, Ints, Floats], Floats]


def _sum(values: Floats, present: Bools, groups: Ints, count: Floats) -> Floats:
    total, rest = _compensated(values, present, groups, count.shape)
    return np.where(np.isinf(total), total, total + rest)


def _compensated(
    values: Floats, present: Bools, groups: Ints, shape: tuple[int, ...]
) -> tuple[Floats, Floats]:
    total, rest = np.zeros(shape), np.zeros(shape)
    if shape[1] == 1:
        return _compensated_once(values[:, 0], present[:, 0], groups, total, rest)
    for row, group in enumerate(groups.tolist()):
        x, here = np.where(present[row], values[row], 0.0), total[group]
        new = here + x
        lost = np.where(np.abs(here) >= np.abs(x), (here - new) + x, (x - new) + here)
        rest[group] = np.where(np.isinf(new), 0.0, rest[group] + lost)
        total[group] = new
    return total, rest


def _compensated_once(
    values: Floats, present: Bools, groups: Ints, total: Floats, rest: Floats
) -> tuple[Floats, Floats]:
    """Do the same for a single step, where plain numbers are quicker than arrays of one."""
    sums, rests = [0.0] * len(total), [0.0] * len(total)
    here = np.flatnonzero(present)
    for group, x in zip(groups[here].tolist(), values[here].tolist(), strict=True):
        old = sums[group]
        new = old + x
        if math.isinf(new):
            rests[group] = 0.0
        else:
            rests[group] += (old - new) + x if abs(old) >= abs(x) else (x - new) + old
        sums[group] = new
    total[:, 0], rest[:, 0] = sums, rests
    return total, rest


def _avg(values: Floats, present: Bools, groups: Ints, count: Floats) -> Floats:
    total, rest = _compensated(values, present, groups, count.shape)
    mean = total / count + rest / count
    if np.isfinite(total).all():
        return mean
    # The sum overflowed, or there are infinities: sum what each value adds to the mean.
    scaled = values / np.maximum(count, 1.0)[groups]
    small, small_rest = _compensated(scaled, present, groups, count.shape)
    return np.where(np.isfinite(total), mean, small + small_rest)


def _variance(values: Floats, present: Bools, groups: Ints, count: Floats) -> Floats:
    seen, mean, spread = np.zeros(count.shape), np.zeros(count.shape), np.zeros(count.shape)
    for row, group in enumerate(groups.tolist()):
        here = present[row]
        number = seen[group] + here
        delta = values[row] - mean[group]
        moved = mean[group] + delta / np.maximum(number, 1.0)
        spread[group] = np.where(here, spread[group] + delta * (values[row] - moved), spread[group])
        mean[group] = np.where(here, moved, mean[group])
        seen[group] = number
    return spread / count


def _extreme(pick: np.ufunc) -> Reducer:
    def reducer(values: Floats, present: Bools, groups: Ints, count: Floats) -> Floats:
        best = np.full(count.shape, np.nan)
        for row, group in enumerate(groups.tolist()):
            best[group] = pick(best[group], np.where(present[row], values[row], np.nan))
        return best

    return reducer


_REDUCERS: dict[str, Reducer] = {
    "avg": _avg,
    "count": lambda _values, _present, _groups, count: count,
    "group": lambda _values, _present, _groups, count: np.ones(count.shape),
    "max": _extreme(np.fmax),
    "min": _extreme(np.fmin),
    "stddev": lambda *given: np.sqrt(_variance(*given)),
    "stdvar": _variance,
    "sum": _sum,
}


def _quantiles(vector: Vector, groups: Ints, n_groups: int, phi: Floats) -> Floats:
    steps = vector.values.shape[1]
    out = np.full((n_groups, steps), np.nan)
    for group in range(n_groups):
        rows = groups == group
        values, present = vector.values[rows], vector.present[rows]
        count = present.sum(axis=0)
        is_nan = present & np.isnan(values)
        nans = is_nan.sum(axis=0)
        ranked = np.sort(np.where(present & ~is_nan, values, np.inf), axis=0)
        rank = np.clip(np.nan_to_num(phi), 0.0, 1.0) * np.maximum(count - 1, 0)
        below = np.floor(rank).astype(np.int64)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        weight = rank - below
        low, high = _pick(ranked, below - nans), _pick(ranked, above - nans)
        out[group] = low * (1 - weight) + high * weight
    out = np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, out))
    return np.where(np.isnan(phi), np.nan, out)


def _pick(ranked: Floats, index: Ints) -> Floats:
    """Take one row a step; before the first row stand the NaNs."""
    inside = np.clip(index, 0, len(ranked) - 1)
    taken = np.take_along_axis(ranked, inside[None, :], axis=0)[0]
    return np.where(index < 0, np.nan, taken)


def _whole(param: Floats | str | None) -> Ints:
    numbers = np.asarray(param, float)
    if np.isnan(numbers).any():
        _refuse("the number of series to keep is NaN at some step")
    if (numbers >= _INT64).any() or (numbers <= -_INT64).any():
        _refuse("the number of series to keep is too large for an integer")
    return np.asarray(np.trunc(numbers), np.int64)


def _largest(
    vector: Vector, grouping: tuple[str, ...], k: Ints, *, without: bool, top: bool
) -> Vector:
    keys = [_group_labels(labels, grouping, without=without) for labels in vector.labels]
    groups, firsts = unique_groups(keys)
    kept = np.zeros(vector.present.shape, bool)
    order_of_rows: list[int] = []
    for group in range(len(firsts)):
        rows = np.flatnonzero(groups == group)
        values, present = vector.values[rows], vector.present[rows]
        kind = np.where(present, np.isnan(values).astype(np.int8), np.int8(2))
        order = np.lexsort((-values if top else values, kind), axis=0)
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(len(rows))[:, None], axis=0)
        kept[rows] = present & (place < k)
        if vector.values.shape[1] == 1:
            order_of_rows += rows[order[:, 0]].tolist()
    chosen = Vector(vector.labels, vector.drops_name, vector.values, kept)
    if vector.values.shape[1] != 1:
        return chosen.compact()
    return chosen.take(order_of_rows, ordered=True).compact()


def _count_values(
    vector: Vector, grouping: tuple[str, ...], label: str, max_points: int, *, without: bool
) -> Vector:
    if not is_label_name(label):
        _refuse(f"{label!r} cannot name a label")
    wanted = grouping if without or label in grouping else (*grouping, label)
    steps = vector.values.shape[1]
    counts: dict[Labels, Floats] = {}
    drops: dict[Labels, bool] = {}
    for row, labels in enumerate(vector.labels):
        values, slots = np.unique(vector.values[row], return_inverse=True)
        for slot, value in enumerate(values.tolist()):
            here = vector.present[row] & (slots == slot)
            if not here.any():
                continue
            named = Labels({**labels, label: format_value(value)})
            key = _group_labels(named, wanted, without=without)
            counts[key] = counts.get(key, np.zeros(steps)) + here
            drops[key] = drops.get(key, False) or (bool(vector.drops_name[row]) and label != NAME)
            if len(counts) * steps > max_points:
                _refuse(f"count_values gives more than {max_points} points; round the values")
    if not counts:
        return Vector.empty(steps)
    table = np.stack(list(counts.values()))
    return Vector(list(counts), np.asarray(list(drops.values()), bool), table, table > 0)


def _refuse(message: str) -> NoReturn:
    raise QueryError(message)
