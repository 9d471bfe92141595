"""A recording in parts: a folder that grows while samples come in and survives a kill.

A folder holds finished parts, ``part-000001.parquet``, each an ordinary Parquet file of ours,
and for each writer one part that is still being written, ``_live-000002.arrows``: an Arrow
stream to which batches are appended. What has been appended is in the hands of the system, so
a writer that is killed loses nothing of it; a batch that was torn is left out when read. When
a live part is long enough, or its writer closes, it becomes a finished one.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp(), "shop.parquet")
>>> writer = PartWriter(folder)
>>> writer.append([(SeriesKey("up"), np.array([1]), np.array([1.0]))])
>>> read_parts(folder).select("up")[0].values.tolist()
[1.0]
>>> writer.close()
>>> [path.name for path in sorted(folder.iterdir())]
['part-000001.parquet']
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from monitorlab.errors import RecordingError
from monitorlab.io.parquet_write import write_parquet
from monitorlab.model import Incident, Labels, Metric, MetricType, SeriesKey, Severity
from monitorlab.storage import DuplicatePolicy, SeriesStore
from monitorlab.times import TimeLike, from_ns, to_ns

__all__ = ["PartWriter", "read_parts"]

PART_SAMPLES = 4_000_000  # a live part longer than this becomes a finished one
_NOTE = b"monitorlab"
_LOG = logging.getLogger("monitorlab.io")

Piece = tuple[SeriesKey, np.ndarray, np.ndarray]


class PartWriter:
    """Append samples to a folder of parts.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; made when it is not there, gone on with when it is.
    part_samples : int
        Samples after which a part is finished and another begun.

    Raises
    ------
    RecordingError
        If the path is a file, or cannot be written.

    Notes
    -----
    An append costs one small write (some 12 bytes a sample, packed). Finishing a part reads it
    again and writes it as Parquet, a few seconds for the largest: do it beside an event loop,
    not in it. Several writers may share a folder: each has a live part of its own, locked
    while it lives. A live part whose writer is gone is finished by the next writer.

    Examples
    --------
    >>> import tempfile
    >>> PartWriter(tempfile.mkdtemp()).samples
    0
    """

    def __init__(self, folder: str | os.PathLike[str], *, part_samples: int = PART_SAMPLES) -> None:
        self.folder = Path(folder)
        self.samples = 0
        self._part_samples = part_samples
        self._file: IO[bytes] | None = None
        self._stream: Any = None
        self._sink: Any = None
        self._live: Path | None = None
        self._in_part = 0
        self._codes: dict[SeriesKey, int] = {}
        self._metrics: dict[str, Metric] = {}
        self._told: dict[str, Metric] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            msg = "is a file; a recording in parts needs a folder (or a path that is not there)"
            raise RecordingError(msg, path=self.folder) from error
        except OSError as error:
            msg = f"cannot be made: {error.strerror}"
            raise RecordingError(msg, path=self.folder) from error
        for path in sorted(self.folder.iterdir()):
            if _is_live(path):
                _finish_if_left(path)

    def append(
        self,
        pieces: Iterable[Piece],
        metrics: Iterable[Metric] = (),
        incidents: Sequence[Incident] = (),
    ) -> None:
        """Write samples so that they survive this process.

        Parameters
        ----------
        pieces : iterable of (SeriesKey, times, values)
            ``int64`` nanoseconds and ``float64`` values of each series.
        metrics : iterable of Metric
            What is known of metrics; written once a part.
        incidents : sequence of Incident
            Labelled truth.

        Raises
        ------
        RecordingError
            If the disk is full or gone. The next append begins another part.
        """
        given = [piece for piece in pieces if len(piece[1])]
        self._metrics.update((metric.name, metric) for metric in metrics)
        if not given and not incidents and self._metrics == self._told:
            return
        try:
            self._append(given, incidents)
        except OSError as error:
            where = self._live or self.folder
            self._abandon()
            msg = f"cannot be written: {error.strerror or error}"
            raise RecordingError(msg, path=where) from error
        if self._in_part >= self._part_samples:
            self.finish()

    def finish(self) -> None:
        """Make the live part a finished one; the next append begins another.

        Raises
        ------
        RecordingError
            If the disk is full or gone; what was appended stays in the live part.
        """
        live, file = self._live, self._file
        if file is None or live is None:
            return
        self._forget()
        try:
            _finish(live)
        except OSError as error:
            msg = f"cannot be finished: {error.strerror or error}"
            raise RecordingError(msg, path=live) from error
        finally:
            file.close()

    def close(self) -> None:
        """Finish the live part; may be called again."""
        self.finish()

    def _append(self, given: list[Piece], incidents: Sequence[Incident]) -> None:
        import pyarrow as pa

        file = self._file or self._begin()
        fresh = list(dict.fromkeys(key for key, _, _ in given if key not in self._codes))
        for key in fresh:
            self._codes[key] = len(self._codes)
        untold = [m for name, m in self._metrics.items() if self._told.get(name) != m]
        note = {
            "series": [[key.metric, key.labels.to_dict()] for key in fresh],
            "metrics": [_plain_metric(metric) for metric in untold],
            "incidents": [_plain_incident(incident) for incident in incidents],
        }
        sizes = [len(times) for _, times, _ in given]
        codes = np.repeat(np.array([self._codes[k] for k, _, _ in given], np.int32), sizes)
        times = np.concatenate([t for _, t, _ in given] or [np.zeros(0, np.int64)])
        values = np.concatenate([v for _, _, v in given] or [np.zeros(0)])
        # Values go as their bits, so that stale markers stay what they are.
        columns = [codes, times, np.ascontiguousarray(values, np.float64).view(np.int64)]
        batch = pa.record_batch([pa.array(column) for column in columns], schema=_schema())
        self._stream.write_batch(batch, custom_metadata={_NOTE: json.dumps(note)})
        file.flush()
        self._told.update((metric.name, metric) for metric in untold)
        self._in_part += len(times)
        self.samples += len(times)

    def _begin(self) -> IO[bytes]:
        import pyarrow as pa

        number = max((_number(path) for path in self.folder.iterdir()), default=0)
        while self._file is None:
            number += 1
            path = self.folder / f"_live-{number:06d}.arrows"
            try:
                self._file = path.open("xb")
            except FileExistsError:
                continue  # another writer was quicker
            self._live = path
        _lock(self._file)
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._sink = pa.PythonFile(self._file, mode="w")
        self._stream = pa.ipc.new_stream(self._sink, _schema(), options=options)
        return self._file

    def _forget(self) -> None:
        self._file = self._live = self._stream = self._sink = None
        self._in_part, self._codes = 0, {}
        self._told.clear()

    def _abandon(self) -> None:
        """Leave a live part as it is: what comes after a torn batch could not be read."""
        file = self._file
        self._forget()
        if file is not None:
            # It failed to be written to; that it also fails to be closed is no news.
            with suppress(OSError):
                file.close()


def read_parts(
    folder: str | os.PathLike[str],
    select: str | None = None,
    *,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
    duplicates: DuplicatePolicy = "last",
    **options: Any,
) -> SeriesStore:
    """Read a folder of parts, also while it is written and after its writer was killed.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder.
    select : str, optional
        PromQL selector: only these series.
    start, end : time, optional
        Only samples in ``[start, end)``.
    duplicates : {"last", "first", "error"}
        Which of two samples of one series at one time stays.
    **options : object
        Further arguments of ``read_parquet``, for foreign files in the folder.

    Returns
    -------
    SeriesStore
        Samples, metrics and incidents of all parts, in the order in which they came.

    Raises
    ------
    RecordingError
        If there are no parts, or a finished one is damaged.

    Notes
    -----
    The end of a live part may be torn; what stands before it is read.

    Examples
    --------
    >>> import tempfile
    >>> read_parts(tempfile.mkdtemp())
    Traceback (most recent call last):
    ...
    monitorlab.errors.RecordingError: ...: the folder holds no parts of a recording
    """
    from monitorlab.io.parquet import read_parquet

    place = Path(folder)
    store = SeriesStore(duplicates=duplicates)
    first = None if start is None else to_ns(start)
    stop = None if end is None else to_ns(end)
    paths = [path for path in place.iterdir() if path.suffix == ".parquet" or _is_live(path)]
    for path in sorted(paths, key=lambda path: (_number(path), path.name)):
        if _is_live(path):
            done = _finished(path)
            if done in paths:
                continue  # its writer was killed before it could take the live part away
            try:
                part = _read_live(path)
            except FileNotFoundError:  # finished a moment ago
                part = read_parquet(done, select, start=start, end=end)
        else:
            part = read_parquet(path, select, start=start, end=end, **options)
        store.metrics.update(part.metrics)
        known = set(store.incidents)
        store.incidents += [i for i in part.incidents if i not in known]
        for view in part.select(select, first, stop):
            store.extend(view.key, view.times, view.values)
    if not paths:
        msg = "the folder holds no parts of a recording"
        raise RecordingError(msg, path=place)
    return store


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema([("series", pa.int32()), ("timestamp", pa.int64()), ("bits", pa.int64())])


def _is_live(path: Path) -> bool:
    return path.name.startswith("_live-") and path.suffix == ".arrows"


def _finished(live: Path) -> Path:
    return live.with_name(f"part-{_number(live):06d}.parquet")


def _number(path: Path) -> int:
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def _read_live(path: Path) -> SeriesStore:
    """Read what was appended, up to a torn end."""
    import pyarrow as pa

    store = SeriesStore()
    keys: list[SeriesKey] = []
    with path.open("rb") as file:
        try:
            stream = pa.ipc.open_stream(file)
            while True:
                batch, extra = stream.read_next_batch_with_custom_metadata()
                _take(store, keys, batch, json.loads((extra or {}).get(_NOTE, b"{}")))
        except StopIteration:
            pass
        except (pa.ArrowInvalid, OSError):
            # The writer was killed in the middle of a batch (or has just begun one).
            _LOG.debug("%s ends in a torn batch", path)
    return store


def _take(store: SeriesStore, keys: list[SeriesKey], batch: Any, note: Mapping[str, Any]) -> None:
    keys += [SeriesKey(name, Labels(labels)) for name, labels in note.get("series", ())]
    for known in note.get("metrics", ()):
        kind = MetricType(known["type"])
        store.metrics[known["name"]] = Metric(
            known["name"], kind, known["unit"], known["description"], known["direction"]
        )
    for known in note.get("incidents", ()):
        incident = Incident(
            from_ns(known["start"]),
            from_ns(known["end"]),
            known["kind"],
            Severity(known["severity"]),
            tuple(known["metrics"]),
            known["description"],
        )
        if incident not in store.incidents:
            store.incidents.append(incident)
    codes = batch.column(0).to_numpy()
    times = batch.column(1).to_numpy()
    values = batch.column(2).to_numpy().view(np.float64)
    edges = np.flatnonzero(np.diff(codes)) + 1
    for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), len(codes)], strict=True):
        if begin < end:
            store.extend(keys[codes[begin]], times[begin:end], values[begin:end])


def _finish(live: Path) -> None:
    store = _read_live(live)
    if len(store):
        write_parquet(_finished(live), store.select(), store.metrics, store.incidents)
    live.unlink()


def _finish_if_left(live: Path) -> None:
    """Finish a live part whose writer is gone; one that is locked is being written."""
    with live.open("r+b") as file:
        if not _lock(file):
            return
        if _finished(live).exists():
            live.unlink()
        else:
            _finish(live)


def _lock(file: IO[bytes]) -> bool:
    """Lock a file for as long as it is open; without locks on this system, never."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _plain_metric(metric: Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "type": metric.type.value,
        "unit": metric.unit,
        "description": metric.description,
        "direction": metric.direction,
    }


def _plain_incident(incident: Incident) -> dict[str, Any]:
    return {
        "start": to_ns(incident.start),
        "end": to_ns(incident.end),
        "kind": incident.kind,
        "severity": incident.severity.value,
        "metrics": list(incident.metrics),
        "description": incident.description,
    }
