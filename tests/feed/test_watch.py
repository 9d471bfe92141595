"""Live equals batch: rules against a backtest, detectors against their batch form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import monitorlab as ml
from monitorlab import anomaly
from monitorlab.alerting import AlertRule, backtest
from monitorlab.errors import (
    MatcherError,
    NotEnoughDataError,
    RuleError,
    SourceError,
    UnknownNameError,
)
from monitorlab.feed import FeedEvent, LiveFeed, Replay, SimulatedClock
from monitorlab.feed.batch import Chunk
from monitorlab.feed.watch import AlertWatch, AnomalyWatch
from monitorlab.model import SeriesKey, Severity
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
RULES = [
    AlertRule("High", "load > 1.5", for_="30s", keep_firing_for="20s"),
    AlertRule("Fast", "rate(hits_total[1m]) > 0.5", for_="15s", escalate_after="1m"),
    AlertRule("Mean", "avg_over_time(load[2m]) > 1", cooldown="1m"),
    AlertRule("Gone", "absent(load)", for_="15s"),
    AlertRule("Lasting", "load > 1.5", resolve_expr="load < 0.5", m_of_n=(2, 3)),
]


def told(events: list[FeedEvent]) -> list[tuple[int, str, str, str, str]]:
    return sorted(
        (int(e.time.as_unit("ns").value), e.name, e.state, e.severity.value, repr(e.detail.labels))
        for e in events
        if e.kind == "alert"
    )


def judged(table: pd.DataFrame) -> list[tuple[int, str, str, str, str]]:
    return sorted(
        (int(pd.Timestamp(t).as_unit("ns").value), rule, state, severity, repr(labels))
        for t, rule, state, severity, labels in zip(
            table["time"], table["rule"], table["state"], table["severity"], table["labels"],
            strict=True,
        )
    )  # fmt: skip


@st.composite
def stores(draw: st.DrawFn) -> SeriesStore:
    store = SeriesStore()
    for host in ("a", "b")[: draw(st.integers(1, 2))]:
        count = draw(st.integers(1, 40))
        steps = draw(st.lists(st.sampled_from([1, 5, 15, 40, 200]), min_size=count, max_size=count))
        times = START + np.cumsum(np.array(steps, dtype=np.int64)) * SECOND
        seed = draw(st.integers(0, 2**16))
        rng = np.random.default_rng(seed)
        level = np.repeat(rng.choice([0.0, 1.0, 2.0], 10), 4)[:count]
        values = level + rng.normal(0, 0.2, count)
        values[rng.random(count) < 0.05] = np.nan
        store.extend("load", times, values, {"host": host})
        store.extend("hits_total", times, np.cumsum(rng.poisson(level * 4)), {"host": host})
    store.describe("hits_total", type="counter")
    return store


@given(store=stores(), speed=st.sampled_from([None, 60.0, 10_000.0]))
@settings(max_examples=15)
def test_rules_over_a_replay_tell_what_a_backtest_tells(
    store: SeriesStore, speed: float | None
) -> None:
    feed = LiveFeed(
        SeriesStore(),
        Replay(store, speed=speed),
        rules=RULES,
        own_metrics=False,
        clock=SimulatedClock(START),
    )
    feed.run()
    assert feed.status().errors == 0, feed.events
    try:
        expected = judged(backtest(store, RULES, interval="15s").events)
    except NotEnoughDataError:
        expected = []  # no evaluation falls into so short a recording
    assert told(feed.events) == expected


@pytest.mark.parametrize("detector", ["auto", "robust_z"])
@pytest.mark.parametrize("speed", [None, 60.0])
def test_recorded_scores_are_those_of_the_batch(detector: str, speed: float | None) -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(10.0, 1.0, 600)
    values[500] = 60.0
    values[40] = np.nan
    store, target = SeriesStore(), SeriesStore()
    store.extend("load", START + np.arange(600) * 10 * SECOND, values, {"host": "a"})
    feed = LiveFeed(
        target, Replay(store, speed=speed), detectors={"load": detector}, own_metrics=False,
        clock=SimulatedClock(START),
    )  # fmt: skip
    feed.run()
    expected = anomaly.make_detector(detector).score(store.view("load", {"host": "a"}).to_pandas())
    (recorded,) = target.select("anomaly_score")
    assert recorded.labels == {"host": "a", "metric": "load", "detector": detector}
    np.testing.assert_allclose(recorded.values, expected.dropna().to_numpy(), atol=1e-9)
    strange = expected.dropna() >= anomaly.make_detector(detector).threshold
    begins = strange[strange & ~strange.shift(fill_value=False)].index
    assert [e.time for e in feed.events if e.kind == "anomaly"] == list(begins)
    assert pd.Timestamp(START + 5000 * SECOND, unit="ns", tz="UTC") in begins


def test_a_counter_is_scored_by_its_rate() -> None:
    rng = np.random.default_rng(2)
    steps = rng.poisson(20, 600).astype(float)
    steps[500] = 400.0
    total = np.cumsum(steps)
    total[300:] -= total[299]  # the restarted counter has seen the hits since its restart
    store, target = SeriesStore(), SeriesStore()
    store.extend("hits_total", START + np.arange(600) * SECOND, total)
    store.describe("hits_total", type="counter")
    feed = LiveFeed(target, Replay(store, speed=None), detectors="hits_total", own_metrics=False)
    feed.run()
    times = [int(e.time.timestamp() - START / SECOND) for e in feed.events]
    assert 500 in times
    assert 300 not in times
    assert "unusual rate 400" in feed.events[times.index(500)].text


def test_a_counter_with_missing_samples_is_scored_as_in_the_batch() -> None:
    rng = np.random.default_rng(5)
    total = np.cumsum(rng.poisson(20, 1_200)).astype(float)
    total[rng.random(1_200) < 0.05] = np.nan
    total[900:] += 500.0
    store = SeriesStore()
    store.extend("hits_total", START + np.arange(1_200) * SECOND, total)
    store.describe("hits_total", type="counter")
    feed = LiveFeed(None, Replay(store, speed=None), detectors="hits_total", own_metrics=False)
    feed.run()
    (recorded,) = feed.frame.store.select("anomaly_score")
    found = ml.MonitoringFrame(store).anomalies("hits_total")
    expected = found.scores.iloc[:, 0].dropna()
    np.testing.assert_array_equal(recorded.values, expected.to_numpy())
    assert [e.time for e in feed.events] == found.events["time"].tolist() != []


def measured(count: int = 1_500, *heights: float) -> ml.MonitoringFrame:
    """One gauge with a spike every 300 samples from the 600th on."""
    values = 10.0 + np.random.default_rng(5).normal(size=count)
    for n, height in enumerate(heights or (16.0,)):
        values[600 + 300 * n : 603 + 300 * n] += height
    mf = ml.MonitoringFrame()
    mf.store.extend("lat", START + np.arange(count) * 15 * SECOND, values)
    return mf


def halves(mf: ml.MonitoringFrame, at: int) -> tuple[ml.MonitoringFrame, ml.MonitoringFrame]:
    (view,) = mf.store.select("lat")
    made = []
    for part in (slice(None, at), slice(at, None)):
        half = ml.MonitoringFrame()
        half.store.extend("lat", view.times[part], view.values[part])
        made.append(half)
    return made[0], made[1]


@pytest.mark.parametrize("detector", ["auto", "robust_z"])
def test_detectors_know_what_the_frame_held_before(detector: str) -> None:
    whole = measured()
    target, rest = halves(whole, 500)
    replay = Replay(rest, speed=None)
    feed = LiveFeed(target, replay, detectors={"lat": detector}, own_metrics=False)
    feed.run()
    (recorded,) = target.store.select("anomaly_score")
    scores = whole.anomalies("lat", detector).scores.iloc[:, 0]
    np.testing.assert_array_equal(recorded.values, scores.to_numpy()[500:])
    strange = scores >= 0.999
    begins = scores.index[strange & ~strange.shift(fill_value=False)]
    assert [e.time for e in feed.events] == list(begins[begins >= scores.index[500]])
    assert len(feed.events) >= 1


def test_what_comes_into_the_frame_past_the_feed_is_learned_too() -> None:
    whole = measured()
    (view,) = whole.store.select("lat")
    store, key = SeriesStore(), SeriesKey("lat")
    watch = AnomalyWatch("lat", store)
    events = []
    for first, last in ((0, 100), (300, 900), (900, 1_500)):
        store.extend(key, view.times[:last], view.values[:last])
        chunk = Chunk(key, view.times[first:last], view.values[first:last])
        events += watch.see([chunk], pytest.fail)
    assert [e.time for e in events] == whole.anomalies("lat").events["time"].tolist()


@pytest.mark.parametrize(
    "detectors",
    ["lat", {"lat": "robust_z"}, {"lat": anomaly.make_detector("jump", threshold=0.99)}],
)
@pytest.mark.parametrize("before", [0, 500])
def test_a_score_in_a_rule_means_the_same_with_and_without_detectors(
    detectors: object, before: int
) -> None:
    whole = measured()
    rules = [AlertRule("Odd", "anomaly_score(lat) > 0.999"), AlertRule("Any", "lat > 20")]
    found = {}
    for watched in (None, detectors):
        target, rest = halves(whole, before)
        feed = LiveFeed(
            target, Replay(rest, speed=None), rules=rules, detectors=watched, own_metrics=False
        )
        feed.run()
        found[watched is None] = told(feed.events)
        assert "Odd" in {name for _, name, *_ in told(feed.events)}
    assert found[True] == found[False]
    assert found[True] == judged(whole.backtest(rules, interval="15s").events)
    assert judged(feed.frame.backtest(rules, interval="15s").events) == found[True]


def test_what_monitorlab_made_itself_is_no_metric_to_analyse() -> None:
    feed = LiveFeed(None, Replay(measured(), speed=None), detectors="lat")
    feed.run()
    assert {"anomaly_score", "lat"} < set(feed.frame.store.metric_names)
    assert list(feed.frame.anomalies().series) == ["lat"]
    assert [s.split("{")[0] for s in feed.frame.anomalies("anomaly_score").series] == [
        "anomaly_score"
    ]
    assert len(feed.frame.select("anomaly_score").anomalies().series) == 1


def test_a_live_feed_heeds_the_verdicts_of_the_frame() -> None:
    whole = measured(1_800, 16.0, 15.0, 40.0)
    target, rest = halves(whole, 700)
    found = target.anomalies("lat")
    found.mark(0, "expected")
    feed = LiveFeed(target, Replay(rest, speed=None), detectors="lat", own_metrics=False)
    feed.run()
    batch = target.anomalies("lat")
    assert batch.thresholds["lat"] > 0.999
    (recorded,) = target.store.select("anomaly_score")
    model = anomaly.make_detector("auto", threshold=batch.thresholds["lat"])
    (view,) = target.store.select("lat")
    np.testing.assert_array_equal(recorded.values, model.score(view.to_pandas()).to_numpy()[700:])
    loud = [e.time for e in feed.events if e.severity is Severity.WARNING]
    assert loud == [view.to_pandas().index[1_200]]
    assert all("as expected" in e.text for e in feed.events if e.severity is Severity.INFO)


def test_a_verdict_is_heeded_while_the_feed_runs() -> None:
    whole = measured(2_100, 16.0, 15.5, 15.0, 14.5, 40.0)
    (view,) = whole.store.select("lat")
    key = SeriesKey("lat")
    loud = {}
    for marks in (False, True):
        mf = ml.MonitoringFrame()
        watch, events = AnomalyWatch("lat", mf.store), []
        for first in range(0, 2_100, 100):
            part = slice(first, first + 100)
            mf.store.extend(key, view.times[part], view.values[part])
            events += watch.see([Chunk(key, view.times[part], view.values[part])], pytest.fail)
            if marks and first == 700:
                mf.anomalies("lat").mark(0, "expected")
        loud[marks] = [e.time for e in events if e.severity is Severity.WARNING]
    stamps = view.to_pandas().index
    assert loud[False] == list(stamps[[600, 900, 1_200, 1_500, 1_800]])
    assert loud[True] == list(stamps[[600, 1_800]])


def test_a_mark_that_comes_before_its_event_is_heeded_once_it_has_come() -> None:
    whole = measured(1_500)
    (view,) = whole.store.select("lat")
    span = whole.anomalies("lat").mark(0, "expected")
    store = SeriesStore()
    store.incidents.append(span)
    watch, events, key = AnomalyWatch("lat", store), [], SeriesKey("lat")
    for first in range(0, 1_500, 50):
        part = slice(first, first + 50)
        store.extend(key, view.times[part], view.values[part])
        events += watch.see([Chunk(key, view.times[part], view.values[part])], pytest.fail)
    assert [e.severity for e in events] == [Severity.INFO]
    (recorded,) = store.select("anomaly_score")
    found = whole.anomalies("lat")
    assert found.thresholds["lat"] > 0.999
    np.testing.assert_array_equal(recorded.values[700:], found.scores.to_numpy()[700:, 0])


def test_scores_and_own_metrics_are_not_scored_themselves() -> None:
    store, target = SeriesStore(), SeriesStore()
    store.extend("load", START + np.arange(100) * SECOND, np.ones(100))
    feed = LiveFeed(target, Replay(store, speed=None), detectors='{__name__=~".+"}')
    feed.run()
    (score,) = target.select("anomaly_score")
    assert score.labels["metric"] == "load"


def test_a_detector_that_fails_is_told_once_and_left_out() -> None:
    class Broken(anomaly.Detector):
        threshold = 0.5

        def update(self, t_seconds: float, value: float) -> float:
            msg = "cannot"
            raise ArithmeticError(msg)

        def reset(self) -> None: ...

        def parameters(self) -> dict[str, object]:
            return {}

    store = SeriesStore()
    store.extend("load", START + np.arange(50) * SECOND, np.ones(50))
    feed = LiveFeed(
        SeriesStore(), Replay(store, speed=None), detectors={"load": Broken()}, own_metrics=False
    )
    status = feed.run()
    assert (status.samples, status.errors) == (50, 1)
    assert "detector of load" in str(status.last_error)


def test_groups_with_their_own_interval_keep_it() -> None:
    from monitorlab.alerting import RuleGroup

    store = SeriesStore()
    store.extend("load", START + np.arange(120) * SECOND, np.full(120, 2.0))
    groups = [
        RuleGroup("quick", [AlertRule("Quick", "load > 1", for_="10s")], "5s"),
        RuleGroup("slow", [AlertRule("Slow", "load > 1", for_="1m")], "1m"),
    ]
    feed = LiveFeed(SeriesStore(), Replay(store, speed=None), rules=groups, own_metrics=False)
    feed.run()
    assert told(feed.events) == judged(backtest(store, groups, interval="15s").events)


def test_wrong_arguments_are_said() -> None:
    with pytest.raises(SourceError, match="above zero"):
        AlertWatch(RULES, SeriesStore(), 0)
    with pytest.raises(RuleError):
        AlertWatch([3], SeriesStore(), "15s")
    with pytest.raises(MatcherError):
        AnomalyWatch("load{", SeriesStore())
    with pytest.raises(UnknownNameError):
        AnomalyWatch({"load": "nope"}, SeriesStore())
    with pytest.raises(SourceError, match="selectors"):
        AnomalyWatch(3, SeriesStore())
