"""Split a series into trend, seasons and what is left (robust STL of statsmodels).

>>> index = pd.date_range("2026-01-01", periods=240, freq="1h", tz="UTC")
>>> noise = np.random.default_rng(0).normal(0, 0.1, 240)
>>> series = pd.Series(10 + np.sin(np.arange(240) * np.pi / 12) + noise, index=index, name="load")
>>> decompose(series).strength["1 day"] > 0.9
True
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import Result, to_plain
from monitorlab.errors import NotEnoughDataError
from monitorlab.seasonality.grid import Grid, coarsen, fill_gaps, moving_mean, regular_grid
from monitorlab.seasonality.periods import find_periods
from monitorlab.times import DurationLike, format_duration, parse_duration

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Decomposition", "decompose", "period_name"]

FAST_SLOTS = 20_000  # longer grids are averaged before STL
BINS_A_PERIOD = 24  # the shortest season keeps at least so many averaged slots
TREND_JUMP, LOW_PASS_JUMP = 45, 29  # 26 times faster, residual changed by 0.1 %
JUMP_FROM = 2_000  # slots from which the jumps are raised
MIN_STEPS = 2


@dataclass(frozen=True, repr=False, eq=False)
class Decomposition(Result):
    """A series as trend + seasons + residual.

    Parameters
    ----------
    observed : pandas.Series
        Samples as given, on the times as given.
    trend : pandas.Series
        The slow part.
    seasonal : dict of pandas.Timedelta to pandas.Series
        One repeating part a period, shortest first.
    residual : pandas.Series
        Observed less trend and seasons; NaN where a sample is missing.
    strength : dict of str to float
        Of each season and of ``"trend"``: ``1 - var(residual) / var(part + residual)``,
        0 to 1 (Hyndman's strength).
    method : str
        What was done, coarser grids included.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import decompose
    >>> index = pd.date_range("2026-01-01", periods=240, freq="1h", tz="UTC")
    >>> wave = 10 + np.sin(np.arange(240) * np.pi / 12)
    >>> parts = decompose(pd.Series(wave, index=index), periods=["1d"])
    >>> parts.periods, round(parts.strength["1 day"], 3)
    ([Timedelta('1 days 00:00:00')], 1.0)
    >>> list(parts.to_frame())
    ['observed', 'trend', 'seasonal 1 day', 'residual']
    """

    observed: pd.Series
    trend: pd.Series
    seasonal: dict[pd.Timedelta, pd.Series]
    residual: pd.Series
    strength: dict[str, float]
    method: str

    @property
    def periods(self) -> list[pd.Timedelta]:
        """Periods of the seasons, shortest first."""
        return list(self.seasonal)

    def summary(self) -> str:
        """Say the result in one line."""
        parts = ", ".join(f"{k} {v:.2f}" for k, v in self.strength.items())
        return f"{self.observed.name or 'series'}: strength {parts}; {self.method}"

    def to_frame(self) -> pd.DataFrame:
        """Give observed, trend, one column a season, and residual, on the times given."""
        seasons = {f"seasonal {period_name(p)}": s for p, s in self.seasonal.items()}
        return pd.DataFrame(
            {"observed": self.observed, "trend": self.trend, **seasons, "residual": self.residual}
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types."""
        return {
            "periods_seconds": [p.total_seconds() for p in self.seasonal],
            "strength": to_plain(self.strength),
            "method": self.method,
            "table": to_plain(self.to_frame()),
        }

    def plot(self) -> go.Figure:
        """Draw observed with trend, each season, and the residual, one above the other."""
        import plotly.graph_objects as go

        from monitorlab import plotting

        frame = self.to_frame()
        names = ["observed", *(c for c in frame.columns if c.startswith("seasonal")), "residual"]
        figure = plotting.new_figure(
            title=f"Decomposition of {self.observed.name or 'series'}",
            rows=len(names), titles=names, height=140 * len(names) + 120,
        )  # fmt: skip
        axis = plotting.time_axis(frame.index)

        def line(column: str, row: int, color: str, width: float) -> None:
            t, v = plotting.downsample(axis, frame[column].to_numpy())
            figure.add_trace(
                go.Scatter(x=t, y=v, name=column, mode="lines", showlegend=False,
                           line={"color": color, "width": width}),
                row=row, col=1,
            )  # fmt: skip

        for row, name in enumerate(names, start=1):
            line(name, row, plotting.PALETTE[7] if name == "residual" else plotting.PALETTE[0], 1)
        line("trend", 1, plotting.PALETTE[5], 2.5)
        return figure


def decompose(
    series: pd.Series,
    periods: Sequence[DurationLike] | None = None,
    *,
    robust: bool = True,
) -> Decomposition:
    """Split a series into trend, seasons and residual.

    Parameters
    ----------
    series : pandas.Series
        Any spacing; tz-aware increasing index; NaN where missing.
    periods : sequence of durations, optional
        Seasons, for example ``["1d", "7d"]``; None finds them. With none there is only a
        trend and a residual.
    robust : bool
        Whether outliers are weighted down.

    Returns
    -------
    Decomposition
        On the times of ``series``.

    Raises
    ------
    NotEnoughDataError
        If the span holds fewer than two periods of a season asked for.
    InvalidSeriesError
        If the index is naive, unsorted, duplicated or no DatetimeIndex.
    TimeError
        If a period cannot be read.

    Notes
    -----
    STL for one season, MSTL for several (statsmodels). Samples are put on an even grid
    whose step divides the shortest period. Grids of more than 20 000 slots are averaged
    first (a season keeps 24 slots or more) and the parts are drawn back to the times given
    by straight lines; from 2 000 slots the trend and low-pass smoothers jump, never the
    seasonal one. ``method`` says what was done. One million samples take a few seconds.

    References
    ----------
    Cleveland, Cleveland, McRae, Terpenning (1990), "STL: A Seasonal-Trend Decomposition
    Procedure Based on Loess"; Bandara, Hyndman, Bergmeir (2021), "MSTL".

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=50, freq="1h", tz="UTC")
    >>> decompose(pd.Series(np.arange(50.0), index=index), periods=[]).method
    'moving mean, no season'
    """
    found = periods is None
    wanted = find_periods(series) if periods is None else [_period(p) for p in periods]
    wanted = sorted(set(wanted))
    grid = regular_grid(series, what="decompose")
    span = grid.step_ns * len(grid.values)
    for p in wanted:
        _check_period(p, grid, span)
    if not wanted:
        return _trend_only(series, grid, found=found)
    grid, note = _fit_grid(series, grid, wanted[0])
    lengths = [max(MIN_STEPS, round(p.as_unit("ns").value / grid.step_ns)) for p in wanted]
    trend, seasons = _stl(fill_gaps(grid.values), lengths, robust=robust)
    times = series.index.as_unit("ns").asi8
    # an averaged slot stands for its middle
    middle = grid.times_ns + (grid.step_ns // 2 if note else 0)
    at = (times - middle[0]) / grid.step_ns
    slots = np.arange(len(middle))

    def back(part: np.ndarray) -> pd.Series:
        return pd.Series(np.interp(at, slots, part), index=series.index)

    parts = {p: back(s) for p, s in zip(wanted, seasons, strict=True)}
    method = ("STL" if len(wanted) == 1 else "MSTL") + (", robust" if robust else "")
    moved = ", resampled" if grid.resampled and not note else ""
    return _result(series, back(trend), parts, method + moved + note)


def period_name(period: pd.Timedelta) -> str:
    """Write a period for people.

    Parameters
    ----------
    period : pandas.Timedelta
        Any length.

    Returns
    -------
    str
        Whole days and hours by name, anything else as a Prometheus duration.

    Examples
    --------
    >>> period_name(pd.Timedelta("7D")), period_name(pd.Timedelta("90min"))
    ('7 days', '1h30m')
    """
    ns = int(period.as_unit("ns").value)
    if ns % 86_400_000_000_000 == 0:
        days = ns // 86_400_000_000_000
        return f"{days} day" + ("s" if days > 1 else "")
    return format_duration(ns)


def _period(value: DurationLike) -> pd.Timedelta:
    return pd.Timedelta(parse_duration(value), unit="ns")


def _check_period(period: pd.Timedelta, grid: Grid, span: int) -> None:
    ns = int(period.as_unit("ns").value)
    needed = -(-2 * ns // grid.step_ns)
    if 2 * ns > span:
        msg = (
            f"decompose: a season of {period_name(period)} needs two periods "
            f"({needed} slots of {format_duration(grid.step_ns)}), the span holds "
            f"{span / ns:.2f}; give a longer span or a shorter period"
        )
        raise NotEnoughDataError(msg, needed=int(needed), got=len(grid.values))
    if ns < MIN_STEPS * grid.step_ns:
        msg = (
            f"decompose: a season of {period_name(period)} is shorter than two samples "
            f"({format_duration(grid.step_ns)} apart); give finer data"
        )
        raise NotEnoughDataError(msg, needed=int(2 * grid.step_ns // max(ns, 1)), got=1)


def _fit_grid(series: pd.Series, grid: Grid, shortest: pd.Timedelta) -> tuple[Grid, str]:
    """Choose a step that divides the shortest period, averaged when the grid is long."""
    ns = int(shortest.as_unit("ns").value)
    per_period = max(MIN_STEPS, round(ns / grid.step_ns))
    n = len(grid.values)
    factor = min(-(-n // FAST_SLOTS), max(1, per_period // BINS_A_PERIOD))
    if factor == 1:
        if abs(ns / grid.step_ns - per_period) * n / per_period > 0.5:
            grid = regular_grid(series, step_ns=max(1, ns // per_period), what="decompose")
        return grid, ""
    while factor > 1 and per_period % factor:
        factor -= 1
    if factor == 1 or abs(ns / grid.step_ns - per_period) > 1e-9:
        bins = max(BINS_A_PERIOD, per_period * FAST_SLOTS // n)
        start = grid.start_ns
        grid = regular_grid(series, step_ns=max(1, ns // bins), what="decompose")
        grid = Grid(grid.values, start - grid.step_ns // 2, grid.step_ns, resampled=True)
    else:
        grid = coarsen(grid, factor)
        grid = Grid(grid.values, grid.start_ns - grid.step_ns // (2 * factor), grid.step_ns, True)
    return grid, f", on a coarser grid of {format_duration(grid.step_ns)}"


def _stl(
    values: np.ndarray, lengths: list[int], *, robust: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    from statsmodels.tsa.seasonal import MSTL, STL

    jumps = len(values) > JUMP_FROM
    options: dict[str, Any] = {"robust": robust}
    if jumps:
        options |= {"trend_jump": TREND_JUMP, "low_pass_jump": LOW_PASS_JUMP}
    if len(lengths) == 1:
        fit = STL(values, period=lengths[0], seasonal=_window(0), **options).fit()
        return np.asarray(fit.trend), [np.asarray(fit.seasonal)]
    windows = [_window(i) for i in range(len(lengths))]
    fit = MSTL(values, periods=lengths, windows=windows, stl_kwargs=options).fit()
    seasonal = np.asarray(fit.seasonal)
    return np.asarray(fit.trend), [seasonal[:, i] for i in range(len(lengths))]


def _window(position: int) -> int:
    """Seasonal smoother length: 11, 15, 19 … cycles, as in the MSTL paper."""
    return 11 + 4 * position


def _trend_only(series: pd.Series, grid: Grid, *, found: bool) -> Decomposition:
    window = max(3, len(grid.values) // 10)
    smooth = moving_mean(moving_mean(grid.values, window), max(1, window // 2))
    times = series.index.as_unit("ns").asi8
    at = (times - grid.start_ns) / grid.step_ns
    trend = pd.Series(np.interp(at, np.arange(len(smooth)), smooth), index=series.index)
    method = "moving mean, no season" + (" found" if found else "")
    return _result(series, trend, {}, method)


def _result(
    series: pd.Series, trend: pd.Series, parts: dict[pd.Timedelta, pd.Series], method: str
) -> Decomposition:
    observed = series.astype(np.float64)
    residual = observed - trend
    for part in parts.values():
        residual = residual - part
    noise = float(residual.var(ddof=0))

    def strength(part: pd.Series) -> float:
        whole = float((part + residual).var(ddof=0))
        return float(np.clip(1.0 - noise / whole, 0.0, 1.0)) if whole > 0 else 0.0

    table = {period_name(p): strength(s) for p, s in parts.items()}
    return Decomposition(
        observed, trend, parts, residual, {**table, "trend": strength(trend)}, method
    )
