"""One series in memory: an ``int64`` time column and a ``float64`` value column.

Both grow by doubling. Samples are written straight into the columns through memory views,
so a read needs no flush; a view of a column is a read-only slice that keeps its length.
Whatever would change a sample that a view may see (a late sample, a replaced duplicate)
works on a copy, so older views never change.

>>> from monitorlab.model import SeriesKey
>>> column = Column(SeriesKey("up"))
>>> column.append(10, 1.0); column.append(20, 0.0); column.append(15, 1.0)
>>> view = column.view(); view.times.tolist(), view.values.tolist()
([10, 15, 20], [1.0, 1.0, 0.0])
"""

from __future__ import annotations

import operator
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from monitorlab.errors import InvalidSeriesError, MonitorlabError, TimeError
from monitorlab.storage.memory import new_column
from monitorlab.storage.merge import combine, sort_batch
from monitorlab.storage.view import MIN_TIME, Metadata, SeriesView
from monitorlab.times import from_ns

if TYPE_CHECKING:
    from monitorlab.model import SeriesKey

__all__ = ["Column", "DuplicatePolicy"]

DuplicatePolicy: TypeAlias = Literal["last", "first", "error"]

MIN_CAPACITY = 16  # samples in a new column
LATE_SHARE = 8  # late samples wait for a read, or until they are 1/8 of the column …
LATE_MINIMUM = 1024  # … and this many


class Column:
    """Samples of one series, in time order, with late arrivals and retention.

    Parameters
    ----------
    key : SeriesKey
        What the series is called.
    policy : {"last", "first", "error"}
        Which of two samples with one time stays.
    max_age : int, optional
        Nanoseconds; samples older than this before the newest are let go.
    max_samples : int, optional
        At most so many samples are kept, the newest ones.

    Notes
    -----
    Appending in order is amortised O(1). A late sample is put aside in O(1) and merged with
    its likes at the next read (or when they reach an eighth of the column): one sort of the
    late ones and one linear pass from the first place that changes. Not thread-safe: one
    thread appends and makes views; the views may go anywhere.

    Examples
    --------
    >>> from monitorlab.model import SeriesKey
    >>> column = Column(SeriesKey("up"), policy="first")
    >>> column.append(1, 5.0); column.append(1, 6.0)
    >>> column.view().values.tolist(), column.dropped
    ([5.0], {'duplicate': 1})
    """

    __slots__ = (
        "_times",
        "_values",
        "capacity",
        "dropped",
        "exposed",
        "key",
        "last",
        "late_seen",
        "late_times",
        "late_values",
        "max_age",
        "max_samples",
        "metadata",
        "metadata_shared",
        "policy",
        "read_times",
        "read_values",
        "shift",
        "size",
        "start",
        "times_address",
        "values_address",
        "write_times",
        "write_values",
    )

    def __init__(
        self,
        key: SeriesKey,
        policy: DuplicatePolicy = "last",
        max_age: int | None = None,
        max_samples: int | None = None,
    ) -> None:
        self.key = key
        self.policy: DuplicatePolicy = policy
        self.max_age = max_age
        self.max_samples = max_samples
        self.start = 0  # first sample that retention has kept
        self.size = 0  # one past the newest sample
        self.shift = 0  # size + shift goes up with each change, and with nothing else
        self.last = MIN_TIME  # newest time ever seen
        self.exposed = 0  # one past the last sample that any view may see
        self.dropped: dict[str, int] = {}
        self.metadata: Metadata = {}
        self.metadata_shared = False
        self.late_times = array("q")
        self.late_values = array("d")
        self.late_seen: set[int] = set()  # times put aside; kept for policy "error" only
        self._adopt(new_column(MIN_CAPACITY, np.int64), new_column(MIN_CAPACITY, np.float64))

    def __len__(self) -> int:
        self.settle()
        return self.size - self.start

    @property
    def nbytes(self) -> int:
        """Bytes set aside for samples; those past the newest sample are not touched yet."""
        late = self.late_times.itemsize * len(self.late_times) * 2
        return self._times.nbytes + self._values.nbytes + late

    def append(self, time_ns: int, value: float) -> None:
        """Add one sample; a late one lands in its place."""
        try:
            if time_ns > self.last:
                size = self.size
                if size == self.capacity:
                    self.reserve(1)
                    size = self.size
                self.write_times[size] = time_ns
                self.write_values[size] = value
                self.last = int(time_ns)
                self.size = size + 1
            else:
                self._append_late(operator.index(time_ns), value)
        except MonitorlabError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise _sample_error(self.key, time_ns, value) from error

    def extend(
        self,
        times: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        *,
        increasing: bool = False,
    ) -> None:
        """Add a batch that has been checked (equal lengths, no NaT), in any order.

        ``increasing`` says that the caller has looked already. With policy ``"error"``
        nothing at all is added when there is a duplicate.
        """
        if len(times) == 0:
            return
        if not increasing and not is_increasing(times):
            arrived = times
            times, values, duplicates = sort_batch(times, values, keep=self.policy)
            if duplicates and self.policy == "error":
                raise self._duplicate_error(_first_repeated(arrived), "twice in one batch")
            self._count("duplicate", duplicates)
        if times[0] <= self.last:
            split = int(times.searchsorted(self.last, "right"))
            self._put_aside(times[:split], values[:split])
            times, values = times[split:], values[split:]
        count = len(times)
        if count:
            self.reserve(count)
            self._times[self.size : self.size + count] = times
            self._values[self.size : self.size + count] = values
            self.last = int(times[-1])
            self.size += count

    def contains(self, time_ns: int) -> bool:
        """Tell whether there is a sample at exactly this time."""
        if time_ns > self.last:
            return False
        self.settle()
        return self._in_columns(time_ns)

    def annotate(self, time_ns: int, metadata: dict[str, Any]) -> None:
        """Keep metadata with the sample at this time."""
        self._own_metadata()
        self.metadata[time_ns] = metadata

    def view(self, start_ns: int | None = None, end_ns: int | None = None) -> SeriesView:
        """Give the samples in ``[start_ns, end_ns)`` as a frozen view, without a copy."""
        if self.late_times:
            self.settle()
        begin, end = self.start, self.size
        if begin < end:
            if end_ns is not None and end_ns <= self.last:
                end = bisect_left(self.write_times, end_ns, begin, end)
            if start_ns is not None and begin < end and start_ns > self.write_times[begin]:
                begin = bisect_left(self.write_times, start_ns, begin, end)
            self.exposed = max(self.exposed, end)
        metadata = self.metadata
        if metadata:
            self.metadata_shared = True
        return SeriesView(
            self.key,
            self.read_times[begin:end],
            self.read_values[begin:end],
            metadata,
            (self.times_address + 8 * begin, self.values_address + 8 * begin),
        )

    def trim(self, newest_ns: int) -> None:
        """Let go of what is too old beside a time, and of all but the newest samples."""
        self.settle()
        self._retain(newest_ns)
        live = self.size - self.start
        if self.capacity > LATE_MINIMUM and live * 8 < self.capacity:
            self._reallocate(live)

    def reserve(self, extra: int) -> None:
        """Make room for more samples; moves to new memory, so older views stay as they are."""
        if self.size + extra > self.capacity:
            self._retain(self.last)
            live = self.size - self.start
            self._reallocate(live + max(extra, live // 4))  # retention must not move us often

    def settle(self) -> None:
        """Merge the late samples that were put aside."""
        if not self.late_times:
            return
        times = np.array(self.late_times, dtype=np.int64)
        values = np.array(self.late_values, dtype=np.float64)
        times, values, repeated = sort_batch(times, values, keep=self.policy)
        begin, times, values, replaced = combine(
            self._times[self.start : self.size],
            self._values[self.start : self.size],
            times,
            values,
            keep=self.policy,
        )
        if len(times):
            changes = self.size + self.shift
            self._replace_from(self.start + begin, times, values)
            self.shift = changes - self.size  # they counted when they came
        del self.late_times[:]
        del self.late_values[:]
        self.late_seen.clear()
        self._count("duplicate", repeated + replaced)

    def __getstate__(self) -> dict[str, Any]:
        self.settle()
        return {
            "key": self.key,
            "policy": self.policy,
            "max_age": self.max_age,
            "max_samples": self.max_samples,
            "times": self.read_times[self.start : self.size].copy(),
            "values": self.read_values[self.start : self.size].copy(),
            "last": self.last,
            "changes": self.size + self.shift,
            "dropped": dict(self.dropped),
            "metadata": dict(self.metadata),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        Column.__init__(self, state["key"], state["policy"], state["max_age"], state["max_samples"])
        self.extend(state["times"], state["values"])
        self.last = state["last"]
        self.shift = state["changes"] - self.size
        self.dropped = state["dropped"]
        self.metadata = state["metadata"]

    # -- late samples ------------------------------------------------------------------

    def _append_late(self, time_ns: int, value: float) -> None:
        if time_ns <= MIN_TIME:
            msg = f"{time_ns} is no time"
            raise OverflowError(msg)
        if self.policy == "error":
            if time_ns in self.late_seen or self._in_columns(time_ns):
                raise self._duplicate_error(time_ns, "already there")
            self.late_values.append(value)  # refuses what is no number, before anything changes
            self.late_seen.add(time_ns)
        else:
            self.late_values.append(value)
        self.late_times.append(time_ns)
        self.shift += 1
        if self.metadata and self.policy == "last" and time_ns in self.metadata:
            self._own_metadata()
            del self.metadata[time_ns]
        self._settle_if_many()

    def _put_aside(self, times: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> None:
        if self.policy == "error":
            self._refuse_known(times)
            self.late_seen.update(times.tolist())
        if self.metadata and self.policy == "last":
            gone = self.metadata.keys() & set(times.tolist())
            if gone:
                self._own_metadata()
                for time_ns in gone:
                    del self.metadata[time_ns]
        self.late_times.frombytes(times.tobytes())
        self.shift += 1
        self.late_values.frombytes(values.tobytes())
        self._settle_if_many()

    def _refuse_known(self, times: npt.NDArray[np.int64]) -> None:
        live = self.read_times[self.start : self.size]
        places = live.searchsorted(times)
        known = places < len(live)
        known[known] = live[places[known]] == times[known]
        waiting = self.late_seen.intersection(times.tolist())
        if known.any() or waiting:
            repeated = int(times[known][0]) if known.any() else min(waiting)
            raise self._duplicate_error(repeated, "already there")

    def _settle_if_many(self) -> None:
        if len(self.late_times) > LATE_MINIMUM + (self.size - self.start) // LATE_SHARE:
            self.settle()

    def _in_columns(self, time_ns: int) -> bool:
        live = self.read_times[self.start : self.size]
        place = int(live.searchsorted(time_ns))
        return place < len(live) and int(live[place]) == time_ns

    # -- memory ------------------------------------------------------------------------

    def _retain(self, newest_ns: int) -> None:
        kept_from = self.start
        if self.max_age is not None and self.start < self.size:
            cut = max(newest_ns - self.max_age, MIN_TIME + 1)
            if self.write_times[self.start] < cut:
                old = int(self.read_times[self.start : self.size].searchsorted(cut))
                self.start += old
                self._count("age", old)
        if self.max_samples is not None:
            extra = self.size - self.start - self.max_samples
            if extra > 0:
                self.start += extra
                self._count("count", extra)
        if self.start > kept_from and self.metadata and not self.late_times:
            self._prune_metadata()

    def _replace_from(
        self, begin: int, times: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
    ) -> None:
        """Put new samples in place of all from ``begin`` on; copies if a view may see them."""
        end = begin + len(times)
        if begin < self.exposed or end > self.capacity:
            before = begin - self.start
            self.size = begin
            self._reallocate(before + len(times))
            begin, end = before, before + len(times)
        self._times[begin:end] = times
        self._values[begin:end] = values
        self.size = end

    def _reallocate(self, needed: int) -> None:
        capacity = MIN_CAPACITY
        while capacity < needed:
            capacity *= 2
        live = self.size - self.start
        times = new_column(capacity, np.int64)
        values = new_column(capacity, np.float64)
        times[:live] = self._times[self.start : self.size]
        values[:live] = self._values[self.start : self.size]
        self.shift += self.size - live
        self.start, self.size = 0, live
        self._adopt(times, values)

    def _adopt(self, times: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> None:
        self._times = times
        self._values = values
        self.capacity = len(times)
        self.write_times: Any = memoryview(times)  # type: ignore[arg-type]
        self.write_values: Any = memoryview(values)  # type: ignore[arg-type]
        self.read_times = times[:]
        self.read_values = values[:]
        self.read_times.flags.writeable = False
        self.read_values.flags.writeable = False
        self.times_address = int(times.__array_interface__["data"][0])
        self.values_address = int(values.__array_interface__["data"][0])
        self.exposed = 0

    def _own_metadata(self) -> None:
        if self.metadata_shared:
            self.metadata = dict(self.metadata)
            self.metadata_shared = False

    def _prune_metadata(self) -> None:
        if self.start < self.size:
            oldest = int(self.write_times[self.start])
            if min(self.metadata) >= oldest:
                return
            self.metadata = {t: m for t, m in self.metadata.items() if t >= oldest}
        else:
            self.metadata = {}
        self.metadata_shared = False

    def _count(self, reason: str, number: int) -> None:
        if number:
            self.dropped[reason] = self.dropped.get(reason, 0) + number

    def _duplicate_error(self, time_ns: int, how: str) -> InvalidSeriesError:
        return InvalidSeriesError(
            f"{self.key}: the sample at {from_ns(time_ns)} is {how}; nothing was added "
            "(duplicates='last' or 'first' would keep one of them)"
        )


def is_increasing(times: npt.NDArray[np.int64]) -> bool:
    """Tell whether times are strictly increasing."""
    return len(times) < 2 or bool((times[1:] > times[:-1]).all())


def _first_repeated(times: npt.NDArray[np.int64]) -> int:
    ordered = np.sort(times)
    return int(ordered[:-1][ordered[1:] == ordered[:-1]][0])


def _sample_error(key: SeriesKey, time_ns: object, value: object) -> MonitorlabError:
    if not isinstance(time_ns, (int, np.integer)):
        return TimeError(
            f"{key}: the time {time_ns!r} is not a whole number of nanoseconds; "
            "use record(…, timestamp=…) for times in another form"
        )
    if not MIN_TIME < time_ns < -MIN_TIME:
        return TimeError(f"{key}: {time_ns} is outside the years 1678 to 2262 of nanoseconds")
    return InvalidSeriesError(
        f"{key}: the value {value!r} at {from_ns(int(time_ns))} is not a number; "
        "use float('nan') for a missing one"
    )
