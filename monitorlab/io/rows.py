"""Rows of a table on their way into series: numbered label sets, growing columns.

>>> from monitorlab.io.layout import find_roles
>>> from monitorlab.storage import SeriesStore
>>> rows = Rows(find_roles(["t", "cpu"], timestamp="t"))
>>> rows.append(np.array([1, 2]), None, [(np.array([0.5, 0.7]), None)])
>>> store = SeriesStore()
>>> rows.into(store); store.sample_count
2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from monitorlab.io.labels import read_key, read_labels
from monitorlab.io.layout import Roles
from monitorlab.io.stamps import BadCellError
from monitorlab.model import Labels, SeriesKey

if TYPE_CHECKING:
    from monitorlab.storage import SeriesStore

__all__ = ["BadNameError", "Coded", "Rows", "combine_codes", "fill_store"]

# Codes of a text column, and the words that they stand for.
Coded: TypeAlias = "tuple[np.ndarray, Sequence[str]]"
# Values of a column, and which of them are there (None: all).
ValueColumn: TypeAlias = "tuple[np.ndarray, np.ndarray | None]"

_COMPACT_ABOVE = 1 << 22
_SEGMENT = 1 << 22  # values in the largest segment of a column
_PIECE = 1 << 20  # rows put in order at a time
_SMALL = 1 << 16  # so many series fit 16 bits, which sort by radix


class BadNameError(BadCellError):
    """A metric name or a label set cannot be read; knows its column.

    Parameters
    ----------
    row : int
        Position of a row with that cell, from 0.
    message : str
        What is wrong.
    column : str
        Name of the column.
    """

    def __init__(self, row: int, message: str, column: str) -> None:
        super().__init__(row, message)
        self.column = column


class Rows:
    """Rows read so far: times, series numbers and values, in columns.

    Parameters
    ----------
    roles : Roles
        Which column is what.

    Examples
    --------
    >>> from monitorlab.io.layout import find_roles
    >>> rows = Rows(find_roles(["ts", "metric", "value", "host"]))
    >>> rows.coded
    ('metric', 'host')
    >>> rows.number(("cpu", "web-1")), rows.number(("cpu", "web-2")), rows.number(("cpu", "web-1"))
    (0, 1, 0)
    """

    def __init__(self, roles: Roles) -> None:
        self.roles = roles
        self.count = 0
        named = (roles.metric,) if roles.metric is not None else ()
        text = (roles.label_text,) if roles.label_text is not None else ()
        self.coded: tuple[str, ...] = (*named, *roles.labels, *text)
        self._keys: list[SeriesKey] = []
        self._label_sets: list[Labels] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._times = _Growing()
        self._codes = _Growing()
        self._values = {name: _Growing() for name in roles.values}
        self._present: dict[str, _Growing] = {}

    def number(self, texts: tuple[str, ...], row: int = 0) -> int:
        """Give the number of the series (wide: of the label set) that the coded cells name."""
        known = self._numbers.get(texts)
        if known is not None:
            return known
        cells = dict(zip(self.coded, texts, strict=True))
        column = self.roles.label_text
        try:
            labels = read_labels(cells[column]) if column is not None else {}
            labels |= {name: cells[name] for name in self.roles.labels}
            column = self.roles.metric
            if column is not None:
                self._keys.append(read_key(cells[column], labels))
            else:
                self._label_sets.append(Labels(labels))
        except ValueError as error:
            raise BadNameError(row, str(error), str(column)) from error
        self._numbers[texts] = len(self._numbers)
        return self._numbers[texts]

    def numbers(self, columns: Sequence[Coded]) -> np.ndarray | None:
        """Give the series numbers of many rows, from their coded columns in order."""
        if not columns:
            return None
        codes, rows = combine_codes([(indices, len(words)) for indices, words in columns])
        numbers = np.empty(len(rows), np.int32)
        for local, row in enumerate(rows.tolist()):
            texts = tuple(words[indices[row]] for indices, words in columns)
            numbers[local] = self.number(texts, row)
        return np.asarray(numbers[codes])

    def append(
        self, times: np.ndarray, codes: np.ndarray | None, columns: Sequence[ValueColumn]
    ) -> None:
        """Add rows: their times, their series numbers, and each value column."""
        self._times.append(times)
        if codes is not None:
            self._codes.append(codes)
        for name, (values, present) in zip(self.roles.values, columns, strict=True):
            self._values[name].append(values)
            if present is not None or name in self._present:
                if name not in self._present:
                    self._present[name] = _Growing()
                    self._present[name].append(np.ones(self.count, bool))
                mask = np.ones(len(values), bool) if present is None else present
                self._present[name].append(mask)
        self.count += len(times)

    def into(self, store: SeriesStore) -> None:
        """Move all rows into a store; parts are freed on the way, the rows are gone then."""
        if not self.count:
            return
        if self.roles.metric is not None:
            self._long_into(store)
            return
        times = self._times.joined()
        codes = self._codes.joined() if self.coded else None
        for column in self.roles.values:
            values = self._values[column].joined()
            keys = [read_key(column, labels) for labels in self._label_sets or [Labels()]]
            if column not in self._present:
                fill_store(store, keys, codes, times, values)
                continue
            kept = self._present.pop(column).joined()
            if kept.any():
                chosen = None if codes is None else codes[kept]
                fill_store(store, keys, chosen, times[kept], values[kept])

    def _long_into(self, store: SeriesStore) -> None:
        """Put each part in order of its series, then at its place among all parts."""
        kinds = len(self._keys)
        counts = np.zeros(kinds, np.int64)
        for codes in self._codes.parts():
            counts += np.bincount(codes, minlength=kinds)
        filled = np.cumsum(counts) - counts  # where the next sample of each series goes
        times, values = np.empty(self.count, np.int64), np.empty(self.count)
        columns = (self._times, self._codes, self._values[self.roles.values[0]])
        for part_times, codes, part_values in zip(*(c.drained() for c in columns), strict=True):
            held = np.bincount(codes, minlength=kinds)
            place = np.arange(len(codes))
            place += np.repeat(filled - (np.cumsum(held) - held), held)
            order = _order(codes, kinds)
            times[place] = part_times if order is None else part_times[order]
            values[place] = part_values if order is None else part_values[order]
            filled += held
        _split(store, self._keys, counts, times, values)


class _Growing:
    """A column that grows in segments: nothing is moved, and a segment is freed on its own.

    Large segments come straight from the system and go back to it, where many small arrays
    would leave holes that stay with the process.
    """

    def __init__(self) -> None:
        self._clear()

    def append(self, values: np.ndarray) -> None:
        """Add values of one type; columns that grow alike have segments alike."""
        position = 0
        while position < len(values):
            if self._used == len(self._room):
                self._close(values.dtype)
            count = min(len(values) - position, len(self._room) - self._used)
            self._room[self._used : self._used + count] = values[position : position + count]
            self._used += count
            position += count

    def parts(self) -> list[np.ndarray]:
        """Give all segments."""
        return [*self._full, self._room[: self._used]]

    def drained(self) -> Iterator[np.ndarray]:
        """Give pieces of at most ``_PIECE`` values, letting go of segments on the way."""
        segments = self.parts()[::-1]
        self._clear()
        while segments:
            segment = segments.pop()
            for start in range(0, len(segment), _PIECE):
                yield segment[start : start + _PIECE]

    def joined(self) -> np.ndarray:
        """Give all values in one array, and let go of the segments."""
        whole = np.concatenate([part for part in self.parts() if len(part)])
        self._clear()
        return whole

    def _clear(self) -> None:
        self._full: list[np.ndarray] = []
        self._room = np.empty(0)
        self._used = 0

    def _close(self, dtype: np.dtype) -> None:
        if self._used:
            self._full.append(self._room[: self._used])
        size = min(max(2 * len(self._room), _PIECE // 16), _SEGMENT)
        self._room = np.empty(size, dtype)
        self._used = 0


def combine_codes(columns: Sequence[tuple[np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Number the combinations of several coded columns that occur.

    Parameters
    ----------
    columns : sequence of (numpy.ndarray of int, int)
        Codes of each column, and how many codes it has.

    Returns
    -------
    codes : numpy.ndarray of int64
        A number for each row.
    rows : numpy.ndarray of int64
        For each number, a row where its combination stands.

    Examples
    --------
    >>> combine_codes([(np.array([0, 0, 1]), 2), (np.array([1, 0, 1]), 2)])[0]
    array([1, 0, 2])
    """
    code = np.zeros(len(columns[0][0]), np.int64)
    size = 1
    for column, count in columns:
        code = code * max(count, 1) + column
        size *= max(count, 1)
        if size > _COMPACT_ABOVE:
            present, code = np.unique(code, return_inverse=True)
            size = len(present)
    where = np.full(size, -1, np.int64)
    where[code[::-1]] = np.arange(len(code) - 1, -1, -1)
    present = np.flatnonzero(where >= 0)
    if len(present) == size:
        return code, where
    renumbered = np.zeros(size, np.int64)
    renumbered[present] = np.arange(len(present))
    return renumbered[code], where[present]


def fill_store(
    store: SeriesStore,
    keys: Sequence[SeriesKey],
    codes: np.ndarray | None,
    times: np.ndarray,
    values: np.ndarray,
) -> None:
    """Split rows by series and add each to a store.

    Parameters
    ----------
    store : SeriesStore
        Where the samples go.
    keys : sequence of SeriesKey
        The series by number.
    codes : numpy.ndarray of int, or None
        Series number of each row; None when all rows belong to the only key.
    times : numpy.ndarray of int64
        Nanoseconds.
    values : numpy.ndarray of float64
        Values.

    Notes
    -----
    One stable sort by series number (a radix sort up to 65 536 series), then slices: the cost
    is linear in the number of rows, and rows of one series keep their order.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> keys = [SeriesKey("a"), SeriesKey("b")]
    >>> fill_store(store, keys, np.array([1, 0]), np.array([5, 5]), np.array([1.0, 2.0]))
    >>> [len(view) for view in store.select()]
    [1, 1]
    """
    if codes is None:
        store.extend(keys[0].metric, times, values, labels=keys[0].labels)
        return
    counts = np.bincount(codes, minlength=len(keys))
    order = _order(codes, len(keys))
    if order is not None:
        times, values = times[order], values[order]
    _split(store, keys, counts, times, values)


def _order(codes: np.ndarray, count: int) -> np.ndarray | None:
    """Give the stable order of codes, None when they are in order."""
    if len(codes) < 2 or bool((codes[1:] >= codes[:-1]).all()):
        return None
    small = codes.astype(np.uint16, copy=False) if count <= _SMALL else codes
    return np.argsort(small, kind="stable")


def _split(
    store: SeriesStore,
    keys: Sequence[SeriesKey],
    counts: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
) -> None:
    end = np.cumsum(counts)
    for key, stop, count in zip(keys, end.tolist(), counts.tolist(), strict=True):
        if count:
            start = stop - count
            store.extend(key.metric, times[start:stop], values[start:stop], labels=key.labels)
