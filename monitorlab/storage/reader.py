"""Reading a store: finding series, views, counts, retention.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.append("up", 1, 1.0)
>>> store.keys, store.sample_count
([up], 1)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monitorlab.errors import InvalidSeriesError, UnknownSeriesError, did_you_mean
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey
from monitorlab.storage.column import Column, DuplicatePolicy
from monitorlab.storage.index import SeriesIndex
from monitorlab.storage.keys import make_key
from monitorlab.storage.matchers import NAME_LABEL, Matcher, Selector, as_matchers
from monitorlab.storage.view import MIN_TIME, SeriesView, is_stale

__all__ = ["SeriesReader"]

_HISTOGRAM_PARTS = ("_bucket", "_sum", "_count")


class SeriesReader:
    """Everything that asks a store; ``SeriesStore`` adds everything that changes one.

    Parameters
    ----------
    duplicates : {"last", "first", "error"}
        Which of two samples with one time stays.
    max_age_ns : int or None
        Retention by age.
    max_samples : int or None
        Retention by count for each series.
    clock : callable
        Gives the present in nanoseconds.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> isinstance(SeriesStore(), SeriesReader)
    True
    """

    def __init__(
        self,
        duplicates: DuplicatePolicy,
        max_age_ns: int | None,
        max_samples: int | None,
        clock: Callable[[], int],
    ) -> None:
        self.duplicates: DuplicatePolicy = duplicates
        self.max_age_ns = max_age_ns
        self.max_samples = max_samples
        self.metrics: dict[str, Metric] = {}
        self.incidents: list[Incident] = []
        self._retains = max_age_ns is not None or max_samples is not None
        self._clock = clock
        self._index = SeriesIndex()
        self._columns: list[Column] = []
        # Three ways from a caller's key to its column, each one dictionary look-up.
        self._by_name: dict[str, Column] = {}
        self._by_labels: dict[tuple[Any, ...], Column] = {}
        self._by_identity: dict[int, Column] = {}
        self._changes = 0  # descriptions and new series; columns count their own

    def select(
        self,
        selector: str | Selector | SeriesKey | Sequence[Matcher] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[SeriesView]:
        """Find series and give their samples in ``[start_ns, end_ns)``, without a copy.

        Parameters
        ----------
        selector : str, Selector, SeriesKey, sequence of Matcher, or None
            PromQL selector; a text that is exactly a metric's name means that metric; None
            means all series.
        start_ns, end_ns : int, optional
            Half-open stretch in nanoseconds; None leaves the side open.

        Returns
        -------
        list of SeriesView
            In the order of the keys; series without a sample in the stretch are left out.

        Raises
        ------
        MatcherError
            If the selector cannot be read.

        Notes
        -----
        Finding the series is one look-up when the same selector was asked before; each
        series then costs two binary searches.

        Examples
        --------
        >>> from monitorlab.storage import SeriesStore
        >>> store = SeriesStore()
        >>> store.extend("up", np.array([1, 2, 3]), [1.0, 1.0, 0.0])
        >>> store.select("up", 2, 3)
        [SeriesView(up, 1 sample, 1970-01-01 00:00:00.000000002 to 1970-01-01 00:00:00.000000002)]
        """
        found = [self._columns[number] for number in self._find(selector)]
        if self._retains:
            newest = self._newest()
            for column in found:
                column.trim(newest)
        views = [column.view(start_ns, end_ns) for column in found]
        return [view for view in views if len(view)]

    def view(
        self,
        metric: str | SeriesKey,
        labels: Mapping[str, str] | None = None,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> SeriesView:
        """Give one series by its exact name and labels; it may be empty in the stretch.

        Parameters
        ----------
        metric : str or SeriesKey
            Metric name, or name and labels in one.
        labels : mapping of str to str, optional
            Label set.
        start_ns, end_ns : int, optional
            Half-open stretch in nanoseconds.

        Returns
        -------
        SeriesView
            Without a copy.

        Raises
        ------
        UnknownSeriesError
            If there is no such series; offers the nearest names.

        Examples
        --------
        >>> from monitorlab.storage import SeriesStore
        >>> SeriesStore().view("up")
        Traceback (most recent call last):
        ...
        monitorlab.errors.UnknownSeriesError: there is no series up
        """
        column = self._known(metric, labels)
        if column is None:
            key = make_key(metric, labels)
            near = did_you_mean(str(key), map(str, self._index.keys))
            msg = f"there is no series {key}{near}"
            raise UnknownSeriesError(msg)
        if self._retains:
            column.trim(self._newest())
        return column.view(start_ns, end_ns)

    def metric(self, name: str) -> Metric:
        """Give what is known of a metric; one that nobody described is a gauge.

        The ``_bucket``, ``_sum`` and ``_count`` series of a described histogram are counters.
        """
        known = self.metrics.get(name)
        if known is not None:
            return known
        for part in _HISTOGRAM_PARTS:
            base = self.metrics.get(name.removesuffix(part)) if name.endswith(part) else None
            if base is not None and base.type is MetricType.HISTOGRAM:
                unit = base.unit if part == "_sum" else ""
                return Metric(name, MetricType.COUNTER, unit, base.description)
        return Metric(name)

    @property
    def keys(self) -> list[SeriesKey]:
        """All series, in order."""
        return [self._index.keys[number] for number in self._index.find(())]

    @property
    def metric_names(self) -> list[str]:
        """Names of all metrics that have series, in order."""
        return self._index.metrics

    def label_names(self) -> list[str]:
        """Give all label names, in order."""
        return self._index.label_names()

    def label_values(self, name: str) -> list[str]:
        """Give the values of a label, in order (``"__name__"``: metric names)."""
        return self._index.label_values(name)

    @property
    def newest_ns(self) -> int | None:
        """Time of the newest sample ever added, or None; a look at each series."""
        newest = self._newest()
        return None if newest == MIN_TIME else newest

    @property
    def version(self) -> int:
        """A number that goes up with each change; a look at each series."""
        return self._changes + sum([c.size + c.shift for c in self._columns])

    @property
    def sample_count(self) -> int:
        """Samples that are kept now."""
        self.enforce_retention()
        return sum(len(column) for column in self._columns)

    @property
    def nbytes(self) -> int:
        """Bytes set aside for samples."""
        return sum(column.nbytes for column in self._columns)

    @property
    def dropped(self) -> dict[str, int]:
        """Samples not kept, by reason: ``age``, ``count`` (retention), ``duplicate``."""
        total: dict[str, int] = {}
        for reasons in self.dropped_by_series().values():
            for reason, number in reasons.items():
                total[reason] = total.get(reason, 0) + number
        return total

    def dropped_by_series(self) -> dict[SeriesKey, dict[str, int]]:
        """Give the samples not kept, by series and reason; series that lost none are left out."""
        self.enforce_retention()
        return {c.key: dict(c.dropped) for c in self._columns if c.dropped}

    @property
    def nan_count(self) -> int:
        """Samples that are NaN, stale markers not counted; one pass over all values."""
        return (
            sum(int(np.count_nonzero(np.isnan(view.values))) for view in self.select())
            - self.stale_count
        )

    @property
    def stale_count(self) -> int:
        """Samples that are stale markers; one pass over all values."""
        return sum(int(np.count_nonzero(is_stale(view.values))) for view in self.select())

    def enforce_retention(self) -> None:
        """Merge late samples and drop what retention does not keep, now."""
        newest = self._newest()
        for column in self._columns:
            column.trim(newest)

    def matchers(
        self, selector: str | Selector | SeriesKey | Sequence[Matcher] | None
    ) -> tuple[Matcher, ...]:
        """Read a selector; a text that is exactly a metric's name means that metric."""
        if isinstance(selector, str) and self._index.has_metric(selector):
            return (Matcher(NAME_LABEL, "=", selector),)
        return as_matchers(selector)

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[SeriesView]:
        return iter(self.select())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        count = len(self._columns)
        return (
            f"SeriesStore({count} series of {len(self.metric_names)} metrics, "
            f"{self.sample_count} samples)"
        )

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        for name in ("_by_name", "_by_labels", "_by_identity"):
            state[name] = {}
        return state

    # -- inside ------------------------------------------------------------------------

    def _newest(self) -> int:
        return int(max([column.last for column in self._columns], default=MIN_TIME))

    def _find(self, selector: Any) -> list[int]:
        if not isinstance(selector, str):
            return self._index.find(self.matchers(selector))
        found = self._index.by_text.get(selector)
        if found is None:
            found = self._index.find(self.matchers(selector))
            self._index.by_text[selector] = found
        return found

    def _known(self, metric: str | SeriesKey, labels: Mapping[str, str] | None) -> Column | None:
        number = self._index.number(make_key(metric, labels))
        return None if number is None else self._columns[number]

    def _route(self, metric: str | SeriesKey, labels: Mapping[str, str] | None) -> Column:
        """Find the column by the remembered way, or as ``_column`` does."""
        try:
            if labels is None:
                if metric.__class__ is str:
                    return self._by_name[metric]
                return self._by_identity[id(metric)]
            if labels.__class__ is dict:
                return self._by_labels[metric, *labels, *labels.values()]
            return self._by_labels[metric, labels]
        except (KeyError, TypeError):
            return self._column(metric, labels)

    def _column(
        self,
        metric: str | SeriesKey,
        labels: Mapping[str, str] | None,
        *,
        first: tuple[int, float] | None = None,
    ) -> Column:
        """Find the column, or make it; remember the way there."""
        key = make_key(metric, labels)
        number = self._index.number(key)
        if number is None:
            if NAME_LABEL in key.labels:
                msg = f"{key}: the label {NAME_LABEL} is the metric name; give that as metric"
                raise InvalidSeriesError(msg)
            column = Column(key, self.duplicates, self.max_age_ns, self.max_samples)
            if first is not None:
                # A wrong first sample must not leave an empty series behind.
                Column(key).append(*first)
            self._index.add(key)
            self._columns.append(column)
            self._changes += 1
        else:
            column = self._columns[number]
        # An identity stays valid because the column holds on to its key.
        self._by_identity[id(column.key)] = column
        if not isinstance(metric, str):
            return column
        if labels is None:
            self._by_name[metric] = column
        elif isinstance(labels, Labels):
            self._by_labels[metric, labels] = column
        elif isinstance(labels, dict) and all(type(v) is str for v in labels.values()):
            # 1 == True == 1.0 as dictionary keys, so only texts may be remembered.
            self._by_labels[metric, *labels, *labels.values()] = column
        return column
