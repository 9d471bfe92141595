"""What is usual at a time of the day, and which series have such a season."""

from __future__ import annotations

import numpy as np
import pytest

from monitorlab.anomaly.usual import Usual

STEP = 300.0
DAY = 288


def seconds(count: int) -> np.ndarray:
    return STEP * np.arange(count)


@pytest.mark.parametrize("seed", range(3))
def test_waves_and_busy_hours_are_a_season_and_what_wanders_is_none(seed: int) -> None:
    rng = np.random.default_rng(seed)
    phase = np.arange(DAY * 9) % DAY
    noise = rng.normal(size=len(phase))
    wave = 5.0 * np.sin(2 * np.pi * phase / DAY)
    busy = np.where((phase > 100) & (phase < 200), 20.0, 0.0)
    for values in (wave + noise, busy + noise):
        assert Usual(seconds(len(phase)), values).is_daily
    for values in (noise, np.cumsum(noise), np.zeros(len(phase)), noise[:DAY], noise[:1]):
        assert not Usual(seconds(len(values)), values).is_daily


def test_days_since_the_start_of_an_event_are_not_usual() -> None:
    values = 10.0 * np.sin(2 * np.pi * np.arange(DAY * 12) / DAY)
    start = DAY * 6
    values[start:] += 50.0  # for six days
    rest = Usual(seconds(len(values)), values).rest(start - 100, len(values), start)
    np.testing.assert_allclose(rest[:100], 0.0, atol=0.5)
    np.testing.assert_allclose(rest[100:], 50.0, atol=0.5)


def test_without_two_days_before_nothing_is_usual() -> None:
    values = 10.0 * np.sin(2 * np.pi * np.arange(DAY * 6) / DAY)
    usual = Usual(seconds(len(values)), values)
    assert usual.between(DAY, DAY + 10, DAY) is None
    np.testing.assert_array_equal(usual.rest(DAY, DAY + 10, DAY), values[DAY : DAY + 10])
    assert usual.between(DAY * 2, DAY * 2 + 10, DAY * 2) is not None
