"""CSV in and out: what users have, each with a clear result or an error that names the place."""

from __future__ import annotations

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.errors import MonitorlabWarning, RecordingError
from monitorlab.io import csv as reader
from monitorlab.io import csv_table, read_csv, rows, write_csv
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore, SeriesView

T0 = 1_767_225_600_000_000_000  # 2026-01-01T00:00Z


def write(tmp_path, text, name="x.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


def contents(store):
    return {str(v.key): (v.times.tolist(), v.values.tolist()) for v in store.select()}


def refused(tmp_path, text, **options):
    with pytest.raises(RecordingError) as caught:
        read_csv(write(tmp_path, text), **options)
    assert caught.value.path.endswith("x.csv")
    return caught.value


def test_wide(tmp_path):
    store = read_csv(
        write(tmp_path, "Time,cpu,mem\n2026-01-01T00:00:00Z,1,2\n2026-01-01T00:00:01Z,3,\n")
    )
    assert contents(store) == {"cpu": ([T0, T0 + 10**9], [1.0, 3.0]), "mem": ([T0], [2.0])}


def test_wide_header_may_carry_labels(tmp_path):
    text = 'ts,"hits{route=""/cart"",code=""200""}"\n1767225600,3\n'
    assert read_csv(write(tmp_path, text)).keys == [
        SeriesKey("hits", Labels(route="/cart", code="200"))
    ]


def test_wide_with_label_column(tmp_path):
    text = "ts,host,cpu,mem\n1767225600,a,1,2\n1767225600,b,3,4\n"
    assert contents(read_csv(write(tmp_path, text), labels=["host"])) == {
        'cpu{host="a"}': ([T0], [1.0]),
        'cpu{host="b"}': ([T0], [3.0]),
        'mem{host="a"}': ([T0], [2.0]),
        'mem{host="b"}': ([T0], [4.0]),
    }


def test_empty_cell_is_no_sample_and_nan_is_one(tmp_path):
    store = read_csv(write(tmp_path, "ts,a,b\n1767225600,,NaN\n1767225601,1,nan\n"))
    assert len(store.select("a")[0]) == 1
    assert len(store.select("b")[0]) == 2
    assert store.nan_count == 2


@pytest.mark.parametrize(
    ("labels", "row"),
    [
        ("labels", '"{route=""/cart"", code=""200""}"'),
        ("labels", '"{""route"": ""/cart"", ""code"": ""200""}"'),
        ("tags", "route=/cart;code=200"),
        ("route,code", "/cart,200"),
    ],
)
def test_long_label_forms(tmp_path, labels, row):
    text = f"timestamp,metric,value,{labels}\n1767225600,hits,3,{row}\n"
    assert contents(read_csv(write(tmp_path, text))) == {
        'hits{code="200", route="/cart"}': ([T0], [3.0])
    }


@pytest.mark.parametrize(
    "names", ["ts,name,value", "date,metric,val", "Time,__name__,reading", "epoch,series,_value"]
)
def test_column_names_are_told(tmp_path, names):
    assert contents(read_csv(write(tmp_path, f"{names}\n1767225600,up,1\n"))) == {
        "up": ([T0], [1.0])
    }


def test_column_names_can_be_given(tmp_path):
    text = "moment,what,how_much,where\n1767225600,up,1,x\n"
    store = read_csv(write(tmp_path, text), timestamp="moment", metric="what", value="how_much")
    assert store.keys == [SeriesKey("up", Labels(where="x"))]
    error = refused(tmp_path, text, timestamp="momant")
    assert "did you mean 'moment'" in str(error)


def test_value_without_metric_column_is_a_wide_file(tmp_path):
    assert read_csv(write(tmp_path, "timestamp,value\n1767225600,1\n")).keys == [SeriesKey("value")]


@pytest.mark.parametrize(
    "stamp",
    [
        "1767225600",
        "1767225600000",
        "1767225600000000",
        "1767225600000000000",
        "1767225600.0",
        "2026-01-01T00:00:00Z",
        "2026-01-01 01:00:00+01:00",
        "2025-12-31T19:00:00-0500",
        "2026-01-01 00:00:00 UTC",
        "2026-01-01T00:00:00.000000000Z",
    ],
)
def test_kinds_of_time(tmp_path, stamp):
    store = read_csv(write(tmp_path, f"time,up\n{stamp},1\n"))
    assert store.select()[0].times.tolist() == [T0]


def test_fraction_of_epoch_seconds(tmp_path):
    store = read_csv(write(tmp_path, "time,up\n1767225600.25,1\n1767225600.123456,2\n"))
    assert store.select()[0].times.tolist() == [T0 + 123_456_000, T0 + 250_000_000]


def test_naive_times_are_utc_with_a_warning(tmp_path):
    path = write(tmp_path, "time,up\n2026-01-01 00:00:00,1\n")
    with pytest.warns(MonitorlabWarning, match="taken as UTC.*tz="):
        store = read_csv(path)
    assert store.select()[0].times.tolist() == [T0]


def test_naive_times_with_a_zone(tmp_path):
    path = write(tmp_path, "time,up\n2026-01-01 01:00:00,1\n")
    assert read_csv(path, tz="Europe/Zurich").select()[0].times.tolist() == [T0]


def test_local_time_that_exists_twice(tmp_path):
    error = refused(
        tmp_path, "time,up\n2026-10-25 01:30:00,1\n2026-10-25 02:30:00,1\n", tz="Europe/Zurich"
    )
    assert (error.line, error.column) == (3, "time")
    assert "exists twice" in str(error)


def test_unknown_zone(tmp_path):
    assert "not a known time zone" in str(
        refused(tmp_path, "time,up\n2026-01-01,1\n", tz="Mars/Base")
    )


def test_mixed_zones(tmp_path):
    path = write(
        tmp_path,
        "time,up\n2026-01-01T00:00:00Z,1\n2026-01-01T02:00:01+02:00,2\n2026-01-01T00:00:02,3\n",
    )
    with pytest.warns(MonitorlabWarning, match="without a zone"):
        store = read_csv(path)
    assert store.select()[0].times.tolist() == [T0, T0 + 10**9, T0 + 2 * 10**9]


def test_other_time_format_has_to_be_described(tmp_path):
    text = "time,up\n31/12/2025 23:00 -0100,1\n"
    error = refused(tmp_path, text)
    assert (error.line, error.column) == (2, "time")
    assert "time_format" in str(error)
    store = read_csv(write(tmp_path, text), time_format="%d/%m/%Y %H:%M %z")
    assert store.select()[0].times.tolist() == [T0]


@pytest.mark.parametrize(
    ("stamps", "line"),
    [
        (["1767225600", "later"], 3),
        (["1767225600", ""], 3),
        (["2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z"], 3),
        (["2026-01-01T00:00:00Z", "3000-01-01T00:00:00Z"], 3),
        (["never"], 2),
        (["1e30"], 2),
    ],
)
def test_bad_time_names_line_and_column(tmp_path, stamps, line):
    text = "time,up\n" + "".join(f"{s},1\n" for s in stamps)
    error = refused(tmp_path, text)
    assert (error.line, error.column) == (line, "time")


def test_column_of_strings(tmp_path):
    error = refused(tmp_path, "time,cpu,host\n1767225600,0.5,web-1\n1767225601,0.6,web-1\n")
    assert (error.line, error.column) == (2, "host")
    assert "'web-1' is not a number" in str(error)
    assert "labels=['host']" in str(error)


def test_first_bad_cell_of_many(tmp_path):
    lines = [f"{1767225600 + i},{i}" for i in range(5000)]
    lines[3456] = lines[3456] + "x"
    error = refused(tmp_path, "time,cpu\n" + "\n".join(lines))
    assert (error.line, error.column) == (3458, "cpu")


def test_bad_cell_in_a_later_block(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_CHUNK", 1000)
    lines = [f"{1767225600 + i},{i}" for i in range(500)]
    lines[444] = "1767226044,4_4"
    error = refused(tmp_path, "time,cpu\n" + "\n".join(lines))
    assert (error.line, error.column) == (446, "cpu")


def test_ragged_row(tmp_path):
    error = refused(tmp_path, "time,cpu\n1767225600,1\n1767225601\n")
    assert error.line == 3
    assert "expected 2 cells, found 1" in str(error)
    assert refused(tmp_path, "time,cpu\n1767225600,1,2\n").line == 2


def test_unclosed_quote(tmp_path):
    error = refused(tmp_path, 'time,metric,value\n1767225600,"up,1\n1767225601,up,1\n')
    assert error.line == 2


def test_bad_label_set(tmp_path):
    error = refused(
        tmp_path, 'time,metric,value,labels\n1767225600,up,1,\n1767225601,up,1,"{route"\n'
    )
    assert (error.line, error.column) == (3, "labels")


def test_missing_metric_name(tmp_path):
    error = refused(tmp_path, "time,metric,value\n1767225600,up,1\n1767225601,,1\n")
    assert (error.line, error.column) == (3, "metric")


@pytest.mark.parametrize("text", ["", "\n\n", "   \n"])
def test_empty_file(tmp_path, text):
    assert "the file is empty" in str(refused(tmp_path, text))


def test_header_only(tmp_path):
    assert "no rows" in str(refused(tmp_path, "time,cpu\n\n"))


def test_no_header(tmp_path):
    error = refused(tmp_path, "1767225600,1\n1767225601,2\n")
    assert error.line == 1
    assert "looks like data" in str(error)


def test_no_time_column(tmp_path):
    assert "no column looks like the time" in str(refused(tmp_path, "a,b\n1,2\n"))


def test_no_value_column(tmp_path):
    assert "no value columns" in str(refused(tmp_path, "time\n1767225600\n"))


def test_doubled_column(tmp_path):
    assert "'cpu' appears more than once" in str(
        refused(tmp_path, "time,cpu,cpu\n1767225600,1,2\n")
    )


def test_utf16_and_other_encodings(tmp_path):
    with pytest.raises(RecordingError, match="UTF-16"):
        read_csv(write(tmp_path, "time,cpu\n1767225600,1\n", encoding="utf-16"))
    error = refused(
        tmp_path, "time,metric,value\n1767225600,up,1\n1767225600,münze,1\n".encode("latin-1")
    )
    assert error.line == 3
    assert "UTF-8" in str(error)


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    store = read_csv(
        write(tmp_path, "time,cpu\r\n1767225600,1\r\n\r\n1767225601,2\r\n", encoding="utf-8-sig")
    )
    assert store.sample_count == 2


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_delimiters(tmp_path, delimiter):
    text = "time,metric,value\n1767225600,up,1.5\n".replace(",", delimiter)
    assert contents(read_csv(write(tmp_path, text))) == {"up": ([T0], [1.5])}


def test_decimal_comma(tmp_path):
    assert contents(read_csv(write(tmp_path, "time;cpu\n1767225600;1,5\n"))) == {
        "cpu": ([T0], [1.5])
    }


def test_gzip_is_told_by_its_content(tmp_path):
    path = write(tmp_path, gzip.compress(b"time,cpu\n1767225600,1\n"))
    assert read_csv(path).sample_count == 1
    path.write_bytes(gzip.compress(b"time,cpu\n1767225600,1\n" * 50)[:-10])
    with pytest.raises(RecordingError, match="gzip data are damaged"):
        read_csv(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "nothing.csv")


@pytest.mark.parametrize(("policy", "value"), [("last", 2.0), ("first", 1.0)])
def test_duplicates(tmp_path, policy, value):
    path = write(tmp_path, "time,cpu\n1767225600,1\n1767225600,2\n")
    store = read_csv(path, duplicates=policy)
    assert store.select()[0].values.tolist() == [value]
    assert store.dropped == {"duplicate": 1}


def test_duplicates_refused(tmp_path):
    assert "twice" in str(
        refused(tmp_path, "time,cpu\n1767225600,1\n1767225600,2\n", duplicates="error")
    )


def test_out_of_order(tmp_path):
    store = read_csv(write(tmp_path, "time,cpu\n1767225602,3\n1767225600,1\n1767225601,2\n"))
    assert store.select()[0].values.tolist() == [1.0, 2.0, 3.0]


def test_quoted_line_break(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_CHUNK", 40)
    text = 'time,metric,value,note\n1767225600,up,1,"two\nlines"\n1767225601,up,2,"a\n\nb"\n1767225602,up,3,x\n'
    store = read_csv(write(tmp_path, text))
    assert [v.labels["note"] for v in store.select()] == ["a\n\nb", "two\nlines", "x"]


def test_extreme_numbers(tmp_path):
    store = read_csv(
        write(
            tmp_path,
            "time,a\n1767225600,+Inf\n1767225601,-inf\n1767225602,1e-320\n1767225603, 5 \n",
        )
    )
    assert store.select()[0].values.tolist() == [np.inf, -np.inf, 1e-320, 5.0]


def test_many_series_over_many_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_CHUNK", 5000)
    rng = np.random.default_rng(5)
    samples = [(T0 // 10**9 + i, f"m{i % 7}", rng.normal(), f"h{i % 3}") for i in range(2000)]
    text = "ts,metric,value,host\n" + "".join(f"{t},{m},{v!r},{h}\n" for t, m, v, h in samples)
    store = read_csv(write(tmp_path, text))
    frame = pd.DataFrame(samples, columns=["ts", "metric", "value", "host"])
    expected = {
        f'{m}{{host="{h}"}}': ((part["ts"] * 10**9).tolist(), part["value"].tolist())
        for (m, h), part in frame.groupby(["metric", "host"])
    }
    assert contents(store) == expected


def test_rows_in_many_segments(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_CHUNK", 3000)
    monkeypatch.setattr(rows, "_PIECE", 64)
    monkeypatch.setattr(rows, "_SEGMENT", 100)
    lines = [f"{T0 // 10**9 + i},{'abc'[i % 3]},{i},{i % 2}" for i in range(1000)]
    store = read_csv(write(tmp_path, "ts,metric,value,n\n" + "\n".join(lines)))
    expected = {
        f'{"abc"[r % 3]}{{n="{r % 2}"}}': list(map(float, range(r, 1000, 6))) for r in range(6)
    }
    assert {str(v.key): v.values.tolist() for v in store.select()} == expected
    wide = read_csv(
        write(
            tmp_path,
            "ts,a,b\n" + "".join(f"{i},{i},{i if i % 3 else ''}\n" for i in range(1, 1000)),
        )
    )
    assert [len(v) for v in wide.select()] == [999, 666]


def test_slow_reader_agrees_with_the_fast_one(tmp_path, monkeypatch):
    text = "ts,metric,value,host\n1767225600,cpu,1,a\n1767225601,cpu,,b\n1767225602,mem,NaN,\n"
    fast = contents(read_csv(write(tmp_path, text)))

    def refuse(self, block):
        raise csv_table.BadCellError(0, "no")

    monkeypatch.setattr(csv_table.CsvTable, "_add_fast", refuse)
    assert repr(contents(read_csv(write(tmp_path, text)))) == repr(fast)


label_texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6
).filter(lambda t: t == t.strip() and "{" not in t)
keys = st.builds(
    lambda metric, labels: SeriesKey(metric, Labels(labels)),
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), label_texts, max_size=3),
)
samples = st.dictionaries(
    st.integers(-(2**60), 2**62), st.floats(allow_nan=True, width=64), min_size=1, max_size=6
)
tables = st.dictionaries(keys, samples, min_size=1, max_size=4)


def store_of(table):
    store = SeriesStore()
    for key, pairs in table.items():
        times = np.array(sorted(pairs), np.int64)
        store.extend(key, times, np.array([pairs[t] for t in times.tolist()]))
    return store


@settings(max_examples=60, deadline=None)
@given(tables, st.sampled_from(["long", "wide"]), st.sampled_from(["x.csv", "x.csv.gz"]))
def test_round_trip(tmp_path_factory, table, layout, name):
    store = store_of(table)
    path = tmp_path_factory.mktemp("csv") / name
    write_csv(path, store.select(), layout)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = read_csv(path, layout=layout)
    assert repr(contents(again)) == repr(contents(store))


def test_label_named_like_another_column(tmp_path):
    view = SeriesView.make("up", [T0], [1.0], {"value": "x", "labels": "y", "metric": "z"})
    path = tmp_path / "x.csv"
    write_csv(path, [view])
    assert read_csv(path).keys == [view.key]


def test_writing_is_whole_or_not_at_all(tmp_path):
    path = write(tmp_path, "old")
    with pytest.raises(ValueError, match="layout='tall'"):
        write_csv(path, [SeriesView.make("up", [T0], [1.0])], "tall")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
