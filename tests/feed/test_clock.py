"""Simulated time passes as soon as everybody waits, and in the right order."""

from __future__ import annotations

import asyncio

from monitorlab.feed import SimulatedClock


def test_a_day_passes_in_moments() -> None:
    clock = SimulatedClock(0)
    ticks = []

    async def tick() -> None:
        for _ in range(24):
            await clock.sleep(3600)
            ticks.append(clock.now_ns())

    asyncio.run(tick())
    assert ticks[-1] == 86_400_000_000_000
    assert clock.monotonic() == 86_400.0


def test_sleepers_wake_in_order_of_time_then_of_arrival() -> None:
    clock = SimulatedClock(0)
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async def main() -> None:
        await asyncio.gather(
            sleeper("late", 5), sleeper("first", 1), sleeper("second", 1), sleeper("zero", 0)
        )

    asyncio.run(main())
    assert woken == ["zero", "first", "second", "late"]


def test_a_cancelled_sleeper_does_not_hold_time_back() -> None:
    clock = SimulatedClock(0)

    async def main() -> int:
        task = asyncio.create_task(clock.sleep(1))
        await asyncio.sleep(0)
        task.cancel()
        await clock.sleep(2)
        return clock.now_ns()

    assert asyncio.run(main()) == 2_000_000_000


def test_a_clock_serves_one_event_loop_after_the_other() -> None:
    clock = SimulatedClock(0)

    async def abandoned() -> None:
        task = asyncio.create_task(clock.sleep(10))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(abandoned())
    asyncio.run(clock.sleep(1))
    assert clock.now_ns() == 1_000_000_000
