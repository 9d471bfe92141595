"""The life of a feed: states, failures, back-off, overflow, receivers; no real time passes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

from monitorlab.alerting import AlertRule
from monitorlab.errors import FeedStateError, SourceError
from monitorlab.feed import (
    Backoff,
    Batch,
    Clock,
    FeedState,
    FeedUpdate,
    LiveFeed,
    QueueSource,
    Replay,
    SimulatedClock,
    Source,
)
from monitorlab.frame import MonitoringFrame
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


class Script(Source):
    """A source that does what a function tells it, call by call."""

    name = "script"

    def __init__(self, *parts: Any) -> None:
        self.parts = list(parts)
        self.opened = 0

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        self.opened += 1
        while self.parts:
            part = self.parts.pop(0)
            if isinstance(part, BaseException):
                raise part
            if isinstance(part, float):
                await clock.sleep(part)
            else:
                yield part


def up(second: int, value: float = 1.0) -> Batch:
    return Batch.of({"up": value}, START + second * SECOND)


def feed_of(*parts: Any, **options: Any) -> LiveFeed:
    options = {"clock": SimulatedClock(START), "own_metrics": False, **options}
    return LiveFeed(SeriesStore(), Script(*parts), **options)


def recording(count: int = 200) -> SeriesStore:
    store = SeriesStore()
    times = START + np.arange(count, dtype=np.int64) * SECOND
    store.extend("load", times, np.sin(np.arange(count) / 9.0))
    return store


# -- life -----------------------------------------------------------------------------------


def test_states_go_from_new_over_running_to_closed() -> None:
    async def main() -> list[FeedState]:
        feed = feed_of(up(0), 5.0, up(5))
        seen = [feed.state]
        seen.append(feed.start().state)
        await feed.wait()
        seen.append(feed.state)
        await feed.stop()
        await feed.stop()
        return [*seen, feed.state]

    new, running, closed = FeedState.NEW, FeedState.RUNNING, FeedState.CLOSED
    assert asyncio.run(main()) == [new, running, closed, closed]


def test_start_returns_at_once_and_stop_ends_an_endless_source() -> None:
    async def main() -> LiveFeed:
        endless: list[Any] = [part for n in range(10_000) for part in (up(n), 1.0)]
        feed = feed_of(*endless)
        feed.start()
        assert feed.status().samples == 0
        for _ in range(200):
            await asyncio.sleep(0)
        await feed.stop()
        return feed

    feed = asyncio.run(main())
    assert feed.state is FeedState.CLOSED
    assert 0 < feed.status().samples < 10_000


def test_a_feed_starts_once() -> None:
    async def main() -> None:
        feed = feed_of(up(0))
        async with feed:
            with pytest.raises(FeedStateError, match="running"):
                feed.start()
            await feed.wait()
        with pytest.raises(FeedStateError, match="closed"):
            feed.start()

    asyncio.run(main())


def test_stopping_a_feed_that_never_ran_closes_it() -> None:
    async def main() -> FeedState:
        feed = feed_of(up(0))
        with pytest.raises(FeedStateError, match="not started"):
            await feed.wait()
        await feed.stop()
        return feed.state

    assert asyncio.run(main()) is FeedState.CLOSED


def test_without_an_event_loop_start_says_what_to_do() -> None:
    feed = feed_of(up(0))
    with pytest.raises(FeedStateError, match=r"run\(\) in a script"):
        feed.start()
    assert feed.run().samples == 1


def test_run_inside_an_event_loop_says_what_to_do() -> None:
    async def main() -> None:
        with pytest.raises(FeedStateError, match=r"use start\(\)"):
            feed_of(up(0)).run()

    asyncio.run(main())


def test_no_task_is_left_behind() -> None:
    async def main() -> set[Any]:
        async with feed_of(up(0), 100.0, up(100)) as feed:
            await asyncio.sleep(0)
            assert feed.state is FeedState.RUNNING
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(main()) == set()


def test_a_feed_of_the_same_name_replaces_the_running_one() -> None:
    async def main() -> tuple[LiveFeed, LiveFeed]:
        first = feed_of(100.0, up(100), name="shop").start()
        await asyncio.sleep(0)
        second = feed_of(up(0), name="shop").start()
        await second.wait()
        await first.stop()
        return first, second

    first, second = asyncio.run(main())
    assert first.state is second.state is FeedState.CLOSED
    assert (first.status().samples, second.status().samples) == (0, 1)


def test_what_waits_is_taken_in_on_stop_unless_told_otherwise() -> None:
    async def main(drain: bool) -> int:
        feed = feed_of(*[up(n) for n in range(20)], 1e6).start()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await feed.stop(drain=drain)
        return feed.status().samples

    assert asyncio.run(main(True)) == 20
    assert asyncio.run(main(False)) < 20


# -- what comes in --------------------------------------------------------------------------


def test_a_replay_arrives_whole_with_types_and_incidents() -> None:
    recorded = recording()
    recorded.describe("load", type="rate", unit="1/s")
    recorded.incidents.append(Incident.make(START, START + 10 * SECOND, "cpu_hog"))
    target = MonitoringFrame()
    feed = LiveFeed(target, Replay(recorded, speed=None), own_metrics=False)
    status = feed.run()
    assert status.samples == 200
    assert np.array_equal(target.store.view("load").values, recorded.view("load").values)
    assert target.store.metric("load").type is MetricType.RATE
    assert target.incidents["kind"].tolist() == ["cpu_hog"]
    assert feed.frame is target


def test_what_the_user_described_wins() -> None:
    store = SeriesStore()
    store.describe("up", type="gauge", unit="ratio")
    batch = Batch(up(0).chunks, START, (Metric("up", MetricType.COUNTER),))
    LiveFeed(store, Script(batch), own_metrics=False).run()
    assert store.metric("up").unit == "ratio"


def test_without_a_frame_a_new_one_is_made() -> None:
    feed = LiveFeed(None, Script(up(0)))
    feed.run()
    assert isinstance(feed.frame, MonitoringFrame)
    assert feed.frame.series("up").tolist() == [1.0]


def test_late_and_duplicate_samples_are_kept_in_their_place_and_counted() -> None:
    feed = feed_of(up(0), up(10), up(5, 7.0), up(10, 3.0))
    status = feed.run()
    assert status.late_samples == 2
    assert feed.frame.view("up").values.tolist() == [1.0, 7.0, 3.0]
    assert status.event_time is not None
    assert status.event_time.timestamp() == (START / SECOND) + 10


def test_a_refused_sample_is_counted_and_the_rest_goes_on() -> None:
    store = SeriesStore(duplicates="error")
    feed = LiveFeed(
        store, Script(up(0), up(0), up(1)), own_metrics=False, clock=SimulatedClock(START)
    )
    status = feed.run()
    assert (status.samples, status.rejected_samples, status.errors) == (2, 1, 1)
    assert "samples of up" in str(status.last_error)


def test_empty_batches_move_time_on() -> None:
    feed = feed_of(Batch(watermark_ns=START), Batch(), Batch(watermark_ns=START + SECOND))
    assert feed.run().samples == 0
    assert feed.event_time is not None


def test_own_metrics_are_series() -> None:
    store = SeriesStore()
    LiveFeed(store, Replay(recording(), speed=None), name="demo").run()
    names = [n for n in store.metric_names if n.startswith("monitorlab_feed_")]
    assert len(names) == 9
    (total,) = store.select('monitorlab_feed_samples_total{feed="demo"}')
    assert total.values[-1] > 190
    assert store.metric("monitorlab_feed_samples_total").type is MetricType.COUNTER


def test_overflow_drop_oldest_loses_and_counts() -> None:
    parts = [up(n) for n in range(500)]
    feed = feed_of(*parts, queue_size=4, overflow="drop_oldest")
    status = feed.run()
    assert status.dropped_samples > 0
    assert status.samples + status.dropped_samples == 500
    assert f"{status.dropped_samples} dropped" in repr(feed)


def test_overflow_block_loses_nothing() -> None:
    status = feed_of(*[up(n) for n in range(500)], queue_size=4).run()
    assert (status.samples, status.dropped_samples) == (500, 0)
    assert status.queue_most <= 4
    assert status.waits > 0


# -- failures -------------------------------------------------------------------------------


def test_a_failing_source_is_asked_again_and_its_error_is_seen() -> None:
    clock = SimulatedClock(START)
    source = Script(up(0), SourceError("no route to host"), ValueError("half a page"), up(1))
    feed = LiveFeed(
        SeriesStore(), source, clock=clock, own_metrics=False, retry=Backoff(jitter=0.0)
    )
    status = feed.run()
    assert (status.samples, status.errors, source.opened) == (2, 2, 3)
    assert clock.monotonic() == pytest.approx(0.5 + 1.0)
    assert "half a page" in repr(feed)
    assert "half a page" in feed._repr_html_()
    errors = [event for event in feed.events if event.kind == "error"]
    assert "no route to host" in errors[0].text
    assert status.failures_in_a_row == 0


def test_a_source_that_never_recovers_is_given_up_and_the_consumer_hears_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> LiveFeed:
        wrong = [SourceError("refused") for _ in range(9)]
        feed = feed_of(*wrong, retry=Backoff(attempts=3))
        with (
            caplog.at_level(logging.ERROR, "monitorlab.feed"),
            pytest.raises(SourceError, match="4 times in a row: refused"),
        ):
            await feed.start().wait()
        return feed

    feed = asyncio.run(main())
    assert feed.state is FeedState.CLOSED
    assert "refused" in caplog.text
    assert "refused" in repr(feed)


def test_leaving_the_block_raises_what_ended_the_feed() -> None:
    async def main() -> None:
        async with feed_of(SourceError("gone"), retry=Backoff(attempts=0)) as feed:
            while feed.state is FeedState.RUNNING:  # noqa: ASYNC110 - turns of the loop
                await asyncio.sleep(0)

    with pytest.raises(SourceError, match="gone"):
        asyncio.run(main())


def test_an_error_of_the_users_own_is_not_hidden_by_that_of_the_feed() -> None:
    async def main() -> None:
        async with feed_of(SourceError("gone"), retry=Backoff(attempts=0)):
            await asyncio.sleep(0)
            msg = "mine"
            raise KeyError(msg)

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(main())


def test_a_receiver_that_fails_stops_nothing() -> None:
    feed = feed_of(up(0), up(1))
    heard: list[FeedUpdate] = []

    def broken(update: FeedUpdate) -> None:
        msg = "no screen"
        raise RuntimeError(msg)

    feed.subscribe(broken)
    stop = feed.subscribe(heard.append)
    status = feed.run()
    assert status.samples == 2
    assert status.errors >= 2
    assert "no screen" in str(status.last_error)
    assert sum(update.batch.samples for update in heard) == 2
    stop()
    stop()


@pytest.mark.parametrize("source", [None, 3, "http://localhost"])
def test_what_is_no_source_is_said(source: Any) -> None:
    with pytest.raises(SourceError, match="is no source"):
        LiveFeed(SeriesStore(), source)


def test_a_replay_into_itself_is_refused() -> None:
    store = recording()
    with pytest.raises(SourceError, match="its own recording"):
        LiveFeed(store, Replay(store))
    frame = MonitoringFrame(store)
    with pytest.raises(SourceError, match="its own recording"):
        LiveFeed(frame, Replay(frame.last("1m")))


def test_what_is_no_receiver_is_said() -> None:
    with pytest.raises(SourceError, match="notify"):
        LiveFeed(SeriesStore(), QueueSource(), notify="mail@example.com")


# -- rules and their receivers --------------------------------------------------------------

RULE = AlertRule("Down", "up == 0", for_="30s", severity="error")


def outage() -> list[Any]:
    return [up(n, 0.0 if 60 <= n < 180 else 1.0) for n in range(0, 300, 15)]


def test_rules_fire_and_resolve_in_event_time() -> None:
    feed = feed_of(*outage(), rules=[RULE])
    feed.run()
    states = [(e.state, e.time.timestamp() - START / SECOND) for e in feed.events]
    assert states == [("pending", 60.0), ("firing", 90.0), ("resolved", 180.0)]
    assert feed.to_frame()["severity"].tolist() == ["error"] * 3
    assert feed.firing == []


def test_what_fires_is_seen_while_it_fires() -> None:
    feed = feed_of(*outage()[:10], rules=RULE)
    feed.run()
    assert feed.firing == ["Down"]
    assert "1 firing" in repr(feed)


def test_the_rules_of_the_frame_are_used_unless_others_are_given() -> None:
    frame = MonitoringFrame()
    frame.alert("Down", "up == 0")
    feed = LiveFeed(frame, Script(*outage()), own_metrics=False)
    feed.run()
    assert {event.name for event in feed.events} == {"Down"}


def test_lateness_lets_rules_wait_for_late_samples() -> None:
    late = [up(0), up(15), up(45), up(30, 0.0), up(60), up(75), up(90)]
    rule = AlertRule("Down", "up == 0")
    hasty, patient = (feed_of(*late, rules=rule, lateness=w) for w in ("0s", "20s"))
    hasty.run()
    patient.run()
    assert [e.state for e in hasty.events] == []
    assert [e.state for e in patient.events] == ["firing", "resolved"]


def test_a_rule_that_cannot_be_evaluated_is_told_once_and_the_others_go_on() -> None:
    # Two series on each side of a one-to-one match: an error that only the data shows.
    broken = AlertRule("Broken", "up * on() up > 0")
    keys = [SeriesKey("up", Labels(a=a)) for a in ("1", "2")]
    batches = [Batch.of(dict.fromkeys(keys, 0.0), START + n * SECOND) for n in range(0, 120, 15)]
    feed = feed_of(*batches, rules=[broken, AlertRule("Down", "up == 0")])
    status = feed.run()
    assert [e.name for e in feed.events if e.kind == "error"] == ["rule Broken"]
    assert status.errors == 1
    assert sum(e.state == "firing" for e in feed.events) == 2


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_receivers_hear_of_firing_and_resolved_but_not_of_pending(kind: str) -> None:
    heard: list[str] = []

    async def later(event: Any) -> None:
        await asyncio.sleep(0)
        heard.append(event.state)

    receiver: Callable[[Any], Any] = (
        later if kind == "coroutine" else lambda e: heard.append(e.state)
    )
    feed_of(*outage(), rules=RULE, notify=receiver).run()
    assert heard == ["firing", "resolved"]


def test_a_receiver_that_fails_is_called_again() -> None:
    calls: list[str] = []

    async def shaky(event: Any) -> None:
        calls.append(event.state)
        if len(calls) < 3:
            msg = "gateway timeout"
            raise ConnectionError(msg)

    feed = feed_of(*outage(), rules=RULE, notify=[shaky])
    status = feed.run()
    assert calls == ["firing", "firing", "firing", "resolved"]
    assert status.errors == 2
    assert "gateway timeout" in str(status.last_error)


def test_an_hour_of_simulated_host_time() -> None:
    from monitorlab.feed import PollingSource

    class Host(PollingSource):
        name = "host"

        async def read(self, clock: Clock) -> Batch:
            if clock.monotonic() >= 3600:
                msg = "enough"
                raise StopAsyncIteration(msg)
            return Batch.of({"up": 1.0}, clock.now_ns())

    async def main() -> LiveFeed:
        clock = SimulatedClock(START)
        feed = LiveFeed(SeriesStore(), Host(interval="1s"), clock=clock, rules=RULE)
        feed.start()
        await clock.sleep(3600)
        await feed.stop()
        return feed

    assert asyncio.run(main()).status().samples == pytest.approx(3600, abs=2)
