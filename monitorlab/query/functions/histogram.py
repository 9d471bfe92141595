"""Quantiles and shares of classic histograms: cumulative ``le`` buckets.

>>> bounds = np.array([1.0, 2.0, np.inf])
>>> counts = np.array([[5.0], [10.0], [10.0]])
>>> bucket_quantile(np.array([0.75]), bounds, counts, np.ones((3, 1), bool))
array([1.5])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from monitorlab.query.matrix import NAME, Bools, Floats, Vector, unique_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitorlab.model import Labels
    from monitorlab.query.functions.context import Context, Function

__all__ = ["FUNCTIONS", "bucket_fraction", "bucket_quantile"]

_SMALL_DELTA = 1e-12  # relative differences of counts that are rounding, as Prometheus has it
_MIN_NORMAL = 2.2250738585072014e-308
_BUCKET = "le"


def bucket_quantile(phi: Floats, bounds: Floats, counts: Floats, present: Bools) -> Floats:
    """Interpolate a quantile in cumulative buckets, for all steps at once.

    Parameters
    ----------
    phi : numpy.ndarray, shape (n_steps,)
        Quantile at each step.
    bounds : numpy.ndarray, shape (n_buckets,)
        Upper bounds, increasing, each once.
    counts : numpy.ndarray, shape (n_buckets, n_steps)
        Cumulative counts (or rates of them).
    present : numpy.ndarray of bool, shape (n_buckets, n_steps)
        Where the buckets are present.

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        NaN without a ``+Inf`` bucket, a second bucket, or any observation.

    Notes
    -----
    Counts that fall are raised to the one before, differences below 1e-12 are taken for
    rounding. The first bucket begins at 0, unless its bound is not positive. In the last
    bucket the answer is the bound below it. One loop over the buckets, none over steps.

    References
    ----------
    The Prometheus Authors, ``promql/quantile.go``, ``BucketQuantile``.

    Examples
    --------
    >>> bucket_quantile(np.array([0.5]), np.array([np.inf]), np.ones((1, 1)), np.ones((1, 1), bool))
    array([nan])
    """
    steps = counts.shape[1]
    counts = _monotonic(counts, present)
    whole = np.isposinf(bounds[-1]) & present[-1] & (present.sum(axis=0) > 1)
    observations = counts[-1]
    rank = phi * observations
    out = np.full(steps, np.nan)
    done = ~whole | ~(observations != 0)
    below_bound = np.zeros(steps)  # bound and count of the last present bucket passed
    below_count = np.zeros(steps)
    passed = np.zeros(steps, bool)
    for bound, count, here in zip(bounds[:-1], counts[:-1], present[:-1], strict=True):
        hit = here & ~done & (count >= rank)
        if hit.any():
            start = np.where(passed, below_bound, 0.0)
            inside = np.where(passed, count - below_count, count)
            rest = np.where(passed, rank - below_count, rank)
            value = start + (bound - start) * (rest / inside)
            if bound <= 0:
                value = np.where(passed, value, bound)
            out[hit] = value[hit]
            done |= hit
        below_bound = np.where(here, bound, below_bound)
        below_count = np.where(here, count, below_count)
        passed |= here
    out = np.where(done, out, below_bound)
    out = np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, out))
    return np.where(np.isnan(phi), np.nan, out)


def bucket_fraction(
    lower: Floats, upper: Floats, bounds: Floats, counts: Floats, present: Bools
) -> Floats:
    """Estimate the share of observations between two values, for all steps at once.

    Parameters
    ----------
    lower, upper : numpy.ndarray, shape (n_steps,)
        The two values at each step.
    bounds, counts, present
        As in ``bucket_quantile``.

    Returns
    -------
    numpy.ndarray, shape (n_steps,)
        NaN without a ``+Inf`` bucket or any observation; 0 where lower is not below upper.

    Notes
    -----
    Observations are taken to be spread evenly in each bucket, the first of which begins at 0
    unless its bound is not positive; those above the last finite bound count as beyond any
    finite value. One loop over the buckets, none over steps.

    References
    ----------
    The Prometheus Authors, documentation of ``histogram_fraction``.

    Examples
    --------
    >>> bounds, here = np.array([1.0, 2.0, np.inf]), np.ones((3, 1), bool)
    >>> counts = np.array([[5.0], [10.0], [10.0]])
    >>> bucket_fraction(np.array([0.5]), np.array([1.5]), bounds, counts, here)
    array([0.5])
    """
    counts = _monotonic(counts, present)
    total = counts[-1]
    whole = np.isposinf(bounds[-1]) & present[-1] & (total != 0)
    low, high = (_rank(value, bounds, counts, present) for value in (lower, upper))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(lower >= upper, 0.0, (high - low) / total)
    return np.where(whole & ~np.isnan(lower) & ~np.isnan(upper), share, np.nan)


def _rank(value: Floats, bounds: Floats, counts: Floats, present: Bools) -> Floats:
    """Count the observations up to a value, spread evenly in their bucket."""
    out = np.zeros(counts.shape[1])
    begin = np.full(counts.shape[1], -np.inf if bounds[0] <= 0 else 0.0)
    below = np.zeros(counts.shape[1])
    for bound, count, here in zip(bounds, counts, present, strict=True):
        width = bound - begin
        with np.errstate(invalid="ignore", divide="ignore"):
            inside = np.where(np.isfinite(width), (value - begin) / width, 0.0)
        within = here & (value > begin) & (value < bound)
        out = np.where(within, below + (count - below) * inside, out)
        out = np.where(here & (value >= bound), count, out)
        begin, below = np.where(here, bound, begin), np.where(here, count, below)
    return out


def _monotonic(counts: Floats, present: Bools) -> Floats:
    fixed = counts.copy()
    previous = np.zeros(counts.shape[1])
    started = np.zeros(counts.shape[1], bool)
    for row, here in zip(fixed, present, strict=True):
        low = here & started & ((row < previous) | _almost_equal(previous, row))
        row[low] = previous[low]
        previous = np.where(here, row, previous)
        started |= here
    return fixed


def _almost_equal(one: Floats, other: Floats) -> Bools:
    both = np.abs(one) + np.abs(other)
    gap = np.abs(one - other)
    tiny = (one == 0) | (other == 0) | (both < _MIN_NORMAL)
    limit = np.where(tiny, _SMALL_DELTA * _MIN_NORMAL, _SMALL_DELTA * both)
    return np.asarray((one == other) | (gap < limit))


def _histogram_quantile(_context: Context, phi: Floats, vector: Vector) -> Vector:
    return _by_histogram(vector, lambda *buckets: bucket_quantile(phi, *buckets))


def _histogram_fraction(_context: Context, lower: Floats, upper: Floats, vector: Vector) -> Vector:
    return _by_histogram(vector, lambda *buckets: bucket_fraction(lower, upper, *buckets))


def _by_histogram(vector: Vector, answer: Callable[[Floats, Floats, Bools], Floats]) -> Vector:
    """Bring the buckets of each histogram together and ask one thing of it."""
    rows: list[int] = []
    bounds: list[float] = []
    keys: list[Labels] = []
    for row, labels in enumerate(vector.labels):
        bound = _bound(labels.get(_BUCKET, ""))
        if bound is not None:
            rows.append(row)
            bounds.append(bound)
            keys.append(labels.without(_BUCKET, NAME))
    groups, firsts = unique_groups(keys)
    steps = vector.values.shape[1]
    values = np.zeros((len(firsts), steps))
    present = np.zeros((len(firsts), steps), bool)
    for group in range(len(firsts)):
        members = np.flatnonzero(groups == group)
        own = np.asarray(rows, np.int64)[members]
        levels, slots = np.unique(np.asarray(bounds)[members], return_inverse=True)
        counts = np.zeros((len(levels), steps))
        here = np.zeros((len(levels), steps), bool)
        for row, slot in zip(own.tolist(), slots.tolist(), strict=True):
            mask = vector.present[row]
            counts[slot] += np.where(mask, vector.values[row], 0.0)
            here[slot] |= mask
        present[group] = here.any(axis=0)
        values[group] = answer(levels, counts, here)
    return Vector([keys[i] for i in firsts], np.ones(len(firsts), bool), values, present)


def _bound(text: str) -> float | None:
    """Read an upper bound; a series whose ``le`` is no number is left out."""
    try:
        bound = float(text) if text == text.strip() and "_" not in text else np.nan
    except ValueError:
        return None
    return None if np.isnan(bound) else bound


FUNCTIONS: dict[str, Function] = {
    "histogram_fraction": _histogram_fraction,
    "histogram_quantile": _histogram_quantile,
}
