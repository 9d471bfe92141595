"""Forecasters that statsmodels fits; it is imported on first use (it takes over a second)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from monitorlab.forecasting._refit import Refitted
from monitorlab.forecasting.models import Forecaster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitorlab.forecasting._components import Component

__all__ = [
    "FORECASTERS",
    "ETSForecaster",
    "MSTLETSForecaster",
    "SARIMAXForecaster",
    "ThetaForecaster",
    "UCMForecaster",
]

_NEWEST = 2_000
_NEWEST_STATE_SPACE = 700
_HARMONICS = 4
_NEAR_ONE = 0.97
_SHORT = 10


class ETSForecaster(Forecaster):
    """Exponential smoothing: damped trend, one additive season.

    References
    ----------
    Holt (1957), Winters (1960); statsmodels ``ExponentialSmoothing``.
    """

    name = "ets"
    origins: ClassVar[int] = 6
    folds: ClassVar[int] = 3

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002
        """Give the one member."""
        return {self.name: _ETS(_NEWEST)}


class ThetaForecaster(Forecaster):
    """The theta method on deseasonalised values.

    References
    ----------
    Assimakopoulos and Nikolopoulos (2000), "The theta model"; statsmodels ``ThetaModel``.
    """

    name = "theta"
    origins: ClassVar[int] = 8
    folds: ClassVar[int] = 3

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002
        """Give the one member."""
        return {self.name: _Theta(_NEWEST)}


class MSTLETSForecaster(Forecaster):
    """Seasons by MSTL, repeated; damped-trend smoothing of what is left.

    References
    ----------
    Bandara, Hyndman and Bergmeir (2021), "MSTL"; statsmodels ``MSTL``.
    """

    name = "mstl_ets"
    origins: ClassVar[int] = 4
    folds: ClassVar[int] = 3

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002
        """Give the one member."""
        return {self.name: _MSTLETS(_NEWEST)}


class SARIMAXForecaster(Forecaster):
    """Regression on harmonics of the seasons with ARIMA errors.

    Notes
    -----
    A seasonal ARIMA with a season of a day in hours has a state of hundreds; harmonics
    give the same seasons at a hundredth of the cost.

    References
    ----------
    Hyndman and Athanasopoulos (2021), "Forecasting: Principles and Practice", section 10.5.
    """

    name = "sarimax"
    origins: ClassVar[int] = 3
    folds: ClassVar[int] = 2

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002
        """Give the one member."""
        return {self.name: _SARIMAX(_NEWEST_STATE_SPACE)}


class UCMForecaster(Forecaster):
    """Unobserved components: local level, trigonometric seasons, an AR(1) cycle.

    References
    ----------
    Harvey (1989), "Forecasting, Structural Time Series Models and the Kalman Filter".
    """

    name = "ucm"
    origins: ClassVar[int] = 3
    folds: ClassVar[int] = 2

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002
        """Give the one member."""
        return {self.name: _UCM(_NEWEST_STATE_SPACE)}


FORECASTERS: tuple[type[Forecaster], ...] = (
    ETSForecaster,
    SARIMAXForecaster,
    ThetaForecaster,
    MSTLETSForecaster,
    UCMForecaster,
)


class _ETS(Refitted):
    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        from statsmodels.tsa.holtwinters import ExponentialSmoothing

        model = ExponentialSmoothing(
            values,
            trend="add",
            damped_trend=True,
            seasonal="add" if seasons else None,
            seasonal_periods=seasons[0] if seasons else None,
            initialization_method="heuristic" if len(values) > _SHORT else "estimated",
        )
        return np.asarray(model.fit().forecast(horizon))


class _Theta(Refitted):
    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        from statsmodels.tsa.forecasting.theta import ThetaModel

        model = ThetaModel(
            values,
            period=seasons[0] if seasons else 1,
            deseasonalize=bool(seasons),
            use_test=False,
            method="additive",
        )
        return np.asarray(model.fit().forecast(horizon))


class _MSTLETS(Refitted):
    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        if not seasons:
            return _ETS(self.newest).forecast(values, horizon, ())
        from statsmodels.tsa.seasonal import MSTL

        usable = tuple(s for s in seasons if 2 * s < len(values))
        if not usable:
            return _ETS(self.newest).forecast(values, horizon, seasons)
        parts = MSTL(values, periods=usable).fit()
        swings = np.asarray(parts.seasonal).reshape(len(values), -1)
        line = _ETS(self.newest).forecast(values - swings.sum(axis=1), horizon, ())
        for season, swing in zip(sorted(usable), swings.T, strict=True):
            line = line + swing[len(values) - season + np.arange(horizon) % season]
        return np.asarray(line)


class _SARIMAX(Refitted):
    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        size = len(values)
        waves = _waves(np.arange(size + horizon), seasons)
        rest = values
        if waves.shape[1]:
            rest = values - waves[:size] @ np.linalg.lstsq(waves[:size], values, rcond=None)[0]
        bottom = float(rest @ rest)
        alike = float(rest[1:] @ rest[:-1]) / bottom if bottom > 0 else 0.0
        walks = alike > _NEAR_ONE
        model = SARIMAX(
            values,
            exog=waves[:size] if waves.shape[1] else None,
            order=(1, 1, 1) if walks else (2, 0, 1),
            trend="n" if walks else "c",
        )
        fitted = model.fit(disp=False, maxiter=50)
        ahead = waves[size:] if waves.shape[1] else None
        return np.asarray(fitted.forecast(horizon, exog=ahead))


class _UCM(Refitted):
    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        from statsmodels.tsa.statespace.structural import UnobservedComponents

        model = UnobservedComponents(
            values,
            level="llevel",
            freq_seasonal=[{"period": s, "harmonics": min(_HARMONICS, s // 2)} for s in seasons]
            or None,
            stochastic_freq_seasonal=[False] * len(seasons) or None,
            autoregressive=1,
        )
        fitted = model.fit(disp=False, maxiter=40)
        return np.asarray(fitted.forecast(horizon))


def _waves(place: np.ndarray, seasons: tuple[int, ...]) -> np.ndarray:
    """Give sines and cosines of the seasons, none twice."""
    shares = sorted(
        {
            k / s
            for s in seasons
            for k in range(1, min(_HARMONICS, s // 2) + 1)
            if 2 * k < s  # a sine of half the sampling rate is zero everywhere
        }
    )
    angles = 2 * np.pi * place[:, None] * np.array(shares)
    return np.concatenate((np.sin(angles), np.cos(angles)), axis=1)
