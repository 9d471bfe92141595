"""Everything asked at once: signals, findings, snapshot, health."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.model import Incident, Severity
from monitorlab.overview import capacity_pairs, collect, judge, signals, snapshot

TIMES = pd.date_range("2026-01-01", periods=1200, freq="5s", tz="UTC")
FAULT = slice(900, 950)


@pytest.fixture(scope="module")
def mf() -> ml.MonitoringFrame:
    rng = np.random.default_rng(7)
    made = ml.MonitoringFrame()
    latency = 0.1 + rng.normal(0, 0.005, 1200)
    latency[FAULT] += 0.3
    made.extend("latency_seconds", TIMES, latency, labels={"route": "/cart"})
    for code, share in (("200", 20.0), ("500", 0.1)):
        steps = rng.poisson(share, 1200).astype(float)
        made.extend(
            "requests_total", TIMES, np.cumsum(steps), labels={"code": code}, type="counter"
        )
    made.extend("pool_in_use", TIMES, 5 + rng.normal(0, 0.3, 1200))
    made.extend("pool_max", TIMES, np.full(1200, 16.0))
    made.mark(TIMES[900], TIMES[950], kind="slow", severity="error", metrics=["latency_seconds"])
    made.alert("Slow", "value > 0.25", metric="latency_seconds", severity="critical", for_="10s")
    return made


def test_signals_are_rates_quantiles_and_gauges(mf: ml.MonitoringFrame) -> None:
    found = {str(key): series for key, series in signals(mf.selection).items()}
    assert set(found) == {
        'latency_seconds{route="/cart"}', 'requests_total:rate{code="200"}',
        'requests_total:rate{code="500"}', "pool_in_use",
    }  # fmt: skip
    assert found['requests_total:rate{code="200"}'].median() == pytest.approx(4.0, rel=0.1)


def test_limits_are_found_only_when_they_are_recorded(mf: ml.MonitoringFrame) -> None:
    assert capacity_pairs(mf.selection) == {"pool_in_use": "pool_max"}


def test_collect_finds_the_incident_by_every_way(mf: ml.MonitoringFrame) -> None:
    found = collect(mf.selection, rules=mf.rules, incidents=mf.selection.incidents)
    assert found.incidents["detected"].tolist() == [True]
    assert found.firings["rule"].tolist() == ["Slow"]
    near = found.anomalies[found.anomalies["series"].str.startswith("latency")]
    assert ((near["start"] >= TIMES[899]) & (near["start"] <= TIMES[951])).any()
    assert set(found.forecasts) == {"pool_in_use"}
    json.dumps(found.to_dict(), allow_nan=False)
    assert "1 incidents" in repr(found)


def test_nothing_recorded_is_an_answer() -> None:
    empty = ml.MonitoringFrame()
    assert collect(empty.selection).summary() == "nothing recorded"
    assert snapshot(empty.selection).status == "unknown"


def test_snapshot_is_as_of_and_plain(mf: ml.MonitoringFrame) -> None:
    during = snapshot(mf.at(TIMES[940]).selection, "2m", rules=mf.rules)
    assert during.as_of == TIMES[940]
    assert during.alerts["rule"].tolist() == ["Slow"]
    assert during.status == "critical"
    after = snapshot(mf.selection, "2m", rules=mf.rules)
    assert len(after.alerts) == 0
    plain = after.to_dict()
    json.dumps(plain, allow_nan=False)
    assert set(plain) == {"as_of", "window_seconds", "status", "reasons", "alerts", "series"}
    assert len(plain["series"]) == 5
    assert len(after.plot().data) == 1


def test_health_weighs_severity_and_time() -> None:
    brief = judge(firing={"A": (Severity.WARNING, 0.01)}, worse=[], anomalies=0, incidents=[])
    long = judge(firing={"A": (Severity.CRITICAL, 0.9)}, worse=[], anomalies=0, incidents=[])
    assert brief.status == "ok"
    assert long.status == "critical"
    assert long.score < brief.score
    worst = judge(
        firing={"A": (Severity.CRITICAL, 1.0), "B": (Severity.ERROR, 1.0)},
        worse=["x"] * 9, anomalies=40, incidents=["y"],
    )  # fmt: skip
    assert (worst.status, worst.score) == ("critical", 0)
    assert worst.reasons[-1] == "1 labelled incident: y"


def test_what_people_expected_is_no_incident_and_no_anomaly(mf: ml.MonitoringFrame) -> None:
    told = 'latency_seconds{route="/cart"}'
    plain = collect(mf.selection)
    expected = Incident.make(TIMES[895], TIMES[960], "expected", metrics=[told])
    heeded = collect(mf.selection, incidents=[expected])
    fault = plain.anomalies[plain.anomalies["series"] == told]
    left = heeded.anomalies[heeded.anomalies["series"] == told]
    during = (left["start"] < TIMES[960]) & (left["end"] > TIMES[895])
    assert len(fault)
    assert not during.any()
    assert len(heeded.incidents) == 0
