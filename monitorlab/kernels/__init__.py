"""Compiled loops over plain arrays; nothing here knows of series, labels or results.

Import a kernel module inside the function that needs it: importing ``numba`` takes a third
of a second, and the first call of a kernel on a machine compiles it (it is cached after).

>>> import numpy as np
>>> from monitorlab.kernels.rolling import window_starts
>>> starts = np.empty(4, np.int64)
>>> window_starts(np.array([0, 10, 20, 30]), 15, starts)
>>> starts.tolist()
[0, 0, 1, 2]
"""

from __future__ import annotations

__all__ = ()
