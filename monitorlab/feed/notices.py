"""Tell receivers of alert events without ever making the feed wait.

Each receiver has its own task and its own bounded queue; one that fails is called again a few
times, one that is slow loses its oldest events, and both are told to the feed as troubles.

>>> async def demo():
...     heard = []
...     notices = Notices(heard.append, Clock(), lambda where, error: None)
...     notices.tell(["event"])
...     await notices.close()
...     return heard
>>> asyncio.run(demo())
['event']
"""

from __future__ import annotations

import asyncio
import inspect
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from monitorlab.errors import SourceError
from monitorlab.feed.clock import Clock
from monitorlab.feed.retry import Backoff

__all__ = ["Notices", "Trouble"]

Trouble: TypeAlias = Callable[[str, BaseException], None]

MOST_WAITING = 1_000
ATTEMPTS = 4
CLOSING_SECONDS = 5.0


class Notices:
    """Hand events to receivers, each at its own pace.

    Parameters
    ----------
    receivers : callable, sequence of callable, or None
        Called with one event at a time; a coroutine function is awaited, a plain function
        runs in a worker thread.
    clock : Clock
        For the pauses between attempts.
    trouble : callable
        Told what failed, and the error.

    Raises
    ------
    SourceError
        If a receiver cannot be called.

    Examples
    --------
    >>> Notices(None, Clock(), print).tell([])
    """

    def __init__(self, receivers: Any, clock: Clock, trouble: Trouble) -> None:
        if receivers is None:
            chosen: Sequence[Any] = ()
        elif isinstance(receivers, (list, tuple)):
            chosen = receivers
        else:
            chosen = (receivers,)
        for receiver in chosen:
            if not callable(receiver):
                msg = f"notify needs functions that take an event, not {receiver!r}"
                raise SourceError(msg)
        self._lines = [_Line(receiver, clock, trouble) for receiver in chosen]

    def tell(self, events: Iterable[Any]) -> None:
        """Hand over events; returns at once."""
        told = list(events)
        for line in self._lines:
            line.add(told)

    async def close(self) -> None:
        """Give receivers a few seconds to finish, then stop them."""
        tasks = [line.task for line in self._lines if line.task and not line.task.done()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


class _Line:
    """One receiver, the events that wait for it, and the task that calls it."""

    def __init__(self, receiver: Callable[[Any], Any], clock: Clock, trouble: Trouble) -> None:
        self.receiver = receiver
        self.task: asyncio.Task[None] | None = None
        self._clock = clock
        self._trouble = trouble
        self._waiting: deque[Any] = deque()
        self._backoff = Backoff(first_seconds=1.0)

    def add(self, events: Sequence[Any]) -> None:
        self._waiting.extend(events)
        lost = len(self._waiting) - MOST_WAITING
        if lost > 0:
            for _ in range(lost):
                self._waiting.popleft()
            self._trouble(self._name, SourceError(f"too slow: {lost} events not told"))
        if self._waiting and (self.task is None or self.task.done()):
            self.task = asyncio.get_running_loop().create_task(self._work())

    @property
    def _name(self) -> str:
        return f"notify {getattr(self.receiver, '__name__', self.receiver)!s}"

    async def _work(self) -> None:
        while self._waiting:
            event = self._waiting.popleft()
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await self._call(event)
                except Exception as error:  # noqa: BLE001 - told, and tried again
                    self._trouble(self._name, error)
                    if attempt < ATTEMPTS:
                        await self._clock.sleep(self._backoff.delay(attempt))
                else:
                    break

    async def _call(self, event: Any) -> None:
        if inspect.iscoroutinefunction(self.receiver):
            await self.receiver(event)
            return
        answer = await asyncio.to_thread(self.receiver, event)
        if inspect.isawaitable(answer):
            await answer
