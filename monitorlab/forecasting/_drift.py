"""Where a series goes beyond the steps at which misses can be measured: on along its slope.

Models that are checked a third of the history ahead say little of what lies farther: most
of them settle on a level. There the last season of the forecast is carried on along the
slope of the whole history, as far as that is sure, and the doubt about the slope (and a
wandering level, where the series has one) is added to the interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitorlab.forecasting._numbers import normal_quantile, student_quantile
from monitorlab.forecasting._season import moving_average

__all__ = ["Beyond", "Drift", "beyond_reach", "drift_of"]

_BLOCKS = 24
_FEWEST = 8
_SHARES = np.array([0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6, 0.9, 0.99])
"""How much of the variance of a change between blocks may be walk, not noise."""
_SURE = 3.0


@dataclass(frozen=True, slots=True)
class Drift:
    """The slope of a series, how sure it is, and how its level wanders.

    Parameters
    ----------
    slope : float
        Change in a step, drawn to zero as far as it is not sure.
    slope_sd : float
        Standard deviation of the slope.
    walk_sd : float
        Standard deviation of what a step adds to the level for good.
    swing : float
        Power of the level with which the season swings: 0 as ever, 1 in proportion.
    """

    slope: float
    slope_sd: float
    walk_sd: float
    swing: float = 0.0

    def wandering(self, steps: int) -> np.ndarray:
        """Give the deviation that the wandering level has after each of so many steps.

        It is known from two dozen blocks, of which the share of noise spends half: a little wider
        than a normal deviation, by Student's t.
        """
        sure = student_quantile(0.975, _BLOCKS / 2) / normal_quantile(0.975)
        return np.asarray(self.walk_sd * sure * np.sqrt(np.arange(1.0, steps + 1.0)))


@dataclass(frozen=True, slots=True)
class Beyond:
    """What is added to the doubt beyond the reach of the past origins.

    Parameters
    ----------
    tilt : numpy.ndarray, shape (horizon,)
        Standard deviation that the doubt about the slope puts on each step.
    walk_sd : float
        Standard deviation of what each step beyond the reach adds to the level for good.
    reach : int
        Steps at which misses are measured; nothing is added up to there. Below zero where
        the newest samples are missing, so that even the first step lies beyond.
    swing : numpy.ndarray, shape (horizon,)
        How many times its present size the season has at each step.
    """

    tilt: np.ndarray
    walk_sd: float
    reach: int
    swing: np.ndarray

    def sd(self) -> np.ndarray:
        """Give the standard deviation added at each step."""
        over = np.maximum(np.arange(1, len(self.tilt) + 1) - self.reach, 0)
        return np.hypot(self.tilt, self.walk_sd * np.sqrt(over))

    def after(self, lead: int) -> Beyond:
        """Give the same without the first steps."""
        return Beyond(self.tilt[lead:], self.walk_sd, self.reach - lead, self.swing[lead:])

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw paths of it; shape (count, horizon)."""
        steps = rng.standard_normal((count, len(self.tilt))) * self.walk_sd
        steps[:, : max(0, self.reach)] = 0.0
        steps[:, 0] *= np.sqrt(max(1, 1 - self.reach))
        return np.asarray(rng.standard_normal((count, 1)) * self.tilt + np.cumsum(steps, axis=1))


def drift_of(values: np.ndarray, seasons: tuple[int, ...]) -> Drift | None:
    """Measure the slope of a series whose level may wander.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Without NaN.
    seasons : tuple of int
        In steps, the shorter first; those too long for eight blocks are left out.

    Returns
    -------
    Drift or None
        None where fewer than eight blocks of whole seasons fit.

    Notes
    -----
    The means of some two dozen blocks are taken for a line, plus the mean of a random walk,
    plus noise. For each of a few shares of walk generalised least squares gives the slope
    and its error; they are averaged by their restricted likelihoods, and the slope is shrunk
    by ``1 - 1 / t^2`` (James and Stein), which adds to the doubt. O(n).

    References
    ----------
    Working (1960), "Note on the correlation of first differences of averages in a random
    chain", Econometrica 28(4).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> line = drift_of(0.5 * np.arange(480) + rng.normal(0, 1, 480), (24,))
    >>> round(line.slope, 2), line.slope_sd < 0.01
    (0.5, True)
    """
    size = len(values)
    season = max((s for s in seasons if s * _FEWEST <= size), default=1)
    if seasons and season == 1:
        return None
    block = max(1, size // _BLOCKS // season) * season
    blocks = size // block
    if blocks < _FEWEST:
        return None
    rest = values
    if seasons and seasons[-1] > season:
        rest = values - _swing(values, seasons[-1])
    table = rest[size - blocks * block :].reshape(blocks, block)
    means = table.mean(axis=1)
    swing = _power(means, values[size - blocks * block :].reshape(blocks, block).std(axis=1))
    scale = float(np.sqrt(np.mean(np.diff(means) ** 2)))
    if not scale > 0:
        return Drift(0.0, 0.0, 0.0, swing)
    slope, error, walk = _fitted(means / scale, block)
    if not error > 0:
        return Drift(slope * scale / block, 0.0, 0.0, swing)
    sure = max(0.0, 1.0 - (error / slope) ** 2) if slope != 0 else 0.0
    unit = scale / block
    doubt = float(np.hypot(error, (1.0 - sure) * slope))
    return Drift(slope * sure * unit, doubt * unit, scale * float(np.sqrt(walk / block)), swing)


def _swing(values: np.ndarray, season: int) -> np.ndarray:
    rest = values - moving_average(values, season)
    phase = np.arange(len(values)) % season
    profile = np.bincount(phase, weights=rest) / np.bincount(phase)
    return np.asarray((profile - profile.mean())[phase])


def _power(levels: np.ndarray, swings: np.ndarray) -> float:
    """Give the power of the level with which the swing of blocks grows, 0 where not sure."""
    if not (levels.min() > 0 and swings.min() > 0):
        return 0.0
    x, y = np.log(levels), np.log(swings)
    x, y = x - x.mean(), y - y.mean()
    square = float(x @ x)
    if not square > 0:
        return 0.0
    power = float(x @ y) / square
    rest = y - power * x
    error = float(np.sqrt(float(rest @ rest) / (len(x) - 2) / square))
    return float(np.clip(power, 0.0, 1.0)) if power > _SURE * error else 0.0


def _fitted(means: np.ndarray, block: int) -> tuple[float, float, float]:
    """Give the slope, its error and the variance a block of the walk, over shares of walk.

    The mean of a block smooths the walk inside it: means of long blocks change by two thirds
    of what the walk does, and neighbouring changes are alike (Working 1960).
    """
    blocks = len(means)
    place = np.arange(blocks, dtype=float)
    design = np.column_stack((np.ones(blocks), place))
    inside = (block**2 - 1) / (6 * block**2)
    wander = np.minimum.outer(place, place) + 0.5 - inside * np.eye(blocks)
    wander /= 1.0 - 2.0 * inside
    found, likely = [], []
    spare = blocks - 2
    for share in _SHARES:
        covariance = share * wander + (1.0 - share) / 2.0 * np.eye(blocks)
        weighed = np.linalg.solve(covariance, design)
        inner = design.T @ weighed
        spread = np.linalg.inv(inner)
        fit = spread @ (weighed.T @ means)
        rest = means - design @ fit
        variance = float(rest @ np.linalg.solve(covariance, rest)) / spare
        if variance <= 1e-20 * blocks:
            return float(fit[1]), 0.0, 0.0
        bulk = float(np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(inner)[1])
        likely.append(-0.5 * (bulk + spare * np.log(variance)))
        found.append((fit[1], variance * spread[1, 1], variance * share / (1.0 - 2.0 * inside)))
    weights = np.exp(np.array(likely) - max(likely))
    weights /= weights.sum()
    slopes, errors, walks = np.array(found).T
    slope = float(weights @ slopes)
    wide = spare / max(spare - 2, 1)  # Student's t is wider than the normal distribution
    error = float(np.sqrt(weights @ (errors * wide + (slopes - slope) ** 2)))
    return slope, error, float(weights @ walks)


def beyond_reach(
    mean: np.ndarray, drift: Drift, reach: int, season: int
) -> tuple[np.ndarray, Beyond]:
    """Carry a forecast on along a slope beyond its reach.

    Parameters
    ----------
    mean : numpy.ndarray, shape (horizon,)
        The forecast; what lies beyond the reach is replaced.
    drift : Drift
        Slope and doubt.
    reach : int
        Steps at which misses are measured.
    season : int
        Longest season in steps; 1 for none.

    Returns
    -------
    numpy.ndarray, shape (horizon,)
        The forecast.
    Beyond
        The doubt to add.

    Examples
    --------
    >>> carried, doubt = beyond_reach(np.array([1.0, 2.0, 0.0, 0.0]), Drift(0.5, 0.1, 0.0), 2, 2)
    >>> carried.tolist(), doubt.sd().round(2).tolist()
    ([1.0, 2.0, 2.0, 3.0], [0.0, 0.0, 0.22, 0.35])
    """
    horizon = len(mean)
    step = np.arange(1, horizon + 1, dtype=float)
    start = max(reach, season)
    out, swing = mean.copy(), np.ones(horizon)
    if start < horizon:
        ahead = np.arange(horizon - start)
        last = mean[start - season : start]
        level = float(last.mean())
        later = level + drift.slope * season * (1 + ahead // season)
        if drift.swing > 0 and level > 0:
            swing[start:] = np.maximum(later / level, 0.0) ** drift.swing
        out[start:] = later + (last - level)[ahead % season] * swing[start:]
    tilt = drift.slope_sd * np.sqrt(np.maximum(step**2 - float(reach) ** 2, 0.0))
    return out, Beyond(tilt, drift.walk_sd, reach, swing)
