"""The live loop: samples from a source into a frame, rules and detectors on the way.

>>> import asyncio
>>> from monitorlab.feed.replay import Replay
>>> from monitorlab.storage import SeriesStore
>>> recorded = SeriesStore()
>>> recorded.extend("queue_depth", [0, 15, 30], [1.0, 8.0, 9.0])
>>> feed = LiveFeed(SeriesStore(), Replay(recorded, speed=None), own_metrics=False)
>>> feed.run().samples
3
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import pandas as pd

from monitorlab.display import html_table
from monitorlab.errors import FeedStateError, SourceError
from monitorlab.feed.batch import Batch, Source
from monitorlab.feed.buffer import Buffer, Overflow
from monitorlab.feed.clock import Clock
from monitorlab.feed.intake import Intake
from monitorlab.feed.notices import Notices
from monitorlab.feed.own import OwnMetrics
from monitorlab.feed.retry import Backoff
from monitorlab.feed.status import FeedEvent, FeedState, FeedStatus, FeedUpdate, event_table
from monitorlab.feed.target import fresh_frame, store_of
from monitorlab.feed.watch import AlertWatch, AnomalyWatch
from monitorlab.times import DurationLike, from_ns, parse_duration

__all__ = ["LiveFeed"]

_LOG = logging.getLogger("monitorlab.feed")
_RUNNING: weakref.WeakValueDictionary[str, LiveFeed] = weakref.WeakValueDictionary()


class LiveFeed:
    """Keep a frame up to date from a source; watch rules and detectors meanwhile.

    Parameters
    ----------
    frame : MonitoringFrame or SeriesStore, optional
        Where samples go; a new MonitoringFrame by default.
    source : Source
        Where samples come from; see ``monitorlab.sources``.
    rules : sequence of AlertRule or RuleSet, optional
        Evaluated at each step of ``interval`` in event time; the rules of the frame by
        default. The answers are those of a backtest over the same samples.
    detectors : str, sequence of str, or mapping of str to detector, optional
        Selectors of the series to watch for anomalies, each with a detector or the name of
        one (``"auto"``). The scores become the series ``anomaly_score``.
    notify : callable, Notifier, or sequence of them, optional
        Told of alert events.
    interval : duration
        Time between evaluations of rules; aligned to the epoch.
    lateness : duration
        Rules wait so long (in event time) for late samples.
    queue_size : int
        Batches that may wait between source and feed.
    overflow : {"block", "drop_oldest"}
        When the queue is full: make the source wait, or drop and count.
    retry : Backoff, optional
        How long to wait before a failed source is asked again.
    clock : Clock, optional
        Time and sleep; a ``SimulatedClock`` makes hours pass in moments.
    own_metrics : bool
        Whether to record ``monitorlab_feed_*`` series.
    name : str
        Name in own metrics and texts. Starting a feed with the name of a running one, other
        than ``"feed"``, stops that one: running a cell again replaces its feed.

    Raises
    ------
    SourceError
        If the source is none, or replays the very frame that is written to.

    See Also
    --------
    monitorlab.sources : sources.
    monitorlab.Dashboard : looks at a running feed.

    Notes
    -----
    One task asks the source, one takes batches out of a bounded queue; between two batches
    everybody else has a turn. The work for a batch does not grow with the history. A failing
    source is asked again after a growing pause; a sample, a rule, a detector or a receiver
    that fails is counted and shown and stops nothing.

    Examples
    --------
    >>> from monitorlab.feed import QueueSource
    >>> from monitorlab.storage import SeriesStore
    >>> LiveFeed(SeriesStore(), QueueSource()).state.value
    'new'
    """

    def __init__(
        self,
        frame: Any = None,
        source: Source | None = None,
        *,
        rules: Any = None,
        detectors: str | Sequence[str] | Mapping[str, Any] | None = None,
        notify: Any = None,
        interval: DurationLike = "15s",
        lateness: DurationLike = "0s",
        queue_size: int = 64,
        overflow: Overflow = "block",
        retry: Backoff | None = None,
        clock: Clock | None = None,
        own_metrics: bool = True,
        name: str = "feed",
    ) -> None:
        if source is None or not hasattr(source, "batches"):
            msg = f"{source!r} is no source; give one of monitorlab.sources, such as Replay(mf)"
            raise SourceError(msg)
        self.name = name
        self.frame = fresh_frame() if frame is None else frame
        self.source = source
        store = store_of(self.frame)
        recorded = getattr(source, "frame", None)
        if recorded is not None and store_of(recorded) is store:
            msg = "a replay cannot write into its own recording; give LiveFeed a new frame"
            raise SourceError(msg)
        self._clock = clock or Clock()
        self._retry = retry or Backoff()
        self._buffer = Buffer(queue_size, overflow)
        chosen = getattr(self.frame, "rules", None) if rules is None else rules
        self._intake = Intake(
            store,
            self._clock,
            name,
            alerts=AlertWatch(chosen, store, interval) if chosen else None,
            anomalies=AnomalyWatch(detectors, store) if detectors else None,
            lateness_ns=parse_duration(lateness),
            own=OwnMetrics(store, name) if own_metrics else None,
        )
        self._notices = Notices(notify, self._clock, self._intake.trouble)
        self._task: asyncio.Task[None] | None = None
        self._producer: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._told = False
        self._failures = 0

    # -- life ------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin in the running event loop, and return at once.

        Returns
        -------
        LiveFeed
            Itself.

        Raises
        ------
        FeedStateError
            If it was started before, or no event loop runs.
        """
        if self.state is not FeedState.NEW:
            msg = f"feed {self.name!r} is {self.state.value}; make a new LiveFeed to start again"
            raise FeedStateError(msg)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as error:
            msg = (
                "no event loop runs here: call start() in a notebook cell or in an async "
                "function, or use run() in a script"
            )
            raise FeedStateError(msg) from error
        if self.name != "feed":
            before = _RUNNING.get(self.name)
            if before is not None and before is not self:
                before.cancel()
            _RUNNING[self.name] = self
        self._intake.state = FeedState.RUNNING
        self._task = loop.create_task(self._run(), name=f"monitorlab feed {self.name}")
        self._task.add_done_callback(self._finished)
        return self

    def cancel(self) -> None:
        """Ask the feed to end as soon as it has a turn, without waiting for it."""
        if self._task is not None:
            self._task.cancel()

    async def stop(self, *, drain: bool = True) -> None:
        """End the feed; may be called again.

        Parameters
        ----------
        drain : bool
            Whether what waits in the queue is still taken in.
        """
        if self.state is FeedState.NEW:
            self._intake.state = FeedState.CLOSED
        if self._task is None or self._task.done():
            return
        if drain and self._producer is not None:
            self._producer.cancel()
        else:
            self._task.cancel()
        await asyncio.wait({self._task})

    async def wait(self) -> FeedStatus:
        """Wait until the source has ended and everything is taken in.

        Returns
        -------
        FeedStatus
            The status then.

        Raises
        ------
        FeedStateError
            If the feed was never started.
        SourceError
            If the source failed for good.
        """
        if self._task is None:
            msg = f"feed {self.name!r} was not started; call start() first"
            raise FeedStateError(msg)
        await asyncio.wait({self._task})
        self._tell_failure()
        return self.status()

    def run(self) -> FeedStatus:
        """Run to the end of the source, for scripts (no event loop may be running).

        Returns
        -------
        FeedStatus
            The status at the end.

        Raises
        ------
        FeedStateError
            If an event loop runs already, or the feed was started before.
        SourceError
            If the source failed for good.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self._start_and_wait())
        msg = "an event loop runs here already (a notebook?); use start() and await wait()"
        raise FeedStateError(msg)

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        if error is None:
            self._tell_failure()

    # -- what it knows ---------------------------------------------------------------------

    @property
    def state(self) -> FeedState:
        """NEW, RUNNING or CLOSED."""
        return self._intake.state

    @property
    def events(self) -> list[FeedEvent]:
        """What happened so far, oldest first; at most the newest 10 000."""
        return list(self._intake.events)

    @property
    def event_time(self) -> pd.Timestamp | None:
        """Event time that is complete; None before the first batch."""
        now = self._intake.watermark_ns
        return None if now is None else from_ns(now)

    @property
    def firing(self) -> list[str]:
        """Alerts that fire now, as ``name{labels}``."""
        return self._intake.firing

    def subscribe(self, receiver: Callable[[FeedUpdate], Any]) -> Callable[[], None]:
        """Have a function called after each batch.

        Parameters
        ----------
        receiver : callable
            Gets a ``FeedUpdate``. What it raises is counted and shown; the feed goes on.

        Returns
        -------
        callable
            Ends the subscription.
        """
        receivers = self._intake.receivers
        receivers.append(receiver)

        def unsubscribe() -> None:
            if receiver in receivers:
                receivers.remove(receiver)

        return unsubscribe

    def to_frame(self) -> pd.DataFrame:
        """Give the events as a table."""
        return event_table(self.events)

    def status(self) -> FeedStatus:
        """Give all counters and times at this moment."""
        buffer, intake = self._buffer, self._intake
        return FeedStatus(
            name=self.name,
            state=intake.state.value,
            source=repr(self.source),
            event_time=self.event_time,
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
            failures_in_a_row=self._failures,
            last_error=intake.last_error,
            processing_seconds=intake.processing_seconds,
            evaluation_seconds=intake.evaluation_seconds,
            firing=tuple(intake.firing),
            events=intake.event_count,
        )

    def __repr__(self) -> str:
        return f"LiveFeed({self.status().summary()})"

    def _repr_html_(self) -> str:
        return html_table(self.status().to_frame(), caption=repr(self), max_rows=40)

    # -- inside ----------------------------------------------------------------------------

    async def _start_and_wait(self) -> FeedStatus:
        async with self:
            return await self.wait()

    async def _run(self) -> None:
        buffer = self._buffer
        producer = asyncio.create_task(self._produce(), name=f"monitorlab source {self.name}")
        self._producer = producer
        producer.add_done_callback(lambda _: buffer.close())
        try:
            while (batch := await buffer.get()) is not None:
                update = self._intake.process(
                    batch, queued=buffer.fill, dropped=buffer.dropped_samples
                )
                self._notices.tell([event for event in update.events if _is_news(event)])
                await asyncio.sleep(0)
            await asyncio.wait({producer})
            failure = None if producer.cancelled() else producer.exception()
            if failure is not None:
                raise failure
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)
            await self._notices.close()

    async def _produce(self) -> None:
        while True:
            try:
                async with aclosing(self.source.batches(self._clock)) as batches:  # type: ignore[type-var]
                    async for batch in batches:
                        self._failures = 0
                        await self._buffer.put(batch)
            except Exception as error:
                self._failures += 1
                self._intake.trouble(f"source {self.source!r}", error)
                self._intake.tell(Batch())
                if self._retry.gives_up(self._failures):
                    msg = f"{self.source!r} failed {self._failures} times in a row: {error}"
                    raise SourceError(msg) from error
            else:
                return
            await self._clock.sleep(self._retry.delay(self._failures))

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._intake.state = FeedState.CLOSED
        if _RUNNING.get(self.name) is self:
            del _RUNNING[self.name]
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._intake.last_error = str(self._failure) or type(self._failure).__name__
            _LOG.error("feed %s ended: %s", self.name, self._failure, exc_info=self._failure)
        self._intake.tell(Batch())

    def _tell_failure(self) -> None:
        if self._failure is not None and not self._told:
            self._told = True
            raise self._failure


def _is_news(event: FeedEvent) -> bool:
    """Tell whether receivers are to hear of it: not of pending and not of silenced alerts."""
    return event.kind == "alert" and event.state != "pending" and not event.detail.suppressed
