"""Play a recording again, as if it happened now: real time, faster, or at full speed.

>>> import asyncio
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("up", [0, 1, 2, 3], [1.0, 1.0, 0.0, 1.0])
>>> async def play():
...     return [batch.samples async for batch in Replay(store, speed=None).batches(Clock())]
>>> sum(asyncio.run(play()))
4
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

from monitorlab.errors import SourceError, TimeError
from monitorlab.feed.batch import Batch, Chunk, Source
from monitorlab.feed.clock import Clock
from monitorlab.feed.target import reader_of
from monitorlab.model import Incident
from monitorlab.times import DurationLike, TimeLike, from_ns, parse_duration, to_ns

if TYPE_CHECKING:
    import pandas as pd

    from monitorlab.storage import SeriesView

__all__ = ["Replay"]

FULL_SPEED_SAMPLES = 20_000  # samples in a batch when no time is to pass …
FULL_SPEED_EACH = 50  # … or this many of each series, where there are many …
FULL_SPEED_MOST = 50_000  # … up to this
LEAST_STEPS = 10  # a recording at full speed comes in at least so many batches


class Replay(Source):
    """Give the samples of a recorded frame in event time.

    Parameters
    ----------
    frame : MonitoringFrame or SeriesStore
        The recording. It is read at the start and again after a failure; the frame that a
        feed writes to must be another one.
    speed : float, optional
        How many seconds of the recording pass in one real second; None plays as fast as the
        feed can follow.
    selector : str, optional
        Only these series.
    start, end : time, optional
        Play ``[start, end)`` only.
    tick : duration
        Real time between batches; at most 0.25 s keeps a notebook answering.

    Raises
    ------
    TimeError
        If the speed is not above zero, or the end is not after the start.

    See Also
    --------
    monitorlab.LiveFeed : what a replay is given to.

    Notes
    -----
    Batches are slices of the recording's own columns: no sample is touched one by one. A
    tick costs two binary searches for each series.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> replay = Replay(SeriesStore(), speed=60)
    >>> replay.pause(); replay.is_paused
    True
    """

    name = "replay"
    replays = True

    def __init__(
        self,
        frame: Any,
        *,
        speed: float | None = 60.0,
        selector: str | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
        tick: DurationLike = "250ms",
    ) -> None:
        self.frame = frame
        self._reader = reader_of(frame)
        self._selector = selector
        self._start = None if start is None else to_ns(start)
        self._end = None if end is None else to_ns(end)
        if self._start is not None and self._end is not None and self._end <= self._start:
            msg = f"the replay ends at {end}, which is not after its start {start}"
            raise TimeError(msg)
        self._tick = parse_duration(tick) / 1e9
        if self._tick <= 0:
            msg = f"the tick of a replay must be above zero, not {tick!r}"
            raise TimeError(msg)
        self._paused = False
        self._given_ns: int | None = None
        self._sought: int | None = None
        self._told = False
        self.speed = speed

    @property
    def speed(self) -> float | None:
        """Seconds of the recording in one real second; may be changed at any time."""
        return self._speed

    @speed.setter
    def speed(self, speed: float | None) -> None:
        if speed is not None and not (math.isfinite(speed) and speed > 0):
            msg = f"speed must be a number above zero, or None for full speed, not {speed!r}"
            raise TimeError(msg)
        self._speed = None if speed is None else float(speed)

    @property
    def position(self) -> pd.Timestamp | None:
        """Event time up to which samples were given; None before the first."""
        return None if self._given_ns is None else from_ns(self._given_ns)

    @property
    def is_paused(self) -> bool:
        """Whether it waits for ``resume``."""
        return self._paused

    def pause(self) -> None:
        """Let event time stand still."""
        self._paused = True

    def resume(self) -> None:
        """Let event time go on."""
        self._paused = False

    def seek(self, time: TimeLike) -> None:
        """Go to a time; samples from there on come next.

        Parameters
        ----------
        time : time
            Where to go. Going back gives samples again, which a frame keeps once; rules are
            not evaluated again for times that were judged already.
        """
        self._sought = to_ns(time)

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        """Give slices of the recording until its end."""
        views = self._reader.select(self._selector, self._start, self._end)
        if not views:
            where = "" if self._selector is None else f" for {self._selector}"
            msg = f"there is nothing to replay{where}: the recording has no samples there"
            raise SourceError(msg)
        first = min(int(view.times[0]) for view in views)
        last = max(int(view.times[-1]) for view in views)
        metrics = tuple(self._reader.metric(name) for name in sorted({v.metric for v in views}))
        metrics += _families(self._reader, metrics)
        incidents = sorted(getattr(self._reader, "incidents", ()), key=lambda i: i.end)
        given = self._given_ns
        if given is None or given >= last:
            given = first - 1
        span = max(1, last - first + 1)
        total = sum(len(view) for view in views)
        at_once = max(FULL_SPEED_SAMPLES, min(FULL_SPEED_MOST, FULL_SPEED_EACH * len(views)))
        stride = max(1, min(span // LEAST_STEPS, span * at_once // total))
        seen = clock.monotonic()
        while given < last or self._sought is not None:
            now = clock.monotonic()
            elapsed, seen = now - seen, now
            if self._sought is not None:
                given, self._sought = min(max(self._sought, first), last + 1) - 1, None
                elapsed = 0.0
            if self._paused:
                await clock.sleep(self._tick)
                continue
            speed = self._speed
            step = stride if speed is None else round(max(elapsed, 0.0) * speed * 1e9)
            until = min(last, given + step)
            if until > given:
                batch = _cut(views, given, until, incidents)
                self._given_ns = given = until
                yield batch if self._told else _told(batch, metrics)
                self._told = True
            if given >= last and self._sought is None:
                break
            if speed is None:
                await asyncio.sleep(0)
            else:
                await clock.sleep(self._tick)
        self._told = False

    def __repr__(self) -> str:
        pace = "full speed" if self._speed is None else f"×{self._speed:g}"
        at = "not started" if self._given_ns is None else f"at {from_ns(self._given_ns):%F %T}"
        return f"Replay({pace}, {at}{', paused' if self._paused else ''})"


def _cut(
    views: Sequence[SeriesView], given: int, until: int, incidents: Sequence[Incident]
) -> Batch:
    """Give the samples in ``(given, until]`` and the incidents that ended meanwhile."""
    chunks = []
    for view in views:
        begin, end = view.times.searchsorted((given, until), side="right").tolist()
        if end > begin:
            values = view.values[begin:end]
            chunks.append(Chunk(view.key, view.times[begin:end], values))
    over = tuple(i for i in incidents if given < i.end.as_unit("ns").value <= until)
    return Batch(tuple(chunks), until, (), over)


def _told(batch: Batch, metrics: tuple[Any, ...]) -> Batch:
    return Batch(batch.chunks, batch.watermark_ns, metrics, batch.incidents)


def _families(reader: Any, metrics: Sequence[Any]) -> tuple[Any, ...]:
    """Give what is known of histograms whose parts are among the metrics."""
    names = {metric.name for metric in metrics}
    stems = {
        name.removesuffix(part)
        for name in names
        for part in ("_bucket", "_sum", "_count", "_total")
        if name.endswith(part)
    }
    known = (reader.metric(stem) for stem in sorted(stems - names))
    return tuple(metric for metric in known if metric != type(metric)(metric.name))
