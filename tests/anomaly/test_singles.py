"""Each single detector finds a clear fault of its own kind, on noise and on a daily season."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from monitorlab import anomaly
from monitorlab.errors import InvalidSeriesError
from monitorlab.frame import MonitoringFrame
from monitorlab.kernels.anomaly_memory import (
    FEWEST,
    PATTERN_KEPT,
    PATTERN_SIZE,
    pattern_distances,
)
from tests.anomaly.builders import noise, stamped

DAYS = {"none": (None, 5_000), "of 1440": (1_440, 8 * 1_440), "of 288": (288, 21 * 288)}
SEEDS = range(5)


def spike(size: float) -> Callable[[np.ndarray, int], None]:
    def put(values: np.ndarray, at: int) -> None:
        values[at] += size

    return put


def shift(size: float) -> Callable[[np.ndarray, int], None]:
    def put(values: np.ndarray, at: int) -> None:
        values[at:] += size

    return put


FAULTS = {
    "robust_z": (spike(20.0), 1),
    "ewma": (spike(20.0), 1),
    "jump": (spike(20.0), 1),
    "nearest_pattern": (spike(8.0), 1),
    "level_shift": (shift(5.0), 30),
}


def alarms(detector: anomaly.Detector, series: pd.Series) -> np.ndarray:
    return np.flatnonzero(detector.score(series).to_numpy() >= detector.threshold)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_detector_finds_a_fault_of_its_own_kind(name: str, day: str) -> None:
    fault, within = FAULTS[name]
    period, count = DAYS[day]
    found = []
    for seed in SEEDS:
        values = np.random.default_rng(seed).normal(size=count)
        if period:
            values += 10.0 * np.sin(2.0 * np.pi * np.arange(count) / period)
        at = count - 1_600 + seed * (period or 500) // 5  # wherever in the day
        fault(values, at)
        rows = alarms(anomaly.make_detector(name), stamped(values, "1min"))
        found.append(bool(((rows >= at) & (rows < at + within)).any()))
    assert sum(found) >= 4, found


@pytest.mark.parametrize("swing", [0.0, 10.0])
@pytest.mark.parametrize(
    "name",
    ["jump", "level_shift", "nearest_pattern", "record", "robust_z", "seasonal", "trend_change"],
)
def test_noise_and_a_slow_season_are_no_fault(name: str, swing: float) -> None:
    rows = total = 0
    for seed in range(8):
        values = np.random.default_rng(seed).normal(size=6 * 1_440)
        values += swing * np.sin(2.0 * np.pi * np.arange(len(values)) / 1_440)
        rows += len(alarms(anomaly.make_detector(name), stamped(values, "1min")))
        total += len(values)
    assert rows / total < 0.0011


def weekdays(seed: int, weeks: int) -> pd.Series:
    index = pd.date_range("2026-03-02", periods=weeks * 7 * 288, freq="5min", tz="UTC")  # a Monday
    swing = 1.0 - np.cos(2.0 * np.pi * np.arange(len(index)) / 288)
    size = np.where(index.day_of_week < 5, 15.0, 4.0)
    rng = np.random.default_rng(seed)
    return pd.Series(50.0 + size * swing + 1.5 * rng.normal(size=len(index)), index)


def test_a_wednesday_like_a_sunday_is_found() -> None:
    found = 0
    for seed in SEEDS:
        series = weekdays(seed, 6)
        wednesday = series.index[(35 + 2) * 288 : (35 + 3) * 288]
        series[wednesday] = weekdays(seed + 50, 1).to_numpy()[-288:]
        detector = anomaly.make_detector("weekly")
        scores = detector.score(series)
        assert (scores[: wednesday[0]] >= detector.threshold).mean() < 0.001
        found += bool((scores[wednesday] >= detector.threshold).any())
    assert found == len(SEEDS)


def test_a_time_of_the_week_has_no_say_before_its_fourth_visit() -> None:
    trace = anomaly.make_detector("weekly").trace(weekdays(1, 4))
    spoken = np.flatnonzero(trace["weekly"])
    assert len(spoken)
    assert spoken[0] >= 3 * 7 * 288


def test_the_nearest_pattern_is_that_of_all_pairs() -> None:
    values = np.random.default_rng(3).normal(size=PATTERN_KEPT + 60)
    state = np.zeros(PATTERN_SIZE)
    for i, value in enumerate(values):
        found = pattern_distances(state, value)
        if 40 < i < PATTERN_KEPT - 20:
            continue
        past = values[max(i - PATTERN_KEPT + 1, 0) : max(i - 3, 0)]
        if len(past) - 3 < FEWEST:
            assert np.isnan(found).all()
            continue
        apart = np.lib.stride_tricks.sliding_window_view(past, 4) - values[i - 3 : i + 1]
        expected = np.abs(apart).max(axis=1).min(), np.ptp(apart, axis=1).min() / 2.0
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", anomaly.detectors())
@pytest.mark.parametrize("size", [9e306, 1.2e308, 1.7e308])
def test_batch_equals_steps_where_numbers_end(name: str, size: float) -> None:
    series = noise(900, seed=4)
    series.iloc[[600, 601, 700]] = [size, -size, size]
    detector = anomaly.make_detector(name)
    seconds = series.index.as_unit("ns").asi8 / 1e9
    stepped = [detector.update(t, v) for t, v in zip(seconds, series, strict=True)]
    np.testing.assert_allclose(detector.score(series), stepped, rtol=0.0, atol=1e-9)
    assert np.isfinite(stepped).all()


def test_a_day_of_values_near_the_end_of_numbers_is_compared_with() -> None:
    values = np.random.default_rng(5).normal(size=1_200)
    values[[500, 900]] = 1.2e308  # farther from all others than can be told
    detector = anomaly.make_detector("seasonal")
    series = stamped(values)
    seconds = series.index.as_unit("ns").asi8 / 1e9
    stepped = [detector.update(t, v) for t, v in zip(seconds, series, strict=True)]
    np.testing.assert_array_equal(detector.score(series), stepped)


def test_great_numbers_up_and_down_give_a_band_and_no_warning() -> None:
    series = stamped(9e307 * (-1.0) ** np.arange(600))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace = anomaly.make_detector("auto").trace(series)
    assert np.isfinite(trace[["expected", "lower", "upper"]].to_numpy()).all()


@pytest.mark.parametrize("name", anomaly.detectors())
def test_a_detector_keeps_the_name_that_it_was_made_by(name: str) -> None:
    made = anomaly.make_detector(name, threshold=0.99)
    copies = [made, made.clone(), copy.copy(made), copy.deepcopy(made)]
    copies.append(pickle.loads(pickle.dumps(made)))
    assert [each.name for each in copies] == [name] * 5
    assert f"detector {name!r}" in repr(anomaly.detect(noise(50), made))


def test_an_ensemble_of_ones_own_is_called_so() -> None:
    assert anomaly.Ensemble().name == "auto"
    assert anomaly.Ensemble(["jump"]).name == anomaly.Ensemble(["jump"]).clone().name == "ensemble"


def test_what_is_no_detector_is_refused() -> None:
    with pytest.raises(TypeError, match=r"one of auto, .* or a Detector, not 5"):
        anomaly.detect(noise(50), 5)  # type: ignore[arg-type]


def test_complex_values_are_refused_by_name() -> None:
    series = noise(50) * 1j
    with pytest.raises(InvalidSeriesError, match="'metric' is complex"):
        anomaly.detect(series)


def test_a_restart_of_a_counter_is_no_dip() -> None:
    restarts = np.array([1_200, 1_600, 2_000, 2_400])
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        total = np.cumsum(rng.poisson(50, 2_600).astype(float))
        for k in restarts:
            total[k:] -= total[k] - rng.integers(0, 50)
        index = pd.date_range("2026-01-01", periods=len(total), freq="15s", tz="UTC")
        mf = MonitoringFrame()
        mf.extend("hits_total", index, total, type="counter")
        found = mf.anomalies("hits_total")
        rows = index.get_indexer(found.events["time"])
        assert not np.isin(rows, np.add.outer(restarts, np.arange(3))).any()
        assert found.scores.loc[index[restarts]].isna().all(axis=None)
        score = mf.query("anomaly_score(hits_total)", at=index[restarts[0]])
        assert score["value"].isna().all()
