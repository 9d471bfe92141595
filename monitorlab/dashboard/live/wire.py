"""How samples travel to the page, and what it says is read: whatever comes does no harm.

Samples are a small header and one buffer of Float64 numbers.

>>> block = Block(0, np.array([1.0, 1.1]), np.array([[5.0, 6.0]]))
>>> header, data = encode([block])
>>> header, len(data)
([[0, 2, 1]], 32)
>>> decode(header, data)[0].values.tolist()
[[5.0, 6.0]]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitorlab.errors import SourceError

__all__ = ["ABSENT", "Block", "decode", "encode", "said_number", "said_times"]

# No sample of this series at this time: its line goes on. NaN breaks a line.
ABSENT = -sys.float_info.max


@dataclass(frozen=True, eq=False)
class Block:
    """Samples of all series of one panel on one time base.

    Parameters
    ----------
    panel : int
        Number of the panel.
    times : numpy.ndarray of float64, shape (n_rows,)
        Seconds since the epoch, increasing.
    values : numpy.ndarray of float64, shape (n_series, n_rows)
        NaN breaks a line; ``ABSENT`` where a series has no sample.

    Examples
    --------
    >>> Block(0, np.array([1.0]), np.array([[5.0], [6.0]])).samples
    2
    """

    panel: int
    times: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]

    @property
    def samples(self) -> int:
        """Number of values."""
        return int(self.values.size)


def encode(blocks: Iterable[Block]) -> tuple[list[list[int]], bytes]:
    """Write blocks for the page.

    Parameters
    ----------
    blocks : iterable of Block
        In any order.

    Returns
    -------
    header : list of [panel, rows, series]
        One for each block, in the order of the buffer.
    data : bytes
        For each block its times, then the values of one series after the other.

    Notes
    -----
    Eight bytes a number: a block of one row and four series takes 40 bytes.

    Examples
    --------
    >>> encode([])
    ([], b'')
    """
    header: list[list[int]] = []
    parts: list[bytes] = []
    for block in blocks:
        count, rows = block.values.shape
        header.append([block.panel, rows, count])
        parts.append(np.ascontiguousarray(block.times, dtype="<f8").tobytes())
        parts.append(np.ascontiguousarray(block.values, dtype="<f8").tobytes())
    return header, b"".join(parts)


def decode(header: Sequence[Sequence[int]], data: bytes) -> list[Block]:
    """Read blocks as the page does.

    Parameters
    ----------
    header : sequence of (panel, rows, series)
        As ``encode`` gave it.
    data : bytes
        The buffer.

    Returns
    -------
    list of Block

    Raises
    ------
    SourceError
        If the buffer is not as long as the header says.

    Examples
    --------
    >>> decode([[0, 1, 1]], b"")
    Traceback (most recent call last):
    ...
    monitorlab.errors.SourceError: the header asks for 16 bytes, the buffer has 0
    """
    needed = sum(8 * rows * (count + 1) for _, rows, count in header)
    if needed != len(data):
        msg = f"the header asks for {needed} bytes, the buffer has {len(data)}"
        raise SourceError(msg)
    numbers = np.frombuffer(data, dtype="<f8")
    blocks: list[Block] = []
    at = 0
    for panel, rows, count in header:
        end = at + rows * (count + 1)
        values = numbers[at + rows : end].reshape(count, rows)
        blocks.append(Block(panel, numbers[at : at + rows], values))
        at = end
    return blocks


def said_number(value: Any) -> float:
    """Read a number that a page says.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    float
        Zero for what is not a finite number.

    Examples
    --------
    >>> said_number(3), said_number("3"), said_number(None)
    (3.0, 0.0, 0.0)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return 0.0
    return float(value)


def said_times(value: Any) -> dict[int, float]:
    """Read when a page painted which update.

    Parameters
    ----------
    value : list of [number, milliseconds since the epoch]
        Or anything; what is not such a pair is left out.

    Returns
    -------
    dict
        Seconds since the epoch by number.

    Examples
    --------
    >>> said_times([[7, 1500], [8, "soon"], 9])
    {7: 1.5}
    """
    found: dict[int, float] = {}
    for pair in value if isinstance(value, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], int):
            seconds = said_number(pair[1]) / 1e3
            if seconds > 0:
                found[pair[0]] = seconds
    return found
