r"""Follow a CSV file while somebody appends to it.

>>> import asyncio, tempfile
>>> path = Path(tempfile.mkdtemp(), "load.csv")
>>> _ = path.write_text("time,load\n2026-01-01T00:00:00Z,0.5\n2026-01-01T00:00:01Z,0.")
>>> tail = CsvTail(path)
>>> asyncio.run(tail.read(Clock())).samples
1
>>> with path.open("a") as file:
...     _ = file.write("75\n")
>>> asyncio.run(tail.read(Clock())).chunks[0].values.tolist()
[0.75]
>>> tail.close()
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from monitorlab.errors import InvalidSeriesError, RecordingError, SourceError
from monitorlab.feed.batch import Batch, Chunk, PollingSource
from monitorlab.feed.clock import Clock
from monitorlab.times import DurationLike

if TYPE_CHECKING:
    from monitorlab.io.csv_table import CsvTable

__all__ = ["CsvTail"]

MOST_BYTES = 8 << 20  # taken in one reading; the rest comes with the next
_GZIP = b"\x1f\x8b"


class CsvTail(PollingSource):
    r"""Give the rows of a CSV file, and then those that are appended to it.

    Parameters
    ----------
    path : str or os.PathLike
        The file; it need not be there yet.
    interval : duration
        How often to look.
    **options : object
        How to read it, as ``ml.read_csv`` takes them: ``layout``, ``timestamp``, ``metric``,
        ``value``, ``labels``, ``tz``, ``time_format``, ``delimiter``.

    Raises
    ------
    TimeError
        If the interval is not above zero.
    RecordingError
        At reading, if the header is of no use or a row cannot be read; names the line. The
        feed shows it and goes on with the next row.

    See Also
    --------
    monitorlab.read_csv : a file that is finished.

    Notes
    -----
    A row is taken when its line break is there. A file that was replaced (another one under
    the same name, as log rotation does) is read to its end first; one that became shorter is
    read anew from its header. Cost: that of the bytes that are new.

    Examples
    --------
    >>> CsvTail("load.csv", interval="2s")
    CsvTail(load.csv every 2 s)
    """

    def __init__(
        self, path: str | os.PathLike[str], *, interval: DurationLike = "1s", **options: Any
    ) -> None:
        super().__init__(interval=interval)
        self.path = Path(path)
        self.name = self.path.name
        self._options = options
        self._file: IO[bytes] | None = None
        self._table: CsvTable | None = None
        self._identity: tuple[int, int] | None = None
        self._offset = 0  # bytes of whole rows that were taken
        self._bad: RecordingError | None = None

    def close(self) -> None:
        """Let go of the file; a feed does so at its end. Reading again goes on where it was."""
        if self._file is not None:
            self._file.close()
        self._file = None

    async def batches(self, clock: Clock) -> AsyncIterator[Batch]:
        """Give the rows that are new at each interval."""
        try:
            async with aclosing(super().batches(clock)) as readings:  # type: ignore[type-var]
                async for batch in readings:
                    yield batch
        finally:
            self.close()

    async def read(self, clock: Clock) -> Batch:  # noqa: ARG002 - times stand in the file
        """Give the rows that are new."""
        if self._bad is not None:
            bad, self._bad = self._bad, None
            raise bad
        if self._file is None:
            self._open()
        data = self._next()
        if not data and self._was_replaced():
            self.close()
            self._open()
            data = self._next()
        return Batch(self._rows(data)) if data else Batch()

    def _open(self) -> None:
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            msg = f"{self.path}: {error.strerror or error}"
            raise SourceError(msg) from error
        opened = os.fstat(self._file.fileno())
        if self._identity != (opened.st_dev, opened.st_ino):
            self._identity = (opened.st_dev, opened.st_ino)
            self._table, self._offset = None, 0
        if self._file.read(2) == _GZIP:
            self.close()
            msg = "the file is gzipped; only a plain one can be followed (read_csv reads both)"
            raise RecordingError(msg, path=self.path)

    def _was_replaced(self) -> bool:
        """Tell whether the name stands for another file now."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False  # moved away; the next one is not there yet
        return self._identity != (now.st_dev, now.st_ino)

    def _next(self) -> bytes:
        """Read new whole rows; the header is read with the first of them."""
        from monitorlab.io.csv import open_table, whole_rows

        if self._file is None:
            return b""
        if os.fstat(self._file.fileno()).st_size < self._offset:
            self._table, self._offset = None, 0  # cut short: a new beginning
        self._file.seek(self._offset)
        data = self._file.read(MOST_BYTES)
        if self._table is None:
            if data.count(b"\n") < 2:  # the first row tells what the header leaves open
                return b""
            self._table, start = open_table(data, str(self.path), **self._options)
            self._offset, data = start, data[start:]
        return data[: whole_rows(data, self._table)]

    def _rows(self, data: bytes) -> tuple[Chunk, ...]:
        """Read rows; one that cannot be read is left out and told with the next reading."""
        begin = self._offset
        self._offset += len(data)
        try:
            return self._parsed(data, begin)
        except (RecordingError, InvalidSeriesError):
            chunks: list[Chunk] = []
            for line in data.splitlines(keepends=True):
                try:
                    chunks += self._parsed(line, begin)
                except (RecordingError, InvalidSeriesError) as error:
                    told = RecordingError(str(error))
                    self._bad = self._bad or told
                begin += len(line)
            return tuple(chunks)

    def _parsed(self, data: bytes, offset: int) -> tuple[Chunk, ...]:
        from monitorlab.io.rows import Rows
        from monitorlab.storage import SeriesStore

        table = self._table
        if table is None or not data.strip():
            return ()
        table.rows = Rows(table.roles)
        table.add(data, offset)
        store = SeriesStore()
        table.rows.into(store)
        return tuple(Chunk(view.key, view.times, view.values) for view in store.select())

    def __repr__(self) -> str:
        return f"CsvTail({self.path.name} every {self.interval_seconds:g} s)"
