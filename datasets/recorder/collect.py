"""Read every source of the recording once per tick.

Each source yields ``(metric, labels, value)``. What is known about a metric (type, unit,
description) is collected in :data:`CATALOG` while reading.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import aiohttp
import asyncpg
import psutil
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stack import Stack

LOG = logging.getLogger("recorder.collect")
Sample = tuple[str, dict[str, str], float]
CATALOG: dict[str, dict[str, str]] = {}
UNITS = ("seconds", "bytes", "ratio")


def describe(name: str, kind: str, text: str, unit: str | None = None) -> None:
    """Note what a metric is. The unit comes from the name unless given."""
    if name not in CATALOG:
        stem = name.removesuffix("_total")
        unit = unit or next((u for u in UNITS if stem.endswith("_" + u)), "1")
        if stem.endswith("_requests_per_second"):
            unit = "requests/s"
        CATALOG[name] = {"type": kind, "unit": unit, "description": text}


def counter(name: str, value: float, text: str, **labels: str) -> Sample:
    describe(name, "counter", text)
    return name, labels, float(value)


def gauge(name: str, value: float, text: str, **labels: str) -> Sample:
    describe(name, "gauge", text)
    return name, labels, float(value)


def parse_exposition(text: str, job: str) -> Iterator[Sample]:
    """Samples of a Prometheus text exposition, with the job as a further label."""
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        describe(name, family.type, family.documentation)
        for sample in family.samples:
            yield sample.name, {**sample.labels, "job": job}, float(sample.value)


class Host:
    """Processor, memory, disk and network of the machine."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.disk = self.find_disk(directory)
        psutil.cpu_percent(percpu=True)

    @staticmethod
    def find_disk(directory: Path) -> str:
        """Name of the block device that holds a directory (the busiest one if unknown)."""
        number = directory.stat().st_dev
        link = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
        disks = psutil.disk_io_counters(perdisk=True) or {}
        if link.exists() and link.resolve().name in disks:
            return link.resolve().name
        return max(disks, key=lambda name: disks[name].write_bytes)

    def read(self) -> Iterator[Sample]:
        """All samples of the host."""
        yield from self.processor()
        yield from self.memory()
        yield from self.storage()
        yield from self.network()

    def processor(self) -> Iterator[Sample]:
        """Times, load, switches, run queue and pressure."""
        ours = os.sched_getaffinity(0)  # all processors unless --cpu names one
        for index, times in enumerate(psutil.cpu_times(percpu=True)):
            if index not in ours:
                continue
            for mode in ("user", "system", "iowait", "idle", "softirq", "steal"):
                yield counter(
                    "node_cpu_seconds_total",
                    getattr(times, mode),
                    "Processor time by processor and mode.",
                    cpu=str(index),
                    mode=mode,
                )
        for index, share in enumerate(psutil.cpu_percent(percpu=True)):
            if index not in ours:
                continue
            yield gauge(
                "node_cpu_busy_ratio",
                share / 100.0,
                "Share of time the processor was busy since the last tick.",
                cpu=str(index),
            )
        yield gauge("node_load1", os.getloadavg()[0], "Load average over one minute.")
        stats = psutil.cpu_stats()
        yield counter("node_context_switches_total", stats.ctx_switches, "Context switches.")
        yield counter("node_interrupts_total", stats.interrupts, "Interrupts served.")
        for line in Path("/proc/stat").read_text().splitlines():
            if line.startswith(("procs_running", "procs_blocked")):
                name, value = line.split()
                yield gauge(f"node_{name}", int(value), f"Processes that are {name.split('_')[1]}.")
        for resource in ("cpu", "io"):
            path = Path("/proc/pressure") / resource
            if path.exists():
                total = int(path.read_text().split("\n")[0].rsplit("=", 1)[1])
                yield counter(
                    f"node_pressure_{resource}_waiting_seconds_total",
                    total / 1e6,
                    f"Time in which some process waited for {resource} (PSI).",
                )

    def memory(self) -> Iterator[Sample]:
        """Main memory and pages on their way to the disk."""
        memory = psutil.virtual_memory()
        for kind in ("total", "available", "used", "free", "cached", "buffers"):
            yield gauge(
                f"node_memory_{kind}_bytes", getattr(memory, kind), f"Memory of the host: {kind}."
            )
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(("Dirty:", "Writeback:")):
                name, value = line.split()[:2]
                yield gauge(
                    f"node_memory_{name[:-1].lower()}_bytes",
                    int(value) * 1024,
                    f"Memory of the host: {name[:-1].lower()} pages.",
                )

    def storage(self) -> Iterator[Sample]:
        """Traffic of the disk and space left on it."""
        disk = psutil.disk_io_counters(perdisk=True)[self.disk]
        for metric, value, text in (
            ("node_disk_read_bytes_total", disk.read_bytes, "Bytes read from the disk."),
            ("node_disk_written_bytes_total", disk.write_bytes, "Bytes written to the disk."),
            ("node_disk_reads_total", disk.read_count, "Reads completed by the disk."),
            ("node_disk_writes_total", disk.write_count, "Writes completed by the disk."),
            ("node_disk_read_time_seconds_total", disk.read_time / 1e3, "Time spent in reads."),
            ("node_disk_write_time_seconds_total", disk.write_time / 1e3, "Time spent in writes."),
            ("node_disk_io_time_seconds_total", disk.busy_time / 1e3, "Time the disk was busy."),
        ):
            yield counter(metric, value, text, device=self.disk)
        usage = psutil.disk_usage(str(self.directory))
        yield gauge("node_filesystem_free_bytes", usage.free, "Free space of the data directory.")

    def network(self) -> Iterator[Sample]:
        """Loopback traffic and TCP sockets."""
        link = psutil.net_io_counters(pernic=True)["lo"]
        yield counter(
            "node_network_receive_bytes_total", link.bytes_recv, "Bytes received.", device="lo"
        )
        yield counter(
            "node_network_receive_packets_total",
            link.packets_recv,
            "Packets received.",
            device="lo",
        )
        for line in Path("/proc/net/sockstat").read_text().splitlines():
            if line.startswith("TCP:"):
                words = line.split()[1:]
                pairs = dict(zip(words[::2], words[1::2], strict=True))
                for state in ("inuse", "tw", "alloc"):
                    yield gauge(
                        "node_sockstat_tcp",
                        int(pairs[state]),
                        "TCP sockets of the host, by kind.",
                        state=state,
                    )


class Postgres:
    """Statistics views of the database, over one connection that goes around the relay."""

    QUERIES: ClassVar[dict[str, str]] = {
        "database": "SELECT * FROM pg_stat_database WHERE datname = 'shop'",
        "activity": "SELECT coalesce(state, 'none') AS state, count(*) AS n FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
        "GROUP BY 1",
        "waiting": "SELECT count(*) FILTER (WHERE wait_event_type = 'Lock') AS lock, "
        "count(*) FILTER (WHERE wait_event_type = 'IO') AS io, "
        "coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) AS age "
        "FROM pg_stat_activity WHERE backend_type = 'client backend' "
        "AND pid <> pg_backend_pid()",
        "locks": "SELECT mode, count(*) AS n, count(*) FILTER (WHERE NOT granted) AS waiting "
        "FROM pg_locks WHERE pid <> pg_backend_pid() GROUP BY 1",
        "tables": "SELECT * FROM pg_stat_user_tables",
        "indexes": "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes",
        "wal": "SELECT * FROM pg_stat_wal",
        "writer": "SELECT * FROM pg_stat_bgwriter",
    }
    STATES = ("active", "idle", "idle in transaction")
    MODES = (
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    )
    DATABASE = (
        "xact_commit",
        "xact_rollback",
        "blks_read",
        "blks_hit",
        "tup_returned",
        "tup_fetched",
        "tup_inserted",
        "tup_updated",
        "tup_deleted",
        "deadlocks",
        "temp_bytes",
    )
    TABLES = ("seq_scan", "seq_tup_read", "idx_scan", "n_tup_upd", "n_tup_ins")

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.db: asyncpg.Connection | None = None

    async def read(self) -> list[Sample]:
        """Run all queries; a failure drops the connection, and the next read makes a new one."""
        if self.db is None or self.db.is_closed():
            self.db = await asyncpg.connect(self.dsn, timeout=1.5)
        try:
            rows = {
                name: await self.db.fetch(query, timeout=1.5)
                for name, query in self.QUERIES.items()
            }
        except BaseException:
            self.db.terminate()
            self.db = None
            raise
        return list(self.samples(rows))

    def samples(self, rows: dict[str, list[asyncpg.Record]]) -> Iterator[Sample]:
        """Turn the rows of all queries into samples."""
        database = rows["database"][0]
        for name in self.DATABASE:
            yield counter(
                f"pg_stat_database_{name}_total",
                database[name],
                f"pg_stat_database.{name} of the shop.",
            )
        for name in ("blk_read_time", "blk_write_time"):
            yield counter(
                f"pg_stat_database_{name}_seconds_total",
                database[name] / 1e3,
                f"pg_stat_database.{name} of the shop.",
            )
        yield gauge(
            "pg_stat_database_numbackends",
            database["numbackends"],
            "Connections to the shop database.",
        )
        states = {row["state"]: row["n"] for row in rows["activity"]}
        for state in self.STATES:
            yield gauge(
                "pg_stat_activity_count",
                states.get(state, 0),
                "Client connections by state.",
                state=state,
            )
        waiting = rows["waiting"][0]
        yield gauge(
            "pg_stat_activity_waiting_count",
            waiting["lock"],
            "Client connections that wait, by what for.",
            event="Lock",
        )
        yield gauge(
            "pg_stat_activity_waiting_count",
            waiting["io"],
            "Client connections that wait, by what for.",
            event="IO",
        )
        yield gauge(
            "pg_stat_activity_max_tx_duration_seconds",
            waiting["age"],
            "Age of the longest running transaction.",
        )
        modes = {row["mode"]: row["n"] for row in rows["locks"]}
        for mode in self.MODES:
            yield gauge(
                "pg_locks_count", modes.get(mode, 0), "Locks held or awaited, by mode.", mode=mode
            )
        yield gauge(
            "pg_locks_waiting_count",
            sum(row["waiting"] for row in rows["locks"]),
            "Locks that are awaited.",
        )
        for row in rows["tables"]:
            for name in self.TABLES:
                yield counter(
                    f"pg_stat_user_tables_{name}_total",
                    row[name] or 0,
                    f"pg_stat_user_tables.{name}.",
                    table=row["relname"],
                )
            yield gauge(
                "pg_stat_user_tables_n_dead_tup",
                row["n_dead_tup"],
                "Dead rows by table (estimate).",
                table=row["relname"],
            )
        for row in rows["indexes"]:
            if row["indexrelname"].endswith("_idx"):
                yield counter(
                    "pg_stat_user_indexes_idx_scan_total",
                    row["idx_scan"],
                    "Scans by index (begins anew when an index is created anew).",
                    index=row["indexrelname"],
                )
        wal, writer = rows["wal"][0], rows["writer"][0]
        for name in ("wal_records", "wal_bytes", "wal_write", "wal_sync"):
            yield counter(f"pg_stat_{name}_total", wal[name], f"pg_stat_wal.{name}.")
        yield counter(
            "pg_stat_wal_sync_time_seconds_total",
            wal["wal_sync_time"] / 1e3,
            "Time spent in flushing the write-ahead log.",
        )
        for name in (
            "checkpoints_timed",
            "checkpoints_req",
            "buffers_checkpoint",
            "buffers_backend",
        ):
            yield counter(
                f"pg_stat_bgwriter_{name}_total", writer[name], f"pg_stat_bgwriter.{name}."
            )


class Collector:
    """All sources together; a source that fails leaves a gap and sets its ``up`` to 0."""

    TIMEOUT = 1.6

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.host = Host(stack.work)
        self.postgres = Postgres(stack.dsn)
        self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.TIMEOUT))

    async def close(self) -> None:
        """Close the connections of the collector."""
        await self.session.close()
        if self.postgres.db is not None:
            self.postgres.db.terminate()

    async def text(self, port: int, path: str) -> str:
        """Fetch a page."""
        async with self.session.get(f"http://127.0.0.1:{port}{path}") as response:
            response.raise_for_status()
            return await response.text()

    async def exposition(self, job: str, port: int) -> list[Sample]:
        """Fetch and read a Prometheus endpoint."""
        return list(parse_exposition(await self.text(port, "/metrics"), job))

    async def nginx(self) -> list[Sample]:
        """Fetch and read the page of nginx's ``stub_status``."""
        lines = (await self.text(self.stack.ports.nginx, "/nginx_status")).splitlines()
        accepted, handled, requests = (int(word) for word in lines[2].split())
        states = lines[3].split()
        samples = [
            gauge(
                "nginx_connections_active", int(lines[0].split()[-1]), "Open client connections."
            ),
            counter("nginx_connections_accepted_total", accepted, "Connections accepted."),
            counter("nginx_connections_handled_total", handled, "Connections handled."),
            counter("nginx_http_requests_total", requests, "Requests of clients."),
        ]
        samples += [
            gauge(
                "nginx_connections",
                int(value),
                "Client connections by state.",
                state=state.rstrip(":").lower(),
            )
            for state, value in zip(states[::2], states[1::2], strict=True)
        ]
        return samples

    async def host_samples(self) -> list[Sample]:
        """Read the host, as a coroutine like the other sources."""
        return list(self.host.read())

    async def tick(self) -> list[Sample]:
        """Read all sources at the same time and return what could be had."""
        ports = self.stack.ports
        jobs = {
            "host": self.host_samples(),
            "app": self.exposition("app", ports.app),
            "load": self.exposition("load", ports.load),
            "nginx": self.nginx(),
            "postgres": self.postgres.read(),
        }
        begin = time.perf_counter()
        results = await asyncio.gather(
            *(asyncio.wait_for(source, self.TIMEOUT) for source in jobs.values()),
            return_exceptions=True,
        )
        samples: list[Sample] = []
        for job, result in zip(jobs, results, strict=True):
            if isinstance(result, BaseException):
                LOG.warning("scrape of %s failed: %r", job, result)
            else:
                samples += [(name, {**labels, "job": job}, value) for name, labels, value in result]
            samples.append(
                gauge(
                    "up",
                    float(not isinstance(result, BaseException)),
                    "1 if the source could be read, else 0.",
                    job=job,
                )
            )
        samples.append(
            gauge(
                "scrape_duration_seconds",
                time.perf_counter() - begin,
                "Time to read all sources.",
                job="recorder",
            )
        )
        return samples
