"""The one cache of the package, as functions.

>>> clear()
>>> [remember("sum", lambda: [1 + 2], (1, 2)) for _ in range(3)]
[[3], [3], [3]]
>>> info().hits, info().misses
(2, 1)
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from monitorlab.cache.results import CacheInfo, ResultCache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["clear", "configure", "disabled", "info", "remember"]

_T = TypeVar("_T")
_SHARED = ResultCache()


def remember(topic: str, compute: Callable[[], _T], *content: Any) -> _T:
    """Give the kept answer for this content, or compute it and keep it.

    Parameters
    ----------
    topic : str
        What is computed.
    compute : callable
        Without arguments.
    *content : object
        Everything that the answer depends on.

    Returns
    -------
    object
        A copy that the caller owns.

    Examples
    --------
    >>> remember("double", lambda: 2 * 21, 21)
    42
    """
    return _SHARED.remember(topic, compute, *content)


def info() -> CacheInfo:
    """Say what the package's cache holds and how often it was of use.

    Returns
    -------
    CacheInfo

    Examples
    --------
    >>> clear()
    >>> info()
    CacheInfo: 0 hits, 0 misses, 0 not kept; 0 of 1024 entries, 0.0 of 256 MiB
    """
    return _SHARED.info()


def clear() -> None:
    """Forget every answer.

    Examples
    --------
    >>> clear()
    >>> info().entries
    0
    """
    _SHARED.clear()


def configure(
    *, max_entries: int | None = None, max_bytes: int | None = None, enabled: bool | None = None
) -> CacheInfo:
    """Change the bounds, or switch the cache on or off.

    Parameters
    ----------
    max_entries, max_bytes : int, optional
        Bounds; what no longer fits leaves at once.
    enabled : bool, optional
        Whether answers are kept.

    Returns
    -------
    CacheInfo
        As it is now.

    Examples
    --------
    >>> configure(max_entries=1024).is_enabled
    True
    """
    return _SHARED.configure(max_entries=max_entries, max_bytes=max_bytes, enabled=enabled)


@contextlib.contextmanager
def disabled() -> Iterator[None]:
    """Compute everything anew inside a ``with`` block.

    Examples
    --------
    >>> with disabled():
    ...     info().is_enabled
    False
    """
    before = _SHARED.is_enabled
    configure(enabled=False)
    try:
        yield
    finally:
        configure(enabled=before)
