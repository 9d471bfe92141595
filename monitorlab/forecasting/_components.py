"""The members of the default ensemble: each forecasts from many origins at once, numpy only.

Every member answers ``paths(values, cuts, horizon, seasons)``: row ``i`` is its forecast
from ``values[:cuts[i]]`` alone, so that what it says can be checked against what came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from monitorlab.forecasting._numbers import fading_weights, smoothed, smoothing_reach
from monitorlab.forecasting._ridge import ahead, fit_ridge, lag_layout
from monitorlab.forecasting._season import moving_average

__all__ = [
    "Component",
    "DoubleSeasonal",
    "LevelProfile",
    "ProfileAR",
    "RidgeAR",
    "SeasonalNaive",
    "TrendSeason",
]


class Component(Protocol):
    """What the ensemble and the backtest ask of a model."""

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast ``horizon`` steps from each ``values[:cut]``; shape (n_cuts, horizon)."""
        ...


@dataclass(frozen=True, slots=True)
class SeasonalNaive:
    """Repeat the last season; without a season the last value."""

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        season = seasons[0] if seasons else 1
        place = cuts[:, None] - season + np.arange(horizon) % season
        return values[np.maximum(place, 0)]


@dataclass(frozen=True, slots=True)
class RidgeAR:
    """Ridge autoregression on lags about the seasons, drawn towards a seasonal walk.

    Parameters
    ----------
    layout : str
        See :func:`monitorlab.forecasting._ridge.lag_layout`.
    shrink : float
        Ridge penalty.
    walk : float
        How much of a walk the penalty pulls towards, 0 to 1 (0: towards the mean).
    memory : float
        Half-life of samples in seasons (without a season: in lengths of the series).
    change : bool
        Model the changes from step to step, so that a drift goes on.
    """

    layout: str = "slim"
    shrink: float = 1e-3
    walk: float = 0.0
    memory: float = 40.0
    change: bool = False

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        z = np.diff(values) if self.change else values
        ends = cuts - 1 if self.change else cuts
        shortest = int(ends[0])
        lags = lag_layout(self.layout, seasons, max(1, int(0.6 * shortest)))
        while len(lags) > 1 and shortest - lags[-1] < min(len(lags), 4):
            lags = lags[:-1]
        middle, size = float(z.mean()), float(z.std())
        if size == 0 or shortest <= lags[-1]:
            flat = np.full((len(cuts), horizon), middle)
            return self._undiffed(flat, values, cuts)
        z = (z - middle) / size
        memory = self.memory * (seasons[0] if seasons else len(z))
        coefficients, intercepts = fit_ridge(
            z,
            ends,
            lags,
            shrink=self.shrink,
            half_life=memory,
            prior=self._prior(lags, seasons),
        )
        low, high = _bounds(z, ends)
        tails = z[ends[:, None] - lags[-1] + np.arange(lags[-1])]
        season = seasons[0] if seasons else 1
        out = ahead(
            tails, coefficients, intercepts, lags, horizon, low=low, high=high, season=season
        )
        return self._undiffed(out * size + middle, values, cuts)

    def _prior(self, lags: np.ndarray, seasons: tuple[int, ...]) -> np.ndarray:
        prior = np.zeros(len(lags))
        if self.walk == 0:
            return prior
        if not seasons:
            prior[lags == 1] = self.walk
            return prior
        season = seasons[0]
        prior[lags == season] = 1.0
        if season > 1 and (lags == season + 1).any():
            prior[lags == 1] = self.walk
            prior[lags == season + 1] = -self.walk
        return prior

    def _undiffed(self, out: np.ndarray, values: np.ndarray, cuts: np.ndarray) -> np.ndarray:
        return values[cuts - 1][:, None] + np.cumsum(out, axis=1) if self.change else out


@dataclass(frozen=True, slots=True)
class ProfileAR:
    """A profile of the longest season, shrunken to the shorter, and a small AR on the rest.

    Parameters
    ----------
    memory : float
        Half-life in longest seasons.
    pull : float
        Seasons' worth of weight that the shorter profile has in the longer.
    """

    memory: float = 8.0
    pull: float = 1.0

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        first = seasons[0]
        coefficients, intercepts, tails, rests = [], [], [], []
        lags = np.unique([1, min(2, first), first, first + 1])
        lags = lags[lags < max(2, int(cuts[0]) // 2)]
        out = np.empty((len(cuts), horizon))
        for i, cut in enumerate(cuts):
            span = values[:cut]
            profile = _profile(span, seasons, self.memory, self.pull)
            cycle = len(profile)
            rest = span - profile[np.arange(cut) % cycle]
            out[i] = profile[(cut + np.arange(horizon)) % cycle]
            middle, size = float(rest.mean()), float(rest.std())
            scaled = (rest - middle) / size if size > 0 else np.zeros(cut)
            slope, bias = fit_ridge(
                scaled,
                np.array([cut]),
                lags,
                shrink=1e-3,
                half_life=40.0 * first,
                prior=np.zeros(len(lags)),
            )
            coefficients.append(slope[0])
            intercepts.append(bias[0])
            tails.append(scaled[cut - lags[-1] :])
            rests.append((middle, size))
        reach = np.full(len(cuts), 5.0)
        ran = ahead(
            np.array(tails), np.array(coefficients), np.array(intercepts), lags, horizon,
            low=-reach, high=reach, season=1,
        )  # fmt: skip
        scale = np.array(rests)
        return np.asarray(out + ran * scale[:, 1:] + scale[:, :1])


@dataclass(frozen=True, slots=True)
class LevelProfile:
    """The same profile on an exponentially smoothed level.

    Parameters
    ----------
    alpha : float
        Weight of the newest value in the level.
    memory, pull : float
        As in :class:`ProfileAR`.
    """

    alpha: float = 0.3
    memory: float = 1.0
    pull: float = 0.5

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        out = np.empty((len(cuts), horizon))
        for i, cut in enumerate(cuts):
            profile = _profile(values[:cut], seasons, self.memory, self.pull)
            cycle = len(profile)
            recent = np.arange(max(0, cut - smoothing_reach(self.alpha)), cut)
            level = smoothed(values[recent] - profile[recent % cycle], self.alpha)
            out[i] = level + profile[(cut + np.arange(horizon)) % cycle]
        return out


@dataclass(frozen=True, slots=True)
class DoubleSeasonal:
    """Exponential smoothing with a level and one or two seasons and a fading last error.

    Parameters
    ----------
    alpha, day, week : float
        Share of each error that the level and the seasons take.
    fade : float
        Share of the last error that is left after each step.

    Notes
    -----
    Taylor (2003) with fixed shares. One pass of a plain loop, about 1 µs a step.
    """

    alpha: float = 0.02
    day: float = 0.1
    week: float = 0.2
    fade: float = 0.9

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        first = seasons[0]
        longest = seasons[-1] if seasons[-1] % first == 0 else first
        start = values[:longest]
        level = float(start.mean())
        daily = start.reshape(-1, first).mean(axis=0) - level
        weekly = start - level - np.tile(daily, longest // first)
        d, w = daily.tolist(), (weekly.tolist() if longest > first else [0.0])
        cycle, week = len(w), self.week if longest > first else 0.0
        out = np.empty((len(cuts), horizon))
        step = np.arange(horizon)
        faded = self.fade ** (1.0 + step)
        done, error = 0, 0.0
        alpha, day = self.alpha, self.day
        for row, cut in enumerate(cuts.tolist()):
            for t, y in enumerate(values[done:cut].tolist(), done):
                i, j = t % first, t % cycle
                error = y - level - d[i] - w[j]
                level += alpha * error
                d[i] += day * error
                w[j] += week * error
            done = cut
            place = cut + step
            season = np.array(d)[place % first] + np.array(w)[place % cycle]
            out[row] = level + season + error * faded
        return out


@dataclass(frozen=True, slots=True)
class TrendSeason:
    """The last seasons averaged, each carried along the trend.

    Parameters
    ----------
    count : int
        Seasons averaged.
    share : float
        Half-life of the trend in lengths of the series.
    """

    count: int = 3
    share: float = 0.33

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        season = seasons[0] if seasons else 1
        slope = _slopes(values, cuts, self.share * len(values))
        step = np.arange(horizon)
        out = np.zeros((len(cuts), horizon))
        count = max(1, min(self.count, int(cuts[0]) // season))
        for back in range(1, count + 1):
            place = cuts[:, None] - back * season + step % season
            moved = season * back + season * (step // season)
            out += values[place] + slope[:, None] * moved
        return out / count


def _profile(span: np.ndarray, seasons: tuple[int, ...], memory: float, pull: float) -> np.ndarray:
    """Give the mean swing at each phase of the longest season, newest seasons first in weight."""
    first, longest = seasons[0], seasons[-1]
    if longest % first or len(span) < 2 * longest:
        longest = first
        memory *= 7.0 if len(seasons) > 1 else 1.0
    size = len(span)
    swing = span - moving_average(span, longest)
    cycles = -(-size // longest)
    table = np.zeros(cycles * longest)
    known = np.zeros(cycles * longest)
    table[:size], known[:size] = swing, 1.0
    weights = np.repeat(fading_weights(cycles, memory), longest) * known
    total = (weights * table).reshape(cycles, longest).sum(axis=0)
    weight = weights.reshape(cycles, longest).sum(axis=0)
    inner = longest // first
    daily = total.reshape(inner, first).sum(axis=0) / weight.reshape(inner, first).sum(axis=0)
    return np.asarray((total + pull * np.tile(daily, inner)) / (weight + pull))


def _slopes(values: np.ndarray, cuts: np.ndarray, half_life: float) -> np.ndarray:
    """Give the weighted least-squares slope of each ``values[:cut]``."""
    place = np.arange(len(values)) - float(cuts[-1])
    weight = np.exp2(place / max(half_life, 1.0))
    sums = np.cumsum([weight, weight * place, weight * place**2, weight * values,
                      weight * place * values], axis=1)[:, cuts - 1]  # fmt: skip
    total, t, tt, y, ty = sums
    bottom = total * tt - t * t
    top = total * ty - t * y
    slope = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 1e-12 * total * tt)
    return np.asarray(slope)


def _bounds(z: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the range so far beyond the range so far: where a forecast must stay."""
    low = np.minimum.accumulate(z)[ends - 1]
    high = np.maximum.accumulate(z)[ends - 1]
    room = 0.5 * (high - low)
    return low - room, high + room
