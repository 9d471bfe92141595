"""Which periods does a series repeat with? Only those that beat red noise are named.

>>> index = pd.date_range("2026-01-01", periods=240, freq="1h", tz="UTC")
>>> find_periods(pd.Series(np.sin(np.arange(240) * np.pi / 12), index=index))
[Timedelta('1 days 00:00:00')]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitorlab.seasonality import spectrum
from monitorlab.seasonality.grid import (
    Grid,
    check_series,
    coarsen,
    fill_gaps,
    moving_mean,
    regular_grid,
)
from monitorlab.seasonality.strays import without_strays
from monitorlab.seasonality.week import DAYS, week_test

__all__ = ["find_periods", "find_periods_in_samples", "periods_table"]

SECOND = 1_000_000_000
ANCHORS_NS = tuple(s * SECOND for s in (60, 3_600, 86_400, 7 * 86_400, 31_557_600))
CALENDAR_NS = tuple(
    s * SECOND for s in (60, 300, 600, 900, 1_800, 3_600, 21_600, 43_200, 86_400, 604_800,
                         31_557_600)
)  # fmt: skip
SAMPLE_ANCHORS = (7.0, 12.0, 24.0, 52.0, 168.0)  # usual seasons of series without times
MAX_SLOTS = 16_384  # longer grids are averaged first; short periods get a pass of their own
ANCHOR_SHARE, CALENDAR_SHARE = 0.7, 0.1  # of alpha; the rest goes to free periods
MIN_CYCLES = 2.0
MIN_CYCLES_FREE = 3.0  # for a period that no calendar suggests
ANCHOR_STANDOUT = 3.0  # a day inside a week: its lines stand out among the week's
NEAR = 0.05  # of a multiple of a day: days that differ are no season of two days
FREE_STANDOUT = 20.0  # two peaks a day do not make a season of twelve hours
DIVIDES = 0.03  # of a cycle by which a part of a period may be off
PERIODS_COLUMNS = ("period", "strength", "p_value", "cycles")


@dataclass(frozen=True, slots=True)
class Found:
    """One period in samples, with its share of variance and chance of being noise."""

    period: float
    strength: float
    p_value: float
    cycles: float


def find_periods(
    series: pd.Series, *, max_periods: int = 4, alpha: float = 0.0015, min_strength: float = 0.02
) -> list[pd.Timedelta]:
    """Find the periods a series repeats with, strongest first.

    Parameters
    ----------
    series : pandas.Series, shape (n_samples,)
        Float values on an increasing tz-aware index; any spacing, NaN where missing.
    max_periods : int
        At most so many.
    alpha : float
        Chance of a false period in a whole series of (red) noise.
    min_strength : float
        A season that explains a smaller share of the variance left by the others is not
        named, however significant.

    Returns
    -------
    list of pandas.Timedelta
        Empty when nothing repeats, or the span is too short to tell.

    Raises
    ------
    InvalidSeriesError
        If the index is naive, unsorted, duplicated or no DatetimeIndex.

    See Also
    --------
    periods_table : the same with strength and p-value.

    Notes
    -----
    Candidates are calendar periods and the peaks of the tapered periodogram (against a
    running median in log frequency) and of the autocorrelation. A candidate is tested by
    its cycles: the series is whitened by its lag-one autocorrelation, each cycle loses its
    own mean and slope and is turned into harmonics; the mean of a harmonic over cycles is
    compared with its scatter *between* cycles (an F ratio pooled over harmonics whitened by
    a power law). Both carry the same noise spectrum, so random walks and autoregressions
    pass hardly more often than white noise. The chance ``alpha`` is shared out: 70 % among
    minute, hour, day, week and year, 10 % among other round times, 20 % among frequencies,
    long periods first. What explains most in left-out cycles is taken, its season removed,
    and the rest tested again. A divisor of a found period is kept only where its lines
    stand out from their neighbours. Beside a day, a week is tested by its days too, one by
    one (`monitorlab.seasonality.week`), at the level ``alpha``: four weeks of cycles alone
    would not do.

    Needs two whole cycles of a calendar period and three of any other. More than 16 384
    slots are averaged first; periods shorter than 16 averaged slots are looked for in the
    newest 16 384 slots. Cost O(n), about 50 ms for 1 000 samples.

    References
    ----------
    Hartley (1949), "Tests of significance in harmonic analysis"; Toller, Santos, Kern
    (2019), "SAZED: parameter-free domain-agnostic season length estimation".

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=720, freq="1h", tz="UTC")
    >>> noise = np.random.default_rng(2).normal(size=720)
    >>> find_periods(pd.Series(noise, index=index))
    []
    """
    return [
        pd.Timedelta(ns, unit="ns") for ns, _ in _search(series, max_periods, alpha, min_strength)
    ]


def periods_table(
    series: pd.Series, *, max_periods: int = 4, alpha: float = 0.0015, min_strength: float = 0.02
) -> pd.DataFrame:
    """Find the periods a series repeats with, and say how sure and how strong.

    Parameters
    ----------
    series, max_periods, alpha, min_strength
        As in `find_periods`.

    Returns
    -------
    pandas.DataFrame
        One row a period, strongest first: ``period`` (Timedelta), ``strength`` (share of
        the variance that the season explains beside what the other seasons leave, 0 to 1),
        ``p_value`` (before sharing out alpha) and ``cycles`` seen.

    Raises
    ------
    InvalidSeriesError
        As in `find_periods`.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=240, freq="1h", tz="UTC")
    >>> table = periods_table(pd.Series(np.sin(np.arange(240) * np.pi / 12), index=index))
    >>> table["cycles"].tolist()
    [10.0]
    """
    rows = [
        (pd.Timedelta(ns, unit="ns"), found.strength, found.p_value, found.cycles)
        for ns, found in _search(series, max_periods, alpha, min_strength)
    ]
    table = pd.DataFrame(rows, columns=list(PERIODS_COLUMNS))
    return table.astype({"period": "timedelta64[ns]"})


def find_periods_in_samples(
    values: np.ndarray,
    *,
    anchors: Sequence[float] = SAMPLE_ANCHORS,
    calendar: Sequence[float] = (),
    max_periods: int = 4,
    alpha: float = 0.0015,
    min_strength: float = 0.02,
) -> list[Found]:
    """Find periods of an evenly spaced array, counted in samples.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        NaN where missing.
    anchors : sequence of float
        Periods, in samples, that are natural here; each may stand beside its multiples.
    calendar : sequence of float
        Further periods worth a test of their own.
    max_periods, alpha, min_strength
        As in `find_periods`.

    Returns
    -------
    list of Found
        Strongest first.

    Examples
    --------
    >>> [f.period for f in find_periods_in_samples(np.tile([0.0, 1.0, 5.0, 2.0, 0.0, 1.0, 1.0], 9))]
    [7.0]
    """
    finite = np.isfinite(values)
    if int(finite.sum()) < 8 or float(np.ptp(values[finite])) == 0.0:
        return []
    # of size one, so that squares of tiny and huge values are numbers too
    x = spectrum.clipped(_sized(values, finite))
    known = _Known(tuple(anchors), tuple(sorted({*anchors, *calendar})), alpha)
    rest = x
    taken: list[float] = []
    for _ in range(max_periods + 2):
        period = _best(rest, known, taken, min_strength)
        if period is None:
            break
        taken.append(period)
        rest = rest - spectrum.season(rest, period)
        # what is far without a rhythm would hide the next season, and has bent this one
        rest = without_strays(rest)
        x = np.where(np.isfinite(rest), x, np.nan)
        rest = rest - spectrum.season(rest, period)
    return _settle(x, taken, known, min_strength)[:max_periods]


def _sized(values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    size = float(np.abs(values[finite]).max())
    x = np.where(finite, values, 0.0) / size
    x = x - float(x[finite].mean())
    spread = float(np.abs(x[finite]).max())
    return np.where(finite, x / spread if spread > 0.0 else x, np.nan)


@dataclass(frozen=True, slots=True)
class _Known:
    """Natural periods in samples, and how the error probability is shared out."""

    anchors: tuple[float, ...]
    calendar: tuple[float, ...]
    alpha: float

    def level(self, period: float, cycles: float) -> float:
        """Give the level at which a candidate is significant."""
        others = len(self.calendar) - len(self.anchors)
        if self.is_anchor(period):
            return ANCHOR_SHARE * self.alpha / len(self.anchors)
        if self.is_calendar(period):
            return CALENDAR_SHARE * self.alpha / others
        free = 1.0 - ANCHOR_SHARE - CALENDAR_SHARE
        return float(free * self.alpha / (cycles * (1.0 + np.log(cycles)) ** 2))

    def is_calendar(self, period: float) -> bool:
        return any(abs(period - c) <= 1e-6 * c for c in self.calendar)

    def is_anchor(self, period: float) -> bool:
        return any(abs(period - a) <= 1e-6 * a for a in self.anchors)

    def snapped(self, period: float, n: int) -> float:
        """Give the calendar period that the data cannot tell from this one, else itself."""
        for c in self.calendar:
            if c * MIN_CYCLES <= n and abs(n / period - n / c) <= 0.5:
                return c
        near = round(period)
        return float(near) if abs(n / period - n / near) <= 0.25 else period


def _search(
    series: pd.Series, max_periods: int, alpha: float, min_strength: float
) -> list[tuple[int, Found]]:
    _, values = check_series(series, "find_periods")
    if len(values) < 8:
        return []
    grid = regular_grid(series, what="find_periods")
    factor = -(-len(grid.values) // MAX_SLOTS)
    coarse = coarsen(grid, factor)
    found = _on_grid(coarse, max_periods, alpha, min_strength)
    if factor > 1:
        newest = Grid(grid.values[-MAX_SLOTS:], 0, grid.step_ns, resampled=False)
        limit = 16 * coarse.step_ns
        short = [f for f in _on_grid(newest, max_periods, alpha, min_strength) if f[0] < limit]
        known = {ns for ns, _ in found}
        found = [*found, *(f for f in short if all(abs(f[0] - k) > 0.02 * k for k in known))]
        found.sort(key=lambda f: -f[1].strength)
    return found[:max_periods]


def _on_grid(
    grid: Grid, max_periods: int, alpha: float, min_strength: float
) -> list[tuple[int, Found]]:
    n, step = len(grid.values), grid.step_ns

    def usable(periods: Sequence[int]) -> list[float]:
        return [p / step for p in periods if 3 * step <= p and p * MIN_CYCLES <= n * step]

    found = find_periods_in_samples(
        grid.values, anchors=usable(ANCHORS_NS), calendar=usable(CALENDAR_NS),
        max_periods=max_periods, alpha=alpha, min_strength=min_strength,
    )  # fmt: skip
    exact = {p / step: p for p in CALENDAR_NS}
    return [(exact.get(f.period, round(f.period * step)), f) for f in found]


def _best(
    x: np.ndarray, known: _Known, taken: Sequence[float], min_strength: float
) -> float | None:
    """Give the one period that explains most of what is left, or None."""
    n = len(x)
    if spectrum.is_flat(x):
        return None
    significant = []
    for period in _candidates(x, known, taken):
        p_value, bar, cycles = _tested(x, period, known, taken)
        if p_value <= bar and cycles >= MIN_CYCLES:
            significant.append(period)
    if not significant:
        return None
    level = moving_mean(x, min(n, round(max(significant))))
    scores = {p: spectrum.explained(x - level, p) for p in significant}
    top = max(scores.values())
    # the mean of a few weeks is noisy itself: that is no want of strength
    least = (1.0 - (1.0 - s) * (1.0 - p / n) for p, s in scores.items() if known.is_anchor(p))
    if max(top, *least, 0.0) < min_strength:
        return None
    best = min(p for p, s in scores.items() if s >= top - max(0.01, 0.03 * top))
    if known.is_calendar(best):
        return best
    # a third of a week is the week, where that is sure too
    natural = [p for p in significant if known.is_anchor(p) and _divides(best, p)]
    return min(natural, default=best)


def _tested(
    x: np.ndarray, period: float, known: _Known, taken: Sequence[float]
) -> tuple[float, float, int]:
    """Give the chance of a period, the level it has to meet, and its cycles."""
    p_value, cycles = spectrum.cycle_test(x, period)
    level = known.level(period, len(x) / period)
    day = next((t for t in taken if abs(DAYS * t - period) <= 1e-6 * period), None)
    if day is None or p_value <= level or not known.is_anchor(period):
        return p_value, level, cycles
    return week_test(x, day), known.alpha, cycles


def _candidates(x: np.ndarray, known: _Known, taken: Sequence[float]) -> list[float]:
    n = len(x)
    filled = fill_gaps(x)
    peaks = spectrum.periodogram_peaks(filled)
    free = [*peaks, *(m * p for p in peaks[:4] for m in (2, 3)), *spectrum.acf_peaks(filled)]
    out = {c for c in known.calendar if c * MIN_CYCLES <= n}
    for period in free:
        snapped = known.snapped(period, n)
        if known.is_calendar(snapped) or (
            3 <= snapped <= n / MIN_CYCLES_FREE
            and not _is_harmonic(snapped, taken, n)
            and not _is_several(snapped, known, taken)
        ):
            out.add(snapped)
    return sorted(out)


def _is_harmonic(period: float, taken: Sequence[float], n: int) -> bool:
    """Whether a frequency cannot be told from a line of a season found before."""
    for other in taken:
        if abs(period / other - 1.0) <= 0.12:
            return True
        if other > period:
            lines = other / period
            if abs(lines - round(lines)) * n / other <= 0.75:
                return True
    return False


def _is_several(period: float, known: _Known, taken: Sequence[float]) -> bool:
    """Whether a period no calendar knows is about two, three, four found natural ones."""
    for other in taken:
        times = round(period / other)
        if known.is_anchor(other) and times > 1 and abs(period / other - times) <= NEAR * times:
            return True
    return False


def _settle(
    x: np.ndarray, taken: Sequence[float], known: _Known, min_strength: float
) -> list[Found]:
    """Keep real divisors, drop harmonics, and test each season beside all others."""
    n = len(x)
    pool = set(taken)
    for anchor in known.anchors:
        for period in taken:
            if _divides(anchor, period):
                pool.add(anchor)
    kept = []
    for period in sorted(pool):
        multiples = [p for p in taken if _divides(period, p)]
        limit = ANCHOR_STANDOUT if known.is_anchor(period) else FREE_STANDOUT
        if all(spectrum.standout(x, p, round(p / period)) >= limit for p in multiples):
            kept.append(period)
    found: list[tuple[float, float, np.ndarray]] = []
    rest = x
    for period in kept:
        p_value, level, _ = _tested(rest, period, known, [f[0] for f in found])
        if p_value <= level:
            shape = spectrum.season(rest, period)
            found.append((period, p_value, shape))
            rest = rest - shape
    if not found:
        return []
    window = round(max(kept))
    out = [
        Found(period, spectrum.share(shape, rest, window), p_value, n / period)
        for period, p_value, shape in found
    ]
    strong = [f for f in out if f.strength >= min_strength]
    return sorted(strong, key=lambda f: -f.strength)


def _divides(short: float, long: float) -> bool:
    ratio = long / short
    return ratio > 1.5 and abs(ratio - round(ratio)) < DIVIDES
