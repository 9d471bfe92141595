"""What a reader gets: a frozen, zero-copy view of one series.

>>> view = SeriesView.make("up", [0, 1_000_000_000], [1.0, 0.0])
>>> len(view), view.values.flags.writeable
(2, False)
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.errors import InvalidSeriesError
from monitorlab.model import Labels, SeriesKey

__all__ = ["STALE_NAN", "SeriesView", "is_stale"]

Metadata: TypeAlias = dict[int, dict[str, Any]]

MIN_TIME = -(2**63)  # the bit pattern of NaT: no sample has it
MAX_TIME = 2**63 - 1
STALE_BITS = 0x7FF0000000000002
STALE_NAN: float = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
_NO_METADATA: Metadata = {}
_UTC = pd.DatetimeTZDtype("ns", "UTC")


def is_stale(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Tell which values are stale markers (the end of a series, as Prometheus writes it).

    Parameters
    ----------
    values : array_like of float
        Samples.

    Returns
    -------
    numpy.ndarray of bool
        True where the bits are ``0x7ff0000000000002``; an ordinary NaN is a sample.

    Notes
    -----
    One pass over the bits, O(n). Arithmetic does not keep the bits: ask before computing. The
    marker is a signalling NaN: ``numpy.fmax``, ``numpy.fmin`` and ``numpy.nanmax`` do not skip it
    (they give NaN), while ``numpy.isnan``, pandas and this package do.

    References
    ----------
    The Prometheus Authors, ``model/value``: ``StaleNaN``.

    Examples
    --------
    >>> is_stale([1.0, float("nan"), STALE_NAN]).tolist()
    [False, False, True]
    """
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    return np.asarray(numbers.view(np.uint64) == np.uint64(STALE_BITS))


class SeriesView:
    """Frozen snapshot of one series over one stretch of time; shares the store's memory.

    Later appends, late samples and retention never change it. It may be read from any
    thread.

    Parameters
    ----------
    key : SeriesKey
        Metric name and labels.
    times : numpy.ndarray of int64
        Nanoseconds, UTC, strictly increasing, read-only.
    values : numpy.ndarray of float64
        As many; NaN is a sample, a stale marker is ``STALE_NAN``.
    metadata : dict of int to dict
        Metadata of some samples by time; may hold times outside the view.
    address : tuple of int, optional
        Memory addresses of the two columns, for kernels.

    Examples
    --------
    >>> SeriesView.make("up", [1, 2], [1.0, float("nan")])
    SeriesView(up, 2 samples, 1970-01-01 00:00:00.000000001 to 1970-01-01 00:00:00.000000002)
    """

    __slots__ = ("_address", "_key", "_metadata", "_times", "_values")

    def __init__(
        self,
        key: SeriesKey,
        times: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        metadata: Metadata = _NO_METADATA,
        address: tuple[int, int] | None = None,
    ) -> None:
        self._key = key
        self._times = times
        self._values = values
        self._metadata = metadata
        self._address = address

    @classmethod
    def make(
        cls,
        metric: str | SeriesKey,
        times: npt.ArrayLike,
        values: npt.ArrayLike,
        labels: Mapping[str, str] | None = None,
    ) -> SeriesView:
        """Make a view over one's own arrays, checked; ``times`` are ``int64`` nanoseconds."""
        key = metric if isinstance(metric, SeriesKey) else SeriesKey(metric, Labels(labels))
        own_times = np.ascontiguousarray(times, dtype=np.int64).view()
        own_values = np.ascontiguousarray(values, dtype=np.float64).view()
        if own_times.ndim != 1 or own_times.shape != own_values.shape:
            msg = f"{key}: {own_times.shape} times for {own_values.shape} values; give as many"
            raise InvalidSeriesError(msg)
        if len(own_times) > 1 and not (own_times[1:] > own_times[:-1]).all():
            msg = f"{key}: times must be strictly increasing; sort them and drop duplicates"
            raise InvalidSeriesError(msg)
        own_times.flags.writeable = False
        own_values.flags.writeable = False
        return cls(key, own_times, own_values)

    @property
    def key(self) -> SeriesKey:
        """Metric name and labels."""
        return self._key

    @property
    def metric(self) -> str:
        """Metric name."""
        return self._key.metric

    @property
    def labels(self) -> Labels:
        """Label set, without the metric name."""
        return self._key.labels

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Nanoseconds since the epoch, UTC, strictly increasing; read-only, no copy."""
        return self._times

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Samples; read-only, no copy."""
        return self._values

    @property
    def stale(self) -> npt.NDArray[np.bool_]:
        """Which samples are stale markers; computed at each call."""
        return is_stale(self._values)

    @property
    def metadata(self) -> Metadata:
        """Metadata of the samples of this view, by time in nanoseconds, in time order."""
        if not self._metadata or len(self._times) == 0:
            return {}
        first, last = int(self._times[0]), int(self._times[-1])
        return {t: dict(self._metadata[t]) for t in sorted(self._metadata) if first <= t <= last}

    @property
    def addresses(self) -> tuple[int, int]:
        """Memory addresses of times and values, for kernels; valid while the view lives."""
        if self._address is None:
            # Kernels read plain memory: strided or other arrays are copied once.
            self._times = np.ascontiguousarray(self._times, dtype=np.int64)
            self._values = np.ascontiguousarray(self._values, dtype=np.float64)
            self._address = (
                int(self._times.__array_interface__["data"][0]),
                int(self._values.__array_interface__["data"][0]),
            )
        return self._address

    def between(self, start_ns: int | None, end_ns: int | None) -> SeriesView:
        """Give the part in ``[start_ns, end_ns)``: two binary searches, no copy."""
        times = self._times
        begin, end = 0, len(times)
        first, stop = clamp(start_ns), clamp(end_ns)
        if first is not None:
            begin = int(times.searchsorted(first))
        if stop is not None:
            end = max(begin, int(times.searchsorted(stop)))
        if begin == 0 and end == len(times):
            return self
        return SeriesView(
            self._key,
            times[begin:end],
            self._values[begin:end],
            self._metadata,
            self._address and (self._address[0] + 8 * begin, self._address[1] + 8 * begin),
        )

    def to_pandas(self) -> pd.Series:
        """Give the samples as a ``pandas.Series`` that shares their memory.

        Returns
        -------
        pandas.Series
            UTC ``DatetimeIndex`` named ``"timestamp"``; named after the series; stale
            markers are NaN in it.
        """
        stamps = pd.array(self._times, dtype=_UTC, copy=False)
        index = pd.DatetimeIndex(stamps, name="timestamp", copy=False)
        return pd.Series(self._values, index=index, name=str(self._key), copy=False)

    def __len__(self) -> int:
        return len(self._times)

    def __repr__(self) -> str:
        count = len(self._times)
        if not count:
            return f"SeriesView({self._key}, no samples)"
        first, last = (pd.Timestamp(int(self._times[i]), unit="ns") for i in (0, -1))
        return f"SeriesView({self._key}, {count} sample{'s' * (count != 1)}, {first} to {last})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (self._key, self._times.copy(), self._values.copy(), self.metadata))


def clamp(time_ns: int | None) -> int | None:
    """Bring a bound into the range of ``int64``; None stays open."""
    return None if time_ns is None else min(max(int(time_ns), MIN_TIME), MAX_TIME)


def _restore(
    key: SeriesKey,
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    metadata: Metadata,
) -> SeriesView:
    times.flags.writeable = False
    values.flags.writeable = False
    return SeriesView(key, times, values, metadata)
