"""Values and times at the ends of exposition lines, read together.

>>> values, times, timed = read_numbers(["3 1.5", "4"], openmetrics=True)
>>> values.tolist(), times.tolist(), timed.tolist()
([3.0, 4.0], [1500000000, 0], [True, False])
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

__all__ = [
    "BadTailError",
    "number_texts",
    "read_number",
    "read_numbers",
    "read_seconds",
    "sample_line",
    "time_texts",
]

_WHOLE = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"([+-]?)(\d+)\.(\d*)")
_BULK = 2_000  # samples from which pyarrow parses the numbers faster than a loop
_INT64_LIMIT = 1 << 63


class BadTailError(ValueError):
    """The end of a line cannot be read.

    Parameters
    ----------
    index : int
        Which of the batch, from 0.
    message : str
        What is wrong.
    """

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def read_numbers(
    tails: list[str], *, openmetrics: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read what follows names and labels: a value, and perhaps a time.

    Parameters
    ----------
    tails : list of str
        Ends of lines.
    openmetrics : bool
        Times are seconds and parts stand one space apart; else milliseconds, any blanks.

    Returns
    -------
    values : numpy.ndarray of float64
        Values.
    times : numpy.ndarray of int64
        Nanoseconds, 0 where there is none.
    timed : numpy.ndarray of bool
        Which samples have a time.

    Raises
    ------
    BadTailError
        At the first end that cannot be read.

    Notes
    -----
    Times in seconds are read as decimal numbers, exact to the nanosecond.

    Examples
    --------
    >>> read_numbers(["1 2000"], openmetrics=False)[1].tolist()
    [2000000000]
    """
    if len(tails) >= _BULK:
        found = _bulk(tails, openmetrics=openmetrics)
        if found is not None:
            return found
    values = np.empty(len(tails))
    times = np.zeros(len(tails), np.int64)
    timed = np.zeros(len(tails), bool)
    read_time = read_seconds if openmetrics else _read_milliseconds
    for index, tail in enumerate(tails):
        parts = tail.split(" ") if openmetrics else tail.split()
        if not 1 <= len(parts) <= 2:
            raise BadTailError(index, f"expected a value and a time, found {tail!r}")
        values[index] = read_number(parts[0], index)
        if len(parts) == 2:
            times[index] = read_time(parts[1], index)
            timed[index] = True
    return values, times, timed


def read_number(text: str, index: int = 0, what: str = "value") -> float:
    """Read a number as exposition text writes it.

    Parameters
    ----------
    text : str
        A number, ``NaN``, ``+Inf`` or ``-Inf``.
    index : int
        Named in the error.
    what : str
        Named in the error.

    Returns
    -------
    float
        The number.

    Raises
    ------
    BadTailError
        If it is none.

    Examples
    --------
    >>> read_number("+Inf")
    inf
    """
    try:
        if "_" in text or text != text.strip():
            raise ValueError(text)
        return float(text)
    except ValueError as error:
        raise BadTailError(index, f"{text!r} is not a {what}") from error


def read_seconds(text: str, index: int = 0) -> int:
    """Read a time in seconds exactly.

    Parameters
    ----------
    text : str
        Seconds since the epoch; digits below the nanosecond are cut off.
    index : int
        Named in the error.

    Returns
    -------
    int
        Nanoseconds.

    Raises
    ------
    BadTailError
        If it is no time between the years 1678 and 2262.

    Examples
    --------
    >>> read_seconds("1767225600.123456789")
    1767225600123456789
    """
    if _WHOLE.fullmatch(text):
        return _in_range(int(text) * 1_000_000_000, text, index)
    match = _DECIMAL.fullmatch(text)
    if match is not None:
        sign, whole, part = match.groups()
        size = int(whole) * 1_000_000_000 + int((part + "000000000")[:9])
        return _in_range(-size if sign == "-" else size, text, index)
    number = read_number(text, index, "time")
    if not math.isfinite(number):
        raise BadTailError(index, f"{text!r} is not a time")
    return _in_range(round(number * 1e9), text, index)


def sample_line(lines: Sequence[str], index: int, first_line: int = 1) -> int:
    """Give the number of the line that holds the sample of a number.

    Parameters
    ----------
    lines : sequence of str
        Lines.
    index : int
        Number of the sample among them, from 0.
    first_line : int
        Number of the first line.

    Returns
    -------
    int
        Line number.

    Examples
    --------
    >>> sample_line(["# HELP a b", "a 1", "a 2"], 1)
    3
    """
    left = index
    for number, line in enumerate(lines, first_line):
        if line.strip() and not line.lstrip().startswith("#"):
            if left == 0:
                return number
            left -= 1
    return first_line + len(lines)


def number_texts(values: np.ndarray) -> list[str]:
    """Write numbers in the shortest form that reads back as the same number.

    Parameters
    ----------
    values : numpy.ndarray of float64
        Numbers.

    Returns
    -------
    list of str
        Whole numbers without a point where all are whole.

    Examples
    --------
    >>> number_texts(np.array([1.0, 2.0])), number_texts(np.array([0.5, np.inf]))
    (['1', '2'], ['0.5', '+Inf'])
    """
    whole = bool((values == np.floor(values)).all()) and bool((np.abs(values) < 2**53).all())
    if whole and not np.signbit(values[values == 0]).any():
        return list(map(str, values.astype(np.int64).tolist()))
    if np.isfinite(values).all():
        return list(map(repr, values.tolist()))
    special = {math.inf: "+Inf", -math.inf: "-Inf"}
    return ["NaN" if math.isnan(v) else special.get(v) or repr(v) for v in values.tolist()]


def time_texts(times: np.ndarray, *, openmetrics: bool) -> list[str]:
    """Write times as exposition text does.

    Parameters
    ----------
    times : numpy.ndarray of int64
        Nanoseconds.
    openmetrics : bool
        Seconds, with as many digits as all of them need; else whole milliseconds.

    Returns
    -------
    list of str
        Texts.

    Examples
    --------
    >>> time_texts(np.array([1_500_000_000]), openmetrics=True)
    ['1.500']
    """
    if not openmetrics:
        return list(map(str, (times // 1_000_000).tolist()))
    if not (times % 1_000_000_000).any():
        return list(map(str, (times // 1_000_000_000).tolist()))
    digits = 3 if not (times % 1_000_000).any() else 9
    unit = 10 ** (9 - digits)
    scale = 10**digits
    return [
        f"{'-' if t < 0 else ''}{abs(t) // unit // scale}.{abs(t) // unit % scale:0{digits}d}"
        for t in times.tolist()
    ]


def _read_milliseconds(text: str, index: int) -> int:
    if _WHOLE.fullmatch(text):
        return _in_range(int(text) * 1_000_000, text, index)
    number = read_number(text, index, "time")
    if not math.isfinite(number):
        raise BadTailError(index, f"{text!r} is not a time")
    return _in_range(round(number * 1e6), text, index)


def _in_range(nanoseconds: int, text: str, index: int) -> int:
    if not -_INT64_LIMIT < nanoseconds < _INT64_LIMIT:
        raise BadTailError(index, f"the time {text} is outside the years 1678 to 2262")
    return nanoseconds


def _bulk(
    tails: list[str], *, openmetrics: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Let pyarrow read uniform ends of lines; None where they are not uniform."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    text = "\n".join(tails)
    spaces = text.count(" ")
    if spaces not in (0, len(tails)) or "\t" in text or "\r" in text:
        return None
    types = {"v": pa.float64()}
    if spaces:
        types["t"] = pa.decimal128(28, 9) if openmetrics else pa.int64()
    try:
        table = arrow.read_csv(
            pa.BufferReader(text.encode()),
            read_options=arrow.ReadOptions(column_names=list(types)),
            parse_options=arrow.ParseOptions(
                delimiter=" ", quote_char=False, ignore_empty_lines=False
            ),
            convert_options=arrow.ConvertOptions(column_types=types, null_values=[]),
        )
    except pa.ArrowInvalid:
        return None
    if len(table) != len(tails):
        return None
    values = table["v"].to_numpy()
    if not spaces:
        return values, np.zeros(len(values), np.int64), np.zeros(len(values), bool)
    every = np.ones(len(values), bool)
    if not openmetrics:
        stamps = table["t"].to_numpy()
        if max(-int(stamps.min()), int(stamps.max())) >= _INT64_LIMIT // 1_000_000:
            return None
        return values, stamps * 1_000_000, every
    column = table["t"].combine_chunks()
    words = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)
    words = words[column.offset : column.offset + len(column)]
    if (words[:, 1] != words[:, 0] >> 63).any():
        return None
    return values, np.ascontiguousarray(words[:, 0]), every
