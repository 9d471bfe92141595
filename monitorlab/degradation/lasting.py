"""Which changes are for good? Spells that come back and chance are taken out (numpy).

>>> y = np.random.default_rng(0).normal(size=400)
>>> y[100:108] += 6.0
>>> lasting(y, (100, 108), "level")
((), ())
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from monitorlab.degradation.memory import chance, spreads
from monitorlab.degradation.segments import Shape, fitted
from monitorlab.seasonality.adjust import lag_one

__all__ = ["ALPHA", "lasting"]

SPELL = 0.035  # share of the series; what is shorter and comes back is no change for good
COMES_BACK = 0.5  # of the height of the spell that may be left afterwards
NOTHING_LEFT = 0.15  # the same, below which no change is left where the spell was
BLOCKS = 30  # of the series, whose means tell the noise of long averages
FEWEST_BLOCKS = 3
MOST_MEMORY = 0.99
MOST_SPENT = 0.75
ALPHA = 0.005
LEAST_REGIME = 10  # samples (an eighth of a short series) that a regime for good lasts
SAME = 0.25  # of the usual jump: levels that near are one level
FEWEST_CHANGES = 3  # and the share of levels that came back that make a habit
RETURNS = 0.75


def lasting(
    y: np.ndarray, points: Sequence[int], shape: Shape, spent: float = 0.0
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Keep the changes that last and that noise with a long memory does not explain.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite.
    points : sequence of int
        Changes found.
    shape : {"level", "line"}
        What holds between changes.
    spent : float
        Share of the freedom of the series that a season taken out before took with it: one
        over its cycles.

    Returns
    -------
    points : tuple of int
        Changes kept.
    p_values : tuple of float
        One a change, all of the positions it might have had in mind.

    Notes
    -----
    1. Where three quarters of the levels have been seen before, jumping to and fro is what
       the series does: only the change that explains most is left, and has all the jumping
       against it.
    2. A regime shorter than 3.5 % of the series (and ten samples) at either end cannot be known
       to last. One, or several in a row, after which the old level comes back is a spell: its
       changes are dropped (but one, where something stays afterwards), and its samples left
       out of what follows.
    3. The change that explains least is tested, and dropped, until all are significant: the
       sum of squares that it explains, over the long-run variance of what is left, is compared
       with an F distribution, and the chance multiplied by the number of blocks. The long-run
       variance is the larger of that of the means of thirty blocks and that of an
       autoregression of order one, whose coefficient is corrected for its bias in short series.
       Where the regimes on both sides are noisier than the rest (bursts), the gain is
       divided by how much (Welch).
    4. All that are left are tested together against noise with a long memory
       (`monitorlab.degradation.memory`), at the scale of the regimes; where they fail, the
       weakest is dropped and the rest tried again. So changes have to beat how far averages
       as long as the regimes move elsewhere in the series.

    Cost O(n) a change.

    References
    ----------
    Kiefer, Vogelsang (2005), "A new asymptotic theory for heteroskedasticity-
    autocorrelation robust tests"; Shao (2011), "A simple test of changes in mean in the
    possible presence of long-range dependence"; Welch (1947), "The generalization of
    'Student's' problem when several different population variances are involved".

    Examples
    --------
    >>> y = np.random.default_rng(0).normal(size=400) + 3.0 * (np.arange(400) >= 250)
    >>> kept, p_values = lasting(y, (250, 330), "level")
    >>> kept, p_values[0] < 1e-4
    ((250,), True)
    """
    kept = _without_short_ends(y, _without_habit(y, points, shape))
    while kept:
        kept, counts, chances = _significant(y, kept, shape, spent)
        if not kept:
            break
        together = _together(y, kept, shape, counts, spent)
        if together < ALPHA:
            return tuple(kept), tuple(max(together, p) for p in chances)
        worst = int(np.argmax(chances))
        kept = kept[:worst] + kept[worst + 1 :]
    return (), ()


def _significant(
    y: np.ndarray, points: Sequence[int], shape: Shape, spent: float
) -> tuple[list[int], np.ndarray, list[float]]:
    """Keep what noise with a memory of a block does not explain; samples that count."""
    kept, counts = _without_spells(y, points, shape)
    order = 2 if shape == "line" else 1
    while kept:
        gains, calmer, rest = _gains(y, kept, shape, counts)
        noise, dof, blocks = _long_run(rest, order * (len(kept) + 1))
        noise /= 1.0 - min(spent, MOST_SPENT)
        chances = [_chance(gain, noise, order, dof, blocks) for gain in gains * calmer]
        worst = int(np.argmax(chances))
        if chances[worst] < ALPHA:
            return kept, counts, chances
        kept, counts = _without_spells(y, kept[:worst] + kept[worst + 1 :], shape, counts)
    return [], counts, []


def _gains(
    y: np.ndarray, kept: list[int], shape: Shape, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squares that each change explains, how much calmer it is elsewhere, what is left."""
    left = y - _fitted(y, kept, shape, counts)
    rest = left[counts]
    power = float(rest @ rest)
    usual = power / max(len(rest), 1)
    edges = [0, *kept, len(y)]
    gains, calmer = np.zeros(len(kept)), np.ones(len(kept))
    for i in range(len(kept)):
        without = (y - _fitted(y, kept[:i] + kept[i + 1 :], shape, counts))[counts]
        gains[i] = max(0.0, float(without @ without) - power)
        sides = [left[a:b][counts[a:b]] for a, b in pairwise(edges[i : i + 3])]
        sizes = np.array([len(side) for side in sides], dtype=np.float64)
        if sizes.min() >= 3 and usual > 0.0:
            spread = np.array([float(side @ side) for side in sides]) / (sizes - 1.0)
            near = float((spread / sizes).sum() / (1.0 / sizes).sum())
            calmer[i] = min(1.0, usual / near) if near > 0.0 else 1.0
    return gains, calmer, rest


def _together(
    y: np.ndarray, kept: list[int], shape: Shape, counts: np.ndarray, spent: float
) -> float:
    """Chance that noise with a long memory is cut as well as by all these changes."""
    order, n = 2 if shape == "line" else 1, len(y)
    left = y - _fitted(y, kept, shape, counts)
    gains, calmer, rest = _gains(y, kept, shape, counts)
    without = (y - _fitted(y, (), shape, counts))[counts]
    gain = max(0.0, float(without @ without) - float(rest @ rest))
    if float(gains.sum()) > 0.0:
        gain *= float(gains @ calmer) / float(gains.sum())
    sizes = np.diff([0, *kept, n]).astype(np.float64)
    span = float(np.mean(2.0 * sizes[:-1] * sizes[1:] / (sizes[:-1] + sizes[1:])))
    seen = spreads(left, kept, order, counts)
    least = _by_memory(rest, order * (len(kept) + 1))
    gain *= 1.0 - min(spent, MOST_SPENT)
    found, _ = chance(gain, order * len(kept), span, seen, least)
    return min(1.0, found * max(1.0, n / span) ** len(kept))


def _without_habit(y: np.ndarray, points: Sequence[int], shape: Shape) -> list[int]:
    """Leave the best change alone where levels come and go and come back."""
    kept = [int(p) for p in points]
    if len(kept) < FEWEST_CHANGES:
        return kept
    level = np.array([y[a:b].mean() for a, b in pairwise([0, *kept, len(y)])])
    near = SAME * float(np.median(np.abs(np.diff(level))))
    back = sum(
        bool((np.abs(level[: i - 1] - level[i]) <= near).any()) for i in range(2, len(level))
    )
    if back < max(2.0, RETURNS * (len(kept) - 1)):
        return kept
    left = [y - fitted(y, (p,), shape) for p in kept]
    return [kept[int(np.argmin([float(r @ r) for r in left]))]]


def _without_short_ends(y: np.ndarray, points: list[int]) -> list[int]:
    n, least = len(y), _least_regime(len(y))
    return [p for p in points if least <= p <= n - least]


def _least_regime(n: int) -> float:
    return max(SPELL * n, min(float(LEAST_REGIME), n / 8))


def _without_spells(
    y: np.ndarray, points: Sequence[int], shape: Shape, counted: np.ndarray | None = None
) -> tuple[list[int], np.ndarray]:
    """Drop the changes of each spell, the shortest first; say which samples still count."""
    kept, n = [int(p) for p in points], len(y)
    counts = np.ones(n, dtype=bool) if counted is None else np.array(counted)
    while len(kept) > 1:
        spells = _spells(y, kept, shape, counts)
        if not spells:
            break
        _, first, last, stays = min(spells)
        counts[kept[first] : kept[last]] = False
        del kept[first + (1 if stays else 0) : last + 1]
    return kept, counts


def _spells(
    y: np.ndarray, kept: list[int], shape: Shape, counts: np.ndarray
) -> list[tuple[int, int, int, bool]]:
    """Length, first and last change of what comes back; whether a change stays afterwards."""
    level = _fitted(y, kept, shape, counts)
    least = _least_regime(len(y))
    out = []
    for first in range(len(kept) - 1):
        for last in range(first + 1, len(kept)):
            start, end = kept[first], kept[last]
            if end - start >= least:
                break
            before, after = float(level[start - 1]), float(level[end])
            height = abs(float(level[start:end].mean()) - 0.5 * (before + after))
            if abs(after - before) < COMES_BACK * height:
                stays = abs(after - before) >= NOTHING_LEFT * height
                out.append((end - start, first, last, stays))
    return out


def _fitted(y: np.ndarray, points: Sequence[int], shape: Shape, counts: np.ndarray) -> np.ndarray:
    """Levels or lines between the changes, from the samples that count alone."""
    if bool(counts.all()):
        return fitted(y, points, shape)
    edges = [0, *points, len(y)]
    out = np.empty(len(y))
    for start, end in pairwise(edges):
        use = np.flatnonzero(counts[start:end])
        if len(use) < 3:
            use = np.arange(end - start)
        part, x = y[start:end][use], use - use.mean()
        slope = float(x @ part) / float(x @ x) if shape == "line" and len(use) > 2 else 0.0
        out[start:end] = part.mean() + slope * (np.arange(end - start) - use.mean())
    return out


def _long_run(rest: np.ndarray, parameters: int) -> tuple[float, int, int]:
    """Variance of a sum of residuals over their number, its degrees of freedom, blocks."""
    n = len(rest)
    size = max(3, -(-n // BLOCKS))
    blocks = max(1, n // size)
    means = rest[n - blocks * size :].reshape(blocks, size).mean(axis=1)
    dof = max(blocks - parameters, FEWEST_BLOCKS)
    by_blocks = size * float(means @ means) / dof
    return max(by_blocks, _by_memory(rest, parameters)), dof, blocks


def _by_memory(rest: np.ndarray, parameters: int) -> float:
    """Variance of a sum over its number by an autoregression of order one."""
    phi = min(max(0.0, lag_one(rest, fitted=parameters)), MOST_MEMORY)
    return float(rest @ rest) / max(len(rest) - parameters, 1) * (1.0 + phi) / (1.0 - phi)


def _chance(gain: float, noise: float, order: int, dof: int, blocks: int) -> float:
    from scipy.special import fdtrc

    if noise <= 1e-12 * gain:
        return 0.0 if gain > 0.0 else 1.0
    return float(min(1.0, blocks * fdtrc(order, dof, gain / noise / order)))
