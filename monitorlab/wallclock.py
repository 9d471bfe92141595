"""The wall clock, in one place, so that a test or a notebook can hold it still.

Only what is stamped with the present asks it (``record`` without a time, a live feed);
analyses never do. Durations are measured with ``time.monotonic`` and are not held.

>>> before = hold(1_767_225_600_000_000_000)
>>> now_ns()
1767225600000000000
>>> hold(before)
1767225600000000000
"""

from __future__ import annotations

import time

__all__ = ["hold", "now_ns"]

_held: list[int | None] = [None]


def now_ns() -> int:
    """Give the present in nanoseconds since the epoch, or the time that is held.

    Returns
    -------
    int

    Examples
    --------
    >>> now_ns() > 1_700_000_000_000_000_000
    True
    """
    held = _held[0]
    return time.time_ns() if held is None else held


def hold(time_ns: int | None) -> int | None:
    """Hold the clock at a time, or let it go on with None.

    Parameters
    ----------
    time_ns : int or None
        Nanoseconds since the epoch.

    Returns
    -------
    int or None
        What was held before, to give back later.

    Examples
    --------
    >>> hold(None) is None
    True
    """
    before = _held[0]
    _held[0] = time_ns
    return before
