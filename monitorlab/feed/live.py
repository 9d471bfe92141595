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
import os
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pandas as pd

from monitorlab.display import html_table
from monitorlab.errors import FeedStateError, SourceError
from monitorlab.feed.batch import Batch, Source
from monitorlab.feed.buffer import Buffer, Overflow
from monitorlab.feed.clock import Clock
from monitorlab.feed.desk import AlertDesk
from monitorlab.feed.home import Home
from monitorlab.feed.intake import Intake
from monitorlab.feed.journal import Journal
from monitorlab.feed.loop import Loop
from monitorlab.feed.notices import Notices
from monitorlab.feed.own import OwnMetrics
from monitorlab.feed.registry import DEFAULT_NAME, Place, Registry
from monitorlab.feed.retry import Backoff
from monitorlab.feed.status import FeedEvent, FeedState, FeedStatus, FeedUpdate, event_table
from monitorlab.feed.supply import Supply
from monitorlab.feed.target import fresh_frame, store_of
from monitorlab.feed.watch import AlertWatch, AnomalyWatch
from monitorlab.times import DurationLike, from_ns, parse_duration

__all__ = ["LiveFeed"]

_LOG = logging.getLogger("monitorlab.feed")
_RUNNING = Registry()


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
        one (``"auto"``). They know what the frame holds already and heed its verdicts. The
        scores become the series ``anomaly_score``; rules compute theirs from the samples.
    notify : callable, Notifier, NotifyConfig, target, or sequence of them, optional
        Who is told of alerts: a function of each event, or routes and targets of
        ``monitorlab.alerting.notify``.
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
        Name in own metrics and texts. A feed that is started stops the running one of the
        same name, and the one that the same notebook cell started before.

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
        name: str = DEFAULT_NAME,
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
        buffer = Buffer(queue_size, overflow)
        chosen = getattr(self.frame, "rules", None) if rules is None else rules
        self._watch = AlertWatch(chosen, store, interval) if chosen else None
        self._intake = Intake(
            store,
            self._clock,
            name,
            alerts=self._watch,
            anomalies=AnomalyWatch(detectors, store) if detectors else None,
            lateness_ns=parse_duration(lateness),
            own=OwnMetrics(store, name) if own_metrics else None,
        )
        self._notices = Notices(notify, self._clock, self._intake.trouble)
        supply = Supply(source, self._clock, retry or Backoff(), buffer, self._source_trouble)
        self._loop = Loop(supply, buffer, self._intake, self._notices, self._watch, self._clock)
        self._task: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._told = False
        self._home = Home()

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
            loop = self._home.settle()
        except RuntimeError as error:
            msg = (
                "no event loop runs here: call start() in a notebook cell or in an async "
                "function, or use run() in a script"
            )
            raise FeedStateError(msg) from error
        for before in _RUNNING.enter(Place.here(self.name), self):
            before.cancel()
        self._intake.state = FeedState.RUNNING
        is_live = not getattr(self.source, "replays", False)
        self._task = loop.create_task(
            self._loop.run(is_live=is_live), name=f"monitorlab feed {self.name}"
        )
        self._task.add_done_callback(self._finished)
        return self

    def persist(self, path: str | os.PathLike[str]) -> Self:
        """Write what comes in to a folder, so that a killed kernel loses at most a second.

        Parameters
        ----------
        path : str or os.PathLike
            The folder, best named ``….parquet``; made when it is not there, gone on with when
            it is. ``ml.read_parquet(path)`` opens it, at any time, also after a kill.

        Returns
        -------
        LiveFeed
            Itself: ``feed = LiveFeed(mf, source).persist("shop.parquet").start()``.

        Raises
        ------
        RecordingError
            If the path is a file or cannot be made.
        FeedStateError
            If the feed has ended, or is written down already.

        Notes
        -----
        Samples of the source, types and incidents are written, a quarter of a second after
        they came at the latest; not what the feed makes of them (own metrics, scores). The
        frame's samples of before are not, and what waits in a source while a cell keeps the
        event loop busy has not come in yet. See ``monitorlab.io.parts`` for the form.
        """
        if self.state is FeedState.CLOSED or self._intake.journal is not None:
            what = "has ended" if self.state is FeedState.CLOSED else "is written down already"
            msg = f"feed {self.name!r} {what}; make a new LiveFeed to write elsewhere"
            raise FeedStateError(msg)
        store = self._intake.store
        self._intake.journal = Journal(path)
        self._intake.journal.add((), store.metrics.values(), store.incidents)
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
            await self._loop.close_journal()
        if self._task is None or self._task.done():
            return
        if drain and self._loop.producer is not None:
            self._loop.producer.cancel()
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
    def alerts(self) -> AlertDesk:
        """The open alerts, and what can be done about them (take, end, silence)."""
        notifiers = [pages.notifier for pages in self._notices.pages]
        return AlertDesk(self._watch, notifiers, self._event_ns)

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

    def call(self, action: Callable[..., Any], *args: Any) -> None:
        """Call a function in the thread of the feed's event loop; may be used from any thread.

        Parameters
        ----------
        action : callable
            Called at once when this is that thread (or no loop runs), else at the next turn of
            the loop. JupyterLab handles what widgets say in a thread of its own.
        *args : object
            Its arguments.
        """
        self._home.call(action, *args)

    def to_frame(self) -> pd.DataFrame:
        """Give the events as a table."""
        return event_table(self.events)

    def status(self) -> FeedStatus:
        """Give all counters and times at this moment."""
        return self._loop.status(self.name, repr(self.source))

    def __repr__(self) -> str:
        return f"LiveFeed({self.status().summary()})"

    def _repr_html_(self) -> str:
        return html_table(self.status().to_frame(), caption=repr(self), max_rows=40)

    # -- inside ----------------------------------------------------------------------------

    async def _start_and_wait(self) -> FeedStatus:
        async with self:
            return await self.wait()

    def _event_ns(self) -> int:
        now = self._intake.watermark_ns
        return self._clock.now_ns() if now is None else now

    def _source_trouble(self, where: str, error: BaseException) -> None:
        self._intake.trouble(where, error)
        self._intake.tell(Batch())

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._intake.state = FeedState.CLOSED
        _RUNNING.leave(self)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._intake.last_error = str(self._failure) or type(self._failure).__name__
            _LOG.error("feed %s ended: %s", self.name, self._failure, exc_info=self._failure)
        self._intake.tell(Batch())

    def _tell_failure(self) -> None:
        if self._failure is not None and not self._told:
            self._told = True
            raise self._failure
