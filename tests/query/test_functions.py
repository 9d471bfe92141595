"""Every range function and aggregation against plain Python, step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.query import evaluate_range
from tests.query import reference
from tests.query.build import SECOND, random_samples, store_of

MINUTE = 60 * SECOND
END = 1500


def assert_close(got: float, want: float, where: str) -> None:
    if math.isnan(want):
        assert math.isnan(got), where
    else:
        assert got == pytest.approx(want, rel=1e-9, abs=1e-9), where


def compare_range(expr, samples, expected, *, step=7.0, **options):
    """Compare an expression over one series with a function of (samples, time)."""
    result = evaluate_range(store_of({"a": samples}), expr, 0, END, step, **options)
    for column, time in enumerate(result.times_ns.tolist()):
        want = expected(samples, time)
        got = result.values[0, column] if len(result) and result.present[0, column] else None
        where = f"{expr} at {time / SECOND}"
        assert (got is None) == (want is None), f"{where}: got {got}, want {want}"
        if want is not None:
            assert_close(got, want, where)


@pytest.mark.parametrize("name", sorted(reference.RANGE))
@given(seed=st.integers(0, 10_000), width=st.sampled_from([15, 40, 60, 300]))
def test_range_functions(name, seed, width):
    counter = name in ("rate", "increase", "irate", "resets")
    samples = random_samples(seed, counter=counter, whole=name == "changes")
    function = reference.RANGE[name]

    def expected(points, time):
        inside = reference.window(points, time, width * SECOND)
        return function(inside, time, width * SECOND)

    compare_range(f"{name}(x[{width}s])", samples, expected)


@pytest.mark.parametrize("closed", [False, True])
@given(seed=st.integers(0, 10_000))
def test_windows_are_open_on_the_left_or_closed(closed, seed):
    samples = [(round(t / SECOND) * SECOND, v) for t, v in random_samples(seed)]
    samples = list(dict(samples).items())

    def expected(points, time):
        return len(reference.window(points, time, MINUTE, closed=closed)) or None

    compat = "2" if closed else "3"
    compare_range("count_over_time(x[1m])", samples, expected, step=5, prom_compat=compat)


@given(seed=st.integers(0, 10_000), lookback=st.sampled_from([15, 60, 300]))
def test_instant_selection(seed, lookback):
    def value(points, time):
        found = reference.instant(points, time, lookback * SECOND)
        return None if found is None else found[1]

    def when(points, time):
        found = reference.instant(points, time, lookback * SECOND)
        return None if found is None else found[0] / SECOND

    samples = random_samples(seed)
    compare_range("x", samples, value, lookback=f"{lookback}s")
    compare_range("timestamp(x)", samples, when, lookback=f"{lookback}s")


@given(seed=st.integers(0, 10_000), q=st.sampled_from([-1.0, 0.0, 0.1, 0.5, 0.99, 1.0, 2.0]))
def test_quantile_over_time(seed, q):
    def expected(points, time):
        inside = [v for _, v in reference.window(points, time, 5 * MINUTE)]
        return reference.quantile(q, inside) if inside else None

    compare_range(f"quantile_over_time({q}, x[5m])", random_samples(seed), expected)


def test_quantile_over_time_follows_a_window_with_nan():
    values = [3.0, math.nan, 1.0, 2.0, math.nan, 5.0, 4.0, 4.0, math.nan, 0.0] * 8
    samples = [(i * 10 * SECOND, v) for i, v in enumerate(values)]

    def expected(points, time):
        inside = [v for _, v in reference.window(points, time, 20 * 10 * SECOND)]
        return reference.quantile(0.3, inside) if inside else None

    compare_range("quantile_over_time(0.3, x[200s])", samples, expected, step=10)


@given(seed=st.integers(0, 10_000))
def test_predict_linear(seed):
    def expected(points, time):
        inside = reference.window(points, time, 5 * MINUTE)
        if len(inside) < 2:
            return None
        slope, intercept = reference.line(inside, time)
        return slope * 600 + intercept

    compare_range("predict_linear(x[5m], 600)", random_samples(seed), expected)


@pytest.mark.parametrize("name", sorted(reference.AGGREGATE))
@given(seed=st.integers(0, 10_000))
def test_aggregations(name, seed):
    series = {str(n): random_samples(seed + n) for n in range(4)}
    result = evaluate_range(store_of(series), f"{name}(x)", 0, END, 11)
    for column, time in enumerate(result.times_ns.tolist()):
        found = [reference.instant(s, time, 300 * SECOND) for s in series.values()]
        values = [point[1] for point in found if point is not None]
        assert bool(len(result) and result.present[0, column]) == bool(values)
        if values:
            want = reference.AGGREGATE[name](values)
            assert_close(result.values[0, column], want, f"{name} at {time}")


@given(seed=st.integers(0, 10_000), k=st.integers(0, 5))
def test_topk_and_quantile_across_series(seed, k):
    series = {str(n): random_samples(seed + n) for n in range(4)}
    store = store_of(series)
    top = evaluate_range(store, f"topk({k}, x)", 0, END, 11)
    low = evaluate_range(store, f"bottomk({k}, x)", 0, END, 11)
    middle = evaluate_range(store, "quantile(0.25, x)", 0, END, 11)
    for column, time in enumerate(middle.times_ns.tolist()):
        found = [reference.instant(s, time, 300 * SECOND) for s in series.values()]
        values = sorted(point[1] for point in found if point is not None)
        assert sorted(top.values[top.present[:, column], column]) == sorted(values[::-1][:k])
        assert sorted(low.values[low.present[:, column], column]) == values[:k]
        if values:
            assert_close(middle.values[0, column], reference.quantile(0.25, values), "quantile")


@given(seed=st.integers(0, 10_000))
def test_subquery_equals_windows_over_the_inner_grid(seed):
    samples = random_samples(seed)

    def expected(points, time):
        inner = []
        for at in range(-600 * SECOND, time + 1, 20 * SECOND):
            found = reference.instant(points, at, 300 * SECOND)
            if found is not None:
                inner.append((at, found[1] * 2))
        inside = reference.window(inner, time, 2 * MINUTE)
        return math.fsum(v for _, v in inside) if inside else None

    compare_range("sum_over_time((x * 2)[2m:20s])", samples, expected)


@given(seed=st.integers(0, 10_000), offset=st.sampled_from([-90, 45, 600]))
def test_offset_shifts_and_at_fixes(seed, offset):
    samples = random_samples(seed)

    def shifted(points, time):
        found = reference.instant(points, time - offset * SECOND, 300 * SECOND)
        return None if found is None else found[1]

    compare_range(f"x offset {offset}s", samples, shifted)
    compare_range(f"x @ 700 offset {offset}s", samples, lambda p, _t: shifted(p, 700 * SECOND))
    compare_range(f"x @ end() offset {offset}s", samples, lambda p, _t: shifted(p, END * SECOND))


def test_sums_do_not_depend_on_what_came_before():
    values = [1e16, 1.0, -1e16] + [0.1] * 50
    samples = [(i * SECOND, v) for i, v in enumerate(values)]
    result = evaluate_range(store_of({"a": samples}), "sum_over_time(x[3s])", 10, 50, 1)
    np.testing.assert_allclose(result.values, 0.3, rtol=1e-15)


def test_auto_lookback_is_five_median_intervals():
    samples = [(i * 10 * SECOND, 1.0) for i in range(10)]
    store = store_of({"a": samples})
    result = evaluate_range(store, "x", 90, 150, 1, lookback="auto")
    assert int(result.present.sum()) == 50


@pytest.mark.parametrize("expr", ["x", "rate(x[1m])", "sum(x)", "x + x", "topk(1, x)", "x[1m:]"])
def test_a_source_without_series_gives_nothing(expr):
    from monitorlab.query import evaluate
    from monitorlab.storage import SeriesStore

    assert len(evaluate(SeriesStore(), expr, 0)) == 0
