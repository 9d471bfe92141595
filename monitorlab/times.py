"""Times and durations: everything in UTC nanoseconds, everything read in one place.

Times are ``int64`` nanoseconds since the epoch inside, ``pandas.Timestamp`` with UTC
outside. Durations are Prometheus' (``5m``, ``1h30m``, ``250ms``).

>>> format_duration(parse_duration("90m"))
'1h30m'
"""

from __future__ import annotations

import math
import re
import warnings
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np
import pandas as pd

from monitorlab.errors import MonitorlabWarning, TimeError

__all__ = [
    "DurationLike",
    "TimeLike",
    "format_duration",
    "from_ns",
    "parse_duration",
    "to_index",
    "to_ns",
]

TimeLike: TypeAlias = str | datetime | pd.Timestamp | np.datetime64 | int | float
DurationLike: TypeAlias = str | timedelta | pd.Timedelta | np.timedelta64 | int | float

_UNIT_NS = {
    "y": 365 * 86_400_000_000_000,
    "w": 7 * 86_400_000_000_000,
    "d": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
}
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?"
)
# Plain numbers are told apart by size: seconds, milliseconds, microseconds, nanoseconds
# of any date between 1973 and 2286 do not overlap.
_EPOCH_SCALES = ((1e10, 1_000_000_000), (1e13, 1_000_000), (1e16, 1_000), (math.inf, 1))


def parse_duration(value: DurationLike) -> int:
    """Read a duration as nanoseconds.

    Parameters
    ----------
    value : str, timedelta, pandas.Timedelta, numpy.timedelta64, int or float
        A Prometheus duration (units ``y w d h m s ms``, largest first), a time
        difference, or a number of seconds.

    Returns
    -------
    int
        Nanoseconds, zero or more.

    Raises
    ------
    TimeError
        If the text is no duration, or the duration is negative.

    Examples
    --------
    >>> parse_duration("1h30m") == parse_duration(5400)
    True
    """
    if isinstance(value, str):
        text = value.strip()
        match = _DURATION.fullmatch(text)
        if text == "0":
            return 0
        if not text or match is None:
            msg = (
                f"{value!r} is not a duration; write one like '30s', '5m', '1h30m' or '1d' "
                "(units y w d h m s ms, largest first)"
            )
            raise TimeError(msg)
        return sum(
            int(n) * unit
            for n, unit in zip(match.groups(), _UNIT_NS.values(), strict=True)
            if n is not None
        )
    if isinstance(value, (timedelta, np.timedelta64)):  # the latter is an np.integer too
        nanoseconds = int(pd.Timedelta(value).as_unit("ns").value)
    elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        if not math.isfinite(value):
            msg = f"{value!r} is not a duration: it must be a finite number of seconds"
            raise TimeError(msg)
        nanoseconds = round(float(value) * 1e9)
    else:
        msg = f"{value!r} is not a duration; give a text like '5m', a timedelta, or seconds"
        raise TimeError(msg)
    if nanoseconds < 0:
        msg = f"{value!r} is negative; a duration must be zero or more"
        raise TimeError(msg)
    return nanoseconds


def format_duration(nanoseconds: int) -> str:
    """Write nanoseconds as the shortest Prometheus duration.

    Parameters
    ----------
    nanoseconds : int
        Zero or more; parts below a millisecond are dropped.

    Returns
    -------
    str
        For example ``'1h30m'``; ``'0s'`` for nothing.

    Examples
    --------
    >>> format_duration(86_400_000_000_000)
    '1d'
    """
    rest = int(nanoseconds)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNIT_NS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def to_ns(value: TimeLike) -> int:
    """Read a time as nanoseconds since the epoch, UTC.

    Parameters
    ----------
    value : str, datetime, pandas.Timestamp, numpy.datetime64, int or float
        A text that pandas can read, a time, or a number since the epoch whose unit
        (s, ms, µs, ns) is told by its size. A naive time is taken as UTC, with a warning
        (a bare ``numpy.datetime64`` and a text without a zone are UTC by convention: no
        warning).

    Returns
    -------
    int
        Nanoseconds since 1970-01-01T00:00Z.

    Raises
    ------
    TimeError
        If the value is no time, or is missing (NaT, NaN).

    Examples
    --------
    >>> to_ns("2026-01-01T00:00:00Z") == to_ns(1767225600)
    True
    """
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return _number_to_ns(value)  # type: ignore[arg-type]
    if isinstance(value, datetime) and value.tzinfo is None and value is not pd.NaT:
        warnings.warn(
            f"{value} has no time zone and is taken as UTC; attach one to be sure "
            "(for example pd.Timestamp(..., tz='Europe/Zurich'))",
            MonitorlabWarning,
            stacklevel=3,
        )
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError, OverflowError) as error:
        msg = f"{value!r} is not a time: {error}"
        raise TimeError(msg) from error
    if stamp is pd.NaT:
        msg = f"{value!r} is not a time"
        raise TimeError(msg)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    try:
        return int(stamp.as_unit("ns").value)
    except (OverflowError, ValueError) as error:
        msg = f"{value!r} is outside the years 1678 to 2262 that nanoseconds can hold"
        raise TimeError(msg) from error


def from_ns(nanoseconds: int) -> pd.Timestamp:
    """Give nanoseconds since the epoch as an aware ``pandas.Timestamp``.

    Parameters
    ----------
    nanoseconds : int
        Nanoseconds since 1970-01-01T00:00Z.

    Returns
    -------
    pandas.Timestamp
        In UTC.

    Examples
    --------
    >>> from_ns(0)
    Timestamp('1970-01-01 00:00:00+0000', tz='UTC')
    """
    return pd.Timestamp(int(nanoseconds), unit="ns", tz="UTC")


def to_index(times_ns: np.ndarray, *, name: str | None = "timestamp") -> pd.DatetimeIndex:
    """Wrap an ``int64`` nanosecond column as a UTC index, sharing its memory.

    Parameters
    ----------
    times_ns : numpy.ndarray of int64, shape (n_samples,)
        Nanoseconds since the epoch.
    name : str, optional
        Name of the index.

    Returns
    -------
    pandas.DatetimeIndex
        UTC, nanosecond unit.

    Examples
    --------
    >>> to_index(np.array([0]))[0]
    Timestamp('1970-01-01 00:00:00+0000', tz='UTC')
    """
    # Integers are epoch nanoseconds and stay where they are; datetime64 would be copied.
    return pd.DatetimeIndex(times_ns, tz="UTC", name=name, copy=False)


def _number_to_ns(value: float) -> int:
    if not math.isfinite(value):
        msg = f"{value!r} is not a time: it must be a finite number since the epoch"
        raise TimeError(msg)
    for limit, scale in _EPOCH_SCALES:
        if abs(value) < limit:
            nanoseconds = (
                int(value) * scale
                if isinstance(value, (int, np.integer))
                # a float of this size holds microseconds, no more: what is behind them is noise
                else round(float(value) * scale / 1_000) * 1_000
            )
            break
    if not -(2**63) < nanoseconds < 2**63:
        msg = f"{value!r} is outside the years 1678 to 2262 that nanoseconds can hold"
        raise TimeError(msg)
    return nanoseconds
