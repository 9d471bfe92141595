"""A real Prometheus that scrapes a real node-exporter on loopback, read in every way we have.

Debian: ``apt-get install prometheus prometheus-node-exporter``. Without them skipped, unless
MONITORLAB_REQUIRE_PROMETHEUS=1.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import monitorlab as ml
from monitorlab.errors import SourceError
from monitorlab.feed import Backoff, LiveFeed, PrometheusSource, ScrapeSource
from monitorlab.model import MetricType

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

EXPORTERS = ("prometheus-node-exporter", "node_exporter")
PATIENCE = 30.0


@dataclass(frozen=True)
class Place:
    """Where the two servers are."""

    prometheus: str
    exporter: str
    since: float


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def until(what: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < ends, "the servers took too long"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    exporter = next((path for name in EXPORTERS if (path := shutil.which(name))), None)
    server = shutil.which("prometheus")
    if server is None or exporter is None:
        reason = "prometheus and prometheus-node-exporter are not both installed"
        if os.environ.get("MONITORLAB_REQUIRE_PROMETHEUS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("prometheus")
    ports = free_port(), free_port()
    config = f"""
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{ports[1]}"]}}]
"""
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    commands = (
        [
            server,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{ports[0]}",
            "--log.level=error",
        ],
        [exporter, f"--web.listen-address=127.0.0.1:{ports[1]}", "--log.level=error"],
    )
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    found = Place(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", time.time())
    try:
        until(lambda: answers(f"{found.prometheus}/-/ready"))
        until(lambda: answers(f"{found.exporter}/metrics"))
        up = f"{found.prometheus}/api/v1/query?query=count_over_time(node_load1[1m])>=5"

        def scraped() -> bool:
            with urllib.request.urlopen(up, timeout=5) as answer:
                return b'"value"' in answer.read()

        until(scraped)
        yield found
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=20)


def follow(feed: LiveFeed, enough: Callable[[LiveFeed], bool]) -> LiveFeed:
    """Run a feed until it has enough."""

    async def main() -> None:
        done = asyncio.Event()
        feed.subscribe(lambda update: done.set() if enough(feed) else None)
        async with feed:
            await asyncio.wait_for(done.wait(), PATIENCE)

    asyncio.run(main())
    return feed


def test_the_exporters_page_is_scraped_live(place: Place, tmp_path: Path) -> None:
    mf = ml.MonitoringFrame()
    source = ScrapeSource(f"{place.exporter}/metrics", interval="200ms", labels={"job": "node"})
    rule = ml.AlertRule("HasLoad", "node_load1 >= 0", severity="info")
    feed = LiveFeed(mf, source, rules=[rule], interval="1s").persist(tmp_path / "node.parquet")
    follow(feed, lambda feed: feed.status().batches >= 12 and bool(feed.firing))
    assert feed.status().errors == 0
    assert mf.store.metric("node_cpu_seconds_total").type is MetricType.COUNTER
    assert mf.store.metric("node_load1").type is MetricType.GAUGE
    assert feed.firing[0].startswith("HasLoad{")
    busy = mf.query("sum(rate(node_cpu_seconds_total[30s]))")
    assert busy["value"].iloc[0] > 0
    assert mf.store.select("up")[0].values.min() == 1.0
    kept = ml.read_parquet(tmp_path / "node.parquet")
    for view in mf.store.select('{__name__=~"node_.*"}'):
        assert np.array_equal(kept.store.view(view.key).times, view.times)


def test_stored_samples_come_from_the_server_once_each(place: Place) -> None:
    mf = ml.MonitoringFrame()
    match = ["node_load1", 'node_cpu_seconds_total{mode="idle"}', "up"]
    source = PrometheusSource(place.prometheus, match=match, interval="500ms", lookback="1m")
    feed = follow(LiveFeed(mf, source, own_metrics=False), lambda feed: feed.status().batches >= 6)
    assert feed.status().errors == 0
    (view,) = mf.store.select("node_load1")
    gaps = np.diff(view.times) / 1e9
    assert len(view) >= 6
    assert np.median(gaps) == pytest.approx(1.0, abs=0.2)
    assert mf.store.metric("node_cpu_seconds_total").type is MetricType.COUNTER
    assert source.metadata_error is None
    # The server itself says the same of the same time.
    at = view.times[len(view) // 2] / 1e9
    text = f"{place.prometheus}/api/v1/query?query=node_load1&time={at:.3f}"
    with urllib.request.urlopen(text, timeout=5) as answer:
        told = pd.read_json(answer, typ="series")["data"]["result"][0]["value"][1]
    assert float(told) == view.values[len(view) // 2]


def test_everything_of_a_server_fits_and_agrees_with_a_scrape(place: Place) -> None:
    mf = ml.MonitoringFrame()
    source = PrometheusSource(place.prometheus, interval="500ms")
    follow(LiveFeed(mf, source, own_metrics=False), lambda feed: feed.status().batches >= 2)
    scraped = ml.MonitoringFrame()
    page = ScrapeSource(f"{place.exporter}/metrics", interval="500ms", labels={"job": "node"})
    follow(LiveFeed(scraped, page, own_metrics=False), lambda feed: feed.status().batches >= 1)
    ours = {key for key in scraped.store.keys if key.metric.startswith("node_")}
    theirs = {key for key in mf.store.keys if key.metric.startswith("node_")}
    assert len(ours) > 100
    # A process may come or go between the two; all but a few series are the same.
    assert len(ours ^ theirs) <= 0.05 * len(ours)


def test_a_grid_over_days_comes_in_pieces_the_server_accepts(place: Place) -> None:
    mf = ml.MonitoringFrame()
    source = PrometheusSource(
        place.prometheus, match="node_load1", interval="500ms", lookback="9h", step="1s"
    )
    feed = LiveFeed(mf, source, own_metrics=False)
    follow(feed, lambda feed: bool(mf.store.select("node_load1")))
    assert feed.status().errors == 0  # 32 400 points: the server refuses more than 11 000
    assert feed.status().batches >= 3
    with pytest.raises(SourceError, match="11,000"):
        _ask_at_once(place)


def _ask_at_once(place: Place) -> None:
    source = PrometheusSource(
        place.prometheus, match="node_load1", interval="500ms", lookback="9h", step="1s"
    )
    source._span = 10**15
    feed = LiveFeed(None, source, own_metrics=False, retry=Backoff(attempts=0))
    feed.run()


def test_history_is_read_by_steps(place: Place) -> None:
    end = time.time()
    mf = ml.read_prometheus(place.prometheus, "node_load1", end - 4 * 3600, end, step="1s")
    series = mf.series("node_load1")  # 14 400 steps, two pieces
    assert len(series) >= 5
    assert mf.metrics.loc["node_load1", "type"] == "gauge"


def test_a_server_that_goes_away_and_comes_back(place: Place) -> None:
    """The feed shows the error, says up 0, and goes on when the page is there again."""
    port = free_port()
    page = b"depth 3\n"
    mf = ml.MonitoringFrame()
    source = ScrapeSource(f"http://127.0.0.1:{port}/metrics", interval="50ms", timeout="500ms")
    feed = LiveFeed(mf, source, own_metrics=False, retry=Backoff(first_seconds=0.02))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(page) + page)
        await writer.drain()
        writer.close()

    async def main() -> None:
        seen = asyncio.Condition()

        async def notify() -> None:
            async with seen:
                seen.notify_all()

        tasks = set()

        def heard(update: object) -> None:
            task = asyncio.get_running_loop().create_task(notify())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        async def up_is(value: float) -> None:
            async with seen:
                await asyncio.wait_for(
                    seen.wait_for(
                        lambda: any(v.values[-1] == value for v in mf.store.select("up"))
                    ),
                    PATIENCE,
                )

        feed.subscribe(heard)
        async with feed:
            await up_is(0.0)
            assert "connection" in repr(feed).lower()
            server = await asyncio.start_server(serve, "127.0.0.1", port)
            await up_is(1.0)
            server.close()
            await server.wait_closed()
            await up_is(0.0)
            assert feed.state.value == "running"
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert mf.store.select("depth")[0].values[0] == 3.0
