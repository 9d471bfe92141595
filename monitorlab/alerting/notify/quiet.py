"""Keep addresses out of other libraries' logs while a notification is sent.

``httpx`` logs every request with its whole address at INFO, ``urllib3`` (below Apprise) its path
at DEBUG. A webhook's address is its password. Inside ``silenced`` such records of the thread
that sends are dropped; warnings pass.

>>> with silenced():
...     logging.getLogger("httpx").info("POST https://hooks.example.com/secret")
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["silenced"]

LOGGERS = (
    "apprise", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy",
    "httpx", "requests", "urllib3.connectionpool",
)  # fmt: skip

_LOCAL = threading.local()


class _Quiet(logging.Filter):
    """Drop what is said below WARNING by a thread that is sending."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or not getattr(_LOCAL, "depth", 0)


_FILTER = _Quiet()


@contextmanager
def silenced() -> Iterator[None]:
    """Drop what HTTP libraries log below WARNING in this thread.

    Yields
    ------
    None

    Notes
    -----
    The filter is put onto the loggers of ``LOGGERS`` (once) and looks at a thread-local mark, so
    that requests of other threads are logged as ever.

    Examples
    --------
    >>> with silenced():
    ...     logging.getLogger("httpx").isEnabledFor(logging.ERROR)
    True
    """
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)  # adding it again changes nothing
    _LOCAL.depth = getattr(_LOCAL, "depth", 0) + 1
    try:
        yield
    finally:
        _LOCAL.depth -= 1
