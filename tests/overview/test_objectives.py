"""Attainment, error budget and burn rate of objectives over events and over time."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import monitorlab as ml
from monitorlab.errors import QueryError, RuleError, UnknownSeriesError
from monitorlab.overview import Objective, attainment

START = pd.Timestamp("2026-01-01T00:00Z")
TIMES = pd.date_range(START, periods=721, freq="5s")


def shop(good: np.ndarray, bad: np.ndarray, *, reset: int | None = None) -> ml.MonitoringFrame:
    made = ml.MonitoringFrame()
    for code, steps in (("200", good), ("500", bad)):
        total = np.cumsum(steps)
        if reset is not None:
            total[reset:] -= total[reset - 1]
        made.extend("requests_total", TIMES, total, labels={"code": code}, type="counter")
    return made


SERVED = Objective("Served", good='requests_total{code="200"}', total="requests_total", target=0.99)


def test_a_share_of_events() -> None:
    mf = shop(np.full(721, 98.0), np.full(721, 2.0))
    found = attainment(mf.selection, SERVED, START, TIMES[-1])
    assert found.ratio == pytest.approx(0.98)
    assert found.burn_rate == pytest.approx(2.0)
    assert found.budget_left == pytest.approx(-1.0)
    assert found.is_met is False
    assert found.total == pytest.approx(72_000, rel=0.01)
    assert len(found.slices) == 30
    assert found.slices[3] == pytest.approx(0.98)


def test_good_and_bad_say_the_same() -> None:
    mf = shop(np.full(721, 98.0), np.full(721, 2.0))
    by_bad = Objective("S", bad='requests_total{code="500"}', total="requests_total", target=0.99)
    one = attainment(mf.selection, SERVED, START, TIMES[-1])
    assert attainment(mf.selection, by_bad, START, TIMES[-1]).ratio == pytest.approx(one.ratio)


@given(st.integers(10, 700))
def test_a_counter_that_starts_anew_costs_nothing(reset: int) -> None:
    good, bad = np.full(721, 99.5), np.full(721, 0.5)
    whole = attainment(shop(good, bad).selection, SERVED, START, TIMES[-1])
    broken = attainment(shop(good, bad, reset=reset).selection, SERVED, START, TIMES[-1])
    assert broken.ratio == pytest.approx(whole.ratio, abs=1e-4)
    assert broken.total == pytest.approx(whole.total, rel=0.01)


def test_an_expression_with_a_window() -> None:
    mf = shop(np.full(721, 98.0), np.full(721, 2.0))
    asked = Objective(
        "S", target=0.99,
        bad='sum(increase(requests_total{code=~"5.."}[{window}]))',
        total="sum(increase(requests_total[{window}]))",
    )  # fmt: skip
    assert attainment(mf.selection, asked, START, TIMES[-1]).ratio == pytest.approx(0.98)


def test_when_it_went_wrong_is_seen_in_the_slices() -> None:
    bad = np.zeros(721)
    bad[360:384] = 50.0  # the 16th of 30 slices
    found = attainment(shop(np.full(721, 100.0), bad).selection, SERVED, START, TIMES[-1])
    worst = int(np.argmin([1.0 if s is None else s for s in found.slices]))
    assert worst in (14, 15)
    assert sum(s is not None and s < 0.99 for s in found.slices) <= 3


def test_a_share_of_time_counts_every_series() -> None:
    mf = ml.MonitoringFrame()
    mf.extend("latency_seconds", TIMES, np.where(np.arange(721) < 72, 0.9, 0.1), labels={"r": "a"})
    mf.extend("latency_seconds", TIMES, np.full(721, 0.1), labels={"r": "b"})
    fast = Objective("Fast", holds="latency_seconds < 0.5", target=0.99)
    found = attainment(mf.selection, fast, START, TIMES[-1])
    assert found.ratio == pytest.approx(1 - 71 / 720 / 2)
    assert found.total == pytest.approx(3600)
    assert found.to_dict()["unit"] == "seconds"
    worst = attainment(
        mf.selection,
        Objective("F", holds="max(latency_seconds) < 0.5", target=0.9),
        START,
        TIMES[-1],
    )
    assert worst.ratio == pytest.approx(1 - 71 / 720)


def test_missing_samples_are_not_counted() -> None:
    mf = ml.MonitoringFrame()
    mf.extend("up", TIMES[:100], np.ones(100))
    mf.extend("up", TIMES[600:], np.zeros(121))
    found = attainment(mf.selection, Objective("Up", holds="up", target=0.9), START, TIMES[-1])
    assert found.ratio == pytest.approx(100 / 221, abs=0.03)
    assert None in found.slices


def test_nothing_measured_is_an_answer() -> None:
    mf = shop(np.zeros(721), np.zeros(721))
    found = attainment(mf.selection, SERVED, START, TIMES[-1])
    assert (found.ratio, found.is_met, found.burn_rate, found.budget_left) == (None,) * 4
    assert "not measured" in str(found)
    json.dumps(found.to_dict(), allow_nan=False)
    assert attainment(mf.selection, SERVED, TIMES[-1], START).ratio is None


@given(st.lists(st.integers(0, 50), min_size=20, max_size=60), st.floats(0.5, 0.9999))
def test_bounds_hold_whatever_is_counted(steps: list[int], target: float) -> None:
    mf = ml.MonitoringFrame()
    times = TIMES[: len(steps)]
    for code, factor in (("200", 1.0), ("500", 0.3)):
        mf.extend("requests_total", times, np.cumsum(np.array(steps) * factor), {"code": code})
    asked = Objective("S", good='requests_total{code="200"}', total="requests_total", target=target)
    found = attainment(mf.selection, asked, START, times[-1])
    if found.ratio is not None:
        assert 0 <= found.ratio <= 1
        assert found.burn_rate >= 0
        assert found.budget_left <= 1
        assert found.is_met == (found.ratio >= target)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"good": "a"}, "give total="),
        ({"good": "a", "bad": "b", "total": "c"}, "give total="),
        ({"holds": "up", "total": "c"}, "give total="),
        ({}, "give total="),
        ({"holds": "up", "target": 99.9}, "a share such as 0.999"),
        ({"holds": "up >"}, "objective 'X'"),
        ({"holds": "a < 1 and b < 2"}, "bool"),
        ({"good": "rate(a[5m])", "total": "b"}, "window"),
        ({"good": "a{", "total": "b"}, "objective 'X'"),
    ],
)
def test_a_wrong_objective_says_how_to_mend_it(options: dict[str, object], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        Objective("X", **options)


def test_wrong_data_is_an_error() -> None:
    mf = shop(np.ones(721), np.ones(721))
    with pytest.raises((QueryError, UnknownSeriesError)):
        attainment(mf.selection, Objective("X", holds="nothing < 1"), START, TIMES[-1])
    with pytest.raises(RuleError, match="gives numbers"):
        attainment(mf.selection, Objective("X", holds="requests_total"), START, TIMES[-1])
