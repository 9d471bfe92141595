"""Hours in moments, costs that do not grow, the shop replayed, the notebook's ways of running."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.alerting import AlertRule, LiveEngine
from monitorlab.feed import Batch, Clock, LiveFeed, PollingSource, Replay, SimulatedClock, Source
from monitorlab.feed.registry import Place, Registry
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore
from tests.feed.test_watch import judged, told

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


class Service(PollingSource):
    """A day of a small service: three series, an outage at noon, an answer that fails at four."""

    name = "service"

    def __init__(self) -> None:
        super().__init__(interval="10s")
        self.failed = False

    async def read(self, clock: Clock) -> Batch:
        now = clock.now_ns()
        second = (now - START) // SECOND
        if second > 57_600 and not self.failed:
            self.failed = True
            msg = "no route to host"
            raise OSError(msg)
        load = 0.5 + 0.3 * np.sin(second / 86_400 * 2 * np.pi)
        up = 0.0 if 43_200 <= second < 43_500 else 1.0
        return Batch.of({"load": load, "up": up, "hits_total": float(second)}, now)


@pytest.mark.slow
def test_a_day_passes_in_seconds() -> None:
    clock = SimulatedClock(START)
    rules = [
        AlertRule("Down", "up == 0", for_="1m"),
        AlertRule("Busy", "avg_over_time(load[5m]) > 0.79"),
    ]
    feed = LiveFeed(
        ml.MonitoringFrame(), Service(), rules=rules, detectors="load", clock=clock, interval="1m"
    )

    async def main() -> None:
        feed.start()
        await clock.sleep(86_400)
        await feed.stop()

    asyncio.run(main())  # a day if anything really slept
    status = feed.status()
    assert status.samples == pytest.approx(3 * 86_400 / 10, abs=9)
    assert status.errors == 1
    down = [(e.state, (e.time.value - START) // SECOND) for e in feed.events if e.name == "Down"]
    assert down == [("pending", 43_200), ("firing", 43_260), ("resolved", 43_500)]
    store = feed.frame.store
    lag = store.select("monitorlab_feed_lag_seconds")[0].values
    assert np.abs(lag).max() <= 1.0
    rate = store.select("monitorlab_feed_samples_per_second")[0].values[1:]
    assert np.median(rate) == pytest.approx(0.3)


def test_the_shop_replayed_gives_the_answers_of_the_batch() -> None:
    shop = ml.load_dataset("shop")
    feed = LiveFeed(
        ml.MonitoringFrame(), Replay(shop, speed=None), rules=shop.rules, own_metrics=False
    )
    feed.run()
    assert feed.status().errors == 0
    expected = shop.backtest().events
    assert len(expected) > 100
    assert told(feed.events) == judged(expected)


@pytest.mark.slow
def test_the_shop_replayed_at_a_pace_gives_the_same() -> None:
    whole = ml.load_dataset("shop")
    first = whole.metrics["first"].min()
    shop = whole.between(first, first + pd.Timedelta("12min"))
    feed = LiveFeed(
        ml.MonitoringFrame(),
        Replay(shop, speed=20.0),
        rules=shop.rules,
        own_metrics=False,
        clock=SimulatedClock(START),
    )
    feed.run()
    assert told(feed.events) == judged(shop.backtest().events)


def test_scores_of_the_shop_replayed_are_those_of_the_batch() -> None:
    shop = ml.load_dataset("shop")
    target = SeriesStore()
    watched = ["client_requests_in_flight", "order_queue_length"]
    replay = Replay(shop, speed=None, selector='{__name__=~"client_requests_in_flight|order_.*"}')
    LiveFeed(target, replay, detectors=watched, own_metrics=False).run()
    for name in watched:
        (scores,) = target.select(f'anomaly_score{{metric="{name}"}}')
        expected = ml.anomaly.make_detector("auto").score(shop.series(name)).dropna()
        np.testing.assert_allclose(scores.values, expected.to_numpy(), atol=1e-9)


class Counted:
    """A source that counts the samples that it gives out."""

    def __init__(self, store: SeriesStore) -> None:
        self.store = store
        self.given = 0

    def select(self, *args: Any) -> Any:
        views = self.store.select(*args)
        self.given += sum(len(view) for view in views)
        return views

    def metric(self, name: str) -> Any:
        return self.store.metric(name)


RULES = [
    AlertRule("Level", "m > 5"),
    AlertRule("Rate", "rate(c_total[5m]) > 100"),
    AlertRule("Mean", "avg_over_time(m[5m]) > 3", resolve_expr="m < 0"),
    AlertRule("Gone", "sum(m) < 0", no_data="alert"),
    AlertRule("Before", "m - m offset 5m > 9"),
]


def test_a_tick_looks_at_no_more_samples_when_the_history_is_longer() -> None:
    def given(history: int) -> int:
        store = SeriesStore()
        times = START + np.arange(history, dtype=np.int64) * SECOND
        for host in "abc":
            store.extend("m", times, np.sin(np.arange(history) / 9.0), {"host": host})
            store.extend("c_total", times, np.arange(history) * 1.0, {"host": host})
        engine = LiveEngine(RULES, interval="15s")
        source = Counted(store)
        engine.evaluate(source, int(times[-1]))
        return source.given

    assert given(1_000) == given(100_000) < 10_000


def test_a_tick_of_the_feed_makes_no_more_calls_when_the_history_is_longer() -> None:
    keys = [SeriesKey("m", Labels(host=str(n))) for n in range(10)]
    feed = LiveFeed(
        SeriesStore(), Replay(SeriesStore()), rules=RULES[:1], detectors="m", own_metrics=False
    )
    calls = [0] * 1_500

    def count(_frame: object, event: str, _arg: object) -> None:
        calls[n] += event in {"call", "c_call"}

    for n in range(len(calls)):
        batch = Batch.of(dict.fromkeys(keys, float(n % 7)), START + n * 15 * SECOND)
        outer = sys.getprofile()
        sys.setprofile(count)
        try:
            feed._intake.process(batch)
        finally:
            sys.setprofile(outer)
    assert 0 < np.mean(calls[-400:]) < 1.1 * np.mean(calls[200:600])


# -- cells, kernels, loops ------------------------------------------------------------------


class Endless(Source):
    name = "endless"

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        while True:
            yield Batch.of({"up": 1.0}, clock.now_ns())
            await clock.sleep(1.0)


def test_a_cell_that_runs_again_replaces_its_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = [("a", "1")]
    monkeypatch.setattr("monitorlab.feed.registry._cell", lambda: cell[0])

    async def main() -> list[str]:
        clock = SimulatedClock(START)
        first = LiveFeed(SeriesStore(), Endless(), clock=clock).start()
        beside = LiveFeed(SeriesStore(), Endless(), clock=clock).start()
        await clock.sleep(3)
        seen = [feed.state.value for feed in (first, beside)]
        cell[0] = ("a", "2")
        again = LiveFeed(SeriesStore(), Endless(), clock=clock).start()
        cell[0] = ("b", "3")
        other = LiveFeed(SeriesStore(), Endless(), clock=clock).start()
        await clock.sleep(3)
        seen += [feed.state.value for feed in (first, beside, again, other)]
        await again.stop()
        await other.stop()
        return seen

    expected = ["running", "running", "closed", "closed", "running", "running"]
    assert asyncio.run(main()) == expected


def test_a_feed_of_an_ended_loop_is_replaced_without_harm() -> None:
    async def start() -> LiveFeed:
        feed = LiveFeed(SeriesStore(), Endless(), name="again").start()
        await asyncio.sleep(0)
        return feed

    first = asyncio.run(start())
    second = asyncio.run(start())
    assert first.state.value == second.state.value == "closed"


def test_places_and_the_registry() -> None:
    registry = Registry()
    one, two, three = (type("Feed", (), {})() for _ in range(3))
    assert registry.enter(Place("feed", "c1"), one) == []
    assert registry.enter(Place("feed", "c2"), two) == []
    assert registry.enter(Place("feed", "c1", "again"), three) == [one]
    registry.leave(one)
    registry.leave(one)
    assert Place("feed").replaces(Place("feed")) is False
    assert Place("shop", "c1").replaces(Place("shop", "c2")) is True
    assert Place("shop", "c1").replaces(Place("feed", "c1")) is False


def test_an_interrupt_ends_a_script_and_closes_the_feed() -> None:
    feeds: list[LiveFeed] = []

    async def main() -> None:
        clock = SimulatedClock(START)
        async with LiveFeed(SeriesStore(), Endless(), clock=clock) as feed:
            feeds.append(feed)
            await clock.sleep(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert feeds[0].state.value == "closed"
    assert feeds[0].status().samples >= 3


CELLS = {
    "start": """
import monitorlab as ml
source = ml.sources.QueueSource()
feed = ml.LiveFeed(ml.MonitoringFrame(), source, own_metrics=False).start()
""",
    "push": """
import asyncio
source.push("orders", 1.0)
while feed.status().samples < 1:
    await asyncio.sleep(0.01)
print(feed.state.value, feed.status().samples)
""",
    "endless": "print('waiting', flush=True)\nawait asyncio.sleep(1000)",
    "keep": "first = feed",
    "after": """
while first.state.value == "running":
    await asyncio.sleep(0.01)
print(first.state.value, feed.state.value)
""",
}


@pytest.mark.slow
def test_a_real_kernel_runs_interrupts_reruns_and_restarts() -> None:
    manager_module = pytest.importorskip("jupyter_client.manager")
    manager, client = manager_module.start_new_kernel(kernel_name="python3")

    def run(cell: str, *, interrupt: bool = False) -> str:
        told: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            content = message["content"]
            told.append(content.get("text", "") + content.get("ename", ""))
            if interrupt and "waiting" in content.get("text", ""):
                manager.interrupt_kernel()

        client.execute_interactive(CELLS[cell], output_hook=hook, timeout=60)
        return "".join(told).strip()

    try:
        assert run("start") == ""
        assert run("push") == "running 1"
        assert "waiting" in run("endless", interrupt=True)
        assert run("push") == "running 1"  # a second sample came, the first is there already
        run("keep")
        assert run("start") == ""
        assert run("after") == "closed running"
        manager.restart_kernel()
        client.wait_for_ready(timeout=60)
        assert run("start") == ""
        assert run("push") == "running 1"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
