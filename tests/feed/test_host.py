"""This machine as a source."""

from __future__ import annotations

import asyncio

import pytest

from monitorlab.errors import TimeError
from monitorlab.feed import HostSource, LiveFeed, SimulatedClock
from monitorlab.model import MetricType
from monitorlab.storage import SeriesStore


def test_readings_are_plausible_and_described() -> None:
    clock = SimulatedClock(1_767_225_600)
    store = SeriesStore()

    async def main() -> None:
        async with LiveFeed(store, HostSource(interval="1s"), clock=clock, own_metrics=False):
            await clock.sleep(3.5)

    asyncio.run(main())
    assert store.metric("host_cpu_seconds_total").type is MetricType.COUNTER
    memory = store.view("host_memory_used_ratio")
    assert len(memory) == 4
    assert ((memory.values > 0) & (memory.values < 1)).all()
    assert store.view("host_processes").values.min() >= 1
    busy = store.select("host_cpu_busy_ratio")
    assert all(((view.values >= 0) & (view.values <= 1)).all() for view in busy)


def test_a_wrong_interval_is_said() -> None:
    with pytest.raises(TimeError, match="above zero"):
        HostSource(interval=0)
