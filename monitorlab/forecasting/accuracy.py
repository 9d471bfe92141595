"""Rolling-origin accuracy: what the whole forecast would have said in the past, and what came.

Unlike the look-back that calibrates a forecast, every fold here repeats everything from
scratch on the samples up to its origin: season, model, weights and intervals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monitorlab.display import Result, format_number
from monitorlab.forecasting._engine import Run
from monitorlab.forecasting._grid import Grid
from monitorlab.forecasting._ridge import MAX_LOOP
from monitorlab.forecasting.metrics import coverage, mase, msis, seasonal_naive_scale, smape

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Accuracy", "Runner", "rolling_accuracy"]

Runner = Callable[[Grid, int], Run]
_FEWEST = 16
_MEASURES = ("mase", "smape", "coverage", "msis")


@dataclass(frozen=True, repr=False, eq=False)
class Accuracy(Result):
    """How well forecasts from past origins did, the seasonal naive ones beside them.

    Parameters
    ----------
    model : str
        Name of the model.
    horizon : int
        Steps ahead that were checked.
    level : float
        Nominal coverage of the intervals.
    folds : pandas.DataFrame
        One row for each origin: ``mase``, ``smape`` (percent), ``coverage``, ``msis`` and
        the same of the seasonal naive forecast with the prefix ``naive_``.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.forecasting import forecast
    >>> wave = 10 + np.sin(np.arange(24 * 14) / 24 * 2 * np.pi)
    >>> noise = np.random.default_rng(0).normal(0, 0.2, len(wave))
    >>> accuracy = forecast(wave + noise, horizon=24, season=24).accuracy
    >>> len(accuracy.folds), accuracy.mase < accuracy.naive_mase
    (5, True)
    """

    model: str
    horizon: int
    level: float
    folds: pd.DataFrame

    @property
    def mase(self) -> float:
        """Mean absolute error over the in-sample seasonal naive error."""
        return float(self.folds["mase"].mean())

    @property
    def coverage(self) -> float:
        """Share of samples inside their interval."""
        return float(self.folds["coverage"].mean())

    @property
    def naive_mase(self) -> float:
        """MASE of the seasonal naive forecast from the same origins."""
        return float(self.folds["naive_mase"].mean())

    @property
    def skill(self) -> float:
        """Share of the seasonal naive error that the model saves; 0 where neither errs."""
        return 1.0 - self.mase / self.naive_mase if self.naive_mase > 0 else 0.0

    def summary(self) -> str:
        """Say the accuracy in one line."""
        if not len(self.folds):
            return f"{self.model}: the history is too short to forecast from past origins"
        return (
            f"{self.model} over {len(self.folds)} origins, {self.horizon} steps ahead: "
            f"MASE {format_number(self.mase, digits=3)} (seasonal naive "
            f"{format_number(self.naive_mase, digits=3)}), coverage "
            f"{self.coverage:.1%} of {self.level:.0%} intervals"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the means over the origins, one row for the model and one for the baseline."""
        rows = {
            self.model: [float(self.folds[m].mean()) for m in _MEASURES],
            "seasonal naive": [float(self.folds[f"naive_{m}"].mean()) for m in _MEASURES],
        }
        if self.model == "seasonal_naive":
            rows = {"seasonal naive": rows["seasonal naive"]}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(_MEASURES)).rename_axis(
            "forecast"
        )

    def plot(self) -> go.Figure:
        """Draw the MASE from each origin, the baseline beside."""
        from monitorlab.plotting import PALETTE, new_figure, time_axis

        figure = new_figure(title=f"MASE from {len(self.folds)} past origins")
        index = self.folds.index
        x = time_axis(index) if isinstance(index, pd.DatetimeIndex) else index.to_numpy()
        for column, name, color in (
            ("mase", self.model, PALETTE[0]),
            ("naive_mase", "seasonal naive", PALETTE[7]),
        ):
            figure.add_bar(x=x, y=self.folds[column].to_numpy(), name=name, marker_color=color)
        figure.update_yaxes(title_text="MASE")
        # named in the legend: a name at the line would lie across the bars
        figure.add_hline(
            y=1.0, line_dash="dash", line_color="#D55E00", line_width=1.5, showlegend=True,
            name="1 = seasonal naive in training",
        )  # fmt: skip
        return figure


def rolling_accuracy(
    grid: Grid,
    runner: Runner,
    naive: Runner,
    *,
    model: str,
    horizon: int,
    level: float,
    season: int,
    folds: int = 5,
) -> Accuracy:
    """Repeat a forecast from past origins and compare it with what came.

    Parameters
    ----------
    grid : Grid
        The series.
    runner, naive : callable
        Give a run for a grid and a horizon: the model's, and the seasonal naive one.
    model : str
        Name of the model.
    horizon : int
        Steps ahead; at most a quarter of the series is checked.
    level : float
        Nominal coverage.
    season : int
        Season in steps for the scale of MASE; 1 for none.
    folds : int
        Origins at the most.

    Returns
    -------
    Accuracy

    Notes
    -----
    With fewer than 16 steps there are no folds, and the measures are NaN.

    Examples
    --------
    >>> from monitorlab.forecasting._engine import run
    >>> from monitorlab.forecasting._grid import grid_from
    >>> from monitorlab.forecasting.models import SeasonalNaiveForecaster
    >>> members = SeasonalNaiveForecaster().members
    >>> def naive(head, steps):
    ...     return run(head, members, steps, (2,))
    >>> grid = grid_from([1.0, 5.0] * 20)
    >>> result = rolling_accuracy(grid, naive, naive, model="own", horizon=4, level=0.9, season=2)
    >>> len(result.folds), result.coverage, result.skill
    (5, 1.0, 0.0)
    """
    size = len(grid)
    if size < _FEWEST:
        return Accuracy(model, min(horizon, size), level, _table([], [], grid))
    reach = max(1, min(horizon, size // 4, MAX_LOOP))
    last = size - reach
    span = last - max(size // 2, _FEWEST // 2)
    spacing = max(1, min(reach, span // max(1, folds - 1)))
    if span >= season * (folds - 1) > 0:
        spacing = max(season, spacing // season * season)
    count = min(folds, span // spacing + 1)
    cuts = (last - spacing * np.arange(count))[::-1]
    rows, origins = [], []
    for cut in cuts.tolist():
        known = grid.observed[cut : cut + reach]
        if not known.any():
            continue
        actual = np.where(known, grid.values[cut : cut + reach], np.nan)
        head = grid.head(cut)
        scale = seasonal_naive_scale(head.values, season)
        row: dict[str, float] = {}
        for prefix, ask in (("", runner), ("naive_", naive)):
            made = ask(head, reach)
            lower, upper = made.bounds(level)
            row[f"{prefix}mase"] = mase(actual, made.mean, scale=scale)
            row[f"{prefix}smape"] = smape(actual, made.mean)
            row[f"{prefix}coverage"] = coverage(actual, lower, upper)
            row[f"{prefix}msis"] = msis(actual, lower, upper, scale=scale, level=level)
        rows.append(row)
        origins.append(head.end)
    return Accuracy(model, reach, level, _table(rows, origins, grid))


def _table(rows: list[dict[str, float]], origins: list[int], grid: Grid) -> pd.DataFrame:
    index = (
        pd.DatetimeIndex(pd.to_datetime(origins, unit="ns", utc=True), name="origin")
        if grid.timed
        else pd.Index(origins, name="origin", dtype=np.int64)
    )
    columns = [prefix + measure for prefix in ("", "naive_") for measure in _MEASURES]
    return pd.DataFrame(rows, index=index, columns=columns, dtype=np.float64)
