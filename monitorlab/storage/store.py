"""The store: many series, what is known of their metrics, and the marked incidents.

>>> store = SeriesStore()
>>> store.record("latency_ms", 12.5, "2026-01-01T00:00:00Z", {"route": "/cart"})
>>> store.extend("latency_ms", ["2026-01-01T00:01:00Z"], [14.0], {"route": "/cart"})
>>> store.select('latency_ms{route=~"/.*"}')[0].values.tolist()
[12.5, 14.0]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from monitorlab import wallclock
from monitorlab.errors import InvalidSeriesError
from monitorlab.model import Metric, MetricType, SeriesKey
from monitorlab.storage.column import Column, DuplicatePolicy, is_increasing
from monitorlab.storage.convert import times_to_ns, values_to_floats
from monitorlab.storage.keys import metric_type
from monitorlab.storage.reader import SeriesReader
from monitorlab.storage.view import MIN_TIME
from monitorlab.times import DurationLike, TimeLike, parse_duration, to_ns

if TYPE_CHECKING:
    from monitorlab.storage.selection import Selection

__all__ = ["SeriesStore", "SeriesWriter"]

_SURELY_NS = 10**16  # whole numbers above this are nanoseconds, see monitorlab.times


class SeriesStore(SeriesReader):
    """Columnar samples by series, found through PromQL matchers.

    Parameters
    ----------
    duplicates : {"last", "first", "error"}
        Which of two samples of one series with one time stays. With ``"error"`` the second
        is refused and nothing of its batch is added.
    max_age : duration, optional
        Samples older than this, counted back from the newest sample of the whole store,
        are dropped; None keeps all.
    max_samples : int, optional
        At most so many samples are kept for each series, the newest; None keeps all.
    clock : callable
        Gives the present in nanoseconds, for ``record`` without a time.

    Notes
    -----
    A sample takes 16 bytes. Appending in order is amortised O(1), reading a stretch of time
    is two binary searches and no copy, a late sample is put aside and merged at the next
    read. Retention is applied at reads and whenever a column grows; what it dropped is in
    ``dropped``. One thread (or one event loop) writes and selects; the views that it gets
    are frozen and may be read by any thread. A store can be pickled if its clock can.

    Examples
    --------
    >>> import numpy as np
    >>> store = SeriesStore(max_samples=2)
    >>> store.extend("up", np.array([1, 2, 3]), [1.0, 1.0, 0.0])
    >>> store.select("up")[0].times.tolist(), store.dropped
    ([2, 3], {'count': 1})
    """

    def __init__(
        self,
        *,
        duplicates: DuplicatePolicy = "last",
        max_age: DurationLike | None = None,
        max_samples: int | None = None,
        clock: Callable[[], int] = wallclock.now_ns,
    ) -> None:
        if duplicates not in get_args(DuplicatePolicy):
            msg = f"duplicates={duplicates!r} is unknown; use 'last', 'first' or 'error'"
            raise InvalidSeriesError(msg)
        if max_samples is not None and max_samples < 1:
            msg = f"max_samples={max_samples!r} must be at least 1, or None to keep all"
            raise InvalidSeriesError(msg)
        max_age_ns = None if max_age is None else parse_duration(max_age)
        super().__init__(duplicates, max_age_ns, max_samples, clock)

    def append(
        self,
        metric: str | SeriesKey,
        time_ns: int,
        value: float,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Add one sample at a time in nanoseconds: the fast path.

        Parameters
        ----------
        metric : str or SeriesKey
            Metric name, or name and labels in one.
        time_ns : int
            Nanoseconds since the epoch, UTC, whatever its size.
        value : float
            The sample; NaN is kept.
        labels : mapping of str to str, optional
            Label set, when ``metric`` is a name.

        Raises
        ------
        InvalidSeriesError
            If the value is no number, or the time is taken and ``duplicates="error"``.
        TimeError
            If the time is no whole number of nanoseconds.

        Notes
        -----
        O(1) amortised, also for a late sample. ``writer`` is faster still for one series.

        Examples
        --------
        >>> store = SeriesStore()
        >>> store.append("up", 1_000_000_000, 1.0, {"job": "shop"})
        >>> store.sample_count
        1
        """
        try:
            if labels is None:
                column = (
                    self._by_name[metric]
                    if metric.__class__ is str
                    else self._by_identity[id(metric)]
                )
            elif labels.__class__ is dict:
                column = self._by_labels[metric, *labels, *labels.values()]
            else:
                column = self._by_labels[metric, labels]
        except (KeyError, TypeError):
            column = self._column(metric, labels, first=(time_ns, value))
        size = column.size
        try:
            if time_ns > column.last:
                column.write_times[size] = time_ns
                column.write_values[size] = value
                column.last = time_ns
                column.size = size + 1
                return
        except (TypeError, ValueError, IndexError):
            column.append(time_ns, value)  # the column was full, or it says what is wrong
        else:
            column.append(time_ns, value)

    def record(
        self,
        metric: str | SeriesKey,
        value: float,
        timestamp: TimeLike | None = None,
        labels: Mapping[str, str] | None = None,
        type: MetricType | str | None = None,  # noqa: A002 - the Contract's name
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Add one sample, at a time in any form or now.

        Parameters
        ----------
        metric : str or SeriesKey
            Metric name, or name and labels in one.
        value : float
            The sample; NaN is kept and counted.
        timestamp : time, optional
            Anything that ``monitorlab.times.to_ns`` reads; None asks the clock.
        labels : mapping of str to str, optional
            Label set.
        type : MetricType or str, optional
            What the metric's samples mean, if it is not described yet.
        metadata : mapping, optional
            Anything to keep with this sample (a trace id, a release); see
            ``SeriesView.metadata``.

        Raises
        ------
        InvalidSeriesError
            If the value is no number, or the time is taken and ``duplicates="error"``.
        TimeError
            If the time cannot be read.

        Examples
        --------
        >>> store = SeriesStore(clock=lambda: 5)
        >>> store.record("latency_ms", 900.0, metadata={"trace": "a1"})
        >>> store.select("latency_ms")[0].metadata
        {5: {'trace': 'a1'}}
        """
        if timestamp is None:
            time_ns = self._clock()
        elif timestamp.__class__ is int and timestamp > _SURELY_NS:
            time_ns = timestamp
        else:
            time_ns = to_ns(timestamp)
        if type is None and metadata is None:
            self.append(metric, time_ns, value, labels)
            return
        kind = None if type is None else metric_type(type)
        keep_note = metadata is not None
        if metadata is not None and self.duplicates == "first":
            known = self._known(metric, labels)
            keep_note = known is None or not known.contains(time_ns)
        self.append(metric, time_ns, value, labels)
        column = self._column(metric, labels)
        if keep_note and metadata is not None:
            column.annotate(time_ns, dict(metadata))
        if kind is not None and column.key.metric not in self.metrics:
            self.describe(column.key.metric, type=kind)

    def extend(
        self,
        metric: str | SeriesKey,
        times: Any,
        values: Any,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Add a batch of samples of one series, in any order.

        Parameters
        ----------
        metric : str or SeriesKey
            Metric name, or name and labels in one.
        times : array_like
            An ``int64`` array is nanoseconds since the epoch; anything else goes through
            ``times_to_ns`` (indexes, texts, epoch numbers whose unit is told by size).
        values : array_like of float
            As many; None and ``pd.NA`` become NaN.
        labels : mapping of str to str, optional
            Label set.

        Raises
        ------
        InvalidSeriesError
            If the lengths differ, a value is no number, or there are duplicates and
            ``duplicates="error"``. Nothing is added then.
        TimeError
            If a row has no time; the message names it. Nothing is added then.

        Notes
        -----
        In order: one check and one copy, O(n). Otherwise one stable sort, and late samples
        wait for the next read to be merged in one linear pass.

        Examples
        --------
        >>> store = SeriesStore()
        >>> store.extend("up", [1767225660, 1767225600], [0.0, 1.0])
        >>> store.select("up")[0].values.tolist()
        [1.0, 0.0]
        """
        if times.__class__ is np.ndarray and times.dtype == np.int64 and times.ndim == 1:
            stamps, increasing = times, is_increasing(times)
            if len(times) and (times[0] if increasing else times.min()) == MIN_TIME:
                times_to_ns(times, int64_is_ns=True, what=f"times of {metric}")  # names the row
        else:
            stamps = times_to_ns(times, int64_is_ns=True, what=f"times of {metric}")
            increasing = False
        numbers = (
            values
            if values.__class__ is np.ndarray and values.dtype == np.float64 and values.ndim == 1
            else values_to_floats(values, what=f"values of {metric}")
        )
        if len(stamps) != len(numbers):
            msg = (
                f"{metric}: {len(stamps)} times for {len(numbers)} values; "
                "give one value for each time"
            )
            raise InvalidSeriesError(msg)
        if len(stamps):
            self._route(metric, labels).extend(stamps, numbers, increasing=increasing)

    def writer(
        self, metric: str | SeriesKey, labels: Mapping[str, str] | None = None
    ) -> SeriesWriter:
        """Give a handle that appends to one series without looking it up each time.

        Parameters
        ----------
        metric : str or SeriesKey
            Metric name, or name and labels in one.
        labels : mapping of str to str, optional
            Label set.

        Returns
        -------
        SeriesWriter
            Its ``append(time_ns, value)`` is the fastest way in for single samples.

        Examples
        --------
        >>> store = SeriesStore()
        >>> store.writer("up").append(1, 1.0)
        >>> len(store.select("up")[0])
        1
        """
        return SeriesWriter(self._column(metric, labels))

    def selection(self) -> Selection:
        """Give a live selection of everything, to be narrowed."""
        from monitorlab.storage.selection import Selection

        return Selection(self)

    def describe(
        self,
        metric: str,
        *,
        type: MetricType | str | None = None,  # noqa: A002 - the Contract's name
        unit: str | None = None,
        description: str | None = None,
        direction: str | None = None,
    ) -> Metric:
        """Say what is known of a metric; what is not given stays as it was.

        Parameters
        ----------
        metric : str
            Metric name; it need not have samples yet.
        type : MetricType or str, optional
            What its samples mean.
        unit, description : str, optional
            Unit of the samples; one sentence.
        direction : {"up", "down"}, optional
            Which way is worse.

        Returns
        -------
        Metric
            All that is known now.

        Raises
        ------
        InvalidSeriesError
            If the type or the direction is unknown.

        Examples
        --------
        >>> SeriesStore().describe("requests_total", type="counter").type.value
        'counter'
        """
        if direction not in (None, "up", "down"):
            msg = f"{metric}: direction={direction!r} is unknown; use 'up', 'down' or None"
            raise InvalidSeriesError(msg)
        old = self.metric(metric)
        new = Metric(
            metric,
            old.type if type is None else metric_type(type),
            old.unit if unit is None else str(unit),
            old.description if description is None else str(description),
            old.direction if direction is None else direction,
        )
        self.metrics[metric] = new
        self._changes += 1
        return new


class SeriesWriter:
    """A handle on one series: appends single samples without looking the series up.

    Parameters
    ----------
    column : Column
        The series.

    Examples
    --------
    >>> writer = SeriesStore().writer("up", {"job": "shop"})
    >>> writer.append(1, 1.0); writer.key
    up{job="shop"}
    """

    __slots__ = ("_column",)

    def __init__(self, column: Column) -> None:
        self._column = column

    @property
    def key(self) -> SeriesKey:
        """The series."""
        return self._column.key

    def append(self, time_ns: int, value: float) -> None:
        """Add one sample; errors as in ``SeriesStore.append``."""
        column = self._column
        size = column.size
        try:
            if time_ns > column.last:
                column.write_times[size] = time_ns
                column.write_values[size] = value
                column.last = time_ns
                column.size = size + 1
                return
        except (TypeError, ValueError, IndexError):
            column.append(time_ns, value)  # the column was full, or it says what is wrong
        else:
            column.append(time_ns, value)
