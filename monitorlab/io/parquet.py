"""Read Parquet: our own layout, series after series, and foreign wide and long files.

>>> import pathlib, tempfile
>>> from monitorlab.io.parquet_write import write_parquet
>>> store = SeriesStore()
>>> store.extend("up", [1767225600, 1767225601], [1.0, 0.0], {"job": "shop"})
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
>>> write_parquet(path, store.select(), store.metrics, store.incidents)
>>> read_parquet(path).select()[0].values.tolist()
[1.0, 0.0]
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from monitorlab.errors import RecordingError
from monitorlab.io.parquet_foreign import read_foreign
from monitorlab.io.parquet_write import FORMAT_VERSION, METADATA_KEY
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey, Severity
from monitorlab.storage import DuplicatePolicy, SeriesStore, as_matchers, matches_key
from monitorlab.times import TimeLike, from_ns, to_ns

__all__ = ["count_series", "read_parquet"]


def read_parquet(
    path: str | os.PathLike[str],
    select: str | None = None,
    *,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
    layout: Any = "auto",
    labels: Sequence[str] | None = None,
    tz: str | None = None,
    duplicates: DuplicatePolicy = "last",
) -> SeriesStore:
    """Read a Parquet file, ours or a foreign one, into a store.

    Parameters
    ----------
    path : str or os.PathLike
        The file, or a folder of parts (see ``monitorlab.io.parts``).
    select : str, optional
        PromQL selector: only these series.
    start, end : time, optional
        Only samples in ``[start, end)``.
    layout : {"auto", "wide", "long"}
        Of a foreign file; long when there are a metric and a value column.
    labels : sequence of str, optional
        Label columns of a foreign file.
    tz : str, optional
        Zone of naive times in a foreign file; UTC, with a warning, without it.
    duplicates : {"last", "first", "error"}
        Which of two samples of one series at one time stays.

    Returns
    -------
    SeriesStore
        Samples, and for our own files also metrics, incidents and sample metadata, bit for
        bit as they were written.

    Raises
    ------
    RecordingError
        If the file is no Parquet, is damaged, is of a newer format, or a cell of a foreign
        file cannot be read (names row and column).
    MatcherError
        If the selector cannot be read.

    Warns
    -----
    MonitorlabWarning
        If a foreign file's times carry no zone and ``tz`` is not given.

    Notes
    -----
    Of our own files only the row groups that hold wanted series are read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from monitorlab.io.parquet_write import write_parquet
    >>> from monitorlab.storage import SeriesView
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
    >>> write_parquet(path, [SeriesView.make("up", [1], [1.0]), SeriesView.make("b", [1], [2.0])])
    >>> read_parquet(path, "b").keys
    [b]
    """
    import pyarrow as pa
    from pyarrow import parquet as pq

    name = os.fspath(path)
    if Path(name).is_dir():
        from monitorlab.io.parts import read_parts

        return read_parts(
            name, select, start=start, end=end, duplicates=duplicates,
            layout=layout, labels=labels, tz=tz,
        )  # fmt: skip
    if not Path(name).stat().st_size:
        raise RecordingError("the file is empty", path=name)
    first = None if start is None else to_ns(start)
    stop = None if end is None else to_ns(end)
    store = SeriesStore(duplicates=duplicates)
    try:
        with pq.ParquetFile(name) as file:
            described = _own_description(file, name)
            if described is not None:
                _read_own(file, described, store, select, first, stop)
                return store
            read_foreign(file, name, store, layout=layout, labels=labels, tz=tz)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise RecordingError(f"cannot be read as Parquet: {error}", path=name) from error
    if select is None and first is None and stop is None:
        return store
    return _chosen(store, select, first, stop)


def _chosen(
    store: SeriesStore, select: str | None, first: int | None, stop: int | None
) -> SeriesStore:
    chosen = SeriesStore(duplicates=store.duplicates)
    for view in store.select(select, first, stop):
        chosen.extend(view.key, view.times, view.values)
    return chosen


def _own_description(file: Any, path: str) -> dict[str, Any] | None:
    """Give our metadata, or None for a file that is not ours (or was rewritten by others)."""
    raw = (file.schema_arrow.metadata or {}).get(METADATA_KEY)
    if raw is None:
        return None
    try:
        described = json.loads(raw)
        version = described["format"]
        rows = sum(count for *_, count in described["series"])
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"the metadata are damaged: {error}", path=path) from error
    if version > FORMAT_VERSION:
        raise RecordingError(
            f"format {version} is newer than {FORMAT_VERSION}, which this version reads; "
            "update monitorlab",
            path=path,
        )
    complete = {"timestamp", "value"}.issubset(file.schema_arrow.names)
    return described if complete and rows == file.metadata.num_rows else None


def _read_own(
    file: Any,
    described: dict[str, Any],
    store: SeriesStore,
    select: str | None,
    first: int | None,
    stop: int | None,
) -> None:
    series = [
        (SeriesKey(name, Labels(labels)), int(count)) for name, labels, count in described["series"]
    ]
    names = {key.metric for key, _ in series}
    if select is None:
        wanted = [True] * len(series)
    elif select in names:
        wanted = [key.metric == select for key, _ in series]
    else:
        matchers = as_matchers(select)
        wanted = [matches_key(matchers, key) for key, _ in series]
    notes: dict[int, dict[int, Any]] = {}
    for number, time, note in described["samples"]:
        notes.setdefault(number, {})[int(time)] = note
    for number, times, values in _own_pieces(file, [count for _, count in series], wanted):
        begin = 0 if first is None else int(times.searchsorted(first))
        end = len(times) if stop is None else int(times.searchsorted(stop))
        if begin < end:
            _add(
                store, series[number][0], times[begin:end], values[begin:end], notes.get(number, {})
            )
    kept = {key.metric for (key, _), is_wanted in zip(series, wanted, strict=True) if is_wanted}
    for name, known in described["metrics"].items():
        if select is None or name in kept:
            store.metrics[name] = Metric(
                name,
                MetricType(known["type"]),
                known["unit"],
                known["description"],
                known["direction"],
            )
    store.incidents.extend(_incident(known) for known in described["incidents"])


def _own_pieces(
    file: Any, counts: Sequence[int], wanted: Sequence[bool]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Give the rows of the wanted series, from the row groups that hold any."""
    import pyarrow as pa

    ends = np.cumsum(counts).tolist()
    group_start = 0
    for group in range(file.metadata.num_row_groups):
        group_end = group_start + file.metadata.row_group(group).num_rows
        low = bisect_right(ends, group_start)
        high = min(bisect_right(ends, group_end - 1), len(ends) - 1)
        numbers = [n for n in range(low, high + 1) if wanted[n] and counts[n]]
        if numbers:
            table = file.read_row_group(group, columns=["timestamp", "value"])
            times = table["timestamp"].cast(pa.int64()).to_numpy()
            values = table["value"].to_numpy()
            for number in numbers:
                begin = max(ends[number] - counts[number], group_start) - group_start
                end = min(ends[number], group_end) - group_start
                yield number, times[begin:end], values[begin:end]
        group_start = group_end


def _add(
    store: SeriesStore,
    key: SeriesKey,
    times: np.ndarray,
    values: np.ndarray,
    notes: Mapping[int, Mapping[str, Any]],
) -> None:
    """Add samples; those with metadata one by one, so that each keeps its own."""
    at = {t: int(np.searchsorted(times, t)) for t in notes}
    at = {t: i for t, i in at.items() if i < len(times) and times[i] == t}
    if at:
        rest = np.ones(len(times), bool)
        rest[list(at.values())] = False
        store.extend(key, times[rest], values[rest])
    else:
        store.extend(key, times, values)
    for time, position in at.items():
        store.record(key, values[position], from_ns(time), metadata=notes[time])


def _incident(known: Mapping[str, Any]) -> Incident:
    return Incident(
        pd.Timestamp(known["start"], unit="ns", tz="UTC"),
        pd.Timestamp(known["end"], unit="ns", tz="UTC"),
        known["kind"],
        Severity(known["severity"]),
        tuple(known["metrics"]),
        known["description"],
    )


def count_series(path: str | os.PathLike[str]) -> tuple[int, int, int]:
    """Count series, samples and incidents of one of our files without reading the samples.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    tuple of (int, int, int)
        Series, samples, incidents; no series and incidents are known of a foreign file.

    Raises
    ------
    RecordingError
        If the file is no Parquet.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from monitorlab.io.parquet_write import write_parquet
    >>> from monitorlab.storage import SeriesView
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.parquet")
    >>> write_parquet(path, [SeriesView.make("up", [1], [1.0])])
    >>> count_series(path)
    (1, 1, 0)
    """
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        with pq.ParquetFile(os.fspath(path)) as file:
            described = _own_description(file, os.fspath(path))
            rows = file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise RecordingError(f"cannot be read as Parquet: {error}", path=path) from error
    known = described or {"series": [], "incidents": []}
    return len(known["series"]), rows, len(known["incidents"])
