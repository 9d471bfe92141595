"""The live feed beside a deque of samples, and its share of a core with rules and detectors.

``pytest benchmarks/test_feed.py -s`` prints the figures and writes
``benchmarks/results/feed.json``. Rates and shares are in processor seconds of this process, so
that a busy machine does not change them; the lag is in real time and therefore also says how
busy the machine was.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import monitorlab as ml
from monitorlab.alerting import LiveEngine
from monitorlab.feed import Batch, Chunk, Clock, LiveFeed, Replay, Source
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore

RESULTS = Path(__file__).parent / "results" / "feed.json"
SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND
SERIES = 1_000
RULES = 50
LIVE_SECONDS = int(os.environ.get("MONITORLAB_BENCH_SECONDS", "120"))


@pytest.fixture(scope="module")
def figures() -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {"command": "python -m pytest benchmarks/test_feed.py -s"}
    yield found
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def keys() -> list[SeriesKey]:
    """Ten metrics of a hundred hosts; every second metric a counter."""
    names = [f"m{n}_total" if n % 2 else f"m{n}" for n in range(10)]
    return [
        SeriesKey(name, Labels(host=f"h{host}", job="shop"))
        for name in names
        for host in range(SERIES // len(names))
    ]


def rules() -> list[ml.AlertRule]:
    """Fifty rules over all series: levels, rates, means, quantiles, sums, ratios."""
    counter = (
        "rate({0}[5m]) > 100", "sum by (job) (rate({0}[1m])) > 1e6", "increase({0}[15m]) > 1e6",
        "sum(rate({0}[5m])) / count({0}) > 100", "rate({0}[1m]) > 1e3",
    )  # fmt: skip
    gauge = (
        "{0} > 5", "avg_over_time({0}[5m]) > 3", "avg({0}) > 3",
        "quantile_over_time(0.95, {0}[5m]) > 4", "max by (job) ({0}) > 9",
    )  # fmt: skip
    names = [f"m{n}_total" if n % 2 else f"m{n}" for n in range(10)]
    made = [
        text.format(name)
        for name in names
        for text in (counter if name.endswith("_total") else gauge)
    ]
    assert len(made) == RULES
    return [ml.AlertRule(f"R{n}", expr, for_="1m") for n, expr in enumerate(made)]


class Fleet(Source):
    """A thousand series, one sample each a second, in real time; says how late each was taken."""

    name = "fleet"

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        rng = np.random.default_rng(0)
        self.keys = keys()
        self.counter = np.array([key.metric.endswith("_total") for key in self.keys])
        self.level = rng.normal(size=SERIES)
        self.rng = rng

    def batch(self, time_ns: int) -> Batch:
        steps = self.rng.poisson(5, SERIES)
        self.level = np.where(
            self.counter, np.maximum(self.level, 0) + steps, self.rng.normal(size=SERIES)
        )
        stamp = np.array([time_ns], np.int64)
        chunks = [
            Chunk(key, stamp, self.level[n : n + 1].copy()) for n, key in enumerate(self.keys)
        ]
        return Batch(tuple(chunks), time_ns)

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        due = clock.monotonic()
        for _ in range(self.seconds):
            yield self.batch(clock.now_ns())
            due += 1.0
            await clock.sleep(max(0.0, due - clock.monotonic()))


def store_of_fleet() -> SeriesStore:
    store = SeriesStore()
    for key in keys():
        if key.metric.endswith("_total"):
            store.describe(key.metric, type="counter")
    return store


@pytest.mark.parametrize(("series", "length"), [(10, 300_000), (1_000, 3_600), (1_000, 300)])
def test_replay_at_full_speed(figures: dict[str, Any], series: int, length: int) -> None:
    recorded = SeriesStore()
    times = START + np.arange(length, dtype=np.int64) * SECOND
    rng = np.random.default_rng(1)
    for n in range(series):
        recorded.extend("m", times, rng.normal(size=length), {"i": str(n)})
    rates = []
    for _ in range(3):
        feed = LiveFeed(ml.MonitoringFrame(), Replay(recorded, speed=None))
        began = time.process_time()
        status = feed.run()
        rates.append(status.samples / (time.process_time() - began))
        assert status.samples == series * length
    rate = sorted(rates)[1]
    peer = min(_deque_rate(series, length) for _ in range(2))
    print(f"\nreplay of {series} × {length}: {rate:,.0f} samples/s, deque {peer:,.0f}")
    figures[f"replay {series} series x {length}"] = {
        "samples_per_cpu_second": round(rate),
        "deque_of_objects_samples_per_cpu_second": round(peer),
        "ratio": round(rate / peer, 2),
        "goal": 500_000,
    }
    assert rate > 250_000


def _deque_rate(series: int, length: int) -> float:
    """Take the same samples one by one into deques of objects, as a hand-written monitor does."""
    length = min(length, 300_000 // series)
    held = {n: deque(maxlen=10_000) for n in range(series)}
    began = time.process_time()
    for second in range(length):
        stamp = START + second * SECOND
        for n in range(series):
            held[n].append({"timestamp": stamp, "value": 1.0, "tags": {"i": n}})
    return series * length / (time.process_time() - began)


@pytest.mark.parametrize("interval", ["15s", "1s"])
def test_a_thousand_series_with_fifty_rules_and_detectors_live(
    figures: dict[str, Any], interval: str
) -> None:
    store = store_of_fleet()
    feed = LiveFeed(
        store, Fleet(LIVE_SECONDS), rules=rules(), detectors='{job="shop"}', interval=interval
    )
    _warm(interval)
    lags: list[float] = []
    feed.subscribe(
        lambda update: (
            lags.append((time.time_ns() - update.batch.watermark_ns) / 1e9)
            if update.batch.watermark_ns
            else None
        )
    )
    began, at = time.process_time(), time.monotonic()
    status = feed.run()
    share = (time.process_time() - began) / (time.monotonic() - at)
    lag = float(np.quantile(lags, 0.99))
    print(f"\nlive, rules every {interval}: {share:.1%} of a core, lag p99 {lag * 1e3:.0f} ms")
    figures[f"live 1000 series x 1/s, 50 rules every {interval}, default detectors"] = {
        "share_of_a_core": round(share, 4),
        "lag_p50_ms": round(float(np.median(lags)) * 1e3, 1),
        "lag_p99_ms": round(lag * 1e3, 1),
        "lag_of_the_first_batch_ms": round(lags[0] * 1e3, 1),
        "seconds": LIVE_SECONDS,
        "load_of_the_machine": round(os.getloadavg()[0], 1),
        "goal": "below 0.5 of a core, lag p99 below 1000 ms",
    }
    assert status.errors == 0
    assert status.samples == SERIES * LIVE_SECONDS
    assert share < 0.5
    if os.getloadavg()[0] < (os.cpu_count() or 1):  # else it is the neighbours' lag
        assert lag < 1.0


def _warm(interval: str) -> None:
    """Compile kernels before the clock runs."""
    feed = LiveFeed(
        store_of_fleet(), Replay(SeriesStore()), rules=rules(), detectors='{job="shop"}',
        interval=interval,
    )  # fmt: skip
    fleet = Fleet(0)
    for n in range(40):
        feed._intake.process(fleet.batch(START + n * SECOND))


def test_a_tick_does_not_grow_with_the_history(figures: dict[str, Any]) -> None:
    """Rules over the fleet after a minute and after a day of history."""
    costs = {}
    for name, history in (("minute", 60), ("day", 86_400)):
        store = store_of_fleet()
        times = START + np.arange(history, dtype=np.int64) * SECOND
        rng = np.random.default_rng(2)
        some = keys()[::10]
        for key in some:
            counter = key.metric.endswith("_total")
            values = np.cumsum(rng.poisson(5, history)) if counter else rng.normal(size=history)
            store.extend(key, times, values.astype(float))
        engine = LiveEngine(rules(), interval="1s")
        end = int(times[-1])
        engine.evaluate(store, end)
        began = time.process_time()
        for n in range(1, 21):
            for key in some:
                store.append(key, end + n * SECOND, 1e9)
            engine.evaluate(store, end + n * SECOND)
        costs[name] = (time.process_time() - began) / 20
    ratio = costs["day"] / costs["minute"]
    # After a minute the windows of 5 and 15 minutes are not full yet: a part of the ratio.
    print(
        f"\na tick of 50 rules: {costs['minute'] * 1e3:.1f} ms after a minute, ×{ratio:.2f} a day"
    )
    figures["tick of 50 rules, 100 series"] = {
        "ms_after_a_minute": round(costs["minute"] * 1e3, 2),
        "ms_after_a_day": round(costs["day"] * 1e3, 2),
    }
    assert ratio < 3


def test_catching_up_with_rules(figures: dict[str, Any]) -> None:
    """The shop's rules over its whole recording, as fast as possible, beside a backtest."""
    shop = ml.load_dataset("shop")
    shop.backtest()
    seconds = []
    for run in (
        lambda: LiveFeed(
            ml.MonitoringFrame(), Replay(shop, speed=None), rules=shop.rules, own_metrics=False
        ).run(),
        shop.backtest,
    ):
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
    samples = sum(len(view) for view in shop.selection.series())
    print(f"\nshop with its rules: feed {seconds[0]:.2f} s, backtest {seconds[1]:.2f} s")
    figures["shop replayed at full speed with its rules"] = {
        "cpu_seconds": round(seconds[0], 2),
        "samples_per_cpu_second": round(samples / seconds[0]),
        "backtest_cpu_seconds": round(seconds[1], 2),
    }
    assert seconds[0] < 30


def test_persisting_costs_little(figures: dict[str, Any], tmp_path: Path) -> None:
    fleet, costs = Fleet(0), {}
    batches = [fleet.batch(START + n * SECOND) for n in range(120)]
    for name in ("without", "with"):
        feed = LiveFeed(store_of_fleet(), Replay(SeriesStore()), own_metrics=False)
        if name == "with":
            feed.persist(tmp_path / "fleet.parquet")
        began = time.process_time()
        for batch in batches:
            feed._intake.process(batch)
        asyncio.run(feed._loop.close_journal())
        costs[name] = (time.process_time() - began) / len(batches)
    size = sum(path.stat().st_size for path in (tmp_path / "fleet.parquet").iterdir())
    print(
        f"\na batch of 1000: {costs['without'] * 1e3:.1f} ms, persisted {costs['with'] * 1e3:.1f}"
    )
    figures["persist, a batch of 1000 series"] = {
        "ms_without": round(costs["without"] * 1e3, 2),
        "ms_with": round(costs["with"] * 1e3, 2),
        "bytes_a_sample_finished": round(size / (SERIES * len(batches)), 2),
    }
    assert costs["with"] < 0.25
