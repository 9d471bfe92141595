"""The dashboard and the live view in a real JupyterLab in headless Chromium.

    python benchmarks/dashboard.py --minutes 10

Explore: ten million points from ``ml.Dashboard(mf)`` to painted lines, and from the end of a
zoom to the re-sampled lines. Live: eight panels of four series at ten samples a second, from a
sample's arrival in the kernel to its painting, bytes an update, memory over time, and a page
that stalls. Writes ``benchmarks/results/dashboard.json``; needs JupyterLab, Playwright and a
Chromium of the system.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.lab import browser, chromium, notebook, run_cell, serve, wait

RESULTS = Path(__file__).parent / "results" / "dashboard.json"
GOALS = {
    "first_draw_seconds": 2.0,
    "zoom_seconds": 0.3,
    "pixel_seconds_p95": 0.1,
    "bytes_an_update_and_panel": 2_000,
    "catch_up_seconds": 1.0,
}
EXPLORE = (
    """
    import time
    import numpy as np
    import monitorlab as ml
    import monitorlab.dashboard
    mf = ml.MonitoringFrame()
    rng = np.random.default_rng(0)
    times = 1_767_225_600_000_000_000 + np.arange({rows}, dtype=np.int64) * 1_000_000_000
    for shop in ("berlin", "lyon", "oslo", "porto"):
        values = np.cumsum(rng.normal(size=len(times))) + 50 * np.sin(np.arange(len(times)) / 9e4)
        mf.extend("queue_depth", times, values, labels={"shop": shop})
    """,
    """
    started = time.time()
    dash = ml.Dashboard(mf, ["queue_depth"])
    made = time.time()
    with open("explore.txt", "w") as file:
        print(started, made, file=file)
    dash
    """,
    """
    started = time.time()
    second = ml.Dashboard(mf, ["queue_depth"])
    made = time.time()
    with open("explore.txt", "w") as file:
        print(started, made, file=file)
    second
    """,
)
LIVE = (
    """
    import asyncio, json, math, os, time
    import monitorlab as ml
    from monitorlab.dashboard.live import LiveView
    from monitorlab.feed.batch import Batch, Source
    from monitorlab.model import Labels, SeriesKey
    from monitorlab.storage import SeriesStore

    KEYS = [
        [SeriesKey(f"metric{panel}", Labels(shop=shop)) for shop in ("a", "b", "c", "d")]
        for panel in range(8)
    ]

    class Beat(Source):
        name = "beat"

        async def batches(self, clock):
            tick, begin = 0, clock.monotonic()
            while True:
                values = {
                    key: 50 + 40 * math.sin(tick / 30 + i + panel)
                    for panel, keys in enumerate(KEYS)
                    for i, key in enumerate(keys)
                }
                yield Batch.of(values, clock.now_ns())
                tick += 1
                await clock.sleep(max(0.0, begin + tick / 10 - clock.monotonic()))

    # The frame forgets what is older than two minutes, so that memory can be seen to be flat.
    store = SeriesStore(max_age="2m")
    feed = ml.LiveFeed(store, Beat(), own_metrics=False)
    view = LiveView(feed, [f"metric{panel}" for panel in range(8)], span="1m")
    log = open("live.jsonl", "w")
    tick, hear = view.core.tick, view.core.hear

    def logged_tick(now):
        message = tick(now)
        if message is not None:
            rows = [b[1] for b in message.content["b"]]
            newest = feed.event_time.value / 1e9 if feed.event_time is not None else 0.0
            size = len(message.data) + len(json.dumps(message.content))
            print(json.dumps(["sent", message.content["n"], time.time(), newest, size, rows]), file=log)
        return message

    def logged_hear(content, now):
        if content.get("k") == "ack":
            for number, at in content["done"]:
                print(json.dumps(["ack", number, at / 1e3, content["seen"]]), file=log)
            print(json.dumps(["answer", content["n"], content["took"], content["drew"]]), file=log)
        hear(content, now)

    view.core.tick, view.core.hear = logged_tick, logged_hear

    async def watch():
        while True:
            with open("/proc/self/status") as file:
                rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
            print(json.dumps(["kernel", time.time(), rss, time.process_time()]), file=log, flush=True)
            with open("stats.json.part", "w") as file:
                json.dump(view.stats(), file)
            os.replace("stats.json.part", "stats.json")
            await asyncio.sleep(1.0)

    feed.start()
    watching = asyncio.get_running_loop().create_task(watch())
    view
    """,
)


def explore(page: Any, home: Path, rows: int, zooms: int) -> dict[str, Any]:
    """Time the first draw and several zooms."""
    run_cell(page, 0)
    prompt = page.locator(".jp-CodeCell").nth(0).locator(".jp-InputArea-prompt")
    wait(lambda: prompt.inner_text().strip() not in {"[ ]:", "[*]:"}, "the data", 300)
    drawn, made = _first_draw(page, home, 1)
    page.wait_for_timeout(4_000)
    taken = [_zoom(page, 0.2 + 0.05 * i, 0.3 + 0.05 * i) for i in range(zooms)]
    again, made_again = _first_draw(page, home, 2)
    return {
        "points": 4 * rows,
        "first_draw_seconds": drawn,
        "of_which_kernel_seconds": made,
        "next_draw_seconds": again,
        "next_of_which_kernel_seconds": made_again,
        "zoom_seconds": float(np.median(taken)),
        "zoom_seconds_each": taken,
        "goals": {k: GOALS[k] for k in ("first_draw_seconds", "zoom_seconds")},
    }


def _first_draw(page: Any, home: Path, number: int) -> tuple[float, float]:
    """Run the cell of a dashboard; seconds to its painted lines, and to the end of the cell."""
    page.evaluate(
        """number => {
          window.firstDrawn = 0;
          const look = () => {
            const cell = document.querySelectorAll(".jp-CodeCell")[number];
            const lines = cell.querySelectorAll(".ml-dash .scatterlayer .trace path.js-line");
            if (lines.length >= 4 && lines[0].getAttribute("d")) {
              const channel = new MessageChannel();
              channel.port1.onmessage = () => { window.firstDrawn = Date.now(); };
              channel.port2.postMessage(0);
              return;
            }
            requestAnimationFrame(look);
          };
          look();
        }""",
        number,
    )
    run_cell(page, number)
    drawn = wait(lambda: page.evaluate("window.firstDrawn"), "the first draw") / 1e3
    started, made = map(float, (home / "explore.txt").read_text().split())
    return drawn - started, made - started


def _zoom(page: Any, left: float, right: float) -> float:
    """Zoom with the mouse; seconds from the release to painted finer lines."""
    plot = page.locator(".ml-dash .js-plotly-plot .nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    y = box["y"] + box["height"] / 2
    page.evaluate(
        """() => {
          const gd = document.querySelector(".ml-dash .js-plotly-plot");
          const width = () => {
            const x = gd.data[0].x;
            return new Date(x[x.length - 1]).getTime() - new Date(x[0]).getTime();
          };
          const before = width();
          window.zoomed = 0;
          window.released = 0;
          document.addEventListener("mouseup", () => { window.released ||= Date.now(); }, { capture: true, once: true });
          const look = () => {
            if (window.released && width() < 0.5 * before) {
              requestAnimationFrame(() => {
                const channel = new MessageChannel();
                channel.port1.onmessage = () => { window.zoomed = Date.now(); };
                channel.port2.postMessage(0);
              });
              return;
            }
            setTimeout(look, 2);
          };
          look();
        }"""
    )
    page.mouse.move(box["x"] + box["width"] * left, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * right, y, steps=5)
    page.mouse.up()
    zoomed = wait(lambda: page.evaluate("window.zoomed"), "the finer lines", 30)
    taken = (zoomed - page.evaluate("window.released")) / 1e3
    page.mouse.dblclick(box["x"] + box["width"] / 2, y)
    page.wait_for_timeout(2_500)
    return float(taken)


def live(page: Any, home: Path, minutes: float, stall: float) -> dict[str, Any]:
    """Follow a feed for some minutes, then let the page stall.

    Garbage is collected before memory is read, so that what is kept is seen. The renderer grows
    with the answers of the page: with ten a second, one to each update, by 25 MB a minute in
    which no collection freed anything, some 40 kB each. For each answer JupyterLab loads its
    icon of a busy kernel, which is the likely cause. This is as watched through DevTools; two
    minutes left alone are too short to tell a trend from what the collections leave.
    """
    run_cell(page, 0)
    page.locator(".mll-panel").nth(7).wait_for()
    page.locator(".mll").evaluate("element => element.scrollIntoView()")
    browser_session = page.context.new_cdp_session(page)
    browser_session.send("Performance.enable")
    heaps: list[tuple[float, float, float]] = []
    begin = time.time()
    warm = begin + min(60.0, 20.0 * minutes)
    received = (0.0, 0)
    while time.time() - begin < 60 * minutes:
        page.wait_for_timeout(5_000)
        browser_session.send("HeapProfiler.collectGarbage")
        told = browser_session.send("Performance.getMetrics")["metrics"]
        heap = next(m["value"] for m in told if m["name"] == "JSHeapUsedSize")
        heaps.append((time.time(), heap, _renderer_bytes()))
        if not received[0] and time.time() > warm:
            received = (time.time(), page.got[0])
    seen = page.locator(".mll-rate").inner_text()
    picture = Path(__file__).parents[1] / "build" / "screenshots" / "live_benchmark.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    page.locator(".mll").screenshot(path=picture)
    until, came = time.time(), page.got[0] - received[1]
    page.evaluate(
        "ms => { const end = Date.now() + ms; while (Date.now() < end); return 0; }", stall * 1e3
    )
    resumed = time.time()
    page.wait_for_timeout(5_000)
    lines = [json.loads(line) for line in (home / "live.jsonl").read_text().splitlines()]
    sent = {n: (at, newest, size, rows) for kind, n, at, newest, size, rows in _only(lines, "sent")}
    acks = [(n, at, ok) for _, n, at, ok in _only(lines, "ack")]
    kernel = [(at, kib * 1024.0, cpu) for _, at, kib, cpu in _only(lines, "kernel")]
    steady = [(n, at) for n, at, ok in acks if ok and warm < at < until and n in sent]
    # An update carries the samples that came since the one before; the oldest counts.
    waits = np.array([at - _oldest(sent, n) for n, at in steady])
    sizes = np.array(
        [s for at, _, s, rows in sent.values() if warm < at < until and max(rows, default=0) < 20]
    )
    during = [n for n, (at, *_) in sent.items() if until + 1.0 < at < resumed]
    caught = [
        at for n, at, _ in acks if at > resumed - 0.5 and n in sent and at - sent[n][1] < 0.25
    ]
    stats = json.loads((home / "stats.json").read_text())
    cpu = [(t, c) for t, _, c in kernel if warm < t < until]
    return {
        "panels": 8,
        "series": 32,
        "minutes": minutes,
        "updates_a_second": len(steady) / (until - warm),
        "pixel_seconds_median": float(np.median(waits)),
        "pixel_seconds_p95": float(np.quantile(waits, 0.95)),
        "pixel_seconds_max": float(waits.max()),
        "kernel_own_figures": {k: v for k, v in stats.items() if "seconds" in k},
        "bytes_an_update_median": float(np.median(sizes)),
        "received_bytes_an_update_and_panel": came
        / 8
        / max(1, sum(received[0] < at < until for at, *_ in sent.values())),
        "bytes_an_update_and_panel": float(np.quantile(sizes, 0.95)) / 8,
        "kernel_processor_share": (cpu[-1][1] - cpu[0][1]) / (cpu[-1][0] - cpu[0][0]),
        "page_heap": _trend([(t, h) for t, h, _ in heaps if t > warm]),
        "page_process": _trend([(t, r) for t, _, r in heaps if t > warm]),
        "kernel_process": _trend([(t, r) for t, r, _ in kernel if warm < t < until]),
        "stall_seconds": resumed - until,
        "updates_sent_in_the_stall": len(during),
        "catch_up_seconds": max(0.0, min(caught) - resumed) if caught else None,
        "shown_in_the_page": seen,
        "goals": {
            k: GOALS[k]
            for k in ("pixel_seconds_p95", "bytes_an_update_and_panel", "catch_up_seconds")
        },
    }


def _only(lines: list[list[Any]], kind: str) -> list[list[Any]]:
    return [line for line in lines if line[0] == kind]


def _oldest(sent: dict[int, tuple[float, float, int, list[int]]], number: int) -> float:
    """Give when the oldest sample of an update was taken: ten a second, as many as it has rows."""
    _, newest, _, rows = sent[number]
    return newest - 0.1 * max(0, max(rows, default=1) - 1)


def _trend(points: list[tuple[float, float]]) -> dict[str, float]:
    """Give megabytes at the start and at the end, and the slope of the line through all."""
    at, size = np.array(points).T
    slope = float(np.polyfit(at - at[0], size, 1)[0]) if len(at) > 2 else float("nan")
    return {
        "first_mb": float(size[0] / 1e6),
        "last_mb": float(size[-1] / 1e6),
        "slope_mb_an_hour": slope * 3_600 / 1e6,
    }


def _renderer_bytes() -> float:
    """Resident memory of the largest renderer among the processes started from here."""
    listed = subprocess.run(
        ["ps", "-eo", "pid,ppid,rss,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[1:]
    rows = [line.split(None, 3) for line in listed]
    mine = {os.getpid()}
    for _ in range(8):
        mine |= {int(pid) for pid, parent, *_ in rows if int(parent) in mine}
    sizes = [int(r[2]) for r in rows if int(r[0]) in mine and "--type=renderer" in r[3]]
    return 1_024.0 * max(sizes, default=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=2.0, help="of the live part")
    parser.add_argument("--stall", type=float, default=30.0, help="seconds")
    parser.add_argument("--rows", type=int, default=2_500_000, help="of each of four series")
    parser.add_argument("--zooms", type=int, default=7)
    parser.add_argument("--only", choices=["explore", "live"])
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    if chromium() is None:
        sys.exit("there is no Chromium here")
    command = ["python", "benchmarks/dashboard.py", *sys.argv[1:]]
    result: dict[str, Any] = (
        json.loads(given.out.read_text()) if given.only and given.out.exists() else {}
    )
    result["machine"] = {
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        rows = [text.replace("{rows}", str(given.rows)) for text in EXPLORE]
        notebook(home / "explore.ipynb", rows)
        notebook(home / "live.ipynb", LIVE)
        with serve(home) as address:
            for name in ("explore", "live"):
                if given.only not in {None, name}:
                    continue
                load = os.getloadavg()[0]
                place = f"{address}/doc/tree/{name}.ipynb?token=monitorlab"
                with browser(place, counting=name == "live") as page:
                    if name == "explore":
                        found = explore(page, home, given.rows, given.zooms)
                    else:
                        found = live(page, home, given.minutes, given.stall)
                found["command"] = " ".join(command)
                found["nice"] = os.nice(0)
                found["load_before"] = load
                found["load_after"] = os.getloadavg()[0]
                found["page_errors"] = page.problems
                result[name] = found
                print(json.dumps({name: found}, indent=1))
    given.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
