"""A light season finder for regular values, in steps; numpy only.

>>> day = np.sin(np.arange(24 * 20) / 24 * 2 * np.pi)
>>> find_seasons(day)
(24,)
"""

from __future__ import annotations

import numpy as np

__all__ = ["find_seasons", "moving_average", "season_strength"]

_DAY = 86_400_000_000_000
_NATURAL = (60 * 10**9, 300 * 10**9, 600 * 10**9, 1_800 * 10**9, 3_600 * 10**9, _DAY, 7 * _DAY)
_NOISE_SIGMAS = 3.5
_FIRST = 0.2
_LONGER = 0.1
_NEAR = 0.7
_PEAKS = 8
_DAYS = 7
_ROUNDING = 1e-12


def find_seasons(values: np.ndarray, *, step: int = 0) -> tuple[int, ...]:
    """Find the season of regular values, and a longer one that is a multiple of it.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_steps,)
        Without NaN.
    step : int
        Nanoseconds between values; 0 where that is not known.

    Returns
    -------
    tuple of int
        None, one or two seasons in steps, the shorter first.

    Notes
    -----
    Candidates are the largest peaks of the periodogram and of the autocorrelation and, where
    the step is known, minute, hour, day and week. Each is judged by the autocorrelation at
    its lag of what a moving average of that length leaves: a drift or a random walk leaves
    nothing there. Of those that come within 70 % of the best, the shortest is the season.
    Its profile taken off, multiples of it are judged in the same way for the longer one.
    Two full seasons are the least; O(n log n).

    Examples
    --------
    >>> find_seasons(np.arange(100.0))
    ()
    """
    size = len(values)
    x = _tamed(values)
    if size < 2 * 2 or not np.ptp(x) > 0:
        return ()
    bar = max(_FIRST, _NOISE_SIGMAS / np.sqrt(size))
    judged = {k: season_strength(x, k) for k in _candidates(x, step)}
    good = {k: s for k, s in judged.items() if s >= bar}
    if not good:
        return ()
    best = max(good.values())
    first = _climbed(x, min(k for k, s in good.items() if s >= _NEAR * best))
    longer = _longer(x, first, step)
    return (first,) if longer is None else (first, longer)


def season_strength(values: np.ndarray, season: int) -> float:
    """Give the autocorrelation at a season of what a moving average of it leaves, -1 to 1."""
    if season < 2 or len(values) < 2 * season:  # noqa: PLR2004 - two values make no season
        return 0.0
    rest = values - moving_average(values, season)
    return _correlation(rest, season)


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Give the centred mean over one whole season; at the ends the nearest whole one."""
    size = len(values)
    if window < 2 or size <= window:  # noqa: PLR2004 - nothing to average
        return np.full(size, values.mean())
    total = np.concatenate(([0.0], np.cumsum(values)))
    means = (total[window:] - total[:-window]) / window
    if window % 2 == 0:  # the mean of both windows that an even length allows
        means = (means[1:] + means[:-1]) / 2
    before = (size - len(means)) // 2
    return np.concatenate(
        (np.full(before, means[0]), means, np.full(size - before - len(means), means[-1]))
    )


def _tamed(values: np.ndarray) -> np.ndarray:
    """Take the line off and pull single far values in, so that one spike rules nothing."""
    size = len(values)
    top = float(np.abs(values).max(initial=0.0))
    if top == 0 or size < 2:  # noqa: PLR2004 - a line needs two
        return np.zeros(size)
    x = values / top
    place = np.arange(size) - (size - 1) / 2
    x = x - x.mean() - place * (place @ (x - x.mean())) / (place @ place)
    middle = np.median(x)
    spread = np.median(np.abs(x - middle))
    if spread > 0:
        x = np.clip(x, middle - 8 * spread, middle + 8 * spread)
    x = x - x.mean()
    scale = float(np.sqrt(np.mean(x * x)))
    return x / scale if scale > 1e-9 else np.zeros(size)  # noqa: PLR2004 - rounding only


def _candidates(x: np.ndarray, step: int) -> list[int]:
    size = len(x)
    longest = size // 2
    padded = 1 << int(np.ceil(np.log2(2 * size)))
    spectrum = np.abs(np.fft.rfft(x, padded)) ** 2
    acf = np.fft.irfft(spectrum, padded)[: longest + 1]
    acf = acf / (size - np.arange(longest + 1)) * size / max(acf[0], 1e-300)
    found: set[int] = set()
    inner = acf[1:-1]
    peaks = 1 + np.flatnonzero((inner > acf[:-2]) & (inner >= acf[2:]))
    peaks = peaks[acf[peaks] > 0]
    found.update(int(k) for k in peaks[np.argsort(-acf[peaks], kind="stable")][:_PEAKS])
    if len(peaks):
        found.add(int(peaks[0]))
    power = np.abs(np.fft.rfft(np.diff(x))) ** 2  # of differences: a walk has no peak there
    power[: 2 if len(power) > 2 else 1] = 0.0  # noqa: PLR2004 - under two cycles
    top = np.argsort(-power, kind="stable")[:_PEAKS]
    found.update(int(round((size - 1) / k)) for k in top if power[k] > 0)
    if step:
        found.update(int(round(p / step)) for p in _NATURAL)
    return sorted(k for k in found if 2 <= k <= longest)  # noqa: PLR2004


def _climbed(x: np.ndarray, season: int) -> int:
    """Move to the best of the neighbours, for a periodogram only knows n / k."""
    reach = max(1, season // 20)
    nearby = range(max(2, season - reach), season + reach + 1, max(1, reach // 10))
    options = sorted({season, *nearby})
    return max(options, key=lambda k: (round(season_strength(x, k), 9), -abs(k - season)))


def _longer(x: np.ndarray, first: int, step: int) -> int | None:
    size = len(x)
    top = size // (2 * first)
    if top < 2:  # noqa: PLR2004 - no multiple fits twice
        return None
    # short of the longest window, so that the judged swing itself is left in
    phase = np.arange(size) % first
    level = moving_average(x, first)
    count = np.bincount(phase, minlength=first)
    profile = np.bincount(phase, weights=x - level, minlength=first) / count
    rest = x - profile[phase]
    judged = {k: season_strength(rest, k * first) for k in range(2, min(top, 60) + 1)}
    bar = max(_LONGER, _NOISE_SIGMAS / np.sqrt(size))
    weeks = _DAYS
    if step and abs(first * step - _DAY) > 0.01 * _DAY:
        weeks = int(round(_DAY / (first * step)))  # an hour within a day, a minute within an hour
    best = max(judged, key=lambda k: (judged[k], -k))
    if judged.get(weeks, 0.0) >= max(bar, _NEAR * judged[best]):
        return weeks * first
    if judged[best] < bar * 2:
        return None
    shortest = min(k for k, s in judged.items() if s >= 0.9 * judged[best])
    return shortest * first


def _correlation(x: np.ndarray, lag: int) -> float:
    left, right = x[:-lag], x[lag:]
    left, right = left - left.mean(), right - right.mean()
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size > _ROUNDING * len(left) else 0.0
