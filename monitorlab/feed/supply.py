"""Keep a source going: its batches into the queue, its failures told, asked again after a pause.

>>> from monitorlab.feed.batch import Batch, Source
>>> class Once(Source):
...     async def batches(self, clock):
...         yield Batch.of({"up": 1.0}, clock.now_ns())
>>> async def demo():
...     buffer = Buffer(4, "block")
...     await Supply(Once(), Clock(), Backoff(), buffer, lambda where, error: None).run()
...     return buffer.fill
>>> import asyncio
>>> asyncio.run(demo())
1
"""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from monitorlab.errors import SourceError
from monitorlab.feed.buffer import Buffer
from monitorlab.feed.clock import Clock
from monitorlab.feed.notices import Trouble
from monitorlab.feed.retry import Backoff

__all__ = ["Supply"]


class Supply:
    """One source, supervised.

    Parameters
    ----------
    source : Source
        Where batches come from.
    clock : Clock
        Time and sleep.
    retry : Backoff
        How long to wait before a failed source is asked again.
    buffer : Buffer
        Where batches go.
    trouble : callable
        Told what failed, and the error.

    Examples
    --------
    >>> from monitorlab.feed import QueueSource
    >>> Supply(QueueSource(), Clock(), Backoff(), Buffer(1, "block"), print).failures
    0
    """

    def __init__(
        self, source: Any, clock: Clock, retry: Backoff, buffer: Buffer, trouble: Trouble
    ) -> None:
        self.failures = 0
        self._source = source
        self._clock = clock
        self._retry = retry
        self._buffer = buffer
        self._trouble = trouble

    async def run(self) -> None:
        """Ask until the source ends.

        Raises
        ------
        SourceError
            If it failed more often in a row than the back-off allows.
        """
        while True:
            try:
                async with aclosing(self._source.batches(self._clock)) as batches:
                    async for batch in batches:
                        if not batch.is_last_words:
                            self.failures = 0
                        await self._buffer.put(batch)
            except Exception as error:
                self.failures += 1
                self._trouble(f"source {self._source!r}", error)
                if self._retry.gives_up(self.failures):
                    msg = f"{self._source!r} failed {self.failures} times in a row: {error}"
                    raise SourceError(msg) from error
            else:
                return
            await self._clock.sleep(self._retry.delay(self.failures))
