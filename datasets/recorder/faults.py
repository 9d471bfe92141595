"""The faults and their random schedule.

A fault is a coroutine that makes the damage, waits, and undoes it; it returns only when the
undo is complete. :data:`KINDS` says what each kind is expected to move.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import asyncpg

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from stack import Stack

LATENCY = ("http_request_duration_seconds", "client_request_duration_seconds")
POOL = ("db_pool_connections", "db_pool_wait_seconds")
KINDS: dict[str, tuple[str, ...]] = {
    "cpu_hog": (
        "node_cpu_busy_ratio",
        "node_cpu_seconds_total",
        "node_load1",
        "node_procs_running",
        "node_pressure_cpu_waiting_seconds_total",
        "event_loop_lag_seconds",
        *LATENCY,
    ),
    "lock_contention": (
        "pg_locks_count",
        "pg_locks_waiting_count",
        "pg_stat_activity_waiting_count",
        "pg_stat_activity_max_tx_duration_seconds",
        *POOL,
        *LATENCY,
    ),
    "dropped_index": (
        "pg_stat_user_tables_seq_scan_total",
        "pg_stat_user_tables_seq_tup_read_total",
        "pg_stat_user_indexes_idx_scan_total",
        "pg_stat_database_tup_returned_total",
        "pg_stat_database_blks_hit_total",
        "node_cpu_busy_ratio",
        *LATENCY,
    ),
    "connection_leak": ("pg_stat_activity_count", "pg_stat_database_numbackends", *POOL),
    "memory_leak": (
        "process_resident_memory_bytes",
        "session_cache_entries",
        "node_memory_used_bytes",
        "node_memory_available_bytes",
    ),
    "disk_pressure": (
        "node_disk_written_bytes_total",
        "node_disk_writes_total",
        "node_disk_io_time_seconds_total",
        "node_disk_write_time_seconds_total",
        "node_pressure_io_waiting_seconds_total",
        "node_filesystem_free_bytes",
        "node_memory_dirty_bytes",
        "pg_stat_wal_sync_time_seconds_total",
        *LATENCY,
    ),
    "slow_network": ("pg_stat_activity_count", "http_requests_in_flight", *POOL, *LATENCY),
    "error_burst": ("http_requests_total", "client_requests_total"),
    "slow_release": ("app_build_info", *LATENCY),
    "stalled_worker": (
        "order_queue_length",
        "order_queue_oldest_age_seconds",
        "orders_processed_total",
    ),
    "traffic_surge": (
        "client_offered_requests_per_second",
        "client_requests_total",
        "http_requests_total",
        "nginx_http_requests_total",
        "pg_stat_database_xact_commit_total",
        "node_cpu_busy_ratio",
        "node_network_receive_bytes_total",
    ),
}
SEVERITIES = ("low", "medium", "high")

INDEXES = {
    "products_category_price_idx": (
        "CREATE INDEX products_category_price_idx ON products (category, price)"
    ),
    "orders_customer_id_idx": "CREATE INDEX orders_customer_id_idx ON orders (customer_id)",
}
HOG = "while True: sum(i * i for i in range(10000))"
WRITER = """
import os, sys
block = os.urandom(1 << 20)
index = 0
while True:
    path = f"{sys.argv[1]}-{index % 3}"
    with open(path, "wb") as out:
        for n in range(512):
            out.write(block)
            if n % 16 == 15:
                out.flush()
                os.fsync(out.fileno())
    index += 1
"""


@dataclass(frozen=True)
class Planned:
    """A fault of the schedule: when (seconds from the start), what, how long, how strong."""

    start: float
    kind: str
    duration: float
    severity: str
    seed: int


def make_schedule(
    seed: int,
    clean: float,
    blocks: int,
    block: float,
    kinds: list[str] | None = None,
    per_block: int = 7,
    quiet: float = 90.0,
    shortest: float = 60.0,
    longest: float = 110.0,
) -> list[Planned]:
    """Draw the faults: every kind once, then more kinds a second time, in random order.

    Each block of ``block`` seconds holds ``per_block`` faults at random times, with at least
    ``quiet`` seconds before each and after the last one.
    """
    rng = random.Random(seed)
    names = list(kinds or KINDS)
    drawn: list[str] = []
    while len(drawn) < blocks * per_block:
        drawn += rng.sample(names, len(names))
    drawn = drawn[: blocks * per_block]
    rng.shuffle(drawn)
    schedule = []
    for index in range(blocks):
        chosen = drawn[index * per_block : (index + 1) * per_block]
        lengths = [rng.uniform(shortest, longest) for _ in chosen]
        slack = block - sum(lengths) - quiet * (len(chosen) + 1)
        cuts = sorted(rng.uniform(0.0, max(0.0, slack)) for _ in chosen)
        time = clean + index * block
        for n, (kind, length) in enumerate(zip(chosen, lengths, strict=True)):
            start = time + quiet * (n + 1) + sum(lengths[:n]) + cuts[n]
            schedule.append(
                Planned(
                    round(start, 1),
                    kind,
                    round(length, 1),
                    rng.choice(SEVERITIES),
                    rng.randrange(1 << 30),
                )
            )
    return schedule


class Faults:
    """Makes and undoes the faults on a running stack."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession) -> None:
        self.stack = stack
        self.session = session

    async def run(self, planned: Planned) -> str:
        """Run one fault to the end of its undo and return its description."""
        method: Callable[..., Awaitable[str]] = getattr(self, planned.kind)
        level = SEVERITIES.index(planned.severity)
        return await method(planned.duration, level, random.Random(planned.seed))

    async def post(self, port: int, path: str, **order: Any) -> dict[str, Any]:
        """Send an order to a control endpoint; try again while the shop is too busy."""
        for attempt in range(6):
            try:
                async with self.session.post(
                    f"http://127.0.0.1:{port}{path}",
                    json=order,
                    timeout=aiohttp.ClientTimeout(total=10),
                ) as answer:
                    answer.raise_for_status()
                    return await answer.json()
            except (aiohttp.ClientError, TimeoutError):
                if attempt == 5:
                    raise
                await asyncio.sleep(1.0)
        raise AssertionError("unreachable")

    async def app(self, **order: Any) -> dict[str, Any]:
        """Send an order to the application."""
        return await self.post(self.stack.ports.app, "/admin/fault", **order)

    async def reset(self) -> None:
        """Bring everything back to normal, whatever state it is in; used after a failed fault."""
        for name in [n for n in self.stack.processes if n.startswith("fault-")]:
            await asyncio.to_thread(self.stack.end, name)
        for path in self.stack.work.glob("pressure-*"):
            path.unlink(missing_ok=True)
        await self.post(self.stack.ports.relay_control, "/control", seconds=0)
        await self.post(self.stack.ports.load, "/control", factor=1)
        await self.restore_indexes()
        await self.app(
            slowdown=0,
            error_share=0,
            error_route="",
            leak_bytes=0,
            worker_stalled=False,
            return_connections=True,
            free_memory=True,
        )

    async def restore_indexes(self) -> None:
        """Create the indexes that are missing."""
        db = await asyncpg.connect(self.stack.dsn, timeout=10.0)
        try:
            for statement in INDEXES.values():
                await db.execute(statement.replace("INDEX", "INDEX IF NOT EXISTS"), timeout=120.0)
        finally:
            await db.close()

    async def busy(self, name: str, code: str, count: int, seconds: float, *extra: str) -> None:
        """Run copies of a small Python program for some time, then end them."""
        names = [f"fault-{name}-{index}" for index in range(count)]
        try:
            for index, process in enumerate(names):
                arguments = [f"{item}-{index}" for item in extra]
                self.stack.spawn(process, [sys.executable, "-c", code, *arguments])
            await asyncio.sleep(seconds)
        finally:
            for process in names:
                await asyncio.to_thread(self.stack.end, process)

    async def cpu_hog(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Let busy processes compete for the processors."""
        count = 2 + level
        await self.busy("hog", HOG, count, seconds)
        return f"{count} busy processes compete for the processors"

    async def lock_contention(self, seconds: float, level: int, rng: random.Random) -> str:
        """Lock the orders again and again."""
        hold = 0.8 + 0.4 * level
        db = await asyncpg.connect(self.stack.dsn, timeout=10.0)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        try:
            while loop.time() < deadline:
                async with db.transaction():
                    await db.execute("LOCK TABLE orders IN EXCLUSIVE MODE", timeout=30.0)
                    await asyncio.sleep(hold * rng.uniform(0.8, 1.2))
                await asyncio.sleep(rng.uniform(0.3, 0.7))
        finally:
            await db.close()
        return f"table orders locked for about {hold:.1f} s again and again"

    async def dropped_index(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Drop an index that a route depends on."""
        index = list(INDEXES)[0 if level else 1]
        db = await asyncpg.connect(self.stack.dsn, timeout=10.0)
        try:
            await db.execute(f"DROP INDEX {index}", timeout=30.0)
            await asyncio.sleep(seconds)
        finally:
            with contextlib.suppress(asyncpg.PostgresError):
                await db.execute(INDEXES[index], timeout=120.0)
            await db.close()
        await self.restore_indexes()
        return f"index {index} dropped, then created again"

    async def connection_leak(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Take connections from the pool and keep them."""
        count = 14 + level
        step = 0.6 * seconds / count
        try:
            for _ in range(count):
                await self.app(leak_connections=1)
                await asyncio.sleep(step)
            await asyncio.sleep(0.4 * seconds)
        finally:
            await self.app(return_connections=True)
        return f"{count} of 16 pool connections taken one by one and kept"

    async def memory_leak(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Let every request leave something behind."""
        size = (64 + 64 * level) * 1024
        try:
            await self.app(leak_bytes=size)
            await asyncio.sleep(seconds)
        finally:
            await self.app(leak_bytes=0, free_memory=True)
        return f"every request leaves {size // 1024} KiB in the session cache"

    async def disk_pressure(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Write and flush large files beside the database."""
        base = self.stack.work / "pressure"
        try:
            await self.busy("writer", WRITER, 1 + level, seconds, str(base))
        finally:
            for path in base.parent.glob("pressure-*"):
                await asyncio.to_thread(Path.unlink, path, True)
        return f"{1 + level} processes write and flush large files"

    async def slow_network(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Delay what goes between the shop and the database."""
        delay = (0.003, 0.006, 0.012)[level]
        port = self.stack.ports.relay_control
        try:
            await self.post(port, "/control", seconds=delay, jitter=delay / 4)
            await asyncio.sleep(seconds)
        finally:
            await self.post(port, "/control", seconds=0)
        return f"{delay * 1e3:.0f} ms delay each way between the shop and the database"

    async def error_burst(self, seconds: float, level: int, rng: random.Random) -> str:
        """Let a share of the requests to one route fail."""
        route = rng.choice(["/search", "/cart", "/checkout", "/product"])
        share = (0.2, 0.4, 0.7)[level]
        try:
            await self.app(error_route=route, error_share=share)
            await asyncio.sleep(seconds)
        finally:
            await self.app(error_route="", error_share=0)
        return f"{share:.0%} of the requests to {route} answer 500"

    async def slow_release(self, seconds: float, _level: int, _rng: random.Random) -> str:
        """Make every request take 20 % longer."""
        try:
            await self.app(slowdown=0.2)
            await asyncio.sleep(seconds)
        finally:
            await self.app(slowdown=0)
        return "release 1.9.0 takes 20 % longer for every request, then rolled back to 1.8.0"

    async def stalled_worker(self, seconds: float, _level: int, _rng: random.Random) -> str:
        """Stop the order worker, then wait until it has caught up."""
        try:
            await self.app(worker_stalled=True)
            await asyncio.sleep(seconds)
        finally:
            await self.app(worker_stalled=False)
        for _ in range(120):
            if (await self.app())["queue"] < 20:
                break
            await asyncio.sleep(0.5)
        return "the order worker stands still, then works off the queue"

    async def traffic_surge(self, seconds: float, level: int, _rng: random.Random) -> str:
        """Multiply the arrivals."""
        factor = (2.5, 3.0, 4.0)[level]
        try:
            await self.post(self.stack.ports.load, "/control", factor=factor)
            await asyncio.sleep(seconds)
        finally:
            await self.post(self.stack.ports.load, "/control", factor=1)
        return f"{factor:g} times the usual traffic"
