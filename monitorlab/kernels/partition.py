"""Best cuts of a series into levels or straight lines for many penalties at once (numba).

>>> import numpy as np
>>> y = np.repeat([0.0, 5.0], 10)
>>> last_cuts(y, False, np.array([3.0]), 3)[0, 20]
np.int32(10)
"""

from __future__ import annotations

import numpy as np

from monitorlab.kernels.compiled import njit

__all__ = ["last_cuts"]


@njit(cache=True)
def last_cuts(y: np.ndarray, line: bool, penalties: np.ndarray, min_size: int) -> np.ndarray:
    """Start of the last segment of the best cut of every head of a series.

    Parameters
    ----------
    y : numpy.ndarray of float64, shape (n,)
        Finite; centred and scaled by the caller.
    line : bool
        Whether segments are straight lines; else levels.
    penalties : numpy.ndarray of float64, shape (m,)
        Prices of one more segment.
    min_size : int
        Shortest segment.

    Returns
    -------
    numpy.ndarray of int32, shape (m, n + 1)
        Row ``i``, entry ``end``: where the last segment of ``y[:end]`` starts at price ``i``.

    Notes
    -----
    Dynamic programming over the last change, the cost of each of the n² / 2 segments worked
    out once for all prices: O(n² m) time, O(n m) memory.
    """
    n, prices = len(y), len(penalties)
    s1, s2, st = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    half = (n - 1) / 2
    for i in range(n):
        s1[i + 1] = s1[i] + y[i]
        s2[i + 1] = s2[i] + y[i] * y[i]
        st[i + 1] = st[i] + (i - half) * y[i]
    best = np.full((prices, n + 1), np.inf)
    best[:, 0] = -penalties
    last = np.zeros((prices, n + 1), np.int32)
    cost = np.empty(n + 1)
    for end in range(min_size, n + 1):
        stop = end - min_size + 1
        for start in range(stop):
            size = float(end - start)
            total = s1[end] - s1[start]
            left = (s2[end] - s2[start]) - total * total / size
            if line and size > 1.0:
                tilt = (st[end] - st[start]) - (end + start - n) / 2 * total
                left -= tilt * tilt / (size * (size * size - 1.0) / 12.0)
            cost[start] = max(left, 0.0)
        for price in range(prices):
            least, where = np.inf, 0
            for start in range(stop):
                value = best[price, start] + cost[start]
                if value < least:
                    least, where = value, start
            last[price, end] = where
            best[price, end] = least + penalties[price]
    return last
