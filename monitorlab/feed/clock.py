"""Time for feeds: the wall clock, and a simulated one in which hours pass in moments.

Everything in ``feed`` that reads the time or waits does so through a ``Clock``, so tests and
simulations take no real time.

>>> import asyncio
>>> clock = SimulatedClock("2026-01-01T00:00:00Z")
>>> asyncio.run(clock.sleep(86_400))
>>> from monitorlab.times import from_ns
>>> from_ns(clock.now_ns())
Timestamp('2026-01-02 00:00:00+0000', tz='UTC')
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time

from monitorlab import wallclock
from monitorlab.times import TimeLike, to_ns

__all__ = ["Clock", "SimulatedClock"]

# How many turns of the event loop without a new sleeper mean that everybody waits.
_IDLE_TURNS = 5


class Clock:
    """The wall clock and the event loop's own sleep.

    Examples
    --------
    >>> Clock().now_ns() > 0
    True
    """

    def now_ns(self) -> int:
        """Give the time now, in nanoseconds since the epoch."""
        return wallclock.now_ns()

    def monotonic(self) -> float:
        """Give seconds that never go back, for measuring how long something took."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; other tasks run meanwhile."""
        await asyncio.sleep(seconds)


class SimulatedClock(Clock):
    """A clock that jumps to the next sleeper as soon as every task waits.

    Parameters
    ----------
    start : time
        Where it starts.

    Notes
    -----
    A turn of the event loop costs some 10 µs, so a simulated day with one wake-up a second
    takes a few real seconds. Work that waits for something else than this clock (a socket, a
    thread) does not hold the clock back.

    Examples
    --------
    >>> async def two():
    ...     clock = SimulatedClock(0)
    ...     await asyncio.gather(clock.sleep(3), clock.sleep(1))
    ...     return clock.now_ns()
    >>> asyncio.run(two())
    3000000000
    """

    def __init__(self, start: TimeLike = "2026-01-01T00:00:00Z") -> None:
        self._now = self._began = to_ns(start)
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._quiet_turns = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    def now_ns(self) -> int:
        """Give the simulated time, in nanoseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Give the simulated seconds since the clock was made."""
        return (self._now - self._began) / 1e9

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has come so far."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        until = self._now + round(max(seconds, 0.0) * 1e9)
        heapq.heappush(self._sleepers, (until, next(self._order), woken))
        self._quiet_turns = 0
        if self._loop is not loop:
            self._loop = loop
            loop.call_soon(self._turn, loop)
        await woken

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._sleepers and (
            self._sleepers[0][2].done() or self._sleepers[0][2].get_loop() is not loop
        ):
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            self._loop = None
            return
        self._quiet_turns += 1
        if self._quiet_turns >= _IDLE_TURNS:
            self._quiet_turns = 0
            until, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, until)
            woken.set_result(None)
        loop.call_soon(self._turn, loop)
