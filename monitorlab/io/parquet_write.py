"""Write Parquet in our own layout: series after series, described in the metadata.

>>> import pathlib, tempfile
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
>>> write_parquet(path, [SeriesView.make("up", [1], [1.0])])
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from monitorlab.display import to_plain
from monitorlab.io.files import replacing
from monitorlab.model import Incident, Labels, Metric, SeriesKey
from monitorlab.storage import SeriesView

__all__ = ["FORMAT_VERSION", "METADATA_KEY", "write_parquet"]

FORMAT_VERSION = 1
METADATA_KEY = b"monitorlab"
_GROUP_ROWS = 1 << 17
_LEVEL = 9  # of zstd


def write_parquet(
    path: str | os.PathLike[str],
    views: Sequence[SeriesView],
    metrics: Mapping[str, Metric] | None = None,
    incidents: Sequence[Incident] = (),
) -> None:
    """Write series, what is known of their metrics, and the incidents to one file.

    Parameters
    ----------
    path : str or os.PathLike
        The file to make or replace.
    views : sequence of SeriesView
        The series.
    metrics : mapping of str to Metric, optional
        Type, unit, description and direction by metric name.
    incidents : sequence of Incident
        Labelled truth.

    Notes
    -----
    Columns ``metric`` and ``labels`` (JSON) are dictionary-coded text, ``timestamp`` is UTC
    nanoseconds as delta-packed integers, ``value`` float64 split by bytes; all zstd. Rows
    stand series after series in time order, in groups of 131 072 rows, so that one series
    can be read alone, by us (from an index in the metadata) and by any engine that uses
    row-group statistics. Of the encodings tried on 150 series of 7 200 samples a second or
    so apart (bytes a row): delta + byte split 3.2, delta + plain 3.5, plain + byte split
    5.4, dictionary for both 6.1. The file appears whole or not at all.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
    >>> write_parquet(path, [SeriesView.make("up", [1], [1.0])], {"up": Metric("up")})
    >>> path.stat().st_size > 0
    True
    """
    from pyarrow import parquet as pq

    ordered = sorted(views, key=lambda view: view.key)
    schema = _schema().with_metadata({METADATA_KEY: _describe(ordered, metrics or {}, incidents)})
    with (
        replacing(path) as draft,
        pq.ParquetWriter(
            draft,
            schema,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=["metric", "labels"],
            column_encoding={"timestamp": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
        ) as writer,
    ):
        for table in _tables(ordered, schema):
            writer.write_table(table, row_group_size=_GROUP_ROWS)


def _schema() -> Any:
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema(
        [
            pa.field("metric", text, nullable=False),
            pa.field("labels", text, nullable=False),
            pa.field("timestamp", pa.timestamp("ns", "UTC"), nullable=False),
            pa.field("value", pa.float64(), nullable=False),
        ]
    )


def _tables(views: Sequence[SeriesView], schema: Any) -> Iterator[Any]:
    """Give the rows in tables of a row group's size, a long series in several."""
    import pyarrow as pa

    pieces: list[tuple[SeriesKey, np.ndarray, np.ndarray]] = []
    held = 0
    for view in views:
        position = 0
        while position < len(view):
            count = min(len(view) - position, _GROUP_ROWS - held)
            part = slice(position, position + count)
            pieces.append((view.key, view.times[part], view.values[part]))
            position += count
            held += count
            if held == _GROUP_ROWS:
                yield _table(pa, pieces, schema)
                pieces, held = [], 0
    if pieces:
        yield _table(pa, pieces, schema)


def _table(pa: Any, pieces: list[tuple[SeriesKey, np.ndarray, np.ndarray]], schema: Any) -> Any:
    counts = [len(times) for _, times, _ in pieces]
    texts = ([k.metric for k, _, _ in pieces], [_labels_text(k.labels) for k, _, _ in pieces])
    columns = []
    for words in texts:
        known = {word: i for i, word in enumerate(dict.fromkeys(words))}
        codes = np.repeat(np.array([known[word] for word in words], np.int32), counts)
        columns.append(pa.DictionaryArray.from_arrays(codes, pa.array(list(known), pa.string())))
    times = np.concatenate([times for _, times, _ in pieces])
    columns.append(pa.array(times, pa.int64()).cast(schema.field("timestamp").type))
    columns.append(pa.array(np.concatenate([values for *_, values in pieces]), pa.float64()))
    return pa.Table.from_arrays(columns, schema=schema)


def _labels_text(labels: Labels) -> str:
    return json.dumps(labels.to_dict(), ensure_ascii=False, separators=(",", ":"))


def _describe(
    views: Sequence[SeriesView], metrics: Mapping[str, Metric], incidents: Sequence[Incident]
) -> bytes:
    described = {
        "format": FORMAT_VERSION,
        "series": [[v.key.metric, v.key.labels.to_dict(), len(v)] for v in views],
        "metrics": {
            name: {
                "type": m.type.value,
                "unit": m.unit,
                "description": m.description,
                "direction": m.direction,
            }
            for name, m in sorted(metrics.items())
        },
        "incidents": [
            {
                "start": i.start.as_unit("ns").value,
                "end": i.end.as_unit("ns").value,
                "kind": i.kind,
                "severity": i.severity.value,
                "metrics": list(i.metrics),
                "description": i.description,
            }
            for i in incidents
        ],
        "samples": [
            [number, time, note]
            for number, view in enumerate(views)
            for time, note in view.metadata.items()
        ],
    }
    return json.dumps(described, ensure_ascii=False, default=to_plain).encode()
