"""Single far samples that hide a season: found, and set aside for fitting only.

>>> wave = np.tile([1.0, 2.0, 3.0, 2.0], 20)
>>> despiked(wave) is None
True
"""

from __future__ import annotations

import numpy as np

from monitorlab.forecasting._season import season_strength

__all__ = ["despiked", "reveals"]

_WINDOW = 7
_USUAL = 0.8
_FAR = 6.0  # times what four in five stay below: eight standard deviations of normal noise
_MOST = 0.08
_GAIN = 0.15


def despiked(values: np.ndarray) -> np.ndarray | None:
    """Replace single far samples by the median of the seven about them.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Without NaN.

    Returns
    -------
    numpy.ndarray or None
        None where there are none, or more than 8 % (then they are how the series is).

    Notes
    -----
    Hampel's filter with one scale for the whole series. O(n).

    Examples
    --------
    >>> values = 10 + np.arange(40) % 3.0
    >>> values[7] = 500.0
    >>> float(despiked(values)[7])
    11.0
    """
    size = len(values)
    if size < 2 * _WINDOW:
        return None
    half = _WINDOW // 2
    padded = np.concatenate((values[half:0:-1], values, values[-2 : -half - 2 : -1]))
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW), axis=1)
    off = np.abs(values - middle)
    usual = float(np.quantile(off, _USUAL))
    far = off > _FAR * usual
    count = int(far.sum())
    if usual <= 0 or count == 0 or count > _MOST * size:
        return None
    return np.where(far, middle, values)


def reveals(
    cleaned: np.ndarray,
    seasons: tuple[int, ...],
    values: np.ndarray,
    before: tuple[int, ...],
) -> bool:
    """Say whether a series shows a clearly stronger season without its far samples.

    Parameters
    ----------
    cleaned : numpy.ndarray, shape (n,)
        The series without its far samples.
    seasons : tuple of int
        Seasons found in it.
    values : numpy.ndarray, shape (n,)
        The series as it is.
    before : tuple of int
        Seasons found there: far samples that repeat are a season themselves.

    Returns
    -------
    bool
    """
    if not seasons:
        return False
    size = float(np.abs(values).max()) or 1.0  # squares of huge and tiny values are numbers too
    known = season_strength(values / size, before[0]) if before else 0.0
    size = float(np.abs(cleaned).max()) or 1.0
    return season_strength(cleaned / size, seasons[0]) >= known + _GAIN
