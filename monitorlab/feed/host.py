"""The machine that this runs on, as metrics (psutil).

>>> HostSource(interval="1s").interval_seconds
1.0
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitorlab.errors import MissingExtraError
from monitorlab.feed.batch import Batch, PollingSource
from monitorlab.feed.clock import Clock
from monitorlab.model import Labels, Metric, MetricType, SeriesKey
from monitorlab.times import DurationLike

__all__ = ["HostSource"]

_COUNTER, _GAUGE = MetricType.COUNTER, MetricType.GAUGE
HOST_METRICS = (
    Metric("host_cpu_seconds_total", _COUNTER, "s", "Processor time by mode, all cores."),
    Metric("host_cpu_busy_ratio", _GAUGE, "ratio", "Share of processor time not idle."),
    Metric("host_load1", _GAUGE, "", "Load average over one minute."),
    Metric("host_memory_used_bytes", _GAUGE, "bytes", "Memory that is not available."),
    Metric("host_memory_available_bytes", _GAUGE, "bytes", "Memory that can be given out."),
    Metric("host_memory_used_ratio", _GAUGE, "ratio", "Share of memory not available."),
    Metric("host_swap_used_bytes", _GAUGE, "bytes", "Swap in use."),
    Metric("host_disk_used_ratio", _GAUGE, "ratio", "Share of the file system in use."),
    Metric("host_disk_read_bytes_total", _COUNTER, "bytes", "Bytes read from disks."),
    Metric("host_disk_written_bytes_total", _COUNTER, "bytes", "Bytes written to disks."),
    Metric("host_network_receive_bytes_total", _COUNTER, "bytes", "Bytes received."),
    Metric("host_network_transmit_bytes_total", _COUNTER, "bytes", "Bytes sent."),
    Metric("host_processes", _GAUGE, "", "Number of processes."),
)


class HostSource(PollingSource):
    """Read processor, memory, disk and network of this machine at an interval.

    Parameters
    ----------
    interval : duration
        How often.
    mount : str
        The file system whose fill is read.

    Raises
    ------
    MissingExtraError
        If psutil is not installed (``pip install "monitorlab[host]"``).

    Notes
    -----
    A reading takes about a millisecond. What the system does not tell (disks in some
    containers) is left out, not made up.

    Examples
    --------
    >>> HostSource(interval="500ms", mount="/")
    HostSource(every 0.5 s)
    """

    name = "host"

    def __init__(self, *, interval: DurationLike = "1s", mount: str = "/") -> None:
        super().__init__(interval=interval)
        try:
            import psutil
        except ImportError as error:
            what = "HostSource"
            raise MissingExtraError(what, "host") from error
        self.mount = mount
        self._psutil: Any = psutil
        self._busy_before: tuple[float, float] | None = None

    async def read(self, clock: Clock) -> Batch:
        """Take one reading."""
        return Batch.of(dict(self._readings()), clock.now_ns(), metrics=HOST_METRICS)

    def _readings(self) -> Iterator[tuple[SeriesKey, float]]:
        psutil = self._psutil
        modes = psutil.cpu_times()._asdict()
        # Linux counts guest time in user time as well; it must not be added twice.
        alone = {name: float(v) for name, v in modes.items() if not name.startswith("guest")}
        for mode, seconds in alone.items():
            yield SeriesKey("host_cpu_seconds_total", Labels(mode=mode)), seconds
        total = sum(alone.values())
        idle = alone.get("idle", 0.0) + alone.get("iowait", 0.0)
        before, self._busy_before = self._busy_before, (total, idle)
        if before is not None and total > before[0]:
            busy = 1.0 - (idle - before[1]) / (total - before[0])
            yield SeriesKey("host_cpu_busy_ratio"), min(1.0, max(0.0, busy))
        yield SeriesKey("host_load1"), float(psutil.getloadavg()[0])
        memory = psutil.virtual_memory()
        yield SeriesKey("host_memory_used_bytes"), float(memory.total - memory.available)
        yield SeriesKey("host_memory_available_bytes"), float(memory.available)
        yield SeriesKey("host_memory_used_ratio"), 1.0 - memory.available / memory.total
        yield SeriesKey("host_swap_used_bytes"), float(psutil.swap_memory().used)
        disk = psutil.disk_usage(self.mount)
        labels = Labels(mount=self.mount)
        yield SeriesKey("host_disk_used_ratio", labels), disk.used / max(1, disk.used + disk.free)
        traffic = psutil.disk_io_counters()
        if traffic is not None:
            yield SeriesKey("host_disk_read_bytes_total"), float(traffic.read_bytes)
            yield SeriesKey("host_disk_written_bytes_total"), float(traffic.write_bytes)
        for card, counted in (psutil.net_io_counters(pernic=True) or {}).items():
            labels = Labels(device=card)
            yield SeriesKey("host_network_receive_bytes_total", labels), float(counted.bytes_recv)
            yield SeriesKey("host_network_transmit_bytes_total", labels), float(counted.bytes_sent)
        yield SeriesKey("host_processes"), float(len(psutil.pids()))

    def __repr__(self) -> str:
        return f"HostSource(every {self.interval_seconds:g} s)"
