"""Cycle averages, their F test against red noise, and where periodograms peak (numpy).

All functions take an evenly spaced array with NaN where samples are missing and periods
counted in samples.

>>> cycle_test(np.tile([0.0, 1.0, 0.0, -1.0, 3.0, 1.0], 9), 6.0)[1]
9
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from monitorlab.seasonality.grid import fill_gaps, moving_mean
from monitorlab.seasonality.strays import running_median

__all__ = [
    "acf_peaks",
    "clipped",
    "cycle_matrix",
    "cycle_test",
    "explained",
    "is_flat",
    "periodogram_peaks",
    "season",
    "share",
    "standout",
    "whitened",
]

CLIP_MADS = 8.0
TEST_BINS = 64
HARMONIC_SETS = (3, 8, 24)
MIN_BINS_FOR_SLOPE = 6
MAX_MISSING = 0.4  # share of a cycle that may be missing


def clipped(values: np.ndarray) -> np.ndarray:
    """Pull lone extremes in, so that no spike makes or spoils a season.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN where missing.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Within the running median (25 samples) plus or minus the larger of eight robust
        deviations and the 98 % quantile of all deviations: what 2 % of samples or more
        do is no lone extreme.

    Examples
    --------
    >>> float(clipped(np.r_[np.tile([0.0, 1.0, 2.0], 20), 99.0]).max()) < 15
    True
    """
    filled = fill_gaps(values) if np.isfinite(values).any() else np.zeros(len(values))
    middle = running_median(filled)
    away = np.abs(filled - middle)
    mad = 1.4826 * float(np.median(away))
    if mad == 0.0:
        return np.array(values, dtype=np.float64)
    limit = max(CLIP_MADS * mad, float(np.quantile(away, 0.98)))
    pulled: np.ndarray = np.clip(values, middle - limit, middle + limit)
    return pulled


def is_flat(x: np.ndarray) -> bool:
    """Whether nothing but rounding is left.

    Examples
    --------
    >>> is_flat(np.full(9, 2.5))
    True
    """
    finite = x[np.isfinite(x)]
    scale = max(float(np.abs(finite).max()), 1e-300)
    return bool(np.ptp(finite) <= 1e-9 * scale)


def cycle_matrix(x: np.ndarray, period: float, max_bins: int) -> np.ndarray:
    """Average the samples of each phase bin of each whole cycle.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        NaN where missing.
    period : float
        In samples; need not be whole.
    max_bins : int
        Phase bins at the most.

    Returns
    -------
    numpy.ndarray, shape (n_cycles, n_bins)
        NaN where a bin holds no sample.

    Examples
    --------
    >>> cycle_matrix(np.arange(7.0), 3.0, 8).tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    cycles = int((len(x) + 1e-6) // period)
    bins = int(max(1, min(round(period), max_bins)))
    used = min(len(x), int(np.ceil(cycles * period - 1e-6)))
    phase = np.arange(used) / period
    row = np.minimum(np.floor(phase + 1e-9).astype(np.int64), max(cycles - 1, 0))
    col = np.clip(np.floor((phase - row) * bins + 1e-6).astype(np.int64), 0, bins - 1)
    flat = row * bins + col
    finite = np.isfinite(x[:used])
    counts = np.bincount(flat, weights=finite, minlength=cycles * bins)
    sums = np.bincount(flat, weights=np.where(finite, x[:used], 0.0), minlength=cycles * bins)
    out = np.full(cycles * bins, np.nan)
    np.divide(sums, counts, out=out, where=counts > 0)
    return out.reshape(cycles, bins)


def cycle_test(x: np.ndarray, period: float) -> tuple[float, int]:
    """Test whether the cycles of a period agree more than red noise would let them.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        NaN where missing.
    period : float
        In samples.

    Returns
    -------
    p_value : float
        Chance under noise of any spectrum; 1 where it cannot be told.
    cycles : int
        Whole cycles used.

    Notes
    -----
    See `find_periods`. Three sets of harmonics (3, 8, 24) are tried and paid for.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=240)
    >>> cycle_test(noise, 24.0)[0] > 0.001
    True
    """
    if period * 2 > len(x) + 1e-6 or period < 3:
        return 1.0, 0
    white = whitened(x)
    matrix = cycle_matrix(white, period, TEST_BINS)
    bins = matrix.shape[1]
    if bins < MIN_BINS_FOR_SLOPE:
        matrix = cycle_matrix(white - moving_mean(white, round(period)), period, TEST_BINS)
    matrix = matrix[np.isnan(matrix).mean(axis=1) <= MAX_MISSING]
    cycles = len(matrix)
    if cycles < 2:
        return 1.0, cycles
    for row in np.flatnonzero(np.isnan(matrix).any(axis=1)):
        matrix[row] = fill_gaps(matrix[row])
    matrix = matrix - matrix.mean(axis=1, keepdims=True)
    if bins >= MIN_BINS_FOR_SLOPE:
        ramp = np.arange(bins) - (bins - 1) / 2
        matrix = matrix - np.outer(matrix @ ramp / (ramp @ ramp), ramp)
    lines = np.fft.rfft(matrix, axis=1)[:, 1:]
    if bins % 2 == 0 and lines.shape[1] > 1:
        lines = lines[:, :-1]
    sizes = sorted({min(lines.shape[1], size) for size in HARMONIC_SETS})
    best = min(_pooled(lines[:, :size]) for size in sizes)
    return min(1.0, best * len(sizes)), cycles


def whitened(x: np.ndarray) -> np.ndarray:
    """Take out of each sample what the one before says of it.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        NaN where missing.

    Returns
    -------
    numpy.ndarray, shape (n,)
        ``x[t] - phi x[t-1]`` with the lag-one autocorrelation of x, 0 to 1: the steps of a
        random walk, white noise as it is. A season stays a season.

    Examples
    --------
    >>> whitened(np.arange(9.0)).round(3).tolist()[1:4]
    [1.0, 1.0, 1.0]
    """
    rows = np.flatnonzero(np.isfinite(x))
    out = np.full(len(x), np.nan)
    if len(rows) < 2:
        return out
    have = x[rows] - float(x[rows].mean())
    gaps = np.diff(rows)
    before, after = have[:-1], have[1:]
    near = gaps <= np.median(gaps)
    power = float(before[near] @ before[near])
    if power == 0.0:
        out[rows] = have
        return out
    phi = float(before[near] @ after[near]) / power
    phi = float(np.clip(phi + (1.0 + 3.0 * phi) / len(rows), 0.0, 1.0))
    phi = phi ** (1.0 / float(np.median(gaps)))
    steps = after - phi**gaps * before
    out[rows] = np.concatenate((steps[:1], steps))
    return out


def explained(x: np.ndarray, period: float) -> float:
    """Share of variance that the mean of the other cycles explains of each cycle.

    Examples
    --------
    >>> round(explained(np.tile([0.0, 1.0, 2.0], 5), 3.0), 6)
    1.0
    """
    matrix = cycle_matrix(x, period, 512)
    finite = np.isfinite(matrix)
    count = finite.sum(axis=0)
    total = np.where(finite, matrix, 0.0).sum(axis=0)
    others = np.full(matrix.shape, np.nan)
    np.divide(
        total - np.where(finite, matrix, 0.0), count - 1, out=others, where=finite & (count > 1)
    )
    use = np.isfinite(others) & finite
    if not bool(use.any()):
        return 0.0
    have = matrix[use]
    spread = float(((have - have.mean()) ** 2).sum())
    return 1.0 - float(((have - others[use]) ** 2).sum()) / spread if spread > 0 else 0.0


def season(x: np.ndarray, period: float) -> np.ndarray:
    """Repeat the mean cycle (of what a moving mean over one period leaves) over the series.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        NaN where missing.
    period : float
        In samples.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Mean zero over a cycle, finite everywhere.

    Examples
    --------
    >>> season(np.tile([1.0, 2.0, 3.0], 4), 3.0)[:3].tolist()
    [-1.0, 0.0, 1.0]
    """
    bins = int(max(2, min(round(period), len(x))))
    phase = np.arange(len(x)) / period
    col = np.floor((phase - np.floor(phase + 1e-9)) * bins + 1e-6).astype(np.int64)
    col = np.clip(col, 0, bins - 1)
    rest = x - moving_mean(x, max(2, round(period)))
    finite = np.isfinite(rest)
    counts = np.bincount(col, weights=finite, minlength=bins)
    sums = np.bincount(col, weights=np.where(finite, rest, 0.0), minlength=bins)
    shape = np.full(bins, np.nan)
    np.divide(sums, counts, out=shape, where=counts > 0)
    if not bool(np.isfinite(shape).any()):
        return np.zeros(len(x))
    shape = fill_gaps(shape)
    out: np.ndarray = (shape - shape.mean())[col]
    return out


def share(shape: np.ndarray, left: np.ndarray, window: int) -> float:
    """Share of the variance of season plus detrended remainder that is season.

    Examples
    --------
    >>> share(np.array([1.0, -1.0, 1.0, -1.0]), np.zeros(4), 2)
    1.0
    """
    rest = left - moving_mean(left, max(2, window))
    part, other = float(np.nanvar(shape)), float(np.nanvar(rest))
    return part / (part + other) if part + other > 0 else 0.0


def standout(x: np.ndarray, period: float, divisor: int) -> float:
    """How far the lines of ``period / divisor`` stand out in the spectrum of a mean cycle.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        NaN where missing.
    period : float
        The long period, in samples.
    divisor : int
        2 or more.

    Returns
    -------
    float
        Energy of the lines ``divisor``, 2 and 3 times it, over the mean energy of their
        neighbours; 0 when there are too few bins.

    Examples
    --------
    >>> day = np.array([0.0, 1.0, 4.0, 1.0])
    >>> week = np.concatenate([day] * 5 + [day * 0.5] * 2)
    >>> standout(np.tile(week, 6), 28.0, 7) > 3
    True
    """
    bins = int(min(round(period), 4_096))
    mean_cycle = cycle_matrix(x, period, bins)
    count = np.isfinite(mean_cycle).sum(axis=0)
    total = np.where(np.isfinite(mean_cycle), mean_cycle, 0.0).sum(axis=0)
    profile = np.full(bins, np.nan)
    np.divide(total, count, out=profile, where=count > 0)
    if bins < 2 * divisor or not bool(np.isfinite(profile).any()):
        return 0.0
    profile = fill_gaps(profile)
    profile = profile - profile.mean()
    energy = np.abs(np.fft.rfft(profile)) ** 2
    line = around = 0.0
    for multiple in (1, 2, 3):
        k = multiple * divisor
        sides = [s for s in (k - 1, k + 1) if 1 <= s < len(energy)]
        if k >= len(energy) or not sides:
            break
        line += float(energy[k])
        around += float(np.mean(energy[sides]))
    if line == 0.0:
        return 0.0
    return line / around if around > 1e-12 * line else np.inf


def periodogram_peaks(x: np.ndarray, count: int = 12) -> list[float]:
    """Periods at which the tapered periodogram stands highest above its background.

    Parameters
    ----------
    x : numpy.ndarray, shape (n,)
        Finite.
    count : int
        At most so many.

    Returns
    -------
    list of float
        Periods in samples, highest ratio first.

    Examples
    --------
    >>> round(periodogram_peaks(np.sin(np.arange(200) * 2 * np.pi / 20))[0])
    20
    """
    n = len(x)
    ramp = np.arange(n) - (n - 1) / 2
    flat = x - x.mean() - ramp * float(ramp @ x) / float(ramp @ ramp)
    power = np.abs(np.fft.rfft(flat * np.hanning(n))) ** 2
    first, last = 2, len(power) - 1
    if last - first < 6:
        return []
    level = np.log(np.maximum(power, max(1e-30 * float(power.max()), 1e-300)))
    edges = np.unique(np.geomspace(first, last + 1, 40).astype(int))
    centers, medians = [], []
    for a, b in pairwise(edges):
        low, high = max(first, min(a, (a + b) // 2 - 4)), min(last + 1, max(b, (a + b) // 2 + 5))
        centers.append(np.log(0.5 * (a + b)))
        medians.append(np.median(level[low:high]))
    bins = np.arange(first, last)
    ratio = level[first:last] - np.interp(np.log(bins), centers, medians)
    inner = level[first:last]
    is_peak = (inner >= level[first - 1 : last - 1]) & (inner > level[first + 1 : last + 1])
    peaks = bins[is_peak]
    order = peaks[np.argsort(-ratio[is_peak], kind="stable")][:count]
    out = []
    for k in order:
        left, mid, right = level[k - 1], level[k], level[k + 1]
        curve = left - 2 * mid + right
        shift = 0.5 * (left - right) / curve if curve < 0 else 0.0
        out.append(n / (k + float(np.clip(shift, -0.5, 0.5))))
    return out


def acf_peaks(x: np.ndarray, count: int = 6, least: float = 0.15) -> list[float]:
    """Lags at which the autocorrelation (after a straight line) has its highest peaks.

    Examples
    --------
    >>> acf_peaks(np.tile([0.0, 0.0, 0.0, 0.0, 9.0], 20))[0]
    5.0
    """
    n = len(x)
    ramp = np.arange(n) - (n - 1) / 2
    flat = x - x.mean() - ramp * float(ramp @ x) / float(ramp @ ramp)
    size = 1 << (2 * n - 1).bit_length()
    spread = np.fft.irfft(np.abs(np.fft.rfft(flat, size)) ** 2, size)[: n // 2]
    if len(spread) < 5 or spread[0] <= 0:
        return []
    acf = spread / spread[0] * n / (n - np.arange(len(spread)))
    lags = np.arange(3, len(acf) - 1)
    top = (acf[lags] >= acf[lags - 1]) & (acf[lags] > acf[lags + 1]) & (acf[lags] > least)
    peaks = lags[top]
    return [float(lag) for lag in peaks[np.argsort(-acf[peaks], kind="stable")][:count]]


def _pooled(lines: np.ndarray) -> float:
    """Chance that the mean harmonics over cycles are noise: an F ratio over harmonics."""
    from scipy.special import fdtrc

    cycles, harmonics = lines.shape
    mean = lines.mean(axis=0)
    signal = cycles * np.abs(mean) ** 2
    scatter = (np.abs(lines - mean) ** 2).sum(axis=0) / (cycles - 1)
    total = float(signal.sum() + scatter.sum())
    if total <= 0.0:
        return 1.0
    scatter = np.maximum(scatter, 1e-14 * total)
    weight = np.ones(harmonics)
    if harmonics >= 3:
        log_h = np.log(np.arange(1, harmonics + 1))
        log_h = log_h - log_h.mean()
        log_s = np.log(scatter)
        slope = float(log_h @ (log_s - log_s.mean()) / (log_h @ log_h))
        weight = np.exp(-slope * log_h)
    noise = weight * scatter
    dof = 2.0 * float(noise.sum()) ** 2 / float((noise**2).sum())
    ratio = float((weight * signal).sum()) / float(noise.sum())
    return float(fdtrc(dof, dof * (cycles - 1), ratio))
