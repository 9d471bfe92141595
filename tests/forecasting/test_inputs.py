"""What comes in: kinds of index, gaps, wrong arguments, and every odd series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import (
    InvalidSeriesError,
    MissingExtraError,
    NotEnoughDataError,
    TimeError,
    UnknownNameError,
)
from monitorlab.forecasting import forecast, forecast_series, make_forecaster


def sound(fc) -> bool:
    lines = [line.to_numpy() for line in (fc.mean, fc.lower, fc.upper)]
    return all(np.isfinite(v).all() for v in lines) and bool(
        ((lines[1] <= lines[0]) & (lines[0] <= lines[2])).all()
    )


def test_index_goes_on(hourly, as_timed):
    series = as_timed(hourly())
    fc = forecast(series, horizon=5)
    assert fc.mean.index[0] == series.index[-1] + pd.Timedelta("1h")
    assert fc.mean.index.freq is None or fc.mean.index.inferred_freq == "h"
    assert str(fc.mean.index.tz) == "UTC"
    assert fc.mean.name == "load"
    plain = forecast(series.to_numpy(), horizon=5)
    assert plain.mean.index.tolist() == [672, 673, 674, 675, 676]
    assert np.allclose(plain.mean, fc.mean)


def test_integer_index_goes_on_in_its_own_steps():
    fc = forecast(pd.Series(np.arange(40.0), index=np.arange(0, 400, 10)), horizon=3)
    assert fc.mean.index.tolist() == [400, 410, 420]
    assert np.allclose(fc.mean, [40, 41, 42], atol=0.1)


def test_zone_is_turned_to_utc(hourly, as_timed):
    series = as_timed(hourly())
    there = series.tz_convert("Europe/Zurich")
    assert forecast(there, horizon=3).mean.equals(forecast(series, horizon=3).mean)


@pytest.mark.parametrize(
    ("series", "word"),
    [
        (pd.Series([1.0] * 9, index=pd.date_range("2026-01-01", periods=9)), "time zone"),
        (pd.Series([1.0, 2, 3, 4, 5], index=list("abcde")), "neither times nor whole"),
        (pd.Series([1.0, 2, 3, 4], index=[0, 1, 1, 2]), "duplicates"),
        (["a", "b", "c", "d"], "numbers"),
        (np.ones((4, 2)), "one series"),
        (
            pd.Series(
                [1.0, 2, 3, 4],
                index=pd.to_datetime([3, 2, 1, 0], unit="h", utc=True),
            ),
            "must increase",
        ),
    ],
)
def test_wrong_series_says_what_is_wrong(series, word):
    with pytest.raises(InvalidSeriesError, match=word):
        forecast(series, horizon=2)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [np.nan] * 50])
def test_too_few_samples_is_an_error_with_numbers(values):
    with pytest.raises(NotEnoughDataError) as caught:
        forecast(np.array(values, dtype=float), horizon=3)
    assert caught.value.needed == 4
    assert caught.value.got == int(np.isfinite(values).sum()) if values else True


@pytest.mark.parametrize("horizon", [0, -1, 2.5, True, "24h"])
def test_wrong_horizon(horizon):
    with pytest.raises(InvalidSeriesError, match="horizon"):
        forecast(np.arange(30.0), horizon=horizon)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, True])
def test_wrong_level(level):
    with pytest.raises(InvalidSeriesError, match="level"):
        forecast(np.arange(30.0), horizon=2, level=level)


@pytest.mark.parametrize("season", [-1, 2.5, True, [24, "w"]])
def test_wrong_season(season):
    with pytest.raises(InvalidSeriesError, match="season"):
        forecast(np.arange(30.0), horizon=2, season=season)


def test_unknown_and_missing_models(monkeypatch):
    with pytest.raises(UnknownNameError, match="did you mean 'sarimax'"):
        forecast(np.arange(30.0), horizon=2, model="sarima")
    monkeypatch.setattr("monitorlab.forecasting._statsforecast.installed", lambda: False)
    with pytest.raises(MissingExtraError, match="statsforecast"):
        make_forecaster("statsforecast_mstl")


def test_wrong_arguments_in_time(hourly, as_timed):
    with pytest.raises(InvalidSeriesError, match="DatetimeIndex"):
        forecast_series(pd.Series(hourly()), "1h")
    with pytest.raises(InvalidSeriesError, match="nothing"):
        forecast_series(as_timed(hourly()), 0)
    with pytest.raises(TimeError):
        forecast_series(as_timed(hourly()), "1 fortnight")
    with pytest.raises(NotEnoughDataError):
        forecast_series(as_timed([1.0, 2.0]), "1h")


def test_gaps_are_filled_for_fitting_and_told(hourly, as_timed):
    series = as_timed(hourly())
    holes = series.copy()
    holes.iloc[100:110] = np.nan
    holes.iloc[400:440] = np.nan
    fc = forecast(holes, horizon=24)
    assert sound(fc)
    assert any("50 of 672 steps" in note for note in fc.notes)
    whole = forecast(series, horizon=24)
    assert float(np.abs(fc.mean - whole.mean).mean()) < 2.0
    dropped = forecast(holes.dropna(), horizon=24)
    assert np.allclose(dropped.mean, fc.mean)


def test_irregular_samples_are_laid_on_the_median_interval(hourly, as_timed):
    series = as_timed(hourly())
    rng = np.random.default_rng(3)
    shifts = pd.to_timedelta(rng.integers(-900, 900, len(series)), unit="s")
    rough = pd.Series(series.to_numpy(), index=series.index + shifts, name="load")
    fc = forecast(rough, horizon=24)
    assert any("irregular" in note for note in fc.notes)
    assert sound(fc)
    assert fc.season == 24


def test_infinite_samples_are_missing_samples(hourly):
    values = hourly()
    values[50] = np.inf
    fc = forecast(values, horizon=4)
    assert sound(fc)
    assert any("infinite" in note for note in fc.notes)


def test_history_is_not_changed(hourly, as_timed):
    series = as_timed(hourly())
    series.iloc[5] = np.nan
    before = series.copy()
    forecast(series, horizon=4)
    pd.testing.assert_series_equal(series, before)


@pytest.mark.parametrize("size", [4, 5, 7, 11, 12, 13, 25, 49, 60])
@pytest.mark.parametrize(
    "make",
    [
        lambda n: np.full(n, 7.0),
        np.zeros,
        lambda n: np.arange(float(n)),
        lambda n: -(np.arange(float(n)) ** 2),
        lambda n: np.where(np.arange(n) % 5 == 0, 3.0, 0.0),
        lambda n: np.arange(n) % 4 * 1.0,
        lambda n: 1e12 + np.arange(n) % 3,
        lambda n: np.r_[np.zeros(n - 1), 1e300],
        lambda n: np.exp(np.arange(n) * 0.9),
        lambda n: np.random.default_rng(n).normal(size=n) * 1e-200,
        lambda n: np.random.default_rng(n).integers(0, 2, n) * 1.0,
    ],
)
def test_odd_series_get_a_finite_answer(make, size):
    fc = forecast(make(size), horizon=10)
    assert sound(fc)


@pytest.mark.parametrize("size", [1e298, 1e150, 1e-312])
def test_size_does_not_matter(size):
    rng = np.random.default_rng(11)
    wave = 100 + 10 * np.sin(np.arange(720) / 24 * 2 * np.pi) + rng.normal(0, 1, 720)
    fc = forecast(wave * size, horizon=24)
    assert sound(fc)
    assert fc.season == 24


@settings(max_examples=150)
@given(
    values=st.lists(
        st.one_of(
            st.floats(-1e9, 1e9),
            st.just(float("nan")),
            st.sampled_from([0.0, 1.0, -1.0, 1e300, -1e300, float("inf")]),
        ),
        min_size=0,
        max_size=80,
    ),
    horizon=st.integers(1, 60),
    season=st.sampled_from([None, 1, 2, 7, 24, (3, 12)]),
    level=st.sampled_from([0.5, 0.95, 0.999]),
)
def test_any_series_gets_an_answer_or_a_clear_error(values, horizon, season, level):
    array = np.array(values, dtype=float)
    if np.isfinite(array).sum() < 4:
        with pytest.raises(NotEnoughDataError):
            forecast(array, horizon, season=season, level=level)
        return
    fc = forecast(array, horizon, season=season, level=level)
    assert len(fc.mean) == horizon
    assert sound(fc)


@settings(max_examples=40)
@given(
    seconds=st.lists(st.integers(1, 4_000), min_size=4, max_size=60),
    horizon=st.sampled_from(["10s", "5m", "3h", "2d"]),
    seed=st.integers(0, 5),
)
def test_any_times_get_an_answer_or_a_clear_error(seconds, horizon, seed):
    index = pd.to_datetime(np.cumsum(seconds), unit="s", utc=True)
    series = pd.Series(np.random.default_rng(seed).normal(10, 2, len(index)), index=index)
    try:
        fc = forecast_series(series, horizon, capacity=15)
    except NotEnoughDataError:
        return
    assert sound(fc)
    assert fc.time_to_capacity is not None
    assert np.isfinite(fc.peaks.to_numpy()).all()
