"""Intervals from past misses: conformal calibration on rolling origins, numpy only.

The misses of forecasts made from past origins say how far the next may miss. Origins lie
one season apart, so the miss at step ``h`` always belongs to the same time of the season
as step ``h`` of the forecast to be made; a night that is easy to forecast gets a narrow
interval. Misses are put in units of what the *other* origins missed at that step, and the
quantile of these units, taken over all origins, sets the width.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from monitorlab.forecasting._numbers import normal_quantile, student_quantile

__all__ = ["Calibration", "calibrate", "from_changes"]

_LOCAL = 2
_PULL = 6.0
_GROWTH = 1.0
_MEMORY = 12.0
_LEAST = 0.1
_FLOOR_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far forecasts missed: a width for each step and the spread of misses in widths.

    Parameters
    ----------
    scale : numpy.ndarray, shape (horizon,)
        Mean absolute miss expected at each step.
    units : numpy.ndarray, shape (n_misses,)
        Past absolute misses over their scale, increasing.
    weights : numpy.ndarray, shape (n_misses,)
        Weight of each, of sum one.
    shapes : numpy.ndarray, shape (n_origins, reach)
        The signed misses over the scale; NaN where no sample came.
    spare : float
        Degrees of freedom of the widths: two for each origin that counts, or those of a
        series with too few origins, where ``units`` is empty.
    """

    scale: np.ndarray
    units: np.ndarray
    weights: np.ndarray
    shapes: np.ndarray
    spare: float = 0.0

    def half_width(self, level: float) -> np.ndarray:
        """Give half the width of the interval of a level at each step."""
        if len(self.units) == 0:
            return self.scale * student_quantile((1 + level) / 2, max(self.spare, 1.0))
        return self.scale * self.quantile(level)

    def quantile(self, level: float) -> float:
        """Give the quantile of past misses in units of their scale, few origins in mind.

        Misses of one origin are alike: the factor is that of Student's t with two degrees
        of freedom for each origin over the normal one (1.05 for twelve origins at 0.95).
        """
        reached = np.cumsum(self.weights) - self.weights / 2
        tail = (1 + level) / 2
        factor = student_quantile(tail, max(self.spare, 2.0)) / normal_quantile(tail)
        return factor * float(np.interp(level, reached, self.units))

    def at_least(self, sd: np.ndarray) -> Calibration:
        """Give the same, its interval of 95 % no narrower than that of a deviation a step.

        Misses from a few origins, near to each other, of a level that wanders are all large or
        all small by chance; what the whole series tells of its wandering is the surer.
        """
        unit = self.quantile(_FLOOR_LEVEL) if len(self.units) else 0.0
        if unit <= 0.0:
            return self
        normal = normal_quantile((1 + _FLOOR_LEVEL) / 2)
        return replace(self, scale=np.maximum(self.scale, sd * (normal / unit)))

    def held(self, horizon: int, season: int, swing: np.ndarray) -> Calibration:
        """Give the same with the widths of the last season held up to a horizon, as it swings."""
        known = len(self.scale)
        last = self.scale[-season:] if season <= known else self.scale[-1:]
        if season == 1:
            last = self.scale[-max(1, known // 4) :].mean(keepdims=True)
        more = last[np.arange(horizon - known) % len(last)]
        return replace(self, scale=np.concatenate((self.scale, more)) * swing)


def calibrate(
    errors: np.ndarray, horizon: int, *, seasonal: bool, spacing: float = 1.0
) -> Calibration:
    """Learn widths from the misses of rolling origins.

    Parameters
    ----------
    errors : numpy.ndarray, shape (n_origins, reach)
        Actual minus forecast, oldest origin first; NaN where no sample came.
    horizon : int
        Steps ahead; widths beyond ``reach`` go on by the law of growth that was measured.
    seasonal : bool
        Whether the same step of each origin lies at the same phase of a season.
    spacing : float
        Steps between origins; those nearer than half the reach see nearly the same misses
        and count for less.

    Returns
    -------
    Calibration
    """
    known = ~np.isnan(errors)
    size = np.where(known, np.abs(errors), 0.0)
    origins = len(errors)
    trust = np.exp2((np.arange(origins) - (origins - 1)) / _MEMORY)
    weighted, counts = size * trust[:, None], known * trust[:, None]
    total, count = weighted.sum(axis=0), counts.sum(axis=0)
    scale = _scale(total, count, horizon, seasonal=seasonal)
    units = np.empty_like(size)
    for i in range(origins):
        others = (
            _scale(total - weighted[i], count - counts[i], size.shape[1], seasonal=seasonal)
            if origins > 1
            else scale[: size.shape[1]]
        )
        units[i] = _ratio(size[i], np.maximum(others, _LEAST * scale[: size.shape[1]]))
    order = np.argsort(units[known], kind="stable")
    share = np.broadcast_to(trust[:, None], units.shape)[known][order]
    shapes = np.where(known, _ratio(errors, scale[: errors.shape[1]]), np.nan)
    apart = min(1.0, 2.0 * spacing / errors.shape[1])
    counted = 1.0 + (origins - 1) * apart
    return Calibration(scale, units[known][order], share / share.sum(), shapes, spare=2.0 * counted)


def from_changes(values: np.ndarray, horizon: int) -> Calibration:
    """Give widths for a series too short for origins: a random walk of its own changes.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        At least three values.
    horizon : int
        Steps ahead.

    Returns
    -------
    Calibration
    """
    steps = np.diff(values)
    size = float(np.sqrt(np.mean(steps**2)))
    scale = size * np.sqrt(np.arange(1.0, horizon + 1))
    nothing = np.empty(0)
    return Calibration(scale, nothing, nothing, np.empty((0, 0)), spare=float(len(steps)))


def _scale(total: np.ndarray, count: np.ndarray, horizon: int, *, seasonal: bool) -> np.ndarray:
    """Give the expected miss at each step: measured nearby, drawn to a power of the step."""
    reach = len(total)
    step = np.arange(1.0, max(horizon, reach) + 1)
    amount = float(count.sum())
    if amount <= 0:
        return np.zeros(horizon)
    mean = float(total.sum()) / amount
    growth = 0.0
    half = reach // 2
    early, late = float(count[:half].sum()), float(count[half:].sum())
    if early > 0 and late > 0 and mean > 0:
        first, second = float(total[:half].sum()) / early, float(total[half:].sum()) / late
        if first > 0 and second > 0:
            apart = np.log((reach + half) / max(half, 1))
            growth = float(np.clip(np.log(second / first) / apart, 0.0, _GROWTH))
    law = step**growth
    law *= mean / (float((law[:reach] * count).sum()) / amount)
    if not seasonal or reach < 4 * _LOCAL:
        return np.asarray(law[:horizon])
    window = np.ones(2 * _LOCAL + 1)
    near = np.convolve(total, window, "same")
    near_count = np.convolve(count, window, "same")
    pull = _PULL
    measured = (near + pull * law[:reach]) / (near_count + pull)
    if horizon <= reach:
        return np.asarray(measured[:horizon])
    return np.concatenate((measured, law[reach:horizon]))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    out = np.zeros(np.broadcast_shapes(top.shape, bottom.shape))
    return np.asarray(np.divide(top, bottom, out=out, where=bottom > 0))
