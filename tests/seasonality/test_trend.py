"""Trend: slopes in time, honest intervals, no trend in red noise."""

import json

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import NotEnoughDataError
from monitorlab.model import SeriesKey
from monitorlab.seasonality import analyze_trend


def minutes(values: np.ndarray) -> pd.Series:
    index = pd.date_range("2026-01-05", periods=len(values), freq="1min", tz="UTC")
    return pd.Series(values, index=index, name="x")


def ar(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    shocks = rng.normal(size=n + 100)
    out = np.zeros(n + 100)
    for i in range(1, n + 100):
        out[i] = phi * out[i - 1] + shocks[i]
    return out[100:]


@pytest.mark.parametrize("method", ["linear", "theil-sen"])
def test_slope_is_per_hour_and_gaps_do_not_bend_it(method: str) -> None:
    series = minutes(0.5 * np.arange(600.0))
    kept = pd.concat([series.iloc[:100], series.iloc[400:]])
    row = analyze_trend(kept, method=method)[0]
    assert row.slope_per_hour == pytest.approx(30.0)
    assert row.slope_per_day == pytest.approx(720.0)
    assert row.direction == "rising"
    assert row.strength == pytest.approx(1.0)


def test_theil_sen_shrugs_off_outliers() -> None:
    rng = np.random.default_rng(0)
    values = 0.1 * np.arange(300.0) + rng.normal(size=300)
    values[250:280] -= 100
    row = analyze_trend(minutes(values), method="theil-sen")[0]
    assert row.slope_per_hour == pytest.approx(6.0, rel=0.15)


def test_a_season_is_no_trend_and_is_taken_out() -> None:
    index = pd.date_range("2026-01-05", periods=24 * 9 + 12, freq="1h", tz="UTC")
    rng = np.random.default_rng(1)
    values = 10 * np.sin(np.arange(len(index)) * np.pi / 12) + rng.normal(size=len(index))
    row = analyze_trend(pd.Series(values, index=index))[0]
    assert row.periods == (pd.Timedelta("1D"),)
    assert row.direction == "flat"


def test_intervals_cover_in_white_and_red_noise() -> None:
    rng = np.random.default_rng(2)
    for phi in (0.0, 0.6, 0.9):
        hits = 0
        for _ in range(100):
            row = analyze_trend(minutes(0.01 * np.arange(300) + ar(rng, 300, phi)), periods=[])[0]
            hits += row.low_per_hour <= 0.6 <= row.high_per_hour
        assert hits >= 88, phi


def test_no_trend_in_noise() -> None:
    rng = np.random.default_rng(3)
    for phi in (0.0, 0.6, 0.9):
        false = sum(
            analyze_trend(minutes(ar(rng, 300, phi)), periods=[])[0].is_significant
            for _ in range(100)
        )
        assert false <= 10, phi


def test_volatility_is_positive_for_negative_means() -> None:
    rng = np.random.default_rng(4)
    up = analyze_trend(minutes(100 + rng.normal(size=300)))[0]
    down = analyze_trend(minutes(-100 + rng.normal(size=300)))[0]
    assert up.volatility == pytest.approx(0.01, rel=0.3)
    assert down.volatility == pytest.approx(0.01, rel=0.3)
    assert up.volatility_class == "steady"
    assert analyze_trend(minutes(np.ones(50)))[0].volatility == 0.0


def test_constant_and_short() -> None:
    row = analyze_trend(minutes(np.full(50, 3.0)))[0]
    assert (row.direction, row.slope_per_hour, row.strength) == ("flat", 0.0, 0.0)
    with pytest.raises(NotEnoughDataError) as caught:
        analyze_trend(minutes(np.arange(5.0)))
    assert caught.value.got == 5
    with pytest.raises(ValueError, match="theil-sen"):
        analyze_trend(minutes(np.arange(50.0)), method="magic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="level"):
        analyze_trend(minutes(np.arange(50.0)), level=1.5)


def test_a_set_of_series_and_its_views() -> None:
    rng = np.random.default_rng(5)
    result = analyze_trend(
        {
            SeriesKey("up"): minutes(0.2 * np.arange(200) + rng.normal(size=200)),
            SeriesKey("flat"): minutes(rng.normal(size=200)),
            SeriesKey("short"): minutes(np.arange(3.0)),
        }
    )
    assert result["up"].direction == "rising"
    assert list(result.skipped) == ["short"]
    assert "1 rising, 1 flat, 1 not judged" in repr(result)
    assert len(result.to_frame()) == 2
    json.dumps(result.to_dict(), allow_nan=False)
    assert len(result.plot().data) == 4


def test_a_million_samples_are_quick() -> None:
    row = analyze_trend(minutes(np.random.default_rng(6).normal(size=200_000)), periods=[])[0]
    assert row.n_samples == 200_000
