"""Do the days of a week differ? A test for a week where a day is known (numpy).

>>> day = np.sin(np.arange(24) * np.pi / 12)
>>> x = np.concatenate([day * (0.5 if d % 7 > 4 else 1.0) for d in range(35)])
>>> week_test(x + 0.1 * np.random.default_rng(0).normal(size=len(x)), 24.0) < 1e-6
True
"""

from __future__ import annotations

import numpy as np

from monitorlab.seasonality.grid import fill_gaps, lag_one

__all__ = ["DAYS", "week_test"]

DAYS = 7
FEWEST_DAYS = 14
BINS = 24
SHAPES = 2  # further ways in which days differ most, beside level and amplitude
PULL = 3.5  # robust deviations at which a strange day is pulled in
MOST_MEMORY = 0.98


def week_test(x: np.ndarray, day: float) -> float:
    """Test whether days seven apart are alike beyond what days side by side are.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        NaN where missing.
    day : float
        Samples a day.

    Returns
    -------
    float
        Chance under noise; 1 with fewer than fourteen days.

    Notes
    -----
    Each day becomes a few numbers: its level, how much of the mean day is in it, and its share
    of the two shapes in which days differ most. Each is regressed on the seven weekdays and a
    straight line, whitened by its own lag-one autocorrelation, and the weekdays are tested
    by an F ratio; the least chance is multiplied by the number of tests. The days count one
    by one here, not the weeks, so four weeks are enough to tell a weekend. Cost O(n).

    References
    ----------
    Cochrane, Orcutt (1949), "Application of least squares regression to relationships
    containing auto-correlated error terms".

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=24 * 30)
    >>> week_test(noise, 24.0) > 0.01
    True
    """
    features = _features(x, day)
    if not len(features):
        return 1.0
    return float(min(1.0, len(features) * min(_weekdays(f) for f in features)))


def _features(x: np.ndarray, day: float) -> list[np.ndarray]:
    count = int((len(x) + 1e-6) // day)
    if count < FEWEST_DAYS or not bool(np.isfinite(x).any()):
        return []
    bins = int(max(1, min(round(day), BINS)))
    edges = np.rint(np.arange(count * bins + 1) * day / bins).astype(np.int64)
    total = np.concatenate(([0.0], np.cumsum(fill_gaps(x))))
    table = (np.diff(total[edges]) / np.maximum(np.diff(edges), 1)).reshape(count, bins)
    level = table.mean(axis=1)
    swing = table - level[:, None]
    mean = swing.mean(axis=0)
    power = float(mean @ mean)
    out = [level]
    if power > 0.0:
        amplitude = swing @ mean / power
        out.append(amplitude)
        swing = swing - np.outer(amplitude, mean)
    _, sizes, shapes = np.linalg.svd(swing - swing.mean(axis=0), full_matrices=False)
    out.extend(swing @ s for s, z in zip(shapes[:SHAPES], sizes, strict=False) if z > 0.0)
    return [_pulled(f) for f in out if float(np.ptp(f)) > 1e-9 * float(np.abs(f).max())]


def _pulled(values: np.ndarray) -> np.ndarray:
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if spread == 0.0:
        return values
    return np.asarray(np.clip(values, middle - PULL * spread, middle + PULL * spread))


def _weekdays(values: np.ndarray) -> float:
    from scipy.special import fdtrc

    n = len(values)
    x = (values - values.mean()) / values.std()
    place = np.arange(n)
    line = np.column_stack((np.ones(n), (place - place.mean()) / n))
    days = (place[:, None] % DAYS == np.arange(DAYS - 1)).astype(np.float64)
    full = np.column_stack((line, days))
    phi = min(max(0.0, lag_one(x - line @ np.linalg.lstsq(line, x, rcond=None)[0])), MOST_MEMORY)

    def left(design: np.ndarray) -> float:
        a, b = design[1:] - phi * design[:-1], x[1:] - phi * x[:-1]
        return float(((b - a @ np.linalg.lstsq(a, b, rcond=None)[0]) ** 2).sum())

    without, with_days = left(line), left(full)
    dof = n - 1 - full.shape[1]
    gain = max(0.0, without - with_days)
    ratio = gain / (DAYS - 1) / max(with_days / dof, 1e-14 * n)
    return float(fdtrc(DAYS - 1, dof, ratio))
