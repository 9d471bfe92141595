"""Many requests, few pictures: redraw at most so often, and less when drawing is slow.

>>> drawn = []
>>> Coalescer(lambda: drawn.append(1)).request()
>>> drawn
[1]
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Coalescer"]

LEAST_SECONDS = 0.25
SHARE = 4.0  # at most a fifth of the kernel's time goes into drawing


class Coalescer:
    """Call an action soon after it was asked for, once for all requests meanwhile.

    Parameters
    ----------
    action : callable
        What to do.
    least_seconds : float
        Time between two calls at least; after a slow one four times what it took.

    Notes
    -----
    Without a running event loop the action is called at once.

    Examples
    --------
    >>> Coalescer(print).is_planned
    False
    """

    def __init__(
        self, action: Callable[[], object], *, least_seconds: float = LEAST_SECONDS
    ) -> None:
        self._action = action
        self._least = least_seconds
        self._not_before = 0.0
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_planned(self) -> bool:
        """Whether a call is waiting."""
        return self._handle is not None

    def request(self) -> None:
        """Ask for a call."""
        if self._handle is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._action()
            return
        self._handle = loop.call_at(max(loop.time(), self._not_before), self._fire, loop)

    def cancel(self) -> None:
        """Drop the call that is waiting."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._handle = None
        begin = loop.time()
        try:
            self._action()
        finally:
            now = loop.time()
            self._not_before = now + max(self._least, SHARE * (now - begin))
