"""What else changed here: robust effects, the same as a slow and obvious way gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.dashboard.changed import what_changed
from monitorlab.errors import NotEnoughDataError, TimeError
from monitorlab.frame import MonitoringFrame
from monitorlab.storage import SeriesStore
from monitorlab.times import from_ns

SECOND = 1_000_000_000
START = 1_767_258_000 * SECOND


def seconds(count: int) -> np.ndarray:
    return START + np.arange(count, dtype=np.int64) * SECOND


def at(second: int) -> object:
    return from_ns(START + second * SECOND)


def naive_effect(before: np.ndarray, during: np.ndarray) -> float:
    """Written out as the documentation says it."""
    before, during = before[np.isfinite(before)], during[np.isfinite(during)]
    low, high = np.median(before), np.median(during)
    if low == high:
        return 0.0
    spreads = [1.4826 * np.median(np.abs(v - np.median(v))) for v in (before, during)]
    scale = max(np.sqrt(np.mean(np.square(spreads))), 0.01 * max(abs(low), abs(high)))
    raw = (high - low) / scale * len(during) / (len(during) + 2.0)
    return float(np.clip(raw, -1000.0, 1000.0))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(3, 60),
    st.floats(-50.0, 50.0),
    st.floats(0.0, 0.4),
)
def test_the_effect_is_the_documented_one(
    seed: int, length: int, shift: float, missing: float
) -> None:
    rng = np.random.default_rng(seed)
    count = 4 * length
    values = rng.normal(10.0, 2.0, (3, count)).round(2)
    values[1, 3 * length :] += shift
    values[2] = rng.integers(0, 3, count)
    store = SeriesStore()
    holes = rng.random((3, count)) < missing
    for row in range(3):
        line = np.where(holes[row], np.nan, values[row])
        values[row] = line
        store.extend("metric", seconds(count), line, {"row": str(row)})
    enough = [
        row
        for row in range(3)
        if np.isfinite(values[row, : 3 * length]).sum() >= 3
        and np.isfinite(values[row, 3 * length :]).sum() >= 3
    ]
    if not enough:
        return
    found = what_changed(store, at(3 * length), at(count))
    effects = dict(zip(found.table["series"], found.table["effect"], strict=True))
    expected = {
        f'metric{{row="{row}"}}': naive_effect(values[row, : 3 * length], values[row, 3 * length :])
        for row in enough
    }
    assert effects == pytest.approx(expected)
    ranked = found.table["effect"].abs().tolist()
    assert ranked == sorted(ranked, reverse=True)


def test_counters_count_as_their_rate_and_a_reset_is_no_fall() -> None:
    steps = np.where(np.arange(400) < 300, 2.0, 10.0)
    total = np.cumsum(steps)
    total[350:] -= total[350]
    store = SeriesStore()
    store.describe("hits_total", type="counter")
    store.extend("hits_total", seconds(400), total)
    row = what_changed(store, at(300), at(400)).table.iloc[0]
    assert (row["before"], row["during"]) == (2.0, 10.0)
    assert row["change_ratio"] == pytest.approx(4.0)


def test_the_buckets_of_a_histogram_are_rates_of_their_metric() -> None:
    store = SeriesStore()
    store.describe("latency", type="histogram")
    for le in ("0.1", "+Inf"):
        steps = np.where(np.arange(200) < 150, 5.0, 1.0 if le == "0.1" else 5.0)
        store.extend("latency_bucket", seconds(200), np.cumsum(steps), {"le": le})
    found = what_changed(store, at(150), at(200))
    assert found.table["metric"].unique().tolist() == ["latency"]
    assert found.table["series"].tolist()[0] == 'latency_bucket{le="0.1"}'
    assert found.table["effect"].iloc[1] == 0.0


def test_of_one_metric_only_the_strongest_are_told() -> None:
    store = SeriesStore()
    for n in range(9):
        store.extend("load", seconds(100), np.arange(100) // 80 * (n + 1.0), {"host": str(n)})
    store.extend("depth", seconds(100), np.arange(100) // 80 * 1.0)
    found = what_changed(store, at(80), at(100))
    assert len(found.table) == 10
    assert found.top()["metric"].tolist().count("load") == 2
    assert "depth" in found.top()["series"].tolist()


def test_without_a_time_before_it_is_compared_with_the_time_after() -> None:
    store = SeriesStore()
    store.extend("depth", seconds(100), np.where(np.arange(100) < 20, 9.0, 1.0))
    found = what_changed(store, at(0), at(20))
    assert found.against == "after"
    assert found.table.iloc[0][["before", "during"]].tolist() == [1.0, 9.0]


def test_a_million_samples_are_looked_at_evenly() -> None:
    store = SeriesStore()
    noise = np.random.default_rng(0).normal(size=1_000_000)
    store.extend("a", seconds(1_000_000), noise + 3.0 * (np.arange(1_000_000) >= 800_000))
    found = what_changed(store, at(800_000), at(1_000_000))
    assert found.table["effect"].iloc[0] == pytest.approx(3.0, abs=0.5)
    assert found.table["samples"].iloc[0] == 240


def test_results_are_plain_and_drawn(shop: MonitoringFrame) -> None:
    found = what_changed(shop, "2026-01-01T09:15Z", "2026-01-01T09:18Z")
    assert found.table["metric"].iloc[0] in {
        "http_request_duration_seconds", "queue_depth", "cpu_busy_ratio", "http_requests_total",
    }  # fmt: skip
    assert "memory_used_bytes" in found.table["series"].tolist()
    assert len(found.plot().data[0].x) == 15
    assert isinstance(found.to_dict()["table"], list)
    assert "series moved" in repr(found)


def test_what_cannot_be_compared_is_said() -> None:
    store = SeriesStore()
    with pytest.raises(NotEnoughDataError, match="take a longer span"):
        what_changed(store, at(0), at(9))
    with pytest.raises(TimeError, match="not after"):
        what_changed(store, at(9), at(9))
    with pytest.raises(TimeError, match="not before"):
        what_changed(store, at(5), at(9), baseline=at(6))
