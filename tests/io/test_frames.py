"""pandas in and out: wide and long, every kind of index, clear errors by row and column."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import InvalidSeriesError, MonitorlabWarning
from monitorlab.io import from_pandas, to_pandas
from monitorlab.io.labels import read_key, read_labels
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView, is_stale

T0 = 1_767_225_600_000_000_000
INDEX = pd.date_range("2026-01-01", periods=3, freq="s", tz="UTC")


def contents(store):
    return {str(v.key): (v.times.tolist(), v.values.tolist()) for v in store.select()}


def test_wide():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], 'b{x="1"}': [4, 5, 6]}, index=INDEX)
    times = (T0 + 10**9 * np.arange(3)).tolist()
    assert contents(from_pandas(frame)) == {
        "a": (times, [1.0, 2.0, 3.0]),
        'b{x="1"}': (times, [4.0, 5.0, 6.0]),
    }


def test_long():
    frame = pd.DataFrame(
        {
            "timestamp": INDEX,
            "metric": ["a", "a", "b"],
            "value": [1, 2, 3],
            "host": ["x", None, "x"],
            "n": [1, 2, 1],
        }
    )
    assert from_pandas(frame).keys == [
        SeriesKey("a", Labels(host="x", n="1")),
        SeriesKey("a", Labels(n="2")),
        SeriesKey("b", Labels(host="x", n="1")),
    ]


def test_long_with_the_index_as_time_and_categories():
    frame = pd.DataFrame(
        {"metric": pd.Categorical(["a", "b", "a"]), "value": [1, 2, 3]}, index=INDEX
    )
    assert [len(v) for v in from_pandas(frame).select()] == [2, 1]


def test_wide_with_label_column():
    frame = pd.DataFrame({"ts": INDEX, "host": ["x", "y", "x"], "cpu": [1, 2, 3]})
    assert from_pandas(frame, labels=["host"]).keys == [
        SeriesKey("cpu", Labels(host=h)) for h in "xy"
    ]


def test_series_and_levels_of_columns():
    assert from_pandas(pd.Series([1.0, 2.0, 3.0], index=INDEX, name="load")).keys == [
        SeriesKey("load")
    ]
    assert from_pandas(pd.Series([1.0, 2.0, 3.0], index=INDEX)).keys == [SeriesKey("value")]
    columns = pd.MultiIndex.from_tuples([("cpu", "x"), ("cpu", "y")], names=["metric", "host"])
    frame = pd.DataFrame(np.ones((3, 2)), index=INDEX, columns=columns)
    assert from_pandas(frame).keys == [SeriesKey("cpu", Labels(host=h)) for h in "xy"]


def test_levels_of_index():
    index = pd.MultiIndex.from_product([INDEX, ["x", "y"]], names=["time", "host"])
    frame = pd.DataFrame({"cpu": range(6)}, index=index)
    assert [len(v) for v in from_pandas(frame, labels=["host"]).select()] == [3, 3]


@pytest.mark.parametrize(
    "index", [INDEX.as_unit("s"), INDEX.as_unit("ns"), INDEX.tz_convert("Asia/Kolkata")]
)
def test_kinds_of_index(index):
    store = from_pandas(pd.DataFrame({"a": [1, 2, 3]}, index=index))
    assert store.select()[0].times.tolist() == (T0 + 10**9 * np.arange(3)).tolist()


@pytest.mark.parametrize(
    "column",
    [
        [T0 // 10**9, T0 // 10**9 + 1],
        [T0 // 10**6, T0 // 10**6 + 1000],
        [T0 / 1e9, T0 / 1e9 + 1],
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01+00:00"],
        [str(T0 // 10**9), str(T0 // 10**9 + 1)],
        [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 0, 0, 1, tzinfo=dt.UTC)],
        pd.array([T0 // 10**9, T0 // 10**9 + 1], dtype="Int64"),
    ],
)
def test_kinds_of_time_column(column):
    store = from_pandas(pd.DataFrame({"time": column, "a": [1, 2]}))
    assert store.select()[0].times.tolist() == [T0, T0 + 10**9]


def test_time_column_told_by_its_type():
    frame = pd.DataFrame({"when": INDEX, "a": [1, 2, 3]})
    assert contents(from_pandas(frame))["a"][1] == [1.0, 2.0, 3.0]


def test_naive_times():
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=INDEX.tz_localize(None))
    with pytest.warns(MonitorlabWarning, match="the index: times without a zone are taken as UTC"):
        store = from_pandas(frame)
    assert store.select()[0].times[0] == T0
    store = from_pandas(frame, tz="Europe/Zurich")
    assert store.select()[0].times[0] == T0 - 3600 * 10**9


def test_days_of_periods_and_dates():
    with pytest.warns(MonitorlabWarning):
        store = from_pandas(
            pd.DataFrame({"a": [1]}, index=pd.period_range("2026-01-01", periods=1, freq="D"))
        )
    assert store.select()[0].times.tolist() == [T0]
    with pytest.warns(MonitorlabWarning):
        store = from_pandas(pd.DataFrame({"date": [dt.date(2026, 1, 1)], "a": [1]}))
    assert store.select()[0].times.tolist() == [T0]


def test_missing_values():
    frame = pd.DataFrame(
        {
            "plain": [1.0, math.nan, 3.0],
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "objects": [1, None, 3.5],
            "flags": [True, False, True],
        },
        index=INDEX,
    ).astype({"objects": object})
    sizes = {v.metric: len(v) for v in from_pandas(frame).select()}
    assert sizes == {"flags": 3, "nullable": 2, "objects": 3, "plain": 3}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [1, 2]}), "no column looks like the time"),
        (pd.DataFrame({"ts": [1, 2], "a": [1, "x"]}), "column 'a'.*row 1.*'x'"),
        (pd.DataFrame({"ts": [1, None], "a": [1, 2]}), "column 'ts', row 1: the time is missing"),
        (
            pd.DataFrame({"ts": ["2026-01-01T00:00Z", "x"], "a": [1, 2]}),
            "column 'ts', row 1: 'x' is not a time",
        ),
        (
            pd.DataFrame({"ts": [1, 2], "metric": ["a", None], "value": [1, 2]}),
            "column 'metric', row 1",
        ),
        (pd.DataFrame([[1, 2, 3]], columns=["ts", "a", "a"]), "'a' appears more than once"),
        (pd.DataFrame({"ts": [1, 2], "a": INDEX[:2]}), "column 'a'"),
        ({"a": [1]}, "cannot read a dict"),
    ],
)
def test_errors_name_row_and_column(frame, message):
    with pytest.raises(InvalidSeriesError, match=message):
        from_pandas(frame)


def test_a_frame_of_nothing():
    assert not len(from_pandas(pd.DataFrame()))
    assert not len(from_pandas(pd.DataFrame({"a": []}, index=INDEX[:0])))


def test_polars():
    frame = pl.DataFrame({"ts": [T0 // 10**9], "cpu": [0.5]})
    assert contents(from_pandas(frame)) == {"cpu": ([T0], [0.5])}


def test_the_input_is_not_changed():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=INDEX)
    before = frame.copy(deep=True)
    store = from_pandas(frame)
    store.append("a", T0 + 10**10, 5.0)
    pd.testing.assert_frame_equal(frame, before)


# -- out -----------------------------------------------------------------------------------


def test_wide_out():
    views = [
        SeriesView.make("a", [1, 3], [1.0, 2.0]),
        SeriesView.make("b", [2, 3], [3.0, STALE_NAN], {"x": "y"}),
    ]
    wide = to_pandas(views)
    assert wide.columns.tolist() == ["a", 'b{x="y"}']
    assert wide.index.name == "timestamp"
    assert str(wide.index.dtype) == "datetime64[ns, UTC]"
    np.testing.assert_array_equal(wide.to_numpy(), [[1, np.nan], [np.nan, 3], [2, np.nan]])
    assert is_stale(wide['b{x="y"}'].to_numpy()).tolist() == [False, False, True]


def test_nothing_out():
    assert to_pandas([]).shape == (0, 0)
    assert to_pandas([], "long").columns.tolist() == ["timestamp", "metric", "value"]
    with pytest.raises(InvalidSeriesError, match="layout='tall'"):
        to_pandas([], "tall")


names = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
tables = st.dictionaries(
    st.tuples(
        names, st.dictionaries(names, st.text(min_size=1, max_size=4), max_size=3).map(Labels)
    ),
    st.dictionaries(st.integers(-(2**60), 2**62), st.floats(), min_size=1, max_size=5),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80, deadline=None)
@given(tables)
def test_long_round_trip(table):
    store = SeriesStore()
    for (metric, labels), pairs in table.items():
        times = sorted(pairs)
        store.extend(metric, np.array(times, np.int64), [pairs[t] for t in times], labels)
    again = from_pandas(to_pandas(store.select(), "long"))
    assert repr(contents(again)) == repr(contents(store))


# -- names and label sets ------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(names, st.dictionaries(names, st.text(min_size=1, max_size=6), max_size=3))
def test_names_of_series_read_back(metric, labels):
    key = SeriesKey(metric, Labels(labels))
    assert read_key(str(key)) == key


@pytest.mark.parametrize(
    "text", ["{", "{a", "{a=}", "{a=1", "=x", "a", '{a="1" b="2"}', "[1]", '"a"']
)
def test_no_label_sets(text):
    if text == "{a=}":
        assert read_labels(text) == {}
        return
    with pytest.raises(ValueError, match="is not a label set"):
        read_labels(text)


def test_braces_in_a_metric_name():
    assert read_key("odd{name") == SeriesKey("odd{name")
    with pytest.raises(ValueError, match="has no metric name"):
        read_key("  ")
