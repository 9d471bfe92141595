"""Write down what came in, beside the event loop, so that a killed kernel loses next to nothing.

>>> import tempfile
>>> from monitorlab.io.parts import read_parts
>>> from monitorlab.feed.batch import Batch
>>> folder = tempfile.mkdtemp()
>>> journal = Journal(folder)
>>> journal.add(Batch.of({"up": 1.0}, 1_000_000_000).chunks)
>>> journal.close()
>>> read_parts(folder).select("up")[0].values.tolist()
[1.0]
"""

from __future__ import annotations

import importlib
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from monitorlab.errors import RecordingError
from monitorlab.feed.batch import Chunk
from monitorlab.io.parts import PART_SAMPLES, PartWriter
from monitorlab.model import Incident, Metric

__all__ = ["Journal"]

GATHER_SECONDS = 0.25  # samples are gathered so long before they are written together
AGAIN_SECONDS = 1.0  # pause before a disk that refused is tried again
MOST_WAITING = 20_000_000  # samples that may wait for a disk; 320 MB


class Journal:
    """Append samples to a folder of parts from a thread of its own.

    Parameters
    ----------
    path : str or os.PathLike
        The folder; see ``monitorlab.io.parts``.
    part_samples : int
        Samples after which a part is finished.

    Raises
    ------
    RecordingError
        If the path is a file or cannot be made.

    Notes
    -----
    A sample is written a quarter of a second after it came, at the latest, also while a cell
    keeps the event loop busy; writing is done when the system has it, so a killed process
    loses nothing more (a machine without power may). A disk that refuses is tried again each
    second; then samples wait, and after 20 million of them the oldest are dropped and
    counted.

    Examples
    --------
    >>> import tempfile
    >>> Journal(tempfile.mkdtemp()).dropped_samples
    0
    """

    def __init__(self, path: Any, *, part_samples: int = PART_SAMPLES) -> None:
        importlib.import_module("pyarrow")  # takes a second, here rather than while samples wait
        self.path = Path(path)
        self.dropped_samples = 0
        self._writer = PartWriter(self.path, part_samples=part_samples)
        self._waiting: deque[tuple[list[Chunk], list[Metric], list[Incident]]] = deque()
        self._samples = 0
        self._errors: list[RecordingError] = []
        self._lock = threading.Lock()
        self._something = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def samples(self) -> int:
        """Samples written."""
        return self._writer.samples

    def add(
        self,
        chunks: Iterable[Chunk],
        metrics: Iterable[Metric] = (),
        incidents: Sequence[Incident] = (),
    ) -> None:
        """Take note of samples; returns at once."""
        # A source may use its arrays again.
        mine = [Chunk(c.key, c.times.copy(), c.values.copy()) for c in chunks]
        entry = (mine, list(metrics), list(incidents))
        if not any(entry):
            return
        with self._lock:
            self._waiting.append(entry)
            self._samples += _count(mine)
            while self._samples > MOST_WAITING and len(self._waiting) > 1:
                lost = _count(self._waiting.popleft()[0])
                self._samples -= lost
                self.dropped_samples += lost
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._work, name=f"monitorlab journal {self.path.name}", daemon=True
            )
            self._thread.start()
        self._something.set()

    def take_errors(self) -> list[RecordingError]:
        """Give what went wrong since the last call."""
        with self._lock:
            errors, self._errors = self._errors, []
        return errors

    def close(self) -> None:
        """Write what waits and finish the last part; may be called again."""
        self._closing.set()
        self._something.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while True:
            self._something.wait()
            self._closing.wait(GATHER_SECONDS)
            closing = self._closing.is_set()
            self._something.clear()
            try:
                self._write()
                if closing:
                    self._writer.close()
            except RecordingError as error:
                with self._lock:
                    self._errors.append(error)
                self._something.set()
                self._closing.wait(AGAIN_SECONDS)
            if closing:
                return

    def _write(self) -> None:
        with self._lock:
            entries = list(self._waiting)
            self._waiting.clear()
            self._samples = 0
        pieces = [(c.key, c.times, c.values) for chunks, _, _ in entries for c in chunks]
        metrics = [metric for _, known, _ in entries for metric in known]
        incidents = [incident for _, _, found in entries for incident in found]
        try:
            self._writer.append(pieces, metrics, incidents)
        except RecordingError:
            with self._lock:
                self._waiting.extendleft(reversed(entries))
                self._samples += sum(_count(chunks) for chunks, _, _ in entries)
            raise

    def __repr__(self) -> str:
        return f"Journal({self.path.name}, {self.samples} samples written)"


def _count(chunks: Iterable[Chunk]) -> int:
    return sum(len(chunk.times) for chunk in chunks)
