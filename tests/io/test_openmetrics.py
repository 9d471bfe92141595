"""Exposition text: the same answers as prometheus_client, errors with their line, round trips."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families

from monitorlab.errors import MonitorlabWarning, RecordingError
from monitorlab.io import (
    exposition_numbers,
    exposition_text,
    parse_openmetrics,
    read_openmetrics,
    write_openmetrics,
)
from monitorlab.io.openmetrics import _chunks
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.storage import STALE_NAN, SeriesStore, SeriesView

T0 = 1_767_225_600_000_000_000

HISTOGRAM = """# TYPE rpc_seconds histogram
# UNIT rpc_seconds seconds
# HELP rpc_seconds How long calls take.
rpc_seconds_bucket{route="/",le="0.1"} 2 1767225600 # {trace="a b"} 0.05 1767225599.5
rpc_seconds_bucket{route="/",le="+Inf"} 3 1767225600
rpc_seconds_count{route="/"} 3 1767225600
rpc_seconds_sum{route="/"} 0.75 1767225600
"""
LATER = """rpc_seconds_bucket{route="/",le="0.1"} 5 1767225601
rpc_seconds_bucket{route="/",le="+Inf"} 9 1767225601
rpc_seconds_count{route="/"} 9 1767225601
rpc_seconds_sum{route="/"} 2.5 1767225601
"""
EVERYTHING = (
    HISTOGRAM
    + r"""# HELP hits Requests "by" route,\nwith a \\ in it
# TYPE hits counter
hits_total{route="/a\"b\\c\nd"} 12 1767225600.123
hits_created{route="/a\"b\\c\nd"} 1767000000 1767225600.123
# TYPE temperature_celsius gauge
# UNIT temperature_celsius celsius
temperature_celsius{} -3.5 1767225600
temperature_celsius{room="} {"} NaN 1767225600
temperature_celsius{room="# not a comment"} +Inf 1767225600.000000001
# TYPE size summary
size{quantile="0.5"} 5 1767225600
size_count 3 1767225600
size_sum 17 1767225600
# TYPE build info
build_info{version="1.2"} 1 1767225600
# TYPE state stateset
state{state="on"} 1 1767225600
state{state="off"} 0 1767225600
# TYPE waiting gaugehistogram
waiting_bucket{le="1"} 2 1767225600
waiting_bucket{le="+Inf"} 4 1767225600
waiting_gcount 4 1767225600
waiting_gsum 9 1767225600
unknown_thing 1e9 1767225600
# TYPE other unknown
other 7 1767225600
# EOF
"""
)


def stamp_ns(timestamp, *, old):
    if timestamp is None:
        return None
    if isinstance(timestamp, (int, float)):
        return round(timestamp * 1000) * 10**6 if old else round(timestamp * 1e9)
    return timestamp.sec * 10**9 + timestamp.nsec


def theirs(text, families=openmetrics_families):
    """What prometheus_client reads: samples by series and time, the first of several staying."""
    found = {}
    for family in families(text):
        for sample in family.samples:
            key = (
                sample.name,
                Labels(sample.labels),
                stamp_ns(sample.timestamp, old=families is text_families),
            )
            found.setdefault(key, float(sample.value))
    return found


def ours(text, **options):
    exposition = parse_openmetrics(text, **options)
    return {
        (key.metric, key.labels, time): value
        for key, times, values in zip(
            exposition.keys, exposition.times, exposition.values, strict=True
        )
        for time, value in zip(times.tolist(), values.tolist(), strict=True)
    }


def same(one, other):
    return repr(sorted(one.items(), key=repr)) == repr(sorted(other.items(), key=repr))


def test_everything_reads_as_prometheus_client_reads_it():
    assert same(ours(EVERYTHING), theirs(EVERYTHING))


def test_histogram_at_several_times():
    """prometheus_client drops samples of the second time, so it is no oracle here."""
    text = HISTOGRAM + LATER + "# EOF\n"
    exposition = parse_openmetrics(text)
    assert [v.tolist() for v in exposition.values] == [[2, 5], [3, 9], [3, 9], [0.75, 2.5]]
    store = SeriesStore()
    exposition.into(store)
    assert "".join(exposition_text(store.select(), store.metrics)).splitlines()[3:] == [
        line.replace("599.5", "599.500")
        .replace('route="/",le="0.1"', 'le="0.1",route="/"')
        .replace('route="/",le="+Inf"', 'le="+Inf",route="/"')
        for line in text.splitlines()[3:]
    ]


def test_bulk_reading_is_the_same(monkeypatch):
    slow = ours(EVERYTHING)
    monkeypatch.setattr(exposition_numbers, "_BULK", 1)
    assert same(ours(EVERYTHING), slow)


def test_types_units_and_descriptions():
    metrics = parse_openmetrics(EVERYTHING).metrics
    assert metrics["rpc_seconds"] == Metric(
        "rpc_seconds", MetricType.HISTOGRAM, "seconds", "How long calls take."
    )
    assert metrics["rpc_seconds_bucket"].type is MetricType.COUNTER
    assert metrics["rpc_seconds_sum"].unit == "seconds"
    assert metrics["rpc_seconds_count"].unit == ""
    assert metrics["hits_total"].type is MetricType.COUNTER
    assert metrics["hits_total"].description == 'Requests "by" route,\nwith a \\ in it'
    assert metrics["hits_created"] == Metric(
        "hits_created", MetricType.GAUGE, "seconds", metrics["hits_total"].description
    )
    assert metrics["temperature_celsius"].unit == "celsius"
    assert metrics["size"].type is MetricType.GAUGE
    assert metrics["size_sum"].type is MetricType.COUNTER
    assert metrics["waiting_bucket"].type is MetricType.GAUGE
    assert "unknown_thing" not in metrics


def test_exemplars_are_metadata_of_their_samples(tmp_path):
    path = tmp_path / "x.om"
    path.write_text(EVERYTHING)
    store = read_openmetrics(path)
    view = store.select('rpc_seconds_bucket{le="0.1"}')[0]
    assert view.metadata == {
        T0: {"exemplar": {"labels": {"trace": "a b"}, "value": 0.05, "time_ns": T0 - 500_000_000}}
    }
    assert view.values.tolist() == [2.0]


TEXT = r"""
# HELP http_requests_total The total
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
  http_requests_total { method = "post" , code = "400", }   3   1395066363000
# a comment
#another
# TYPE rpc summary
rpc{quantile="0.01"} 3102 1395066363001
rpc_sum 1.7560473e+07 1395066363001
rpc_count 2693 1395066363001
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9 1
metric_without_labels	12.47	1395066363002
something_weird{problem="division by zero"} +Inf -3982045
tight{a="b"}5 1395066363002
nan Nan 1395066363002
"""


def renamed_counters(found):
    """prometheus_client gives counters of the old format the ending that OpenMetrics wants."""
    return {(n.removesuffix("_total"), ls, t): v for (n, ls, t), v in found.items()}


def test_old_format_reads_as_prometheus_client_reads_it():
    assert same(renamed_counters(ours(TEXT)), renamed_counters(theirs(TEXT, text_families)))


def test_old_format_types():
    metrics = parse_openmetrics(TEXT).metrics
    assert metrics["http_requests_total"] == Metric(
        "http_requests_total", MetricType.COUNTER, "", "The total"
    )
    assert metrics["rpc_count"].type is MetricType.COUNTER
    assert metrics["rpc"].type is MetricType.GAUGE


def test_windows_line_ends_of_the_old_format():
    assert ours("a 1 1395066363000\r\nb 2 1395066363000\r\n") == {
        ("a", Labels(), 1395066363 * 10**9): 1.0,
        ("b", Labels(), 1395066363 * 10**9): 2.0,
    }


def test_quoted_names():
    text = '# TYPE "my.metric" gauge\n{"my.metric","a.b"="c"} 1 5\n{"plain"} 2 5\n# EOF\n'
    assert ours(text) == {
        ("my.metric", Labels({"a.b": "c"}), 5 * 10**9): 1.0,
        ("plain", Labels(), 5 * 10**9): 2.0,
    }
    assert same(ours(text), theirs(text))


# Broken at the line given (None: the line is that of the family or the end).
BROKEN = [
    ("", 1, "EOF"),
    ("a 1", 2, "EOF"),
    ("a 1\n# EOF\nb 2", None, "."),
    ("a 1\n# EOF\n\n", None, "."),
    ("a 1\n\n# EOF\n", 2, "blank"),
    ("# EOFF\n# EOF\n", 1, "."),
    ("a\n# EOF\n", 1, "value"),
    ("a \n# EOF\n", 1, "value"),
    ("a  1\n# EOF\n", 1, "."),
    ("a 1 \n# EOF\n", 1, "."),
    ("a 1\t\n# EOF\n", 1, "."),
    ("a\t1\n# EOF\n", 1, "."),
    (" a 1\n# EOF\n", 1, "metric name"),
    ("0a 1\n# EOF\n", 1, "metric name"),
    ("a.b 1\n# EOF\n", 1, "metric name"),
    ("a-b 1\n# EOF\n", 1, "metric name"),
    ("a b\n# EOF\n", 1, "'b' is not a value"),
    ("a 1_000\n# EOF\n", 1, "1_000"),
    ("a 1 x\n# EOF\n", 1, "'x' is not a time"),
    ("a 1 1.2.3\n# EOF\n", 1, "time"),
    ("a 1 NaN\n# EOF\n", 1, "time"),
    ("a 1 +Inf\n# EOF\n", 1, "time"),
    ("a 1 1_0\n# EOF\n", 1, "time"),
    ("b 1 1\na{x=1} 1 1\n# EOF\n", 2, "double quotes"),
    ("a{x='1'} 1\n# EOF\n", 1, "double quotes"),
    ('a{x="1} 1\n# EOF\n', 1, "double quotes"),
    ('a{x="1"y="2"} 1\n# EOF\n', 1, "comma"),
    ('a{x="1",} 1\n# EOF\n', 1, "comma"),
    ('a{x="1",,y="2"} 1\n# EOF\n', 1, "label name"),
    ('a{,x="1"} 1\n# EOF\n', 1, "label name"),
    ('a{x="1",x="2"} 1\n# EOF\n', 1, "twice"),
    ('a{x="1"}1\n# EOF\n', 1, "space"),
    ('a{1x="1"} 1\n# EOF\n', 1, "label name"),
    ("a{x} 1\n# EOF\n", 1, "="),
    ('a{x="1" 1\n# EOF\n', 1, "brace"),
    ('{x="1"} 1\n# EOF\n', 1, "metric name"),
    ("# HELP\n# EOF\n", 1, "expected"),
    ("# HELP a\n# EOF\n", 1, "expected"),
    ("# TYPE a\n# EOF\n", 1, "expected"),
    ("# FOO a b\n# EOF\n", 1, "expected"),
    ("# TYPE a meh\n# EOF\n", 1, "unknown type"),
    ("# TYPE a gauge \n# EOF\n", 1, "unknown type"),
    ("# TYPE a untyped\n# EOF\n", 1, "unknown type"),
    ("# TYPE a gauge\n# TYPE a gauge\n# EOF\n", 2, "twice"),
    ("# HELP a x\n# HELP a x\n# EOF\n", 2, "twice"),
    ("# UNIT a_s s\n# UNIT a_s s\n# EOF\n", 2, "twice"),
    ("a 1\n# TYPE a gauge\n# EOF\n", 2, "after its samples"),
    ("# TYPE a gauge\n# TYPE b gauge\n# HELP a x\n# EOF\n", 3, "after its samples"),
    ("# TYPE a_s gauge\n# UNIT a_s m\n# EOF\n", 1, "unit"),
    ("# TYPE a_s info\n# UNIT a_s s\n# EOF\n", 1, "unit"),
    ("# TYPE a_s stateset\n# UNIT a_s s\n# EOF\n", 1, "unit"),
    ("# TYPE a counter\na 1\n# EOF\n", 2, "sample"),
    ("# TYPE a counter\na_total 1\n# TYPE a_total gauge\n# EOF\n", 3, "."),
    ("a_total 1\n# TYPE a counter\n# EOF\n", 2, "clashes"),
    ("# TYPE a counter\na_total -1\n# EOF\n", 2, "negative"),
    ("# TYPE a counter\na_total NaN\n# EOF\n", 2, "NaN"),
    ("# TYPE a histogram\na_bucket 1\n# EOF\n", 2, "le is missing"),
    ('# TYPE a histogram\na_bucket{le="x"} 1\n# EOF\n', 2, "le="),
    ('# TYPE a histogram\na_bucket{le="Inf"} 1\n# EOF\n', 2, r"\+Inf"),
    ('# TYPE a histogram\na_bucket{le="+Inf"} 0.5\n# EOF\n', 2, "whole"),
    ('# TYPE a histogram\na_bucket{le="1"} 1\n# EOF\n', 2, "missing"),
    (
        '# TYPE a histogram\na_bucket{le="2"} 1\na_bucket{le="1"} 1\na_bucket{le="+Inf"} 1\n# EOF\n',
        3,
        "order",
    ),
    ('# TYPE a histogram\na_bucket{le="1"} 3\na_bucket{le="+Inf"} 1\n# EOF\n', 3, "fall"),
    ('# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 2\na_sum 1\n# EOF\n', 2, "count"),
    ('# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\n# EOF\n', 2, "together"),
    ('# TYPE a histogram\na_bucket{le="+Inf"} 1\na_count 1\n# EOF\n', 2, "together"),
    (
        '# TYPE a histogram\na_bucket{le="-1"} 1\na_bucket{le="+Inf"} 1\na_count 1\na_sum 1\n# EOF\n',
        2,
        "negative",
    ),
    ("# TYPE a histogram\na_count 1\na_sum 1\n# EOF\n", 2, "missing"),
    ('# TYPE a gaugehistogram\na_bucket{le="+Inf"} 1\na_gcount 1\na_gsum -1\n# EOF\n', 2, "gsum"),
    ("# TYPE a summary\na 1\n# EOF\n", 2, "quantile is missing"),
    ('# TYPE a summary\na{quantile="2"} 1\n# EOF\n', 2, "between"),
    ('# TYPE a summary\na{quantile="0.5"} -1\n# EOF\n', 2, "negative"),
    ("# TYPE a summary\na_count 0.5\n# EOF\n", 2, "whole"),
    ("# TYPE a stateset\na 1\n# EOF\n", 2, "label"),
    ('# TYPE a stateset\na{a="x"} 2\n# EOF\n', 2, "0 or 1"),
    ("# TYPE a info\na_info 2\n# EOF\n", 2, "must be 1"),
    ('# TYPE a gauge\na{x="1"} 1\na{x="2"} 1\na{x="1"} 1\n# EOF\n', 4, "together"),
    ("a 1\nb 1\na 2\n# EOF\n", 3, "together"),
    ("# TYPE a gauge\na 1 2\na 1 1\n# EOF\n", 3, "backwards"),
    ("# TYPE a gauge\na 1 2\na 1\n# EOF\n", 3, "times"),
    ("# TYPE a gauge\na 1 # {} 1\n# EOF\n", 2, "exemplars"),
    ('# TYPE a counter\na_total 1 # {x="' + "y" * 130 + '"} 1\n# EOF\n', 2, "128"),
    ("# TYPE a counter\na_total 1 #\n# EOF\n", 2, "exemplar"),
    ("# TYPE a counter\na_total 1# {} 1\n# EOF\n", 2, "exemplar"),
    ("# TYPE a counter\na_total 1 #{} 1\n# EOF\n", 2, "exemplar"),
    ("# TYPE a counter\na_total 1 # {}1\n# EOF\n", 2, "exemplar"),
    ("# TYPE a counter\na_total 1 # {} 1 \n# EOF\n", 2, "."),
    ("# TYPE a counter\na_total 1 # {} 1 1 \n# EOF\n", 2, "exemplar"),
    ("# TYPE a counter\na_total 1 # {x=1} 1\n# EOF\n", 2, "in the exemplar"),
    ("# TYPE a counter\na_total 1 # 1\n# EOF\n", 2, "braces"),
    ("# TYPE a counter\na_total 1 # {} x\n# EOF\n", 2, "'x' is not a value"),
]


@pytest.mark.parametrize(("text", "line", "message"), BROKEN)
def test_broken_text_is_refused_with_its_line(text, line, message):
    with pytest.raises(RecordingError, match=message) as caught:
        parse_openmetrics(text, format="openmetrics", timestamp=0, path="x.om")
    if line is not None:
        assert caught.value.line == line
    assert str(caught.value).startswith("x.om, line ")


@pytest.mark.parametrize("text", [text for text, *_ in BROKEN])
def test_prometheus_client_refuses_the_same(text):
    with pytest.raises((ValueError, KeyError)):
        list(openmetrics_families(text))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a 1\nb{x=1} 1\n", 2, "double quotes"),
        ("a\n", 1, "value"),
        ("a 1 2 3\n", 1, "expected a value and a time"),
        ("a x\n", 1, "'x' is not a value"),
        ("a 1 x\n", 1, "'x' is not a time"),
        ("a 1 99999999999999999\n", 1, "1678"),
        ("# TYPE 0a counter\n", 1, "metric name"),
        ("# TYPE a meh\n", 1, "unknown type"),
        ("# TYPE a counter\n# TYPE a gauge\n", 2, "was counter before"),
        ('a{x="1",x="2"} 1\n', 1, "twice"),
        ("a 1 # {} 1\n", 1, "only in OpenMetrics"),
    ],
)
def test_broken_old_text_is_refused_with_its_line(text, line, message):
    with pytest.raises(RecordingError, match=message) as caught:
        parse_openmetrics(text, timestamp=0)
    assert caught.value.line == line


def test_bad_value_among_many_is_found():
    lines = [f'a{{x="{i % 7}"}} {i} {1395066363000 + i}' for i in range(5000)]
    lines[3210] = 'a{x="1"} 1e 1395066363000'
    with pytest.raises(RecordingError) as caught:
        parse_openmetrics("# a comment\n\n" + "\n".join(lines))
    assert caught.value.line == 3213


def test_text_that_was_cut_short():
    with pytest.raises(RecordingError, match="cut short") as caught:
        parse_openmetrics(EVERYTHING.removesuffix("# EOF\n"))
    assert caught.value.line == EVERYTHING.count("\n")


def test_samples_without_time_need_one():
    with pytest.raises(RecordingError, match="timestamp=") as caught:
        parse_openmetrics("# TYPE a gauge\na 1\n")
    assert caught.value.line == 2
    assert ours("a 1\n", timestamp="2026-01-01T00:00Z") == {("a", Labels(), T0): 1.0}


def test_seconds_in_the_old_format_are_suspicious():
    with pytest.warns(MonitorlabWarning, match="before 1973"):
        parse_openmetrics("a 1 1767225600\n")


def test_lenient_reading_skips_the_rules_of_families():
    text = '# TYPE a histogram\na_bucket{le="1"} 3 5\na_bucket{le="+Inf"} 1 5\n# EOF\n'
    assert len(ours(text, strict=False)) == 2


def test_times_are_exact():
    text = "".join(f"a {i} 1767225600.{i:09d}\n" for i in range(3000)) + "# EOF\n"
    exposition = parse_openmetrics(text)
    assert np.array_equal(exposition.times[0], T0 + np.arange(3000))


def test_chunks_keep_every_line(monkeypatch):
    from monitorlab.io import openmetrics

    monkeypatch.setattr(openmetrics, "_CHUNK", 7)
    text = "one\ntwo\n\nthree and more\nfour"
    assert [line for lines in _chunks(text) for line in lines] == text.split("\n")
    assert same(ours(EVERYTHING), theirs(EVERYTHING))


def test_files(tmp_path):
    path = tmp_path / "x.prom"
    for content, message in [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"# HELP a b\n", "no samples"),
        (b"a 1\n\xff 2\n", "UTF-8"),
    ]:
        path.write_bytes(content)
        with pytest.raises(RecordingError, match=message) as caught:
            read_openmetrics(path)
        assert caught.value.path == str(path)
    assert caught.value.line == 2


# -- random text ---------------------------------------------------------------------------

label_names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,5}", fullmatch=True)
label_values = st.text(
    st.one_of(
        st.sampled_from('\\"\n{}, =#'), st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
    ),
    max_size=6,
)
label_sets = st.dictionaries(label_names, label_values, max_size=3)
numbers = st.one_of(st.floats(width=64), st.integers(-5, 5).map(float))
stamps = st.integers(0, 2**61)


def escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.from_regex(r"[a-z]{1,4}", fullmatch=True), label_sets.map(Labels)),
        st.lists(st.tuples(stamps, numbers), min_size=1, max_size=4),
        max_size=5,
    )
)
def test_random_openmetrics_reads_as_prometheus_client_reads_it(table):
    lines = []
    for (name, labels), samples in sorted(table.items(), key=repr):
        pairs = ",".join(f'{k}="{escaped(v)}"' for k, v in labels.items())
        for time, value in sorted(samples, key=lambda s: s[0]):
            number = "NaN" if math.isnan(value) else str(value).replace("inf", "Inf")
            lines.append(f"{name}{{{pairs}}} {number} {time // 10**9}.{time % 10**9:09d}\n")
    text = "".join(lines) + "# EOF\n"
    assert same(ours(text), theirs(text))


LINES = st.sampled_from(EVERYTHING.splitlines()[:-1])


@settings(max_examples=300, deadline=None)
@given(LINES, st.data())
def test_a_damaged_line_never_gives_other_numbers(line, data):
    """Change one character: either both refuse the line, or both read the same from it."""
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.sampled_from(' \t{}",=#\\a0.e+-_'))
    text = line[:at] + other + line[at + 1 :] + "\n# EOF\n"
    try:
        expected = theirs(text)
    except (ValueError, KeyError, AttributeError, IndexError, TypeError):
        expected = None
    try:
        found = ours(text, format="openmetrics", timestamp=0)
    except RecordingError:
        return
    if expected is not None:
        untimed = {(n, ls, t or 0): v for (n, ls, t), v in expected.items()}
        assert same(found, untimed)


# -- writing -------------------------------------------------------------------------------


def read_back(views, metrics, **options):
    text = "".join(exposition_text(views, metrics, **options))
    store = SeriesStore()
    parse_openmetrics(text, format=options.get("format", "openmetrics")).into(store)
    return text, store


def contents(views):
    return {str(v.key): (v.times.tolist(), repr(v.values.tolist())) for v in views}


def test_what_was_read_is_written_back():
    store = SeriesStore()
    parse_openmetrics(EVERYTHING).into(store)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text, again = read_back(store.select(), store.metrics)
    assert contents(again.select()) == contents(store.select())
    assert same(theirs(text), theirs(EVERYTHING))
    kept = {n: m for n, m in store.metrics.items() if n.startswith(("rpc", "hits", "temp", "size"))}
    assert {n: again.metrics[n] for n in kept} == kept
    assert [v.metadata for v in again.select("rpc_seconds_bucket")] == [
        v.metadata for v in store.select("rpc_seconds_bucket")
    ]
    assert "# TYPE rpc_seconds histogram\n# UNIT rpc_seconds seconds\n" in text
    assert '{trace="a b"} 0.05 1767225599.500' in text


def test_old_format_is_written_back():
    store = SeriesStore()
    parse_openmetrics(TEXT).into(store)
    text, again = read_back(store.select(), store.metrics, format="prometheus")
    assert contents(again.select()) == contents(store.select())
    assert again.metrics == store.metrics
    assert same(
        renamed_counters(theirs(text, text_families)), renamed_counters(theirs(TEXT, text_families))
    )


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4),
            label_sets.map(Labels),
        ),
        st.dictionaries(st.integers(-(2**60), 2**62), numbers, min_size=1, max_size=4),
        max_size=4,
    ),
    st.sampled_from([None, *MetricType]),
)
def test_any_series_survive(table, kind):
    views = [
        SeriesView.make(SeriesKey(*key), sorted(pairs), [pairs[t] for t in sorted(pairs)])
        for key, pairs in table.items()
    ]
    names = {view.key.metric for view in views}
    metrics = {} if kind is None else {n: Metric(n, kind, "s", 'a "b" \\ \n c') for n in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MonitorlabWarning)
        _, again = read_back(views, metrics)
    assert contents(again.select()) == contents(views)
    if kind is not None:
        assert all(again.metrics[n].description == metrics[n].description for n in names)


def test_incomplete_histograms_are_written_in_parts():
    views = [
        SeriesView.make("a_bucket", [T0], [1.0], {"le": "1"}),
        SeriesView.make("a_sum", [T0], [1.0]),
    ]
    metrics = {
        "a": Metric("a", MetricType.HISTOGRAM),
        "a_bucket": Metric("a_bucket", MetricType.COUNTER),
    }
    with pytest.warns(MonitorlabWarning, match="loses its type"):
        text, again = read_back(views, metrics)
    assert "histogram" not in text
    assert contents(again.select()) == contents(views)


def test_counter_without_total_keeps_its_name():
    view = SeriesView.make("hits", [T0], [1.0])
    metrics = {"hits": Metric("hits", MetricType.COUNTER)}
    with pytest.warns(MonitorlabWarning, match="loses its type.*format='prometheus'"):
        _, again = read_back([view], metrics)
    assert again.keys == [view.key]
    _, again = read_back([view], metrics, format="prometheus")
    assert again.metrics == metrics


def test_stale_markers_are_left_out():
    view = SeriesView.make("a", [1, 2, 3], [1.0, STALE_NAN, math.nan])
    _, again = read_back([view], {})
    assert again.select()[0].times.tolist() == [1, 3]


def test_old_format_cuts_times_with_a_warning():
    view = SeriesView.make("a", [T0 + 1], [1.0])
    with pytest.warns(MonitorlabWarning, match="milliseconds"):
        text, _ = read_back([view], {}, format="prometheus")
    assert text == "a 1 1767225600000\n"


def test_gzipped_files(tmp_path):
    view = SeriesView.make("a", [T0], [1.0])
    path = tmp_path / "x.om.gz"
    write_openmetrics(path, [view])
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert contents(read_openmetrics(path).select()) == contents([view])
