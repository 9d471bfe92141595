"""Read Parquet files that others wrote: wide or long, any type of time, text or map labels.

>>> import pathlib, tempfile
>>> import pandas as pd
>>> from monitorlab.io.parquet import read_parquet
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
>>> index = pd.to_datetime(["2026-01-01T00:00:00Z"]).rename("time")
>>> pd.DataFrame({"cpu": [0.5]}, index=index).to_parquet(path)
>>> read_parquet(path).keys
[cpu]
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.errors import InvalidSeriesError, RecordingError
from monitorlab.io.layout import TableLayout, find_roles
from monitorlab.io.rows import BadNameError, Coded, Rows
from monitorlab.io.stamps import (
    BadCellError,
    BadTableError,
    epoch_scale,
    epoch_to_ns,
    index_to_ns,
    texts_to_ns,
    warn_naive,
)
from monitorlab.storage import SeriesStore

__all__ = ["read_foreign"]

_BATCH_ROWS = 1 << 20


def read_foreign(
    file: Any,
    path: str,
    store: SeriesStore,
    *,
    layout: TableLayout = "auto",
    labels: Sequence[str] | None = None,
    tz: str | None = None,
) -> None:
    """Read a Parquet file of unknown make into a store.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile
        Open for reading.
    path : str
        Named in errors.
    store : SeriesStore
        Where the samples go.
    layout : {"auto", "wide", "long"}
        Long when there are a metric and a value column.
    labels : sequence of str, optional
        Label columns.
    tz : str, optional
        Zone of naive times.

    Raises
    ------
    RecordingError
        If the columns cannot be told apart, there are no rows, or a cell cannot be read.

    Notes
    -----
    Read in batches of 1 048 576 rows, and only the columns that are needed. In a wide file
    a null is no sample; in a long one a row without a value is a NaN sample.

    Examples
    --------
    >>> import io
    >>> from pyarrow import parquet as pq
    >>> buffer = io.BytesIO()
    >>> pd.DataFrame({"ts": [1767225600], "cpu": [0.5]}).to_parquet(buffer)
    >>> store = SeriesStore()
    >>> read_foreign(pq.ParquetFile(buffer), "x.parquet", store)
    >>> store.sample_count
    1
    """
    try:
        roles = find_roles(file.schema_arrow.names, layout=layout, labels=labels)
    except BadTableError as error:
        raise RecordingError(str(error), path=path) from error
    rows = Rows(roles)
    used = [roles.timestamp, *rows.coded, *roles.values]
    scale: int | None = None
    naive = False
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=used):
        column = roles.timestamp
        try:
            times, scale, is_naive = _times(batch.column(column), scale, tz)
            codes = rows.numbers([_coded(batch.column(name)) for name in rows.coded])
            values = []
            for column in roles.values:
                values.append(_values(batch.column(column)))
        except BadNameError as error:
            raise _located(error, path, error.column, rows.count) from error
        except BadCellError as error:
            raise _located(error, path, column, rows.count) from error
        except BadTableError as error:
            raise RecordingError(str(error), path=path) from error
        naive |= is_naive
        rows.append(times, codes, values)
    if not rows.count:
        raise RecordingError("the file has no rows", path=path)
    if naive and tz is None:
        warn_naive(f"{path}, column {roles.timestamp!r}", stacklevel=4)
    try:
        rows.into(store)
    except InvalidSeriesError as error:  # duplicates="error"
        raise RecordingError(str(error), path=path) from error


def _located(error: BadCellError, path: str, column: str, before: int) -> RecordingError:
    return RecordingError(f"row {before + error.row}: {error}", path=path, column=column)


def _times(column: Any, scale: int | None, tz: str | None) -> tuple[np.ndarray, int | None, bool]:
    import pyarrow as pa

    if column.null_count:
        row = int(column.is_null().to_numpy(zero_copy_only=False).argmax())
        raise BadCellError(row, "the time is missing")
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return _to_ns(column), scale, False
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        local = _to_ns(column.cast(pa.timestamp("ms")) if pa.types.is_date(kind) else column)
        if tz is None:
            return local, scale, True
        return index_to_ns(pd.Series(local.view("datetime64[ns]")), tz=tz)[0], scale, True
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        wanted = pa.int64() if pa.types.is_integer(kind) else pa.float64()
        numbers = column.cast(wanted).to_numpy(zero_copy_only=False)
        unit = scale or epoch_scale(numbers)
        return epoch_to_ns(numbers, unit), unit, False
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        times, naive = texts_to_ns(column.to_pylist(), tz=tz, scale=scale)
        return times, scale, naive
    raise BadTableError(f"a column of {kind} holds no times")


def _to_ns(column: Any) -> np.ndarray:
    import pyarrow as pa

    try:
        wanted = pa.timestamp("ns", column.type.tz)
        return np.asarray(column.cast(wanted).cast(pa.int64()))
    except pa.ArrowInvalid as error:
        coarse = column.cast(pa.timestamp("s", column.type.tz), safe=False).cast(pa.int64())
        seconds = coarse.to_numpy(zero_copy_only=False)
        row = int((np.abs(seconds) >= 9_223_372_036).argmax())
        message = "the time is outside the years 1678 to 2262 that nanoseconds can hold"
        raise BadCellError(row, message) from error


def _coded(column: Any) -> Coded:
    """Give a column of names or labels as codes and words; maps and structs become JSON."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_map(kind) or pa.types.is_struct(kind):
        texts = [json.dumps(dict(v or {}), sort_keys=True) for v in column.to_pylist()]
        column = pa.array(texts, pa.string())
    elif not pa.types.is_dictionary(kind):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    words = ["" if word is None else str(word) for word in column.dictionary.to_pylist()]
    indices = column.indices
    if indices.null_count:
        words.append("")
        indices = indices.fill_null(len(words) - 1)
    return indices.to_numpy(zero_copy_only=False), words


def _values(column: Any) -> tuple[np.ndarray, np.ndarray | None]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    present = column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else None
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _numbers_from_text(column), present
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise BadCellError(0, f"values of type {kind} are not numbers")
    floats = column if kind == pa.float64() else column.cast(pa.float64(), safe=False)
    return floats.to_numpy(zero_copy_only=False), present


def _numbers_from_text(column: Any) -> np.ndarray:
    texts = pd.Series(column.to_pylist(), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
    for row in np.flatnonzero(np.isnan(numbers) & texts.notna().to_numpy()).tolist():
        if str(texts[row]).strip().lower() not in ("nan", ""):
            raise BadCellError(row, f"{texts[row]!r} is not a number")
    return np.asarray(numbers)
