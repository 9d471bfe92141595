"""What happens to a batch: into the store, past detectors and rules, on to subscribers.

All of it is plain synchronous code; ``LiveFeed`` only decides when it runs.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> intake = Intake(store, Clock(), "feed")
>>> intake.process(Batch.of({"up": 1.0}, 1_000_000_000)).watermark_ns
1000000000
>>> len(store.select("up")[0])
1
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from monitorlab.errors import MonitorlabError
from monitorlab.feed.batch import Batch, Chunk
from monitorlab.feed.clock import Clock
from monitorlab.feed.journal import Journal
from monitorlab.feed.own import OwnMetrics
from monitorlab.feed.status import FeedEvent, FeedState, FeedUpdate
from monitorlab.feed.watch import AlertWatch, AnomalyWatch
from monitorlab.model import SeriesKey, Severity
from monitorlab.times import from_ns

__all__ = ["Intake"]

MAX_EVENTS = 10_000
_LOG = logging.getLogger("monitorlab.feed")


class Intake:
    """Take batches in, one after the other; count, judge and tell.

    Parameters
    ----------
    store : SeriesStore
        Where samples go.
    clock : Clock
        For own times and for times of errors before the first sample.
    name : str
        Name of the feed.
    alerts : AlertWatch, optional
        Rules.
    anomalies : AnomalyWatch, optional
        Detectors.
    lateness_ns : int
        Rules are evaluated so far behind complete event time.
    own : OwnMetrics, optional
        Where the feed's own figures go.

    Notes
    -----
    A batch costs one store append for each series in it, one detector step for each sample
    that is watched, and one evaluation of the rules for each step of their grid that became
    complete. Nothing of it grows with the history.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> Intake(SeriesStore(), Clock(), "feed").samples
    0
    """

    def __init__(
        self,
        store: Any,
        clock: Clock,
        name: str,
        *,
        alerts: AlertWatch | None = None,
        anomalies: AnomalyWatch | None = None,
        lateness_ns: int = 0,
        own: OwnMetrics | None = None,
    ) -> None:
        self.store = store
        self.keys: set[SeriesKey] = set()
        self.samples = self.batches = self.late = self.rejected = self.errors = 0
        self.last_error: str | None = None
        self.processing_seconds = self.evaluation_seconds = 0.0
        self.watermark_ns: int | None = None
        self.events: deque[FeedEvent] = deque(maxlen=MAX_EVENTS)
        self.event_count = 0
        self.receivers: list[Callable[[FeedUpdate], Any]] = []
        self.state = FeedState.NEW
        self._clock = clock
        self._name = name
        self._alerts = alerts
        self._anomalies = anomalies
        self._lateness = lateness_ns
        self._own = own
        self.journal: Journal | None = None
        self._pending: list[FeedEvent] = []
        self._first_ns: int | None = None
        self._rated: tuple[int, int] | None = None

    @property
    def firing(self) -> list[str]:
        """Alerts that fire now."""
        return [] if self._alerts is None else self._alerts.firing

    def process(self, batch: Batch, *, queued: int = 0, dropped: int = 0) -> FeedUpdate:
        """Take one batch in; ``queued`` and ``dropped`` go into the own metrics."""
        begin = self._clock.monotonic()
        for metric in batch.metrics:
            if metric.name not in self.store.metrics:
                self.store.metrics[metric.name] = metric
        if batch.incidents:
            known = set(self.store.incidents)
            self.store.incidents.extend(i for i in batch.incidents if i not in known)
        taken = [c for c in batch.chunks if len(c.times) and self._take(c)]
        if self._first_ns is None and taken:
            self._first_ns = min(int(chunk.times.min()) for chunk in taken)
        self._write_down(taken, batch)
        self.batches += 1
        newest = batch.newest_ns
        if newest is not None and (self.watermark_ns is None or newest > self.watermark_ns):
            self.watermark_ns = newest
        if self._anomalies is not None:
            self._pending += self._anomalies.see(taken, self.trouble)
        self._judge()
        self.processing_seconds = self._clock.monotonic() - begin
        self._record_own(queued, dropped)
        return self.tell(batch)

    def tell(self, batch: Batch) -> FeedUpdate:
        """Tell subscribers of a batch and of what happened since the last time."""
        events, self._pending = tuple(self._pending), []
        self.events.extend(events)
        self.event_count += len(events)
        update = FeedUpdate(batch, self.watermark_ns, events, self.state)
        for receiver in tuple(self.receivers):
            try:
                receiver(update)
            except Exception as error:  # noqa: BLE001 - told, and the feed goes on
                self.trouble(f"receiver {getattr(receiver, '__qualname__', receiver)!s}", error)
        return update

    def trouble(self, where: str, error: BaseException) -> None:
        """Count an error, keep it, and make it an event: nothing is lost, nothing stops."""
        self.errors += 1
        self.last_error = f"{where}: {error or type(error).__name__}"
        _LOG.debug("feed %s: %s", self._name, where, exc_info=error)
        _let_go(error)
        now = self._clock.now_ns() if self.watermark_ns is None else self.watermark_ns
        text = f"{type(error).__name__}: {error}"
        nan = float("nan")
        self._pending.append(
            FeedEvent(from_ns(now), "error", "error", where, "", Severity.WARNING, nan, text, error)
        )

    def _write_down(self, taken: list[Chunk], batch: Batch) -> None:
        if self.journal is None:
            return
        self.journal.add(taken, batch.metrics, batch.incidents)
        for error in self.journal.take_errors():
            self.trouble("persist", error)

    def _take(self, chunk: Chunk) -> bool:
        try:
            self.store.extend(chunk.key, chunk.times, chunk.values)
        except MonitorlabError as error:
            self.rejected += len(chunk.times)
            self.trouble(f"samples of {chunk.key}", error)
            return False
        self.samples += len(chunk.times)
        self.keys.add(chunk.key)
        complete = self.watermark_ns
        if complete is not None and int(chunk.times.min()) <= complete:
            self.late += int(np.count_nonzero(chunk.times <= complete))
        return True

    def _judge(self) -> None:
        if self._alerts is None or self.watermark_ns is None or self._first_ns is None:
            return
        begin = self._clock.monotonic()
        until = self.watermark_ns - self._lateness
        try:
            self._pending += self._alerts.advance(until, self.trouble, since_ns=self._first_ns)
        except Exception as error:  # noqa: BLE001 - told, and the feed goes on
            self.trouble("rules", error)
        self.evaluation_seconds = self._clock.monotonic() - begin

    def _record_own(self, queued: int, dropped: int) -> None:
        now = self.watermark_ns
        if self._own is None or now is None or not self._own.is_due(now):
            return
        figures = {
            "samples_total": self.samples,
            "late_samples_total": self.late,
            "dropped_samples_total": dropped,
            "errors_total": self.errors,
            "queue_batches": queued,
            "samples_per_second": self._rate(now),
            "processing_seconds": self.processing_seconds,
            "evaluation_seconds": self.evaluation_seconds,
            "lag_seconds": (self._clock.now_ns() - now) / 1e9,
        }
        self._own.record(now, figures)

    def _rate(self, now_ns: int) -> float:
        """Give the samples of each second of event time since the last record."""
        before, self._rated = self._rated, (now_ns, self.samples)
        if before is None or now_ns <= before[0]:
            return 0.0
        return (self.samples - before[1]) / ((now_ns - before[0]) / 1e9)


def _let_go(error: BaseException | None) -> None:
    """Empty the frames of an error that is kept: one may hold half a page of 100 MB."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
