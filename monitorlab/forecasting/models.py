"""Forecasters by name behind one interface: ``fit(series)``, ``predict(horizon, level)``.

>>> model = make_forecaster("seasonal_naive", season=2)
>>> model.fit([1.0, 5.0] * 10).predict(2).mean.tolist()
[1.0, 5.0]
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from monitorlab.display import format_number
from monitorlab.errors import InvalidSeriesError, NotEnoughDataError, UnknownNameError, did_you_mean
from monitorlab.forecasting._auto import members_for
from monitorlab.forecasting._components import Component, SeasonalNaive
from monitorlab.forecasting._engine import ORIGINS, Run, run, usable_seasons
from monitorlab.forecasting._grid import Grid, grid_from
from monitorlab.forecasting._season import find_seasons, week_of
from monitorlab.forecasting._spikes import despiked, reveals
from monitorlab.forecasting.accuracy import Accuracy, rolling_accuracy
from monitorlab.forecasting.capacity import LimitSide, side_of
from monitorlab.forecasting.result import Forecast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Auto", "Forecaster", "SeasonalNaiveForecaster", "make_forecaster", "models"]


class Forecaster(ABC):
    """What every forecaster answers.

    Parameters
    ----------
    season : int or sequence of int, optional
        Season or seasons in steps; found where None, none where 1 or empty.

    Notes
    -----
    Whatever the model, forecasts from past origins are compared with what came. They set
    the widths of the intervals, and a model that does not beat the seasonal naive forecast
    there is replaced by it; ``Forecast.fallback`` says so.

    Examples
    --------
    >>> from monitorlab.forecasting import Forecaster, make_forecaster
    >>> model = make_forecaster("seasonal_naive", season=3)
    >>> isinstance(model, Forecaster), model
    (True, SeasonalNaiveForecaster(season=3))
    >>> model.fit([1.0, 5.0, 2.0] * 10).predict(4).mean.tolist()
    [1.0, 5.0, 2.0, 1.0]
    """

    name: ClassVar[str] = ""
    origins: ClassVar[int] = ORIGINS
    folds: ClassVar[int] = 5

    def __init__(self, *, season: int | Sequence[int] | None = None) -> None:
        self.season = season
        self._given = _checked_season(season)
        self._grid: Grid | None = None
        self._history: pd.Series | None = None
        self._found: tuple[int, ...] = ()
        self._seasons: tuple[int, ...] = ()
        self._hint: tuple[int, ...] | None = None
        self._overview: Grid | None = None
        self._runs: dict[int, Run] = {}

    def fit(self, series: Any) -> Self:
        """Take a series: check it, lay it on a regular grid, find its season.

        Parameters
        ----------
        series : pandas.Series, numpy.ndarray or sequence of numbers
            With a tz-aware increasing ``DatetimeIndex``, or regular samples.

        Returns
        -------
        Forecaster
            Itself.

        Raises
        ------
        InvalidSeriesError
            If the values are no numbers, or the index cannot be used.
        NotEnoughDataError
            With fewer than four finite samples.
        """
        return self.adopt(grid_from(series), series)

    def adopt(self, grid: Grid, series: Any, *, overview: Grid | None = None) -> Self:
        """Take a series that is already on a grid (for example a coarser one).

        Parameters
        ----------
        grid : Grid
            Regular values.
        series : pandas.Series, numpy.ndarray or sequence of numbers
            What it was made from, kept as the history of the result.
        overview : Grid, optional
            The whole series in coarser steps, where the grid holds its newest part only:
            seasons are looked for there.

        Returns
        -------
        Forecaster
            Itself.
        """
        self._overview = grid if overview is None else overview
        self._hint = None if overview is None else _from_overview(grid, overview)
        self._found = self._find(grid)
        self._seasons = self._look_back(grid, self._found)
        self._grid = grid.filled(self._seasons)
        self._history = (
            series if isinstance(series, pd.Series) else pd.Series(np.asarray(series, dtype=float))
        )
        self._runs = {}
        return self

    def predict(
        self,
        horizon: int,
        level: float = 0.95,
        *,
        capacity: pd.Series | None = None,
        limit: str = "auto",
    ) -> Forecast:
        """Forecast the next steps with intervals.

        Parameters
        ----------
        horizon : int
            Steps ahead.
        level : float
            Nominal probability of the intervals, between 0 and 1.
        capacity : pandas.Series, optional
            The limit at each future step.
        limit : {"auto", "upper", "lower"}
            Whether it is reached from below or from above; "auto": see
            :func:`monitorlab.forecasting.capacity.side_of`.

        Returns
        -------
        Forecast

        Raises
        ------
        NotEnoughDataError
            Before ``fit``.
        """
        if self._grid is None or self._history is None:
            msg = f"{self.name}: predict needs a series; call fit(series) first"
            raise NotEnoughDataError(msg, needed=1, got=0)
        steps, level = _checked_horizon(horizon), _checked_level(level)
        if steps not in self._runs:
            self._runs = {steps: self._run(self._grid, self._seasons, steps)}
        made = self._runs[steps]
        lower, upper = made.bounds(level)
        index = self._grid.future(steps)
        side, told = _side(self._history, capacity, limit)
        reach = _reach_notes(self._grid, made, steps, lower)
        used = tuple(s for s in made.plan.seasons if s in self._found)

        def line(values: np.ndarray) -> pd.Series:
            return pd.Series(values, index=index, name=self._grid.name if self._grid else None)

        return Forecast(
            mean=line(made.mean),
            lower=line(lower),
            upper=line(upper),
            level=level,
            model=self.name,
            season=used[0] if used else None,
            seasons=used,
            fallback=made.fallback,
            notes=(*self._grid.notes, *made.notes, *reach, *told),
            weights=made.weights,
            history=self._history,
            capacity=capacity,
            limit=side,
            _grid=self._grid,
            _overview=self._overview or self._grid,
            _run=made,
            _model=self,
        )

    def accuracy(self, grid: Grid, horizon: int, level: float) -> Accuracy:
        """Forecast from past origins of a grid, everything from scratch at each.

        Parameters
        ----------
        grid : Grid
            The series.
        horizon : int
            Steps ahead.
        level : float
            Nominal probability of the intervals.

        Returns
        -------
        Accuracy
        """
        seasons = self._seasons if self._given is None else self._given
        return rolling_accuracy(
            grid,
            lambda head, steps: self._run(head, self._look_back(head, self._find(head)), steps),
            lambda head, steps: run(head, _naive_members, steps, self._find(head)),
            model=self.name,
            horizon=horizon,
            level=level,
            season=seasons[0] if seasons else 1,
            folds=self.folds,
        )

    @abstractmethod
    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:
        """Give the members of the model for a series; one for a plain model."""

    def _find(self, grid: Grid) -> tuple[int, ...]:
        return self._ready(grid)[1]

    def _ready(self, grid: Grid) -> tuple[Grid, tuple[int, ...]]:
        """Give the grid up to its newest sample, made ready for fitting, and its seasons."""
        known = grid.known()
        before = self._seasons_of(known.values, grid)
        cleaned = despiked(known.values)
        if cleaned is None:
            return known, before
        seasons = self._seasons_of(cleaned, grid)
        if not reveals(cleaned, seasons, known.values, before):
            return known, before
        return replace(known, cleaned=cleaned), seasons

    def _seasons_of(self, values: np.ndarray, grid: Grid) -> tuple[int, ...]:
        if self._given is not None:
            return usable_seasons(self._given, len(grid))
        if self._hint is not None:
            return usable_seasons(self._hint, len(grid))
        return find_seasons(values, step=grid.step if grid.timed else 0)

    def _look_back(self, grid: Grid, found: tuple[int, ...]) -> tuple[int, ...]:  # noqa: ARG002 - for subclasses
        """Give the seasons that the model works with."""
        return found

    def _run(self, grid: Grid, seasons: tuple[int, ...], horizon: int) -> Run:
        known = self._ready(grid)[0]
        lead = len(grid) - len(known)
        made = run(known, self.members, horizon + lead, seasons, origins=self.origins)
        return made.after(lead)

    def __repr__(self) -> str:
        season = "" if self.season is None else f"season={self.season!r}"
        return f"{type(self).__name__}({season})"


class Auto(Forecaster):
    """The default: the weighted median of a small ensemble, numpy only.

    Notes
    -----
    Members are ridge autoregressions on seasonal lags (levels and logarithms), seasonal
    profiles, exponential smoothing with two seasons and a trend; without a season smoothings,
    autoregressions and trends. Each weighs by the inverse of its mean miss from past
    origins. About 20 ms for 960 samples with intervals.

    Examples
    --------
    >>> import numpy as np
    >>> wave = 10 + np.sin(np.arange(24 * 14) / 24 * 2 * np.pi)
    >>> fc = Auto(season=24).fit(wave).predict(12)
    >>> fc.mean.iloc[[5, 11]].round(2).tolist()
    [10.97, 10.26]
    """

    name = "auto"

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:
        """Give the members of the ensemble."""
        return members_for(values, seasons)

    def _look_back(self, grid: Grid, found: tuple[int, ...]) -> tuple[int, ...]:
        """Add the week to a day (the day to an hour): seen or not, it costs little to look."""
        if self._given is not None or not found:
            return found
        longer = week_of(found[0], grid.step if grid.timed else 0) * found[0]
        return usable_seasons((*found, longer), len(grid))


class SeasonalNaiveForecaster(Forecaster):
    """Repeat the last season (the last value without one): the floor for all the others.

    Examples
    --------
    >>> SeasonalNaiveForecaster(season=3).fit([1.0, 5.0, 2.0] * 10).predict(4).mean.tolist()
    [1.0, 5.0, 2.0, 1.0]
    >>> SeasonalNaiveForecaster(season=1).fit([1.0, 5.0, 2.0] * 10).predict(2).mean.tolist()
    [2.0, 2.0]
    """

    name = "seasonal_naive"

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002 - the same for all
        """Give the one member."""
        return {"seasonal naive": SeasonalNaive()}


def models() -> list[str]:
    """List the names of the models that can be asked for here.

    Returns
    -------
    list of str
        The default first; those of ``statsforecast`` only where it is installed.

    Examples
    --------
    >>> models()[:3]
    ['auto', 'seasonal_naive', 'ets']
    """
    from monitorlab.forecasting import _statsforecast

    names = list(_registry())
    return [n for n in names if not n.startswith("statsforecast_") or _statsforecast.installed()]


def make_forecaster(name: str, *, season: int | Sequence[int] | None = None) -> Forecaster:
    """Make a forecaster by name.

    Parameters
    ----------
    name : str
        One of :func:`models`.
    season : int or sequence of int, optional
        Season or seasons in steps; found where None, none where 1 or empty.

    Returns
    -------
    Forecaster

    Raises
    ------
    UnknownNameError
        If there is no such model.
    MissingExtraError
        If it needs a package that is not installed.

    Examples
    --------
    >>> make_forecaster("auto")
    Auto()
    """
    known = _registry()
    if name not in known:
        msg = f"unknown forecasting model {name!r}{did_you_mean(str(name), known)}"
        raise UnknownNameError(msg)
    return known[name](season=season)


def _naive_members(values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG001 - the same for all
    return {"seasonal naive": SeasonalNaive()}


def _registry() -> dict[str, type[Forecaster]]:
    from monitorlab.forecasting import _statsforecast, _statsmodels

    own: tuple[type[Forecaster], ...] = (Auto, SeasonalNaiveForecaster)
    return {m.name: m for m in (*own, *_statsmodels.FORECASTERS, *_statsforecast.FORECASTERS)}


def _from_overview(grid: Grid, overview: Grid) -> tuple[int, ...]:
    """Find seasons in coarse steps of the whole series and give them in steps of the grid."""
    found = find_seasons(overview.values, step=overview.step)
    return tuple(round(s * overview.step / grid.step) for s in found)


def _reach_notes(grid: Grid, made: Run, horizon: int, lower: np.ndarray) -> list[str]:
    plan, told = made.plan, []
    if bool((lower <= made.floor).any()):
        told.append("the history never went below zero: the forecast is kept at zero or more")
    if len(plan.cuts) and horizon > plan.reach:
        on = (
            "intervals widen by the growth measured so far"
            if made.beyond is None
            else "the forecast goes on along the slope of the history as far as that is sure"
        )
        told.append(
            f"the history of {len(grid)} steps lets misses be measured {plan.reach} steps "
            f"ahead; beyond, up to {horizon}, {on}"
        )
    return told


def _side(
    history: pd.Series, capacity: pd.Series | None, wanted: str
) -> tuple[LimitSide, list[str]]:
    """Say from which side the limit is reached, and tell where that had to be guessed."""
    values = history.to_numpy(dtype=np.float64, na_value=np.nan)
    values = values[np.isfinite(values)]
    first = np.inf if capacity is None else float(capacity.iloc[0])
    side = side_of(values, first, wanted, name=str(history.name or ""))
    if wanted != "auto" or side == "upper":
        return side, []
    note = (
        f"every sample lies above the limit of {format_number(first)}: it is taken as a lower "
        "limit, reached from above; limit='upper' takes it as passed"
    )
    return side, [note]


def _checked_season(season: Any) -> tuple[int, ...] | None:
    if season is None:
        return None
    several = isinstance(season, (list, tuple, set, np.ndarray))
    wanted = list(season) if several else [season]
    for value in wanted:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            msg = f"season must be a whole number of steps (or several), got {value!r}"
            raise InvalidSeriesError(msg)
    return tuple(sorted({int(v) for v in wanted if v >= 2}))


def _checked_horizon(horizon: Any) -> int:
    if isinstance(horizon, bool) or not isinstance(horizon, (int, np.integer)) or horizon < 1:
        msg = f"horizon must be a whole number of steps, 1 or more, got {horizon!r}"
        raise InvalidSeriesError(msg)
    return int(horizon)


def _checked_level(level: Any) -> float:
    if isinstance(level, bool) or not 0.0 < float(level) < 1.0:
        msg = f"level must lie between 0 and 1, for example 0.95, got {level!r}"
        raise InvalidSeriesError(msg)
    return float(level)
