"""What a score promises: few alarms on clean streams, none at the start, parts that may wait."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import monitorlab as ml
from monitorlab import analysis_input, anomaly
from tests.anomaly.builders import daily, noise, stamped, walk

AUTO = anomaly.make_detector("auto")


def rows(series: pd.Series) -> np.ndarray:
    return np.flatnonzero(AUTO.score(series).to_numpy() >= AUTO.threshold)


def alarmed_share(make: Callable[[int], pd.Series], seeds: int) -> float:
    """Give the share of the rows after the warm-up that alarm."""
    alarms = scored = 0
    for seed in range(seeds):
        series = make(400 + seed)
        found = rows(series)
        assert (found >= AUTO.warmup).all()
        alarms += len(found)
        scored += len(series) - AUTO.warmup
    return alarms / scored


def sharp(seed: int) -> pd.Series:
    at = np.arange(3_000) % 288
    values = np.where((at > 100) & (at < 200), 80.0, 20.0)
    return stamped(values + np.random.default_rng(seed).uniform(-1, 1, len(values)))


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (lambda seed: noise(1_500, seed), 0.001),
        (lambda seed: noise(6_000, seed), 0.001),
        (lambda seed: daily(3_000, seed), 0.001),
        (sharp, 0.001),
        # ever new ground is ever new: the aim of 0.001 is missed
        (lambda seed: walk(4_000, seed), 0.002),
        (lambda seed: walk(4_000, seed, drift=1.0), 0.002),
    ],
    ids=["short noise", "noise", "daily", "sharp daily", "walk", "steep walk"],
)
def test_clean_streams_hardly_alarm_from_the_end_of_the_warm_up(
    make: Callable[[int], pd.Series], limit: float
) -> None:
    assert alarmed_share(make, 8) < limit


def test_white_noise_hardly_alarms_before_its_600th_sample() -> None:
    alarms = sum(len(rows(noise(600, seed))) for seed in range(600, 640))
    assert alarms <= 20  # half an alarm in a stream


def test_the_quiet_part_of_shop_hardly_alarms() -> None:
    quiet = ml.load_dataset("shop").between("2026-11-23 14:36:16", "2026-11-23 15:07:16")
    series = analysis_input.prepare_all(quiet.selection, None)
    found = [(len(rows(s)), s.notna().sum() - AUTO.warmup) for s in series.values()]
    alarms = sum(a for a, _ in found)
    scored = sum(n for _, n in found if n > 0)
    assert scored > 50_000
    assert alarms / scored < 0.001


@pytest.mark.parametrize("name", anomaly.detectors())
def test_nothing_alarms_before_the_warm_up_ends(name: str) -> None:
    detector = anomaly.make_detector(name)
    series = noise(400, seed=7)
    series.iloc[[detector.warmup - 30, detector.warmup - 1]] = 1e6
    scores = detector.score(series)
    assert (scores.iloc[: detector.warmup] < detector.threshold).all()


@pytest.mark.parametrize("name", ["auto", "nearest", "robust_z"])
def test_the_first_sample_after_the_warm_up_may_alarm(name: str) -> None:
    detector = anomaly.make_detector(name)
    series = noise(400, seed=8)
    series.iloc[detector.warmup] = 1e4
    assert detector.score(series).iloc[detector.warmup] >= detector.threshold


def test_statistics_of_the_day_are_silent_until_there_was_a_day() -> None:
    parts = [s for s in anomaly.AUTO_STATISTICS if s.startswith("day_")]
    trace = AUTO.trace(daily(1_200, seed=3))
    assert (trace[parts].iloc[:288] == 0.0).all(axis=None)
    # a part speaks when it has two blocks of its own to be ranked among
    assert (trace[parts].iloc[264 : 264 + 2 * 24] == 0.0).all(axis=None)
    assert (trace[parts].iloc[400:].max() > 0.0).all()


def test_the_second_day_begins_without_alarms() -> None:
    alarms = 0
    for seed in range(20):
        found = rows(daily(288 * 2, seed=700 + seed))
        alarms += int(((found >= 288) & (found < 288 + 144)).sum())
    assert alarms <= 1


def test_a_spike_in_the_first_hours_of_the_second_day_is_found() -> None:
    found = 0
    for seed in range(8):
        series = daily(288 * 2, seed=720 + seed)
        series.iloc[288 + 30] += 120.0
        found += 288 + 30 in rows(series)
    assert found == 8


def test_many_alarms_make_the_next_one_harder() -> None:
    """A budget of three and one in a thousand: what comes often is not news."""
    series = noise(6_000, seed=9)
    series.iloc[500::150] += np.linspace(60.0, 400.0, len(series.iloc[500::150]))
    assert 3 <= len(rows(series)) <= 20


@pytest.mark.parametrize(("past", "excess"), [(6, 1.7), (12, 1.35), (40, 1.35), (200, 1.35)])
def test_a_predictive_share_is_about_honest(past: int, excess: float) -> None:
    """Blocks whose predicted share is p come not much more often than p."""
    from monitorlab.kernels import anomaly_calibration as kernel

    rng = np.random.default_rng(past)
    shares = []
    for _ in range(2_000):
        c = np.empty(kernel.CALIBRATOR_SIZE)
        kernel.calibrator_reset(c)
        peaks = np.log(rng.exponential(size=(past + 2, kernel.BLOCK)).max(axis=1))
        for peak in peaks[:-1]:
            for _ in range(kernel.BLOCK):
                kernel.learn(c, peak)
        shares.append(kernel.share(c, peaks[-1]))
    got = np.array(shares)
    assert ((got > 0.0) & (got <= 1.0)).all()
    for p in (0.2, 0.05):
        assert (got <= p).mean() < excess * p + 0.005


def test_a_share_falls_with_the_value_and_slower_after_a_short_past() -> None:
    from monitorlab.kernels import anomaly_calibration as kernel

    falls = []
    for past in (4, 40):
        c = np.empty(kernel.CALIBRATOR_SIZE)
        kernel.calibrator_reset(c)
        for value in np.repeat(np.linspace(0.0, 1.0, past), kernel.BLOCK):
            kernel.learn(c, value)
        at = np.array([kernel.share(c, x) for x in np.linspace(-1.0, 6.0, 200)])
        assert (np.diff(at) <= 1e-12).all()
        falls.append(math.log(kernel.share(c, 2.0) / kernel.share(c, 5.0)))
    assert falls[0] < falls[1]


@given(
    values=st.lists(st.integers(-50, 50), min_size=1, max_size=120),
    delay=st.integers(1, 6),
    stride=st.integers(1, 4),
    size=st.integers(6, 20),
)
def test_a_memory_answers_like_a_plain_list(
    values: list[int], delay: int, stride: int, size: int
) -> None:
    from monitorlab.kernels import anomaly_memory as kernel

    state = np.zeros(kernel.memory_size(size))
    held: list[int] = []
    for i, value in enumerate(values):
        if i >= delay and (i - delay) % stride == 0:
            held = [*held, values[i - delay]][-size:]
        expected = min(abs(h - value) for h in held) if len(held) >= 5 else math.nan
        found = kernel.nearest(state, float(value), delay, stride, size)
        np.testing.assert_equal(found, expected)


def test_a_memory_of_days_answers_like_a_plain_list() -> None:
    from monitorlab.kernels import anomaly_memory as kernel

    rng = np.random.default_rng(11)
    state = np.zeros(kernel.DAY_SIZE)
    found = np.empty(kernel.SUMMARIES)
    seen: list[tuple[float, np.ndarray]] = []
    for i in range(900):
        t = 1.7e9 + 600.0 * i
        x = rng.normal(size=kernel.SUMMARIES)
        kernel.day_distances(state, t, x, found)
        others = [
            y
            for u, y in seen
            if t - u >= 21_600.0 and min((t - u) % 86_400.0, (u - t) % 86_400.0) <= 1_800.0
        ]
        if others:
            np.testing.assert_allclose(found, np.abs(np.array(others) - x).min(axis=0))
        else:
            assert np.isnan(found).all()
        seen.append((t, x))
