"""What repeats in a set of series: periods, strength, peaks, or why nothing can be said.

>>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
>>> load = pd.Series(np.sin(np.arange(480) * np.pi / 12), index=index)
>>> analyze({"load": load}).rows[0].periods
(Timedelta('1 days 00:00:00'),)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import Result, to_plain
from monitorlab.errors import NotEnoughDataError
from monitorlab.model import SeriesKey
from monitorlab.seasonality.decomposition import Decomposition, decompose, period_name
from monitorlab.seasonality.grid import check_series
from monitorlab.seasonality.periods import periods_table
from monitorlab.seasonality.profiles import Profile, heatmap, profile
from monitorlab.seasonality.rows import row_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["SeasonalPattern", "Seasonality", "analyze"]

DAY = pd.Timedelta("1D")
WEEK = pd.Timedelta("7D")
CLOCKS = ("hour", "weekday", "month")


@dataclass(frozen=True, slots=True)
class SeasonalPattern:
    """What repeats in one series.

    Parameters
    ----------
    series : str
        Name of the series.
    periods : tuple of pandas.Timedelta
        Found periods, strongest first; empty when none beats noise.
    strengths, p_values : tuple of float
        One a period.
    profiles : dict of str to Profile
        By "hour" where a day was found, by "weekday" where a week was found, by the
        period for any other.
    refused : dict of str to str
        Profiles that the span cannot support, with the reason.
    span : pandas.Timedelta
        Time between the first and the last sample.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import analyze
    >>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
    >>> load = pd.Series(np.sin(np.arange(480) * np.pi / 12), index=index, name="load")
    >>> pattern = analyze({"load": load})["load"]
    >>> pattern.periods, int(pattern.profiles["hour"].peak)
    ((Timedelta('1 days 00:00:00'),), 6)
    """

    series: str
    periods: tuple[pd.Timedelta, ...]
    strengths: tuple[float, ...]
    p_values: tuple[float, ...]
    profiles: dict[str, Profile]
    refused: dict[str, str]
    span: pd.Timedelta


@dataclass(frozen=True, repr=False, eq=False)
class Seasonality(Result):
    """Seasonal patterns of several series.

    Parameters
    ----------
    rows : tuple of SeasonalPattern
        One a series, in the order given.
    timezone : str or None
        Zone of the clock for profiles; None uses the zone of each series.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import analyze
    >>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
    >>> load = pd.Series(np.sin(np.arange(480) * np.pi / 12), index=index, name="load")
    >>> analyze({"load": load})
    Seasonality: load repeats every 1 day
    >>> analyze({"load": load, "flat": 0 * load}).summary()
    '1 of 2 series have a season'
    """

    rows: tuple[SeasonalPattern, ...]
    timezone: str | None
    _data: Mapping[str, pd.Series] = field(default_factory=dict)

    def __getitem__(self, name: object) -> SeasonalPattern:
        """Give the pattern of a series by its name, key or position."""
        return row_of(self.rows, name)

    def summary(self) -> str:
        """Say the result in one line."""
        seasonal = [r for r in self.rows if r.periods]
        if len(self.rows) == 1:
            row = self.rows[0]
            names = ", ".join(period_name(p) for p in row.periods)
            return f"{row.series} repeats every {names}" if names else f"{row.series}: no season"
        return f"{len(seasonal)} of {len(self.rows)} series have a season"

    def to_frame(self) -> pd.DataFrame:
        """Give one row a series and period (and one for a series without a period)."""
        rows: list[list[Any]] = []
        for row in self.rows:
            if not row.periods:
                rows.append([row.series, pd.NaT, np.nan, np.nan, None, None])
            for period, strength, p in zip(row.periods, row.strengths, row.p_values, strict=True):
                shape = row.profiles.get(_clock(period))
                peak, trough = (shape.peak, shape.trough) if shape else (None, None)
                rows.append([row.series, period, strength, p, peak, trough])
        columns = ["series", "period", "strength", "p_value", "peak", "trough"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types."""
        return {
            "timezone": self.timezone,
            "rows": [
                {
                    "series": r.series,
                    "periods_seconds": [p.total_seconds() for p in r.periods],
                    "strengths": to_plain(r.strengths),
                    "p_values": to_plain(r.p_values),
                    "profiles": {k: v.to_dict() for k, v in r.profiles.items()},
                    "refused": dict(r.refused),
                    "span_seconds": r.span.total_seconds(),
                }
                for r in self.rows
            ],
        }

    def plot(self, series: object = 0) -> go.Figure:
        """Draw the strongest profile of a series, or the series itself where it has none."""
        row = self[series]
        shapes = [row.profiles[c] for c in map(_clock, row.periods) if c in row.profiles]
        if shapes:
            return shapes[0].plot()
        import plotly.graph_objects as go

        from monitorlab import plotting

        data = self._data[row.series]
        t, v = plotting.downsample(plotting.time_axis(data.index), data.to_numpy())
        figure = plotting.new_figure(title=f"{row.series}: no season")
        figure.add_trace(go.Scatter(x=t, y=v, mode="lines", name=row.series))
        return figure

    def heatmap(self, series: object = 0) -> go.Figure:
        """Draw hour of day against weekday for a series (needs two weeks)."""
        return heatmap(self._data[self[series].series], tz=self.timezone)

    def decompose(self, series: object = 0) -> Decomposition:
        """Split a series into trend, its found seasons and residual."""
        row = self[series]
        return decompose(self._data[row.series], list(row.periods))


def analyze(
    series_map: pd.Series | Mapping[SeriesKey, pd.Series], tz: str | None = None
) -> Seasonality:
    """Find what repeats in each series, with profiles, peaks and troughs.

    Parameters
    ----------
    series_map : pandas.Series or mapping of SeriesKey to pandas.Series
        Any spacing; tz-aware increasing index; NaN where missing.
    tz : str, optional
        Time zone of the clock for hours and weekdays; default the zone of each index.

    Returns
    -------
    Seasonality
        One pattern a series. Series too short to judge get no period, and the reasons
        under ``refused``.

    Raises
    ------
    InvalidSeriesError
        If an index is naive, unsorted, duplicated or no DatetimeIndex.

    See Also
    --------
    find_periods, profile, decompose

    Examples
    --------
    >>> index = pd.date_range("2026-01-05", periods=100, freq="1min", tz="UTC")
    >>> result = analyze({"load": pd.Series(np.ones(100), index=index)})
    >>> "two periods of 1 day" in result["load"].refused["hour"]
    True
    """
    if isinstance(series_map, pd.Series):
        items = {str(series_map.name or "series"): series_map}
    else:
        items = {str(k): s for k, s in series_map.items()}
    return Seasonality(tuple(_pattern(n, s, tz) for n, s in items.items()), tz, items)


def _clock(period: pd.Timedelta) -> str:
    return {DAY: "hour", WEEK: "weekday"}.get(period, period_name(period))


def _pattern(name: str, series: pd.Series, tz: str | None) -> SeasonalPattern:
    times, _ = check_series(series, f"seasonality of {name}")
    span = pd.Timedelta(int(times[-1] - times[0]) if len(times) else 0, unit="ns")
    table = periods_table(series)
    periods = [pd.Timedelta(p) for p in table["period"]]
    named = series.rename(name)
    wanted: dict[str, Any] = {_clock(p): (_clock(p) if _clock(p) in CLOCKS else p) for p in periods}
    profiles, refused = {}, {}
    for clock, by in ({"hour": "hour", "weekday": "weekday"} | wanted).items():
        try:
            shape = profile(named, by=by, tz=tz)
        except NotEnoughDataError as error:
            refused[clock] = str(error)
            continue
        if clock in wanted:
            profiles[clock] = shape
    return SeasonalPattern(
        name, tuple(periods), tuple(map(float, table["strength"])),
        tuple(map(float, table["p_value"])), profiles, refused, span,
    )  # fmt: skip
