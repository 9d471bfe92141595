"""Samples pushed from code: values, blocks, functions, threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from monitorlab.errors import FeedStateError, InvalidSeriesError, SourceError
from monitorlab.feed import LiveFeed, QueueSource, SimulatedClock
from monitorlab.model import MetricType
from monitorlab.storage import SeriesStore

START = 1_767_225_600


def fed(source: QueueSource) -> SeriesStore:
    store = SeriesStore()
    source.close()
    LiveFeed(store, source, clock=SimulatedClock(START), own_metrics=False).run()
    return store


def test_values_arrive_with_labels_times_and_types() -> None:
    source = QueueSource()
    source.push("orders_total", 1, labels={"shop": "a"}, timestamp=START, type="counter")
    source.push("orders_total", 3, labels={"shop": "a"}, timestamp=START + 5)
    source.push("depth", 2.5)
    store = fed(source)
    assert store.view("orders_total", {"shop": "a"}).values.tolist() == [1.0, 3.0]
    assert store.metric("orders_total").type is MetricType.COUNTER
    assert len(store.view("depth")) == 1


def test_blocks_and_functions_are_timed_even_when_they_raise() -> None:
    source = QueueSource()

    @source.timed("call_seconds", labels={"name": "double"})
    def double(x: int) -> int:
        return 2 * x

    @source.timed("call_seconds", labels={"name": "later"})
    async def later() -> str:
        await asyncio.sleep(0)
        return "done"

    assert double(4) == 8
    assert double.__name__ == "double"
    assert asyncio.run(later()) == "done"
    with pytest.raises(ZeroDivisionError), source.timer("block_seconds"):
        _ = 1 / 0
    store = fed(source)
    assert store.metric("block_seconds").type is MetricType.TIMER
    assert len(store.select("call_seconds")) == 2
    assert all((view.values >= 0).all() for view in store)


def test_threads_lose_nothing() -> None:
    source = QueueSource()

    def work(number: int) -> None:
        for n in range(500):
            source.push("work", n, labels={"thread": str(number)}, timestamp=START + n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fed(source).sample_count == 2000


def test_a_full_queue_drops_the_oldest_and_counts() -> None:
    source = QueueSource(maxsize=10)
    for n in range(25):
        source.push("n", n, timestamp=START + n)
    assert (source.waiting, source.dropped) == (10, 15)
    assert "15 dropped" in repr(source)
    assert fed(source).view("n").values.tolist() == list(range(15, 25))


def test_time_goes_on_while_nothing_is_pushed() -> None:
    clock = SimulatedClock(START)
    source = QueueSource()

    async def main() -> LiveFeed:
        feed = LiveFeed(SeriesStore(), source, clock=clock, own_metrics=False).start()
        await clock.sleep(10)
        await feed.stop()
        return feed

    feed = asyncio.run(main())
    assert feed.event_time is not None
    assert feed.event_time.timestamp() == pytest.approx(START + 10, abs=1.2)


def test_times_given_by_the_caller_are_the_only_ones() -> None:
    clock = SimulatedClock(START)
    source = QueueSource()
    source.push("n", 1, timestamp=START - 1000)

    async def main() -> LiveFeed:
        feed = LiveFeed(SeriesStore(), source, clock=clock, own_metrics=False).start()
        await clock.sleep(10)
        await feed.stop()
        return feed

    feed = asyncio.run(main())
    assert feed.event_time is not None
    assert feed.event_time.timestamp() == START - 1000


def test_wrong_use_is_said() -> None:
    with pytest.raises(SourceError, match="at least one"):
        QueueSource(maxsize=0)
    source = QueueSource()
    with pytest.raises(InvalidSeriesError, match="must be a number"):
        source.push("n", "many")  # type: ignore[arg-type]
    with pytest.raises(InvalidSeriesError, match="unknown metric type"):
        source.push("n", 1.0, type="thing")
    source.close()
    with pytest.raises(FeedStateError, match="closed"):
        source.push("n", 1.0)
