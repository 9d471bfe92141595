"""A level that moved and stayed is forecast from; what comes back or jumps by nature is no shift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.forecasting import forecast
from monitorlab.forecasting._shifts import lifted, shifts


def wave(size: int, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 + 10 * np.sin(np.arange(size) / 24 * 2 * np.pi) + rng.normal(0, 1, size)


@pytest.mark.parametrize("age", [8, 20, 48, 200])
@pytest.mark.parametrize("size", [-30.0, 80.0])
def test_the_new_level_goes_on(age: int, size: float) -> None:
    y = wave(768)
    y[720 - age :] += size
    fc = forecast(y[:720], horizon=48)
    inside = (fc.lower.to_numpy() <= y[720:]) & (y[720:] <= fc.upper.to_numpy())
    assert float(np.abs(fc.mean.to_numpy() - y[720:]).mean()) < 1.5
    assert inside.mean() > 0.75
    assert float((fc.upper - fc.lower).mean()) < 10
    assert any("the level moved by" in note for note in fc.notes)


def test_an_outage_that_is_over_is_two_shifts() -> None:
    y = wave(720)
    y[400:430] -= 90
    found = shifts(y, (24,))
    assert [shift.at for shift in found] == [400, 430]
    assert found[0].size == pytest.approx(-90, abs=2)
    assert found[1].size == pytest.approx(90, abs=2)
    assert np.abs(lifted(y, found)[400:430] - y[400:430] - 90).max() < 3


@pytest.mark.parametrize(
    "make",
    [
        lambda y: np.where(np.arange(len(y)) == 500, 400.0, y),
        lambda y: y + 50.0 * (np.arange(len(y)) // 90 % 2),
        lambda y: y + 50.0 * (np.arange(len(y)) >= len(y) - 5),
        lambda y: y + 0.2 * np.arange(len(y)),
        lambda y: np.full(len(y), 7.0),
        lambda y: 60.0 * (np.arange(len(y)) % 24 == 3) + 0.1 * (y % 1),
    ],
    ids=["spike", "to and fro", "too young", "trend", "constant", "job at night"],
)
def test_what_is_no_shift(make) -> None:
    assert shifts(make(wave(720)), (24,)) == []


def test_noise_hardly_ever_shifts() -> None:
    rng = np.random.default_rng(8)
    told = sum(
        bool(shifts(series, ()))
        for _ in range(100)
        for series in (
            rng.normal(0, 1, 400),
            np.cumsum(rng.normal(0, 1, 400)),
            rng.exponential(1, 400),
            rng.poisson(0.1, 400).astype(float),
        )
    )
    assert told <= 2


def test_a_step_over_two_samples_is_one_shift() -> None:
    y = wave(720)
    y[600] += 40
    y[601:] += 80
    (found,) = shifts(y, (24,))
    assert found.at in (600, 601)
    assert found.size == pytest.approx(80, abs=2)


@settings(max_examples=60)
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=90),
    season=st.integers(0, 40),
)
def test_any_numbers(values: list[float], season: int) -> None:
    y = np.array(values)
    found = shifts(y, (season,) if season else ())
    assert len(found) <= 2
    if found:
        assert np.isfinite(lifted(y, found)).all()
        assert (lifted(y, found)[found[-1].at :] == y[found[-1].at :]).all()
