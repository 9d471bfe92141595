"""A notifier behind a feed: routes and groups in event time, delivery beside the event loop.

>>> from monitorlab.alerting import Notifier
>>> pages = Pages(Notifier(), Clock(), lambda where, error: None)
>>> pages.judge(Verdict(at_ns=0))
>>> pages
Pages(Notifier(Outbox(LogTarget('log', logger='monitorlab.alerts'), sent=0, retried=0, \
dropped_full=0, dropped_failed=0, waiting=0)))
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitorlab.feed.clock import Clock

if TYPE_CHECKING:
    from monitorlab.alerting import Alert, Event, Notifier

__all__ = ["Pages", "Verdict"]

POLL_SECONDS = 0.5  # between looks at an outbox whose target fails
PRESENT_NS = 300_000_000_000  # event time that is no further from the clock is the present
CLOSING_SECONDS = 5.0  # for deliveries at the end, in real time


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules said in one turn of the feed.

    Parameters
    ----------
    at_ns : int
        Event time up to which they were evaluated.
    events : tuple of Event
        What happened since the turn before.
    alerts : tuple of Alert
        Alerts that fired, as they were then, and those that somebody has taken.

    Examples
    --------
    >>> Verdict(5).events
    ()
    """

    at_ns: int
    events: tuple[Event, ...] = ()
    alerts: tuple[Alert, ...] = ()


class Pages:
    """Pass what rules said to a notifier, and deliver what it wants told.

    Parameters
    ----------
    notifier : Notifier
        Routes, and outboxes before the targets.
    clock : Clock
        For the time between attempts.
    trouble : callable
        Told what failed, and the error.

    Notes
    -----
    Grouping, waiting and repeating are computed in event time, evaluation by evaluation, so a
    replay tells what a backtest says people would have been told. Where event time is the
    present (``tick``) it goes on while a source is silent, so what waits is told all the same.
    Each outbox is emptied in a worker thread; one that hangs or fails holds back nobody else.

    Examples
    --------
    >>> from monitorlab.alerting import Notifier
    >>> Pages(Notifier(), Clock(), print).tick()
    """

    def __init__(
        self, notifier: Notifier, clock: Clock, trouble: Callable[[str, BaseException], None]
    ) -> None:
        self.notifier = notifier
        self._clock = clock
        self._trouble = trouble
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, BaseException | None] = {}
        self._dropped: dict[str, int] = {}
        self._judged: tuple[int, float] | None = None

    def judge(self, verdict: Verdict) -> None:
        """Take in what the rules said; returns at once."""
        at: dict[int, list[Event]] = defaultdict(list)
        for event in verdict.events:
            at[event.time_ns].append(event)
        for time_ns, events in sorted(at.items()):
            alerts = [alert for alert in verdict.alerts if alert.fired_at_ns == time_ns]
            self.notifier.process(time_ns, events, alerts)
        taken = [alert for alert in verdict.alerts if alert.acknowledged]
        self.notifier.process(verdict.at_ns, (), taken)
        self._judged = (verdict.at_ns, self._clock.monotonic())
        self._deliver()

    def tick(self) -> None:
        """Let event time go on with the clock since the last evaluation."""
        if self._judged is None or self.notifier.dispatcher.next_due() is None:
            return
        at_ns, began = self._judged
        passed = round((self._clock.monotonic() - began) * 1e9)
        if abs(self._clock.now_ns() - at_ns - passed) > PRESENT_NS:
            return
        self.notifier.process(at_ns + passed, (), ())
        self._deliver()

    async def close(self) -> None:
        """Give deliveries a few seconds to finish, then stop them."""
        tasks = [task for task in self._tasks.values() if not task.done()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=CLOSING_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _deliver(self) -> None:
        for name, box in self.notifier.outboxes.items():
            task = self._tasks.get(name)
            if (task is None or task.done()) and box.stats["waiting"]:
                loop = asyncio.get_running_loop()
                self._tasks[name] = loop.create_task(
                    self._empty(name, box), name=f"monitorlab outbox {name}"
                )

    async def _empty(self, name: str, box: Any) -> None:
        """Deliver until nothing waits; what cannot be delivered is given up by the outbox."""
        while box.stats["waiting"]:
            try:
                await asyncio.to_thread(box.pump, self._clock.monotonic())
            except Exception as error:  # noqa: BLE001 - a faulty target: told, tried again later
                self._trouble(f"target {name}", error)
                return
            self._report(name, box)
            if box.stats["waiting"]:
                await self._clock.sleep(POLL_SECONDS)

    def _report(self, name: str, box: Any) -> None:
        error = box.last_error
        if error is not None and error is not self._told.get(name):
            self._told[name] = error
            self._trouble(f"target {name}", error)

    def __repr__(self) -> str:
        return f"Pages({self.notifier!r})"
