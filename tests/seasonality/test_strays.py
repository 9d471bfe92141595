"""Strays: what hides a season is set aside, what makes one stays."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitorlab.seasonality import find_periods
from monitorlab.seasonality.strays import returning, running_median, without_strays

DAY, WEEK = pd.Timedelta("1D"), pd.Timedelta("7D")


def two_seasons(rng: np.random.Generator, n: int, noise: float) -> np.ndarray:
    t = np.arange(n)
    return 50 + 5 * np.sin(t * np.pi / 12) + 3 * (t // 24 % 7 > 4) + rng.normal(0, noise, n)


def hourly(values: np.ndarray) -> pd.Series:
    index = pd.date_range("2026-03-03", periods=len(values), freq="1h", tz="UTC")
    return pd.Series(values, index=index)


@pytest.mark.parametrize("size", [6.0, 15.0, -8.0])
def test_one_stray_in_fifty_does_not_hide_the_week(size: float) -> None:
    rng = np.random.default_rng([17, round(abs(size))])
    for n in (700, 1_000, 1_500):
        values = two_seasons(rng, n, 1.5)
        at = rng.choice(n, n // 50, replace=False)
        values[at] += size * values.std()
        assert find_periods(hourly(values)) == [DAY, WEEK]


def test_quieter_weekends_in_noise_are_a_week() -> None:
    rng = np.random.default_rng(23)
    t = np.arange(1_000)
    day = np.maximum(0.0, np.sin(t * np.pi / 12)) * np.where(t // 24 % 7 > 4, 0.5, 1.0)
    found = [find_periods(hourly(day + rng.normal(0, 0.25, 1_000))) for _ in range(8)]
    assert sum(set(f) == {DAY, WEEK} for f in found) >= 7


def test_a_weekly_job_is_no_stray() -> None:
    rng = np.random.default_rng(29)
    t = np.arange(1_008)
    values = rng.normal(size=1_008) + 40.0 * (t % 168 < 2)
    assert np.array_equal(without_strays(values), values)
    lone = values.copy()
    lone[[100, 411, 777]] += 60.0
    gone = np.flatnonzero(np.isnan(without_strays(lone)))
    assert {100, 411, 777} <= set(gone.tolist())
    assert not any(g % 168 < 2 for g in gone.tolist())


def test_many_far_samples_are_what_the_series_does() -> None:
    rng = np.random.default_rng(31)
    values = rng.normal(size=500) + np.where(rng.random(500) < 0.1, 30.0, 0.0)
    assert np.isfinite(without_strays(values)).all()


def test_hopeless_input_stays_as_it_is() -> None:
    for values in (np.full(9, np.nan), np.zeros(9), np.array([1.0])):
        assert np.array_equal(without_strays(values), values, equal_nan=True)


def test_three_events_share_no_rhythm_by_chance() -> None:
    far = np.zeros(900, dtype=bool)
    far[[10, 200, 471]] = True
    assert not returning(far).any()


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float64, st.integers(1, 200), elements=st.floats(-1e6, 1e6)))
def test_nothing_but_nan_is_put_in(values: np.ndarray) -> None:
    out = without_strays(values)
    kept = np.isfinite(out)
    assert np.array_equal(out[kept], values[kept])
    assert kept.mean() >= 0.95
    middle = running_median(values)
    assert middle.min() >= values.min()
    assert middle.max() <= values.max()
