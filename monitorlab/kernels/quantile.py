"""Exact quantiles of every time window, at a cost that hardly grows with the window.

A block of samples is ranked once. A window is then a set of ranks, kept as bits with one
summary bit for each 64; a cursor stands on the wanted order statistic and moves by a step
or two when samples come and go.

>>> import numpy as np
>>> values = np.array([3.0, 1.0, 2.0])
>>> out = np.empty(3)
>>> quantile_block(values, np.argsort(values), np.array([0, 0, 1]), 0, 0.5, out)
>>> out.tolist()
[3.0, 2.0, 1.5]
"""

# NaN is what differs from itself.
from __future__ import annotations

from typing import Any

import numpy as np

from monitorlab.kernels.compiled import njit
from monitorlab.kernels.ranks import add, discard, next_above, next_below

__all__ = ["quantile_block"]


@njit(cache=True)
def quantile_block(values: Any, order: Any, starts: Any, first: int, q: float, out: Any) -> None:
    """Fill ``out`` with a quantile of each window of one block.

    ``values`` is the block, ``order`` its argsort (NaN last), ``first`` the index in the
    block of the first sample that has an output, ``starts`` the index in the block where
    each output's window begins. O(block) beside the sort.
    """
    n = len(values)
    ranks = np.empty(n, np.int64)
    ordered = np.empty(n)
    for rank in range(n):
        place = order[rank]
        ranks[place] = rank
        ordered[rank] = values[place]
    words = np.zeros((n >> 6) + 1, np.uint64)
    summary = np.zeros((n >> 12) + 1, np.uint64)
    count = 0
    cursor = -1  # a rank in the set
    below = 0  # ranks in the set that are smaller than the cursor
    left = 0
    for i in range(n):
        if values[i] == values[i]:
            rank = ranks[i]
            add(words, summary, rank)
            if count == 0:
                cursor = rank
                below = 0
            elif rank < cursor:
                below += 1
            count += 1
        if i < first:
            continue
        start = starts[i - first]
        while left < start:
            if values[left] == values[left]:
                rank = ranks[left]
                discard(words, summary, rank)
                count -= 1
                if rank < cursor:
                    below -= 1
                elif rank == cursor and count > 0:
                    after = next_above(words, summary, cursor)
                    if after >= 0:
                        cursor = after
                    else:
                        cursor = next_below(words, summary, cursor)
                        below -= 1
            left += 1
        if count == 0:
            out[i - first] = np.nan
            continue
        exact = q * (count - 1)
        wanted = np.int64(exact)
        while below < wanted:
            cursor = next_above(words, summary, cursor)
            below += 1
        while below > wanted:
            cursor = next_below(words, summary, cursor)
            below -= 1
        low = ordered[cursor]
        share = exact - wanted
        if share > 0.0:
            high = ordered[next_above(words, summary, cursor)]
            if low != high:
                step = high - low
                if np.isinf(step):
                    low = low * (1.0 - share) + high * share
                else:
                    low += step * share
        out[i - first] = low
