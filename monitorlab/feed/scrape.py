"""Samples from any ``/metrics`` page (OpenMetrics or Prometheus text).

>>> ScrapeSource("http://localhost:8000/metrics", labels={"job": "shop"})
ScrapeSource(http://localhost:8000/metrics every 15 s)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from monitorlab.errors import RecordingError, SourceError
from monitorlab.feed.batch import Batch, Chunk
from monitorlab.feed.clock import Clock
from monitorlab.feed.http import LARGE, HttpSource
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.times import DurationLike, from_ns

__all__ = ["ScrapeSource"]

ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5"
_UP = Metric("up", MetricType.GAUGE, "", "Whether the last scrape succeeded.")


class ScrapeSource(HttpSource):
    """Read a metrics page at an interval, as Prometheus does.

    Parameters
    ----------
    url : str
        The page.
    interval : duration
        How often.
    labels : mapping of str to str, optional
        Added to every series that has no label of that name; ``instance`` (host and port of
        the address) is added by itself.
    **options : object
        ``timeout``, ``max_bytes``, ``headers`` and ``transport`` of ``HttpSource``.

    Raises
    ------
    MissingExtraError
        If httpx is not installed (``pip install "monitorlab[prometheus]"``).
    SourceError
        If the address is none.

    Notes
    -----
    As in Prometheus, ``up`` is 1 after a good scrape and 0 after a failed one, and a series
    that is no longer on the page gets a stale marker, so that alerts on it end.

    Examples
    --------
    >>> ScrapeSource("http://localhost:8000/metrics", interval="2s").interval_seconds
    2.0
    """

    def __init__(
        self,
        url: str,
        *,
        interval: DurationLike = "15s",
        labels: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            url, interval=interval, headers={"Accept": ACCEPT, **(headers or {})}, **options
        )
        self._labels = Labels({"instance": urlsplit(self.shown).netloc, **(labels or {})})
        self._up = SeriesKey("up", self._labels)
        self._seen: dict[SeriesKey, SeriesKey] = {}

    async def read(self, clock: Clock) -> Batch:
        """Read the page once."""
        page = await self.fetch(self.url)
        now = clock.now_ns()
        if len(page) < LARGE:
            return self._batch(page, now)
        # A long page is read beside the event loop, which goes on meanwhile.
        return await asyncio.to_thread(self._batch, page, now)

    def _batch(self, page: str, now: int) -> Batch:
        from monitorlab.io.openmetrics import parse_openmetrics
        from monitorlab.storage import STALE_NAN

        try:
            found = parse_openmetrics(page, timestamp=from_ns(now), strict=False)
        except RecordingError as error:
            msg = f"{self.shown} is no metrics page: {error}"
            raise SourceError(msg) from error
        before, self._seen = self._seen, {}
        chunks = []
        for key, times, values in zip(found.keys, found.times, found.values, strict=True):
            full = before.get(key) or SeriesKey(key.metric, Labels({**self._labels, **key.labels}))
            self._seen[key] = full
            chunks.append(Chunk(full, times, values))
        stamp = np.array([now], dtype=np.int64)
        gone = np.array([STALE_NAN])
        chunks += [
            Chunk(full, stamp, gone) for key, full in before.items() if key not in self._seen
        ]
        chunks.append(Chunk(self._up, stamp, np.array([1.0])))
        return Batch(tuple(chunks), now, (*found.metrics.values(), _UP))

    def failed(self, clock: Clock) -> Batch:
        """Give ``up`` as 0 and the end of every series."""
        from monitorlab.storage import STALE_NAN

        now = clock.now_ns()
        stamp = np.array([now], dtype=np.int64)
        chunks = [Chunk(full, stamp, np.array([STALE_NAN])) for full in self._seen.values()]
        chunks.append(Chunk(self._up, stamp, np.array([0.0])))
        self._seen = {}
        return Batch(tuple(chunks), now, (_UP,))
