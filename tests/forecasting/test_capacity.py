"""Capacity, time to it, peaks and growth, checked where the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import InvalidSeriesError
from monitorlab.forecasting import forecast, forecast_series


def disk(days: int = 60, *, slope: float = 1 / 72, noise: float = 0.2, seed: int = 0) -> pd.Series:
    rng = np.random.default_rng(seed)
    index = pd.date_range("2026-01-01", periods=24 * days, freq="1h", tz="UTC")
    values = 50 + np.arange(24 * days) * slope + rng.normal(0, noise, 24 * days)
    return pd.Series(values, index=index, name="disk_used")


def test_without_a_capacity_there_is_none():
    fc = forecast_series(disk(), "7d")
    assert fc.capacity is None
    assert fc.time_to_capacity is None
    assert "probability_above_capacity" not in fc.peaks
    assert "capacity" not in fc.to_frame()


@pytest.mark.parametrize("seed", range(4))
def test_time_to_capacity_is_near_the_truth(seed):
    series = disk(seed=seed)
    fc = forecast_series(series, "30d", capacity=75)
    truth = pd.Timedelta(hours=(75 - 50) * 72 - len(series) + 1)
    when = fc.time_to_capacity
    assert when.p10 <= when.p50 <= when.p90
    assert abs(when.p50 - truth) < pd.Timedelta("3D")
    assert when.is_reached
    assert when.probability > 0.95


def test_will_not_reach_is_an_answer():
    fc = forecast_series(disk(slope=0.0), "7d", capacity=90)
    when = fc.time_to_capacity
    assert (when.p10, when.p50, when.p90) == (None, None, None)
    assert when.probability == 0.0
    assert "will not reach within 7d" in str(when)
    assert "will not reach" in repr(fc)


def test_already_there():
    fc = forecast_series(disk(), "7d", capacity=40)
    assert fc.time_to_capacity.p90 == pd.Timedelta(0)
    assert fc.time_to_capacity.probability == 1.0


def test_capacity_as_a_series_and_as_a_function():
    series = disk()
    end = series.index[-1]
    stepped = pd.Series([75.0, 200.0], index=[end - pd.Timedelta("9D"), end + pd.Timedelta("5D")])
    fc = forecast_series(series, "30d", capacity=stepped)
    assert fc.capacity.iloc[0] == 75.0
    assert fc.capacity.iloc[-1] == 200.0
    assert fc.time_to_capacity.p10 is None
    falling = forecast_series(series, "30d", capacity=lambda t: 80 - (t - end) / pd.Timedelta("1D"))
    # 70 + d / 3 meets 80 - d after 7.5 days
    assert abs(falling.time_to_capacity.p50 - pd.Timedelta("7.5D")) < pd.Timedelta("1.5D")


@pytest.mark.parametrize(
    "capacity",
    [
        float("nan"), "100", True, [80], lambda _t: None, lambda _t: float("inf"),
        pd.Series([1.0]),
        pd.Series([90.0], index=pd.to_datetime(["2030-01-01"], utc=True)),
    ],
)  # fmt: skip
def test_wrong_capacity(capacity):
    with pytest.raises(InvalidSeriesError, match="capacity"):
        forecast_series(disk(), "1d", capacity=capacity)


def test_peaks_cover_the_spans_within_the_horizon():
    peaks = forecast_series(disk(), "30d", capacity=75).peaks
    assert peaks.index.tolist() == ["24h", "7d", "30d"]
    assert (np.diff(peaks["p50"]) > 0).all()
    assert ((peaks["p10"] <= peaks["p50"]) & (peaks["p50"] <= peaks["p90"])).all()
    assert peaks.loc["30d", "probability_above_capacity"] > 0.95
    assert peaks.loc["24h", "probability_above_capacity"] < 0.05
    assert peaks.loc["30d", "probability_above_record"] > 0.95
    assert forecast_series(disk(), "6h").peaks.index.tolist() == ["6h"]
    assert forecast_series(disk(), "2d").peaks.index.tolist() == ["24h", "2d"]


def test_peaks_are_calibrated_on_white_noise():
    """The chance of a new record in a day after 30 days is one in 31."""
    above = []
    for seed in range(12):
        fc = forecast_series(disk(30, slope=0.0, noise=1.0, seed=seed), "24h")
        above.append(fc.peaks.loc["24h", "probability_above_record"])
    assert 0.0 <= np.mean(above) < 0.2


def test_growth_holds_the_truth_and_tells_its_span():
    inside = 0
    for seed in range(40):
        growth = forecast_series(disk(noise=1.0, seed=seed), "1d").monthly_growth
        inside += growth.lower <= 10.0 <= growth.upper
        assert not growth.is_extrapolated
    assert inside >= 35
    growth = forecast_series(disk(10), "1d").monthly_growth
    assert growth.is_extrapolated
    assert "only" in str(growth)
    assert growth.is_certain
    assert forecast(np.arange(100.0), horizon=3).monthly_growth is None


def test_growth_of_a_flat_walk_is_uncertain():
    certain = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        walk = disk(60, slope=0.0, noise=0.0)
        walk = walk + np.cumsum(rng.normal(0, 0.1, len(walk)))
        certain += forecast_series(walk, "1d").monthly_growth.is_certain
    assert certain <= 15  # a walk looks like a trend; white-noise bounds would say so in nearly all


def test_long_horizons_take_coarser_steps():
    rng = np.random.default_rng(0)
    index = pd.date_range("2026-01-01", periods=3_600, freq="2s", tz="UTC")
    series = pd.Series(50 + rng.normal(0, 1, 3_600), index=index, name="cpu")
    fc = forecast_series(series, "24h", capacity=80)
    assert len(fc.mean) <= 750
    assert any("steps of 2m" in note for note in fc.notes)
    assert any("along the slope of the history" in note for note in fc.notes)
    assert fc.mean.index[-1] - series.index[-1] >= pd.Timedelta("24h")
    assert fc.mean.between(48, 52).all()
    # single samples swing by 3, means of 60 by 0.4: the peak must speak of the samples
    assert fc.peaks["p50"].iloc[0] > 52.5


def test_a_year_of_hours_and_90_days():
    rng = np.random.default_rng(0)
    t = np.arange(24 * 365)
    index = pd.date_range("2025-01-01", periods=len(t), freq="1h", tz="UTC")
    series = pd.Series(
        100 + 10 * np.sin(t / 24 * 2 * np.pi) + t / 876 + rng.normal(0, 2, len(t)), index=index
    )
    fc = forecast_series(series, "90d", capacity=140)
    assert fc.peaks.index.tolist() == ["24h", "7d", "30d", "90d"]
    end = 110 + 90 * 24 / 876
    assert abs(fc.mean.iloc[-8:].mean() - end) < 2.5
    assert fc.period == pd.Timedelta("1D")


def test_a_long_fine_history_keeps_its_day():
    rng = np.random.default_rng(0)
    t = np.arange(9 * 5_760)
    index = pd.date_range("2026-01-01", periods=len(t), freq="15s", tz="UTC")
    series = pd.Series(
        50 + 20 * np.sin(t / 5_760 * 2 * np.pi) + t / 5_760 + rng.normal(0, 3, len(t)), index=index
    )
    fc = forecast_series(series, "1h")
    assert any("newest 3d11h20m" in note for note in fc.notes)
    assert fc.period == pd.Timedelta("1D")
    truth = 50 + 20 * np.sin(np.arange(len(t), len(t) + 240) / 5_760 * 2 * np.pi) + 9
    assert np.abs(fc.mean.to_numpy() - truth).max() < 4
    assert fc.monthly_growth.span == pd.Timedelta("9D")
    assert fc.monthly_growth.lower < 30 < fc.monthly_growth.upper


def test_paths_fill_the_interval(hourly, as_timed):
    fc = forecast(as_timed(hourly()), horizon=48, level=0.9)
    paths = fc._paths
    inside = (paths >= fc.lower.to_numpy()) & (paths <= fc.upper.to_numpy())
    assert 0.86 < inside.mean() < 0.94
    assert np.array_equal(paths, forecast(as_timed(hourly()), horizon=48, level=0.9)._paths)


def test_figure_has_history_fan_capacity_and_time(hourly, as_timed):
    fc = forecast_series(disk(), "30d", capacity=75)
    names = [trace.name for trace in fc.plot().data]
    assert names[:1] == ["history"]
    assert {"95% interval", "80% interval", "50% interval", "forecast", "capacity"} <= set(names)
    assert any("p50" in n for n in names)
    plain = forecast(hourly(), horizon=12).plot()
    assert "capacity" not in [trace.name for trace in plain.data]
    bars = forecast(as_timed(hourly()), horizon=24).accuracy.plot()
    assert len(bars.data) == 2
    assert not bars.layout.annotations  # names stand in the legend, not across the bars
    assert [(s.name, s.showlegend) for s in bars.layout.shapes] == [
        ("1 = seasonal naive in training", True)
    ]


def test_free_space_runs_out_from_above():
    free = (100 - disk(noise=0.1)).rename("disk_free")
    fc = forecast_series(free, "90d", capacity=25)
    assert fc.limit == "lower"
    assert any("lower limit" in note for note in fc.notes)
    truth = pd.Timedelta(hours=(50 - 25) * 72 - len(free) + 1)
    assert abs(fc.time_to_capacity.p50 - truth) < pd.Timedelta("3D")
    used = forecast_series(disk(noise=0.1), "90d", capacity=75)
    assert abs(used.time_to_capacity.p50 - fc.time_to_capacity.p50) < pd.Timedelta("1D")
    assert fc.troughs.loc["90d", "probability_below_capacity"] == 1.0
    assert fc.troughs.loc["24h", "probability_below_capacity"] == 0.0
    assert "probability_above_capacity" not in fc.peaks
    assert forecast_series(free, "90d", capacity=0).time_to_capacity is not None


@pytest.mark.parametrize("name", ["disk_used", "disk_free", "widgets"])
@pytest.mark.parametrize("slope", [-1 / 72, 1 / 72])
def test_which_side_a_limit_is_on(name, slope):
    fc = forecast_series(disk(slope=slope).rename(name), "7d", capacity=10)
    falls = slope < 0
    assert fc.limit == {"disk_used": "upper", "disk_free": "lower"}.get(
        name, "lower" if falls else "upper"
    )
    assert forecast_series(disk(), "7d", capacity=10, limit="lower").limit == "lower"
    assert forecast_series(disk(), "7d", capacity=99, limit="lower").time_to_capacity.p50 == (
        pd.Timedelta(0)
    )


def test_a_limit_is_upper_lower_or_auto():
    with pytest.raises(InvalidSeriesError, match="limit must be"):
        forecast_series(disk(), "7d", capacity=10, limit="sideways")


def test_lowest_sample_of_a_coarse_step_counts():
    index = pd.date_range("2026-01-01", periods=60 * 24 * 14, freq="1min", tz="UTC")
    free = pd.Series(50.0, index=index, name="memory_free")
    free.iloc[::60] = 5.0  # each hour for a minute
    free += np.random.default_rng(0).normal(0, 0.1, len(free))
    fc = forecast_series(free, "7d", capacity=8, limit="lower")
    assert fc.step > pd.Timedelta("1min")
    assert fc.troughs.loc["7d", "p50"] < 8
    assert fc.peaks.loc["7d", "p50"] > 49
