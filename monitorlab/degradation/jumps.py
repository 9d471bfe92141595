"""Which steps of a series that wanders stand out from how it always steps? (numpy).

>>> y = np.cumsum(np.random.default_rng(0).normal(size=300)) + 12.0 * (np.arange(300) >= 200)
>>> jump = jumps(y, [201])[0]
>>> jump.at, jump.chance < 0.001
(200, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Jump", "jumps"]

WIDTHS = (1, 2, 4)  # samples that a jump may take
REACH = 2  # samples that a bend may be off its jump
MAX_ORDER, CLIP = 4, 4.0  # of the autoregression of the steps, which large ones do not lead
FREEDOMS = (2.0, 3.0, 4.0, 6.0, 10.0, 30.0, 100.0)  # of Student's t tried for the steps


@dataclass(frozen=True, slots=True)
class Jump:
    """The step at a bend of a wandering course, against all other steps.

    Parameters
    ----------
    at : int
        First sample after the jump began.
    chance : float
        Chance that as large a step is anywhere in such a series, its steps taken to be normal
        and as large as the middle half of them says.
    heavy : float
        The same with the tails that the other steps have; not less.

    Examples
    --------
    >>> steps = np.tile([0.1, -0.1, 0.2, -0.2], 50)
    >>> steps[100] = 9.0
    >>> jumps(np.cumsum(steps), [100])[0].at
    100
    """

    at: int
    chance: float
    heavy: float


def jumps(y: np.ndarray, points: Sequence[int]) -> list[Jump]:
    """Measure the step at each bend of a course that has no level to return to.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Finite.
    points : sequence of int
        Bends, each the first sample after it.

    Returns
    -------
    list of Jump
        One a bend.

    Notes
    -----
    Where noise adds up, every level lasts, and bends come by chance: only a step that the
    others do not explain tells that something happened. Steps are turned into innovations of
    an autoregression; sums of 1, 2 and 4 of them near the bend are compared with their robust
    deviation, and the chance is multiplied by all the places and widths that could have been
    taken (Bonferroni). How heavy the tails of the other steps are is averaged over, by the
    likelihood of Student's t. Cost O(n).

    References
    ----------
    Chen, Liu (1993), "Joint estimation of model parameters and outlier effects in time
    series"; Lange, Little, Taylor (1989), "Robust statistical modeling using the t
    distribution".

    Examples
    --------
    >>> walk = np.cumsum(np.random.default_rng(1).normal(size=300))
    >>> jumps(walk, [150])[0].chance > 0.05
    True
    """
    from scipy.stats import norm, t

    shocks = _innovations(y)
    scale = 1.4826 * float(np.median(np.abs(shocks))) or 1.2533 * float(np.abs(shocks).mean())
    if scale <= 0.0:
        return [Jump(int(p), 1.0, 1.0) for p in points]
    count = len(shocks)
    along = np.concatenate(([0.0], np.cumsum(shocks)))
    out = []
    for point in points:
        size, start, width = 0.0, int(point) - 1, 1
        for wide in WIDTHS:
            low = max(0, int(point) - 1 - REACH - (wide - 1) // 2)
            starts = np.arange(low, min(count - wide, int(point) + REACH - wide // 2) + 1)
            if len(starts) == 0:
                continue
            sums = np.abs(along[starts + wide] - along[starts]) / (np.sqrt(wide) * scale)
            best = int(sums.argmax())
            if float(sums[best]) > size:
                size, start, width = float(sums[best]), int(starts[best]), wide
        tries = 2.0 * len(y) * len(WIDTHS)
        others = np.delete(shocks, np.arange(start, start + width))
        belief, spread = _tails(others)
        heavy = tries * float(belief @ t.sf(size * scale / spread, np.array(FREEDOMS)))
        chance = tries * float(norm.sf(size))
        out.append(Jump(start + 1, min(1.0, chance), min(1.0, max(chance, heavy))))
    return out


def _innovations(y: np.ndarray) -> np.ndarray:
    """Steps less what the steps before tell of them; large ones do not lead."""
    step = np.diff(y)
    step = step - np.median(step)
    n = len(step)
    top = min(MAX_ORDER, n // 20)
    spread = 1.4826 * float(np.median(np.abs(step))) or 1.2533 * float(np.abs(step).mean())
    if top < 1 or spread <= 0.0:
        return step
    calm = np.clip(step, -CLIP * spread, CLIP * spread)
    lags = np.stack([calm[top - k : n - k] for k in range(1, top + 1)])
    target = calm[top:]
    chosen, least = np.zeros(0), np.inf
    for order in range(top + 1):
        weights = np.linalg.lstsq(lags[:order].T, target, rcond=None)[0] if order else np.zeros(0)
        size = max(float(np.abs(target - weights @ lags[:order]).mean()), 1e-12 * spread)
        value = 2.0 * len(target) * float(np.log(size)) + order * float(np.log(len(target)))
        if value < least:
            chosen, least = weights, value
    out = np.array(step)
    for lag, weight in enumerate(chosen, start=1):
        out[lag:] -= weight * calm[:-lag]
    return out


def _tails(shocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How likely each of ``FREEDOMS`` is for the Student's t of the shocks, and its scale."""
    from scipy.stats import t

    power = shocks * shocks
    start = 1.4826 * float(np.median(np.abs(shocks))) or float(np.abs(shocks).mean())
    start = max(start, 1e-300)
    likely, spread = np.empty(len(FREEDOMS)), np.empty(len(FREEDOMS))
    for i, nu in enumerate(FREEDOMS):
        scale = start
        for _ in range(15):
            scale = float(np.sqrt(np.mean((nu + 1.0) * power / (nu + power / scale**2))))
            scale = max(scale, 1e-9 * start)
        likely[i] = float(t.logpdf(shocks / scale, nu).sum()) - len(shocks) * float(np.log(scale))
        spread[i] = scale
    belief = np.exp(likely - likely.max())
    return belief / belief.sum(), spread
