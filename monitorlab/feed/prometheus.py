"""Samples from a Prometheus server's HTTP API, as they were scraped.

>>> PrometheusSource("http://localhost:9090", match=["up"])
PrometheusSource(http://localhost:9090 every 15 s)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monitorlab.errors import SourceError
from monitorlab.feed.batch import Batch, Chunk
from monitorlab.feed.clock import Clock
from monitorlab.feed.http import HttpSource
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.times import DurationLike, format_duration, parse_duration

__all__ = ["PrometheusSource"]

EVERYTHING = '{__name__=~".+"}'
LONGEST_NS = 3_600_000_000_000  # one question asks for an hour at the most
OVERLAP_NS = 30_000_000_000  # samples that reach the server late are asked for again
_TYPES = {"counter": MetricType.COUNTER, "histogram": MetricType.HISTOGRAM}


class PrometheusSource(HttpSource):
    """Ask a Prometheus server (or one that speaks its API) for new samples.

    Parameters
    ----------
    url : str
        Address of the server, without ``/api``.
    match : sequence of str, optional
        Selectors of the series; everything by default.
    interval : duration
        How often to ask.
    lookback : duration
        How much of the past the first question asks for; at most an hour at a time.
    **options : object
        ``timeout``, ``max_bytes``, ``headers`` and ``transport`` of ``HttpSource``.

    Raises
    ------
    MissingExtraError
        If httpx is not installed (``pip install "monitorlab[prometheus]"``).
    SourceError
        If the address is none, or there is no selector.

    Notes
    -----
    The question is an instant query of a range selector (``up[60s]``), which gives the stored
    samples with their own times; a range query would give values resampled to a grid. After
    a pause it catches up an hour at a time.

    Examples
    --------
    >>> PrometheusSource("http://localhost:9090", interval="5s").interval_seconds
    5.0
    """

    def __init__(
        self,
        url: str,
        *,
        match: Sequence[str] | None = None,
        interval: DurationLike = "15s",
        lookback: DurationLike = "5m",
        **options: Any,
    ) -> None:
        super().__init__(url, interval=interval, **options)
        self.match = (match,) if isinstance(match, str) else tuple(match or (EVERYTHING,))
        if not all(isinstance(text, str) and text.strip() for text in self.match):
            msg = f"match must be selectors such as 'up' or '{{job=\"shop\"}}', not {match!r}"
            raise SourceError(msg)
        self.metadata_error: str | None = None
        self._lookback = parse_duration(lookback)
        self._asked_ns: int | None = None
        self._last: dict[SeriesKey, int] = {}
        self._known: dict[str, Metric] | None = None

    async def read(self, clock: Clock) -> Batch:
        """Ask for what came since the last answer."""
        if self._known is None:
            self._known = await self._metadata()
        now = clock.now_ns()
        since = now - self._lookback if self._asked_ns is None else self._asked_ns
        until = min(now, since + LONGEST_NS)
        window = format_duration(max(1_000_000, until - since + OVERLAP_NS))
        chunks: dict[SeriesKey, Chunk] = {}
        for selector in self.match:
            params = {"query": f"{selector}[{window}]", "time": f"{until / 1e9:.3f}"}
            page = await self.fetch(f"{self.url}/api/v1/query", params)
            for key, times, values in _series(self.url, page):
                new = times > self._last.get(key, -(2**63))
                if new.any() and key not in chunks:
                    chunks[key] = Chunk(key, times[new], values[new])
        first_seen = {chunk.key.metric for chunk in chunks.values() if chunk.key not in self._last}
        for chunk in chunks.values():
            self._last[chunk.key] = int(chunk.times[-1])
        self._asked_ns = until
        metrics = tuple(self._known[name] for name in sorted(first_seen) if name in self._known)
        return Batch(tuple(chunks.values()), until, metrics)

    async def _metadata(self) -> dict[str, Metric]:
        """Give what the server knows of its metrics; some servers know nothing."""
        try:
            data = _data(self.url, await self.fetch(f"{self.url}/api/v1/metadata"))
            return {
                name: Metric(
                    name,
                    _TYPES.get(entries[0].get("type", ""), MetricType.GAUGE),
                    str(entries[0].get("unit", "")),
                    str(entries[0].get("help", "")),
                )
                for name, entries in data.items()
                if entries
            }
        except (SourceError, AttributeError, TypeError, KeyError) as error:
            self.metadata_error = f"no metadata from {self.url}: {error}"
            return {}


def _data(url: str, page: str) -> Any:
    try:
        answer = json.loads(page)
    except ValueError as error:
        msg = f"{url} did not answer with JSON: {error}"
        raise SourceError(msg) from error
    if not isinstance(answer, Mapping) or answer.get("status") != "success":
        reason = answer.get("error", "no status") if isinstance(answer, Mapping) else "no object"
        msg = f"{url} is no Prometheus API or refuses the question: {reason}"
        raise SourceError(msg)
    return answer.get("data", {})


def _series(url: str, page: str) -> Iterator[tuple[SeriesKey, np.ndarray, np.ndarray]]:
    data = _data(url, page)
    try:
        for entry in data["result"]:
            names = dict(entry["metric"])
            key = SeriesKey(names.pop("__name__"), Labels(names))
            pairs = entry.get("values", [])
            seconds = np.array([pair[0] for pair in pairs], dtype=np.float64)
            values = np.array([float(pair[1]) for pair in pairs], dtype=np.float64)
            yield key, np.round(seconds * 1e3).astype(np.int64) * 1_000_000, values
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"{url} answered in a form that is not a matrix of samples: {error!r}"
        raise SourceError(msg) from error
