"""Degradation results: status, effect, direction, drift, comparison of spans."""

import json

import numpy as np
import pandas as pd
import pytest

from monitorlab.degradation import analyze, compare, worse_direction
from monitorlab.degradation.analysis import as_rate
from monitorlab.errors import InvalidSeriesError, NotEnoughDataError
from monitorlab.model import Labels, Metric, MetricType, SeriesKey, Severity


def minutes(values: np.ndarray, name: str = "latency_ms") -> pd.Series:
    index = pd.date_range("2026-01-05", periods=len(values), freq="1min", tz="UTC")
    return pd.Series(values, index=index, name=name)


def noisy(level: float, n: int = 400, seed: int = 0) -> np.ndarray:
    return level + 0.05 * level * np.random.default_rng(seed).normal(size=n)


def step(n: int = 400, at: int = 300) -> np.ndarray:
    return np.arange(n) >= at


@pytest.mark.parametrize(
    ("name", "shift", "status"),
    [
        ("latency_ms", 40, "degraded"),
        ("latency_ms", -40, "improved"),
        ("requests_total_rate", -40, "degraded"),
        ("availability", -40, "degraded"),
        ("blorp", 40, "changed"),
        ("latency_ms", 0, "stable"),
    ],
)
def test_status_follows_the_direction_of_bad(name: str, shift: float, status: str) -> None:
    result = analyze({SeriesKey(name): minutes(noisy(100) + shift * step())})
    row = result[0]
    assert row.status == status
    assert row.is_worse == (status == "degraded")
    if shift:
        change = row.changes[0]
        assert change.time == pd.Timestamp("2026-01-05 05:00", tz="UTC")
        assert change.effect == pytest.approx(shift, rel=0.1)
        assert change.ratio == pytest.approx(shift / 100, rel=0.1)
        assert abs(change.standardised) == pytest.approx(8, rel=0.25)
        assert change.is_significant
        assert change.kind == "sudden"


def test_a_given_direction_wins() -> None:
    series = {SeriesKey("latency_ms"): minutes(noisy(100) + 40 * step())}
    result = analyze(series, {"latency_ms": Metric("latency_ms", direction="down")})
    assert result[0].status == "improved"
    assert result[0].reason == "given"


def test_severity_needs_per_cent_and_noise() -> None:
    tiny = analyze(minutes(1000 + noisy(1) + 0.5 * step()))[0]
    assert tiny.status == "stable"  # clear, but 0.05 %
    huge = analyze(minutes(noisy(100) + 100 * step()))[0]
    assert huge.severity is Severity.CRITICAL
    some = analyze(minutes(noisy(100) + 10 * step()))[0]
    assert some.severity is Severity.WARNING


def test_recovered() -> None:
    values = noisy(100) + 50 * ((np.arange(400) >= 150) & (np.arange(400) < 250))
    row = analyze(minutes(values))[0]
    assert row.status == "recovered"
    assert [c.is_worse for c in row.changes] == [True, False]


def test_a_leak_is_slow() -> None:
    rng = np.random.default_rng(1)
    memory = minutes(1e9 + 1e6 * np.arange(600) + 2e7 * rng.normal(size=600))
    row = analyze({SeriesKey("process_memory_used_bytes"): memory})[0]
    assert row.status == "drifting"
    assert row.drift is not None
    assert row.drift.kind == "leak"
    assert row.drift.slope_per_hour == pytest.approx(6e7, rel=0.15)
    assert row.is_worse


def test_clean_seasonal_series_are_stable() -> None:
    index = pd.date_range("2026-01-05", periods=24 * 12 + 9, freq="1h", tz="UTC")
    bad = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        phase = rng.uniform(0, 24)
        values = 100 + 30 * np.sin((np.arange(len(index)) + phase) * np.pi / 12)
        values = values + 5 * rng.normal(size=len(index))
        bad += (
            analyze({SeriesKey("latency_ms"): pd.Series(values, index=index)})[0].status != "stable"
        )
    assert bad <= 1


def test_counters_are_read_as_rates() -> None:
    rng = np.random.default_rng(2)
    rate = np.where(step(), 2.0, 10.0) * 60 + rng.normal(size=400)
    total = np.cumsum(rate)
    total[250:] -= total[250] - 5  # a reset
    metric = Metric("orders_total", MetricType.COUNTER)
    row = analyze({SeriesKey("orders_total"): minutes(total)}, {"orders_total": metric})[0]
    assert row.status == "degraded"
    assert row.changes[-1].after == pytest.approx(2.0, rel=0.05)
    assert (as_rate(minutes(total)) >= 0).all()


def test_a_wandering_series_is_not_called_degraded() -> None:
    walk = np.cumsum(np.random.default_rng(3).normal(size=500))
    row = analyze(minutes(100 + walk))[0]
    assert not any(c.is_significant for c in row.changes)
    assert row.status in ("wandering", "stable", "drifting")
    assert not row.is_worse


def test_before_and_after_a_release() -> None:
    series = {SeriesKey("latency_ms"): minutes(noisy(100) + 10 * step())}
    result = analyze(series, after="2026-01-05T05:00Z")
    row = result[0]
    assert row.status == "degraded"
    assert row.comparison is not None
    assert row.comparison.verdict == "worse"
    assert row.comparison.low < 10 < row.comparison.high
    spans = analyze(
        series,
        before=("2026-01-05T00:00Z", "2026-01-05T02:00Z"),
        after=("2026-01-05T02:00Z", "2026-01-05T04:00Z"),
    )
    assert spans[0].comparison is not None
    assert spans[0].comparison.verdict == "no clear change"
    with pytest.raises(ValueError, match="before is given without after"):
        analyze(series, before="2026-01-05T02:00Z")
    with pytest.raises(ValueError, match="empty"):
        analyze(series, after=("2026-01-05T02:00Z", "2026-01-05T01:00Z"))


def test_comparison_is_honest_in_noise() -> None:
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(60):
        shocks = rng.normal(size=600)
        values = np.zeros(600)
        for i in range(1, 600):
            values[i] = 0.7 * values[i - 1] + shocks[i]
        series = minutes(values)
        result = compare(series[:300], series[300:], resamples=300)
        false += result.verdict != "no clear change"
    assert false <= 8


def test_comparison_errors_and_views() -> None:
    series = minutes(noisy(100))
    with pytest.raises(NotEnoughDataError):
        compare(series[:3], series[3:])
    with pytest.raises(InvalidSeriesError, match="overlap"):
        compare(series[:200], series[100:])
    with pytest.raises(ValueError, match="statistic"):
        compare(series[:200], series[200:], statistic="mode")  # type: ignore[arg-type]
    result = compare(series[:200], series[200:], statistic="mean")
    assert result.verdict == "no clear change"
    assert len(result.plot().data) == 4
    assert len(result.to_frame()) == 1
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_set_of_series_and_its_views() -> None:
    result = analyze(
        {
            SeriesKey("latency_ms", Labels(host="a")): minutes(noisy(100) + 40 * step()),
            SeriesKey("latency_ms", Labels(host="b")): minutes(noisy(100, seed=1)),
            SeriesKey("short"): minutes(np.arange(4.0)),
        }
    )
    assert list(result.skipped) == ["short"]
    assert repr(result) == "Degradation: 1 degraded, 1 stable, 1 skipped"
    assert [r.series for r in result.worse] == ['latency_ms{host="a"}']
    assert len(result.events) == 1
    assert len(result.to_frame()) == 2
    json.dumps(result.to_dict(), allow_nan=False)
    assert len(result.plot().data) == 4
    assert len(result.plot('latency_ms{host="b"}').data) == 1
    with pytest.raises(KeyError):
        result["nothing"]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("http_request_duration_seconds", "up"), ("http_requests_total", "down"),
        ("http_requests_failed_total", "up"), ("node_memory_MemFree_bytes", "down"),
        ("node_memory_MemAvailable_bytes", "down"), ("cache_hit_ratio", "down"),
        ("cache_misses_total", "up"), ("cpu_idle", "down"), ("cpu_usage", "up"),
        ("queue_depth", "up"), ("orders_per_minute", "down"), ("error_rate", "up"),
        ("success_rate", "down"), ("throughput", "down"), ("blorp", None),
        ("process_cpu_seconds_total", "up"), ("uptime", "down"),
    ],
)  # fmt: skip
def test_direction_by_name(name: str, way: str | None) -> None:
    assert worse_direction(Metric(name)).way == way


def test_direction_by_unit_and_type() -> None:
    assert worse_direction(Metric("blorp", unit="ms")).way == "up"
    assert worse_direction(Metric("blorp", unit="req/s")).way == "down"
    assert worse_direction(Metric("blorp", MetricType.TIMER)).way == "up"
    assert "unknown" in worse_direction(Metric("blorp")).reason


def test_counter_of_a_frame_is_turned_into_a_rate_once() -> None:
    import monitorlab as ml

    index = pd.date_range("2026-01-01", periods=300, freq="1min", tz="UTC")
    rate = np.random.default_rng(0).poisson(600, 300) * np.where(np.arange(300) < 200, 1.0, 1.5)
    frame = ml.MonitoringFrame()
    frame.extend("http_errors_total", index, np.cumsum(rate), type="counter")
    row = frame.degradation("http_errors_total")[0]
    assert row.status == "degraded"
    assert row.changes[0].before == pytest.approx(10.0, rel=0.05)
    assert row.changes[0].after == pytest.approx(15.0, rel=0.05)
    after = frame.degradation("http_errors_total", after=index[200])[0]
    assert after.comparison is not None
    assert after.comparison.verdict == "worse"


def test_rates_given_as_rates_are_left_alone() -> None:
    index = pd.date_range("2026-01-01", periods=100, freq="1s", tz="UTC")
    series = pd.Series(np.random.default_rng(0).normal(50, 1, 100), index=index, name="hits_total")
    known = {"hits_total": Metric("hits_total", MetricType.COUNTER)}
    assert analyze(series, known, are_rates=True)[0].n_samples == 100
    assert analyze(series.cumsum(), known)[0].n_samples == 99


def test_comparison_refuses_what_cannot_be_squared() -> None:
    values = minutes(1e300 * noisy(1.0, 40))
    with pytest.raises(InvalidSeriesError, match="divide"):
        compare(values[:20], values[20:])


def test_a_decay_has_no_level_that_nothing_reached() -> None:
    """A cache that warms up: lines through the curve would step where no sample does."""
    rng = np.random.default_rng(5)
    n = np.arange(1_800)
    reads = np.clip(3.5 * np.exp(-n / 45.0) + 0.2 + rng.gamma(0.3, 0.5, 1_800) - 0.15, 0.0, None)
    index = pd.date_range("2026-01-01", periods=1_800, freq="4s", tz="UTC")
    row = analyze(pd.Series(reads, index=index, name="disk_reads:rate")).rows[0]
    assert row.changes
    assert all(change.before > change.after >= 0.0 for change in row.changes)
    assert all(change.before <= reads.max() for change in row.changes)
