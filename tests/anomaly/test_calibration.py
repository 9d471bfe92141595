"""What a score promises: few alarms on clean streams, none at the start, parts that may wait."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

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


def shaped(law: str, n: int, seed: int) -> pd.Series:
    """Give noise of another law than the normal one."""
    options = {"df": 3} if law == "standard_t" else {}
    return stamped(getattr(np.random.default_rng(seed), law)(size=n, **options))


def forgetful(n: int, seed: int) -> pd.Series:
    """Give noise of which a tenth is forgotten from sample to sample."""
    steps = np.random.default_rng(seed).normal(size=n + 100)
    return stamped(lfilter([1.0], [1.0, -0.9], steps)[100:])


@pytest.mark.parametrize(
    ("make", "limit"),
    [
        (lambda seed: noise(1_500, seed), 0.001),
        (lambda seed: noise(6_000, seed), 0.001),
        (lambda seed: daily(3_000, seed), 0.001),
        (sharp, 0.001),
        (lambda seed: shaped("exponential", 2_000, seed), 0.001),
        (lambda seed: shaped("lognormal", 1_200, seed), 0.001),
        (lambda seed: forgetful(2_000, seed), 0.001),
        (lambda seed: walk(4_000, seed, drift=0.3), 0.001),
        (lambda seed: walk(4_000, seed, drift=1.0), 0.001),
        (lambda seed: walk(4_000, seed), 0.001),
        (lambda seed: shaped("standard_t", 1_200, seed), 0.001),
        (lambda seed: shaped("standard_t", 4_000, seed), 0.001),
    ],
    ids=[
        "short noise", "noise", "daily", "sharp daily", "exponential", "log-normal",
        "autoregressive", "walk", "steep walk", "walk without much drift", "short heavy tails",
        "heavy tails",
    ],
)  # fmt: skip
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
    """A budget of three and one in 2500: what comes often is not news."""
    series = noise(6_000, seed=9)
    series.iloc[500::150] += np.linspace(60.0, 400.0, len(series.iloc[500::150]))
    assert 3 <= len(rows(series)) <= 20


def incidents(at: list[int], seed: int) -> pd.Series:
    """Give noise with a minute of trouble, the same each time, at the given samples."""
    series = noise(3_000, seed=seed)
    for start in at:
        series.iloc[start : start + 40] += 30.0
    return series


@pytest.mark.parametrize("seed", [31, 32, 33, 34])
def test_a_second_incident_is_found_although_the_first_was_seen(seed: int) -> None:
    found = rows(incidents([1_000, 1_700], seed))
    for start in (1_000, 1_700):
        assert ((found >= start) & (found < start + 40)).any()


def test_an_incident_that_comes_every_hour_becomes_a_habit() -> None:
    at = list(range(1_000, 2_900, 100))
    found = rows(incidents(at, seed=35))
    hit = [bool(((found >= a) & (found < a + 60)).any()) for a in at]
    assert hit[0]
    assert sum(hit[-8:]) <= 2


def test_what_a_long_spell_was_is_learned() -> None:
    """A change for good is an alarm or two, not one each day from then on."""
    series = noise(4_000, seed=36)
    series.iloc[1_000:] += 60.0
    found = rows(series)
    assert ((found >= 1_000) & (found < 1_040)).any()
    assert (found >= 1_100).sum() <= 2


@given(st.lists(st.floats(-10.0, 10.0), min_size=24, max_size=24 * 12))
def test_the_middle_of_the_blocks_is_their_median(values: list[float]) -> None:
    from monitorlab.kernels import anomaly_calibration as kernel

    c = np.zeros(kernel.CALIBRATOR_SIZE)
    kernel.calibrator_reset(c)
    for value in [*values, 0.0]:  # a full block is closed by the next value
        kernel.learn(c, value)
    closed = len(values) // kernel.BLOCK
    peaks = np.reshape(values[: closed * kernel.BLOCK], (closed, kernel.BLOCK)).max(axis=1)
    assert kernel.middle(c) == pytest.approx(np.median(peaks))


def lift_of(values: np.ndarray, *, for_walk: float = 0.0, for_noise: float = 0.0) -> float:
    """Give how much rarer the last sample must be for what the stream is by nature."""
    from monitorlab.kernels import anomaly_batch as kernel

    found = np.empty(len(values))
    kernel.lifts(np.ascontiguousarray(values), for_walk, for_noise, found)
    return float(found[-1])


def test_a_walk_is_told_from_noise_and_from_a_season_with_noise() -> None:
    n = 1_500
    assert lift_of(walk(n, 1, drift=0.0).to_numpy(), for_walk=1.0) > 0.5
    assert lift_of(walk(n, 2, drift=0.3).to_numpy(), for_walk=1.0) == 1.0
    for calm in (noise(n), daily(n, sigma=6.0), noise(n).rolling(4, min_periods=1).mean() * 0.0):
        assert lift_of(calm.to_numpy(), for_walk=1.0) == 0.0
    assert lift_of(daily(n, sigma=4.0).to_numpy(), for_walk=1.0) < 0.15
    rough = np.random.default_rng(3).standard_cauchy(n)
    assert lift_of(rough, for_walk=1.0) < 0.2
    assert lift_of(np.clip(rough, -5.0, 5.0) * 3e307, for_walk=1.0) == 0.0


def test_noise_with_heavy_tails_is_told_from_what_has_any_order() -> None:
    n = 1_500
    told = [lift_of(shaped("standard_t", n, seed).to_numpy(), for_noise=1.0) for seed in range(8)]
    assert np.median(told) > 0.9
    tails = shaped("lognormal", n, 5).to_numpy()
    assert lift_of(tails, for_noise=2.0) == 2.0
    assert lift_of(noise(n).to_numpy(), for_noise=1.0) < 0.2  # light tails need no more
    ordered = {
        "by size": np.sort(tails),
        "held for four samples": np.repeat(tails[: n // 4], 4),
        "every other one": np.where(np.arange(n) % 2, tails, 20.0 + tails),
        "constant": np.full(n, 3.0),
    }
    assert {k: lift_of(v, for_noise=1.0) for k, v in ordered.items()} == dict.fromkeys(ordered, 0.0)


def test_a_few_far_samples_do_not_make_noise_a_heavy_tailed_one() -> None:
    series = noise(3_000, seed=14)
    series.iloc[600::300] += 200.0
    assert lift_of(series.to_numpy(), for_noise=1.0) < 0.5
    assert len(rows(series.iloc[:1_700])) == 4


def test_in_heavy_tailed_noise_a_shift_is_still_found_at_once() -> None:
    found = 0
    for seed in range(8):
        series = shaped("standard_t", 3_000, seed)
        series.iloc[2_000:2_060] += 8.0
        hits = rows(series)
        found += bool(((hits >= 2_000) & (hits < 2_012)).any())
    assert found >= 6


@pytest.mark.parametrize("threshold", [0.999, 0.98, 0.9])
def test_what_may_not_alarm_scores_below_any_threshold(threshold: float) -> None:
    detector = anomaly.make_detector("auto", threshold=threshold)
    series = noise(3_000, seed=12)
    series.iloc[1_500:] += 25.0
    alarms = np.flatnonzero(detector.score(series).to_numpy() >= threshold)
    assert len(alarms) > 0
    # in the span after an alarm only what is a hundred times rarer alarms
    assert (np.diff(alarms) <= detector.refractory).sum() <= 0.2 * len(alarms)


@pytest.mark.parametrize(("past", "excess"), [(6, 1.7), (12, 1.35), (40, 1.35), (200, 1.35)])
def test_a_predictive_share_is_about_honest(past: int, excess: float) -> None:
    """Blocks whose predicted share is p come not much more often than p."""
    from monitorlab.kernels import anomaly_calibration as kernel

    rng = np.random.default_rng(past)
    shares = []
    for _ in range(2_000):
        c = np.zeros(kernel.CALIBRATOR_SIZE)
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
        c = np.zeros(kernel.CALIBRATOR_SIZE)
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
        near = [((t - u + 43_200.0) % 86_400.0 - 43_200.0, y) for u, y in seen if t - u >= 21_600.0]
        near = [(away, y) for away, y in near if abs(away) <= 1_800.0]
        others = [y for _, y in near]
        around = any(away >= -299.0 for away, _ in near) and any(away <= 299.0 for away, _ in near)
        if len(others) >= 5 or around:
            np.testing.assert_allclose(found, np.abs(np.array(others) - x).min(axis=0))
        else:
            assert np.isnan(found).all()
        seen.append((t, x))


def test_times_of_the_day_at_the_edge_of_a_gap_are_no_news() -> None:
    at_the_edge = 0
    for seed in range(20):
        whole = noise(3_000, seed, freq="1min")
        series = whole.drop(whole.index[1_000:1_500])  # 16:40 to 01:00
        scores = AUTO.score(series)
        back = scores.index[1_350 + 1_000]  # 23:30 of the next day: midnight is half an hour off
        near = scores[back : back + pd.Timedelta("1h")]
        at_the_edge += int((near >= 0.999).any())
    assert at_the_edge <= 2
