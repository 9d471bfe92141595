"""What sources give: batches of samples; and the small protocol that a source fulfils.

A source of one's own is a class with a name and an async generator::

    class Dice(Source):
        name = "dice"

        async def batches(self, clock):
            while True:
                yield Batch.of({"dice_face": random.randint(1, 6)}, clock.now_ns())
                await clock.sleep(1.0)

>>> batch = Batch.of({"up": 1.0}, 1_000_000_000)
>>> batch.samples, batch.watermark_ns
(1, 1000000000)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitorlab.errors import TimeError
from monitorlab.feed.clock import Clock
from monitorlab.model import Incident, Metric, SeriesKey
from monitorlab.times import DurationLike, parse_duration

__all__ = ["Batch", "Chunk", "PollingSource", "Source"]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Samples of one series.

    Parameters
    ----------
    key : SeriesKey
        Metric name and labels.
    times : numpy.ndarray of int64, shape (n_samples,)
        Nanoseconds since the epoch.
    values : numpy.ndarray of float64, shape (n_samples,)
        As many.

    Examples
    --------
    >>> Chunk(SeriesKey("up"), np.array([0]), np.array([1.0])).key
    up
    """

    key: SeriesKey
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples that arrived together, and how far event time has come.

    Parameters
    ----------
    chunks : tuple of Chunk
        One for each series.
    watermark_ns : int, optional
        Event time up to which (inclusive) everything has been given; rules are evaluated up
        to there. The newest sample of the batch when not given.
    metrics : tuple of Metric
        What the source knows of its metrics.
    incidents : tuple of Incident
        Labelled truth that came with the samples (a replay).
    is_last_words : bool
        Whether a source that failed says with it what ended; it does not count as a success.

    Examples
    --------
    >>> Batch(watermark_ns=5).samples
    0
    """

    chunks: tuple[Chunk, ...] = ()
    watermark_ns: int | None = None
    metrics: tuple[Metric, ...] = ()
    incidents: tuple[Incident, ...] = ()
    is_last_words: bool = False

    @classmethod
    def of(
        cls,
        readings: Mapping[str, float] | Mapping[SeriesKey, float],
        time_ns: int,
        *,
        metrics: Iterable[Metric] = (),
    ) -> Batch:
        """Make a batch of one reading for each series, all at one time."""
        times = np.array([time_ns], dtype=np.int64)
        chunks = tuple(
            Chunk(
                key if isinstance(key, SeriesKey) else SeriesKey(key),
                times,
                np.array([value], dtype=np.float64),
            )
            for key, value in readings.items()
        )
        return cls(chunks, time_ns, tuple(metrics))

    @property
    def samples(self) -> int:
        """Number of samples."""
        return sum(len(chunk.times) for chunk in self.chunks)

    def pieces(self, most: int, complete_ns: int | None) -> Iterator[Batch]:
        """Give the batch in pieces of so many series; time goes on with the last of them.

        Parameters
        ----------
        most : int
            Series in a piece.
        complete_ns : int, optional
            Event time that is complete already, which the other pieces leave as it is.
        """
        if len(self.chunks) <= most:
            yield self
            return
        if complete_ns is None:
            oldest = (int(c.times.min()) for c in self.chunks if len(c.times))
            complete_ns = min(oldest, default=0) - 1
        newest, known, over = self.newest_ns, self.metrics, self.incidents
        for begin in range(0, len(self.chunks), most):
            chunks = self.chunks[begin : begin + most]
            is_last = begin + most >= len(self.chunks)
            yield Batch(chunks, newest if is_last else complete_ns, known, over, self.is_last_words)
            known, over = (), ()

    @property
    def newest_ns(self) -> int | None:
        """Event time that is complete after this batch; None when it says nothing of time."""
        if self.watermark_ns is not None:
            return self.watermark_ns
        newest = [int(chunk.times.max()) for chunk in self.chunks if len(chunk.times)]
        return max(newest, default=None)


class Source(ABC):
    """Where samples come from: a name, and an async generator of batches.

    A source that fails raises; the feed shows the error, waits and calls ``batches`` again,
    so a source continues where it was. A source that ends ends the feed.

    Examples
    --------
    >>> import asyncio
    >>> class Once(Source):
    ...     name = "once"
    ...     async def batches(self, clock):
    ...         yield Batch.of({"up": 1.0}, clock.now_ns())
    >>> async def first():
    ...     return [batch.samples async for batch in Once().batches(Clock())]
    >>> asyncio.run(first())
    [1]
    """

    name: str = "source"
    replays: bool = False  # whether its event time is not the present

    @abstractmethod
    def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        """Give batches as they come; wait with ``clock.sleep``."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"


class PollingSource(Source):
    """A source that is asked at a steady interval; write ``read`` and nothing else.

    Parameters
    ----------
    interval : duration
        How often it is asked. A reading that takes longer than that skips beats; it is never
        asked twice at once.

    Raises
    ------
    TimeError
        If the interval is not a duration above zero.

    Examples
    --------
    >>> class Zero(PollingSource):
    ...     async def read(self, clock):
    ...         return Batch.of({"zero": 0.0}, clock.now_ns())
    >>> Zero(interval="2s").interval_seconds
    2.0
    """

    def __init__(self, *, interval: DurationLike = "5s") -> None:
        nanoseconds = parse_duration(interval)
        if nanoseconds <= 0:
            msg = f"the interval of {type(self).__name__} must be above zero, not {interval!r}"
            raise TimeError(msg)
        self.interval_seconds = nanoseconds / 1e9
        self.is_behind = False  # set it while there is more to read at once

    async def read(self, clock: Clock) -> Batch:
        """Take one reading."""
        raise NotImplementedError(type(self).__name__)

    def failed(self, clock: Clock) -> Batch | None:  # noqa: ARG002 - for those who derive
        """Give what is to be recorded when a reading failed; nothing by default."""
        return None

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        """Give one reading for each interval, on a steady beat."""
        beat = clock.monotonic()
        while True:
            try:
                batch = await self.read(clock)
            except Exception:
                last_words = self.failed(clock)
                if last_words is not None:
                    yield replace(last_words, is_last_words=True)
                raise
            yield batch
            if self.is_behind:
                beat = clock.monotonic()
                await clock.sleep(0.0)
                continue
            late = clock.monotonic() - beat
            beat += self.interval_seconds * max(1, -int(-late // self.interval_seconds))
            await clock.sleep(max(0.0, beat - clock.monotonic()))
