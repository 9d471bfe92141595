"""``anomaly_score(metric)`` in queries, rules, rule files, backtests and live: the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import monitorlab as ml
from monitorlab import anomaly
from monitorlab.alerting import AlertRule, LiveEngine, backtest, load_rules, make_rule, save_rules
from monitorlab.errors import QueryError, RuleError, UnknownNameError, UnknownSeriesError
from monitorlab.feed import LiveFeed, Replay, SimulatedClock
from monitorlab.query import ColumnMemory, Columns, evaluate, expand, parse, to_promql
from monitorlab.storage import STALE_NAN, SeriesStore

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
SHOP = (
    "order_queue_length",
    "node_cpu_busy_ratio",
    "db_pool_connections",
    "orders_processed_total",
)


def spiky(seed: int = 1, count: int = 600, step: int = 15) -> SeriesStore:
    """Two gauges and a counter; each jumps once."""
    rng = np.random.default_rng(seed)
    store = SeriesStore()
    full, kept = max(count, 600), slice(0, count)
    times = START + np.arange(full, dtype=np.int64) * step * SECOND
    for n, host in enumerate(("a", "b")):
        values = rng.normal(50.0, 5.0, full)
        values[400 + 50 * n] += 100.0
        store.extend("load", times[kept], values[kept], {"host": host})
    grown = rng.poisson(30.0, full).astype(float)
    grown[500] += 900.0
    total = np.cumsum(grown)
    total[300:] -= total[299]  # a restart
    store.extend("hits_total", times[kept], total[kept])
    store.describe("hits_total", type="counter")
    return store


def states(table: pd.DataFrame) -> list[tuple[object, ...]]:
    return sorted(zip(table["time"], table["rule"], table["state"], table["series"], strict=True))


def live_states(engine: LiveEngine, source: object, times: list[int]) -> list[tuple[object, ...]]:
    return sorted(
        (pd.Timestamp(e.time_ns, tz="UTC"), e.rule, e.state, str(e.key))
        for t in times
        for e in engine.evaluate(source, t)
    )


# -- expressions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("anomaly_score(load)", 'anomaly_score{metric="load"}'),
        ('anomaly_score(load{host="a"} offset 1m)', 'anomaly_score{metric="load", host="a"} offset 1m'),
        ('anomaly_score((load), "ewma")', 'anomaly_score{metric="load", detector="ewma"}'),
        (
            "anomaly_score_over_time(load[5m]) > 0.999",
            'max_over_time(anomaly_score{metric="load"}[5m]) > 0.999',
        ),
        ("sum by (host) (anomaly_score(load)) + 1", 'sum by (host) (anomaly_score{metric="load"}) + 1'),
        ("rate(load[5m])", "rate(load[5m])"),
    ],
)  # fmt: skip
def test_a_call_is_a_series_of_its_own(text: str, meaning: str) -> None:
    assert to_promql(expand(parse(text))) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "anomaly_score(rate(hits_total[1m])) > 1",
        "anomaly_score(1 + load)",
        "anomaly_score_over_time(load[5m:1m])",
        'anomaly_score({host="a"})',
    ],
)
def test_only_a_metric_has_a_score(text: str) -> None:
    with pytest.raises(QueryError, match=r"needs a metric by its name, as in anomaly_score\("):
        AlertRule("Odd", text)
    with pytest.raises(QueryError, match="recording rule"):
        evaluate(spiky(), text)


def test_a_query_gives_the_scores_of_the_frame() -> None:
    mf = ml.MonitoringFrame(spiky())
    for name in ("load", "hits_total"):
        scores = mf.anomalies(name).scores
        at = int(np.argmax(scores.iloc[:, 0].to_numpy()))
        found = mf.query(f"anomaly_score({name})", at=scores.index[at])
        np.testing.assert_allclose(found["value"], scores.iloc[at], atol=1e-9)
    robust = mf.anomalies("load", "robust_z").scores.max().max()
    found = mf.query('max(anomaly_score_over_time(load[1d], "robust_z"))')
    assert found["value"].iloc[0] == pytest.approx(robust, abs=1e-9)


def test_a_query_sees_nothing_after_its_time_and_starts_with_the_view() -> None:
    store = spiky()
    mf = ml.MonitoringFrame(store)
    at = pd.Timestamp(START + 420 * 15 * SECOND, tz="UTC")
    whole = mf.query("anomaly_score_over_time(load[1h])", at=at)
    cut = mf.at(at).query("anomaly_score_over_time(load[1h])")
    pd.testing.assert_frame_equal(whole, cut)
    later = mf.between(at, None)
    assert (later.query("anomaly_score_over_time(load[1d])")["value"] <= 1.0).all()
    expected = later.anomalies("load").scores.max().max()
    assert later.query("max(anomaly_score_over_time(load[1d]))")["value"].iloc[0] == expected


def test_missing_samples_and_ends_are_missing_and_ends_of_the_score() -> None:
    store = spiky(count=300)
    store.append("load", START + 300 * 15 * SECOND, float("nan"), {"host": "a"})
    store.append("load", START + 300 * 15 * SECOND, STALE_NAN, {"host": "b"})
    found = evaluate(store, "anomaly_score(load)")
    assert found["host"].tolist() == ["a"]
    assert found["value"].isna().all()


def test_a_stored_score_wins() -> None:
    store = spiky(count=300)
    newest = START + 299 * 15 * SECOND
    store.append("anomaly_score", newest, 0.25, {"metric": "load", "host": "a"})
    found = evaluate(store, "anomaly_score(load)").set_index("host")["value"]
    assert found["a"] == 0.25
    assert (
        found["b"] == anomaly.detect(store.select('load{host="b"}')[0].to_pandas()).scores.iloc[-1]
    )


def test_a_score_that_a_feed_keeps_does_not_stand_in_for_that_of_the_metric() -> None:
    store = spiky(count=300)
    plain = evaluate(store, "anomaly_score(load)")
    newest = START + 299 * 15 * SECOND
    for detector, score in (("auto", 0.25), ("robust_z", 0.75)):
        labels = {"metric": "load", "host": "a", "detector": detector}
        store.append("anomaly_score", newest, score, labels)
    pd.testing.assert_frame_equal(evaluate(store, "anomaly_score(load)"), plain)
    auto = evaluate(store, 'anomaly_score(load{host="a"}, "auto")')["value"]
    assert auto.tolist() == plain.set_index("host").loc[["a"], "value"].tolist()
    kept = evaluate(store, 'anomaly_score{metric="load", detector=~".+"}')
    assert sorted(kept["value"]) == [0.25, 0.75]
    kept = evaluate(store, "anomaly_score")
    assert sorted(kept["value"]) == [0.25, 0.75]
    alone = SeriesStore()
    alone.append("anomaly_score", newest, 0.25, {"metric": "load", "detector": "auto"})
    assert evaluate(alone, "anomaly_score(load)")["value"].tolist() == [0.25]


def test_mistakes_in_a_rule_are_named_when_it_is_made() -> None:
    mf = ml.MonitoringFrame(spiky(count=50))
    for text in (
        'anomaly_score(load, "ewmaa") > 0.999',
        'anomaly_score{metric="load", detector="ewmaa"} > 0.999',
        'max(anomaly_score_over_time(load[1m], "ewmaa")) > 0.999',
    ):
        with pytest.raises(RuleError, match="rule 'Odd': no detector 'ewmaa'; did you mean 'ewma'"):
            mf.alert("Odd", text)
    with pytest.raises(RuleError, match="no detector 'nope'"):
        make_rule("Odd", 'anomaly_score(value, "nope") > 0.999', metric="load")
    with pytest.raises(RuleError, match=r"say of which metric: anomaly_score\(latency_ms\)"):
        mf.alert("Odd", "anomaly_score > 0.999")
    assert list(mf.rules) == []
    for text in ('anomaly_score{metric=~".+"} > 0.999', 'anomaly_score{job="other"} > 0.999'):
        assert AlertRule("Fine", text).expr == text
    anomaly.register("my_own", lambda: anomaly.make_detector("jump"))
    assert AlertRule("Fine", 'anomaly_score(load, "my_own") > 0.999').name == "Fine"


def test_all_scores_are_those_of_all_that_is_measured() -> None:
    store = spiky(count=50)
    store.append("monitorlab_feed_lag_seconds", START, 1.0, {"feed": "feed"})
    found = evaluate(store, 'anomaly_score{metric=~".+"}')
    assert sorted(found["label_metric"]) == ["hits_total", "load", "load"]


def test_mistakes_are_named() -> None:
    store = spiky(count=50)
    with pytest.raises(UnknownSeriesError, match="did you mean 'load'"):
        evaluate(store, "anomaly_score(laod) > 0.999")
    with pytest.raises(UnknownSeriesError, match="did you mean 'load'"):
        backtest(store, AlertRule("Odd", "anomaly_score(laod) > 0.999"))
    with pytest.raises(UnknownSeriesError, match=r"say of which metric: anomaly_score\("):
        backtest(store, AlertRule("Odd", 'anomaly_score{host="a"} > 0.999'))
    with pytest.raises(UnknownNameError, match="did you mean 'ewma'"):
        evaluate(store, 'anomaly_score(load, "ewmaa")')


# -- rules ----------------------------------------------------------------------------------


def test_every_form_of_a_rule_fires_at_the_anomaly() -> None:
    store = spiky()
    expected = anomaly.detect(store.select('load{host="a"}')[0].to_pandas()).scores
    alarms = expected.index[expected >= 0.999]
    assert len(alarms) >= 1
    rules = [
        AlertRule("Call", 'anomaly_score(load{host="a"}) >= 0.999'),
        AlertRule("Series", 'anomaly_score{metric="load", host="a"} >= 0.999'),
        make_rule("Short", "anomaly_score >= 0.999", metric='load{host="a"}'),
        make_rule("Value", "anomaly_score(value) >= 0.999", metric='load{host="a"}'),
        AlertRule("Window", 'anomaly_score_over_time(load{host="a"}[15s]) >= 0.999'),
    ]
    events = backtest(store, rules, interval="15s").events
    for rule in rules:
        fired = events[(events["rule"] == rule.name) & (events["state"] == "firing")]["time"]
        assert set(fired) <= set(alarms), rule.name
        assert fired.iloc[0] == alarms[0], rule.name


def test_rule_files_keep_the_score(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    rule = AlertRule("Odd", 'anomaly_score(load{host="a"}) > 0.999', for_="0s")
    save_rules([rule], path)
    (read,) = load_rules(path).alerts
    assert read.expr == rule.expr
    store = spiky()
    assert states(backtest(store, read).events) == states(backtest(store, rule).events)
    assert "firing" in set(backtest(store, read).events["state"])


def test_what_a_recording_rule_makes_can_be_scored(tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(
        "groups:\n- name: shop\n  interval: 15s\n  rules:\n"
        "  - record: total_load\n    expr: sum(load)\n"
        "  - alert: Odd\n    expr: anomaly_score(total_load) > 0.999\n"
        "    labels: {severity: warning}\n",
        encoding="utf-8",
    )
    store, rules = spiky(), load_rules(path)
    found = backtest(store, rules, interval="15s")
    assert "firing" in set(found.events["state"])
    times = [START + k * 15 * SECOND for k in range(600)]
    live = live_states(LiveEngine(rules, interval="15s"), store, times)
    assert live == states(found.events)


# -- live equals batch ----------------------------------------------------------------------


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**16),
    chunks=st.lists(st.integers(1, 120), min_size=1, max_size=8),
    holes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 299)), max_size=12),
    stale=st.booleans(),
)
def test_scores_as_they_come_are_those_of_the_whole(
    seed: int, chunks: list[int], holes: list[tuple[int, int]], stale: bool
) -> None:
    rng = np.random.default_rng(seed)
    times = START + np.arange(300, dtype=np.int64) * 15 * SECOND
    columns = {"load": rng.normal(size=300), "hits_total": np.cumsum(rng.poisson(3.0, 300) * 1.0)}
    for which, row in holes:
        columns[("load", "hits_total", "load")[which]][row] = STALE_NAN if stale else np.nan
    whole, growing = SeriesStore(), SeriesStore()
    for store in (whole, growing):
        store.describe("hits_total", type="counter")
    for name, values in columns.items():
        whole.extend(name, times, values)
    memory = ColumnMemory()
    seen = 0
    for size in [*chunks, 300]:
        upto = min(seen + size, 300)
        for name, values in columns.items():
            if upto > seen:
                growing.extend(name, times[seen:upto], values[seen:upto])
        seen = upto
        for name in columns:
            end = int(times[seen - 1]) + 1
            got = Columns(growing, memory).select(f'anomaly_score{{metric="{name}"}}', None, end)
            (want,) = Columns(whole).select(f'anomaly_score{{metric="{name}"}}', None, end)
            np.testing.assert_array_equal(got[0].times, want.times)
            np.testing.assert_allclose(got[0].values, want.values, atol=1e-9)
            np.testing.assert_array_equal(got[0].stale, want.stale)


def test_the_live_engine_gives_the_events_of_a_backtest() -> None:
    store = spiky()
    rules = [
        AlertRule("Call", "anomaly_score(load) > 0.999"),
        AlertRule("Rate", "anomaly_score(hits_total) > 0.999", keep_firing_for="1m"),
        AlertRule("Lag", "anomaly_score(load offset 5m) > 0.999"),
        AlertRule("Quiet", 'anomaly_score(load, "robust_z") > 0.99 and load > 60', no_data="alert"),
        AlertRule("Window", "anomaly_score_over_time(load[2m]) > 0.999", for_="1m"),
    ]
    first = 380  # the engine starts late, and catches up on the scores at once
    start = pd.Timestamp(START + first * 15 * SECOND, tz="UTC")
    found = backtest(store, rules, interval="15s", start=start).events
    assert {"Call", "Rate", "Lag", "Window"} <= set(found["rule"])
    engine, growing = LiveEngine(rules, interval="15s"), SeriesStore()
    growing.describe("hits_total", type="counter")
    got = []
    views = store.select()
    for k in range(600):
        t = START + k * 15 * SECOND
        for view in views:
            growing.append(view.key, t, float(view.values[k]))
        got += live_states(engine, growing, [t]) if k >= first else []
    assert sorted(got) == states(found)


def test_a_late_sample_within_the_lateness_is_scored_in_its_turn() -> None:
    store, late, clock = spiky(count=500), SeriesStore(), START
    rule = AlertRule("Odd", 'anomaly_score(load{host="a"}) > 0.999')
    engine, got = LiveEngine(rule, interval="15s"), []
    (view,) = store.select('load{host="a"}')
    for k in range(0, 500, 2):  # every second sample comes after its successor
        for row in (k + 1, k):
            late.append(view.key, int(view.times[row]), float(view.values[row]))
        clock = START + k * 15 * SECOND
        got += live_states(engine, late, [clock])
    assert got == [e for e in states(backtest(store, rule).events) if e[0].value <= clock]
    assert any(state == "firing" for _, _, state, _ in got)


def test_a_replayed_part_of_the_shop_tells_what_a_backtest_tells() -> None:
    mf = ml.load_dataset("shop").between("2026-11-23 14:58Z", "2026-11-23 15:12Z")
    store = SeriesStore()
    for name in SHOP:
        for view in mf.selection.select(name):
            store.extend(view.key, view.times, view.values)
        store.describe(name, type=mf.selection.metric(name).type)
    rules = [AlertRule(f"Odd {n}", f"anomaly_score({n}) > 0.999") for n in SHOP[:2]] + [
        AlertRule("Odd pool", "anomaly_score_over_time(db_pool_connections[10s]) > 0.999"),
        AlertRule("Odd work", "max(anomaly_score(orders_processed_total)) > 0.999"),
    ]
    expected = backtest(store, rules, interval="2s").events
    assert "Odd order_queue_length" in set(expected["rule"])
    target = SeriesStore()
    target.describe("orders_processed_total", type="counter")
    feed = LiveFeed(
        target, Replay(store, speed=None), rules=rules, interval="2s", own_metrics=False,
        clock=SimulatedClock(START),
    )  # fmt: skip
    feed.run()
    assert not [e for e in feed.events if e.kind == "error"]
    got = [(e.time, e.name, e.state, str(e.detail.key)) for e in feed.events if e.kind == "alert"]
    assert sorted(got) == states(expected)
