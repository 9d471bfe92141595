r"""Opening files: plain or gzipped to read, and whole or not at all to write.

>>> import pathlib, tempfile
>>> path = pathlib.Path(tempfile.mkdtemp(), "x.txt")
>>> with replacing(path) as draft:
...     _ = draft.write_text("a\nb\n")
>>> read_all(path), line_at(path, 2)
(b'a\nb\n', 2)
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias, cast

from monitorlab.errors import RecordingError

__all__ = [
    "AnyPath",
    "line_at",
    "open_bytes",
    "read_all",
    "read_into",
    "read_some",
    "replacing",
    "write_text",
]

AnyPath: TypeAlias = "str | os.PathLike[str]"

_CHUNK = 32 << 20


def open_bytes(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file for reading, unpacking it when it is gzipped.

    Parameters
    ----------
    path : str or os.PathLike
        The file; gzip is told by its first bytes, not by its name.

    Returns
    -------
    binary file
        To be closed by the caller.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x.gz")
    >>> _ = path.write_bytes(gzip.compress(b"hello"))
    >>> with open_bytes(path) as stream:
    ...     stream.read()
    b'hello'
    """
    with Path(path).open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    if zipped:
        return cast("IO[bytes]", gzip.GzipFile(path, "rb"))
    return Path(path).open("rb", buffering=0)


def read_some(stream: IO[bytes], path: str | os.PathLike[str] | None, size: int = _CHUNK) -> bytes:
    """Read the next bytes; damaged gzip data are a ``RecordingError``.

    Parameters
    ----------
    stream : binary file
        Open for reading.
    path : str or os.PathLike
        Named in the error.
    size : int
        At most so many bytes.

    Returns
    -------
    bytes
        Empty at the end.

    Raises
    ------
    RecordingError
        If the gzip data are damaged or cut short.

    Examples
    --------
    >>> import io
    >>> read_some(io.BytesIO(b"abc"), "x", 2)
    b'ab'
    """
    try:
        return stream.read(size) or b""
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RecordingError(f"the gzip data are damaged: {error}", path=path) from error


def read_into(stream: IO[bytes], path: AnyPath, room: memoryview) -> int:
    """Read the next bytes into memory that is there; damaged gzip data as in ``read_some``.

    Parameters
    ----------
    stream : binary file
        Open for reading.
    path : str or os.PathLike
        Named in the error.
    room : memoryview
        Where the bytes go.

    Returns
    -------
    int
        How many they are; 0 at the end.

    Raises
    ------
    RecordingError
        If the gzip data are damaged or cut short.

    Examples
    --------
    >>> import io
    >>> room = bytearray(2)
    >>> read_into(io.BytesIO(b"abc"), "x", memoryview(room)), bytes(room)
    (2, b'ab')
    """
    try:
        return int(stream.readinto(room) or 0)  # type: ignore[attr-defined]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RecordingError(f"the gzip data are damaged: {error}", path=path) from error


def read_all(path: str | os.PathLike[str]) -> bytes:
    """Read a whole file, unpacking it when it is gzipped.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    bytes
        Its content.

    Raises
    ------
    RecordingError
        If the gzip data are damaged or cut short.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x")
    >>> _ = path.write_bytes(b"abc")
    >>> read_all(path)
    b'abc'
    """
    with open_bytes(path) as stream:
        pieces = []
        while piece := read_some(stream, path):
            pieces.append(piece)
    return b"".join(pieces)


def line_at(path: str | os.PathLike[str], offset: int) -> int:
    """Give the number of the line, from 1, in which a byte stands.

    Parameters
    ----------
    path : str or os.PathLike
        The file, plain or gzipped.
    offset : int
        Position in the unpacked bytes.

    Returns
    -------
    int
        Line number.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "x")
    >>> _ = path.write_bytes(b"abc")
    >>> line_at(path, 1)
    1
    """
    line, left = 1, offset
    with open_bytes(path) as stream:
        while left > 0 and (piece := read_some(stream, path, min(left, _CHUNK))):
            line += piece.count(b"\n")
            left -= len(piece)
    return line


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file so that a reader sees the old or the new one, never a part.

    Parameters
    ----------
    path : str or os.PathLike
        The file to make or replace.

    Yields
    ------
    pathlib.Path
        A draft beside it, moved into place at the end, removed after an error.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "x")
    >>> with replacing(path) as draft:
    ...     _ = draft.write_text("new")
    >>> path.read_text()
    'new'
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], pieces: Iterator[str]) -> None:
    """Write pieces of text to a file, gzipped when its name ends in ``.gz``.

    Parameters
    ----------
    path : str or os.PathLike
        The file to make or replace.
    pieces : iterator of str
        Text in any number of pieces.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "x.gz")
    >>> write_text(path, iter(["a", "b"]))
    >>> read_all(path)
    b'ab'
    """
    zipped = Path(path).suffix == ".gz"
    with replacing(path) as draft, draft.open("wb") as raw:
        if zipped:
            with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                for piece in pieces:
                    packed.write(piece.encode())
        else:
            for piece in pieces:
                raw.write(piece.encode())
