"""Advice follows from results only, is merged by cause, and says what it could not judge."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd

from monitorlab.recommend import recommend

T0 = pd.Timestamp("2026-01-01T10:00Z")


def change(
    series: str,
    seconds: float,
    *,
    worse: bool | None = True,
    kind: str = "sudden",
    size: float = 6.0,
):
    return {
        "series": series, "time": T0 + pd.Timedelta(seconds=seconds), "before": 1.0, "after": 2.0,
        "effect_percent": 100.0, "effect_std": size, "worse": worse, "kind": kind,
    }  # fmt: skip


def event(series: str, seconds: float, score: float = 0.9999):
    start = T0 + pd.Timedelta(seconds=seconds)
    return {
        "series": series, "start": start, "peak": start, "end": start + pd.Timedelta("20s"),
        "value": 9.0, "expected": 1.0, "score": score, "kind": "spike", "severity": "warning",
    }  # fmt: skip


def test_changes_of_one_moment_are_one_cause() -> None:
    table = pd.DataFrame([change("a", 0), change("b", 30, size=9.0), change("c", 3600)])
    advice = recommend(changes=table)
    assert len(advice) == 2
    assert advice[0].title == "b got worse by 100 % and stayed so, with 1 other series"
    assert {fact.series for fact in advice[0].evidence} == {"a", "b"}


def test_better_and_unknown_changes_are_no_advice() -> None:
    table = pd.DataFrame([change("a", 0, worse=False), change("b", 0, worse=None)])
    assert len(recommend(changes=table)) == 0


def test_a_slow_change_is_called_drift() -> None:
    advice = recommend(changes=pd.DataFrame([change("memory", 0, kind="slow")]))
    assert "drifting" in advice[0].title


def test_capacity_is_urgent_by_its_time() -> None:
    def reach(days: float):
        span = pd.Timedelta(days=days)
        return SimpleNamespace(time_to_capacity=SimpleNamespace(p10=span / 2, p50=span, p90=None))

    advice = recommend(forecasts={"disk": reach(1), "seats": reach(30)}, as_of=T0)
    assert [item.severity.value for item in advice] == ["critical", "warning"]
    assert advice[0].time == T0 + pd.Timedelta(days=1)
    never = SimpleNamespace(time_to_capacity=SimpleNamespace(p10=None, p50=None, p90=None))
    assert len(recommend(forecasts={"disk": never})) == 0


def test_noisy_rules_and_missed_incidents() -> None:
    scores = pd.DataFrame(
        {
            "rule": ["Loud", "Quiet"],
            "false_positive_rate": [0.05, 0.001],
            "firings": [9, 1],
            "precision": [0.2, 1.0],
        }
    )
    incidents = pd.DataFrame(
        {"start": [T0], "end": [T0 + pd.Timedelta("60s")], "kind": ["leak"], "detected": [False]}
    )
    firings = pd.DataFrame(columns=["rule", "start", "end"])
    advice = recommend(
        firings=firings, rule_scores=scores, incidents=incidents,
        anomalies=pd.DataFrame([event("memory", 10)]),
    )  # fmt: skip
    titles = [item.title for item in advice]
    assert any("Loud cries wolf: 5.0%" in title for title in titles)
    assert not any("Quiet" in title for title in titles)
    assert any("no rule saw the incident leak" in title for title in titles)
    assert any("watch memory" in item.next_step for item in advice)


def test_what_nobody_watches_needs_several_series() -> None:
    usual = [event(f"s{i}", 600.0 * i) for i in range(30)]
    together = [event(f"t{i}", 30_000.0 + i) for i in range(12)]
    assert len(recommend(anomalies=pd.DataFrame(usual))) == 0
    advice = recommend(anomalies=pd.DataFrame(usual + together))
    assert len(advice) == 1
    assert "12 series were unusual" in advice[0].title


def test_a_known_incident_needs_no_advice() -> None:
    usual = [event(f"s{i}", 600.0 * i) for i in range(30)]
    together = [event(f"t{i}", 30_000.0 + i) for i in range(12)]
    start = T0 + pd.Timedelta(seconds=29_990)
    incidents = pd.DataFrame(
        {"start": [start], "end": [start + pd.Timedelta("60s")], "kind": ["x"], "detected": [True]}
    )
    advice = recommend(
        anomalies=pd.DataFrame(usual + together), incidents=incidents,
        firings=pd.DataFrame(columns=["rule", "start", "end"]),
        rule_scores=pd.DataFrame(columns=["rule", "false_positive_rate"]),
    )  # fmt: skip
    assert len(advice) == 0


def test_all_forms() -> None:
    advice = recommend(changes=pd.DataFrame([change("a<b>", 0)]))
    json.dumps(advice.to_dict(), allow_nan=False)
    assert "a&lt;b&gt;" in advice._repr_html_()
    assert "not judged" in str(advice)
    assert len(advice.plot().data) == 1
    assert list(advice.to_frame()["severity"]) == ["error"]
