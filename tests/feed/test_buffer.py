"""The queue between source and feed: bounded, with the stated policy and true counters."""

from __future__ import annotations

import asyncio

import pytest

from monitorlab.errors import FeedStateError, SourceError
from monitorlab.feed import Batch, Buffer
from monitorlab.model import Incident, Metric


def batch(time_ns: int) -> Batch:
    return Batch.of({"up": 1.0}, time_ns)


def test_block_keeps_everything_and_makes_the_source_wait() -> None:
    async def main() -> tuple[list[int | None], int, int]:
        buffer = Buffer(2, "block")

        async def fill() -> None:
            for time_ns in range(5):
                await buffer.put(batch(time_ns))
            buffer.close()

        task = asyncio.create_task(fill())
        taken = []
        while (one := await buffer.get()) is not None:
            taken.append(one.watermark_ns)
            await asyncio.sleep(0)
        await task
        return taken, buffer.most, buffer.waits

    taken, most, waits = asyncio.run(main())
    assert taken == [0, 1, 2, 3, 4]
    assert most == 2
    assert waits > 0


def test_drop_oldest_never_waits_and_counts() -> None:
    async def main() -> tuple[Buffer, list[int | None]]:
        buffer = Buffer(2, "drop_oldest")
        for time_ns in range(5):
            await buffer.put(batch(time_ns))
        buffer.close()
        taken = []
        while (one := await buffer.get()) is not None:
            taken.append(one.watermark_ns)
        return buffer, taken

    buffer, taken = asyncio.run(main())
    assert taken == [3, 4]
    assert (buffer.dropped_batches, buffer.dropped_samples, buffer.waits) == (3, 3, 0)


def test_what_is_said_once_survives_a_drop() -> None:
    incident = Incident.make(0, 1, "cpu_hog")

    async def main() -> Batch | None:
        buffer = Buffer(1, "drop_oldest")
        await buffer.put(Batch(metrics=(Metric("up"),), incidents=(incident,)))
        await buffer.put(batch(1))
        return await buffer.get()

    taken = asyncio.run(main())
    assert taken is not None
    assert taken.metrics == (Metric("up"),)
    assert taken.incidents == (incident,)
    assert taken.samples == 1


def test_a_closed_buffer_gives_what_it_holds_and_takes_nothing() -> None:
    async def main() -> None:
        buffer = Buffer(2, "block")
        await buffer.put(batch(0))
        buffer.close()
        assert await buffer.get() is not None
        assert await buffer.get() is None
        with pytest.raises(FeedStateError, match="closed"):
            await buffer.put(batch(1))

    asyncio.run(main())


@pytest.mark.parametrize(("size", "overflow"), [(0, "block"), (True, "block"), (3, "drop_newest")])
def test_wrong_arguments_are_said(size: int, overflow: str) -> None:
    with pytest.raises(SourceError):
        Buffer(size, overflow)  # type: ignore[arg-type]
