"""What a typical hour, weekday or month looks like, with bands, peak and trough.

>>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
>>> load = pd.Series(np.where(index.hour == 14, 9.0, 1.0), index=index, name="load")
>>> print(profile(load, by="hour").peak)
14
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import Result, format_number, to_plain
from monitorlab.errors import NotEnoughDataError
from monitorlab.seasonality.decomposition import period_name
from monitorlab.seasonality.grid import check_series
from monitorlab.times import DurationLike, from_ns, parse_duration, to_index

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Profile", "heatmap", "profile", "weekly_table"]

DAY_NS = 86_400_000_000_000
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CALENDAR_NS = {"hour": DAY_NS, "weekday": 7 * DAY_NS, "month": 365 * DAY_NS}
PERIOD_BINS = 24
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, repr=False, eq=False)
class Profile(Result):
    """Quantiles of a series by the phase of a season.

    Parameters
    ----------
    series : str
        Name of the series.
    by : str
        "hour", "weekday", "month", or the period.
    table : pandas.DataFrame
        Index the phase; columns ``low`` (5 %), ``q25``, ``median``, ``q75``, ``high``
        (95 %), ``mean``, ``count``.
    peak, trough : object
        Phase with the highest and the lowest median.
    cycles : float
        Whole seasons in the span.
    timezone : str
        Zone of the clock used.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import profile
    >>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
    >>> load = pd.Series(np.where(index.hour == 14, 9.0, 1.0), index=index, name="load")
    >>> result = profile(load, by="hour")
    >>> int(result.peak), result.table.loc[14, "median"].item(), result.cycles
    (14, 9.0, 20.0)
    """

    series: str
    by: str
    table: pd.DataFrame
    peak: Any
    trough: Any
    cycles: float
    timezone: str

    def summary(self) -> str:
        """Say the result in one line."""
        medians = self.table["median"]
        return (
            f"{self.series} by {self.by}: peak {format_number(medians.loc[self.peak])} at "
            f"{self.peak}, trough {format_number(medians.loc[self.trough])} at {self.trough} "
            f"({self.cycles:.1f} cycles, {self.timezone})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the table of quantiles."""
        return self.table.copy()

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types."""
        return {
            "series": self.series, "by": self.by, "peak": to_plain(self.peak),
            "trough": to_plain(self.trough), "cycles": self.cycles, "timezone": self.timezone,
            "table": to_plain(self.table),
        }  # fmt: skip

    def plot(self) -> go.Figure:
        """Draw the median with the middle half and nine tenths as bands."""
        import plotly.graph_objects as go

        from monitorlab import plotting

        figure = plotting.new_figure(title=f"{self.series} by {self.by} ({self.timezone})")
        x = [str(v) for v in self.table.index]
        color = plotting.PALETTE[0]
        for low, high, name, alpha in (
            ("low", "high", "5–95 %", 0.14),
            ("q25", "q75", "25–75 %", 0.28),
        ):
            figure.add_trace(
                go.Scatter(x=x, y=self.table[high], mode="lines", line={"width": 0},
                           showlegend=False, hoverinfo="skip")
            )  # fmt: skip
            figure.add_trace(
                go.Scatter(x=x, y=self.table[low], mode="lines", line={"width": 0}, name=name,
                           fill="tonexty", fillcolor=plotting.rgba(color, alpha))
            )  # fmt: skip
        figure.add_trace(
            go.Scatter(x=x, y=self.table["median"], mode="lines+markers", name="median",
                       line={"color": color, "width": 2})
        )  # fmt: skip
        return figure


def profile(
    series: pd.Series, by: str | DurationLike = "hour", *, tz: str | None = None
) -> Profile:
    """Summarise a series by hour of day, weekday, month, or phase of any period.

    Parameters
    ----------
    series : pandas.Series
        Any spacing; tz-aware increasing index; NaN where missing.
    by : {"hour", "weekday", "month"} or a duration
        A duration such as ``"6h"`` is cut into 24 phases.
    tz : str, optional
        Time zone of the clock for hours, weekdays and months; default the zone of the
        index. Daylight saving is followed: 9 stays nine in the morning.

    Returns
    -------
    Profile
        Phases without a sample are left out.

    Raises
    ------
    NotEnoughDataError
        If the span holds fewer than two periods: what is seen once need not repeat.
    InvalidSeriesError
        If the index is naive, unsorted, duplicated or no DatetimeIndex.
    TimeError
        If ``by`` is neither a name nor a duration.

    Examples
    --------
    >>> index = pd.date_range("2026-01-05", periods=480, freq="1h", tz="UTC")
    >>> profile(pd.Series(np.arange(480) % 6, index=index), by="6h").cycles
    80.0
    """
    times, values = check_series(series, "profile")
    length = CALENDAR_NS[by] if isinstance(by, str) and by in CALENDAR_NS else parse_duration(by)
    name = str(by) if isinstance(by, str) and by in CALENDAR_NS else _name(length)
    cycles = _require(times, length, f"profile by {name}")
    zone = tz or str(series.index.tz)
    if name in CALENDAR_NS:
        clock = to_index(times).tz_convert(zone)
        labels = {"hour": clock.hour, "weekday": clock.day_of_week, "month": clock.month - 1}[name]
        phase = np.asarray(labels, dtype=np.int64)
        names: list[Any] = list(
            range(24) if name == "hour" else WEEKDAYS if name == "weekday" else MONTHS
        )
    else:
        phase = (times % length) * PERIOD_BINS // length
        names = [pd.Timedelta(length * i // PERIOD_BINS, unit="ns") for i in range(PERIOD_BINS)]
    table = _quantiles(phase, values, names, name)
    medians = table["median"]
    return Profile(
        str(series.name or "series"), name, table, medians.idxmax(), medians.idxmin(), cycles, zone
    )


def weekly_table(series: pd.Series, *, tz: str | None = None) -> pd.DataFrame:
    """Give the median for each weekday (rows) and hour (columns).

    Parameters
    ----------
    series : pandas.Series
        Any spacing; tz-aware increasing index; two weeks or more.
    tz : str, optional
        Time zone of the clock; default the zone of the index.

    Returns
    -------
    pandas.DataFrame, shape (7, 24)
        NaN where there is no sample.

    Raises
    ------
    NotEnoughDataError
        If the span is shorter than two weeks.

    Examples
    --------
    >>> index = pd.date_range("2026-01-05", periods=336, freq="1h", tz="UTC")
    >>> weekly_table(pd.Series(np.arange(336.0), index=index)).loc["Mon", 0].item()
    84.0
    """
    times, values = check_series(series, "heatmap")
    _require(times, 7 * DAY_NS, "a heat map of hour and weekday")
    clock = to_index(times).tz_convert(tz or series.index.tz)
    frame = pd.DataFrame({"day": clock.day_of_week, "hour": clock.hour, "value": values})
    table = frame.pivot_table(index="day", columns="hour", values="value", aggfunc="median")
    table = table.reindex(index=range(7), columns=range(24))
    table.index = pd.Index(list(WEEKDAYS), name="weekday")
    return table


def heatmap(series: pd.Series, *, tz: str | None = None) -> go.Figure:
    """Draw the median of each hour of each weekday.

    Parameters
    ----------
    series, tz
        As in `weekly_table`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    NotEnoughDataError
        If the span is shorter than two weeks.

    Examples
    --------
    >>> index = pd.date_range("2026-01-05", periods=336, freq="1h", tz="UTC")
    >>> heatmap(pd.Series(np.arange(336.0), index=index)).data[0].type
    'heatmap'
    """
    import plotly.graph_objects as go

    from monitorlab import plotting

    table = weekly_table(series, tz=tz)
    zone = tz or str(series.index.tz)
    figure = plotting.new_figure(title=f"{series.name or 'series'} by weekday and hour ({zone})")
    figure.add_trace(
        go.Heatmap(
            x=list(table.columns), y=list(table.index), z=table.to_numpy(), colorscale="Cividis",
            hovertemplate="%{y} %{x}:00<br>%{z:.4g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title_text="hour", dtick=3)
    figure.update_layout(hovermode="closest")
    return figure


def _name(length: int) -> str:
    return period_name(pd.Timedelta(length, unit="ns"))


def _require(times: np.ndarray, length: int, what: str) -> float:
    span = int(times[-1] - times[0]) if len(times) else 0
    step = int(np.median(np.diff(times))) if len(times) > 1 else 0
    cycles = (span + step) / length if length else 0.0
    if cycles < 2.0 - 1e-9:
        window = f" ({from_ns(int(times[0])):%Y-%m-%d %H:%M} on)" if len(times) else ""
        needed = -(-2 * length // step) if step else 2
        msg = (
            f"{what}: needs two periods of {_name(length)}, the span{window} holds "
            f"{cycles:.2f}; what is seen once need not repeat"
        )
        raise NotEnoughDataError(msg, needed=int(needed), got=len(times))
    return float(cycles)


def _quantiles(phase: np.ndarray, values: np.ndarray, names: list[Any], title: str) -> pd.DataFrame:
    groups = pd.Series(values).groupby(phase)
    table = groups.quantile(list(QUANTILES)).unstack()  # noqa: PD010 - a Series cannot pivot
    table.columns = pd.Index(["low", "q25", "median", "q75", "high"])
    table["mean"] = groups.mean()
    table["count"] = groups.size()
    table.index = pd.Index([names[int(i)] for i in table.index], name=title)
    return table
