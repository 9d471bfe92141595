"""What repeats, and where is it going: periods, profiles, decomposition, trend.

>>> import pandas as pd, numpy as np
>>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
>>> find_periods(pd.Series(np.sin(np.arange(480) * np.pi / 12), index=index))
[Timedelta('1 days 00:00:00')]
"""

from monitorlab.seasonality.adjust import Adjusted, remove_seasons
from monitorlab.seasonality.decomposition import Decomposition, decompose
from monitorlab.seasonality.patterns import Seasonality, SeasonalPattern, analyze
from monitorlab.seasonality.periods import find_periods, find_periods_in_samples, periods_table
from monitorlab.seasonality.profiles import Profile, heatmap, profile, weekly_table
from monitorlab.seasonality.trend import Trend, TrendLine, analyze_trend

__all__ = [
    "Adjusted",
    "Decomposition",
    "Profile",
    "SeasonalPattern",
    "Seasonality",
    "Trend",
    "TrendLine",
    "analyze",
    "analyze_trend",
    "decompose",
    "find_periods",
    "find_periods_in_samples",
    "heatmap",
    "periods_table",
    "profile",
    "remove_seasons",
    "weekly_table",
]
