"""Push samples from one's own code: values, timed blocks, timed functions.

>>> source = QueueSource()
>>> source.push("orders_total", 1.0, labels={"shop": "a"})
>>> with source.timer("import_seconds"):
...     pass
>>> source.waiting
2
"""

from __future__ import annotations

import functools
import inspect
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from monitorlab import wallclock
from monitorlab.errors import FeedStateError, InvalidSeriesError, SourceError
from monitorlab.feed.batch import Batch, Chunk, Source
from monitorlab.feed.clock import Clock
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.times import TimeLike, to_ns

__all__ = ["QueueSource"]

Function = TypeVar("Function", bound=Callable[..., Any])

BEAT_SECONDS = 0.1  # how often waiting samples are taken
IDLE_BEATS = 10  # after so many beats without a sample event time moves on by itself


class QueueSource(Source):
    """Take samples from the user's code, from any thread.

    Parameters
    ----------
    maxsize : int
        Samples that may wait; after that the oldest is dropped and counted in ``dropped``,
        because code that measures itself must never be made to wait.
    name : str
        Name shown in the feed.

    Raises
    ------
    SourceError
        If ``maxsize`` is below one.

    Notes
    -----
    A push costs about a microsecond. While nothing is pushed and no time was given by the
    caller, event time follows the clock, so that rules about missing data still fire.

    Examples
    --------
    >>> source = QueueSource(maxsize=1)
    >>> source.push("up", 1.0); source.push("up", 0.0)
    >>> source.waiting, source.dropped
    (1, 1)
    """

    def __init__(self, *, maxsize: int = 100_000, name: str = "queue") -> None:
        if maxsize < 1:
            msg = f"a queue must hold at least one sample, not {maxsize!r}"
            raise SourceError(msg)
        self.name = name
        self.dropped = 0
        self._maxsize = maxsize
        self._samples: deque[tuple[SeriesKey, int, float]] = deque()
        self._metrics: dict[str, Metric] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._own_times = True

    @property
    def waiting(self) -> int:
        """Samples that were pushed and not yet taken."""
        return len(self._samples)

    def push(
        self,
        metric: str,
        value: float,
        *,
        labels: Mapping[str, str] | None = None,
        timestamp: TimeLike | None = None,
        type: MetricType | str | None = None,  # noqa: A002 - the Contract's name
    ) -> None:
        """Add one sample.

        Parameters
        ----------
        metric : str
            Metric name.
        value : float
            The sample.
        labels : mapping of str to str, optional
            Label set.
        timestamp : time, optional
            When it was; now by default.
        type : MetricType or str, optional
            What the metric's samples mean.

        Raises
        ------
        FeedStateError
            If the source was closed.
        InvalidSeriesError
            If the value is no number, or the type is unknown.
        """
        if self._closed:
            msg = f"{self!r} is closed; make a new one"
            raise FeedStateError(msg)
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            msg = f"{metric}: a sample must be a number, not {value!r}"
            raise InvalidSeriesError(msg) from error
        kind = None if type is None else _type(type)
        key = SeriesKey(metric, labels if isinstance(labels, Labels) else Labels(labels))
        stamp = wallclock.now_ns() if timestamp is None else to_ns(timestamp)
        with self._lock:
            self._own_times = self._own_times and timestamp is None
            if kind is not None and metric not in self._metrics:
                self._metrics[metric] = Metric(metric, kind)
            if len(self._samples) >= self._maxsize:
                self._samples.popleft()
                self.dropped += 1
            self._samples.append((key, stamp, number))

    @contextmanager
    def timer(self, metric: str, *, labels: Mapping[str, str] | None = None) -> Iterator[None]:
        """Time a block and push its seconds; a block that raises is timed too.

        Parameters
        ----------
        metric : str
            Metric name, best ending in ``_seconds``; it becomes a timer.
        labels : mapping of str to str, optional
            Label set.
        """
        begin = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begin
            self.push(metric, seconds, labels=labels, type=MetricType.TIMER)

    def timed(
        self, metric: str, *, labels: Mapping[str, str] | None = None
    ) -> Callable[[Function], Function]:
        """Give a decorator that times each call of a function, plain or ``async``.

        Parameters
        ----------
        metric : str
            Metric name, best ending in ``_seconds``.
        labels : mapping of str to str, optional
            Label set.

        Returns
        -------
        callable
            The decorator.
        """

        def decorate(function: Function) -> Function:
            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def timed_coroutine(*args: Any, **kwargs: Any) -> Any:
                    with self.timer(metric, labels=labels):
                        return await function(*args, **kwargs)

                return timed_coroutine  # type: ignore[return-value]

            @functools.wraps(function)
            def timed_call(*args: Any, **kwargs: Any) -> Any:
                with self.timer(metric, labels=labels):
                    return function(*args, **kwargs)

            return timed_call  # type: ignore[return-value]

        return decorate

    def close(self) -> None:
        """Take no more samples; the feed ends after those that wait."""
        self._closed = True

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        """Give what was pushed, ten times a second."""
        idle = 0
        told: set[str] = set()
        while True:
            closed = self._closed
            with self._lock:
                taken, self._samples = self._samples, deque()
                fresh = [m for n, m in self._metrics.items() if n not in told]
            if taken or fresh:
                idle = 0
                told.update(metric.name for metric in fresh)
                yield Batch(_chunks(taken), None, tuple(fresh))
            else:
                idle += 1
            if closed:
                return
            if self._own_times and idle and idle % IDLE_BEATS == 0:
                yield Batch(watermark_ns=clock.now_ns())
            await clock.sleep(BEAT_SECONDS)

    def __repr__(self) -> str:
        return f"QueueSource({self.name}, {self.waiting} waiting, {self.dropped} dropped)"


def _chunks(samples: deque[tuple[SeriesKey, int, float]]) -> tuple[Chunk, ...]:
    columns: dict[SeriesKey, tuple[list[int], list[float]]] = {}
    for key, stamp, value in samples:
        times, values = columns.setdefault(key, ([], []))
        times.append(stamp)
        values.append(value)
    return tuple(
        Chunk(key, np.array(times, dtype=np.int64), np.array(values, dtype=np.float64))
        for key, (times, values) in columns.items()
    )


def _type(value: MetricType | str) -> MetricType:
    try:
        return MetricType(str(value).lower())
    except ValueError as error:
        names = ", ".join(member.value for member in MetricType)
        msg = f"unknown metric type {value!r}; use one of {names}"
        raise InvalidSeriesError(msg) from error
