r"""The rows of a CSV file, block by block: fast through pyarrow, slowly where that refuses.

>>> from monitorlab.io.layout import find_roles
>>> table = CsvTable("x.csv", ["ts", "cpu"], ",", find_roles(["ts", "cpu"]), "int")
>>> table.add(b"1767225600,0.5\n", 0)
>>> table.rows.count
1
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from monitorlab.errors import RecordingError
from monitorlab.io.files import line_at
from monitorlab.io.layout import Roles
from monitorlab.io.rows import BadNameError, Rows
from monitorlab.io.stamps import (
    NUMBER,
    BadCellError,
    epoch_scale,
    epoch_to_ns,
    index_to_ns,
    texts_to_ns,
)

__all__ = ["CsvTable", "TimeKind"]

TimeKind: TypeAlias = Literal["int", "float", "zoned", "naive", "text"]

_BLOCK = 1 << 20  # bytes parsed by one thread at a time
_MISSING = ("", "NA", "N/A", "n/a", "null", "NULL", "None", "<NA>")
_ABSENT = float("nan")  # this very object marks an empty cell; told from NaN by identity


@dataclass(slots=True)
class CsvTable:
    r"""What is known of a CSV file, and its rows so far.

    Parameters
    ----------
    path : str
        The file, named in errors.
    header : list of str
        Column names.
    delimiter : str
        Between cells.
    roles : Roles
        Which column is what.
    kind : {"int", "float", "zoned", "naive", "text"}
        How the times are written.
    decimal : str
        Point or comma.
    tz : str, optional
        Zone of times that carry none.
    time_format : str, optional
        ``strptime`` format.

    Examples
    --------
    >>> from monitorlab.io.layout import find_roles
    >>> table = CsvTable("x.csv", ["ts", "a"], ";", find_roles(["ts", "a"]), "int", decimal=",")
    >>> table.add(b"1767225600;1,5\n", 0)
    >>> table.naive
    False
    """

    path: str
    header: list[str]
    delimiter: str
    roles: Roles
    kind: TimeKind
    decimal: str = "."
    tz: str | None = None
    time_format: str | None = None
    scale: int | None = None
    naive: bool = False
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.rows = Rows(self.roles)

    def add(self, block: bytes | memoryview, offset: int) -> None:
        """Add the rows of a block of whole lines that starts at a byte offset of the file."""
        import pyarrow as pa

        try:
            self._add_fast(block)
        except (pa.ArrowInvalid, BadCellError):
            self._add_slow(bytes(block), offset)

    def _add_fast(self, block: bytes | memoryview) -> None:
        """Let pyarrow parse the block; it raises where anything is out of the ordinary."""
        import pyarrow as pa
        from pyarrow import csv as arrow

        time_types = {
            "int": pa.int64(),
            "float": pa.float64(),
            "zoned": pa.timestamp("ns", "UTC"),
            "naive": pa.timestamp("ns"),
            "text": pa.string(),
        }
        types = {self.roles.timestamp: time_types[self.kind]}
        types |= dict.fromkeys(self.rows.coded, pa.dictionary(pa.int32(), pa.string()))
        types |= dict.fromkeys(self.roles.values, pa.float64())
        table = arrow.read_csv(
            pa.BufferReader(pa.py_buffer(block)),
            read_options=arrow.ReadOptions(column_names=self.header, block_size=_BLOCK),
            parse_options=arrow.ParseOptions(delimiter=self.delimiter),
            convert_options=arrow.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                null_values=list(_MISSING),
                strings_can_be_null=False,
                decimal_point=self.decimal,
            ),
        )
        if not table.num_rows:
            return
        times = self._fast_times(table[self.roles.timestamp])
        coded = []
        for name in self.rows.coded:
            array = table[name].unify_dictionaries().combine_chunks()
            coded.append((array.indices.to_numpy(), array.dictionary.to_pylist()))
        codes = self.rows.numbers(coded)
        columns = []
        for name in self.roles.values:
            column = table[name]
            present = column.is_valid().to_numpy() if column.null_count else None
            columns.append((column.to_numpy(), present))
        self.rows.append(times, codes, columns)

    def _fast_times(self, column: Any) -> np.ndarray:
        if column.null_count:
            raise BadCellError(0, "a time is missing")
        if self.kind in ("int", "float"):
            numbers = column.to_numpy()
            if self.scale is None:
                self.scale = epoch_scale(numbers)
            return epoch_to_ns(numbers, self.scale)
        if self.kind == "text":
            times, naive = texts_to_ns(column.to_pylist(), tz=self.tz, time_format=self.time_format)
            self.naive |= naive
            return times
        self.naive |= self.kind == "naive"
        stamps = column.to_numpy()
        if self.kind == "naive" and self.tz is not None:
            return index_to_ns(pd.Series(stamps), tz=self.tz)[0]
        return np.asarray(stamps.view(np.int64))

    def _add_slow(self, block: bytes, offset: int) -> None:
        """Read a block cell by cell: cope with what pyarrow refuses, or name the bad cell."""
        first = line_at(self.path, offset)
        try:
            text = block.decode("utf-8")
        except UnicodeDecodeError as error:
            line = first + block.count(b"\n", 0, error.start)
            raise RecordingError("the text is not UTF-8", path=self.path, line=line) from error
        at = {name: i for i, name in enumerate(self.header)}
        lines: list[int] = []
        texts: list[str] = []
        codes: list[int] = []
        columns: list[list[float]] = [[] for _ in self.roles.values]
        for line, row in self._cells(text, first):
            lines.append(line)
            texts.append(row[at[self.roles.timestamp]].strip())
            if self.rows.coded:
                codes.append(self._slow_code(tuple(row[at[n]] for n in self.rows.coded), line))
            for name, column in zip(self.roles.values, columns, strict=True):
                column.append(self._slow_value(row[at[name]], name, line))
        if not lines:
            return
        times = self._slow_times(texts, lines)
        pairs: list[tuple[np.ndarray, np.ndarray | None]] = []
        for column in columns:
            present = np.array([v is not _ABSENT for v in column])
            pairs.append((np.array(column), None if present.all() else present))
        self.rows.append(times, np.array(codes, np.int32) if self.rows.coded else None, pairs)

    def _cells(self, text: str, first: int) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        before = 0
        try:
            for row in reader:
                line, before = first + before, reader.line_num
                if not row:
                    continue
                if len(row) != len(self.header):
                    raise RecordingError(
                        f"expected {len(self.header)} cells, found {len(row)}",
                        path=self.path,
                        line=line,
                    )
                yield line, row
        except csv.Error as error:
            raise RecordingError(
                f"the quotes are wrong: {error}", path=self.path, line=first + before
            ) from error

    def _slow_code(self, texts: tuple[str, ...], line: int) -> int:
        try:
            return self.rows.number(texts)
        except BadNameError as error:
            raise RecordingError(
                str(error), path=self.path, line=line, column=error.column
            ) from error

    def _slow_value(self, cell: str, name: str, line: int) -> float:
        stripped = cell.strip()
        if stripped in _MISSING:
            return _ABSENT
        try:
            return float(stripped.replace(self.decimal, ".").replace("_", "?"))
        except ValueError as error:
            hint = (
                ""
                if self.roles.metric is not None
                else f"; if the column labels the rows, pass labels=[{name!r}]"
            )
            raise RecordingError(
                f"{cell!r} is not a number{hint}", path=self.path, line=line, column=name
            ) from error

    def _slow_times(self, texts: list[str], lines: list[int]) -> np.ndarray:
        try:
            if self.kind in ("int", "float"):
                for row, text in enumerate(texts):
                    if not NUMBER.fullmatch(text):
                        raise BadCellError(row, f"{text!r} is not a time since the epoch")
            times, naive = texts_to_ns(
                texts, tz=self.tz, time_format=self.time_format, scale=self.scale
            )
        except BadCellError as error:
            raise RecordingError(
                str(error), path=self.path, line=lines[error.row], column=self.roles.timestamp
            ) from error
        self.naive |= naive
        return times
