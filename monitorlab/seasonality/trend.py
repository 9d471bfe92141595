"""Where is a series going, how surely, and how restless is it?

>>> index = pd.date_range("2026-01-01", periods=200, freq="1h", tz="UTC")
>>> noise = np.random.default_rng(0).normal(size=200)
>>> trend = analyze_trend(pd.Series(0.1 * np.arange(200) + noise, index=index, name="queue"))
>>> trend.rows[0].direction
'rising'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from monitorlab.display import Result, format_number
from monitorlab.errors import NotEnoughDataError
from monitorlab.model import SeriesKey
from monitorlab.seasonality.adjust import block_means, lag_one, remove_seasons, robust_scale
from monitorlab.seasonality.rows import row_of
from monitorlab.times import from_ns

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "STRENGTH_CLASSES",
    "VOLATILITY_CLASSES",
    "Trend",
    "TrendLine",
    "analyze_trend",
    "classify",
]

HOUR_NS = 3_600e9
MIN_SAMPLES = 8
RANK_POINTS = 1_500  # Mann-Kendall and Theil-Sen look at all pairs of so many block means
STRENGTH_CLASSES = ((0.1, "none"), (0.3, "weak"), (0.6, "moderate"), (1.01, "strong"))
VOLATILITY_CLASSES = (
    (0.02, "steady"), (0.10, "calm"), (0.30, "lively"), (1.0, "wild"), (np.inf, "erratic"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrendLine:
    """The trend of one series.

    Parameters
    ----------
    series : str
        Name of the series.
    direction : {"rising", "falling", "flat"}
        "flat" where the slope is not significant.
    slope_per_hour, low_per_hour, high_per_hour : float
        Slope and its interval at ``level``, in the unit of the series an hour.
    p_value : float
        Mann-Kendall, corrected for autocorrelation; two-sided.
    strength : float
        Share of the variance (season removed) that the straight line explains, 0 to 1.
    strength_class : str
        ``STRENGTH_CLASSES``: below 0.1 none, 0.3 weak, 0.6 moderate, else strong.
    volatility : float
        Robust deviation round the line (season removed) over the median absolute value;
        NaN where that median is zero.
    volatility_class : str
        ``VOLATILITY_CLASSES``: below 0.02 steady, 0.1 calm, 0.3 lively, 1 wild, else
        erratic; "unknown" for NaN.
    autocorrelation : float
        Of neighbouring residuals.
    n_samples : int
        Finite samples used.
    start, end : pandas.Timestamp
        First and last of them.
    value_start, value_end : float
        Height of the line there.
    periods : tuple of pandas.Timedelta
        Seasons taken out first.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import analyze_trend
    >>> index = pd.date_range("2026-01-01", periods=200, freq="1h", tz="UTC")
    >>> noise = np.random.default_rng(0).normal(size=200)
    >>> line = analyze_trend(pd.Series(0.1 * np.arange(200) + noise, index=index)).rows[0]
    >>> line.direction, round(line.slope_per_hour, 2), line.low_per_hour < 0.1 < line.high_per_hour
    ('rising', 0.1, True)
    """

    series: str
    direction: Literal["rising", "falling", "flat"]
    slope_per_hour: float
    low_per_hour: float
    high_per_hour: float
    p_value: float
    strength: float
    strength_class: str
    volatility: float
    volatility_class: str
    autocorrelation: float
    n_samples: int
    start: pd.Timestamp
    end: pd.Timestamp
    value_start: float
    value_end: float
    periods: tuple[pd.Timedelta, ...] = ()

    @property
    def slope_per_day(self) -> float:
        """Slope in the unit of the series a day."""
        return 24.0 * self.slope_per_hour

    @property
    def is_significant(self) -> bool:
        """Whether the direction is told from noise."""
        return self.direction != "flat"


@dataclass(frozen=True, repr=False, eq=False)
class Trend(Result):
    """Trends of several series.

    Parameters
    ----------
    rows : tuple of TrendLine
        One a series, in the order given.
    skipped : dict of str to str
        Series that could not be judged, with the reason.
    level : float
        Nominal coverage of the slope intervals.
    method : {"linear", "theil-sen"}
        How slopes were found.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from monitorlab.seasonality import analyze_trend
    >>> index = pd.date_range("2026-01-01", periods=200, freq="1h", tz="UTC")
    >>> noise = pd.Series(np.random.default_rng(0).normal(size=200), index=index)
    >>> trend = analyze_trend({"queue": noise + 0.1 * np.arange(200), "idle": noise})
    >>> trend.summary(), trend["queue"].direction
    ('1 rising, 1 flat', 'rising')
    """

    rows: tuple[TrendLine, ...]
    skipped: dict[str, str]
    level: float
    method: str
    _data: Mapping[str, pd.Series] = field(default_factory=dict)

    def __getitem__(self, name: object) -> TrendLine:
        """Give the trend of a series by its name, key or position."""
        return row_of(self.rows, name)

    def summary(self) -> str:
        """Say the result in one line."""
        counts = {
            d: sum(r.direction == d for r in self.rows) for d in ("rising", "falling", "flat")
        }
        if len(self.rows) == 1 and not self.skipped:
            r = self.rows[0]
            return (
                f"{r.series} {r.direction}, {format_number(r.slope_per_hour)} an hour "
                f"({format_number(r.low_per_hour)} to {format_number(r.high_per_hour)}), "
                f"p {format_number(r.p_value, digits=2)}, volatility {r.volatility_class}"
            )
        text = ", ".join(f"{n} {d}" for d, n in counts.items() if n) or "nothing judged"
        return text + (f", {len(self.skipped)} not judged" if self.skipped else "")

    def to_frame(self) -> pd.DataFrame:
        """Give one row a series; series not judged are left out (see ``skipped``)."""
        columns = [
            "series", "direction", "slope_per_hour", "low_per_hour", "high_per_hour",
            "slope_per_day", "p_value", "strength", "strength_class", "volatility",
            "volatility_class", "n_samples",
        ]  # fmt: skip
        return pd.DataFrame([[getattr(r, c) for c in columns] for r in self.rows], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Give the result as plain JSON types."""
        from monitorlab.display import to_plain

        return {
            "level": self.level,
            "method": self.method,
            "skipped": dict(self.skipped),
            "rows": [to_plain({**asdict(r), "slope_per_day": r.slope_per_day}) for r in self.rows],
        }

    def plot(self) -> go.Figure:
        """Draw each series with its straight line."""
        import plotly.graph_objects as go

        from monitorlab import plotting

        figure = plotting.new_figure(title="Trend")
        for i, row in enumerate(self.rows):
            color = plotting.PALETTE[i % len(plotting.PALETTE)]
            data = self._data.get(row.series)
            if data is not None:
                t, v = plotting.downsample(plotting.time_axis(data.index), data.to_numpy())
                figure.add_trace(
                    go.Scatter(x=t, y=v, name=row.series, mode="lines", opacity=0.5,
                               line={"color": color, "width": 1})
                )  # fmt: skip
            ends = plotting.time_axis(pd.DatetimeIndex([row.start, row.end]))
            name = f"{row.direction} {format_number(row.slope_per_hour)}/h"
            dash = "solid" if row.is_significant else "dot"
            figure.add_trace(
                go.Scatter(x=ends, y=[row.value_start, row.value_end], name=name, mode="lines",
                           line={"color": color, "width": 3, "dash": dash})
            )  # fmt: skip
        return figure


def analyze_trend(
    series: pd.Series | Mapping[SeriesKey, pd.Series],
    *,
    method: Literal["linear", "theil-sen"] = "linear",
    level: float = 0.95,
    periods: list[pd.Timedelta] | None = None,
) -> Trend:
    """Say where each series is going: slope, interval, significance, volatility.

    Parameters
    ----------
    series : pandas.Series or mapping of SeriesKey to pandas.Series
        Any spacing; tz-aware increasing index; NaN where missing.
    method : {"linear", "theil-sen"}
        Generalised least squares for noise that remembers its last value, or the median
        of the slopes between all pairs (for series with outliers).
    level : float
        Coverage of the slope interval; ``1 - level`` is the level of the test.
    periods : list of pandas.Timedelta, optional
        Seasons to take out first; None finds them.

    Returns
    -------
    Trend
        Rows for series with 8 finite samples or more; the rest under ``skipped``.

    Raises
    ------
    NotEnoughDataError
        If a single series has fewer than 8 finite samples.
    InvalidSeriesError
        If an index is naive, unsorted, duplicated or no DatetimeIndex.
    ValueError
        If ``method`` or ``level`` is not possible.

    Notes
    -----
    Times, not positions, are regressed on, so gaps do not bend the slope. The linear
    method is Prais and Winsten's (1954) with the lag-one autocorrelation of the residuals
    corrected for bias (Kendall 1954); as that nears one the interval becomes that of a
    random walk with drift. The significance is Mann's (1945) and Kendall's rank test with
    Hamed and Rao's (1998) variance for autocorrelated data, on at most 1 500 block means.
    A direction is named only where both the test and the interval agree. Cost O(n) plus
    a million pairs. Not good at: trends that turn (look at change points), seasons that
    span does not show twice.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=100, freq="1min", tz="UTC")
    >>> trend = analyze_trend(pd.Series(np.arange(100.0), index=index, name="disk"))
    >>> round(trend["disk"].slope_per_hour, 6)
    60.0
    """
    if method not in ("linear", "theil-sen"):
        msg = f"method must be 'linear' or 'theil-sen', got {method!r}"
        raise ValueError(msg)
    if not 0.5 <= level < 1.0:
        msg = f"level must be at least 0.5 and below 1, got {level}"
        raise ValueError(msg)
    single = isinstance(series, pd.Series)
    items: dict[str, pd.Series] = (
        {str(series.name or "series"): series}
        if isinstance(series, pd.Series)
        else {str(k): s for k, s in series.items()}
    )
    rows, skipped = [], {}
    for name, data in items.items():
        try:
            rows.append(_line(name, data, method, level, periods))
        except NotEnoughDataError as error:
            if single:
                raise
            skipped[name] = str(error)
    return Trend(tuple(rows), skipped, level, method, items)


def classify(value: float, classes: tuple[tuple[float, str], ...]) -> str:
    """Name the class of a number: the first whose upper bound lies above it.

    Parameters
    ----------
    value : float
        NaN gives "unknown".
    classes : tuple of (upper bound, name)
        Rising bounds.

    Returns
    -------
    str

    Examples
    --------
    >>> classify(0.2, VOLATILITY_CLASSES)
    'lively'
    """
    if np.isnan(value):
        return "unknown"
    return next((name for bound, name in classes if value < bound), classes[-1][1])


def _line(
    name: str, series: pd.Series, method: str, level: float, periods: list[pd.Timedelta] | None
) -> TrendLine:
    part = remove_seasons(series, periods, what=f"trend of {name}")
    n = len(part.values)
    if n < MIN_SAMPLES:
        msg = f"trend of {name}: needs {MIN_SAMPLES} finite samples, got {n}"
        raise NotEnoughDataError(msg, needed=MIN_SAMPLES, got=n)
    hours = (part.times_ns - part.times_ns[0]) / HOUR_NS
    coarse_h, coarse_v, _ = block_means(hours, part.values, RANK_POINTS)
    slope, low, high, level_at_mean = _gls(coarse_h, coarse_v, level)
    height = level_at_mean - slope * float(coarse_h.mean())
    if method == "theil-sen":
        slope, low, high, height = _theil_sen(coarse_h, coarse_v, level)
    residual = part.values - height - slope * hours
    phi = lag_one(coarse_v - height - slope * coarse_h)
    p_value = _mann_kendall(coarse_h, coarse_v)
    spread = float(np.var(part.values))
    strength = float(np.clip(1.0 - np.var(residual) / spread, 0.0, 1.0)) if spread > 0 else 0.0
    scale = float(np.median(np.abs(part.values + part.seasonal)))
    volatility = robust_scale(residual) / scale if scale > 0 else float("nan")
    if spread == 0.0:
        volatility = 0.0
    sure = p_value < 1.0 - level and (low > 0.0 or high < 0.0)
    direction: Literal["rising", "falling", "flat"] = (
        "flat" if not sure else "rising" if slope > 0 else "falling"
    )
    return TrendLine(
        name, direction, slope, low, high, p_value, strength,
        classify(strength, STRENGTH_CLASSES), volatility,
        classify(volatility, VOLATILITY_CLASSES), phi, n,
        from_ns(int(part.times_ns[0])), from_ns(int(part.times_ns[-1])),
        height, height + slope * float(hours[-1]), part.periods,
    )  # fmt: skip


def _gls(hours: np.ndarray, values: np.ndarray, level: float) -> tuple[float, float, float, float]:
    """Slope, its interval and the height at the mean time, for AR(1) noise in time."""
    from scipy.special import stdtrit

    n = len(values)
    x, mid = hours - hours.mean(), float(values.mean())
    y = values - mid
    sxx = float(x @ x)
    slope = float(x @ y) / sxx
    gaps = np.diff(hours) / max(float(np.median(np.diff(hours))), 1e-300)
    intercept, half = 0.0, 0.0
    for _ in range(4):
        residual = y - intercept - slope * x
        power = float(residual @ residual)
        if power <= 1e-24 * max(float(values @ values), 1e-300):
            return slope, slope, slope, mid + intercept
        phi = max(0.0, lag_one(residual))
        memory = phi ** np.minimum(gaps, 50.0)
        weight = np.sqrt(1.0 - memory**2)

        def whiten(v: np.ndarray, m: np.ndarray = memory, w: np.ndarray = weight) -> np.ndarray:
            return np.concatenate(([v[0]], (v[1:] - m * v[:-1]) / w))

        design = np.column_stack((whiten(np.ones(n)), whiten(x)))
        target = whiten(y)
        gram = design.T @ design
        intercept, slope = np.linalg.solve(gram, design.T @ target)
        rest = target - design @ np.array([intercept, slope])
        noise = float(rest @ rest) / (n - 2)
        half = float(np.sqrt(noise * np.linalg.inv(gram)[1, 1]))
    effective = max(3.0, n * (1.0 - phi) / (1.0 + phi))
    t = float(stdtrit(max(1.0, effective - 2.0), 0.5 + level / 2))
    return float(slope), float(slope - t * half), float(slope + t * half), mid + float(intercept)


def _pairs(hours: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.triu_indices(len(values), 1)
    return hours[second] - hours[first], values[second] - values[first]


def _inflation(hours: np.ndarray, values: np.ndarray) -> float:
    """By how much autocorrelation widens the variance of Kendall's S (Hamed and Rao)."""
    n = len(values)
    order = np.argsort(np.argsort(values - _slope(hours, values) * hours, kind="stable"))
    ranks = order - (n - 1) / 2
    phi = max(0.0, lag_one(ranks.astype(np.float64)))
    lag = np.arange(1, n - 2)
    total = float(((n - lag) * (n - lag - 1.0) * (n - lag - 2.0) * phi**lag).sum())
    return 1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * total


def _slope(hours: np.ndarray, values: np.ndarray) -> float:
    x = hours - hours.mean()
    return float(x @ values) / float(x @ x)


def _mann_kendall(hours: np.ndarray, values: np.ndarray) -> float:
    from scipy.special import ndtr

    n = len(values)
    _, rise = _pairs(hours, values)
    score = float(np.sign(rise).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(score) - 1.0) / np.sqrt(variance * _inflation(hours, values))
    return float(2.0 * ndtr(-z))


def _theil_sen(
    hours: np.ndarray, values: np.ndarray, level: float
) -> tuple[float, float, float, float]:
    from scipy.special import ndtri

    n = len(values)
    run, rise = _pairs(hours, values)
    slopes = np.sort(rise / run)
    slope = float(np.median(slopes))
    wide = np.sqrt(n * (n - 1) * (2 * n + 5) / 18 * _inflation(hours, values))
    reach = float(ndtri(0.5 + level / 2)) * wide
    low = int(np.clip(np.floor((len(slopes) - reach) / 2), 0, len(slopes) - 1))
    high = int(np.clip(np.ceil((len(slopes) + reach) / 2), 0, len(slopes) - 1))
    height = float(np.median(values - slope * hours))
    return slope, float(slopes[low]), float(slopes[high]), height
