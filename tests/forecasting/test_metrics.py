"""Measures against slow and obvious ones, and against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.forecasting import coverage, mase, msis, seasonal_naive_scale, smape

numbers = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20))
def test_smape_is_the_mean_of_single_ratios(pairs):
    ratios = [
        200 * abs(y - f) / (abs(y) + abs(f)) if abs(y) + abs(f) > 0 else 0.0 for y, f in pairs
    ]
    assert smape(*zip(*pairs, strict=True)) == pytest.approx(sum(ratios) / len(ratios))


@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=20))
def test_msis_adds_the_price_of_each_miss(rows):
    total = 0.0
    for y, a, b in rows:
        lo, hi = min(a, b), max(a, b)
        total += hi - lo
        total += 40 * (lo - y) if y < lo else 0.0
        total += 40 * (y - hi) if y > hi else 0.0
    y = [r[0] for r in rows]
    lower, upper = [min(r[1:]) for r in rows], [max(r[1:]) for r in rows]
    assert msis(y, lower, upper, scale=2.0) == pytest.approx(total / len(rows) / 2)


def test_scale_is_the_error_of_the_last_season_repeated():
    assert seasonal_naive_scale([1, 2, 4, 6], 2) == pytest.approx(3.5)
    assert seasonal_naive_scale([1, np.nan, 4], 1) == 0.0
    assert seasonal_naive_scale([1, 2], 2) == 0.0


def test_missing_actuals_are_left_out():
    assert mase([1.0, np.nan], [2.0, 9.0], scale=1.0) == 1.0
    assert coverage([np.nan, 1.0], [0, 0], [1, 0.5]) == 0.0
    assert coverage([np.nan], [0], [1]) == 1.0


def test_a_constant_history_has_no_scale():
    assert mase([1.0], [1.0], scale=0.0) == 0.0
    assert mase([1.0], [2.0], scale=0.0) == float("inf")
