"""A real JupyterLab in a real browser: pick, zoom, brush, mark, follow a replay, stop, turn dark.

Screenshots go to ``build/screenshots``. Needs JupyterLab, Playwright and a Chromium of the
system; skipped with a reason where one is missing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("lab")]

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"
PATIENCE_SECONDS = 120  # a shared core is slow
TOKEN = "monitorlab"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
CELLS = [
    """
    import json, pathlib, sys
    sys.path.insert(0, {folder!r})
    from shop import shop
    import monitorlab as ml
    mf = shop()
    dash = ml.Dashboard(mf)
    def keep(_):
        state = {**dash.choices.to_dict(), "marked": mf.incidents["kind"].tolist()}
        pathlib.Path("new.json").write_text(json.dumps(state))
        pathlib.Path("new.json").replace("state.json")
    dash.choices.observe(keep)
    dash.inspector.message.observe(keep, "value")
    keep(None)
    dash
    """,
    """
    recorded = shop(600)
    rule = ml.AlertRule("QueueLong", "avg_over_time(queue_depth[30s]) > 10", for_="10s")
    source = ml.sources.Replay(recorded, speed=20)
    feed = ml.LiveFeed(ml.MonitoringFrame(), source, rules=rule)
    feed.start()
    ml.Dashboard(feed, span="15m")
    """,
    "await feed.stop()\nfeed.state.value",
]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _notebook(folder: Path) -> None:
    import textwrap

    shop = str(ROOT / "tests" / "dashboard")
    cells = [
        {
            "cell_type": "code", "id": f"cell{n}", "metadata": {}, "outputs": [],
            "execution_count": None, "source": textwrap.dedent(text).strip().replace("{folder!r}", repr(shop)),
        }
        for n, text in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "shop.ipynb").write_text(json.dumps(book))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab is not installed")
    home = tmp_path_factory.mktemp("lab")
    _notebook(home)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    port = _free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={home}",
    ]  # fmt: skip
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(lambda: _answers(f"{address}/api?token={TOKEN}"), "the server", server, home)
            yield f"{address}/doc/tree/shop.ipynb?token={TOKEN}", home
        finally:
            server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)
            if server.poll() is None:
                server.kill()
                server.wait()


@pytest.fixture(scope="module")
def page(lab: tuple[str, Path]) -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser_path = next((path for name in names if (path := shutil.which(name))), None)
    SHOTS.mkdir(parents=True, exist_ok=True)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        one = browser.new_page(viewport={"width": 1280, "height": 1000})
        one.set_default_timeout(PATIENCE_SECONDS * 1000)
        one.problems = []
        one.outside = []
        one.said = []
        one.on("pageerror", lambda error: one.problems.append(str(error)))
        one.on("console", lambda line: one.said.append(f"{line.type}: {line.text}"))
        one.on("request", lambda request: one.outside.append(request.url))
        one.goto(lab[0])
        yield one
        one.screenshot(path=SHOTS / "lab_last.png")
        (SHOTS / "console.txt").write_text("\n".join([*one.said, *one.problems]))
        browser.close()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _wait(
    condition: Callable[[], Any], what: str, server: Any = None, home: Path | None = None
) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        if server is not None and server.poll() is not None and home is not None:
            pytest.fail(f"the server ended: {(home / 'server.log').read_text()[-2000:]}")
        time.sleep(0.2)
    return pytest.fail(f"{what} did not come in {PATIENCE_SECONDS} s")


def _choice(home: Path, name: str) -> Any:
    try:
        return json.loads((home / "state.json").read_text())[name]
    except (OSError, ValueError):
        return None


def _shoot(page: Any, dash: Any, name: str) -> None:
    """Take a picture of a dashboard on a small and on a large screen."""
    for width in (1920, 1280):
        page.set_viewport_size({"width": width, "height": 1000})
        dash.scroll_into_view_if_needed()
        page.wait_for_timeout(1500)
        dash.screenshot(path=SHOTS / f"{name}_{width}.png")
        room = dash.locator(".ml-plots").bounding_box()
        drawn = dash.locator(".js-plotly-plot .main-svg").first.bounding_box()
        assert abs(room["width"] - drawn["width"]) < 3, f"{name} does not fit at {width} px"


def _drag(page: Any, box: Any, start: float, end: float) -> None:
    """Drag across a part of a box with the mouse."""
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, y, steps=6)
    page.mouse.up()


def _run_cell(page: Any, number: int) -> Any:
    """Run one cell and give it."""
    cell = page.locator(".jp-CodeCell").nth(number)
    prompt = cell.locator(".jp-InputArea-prompt")

    def ran() -> bool:
        # A key pressed while the page still loads is lost, so it is pressed again.
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(3000)
        return bool(prompt.inner_text().strip() != "[ ]:")

    _wait(ran, f"the start of cell {number}")
    return cell


def _open_dashboard(page: Any, number: int) -> Any:
    """Run one cell and give its dashboard."""
    cell = _run_cell(page, number)
    dash = cell.locator(".ml-dash")
    dash.locator(".js-plotly-plot .main-svg").first.wait_for()
    return dash


def test_history_then_a_live_replay(page: Any, lab: tuple[str, Path]) -> None:
    home = lab[1]
    page.locator(".jp-CodeCell .cm-content").first.wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(
        state="attached"
    )
    dash = _open_dashboard(page, 0)

    # History: the default picture.
    assert dash.locator(".ml-tile").count() == 5
    dash.locator(".scatterlayer .trace").nth(5).wait_for()
    assert dash.locator(".js-plotly-plot").count() == 1
    _shoot(page, dash, "dashboard_light")
    page.screenshot(path=SHOTS / "lab_light.png")
    figure = dash.locator(".js-plotly-plot").bounding_box()
    assert figure["width"] > 0.9 * dash.bounding_box()["width"]

    # Every field has a name, for screen readers and for the keyboard.
    unnamed = dash.evaluate(
        "e => [...e.querySelectorAll('input, select')].filter("
        "f => !f.getAttribute('aria-label') && !f.title).length"
    )
    assert unnamed == 0

    # Pick a metric by typing part of its name.
    picker = dash.locator("input.jupyter-widget-taginput").first
    picker.click()
    picker.press_sequentially("queue_depth")
    picker.press("Tab")
    _wait(lambda: _choice(home, "metrics") == ["queue_depth"], "the picked metric")
    _wait(lambda: dash.locator(".ml-tile").count() == 1, "one tile")
    _shoot(page, dash, "dashboard_metric")

    # Zoom with the mouse: the kernel gets the range and gives finer data.
    _drag(page, dash.locator(".nsewdrag").first.bounding_box(), 0.45, 0.65)
    zoom = _wait(lambda: _choice(home, "zoom"), "the zoom")
    assert 0.15 < (zoom[1] - zoom[0]) / 1798e9 < 0.25
    dash.get_by_title("Back to the whole range").click()
    _wait(lambda: _choice(home, "zoom") == [], "the end of the zoom")

    # The strip zooms too, by mouse and by keyboard.
    strip = dash.locator(".ml-strip")
    _drag(page, strip.bounding_box(), 0.4, 0.7)
    zoom = _wait(lambda: _choice(home, "zoom"), "the zoom of the strip")
    assert 0.25 < (zoom[1] - zoom[0]) / 1798e9 < 0.35
    strip.focus()
    page.keyboard.press("ArrowRight")
    _wait(lambda: _choice(home, "zoom") not in (zoom, []), "the moved zoom")
    page.keyboard.press("Escape")
    _wait(lambda: _choice(home, "zoom") == [], "the whole range")

    # Brush a span: what happened, what else changed; then mark it.
    dash.get_by_title("Drag with the mouse to look into a span").click()
    _wait(lambda: _choice(home, "drag") == "select", "the brush")
    dash.locator(".ml-brushing").wait_for()
    _drag(page, dash.locator(".nsewdrag").first.bounding_box(), 0.5, 0.6)
    span = _wait(lambda: _choice(home, "selection"), "the selection")
    assert 0.08 < (span[1] - span[0]) / 1798e9 < 0.12
    dash.locator(".ml-findings", has_text="QueueLong").wait_for()
    assert dash.locator(".ml-change").count() > 2
    _shoot(page, dash, "dashboard_brush")
    dash.get_by_title("Kind of the incident").locator("visible=true").fill("slow")
    page.keyboard.press("Enter")
    dash.get_by_title("Put it among the incidents").click()
    _wait(lambda: "slow" in _choice(home, "marked"), "the incident")
    dash.get_by_title("Close the selection").click()
    dash.get_by_title("Drag with the mouse to look into a span").click()
    _wait(lambda: _choice(home, "drag") != "select", "the end of the brush")
    dash.locator(".ml-brushing").wait_for(state="detached")
    dash.get_by_title("Close the selection").wait_for(state="hidden")
    page.wait_for_timeout(500)  # the panels take the room of the selection

    # A click on a band says why it is there.
    box = dash.locator(".nsewdrag").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.53, box["y"] + box["height"] * 0.7)
    dash.locator(".ml-why", has_text="queue_depth > 15").first.wait_for()
    dash.get_by_title("Close the selection").click()
    _wait(lambda: _choice(home, "selection") == [], "no selection")

    # A wrong expression is said in place, a right one gets its panel.
    promql = dash.locator(".ml-promql input")
    promql.fill("rate(queue_depth[")
    promql.press("Enter")
    dash.locator(".ml-message", has_text="rate(queue_depth[").wait_for()
    page.wait_for_timeout(500)
    dash.screenshot(path=SHOTS / "dashboard_error.png")
    promql.fill("max_over_time(queue_depth[1m])")
    promql.press("Enter")
    _wait(lambda: dash.locator(".ml-message").count() == 0, "the end of the message")
    promql.fill("")
    promql.press("Enter")
    dash.locator(".jupyter-widget-tag-close").first.click()
    _wait(lambda: _choice(home, "metrics") == [], "no metric")

    # Live: a replay runs in the kernel, the picture follows, an alert turns red.
    live = _open_dashboard(page, 1)
    live.locator(".ml-status", has_text="running").wait_for()
    first = live.locator(".ml-status").inner_text()
    _wait(lambda: live.locator(".ml-status").inner_text() != first, "a newer picture")
    live.locator(".ml-firing").wait_for()
    _shoot(page, live, "dashboard_live")
    stopped = _run_cell(page, 2)
    stopped.locator(".jp-OutputArea-output", has_text="closed").wait_for()
    live.locator(".ml-status", has_text="closed").wait_for()

    # The notebook turns dark and the dashboards with it.
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).hover()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^JupyterLab Dark$")).click()
    page.locator(".ml-dash.ml-dark").nth(1).wait_for()
    _shoot(page, dash, "dashboard_dark")
    page.screenshot(path=SHOTS / "lab_dark.png")
    dash.get_by_title("Statistics, events and changes of what is shown").click()
    dash.locator(".ml-findings", has_text="What else changed").wait_for()
    _shoot(page, dash, "dashboard_dark_brush")

    assert page.problems == []
    foreign = [
        url
        for url in page.outside
        if not url.startswith(("http://127.0.0.1", "data:", "blob:", "ws://127"))
    ]
    assert foreign == []
