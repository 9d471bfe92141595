"""Steps that a live engine makes up for, taken together, give what they give one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitorlab.alerting import AlertRule, LiveEngine, PersonAction, RecordingRule, RuleGroup
from monitorlab.alerting.evaluator import RuleEvaluator, goes_in_spans
from monitorlab.alerting.signals import Context
from monitorlab.errors import MonitorlabError, QueryError
from monitorlab.query import QueryOptions
from monitorlab.storage import SeriesStore, is_stale
from tests.alerting.conftest import SECOND, make_store
from tests.alerting.test_engine import rule_options

STEP = 15


def run(rules: Any, store: SeriesStore, calls: list[int], actions: Any = ()) -> tuple[Any, ...]:
    engine = LiveEngine(rules, interval=f"{STEP}s", on_error="collect")
    for act in actions:
        do = engine.resolve if act.kind == "resolve" else engine.acknowledge
        do(pd.Timestamp(act.time_ns, tz="UTC"), rule=act.rule, labels=act.labels)
    events, fired = [], []
    for t in calls:
        events += engine.evaluate(store, t * SECOND)
        fired += [
            (a.rule, repr(a.labels), a.fired_at_ns, a.value, a.quiet_until_ns, sorted(a.annotations))
            for a in engine.fired
        ]  # fmt: skip
    told = [
        (e.time_ns, e.rule, e.state, repr(e.severity), repr(e.labels), str(e.key), repr(e.value),
         e.reason, e.suppressed)
        for e in events
    ]  # fmt: skip
    active = sorted((a.rule, repr(a.labels), a.state, a.active_since_ns) for a in engine.active)
    return sorted(told), sorted(map(str, fired)), active, engine


@settings(max_examples=40)
@given(
    rule_options(),
    st.integers(0, 10_000),
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
    st.lists(
        st.tuples(st.sampled_from(["resolve", "acknowledge"]), st.integers(0, 900)), max_size=3
    ),
)
def test_together_equals_one_by_one(
    options: dict[str, Any], seed: int, gaps: list[int], acts: list[tuple[Any, int]]
) -> None:
    store = make_store(seed, samples=60, series=2)
    if options["no_data"] == "alert":
        options["labels"].pop("v", None)
    actions = [PersonAction.make(kind, t) for kind, t in acts]
    rule = AlertRule("R", **options, annotations={"summary": "{{ $value }}"})
    end = min(int(np.sum(gaps)), 60) * STEP
    together = [0, *[t for t in (np.cumsum(gaps) * STEP).tolist() if t < end], end]
    single = list(range(0, end + 1, STEP))
    assert run(rule, store, together, actions)[:3] == run(rule, store, single, actions)[:3]


def test_recordings_and_their_ends_are_the_same() -> None:
    store = make_store(3, samples=200)
    rules = [
        RuleGroup("g", [RecordingRule("x:high", "x > 6"), AlertRule("R", "x:high > 8", for_="30s")]),
        RuleGroup("h", [RecordingRule("x:mean", "avg(x:high)"), AlertRule("S", "x:mean > 8")], "30s"),
    ]  # fmt: skip
    one = run(rules, store, list(range(0, 3000, STEP)))
    many = run(rules, store, [0, 500, 1200, 2985])
    assert one[:3] == many[:3]
    assert len(one[0]) > 10
    for name in ("x:high", "x:mean"):
        for view in one[3].recorded.select(name):
            got = many[3].recorded.view(view.key)
            assert got.times.tolist() == view.times.tolist()
            assert is_stale(got.values).tolist() == is_stale(view.values).tolist()
            there = ~is_stale(view.values)
            assert got.values[there].tolist() == view.values[there].tolist()


def test_a_step_that_fails_costs_that_step_only() -> None:
    # Two partners on one side of a match, but only in the middle.
    store = SeriesStore()
    times = np.arange(40, dtype=np.int64) * STEP * SECOND
    store.extend("a", times, np.ones(40), {"i": "0"})
    store.extend("a", times[15:20], np.ones(5), {"i": "1"})
    store.extend("b", times, np.ones(40))
    store.extend("stop", times[:16], np.ones(16))
    rule = AlertRule("R", "a * on() b > 0", for_="1m")
    last = 39 * STEP
    one = run(rule, store, list(range(0, last + 1, STEP)))
    many = run(rule, store, [0, last])
    assert one[:3] == many[:3]
    assert one[3].errors.keys() == many[3].errors.keys()
    with pytest.raises(MonitorlabError):
        LiveEngine([AlertRule("Q", "a * on() b > 0")]).evaluate(store, 17 * STEP * SECOND)


def test_what_depends_on_the_steps_asked_for_goes_one_by_one() -> None:
    assert goes_in_spans(AlertRule("A", "x > 1"), Context())
    assert not goes_in_spans(AlertRule("A", "x > on (i) (x @ end())"), Context())
    assert not goes_in_spans(AlertRule("A", "x > 1", resolve_expr="x @ start() < 1"), Context())
    assert not goes_in_spans(AlertRule("A", "x > 1", labels={"v": "{{ $value }}"}), Context())
    assert not goes_in_spans(
        AlertRule("A", "x > 1"), Context(options=QueryOptions(lookback="auto"))
    )
    store = make_store(5, samples=60)
    rule = AlertRule("R", "x > on (i) (x @ end()) - 1")
    single = run(rule, store, list(range(0, 890, STEP)))
    assert single[:3] == run(rule, store, [0, 885])[:3]
    assert len(single[0]) > 5


def test_an_evaluator_that_fails_has_not_changed() -> None:
    store = SeriesStore()
    store.extend("a", np.array([0]), [1.0], {"i": "0"})
    store.extend("a", np.array([0]), [1.0], {"i": "1"})
    one = RuleEvaluator(AlertRule("R", "a * on() a > 0"))
    with pytest.raises(QueryError):
        one.advance(store, 0, 30 * SECOND, STEP * SECOND)
    assert one.active == []
    assert one.fired == []
