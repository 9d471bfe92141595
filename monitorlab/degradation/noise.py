"""How well changes explain a series when its noise remembers its past (numpy).

>>> white = np.random.default_rng(0).normal(size=300)
>>> persistence(white) < -100
True
"""

from __future__ import annotations

import numpy as np

__all__ = ["autoregression", "persistence", "without_outliers"]

MAX_ORDER = 6


def autoregression(residual: np.ndarray, max_order: int = MAX_ORDER) -> tuple[float, int]:
    """Log size of the innovations of the best autoregression of a residual.

    Parameters
    ----------
    residual : numpy.ndarray, shape (n,)
        What a fit left, mean zero.
    max_order : int
        Orders 0 to this are tried on the same samples.

    Returns
    -------
    criterion : float
        ``2 n log(mean absolute innovation) + order log(n)`` for the best order: minus
        twice the log likelihood of Laplace noise, so that a few large innovations (jobs
        that start, caches that empty) do not ask to be explained by changes.
    order : int
        That order.

    Examples
    --------
    >>> autoregression(np.random.default_rng(0).normal(size=200))[1]
    0
    """
    n = len(residual)
    top = max(0, min(max_order, n // 10))
    target = residual[top:]
    count = len(target)
    floor = 1e-12 * float(np.abs(residual).max()) + 1e-12

    def size(innovations: np.ndarray) -> float:
        return 2.0 * count * float(np.log(max(float(np.abs(innovations).mean()), floor)))

    best, best_order = size(target), 0
    if top == 0:
        return best, 0
    lags = np.stack([residual[top - k : n - k] for k in range(1, top + 1)])
    gram, cross = lags @ lags.T, lags @ target
    ridge = (1e-10 * float(np.trace(gram)) / top + 1e-300) * np.eye(top)
    for order in range(1, top + 1):
        weights = np.linalg.solve((gram + ridge)[:order, :order], cross[:order])
        value = size(target - weights @ lags[:order]) + order * float(np.log(count))
        if value < best:
            best, best_order = value, order
    return best, best_order


def persistence(residual: np.ndarray, lags: int = 3) -> float:
    """Coefficient of the augmented Dickey-Fuller regression, ``n (rho - 1)``.

    Parameters
    ----------
    residual : numpy.ndarray, shape (n,)
        A series of about unit variance less its straight line or its regimes.
    lags : int
        Lagged differences beside the level.

    Returns
    -------
    float
        Near 0 for a series that wanders (random walk), far below for one that returns to
        its line; minus the number of memory times that the series spans.

    References
    ----------
    Said and Dickey (1984), "Testing for unit roots in ARMA models of unknown order".

    Examples
    --------
    >>> persistence(np.cumsum(np.random.default_rng(0).normal(size=300))) > -20
    True
    """
    n = len(residual)
    if float(residual @ residual) <= 1e-12 * n:  # an exact fit leaves nothing to wander
        return -float(n)
    lags = max(0, min(lags, n // 10 - 1))
    step = np.diff(residual)
    target = step[lags:]
    columns = [residual[lags:-1], *(step[lags - k : len(step) - k] for k in range(1, lags + 1))]
    design = np.column_stack(columns)
    weights, *_ = np.linalg.lstsq(design, target, rcond=None)
    memory = 1.0 - float(weights[1:].sum())
    return float(n * weights[0] / max(memory, 0.05))


def without_outliers(y: np.ndarray, reach: int = 3, limit: float = 4.0) -> np.ndarray:
    """Replace lone extremes by the median round them (Hampel's filter).

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite.
    reach : int
        Samples to each side.
    limit : float
        Robust deviations from the running median that a sample may be off.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Notes
    -----
    One scale for the whole series, so flat stretches are not thinned. Cost O(n).

    Examples
    --------
    >>> without_outliers(np.array([0.0, 1.0, 0.0, 99.0, 1.0, 0.0, 1.0, 0.0])).max()
    np.float64(1.0)
    """
    width = 2 * reach + 1
    if len(y) < width:
        return np.array(y)
    padded = np.concatenate((y[reach:0:-1], y, y[-2 : -reach - 2 : -1]))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    middle = np.median(windows, axis=1)
    away = np.abs(y - middle)
    scale = 1.4826 * float(np.median(away))
    if scale == 0.0:
        scale = 1.2533 * float(away.mean())
    return np.where(away > limit * scale, middle, y)
