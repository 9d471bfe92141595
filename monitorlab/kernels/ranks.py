"""Ranks of a block of numbers, and sets of ranks kept as bits.

A number of a block is known by its rank, a set of them by one bit each, with a summary bit for
each 64, so that the next member above or below is found in a few steps however full the set is.

>>> import numpy as np
>>> values = np.array([3.0, -1.0, 2.0])
>>> keys = np.empty(3, np.int64)
>>> sort_keys(values, keys)
>>> keys.sort()
>>> ranks, ordered = np.empty(3, np.int64), np.empty(3)
>>> bool(rank(values, keys, ranks, ordered)), ranks.tolist(), ordered.tolist()
(True, [2, 0, 1], [-1.0, 2.0, 3.0])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from monitorlab.kernels.bits import leading_zeros, trailing_zeros
from monitorlab.kernels.compiled import njit

__all__ = ["LARGEST_BLOCK", "add", "discard", "next_above", "next_below", "rank", "sort_keys"]

LARGEST_BLOCK = 1 << 15  # numbers
_PLACE = LARGEST_BLOCK - 1
_MAGNITUDE = 0x7FFF_FFFF_FFFF_FFFF
_PATIENCE = 8  # moves a number, before the keys are given up


@njit(cache=True, nogil=True)
def sort_keys(values: Any, keys: Any) -> None:
    """Write whole numbers in the order of the values, each with its place in the last 15 bits.

    Values that agree in their first 37 bits stand in the order of their places; ``rank`` puts
    that right. Sorting these keys costs a fifth of an ``argsort``.
    """
    bits = values.view(np.int64)
    for i in range(len(bits)):
        b = bits[i]
        keys[i] = ((b ^ ((b >> 63) & _MAGNITUDE)) & ~_PLACE) | i


@njit(cache=True, nogil=True)
def rank(values: Any, keys: Any, ranks: Any, ordered: Any) -> bool:
    """Write the rank of each value and the values in order; ``keys`` are in order.

    False when too many values are nearly equal for the keys to tell them apart: then give the
    ``argsort`` of the values as ``keys``.
    """
    patience = _PATIENCE * len(keys)
    for r in range(len(keys)):
        place = keys[r] & _PLACE
        value = values[place]
        to = r
        while to > 0 and ordered[to - 1] > value:
            ordered[to] = ordered[to - 1]
            keys[to] = keys[to - 1]
            ranks[keys[to] & _PLACE] = to
            to -= 1
            patience -= 1
        if patience < 0:
            return False
        ordered[to] = value
        keys[to] = place
        ranks[place] = to
    return True


@njit(cache=True, nogil=True)
def add(words: Any, summary: Any, rank: Any) -> None:
    """Put a rank into the set."""
    words[rank >> 6] |= np.uint64(1) << np.uint64(rank & 63)
    summary[rank >> 12] |= np.uint64(1) << np.uint64((rank >> 6) & 63)


@njit(cache=True, nogil=True)
def discard(words: Any, summary: Any, rank: Any) -> None:
    """Take a rank out of the set."""
    words[rank >> 6] &= ~(np.uint64(1) << np.uint64(rank & 63))
    if words[rank >> 6] == np.uint64(0):
        summary[rank >> 12] &= ~(np.uint64(1) << np.uint64((rank >> 6) & 63))


@njit(cache=True, nogil=True)
def next_above(words: Any, summary: Any, rank: Any) -> Any:
    """Give the smallest rank in the set above this one, or -1."""
    word = rank >> 6
    rest = (words[word] >> np.uint64(rank & 63)) >> np.uint64(1)
    if rest != np.uint64(0):
        return rank + 1 + np.int64(trailing_zeros(rest))
    group = word >> 6
    rest = (summary[group] >> np.uint64(word & 63)) >> np.uint64(1)
    if rest != np.uint64(0):
        word = word + 1 + np.int64(trailing_zeros(rest))
        return (word << 6) + np.int64(trailing_zeros(words[word]))
    group += 1
    while group < len(summary):
        if summary[group] != np.uint64(0):
            word = (group << 6) + np.int64(trailing_zeros(summary[group]))
            return (word << 6) + np.int64(trailing_zeros(words[word]))
        group += 1
    return -1


@njit(cache=True, nogil=True)
def next_below(words: Any, summary: Any, rank: Any) -> Any:
    """Give the largest rank in the set below this one, or -1."""
    word = rank >> 6
    rest = (words[word] << np.uint64(63 - (rank & 63))) << np.uint64(1)
    if rest != np.uint64(0):
        return rank - 1 - np.int64(leading_zeros(rest))
    group = word >> 6
    rest = (summary[group] << np.uint64(63 - (word & 63))) << np.uint64(1)
    if rest != np.uint64(0):
        word = word - 1 - np.int64(leading_zeros(rest))
        return (word << 6) + 63 - np.int64(leading_zeros(words[word]))
    group -= 1
    while group >= 0:
        if summary[group] != np.uint64(0):
            word = (group << 6) + 63 - np.int64(leading_zeros(summary[group]))
            return (word << 6) + 63 - np.int64(leading_zeros(words[word]))
        group -= 1
    return -1
