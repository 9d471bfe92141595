"""Measures of a forecast: sMAPE, MASE, MSIS, coverage, and the scale that MASE uses.

>>> mase([3.0, 5.0], [2.0, 4.0], scale=2.0)
0.5
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["coverage", "mase", "msis", "seasonal_naive_scale", "smape"]


def seasonal_naive_scale(train: ArrayLike, season: int = 1) -> float:
    """Give the mean absolute error of the seasonal naive forecast inside a training span.

    Parameters
    ----------
    train : array_like, shape (n_samples,)
        Training values in time order; NaN are left out.
    season : int
        Season in steps; 1 for none.

    Returns
    -------
    float
        0.0 when the span is not longer than the season.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006), "Another look at measures of forecast
    accuracy", International Journal of Forecasting 22(4).

    Examples
    --------
    >>> seasonal_naive_scale([1.0, 2.0, 4.0])
    1.5
    """
    values = np.asarray(train, dtype=np.float64)
    if len(values) <= season:
        return 0.0
    steps = np.abs(values[season:] - values[:-season])
    steps = steps[~np.isnan(steps)]
    return float(steps.mean()) if len(steps) else 0.0


def smape(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Give the symmetric mean absolute percentage error, 0 to 200.

    Parameters
    ----------
    actual, predicted : array_like, shape (horizon,)
        What came, and what was forecast.

    Returns
    -------
    float
        Percent; a step where both are zero counts as no error.

    Examples
    --------
    >>> round(smape([100.0], [110.0]), 4)
    9.5238
    """
    y, f = _pair(actual, predicted)
    size = np.abs(y) + np.abs(f)
    ratio = np.divide(np.abs(y - f), size, out=np.zeros_like(size), where=size > 0)
    return float(200.0 * ratio.mean()) if len(ratio) else 0.0


def mase(actual: ArrayLike, predicted: ArrayLike, *, scale: float) -> float:
    """Give the mean absolute error in units of the in-sample seasonal naive error.

    Parameters
    ----------
    actual, predicted : array_like, shape (horizon,)
        What came, and what was forecast.
    scale : float
        From :func:`seasonal_naive_scale` on the training span.

    Returns
    -------
    float
        Under 1 is better than seasonal naive was in training. With a scale of zero (a
        constant history) 0.0 for a perfect forecast and infinity for any other.

    Examples
    --------
    >>> mase([1.0, 1.0], [1.0, 3.0], scale=1.0)
    1.0
    """
    y, f = _pair(actual, predicted)
    return _in_scale(float(np.abs(y - f).mean()) if len(y) else 0.0, scale)


def msis(
    actual: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, scale: float, level: float = 0.95
) -> float:
    """Give the mean scaled interval score: width plus the price of each miss.

    Parameters
    ----------
    actual, lower, upper : array_like, shape (horizon,)
        What came, and the bounds that were forecast.
    scale : float
        From :func:`seasonal_naive_scale` on the training span.
    level : float
        Nominal coverage of the bounds.

    Returns
    -------
    float
        Lower is better.

    References
    ----------
    Gneiting, T. and Raftery, A. E. (2007), "Strictly proper scoring rules, prediction, and
    estimation", JASA 102(477); as used in the M4 competition (2018).

    Examples
    --------
    >>> msis([5.0], [0.0], [4.0], scale=1.0, level=0.95)
    44.0
    """
    y, lo = _pair(actual, lower)
    hi = np.asarray(upper, dtype=np.float64)
    hi = hi[~np.isnan(np.asarray(actual, dtype=np.float64))]
    price = 2.0 / (1.0 - level)
    price = round(price, 9)  # 2 / 0.05 exactly, not 39.99999999999997
    below, above = np.maximum(lo - y, 0.0), np.maximum(y - hi, 0.0)
    return _in_scale(float((hi - lo + price * (below + above)).mean()) if len(y) else 0.0, scale)


def coverage(actual: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Give the share of samples that fell inside their interval, bounds included.

    Parameters
    ----------
    actual, lower, upper : array_like, shape (horizon,)
        What came, and the bounds that were forecast.

    Returns
    -------
    float
        0 to 1.

    Examples
    --------
    >>> coverage([1.0, 2.0], [0.0, 0.0], [1.5, 1.5])
    0.5
    """
    y, lo = _pair(actual, lower)
    hi = np.asarray(upper, dtype=np.float64)
    hi = hi[~np.isnan(np.asarray(actual, dtype=np.float64))]
    return float(((y >= lo) & (y <= hi)).mean()) if len(y) else 1.0


def _pair(actual: ArrayLike, other: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    y = np.asarray(actual, dtype=np.float64)
    f = np.asarray(other, dtype=np.float64)
    known = ~np.isnan(y)
    return y[known], f[known]


def _in_scale(error: float, scale: float) -> float:
    if scale > 0:
        return error / scale
    return 0.0 if error == 0 else float("inf")
