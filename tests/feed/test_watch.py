"""Live equals batch: rules against a backtest, detectors against their batch form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from monitorlab.feed.watch import AlertWatch, AnomalyWatch
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
    assert recorded.labels == {"host": "a", "metric": "load"}
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
