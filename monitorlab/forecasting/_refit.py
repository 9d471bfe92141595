"""Members that other libraries fit: refitted at every origin, their troubles told."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod

import numpy as np

from monitorlab.forecasting._components import SeasonalNaive

__all__ = ["Refitted"]

_TROUBLES = (np.linalg.LinAlgError, ValueError, ArithmeticError, IndexError, RuntimeError)


class Refitted(ABC):
    """A member that is fitted anew for each training span.

    Parameters
    ----------
    newest : int
        Samples at the most that are fitted, for speed.

    Notes
    -----
    A fit that fails, or whose forecast is not finite, is replaced by the seasonal naive
    forecast at that origin, and ``notes`` says how often and why; warnings of the library
    (no convergence, overflow) are counted there too instead of being printed.
    """

    def __init__(self, newest: int) -> None:
        self.newest = newest
        self._fits = 0
        self._failed: list[str] = []
        self._warned: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """What went wrong, in words; empty when nothing did."""
        told = []
        if self._failed:
            told.append(
                f"{len(self._failed)} of {self._fits} fits failed ({self._failed[0]}); the "
                "seasonal naive forecast stands in there"
            )
        if self._warned:
            told.append(f"{len(self._warned)} of {self._fits} fits warned ({self._warned[0]})")
        return tuple(told)

    def paths(
        self, values: np.ndarray, cuts: np.ndarray, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        """Forecast from each cut."""
        return np.array([self._from(values, int(c), horizon, seasons) for c in cuts])

    @abstractmethod
    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        """Fit values of mean 0 and deviation 1 and forecast; shape (horizon,)."""

    def _from(
        self, values: np.ndarray, cut: int, horizon: int, seasons: tuple[int, ...]
    ) -> np.ndarray:
        span = values[max(0, cut - self.newest) : cut]
        kept = tuple(s for s in seasons if 2 * s <= len(span))
        middle, size = float(span.mean()), float(span.std())
        if size == 0:
            return np.full(horizon, middle)
        self._fits += 1
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                out = np.asarray(self.forecast((span - middle) / size, horizon, kept), float)
            except _TROUBLES as error:
                self._failed.append(f"{type(error).__name__}: {error}")
                out = np.full(horizon, np.nan)
            else:
                if not np.isfinite(out).all():
                    self._failed.append("the forecast is not finite")
        if caught:
            first = caught[0]
            self._warned.append(f"{first.category.__name__}: {str(first.message).strip()}")
        if out.shape != (horizon,) or not np.isfinite(out).all():
            return np.asarray(SeasonalNaive().paths(values, np.array([cut]), horizon, seasons)[0])
        return out * size + middle
