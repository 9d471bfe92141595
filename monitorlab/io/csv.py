r"""Read CSV: wide (a column a series) and long (timestamp, metric, value, labels).

>>> import pathlib, tempfile
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.csv")
>>> _ = path.write_text("time,cpu\n2026-01-01T00:00:00Z,0.5\n2026-01-01T00:00:01Z,0.7\n")
>>> [view.key for view in read_csv(path).select()]
[cpu]
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Literal

import pandas as pd

from monitorlab.errors import InvalidSeriesError, RecordingError
from monitorlab.io.csv_table import CsvTable, TimeKind
from monitorlab.io.files import open_bytes, read_into, read_some
from monitorlab.io.layout import TIME_NAMES, TableLayout, find_roles
from monitorlab.io.stamps import NUMBER, BadTableError, index_to_ns, warn_naive

if TYPE_CHECKING:
    from monitorlab.storage import SeriesStore

__all__ = ["open_table", "read_csv", "whole_rows"]

_CHUNK = 16 << 20  # bytes read at a time
_HEAD = 1 << 16  # bytes looked at to tell the kinds of the columns
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?")
_ISO_ZONED = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[zZ]|[+-]\d{2}(?::?\d{2})?)"
)
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


def read_csv(
    path: str | os.PathLike[str],
    *,
    layout: TableLayout = "auto",
    timestamp: str | None = None,
    metric: str | None = None,
    value: str | None = None,
    labels: Sequence[str] | None = None,
    tz: str | None = None,
    time_format: str | None = None,
    delimiter: str | None = None,
    duplicates: Literal["last", "first", "error"] = "last",
) -> SeriesStore:
    r"""Read a CSV file, plain or gzipped, into a store.

    Parameters
    ----------
    path : str or os.PathLike
        The file; UTF-8, the first line names the columns.
    layout : {"auto", "wide", "long"}
        Long when there are a metric and a value column, else wide.
    timestamp, metric, value : str, optional
        Names of these columns where guessing (``timestamp``, ``time``, ``ts``, ``date`` …;
        ``metric``, ``name`` …; ``value`` …) fails.
    labels : sequence of str, optional
        Label columns. By default every other column of a long file (one named ``labels``
        holds whole label sets), and none of a wide one.
    tz : str, optional
        Zone of times that carry none; without it they are UTC, with a warning.
    time_format : str, optional
        ``strptime`` format of times that are neither ISO 8601 nor numbers since the epoch.
    delimiter : str, optional
        Told from the header by default (comma, semicolon, tab or bar).
    duplicates : {"last", "first", "error"}
        Which of two samples of one series at one time stays.

    Returns
    -------
    SeriesStore
        The samples.

    Raises
    ------
    RecordingError
        If the file is empty, has no usable header, or a cell cannot be read; names path,
        line and column.

    Warns
    -----
    MonitorlabWarning
        If times carry no zone and ``tz`` is not given.

    Notes
    -----
    The file is parsed by pyarrow in chunks of 16 MB on all cores, strings dictionary-coded;
    a chunk that pyarrow refuses is read again by a slow reader that either copes (mixed
    zones) or names the first bad cell. Time and memory are linear in the rows: some 50 bytes
    a row at the peak, the finished store included.
    In a wide file an empty cell is no sample and ``NaN`` is a sample that is NaN; in a long
    file a row without a value is a NaN sample. Numbers since the epoch are seconds,
    milliseconds, microseconds or nanoseconds by their size.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.csv")
    >>> _ = path.write_text("ts,metric,value,route\n1767225600,hits,3,/cart\n1767225601,hits,x,/\n")
    >>> read_csv(path)
    Traceback (most recent call last):
    ...
    monitorlab.errors.RecordingError: ...x.csv, line 3, column 'value': 'x' is not a number
    """
    from monitorlab.storage import SeriesStore

    name = os.fspath(path)
    with open_bytes(name) as stream:
        head = read_some(stream, name, _CHUNK)
        table, start = open_table(
            head,
            name,
            layout=layout,
            timestamp=timestamp,
            metric=metric,
            value=value,
            labels=labels,
            tz=tz,
            time_format=time_format,
            delimiter=delimiter,
        )
        body = head[start:]
        offset = start
        for block in _blocks(stream, body, table):
            table.add(block, offset)
            offset += len(block)
    if not table.rows.count:
        raise RecordingError("the file has a header but no rows", path=name, line=1)
    if table.naive and tz is None:
        warn_naive(f"{name}, column {table.roles.timestamp!r}")
    store = SeriesStore(duplicates=duplicates)
    _move(table, store)
    return store


def open_table(
    head: bytes,
    path: str,
    *,
    layout: TableLayout = "auto",
    timestamp: str | None = None,
    metric: str | None = None,
    value: str | None = None,
    labels: Sequence[str] | None = None,
    tz: str | None = None,
    time_format: str | None = None,
    delimiter: str | None = None,
) -> tuple[CsvTable, int]:
    r"""Read the header of a CSV file, and tell from it and the first row what the columns are.

    Parameters
    ----------
    head : bytes
        Beginning of the file, whole header and first row.
    path : str
        Named in errors.
    layout, timestamp, metric, value, labels, tz, time_format, delimiter
        As ``read_csv`` takes them.

    Returns
    -------
    table : CsvTable
        Takes the rows.
    start : int
        Where they begin.

    Raises
    ------
    RecordingError
        If there is no usable header.

    Examples
    --------
    >>> table, start = open_table(b"ts,cpu\n1767225600,0.5\n", "x.csv")
    >>> table.kind, start
    ('int', 7)
    """
    header, chosen, start = _header(head, delimiter, path)
    try:
        roles = find_roles(
            header,
            layout=layout,
            timestamp=timestamp,
            metric=metric,
            value=value,
            labels=labels,
        )
        _check_zone(tz)
    except BadTableError as error:
        raise _explained(error, header, path) from error
    first = _first_row(head[start:], chosen)
    table = CsvTable(
        path=path,
        header=header,
        delimiter=chosen,
        roles=roles,
        kind=_time_kind(first, header.index(roles.timestamp), time_format),
        decimal=_decimal(first, chosen),
        tz=tz,
        time_format=time_format,
    )
    return table, start


def whole_rows(data: bytes | bytearray, table: CsvTable) -> int:
    r"""Find where the last whole row ends (a line break inside a quoted cell ends none).

    Parameters
    ----------
    data : bytes
        Rows, the last of which may be torn.
    table : CsvTable
        Header and delimiter.

    Returns
    -------
    int
        Number of bytes up to there; 0 when no row is whole.

    Examples
    --------
    >>> table, _ = open_table(b"ts,cpu\n1,2\n", "x.csv")
    >>> whole_rows(b"1767225600,0.5\n17672", table)
    15
    """
    held = bytearray(data)
    return _cut(held, len(held), table)


def _move(table: CsvTable, store: SeriesStore) -> None:
    try:
        table.rows.into(store)
    except InvalidSeriesError as error:  # duplicates="error"
        raise RecordingError(str(error), path=table.path) from error


def _blocks(stream: IO[bytes], body: bytes, table: CsvTable) -> Iterator[memoryview]:
    """Give the file in blocks of whole rows; a block is gone when the next one is asked for.

    One buffer is read into again and again: fresh memory for each block would cost more
    than reading the file.
    """
    buffer = bytearray(max(len(body), _CHUNK) + _CHUNK)
    filled = len(body)
    buffer[:filled] = body
    while count := read_into(stream, table.path, memoryview(buffer)[filled : filled + _CHUNK]):
        filled += count
        cut = _cut(buffer, filled, table)
        if cut:
            yield memoryview(buffer)[:cut]
            buffer[: filled - cut] = buffer[cut:filled]
            filled -= cut
        if filled + _CHUNK > len(buffer):
            buffer = buffer[:filled] + bytearray(filled + _CHUNK)
    if bytes(buffer[:filled]).strip():
        yield memoryview(buffer)[:filled]


def _cut(data: bytearray, filled: int, table: CsvTable) -> int:
    """Find the last line break that ends a row (and does not stand inside a quoted cell)."""
    cut = data.rfind(b"\n", 0, filled) + 1
    start = data.rfind(b"\n", 0, max(cut - 1, 0)) + 1
    last = data[start:cut].decode("utf-8", "replace").strip("\r\n")
    try:
        cells = next(csv.reader([last], delimiter=table.delimiter, strict=True), [])
    except csv.Error:
        cells = []
    if len(cells) == len(table.header):
        return cut
    while cut and data.count(b'"', 0, cut) % 2:
        cut = data.rfind(b"\n", 0, cut - 1) + 1
    return cut


def _header(data: bytes, delimiter: str | None, path: str) -> tuple[list[str], str, int]:
    """Read the first line that is not blank: names, delimiter, and where the rows start."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise RecordingError("the file is UTF-16; save it as UTF-8", path=path, line=1)
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    line = b""
    while start < len(data) and not line.strip():
        end = data.find(b"\n", start) + 1 or len(data)
        line, start = data[start:end], end
    if not line.strip():
        raise RecordingError(
            "the file is empty; it needs a header line such as timestamp,metric,value", path=path
        )
    try:
        text = line.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError as error:
        raise RecordingError("the text is not UTF-8", path=path, line=1) from error
    choices = (delimiter,) if delimiter else (",", ";", "\t", "|")
    rows = {d: [c.strip() for c in next(csv.reader([text], delimiter=d))] for d in choices}
    best = max(rows, key=lambda d: (len(rows[d]), rows[d][0].lower() in TIME_NAMES))
    return rows[best], best, start


def _explained(error: BadTableError, header: list[str], path: str) -> RecordingError:
    if all(NUMBER.fullmatch(c) or _ISO.match(c) for c in header):
        return RecordingError(
            "the first line looks like data; it has to name the columns, "
            "for example timestamp,metric,value",
            path=path,
            line=1,
        )
    return RecordingError(str(error), path=path, line=1)


def _first_row(body: bytes, delimiter: str) -> list[str] | None:
    text = body[:_HEAD].decode("utf-8", "replace")
    return next((row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row), None)


def _time_kind(row: list[str] | None, position: int, time_format: str | None) -> TimeKind:
    cell = row[position].strip() if row is not None and position < len(row) else ""
    if time_format is not None:
        return "text"
    if re.fullmatch(r"[+-]?\d+", cell):
        return "int"
    if NUMBER.fullmatch(cell):
        return "float"
    if _ISO_ZONED.fullmatch(cell):
        return "zoned"
    return "naive" if _ISO.fullmatch(cell) else "text"


def _decimal(row: list[str] | None, delimiter: str) -> str:
    if delimiter != "," and row is not None and any(_DECIMAL_COMMA.fullmatch(c) for c in row):
        return ","
    return "."


def _check_zone(tz: str | None) -> None:
    if tz is not None:
        index_to_ns(pd.Series(pd.to_datetime(["2000-01-01"])), tz=tz)
