"""Servers that answer well, late, wrongly, too much or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import pytest

from monitorlab.errors import SourceError, TimeError
from monitorlab.feed import Backoff, LiveFeed, PrometheusSource, ScrapeSource, SimulatedClock
from monitorlab.model import Labels, MetricType, SeriesKey
from monitorlab.storage import SeriesStore, is_stale

START = 1_767_225_600
PAGE = """# TYPE http_requests_total counter
# HELP http_requests_total Requests served.
http_requests_total{route="/"} 5
http_requests_total{route="/cart"} 2
# TYPE depth gauge
depth 3
"""
Answer = Callable[[httpx.Request], httpx.Response]


def feed_for(source: Any, seconds: float, **options: Any) -> tuple[LiveFeed, SeriesStore]:
    clock = SimulatedClock(START)
    store = SeriesStore()
    feed = LiveFeed(
        store, source, clock=clock, own_metrics=False, retry=Backoff(jitter=0.0), **options
    )

    async def main() -> None:
        feed.start()
        await clock.sleep(seconds)
        await feed.stop()

    asyncio.run(main())
    return feed, store


def scrape(answer: Answer, **options: Any) -> ScrapeSource:
    transport = httpx.MockTransport(answer)
    return ScrapeSource("http://shop:8000/metrics", interval="5s", transport=transport, **options)


def pages(*texts: str | int) -> Answer:
    waiting = list(texts)

    def answer(request: httpx.Request) -> httpx.Response:
        page = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(page, int):
            return httpx.Response(page, text="out of order")
        return httpx.Response(200, text=page)

    return answer


def test_a_page_is_scraped_with_instance_and_up() -> None:
    feed, store = feed_for(scrape(pages(PAGE), labels={"job": "shop"}), 11)
    (view,) = store.select('http_requests_total{route="/"}')
    assert view.labels == {"instance": "shop:8000", "job": "shop", "route": "/"}
    assert [(t - START * 10**9) // 10**9 for t in view.times.tolist()] == [0, 5, 10]
    assert store.metric("http_requests_total").type is MetricType.COUNTER
    assert store.select("up")[0].values.tolist() == [1.0, 1.0, 1.0]
    assert feed.status().errors == 0


def test_a_series_that_is_gone_gets_a_stale_marker() -> None:
    less = PAGE.replace('http_requests_total{route="/cart"} 2\n', "")
    _, store = feed_for(scrape(pages(PAGE, less)), 6)
    (gone,) = store.select('http_requests_total{route="/cart"}')
    assert is_stale(gone.values).tolist() == [False, True]


def test_a_failed_scrape_is_seen_and_up_is_zero() -> None:
    feed, store = feed_for(scrape(pages(PAGE, 500, PAGE)), 8)
    assert store.select("up")[0].values.tolist()[:3] == [1.0, 0.0, 1.0]
    assert "status 500: out of order" in feed.events[0].text
    (view,) = store.select("depth")
    assert is_stale(view.values).tolist()[:3] == [False, True, False]


def refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


def stall(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("", request=request)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refuse, "connection refused"),
        (stall, "ReadTimeout: no answer in time"),
        (pages("<html>not metrics</html>"), "is no metrics page"),
        (pages("depth 3\ndepth{ 4"), "line 2"),
        (lambda r: httpx.Response(200, content=b"\xff\xfe\x00"), "not text"),
        (lambda r: httpx.Response(200, text="x" * 2_000_000), "more than 1000000 bytes"),
    ],
)
def test_bad_answers_are_said_and_asked_again(answer: Answer, said: str) -> None:
    feed, store = feed_for(scrape(answer, max_bytes=1_000_000), 2)
    status = feed.status()
    assert said in str(status.last_error)
    assert status.errors >= 2
    assert set(store.select("up")[0].values.tolist()) == {0.0}


def test_the_accept_header_prefers_openmetrics_and_own_headers_are_sent() -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, text=PAGE)

    feed_for(scrape(answer, headers={"Authorization": "Bearer x"}), 1)
    assert seen[0]["accept"].startswith("application/openmetrics-text")
    assert seen[0]["authorization"] == "Bearer x"


@pytest.mark.parametrize("url", ["localhost:9090", "ftp://x", "http://", ""])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(SourceError, match="no address"):
        ScrapeSource(url)


class Prometheus:
    """As much of the HTTP API as the source asks."""

    def __init__(self, every: int = 5) -> None:
        self.every = every
        self.asked: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/metadata":
            data: Any = {"hits_total": [{"type": "counter", "help": "Hits.", "unit": ""}]}
            return httpx.Response(200, json={"status": "success", "data": data})
        asked = dict(request.url.params)
        self.asked.append(asked)
        at = float(asked["time"])
        window = asked["query"].split("[")[1].rstrip("]")
        from monitorlab.times import parse_duration

        since = at - parse_duration(window) / 1e9
        times = [t for t in range(START - 600, int(at) + 1) if t % self.every == 0 and t > since]
        labels = {"__name__": "hits_total", "job": "shop"}
        values = [[t, str(float(t - START))] for t in times]
        result = [{"metric": labels, "values": values}] if times else []
        return httpx.Response(
            200, json={"status": "success", "data": {"resultType": "matrix", "result": result}}
        )


def test_prometheus_gives_every_stored_sample_once() -> None:
    server = Prometheus()
    source = PrometheusSource(
        "http://prom:9090/", match="hits_total", interval="10s", lookback="1m",
        transport=httpx.MockTransport(server),
    )  # fmt: skip
    feed, store = feed_for(source, 61)
    (view,) = store.select("hits_total")
    seconds = [(t // 10**9) - START for t in view.times.tolist()]
    assert seconds[-1] == 60
    assert seconds == list(range(seconds[0], 61, 5))
    assert seconds[0] <= -55
    assert store.metric("hits_total").type is MetricType.COUNTER
    assert feed.status().late_samples == 0
    assert server.asked[0]["query"].startswith("hits_total[")


def test_prometheus_catches_up_an_hour_at_a_time() -> None:
    server = Prometheus(every=60)
    source = PrometheusSource(
        "http://prom:9090", interval="10s", lookback="3h", transport=httpx.MockTransport(server)
    )
    feed_for(source, 31)
    first = float(server.asked[0]["time"])
    assert first == START - 2 * 3600
    assert '{__name__=~".+"}' in server.asked[0]["query"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(200, text="<html>"), "did not answer with JSON"),
        (httpx.Response(200, text="[]"), "no object"),
        (httpx.Response(400, text="bad"), "status 400"),
        (
            httpx.Response(200, text=json.dumps({"status": "error", "error": "parse error"})),
            "parse error",
        ),
        (
            httpx.Response(200, text=json.dumps({"status": "success", "data": {"result": [3]}})),
            "not a matrix",
        ),
    ],
)
def test_what_is_no_prometheus_is_said(answer: httpx.Response, said: str) -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, content=answer.content)

    source = PrometheusSource("http://prom:9090", transport=httpx.MockTransport(reply))
    feed, _ = feed_for(source, 1)
    assert said in str(feed.status().last_error)
    assert source.metadata_error is not None


def test_an_empty_selector_is_refused() -> None:
    with pytest.raises(SourceError, match="selectors"):
        PrometheusSource("http://prom:9090", match=[" "])


class GridPrometheus:
    """A server's query_range: a limit of points, resampled values, a limit of samples."""

    def __init__(self, most_samples: int = 10**9) -> None:
        self.asked: list[dict[str, str]] = []
        self.most_samples = most_samples

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/api/v1/query_range":
            return httpx.Response(404, text="no metadata here")
        asked = dict(request.url.params)
        self.asked.append(asked)
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        points = int((end - start) / step) + 1
        if points > 11_000:
            text = "exceeded maximum resolution of 11,000 points per timeseries"
            return httpx.Response(400, json={"status": "error", "error": text})
        if points > self.most_samples:
            text = "query processing would load too many samples into memory"
            return httpx.Response(422, json={"status": "error", "error": text})
        values = [[start + n * step, str(start + n * step - START)] for n in range(points)]
        result = [{"metric": {"job": "shop"}, "values": values}]
        return httpx.Response(
            200, json={"status": "success", "data": {"resultType": "matrix", "result": result}}
        )


@pytest.mark.parametrize("most", [10**9, 3_000])
def test_prometheus_on_a_grid_comes_in_pieces_below_the_limit(most: int) -> None:
    server = GridPrometheus(most)
    source = PrometheusSource(
        "http://prom:9090", match="sum by (job) (up)", interval="10s", lookback="1d", step="1s",
        transport=httpx.MockTransport(server),
    )  # fmt: skip
    _, store = feed_for(source, 65)
    (view,) = store.select()
    assert view.key == SeriesKey("sum by (job) (up)", Labels(job="shop"))
    seconds = [t // 10**9 - START for t in view.times.tolist()]
    assert seconds == list(range(-86_400, seconds[-1] + 1))
    assert seconds[-1] >= 30
    assert view.values.tolist() == [float(s) for s in seconds]
    assert len(server.asked) >= 8


def test_a_step_of_nothing_is_refused() -> None:
    with pytest.raises(TimeError, match="millisecond"):
        PrometheusSource("http://prom:9090", step=pd.Timedelta("100us"))


class Slow:
    """A real server on loopback whose pages are as bad as pages get."""

    def __init__(self, page: bytes, *, declared: int | None = None) -> None:
        self.page = page
        self.declared = len(page) if declared is None else declared
        self.asked = self.hung_up = 0
        self.tasks: list[Any] = []

    async def __call__(self, reader: Any, writer: Any) -> None:
        self.asked += 1
        self.tasks.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.declared)
        try:
            sent = 0
            while sent < self.declared and self.page:
                writer.write(self.page)
                sent += len(self.page)
                await writer.drain()
            if not self.page:
                await reader.read()  # a server that never goes on
        except ConnectionError:
            self.hung_up += 1
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@pytest.mark.parametrize(
    ("page", "declared", "said"),
    [
        (b"x" * 65_536, 100_000_000, "more than 5000000 bytes"),
        (b"", 100, "took longer than"),
        (b"depth 3\n", None, ""),
    ],
)
def test_a_real_server_with_too_much_or_nothing_is_told_of_and_the_loop_lives(
    page: bytes, declared: int | None, said: str
) -> None:
    async def main() -> tuple[LiveFeed, int, int]:
        served = Slow(page, declared=declared)
        server = await asyncio.start_server(served, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        source = ScrapeSource(
            f"http://127.0.0.1:{port}/metrics", interval="50ms", timeout="100ms",
            max_bytes=5_000_000,
        )  # fmt: skip
        turns, heard = 0, asyncio.Event()
        feed = LiveFeed(SeriesStore(), source, own_metrics=False, retry=Backoff(first_seconds=0.01))
        feed.subscribe(lambda update: heard.set() if feed.status().batches >= 2 else None)
        async with feed:
            waiting = asyncio.create_task(heard.wait())
            while not waiting.done():
                turns += 1
                await asyncio.sleep(0)
        server.close()
        await server.wait_closed()
        await asyncio.gather(*served.tasks, return_exceptions=True)
        return feed, turns, served.asked

    feed, turns, asked = asyncio.run(main())
    assert asked >= 2
    assert turns > 50
    assert said in str(feed.status().last_error)
    assert len(feed.frame.select("up")) == 1
