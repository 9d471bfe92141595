"""Small numeric tools: quantiles of Student's t, a weighted median, weights that fade.

>>> round(student_quantile(0.975, 10), 3)
2.228
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

__all__ = [
    "fading_weights",
    "normal_quantile",
    "smoothed",
    "smoothing_reach",
    "student_quantile",
    "weighted_median",
]


def normal_quantile(p: float) -> float:
    """Give the quantile of the standard normal distribution."""
    return NormalDist().inv_cdf(p)


def student_quantile(p: float, dof: float) -> float:
    """Give the quantile of Student's t (Abramowitz and Stegun 26.7.5; exact for 1 and 2).

    The series errs by under 1 % for three degrees of freedom at 0.975 and less for more.
    """
    if dof < 2:
        return math.tan(math.pi * (p - 0.5))
    if dof < 3:
        return (2 * p - 1) / math.sqrt(2 * p * (1 - p))
    z = normal_quantile(p)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / dof + second / dof**2 + third / dof**3 + fourth / dof**4


def weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Give the weighted median over the first axis, interpolated between neighbours.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_models, ...)
        What the models say.
    weights : numpy.ndarray, shape broadcastable to ``values``
        Positive.

    Returns
    -------
    numpy.ndarray, shape (...)

    Notes
    -----
    Each value sits at the middle of its share of the weight; the median is read at one
    half by linear interpolation, so equal weights give the ordinary median.

    Examples
    --------
    >>> float(weighted_median(np.array([1.0, 2.0, 9.0]), np.ones(3)))
    2.0
    """
    if len(values) == 1:
        return np.asarray(values[0])
    order = np.argsort(values, axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, axis=0)
    share = np.take_along_axis(np.broadcast_to(weights, values.shape), order, axis=0)
    share = share / share.sum(axis=0)
    middle = np.cumsum(share, axis=0) - share / 2
    above = np.clip((middle < 0.5).sum(axis=0), 1, len(values) - 1)[None]
    low, high = (np.take_along_axis(ranked, above - d, axis=0)[0] for d in (1, 0))
    left, right = (np.take_along_axis(middle, above - d, axis=0)[0] for d in (1, 0))
    gap = right - left
    part = np.divide(0.5 - left, gap, out=np.zeros_like(gap), where=gap > 0)
    return np.asarray(low + np.clip(part, 0.0, 1.0) * (high - low))


def fading_weights(length: int, half_life: float) -> np.ndarray:
    """Give weights that halve every ``half_life`` steps back from the newest, which has 1."""
    return np.asarray(np.exp2((np.arange(length) - (length - 1)) / half_life))


def smoothed(values: np.ndarray, alpha: float) -> float:
    """Give the exponentially smoothed level at the end of a span."""
    weights = (1.0 - alpha) ** np.arange(len(values) - 1, -1, -1)
    return float(weights @ values / weights.sum())


def smoothing_reach(alpha: float) -> int:
    """Give how many values back a smoothed level looks, to one part in a million."""
    return int(np.ceil(np.log(1e-6) / np.log1p(-alpha))) if alpha < 1 else 1
