"""What a feed writes down: whole after a stop, and but for a moment after kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import monitorlab as ml
from monitorlab.errors import FeedStateError, RecordingError
from monitorlab.feed import Batch, Clock, LiveFeed, QueueSource, Replay, SimulatedClock, Source
from monitorlab.feed.journal import Journal
from monitorlab.model import Incident
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


def recording() -> SeriesStore:
    store = SeriesStore()
    times = START + np.arange(300, dtype=np.int64) * SECOND
    for host in "ab":
        store.extend("load", times, np.sin(np.arange(300) / 9.0), {"host": host})
    store.extend("hits_total", times, np.arange(300.0))
    store.describe("hits_total", type="counter", unit="1", description="Hits.")
    store.incidents.append(Incident.make(START, START + 10 * SECOND, "cpu_hog"))
    return store


@pytest.mark.parametrize("speed", [None, 60.0])
def test_a_replay_is_written_whole(tmp_path: Path, speed: float | None) -> None:
    recorded, path = recording(), tmp_path / "shop.parquet"
    feed = LiveFeed(
        ml.MonitoringFrame(), Replay(recorded, speed=speed), clock=SimulatedClock(START)
    )
    assert feed.persist(path) is feed
    feed.run()
    mf = ml.read_parquet(path)
    assert mf.store.keys == recorded.keys
    for view in recorded.select():
        got = mf.store.view(view.key)
        assert np.array_equal(got.times, view.times)
        assert np.array_equal(got.values, view.values)
    assert mf.store.metric("hits_total") == recorded.metric("hits_total")
    assert mf.incidents["kind"].tolist() == ["cpu_hog"]
    assert [p.suffix for p in path.iterdir()] == [".parquet"]


def test_two_feeds_one_after_the_other_go_on_in_one_folder(tmp_path: Path) -> None:
    recorded = recording()
    for start, end in ((0, 150), (150, 300)):
        replay = Replay(
            recorded, speed=None, start=START + start * SECOND, end=START + end * SECOND
        )
        LiveFeed(SeriesStore(), replay).persist(tmp_path).run()
    assert len(ml.read_parquet(tmp_path).store.view("hits_total")) == 300


def test_what_the_user_said_of_metrics_and_incidents_is_kept_too(tmp_path: Path) -> None:
    async def main() -> None:
        frame = ml.MonitoringFrame()
        source = QueueSource()
        async with LiveFeed(frame, source, clock=SimulatedClock()).persist(tmp_path) as feed:
            source.push("load", 1.0, timestamp="2026-01-01T00:00:00Z")
            source.close()
            await feed.wait()
            frame.describe_metric("load", unit="ratio")
            frame.mark("2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z", "slow")

    asyncio.run(main())
    mf = ml.read_parquet(tmp_path)
    assert mf.store.view("load").values.tolist() == [1.0]


def test_persist_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("x")
    feed = LiveFeed(SeriesStore(), QueueSource())
    with pytest.raises(RecordingError, match="is a file"):
        feed.persist(file)
    feed.persist(tmp_path / "y")
    with pytest.raises(FeedStateError, match="already"):
        feed.persist(tmp_path / "z")
    asyncio.run(feed.stop())
    with pytest.raises(FeedStateError, match="has ended"):
        feed.persist(tmp_path / "z")


def test_a_disk_that_refuses_is_told_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitorlab.feed.journal.GATHER_SECONDS", 0.0)
    monkeypatch.setattr("monitorlab.feed.journal.AGAIN_SECONDS", 0.0)
    journal = Journal(tmp_path)
    write, failures = journal._writer.append, [3]

    def refuse(*given: Any) -> None:
        if failures[0]:
            failures[0] -= 1
            msg = "no space left on device"
            raise RecordingError(msg, path=tmp_path)
        write(*given)

    monkeypatch.setattr(journal._writer, "append", refuse)

    class Ticking(Source):
        async def batches(self, clock: Clock) -> Any:
            for n in range(100):
                yield Batch.of({"up": 1.0}, START + n * SECOND)
                await clock.sleep(1.0)
                # Real threads write: let them have their turns.
                await asyncio.to_thread(lambda: None)

    feed = LiveFeed(SeriesStore(), Ticking(), clock=SimulatedClock(START), own_metrics=False)
    feed._intake.journal = journal
    status = feed.run()
    assert status.errors == 3
    assert "persist: " in str(status.last_error)
    assert len(ml.read_parquet(tmp_path).store.view("up")) == 100


def test_a_disk_that_stays_away_drops_the_oldest_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitorlab.feed.journal.MOST_WAITING", 10)
    journal = Journal(tmp_path)
    monkeypatch.setattr("threading.Thread.start", lambda self: None)
    for n in range(25):
        journal.add(Batch.of({"up": 1.0}, START + n).chunks)
    assert journal.dropped_samples == 15


WRITER = """
import asyncio, sys, time
import monitorlab as ml

async def main():
    source = ml.sources.QueueSource()
    feed = ml.LiveFeed(ml.MonitoringFrame(), source).persist(sys.argv[1]).start()
    count = 0
    while True:
        source.push("ticks_total", count, type="counter")
        print(time.time_ns(), flush=True)
        count += 1
        await asyncio.sleep(0.01)

asyncio.run(main())
"""

BUSY = WRITER.replace(
    "await asyncio.sleep(0.01)",
    "await asyncio.sleep(0.01)\n        if count == 100:\n            time.sleep(600)",
)


@pytest.mark.parametrize(("program", "lines"), [(WRITER, 200), (BUSY, 100)])
def test_a_killed_kernel_loses_at_most_the_last_second(
    tmp_path: Path, program: str, lines: int
) -> None:
    folder = tmp_path / "live.parquet"
    env = {**os.environ, "PYTHONPATH": str(Path(ml.__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, env=env
    )
    assert process.stdout is not None
    try:
        pushed = [int(process.stdout.readline()) for _ in range(lines)]
        if program is BUSY:
            # A cell that never ends keeps the loop busy; what had come in is written all the
            # same. This is the one wait for real time: a second of it is what is promised.
            time.sleep(1.0)
        killed_at = time.time_ns()
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().split()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    pushed += [int(stamp) for stamp in rest]
    mf = ml.read_parquet(folder)
    view = mf.store.view("ticks_total")
    assert view.values.tolist() == list(range(len(view)))
    owed = [stamp for stamp in pushed if stamp < killed_at - SECOND]
    if program is BUSY:
        owed = owed[:-20]  # those of the last beat had not been taken when the cell began
    assert len(view) >= len(owed) > 50
    assert mf.store.metric("ticks_total").type.value == "counter"
    again = LiveFeed(SeriesStore(), Replay(recording(), speed=None)).persist(folder)
    again.run()
    assert len(ml.read_parquet(folder).store.view("ticks_total")) == len(view)
