"""Decomposition: parts add up, seasons come back, long series are quick and say so."""

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import NotEnoughDataError, TimeError
from monitorlab.seasonality import decompose

DAY, WEEK = pd.Timedelta("1D"), pd.Timedelta("7D")


def made(n: int = 1_000, freq: str = "1h", seed: int = 0) -> tuple[pd.Series, np.ndarray]:
    index = pd.date_range("2026-01-05", periods=n, freq=freq, tz="UTC")
    hours = (index - index[0]) / pd.Timedelta("1h")
    day = 3 * np.sin(np.asarray(hours) * np.pi / 12)
    rng = np.random.default_rng(seed)
    values = 50 + 0.01 * np.asarray(hours) + day + 0.5 * rng.normal(size=n)
    return pd.Series(values, index=index, name="load"), day


def test_parts_add_up_and_the_day_comes_back() -> None:
    series, day = made()
    parts = decompose(series)
    assert parts.periods == [DAY]
    total = parts.trend + sum(parts.seasonal.values()) + parts.residual
    assert np.allclose(total, series)
    assert np.abs(parts.seasonal[DAY].to_numpy() - day).mean() < 0.25
    assert parts.strength["1 day"] > 0.9
    assert "STL" in parts.method


def test_two_seasons_given_as_text() -> None:
    series, _ = made()
    series = series + np.where(series.index.day_of_week >= 5, -4.0, 0.0)
    parts = decompose(series, ["1d", "7d"])
    assert parts.periods == [DAY, WEEK]
    assert parts.method.startswith("MSTL")
    assert parts.strength["7 days"] > 0.7
    assert list(parts.to_frame().columns) == [
        "observed", "trend", "seasonal 1 day", "seasonal 7 days", "residual",
    ]  # fmt: skip


def test_missing_samples_stay_missing_in_the_residual_only() -> None:
    series, _ = made()
    series.iloc[100:120] = np.nan
    parts = decompose(series, ["1d"])
    assert parts.residual.isna().sum() == 20
    assert parts.trend.notna().all()
    assert parts.seasonal[DAY].notna().all()


def test_refusal_says_what_is_missing() -> None:
    series, _ = made(30)
    with pytest.raises(NotEnoughDataError, match=r"two periods .* holds 1\.25"):
        decompose(series, ["1d"])
    with pytest.raises(NotEnoughDataError, match="shorter than two samples"):
        decompose(series, ["1h"])
    with pytest.raises(TimeError):
        decompose(series, ["soon"])


def test_without_a_season_there_is_a_trend() -> None:
    series = pd.Series(
        np.random.default_rng(0).normal(size=300).cumsum(),
        index=pd.date_range("2026", periods=300, freq="1min", tz="UTC"),
    )
    parts = decompose(series)
    assert parts.seasonal == {}
    assert parts.method == "moving mean, no season found"
    assert np.allclose(parts.trend + parts.residual, series)


def test_long_series_use_a_coarser_grid_and_say_so() -> None:
    series, day = made(60 * 24 * 30, "1min")
    parts = decompose(series, ["1d"])
    assert "coarser grid" in parts.method
    assert np.abs(parts.seasonal[DAY].to_numpy() - day).mean() < 0.2
    assert np.allclose(parts.trend + parts.seasonal[DAY] + parts.residual, series)


def test_irregular_samples() -> None:
    rng = np.random.default_rng(1)
    seconds = np.sort(rng.uniform(0, 10 * 86_400, 2_000))
    index = pd.to_datetime((seconds * 1e9).astype("int64"), utc=True)
    day = 3 * np.sin(seconds * 2 * np.pi / 86_400)
    series = pd.Series(day + 0.3 * rng.normal(size=2_000), index=index)
    parts = decompose(series, ["1d"])
    assert np.corrcoef(parts.seasonal[DAY], day)[0, 1] > 0.95
    assert "resampled" in parts.method


def test_views() -> None:
    series, _ = made(200)
    parts = decompose(series, ["1d"])
    assert repr(parts).startswith("Decomposition: load")
    assert len(parts.plot().data) == 4
    assert set(parts.to_dict()) == {"periods_seconds", "strength", "method", "table"}
