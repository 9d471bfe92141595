"""Advice follows from results only, is merged by cause, and says what it could not judge."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pandas as pd
import pytest

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
    assert "drifted the wrong way" in advice[0].title


def forecast(p10: float | None, p50: float | None, p90: float | None, chance: float = 0.9):
    def span(days: float | None):
        return None if days is None else pd.Timedelta(days=days)

    return SimpleNamespace(
        history=pd.Series([70.0, 80.0]), capacity=pd.Series([100.0]),
        time_to_capacity=SimpleNamespace(
            p10=span(p10), p50=span(p50), p90=span(p90), probability=chance
        ),
    )  # fmt: skip


def test_capacity_is_urgent_by_its_time() -> None:
    known = {"disk": forecast(0.5, 1, None), "seats": forecast(20, 30, 40)}
    advice = recommend(forecasts=known, as_of=T0)
    assert [item.severity.value for item in advice] == ["critical", "warning"]
    assert advice[0].time == T0 + pd.Timedelta(days=1)
    assert "now 80 of 100 (80 %)" in advice[0].evidence[0].text
    assert len(recommend(forecasts={"disk": forecast(None, None, None)})) == 0


def test_what_may_run_out_is_less_urgent_than_what_will() -> None:
    (advice,) = recommend(forecasts={"disk": forecast(1, None, None, 0.2)}, as_of=T0)
    assert advice.severity.value == "warning"
    assert "may reach" in advice.title


def test_growth_that_a_forecast_has_judged_is_not_told_twice() -> None:
    drift = pd.DataFrame([change("disk", 0, kind="slow"), change("memory", 0, kind="slow")])
    advice = recommend(changes=drift, forecasts={"disk": forecast(20, 30, 40)}, as_of=T0)
    assert [item.cause for item in advice] == ["series:memory", "series:disk"]
    never = recommend(changes=drift, forecasts={"disk": forecast(None, None, None)}, as_of=T0)
    assert [item.cause for item in never] == ["series:memory"]


def test_an_old_change_is_less_urgent() -> None:
    table = pd.DataFrame([change("a", 0)])
    new = recommend(changes=table, as_of=T0 + pd.Timedelta("1D"))
    old = recommend(changes=table, as_of=T0 + pd.Timedelta("90D"))
    assert (new[0].severity.value, old[0].severity.value) == ("error", "warning")


def standing(name: str, *burns: float | None):
    spans = [3600, 86400, 604800]
    return [
        {
            "objective": name, "horizon": f"{span // 3600}h", "span_ns": span * 10**9,
            "target": 0.99, "attainment": None if burn is None else 1 - 0.01 * burn,
            "burn_rate": burn, "budget_left": None if burn is None else 1 - burn,
            "good": 100 - (burn or 0), "total": 100.0, "unit": "events", "end": T0,
        }
        for span, burn in zip(spans, burns, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("burns", "severity"),
    [
        ((20, 3, 0.5), "critical"),
        ((7, 0.9, 0.2), "error"),
        ((2, 2, 2), "error"),
        ((2, 0.5, 0.1), "warning"),
        ((0, 0.4, 1.2), "warning"),
        ((0.9, 0.9, 0.9), None),
    ],
)
def test_a_promise_is_urgent_by_its_pace(burns: tuple[float, ...], severity: str | None) -> None:
    advice = recommend(objectives=pd.DataFrame(standing("Served", *burns)))
    assert [item.severity.value for item in advice] == ([severity] if severity else [])
    if severity:
        assert len(advice[0].evidence) == 3
        assert advice[0].cause == "objective:Served"


def test_a_promise_that_was_not_measured_is_said() -> None:
    advice = recommend(objectives=pd.DataFrame(standing("Served", None, None, None)))
    assert "objective Served: nothing was measured" in advice.not_judged


def test_sorted_by_urgency_then_confidence_and_one_for_each_cause() -> None:
    changes = pd.DataFrame([change("a", 0, size=2.0), change("b", 3600, size=20.0)])
    advice = recommend(changes=changes, objectives=pd.DataFrame(standing("S", 20, 20, 20)))
    order = [(item.severity.rank, item.confidence) for item in advice]
    assert order == sorted(order, reverse=True)
    assert len({item.cause for item in advice}) == len(advice) == 3


def test_everything_that_could_not_be_judged_is_told() -> None:
    missing = " ".join(recommend().not_judged)
    for question in ("run out", "promises", "got worse", "trusted", "nobody watches"):
        assert question in missing
    unknown = recommend(changes=pd.DataFrame([change("a", 0, worse=None)]))
    assert any("describe the metrics" in text for text in unknown.not_judged)


def test_detectors_that_are_still_learning_are_not_believed() -> None:
    usual = [event(f"s{i}", 600.0 * i) for i in range(30)]
    early = pd.DataFrame([event(f"t{i}", 100.0 + i) for i in range(12)] + usual)
    assert len(recommend(anomalies=early)) == 1
    later = recommend(anomalies=early, learned=T0 + pd.Timedelta("300s"))
    assert len(later) == 0
    assert any("learning" in text for text in later.not_judged)


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
    assert any("Loud cries wolf: 5.0 %" in title for title in titles)
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
