"""Samples from a Prometheus server's HTTP API: as they were scraped, or at steps of a grid.

>>> PrometheusSource("http://localhost:9090", match=["up"])
PrometheusSource(http://localhost:9090 every 15 s)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from monitorlab.errors import SourceError, TimeError
from monitorlab.feed.batch import Batch, Chunk
from monitorlab.feed.clock import Clock
from monitorlab.feed.http import LARGE, HttpSource
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.times import DurationLike, format_duration, parse_duration

__all__ = ["PrometheusSource"]

EVERYTHING = '{__name__=~".+"}'
LONGEST_NS = 3_600_000_000_000  # one question for stored samples asks for an hour at the most
SHORTEST_NS = 15_000_000_000  # … and for no less than this when the server finds it too much
OVERLAP_NS = 30_000_000_000  # samples that reach the server late are asked for again
MAX_POINTS = 11_000  # of one series in one answer on a grid: the server's own limit
_TOO_MUCH = ("too many samples", "maximum resolution", "sends more than")
_TYPES = {"counter": MetricType.COUNTER, "histogram": MetricType.HISTOGRAM}

Found = list[tuple[SeriesKey, np.ndarray, np.ndarray]]


class PrometheusSource(HttpSource):
    """Ask a Prometheus server (or one that speaks its API) for new samples.

    Parameters
    ----------
    url : str
        Address of the server, without ``/api``.
    match : sequence of str, optional
        Selectors of the series; everything by default. With ``step`` any expression.
    interval : duration
        How often to ask.
    lookback : duration
        How much of the past is asked for first.
    step : duration, optional
        Ask for the values at the multiples of this step; without it for the stored samples.
    **options : object
        ``timeout``, ``max_bytes``, ``headers`` and ``transport`` of ``HttpSource``.

    Raises
    ------
    MissingExtraError
        If httpx is not installed (``pip install "monitorlab[prometheus]"``).
    SourceError
        If the address is none, or there is no selector.
    TimeError
        If the step is below a millisecond.

    Notes
    -----
    Without a step the question is an instant query of a range selector (``up[60s]``), which
    gives the stored samples with their own times and has no limit of points; the past comes
    an hour at a time. With a step it is a range query, in pieces of at most 11 000 points a
    series, which the server resamples (each value up to 5 minutes old). A server that finds
    a piece too much is asked for half of it. While it is behind, a source does not wait
    between two questions.

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
        step: DurationLike | None = None,
        **options: Any,
    ) -> None:
        super().__init__(url, interval=interval, **options)
        self.match = (match,) if isinstance(match, str) else tuple(match or (EVERYTHING,))
        if not all(isinstance(text, str) and text.strip() for text in self.match):
            msg = f"match must be selectors such as 'up' or '{{job=\"shop\"}}', not {match!r}"
            raise SourceError(msg)
        self._step = None if step is None else parse_duration(step)
        if self._step is not None and self._step < 1_000_000:
            msg = f"the step {step!r} must be a millisecond or more"
            raise TimeError(msg)
        self.metadata_error: str | None = None
        self._lookback = parse_duration(lookback)
        self._span = LONGEST_NS if self._step is None else (MAX_POINTS - 1) * self._step
        self._asked_ns: int | None = None
        self._last: dict[SeriesKey, int] = {}
        self._known: dict[str, Metric] | None = None

    async def read(self, clock: Clock) -> Batch:
        """Ask for what came since the last answer."""
        if self._known is None:
            self._known = await self._metadata()
        now = clock.now_ns()
        if self._asked_ns is None:
            self._asked_ns = now - self._lookback
        since = self._asked_ns
        until = min(now, since + self._span)
        try:
            found = await self._ask(since, until)
        except SourceError as error:
            if any(text in str(error) for text in _TOO_MUCH):
                self._span = max(min(self._span, until - since) // 2, self._step or SHORTEST_NS)
            raise
        chunks: dict[SeriesKey, Chunk] = {}
        for key, times, values in found:
            new = times > self._last.get(key, -(2**63))
            if new.any() and key not in chunks:
                chunks[key] = Chunk(key, times[new], values[new])
        first_seen = {chunk.key.metric for chunk in chunks.values() if chunk.key not in self._last}
        for chunk in chunks.values():
            self._last[chunk.key] = int(chunk.times[-1])
        self._asked_ns = until
        self.is_behind = until < now
        metrics = tuple(self._known[name] for name in sorted(first_seen) if name in self._known)
        return Batch(tuple(chunks.values()), until, metrics)

    async def _ask(self, since: int, until: int) -> Found:
        found: Found = []
        for expr in self.match:
            if self._step is None:
                window = format_duration(max(1_000_000, until - since + OVERLAP_NS))
                path, params = "query", {"query": f"{expr}[{window}]", "time": _seconds(until)}
            else:
                # The step before is asked for again: samples may have reached the server late.
                begin = since // self._step * self._step
                end = max(begin, until // self._step * self._step)
                grid = {"start": _seconds(begin), "end": _seconds(end)}
                path, params = "query_range", {"query": expr, **grid, "step": _seconds(self._step)}
            page = await self.fetch(f"{self.url}/api/v1/{path}", params)
            if len(page) < LARGE:
                found += _series(self.shown, page, expr)
            else:
                found += await asyncio.to_thread(_series, self.shown, page, expr)
        return found

    async def _metadata(self) -> dict[str, Metric]:
        """Give what the server knows of its metrics; some servers know nothing."""
        try:
            data = _data(self.shown, await self.fetch(f"{self.url}/api/v1/metadata"))
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
            self.metadata_error = f"no metadata from {self.shown}: {error}"
            return {}


def _seconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e9:.3f}"


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


def _series(url: str, page: str, expr: str) -> Found:
    data = _data(url, page)
    found: Found = []
    try:
        for entry in data["result"]:
            names = dict(entry["metric"])
            key = SeriesKey(names.pop("__name__", "") or expr, Labels(names))
            pairs = entry.get("values", [])
            seconds = np.array([pair[0] for pair in pairs], dtype=np.float64)
            values = np.array([float(pair[1]) for pair in pairs], dtype=np.float64)
            found.append((key, np.round(seconds * 1e3).astype(np.int64) * 1_000_000, values))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"{url} answered in a form that is not a matrix of samples: {error!r}"
        raise SourceError(msg) from error
    return found
