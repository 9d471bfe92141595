"""Live evaluation, one tick at a time, gives the events of a backtest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.alerting import (
    AlertRule,
    LiveEngine,
    PersonAction,
    RecordingRule,
    RuleGroup,
    RuleSet,
    Silence,
    backtest,
    events_frame,
)
from monitorlab.errors import MonitorlabError, RuleError
from monitorlab.storage import SeriesStore
from tests.alerting.conftest import SECOND, make_store

COLUMNS = ["time", "rule", "state", "severity", "series", "value", "reason", "suppressed"]


def live(store, rules, *, end, step=15, actions=(), silences=()):
    engine = LiveEngine(rules, interval=f"{step}s", silences=silences)
    for act in actions:
        do = engine.resolve if act.kind == "resolve" else engine.acknowledge
        do(pd.Timestamp(act.time_ns, tz="UTC"), rule=act.rule, labels=act.labels)
    events = []
    for t in range(0, end + 1, step):
        events += engine.evaluate(store, t * SECOND)
    return events_frame(events), engine


def ordered(frame):
    rows = [
        tuple("" if str(v) == "nan" else v for v in row)
        for row in frame[COLUMNS].itertuples(index=False)
    ]
    return sorted(rows, key=lambda r: tuple(map(str, r)))


@st.composite
def rule_options(draw):
    n = draw(st.integers(1, 4))
    expr = draw(
        st.sampled_from(
            ["x > 6", "x == 0", "avg_over_time(x[1m]) > 5", "sum(x) > 14", "rate(c_total[2m]) > 0.15",
             "x > 4 and on (i) c_total > 20", "absent(x{i='1'})", "max by (i) (x) >= 7 unless x == 9"]
        )
    )  # fmt: skip
    return {
        "expr": expr,
        "for_": draw(st.sampled_from(["0s", "15s", "30s", "1m"])),
        "keep_firing_for": draw(st.sampled_from(["0s", "30s", "45s"])),
        "resolve_expr": draw(st.sampled_from([None, "x < 3", "sum(x) < 8"])),
        "no_data": draw(st.sampled_from(["ok", "alert", "keep"])),
        "m_of_n": draw(st.sampled_from([None, (n, n), (1, n)])),
        "cooldown": draw(st.sampled_from(["0s", "5m"])),
        "escalate_after": draw(st.sampled_from([None, "1m", "4m"])),
        "auto_resolve": draw(st.sampled_from([True, True, True, False])),
        "labels": draw(st.sampled_from([{}, {"v": "{{ $value }}"}, {"i": "all-{{ $labels.i }}"}])),
    }


@settings(max_examples=25, deadline=None)
@given(
    rule_options(),
    st.integers(0, 10_000),
    st.lists(
        st.tuples(st.sampled_from(["resolve", "acknowledge"]), st.integers(0, 900)), max_size=3
    ),
)
def test_live_equals_batch(options, seed, acts):
    store = make_store(seed, samples=60, series=2)
    actions = [PersonAction.make(kind, t) for kind, t in acts]
    silences = [Silence.make('{i="0"}', 300, 500)]
    if options["no_data"] == "alert" and "v" in options["labels"]:
        options["labels"] = {}
    rule = AlertRule("R", **options)
    wanted = backtest(
        store, rule, [], start=0, end=59 * 15, interval="15s", actions=actions, silences=silences
    )
    got, _ = live(store, rule, end=59 * 15, actions=actions, silences=silences)
    assert ordered(got) == ordered(wanted.events)


def test_recording_rules_feed_later_rules(store):
    rules = RuleSet(
        [
            RuleGroup(
                "g",
                [RecordingRule("x:sum", "sum(x)"), AlertRule("R", "x:sum > 14", for_="30s")],
                "15s",
            ),
            RuleGroup("h", [AlertRule("S", "avg_over_time(x:sum[2m]) > 14")], "30s"),
        ]
    )
    wanted = backtest(store, rules, [], start=0, end=3585)
    got, engine = live(store, rules, end=3585)
    assert len(wanted.events) > 4
    assert ordered(got) == ordered(wanted.events)
    assert set(engine.recorded.metric_names) == {"x:sum"}


def test_rules_that_read_later_ones_are_stepped_through(store):
    rules = RuleSet(
        [RuleGroup("g", [AlertRule("R", "x:sum > 14"), RecordingRule("x:sum", "sum(x)")], "15s")]
    )
    wanted = backtest(store, rules, [], start=0, end=3585)
    got, _ = live(store, rules, end=3585)
    assert len(wanted.events) > 4
    assert ordered(got) == ordered(wanted.events)
    direct = backtest(store, AlertRule("R", "sum(x) > 14"), [], start=0, end=3585)
    late = wanted.events["time"].iloc[0] - direct.events["time"].iloc[0]
    assert late == pd.Timedelta("15s")


def test_rules_may_read_alerts(store):
    rules = [
        AlertRule("R", "x > 6", for_="30s"),
        AlertRule("Many", 'count(ALERTS{alertname="R", alertstate="firing"}) >= 2'),
    ]
    result = backtest(store, rules, [], start=0, end=3585)
    assert {"R", "Many"} == set(result.events["rule"])


def test_groups_keep_their_own_grid_and_make_up_for_missed_evaluations():
    store = SeriesStore()
    store.extend("up", np.arange(0, 600, 10) * SECOND, np.zeros(60))
    engine = LiveEngine(RuleSet([RuleGroup("g", [AlertRule("D", "up == 0", for_="2m")], "1m")]))
    assert [e.time_ns // SECOND for e in engine.evaluate(store, 7 * SECOND)] == [0]
    assert engine.evaluate(store, 59 * SECOND) == []
    assert engine.evaluate(store, 59 * SECOND) == []
    events = engine.evaluate(store, 430 * SECOND)
    assert [(e.state, e.time_ns // SECOND) for e in events] == [("firing", 120)]
    assert engine.active[0].state == "firing"
    assert engine.active[0].to_dict()["labels"]["alertname"] == "D"
    engine.evaluate(store, 10**6 * SECOND)
    assert engine.skipped > 0


def test_memory_stays_bounded():
    rng = np.random.default_rng(3)
    store = SeriesStore(max_age="10m")
    engine = LiveEngine(AlertRule("R", "x > 0"), interval="15s")
    sizes = []
    for t in range(0, 3_000, 15):
        store.append("x", t * SECOND, float(rng.integers(0, 2)), {"pod": str(t // 60)})
        engine.evaluate(store, t * SECOND)
        sizes.append(len(engine._evaluators[id(engine.rules[0])]._states))
    assert max(sizes[len(sizes) // 2 :]) <= max(sizes[: len(sizes) // 2]) + 1


def test_errors_are_raised_after_all_rules_or_collected(store):
    rules = [AlertRule("Twice", "x > 0", labels={"i": "same"}), AlertRule("R", "x > -1")]
    with pytest.raises(RuleError, match="two elements have the labels"):
        LiveEngine(rules).evaluate(store, 600 * SECOND)
    engine = LiveEngine(rules, on_error="collect")
    assert {e.rule for e in engine.evaluate(store, 600 * SECOND)} == {"R"}
    assert isinstance(engine.errors["Twice"], MonitorlabError)
    with pytest.raises(RuleError):
        LiveEngine(rules, on_error="ignore")
    with pytest.raises(RuleError, match="two elements have the labels"):
        backtest(store, rules, [])


def test_acknowledge_resolve_and_silence():
    store = SeriesStore()
    store.extend("up", np.arange(0, 600, 15) * SECOND, np.zeros(40))
    engine = LiveEngine(AlertRule("D", "up == 0", escalate_after="1m"), interval="15s")
    engine.evaluate(store, 0)
    engine.acknowledge(pd.Timestamp(10, unit="s", tz="UTC"), rule="D")
    assert [e.state for t in (15, 60, 75) for e in engine.evaluate(store, t * SECOND)] == []
    assert engine.active[0].acknowledged
    engine.silence("D", pd.Timestamp(80, unit="s", tz="UTC"), pd.Timestamp(100, unit="s", tz="UTC"))
    engine.resolve(pd.Timestamp(85, unit="s", tz="UTC"))
    (event,) = engine.evaluate(store, 90 * SECOND)
    assert (event.state, event.reason, event.suppressed) == ("resolved", "manual", "silenced")
    assert engine.evaluate(store, 105 * SECOND) == []
