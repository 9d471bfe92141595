"""Far samples that come back on time belong to a season; the others only hide one (numpy).

>>> x = np.tile([0.0, 1.0, 0.5, 0.2], 30)
>>> x[[5, 50, 90]] = 40.0
>>> int(np.isnan(without_strays(x)).sum())
3
"""

from __future__ import annotations

import numpy as np

from monitorlab.seasonality.grid import fill_gaps

__all__ = ["returning", "running_median", "without_strays"]

REACH_MADS = 5.0
MOST_STRAYS = 0.05
LEAST_HITS = 3  # partners at one distance that make far samples a rhythm ...
LEAST_SHARE = 0.5  # ... if they are so many of those that could have one
SHORTEST = 3  # samples; nearer ones are one event


def without_strays(values: np.ndarray) -> np.ndarray:
    """Take out samples far from their neighbours, except those that come back at even distances.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        What known seasons leave; NaN where missing.

    Returns
    -------
    numpy.ndarray, shape (n,)
        NaN where a sample lies five robust deviations or more from the running median (25
        samples) and is no spike of a rhythm. Where that is one sample in twenty or more, or
        most samples are equal, nothing is taken out: it is what the series does.

    Notes
    -----
    A backup once a night is far from its neighbours and is the season itself; two errors in
    a hundred samples are as far and drown the week. Only their distances tell them apart (see
    `returning`). Cost O(n log n).

    Examples
    --------
    >>> backup = np.tile(np.r_[30.0, np.tile([0.0, 1.0], 11), 0.0], 10)
    >>> float(without_strays(backup).max())
    30.0
    """
    finite = np.isfinite(values)
    if not bool(finite.any()):
        return values
    middle = running_median(values)
    away = np.abs(values - middle)
    limit = REACH_MADS * 1.4826 * float(np.median(away[finite]))
    far = np.where(finite, away > limit, False)
    if limit == 0.0 or not bool(far.any()):
        return values
    lone = far & ~returning(far)
    if float(lone.mean()) >= MOST_STRAYS:
        return values
    return np.where(lone, np.nan, values)


def running_median(values: np.ndarray, reach: int = 12) -> np.ndarray:
    """Give the median of each sample and its neighbours on both sides.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN where missing: the neighbours' line stands in. At least one is finite.
    reach : int
        Neighbours on each side; the ends are mirrored.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Examples
    --------
    >>> running_median(np.array([1.0, 9.0, 2.0, 3.0, 4.0]), reach=1).tolist()
    [9.0, 2.0, 3.0, 3.0, 3.0]
    """
    filled = fill_gaps(values)
    reach = min(reach, (len(filled) - 1) // 2)
    padded = np.pad(filled, reach, mode="reflect") if reach else filled
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return np.asarray(np.median(windows, axis=1))


def returning(far: np.ndarray) -> np.ndarray:
    """Tell which marked samples have partners at a distance that many of them share.

    Parameters
    ----------
    far : numpy.ndarray of bool, shape (n,)
        Marked samples; runs of neighbours are one event.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        The events of which at least three, and half of those with room for it, have a
        partner at one distance (give or take a sample).

    Notes
    -----
    Partners are counted at all distances at once (Wiener, Khinchin): O(n log n).

    Examples
    --------
    >>> far = np.zeros(60, dtype=bool)
    >>> far[[3, 13, 23, 33, 43, 50]] = True
    >>> np.flatnonzero(returning(far)).tolist()
    [3, 13, 23, 33, 43]
    """
    n = len(far)
    rows = np.flatnonzero(far)
    kept = np.zeros(n, dtype=bool)
    if len(rows) <= LEAST_HITS:
        return kept
    first = np.r_[True, np.diff(rows) >= SHORTEST]
    event = np.cumsum(first) - 1
    starts = rows[first]
    mark = np.zeros(n)
    mark[starts] = 1.0
    near = np.convolve(mark, np.ones(3), "same")
    size = 1 << (2 * n - 1).bit_length()
    both = np.fft.irfft(np.fft.rfft(near, size) * np.conj(np.fft.rfft(mark, size)), size)
    hits = np.rint(both[: n // 2])
    room = np.cumsum(mark)[::-1][: n // 2]  # events early enough for a partner so much later
    least = np.maximum(LEAST_HITS, LEAST_SHARE * room)
    lags = np.flatnonzero(hits >= least)
    has = np.zeros(len(starts), dtype=bool)
    for lag in lags[lags >= SHORTEST]:
        later = (starts + lag < n) & (near[np.minimum(starts + lag, n - 1)] > 0)
        earlier = (starts >= lag) & (near[np.maximum(starts - lag, 0)] > 0)
        has |= later | earlier
    kept[rows] = has[event]
    return kept
