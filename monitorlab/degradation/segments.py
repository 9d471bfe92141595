"""Optimal partitions into levels or straight lines (a compiled kernel, numpy).

>>> partitions(np.repeat([0.0, 5.0], 10), "level", [3.0], 3)
[(10,)]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

__all__ = ["Shape", "continued", "fitted", "partitions", "refine"]

Shape: TypeAlias = Literal["level", "line"]


def partitions(
    y: np.ndarray, shape: Shape, penalties: Sequence[float] | np.ndarray, min_size: int
) -> list[tuple[int, ...]]:
    """Find the segments with the smallest sum of squares plus penalty a segment.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite; centred and scaled by the caller.
    shape : {"level", "line"}
        What is fitted in each segment.
    penalties : sequence of float
        Prices of one more segment, one a partition wanted.
    min_size : int
        Shortest segment.

    Returns
    -------
    list of tuple of int
        For each price, the first position of each segment but the first.

    Notes
    -----
    Dynamic programming over the last change (Jackson and others 2005), compiled, all prices
    in one pass: O(n²) time, O(n) memory a price.

    Examples
    --------
    >>> partitions(np.zeros(9), "level", [1.0], 2)
    [()]
    """
    from monitorlab.kernels.partition import last_cuts

    values = np.ascontiguousarray(y, dtype=np.float64)
    prices = np.asarray(penalties, dtype=np.float64)
    out = []
    for last in last_cuts(values, shape == "line", prices, min_size).tolist():
        points: list[int] = []
        end = len(values)
        while end > 0:
            end = last[end]
            if end > 0:
                points.append(end)
        out.append(tuple(points[::-1]))
    return out


def fitted(y: np.ndarray, points: Sequence[int], shape: Shape) -> np.ndarray:
    """Give the level or the straight line of each segment.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite.
    points : sequence of int
        First position of each segment but the first.
    shape : {"level", "line"}
        What is fitted.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> fitted(np.array([1.0, 1.0, 4.0, 6.0]), [2], "level").tolist()
    [1.0, 1.0, 5.0, 5.0]
    """
    out = np.empty(len(y))
    edges = [0, *points, len(y)]
    for start, end in pairwise(edges):
        part = y[start:end]
        mean = part.mean()
        out[start:end] = mean
        if shape == "line" and end - start > 1:
            x = np.arange(end - start) - (end - start - 1) / 2
            out[start:end] += x * (float(x @ part) / float(x @ x))
    return out


def refine(y: np.ndarray, points: Sequence[int], size: int, shape: Shape) -> list[int]:
    """Move changes found on block means to the sample where they fit best.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        All samples.
    points : sequence of int
        Changes counted in blocks.
    size : int
        Samples a block.
    shape : {"level", "line"}
        What holds between changes.

    Returns
    -------
    list of int
        Changes counted in samples.

    Notes
    -----
    Both neighbours are fitted without the two blocks round the change, continued to it,
    and the split with the least squares is taken. Cost O(n).

    Examples
    --------
    >>> refine(np.repeat([0.0, 1.0], [53, 47]), [5], 10, "level")
    [53]
    """
    if size <= 1:
        return [int(p) for p in points]
    edges = [0, *(int(p) * size for p in points), len(y)]
    out: list[int] = []
    for before, at, after in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        low = max(before + 1, at - 2 * size, (out[-1] + 1) if out else 1)
        high = min(after - 1, at + 2 * size)
        where = np.arange(low, high)
        left = continued(y, before, max(before + 2, min(low, at)), where, shape)
        right = continued(y, min(after - 2, max(high, at)), after, where, shape)
        gain = (y[low:high] - left) ** 2 - (y[low:high] - right) ** 2
        out.append(low + int(np.argmin(np.concatenate(([0.0], np.cumsum(gain))))))
    return out


def continued(y: np.ndarray, start: int, end: int, where: np.ndarray, shape: Shape) -> np.ndarray:
    """Give the level or line of one segment at positions that may lie outside of it.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite.
    start, end : int
        The segment.
    where : numpy.ndarray
        Positions.
    shape : {"level", "line"}
        What is fitted.

    Returns
    -------
    numpy.ndarray
        One value a position.

    Examples
    --------
    >>> continued(np.arange(4.0), 0, 4, np.array([5.0]), "line").tolist()
    [5.0]
    """
    part = y[start:end]
    x = np.arange(len(part)) - (len(part) - 1) / 2
    level = np.full(len(where), part.mean())
    if shape == "level" or len(part) < 3:
        return level
    slope = float(x @ part) / float(x @ x)
    return level + slope * (where - start - (len(part) - 1) / 2)
