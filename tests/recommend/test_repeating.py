"""What fires now, what comes back and what flaps is told from the tables alone."""

from __future__ import annotations

import pandas as pd
import pytest

from monitorlab.model import Severity
from monitorlab.recommend import recommend
from monitorlab.recommend.repeating import firing_now, flapping, recurring

T0 = pd.Timestamp("2026-01-01T10:00Z")
SECOND = pd.Timedelta("1s")


def firing(rule: str, start: float, end: float, *, incident: str = "", series: str = "{}"):
    return {
        "rule": rule, "series": series, "severity": "error", "start": T0 + start * SECOND,
        "end": T0 + end * SECOND, "incident": incident,
    }  # fmt: skip


def incident(kind: str, start: float, *, severity: str = "warning", detected: bool = True):
    begun = T0 + start * SECOND
    return {
        "start": begun, "end": begun + 60 * SECOND, "kind": kind, "severity": severity,
        "metrics": (), "detected": detected, "rule": "Slow" if detected else "",
        "delay": 12 * SECOND if detected else pd.NaT, "description": "",
    }  # fmt: skip


def unusual(series: str, start: float):
    begun = T0 + start * SECOND
    return {
        "series": series, "start": begun, "peak": begun, "end": begun + 10 * SECOND, "value": 9.0,
        "expected": 1.0, "score": 0.9999, "kind": "spike", "severity": "warning",
    }  # fmt: skip


def test_only_what_has_not_ended_fires_now() -> None:
    table = pd.DataFrame([firing("Slow", 0, 30), firing("Slow", 50, 75), firing("Down", 0, 60)])
    (advice,) = firing_now(table, T0 + 60 * SECOND)
    assert advice.title == "rule Slow has been firing for 10s"
    assert advice.severity is Severity.ERROR


def test_an_open_firing_fires_now() -> None:
    table = pd.DataFrame([firing("Slow", 0, 30) | {"end": pd.NaT}])
    assert [advice.cause for advice in firing_now(table, T0 + 3_600 * SECOND)] == ["firing:Slow"]


def test_series_of_one_rule_are_one_advice() -> None:
    table = pd.DataFrame([firing("Slow", 0, 99, series=f'{{n="{n}"}}') for n in range(3)])
    (advice,) = firing_now(table, T0 + 60 * SECOND)
    assert advice.title.endswith("for 3 series")
    assert len(advice.evidence) == 3


def test_a_kind_is_marked_by_the_series_that_says_least_of_others() -> None:
    known = pd.DataFrame([incident("leak", 0), incident("leak", 1_000), incident("surge", 2_000)])
    events = pd.DataFrame(
        [unusual(name, t + 5) for t in (0, 1_000) for name in ("latency", "memory")]
        + [unusual("latency", 2_005), unusual("disk", 5)]
    )
    (advice,) = recurring(known, events)
    assert advice.title == "leak happened 2 times, 2m in all"
    assert advice.next_step.endswith("first in memory")
    assert advice.evidence[0].text == "unusual in all 2 and in 0 of the 1 other incidents"
    assert "found by Slow after 12 s" in advice.evidence[1].text


@pytest.mark.parametrize("severity", ["error", "critical"])
def test_what_is_over_is_no_more_than_an_error(severity: str) -> None:
    known = pd.DataFrame([incident("leak", t, severity=severity) for t in (0, 1_000)])
    (advice,) = recurring(known)
    assert advice.severity is Severity.ERROR


def test_what_no_rule_saw_is_told_once() -> None:
    known = pd.DataFrame([incident("leak", t, detected=False) for t in (0, 1_000)])
    scores = pd.DataFrame(columns=["rule", "false_positive_rate", "firings", "precision"])
    nothing = pd.DataFrame(columns=["rule", "series", "severity", "start", "end", "incident"])
    advice = recommend(incidents=known, firings=nothing, rule_scores=scores)
    assert [one.title for one in advice] == ["no rule saw the incident leak (2 times)"]
    assert [one.cause for one in recommend(incidents=known)] == ["recurring:leak"]


def test_firing_again_in_another_incident_is_no_flap() -> None:
    table = pd.DataFrame(
        [firing("Slow", 200.0 * n, 200.0 * n + 20, incident=f"incident {n}") for n in range(5)]
    )
    assert list(flapping(table)) == []


def test_the_advised_hold_makes_one_firing_of_the_flaps() -> None:
    table = pd.DataFrame([firing("Slow", t, t + 20) for t in (0, 65, 130, 2_000)])
    (advice,) = flapping(table)
    assert advice.title == "rule Slow flaps: 2 of its 4 firings go on with the last"
    assert advice.next_step == "give it keep_firing_for: 1m, and the 4 firings are 2"
    assert "resolved for 45s and" in advice.evidence[0].text


def test_the_order_is_severity_then_confidence() -> None:
    known = pd.DataFrame(
        [incident("leak", t) for t in (0, 1_000)]
        + [incident("surge", t, severity="error") for t in (2_000, 3_000, 4_000)]
    )
    assert [one.cause for one in recommend(incidents=known)] == [
        "recurring:surge",
        "recurring:leak",
    ]
