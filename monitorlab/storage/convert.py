"""Reading what users have (lists, indexes, strings, epoch numbers) as clean columns.

>>> times_to_ns(["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"]).tolist()
[1767225600000000000, 1767225600000000000]
"""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.errors import InvalidSeriesError, MonitorlabWarning, TimeError

__all__ = ["times_to_ns", "values_to_floats"]

_NAT = np.iinfo(np.int64).min
# Seconds, milliseconds and microseconds since the epoch, told apart by size as in
# ``monitorlab.times``; what is larger is nanoseconds.
_EPOCH_SCALES = ((1e10, 1_000_000_000), (1e13, 1_000_000), (1e16, 1_000))


def times_to_ns(
    times: Any, *, int64_is_ns: bool = False, what: str = "times"
) -> npt.NDArray[np.int64]:
    """Read many times as nanoseconds since the epoch, UTC.

    Parameters
    ----------
    times : array_like
        A ``DatetimeIndex``, a Series, an array or a list of times, of texts, or of
        numbers since the epoch, whose unit (s, ms, µs, ns) is told by the size of the
        largest. Naive times are UTC, with a warning (texts and ``numpy.datetime64``
        arrays without a zone are UTC by convention: no warning).
    int64_is_ns : bool
        Take an ``int64`` numpy array as nanoseconds, whatever its size.
    what : str
        What the times belong to, for messages.

    Returns
    -------
    numpy.ndarray of int64
        Shares the input's memory where it can.

    Raises
    ------
    TimeError
        If a row is no time, is missing (NaT, NaN), or lies outside 1678 to 2262; the
        message names the first such row, counted from 0.

    Notes
    -----
    O(n); texts cost a parse each (ISO 8601 is fast, other forms are slow).

    Examples
    --------
    >>> times_to_ns([1767225600, 1767225601]).tolist()
    [1767225600000000000, 1767225601000000000]
    """
    if isinstance(times, np.ndarray) and times.dtype == np.int64 and int64_is_ns:
        return _checked(times, what)
    if isinstance(times, (str, bytes)) or not np.iterable(times):
        msg = f"{what}: expected a list or an array of times, not {times!r}"
        raise TimeError(msg)
    if isinstance(times, (pd.Series, pd.Index)):
        return _pandas_to_ns(times, what)
    array = times if isinstance(times, np.ndarray) else _as_array(times)
    if array.ndim != 1:
        msg = f"{what}: expected one dimension, got shape {array.shape}"
        raise TimeError(msg)
    if array.dtype.kind == "M":
        return _datetimes_to_ns(pd.DatetimeIndex(array), what)
    if array.dtype.kind in "iuf":
        return _numbers_to_ns(array, what)
    if array.dtype.kind in "OUT":
        return _objects_to_ns(array, what)
    msg = f"{what}: an array of {array.dtype} holds no times"
    raise TimeError(msg)


def values_to_floats(values: Any, *, what: str = "values") -> npt.NDArray[np.float64]:
    """Read many values as 64-bit floats; missing ones (None, ``pd.NA``) become NaN.

    Parameters
    ----------
    values : array_like
        Numbers, booleans, or texts that are numbers.
    what : str
        What the values belong to, for messages.

    Returns
    -------
    numpy.ndarray of float64
        Shares the input's memory where it can.

    Raises
    ------
    InvalidSeriesError
        If a row is no number; the message names the first such row, counted from 0.

    Notes
    -----
    O(n); no copy when the values are 64-bit floats already.

    Examples
    --------
    >>> values_to_floats([1, None, "2.5"]).tolist()
    [1.0, nan, 2.5]
    """
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        array = values
    elif isinstance(values, (str, bytes)) or not np.iterable(values):
        msg = f"{what}: expected a list or an array of numbers, not {values!r}"
        raise InvalidSeriesError(msg)
    else:
        array = _floats(values, what)
    if array.ndim != 1:
        msg = f"{what}: expected one dimension, got shape {array.shape}"
        raise InvalidSeriesError(msg)
    return array


def _floats(values: Any, what: str) -> npt.NDArray[np.float64]:
    column: Any = values
    if isinstance(values, (pd.Series, pd.Index)):
        if isinstance(values.dtype, np.dtype):
            column = values.to_numpy()
        elif pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            column = values.astype(object).to_numpy()
    if not isinstance(column, np.ndarray):
        column = _as_array(column)
    if column.dtype.kind in "iufb":
        return column.astype(np.float64)
    if column.dtype.kind not in "OUT":
        msg = f"{what}: values of type {column.dtype} are not numbers"
        raise InvalidSeriesError(msg)
    objects = column.ravel().astype(object)
    numbers = pd.to_numeric(pd.Series(objects, dtype=object), errors="coerce")
    out = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = np.isnan(out) & ~pd.isna(objects)
    for row in np.flatnonzero(odd):
        text = objects[row]
        if not (isinstance(text, str) and text.strip().lower() in ("nan", "")):
            hint = "; leave the column out, or name it in labels=[…] if it labels the rows"
            msg = f"{what}: row {row} is {text!r}, which is not a number"
            msg += hint if what.startswith("column") else ""
            raise InvalidSeriesError(msg)
    return out.reshape(column.shape)


def _as_array(values: Any) -> npt.NDArray[Any]:
    sequence = values if isinstance(values, (list, tuple)) else list(values)
    try:
        array = np.asarray(sequence)
    except (ValueError, TypeError, OverflowError):
        array = np.empty(0)
    # A list that mixes types, or texts, must keep each element as it was.
    if array.ndim == 1 and array.dtype.kind in "iufbM" and len(array) == len(sequence):
        return array
    objects = np.empty(len(sequence), dtype=object)
    objects[:] = sequence
    return objects


def _checked(times: npt.NDArray[np.int64], what: str) -> npt.NDArray[np.int64]:
    if times.ndim != 1:
        msg = f"{what}: expected one dimension, got shape {times.shape}"
        raise TimeError(msg)
    if len(times) and times.min() == _NAT:
        raise _missing(int(np.argmin(times)), what)
    return times


def _pandas_to_ns(times: pd.Series | pd.Index, what: str) -> npt.NDArray[np.int64]:
    if isinstance(times, pd.PeriodIndex):
        times = times.to_timestamp()
    dtype = times.dtype
    kind = getattr(dtype, "kind", "O")
    if isinstance(dtype, pd.ArrowDtype) and kind == "M":
        times = pd.Series(times).astype(
            "datetime64[ns]" if dtype.pyarrow_dtype.tz is None else pd.DatetimeTZDtype("ns", "UTC")
        )
    if kind == "M":
        index = pd.DatetimeIndex(times)
        if index.tz is None:
            _warn_naive(what)
        return _datetimes_to_ns(index, what)
    if kind in "iuf" and pd.api.types.is_numeric_dtype(dtype):
        if isinstance(dtype, np.dtype):
            return _numbers_to_ns(times.to_numpy(), what)
        missing = np.flatnonzero(times.isna())
        if len(missing):
            raise _missing(int(missing[0]), what)
        return _numbers_to_ns(times.to_numpy(dtype=np.int64 if kind in "iu" else np.float64), what)
    return _objects_to_ns(times.astype(object).to_numpy(), what)


def _datetimes_to_ns(index: pd.DatetimeIndex, what: str) -> npt.NDArray[np.int64]:
    missing = np.flatnonzero(index.isna())
    if len(missing):
        raise _missing(int(missing[0]), what)
    try:
        return index.as_unit("ns").asi8
    except (pd.errors.OutOfBoundsDatetime, OverflowError) as error:
        years = index.year
        row = int(np.flatnonzero((years > 2261) | (years < 1678))[0])
        msg = f"{what}: row {row} is {index[row]}, outside the years 1678 to 2262"
        raise TimeError(msg) from error


def _numbers_to_ns(numbers: npt.NDArray[Any], what: str) -> npt.NDArray[np.int64]:
    if len(numbers) == 0:
        return np.empty(0, np.int64)
    if numbers.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(numbers))
        if len(bad):
            raise _missing(int(bad[0]), what)
    largest = max(abs(float(numbers.max())), abs(float(numbers.min())))
    scale = next((s for limit, s in _EPOCH_SCALES if largest < limit), 1)
    if largest * scale >= 2.0**63:
        row = int(np.argmax(np.abs(numbers.astype(np.float64))))
        msg = f"{what}: row {row} is {numbers[row]}, outside the years 1678 to 2262"
        raise TimeError(msg)
    if numbers.dtype.kind == "f":
        if scale == 1:
            return np.rint(numbers).astype(np.int64)
        # a float of this size holds microseconds, no more: what is behind them is noise
        return np.rint(numbers.astype(np.float64) * (scale / 1_000)).astype(np.int64) * 1_000
    whole = numbers.astype(np.int64, copy=False)
    return whole if scale == 1 else whole * scale


def _objects_to_ns(objects: npt.NDArray[Any], what: str) -> npt.NDArray[np.int64]:
    items = objects.astype(object)
    missing = np.flatnonzero(pd.isna(items))
    if len(missing):
        raise _missing(int(missing[0]), what)
    if len(items) and all(
        isinstance(t, (int, float, np.number)) and not isinstance(t, bool) for t in items
    ):
        return _numbers_to_ns(np.array(items.tolist(), dtype=np.float64), what)
    for row, item in enumerate(items):
        if not isinstance(item, (str, dt.date, np.datetime64)):
            msg = f"{what}: row {row} is {item!r}, which is not a time"
            raise TimeError(msg)
    if any(isinstance(t, dt.datetime) and t.tzinfo is None for t in items):
        _warn_naive(what)
    series = pd.Series(items, dtype=object)
    try:
        found = pd.to_datetime(series, utc=True, errors="coerce", format="ISO8601")
    except (ValueError, TypeError, OverflowError):
        found = pd.Series(pd.NaT, index=series.index, dtype=pd.DatetimeTZDtype("ns", "UTC"))
    unread = found.isna().to_numpy()
    if unread.any():
        rest = pd.to_datetime(series[unread], utc=True, errors="coerce", format="mixed")
        if rest.isna().any():
            row = int(np.flatnonzero(unread)[int(np.argmax(rest.isna().to_numpy()))])
            msg = f"{what}: row {row} is {items[row]!r}, which is not a time"
            raise TimeError(msg)
        found = found.astype(rest.dtype)
        found[unread] = rest
    return _datetimes_to_ns(pd.DatetimeIndex(found), what)


def _missing(row: int, what: str) -> TimeError:
    return TimeError(
        f"{what}: row {row} has no time (NaT, NaN or infinite); drop such rows or give them one"
    )


def _warn_naive(what: str) -> None:
    warnings.warn(
        f"{what} have no time zone and are taken as UTC; attach one to be sure "
        "(for example index.tz_localize('Europe/Zurich'))",
        MonitorlabWarning,
        stacklevel=5,
    )
