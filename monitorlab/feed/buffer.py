"""A bounded queue between a source and its feed, with a stated overflow policy and counters.

>>> import asyncio
>>> async def three_into_two():
...     buffer = Buffer(2, "drop_oldest")
...     for time_ns in (1, 2, 3):
...         await buffer.put(Batch.of({"up": 1.0}, time_ns))
...     return (await buffer.get()).watermark_ns, buffer.dropped_samples
>>> asyncio.run(three_into_two())
(2, 1)
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Literal, TypeAlias, get_args

from monitorlab.errors import FeedStateError, SourceError
from monitorlab.feed.batch import Batch
from monitorlab.model import Incident, Metric

__all__ = ["Buffer", "Overflow"]

Overflow: TypeAlias = Literal["block", "drop_oldest"]


class Buffer:
    """Hold at most so many batches; then make the source wait, or drop the oldest.

    Parameters
    ----------
    size : int
        Batches held at the most.
    overflow : {"block", "drop_oldest"}
        ``block`` keeps everything and slows the source down; ``drop_oldest`` keeps up with
        the source and counts what it lost.

    Raises
    ------
    SourceError
        If the size is below one or the policy is not known.

    Examples
    --------
    >>> Buffer(8, "block").fill
    0
    """

    def __init__(self, size: int, overflow: Overflow) -> None:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            msg = f"the queue must hold at least one batch, not {size!r}"
            raise SourceError(msg)
        if overflow not in get_args(Overflow):
            msg = f"overflow must be one of {', '.join(get_args(Overflow))}, not {overflow!r}"
            raise SourceError(msg)
        self.size = size
        self.overflow = overflow
        self.dropped_batches = 0
        self.dropped_samples = 0
        self.waits = 0
        self.most = 0
        self._held: deque[Batch] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._closed = False
        self._metrics: tuple[Metric, ...] = ()
        self._incidents: tuple[Incident, ...] = ()

    @property
    def fill(self) -> int:
        """Number of batches that wait now."""
        return len(self._held)

    async def put(self, batch: Batch) -> None:
        """Add a batch; may wait (``block``) or drop (``drop_oldest``) when full."""
        if self.overflow == "block" and len(self._held) >= self.size:
            self.waits += 1
        while len(self._held) >= self.size and not self._closed:
            if self.overflow == "drop_oldest":
                self._drop()
                break
            self._room.clear()
            await self._room.wait()
        if self._closed:
            msg = "the feed's queue is closed; nothing more can be put into it"
            raise FeedStateError(msg)
        self._held.append(batch)
        self.most = max(self.most, len(self._held))
        self._changed.set()

    async def get(self) -> Batch | None:
        """Take the oldest batch; None when the queue is closed and empty."""
        while not self._held:
            if self._closed:
                return None
            self._changed.clear()
            await self._changed.wait()
        batch = self._held.popleft()
        self._room.set()
        if self._metrics or self._incidents:
            batch = replace(
                batch,
                metrics=self._metrics + batch.metrics,
                incidents=self._incidents + batch.incidents,
            )
            self._metrics, self._incidents = (), ()
        return batch

    def close(self) -> None:
        """Take no more; what is held can still be taken out."""
        self._closed = True
        self._changed.set()
        self._room.set()

    def _drop(self) -> None:
        lost = self._held.popleft()
        self.dropped_batches += 1
        self.dropped_samples += lost.samples
        # What a source says only once (types, incidents) survives the loss of its samples.
        self._metrics += lost.metrics
        self._incidents += lost.incidents
