"""Compile a kernel for this machine and keep the code until any kernel changes (numba).

Numba keeps compiled code as long as the file of its function is the same, but a kernel has the
code of all others that it calls in it: after an update it would go on with theirs as they were.

>>> @njit(cache=False)
... def twice(x):
...     return 2 * x
>>> twice(21)
42
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

__all__ = ["njit", "sources"]


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function without the interpreter, as ``numba.njit`` does.

    Parameters
    ----------
    **options : object
        Those of ``numba.njit``. With ``cache`` the code is kept on disk for as long as the sources
        of all kernels are the same; where this numba cannot be told so, nothing is kept.

    Returns
    -------
    callable
        A decorator.

    Examples
    --------
    >>> half = njit(nogil=True)(lambda x: x / 2)
    >>> half(3)
    1.5
    """

    def compiled(function: Callable[..., Any]) -> Any:
        made = numba.njit(**options)(function)
        if options.get("cache"):
            kept: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)
            if not hasattr(kept, "_source_stamp"):
                return numba.njit(**{**options, "cache": False})(function)
            kept._source_stamp = (kept._source_stamp, sources())  # noqa: SLF001 - no other way
        return made

    return compiled


@cache
def sources() -> str:
    """Give the digest of the sources of all kernels.

    Returns
    -------
    str
        Another one whenever any of them changes.

    Notes
    -----
    Read once, in about a millisecond.

    Examples
    --------
    >>> len(sources())
    40
    """
    digest = hashlib.sha1(usedforsecurity=False)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
