"""Memory for columns: pages that are not written yet cost nothing.

>>> new_column(4, np.float64).shape
(4,)
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np

__all__ = ["new_column"]

# A column that doubles leaves a hole of its old size behind, which a heap keeps; memory of
# one's own pages goes back to the system, and its unwritten half is never taken.
MAPPED_BYTES = 1 << 16
_FLAGS = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)


def new_column(size: int, dtype: Any) -> np.ndarray:
    """Give an uninitialised array of 8-byte numbers.

    Parameters
    ----------
    size : int
        Numbers.
    dtype : numpy dtype
        ``int64`` or ``float64``.

    Returns
    -------
    numpy.ndarray
        Mapped pages of its own from 64 KiB on (where the system has them), else the heap.

    Examples
    --------
    >>> new_column(1 << 14, np.int64).flags.writeable
    True
    """
    if size * 8 >= MAPPED_BYTES and _FLAGS:
        return np.frombuffer(mmap.mmap(-1, size * 8, flags=_FLAGS), dtype=dtype)
    return np.empty(size, dtype=dtype)
