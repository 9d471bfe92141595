"""The event loop that a feed lives in, and how others have something done there.

JupyterLab may handle what a widget's page says in a thread of its own (a subshell of the
kernel) with its own event loop. What such a callback does to a running feed, or to a picture
that the feed draws as well, has to be done where the feed is.

>>> home = Home()
>>> home.call(print, "at once: there is no loop yet")
at once: there is no loop yet
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

__all__ = ["Home"]


class Home:
    """One event loop, once it is known.

    Examples
    --------
    >>> async def main():
    ...     home, done = Home(), []
    ...     home.settle()
    ...     await asyncio.to_thread(home.call, done.append, "from a thread")
    ...     await asyncio.sleep(0)
    ...     return done
    >>> asyncio.run(main())
    ['from a thread']
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def settle(self) -> asyncio.AbstractEventLoop:
        """Take the loop that runs here.

        Raises
        ------
        RuntimeError
            If none does.
        """
        self._loop = asyncio.get_running_loop()
        return self._loop

    def call(self, action: Callable[..., Any], *args: Any) -> None:
        """Call a function in the loop's thread: at once from there, else at its next turn.

        Where the loop does not run (yet, or any more) the function is called here and now.
        What it raises there is reported by the loop, as of any callback. It sees the context
        variables of the caller, so that a kernel knows which message it answers.
        """
        loop = self._loop
        if loop is None or not loop.is_running() or loop is _running():
            action(*args)
            return
        loop.call_soon_threadsafe(action, *args, context=contextvars.copy_context())


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
