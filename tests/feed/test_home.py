"""Callbacks from other threads, batches of very many series, and rules that are tried before."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import weakref

import pytest

import monitorlab as ml
from monitorlab.alerting import as_rules
from monitorlab.feed import Batch, LiveFeed, QueueSource, Source
from monitorlab.feed.home import Home
from monitorlab.feed.loop import AT_ONCE
from monitorlab.feed.rehearsal import rehearse, stage
from monitorlab.model import Labels, SeriesKey
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000


def test_a_call_from_another_thread_is_made_in_the_feeds_thread() -> None:
    seen: list[tuple[str, int, str]] = []
    message = contextvars.ContextVar("message", default="none")

    def note(name: str) -> None:
        seen.append((name, threading.get_ident(), message.get()))

    async def main() -> None:
        async def subshell() -> None:
            message.set("from the page")
            feed.call(note, "elsewhere")

        async with LiveFeed(SeriesStore(), QueueSource(), own_metrics=False) as feed:
            feed.call(note, "here")
            assert [name for name, *_ in seen] == ["here"]
            # A subshell of the kernel has a thread and an event loop of its own.
            await asyncio.to_thread(asyncio.run, subshell())
            await asyncio.sleep(0)

    asyncio.run(main())
    here = threading.get_ident()
    assert seen == [("here", here, "none"), ("elsewhere", here, "from the page")]


def test_a_call_is_made_at_once_before_and_after_the_loop() -> None:
    home, done = Home(), []
    home.call(done.append, 1)

    async def main() -> None:
        home.settle()

    asyncio.run(main())
    home.call(done.append, 2)
    assert done == [1, 2]


def test_an_error_that_is_kept_lets_go_of_what_it_held() -> None:
    class Page(bytearray):
        """Can be referred to weakly."""

    held: list[weakref.ref[Page]] = []

    class Huge(Source):
        name = "huge"

        async def batches(self, clock: object):
            page = Page(10)
            held.append(weakref.ref(page))
            yield Batch.of({"up": 1.0}, SECOND)
            msg = f"{len(page)} bytes are too much"
            raise ValueError(msg)

    feed = LiveFeed(SeriesStore(), Huge(), own_metrics=False)

    failed = asyncio.Event()
    feed.subscribe(lambda update: failed.set() if update.events else None)

    async def main() -> None:
        async with feed:
            await failed.wait()

    asyncio.run(main())
    gc.collect()
    assert feed.events
    assert [ref() for ref in held] == [None] * len(held)


class Wide(Source):
    """Two batches of more series than are taken in without a pause."""

    name = "wide"

    def __init__(self, series: int) -> None:
        self.keys = [SeriesKey("m", Labels(i=str(n))) for n in range(series)]

    async def batches(self, clock: object):
        for second in (1, 2):
            yield Batch.of(dict.fromkeys(self.keys, float(second)), second * SECOND)


def test_a_wide_batch_comes_in_pieces_and_time_goes_on_with_the_last() -> None:
    series = 2 * AT_ONCE + 5
    feed = LiveFeed(
        SeriesStore(), Wide(series), own_metrics=False, interval="1s",
        rules=ml.AlertRule("Missing", f"count(m) != {series}"),
    )  # fmt: skip
    told: list[tuple[int, int | None]] = []
    feed.subscribe(lambda update: told.append((update.batch.samples, update.watermark_ns)))
    status = feed.run()
    assert (status.samples, status.late_samples, status.errors) == (2 * series, 0, 0)
    assert [samples for samples, _ in told if samples] == [AT_ONCE, AT_ONCE, 5] * 2
    assert [at for samples, at in told if samples] == [
        SECOND - 1, SECOND - 1, SECOND, SECOND, SECOND, 2 * SECOND,
    ]  # fmt: skip
    # A rule is never asked about a half of a batch.
    assert feed.events == []


def test_pieces_hold_the_whole_batch_once() -> None:
    batch = Batch.of({f"m{n}": 1.0 for n in range(10)}, 5)
    pieces = list(batch.pieces(4, None))
    assert [c.key for p in pieces for c in p.chunks] == [c.key for c in batch.chunks]
    assert [p.newest_ns for p in pieces] == [4, 4, 5]
    assert list(batch.pieces(10, None)) == [batch]


@pytest.mark.parametrize(
    "expr",
    [
        "rate(hits_total[5m]) > 1",
        'sum by (a) (x{a="b", c!="d"}) / on () y > 3',
        "anomaly_score(latency_ms) > 0.999",
        "absent(up)",
        "vector(1) > 0",
        '{job="a"} > 1',
        "x + on (a) y > 0",
    ],
)
def test_rules_of_every_kind_can_be_rehearsed(expr: str) -> None:
    rules = as_rules(ml.AlertRule("Any", expr))
    rehearse(rules)
    names = {key.metric for key in stage(rules)}
    assert all(name in expr for name in names)
    assert names or expr in ("vector(1) > 0", '{job="a"} > 1')


def test_a_rehearsal_leaves_the_feed_as_it_was() -> None:
    rules = ml.AlertRule("Down", "up < 100")
    feed = LiveFeed(SeriesStore(), QueueSource(), rules=rules, own_metrics=False)
    assert feed.alerts.active == []
    assert len(feed.frame) == 0
    assert feed.status().errors == 0
