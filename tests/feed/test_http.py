"""Servers that answer well, late, wrongly, too much or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from monitorlab.errors import SourceError
from monitorlab.feed import Backoff, LiveFeed, PrometheusSource, ScrapeSource, SimulatedClock
from monitorlab.model import MetricType
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
