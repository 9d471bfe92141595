"""Measured claims with fixed seeds: accuracy, coverage, season."""

from __future__ import annotations

import numpy as np
import pytest

from monitorlab.forecasting import coverage, forecast, mase, seasonal_naive_scale
from monitorlab.forecasting._season import find_seasons


def test_beats_seasonal_naive_on_day_and_week(hourly):
    ours, naive, inside = [], [], []
    for seed in range(20):
        values = hourly(35, seed=seed)
        train, test = values[:-48], values[-48:]
        fc = forecast(train, horizon=48)
        scale = seasonal_naive_scale(train, 24)
        ours.append(mase(test, fc.mean, scale=scale))
        naive.append(mase(test, train[-24:][np.arange(48) % 24], scale=scale))
        inside.append(coverage(test, fc.lower, fc.upper))
        assert fc.season == 24
    assert np.mean(ours) < 0.6
    assert np.mean(ours) < 0.7 * np.mean(naive)
    assert 0.92 <= np.mean(inside) <= 0.98


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_intervals_cover_what_they_say_on_white_noise(level):
    inside = []
    for seed in range(60):
        values = np.random.default_rng(seed).normal(10, 2, 324)
        fc = forecast(values[:300], horizon=24, level=level)
        inside.append(coverage(values[300:], fc.lower, fc.upper))
    assert abs(np.mean(inside) - level) < 0.05


def test_intervals_cover_on_a_random_walk():
    inside = []
    for seed in range(60):
        values = np.cumsum(np.random.default_rng(seed).normal(0, 1, 324))
        fc = forecast(values[:300], horizon=24)
        inside.append(coverage(values[300:], fc.lower, fc.upper))
    assert 0.87 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize("size", [60, 100])
def test_intervals_cover_on_a_short_random_walk(size):
    inside = []
    for seed in range(100):
        values = np.cumsum(np.random.default_rng([size, seed]).normal(0, 1, size + 24))
        fc = forecast(values[:size], horizon=24)
        inside.append(coverage(values[size:], fc.lower, fc.upper))
    assert 0.9 <= np.mean(inside) <= 0.98  # .89 where a few origins alone set the widths


def test_trend_goes_on():
    rng = np.random.default_rng(0)
    t = np.arange(400)
    fc = forecast((5 + 0.3 * t + rng.normal(0, 1, 400))[:360], horizon=40)
    assert np.abs(fc.mean.to_numpy() - (5 + 0.3 * t[360:])).max() < 2.0


def test_short_series_cover():
    for size in (5, 8, 12, 20):
        inside = []
        for seed in range(150):
            values = np.random.default_rng(1_000 * size + seed).normal(0, 1, size + 3)
            fc = forecast(values[:size], horizon=3)
            inside.append(coverage(values[size:], fc.lower, fc.upper))
        assert np.mean(inside) > 0.85, size


def test_day_and_week_are_found_and_noise_has_none(hourly):
    assert find_seasons(hourly(35)) == (24, 168)
    false = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        false += len(find_seasons(rng.normal(size=700))) > 0
        false += len(find_seasons(np.cumsum(rng.normal(size=700)))) > 0
    assert false <= 10


def test_accuracy_is_a_backtest_of_everything(hourly, as_timed):
    accuracy = forecast(as_timed(hourly(35)), horizon=48).accuracy
    assert len(accuracy.folds) == 5
    assert accuracy.mase < accuracy.naive_mase
    assert 0.85 < accuracy.coverage <= 1.0
    assert accuracy.skill > 0.2
    frame = accuracy.to_frame()
    assert frame.index.tolist() == ["auto", "seasonal naive"]
    assert "MASE" in repr(accuracy)


def test_accuracy_of_a_short_history_is_empty_and_says_so():
    accuracy = forecast(np.arange(9.0), horizon=2).accuracy
    assert len(accuracy.folds) == 0
    assert np.isnan(accuracy.mase)
    assert "too short" in repr(accuracy)
    assert list(accuracy.to_frame().columns) == ["mase", "smape", "coverage", "msis"]
    assert accuracy.to_dict()["folds"] == []


def test_bursts_among_zeros_stay_sensible():
    rng = np.random.default_rng(3)
    values = np.where(rng.random(400) < 0.9, 0.0, rng.poisson(5, 400))
    values[-1] = 0.0
    fc = forecast(values, horizon=20)
    assert (fc.lower >= 0).all()
    assert fc.mean.max() < 2
    assert any("never went below zero" in note for note in fc.notes)
