"""Write CSV, long or wide.

>>> import pathlib, tempfile
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.csv")
>>> write_csv(path, [SeriesView.make("up", [0], [1.0], {"job": "shop"})])
>>> print(path.read_text(), end="")
"timestamp","metric","job","value"
1970-01-01 00:00:00Z,"up","shop",1
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from monitorlab.errors import InvalidSeriesError
from monitorlab.io.files import replacing
from monitorlab.io.frames import label_columns, wide_columns
from monitorlab.io.layout import LayoutName
from monitorlab.storage import SeriesView

__all__ = ["write_csv"]

_PIECE = 1 << 16  # rows written at a time
_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"))


def write_csv(
    path: str | os.PathLike[str], views: Sequence[SeriesView], layout: LayoutName = "long"
) -> None:
    """Write series to a CSV file, gzipped when its name ends in ``.gz``.

    Parameters
    ----------
    path : str or os.PathLike
        The file to make or replace.
    views : sequence of SeriesView
        The series.
    layout : {"long", "wide"}
        A row a sample (timestamp, metric, labels, value), or a column a series, where an
        empty cell means no sample.

    Raises
    ------
    InvalidSeriesError
        If the layout is unknown.

    Notes
    -----
    Times are UTC with as many digits as all of them need; numbers read back as the same
    bits, except that a stale marker becomes an ordinary NaN.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.csv")
    >>> write_csv(path, [SeriesView.make("up", [0], [0.5])], "wide")
    >>> path.read_text().splitlines()[1]
    '1970-01-01 00:00:00Z,0.5'
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    if layout not in ("long", "wide"):
        raise InvalidSeriesError(f"layout={layout!r} is not one of 'long', 'wide'")
    unit = _unit(views)
    with ExitStack() as stack:
        sink: Any = stack.enter_context(replacing(path))
        if Path(path).suffix == ".gz":
            raw = stack.enter_context(sink.open("wb"))
            sink = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        if layout == "wide":
            arrow.write_csv(_wide_table(views, unit), sink, _options(arrow))
            return
        words = label_columns([view.key for view in views])
        names = ["timestamp", "metric", *words, "value"]
        types = [pa.timestamp(unit, "UTC"), *[pa.string()] * (len(names) - 2), pa.float64()]
        schema = pa.schema(list(zip(names, types, strict=True)))
        writer = stack.enter_context(arrow.CSVWriter(sink, schema, write_options=_options(arrow)))
        for number, view in enumerate(views):
            texts = [view.key.metric, *(words[name][number] for name in words)]
            for start in range(0, len(view), _PIECE):
                times = view.times[start : start + _PIECE]
                columns = [
                    _stamps(times, unit),
                    *(pa.repeat(pa.scalar(text, pa.string()), len(times)) for text in texts),
                    pa.array(view.values[start : start + _PIECE]),
                ]
                writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _options(arrow: Any) -> Any:
    return arrow.WriteOptions(quoting_style="needed", batch_size=_PIECE)


def _unit(views: Sequence[SeriesView]) -> str:
    """Give the coarsest unit that holds every time."""
    for size, name in _UNITS:
        if not any((view.times % size).any() for view in views):
            return name
    return "ns"


def _stamps(times: np.ndarray, unit: str) -> Any:
    import pyarrow as pa

    return pa.array(times).cast(pa.timestamp("ns", "UTC")).cast(pa.timestamp(unit, "UTC"))


def _wide_table(views: Sequence[SeriesView], unit: str) -> Any:
    import pyarrow as pa

    times, columns = wide_columns(views)
    arrays = [pa.array(values, mask=~present) for values, present in columns]
    names = ["timestamp", *(str(view.key) for view in views)]
    return pa.Table.from_arrays([_stamps(times, unit), *arrays], names=names)
