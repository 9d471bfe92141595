"""The figure of a forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monitorlab.display import format_number
from monitorlab.plotting import PALETTE, downsample, new_figure, rgba, time_axis

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.forecasting.result import Forecast

__all__ = ["forecast_figure"]

_LEAST_SHOWN = 48
_CAPACITY = "#D55E00"


def forecast_figure(
    forecast: Forecast, fan: list[tuple[float, np.ndarray, np.ndarray]], *, back: int
) -> go.Figure:
    """Draw a forecast.

    Parameters
    ----------
    forecast : Forecast
        What to draw.
    fan : list of (level, lower, upper)
        Bands, the widest first.
    back : int
        Nanoseconds (or positions) of history to show.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    title = "forecast" if forecast.mean.name is None else f"forecast of {forecast.mean.name}"
    figure = new_figure(title=title, height=360)
    past_x, past_y = _history(forecast.history, back)
    figure.add_scatter(
        x=past_x, y=past_y, mode="lines", name="history", line={"color": PALETTE[7], "width": 1.2}
    )
    x = _axis(forecast.mean.index)
    for rank, (level, lower, upper) in enumerate(fan):
        figure.add_scatter(
            x=np.concatenate((x, x[::-1])),
            y=np.concatenate((upper, lower[::-1])),
            fill="toself",
            fillcolor=rgba(PALETTE[0], 0.12 + 0.08 * rank),
            line={"width": 0},
            hoverinfo="skip",
            name=f"{level:.0%} interval",
        )
    figure.add_scatter(
        x=x, y=forecast.mean.to_numpy(), mode="lines", name="forecast",
        line={"color": PALETTE[0], "width": 2},
    )  # fmt: skip
    if forecast.capacity is not None:
        _add_capacity(figure, forecast, past_x, x)
    return figure


def _history(history: pd.Series, back: int) -> tuple[np.ndarray, np.ndarray]:
    index = history.index
    if isinstance(index, pd.DatetimeIndex):
        place = np.asarray(index.tz_convert("UTC").as_unit("ns").asi8)
    else:
        place = np.asarray(index, dtype=np.int64)
    first = min(int(np.searchsorted(place, place[-1] - back)), max(0, len(place) - _LEAST_SHOWN))
    times, values = downsample(place[first:], history.to_numpy(dtype=np.float64)[first:])
    return (time_axis(times) if isinstance(index, pd.DatetimeIndex) else times), values


def _axis(index: pd.Index) -> np.ndarray:
    return time_axis(index) if isinstance(index, pd.DatetimeIndex) else np.asarray(index)


def _add_capacity(figure: go.Figure, forecast: Forecast, past_x: np.ndarray, x: np.ndarray) -> None:
    capacity, when = forecast.capacity, forecast.time_to_capacity
    if capacity is None or when is None:
        return
    limits = capacity.to_numpy(dtype=np.float64)
    what = "lower limit" if forecast.limit == "lower" else "capacity"
    step = int(when.horizon.as_unit("ns").value) // len(limits)
    flat = bool(np.ptp(limits) == 0)
    figure.add_scatter(
        x=np.concatenate((past_x[:1], x)) if flat else x,
        y=np.concatenate((limits[:1], limits)) if flat else limits,
        mode="lines", name=what, line={"color": _CAPACITY, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    figure.add_annotation(
        text=f"{what}: {when}", xref="paper", yref="paper", x=0.01, y=1.0,
        xanchor="left", yanchor="bottom", showarrow=False, font={"color": _CAPACITY},
    )  # fmt: skip
    if when.p10 is None:
        return
    end = when.from_time + (when.p90 if when.p90 is not None else when.horizon)
    start_x, end_x = time_axis(pd.DatetimeIndex([when.from_time + when.p10, end]))
    figure.add_vrect(
        x0=str(start_x), x1=str(end_x), fillcolor=_CAPACITY, opacity=0.08, line_width=0,
        layer="below",
    )  # fmt: skip
    if when.p50 is not None:
        middle = time_axis(pd.DatetimeIndex([when.from_time + when.p50]))[0]
        at = min(len(limits) - 1, max(0, int(when.p50.as_unit("ns").value // step) - 1))
        figure.add_scatter(
            x=[middle], y=[float(limits[at])],
            mode="markers", name=f"reached in {format_number(when.p50)} (p50)",
            marker={"color": _CAPACITY, "size": 9, "symbol": "x"},
        )  # fmt: skip
