"""The report: one plain dictionary in a stable shape, and a page that opens without a network."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.model import SeriesKey
from monitorlab.report import SCHEMA
from monitorlab.report.sections import deltas

TIMES = pd.date_range("2026-01-01", periods=1440, freq="5s", tz="UTC")
PROMISES = [
    ml.report.Objective("Served", good='hits_total{code="200"}', total="hits_total", target=0.99),
    ml.report.Objective("Idle <b>", holds="load < 0.6", target=0.9),
]


@pytest.fixture(scope="module")
def report() -> ml.Report:
    rng = np.random.default_rng(3)
    mf = ml.MonitoringFrame()
    for host in ("a", "b<script>"):
        load = 0.3 + rng.normal(0, 0.02, 1440)
        load[1300:1350] += 0.5
        mf.extend("load", TIMES, load, labels={"host": host})
    mf.extend("disk_used_bytes", TIMES, 100.0 + np.arange(1440) / 40 + rng.normal(0, 0.2, 1440))
    mf.extend("disk_size_bytes", TIMES, np.full(1440, 140.0))
    mf.mark(TIMES[1300], TIMES[1350], kind="hog", severity="error", metrics=["load"])
    mf.alert("Busy", "value > 0.6", metric="load", severity="error", for_="10s")
    mf.extend("hits_total", TIMES, np.cumsum(rng.poisson(20, 1440)), {"code": "200"}, "counter")
    mf.extend("hits_total", TIMES, np.cumsum(rng.poisson(0.4, 1440)), {"code": "500"}, "counter")
    return ml.Report(mf, horizons=("10m", "1h", "7d"), objectives=PROMISES, progress=False)


def test_the_dictionary_keeps_its_schema(report: ml.Report) -> None:
    plain = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    jsonschema.validate(plain, SCHEMA)
    assert [h["horizon"] for h in plain["horizons"]] == ["10m", "1h", "7d"]


def test_an_empty_frame_keeps_it_too() -> None:
    empty = ml.Report(ml.MonitoringFrame(), progress=False)
    jsonschema.validate(empty.to_dict(), SCHEMA)
    assert "<html" in empty.to_html()


def test_horizons_look_back_so_far_and_no_further(report: ml.Report) -> None:
    ten, hour, week = report.to_dict()["horizons"]
    assert len(ten["incidents"]) == 1
    assert ten["covered_ratio"] == 1.0
    assert 0 < week["covered_ratio"] < 0.02
    assert hour["deltas"]
    assert not week["deltas"]


def test_the_incident_is_told_with_its_times(report: ml.Report) -> None:
    (incident,) = report.to_dict()["horizons"][0]["incidents"]
    assert incident["start"] == TIMES[1300].isoformat()
    assert incident["detected"] == "Busy"
    assert 0 <= incident["delay_seconds"] <= 60
    page = report.to_html()
    assert TIMES[1300].strftime("%Y-%m-%d %H:%M:%S") in page
    assert TIMES[1300].strftime("%Y-%m-%d %H:%M:%S") in str(report)


def test_capacity_is_answered(report: ml.Report) -> None:
    (row,) = report.to_dict()["forecasts"]
    assert row["series"] == "disk_used_bytes"
    assert row["limit"] == 140
    assert row["used_ratio"] == pytest.approx(row["current"] / 140)
    assert 130 < row["end_mean"] < 150
    assert row["time_to_capacity"]["text"] == row["capacity"]


def test_promises_are_kept_or_not(report: ml.Report) -> None:
    for section in report.to_dict()["horizons"]:
        served, idle = section["objectives"]
        assert served["attainment"] == pytest.approx(0.98, abs=0.006)
        assert served["is_met"] is False
        assert served["burn_rate"] == pytest.approx((1 - served["attainment"]) / 0.01)
        assert served["budget_left_ratio"] == pytest.approx(1 - served["burn_rate"])
        assert any("objective Served missed" in reason for reason in section["health"]["reasons"])
    assert idle["is_met"] is True
    assert any("Served (98" in words for words in report.to_dict()["summary"])
    assert any(
        "objective Served is missed" in r["title"] for r in report.to_dict()["recommendations"]
    )
    assert "Served: 98" in str(report)


def test_health_is_compared_with_the_period_before(report: ml.Report) -> None:
    ten, hour, week = report.to_dict()["horizons"]
    assert ten["previous_health"]["score"] > ten["health"]["score"]
    assert hour["previous_health"] is not None
    assert week["previous_health"] is None


def test_deltas_name_better_and_worse() -> None:
    mf = ml.MonitoringFrame()
    step = np.where(np.arange(1440) < 720, 1.0, 2.0) + np.random.default_rng(0).normal(
        0, 0.05, 1440
    )
    mf.extend("latency_seconds", TIMES, step)
    mf.extend("memory_free_bytes", TIMES, step * 1e9)
    mf.extend("blorp", TIMES, step)
    mf.extend("hits_total", TIMES, np.cumsum(step), {"code": "200"}, "counter")
    mf.extend("hits_total", TIMES, np.cumsum(step), {"code": "503"}, "counter")
    rows = ml.Report(mf, horizons=("1h",), progress=False).to_dict()["horizons"][0]["deltas"]
    verdicts = {row["title"]: row["verdict"] for row in rows}
    assert verdicts == {
        "latency_seconds": "worse", "memory_free_bytes": "better", "blorp": "changed",
        'hits_total:rate{code="200"}': "better", 'hits_total:rate{code="503"}': "worse",
    }  # fmt: skip
    assert all(row["change_percent"] == pytest.approx(100, abs=3) for row in rows)
    assert all(len(row["spark"]) == 48 for row in rows)


def test_the_same_report_again_is_found(report: ml.Report) -> None:
    ml.cache.clear()
    mf = ml.MonitoringFrame(report._frame)
    first = ml.Report(mf, horizons=("10m",), progress=False).to_dict()
    misses = ml.cache.info().misses
    assert ml.Report(mf, horizons=("10m",), progress=False).to_dict() == first
    assert ml.cache.info().misses == misses
    assert ml.cache.info().hits >= misses


def test_the_page_needs_no_network_and_escapes(report: ml.Report, tmp_path: Path) -> None:
    page = report.to_html(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text() == page
    assert "<script" not in page
    assert "Idle &lt;b&gt;" in page
    assert not re.search(r"""(?:src|href)\s*=|url\(|@import|https?://""", page)
    assert len(page) < 300_000
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_text_and_fragment(report: ml.Report) -> None:
    assert "last 10m" in repr(report)
    assert "hog" in str(report)
    assert report._repr_html_().count('class="card ') == 3
    assert len(report.to_frame()) == 3
    assert len(report.plot().data) > 0


class _Outline(HTMLParser):
    """Counts what is open, to see that the page is well formed."""

    void = frozenset({"meta", "br", "col", "link", "img", "rect", "line", "circle", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_has_its_sections(report: ml.Report) -> None:
    page = report.to_html()
    outline = _Outline()
    outline.feed(page)
    assert outline.open == []
    assert outline.seen.count("svg") >= 10
    for heading in ("Objectives", "What to do", "What happened", "Capacity ahead", "Not judged"):
        assert f"<h2>{heading}" in page
    assert "nan" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower().split()


def test_several_pages_in_both_themes_and_on_paper_share_their_colours() -> None:
    css = (Path(ml.__file__).parent / "static" / "report.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    names = [set(re.findall(r"(--[\w-]+):", block)) for block in (light, dark)]
    assert names[0] == names[1]
    assert set(re.findall(r"var\((--[\w-]+)\)", css)) <= names[0]
    assert "@page" in css


def test_chance_is_no_change_against_the_previous_period() -> None:
    rng = np.random.default_rng(3)
    index = pd.date_range("2026-01-01", periods=60, freq="1min", tz="UTC")
    key = SeriesKey("q")
    named = 0
    for _ in range(100):
        noise = pd.Series(10 + rng.normal(0, 1, 60), index=index)
        named += len(deltas({key: noise}, index[-1], pd.Timedelta("10min")))
    assert named <= 3
    step = pd.Series(np.repeat([10.0, 14.0], 30) + rng.normal(0, 1, 60), index=index)
    assert len(deltas({key: step}, index[-1], pd.Timedelta("30min"))) == 1


@pytest.mark.parametrize("kind", ["one series", "all missing", "only events", "two samples"])
def test_odd_frames_keep_the_schema_and_claim_no_rule(kind: str) -> None:
    times = pd.date_range("2026-05-01", periods=300, freq="10min", tz="UTC")
    rng = np.random.default_rng(3)
    mf = ml.MonitoringFrame()
    values = {
        "one series": rng.poisson(5, 300).astype(float),
        "all missing": np.full(300, np.nan),
        "two samples": np.array([1.0, 2.0]),
        "only events": np.array([]),
    }[kind]
    for time, value in zip(times, values, strict=False):
        mf.record("orders", float(value), time)
    if kind == "only events":
        mf.mark(times[0], times[5], "outage")
    seen = ml.Report(mf, horizons=("1h", "24h"), progress=False)
    plain = json.loads(json.dumps(seen.to_dict(), allow_nan=False))
    jsonschema.validate(plain, SCHEMA)
    words = " ".join(plain["summary"])
    assert "no rule fired" not in words
    assert plain["recording"]["rules"] == 0
    if kind == "one series":
        assert "there are no alert rules" in words
    assert seen.to_html().startswith("<!")
    assert str(seen)
