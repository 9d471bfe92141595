"""Expensive answers, kept by what they were computed from: content and parameters, never names.

``remember`` gives the kept answer or computes it; ``info`` says how often each happened. The key
is a digest of every label set, time and value that the answer depends on, and of every
parameter, so an appended sample, another label or another option is another key.

>>> clear()
>>> remember("sum", lambda: 1 + 2, (1, 2)), remember("sum", lambda: 1 + 2, (1, 2))
(3, 3)
>>> info().hits, info().misses
(1, 1)
"""

from monitorlab.cache.fingerprint import NoContentError, fingerprint
from monitorlab.cache.results import CacheInfo, ResultCache
from monitorlab.cache.shared import clear, configure, disabled, info, remember

__all__ = [
    "CacheInfo",
    "NoContentError",
    "ResultCache",
    "clear",
    "configure",
    "disabled",
    "fingerprint",
    "info",
    "remember",
]
