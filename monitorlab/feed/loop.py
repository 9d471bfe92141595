"""The loop of a feed: batches out of the queue, through the intake, on to people and disk.

>>> from monitorlab.storage import SeriesStore
>>> from monitorlab.feed import Backoff, QueueSource
>>> source = QueueSource()
>>> source.push("up", 1.0); source.close()
>>> clock, buffer = Clock(), Buffer(4, "block")
>>> intake = Intake(SeriesStore(), clock, "feed")
>>> supply = Supply(source, clock, Backoff(), buffer, intake.trouble)
>>> loop = Loop(supply, buffer, intake, Notices(None, clock, intake.trouble), None, clock)
>>> asyncio.run(loop.run(is_live=True))
>>> intake.samples
1
"""

from __future__ import annotations

import asyncio

from monitorlab.feed.batch import Batch
from monitorlab.feed.buffer import Buffer
from monitorlab.feed.clock import Clock
from monitorlab.feed.intake import Intake
from monitorlab.feed.notices import Notices
from monitorlab.feed.status import FeedEvent, FeedStatus
from monitorlab.feed.supply import Supply
from monitorlab.feed.watch import AlertWatch
from monitorlab.times import from_ns

__all__ = ["Loop"]

AT_ONCE = 2_000  # series that are taken in without a pause


class Loop:
    """The parts of a feed at work.

    Parameters
    ----------
    supply : Supply
        The source, supervised.
    buffer : Buffer
        Between source and intake.
    intake : Intake
        What happens to a batch.
    notices : Notices
        Who is told.
    watch : AlertWatch or None
        The rules, whose verdicts notifiers get.
    clock : Clock
        Time and sleep.

    Examples
    --------
    >>> Loop.__name__
    'Loop'
    """

    def __init__(
        self,
        supply: Supply,
        buffer: Buffer,
        intake: Intake,
        notices: Notices,
        watch: AlertWatch | None,
        clock: Clock,
    ) -> None:
        self.producer: asyncio.Task[None] | None = None
        self._supply = supply
        self._buffer = buffer
        self._intake = intake
        self._notices = notices
        self._watch = watch
        self._clock = clock

    async def run(self, *, is_live: bool) -> None:
        """Work until the source has ended; the end is orderly also after an interrupt.

        Parameters
        ----------
        is_live : bool
            Whether event time is the present and goes on while the source is silent.

        Raises
        ------
        SourceError
            If the source failed for good.
        """
        buffer = self._buffer
        producer = self.producer = asyncio.create_task(self._supply.run(), name="monitorlab source")
        producer.add_done_callback(lambda _: buffer.close())
        helpers = [producer]
        if self._notices.pages and is_live:
            helpers.append(asyncio.create_task(self._notices.tick(self._clock)))
        try:
            while (batch := await buffer.get()) is not None:
                # Everybody else has a turn between two pieces of a batch of very many series.
                for piece in batch.pieces(AT_ONCE, self._intake.watermark_ns):
                    self._process(piece)
                    await asyncio.sleep(0)
            await asyncio.wait({producer})
            failure = None if producer.cancelled() else producer.exception()
            if failure is not None:
                raise failure
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            try:
                await self._notices.close()
            finally:
                await self.close_journal()

    async def close_journal(self) -> None:
        """Write down what is left, and finish the last part."""
        journal = self._intake.journal
        if journal is None:
            return
        store = self._intake.store
        journal.add((), store.metrics.values(), store.incidents)
        await asyncio.to_thread(journal.close)
        for error in journal.take_errors():
            self._intake.trouble("persist", error)

    def status(self, name: str, source: str) -> FeedStatus:
        """Give all counters and times at this moment."""
        buffer, intake = self._buffer, self._intake
        now = intake.watermark_ns
        told = self._notices.stats()
        return FeedStatus(
            name=name,
            state=intake.state.value,
            source=source,
            event_time=None if now is None else from_ns(now),
            series=len(intake.keys),
            samples=intake.samples,
            batches=intake.batches,
            late_samples=intake.late,
            rejected_samples=intake.rejected,
            dropped_samples=buffer.dropped_samples,
            dropped_batches=buffer.dropped_batches,
            queue_batches=buffer.fill,
            queue_most=buffer.most,
            queue_size=buffer.size,
            waits=buffer.waits,
            overflow=buffer.overflow,
            errors=intake.errors,
            failures_in_a_row=self._supply.failures,
            last_error=intake.last_error,
            processing_seconds=intake.processing_seconds,
            evaluation_seconds=intake.evaluation_seconds,
            firing=tuple(intake.firing),
            events=intake.event_count,
            notifications_sent=told["sent"],
            notifications_dropped=told["dropped"],
            persisted_samples=0 if intake.journal is None else intake.journal.samples,
        )

    def _process(self, batch: Batch) -> None:
        buffer = self._buffer
        update = self._intake.process(batch, queued=buffer.fill, dropped=buffer.dropped_samples)
        self._notices.tell([event for event in update.events if _is_news(event)])
        verdict = None if self._watch is None else self._watch.verdict()
        if verdict is not None:
            self._notices.judge(verdict)


def _is_news(event: FeedEvent) -> bool:
    """Tell whether receivers are to hear of it: not of pending and not of silenced alerts."""
    return event.kind == "alert" and event.state != "pending" and not event.detail.suppressed
