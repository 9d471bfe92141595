"""The streaming monitor: delay and false alarms as stated."""

import math
import pickle

import numpy as np
import pytest

from monitorlab.degradation import DegradationMonitor
from monitorlab.model import Metric


def run(monitor: DegradationMonitor, values: np.ndarray) -> list[float]:
    return [monitor.update(float(t), float(v)) for t, v in enumerate(values)]


def test_a_lasting_change_is_told_with_its_onset() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(50, 2, 600) + 5 * (np.arange(600) >= 400)
    monitor = DegradationMonitor(metric=Metric("latency_ms"))
    scores = run(monitor, values)
    change = monitor.changes[0]
    assert len(monitor.changes) == 1
    assert abs(change.onset - 400) <= 5
    assert 400 < change.detected < 420
    assert change.is_worse is True
    assert change.direction == "up"
    assert change.after - change.before == pytest.approx(5, abs=2)
    assert max(scores[:400]) < 1.0
    assert all(0.0 <= s <= 1.0 for s in scores)


def test_one_spike_is_no_alarm() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=400)
    values[300] = 1e6
    monitor = DegradationMonitor()
    run(monitor, values)
    assert not monitor.changes


@pytest.mark.parametrize("phi", [0.0, 0.6])
def test_false_alarms_are_as_rare_as_stated(phi: float) -> None:
    rng = np.random.default_rng(2)
    alarms = samples = 0
    for _ in range(40):
        shocks = rng.normal(size=2_000)
        values = np.zeros(2_000)
        for i in range(1, 2_000):
            values[i] = phi * values[i - 1] + shocks[i]
        monitor = DegradationMonitor(mean_samples_between_false_alarms=20_000)
        run(monitor, values)
        alarms += len(monitor.changes)
        samples += len(values)
    assert alarms / samples <= 3 / 20_000


def test_false_alarms_are_as_rare_as_stated_in_skewed_noise() -> None:
    rng = np.random.default_rng(6)
    alarms = samples = 0
    for _ in range(12):
        monitor = DegradationMonitor(warmup=200, mean_samples_between_false_alarms=2_000)
        run(monitor, rng.exponential(size=5_000))
        alarms += len(monitor.changes)
        samples += 5_000
    assert alarms / samples <= 2 / 2_000  # 3.6 of them where normal tails are taken for granted


def test_a_second_change_is_told_as_soon_as_the_first() -> None:
    rng = np.random.default_rng(7)
    delays = []
    for _ in range(15):
        monitor = DegradationMonitor(warmup=200)
        values = rng.normal(size=1_800) + 2.0 * (np.arange(1_800) // 600)
        run(monitor, values)
        second = [c.detected - 1_200 for c in monitor.changes if c.detected >= 1_200]
        delays.append(second[0] if second else np.inf)
    assert np.median(delays) < 1.5 * DegradationMonitor(warmup=200).expected_delay(2.0)


def test_delay_is_as_stated() -> None:
    rng = np.random.default_rng(3)
    delays = []
    for _ in range(60):
        monitor = DegradationMonitor(warmup=200)
        values = rng.normal(size=400) + 2.0 * (np.arange(400) >= 300)
        run(monitor, values)
        delays.extend(c.detected - 299 for c in monitor.changes if c.detected >= 300)
    expected = DegradationMonitor(warmup=200).expected_delay(2.0)
    assert len(delays) >= 58
    assert np.mean(delays) == pytest.approx(expected, rel=0.4)


def test_missing_samples_reset_and_pickle() -> None:
    monitor = DegradationMonitor(warmup=20)
    assert math.isnan(monitor.update(0.0, float("nan")))
    run(monitor, np.random.default_rng(4).normal(size=50))
    assert monitor.is_ready
    again = pickle.loads(pickle.dumps(monitor))
    assert again.update(99.0, 0.3) == monitor.update(99.0, 0.3)
    monitor.reset()
    assert not monitor.is_ready
    assert monitor.last_change is None


def test_a_constant_baseline() -> None:
    monitor = DegradationMonitor(direction="down", warmup=20)
    scores = run(monitor, np.concatenate((np.full(60, 5.0), np.full(20, 4.0))))
    assert monitor.last_change is not None
    assert monitor.last_change.is_worse
    assert max(scores[:60]) == 0.0


@pytest.mark.parametrize(
    "bad",
    [
        {"warmup": 3},
        {"shift": 0.0},
        {"direction": "sideways"},
        {"mean_samples_between_false_alarms": 1},
    ],
)
def test_wrong_parameters(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        DegradationMonitor(**bad)  # type: ignore[arg-type]
