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
from numba import njit

from monitorlab.kernels.bits import leading_zeros, trailing_zeros

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
            words[rank >> 6] |= np.uint64(1) << np.uint64(rank & 63)
            summary[rank >> 12] |= np.uint64(1) << np.uint64((rank >> 6) & 63)
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
                words[rank >> 6] &= ~(np.uint64(1) << np.uint64(rank & 63))
                if words[rank >> 6] == np.uint64(0):
                    summary[rank >> 12] &= ~(np.uint64(1) << np.uint64((rank >> 6) & 63))
                count -= 1
                if rank < cursor:
                    below -= 1
                elif rank == cursor and count > 0:
                    after = _next(words, summary, cursor)
                    if after >= 0:
                        cursor = after
                    else:
                        cursor = _previous(words, summary, cursor)
                        below -= 1
            left += 1
        if count == 0:
            out[i - first] = np.nan
            continue
        exact = q * (count - 1)
        wanted = np.int64(exact)
        while below < wanted:
            cursor = _next(words, summary, cursor)
            below += 1
        while below > wanted:
            cursor = _previous(words, summary, cursor)
            below -= 1
        low = ordered[cursor]
        share = exact - wanted
        if share > 0.0:
            high = ordered[_next(words, summary, cursor)]
            if low != high:
                step = high - low
                if np.isinf(step):
                    low = low * (1.0 - share) + high * share
                else:
                    low += step * share
        out[i - first] = low


@njit(cache=True)
def _next(words: Any, summary: Any, rank: Any) -> Any:
    """Give the smallest rank in the set above this one, or -1."""
    word = rank >> 6
    rest = (words[word] >> np.uint64(rank & 63)) >> np.uint64(1)
    if rest != np.uint64(0):
        return rank + 1 + np.int64(trailing_zeros(rest))
    group = word >> 6
    above = (summary[group] >> np.uint64(word & 63)) >> np.uint64(1)
    if above != np.uint64(0):
        word = word + 1 + np.int64(trailing_zeros(above))
        return (word << 6) + np.int64(trailing_zeros(words[word]))
    group += 1
    while group < len(summary):
        if summary[group] != np.uint64(0):
            word = (group << 6) + np.int64(trailing_zeros(summary[group]))
            return (word << 6) + np.int64(trailing_zeros(words[word]))
        group += 1
    return -1


@njit(cache=True)
def _previous(words: Any, summary: Any, rank: Any) -> Any:
    """Give the largest rank in the set below this one, or -1."""
    word = rank >> 6
    rest = (words[word] << np.uint64(63 - (rank & 63))) << np.uint64(1)
    if rest != np.uint64(0):
        return rank - 1 - np.int64(leading_zeros(rest))
    group = word >> 6
    beneath = (summary[group] << np.uint64(63 - (word & 63))) << np.uint64(1)
    if beneath != np.uint64(0):
        word = word - 1 - np.int64(leading_zeros(beneath))
        return (word << 6) + 63 - np.int64(leading_zeros(words[word]))
    group -= 1
    while group >= 0:
        if summary[group] != np.uint64(0):
            word = (group << 6) + 63 - np.int64(leading_zeros(summary[group]))
            return (word << 6) + 63 - np.int64(leading_zeros(words[word]))
        group -= 1
    return -1
