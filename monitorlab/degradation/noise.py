"""How well changes explain a series when its noise remembers its past (numpy).

>>> white = np.random.default_rng(0).normal(size=300)
>>> persistence(white) < -100
True
"""

from __future__ import annotations

import numpy as np

__all__ = ["autoregression", "least_noise", "persistence", "without_outliers"]

MAX_ORDER = 6
LEAST_NOISE = 0.1  # of the deviation of the series: an innovation is never sharper
LARGE, MANY = 0.5, 10  # steps of so many deviations, and how many make a habit


def autoregression(
    residual: np.ndarray, max_order: int = MAX_ORDER, *, least: float = LEAST_NOISE
) -> tuple[float, int]:
    """Log size of the innovations of the best autoregression of a residual.

    Parameters
    ----------
    residual : numpy.ndarray, shape (n,)
        What a fit left of a series of unit variance.
    max_order : int
        Orders 0 to this are tried on the same samples.
    least : float
        Innovations are never taken to be sharper, see `least_noise`.

    Returns
    -------
    criterion : float
        Minus twice the log likelihood of the innovations, in units of the series, plus
        ``order log(n)``, for the best order: of Laplace or of Cauchy noise, whichever
        fits, so that a few large innovations (jobs that start, caches that empty) do not
        ask to be explained by changes.
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

    best, best_order, left = size(target), 0, target
    if top == 0:
        return _likelihood(left, least), 0
    lags = np.stack([residual[top - k : n - k] for k in range(1, top + 1)])
    gram, cross = lags @ lags.T, lags @ target
    ridge = (1e-10 * float(np.trace(gram)) / top + 1e-300) * np.eye(top)
    for order in range(1, top + 1):
        weights = np.linalg.solve((gram + ridge)[:order, :order], cross[:order])
        innovations = target - weights @ lags[:order]
        value = size(innovations) + order * float(np.log(count))
        if value < best:
            best, best_order, left = value, order, innovations
    return _likelihood(left, least) + best_order * float(np.log(count)), best_order


def least_noise(y: np.ndarray) -> float:
    """Say how small noise may be taken to be, in deviations of a series.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Of unit variance.

    Returns
    -------
    float
        A tenth where ten steps or more are larger than half a deviation: what holds still
        between many jumps (counts, states) would else make every jump a change, whatever it
        costs. Less by the square where there are fewer.

    Examples
    --------
    >>> least_noise(np.tile([-1.0, 1.0], 30)), round(least_noise(np.repeat([-1.0, 1.0], 30)), 3)
    (0.1, 0.001)
    """
    jumps = int((np.abs(np.diff(y)) > LARGE).sum())
    return LEAST_NOISE * max(1, min(jumps, MANY)) ** 2 / MANY**2


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


def _likelihood(innovations: np.ndarray, least: float) -> float:
    """Minus twice the log likelihood of Laplace or Cauchy noise, the better of the two."""
    n, away = len(innovations), np.abs(innovations)
    laplace = 2.0 * n * (float(np.log(2.0 * max(float(away.mean()), least))) + 1.0)
    power = innovations * innovations
    scale = max(1.4826 * float(np.median(away)), least)
    for _ in range(6):
        scale = max(float(np.sqrt(np.mean(2.0 * power / (1.0 + power / scale**2)))), least)
    cauchy = 2.0 * float(n * np.log(np.pi * scale) + np.log1p(power / scale**2).sum())
    return min(laplace, cauchy)
