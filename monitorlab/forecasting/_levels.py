"""Members that know no season: a smoothed level, a middle, a damped trend."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from monitorlab.forecasting._numbers import smoothed, smoothing_reach

__all__ = ["DampedTrend", "Middle", "Smoothing"]


class _Unseasonal(ABC):
    """A member that looks at no season."""

    __slots__ = ()

    def paths(
        self,
        values: np.ndarray,
        cuts: np.ndarray,
        horizon: int,
        seasons: tuple[int, ...],  # noqa: ARG002 - no season here
    ) -> np.ndarray:
        """Forecast from each cut, whatever the seasons."""
        return self.ahead(values, cuts, horizon)

    @abstractmethod
    def ahead(self, values: np.ndarray, cuts: np.ndarray, horizon: int) -> np.ndarray:
        """Forecast from each cut."""


@dataclass(frozen=True, slots=True)
class Smoothing(_Unseasonal):
    """Simple exponential smoothing: a flat line at the smoothed level.

    Parameters
    ----------
    alpha : float
        Weight of the newest value; 0 gives the mean of the whole span.
    """

    alpha: float = 0.3

    def ahead(self, values: np.ndarray, cuts: np.ndarray, horizon: int) -> np.ndarray:
        """Forecast from each cut."""
        if self.alpha == 0:
            level = np.cumsum(values)[cuts - 1] / cuts
        else:
            reach = smoothing_reach(self.alpha)
            level = np.array([smoothed(values[max(0, c - reach) : c], self.alpha) for c in cuts])
        return np.repeat(level[:, None], horizon, axis=1)


@dataclass(frozen=True, slots=True)
class DampedTrend(_Unseasonal):
    """Holt's level and slope with fixed shares and a damped slope.

    Parameters
    ----------
    alpha, beta : float
        Shares of the error that level and slope take.
    damping : float
        Share of the slope left after each step; 1 keeps it.
    """

    alpha: float = 0.3
    beta: float = 0.05
    damping: float = 0.98

    def ahead(self, values: np.ndarray, cuts: np.ndarray, horizon: int) -> np.ndarray:
        """Forecast from each cut."""
        few = max(2, min(10, int(cuts[0])))
        level = float(values[0])
        slope = float(values[few - 1] - values[0]) / (few - 1)
        step = np.arange(1, horizon + 1)
        reach = step if self.damping == 1 else np.cumsum(self.damping**step)
        out = np.empty((len(cuts), horizon))
        done = 1
        for row, cut in enumerate(cuts.tolist()):
            for y in values[done:cut].tolist():
                ahead_one = level + self.damping * slope
                error = y - ahead_one
                level = ahead_one + self.alpha * error
                slope = self.damping * slope + self.alpha * self.beta * error
            done = cut
            out[row] = level + slope * reach
        return out


@dataclass(frozen=True, slots=True)
class Middle(_Unseasonal):
    """The median of the newest values: what fits a series of zeros and bursts.

    Parameters
    ----------
    newest : int
        Values at the most.
    """

    newest: int = 500

    def ahead(self, values: np.ndarray, cuts: np.ndarray, horizon: int) -> np.ndarray:
        """Forecast from each cut."""
        level = np.array([np.median(values[max(0, c - self.newest) : c]) for c in cuts])
        return np.repeat(level[:, None], horizon, axis=1)
