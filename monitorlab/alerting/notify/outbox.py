"""A bounded queue before a target: retries with back-off, counts what it drops, never blocks.

>>> from monitorlab.alerting.notify import CallbackTarget, Notification
>>> from monitorlab.model import Labels
>>> told = []
>>> box = Outbox(CallbackTarget(told.append))
>>> box.submit(Notification(0, "callback", Labels(), (), "{}"))
>>> box.pump(0.0), len(told), box.stats["sent"]
(1, 1, 1)
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitorlab.alerting.notify.targets import DeliveryError, Target
from monitorlab.errors import RuleError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitorlab.alerting.notify.messages import Notification

__all__ = ["Outbox"]

_LOG = logging.getLogger("monitorlab.notify")


@dataclass(slots=True)
class _Letter:
    notification: Notification
    attempts: int = 0
    not_before: float = 0.0


class Outbox:
    """Deliver notifications to one target, one after the other.

    Parameters
    ----------
    target : Target
        Where to.
    max_queue : int
        Most notifications that wait; the oldest makes room for a new one and is counted.
    max_attempts : int
        Deliveries tried before a notification is given up and counted.
    backoff, max_backoff : float
        Seconds before the second attempt, doubled after each, and the most.

    Notes
    -----
    ``submit`` only puts into the queue. ``pump`` delivers what is due and is to be called
    from a thread or, as ``run`` does, next to an event loop.

    Examples
    --------
    >>> from monitorlab.alerting.notify import LogTarget
    >>> Outbox(LogTarget(), max_queue=10).stats["waiting"]
    0
    """

    def __init__(
        self,
        target: Target,
        *,
        max_queue: int = 1_000,
        max_attempts: int = 6,
        backoff: float = 1.0,
        max_backoff: float = 60.0,
    ) -> None:
        if max_queue < 1 or max_attempts < 1 or backoff < 0 or max_backoff < backoff:
            msg = (
                "an outbox needs max_queue >= 1, max_attempts >= 1 and 0 <= backoff <= max_backoff"
            )
            raise RuleError(msg)
        self.target = target
        self._max_queue = max_queue
        self._max_attempts = max_attempts
        self._backoff = backoff
        self._max_backoff = max_backoff
        self._queue: deque[_Letter] = deque()
        self._lock = threading.Lock()
        self._counts = {"sent": 0, "retried": 0, "dropped_full": 0, "dropped_failed": 0}
        self.last_error: DeliveryError | None = None

    @property
    def stats(self) -> dict[str, int]:
        """Counts: sent, retried, dropped for want of room, given up; and how many wait."""
        with self._lock:
            return {**self._counts, "waiting": len(self._queue)}

    def submit(self, notification: Notification) -> None:
        """Put a notification into the queue; returns at once."""
        with self._lock:
            if len(self._queue) >= self._max_queue:
                self._queue.popleft()
                self._counts["dropped_full"] += 1
            self._queue.append(_Letter(notification))

    def pump(self, now: float) -> int:
        """Deliver what is due.

        Parameters
        ----------
        now : float
            Seconds of any clock that only goes forward.

        Returns
        -------
        int
            Notifications delivered. Order is kept: one that fails holds back those behind it
            until it is delivered or given up.
        """
        sent = 0
        while True:
            with self._lock:
                if not self._queue or self._queue[0].not_before > now:
                    return sent
                letter = self._queue[0]
            letter.attempts += 1
            try:
                self._send(letter.notification)
            except DeliveryError as error:
                if not self._failed(letter, error, now):
                    return sent
                continue
            with self._lock:
                self._counts["sent"] += 1
                self._take(letter)
            sent += 1

    async def run(
        self,
        *,
        poll: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Deliver for ever, in a thread beside the event loop; ends when it is cancelled.

        Parameters
        ----------
        poll : float
            Seconds between looks at the queue.
        clock, sleep : callable
            For tests.
        """
        while True:
            await asyncio.to_thread(self.pump, clock())
            await sleep(poll)

    def _send(self, notification: Notification) -> None:
        """Let the target send; whatever it raises is a failed delivery."""
        try:
            self.target.send(notification)
        except DeliveryError:
            raise
        except Exception as error:  # a target of the user's own must not end the feed
            msg = f"target {self.target.name!r} raised {type(error).__name__}"
            raise DeliveryError(msg) from error

    def _failed(self, letter: _Letter, error: DeliveryError, now: float) -> bool:
        """Note a failure; True when the notification was given up."""
        self.last_error = error
        over = not error.retry or letter.attempts >= self._max_attempts
        with self._lock:
            if over:
                self._counts["dropped_failed"] += 1
                self._take(letter)
            else:
                self._counts["retried"] += 1
                wait = min(self._backoff * 2 ** (letter.attempts - 1), self._max_backoff)
                letter.not_before = now + wait
        _LOG.warning("%s; %s", error, "given up" if over else f"attempt {letter.attempts}")
        return over

    def _take(self, letter: _Letter) -> None:
        # A full queue may have dropped the letter while it was being sent.
        if self._queue and self._queue[0] is letter:
            self._queue.popleft()

    def __repr__(self) -> str:
        stats = ", ".join(f"{k}={v}" for k, v in self.stats.items())
        return f"Outbox({self.target!r}, {stats})"
