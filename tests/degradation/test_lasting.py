"""Spells that come back, long memory, states that jump to and fro: no changes for good."""

import numpy as np
import pytest

from monitorlab.degradation import changepoints, segment
from monitorlab.degradation.lasting import lasting
from monitorlab.degradation.noise import autoregression


def autoregressive(rng: np.random.Generator, n: int, phi: float) -> np.ndarray:
    out = np.zeros(n + 200)
    for i, shock in enumerate(rng.normal(size=n + 200)):
        out[i] = phi * out[i - 1] + shock
    return out[200:]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_noise_with_memory_has_no_significant_change(phi: float) -> None:
    rng = np.random.default_rng(5)
    cuts = [segment(autoregressive(rng, 150, phi)) for _ in range(40)]
    assert sum(bool(c.points) and not c.wanders for c in cuts) <= 1
    assert sum(bool(c.points) for c in cuts) <= 3


def test_a_short_spell_that_comes_back_is_no_change() -> None:
    y = np.random.default_rng(0).normal(size=600)
    y[300:315] += 8.0
    assert changepoints(y) == []
    y[300:] += 3.0  # the spell stands at a change for good
    found = changepoints(y)
    assert any(abs(p - 300) <= 16 for p in found)


def test_a_count_that_jumps_to_and_fro_keeps_few_changes() -> None:
    rng = np.random.default_rng(1)
    state, values = 0, []
    while len(values) < 900:
        values += [5.0 + state] * int(rng.integers(4, 25))
        state = 1 - state
    jumps = int((np.diff(values[:900]) != 0).sum())
    assert jumps > 50
    assert len(changepoints(np.array(values[:900]))) < 0.2 * jumps


def test_states_without_noise_still_change_once() -> None:
    assert changepoints(np.repeat([1.0, 3.0], 60)) == [60]
    assert changepoints(np.repeat([0.0, 1.0, 4.0], 80)) == [80, 160]


@pytest.mark.parametrize("shape", ["level", "line"])
def test_no_change_in_nothing(shape: str) -> None:
    assert lasting(np.zeros(50), (), shape) == ((), ())
    assert lasting(np.random.default_rng(0).normal(size=50), (25,), shape) == ((), ())


def test_a_season_taken_out_costs_freedom() -> None:
    y = np.random.default_rng(3).normal(size=300) + 1.0 * (np.arange(300) >= 150)
    _, free = lasting(y, (150,), "level")
    _, spent = lasting(y, (150,), "level", 0.3)
    assert free[0] < (spent[0] if spent else 1.0)


def test_a_leak_that_begins_is_told_although_the_series_goes_far() -> None:
    rng = np.random.default_rng(0)
    y = 3.0 + np.maximum(np.arange(800) - 500, 0) / 60 + rng.normal(0, 0.05, 800)
    cut = segment(y)
    assert not cut.wanders
    assert len(cut.points) == 1
    assert abs(cut.points[0] - 500) < 20


def test_noise_of_jumps_is_priced_as_such() -> None:
    rng = np.random.default_rng(0)
    even = rng.normal(size=400)
    rare = np.where(rng.random(400) < 0.05, 1.0, 0.02) * rng.normal(size=400) * 4
    assert autoregression(rare / rare.std())[0] < autoregression(even / even.std())[0]
