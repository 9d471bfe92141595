"""Optimal partitions into levels or straight lines, by prefix sums (numpy).

>>> costs = segment_costs(np.repeat([0.0, 5.0], 10), "level")
>>> partition(costs, penalty=3.0, min_size=3)
[10]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

__all__ = ["Shape", "fitted", "partition", "refine", "segment_costs"]

Shape: TypeAlias = Literal["level", "line"]


def segment_costs(y: np.ndarray, shape: Shape) -> np.ndarray:
    """Sum of squares left in every segment by its own level or straight line.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite; centred and scaled by the caller.
    shape : {"level", "line"}
        What is fitted in each segment.

    Returns
    -------
    numpy.ndarray, shape (n + 1, n + 1)
        Entry ``[end, start]`` is the cost of ``y[start:end]``; meaningless above the
        diagonal.

    Notes
    -----
    Cost O(n²) time and memory: 8 MB for 1 000 points.

    Examples
    --------
    >>> float(segment_costs(np.array([0.0, 2.0]), "level")[2, 0])
    2.0
    """
    n = len(y)
    position = np.arange(n) - (n - 1) / 2
    s1, s2 = _prefix(y), _prefix(y * y)
    edge = np.arange(n + 1, dtype=np.float64)
    size = np.maximum(edge[:, None] - edge[None, :], 1.0)
    total = s1[:, None] - s1[None, :]
    cost: np.ndarray = (s2[:, None] - s2[None, :]) - total * total / size
    if shape == "line":
        st = _prefix(position * y)
        middle = (edge[:, None] + edge[None, :] - n) / 2
        tilt = (st[:, None] - st[None, :]) - middle * total
        spread = size * (size * size - 1.0) / 12.0
        cost -= np.where(spread > 0, tilt * tilt / np.maximum(spread, 0.5), 0.0)
    np.maximum(cost, 0.0, out=cost)
    return cost


def partition(costs: np.ndarray, *, penalty: float, min_size: int) -> list[int]:
    """Find the segments with the smallest cost plus penalty a segment.

    Parameters
    ----------
    costs : numpy.ndarray, shape (n + 1, n + 1)
        From `segment_costs`.
    penalty : float
        Price of one more segment.
    min_size : int
        Shortest segment.

    Returns
    -------
    list of int
        First position of each segment but the first.

    Notes
    -----
    Dynamic programming over the last change (Jackson and others 2005), O(n²) numpy work
    in n calls.

    Examples
    --------
    >>> partition(segment_costs(np.zeros(9), "level"), penalty=1.0, min_size=2)
    []
    """
    n = len(costs) - 1
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    last = np.zeros(n + 1, dtype=np.int64)
    for end in range(min_size, n + 1):
        stop = end - min_size + 1
        total = best[:stop] + costs[end, :stop]
        start = int(total.argmin())
        last[end] = start
        best[end] = total[start] + penalty
    points = []
    end = n
    while end > 0:
        end = int(last[end])
        if end > 0:
            points.append(end)
    return points[::-1]


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
        left = _continued(y, before, max(before + 2, min(low, at)), where, shape)
        right = _continued(y, min(after - 2, max(high, at)), after, where, shape)
        gain = (y[low:high] - left) ** 2 - (y[low:high] - right) ** 2
        out.append(low + int(np.argmin(np.concatenate(([0.0], np.cumsum(gain))))))
    return out


def _continued(y: np.ndarray, start: int, end: int, where: np.ndarray, shape: Shape) -> np.ndarray:
    part = y[start:end]
    x = np.arange(len(part)) - (len(part) - 1) / 2
    level = np.full(len(where), part.mean())
    if shape == "level" or len(part) < 3:
        return level
    slope = float(x @ part) / float(x @ x)
    return level + slope * (where - start - (len(part) - 1) / 2)


def _prefix(values: np.ndarray) -> np.ndarray:
    return np.concatenate(([0.0], np.cumsum(values)))
