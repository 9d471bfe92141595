"""Window statistics against pandas and against slow, obvious oracles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import InvalidSeriesError, RuleError
from monitorlab.model import Labels, MetricType, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView
from monitorlab.windows import (
    BLOCK,
    counter_increase,
    rolling,
    window_slice,
    window_stats,
)

T0 = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
STATISTICS = ("count", "sum", "mean", "std", "min", "max", "median", "quantile")


def _series(gaps: list[int], values: list[float]) -> pd.Series:
    times = T0 + np.cumsum(np.asarray(gaps[: len(values)], dtype=np.int64)) * SECOND
    index = pd.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC")
    return pd.Series(np.asarray(values[: len(gaps)], dtype=float), index=index, name="m")


def _naive(values: np.ndarray, statistic: str, q: float | None) -> float:
    """One window by exact sums (math.fsum): no rounding on the way."""
    seen = values[~np.isnan(values)]
    if statistic == "count":
        return float(len(seen))
    if len(seen) == 0 or (statistic == "std" and len(seen) < 2):
        return math.nan
    if statistic == "min":
        return float(seen.min())
    if statistic == "max":
        return float(seen.max())
    if statistic in ("median", "quantile"):
        place = (0.5 if q is None else q) * (len(seen) - 1)
        ordered = np.sort(seen)
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        share = place - math.floor(place)
        if low == high or share == 0:
            return float(low)
        if np.isinf(high - low):
            return float(low * (1 - share) + high * share)
        return float(low + (high - low) * share)
    if np.isinf(seen).any():
        with np.errstate(invalid="ignore"):
            total = float(np.sum(seen))
        return math.nan if statistic == "std" else total
    total = math.fsum(seen)
    if statistic == "sum":
        return total
    if statistic == "mean":
        return total / len(seen)
    centred = seen - seen[0]
    mean = math.fsum(centred) / len(seen)
    return math.sqrt(math.fsum((centred - mean) ** 2) / (len(seen) - 1))


def _oracle(series: pd.Series, seconds: int, statistic: str, q: float | None) -> np.ndarray:
    times = series.index.asi8
    values = series.to_numpy()
    out = []
    for i, t in enumerate(times):
        first = int(np.searchsorted(times, t - seconds * SECOND, "right"))
        out.append(_naive(values[first : i + 1], statistic, q))
    return np.array(out)


_FINITE = st.one_of(
    st.floats(-1e6, 1e6),
    st.integers(-5, 5).map(float),
    st.just(math.nan),
    st.floats(-1, 1).map(lambda x: 1e9 + x),
)
_ANY = st.one_of(_FINITE, st.sampled_from([math.inf, -math.inf, STALE_NAN]))
_GAPS = st.lists(st.integers(1, 9), min_size=40, max_size=40)


@settings(max_examples=150, deadline=None)
@given(
    gaps=_GAPS,
    values=st.lists(_FINITE, min_size=1, max_size=40),
    seconds=st.integers(1, 60),
    statistic=st.sampled_from(STATISTICS),
    q=st.sampled_from([0.0, 0.1, 0.5, 0.95, 1.0]),
)
def test_rolling_equals_pandas(
    gaps: list[int], values: list[float], seconds: int, statistic: Any, q: float
) -> None:
    series = _series(gaps, values)
    window = series.rolling(f"{seconds}s", min_periods=1)
    if statistic == "quantile":
        expected = window.quantile(q)
        out = rolling(series, seconds, statistic, q)
    else:
        expected = getattr(window, statistic)()
        out = rolling(series, seconds, statistic)
    scale = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    # pandas adds and takes away in running sums; its own error is relative to what passed.
    tolerance = 1e-9 * max(scale, 1.0) if statistic in ("sum", "mean") else 1e-9
    if statistic == "std":
        tolerance = 1e-6 * max(scale, 1.0)
    pd.testing.assert_index_equal(out.index, series.index)
    assert out.name == "m"
    np.testing.assert_allclose(out, expected, rtol=1e-9, atol=tolerance)


@settings(max_examples=300, deadline=None)
@given(
    gaps=_GAPS,
    values=st.lists(_ANY, min_size=1, max_size=40),
    seconds=st.integers(1, 60),
    statistic=st.sampled_from(STATISTICS),
    q=st.sampled_from([0.0, 0.1, 0.5, 0.95, 1.0]),
)
def test_rolling_equals_exact_sums(
    gaps: list[int], values: list[float], seconds: int, statistic: Any, q: float
) -> None:
    series = _series(gaps, values)
    out = rolling(series, seconds, statistic, q if statistic == "quantile" else None)
    expected = _oracle(series, seconds, statistic, q if statistic == "quantile" else None)
    # Sums that cancel are exact to the size of their terms.
    tolerance = 1e-6 if statistic in ("sum", "mean") else 1e-12
    np.testing.assert_allclose(out, expected, rtol=1e-9, atol=tolerance)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize("seconds", [1, 7, 300, 5_000, 100_000])
def test_rolling_on_long_series(statistic: Any, seconds: int) -> None:
    rng = np.random.default_rng(seconds)
    count = 3 * BLOCK + 17
    values = rng.normal(size=count).round(2)
    values[rng.random(count) < 0.05] = np.nan
    series = _series(rng.integers(1, 4, count).tolist(), values.tolist())
    q = 0.9 if statistic == "quantile" else None
    window = series.rolling(f"{seconds}s", min_periods=1)
    expected = window.quantile(q) if q is not None else getattr(window, statistic)()
    np.testing.assert_allclose(
        rolling(series, seconds, statistic, q), expected, rtol=1e-9, atol=1e-9
    )


def test_a_spike_that_has_left_leaves_nothing_behind() -> None:
    values = [1.0, 2.0, 1e300, 3.0, 4.0, 5.0, 6.0, math.inf, 1.0, 2.0, 3.0, 4.0]
    series = _series([1] * len(values), values)
    assert rolling(series, 3, "mean").tolist()[5:7] == [4.0, 5.0]
    assert rolling(series, 3, "std").tolist()[5:7] == [1.0, 1.0]
    assert rolling(series, 3, "mean").tolist()[-2:] == [2.0, 3.0]
    assert rolling(series, 3, "sum").tolist()[7] == math.inf
    assert math.isnan(rolling(series, 3, "std").iloc[7])
    assert rolling(series, 3, "std").tolist()[-2:] == [1.0, 1.0]


def test_large_offsets_keep_their_digits() -> None:
    rng = np.random.default_rng(1)
    small = rng.integers(-1000, 1000, 5_000) / 1024.0  # exact beside the offset
    plain = _series([1] * 5_000, small.tolist())
    raised = _series([1] * 5_000, (small + 1e9).tolist())
    np.testing.assert_allclose(rolling(raised, 60, "std"), rolling(plain, 60, "std"), rtol=1e-12)
    np.testing.assert_allclose(
        rolling(raised, 60, "mean") - 1e9, rolling(plain, 60, "mean"), atol=2e-7
    )
    constant = _series([1] * 100, [0.1] * 100)
    assert (rolling(constant, 30, "std").iloc[1:] == 0.0).all()
    assert (rolling(constant, 30, "mean") == 0.1).all()


def test_rolling_takes_equal_times_as_pandas_does() -> None:
    series = _series([1, 0, 1, 0, 2], [1.0, 2.0, 3.0, 4.0, 5.0])
    for statistic in ("sum", "median", "max"):
        expected = getattr(series.rolling("2s", min_periods=1), statistic)()
        np.testing.assert_allclose(rolling(series, 2, statistic), expected)  # type: ignore[arg-type]


def test_rolling_of_nothing_and_of_integers() -> None:
    empty = _series([], [])
    for statistic in ("mean", "median"):
        assert len(rolling(empty, "5m", statistic)) == 0  # type: ignore[arg-type]
    whole = _series([1, 1], [1.0, 2.0]).astype(int)
    assert rolling(whole, "5m", "sum").tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("0s", "mean"), "longer"),
        (("5m", "average"), "use one of count, sum"),
        (("5m", "quantile"), "needs q"),
        (("5m", "quantile", 1.5), "between 0 and 1"),
        (("5m", "mean", 0.5), "belongs to"),
    ],
)
def test_rolling_refuses_wrong_questions(arguments: Any, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        rolling(_series([1], [1.0]), *arguments)


def test_rolling_refuses_wrong_series() -> None:
    good = _series([1, 1], [1.0, 2.0])
    for series, message in (
        (good.tz_localize(None), "naive"),
        (good.iloc[::-1], "not increasing"),
        (pd.Series([1.0]), "DatetimeIndex"),
        ([1.0], "pandas Series"),
        (good.astype(str) + "x", "not numbers"),
        (pd.Series([1.0], index=pd.DatetimeIndex([pd.NaT], tz="UTC")), "NaT"),
    ):
        with pytest.raises(InvalidSeriesError, match=message):
            rolling(series, "5m", "mean")  # type: ignore[arg-type]


# -- one window of many series -----------------------------------------------------------


def _figures(values: np.ndarray) -> list[float]:
    seen = values[~np.isnan(values)]
    if len(seen) == 0:
        return [0.0] + [math.nan] * 7
    return [
        float(len(seen)),
        seen.min(),
        seen.max(),
        seen.mean(),
        np.median(seen),
        seen.std(ddof=1) if len(seen) > 1 else math.nan,
        np.quantile(seen, 0.95),
        np.quantile(seen, 0.99),
    ]


@settings(max_examples=200, deadline=None)
@given(
    columns=st.lists(
        st.lists(st.one_of(_FINITE, st.just(STALE_NAN)), min_size=1, max_size=90),
        min_size=1,
        max_size=4,
    ),
    seconds=st.integers(1, 120),
    at=st.integers(-2, 100),
)
def test_window_stats_equals_numpy(columns: list[list[float]], seconds: int, at: int) -> None:
    views = [
        SeriesView.make("m", T0 + np.arange(len(v)) * SECOND, v, {"n": str(i)})
        for i, v in enumerate(columns)
    ]
    end = T0 + at * SECOND
    out = window_stats(views, seconds, end)
    assert list(out.columns) == [
        "count",
        "min",
        "max",
        "mean",
        "median",
        "std",
        "p95",
        "p99",
        "rate",
    ]
    assert out.index.tolist() == [view.key for view in views]
    assert out["count"].dtype == np.int64
    for view, row in zip(views, out.to_numpy(), strict=True):
        inside = view.values[window_slice(view.times, end, seconds * SECOND)]
        scale = float(np.max(np.abs(inside[~np.isnan(inside)]), initial=0.0))
        np.testing.assert_allclose(
            row[:8], _figures(inside), rtol=1e-9, atol=1e-15 * scale + 2e-7 * (scale > 1e8)
        )
        assert math.isnan(row[8])


@pytest.mark.parametrize("kind", ["random", "sorted", "falling", "equal", "few"])
@pytest.mark.parametrize("count", [1, 2, 25, 26, 300, 5_000])
def test_window_stats_of_long_windows(kind: str, count: int) -> None:
    rng = np.random.default_rng(count)
    values = {
        "random": rng.normal(size=count),
        "sorted": np.arange(count, dtype=float),
        "falling": -np.arange(count, dtype=float),
        "equal": np.full(count, 0.1),
        "few": rng.integers(0, 3, count).astype(float),
    }[kind]
    view = SeriesView.make("m", np.arange(count) * SECOND, values)
    row = window_stats(view, "1w").to_numpy()[0]
    np.testing.assert_allclose(row[:8], _figures(values), rtol=1e-12, atol=1e-15)


def test_window_stats_keeps_the_digits_of_a_large_offset() -> None:
    small = np.random.default_rng(3).integers(-1000, 1000, 500) / 1024.0
    plain, raised = (
        window_stats(SeriesView.make("m", np.arange(500) * SECOND, v), "1h")
        for v in (small, small + 1e9)
    )
    assert raised["std"].iloc[0] == pytest.approx(plain["std"].iloc[0], rel=1e-12)


def test_window_stats_with_infinities() -> None:
    view = SeriesView.make("m", np.arange(4), [1.0, math.inf, 2.0, 3.0])
    row = window_stats(view, "1m").iloc[0]
    assert row["max"] == row["mean"] == row["p99"] == math.inf
    assert row["median"] == 2.5
    assert math.isnan(row["std"])


def test_window_stats_rates_by_type() -> None:
    store = SeriesStore()
    times = np.arange(5) * SECOND
    store.extend("requests_total", times, [10.0, 14.0, math.nan, 2.0, 5.0])
    store.extend("load", times, [1.0, 2.0, 3.0, 4.0, 5.0])
    store.extend("speed", times, [1.0, 2.0, 3.0, 4.0, 5.0])
    store.describe("requests_total", type="counter")
    store.describe("speed", type="rate")
    for source in (store, store.selection(), store.selection().last("1h")):
        out = window_stats(source, "1m")
        assert [str(key) for key in out.index] == ["load", "requests_total", "speed"]
        np.testing.assert_allclose(out["rate"], [math.nan, (4 + 2 + 3) / 4, 3.0])
    views = store.select("requests_total")
    assert math.isnan(window_stats(views, "1m")["rate"].iloc[0])
    for types in ({"requests_total": MetricType.COUNTER}, lambda name: MetricType.COUNTER):
        assert window_stats(views, "1m", types=types)["rate"].iloc[0] == 2.25
    assert math.isnan(window_stats(views, "1s", types=lambda _: MetricType.COUNTER)["rate"].iloc[0])


class _OnlyASource:
    def __init__(self, views: list[SeriesView]) -> None:
        self.views = views

    def select(self, selector: Any = None, start_ns: Any = None, end_ns: Any = None) -> Any:
        return self.views


def test_window_stats_takes_what_there_is() -> None:
    series = _series([1, 1, 1], [1.0, 2.0, 6.0])
    key = SeriesKey("m", Labels(a="b"))
    for given_ in (series, [series], {"m": series}, {key: series}, {SeriesKey("m"): series}):
        out = window_stats(given_, "1h")
        assert out["mean"].tolist() == [3.0]
        assert out.index.name == "series"
    assert window_stats({key: series}, "1h").index.tolist() == [key]
    view = SeriesView.make("m", np.arange(3), [1.0, 2.0, 6.0])
    assert window_stats(_OnlyASource([view]), "1h")["mean"].tolist() == [3.0]
    assert window_stats({"x": view}, "1h")["mean"].tolist() == [3.0]
    assert len(window_stats([], "1h")) == 0
    assert len(window_stats(SeriesStore(), "1h")) == 0
    strided = SeriesView(SeriesKey("m"), np.arange(6)[::2], np.arange(6.0)[::2])
    assert window_stats(strided, "1h")["max"].tolist() == [4.0]
    for wrong in (5, "m", series.to_frame()):
        with pytest.raises(InvalidSeriesError):
            window_stats(wrong, "1h")


def test_window_stats_ends_at_the_newest_sample_of_all() -> None:
    store = SeriesStore()
    store.append("a", T0, 1.0)
    store.append("b", T0 + 90 * SECOND, 1.0)
    assert window_stats(store, "1m")["count"].tolist() == [0, 1]
    assert window_stats(store, "1m", at=T0)["count"].tolist() == [1, 0]
    assert window_stats(store, "5000y")["count"].tolist() == [1, 1]


# -- helpers -----------------------------------------------------------------------------


def test_window_slice() -> None:
    times = np.array([10, 20, 30, 40])
    assert times[window_slice(times, 30, 20)].tolist() == [20, 30]
    assert times[window_slice(times, 5, 20)].tolist() == []
    assert times[window_slice(times, 100, 2**63)].tolist() == [10, 20, 30, 40]


@given(st.lists(st.one_of(st.integers(0, 50).map(float), st.just(math.nan)), max_size=30))
def test_counter_increase_equals_a_loop(values: list[float]) -> None:
    times = np.arange(len(values)) * SECOND
    expected, before = [], None
    for value in values:
        if math.isnan(value):
            expected.append(math.nan)
            continue
        if before is None:
            expected.append(0.0)
        else:
            expected.append(value if value < before else value - before)
        before = value
    out = counter_increase(times, np.array(values))
    np.testing.assert_allclose(out, expected)


def test_counter_increase_per_second() -> None:
    times = np.array([0, 2, 4, 10]) * SECOND
    out = counter_increase(times, np.array([1.0, 5.0, math.nan, 13.0]), per_second=True)
    np.testing.assert_allclose(out, [math.nan, 2.0, math.nan, 1.0])
    with pytest.raises(InvalidSeriesError, match="as many"):
        counter_increase(times, np.array([1.0]))


def test_counter_increase_may_leave_out_what_is_known_in_part() -> None:
    times = np.arange(6) * SECOND
    values = np.array([5.0, 7.0, math.nan, 1.0, 4.0, 4.0])
    out = counter_increase(times, values, through_resets=False)
    np.testing.assert_array_equal(out, [0.0, 2.0, math.nan, math.nan, 3.0, 0.0])
