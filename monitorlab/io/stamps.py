"""Columns of times of any kind as nanoseconds: numbers since the epoch, texts, naive and aware.

>>> texts_to_ns(["1970-01-01T00:00:01Z"])
(array([1000000000]), False)
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.errors import MonitorlabWarning

__all__ = [
    "NUMBER",
    "BadCellError",
    "BadTableError",
    "epoch_scale",
    "epoch_to_ns",
    "index_to_ns",
    "texts_to_ns",
    "warn_naive",
]

_ZONED = re.compile(r"\d[T ]\d{2}.*(?:[zZ]|[+-]\d{2}(?::?\d{2})?)$")
NUMBER = re.compile(r"\s*[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?\s*")
_INT64_LIMIT = 2.0**63
_SCALES = ((1e10, 1_000_000_000), (1e13, 1_000_000), (1e16, 1_000))


class BadTableError(ValueError):
    """A table's columns cannot be told apart; the reader adds the file."""


class BadCellError(ValueError):
    """A cell cannot be read; the reader adds file, line and column.

    Parameters
    ----------
    row : int
        Position of the cell, from 0.
    message : str
        What is wrong.
    """

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def epoch_scale(numbers: np.ndarray) -> int:
    """Tell the unit of numbers since the epoch by the size of the largest.

    Parameters
    ----------
    numbers : numpy.ndarray
        Times as numbers; NaN allowed.

    Returns
    -------
    int
        Nanoseconds in one unit: of seconds, milliseconds, microseconds or nanoseconds.

    Examples
    --------
    >>> epoch_scale(np.array([1767225600])), epoch_scale(np.array([1767225600000]))
    (1000000000, 1000000)
    """
    finite = numbers[np.isfinite(numbers)] if numbers.dtype.kind == "f" else numbers
    largest = float(np.abs(finite.astype(np.float64)).max()) if finite.size else 0.0
    return next((scale for limit, scale in _SCALES if largest < limit), 1)


def epoch_to_ns(numbers: np.ndarray, scale: int) -> np.ndarray:
    """Turn numbers since the epoch into nanoseconds.

    Parameters
    ----------
    numbers : numpy.ndarray
        Integers, or floats; a fraction of a second counts to the microsecond, which is what
        a float64 of today's date can hold.
    scale : int
        Nanoseconds in one unit.

    Returns
    -------
    numpy.ndarray of int64
        Nanoseconds.

    Raises
    ------
    BadCellError
        At the first number that is missing, infinite or outside the years 1678 to 2262.

    Examples
    --------
    >>> epoch_to_ns(np.array([1.25]), 1_000_000_000)
    array([1250000000])
    """
    as_float = numbers.astype(np.float64)
    bad = ~(np.abs(as_float) * scale < _INT64_LIMIT)
    if bad.any():
        row = int(bad.argmax())
        raise BadCellError(row, f"{numbers[row]} is not a time since the epoch")
    if numbers.dtype.kind != "f":
        return numbers.astype(np.int64) * scale
    whole = np.floor(as_float)
    part = as_float - whole
    step = 1_000 if scale > 1_000 else 1
    return whole.astype(np.int64) * scale + np.rint(part * (scale // step)).astype(np.int64) * step


def texts_to_ns(
    texts: Any, *, tz: str | None = None, time_format: str | None = None, scale: int | None = None
) -> tuple[np.ndarray, bool]:
    """Turn times written as text into nanoseconds.

    Parameters
    ----------
    texts : sequence of str
        ISO 8601 times, with or without a zone and also mixed, or numbers since the epoch, or
        anything that ``time_format`` describes.
    tz : str, optional
        Zone of the times that carry none; UTC by default.
    time_format : str, optional
        Format for ``strptime``.
    scale : int, optional
        Nanoseconds in one unit of a number since the epoch; by size when not given.

    Returns
    -------
    times : numpy.ndarray of int64
        Nanoseconds.
    naive : bool
        Whether some times carried no zone.

    Raises
    ------
    BadCellError
        At the first text that is no time.

    Examples
    --------
    >>> texts_to_ns(["1970-01-01T01:00:00+01:00", "1970-01-01T00:00:01Z"])
    (array([         0, 1000000000]), False)
    """
    column = pd.Series(list(texts), dtype=object).map(lambda v: str(v).strip())
    if time_format is None and len(column) and all(NUMBER.fullmatch(t) for t in column):
        numbers = pd.to_numeric(column).to_numpy()
        return epoch_to_ns(numbers, scale or epoch_scale(numbers)), False
    column = column.str.replace(r"\s*(?:UTC|GMT)$", "Z", regex=True)
    aware = column.str.contains(_ZONED)
    times = np.zeros(len(column), np.int64)
    for is_aware in (True, False):
        chosen = column[aware == is_aware]
        if not len(chosen):
            continue
        parsed = _parse_texts(chosen, time_format, utc=is_aware)
        if not is_aware:
            parsed = _localize(parsed, tz)
        times[chosen.index.to_numpy()] = parsed.astype("int64").to_numpy()
    return times, bool(len(column) and not aware.all())


def index_to_ns(values: Any, *, tz: str | None = None) -> tuple[np.ndarray, bool]:
    """Turn an index or a column of times of any kind into nanoseconds.

    Parameters
    ----------
    values : pandas.Index, pandas.Series or array-like
        Times (naive or aware), numbers since the epoch, or texts.
    tz : str, optional
        Zone of naive times; UTC by default.

    Returns
    -------
    times : numpy.ndarray of int64
        Nanoseconds.
    naive : bool
        Whether the times carried no zone.

    Raises
    ------
    BadCellError
        At the first value that is no time.

    Examples
    --------
    >>> index_to_ns(pd.to_datetime(["1970-01-01T00:00:01Z"]))
    (array([1000000000]), False)
    """
    column = pd.Series(values).reset_index(drop=True)
    if column.dtype == object and len(column) and not isinstance(column.iloc[0], str):
        column = pd.Series(pd.Index(column.to_list()))
    missing = column.isna()
    if missing.any():
        raise BadCellError(int(missing.to_numpy().argmax()), "the time is missing")
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _as_ns(column.dt.tz_convert("UTC")), False
    if column.dtype.kind == "M":
        return _localize(column, tz).to_numpy(), True
    if column.dtype.kind in "iuf" and not isinstance(column.dtype, pd.CategoricalDtype):
        numbers = column.to_numpy()
        return epoch_to_ns(numbers, epoch_scale(numbers)), False
    return texts_to_ns(column.to_list(), tz=tz)


def warn_naive(what: str, *, stacklevel: int = 3) -> None:
    """Warn that times without a zone were taken as UTC.

    Parameters
    ----------
    what : str
        Which times, for example the path and the column.
    stacklevel : int
        As in ``warnings.warn``, seen from here.

    Examples
    --------
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_naive("x.csv, column 'time'")
    >>> str(caught[0].message)
    "x.csv, column 'time': times without a zone are taken as UTC; pass tz=… if they are not"
    """
    warnings.warn(
        f"{what}: times without a zone are taken as UTC; pass tz=… if they are not",
        MonitorlabWarning,
        stacklevel=stacklevel + 1,
    )


def _parse_texts(column: pd.Series, time_format: str | None, *, utc: bool) -> pd.Series:
    parsed = pd.to_datetime(column, format=time_format or "ISO8601", errors="coerce", utc=utc)
    missing = parsed.isna()
    if missing.any():
        row = missing.index[int(missing.to_numpy().argmax())]
        hint = (
            "" if time_format else " (not ISO 8601; describe it with time_format='%d/%m/%Y %H:%M')"
        )
        raise BadCellError(int(row), f"{column[row]!r} is not a time{hint}")
    if not utc:
        return parsed
    return pd.Series(_as_ns(parsed), index=parsed.index)


def _localize(naive: pd.Series, tz: str | None) -> pd.Series:
    try:
        aware = naive.dt.tz_localize(tz or "UTC")
    except KeyError as error:
        raise BadTableError(f"tz={tz!r} is not a known time zone") from error
    except ValueError as error:
        if "ambiguous" not in str(error).lower() and "nonexistent" not in str(error).lower():
            raise BadTableError(f"tz={tz!r} is not a known time zone") from error
        raise BadCellError(
            _first_bad_local(naive, str(tz)),
            f"this local time does not exist or exists twice in {tz} (clocks change); "
            "write the times in UTC or with their offset",
        ) from error
    return pd.Series(_as_ns(aware.dt.tz_convert("UTC")), index=naive.index)


def _first_bad_local(naive: pd.Series, tz: str) -> int:
    marked = naive.dt.tz_localize(tz, ambiguous="NaT", nonexistent="NaT").isna()
    return int(marked.index[marked.to_numpy().argmax()])


def _as_ns(column: pd.Series) -> np.ndarray:
    try:
        return np.asarray(column.dt.as_unit("ns").astype("int64"))
    except (pd.errors.OutOfBoundsDatetime, OverflowError) as error:
        years = column.dt.year
        outside = ((years < 1678) | (years > 2261)).to_numpy()
        raise BadCellError(
            int(column.index[outside.argmax()]),
            "the time is outside the years 1678 to 2262 that nanoseconds can hold",
        ) from error
