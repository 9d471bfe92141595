"""A replay gives every sample once, in event time, at the speed asked for."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitorlab.errors import SourceError, TimeError
from monitorlab.feed import Batch, Replay, SimulatedClock
from monitorlab.model import Incident, MetricType
from monitorlab.storage import SeriesStore

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


def recording(count: int = 100, *, series: int = 2, step: int = SECOND) -> SeriesStore:
    store = SeriesStore()
    times = START + np.arange(count, dtype=np.int64) * step
    for number in range(series):
        store.extend("load", times, np.arange(count) + 1000.0 * number, {"host": f"h{number}"})
    store.describe("load", type="gauge", unit="ratio")
    return store


def play(replay: Replay, clock: SimulatedClock | None = None) -> list[Batch]:
    async def main() -> list[Batch]:
        return [batch async for batch in replay.batches(clock or SimulatedClock(0))]

    return asyncio.run(main())


def rebuilt(batches: list[Batch]) -> SeriesStore:
    store = SeriesStore(duplicates="error")
    for batch in batches:
        for chunk in batch.chunks:
            store.extend(chunk.key, chunk.times, chunk.values)
    return store


def same(one: SeriesStore, other: SeriesStore) -> bool:
    a, b = one.select(), other.select()
    return [v.key for v in a] == [v.key for v in b] and all(
        np.array_equal(x.times, y.times) and np.array_equal(x.values, y.values, equal_nan=True)
        for x, y in zip(a, b, strict=True)
    )


@pytest.mark.parametrize("speed", [None, 1.0, 7.5, 60.0, 100_000.0])
def test_every_sample_comes_once(speed: float | None) -> None:
    store = recording()
    assert same(rebuilt(play(Replay(store, speed=speed))), store)


@given(
    steps=st.lists(st.integers(1, 10**12), min_size=1, max_size=60),
    speed=st.one_of(st.none(), st.floats(0.5, 1e6)),
)
def test_every_sample_comes_once_whatever_the_spacing(
    steps: list[int], speed: float | None
) -> None:
    store = SeriesStore()
    times = START + np.cumsum(np.array(steps, dtype=np.int64))
    store.extend("a", times, np.arange(len(steps), dtype=float))
    store.extend("b", times[::3], np.arange(len(times[::3]), dtype=float))
    batches = play(Replay(store, speed=speed, tick="1h"))
    assert same(rebuilt(batches), store)
    marks = [batch.watermark_ns for batch in batches]
    assert marks == sorted(set(marks))
    for batch, mark in zip(batches, marks, strict=True):
        assert all(int(chunk.times[-1]) <= mark for chunk in batch.chunks)


def test_it_takes_the_time_of_the_recording_over_the_speed() -> None:
    clock = SimulatedClock(0)
    play(Replay(recording(121), speed=60.0, tick="100ms"), clock)
    assert clock.monotonic() == pytest.approx(120 / 60, abs=0.2)


def test_full_speed_takes_no_time_and_comes_in_pieces() -> None:
    clock = SimulatedClock(0)
    batches = play(Replay(recording(1000), speed=None), clock)
    assert clock.monotonic() == 0.0
    assert len(batches) >= 10


def test_types_come_first_and_once_and_incidents_when_they_are_over() -> None:
    store = recording()
    store.describe("load", type="rate")
    store.incidents.append(Incident.make(START + 10 * SECOND, START + 20 * SECOND, "cpu_hog"))
    batches = play(Replay(store, speed=1.0))
    assert [m.type for m in batches[0].metrics] == [MetricType.RATE]
    assert not any(batch.metrics for batch in batches[1:])
    (told,) = [batch for batch in batches if batch.incidents]
    assert told.watermark_ns is not None
    assert START + 20 * SECOND <= told.watermark_ns < START + 21 * SECOND


def test_a_selector_and_a_range_narrow_it() -> None:
    replay = Replay(
        recording(), speed=None, selector='load{host="h1"}',
        start=START + 10 * SECOND, end=START + 20 * SECOND,
    )  # fmt: skip
    (view,) = rebuilt(play(replay)).select()
    assert view.key.labels["host"] == "h1"
    assert (view.times[0], view.times[-1]) == (START + 10 * SECOND, START + 19 * SECOND)


def test_pause_seek_and_speed_while_it_plays() -> None:
    replay = Replay(recording(100, series=1), speed=1.0, tick="1s")
    clock = SimulatedClock(0)

    async def main() -> list[int]:
        seen: list[int] = []

        async def take() -> None:
            async for batch in replay.batches(clock):
                seen.extend(
                    ((chunk_time - START) // SECOND)
                    for c in batch.chunks
                    for chunk_time in c.times.tolist()
                )

        task = asyncio.create_task(take())
        await clock.sleep(5.5)
        replay.pause()
        stood = replay.position
        await clock.sleep(20)
        assert replay.position == stood
        assert "paused" in repr(replay)
        replay.seek(START + 90 * SECOND)
        replay.resume()
        replay.speed = 2.0
        await task
        return seen

    seen = asyncio.run(main())
    assert seen[:3] == [0, 1, 2]
    assert max(s for s in seen if s < 50) <= 7
    assert [s for s in seen if s >= 50] == list(range(90, 100))


def test_seeking_back_gives_samples_again() -> None:
    replay = Replay(recording(30, series=1), speed=10.0, tick="1s")
    clock = SimulatedClock(0)

    async def main() -> int:
        count = 0
        async for batch in replay.batches(clock):
            count += batch.samples
            if count == 20:
                replay.seek(START)
        return count

    assert asyncio.run(main()) > 40


def test_it_goes_on_where_it_was_after_a_failure_and_starts_again_after_its_end() -> None:
    replay = Replay(recording(50, series=1), speed=10.0)
    clock = SimulatedClock(0)

    async def first_part() -> list[Batch]:
        taken = []
        stream = replay.batches(clock)
        async for batch in stream:
            taken.append(batch)
            if len(taken) == 5:
                break
        await stream.aclose()  # type: ignore[attr-defined]
        return taken

    before = asyncio.run(first_part())
    after = play(replay, clock)
    assert same(rebuilt(before + after), recording(50, series=1))
    assert sum(batch.samples for batch in play(replay, clock)) == 50


def test_nothing_to_replay_is_said() -> None:
    with pytest.raises(SourceError, match="nothing to replay"):
        play(Replay(SeriesStore()))
    with pytest.raises(SourceError, match="for nope"):
        play(Replay(recording(), selector="nope"))


@pytest.mark.parametrize("speed", [0, -1.0, float("nan"), float("inf")])
def test_a_wrong_speed_is_said(speed: float) -> None:
    with pytest.raises(TimeError, match="above zero"):
        Replay(SeriesStore(), speed=speed)


def test_a_wrong_range_is_said() -> None:
    with pytest.raises(TimeError, match="not after"):
        Replay(SeriesStore(), start=10, end=10)


def test_one_sample() -> None:
    assert sum(batch.samples for batch in play(Replay(recording(1, series=1), speed=60.0))) == 1
