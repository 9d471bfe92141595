import json

import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.alerting import AlertRule, RuleGroup, RuleSet, Silence, backtest, run_rule_tests
from monitorlab.alerting.notify import NotifyConfig, Route
from monitorlab.display import to_plain
from monitorlab.errors import (
    NotEnoughDataError,
    QueryError,
    RuleError,
    UnknownNameError,
    UnknownSeriesError,
)
from monitorlab.storage import SeriesStore
from tests.alerting.conftest import SECOND

RULE = AlertRule("Slow", "latency > 30", for_="1m", annotations={"summary": "{{ $value }}"})
NOISY = AlertRule("Noisy", "latency > 10.9", severity="warning")


def test_a_good_rule(spikes):
    store, truth = spikes
    result = backtest(store, RULE, truth)
    assert result.score.recall == 1.0
    assert result.score.precision == 1.0
    assert result.score.f1 == 1.0
    assert result.score.false_positive_rate == 0.0
    assert result.score.time_to_detect == pd.Timedelta("1m")
    assert result.score.firings == 5
    assert result.score.flaps == 0
    assert result.score.pages_per_week == pytest.approx(5 * 7 * 24 / 5, rel=0.01)
    assert result.firings["duration"].unique().tolist() == [pd.Timedelta("4m")]
    assert result.firings["incident"].tolist() == [f"fault {k}" for k in range(5)]
    assert set(result.firings["verdict"]) == {"true"}
    assert result.incidents["detected"].all()
    assert set(result.incidents["rule"]) == {"Slow"}
    assert result.events["state"].tolist() == ["pending", "firing", "resolved"] * 5
    assert list(result.events.columns[:6]) == [
        "time",
        "rule",
        "state",
        "severity",
        "series",
        "value",
    ]
    assert result.events["series"].iloc[0] == 'latency{route="/cart"}'


def test_a_noisy_rule_is_charged_for_its_time(spikes):
    store, truth = spikes
    result = backtest(store, [RULE, NOISY], truth, flap_within="15m")
    row = result.by_rule.set_index("rule").loc["Noisy"]
    clean = result.score.incident_free_seconds
    false = result.firings[result.firings["verdict"] == "false"]["duration"].sum().total_seconds()
    assert row["false_positive_rate"] == pytest.approx(false / clean, abs=5e-3)
    assert result.score.false_positive_rate == row["false_positive_rate"]
    assert 0 < result.score.precision < 0.5
    assert result.score.flaps > 5
    assert result.score.false_firings_per_week > result.score.firings_per_week * 0.6


def test_without_labels_nothing_is_claimed(spikes):
    store, _ = spikes
    score = backtest(store, RULE).score
    assert np.isnan(score.precision)
    assert np.isnan(score.false_positive_rate)
    assert score.firings == 5
    assert backtest(store, RULE, []).score.false_positive_rate == pytest.approx(
        5 * 4 / 300, rel=0.01
    )


def test_grace_excuses_the_tail(spikes):
    store, truth = spikes
    rule = AlertRule("Slow", "latency > 30", keep_firing_for="2m")
    strict, mild = backtest(store, rule, truth), backtest(store, rule, truth, grace="3m")
    assert strict.score.false_positive_rate > 0.0
    assert mild.score.false_positive_rate == 0.0


def test_incidents_outside_of_the_span_do_not_count(spikes):
    store, truth = spikes
    result = backtest(store, RULE, truth, start=3600, end=3 * 3600)
    assert result.incidents["evaluated"].tolist() == [False, True, True, False, False]
    assert result.score.recall == 1.0
    assert result.start == pd.Timestamp(3600, unit="s", tz="UTC")


def test_results_can_be_looked_at(spikes):
    store, truth = spikes
    result = backtest(store, [RULE, NOISY], truth)
    assert "detected 5 of 5 incidents" in repr(result)
    assert "Noisy" in str(result)
    assert "<table>" in result._repr_html_()
    json.dumps(to_plain(result.to_dict()), allow_nan=False)
    assert dict(result.score)["recall"] == 1.0
    assert "recall" in str(result.score)
    with pytest.raises(UnknownNameError, match="did you mean 'recall'"):
        result.score["recal"]
    figure = result.plot()
    assert len(figure.data) >= 5
    assert figure.data[0].x.dtype.kind in "MO"
    assert len(result.plot(["Noisy"]).data) < len(figure.data)
    with pytest.raises(UnknownNameError, match="Noisy"):
        result.plot(["Nosy"])
    assert result.score.plot().data[0].y[1] == 1.0
    assert "lookback 5m" in result.mode


def test_comparison(spikes):
    store, truth = spikes
    good, bad = (backtest(store, r, truth, flap_within="15m") for r in (RULE, NOISY))
    comparison = bad.compare(good, names=("before", "after"))
    table = comparison.figures.set_index("figure")
    assert table.loc["precision", "after"] == 1.0
    assert table.loc["flaps", "difference"] < 0
    assert set(comparison.changed_rules["rule"]) == {"Slow", "Noisy"}
    assert "before → after" in repr(comparison)
    assert comparison.incidents["by_after"].tolist() == ["Slow"] * 5
    assert len(comparison.plot().data) == 4
    json.dumps(to_plain(comparison.to_dict()), allow_nan=False)
    with pytest.raises(RuleError, match="two names"):
        good.compare(bad, names=("a", "a"))
    with pytest.raises(RuleError, match="same time"):
        good.compare(backtest(store, RULE, truth, end=3600))
    with pytest.raises(RuleError, match="different incidents"):
        good.compare(backtest(store, RULE, truth[:2]))
    with pytest.raises(RuleError):
        good.compare("other")


def test_silences_and_routes_change_pages_not_state(spikes):
    store, truth = spikes
    silence = Silence.make("Slow", 0, 2 * 3600)
    result = backtest(store, RULE, truth, silences=[silence])
    assert len(result.firings) == 5
    assert (result.events["suppressed"] == "silenced").sum() == 6
    assert (result.notifications["status"] == "firing").sum() == 3
    slow = NotifyConfig(route=Route("team", group_wait="10m"))
    assert len(backtest(store, RULE, truth, notify=slow).notifications) == 0


def test_the_frame_is_not_changed(spikes):
    store, truth = spikes
    before = store.version
    backtest(store, [RULE, NOISY], truth)
    assert store.version == before


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"rules": None}, RuleError, "no alert rule"),
        ({"rules": AlertRule("A", "latncy > 3")}, UnknownSeriesError, "did you mean 'latency'"),
        ({"rules": AlertRule("A", "value > 3")}, UnknownSeriesError, "give the rule metric="),
        ({"incidents": [("2026-01-02", "2026-01-01")]}, RuleError, "not after its start"),
        ({"incidents": [("2026-01-02",)]}, RuleError, "no incident"),
        ({"incidents": "yesterday"}, RuleError, "no incidents"),
        ({"incidents": pd.DataFrame({"begin": [1]})}, RuleError, "lacks"),
        ({"incidents": [{"start": 1}]}, RuleError, "lacks start or end"),
        ({"interval": "0s"}, RuleError, "interval"),
        ({"interval": "often"}, RuleError, "interval"),
        ({"grace": "-1s"}, RuleError, "grace"),
        ({"start": 7200, "end": 3600}, RuleError, "before its start"),
        ({"start": 7201, "end": 7202, "interval": "1h"}, NotEnoughDataError, "no evaluation"),
        ({"unknown": "maybe"}, RuleError, "unknown must be"),
    ],
)
def test_bad_input(spikes, change, error, words):
    store, truth = spikes
    arguments = {"rules": RULE, "incidents": truth, **change}
    with pytest.raises(error, match=words):
        backtest(store, arguments.pop("rules"), arguments.pop("incidents"), **arguments)


def test_an_empty_source_is_refused():
    with pytest.raises(NotEnoughDataError):
        backtest(SeriesStore(), RULE)


def test_unknown_metrics_can_be_taken_as_empty(spikes):
    store, truth = spikes
    rule = AlertRule("A", "latncy > 3")
    assert len(backtest(store, rule, truth, unknown="empty").events) == 0
    assert len(backtest(store, AlertRule("A", "absent(latncy)"), truth).firings) == 1


def test_a_regex_built_to_run_for_ever_is_bounded(spikes):
    store, truth = spikes
    evil = "(" + "a*" * 30 + ")" + "*b"
    try:
        rule = AlertRule("A", f'latency{{route=~"{evil}"}} > 3')
        backtest(store, rule, truth)
    except (QueryError, RuleError):
        pass


def test_groups_may_have_their_own_interval(spikes):
    store, truth = spikes
    rules = RuleSet([RuleGroup("slow", [RULE], "1m"), RuleGroup("fast", [NOISY])])
    result = backtest(store, rules, truth)
    seconds = result.events[result.events["rule"] == "Slow"]["time"].astype("int64") // SECOND
    assert (seconds % 60 == 0).all()


def test_export_as_a_rule_test(spikes, tmp_path):
    store, truth = spikes
    result = backtest(store, [RULE, NOISY], truth)
    path = result.to_rule_test(tmp_path / "slow_test.yml", max_checks=20)
    assert (tmp_path / "slow_test.rules.yml").exists()
    report = run_rule_tests(path)
    assert report.passed, report
    assert len(report.cases) > 10
    with pytest.raises(RuleError, match="before its start"):
        result.to_rule_test(tmp_path / "x.yml", start=7200, end=3600)


def test_a_frame_is_as_good_as_its_store(spikes):
    store, truth = spikes
    mf = ml.MonitoringFrame(store)
    by_frame = backtest(mf, RULE, truth)
    assert by_frame.events.equals(backtest(store, RULE, truth).events)
    assert ml.alerting.suggest_rules(mf).names == ml.alerting.suggest_rules(store).names
    few = {"thresholds": [20.0, 30.0], "for_": ["0s"]}
    assert ml.alerting.tune(mf, RULE, truth, **few).sweep.equals(
        ml.alerting.tune(store, RULE, truth, **few).sweep
    )
    mf.rules.append(RULE)
    assert backtest(mf).rules.names == (RULE.name,)
    with pytest.raises(RuleError, match="holds no series"):
        backtest([1, 2], RULE)


def test_late_ends_are_told_from_false_firings(spikes):
    store, truth = spikes
    late = backtest(store, AlertRule("Slow", "latency > 30", keep_firing_for="2m"), truth).score
    assert late.false_firings == 0
    assert late.overrun_share == pytest.approx(late.false_positive_rate)
    assert late.overrun_share > 0
    assert backtest(store, RULE, []).score.overrun_share == 0.0
