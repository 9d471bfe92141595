"""Forecasters of ``statsforecast``, where it is installed (it asks for an older pandas)."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from monitorlab.errors import MissingExtraError
from monitorlab.forecasting._refit import Refitted
from monitorlab.forecasting.models import Forecaster

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitorlab.forecasting._components import Component

__all__ = ["FORECASTERS", "installed"]

_NEWEST = 2_000
_LONG, _WIDE = 150, 12  # samples and season beyond which orders are compared by a quick fit


def installed() -> bool:
    """Say whether ``statsforecast`` can be imported."""
    return importlib.util.find_spec("statsforecast") is not None


class _StatsForecaster(Forecaster):
    origins: ClassVar[int] = 3
    folds: ClassVar[int] = 2
    kind: ClassVar[str] = ""

    def __init__(self, *, season: int | Sequence[int] | None = None) -> None:
        if not installed():
            raise MissingExtraError(f"the forecasting model {self.name!r}", "statsforecast")
        super().__init__(season=season)

    def members(self, values: np.ndarray, seasons: tuple[int, ...]) -> Mapping[str, Component]:  # noqa: ARG002
        """Give the one member."""
        return {self.name: _Fitted(self.kind, _NEWEST)}


class AutoARIMAForecaster(_StatsForecaster):
    """``AutoARIMA`` of statsforecast, on the shorter season.

    Notes
    -----
    Beyond 150 samples, or a season of 12, the orders are compared by conditional sums of squares
    and only the chosen one is fitted in full, as ``auto.arima`` of R does: two seconds instead
    of seventy for three weeks of hours.

    References
    ----------
    Hyndman and Khandakar (2008), "Automatic Time Series Forecasting: The forecast Package for R".
    """

    name = "statsforecast_autoarima"
    kind = "AutoARIMA"


class AutoETSForecaster(_StatsForecaster):
    """``AutoETS`` of statsforecast, on the shorter season."""

    name = "statsforecast_autoets"
    kind = "AutoETS"


class MSTLForecaster(_StatsForecaster):
    """``MSTL`` of statsforecast, on all seasons."""

    name = "statsforecast_mstl"
    kind = "MSTL"


FORECASTERS: tuple[type[Forecaster], ...] = (
    AutoARIMAForecaster,
    AutoETSForecaster,
    MSTLForecaster,
)


class _Fitted(Refitted):
    def __init__(self, kind: str, newest: int) -> None:
        super().__init__(newest)
        self.kind = kind

    def forecast(self, values: np.ndarray, horizon: int, seasons: tuple[int, ...]) -> np.ndarray:
        library: Any = importlib.import_module("statsforecast.models")
        season = seasons[0] if seasons else 1
        if self.kind == "MSTL" and seasons:
            model = library.MSTL(season_length=list(seasons))
        elif self.kind == "AutoETS":
            model = library.AutoETS(season_length=season)
        else:
            rough = len(values) > _LONG or season > _WIDE
            model = library.AutoARIMA(season_length=season, approximation=rough)
        return np.asarray(model.forecast(y=values, h=horizon)["mean"])
