"""Periods: what must be found, what must not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitorlab.errors import InvalidSeriesError
from monitorlab.seasonality import find_periods, periods_table

H = pd.Timedelta("1h")
DAY, WEEK = pd.Timedelta("1D"), pd.Timedelta("7D")


def hourly(values: np.ndarray, freq: str = "1h") -> pd.Series:
    index = pd.date_range("2026-01-05", periods=len(values), freq=freq, tz="UTC")
    return pd.Series(values, index=index, name="x")


def ar(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    shocks = rng.normal(size=n + 100)
    out = np.zeros(n + 100)
    for i in range(1, n + 100):
        out[i] = phi * out[i - 1] + shocks[i]
    return out[100:]


def day_and_week(rng: np.random.Generator, n: int) -> np.ndarray:
    t = np.arange(n)
    weekend = t // 24 % 7 >= 5
    shape = np.interp(np.arange(24), [0, 5, 9, 13, 19, 23], [1.0, 0.0, 3.0, 2.0, 4.0, 1.0])
    return shape[t % 24] * np.where(weekend, 0.5, 1.0) - weekend + 0.5 * ar(rng, n, 0.6)


def test_day_and_week_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        assert set(find_periods(hourly(day_and_week(rng, 720)))) == {DAY, WEEK}


def test_strongest_first_with_strength_and_p() -> None:
    table = periods_table(hourly(day_and_week(np.random.default_rng(1), 1_000)))
    assert table["period"].tolist() == [DAY, WEEK]
    assert table["strength"].is_monotonic_decreasing
    assert (table["p_value"] < 1e-4).all()
    assert table["cycles"].tolist() == pytest.approx([1_000 / 24, 1_000 / 168])


def test_a_day_alone_and_a_week_alone() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(840)
    day = 3 * np.sin(t * np.pi / 12) + np.sin(t * np.pi / 6) + rng.normal(size=840)
    week = np.where(t // 24 % 7 >= 5, -3.0, 0.0) + rng.normal(size=840)
    assert find_periods(hourly(day)) == [DAY]
    assert find_periods(hourly(week)) == [WEEK]


def test_periods_are_times_not_positions() -> None:
    t = np.arange(4 * 24 * 12)  # five-minute samples for four days
    rng = np.random.default_rng(3)
    series = hourly(np.sin(t * 2 * np.pi / 288) + 0.3 * rng.normal(size=len(t)), "5min")
    assert find_periods(series) == [DAY]


def test_a_period_that_no_calendar_knows() -> None:
    t = np.arange(600)
    rng = np.random.default_rng(4)
    found = find_periods(hourly(np.sin(t * 2 * np.pi / 37) + 0.5 * rng.normal(size=600), "1s"))
    assert len(found) == 1
    assert found[0].total_seconds() == pytest.approx(37, abs=0.5)


def test_irregular_sampling_and_gaps() -> None:
    rng = np.random.default_rng(5)
    times = np.sort(rng.uniform(0, 20 * 86_400, 3_000))
    values = np.sin(times * 2 * np.pi / 86_400) + 0.3 * rng.normal(size=3_000)
    index = pd.to_datetime((times * 1e9).astype("int64"), utc=True)
    assert find_periods(pd.Series(values, index=index)) == [DAY]
    series = hourly(day_and_week(rng, 1_000))
    series.iloc[100:160] = np.nan
    series[rng.random(1_000) < 0.1] = np.nan
    assert set(find_periods(series)) == {DAY, WEEK}


def test_trend_and_outliers_do_not_hide_a_day() -> None:
    rng = np.random.default_rng(6)
    t = np.arange(500)
    values = 0.05 * t + 2 * np.sin(t * np.pi / 12) + rng.normal(size=500)
    values[rng.integers(0, 500, 5)] += 60
    assert find_periods(hourly(values)) == [DAY]


def test_nothing_in_the_hopeless() -> None:
    assert find_periods(hourly(np.ones(300))) == []
    assert find_periods(hourly(np.arange(300.0))) == []
    assert find_periods(hourly(np.full(300, np.nan))) == []
    assert find_periods(hourly(np.array([1.0, 2.0, 1.0]))) == []
    assert find_periods(pd.Series([], dtype=float, index=pd.DatetimeIndex([], tz="UTC"))) == []
    one_day = np.sin(np.arange(24) * np.pi / 12)
    assert find_periods(hourly(one_day)) == []


def test_a_step_is_no_season() -> None:
    rng = np.random.default_rng(7)
    assert find_periods(hourly(rng.normal(size=500) + 5 * (np.arange(500) > 250))) == []


def test_long_series_keep_short_and_long_periods() -> None:
    t = np.arange(60 * 24 * 30)  # minutes for thirty days
    rng = np.random.default_rng(8)
    values = 3 * np.sin(t * 2 * np.pi / 1_440) + 2.0 * (t % 60 < 5) + rng.normal(size=len(t))
    assert set(find_periods(hourly(values, "1min"))) == {DAY, H}


def test_naive_index_is_refused() -> None:
    with pytest.raises(InvalidSeriesError, match="time zone"):
        find_periods(pd.Series(np.ones(9), index=pd.date_range("2026", periods=9)))


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float64,
        st.integers(0, 60),
        elements=st.floats(-1e9, 1e9) | st.just(float("nan")),
    )
)
def test_any_short_series_gets_an_answer(values: np.ndarray) -> None:
    for period in find_periods(hourly(values)):
        assert pd.Timedelta(0) < period <= len(values) * H / 2


@pytest.mark.parametrize(
    "kind",
    ["white", "walk", "ar9", "ar5", "tails"],
)
@pytest.mark.parametrize("n", [300, 720])
def test_noise_has_no_period(kind: str, n: int) -> None:
    rng = np.random.default_rng([n, sum(map(ord, kind))])
    make = {
        "white": lambda: rng.normal(size=n),
        "walk": lambda: np.cumsum(rng.normal(size=n)),
        "ar9": lambda: ar(rng, n, 0.9),
        "ar5": lambda: ar(rng, n, 0.5),
        "tails": lambda: rng.standard_t(3, size=n),
    }[kind]
    false = sum(bool(find_periods(hourly(make()))) for _ in range(40))
    assert false <= 1
