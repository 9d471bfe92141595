"""Far ahead, round about gaps and spikes: what a forecast does where the easy case ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitorlab.errors import InvalidSeriesError
from monitorlab.forecasting import forecast, forecast_series
from monitorlab.forecasting._drift import drift_of
from monitorlab.forecasting._season import find_seasons
from monitorlab.forecasting._spikes import despiked

HOURS = 720
DAY = np.sin(2 * np.pi * np.arange(HOURS) / 24)


def hourly(values: np.ndarray) -> pd.Series:
    index = pd.date_range("2026-01-01", periods=len(values), freq="1h", tz="UTC")
    return pd.Series(values, index=index, name="used")


@pytest.mark.parametrize("swing", ["constant", "in proportion"])
def test_the_time_to_a_far_capacity_is_right_in_most_cases(swing: str) -> None:
    inside = 0
    total = 4 * HOURS
    clock = np.arange(total)
    wave = np.sin(2 * np.pi * clock / 24)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        level = 100 + 0.05 * clock
        size = 8 if swing == "constant" else 0.15 * level
        values = level + size * wave + rng.normal(0, 2, total)
        limit = 100 + 0.05 * 2.5 * HOURS + (8 if swing == "constant" else 28.5)
        really = np.flatnonzero(values[HOURS:] >= limit)[0] + 1
        reach = forecast_series(hourly(values[:HOURS]), "90d", capacity=limit).time_to_capacity
        assert reach is not None
        assert reach.p10 is not None
        assert reach.p90 is not None
        hour = pd.Timedelta("1h")
        inside += bool(reach.p10 / hour <= really <= reach.p90 / hour)
    assert inside >= 6


def test_beyond_the_reach_a_series_without_slope_stays_where_it_is() -> None:
    rng = np.random.default_rng(1)
    fc = forecast_series(hourly(50 + 5 * DAY + rng.normal(0, 1, HOURS)), "90d", capacity=80)
    assert abs(fc.mean.iloc[-24:].mean() - 50) < 2
    assert fc.time_to_capacity is not None
    assert fc.time_to_capacity.p10 is None


def test_a_wandering_level_makes_the_slope_unsure() -> None:
    rng = np.random.default_rng(2)
    line = 0.05 * np.arange(HOURS)
    steady = drift_of(line + rng.normal(0, 2, HOURS), ())
    wandering = drift_of(line + np.cumsum(rng.normal(0, 0.5, HOURS)), ())
    assert steady is not None
    assert wandering is not None
    assert steady.slope == pytest.approx(0.05, rel=0.05)
    assert wandering.slope_sd > 5 * steady.slope_sd
    assert wandering.walk_sd > 5 * steady.walk_sd


def test_the_doubt_about_the_slope_of_a_walk_is_what_it_is() -> None:
    rng = np.random.default_rng(41)
    found = [drift_of(np.cumsum(rng.normal(0.05, 0.5, 720)), ()) for _ in range(120)]
    slopes = np.array([d.slope for d in found if d is not None])
    doubts = np.array([d.slope_sd for d in found if d is not None])
    walks = np.array([d.walk_sd for d in found if d is not None])
    assert len(slopes) == len(found)
    # block means alone would say 0.41: they smooth the walk inside each block
    assert 0.43 < np.sqrt(np.mean(walks**2)) < 0.55
    missed = float(np.sqrt(np.mean((slopes - 0.05) ** 2)))
    assert 0.8 * missed < np.sqrt(np.mean(doubts**2)) < 1.3 * missed
    assert (np.abs(slopes - 0.05) < 1.645 * doubts).mean() > 0.75


def test_a_day_is_found_in_four_days_of_minutes() -> None:
    rng = np.random.default_rng(3)
    size = 4 * 1_440
    values = 50 + 5 * np.sin(2 * np.pi * np.arange(size) / 1_440) + rng.normal(0, 1, size)
    assert find_seasons(values, step=60 * 10**9) == (1_440,)
    walk = np.cumsum(rng.normal(0, 1, size))
    assert find_seasons(walk, step=60 * 10**9) == ()


def test_samples_that_come_as_they_like_are_laid_on_a_round_step() -> None:
    rng = np.random.default_rng(4)
    seconds = np.sort(rng.uniform(0, 30 * 86_400, 900))
    index = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(seconds, unit="s")
    values = 50 + 5 * np.sin(2 * np.pi * seconds / 86_400) + rng.normal(0, 1, 900)
    fc = forecast(pd.Series(values, index=index), horizon=24)
    assert fc.step == pd.Timedelta("1h")
    assert fc.season == 24


def test_missing_newest_samples_are_forecast_too() -> None:
    rng = np.random.default_rng(5)
    values = 50 + 5 * DAY + rng.normal(0, 1, HOURS)
    whole = hourly(values)
    cut = whole.copy()
    cut.iloc[-200:] = np.nan
    fc = forecast(cut, horizon=24)
    assert fc.season == 24
    assert fc.mean.index[0] == whole.index[-1] + pd.Timedelta("1h")
    truth = 50 + 5 * DAY[:24]
    assert np.abs(fc.mean.to_numpy() - truth).mean() < 1.0


def test_single_far_samples_do_not_hide_the_season() -> None:
    rng = np.random.default_rng(6)
    values = 100 + 10 * DAY + rng.normal(0, 1, HOURS)
    values[rng.choice(HOURS, 20, replace=False)] *= 50
    fc = forecast(values, horizon=24)
    assert fc.season == 24
    assert np.abs(fc.mean.to_numpy() - (100 + 10 * DAY[:24])).mean() < 1.0
    assert any("far samples are set aside" in note for note in fc.notes)


def test_spikes_that_repeat_are_a_season_and_stay() -> None:
    rng = np.random.default_rng(7)
    values = 10 + rng.normal(0, 0.5, HOURS)
    values[3::24] += 100
    assert despiked(values) is not None
    fc = forecast(values, horizon=24)
    assert fc.season == 24
    assert fc.mean.iloc[3] > 80


def test_words_are_refused_with_a_reason() -> None:
    index = pd.date_range("2026-01-01", periods=40, freq="1h", tz="UTC")
    with pytest.raises(InvalidSeriesError, match="series of numbers"):
        forecast_series(pd.Series(["a"] * 40, index=index), "24h")
