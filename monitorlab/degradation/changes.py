"""Where does a series change for good? Seasons, trend and red noise do not count.

>>> rng = np.random.default_rng(0)
>>> changepoints(np.concatenate((rng.normal(0, 1, 120), rng.normal(3, 1, 80))))
[120]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monitorlab.degradation.jumps import jumps
from monitorlab.degradation.lasting import lasting
from monitorlab.degradation.noise import (
    autoregression,
    least_noise,
    persistence,
    without_outliers,
)
from monitorlab.degradation.segments import Shape, continued, fitted, partitions, refine
from monitorlab.errors import InvalidSeriesError
from monitorlab.seasonality.adjust import remove_seasons
from monitorlab.seasonality.periods import SAMPLE_ANCHORS, find_periods_in_samples
from monitorlab.seasonality.spectrum import clipped, season

__all__ = ["Segmentation", "changepoints", "segment"]

MAX_POINTS = 1_000  # longer series are cut into block means, changes then moved to the sample
MIN_SAMPLES = 12
SHAPES: tuple[Shape, ...] = ("level", "line")
MIN_SIZE = {"level": 5, "line": 8}
PRICE = {"level": (7.0, 2.2), "line": (13.0, 2.0)}  # a + b log(n) for one change
WANDERS = -11.0  # persistence above which a series has no level to return to
STANDS = -40.0  # the same a piece, below which straight pieces are more than a walk cut up
LEAST_MEMORY = 0.055  # the same a sample: memory of under 18 samples is noise, not a course
MATERIAL = 1.0  # times log(n) / n of the variance that a bend of a wandering series explains
LEAST_STEP = 2.5  # deviations from the lines that a step between them stands out by
STEP_REACH, STEP_LIMIT = 0.03, 6.0  # share of the series, robust deviations of its steps
STANDS_OUT = 0.01  # chance that a walk has as large a step anywhere
BROKEN = -25.0  # persistence a piece, below which a line that breaks is more likely than a walk
LADDER = 12  # penalties tried
LARGEST = 1e150


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Changes of one array, and what they were told from.

    Parameters
    ----------
    points : tuple of int
        First sample of each new regime, counted in the array as given.
    shape : {"level", "line"}
        What holds between changes.
    wanders : bool
        Whether the series has no level to return to (as a random walk): changes are then
        the large bends of its course, where a step stands out or they explain its wandering.
    p_values : tuple of float
        One a change: chance of as good a change in noise with the same memory; for a series
        that wanders, of as large a step among steps with tails as heavy.
    fit : numpy.ndarray, shape (n,)
        Level or line of each regime, with the season; NaN where a sample is missing.
    seasonal : numpy.ndarray, shape (n,)
        Season taken out first.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.degradation import segment
    >>> cut = segment(np.repeat([1.0, 3.0], 60))
    >>> cut.points, cut.shape, cut.fit[[59, 60]].round(6).tolist()
    ((60,), 'level', [1.0, 3.0])
    """

    points: tuple[int, ...]
    shape: Shape
    wanders: bool
    p_values: tuple[float, ...]
    fit: np.ndarray
    seasonal: np.ndarray


def changepoints(series: pd.Series | np.ndarray | Sequence[float]) -> list[int]:
    """Find the first sample of each new regime.

    Parameters
    ----------
    series : pandas.Series or array, shape (n_samples,)
        In time order; NaN where missing.

    Returns
    -------
    list of int
        Rising positions, none of them 0; empty when nothing changes or there are fewer
        than 12 finite samples.

    Raises
    ------
    InvalidSeriesError
        If there is more than one dimension, values are no real numbers or beyond 1e150, or
        the ``DatetimeIndex`` of a Series is unsorted, or has uneven steps and no time zone.

    See Also
    --------
    segment : the same with what was fitted and how sure each change is.

    Notes
    -----
    1. Seasons found by `monitorlab.seasonality.find_periods` and lone outliers are taken
       out. More than 1 000 samples are averaged into blocks (a regime shorter than 5
       blocks is not seen), and changes moved to the sample afterwards.
    2. Optimal partitions into levels and into straight lines are made for a ladder of
       penalties. Each is scored by the innovations of an autoregression of what it leaves
       plus a price for each change, so memory in the noise is never paid with changes
       (the idea of the gappy Schwarz criterion). The best score wins; then changes that
       do not earn their price are taken back one by one.
    3. Spells that come back, ends of under ten samples, and jumping to and fro are no change
       for good. Changes left have to be significant against the long-run variance of the noise,
       and together against noise with a long memory, whose averages shrink slowly with their
       length (`monitorlab.degradation.lasting`).
    4. A series that wanders (it spans fewer than 11 times its own memory, of 18 samples or
       more, so no level to return to can be known) is cut into straight lines instead, where
       a bend explains a material share of the whole variance, is a step of 2.5 deviations or
       more, and is moved to a step near it that clearly stands out. Bends of a walk come by
       chance, so nothing is returned unless one of them is a step (of up to 4 samples) such as
       1 in 100 walks with normal steps has anywhere (`monitorlab.degradation.jumps`), or what
       the lines leave returns to them (in the sense of Zivot and Andrews: 25 memory times a
       line or more, as some 2 in 100 walks cut up do); the p-values are those of the steps, for
       tails as heavy as seen. Pieces that leave next to no
       memory (a leak that begins) are none of that: they are tested like any other change.

    Of a hundred series each, with 100, 300 and 1 000 samples, none of white noise and of
    autoregressive noise up to 0.97 shows a change, but one of AR(0.9) with 100; of random walks
    1 in 100 (up to 4 in other draws, none of them significant), of noise with a long memory
    (Hurst exponent 0.7 to 0.9) up to 2, of its exponential up to 3, of noise that comes in bursts
    up to 2; and 9 to 54 of walks whose steps have tails so heavy that some stand out, of them up
    to 3 significant. Of 136 recorded metrics, their samples or blocks of five in a random order so
    that nothing changes for good, none shows one (``benchmarks/false_changes.py``). The price: of
    steps of one deviation in 100 samples of white noise hardly any is told, of two deviations 7
    in 10; with autocorrelation 0.5 of 300 samples two deviations in 4 of 10. Not good at: changes
    of variance alone, regimes shorter than 10 samples at an end, smooth bends of a series that
    wanders, part of a wave (less than two periods of a season), which is cut where it turns. Cost
    O(n) plus half a million segment costs.

    References
    ----------
    Jackson and others (2005), "An algorithm for optimal partitioning of data on an
    interval"; Cho, Fryzlewicz (2024), "Multiple change point detection under serial
    dependence"; Said, Dickey (1984), "Testing for unit roots in ARMA models"; Zivot, Andrews
    (1992), "Further evidence on the great crash, the oil-price shock, and the unit-root
    hypothesis".

    Examples
    --------
    >>> changepoints(np.random.default_rng(1).normal(size=500))
    []
    """
    return list(segment(series).points)


def segment(series: pd.Series | np.ndarray | Sequence[float]) -> Segmentation:
    """Cut a series into regimes.

    Parameters
    ----------
    series : pandas.Series or array, shape (n_samples,)
        In time order; NaN where missing.

    Returns
    -------
    Segmentation
        Changes with their fit and how sure they are.

    Raises
    ------
    InvalidSeriesError
        As in `changepoints`.

    Examples
    --------
    >>> result = segment(np.repeat([1.0, 2.0], 50))
    >>> result.points, result.shape, result.wanders
    ((50,), 'level', False)
    """
    values = _values(series)
    rows = np.flatnonzero(np.isfinite(values))
    fit, whole = np.full(len(values), np.nan), np.zeros(len(values))
    if len(rows) < MIN_SAMPLES or float(np.ptp(values[rows])) == 0.0:
        fit[rows] = values[rows]
        return Segmentation((), "level", wanders=False, p_values=(), fit=fit, seasonal=whole)
    seasonal, spent = _seasonal(series, values)
    whole[rows] = seasonal[rows]
    y = values[rows] - seasonal[rows]
    points, shape, wanders, p_values = _segment(y, spent)
    fit[rows] = fitted(y, points, shape) + seasonal[rows]
    found = tuple(int(rows[p]) for p in points)
    return Segmentation(found, shape, wanders, p_values, fit, whole)


@dataclass(frozen=True, slots=True)
class _Candidate:
    points: tuple[int, ...]
    shape: Shape
    score: float


def _values(series: pd.Series | np.ndarray | Sequence[float]) -> np.ndarray:
    if np.iscomplexobj(series):
        msg = "changepoints: values are complex; give the real part or the size"
        raise InvalidSeriesError(msg)
    try:
        values = np.array(series, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"changepoints: values are not numbers ({error})"
        raise InvalidSeriesError(msg) from error
    if values.ndim != 1:
        msg = f"changepoints: needs one dimension, got shape {values.shape}"
        raise InvalidSeriesError(msg)
    values[~np.isfinite(values)] = np.nan
    if bool((np.abs(values) > LARGEST).any()):
        msg = f"changepoints: values beyond {LARGEST:g} cannot be squared; divide the series first"
        raise InvalidSeriesError(msg)
    return values


def _seasonal(series: object, values: np.ndarray) -> tuple[np.ndarray, float]:
    """Season at each sample, by time where there are times; share of freedom it took."""
    if isinstance(series, pd.Series) and isinstance(series.index, pd.DatetimeIndex):
        steps = np.diff(series.index.asi8)
        if bool((np.abs(steps - np.median(steps)) > 0.01 * np.median(steps)).any()):
            part = remove_seasons(series, what="changepoints")
            out = np.zeros(len(values))
            out[np.isfinite(values)] = part.seasonal
            span = float(part.times_ns[-1] - part.times_ns[0])
            return out, sum(p.as_unit("ns").value for p in part.periods) / span
        day = 86_400 * 10.0 ** {"s": 0, "ms": 3, "us": 6, "ns": 9}[series.index.unit]
        anchors = sorted({day / 24 / steps[0], day / steps[0], 7 * day / steps[0], *SAMPLE_ANCHORS})
    else:
        anchors = list(SAMPLE_ANCHORS)
    n = len(values)
    factor = -(-n // 16_384)
    count = n // factor
    coarse = (
        np.nanmean(values[: count * factor].reshape(count, factor), axis=1)
        if factor > 1
        else values
    )
    usable = [a / factor for a in anchors if 3 <= a / factor <= count / 2]
    found = find_periods_in_samples(coarse, anchors=usable)
    rest, out = clipped(values) if found else values, np.zeros(n)
    for period in sorted(f.period * factor for f in found):
        shape = season(rest, period)
        rest, out = rest - shape, out + shape
    return out, sum(f.period for f in found) * factor / n


def _segment(
    values: np.ndarray, spent: float = 0.0
) -> tuple[list[int], Shape, bool, tuple[float, ...]]:
    clean = without_outliers(values)
    size = -(-len(clean) // MAX_POINTS)
    count = len(clean) // size
    y = clean[: count * size].reshape(count, size).mean(axis=1)
    scale = float(y.std())
    if scale <= 1e-12 * float(np.abs(y).max()):
        return [], "level", False, ()
    y = (y - y.mean()) / scale
    best = _best(y)
    wanders = _wanders(y - fitted(y, (), "line"))
    if wanders and best.points:
        left = persistence(y - fitted(y, best.points, best.shape))
        wanders = left > (STANDS * (len(best.points) + 1) if best.shape == "line" else WANDERS)
    if wanders:
        points, p_values = _steps(y, _material(y))
        best = _Candidate(points, "line", 0.0)
    else:
        points, p_values = lasting(y, best.points, best.shape, spent)
        best = _Candidate(points, best.shape, best.score)
    return refine(clean, best.points, size, best.shape), best.shape, wanders, p_values


def _wanders(residual: np.ndarray) -> bool:
    """Whether there is no level to return to: a memory long in the span and in samples."""
    found = persistence(residual)
    return found > WANDERS and found > -LEAST_MEMORY * len(residual)


def _price(shape: Shape, n: int) -> float:
    base, rate = PRICE[shape]
    return base + rate * float(np.log(n))


def _score(y: np.ndarray, points: Sequence[int], shape: Shape) -> float:
    value, _ = autoregression(y - fitted(y, points, shape), least=least_noise(y))
    tilt = float(np.log(len(y))) if shape == "line" else 0.0
    return value + tilt + _price(shape, len(y)) * len(points)


def _best(y: np.ndarray) -> _Candidate:
    n = len(y)
    noise = 0.5 * float(np.mean(np.diff(y) ** 2))
    best: _Candidate | None = None
    for shape in SHAPES:
        whole = y - fitted(y, (), shape)
        low = max(3.0 * np.log(n) * noise, 1e-6 * float(whole @ whole), 1e-9)
        ladder = np.geomspace(low, max(2.0 * low, 0.5 * n), LADDER)
        found = partitions(y, shape, ladder, MIN_SIZE[shape])
        for points in dict.fromkeys([*found, ()]):
            if len(points) > n // 10:
                continue
            score = _score(y, points, shape)
            if best is None or score < best.score:
                best = _Candidate(points, shape, score)
    if best is None:
        return _Candidate((), "level", 0.0)
    return _pruned(y, best)


def _pruned(y: np.ndarray, best: _Candidate) -> _Candidate:
    """Take back changes that do not earn their price."""
    while best.points:
        fewer = [
            (points, _score(y, points, best.shape))
            for i in range(len(best.points))
            for points in [best.points[:i] + best.points[i + 1 :]]
        ]
        points, score = min(fewer, key=lambda f: f[1])
        if score >= best.score:
            break
        best = _Candidate(points, best.shape, score)
    return best


def _material(y: np.ndarray) -> tuple[int, ...]:
    penalty = 2.0 * MATERIAL * float(np.log(len(y)))  # y has variance 1, a bend two parameters
    moved = _at_steps(y, partitions(y, "line", [penalty], MIN_SIZE["line"])[0])
    return _only_steps(y, moved)


def _steps(y: np.ndarray, bends: Sequence[int]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Bends of a wandering course, if a step at one stands out or they end the wandering."""
    if not bends:
        return (), ()
    found = jumps(y, bends)
    left = persistence(y - fitted(y, bends, "line"))
    if left > BROKEN * (len(bends) + 1) and all(jump.chance >= STANDS_OUT for jump in found):
        return (), ()
    at = [
        jump.at if jump.chance < STANDS_OUT else bend
        for bend, jump in zip(bends, found, strict=True)
    ]
    kept = {p: jump.heavy for p, jump in zip(at, found, strict=True) if 0 < p < len(y)}
    return tuple(sorted(kept)), tuple(kept[p] for p in sorted(kept))


def _only_steps(y: np.ndarray, points: Sequence[int]) -> tuple[int, ...]:
    """Keep the bends of a wandering course that are steps: a smooth bend is how it wanders."""
    rest = y - fitted(y, points, "line")
    freedom = max(len(y) - 2 * (len(points) + 1), 1)
    least = LEAST_STEP * float(np.sqrt(rest @ rest / freedom))
    edges = [0, *points, len(y)]
    out = []
    for before, at, after in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        where = np.array([at - 0.5])
        step = continued(y, at, after, where, "line") - continued(y, before, at, where, "line")
        if abs(float(step[0])) >= least:
            out.append(at)
    return tuple(out)


def _at_steps(y: np.ndarray, points: Sequence[int]) -> list[int]:
    """Move a change of a wandering series to a step near it that stands out clearly.

    Where noise adds up, the place of a jump shows in the steps alone; the best lines only
    tell its neighbourhood.
    """
    n = len(y)
    step = np.diff(y)
    away = np.abs(step - np.median(step))
    spread = 1.4826 * float(np.median(away)) or 1.2533 * float(away.mean())
    reach = max(3, int(STEP_REACH * n))
    edges = [0, *points, n]
    out: list[int] = []
    for before, at, after in zip(edges[:-2], edges[1:-1], edges[2:], strict=True):
        low = max(before + 3, at - reach, (out[-1] + 1) if out else 1)
        near = step[low - 1 : min(after - 3, at + reach)]
        near = np.abs(near - np.median(near)) if len(near) else near
        best = int(near.argmax()) if len(near) else 0
        out.append(low + best if len(near) and near[best] > STEP_LIMIT * spread else int(at))
    return out
