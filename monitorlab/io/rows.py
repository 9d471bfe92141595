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

from collections.abc import Sequence
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
        self._times: list[np.ndarray] = []
        self._codes: list[np.ndarray] = []
        self._values: dict[str, list[np.ndarray]] = {name: [] for name in roles.values}
        self._present: dict[str, list[np.ndarray]] = {}

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
        return numbers[codes]

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
                masks = self._present.setdefault(name, [np.ones(self.count, bool)])
                masks.append(np.ones(len(values), bool) if present is None else present)
        self.count += len(times)

    def into(self, store: SeriesStore) -> None:
        """Move all rows into a store; columns are freed on the way, the rows are gone then."""
        if not self._times:
            return
        times = np.concatenate(self._times)
        self._times.clear()
        codes = np.concatenate(self._codes) if self._codes else None
        self._codes.clear()
        for column in self.roles.values:
            values = np.concatenate(self._values.pop(column))
            masks = self._present.pop(column, None)
            if self.roles.metric is not None:
                fill_store(store, self._keys, codes, times, values)
                continue
            keys = [read_key(column, labels) for labels in self._label_sets or [Labels()]]
            if masks is None:
                fill_store(store, keys, codes, times, values)
                continue
            kept = np.concatenate(masks)
            if kept.any():
                chosen = None if codes is None else codes[kept]
                fill_store(store, keys, chosen, times[kept], values[kept])


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
    if len(codes) > 1 and not bool((codes[1:] >= codes[:-1]).all()):
        small = codes.astype(np.uint16) if len(keys) <= 1 << 16 else codes
        order = np.argsort(small, kind="stable")
        times, values = times[order], values[order]
    end = np.cumsum(counts)
    for key, stop, count in zip(keys, end.tolist(), counts.tolist(), strict=True):
        if count:
            start = stop - count
            store.extend(key.metric, times[start:stop], values[start:stop], labels=key.labels)
