"""Which members the default ensemble has for a series, and the members on logarithms.

>>> sorted(members_for(np.arange(1.0, 99.0), ()))[:2]
['ar changes', 'ar levels']
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitorlab.forecasting._components import (
    Component,
    DoubleSeasonal,
    LevelProfile,
    ProfileAR,
    RidgeAR,
    SeasonalNaive,
    TrendSeason,
)
from monitorlab.forecasting._levels import DampedTrend, Middle, Smoothing

__all__ = ["Logged", "members_for"]


@dataclass(frozen=True, slots=True)
class Logged:
    """A member that works on logarithms, so that swings grow with the level.

    Parameters
    ----------
    inner : Component
        Any member; the values must be positive.
    """

    inner: Component

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        logs = np.log(values)
        low, high = float(logs.min()), float(logs.max())
        room = 0.5 * (high - low)
        out = self.inner.paths(logs, cuts, horizon, seasons)
        return np.asarray(np.exp(np.clip(out, low - room, high + room)))


def members_for(values: np.ndarray, seasons: tuple[int, ...]) -> dict[str, Component]:
    """Choose the members of the default ensemble for a series.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_steps,)
        Without NaN.
    seasons : tuple of int
        Seasons that will be used.

    Returns
    -------
    dict of str to Component

    Notes
    -----
    With a season: four ridge autoregressions that differ in lags, three on logarithms and
    one on levels; profiles with an autoregression on the rest; a profile on a smoothed
    level; double seasonal smoothing; seasons along a trend. Without: a walk, smoothings,
    autoregressions, trends. On a series that is not positive levels stand in for logarithms.
    """
    low = float(values.min())
    positive = low > 0 and float(values.max()) < 1e9 * low

    def logged(member: Component, instead: Component) -> Component:
        return Logged(member) if positive else instead

    if not seasons:
        return {
            "naive": SeasonalNaive(),
            "smoothing fast": Smoothing(0.5),
            "smoothing slow": Smoothing(0.1),
            "mean": Smoothing(0.0),
            "middle": Middle(),
            "ar levels": RidgeAR("slim", shrink=1e-2, walk=1.0, memory=1.0),
            "ar logs": logged(
                RidgeAR("full", shrink=1e-2, memory=1.0),
                RidgeAR("full", shrink=1e-2, memory=0.5),
            ),
            "ar changes": RidgeAR("even", shrink=1e-1, memory=1.0, change=True),
            "damped trend": DampedTrend(),
            "trend": TrendSeason(),
        }
    return {
        "slim ar logs": logged(
            RidgeAR("slim", walk=0.9), RidgeAR("slim", shrink=1e-4, walk=0.9, memory=12.0)
        ),
        "even ar logs": logged(RidgeAR("even", shrink=1e-5), RidgeAR("even", shrink=1e-5)),
        "full ar logs": logged(RidgeAR("full", shrink=1e-5), RidgeAR("full", shrink=1e-5)),
        "short ar logs": logged(RidgeAR("short", shrink=1e-5), RidgeAR("short", shrink=1e-5)),
        "slim ar levels": RidgeAR("slim", walk=0.9),
        "profile ar levels": ProfileAR(),
        "profile ar logs": logged(ProfileAR(), ProfileAR(memory=2.0)),
        "level profile": logged(LevelProfile(), LevelProfile()),
        "double seasonal": logged(DoubleSeasonal(), DoubleSeasonal()),
        "trend": TrendSeason(),
    }
