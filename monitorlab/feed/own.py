"""The feed's own metrics, recorded beside the others.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> OwnMetrics(store, "feed").record(0, {"samples_total": 5})
>>> [str(view.key) for view in store.select()]
['monitorlab_feed_samples_total{feed="feed"}']
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitorlab.columns import OWN_PREFIX
from monitorlab.model import Labels, MetricType, SeriesKey

__all__ = ["OwnMetrics"]

EVERY_NS = 1_000_000_000
_COUNTER, _GAUGE = MetricType.COUNTER, MetricType.GAUGE
_FIGURES = {
    "samples_total": (_COUNTER, "", "Samples taken in."),
    "late_samples_total": (_COUNTER, "", "Samples older than the event time complete then."),
    "dropped_samples_total": (_COUNTER, "", "Samples lost to the overflow policy."),
    "errors_total": (_COUNTER, "", "Errors of source, samples, rules and receivers."),
    "queue_batches": (_GAUGE, "", "Batches that wait."),
    "samples_per_second": (_GAUGE, "1/s", "Samples taken in for each second of event time."),
    "processing_seconds": (_GAUGE, "s", "Time spent on the last batch."),
    "evaluation_seconds": (_GAUGE, "s", "Time spent on rules in the last batch."),
    "lag_seconds": (_GAUGE, "s", "Clock minus event time."),
}


class OwnMetrics:
    """Record figures of a feed as series ``monitorlab_feed_*``, once a second of event time.

    Parameters
    ----------
    store : SeriesStore
        Where to.
    feed : str
        Value of the label ``feed``.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> OwnMetrics(SeriesStore(), "feed").is_due(0)
    True
    """

    def __init__(self, store: Any, feed: str) -> None:
        self._store = store
        self._labels = Labels(feed=feed)
        self._at: int | None = None

    def is_due(self, time_ns: int) -> bool:
        """Tell whether a second has passed since the last record."""
        return self._at is None or time_ns - self._at >= EVERY_NS

    def record(self, time_ns: int, figures: Mapping[str, float]) -> None:
        """Append one sample of each figure; names are those without the prefix."""
        self._at = time_ns
        for name, value in figures.items():
            metric = OWN_PREFIX + name
            if metric not in self._store.metrics:
                kind, unit, text = _FIGURES[name]
                self._store.describe(metric, type=kind, unit=unit, description=text)
            self._store.append(SeriesKey(metric, self._labels), time_ns, float(value))
