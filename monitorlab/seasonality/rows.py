"""Rows of a result by the name of their series.

>>> from types import SimpleNamespace
>>> row_of([SimpleNamespace(series="load")], "load").series
'load'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from monitorlab.errors import UnknownSeriesError, did_you_mean

__all__ = ["row_of"]


class Named(Protocol):
    """A row that speaks of a series."""

    @property
    def series(self) -> str:
        """Name of the series."""
        ...


RowT = TypeVar("RowT", bound=Named)


def row_of(rows: Sequence[RowT], name: object) -> RowT:
    """Give the row of a series.

    Parameters
    ----------
    rows : sequence
        Rows with a ``series``.
    name : str, SeriesKey or int
        Name or key of the series, or the position of the row.

    Returns
    -------
    row

    Raises
    ------
    UnknownSeriesError
        If no row speaks of that series; the nearest names are offered.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> row_of([SimpleNamespace(series="load")], 0).series
    'load'
    """
    if isinstance(name, int):
        return rows[name]
    for row in rows:
        if row.series == str(name):
            return row
    msg = f"no result for the series {name}{did_you_mean(str(name), [r.series for r in rows])}"
    raise UnknownSeriesError(msg)
