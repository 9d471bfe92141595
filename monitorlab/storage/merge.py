"""Merging samples by time: the pure array part of late arrivals and duplicates.

>>> sort_batch(np.array([2, 1, 2]), np.array([1.0, 2.0, 3.0]), keep="last")
(array([1, 2]), array([2., 3.]), 1)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Patch", "combine", "sort_batch"]

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class Patch(NamedTuple):
    """What replaces the end of a column, from ``begin`` on, after a merge.

    Parameters
    ----------
    begin : int
        Index of the first sample that changes.
    times, values : numpy.ndarray
        All samples from there on; never memory that a reader may see.
    duplicates : int
        Samples that met another one with their time.

    Examples
    --------
    >>> combine(np.array([1, 3]), np.array([1.0, 3.0]), np.array([2]), np.array([2.0]),
    ...         keep="last").begin
    1
    """

    begin: int
    times: Times
    values: Values
    duplicates: int


def sort_batch(times: Times, values: Values, *, keep: str) -> tuple[Times, Values, int]:
    """Bring a batch into strictly increasing time order.

    Parameters
    ----------
    times, values : numpy.ndarray, shape (n_samples,)
        In order of arrival.
    keep : {"last", "first", "error"}
        Which of several samples with one time stays (``"error"`` keeps the last; the
        caller looks at the count).

    Returns
    -------
    tuple of (times, values, duplicates)
        Sorted copies and the number of samples left out.

    Notes
    -----
    One stable sort, O(n log n); nearly sorted input is cheaper.

    Examples
    --------
    >>> sort_batch(np.array([5, 5]), np.array([1.0, 2.0]), keep="first")[1]
    array([1.])
    """
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    same = times[1:] == times[:-1]
    duplicates = int(np.count_nonzero(same))
    if duplicates:
        kept = np.ones(len(times), dtype=np.bool_)
        if keep == "first":
            kept[1:] = ~same
        else:
            kept[:-1] = ~same
        times, values = times[kept], values[kept]
    return times, values, duplicates


def combine(
    old_times: Times, old_values: Values, times: Times, values: Values, *, keep: str
) -> Patch:
    """Merge a sorted batch into sorted columns.

    Parameters
    ----------
    old_times, old_values : numpy.ndarray
        The columns, times strictly increasing; not changed.
    times, values : numpy.ndarray
        The batch, times strictly increasing; it arrived after the columns.
    keep : {"last", "first", "error"}
        Whether the batch or the column wins where both have a time.

    Returns
    -------
    Patch
        Where the columns change, and what stands there afterwards.

    Notes
    -----
    O(k log n) to find the places and one linear pass over what lies after the first.

    Examples
    --------
    >>> combine(np.array([1, 3]), np.array([1.0, 3.0]), np.array([3]), np.array([9.0]),
    ...         keep="last").values
    array([9.])
    """
    places = old_times.searchsorted(times)
    hit = places < len(old_times)
    hit[hit] = old_times[places[hit]] == times[hit]
    duplicates = int(np.count_nonzero(hit))
    new = ~hit
    replaces = duplicates > 0 and keep != "first"
    changed = places if replaces else places[new]
    if len(changed) == 0:
        return Patch(len(old_times), times[:0], values[:0], duplicates)
    begin = int(changed[0])
    out_times = old_times[begin:]
    out_values = old_values[begin:].copy()
    if replaces:
        out_values[places[hit] - begin] = values[hit]
    if duplicates < len(times):
        at = places[new] - begin
        out_times = np.insert(out_times, at, times[new])
        out_values = np.insert(out_values, at, values[new])
    return Patch(begin, out_times, out_values, duplicates)
