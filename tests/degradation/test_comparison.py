"""Two spans of a noise that wanders are not called different for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.degradation import compare
from monitorlab.degradation.memory import spreads, wandering


def noise(rng: np.random.Generator, n: int, d: float) -> np.ndarray:
    """Fractional noise of memory ``d``, none at zero (Hosking's weights)."""
    lags = np.arange(1, n)
    weights = np.concatenate(([1.0], np.cumprod((lags - 1 + d) / lags)))
    return np.convolve(rng.normal(size=2 * n), weights)[n : 2 * n]


def told(d: float, step: float, pairs: int, n: int = 200) -> float:
    rng = np.random.default_rng(7)
    index = pd.date_range("2026-01-01", periods=2 * n, freq="37s", tz="UTC")
    count = 0
    for _ in range(pairs):
        values = noise(rng, 2 * n, d)
        series = pd.Series(values + step * values.std() * (np.arange(2 * n) >= n), index, name="x")
        verdict = compare(series[:n], series[n:], resamples=300).verdict
        count += verdict != "no clear change"
    return count / pairs


def test_noise_with_a_long_memory_is_rarely_called_different() -> None:
    assert told(0.3, 0.0, 60) <= 0.15  # 0.28 where memory is not allowed for


def test_a_step_in_white_noise_is_still_seen() -> None:
    assert told(0.0, 0.7, 30) >= 0.95
    assert told(0.0, 0.0, 30) <= 0.1


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(8, 80), m=st.integers(8, 80), size=st.floats(0.1, 99)
)
def test_scale_place_and_order_do_not_matter(seed: int, n: int, m: int, size: float) -> None:
    values = np.random.default_rng(seed).normal(size=n + m)
    index = pd.date_range("2026-01-01", periods=n + m, freq="37s", tz="UTC")
    plain, scaled = (
        pd.Series(values, index, name="x"),
        pd.Series(size * values + 7, index, name="x"),
    )
    one = compare(plain[:n], plain[n:], resamples=200)
    other = compare(scaled[:n], scaled[n:], resamples=200)
    assert other.low == pytest.approx(size * one.low, rel=1e-6, abs=1e-9)
    assert other.high == pytest.approx(size * one.high, rel=1e-6, abs=1e-9)
    assert one.low <= one.change <= one.high


def test_what_wanders_moves_spans_that_are_far_apart_more() -> None:
    values = noise(np.random.default_rng(1), 800, 0.4)
    rest = np.concatenate((values[:400] - values[:400].mean(), values[400:] - values[400:].mean()))
    seen = spreads(rest, [400], 1)
    near, far = (
        np.median(wandering(seen, (400, 400), gap, 2_000, np.random.default_rng(2)))
        for gap in (0, 100_000)
    )
    assert 1.1 * near < far
    assert not wandering(
        spreads(np.zeros(40), [20], 1), (20, 20), 0, 5, np.random.default_rng(0)
    ).any()
