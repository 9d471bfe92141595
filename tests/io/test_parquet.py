"""Parquet: save and load is the identity; foreign files are read; damage is told."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet as pq

from monitorlab.errors import MatcherError, MonitorlabWarning, RecordingError
from monitorlab.io import parquet_write, read_parquet, write_parquet
from monitorlab.io.parquet import count_series
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView
from monitorlab.times import from_ns

T0 = 1_767_225_600_000_000_000


def save(store, path):
    write_parquet(path, store.select(), store.metrics, store.incidents)
    return path


def state(store):
    """Everything that a recording holds, with the bits of its values."""
    return (
        {
            v.key: (v.times.tolist(), v.values.view(np.uint64).tolist(), v.metadata)
            for v in store.select()
        },
        store.metrics,
        store.incidents,
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = texts.filter(bool)
keys = st.builds(
    lambda m, ls: SeriesKey(m, Labels(ls)), names, st.dictionaries(names, texts, max_size=3)
)
values = st.one_of(st.floats(width=64), st.just(STALE_NAN), st.just(-0.0))
notes = st.dictionaries(
    names, st.one_of(texts, st.integers(-9, 9), st.booleans(), st.none()), max_size=2
)
series = st.dictionaries(
    st.integers(-(2**62), 2**63 - 1),
    st.tuples(values, st.one_of(st.none(), notes)),
    min_size=1,
    max_size=5,
)
metrics = st.builds(
    Metric,
    st.just(""),
    st.sampled_from(list(MetricType)),
    texts,
    texts,
    st.sampled_from([None, "up", "down"]),
)
incidents = st.builds(
    lambda start, length, kind, metrics: Incident.make(
        from_ns(start), from_ns(start + length), kind, metrics=metrics
    ),
    st.integers(0, 2**61),
    st.integers(1, 2**60),
    texts,
    st.lists(names, max_size=2).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(keys, series, max_size=4),
    st.dictionaries(names, metrics, max_size=3),
    st.lists(incidents, max_size=2),
)
def test_save_and_load_is_the_identity(tmp_path_factory, table, described, marked):
    store = SeriesStore()
    for key, samples in table.items():
        for time, (value, note) in sorted(samples.items()):
            store.record(key, value, from_ns(time), metadata=note)
    store.metrics.update(
        {n: Metric(n, m.type, m.unit, m.description, m.direction) for n, m in described.items()}
    )
    store.incidents.extend(marked)
    path = tmp_path_factory.mktemp("parquet") / "x.parquet"
    again = read_parquet(save(store, path))
    assert state(again) == state(store)
    assert again.dropped == {}


def big_store():
    rng = np.random.default_rng(3)
    store = SeriesStore()
    for number, size in enumerate([5, 300_000, 131_072, 1, 200_000]):
        times = T0 + 10**9 * np.arange(size)
        store.extend("m", times, rng.normal(size=size), {"n": str(number)})
    store.extend("other", [T0 // 10**9], [1.0])
    store.describe("m", type="timer", unit="ms")
    store.describe("other", unit="things")
    return store


def test_series_that_span_row_groups(tmp_path):
    store = big_store()
    path = save(store, tmp_path / "x.parquet")
    assert pq.ParquetFile(path).metadata.num_row_groups == 5
    assert state(read_parquet(path)) == state(store)
    assert count_series(path) == (6, store.sample_count, 0)


def test_one_series_is_read_alone(tmp_path, monkeypatch):
    store = big_store()
    path = save(store, tmp_path / "x.parquet")
    groups = []
    original = pq.ParquetFile.read_row_group

    def spy(self, number, **options):
        groups.append(number)
        return original(self, number, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    again = read_parquet(path, 'm{n="2"}')
    assert again.keys == [SeriesKey("m", Labels(n="2"))]
    assert np.array_equal(again.select()[0].values, store.select('m{n="2"}')[0].values)
    assert groups == [2, 3]
    assert set(again.metrics) == {"m"}


def test_select_and_range(tmp_path):
    store = big_store()
    path = save(store, tmp_path / "x.parquet")
    again = read_parquet(path, "m", start=from_ns(T0 + 2 * 10**9), end=from_ns(T0 + 4 * 10**9))
    assert [v.times.tolist() for v in again.select()] == [[T0 + 2 * 10**9, T0 + 3 * 10**9]] * 4
    assert not len(read_parquet(path, "nothing"))
    with pytest.raises(MatcherError):
        read_parquet(path, "m{n=")


def test_other_readers_understand_the_file(tmp_path):
    store = SeriesStore()
    store.extend("up", [T0 // 10**9], [1.0], {"job": "shop"})
    frame = pd.read_parquet(save(store, tmp_path / "x.parquet"))
    assert frame.astype({"metric": str, "labels": str}).to_dict("records") == [
        {"metric": "up", "labels": '{"job":"shop"}', "timestamp": from_ns(T0), "value": 1.0}
    ]


def test_file_rewritten_by_others_is_read_as_foreign(tmp_path):
    store = big_store()
    path = save(store, tmp_path / "x.parquet")
    table = pq.read_table(path).slice(3, 1000)
    pq.write_table(table, path)
    assert read_parquet(path).sample_count == 1000


def test_bytes_a_row(tmp_path):
    rng = np.random.default_rng(1)
    store = SeriesStore()
    for number in range(20):
        times = T0 + 10**9 * np.arange(7200)
        store.extend("m", times, np.round(rng.normal(50, 5, 7200), 1), {"n": str(number)})
    path = save(store, tmp_path / "x.parquet")
    assert path.stat().st_size / store.sample_count < 3.2


def test_empty_store(tmp_path):
    again = read_parquet(save(SeriesStore(), tmp_path / "x.parquet"))
    assert not len(again)


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"not parquet at all", b"PAR1" + b"x" * 100 + b"PAR1"]
)
def test_damaged_file(tmp_path, content):
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"x\.parquet"):
        read_parquet(path)


def test_cut_file(tmp_path):
    path = save(big_store(), tmp_path / "x.parquet")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(RecordingError):
        read_parquet(path)


def test_newer_format(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_write, "FORMAT_VERSION", 2)
    path = save(big_store(), tmp_path / "x.parquet")
    with pytest.raises(RecordingError, match="newer"):
        read_parquet(path)


def test_writing_leaves_the_old_file_after_an_error(tmp_path, monkeypatch):
    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(parquet_write, "_table", fail)
    path = tmp_path / "x.parquet"
    path.write_text("old")
    with pytest.raises(MemoryError):
        write_parquet(path, [SeriesView.make("up", [1], [1.0])])
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]


# -- foreign files ---------------------------------------------------------------------------


def foreign(tmp_path, table, **options):
    path = tmp_path / "x.parquet"
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), path)
    return read_parquet(path, **options)


def contents(store):
    return {str(v.key): (v.times.tolist(), v.values.tolist()) for v in store.select()}


@pytest.mark.parametrize(
    "stamps",
    [
        pa.array([T0], pa.timestamp("ns", "UTC")),
        pa.array([T0 // 1000], pa.timestamp("us", "Europe/Zurich")),
        pa.array([T0 // 10**6], pa.timestamp("ms", "UTC")),
        pa.array([T0]),
        pa.array([T0 // 10**9]),
        pa.array([T0 / 1e9]),
        pa.array(["2026-01-01T00:00:00Z"]),
        pa.array(["2026-01-01T01:00:00+01:00"]).dictionary_encode(),
    ],
)
def test_times_of_foreign_files(tmp_path, stamps):
    assert contents(foreign(tmp_path, {"time": stamps, "up": [1]})) == {"up": ([T0], [1.0])}


@pytest.mark.parametrize(
    "stamps",
    [
        pa.array([T0 // 10**9], pa.timestamp("s")),
        pa.array([20_454], pa.date32()),
        pa.array(["2026-01-01"]),
    ],
)
def test_naive_times_of_foreign_files(tmp_path, stamps):
    with pytest.warns(MonitorlabWarning, match="without a zone"):
        store = foreign(tmp_path, {"time": stamps, "up": [1]})
    assert contents(store) == {"up": ([T0], [1.0])}
    store = foreign(tmp_path, {"time": stamps, "up": [1]}, tz="Etc/GMT-1")
    assert contents(store) == {"up": ([T0 - 3600 * 10**9], [1.0])}


@pytest.mark.parametrize(
    "labels",
    [
        {"labels": pa.array([[("a", "1")], []], pa.map_(pa.string(), pa.string()))},
        {"labels": pa.array([{"a": "1"}, {"a": None}])},
        {"labels": ['{"a": "1"}', ""]},
        {"labels": pa.array(["{a='1'}".replace("'", '"'), None])},
        {"a": ["1", None]},
        {"a": pa.array([1, None])},
    ],
)
def test_labels_of_foreign_files(tmp_path, labels):
    store = foreign(
        tmp_path, {"ts": [1_767_225_600] * 2, "metric": ["up", "up"], "value": [1, 2], **labels}
    )
    assert contents(store) == {"up": ([T0], [2.0]), 'up{a="1"}': ([T0], [1.0])}


def test_nulls_of_foreign_files(tmp_path):
    wide = foreign(
        tmp_path, {"ts": [1_767_225_600, 1_767_225_601], "a": [None, 1.0], "b": [math.nan, 1.0]}
    )
    assert [len(v) for v in wide.select()] == [1, 2]
    long = foreign(
        tmp_path, {"ts": [1_767_225_600], "metric": ["a"], "value": pa.array([None], pa.float64())}
    )
    assert long.nan_count == 1


@pytest.mark.parametrize(
    "column",
    [pa.array([True]), pa.array([1], pa.uint8()), pa.array(["1"]), pa.array([1.0], pa.float32())],
)
def test_values_of_foreign_files(tmp_path, column):
    assert contents(foreign(tmp_path, {"ts": [1_767_225_600], "a": column})) == {"a": ([T0], [1.0])}


@pytest.mark.parametrize(
    ("table", "column", "text"),
    [
        ({"ts": [1, None], "a": [1, 2]}, "ts", "row 1: the time is missing"),
        ({"ts": ["2026-01-01T00:00Z", "x"], "a": [1, 2]}, "ts", "row 1: 'x' is not a time"),
        ({"ts": [1, 2], "a": ["1", "x"]}, "a", "row 1: 'x' is not a number"),
        ({"ts": [1, 2], "a": [[1], [2]]}, "a", "row 0"),
        ({"ts": [1, 2], "metric": ["a", ""], "value": [1, 2]}, "metric", "row 1"),
        ({"ts": pa.array([1, 10**11], pa.timestamp("s", "UTC")), "a": [1, 2]}, "ts", "row 1.*1678"),
    ],
)
def test_bad_cells_of_foreign_files(tmp_path, table, column, text):
    with pytest.raises(RecordingError, match=text) as caught:
        foreign(tmp_path, table)
    assert caught.value.column == column


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"a": [1.0]}, "no column looks like the time"),
        ({"ts": pa.array([], pa.int64()), "a": pa.array([], pa.float64())}, "no rows"),
        ({"ts": [[1]], "a": [1]}, "holds no times"),
    ],
)
def test_unusable_foreign_files(tmp_path, table, text):
    with pytest.raises(RecordingError, match=text):
        foreign(tmp_path, table)


def test_pandas_index_is_the_time(tmp_path):
    index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": [1.0, 2.0]}, index=index).to_parquet(path)
    assert len(read_parquet(path).select("a")[0]) == 2


def test_range_of_a_foreign_file(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"ts": [1, 2, 3], "a": [1, 2, 3], "b": [1, 2, 3]}).to_parquet(path)
    store = read_parquet(path, "a", start=2)
    assert contents(store) == {"a": ([2 * 10**9, 3 * 10**9], [2.0, 3.0])}
