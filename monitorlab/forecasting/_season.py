"""A light season finder for regular values, in steps; numpy only.

>>> day = np.sin(np.arange(24 * 20) / 24 * 2 * np.pi)
>>> find_seasons(day)
(24,)
"""

from __future__ import annotations

import numpy as np

__all__ = ["find_seasons", "moving_average", "season_strength", "week_of"]

_DAY = 86_400_000_000_000
_YEAR = 31_557_600 * 10**9
_NATURAL = (
    60 * 10**9,
    300 * 10**9,
    600 * 10**9,
    1_800 * 10**9,
    3_600 * 10**9,
    _DAY,
    7 * _DAY,
    _YEAR,
)
_NOISE_SIGMAS = 4.0
_SHORTEST = 0.2  # what an average of two itself puts at lag two
_FIRST = 0.2
_LONGER = 0.1
_NEAR = 0.7
_HALF = 0.5
_SURE = 0.5
_KNOWN = 0.55  # what 99 of 100 random walks do not reach at a day, three days long or more
_OFF = 0.02
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
    the step is known, minute, hour, day, week and year. Each is judged by the autocorrelation at
    its lag of what a moving average of that length leaves: a drift or a random walk leaves
    nothing there. The season is the best of them, or the shortest whole part of it that
    comes within 70 %. Its profile taken off, multiples of it are judged in the same way for
    the longer one; seven of them (or a day, for shorter seasons) need half as much.
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
    judged = {k: season_strength(x, k) for k in _candidates(x, step)}
    ranked = sorted((k for k in judged if judged[k] >= _FIRST), key=lambda k: (-judged[k], k))
    natural = {round(p / step) for p in _NATURAL if step and 3 * p <= step * size}
    most = {k: _KNOWN if k in natural else 1.0 for k in ranked}
    best = next((k for k in ranked if judged[k] >= min(_bar(x, k), most[k])), None)
    if best is None:
        return ()
    known = [k for k in ranked if k in natural and judged[k] >= min(_bar(x, k), most[k])]
    known = [k for k in known if judged[k] >= _NEAR * judged[best]]
    first = _shortest(x, min(known) if known else _climbed(x, best))
    longer = _longer(x, first, step)
    return (first,) if longer is None else (first, longer)


def season_strength(values: np.ndarray, season: int) -> float:
    """Give the autocorrelation at a season of what a moving average of it leaves, -1 to 1."""
    if season < 2 or len(values) < 2 * season:
        return 0.0
    rest = values - moving_average(values, season)
    return _correlation(rest, season)


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Give the centred mean over one whole season; at the ends the nearest whole one."""
    size = len(values)
    if window < 2 or size <= window:
        return np.full(size, values.mean())
    total = np.empty(size + 1)
    total[0] = 0.0
    np.cumsum(values, out=total[1:])
    means = (total[window:] - total[:-window]) / window
    if window % 2 == 0:  # the mean of both windows that an even length allows
        means = (means[1:] + means[:-1]) / 2
    before = (size - len(means)) // 2
    out = np.empty(size)
    out[:before] = means[0]
    out[before : before + len(means)] = means
    out[before + len(means) :] = means[-1]
    return out


def _bar(values: np.ndarray, season: int) -> float:
    """Give the strength that chance does not reach, autocorrelated noise in mind."""
    rest = values - moving_average(values, season)
    size = len(rest)
    power = float(rest @ rest)
    if power <= _ROUNDING * size:
        return 1.0
    alike = 0.0
    for lag in range(1, max(2, season // 2)):
        r = float(rest[lag:] @ rest[:-lag]) / power
        if r <= 0:
            break
        alike += r * r
    least = _FIRST + (_SHORTEST if season == 2 else 0.0)
    return max(least, _NOISE_SIGMAS * float(np.sqrt((1 + 2 * alike) / (size - season))))


def _tamed(values: np.ndarray) -> np.ndarray:
    """Take the line off and pull single far values in, so that one spike rules nothing."""
    size = len(values)
    top = float(np.abs(values).max(initial=0.0))
    if top == 0 or size < 2:
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
    return x / scale if scale > 1e-9 else np.zeros(size)


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
    power[: 2 if len(power) > 2 else 1] = 0.0
    top = np.argsort(-power, kind="stable")[:_PEAKS]
    found.update(round((size - 1) / k) for k in top if power[k] > 0)
    if step:
        found.update(round(p / step) for p in _NATURAL)
    return sorted(k for k in found if 2 <= k <= longest)


def _climbed(x: np.ndarray, season: int) -> int:
    """Move to the best of the neighbours, for a periodogram only knows n / k."""
    reach = max(1, season // 20)
    nearby = range(max(2, season - reach), season + reach + 1, max(1, reach // 10))
    options = sorted({season, *nearby})
    return int(max(options, key=lambda k: (round(season_strength(x, k), 9), -abs(k - season))))


def week_of(season: int, step: int) -> int:
    """Say how many seasons the natural longer one has: a week of days, a day of hours."""
    length = season * step
    if step and length < 0.99 * _DAY:
        return max(2, round(_DAY / length))
    return _DAYS


def _shortest(x: np.ndarray, season: int) -> int:
    """Go from a season to the shortest whole part of it that repeats nearly as well."""
    strength = season_strength(x, season)
    for parts in range(min(season // 2, 60), 1, -1):
        middle = season / parts
        near = {int(middle), int(middle) + 1} - {0, 1}
        fitting = sorted(k for k in near if abs(k * parts - season) <= _OFF * season)
        if not fitting:
            continue
        part = max(fitting, key=lambda k: season_strength(x, k))
        own = season_strength(x, part)
        beside = max(season_strength(x, part - 1), season_strength(x, part + 1))
        if own >= max(_bar(x, part), _NEAR * strength) and own > beside:
            return part
    return season


def _longer(x: np.ndarray, first: int, step: int) -> int | None:
    size = len(x)
    top = size // (2 * first)
    if top < 2:
        return None
    # short of the longest window, so that the judged swing itself is left in
    phase = np.arange(size) % first
    level = moving_average(x, first)
    count = np.bincount(phase, minlength=first)
    profile = np.bincount(phase, weights=x - level, minlength=first) / count
    rest = x - profile[phase]
    judged = {k: season_strength(rest, k * first) for k in range(2, min(top, 60) + 1)}
    weeks = week_of(first, step)
    best = max(judged, key=lambda k: (judged[k], -k))
    bar = max(_LONGER, _NOISE_SIGMAS / np.sqrt(size), _HALF * judged[best])
    if judged.get(weeks, 0.0) >= bar:
        return weeks * first
    sure = judged[best] >= max(_SURE, _bar(rest, best * first)) and size >= 3 * best * first
    return best * first if sure else None


def _correlation(x: np.ndarray, lag: int) -> float:
    top = float(np.abs(x).max())
    if top > 1e70 or 0 < top < 1e-70:  # squares of squares leave the numbers
        x = x / top
    left, right = x[:-lag], x[lag:]
    left, right = left - left.mean(), right - right.mean()
    size = float(np.sqrt((left @ left) * (right @ right)))
    return float(left @ right) / size if size > _ROUNDING * len(left) else 0.0
