"""The test for a week where a day is known."""

import numpy as np
import pandas as pd
import pytest

from monitorlab.seasonality import find_periods
from monitorlab.seasonality.week import week_test

DAY, WEEK = pd.Timedelta("1D"), pd.Timedelta("7D")


def hours(days: int, weekend: float, seed: int) -> np.ndarray:
    place = np.arange(24 * days)
    height = np.where(place // 24 % 7 >= 5, weekend, 1.0)
    noise = np.random.default_rng(seed).normal(0, 0.6, len(place))
    return 2 * height * np.sin(place * np.pi / 12) + noise


def test_four_weeks_are_enough_for_a_weekend() -> None:
    found = [week_test(hours(29, 0.7, seed), 24.0) < 0.004 for seed in range(10)]
    assert sum(found) >= 9


@pytest.mark.parametrize("memory", [0.0, 0.9, 1.0])
def test_size_under_noise(memory: float) -> None:
    chances = []
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(size=720)
        for i in range(1, 720):
            noise[i] += memory * noise[i - 1]
        chances.append(week_test(hours(30, 1.0, seed) + noise, 24.0))
    assert np.mean(np.array(chances) < 0.05) < 0.1
    assert np.mean(np.array(chances) < 0.01) < 0.03


def test_a_weak_weekend_is_named_beside_the_day() -> None:
    index = pd.date_range("2026-01-05", periods=24 * 29, freq="1h", tz="UTC")
    assert set(find_periods(pd.Series(hours(29, 0.5, 0), index=index))) == {DAY, WEEK}
    assert find_periods(pd.Series(hours(29, 1.0, 0), index=index)) == [DAY]


def test_too_few_days_and_gaps() -> None:
    assert week_test(hours(13, 0.1, 0), 24.0) == 1.0
    assert week_test(np.full(24 * 20, np.nan), 24.0) == 1.0
    values = hours(35, 0.3, 0)
    values[100:140] = np.nan
    assert week_test(values, 24.0) < 1e-4
    assert week_test(np.zeros(24 * 20), 24.0) == 1.0


def test_scale_does_not_matter() -> None:
    index = pd.date_range("2026-01-05", periods=24 * 29, freq="1h", tz="UTC")
    values = hours(29, 0.5, 0)
    for scale in (1e-150, 1e12, 1e150):
        assert set(find_periods(pd.Series(values * scale, index=index))) == {DAY, WEEK}
