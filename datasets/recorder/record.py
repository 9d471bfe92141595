"""Record the shop: start the system, drive it, break it on schedule, write what is measured."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from collect import CATALOG, Collector
from faults import KINDS, Faults, Planned, make_schedule
from stack import Ports, Stack
from store import Store, iso

LOG = logging.getLogger("recorder")
INTERVAL = 2.0
CHUNK = 600.0
TOLERANCE = INTERVAL / 100


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory of the recording")
    parser.add_argument("--seed", type=int, default=20261123, help="seed of schedule and load")
    parser.add_argument("--day", type=float, default=480.0, help="length of a 'day' in seconds")
    parser.add_argument("--warm-up", type=float, default=60.0, help="seconds before recording")
    parser.add_argument("--clean", type=float, default=32.0, help="clean minutes at the start")
    parser.add_argument("--blocks", type=int, default=3, help="blocks of seven faults")
    parser.add_argument("--block", type=float, default=30.5, help="minutes of a block")
    parser.add_argument(
        "--cpu", type=int, help="run everything on this processor and report only its figures"
    )
    parser.add_argument("--base-port", type=int, default=18080, help="first of six ports")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="smoke run: 30 s clean, then every chosen kind once for 16 s",
    )
    parser.add_argument("--minutes", type=float, help="stop after so many minutes")
    parser.add_argument(
        "--only-fault",
        choices=sorted(KINDS),
        action="append",
        help="take only this kind (may be repeated)",
    )
    return parser.parse_args()


def plan(options: argparse.Namespace) -> tuple[list[Planned], float]:
    """The schedule and the length of the recording in seconds."""
    if options.quick:
        kinds = options.only_fault or list(KINDS)
        schedule = [
            Planned(30.0 + 26.0 * index, kind, 16.0, "medium", index)
            for index, kind in enumerate(kinds)
        ]
        length = 30.0 + 26.0 * len(kinds)
    else:
        clean, block = options.clean * 60.0, options.block * 60.0
        schedule = make_schedule(options.seed, clean, options.blocks, block, options.only_fault)
        length = clean + options.blocks * block
    if options.minutes:
        length = min(length, options.minutes * 60.0)
    return [item for item in schedule if item.start < length], length


def provenance(options: argparse.Namespace, schedule: list[Planned]) -> dict[str, Any]:
    """What is needed to understand and repeat the recording."""

    def output(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip()

    postgres = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    packages = ("aiohttp", "asyncpg", "prometheus_client", "psutil", "pyarrow", "uvloop")
    return {
        "versions": {
            "python": platform.python_version(),
            "kernel": platform.release(),
            "nginx": output("nginx", "-v"),
            "postgresql": output(str(postgres), "-V"),
            **{name: version(name) for name in packages},
        },
        "host": {"cores": psutil.cpu_count(), "memory_bytes": psutil.virtual_memory().total},
        "parameters": {name: value for name, value in vars(options).items() if name != "out"},
        "interval_seconds": INTERVAL,
        "schedule": [asdict(item) for item in schedule],
    }


class Recording:
    """One run of the recorder."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.schedule, self.length = plan(options)
        self.store = Store(options.out)
        self.stack = Stack(Ports(options.base_port), options.seed, options.day)
        self.info = provenance(options, self.schedule)
        self.begin = 0.0
        self.monotonic = 0.0

    def save_info(self) -> None:
        """Write what is known so far about the recording and its metrics."""
        self.store.json("provenance.json", self.info)
        if CATALOG:
            self.store.json("metadata.json", CATALOG)

    async def run(self) -> None:
        """Record until the planned end or until cancelled; always clean up."""
        try:
            wait = 12.0 if self.options.quick else self.options.warm_up
            epoch = float(int(time.time()))
            await self.stack.start(epoch)
            LOG.info("the shop is up, warming up for %.0f s", wait)
            await asyncio.sleep(wait)
            collector = Collector(self.stack)
            try:
                await self.collect_and_break(collector)
            finally:
                await collector.close()
        finally:
            self.store.flush()
            self.info["end"] = iso(time.time())
            self.info["samples"] = self.store.rows
            self.info["series"] = len(self.store.series)
            self.save_info()
            self.stack.stop()

    async def collect_and_break(self, collector: Collector) -> None:
        """Collect to the end while the faults run beside."""
        await collector.tick()
        self.begin = (time.time() // INTERVAL + 2) * INTERVAL
        self.monotonic = time.monotonic() + self.begin - time.time()
        self.info["start"] = iso(self.begin)
        self.info["planned_end"] = iso(self.begin + self.length)
        if not self.options.quick:
            self.info["clean_end"] = iso(self.begin + self.options.clean * 60.0)
        if self.schedule:
            self.info["first_fault"] = iso(self.begin + self.schedule[0].start)
        self.save_info()
        LOG.info("recording from %s to %s", self.info["start"], self.info["planned_end"])
        breaking = asyncio.create_task(self.break_things(Faults(self.stack, collector.session)))
        try:
            await self.collect(collector)
        finally:
            breaking.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await breaking

    async def collect(self, collector: Collector) -> None:
        """Take a tick every two seconds; a tick that would be late by a whole step is left out."""
        step, flushed = 0, 0.0
        while (due := step * INTERVAL) < self.length:
            await asyncio.sleep(max(0.0, self.monotonic + due - time.monotonic()))
            taken, grid = time.time(), self.begin + due
            stamp = grid if abs(taken - grid) < TOLERANCE else taken
            samples = await collector.tick()
            self.store.add(round(stamp * 1000), samples)
            if due - flushed >= CHUNK:
                await asyncio.to_thread(self.store.flush)
                self.save_info()
                flushed = due
            if step % 30 == 0:
                LOG.info(
                    "%.0f s, %d samples, %d series, %d metrics",
                    due,
                    self.store.rows,
                    len(self.store.series),
                    len(CATALOG),
                )
            behind = int((time.monotonic() - self.monotonic - due) // INTERVAL)
            if behind:
                LOG.warning("%d ticks left out", behind)
            step += 1 + behind

    async def break_things(self, faults: Faults) -> None:
        """Run the faults of the schedule, with the quiet time kept when one ends late."""
        quiet, last_end = (5.0 if self.options.quick else 90.0), 0.0
        for item in self.schedule:
            now = time.monotonic() - self.monotonic
            start = max(item.start, last_end + quiet if last_end else 0.0)
            await asyncio.sleep(max(0.0, start - now))
            begin = time.time()
            LOG.info("fault %s (%s) for %.0f s", item.kind, item.severity, item.duration)
            try:
                text = await faults.run(item)
            except Exception as error:
                LOG.exception("fault %s failed", item.kind)
                text = f"failed: {error!r}"
                await self.recover(faults)
            end = time.time()
            last_end = time.monotonic() - self.monotonic
            self.store.incident(
                start=iso(begin),
                end=iso(end),
                kind=item.kind,
                metrics=";".join(KINDS[item.kind]),
                severity=item.severity,
                description=text,
            )
            LOG.info("fault %s is undone: %s", item.kind, text)

    async def recover(self, faults: Faults) -> None:
        """Undo everything after a failed fault; restart the application if that fails too."""
        try:
            await faults.reset()
        except Exception:
            LOG.exception("reset failed")
            await self.stack.restart_app()


async def main() -> None:
    options = arguments()
    if os.geteuid() != 0:
        sys.exit("the recorder needs root (it runs PostgreSQL and nginx under their own users)")
    os.setpriority(os.PRIO_PROCESS, 0, -5)
    if options.cpu is not None:
        os.sched_setaffinity(0, {options.cpu})  # every process started from here inherits it
    options.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        handlers=[logging.StreamHandler(), logging.FileHandler(options.out / "recorder.log")],
    )
    logging.Formatter.converter = time.gmtime
    recording = Recording(options)
    task = asyncio.create_task(recording.run())
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    asyncio.run(main())
