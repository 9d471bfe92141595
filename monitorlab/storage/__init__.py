"""Storage: columns of samples, an index of labels, retention, and frozen views.

>>> import numpy as np
>>> store = SeriesStore()
>>> store.extend("latency_ms", np.array([1, 2, 3]), [10.0, 12.0, 11.0], {"route": "/cart"})
>>> store.select('latency_ms{route="/cart"}', 2)[0].values.tolist()
[12.0, 11.0]
"""

from __future__ import annotations

from monitorlab.storage.column import DuplicatePolicy
from monitorlab.storage.convert import times_to_ns, values_to_floats
from monitorlab.storage.matchers import (
    NAME_LABEL,
    Matcher,
    Selector,
    as_matchers,
    key_filter,
    matches_key,
    parse_selector,
)
from monitorlab.storage.selection import Selection
from monitorlab.storage.store import SeriesStore, SeriesWriter
from monitorlab.storage.view import STALE_NAN, SeriesView, is_stale

__all__ = [
    "NAME_LABEL",
    "STALE_NAN",
    "DuplicatePolicy",
    "Matcher",
    "Selection",
    "Selector",
    "SeriesStore",
    "SeriesView",
    "SeriesWriter",
    "as_matchers",
    "is_stale",
    "key_filter",
    "matches_key",
    "parse_selector",
    "times_to_ns",
    "values_to_floats",
]
