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
from monitorlab.feed.pages import Pages, Verdict
from monitorlab.feed.retry import Backoff

__all__ = ["Notices", "Trouble"]

Trouble: TypeAlias = Callable[[str, BaseException], None]

MOST_WAITING = 1_000
ATTEMPTS = 4
CLOSING_SECONDS = 5.0
TICK_SECONDS = 1.0


class Notices:
    """Hand events to receivers, each at its own pace.

    Parameters
    ----------
    receivers : callable, Notifier, NotifyConfig, Target, sequence of them, or None
        A function is called with one event at a time: a coroutine function is awaited, a
        plain function runs in a worker thread. A notifier gets what the rules said.
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
        self._lines: list[_Line] = []
        self.pages: list[Pages] = []
        for receiver in chosen:
            notifier = _as_notifier(receiver)
            if notifier is not None:
                self.pages.append(Pages(notifier, clock, trouble))
            elif callable(receiver):
                self._lines.append(_Line(receiver, clock, trouble))
            else:
                msg = (
                    "notify needs functions that take an event, a Notifier or its targets, not "
                    f"{receiver!r}"
                )
                raise SourceError(msg)

    def tell(self, events: Iterable[Any]) -> None:
        """Hand over events; returns at once."""
        told = list(events)
        for line in self._lines:
            line.add(told)

    def judge(self, verdict: Verdict) -> None:
        """Hand over to notifiers what the rules said; returns at once."""
        for pages in self.pages:
            pages.judge(verdict)

    def stats(self) -> dict[str, int]:
        """Count notifications that were sent, and those that were dropped or given up."""
        boxes = [box for pages in self.pages for box in pages.notifier.stats.values()]
        sent = sum(box["sent"] for box in boxes) + sum(line.sent for line in self._lines)
        lost = sum(box["dropped_full"] + box["dropped_failed"] for box in boxes)
        return {"sent": sent, "dropped": lost + sum(line.lost for line in self._lines)}

    async def tick(self, clock: Clock) -> None:
        """Let the event time of notifiers go on with the clock; never ends."""
        while True:
            await clock.sleep(TICK_SECONDS)
            for pages in self.pages:
                pages.tick()

    async def close(self) -> None:
        """Give receivers a few seconds to finish, then stop them."""
        await asyncio.gather(*(pages.close() for pages in self.pages))
        tasks = [line.task for line in self._lines if line.task and not line.task.done()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _as_notifier(receiver: Any) -> Any:
    """Give the notifier that a receiver is, or that its target needs; None for a function."""
    from monitorlab.alerting.notify import Notifier, NotifyConfig

    if isinstance(receiver, Notifier):
        return receiver
    if isinstance(receiver, NotifyConfig):
        return Notifier(receiver)
    if callable(getattr(receiver, "send", None)):
        return Notifier(targets={"default": receiver})
    return None


class _Line:
    """One receiver, the events that wait for it, and the task that calls it."""

    def __init__(self, receiver: Callable[[Any], Any], clock: Clock, trouble: Trouble) -> None:
        self.receiver = receiver
        self.task: asyncio.Task[None] | None = None
        self.sent = self.lost = 0
        self._clock = clock
        self._trouble = trouble
        self._waiting: deque[Any] = deque()
        self._backoff = Backoff(first_seconds=1.0)

    def add(self, events: Sequence[Any]) -> None:
        self._waiting.extend(events)
        lost = len(self._waiting) - MOST_WAITING
        if lost > 0:
            self.lost += lost
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
                    self.sent += 1
                    break
            else:
                self.lost += 1

    async def _call(self, event: Any) -> None:
        if inspect.iscoroutinefunction(self.receiver):
            await self.receiver(event)
            return
        answer = await asyncio.to_thread(self.receiver, event)
        if inspect.isawaitable(answer):
            await answer
