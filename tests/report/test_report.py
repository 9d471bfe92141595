"""The report: one plain dictionary in a stable shape, and a page that opens without a network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.report import SCHEMA

TIMES = pd.date_range("2026-01-01", periods=1440, freq="5s", tz="UTC")


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
    return ml.Report(mf, horizons=("10m", "1h", "7d"), progress=False)


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
    assert row["end_mean"] > 130
    assert "capacity" not in row["capacity"] or "no capacity" not in row["capacity"]


def test_the_page_needs_no_network_and_escapes(report: ml.Report, tmp_path: Path) -> None:
    page = report.to_html(tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text() == page
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "b<script>" not in body
    assert not re.search(r"""(?:src|href)=["']https?:""", body)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_text_and_fragment(report: ml.Report) -> None:
    assert "last 10m" in repr(report)
    assert "hog" in str(report)
    assert "<table" in report._repr_html_()
    assert len(report.to_frame()) == 3
    assert len(report.plot().data) > 0
