"""Ridge autoregression on chosen lags, fitted at many origins for the price of one.

The weighted sums of products behind a fit at step ``t`` are running sums: one pass over
the series gives them at every origin, and the forecasts of all origins go ahead together.
"""

from __future__ import annotations

import numpy as np

from monitorlab.forecasting._numbers import fading_weights

__all__ = ["MAX_LOOP", "ahead", "fit_ridge", "lag_layout"]

MAX_LOOP = 1_000
"""Steps forecast one by one; what lies beyond repeats the last season."""


def lag_layout(kind: str, seasons: tuple[int, ...], limit: int) -> np.ndarray:
    """Choose lags around the seasons.

    Parameters
    ----------
    kind : {"slim", "even", "full", "short"}
        How many: ``slim`` a few about each season, ``even`` five about each and the
        multiples of the shorter, ``full`` all lags of one season too, ``short`` all lags of
        one season without the longer season.
    seasons : tuple of int
        Shorter first; may be empty.
    limit : int
        Longest lag allowed.

    Returns
    -------
    numpy.ndarray of int, increasing, at least one lag

    Examples
    --------
    >>> lag_layout("slim", (24, 168), 400).tolist()
    [1, 2, 3, 4, 23, 24, 25, 26, 48, 72, 167, 168, 169]
    """
    if not seasons:
        top = {"slim": 2, "even": 6, "full": 12, "short": 4}[kind]
        return np.arange(1, max(1, min(top, limit)) + 1)
    m = seasons[0]
    w = seasons[1] if len(seasons) > 1 else None
    one = range(1, min(m + 2, 26) + 1)
    lags: set[int] = set()
    if kind == "slim":
        lags.update(range(1, min(4, m) + 1), range(m - 1, m + 3), (2 * m, 3 * m))
        lags.update(() if w is None else (w - 1, w, w + 1))
    elif kind == "even":
        lags.update(range(1, min(3, m) + 1), range(m - 2, m + 3), range(2 * m - 1, 2 * m + 2))
        lags.update(k * m for k in (3, 4, 5, 6))
        lags.update(() if w is None else (*range(w - 2, w + 3), w + m))
    else:
        lags.update(one, range(m - 1, m + 3), range(2 * m - 1, 2 * m + 2))
        if kind == "full":
            lags.update((3 * m, 6 * m))
            lags.update(() if w is None else (w - 1, w, w + 1, w + m))
    kept = sorted(k for k in lags if 1 <= k <= limit)
    return np.array(kept or [1], dtype=np.intp)


def fit_ridge(
    values: np.ndarray,
    cuts: np.ndarray,
    lags: np.ndarray,
    *,
    shrink: float,
    half_life: float,
    prior: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fit the autoregression on ``values[:cut]`` for each cut.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Of size about one.
    cuts : numpy.ndarray of int, shape (n_cuts,)
        Increasing; lengths of training spans, each longer than the longest lag.
    lags : numpy.ndarray of int, shape (n_lags,)
        Increasing.
    shrink : float
        Ridge penalty in units of the mean variance of the lagged values.
    half_life : float
        Steps after which a sample counts half.
    prior : numpy.ndarray, shape (n_lags,)
        Coefficients that the penalty pulls towards.

    Returns
    -------
    coefficients : numpy.ndarray, shape (n_cuts, n_lags)
    intercepts : numpy.ndarray, shape (n_cuts,)

    Notes
    -----
    O(n p^2) for all cuts together and O(p^3) for each.
    """
    top, size = int(lags[-1]), len(lags)
    rows = np.arange(top, int(cuts[-1]))
    table = np.empty((len(rows), size + 2))
    table[:, :size] = values[rows[:, None] - lags]
    table[:, size] = 1.0
    table[:, size + 1] = values[rows] - table[:, :size] @ prior
    weighted = table * fading_weights(len(rows), half_life)[:, None]
    sums = np.zeros((size + 2, size + 2))
    gram = np.empty((len(cuts), size, size))
    right = np.empty((len(cuts), size))
    means = np.empty((len(cuts), size + 1))
    start = 0
    for i, cut in enumerate(cuts):
        stop = int(cut) - top
        sums = sums + weighted[start:stop].T @ table[start:stop]
        start = stop
        total = sums[size, size]
        mean = sums[size] / total
        gram[i] = sums[:size, :size] / total - np.outer(mean[:size], mean[:size])
        right[i] = sums[:size, size + 1] / total - mean[:size] * mean[size + 1]
        means[i, :size], means[i, size] = mean[:size], mean[size + 1]
    spread = np.trace(gram, axis1=1, axis2=2) / size
    penalty = shrink * np.maximum(spread, 0.0) + 1e-9
    gram[:, np.arange(size), np.arange(size)] += penalty[:, None]
    coefficients = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    intercepts = means[:, size] - np.einsum("ij,ij->i", coefficients, means[:, :size])
    return coefficients + prior, intercepts


def ahead(
    tails: np.ndarray,
    coefficients: np.ndarray,
    intercepts: np.ndarray,
    lags: np.ndarray,
    horizon: int,
    *,
    low: np.ndarray,
    high: np.ndarray,
    season: int,
) -> np.ndarray:
    """Run autoregressions ahead, several at once.

    Parameters
    ----------
    tails : numpy.ndarray, shape (n_cuts, longest_lag)
        Newest values of each training span.
    coefficients, intercepts : numpy.ndarray
        From :func:`fit_ridge`.
    lags : numpy.ndarray of int
        The same lags.
    horizon : int
        Steps ahead.
    low, high : numpy.ndarray, shape (n_cuts,)
        No forecast leaves these bounds, so that no fit can explode.
    season : int
        What repeats beyond ``MAX_LOOP`` steps; 1 holds the last value.

    Returns
    -------
    numpy.ndarray, shape (n_cuts, horizon)
    """
    count, top = tails.shape
    steps = min(horizon, MAX_LOOP)
    line = np.empty((count, top + steps))
    line[:, :top] = tails
    for i in range(top, top + steps):
        value = np.einsum("ij,ij->i", coefficients, line[:, i - lags]) + intercepts
        line[:, i] = np.minimum(np.maximum(value, low), high)
    out = line[:, top:]
    if horizon <= steps:
        return out
    period = min(season, steps)
    return out[:, np.concatenate((np.arange(steps), _repeat(steps, horizon, period)))]


def _repeat(steps: int, horizon: int, period: int) -> np.ndarray:
    return steps - period + np.arange(horizon - steps) % period
