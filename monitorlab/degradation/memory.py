"""How far noise with a long memory moves an average, told from averages inside regimes (numpy).

>>> white = np.random.default_rng(0).normal(size=400)
>>> chance(100.0, 1, 200, spreads(white, (), 1))[0] < 0.001
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["Spread", "chance", "spreads", "wandering"]

HURST = np.arange(0.5, 0.96, 0.05)
USUAL_HURST, HURST_SPREAD = 0.75, 0.1  # what recorded series have, before this one is seen
SHORT_MEMORY = 0.3  # what is e times less likely, before two spans are seen, is so much more
LEAST_FREEDOM = 8.0  # degrees of freedom that a scale needs to be looked at
SCALES = 4  # scales that tell how averages shrink, each twice the one before


@dataclass(frozen=True, slots=True)
class Spread:
    """Spread of the averages of so many samples inside regimes.

    Parameters
    ----------
    size : int
        Samples an average.
    power : float
        ``size`` times the sum of their squares.
    expected : numpy.ndarray
        What a unit of variance would have given, for each memory of ``HURST``.
    freedom : float
        Degrees of freedom, fewer where averages have heavy tails.

    Examples
    --------
    >>> spreads(np.array([1.0, -1.0, 1.0, -1.0]), (), 1)[0].power
    4.0
    """

    size: int
    power: float
    expected: np.ndarray
    freedom: float


def spreads(
    rest: np.ndarray, points: Sequence[int], order: int, counts: np.ndarray | None = None
) -> list[Spread]:
    """Measure averages of 1, 2, 4, … samples inside regimes.

    Parameters
    ----------
    rest : numpy.ndarray, shape (n,)
        What the regimes leave.
    points : sequence of int
        First sample of each regime but the first.
    order : int
        Parameters fitted in each regime.
    counts : numpy.ndarray of bool, shape (n,), optional
        Samples that count; default all.

    Returns
    -------
    list of Spread
        By rising size.

    Notes
    -----
    A fitted level takes with it what the whole regime wandered: the more, the longer the
    memory. ``expected`` allows for that. Cost O(n).

    Examples
    --------
    >>> [s.size for s in spreads(np.arange(8.0), (), 1)]
    [1, 2, 4]
    """
    edges = [0, *points, len(rest)]
    parts = [rest[a:b] if counts is None else rest[a:b][counts[a:b]] for a, b in pairwise(edges)]
    longest, size, out = max(map(len, parts)), 1, []
    while size * (order + 1) <= longest:
        power = fourth = 0.0
        number = 0
        expected = np.zeros(len(HURST))
        for part in parts:
            blocks = len(part) // size
            if blocks < order + 1:
                continue
            skip = (len(part) - blocks * size) // 2
            means = part[skip : skip + blocks * size].reshape(blocks, size).mean(axis=1)
            squares = means * means
            power += size * float(squares.sum())
            fourth += size * size * float(squares @ squares)
            number += blocks
            kept = blocks * (1.0 - blocks ** (2.0 * HURST - 2.0))
            expected += kept * (blocks - order) / (blocks - 1)
        tails = max(3.0, fourth * number / power**2) if power > 0.0 else 3.0
        out.append(Spread(size, power, expected, float(expected[0]) * 2.0 / (tails - 1.0)))
        size *= 2
    return out


def chance(
    gain: float, order: int, span: float, seen: Sequence[Spread], least: float = 0.0
) -> tuple[float, float]:
    """Chance that noise with the memory seen gives such a change, at one place.

    Parameters
    ----------
    gain : float
        Sum of squares that the change explains.
    order : int
        Parameters that it takes.
    span : float
        Samples in the averages it compares (harmonic mean of both sides).
    seen : sequence of Spread
        From `spreads`.
    least : float
        The variance of a sum of samples over their number is at least this.

    Returns
    -------
    chance : float
        0 to 1.
    hurst : float
        Memory expected of the series: 0.5 none, near 1 a very long one.

    Notes
    -----
    The variance of the average of ``m`` samples falls as ``m ** (2 H - 2)`` where noise has a
    long memory. The largest four scales with enough averages tell H and the level, a prior
    (0.75 ± 0.1, what recorded series have) helps where they are few, and the F tail
    probability of the gain is averaged over what H may be: with few averages nothing but a
    large change is significant. Cost O(1).

    References
    ----------
    Beran (1994), "Statistics for long-memory processes"; Kiefer, Vogelsang (2005), "A new
    asymptotic theory for heteroskedasticity-autocorrelation robust tests".

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(size=100)
    >>> chance(4.0, 1, 50, spreads(noise, (), 1))[0] > 0.05
    True
    """
    from scipy.special import fdtrc

    use = _telling(seen, span)
    if not use or gain <= 0.0:
        return 1.0, USUAL_HURST
    if max(s.power for s in use) <= 1e-12 * gain:
        return 0.0, USUAL_HURST
    whole, likely, freedom = _levels(use, 1e-12 * gain)
    likely -= 0.5 * ((HURST - USUAL_HURST) / HURST_SPREAD) ** 2
    weight = np.exp(likely - likely.max())
    weight /= weight.sum()
    noise = np.maximum(whole * max(span, 1.0) ** (2.0 * HURST - 1.0), least)
    tail = fdtrc(order, max(freedom, 1.0), gain / noise / order)
    return float(min(1.0, weight @ tail)), float(weight @ HURST)


def wandering(
    seen: Sequence[Spread], sizes: tuple[int, int], gap: int, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw how far noise with the memory seen moves one average from another.

    Parameters
    ----------
    seen : sequence of Spread
        From `spreads`, of both spans less their averages.
    sizes : (int, int)
        Samples of each average.
    gap : int
        Samples between the two spans.
    draws : int
        How many.
    rng : numpy.random.Generator
        Draws the memory and the level, which are not known either.

    Returns
    -------
    numpy.ndarray, shape (draws,)
        Standard deviations of the difference: those of fractional Gaussian noise.

    Notes
    -----
    Short memories are a little likelier before the spans are seen. The spans' averages have in
    common what wandered through both. Cost O(draws).

    References
    ----------
    Mandelbrot, Van Ness (1968), "Fractional Brownian motions, fractional noises and
    applications".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> seen = spreads(rng.normal(size=400), [200], 1)
    >>> bool(0.09 < np.median(wandering(seen, (200, 200), 0, 100, rng)) < 0.2)
    True
    """
    use = _telling(seen, float(max(sizes)))
    if not use or max(s.power for s in use) <= 0.0:
        return np.zeros(draws)
    whole, likely, freedom = _levels(use, 1e-12 * max(s.power for s in use))
    likely -= (HURST - HURST[0]) / SHORT_MEMORY
    weight = np.exp(likely - likely.max())
    first, second = sizes
    power = 2.0 * HURST
    common = (first + gap + second) ** power + float(gap) ** power
    common -= (first + gap) ** power + (second + gap) ** power
    variance = whole * (first ** (power - 2.0) + second ** (power - 2.0) - common / first / second)
    which = rng.choice(len(HURST), size=draws, p=weight / weight.sum())
    freedom = max(freedom, 1.0)
    return np.sqrt(np.maximum(variance, 0.0)[which] * freedom / rng.chisquare(freedom, draws))


def _telling(seen: Sequence[Spread], span: float) -> list[Spread]:
    """Give the largest scales with enough averages."""
    use = [s for s in seen if s.size <= max(span, 1.0)]
    enough = [i for i, s in enumerate(use) if s.freedom >= LEAST_FREEDOM]
    last = enough[-1] if enough else 0
    return use[max(0, last - SCALES + 1) : last + 1]


def _levels(use: Sequence[Spread], least: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Give level and log likelihood of each memory, and the degrees of freedom of both."""
    size = np.array([s.size for s in use], dtype=np.float64)[:, None]
    power = np.array([s.power for s in use])[:, None]
    freedom = np.array([s.freedom for s in use])[:, None]
    level = power / np.stack([s.expected for s in use]) / size ** (2.0 * HURST - 1.0)
    level = np.maximum(level, least)
    whole = (freedom * level).sum(axis=0) / freedom.sum()
    ratio = level / whole
    likely = -0.5 * (freedom * (ratio - 1.0 - np.log(ratio))).sum(axis=0)
    return whole, likely, float(freedom.sum())
