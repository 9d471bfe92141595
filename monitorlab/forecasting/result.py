"""What a forecast says: the line, its interval, capacity, peaks, growth and accuracy."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from monitorlab.display import Result, format_number, to_plain
from monitorlab.forecasting._paths import simulate
from monitorlab.forecasting.capacity import (
    LimitSide,
    MonthlyGrowth,
    TimeToCapacity,
    growth_of,
    time_to,
)
from monitorlab.forecasting.peaks import peaks_of, troughs_of
from monitorlab.times import format_duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.forecasting._engine import Run
    from monitorlab.forecasting._grid import Grid
    from monitorlab.forecasting.accuracy import Accuracy

__all__ = ["Forecast"]

_FAN = (0.5, 0.8)
_SHOWN = 3


class Backtester(Protocol):
    """What a forecast keeps of its model: enough to look back on demand."""

    def accuracy(self, grid: Grid, horizon: int, level: float) -> Accuracy:
        """Forecast from past origins."""
        ...


@dataclass(frozen=True, repr=False, eq=False)
class Forecast(Result):
    """A forecast with intervals, and what follows from it.

    Parameters
    ----------
    mean, lower, upper : pandas.Series, shape (horizon,)
        Forecast and bounds of its interval, on the future index.
    level : float
        Nominal probability that a sample falls between the bounds.
    model : str
        Name of the model that was asked for.
    season : int or None
        Main season in steps, None without one.
    seasons : tuple of int
        All seasons used, the shorter first.
    fallback : str or None
        Why the seasonal naive forecast (or the last value) stands in for the model.
    notes : tuple of str
        What was done to the samples, and what to keep in mind.
    weights : dict of str to float
        Share of each member of the model.
    history : pandas.Series
        The series as it was given.
    capacity : pandas.Series or None
        The limit at each future step, where one was given.
    limit : {"upper", "lower"}
        Whether that is reached from below (used space) or from above (free space).

    Notes
    -----
    ``accuracy``, ``peaks``, ``troughs``, ``time_to_capacity`` and ``monthly_growth`` are
    computed when they are first asked for, always with the same seed, so they never change.

    Examples
    --------
    >>> from monitorlab.forecasting import forecast
    >>> wave = 10 + np.sin(np.arange(24 * 14) / 24 * 2 * np.pi)
    >>> fc = forecast(wave, horizon=24)
    >>> fc.season, round(float(fc.mean.iloc[6]), 2)
    (24, 11.0)
    """

    mean: pd.Series
    lower: pd.Series
    upper: pd.Series
    level: float
    model: str
    season: int | None
    seasons: tuple[int, ...]
    fallback: str | None
    notes: tuple[str, ...]
    weights: dict[str, float]
    history: pd.Series
    capacity: pd.Series | None
    limit: LimitSide
    _grid: Grid = field(repr=False)
    _overview: Grid = field(repr=False)
    _run: Run = field(repr=False)
    _model: Backtester = field(repr=False)

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return len(self.mean)

    @property
    def step(self) -> pd.Timedelta | None:
        """Time between steps; None for plain values."""
        return pd.Timedelta(self._grid.step, unit="ns") if self._grid.timed else None

    @property
    def period(self) -> pd.Timedelta | None:
        """Length of the main season; None without one or without times."""
        if self.season is None or not self._grid.timed:
            return None
        return pd.Timedelta(self.season * self._grid.step, unit="ns")

    @cached_property
    def _paths(self) -> np.ndarray:
        return simulate(self._run, self._grid)

    @cached_property
    def _low_paths(self) -> np.ndarray:
        return simulate(self._run, self._grid, lowest=True)

    @cached_property
    def accuracy(self) -> Accuracy:
        """Rolling-origin MASE and coverage, the seasonal naive forecast beside them."""
        return self._model.accuracy(self._grid, self.horizon, self.level)

    @cached_property
    def time_to_capacity(self) -> TimeToCapacity | None:
        """Time until the capacity is reached, as p10, p50, p90; None without a capacity."""
        if self.capacity is None:
            return None
        known = self.history[np.isfinite(self.history.to_numpy(dtype=np.float64))]
        return time_to(
            self._low_paths if self.limit == "lower" else self._paths,
            self.capacity.to_numpy(dtype=np.float64),
            self._grid,
            current=float(known.iloc[-1]),
            side=self.limit,
        )

    @cached_property
    def peaks(self) -> pd.DataFrame | None:
        """Highest value within 24 h, 7 d, 30 d, 90 d and the horizon; None without times."""
        if not self._grid.timed:
            return None
        return peaks_of(self._paths, self._grid, max(self._samples), self._limits("upper"))

    @cached_property
    def troughs(self) -> pd.DataFrame | None:
        """Lowest value within 24 h, 7 d, 30 d, 90 d and the horizon; None without times."""
        if not self._grid.timed:
            return None
        return troughs_of(self._low_paths, self._grid, min(self._samples), self._limits("lower"))

    @property
    def _samples(self) -> list[float]:
        values = self.history.to_numpy(dtype=np.float64)
        finite = values[np.isfinite(values)]
        return [float(finite.min()), float(finite.max())]

    def _limits(self, side: LimitSide) -> np.ndarray | None:
        if self.capacity is None or self.limit != side:
            return None
        return np.asarray(self.capacity.to_numpy(dtype=np.float64))

    @cached_property
    def monthly_growth(self) -> MonthlyGrowth | None:
        """Growth in 30 days with its uncertainty; None without times or with a short history."""
        longest = self.seasons[-1] if self.seasons else 1
        season = max(1, round(longest * self._grid.step / self._overview.step))
        return growth_of(self._overview, season, self.level)

    def interval(self, level: float) -> pd.DataFrame:
        """Give the bounds of another level.

        Parameters
        ----------
        level : float
            Between 0 and 1.

        Returns
        -------
        pandas.DataFrame
            ``lower`` and ``upper`` on the future index.
        """
        low, high = self._run.bounds(level)
        return pd.DataFrame({"lower": low, "upper": high}, index=self.mean.index)

    def summary(self) -> str:
        """Say the forecast in one line."""
        name = "" if self.mean.name is None else f"{self.mean.name}: "
        step = "" if self.step is None else f" of {format_duration(self._grid.step)}"
        season = "no season" if self.season is None else f"season of {self.season} steps"
        text = (
            f"{name}{self.horizon} steps{step} by {self.model} ({season}), at the end "
            f"{format_number(self.mean.iloc[-1])} ({format_number(self.lower.iloc[-1])} to "
            f"{format_number(self.upper.iloc[-1])} at {format_number(100 * self.level)} %)"
        )
        if self.time_to_capacity is not None:
            what = "lower limit" if self.limit == "lower" else "capacity"
            text += f"; {what}: {self.time_to_capacity}"
        if self.fallback:
            text += f"; {self.fallback}"
        return text

    def to_frame(self) -> pd.DataFrame:
        """Give mean, lower and upper (and the capacity) at each future step."""
        columns = {"mean": self.mean, "lower": self.lower, "upper": self.upper}
        if self.capacity is not None:
            columns["capacity"] = self.capacity
        return pd.DataFrame({k: v.to_numpy() for k, v in columns.items()}, index=self.mean.index)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types; the accuracy has a ``to_dict`` of its own."""
        return {
            "name": None if self.mean.name is None else str(self.mean.name),
            "model": self.model,
            "level": self.level,
            "season": self.season,
            "seasons": list(self.seasons),
            "step_seconds": to_plain(self.step),
            "fallback": self.fallback,
            "notes": list(self.notes),
            "weights": to_plain(self.weights),
            "forecast": to_plain(self.to_frame().rename_axis("time").reset_index()),
            "time_to_capacity": to_plain(self.time_to_capacity),
            "limit": None if self.capacity is None else self.limit,
            "peaks": to_plain(self.peaks),
            "troughs": to_plain(self.troughs),
            "monthly_growth": to_plain(self.monthly_growth),
        }

    def plot(self) -> go.Figure:
        """Draw the history, the fan of intervals, the capacity and the time to it."""
        from monitorlab.forecasting._figure import forecast_figure

        levels = sorted({p for p in (*_FAN, self.level) if p <= self.level}, reverse=True)
        fan = [(level, *self._run.bounds(level)) for level in levels]
        return forecast_figure(self, fan, back=_SHOWN * self.horizon * self._grid.step)
