"""The MonitoringFrame: thin, complete, and what each method gives."""

from __future__ import annotations

import ast
import inspect
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import monitorlab.accessor  # noqa: F401 - registers df.monitor
from monitorlab import analysis_input, frame
from monitorlab._frame_parts import example
from monitorlab.errors import (
    InvalidSeriesError,
    MonitorlabWarning,
    RecordingError,
    RuleError,
    UnknownNameError,
    UnknownSeriesError,
)
from monitorlab.frame import MonitoringFrame
from monitorlab.model import Incident, Labels, MetricType, SeriesKey
from monitorlab.recordings import read_csv, read_openmetrics, read_parquet
from monitorlab.storage import SeriesStore
from monitorlab.tables import as_incidents, incidents_table, read_incidents

T0 = 1_767_225_600_000_000_000
CONTRACT = {
    "record", "extend", "describe_metric", "select", "series", "between", "last", "at", "mark", "pipe",
    "stats", "query", "query_range", "alert", "backtest", "tune", "anomalies", "seasonality", "trend",
    "degradation", "forecast", "recommendations", "snapshot", "to_parquet", "to_openmetrics", "to_pandas", "to_csv",
}  # fmt: skip


def methods():
    tree = ast.parse(Path(frame.__file__).read_text(encoding="utf-8"))
    (facade,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return [node for node in facade.body if isinstance(node, ast.FunctionDef)]


def test_the_contract_is_complete():
    public = {name for name in dir(MonitoringFrame) if not name.startswith("_")}
    assert public >= CONTRACT | {"metrics", "incidents"}


@pytest.mark.parametrize(
    "method", [m for m in methods() if m.name != "__init__"], ids=lambda m: m.name
)
def test_methods_are_thin(method):
    """A method is its docstring, at most two names for arguments, and one return."""
    body = list(method.body)
    if not method.name.startswith("_"):
        assert ast.get_docstring(method), "needs a docstring"
        body = body[1:]
    *before, last = body
    assert isinstance(last, ast.Return)
    assert len(before) <= 1
    for node in before:
        assert isinstance(node, ast.Assign)
        assert not any(isinstance(part, ast.Call) and len(part.args) > 0 for part in ast.walk(node))
    assert not any(
        isinstance(part, (ast.If, ast.For, ast.While, ast.Try, ast.IfExp))
        for part in ast.walk(method)
    )


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_every_method_has_an_example(name):
    assert ">>>" in inspect.getdoc(getattr(MonitoringFrame, name))


def test_the_module_stays_short():
    assert len(Path(frame.__file__).read_text(encoding="utf-8").splitlines()) < 350


# -- making ----------------------------------------------------------------------------------


def test_making_from_anything():
    index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
    table = pd.DataFrame({"cpu": [0.5, 0.7]}, index=index)
    mf = MonitoringFrame(table)
    assert len(mf) == 1
    assert MonitoringFrame(mf.store).store is mf.store
    assert MonitoringFrame(mf.selection).selection is mf.selection
    rule = mf.alert("High", "cpu > 1")
    assert MonitoringFrame(mf).rules == [rule]
    assert not len(MonitoringFrame())
    assert not MonitoringFrame()  # as any container
    with pytest.raises(InvalidSeriesError, match="cannot read a int"):
        MonitoringFrame(3)


def test_retention_and_duplicates():
    mf = MonitoringFrame(max_samples=2, duplicates="first")
    mf.extend("a", [1, 2, 3, 3], [1.0, 2.0, 3.0, 4.0])
    assert mf.series("a").tolist() == [2.0, 3.0]
    assert mf.store.dropped == {"count": 1, "duplicate": 1}


def test_naive_frame_warns_where_it_was_written():
    table = pd.DataFrame({"cpu": [0.5]}, index=pd.to_datetime(["2026-01-01"]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MonitoringFrame(table)
    (warning,) = caught
    assert warning.category is MonitorlabWarning


def test_accessor():
    index = pd.date_range("2026-01-01", periods=2, freq="s", tz="UTC")
    table = pd.DataFrame({"cpu": [0.5, 0.7]}, index=index)
    assert table.monitor.series("cpu").tolist() == [0.5, 0.7]
    assert table["cpu"].monitor.selection.keys == [SeriesKey("cpu")]


# -- what it holds ---------------------------------------------------------------------------


def test_metrics_table():
    mf = example()
    mf.describe_metric(
        "latency_ms", type="timer", unit="ms", description="How long", direction="up"
    )
    row = mf.metrics.loc["latency_ms"]
    assert row[["type", "unit", "series", "samples", "description"]].tolist() == [
        "timer",
        "ms",
        2,
        8,
        "How long",
    ]
    assert row["first"] == pd.Timestamp(T0, tz="UTC")
    assert mf.metrics.loc["hits_total", "type"] == "counter"
    assert mf.metrics.index.name == "metric"
    assert mf.store.metric("latency_ms").direction == "up"
    with pytest.raises(InvalidSeriesError, match="unknown metric type"):
        mf.describe_metric("latency_ms", type="tymer")


def test_base_of_a_histogram_is_in_the_table():
    mf = MonitoringFrame()
    mf.extend("rpc_bucket", [1, 2], [1.0, 2.0], {"le": "1"})
    mf.describe_metric("rpc", type="histogram")
    assert mf.metrics.index.tolist() == ["rpc", "rpc_bucket"]
    assert mf.metrics.loc["rpc", "type"] == "histogram"


def test_type_of_a_described_metric_stays():
    mf = MonitoringFrame()
    mf.record("a", 1, T0 // 10**9, type="counter")
    mf.extend("a", [T0 // 10**9 + 1], [2], type="gauge")
    assert mf.store.metric("a").type is MetricType.COUNTER


def test_sample_metadata():
    mf = MonitoringFrame()
    mf.record("a", 1, "2026-01-01T00:00Z", metadata={"trace": "x"})
    assert mf.selection.series()[0].metadata == {T0: {"trace": "x"}}


def test_incidents():
    mf = example()
    mf.mark(
        "2026-01-01T00:02Z", "2026-01-01T00:03Z", "leak", severity="critical", metrics="hits_total"
    )
    mf.mark("2026-01-01T00:00Z", "2026-01-01T00:01Z")
    table = mf.incidents
    assert table["kind"].tolist() == ["incident", "leak"]
    assert table["severity"].tolist() == ["error", "critical"]
    assert table.loc[1, "metrics"] == ("hits_total",)
    assert mf.between("2026-01-01T00:01Z", "2026-01-01T00:05Z").incidents["kind"].tolist() == [
        "leak"
    ]
    assert mf.at("2026-01-01T00:01:30Z").incidents["kind"].tolist() == ["incident"]
    assert as_incidents(table) == sorted(mf.store.incidents, key=lambda i: i.start)
    assert str(MonitoringFrame().incidents["start"].dtype) == "datetime64[ns, UTC]"
    with pytest.raises(RuleError, match="not after its start"):
        mf.mark("2026-01-01T00:02Z", "2026-01-01T00:02Z")


def test_incidents_of_a_file(tmp_path):
    path = tmp_path / "incidents.csv"
    path.write_text(
        "start,end,kind,metrics,severity,description\n"
        '2026-01-01T00:00Z,2026-01-01T00:05Z,leak,a;b,critical,"slow, then gone"\n'
        "2026-01-02T00:00Z,2026-01-02T00:05Z,,,,\n"
    )
    first, second = read_incidents(path)
    assert first == Incident.make(
        "2026-01-01T00:00Z", "2026-01-01T00:05Z", "leak",
        severity="critical", metrics=("a", "b"), description="slow, then gone",
    )  # fmt: skip
    assert second.kind == "incident"
    assert as_incidents(path) == [first, second]
    path.write_text("start,end\n2026-01-01T00:00Z,2026-01-01T00:00Z\n")
    with pytest.raises(RecordingError, match="line 2"):
        read_incidents(path)
    path.write_text("start,stop\n")
    with pytest.raises(RecordingError, match="'end' is missing"):
        read_incidents(path)
    with pytest.raises(InvalidSeriesError, match="'end'"):
        as_incidents(pd.DataFrame({"start": []}))
    with pytest.raises(InvalidSeriesError, match="row 0"):
        as_incidents(pd.DataFrame({"start": ["x"], "end": ["y"]}))


# -- looking ---------------------------------------------------------------------------------


def test_series_must_be_one():
    mf = example()
    assert mf.series(SeriesKey("hits_total")).name == "hits_total"
    assert str(mf.series("hits_total").index.tz) == "UTC"
    with pytest.raises(UnknownSeriesError) as caught:
        mf.series("latency_ms")
    assert str(caught.value) == (
        "'latency_ms' names 2 series, one is needed:\n"
        '    latency_ms{route="/"}\n'
        '    latency_ms{route="/cart"}'
    )
    with pytest.raises(UnknownSeriesError, match="did you mean 'latency_ms'"):
        mf.series("latncy_ms")
    with pytest.raises(UnknownSeriesError, match="did you mean"):
        mf.series('latency_ms{route="/card"}')
    with pytest.raises(UnknownSeriesError, match="no series at all"):
        MonitoringFrame().series("a")


def test_many_series_are_listed_up_to_eight():
    mf = MonitoringFrame()
    for number in range(12):
        mf.record("a", 1, 1, {"n": str(number)})
    with pytest.raises(UnknownSeriesError, match=r"(?s)everything names 12 series.*and 4 more"):
        mf.pipe(lambda f: analysis_input.one_view(f.selection))


def test_views():
    mf = example()
    narrowed = mf.select("latency_ms").between("2026-01-01T00:01Z", None).last("2m")
    assert [len(v) for v in narrowed.selection.series()] == [2, 2]
    assert narrowed.store is mf.store
    assert narrowed.rules is mf.rules
    at = mf.at("2026-01-01T00:01Z")
    assert at.as_of == pd.Timestamp("2026-01-01T00:01Z")
    assert at.last("1m").series("hits_total").tolist() == [3.0]
    before = mf.last("2m").series("hits_total")
    mf.record("hits_total", 100, "2026-01-01T00:10Z")
    assert before.tolist() == [6.0, 9.0]
    assert MonitoringFrame().as_of is None


def test_stats_follow_the_type():
    mf = example()
    stats = mf.stats("10m")
    assert stats.index.map(str).tolist() == [
        "hits_total",
        'latency_ms{route="/"}',
        'latency_ms{route="/cart"}',
    ]
    assert stats["rate"].round(3).tolist()[0] == 0.05
    assert np.isnan(stats["rate"].to_numpy()[1:]).all()


def test_queries():
    mf = example()
    assert mf.query("sum(latency_ms)", at="2026-01-01T00:01Z")["value"].tolist() == [20.0]
    assert mf.at("2026-01-01T00:01Z").query("sum(latency_ms)")["value"].tolist() == [20.0]
    ranged = mf.query_range("max by (route) (latency_ms)", step="1m")
    assert isinstance(ranged, MonitoringFrame)
    assert ranged.selection.keys == [
        SeriesKey("max by (route) (latency_ms)", Labels(route=r)) for r in ("/", "/cart")
    ]
    assert ranged.to_pandas().iloc[:, 1].tolist() == [10.0, 11.0, 12.0, 12.0]
    named = mf.query_range("latency_ms", "2026-01-01T00:00Z", "2026-01-01T00:01Z", "1m")
    assert {key.metric for key in named.selection.keys} == {"latency_ms"}


def test_rules_by_name():
    mf = example()
    rule = mf.alert("Slow", "> 10", "latency_ms")
    assert mf.rules == [rule]
    assert mf.alert(rule.__class__("Other", "up == 0")).name == "Other"
    with pytest.raises(UnknownNameError, match="did you mean 'Slow'"):
        mf.tune("Slaw", [])


def test_text_and_html():
    mf = example()
    text = "MonitoringFrame: 3 series of 2 metrics, 12 samples, 2026-01-01 00:00:00 to 2026-01-01 00:03:00 UTC"
    assert repr(mf) == text
    assert str(mf).splitlines()[0] == text
    assert len(str(mf).splitlines()) == 4
    mf.record("<b>", 1, "2026-01-01T00:00Z")
    assert "&lt;b&gt;" in mf._repr_html_()
    assert "<b>" not in mf._repr_html_()
    assert repr(MonitoringFrame()) == "MonitoringFrame: empty"
    mf.mark("2026-01-01T00:02Z", "2026-01-01T00:03Z")
    mf.alert("Slow", "latency_ms > 10")
    assert repr(mf).endswith("UTC, 1 incident, 1 rule")


# -- out -------------------------------------------------------------------------------------


def test_round_trips(tmp_path):
    mf = example()
    mf.describe_metric("latency_ms", type="gauge", unit="ms", description="How long")
    mf.mark("2026-01-01T00:02Z", "2026-01-01T00:03Z")
    expected = mf.to_pandas("long")
    mf.to_parquet(tmp_path / "x.parquet")
    again = read_parquet(tmp_path / "x.parquet")
    pd.testing.assert_frame_equal(again.to_pandas("long"), expected)
    pd.testing.assert_frame_equal(again.metrics, mf.metrics)
    pd.testing.assert_frame_equal(again.incidents, mf.incidents)
    mf.to_openmetrics(tmp_path / "x.om")
    again = read_openmetrics(tmp_path / "x.om")
    pd.testing.assert_frame_equal(again.to_pandas("long"), expected)
    pd.testing.assert_frame_equal(again.metrics, mf.metrics)
    for layout in ("long", "wide"):
        mf.to_csv(tmp_path / "x.csv", layout)
        pd.testing.assert_frame_equal(read_csv(tmp_path / "x.csv").to_pandas("long"), expected)
    assert MonitoringFrame(mf.to_pandas("wide")).to_pandas("long").equals(expected)


def test_a_narrowed_frame_writes_only_what_it_sees(tmp_path):
    example().select("hits_total").last("1m").to_parquet(tmp_path / "x.parquet")
    assert read_parquet(tmp_path / "x.parquet").series().tolist() == [9.0]


# -- what analyses are given -----------------------------------------------------------------


def test_counters_are_prepared_as_rates():
    store = SeriesStore()
    store.extend("c_total", np.array([0, 1, 2, 4]) * 10**9, [5.0, 7.0, 1.0, 5.0])
    store.describe("c_total", type="counter")
    series = analysis_input.prepare_one(store, "c_total")
    np.testing.assert_array_equal(series, [2.0, np.nan, 2.0])  # of a restart only a part is known
    assert series.index[0] == pd.Timestamp(10**9, tz="UTC")
    store.append("empty_total", 1, 1.0)
    store.describe("empty_total", type="counter")
    assert analysis_input.prepare_one(store, "empty_total").tolist() == []


def test_buckets_are_left_out_unless_asked_for():
    store = SeriesStore()
    for name in ("rpc_bucket", "rpc_sum", "load"):
        store.extend(name, np.array([0, 1]) * 10**9, [1.0, 2.0])
    store.describe("rpc", type="histogram")
    assert [key.metric for key in analysis_input.prepare_all(store)] == ["load", "rpc_sum"]
    assert [key.metric for key in analysis_input.prepare_all(store, "rpc_bucket")] == ["rpc_bucket"]


def test_incidents_table_of_nothing():
    assert incidents_table([]).columns.tolist() == [
        "start",
        "end",
        "kind",
        "severity",
        "metrics",
        "description",
    ]
