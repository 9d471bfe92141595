"""Each statistic finds what it is for, and the calibration keeps its word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from tests.anomaly.builders import daily, noise, stamped, walk


def alarms(name: str, series: pd.Series) -> np.ndarray:
    detector = anomaly.make_detector(name)
    return np.flatnonzero(detector.score(series).to_numpy() >= detector.threshold)


def found(name: str, series: pd.Series, start: int, within: int) -> bool:
    rows = alarms(name, series)
    return bool(((rows >= start) & (rows < start + within)).any())


@pytest.mark.parametrize("name", ["auto", "nearest", "ewma", "jump", "robust_z", "record"])
def test_a_spike_is_found_at_once(name: str) -> None:
    series = noise(1_500, seed=11)
    series.iloc[1_200] = 150.0
    assert found(name, series, 1_200, 1)


@pytest.mark.parametrize("name", ["auto", "ewma", "level_shift", "robust_z"])
def test_a_level_shift_is_found(name: str) -> None:
    series = noise(1_500, seed=12)
    series.iloc[1_200:] += 40.0
    assert found(name, series, 1_200, 15)


@pytest.mark.parametrize("name", ["auto", "seasonal"])
def test_a_missing_daily_jump_is_found(name: str) -> None:
    values = np.where((np.arange(3_456) % 288 > 100) & (np.arange(3_456) % 288 < 200), 80.0, 20.0)
    values += np.random.default_rng(13).uniform(-1, 1, len(values))
    values[288 * 10 : 288 * 11] = values[288 * 10]
    assert found(name, stamped(values), 288 * 10 + 100, 10)


@pytest.mark.parametrize("name", ["variance_shift"])
def test_a_rougher_series_is_found(name: str) -> None:
    series = noise(1_500, seed=14)
    series.iloc[1_200:] = 50.0 + 6.0 * (series.iloc[1_200:] - 50.0)
    assert found(name, series, 1_200, 40)


def test_a_new_slope_is_found() -> None:
    series = noise(1_500, seed=15)
    series.iloc[1_200:] += 2.0 * np.arange(300)
    assert found("trend_change", series, 1_200, 60)


def test_a_stuck_sensor_is_found_and_a_constant_one_is_not() -> None:
    series = noise(1_500, seed=16)
    series.iloc[1_200:1_260] = series.iloc[1_199]
    assert found("stuck", series, 1_200, 60)
    assert len(alarms("stuck", stamped(np.full(1_500, 7.0)))) == 0


def test_missing_time_is_found_and_a_changed_interval_learned() -> None:
    series = noise(1_500, seed=17)
    gap = pd.concat([series.iloc[:1_200], series.iloc[1_300:]])
    assert found("missing", gap, 1_200, 1)
    slower = series.copy()
    slower.index = series.index[:700].append(
        pd.date_range(series.index[700], periods=800, freq="1h", tz="UTC")
    )
    rows = alarms("missing", slower)
    assert (rows < 760).all()


@pytest.mark.parametrize("name", anomaly.detectors())
@pytest.mark.parametrize("kind", ["noise", "walk", "daily", "constant"])
def test_clean_series_hardly_alarm_after_the_first_thousand(name: str, kind: str) -> None:
    make = {"noise": noise, "walk": walk, "daily": daily}.get(kind)
    alarmed = rows = 0
    for seed in range(5):
        series = stamped(np.full(4_000, 2.5)) if make is None else make(4_000, seed=100 + seed)
        alarmed += int((alarms(name, series) >= 1_000).sum())
        rows += len(series) - 1_000
    assert alarmed / rows < (0.001 if name == "auto" else 0.003)


def test_a_score_keeps_its_word() -> None:
    """From the 4000th sample on, a tail of p comes at most about once in 1/(1-p) samples."""
    tails = []
    for seed in range(6):
        detector = anomaly.make_detector("auto")
        tails.append(detector.trace(noise(8_000, seed=200 + seed))["tail"].iloc[4_000:])
    tail = pd.concat(tails)
    for level in (0.99, 0.999):
        assert float((tail >= level).mean()) < 3.0 * (1 - level)


def test_scale_and_offset_do_not_matter() -> None:
    series = daily(2_000, seed=18)
    detector = anomaly.make_detector("auto")
    plain = detector.score(series)
    moved = detector.score(series * 1024.0)
    np.testing.assert_allclose(plain, moved, atol=1e-6)
