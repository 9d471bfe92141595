"""The live view in a real JupyterLab: follow, see an alert fire, pause, scroll, stall, reload.

Screenshots go to ``build/screenshots``. Skipped with a reason where JupyterLab, Playwright, a
Chromium or the built program is missing.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lab import browser, notebook, run_cell, serve, wait

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("lab")]

SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PATIENCE = 120.0
CELL = """
import asyncio, json, math, os
import monitorlab as ml
from monitorlab.dashboard.live import LiveView
from monitorlab.feed.batch import Batch, Source
from monitorlab.model import Labels, SeriesKey

class Shop(Source):
    name = "shop"

    async def batches(self, clock):
        tick = 0
        while True:
            values = {
                SeriesKey("latency_ms", Labels(shop=shop)): 80 + 30 * math.sin(tick / 20 + i)
                for i, shop in enumerate(("berlin", "lyon", "oslo"))
            }
            values[SeriesKey("cpu_busy_ratio", Labels())] = 0.5 + 0.45 * math.sin(tick / 25)
            # Quiet for a while, then up for long: every state is seen on the way.
            values[SeriesKey("queue_depth", Labels())] = 20.0 if tick > 60 else 3.0
            yield Batch.of(values, clock.now_ns())
            tick += 1
            await clock.sleep(0.1)

frame = ml.MonitoringFrame()
frame.describe_metric("latency_ms", unit="ms", direction="up")
frame.describe_metric("cpu_busy_ratio", unit="ratio", direction="up")
rules = [
    ml.AlertRule("QueueLong", "queue_depth > 10", for_="3s", severity="critical"),
    ml.AlertRule("Silent", "absent(latency_ms)", for_="3s"),
]
feed = ml.LiveFeed(frame, Shop(), rules=rules, interval="1s", name="e2e").start()
panels = [
    {"expr": "avg(latency_ms)", "kind": "stat", "unit": "ms", "title": "mean latency"},
    {"expr": "cpu_busy_ratio", "kind": "gauge", "unit": "ratio", "bad": "up"},
    {"expr": "latency_ms", "unit": "ms"},
    {"expr": "queue_depth"},
    {"expr": "max(latency_ms", "title": "a wrong one"},
]
view = LiveView(feed, panels, span="1m")

async def tell():
    while True:
        with open("live.json.part", "w") as file:
            json.dump(view.stats() | {"under_way": view.core.flow.under_way(0.0)}, file)
        os.replace("live.json.part", "live.json")
        await asyncio.sleep(0.2)

telling = asyncio.get_running_loop().create_task(tell())
view
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab is not installed")
    from monitorlab.dashboard.live import bundle

    if bundle() is None:
        pytest.skip("the live view's program is not built: pip install -e . builds it")
    home = tmp_path_factory.mktemp("live")
    notebook(home / "live.ipynb", [CELL])
    with serve(home, patience=PATIENCE) as address:
        yield f"{address}/doc/tree/live.ipynb?token=monitorlab", home


def _told(home: Path) -> dict[str, Any]:
    try:
        return json.loads((home / "live.json").read_text())
    except OSError:
        return {}


def _seconds(view: Any) -> float:
    """Time of the newest sample on the screen, seconds of the day."""
    hours, minutes, seconds = re.search(
        r"(\d\d):(\d\d):(\d\d)", view.locator(".mll-state").inner_text()
    ).groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def test_a_feed_live(lab: tuple[str, Path]) -> None:
    address, home = lab
    pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    SHOTS.mkdir(parents=True, exist_ok=True)
    with browser(address, patience=PATIENCE) as page:
        cell = run_cell(page, 0)
        view = cell.locator(".mll")
        view.wait_for()
        view.evaluate("element => element.scrollIntoView()")

        # All panels, and a wrong expression said in its place.
        wait(lambda: view.locator(".mll-tile").count() == 2, "the tiles", PATIENCE)
        assert view.locator(".mll-panel").count() == 3
        view.locator(".mll-legend", has_text="berlin").wait_for()
        view.locator(".mll-problem", has_text="max(latency_ms").wait_for()
        number = view.locator(".mll-number").first
        wait(lambda: re.fullmatch(r"[\d.]+", number.inner_text()), "a number", PATIENCE)

        # An alert goes through its states and turns red; the other stays as it is.
        chip = view.locator(".mll-lane", has_text="QueueLong").locator(".mll-chip")
        wait(lambda: chip.inner_text() == "firing", "the alert", PATIENCE)
        assert chip.get_attribute("data-severity") == "critical"
        quiet = view.locator(".mll-lane", has_text="Silent").locator(".mll-chip")
        assert quiet.inner_text() == "inactive"
        wait(lambda: "updates/s" in view.locator(".mll-rate").inner_text(), "the rate", PATIENCE)
        view.screenshot(path=SHOTS / "live_light.png")

        # By keyboard: pause, scroll back, zoom, follow.
        view.focus()
        page.keyboard.press(" ")
        wait(lambda: "Follow" in view.locator(".mll-pause").inner_text(), "the pause", 20)
        paused = _seconds(view)
        updates = _told(home)["updates"]
        wait(lambda: _told(home)["updates"] > updates + 5, "updates while paused", PATIENCE)
        assert _seconds(view) == paused
        page.keyboard.press("-")
        span = view.locator("select")
        wait(lambda: span.input_value() == "300", "a longer span", 20)
        for _ in range(2):
            page.keyboard.press("+")
        wait(lambda: span.input_value() == "30", "a shorter span", 20)
        page.keyboard.press("+")
        wait(lambda: span.input_value() == "15", "a shorter span", 20)
        wait(lambda: (page.keyboard.press("ArrowLeft"), _seconds(view) < paused)[1], "older", 60)
        page.keyboard.press("End")
        wait(lambda: _seconds(view) > paused, "the newest", PATIENCE)
        assert "Pause" in view.locator(".mll-pause").inner_text()

        # A legend shows and hides its line.
        key = view.locator(".mll-key", has_text="lyon")
        key.click()
        assert key.get_attribute("aria-pressed") == "false"
        key.click()
        assert key.get_attribute("aria-pressed") == "true"

        # A page that stalls is not sent more and more, and catches up.
        before = _told(home)["updates"]
        page.evaluate("const end = Date.now() + 12000; while (Date.now() < end);")
        assert _told(home)["updates"] - before <= 62  # of 120: five seconds and a third, and tries
        stalled = _seconds(view)
        wait(lambda: _seconds(view) >= stalled + 3, "what came meanwhile", PATIENCE)

        # It follows the notebook's theme.
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).hover()
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^JupyterLab Dark$")).click()
        page.locator(".mll.mll-dark").wait_for()
        page.wait_for_timeout(1000)
        view.screenshot(path=SHOTS / "live_dark.png")

        assert page.problems == []
        ours = ("http://127.0.0.1", "data:", "blob:", "ws://127")
        assert [url for url in page.outside if not url.startswith(ours)] == []
    # The page has gone; the kernel goes on and soon sends nothing more.
    wait(lambda: _still(home), "the end of the updates", PATIENCE)


def _still(home: Path) -> bool:
    import time

    before = _told(home)["updates"]
    time.sleep(1.5)
    return bool(_told(home)["updates"] == before)
