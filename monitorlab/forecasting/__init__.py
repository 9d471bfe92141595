"""Forecasting: any regular or irregular series, with intervals that cover what they say.

>>> from monitorlab import forecasting
>>> forecasting.forecast([1.0, 2.0, 3.0, 4.0] * 10, horizon=4).mean.round(6).tolist()
[1.0, 2.0, 3.0, 4.0]
"""

from monitorlab.forecasting.accuracy import Accuracy
from monitorlab.forecasting.api import forecast, forecast_series
from monitorlab.forecasting.capacity import MonthlyGrowth, TimeToCapacity
from monitorlab.forecasting.metrics import coverage, mase, msis, seasonal_naive_scale, smape
from monitorlab.forecasting.models import Auto, Forecaster, make_forecaster, models
from monitorlab.forecasting.result import Forecast

__all__ = [
    "Accuracy",
    "Auto",
    "Forecast",
    "Forecaster",
    "MonthlyGrowth",
    "TimeToCapacity",
    "coverage",
    "forecast",
    "forecast_series",
    "make_forecaster",
    "mase",
    "models",
    "msis",
    "seasonal_naive_scale",
    "smape",
]
