"""Numbers with their units, as people write them.

>>> human(613_833_000_000, "bytes"), human(0.0123, "seconds"), human(0.85, "ratio")
('613.8 GB', '12.3 ms', '85 %')
"""

from __future__ import annotations

import pandas as pd

from monitorlab.display import format_number

__all__ = ["human", "unit_of"]

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_TIMES = (
    (2 * 86_400.0, 86_400.0, "d"), (7_200.0, 3_600.0, "h"), (120.0, 60.0, "min"), (1.0, 1.0, "s"),
    (1e-3, 1e-3, "ms"),
)  # fmt: skip  # from this size on, in units of, called
_ENDINGS = {"bytes": "bytes", "seconds": "seconds", "ratio": "ratio", "percent": "%"}


def unit_of(series: str, unit: str = "") -> str:
    """Tell the unit of a series: the one given, or else what its name ends in.

    Parameters
    ----------
    series : str
        Name of a series or signal.
    unit : str
        The described unit, if any.

    Returns
    -------
    str

    Examples
    --------
    >>> unit_of('disk_used_bytes{host="a"}'), unit_of("latency_seconds:p95"), unit_of("queue")
    ('bytes', 'seconds', '')
    """
    if unit:
        return unit
    name, _, kind = series.partition("{")[0].partition(":")
    words = name.removesuffix("_total").split("_")
    found = _ENDINGS.get(words[-1], "")
    return f"{found or '1'}/s" if kind == "rate" or name.endswith("_per_second") else found


def human(value: float | None, unit: str = "") -> str:
    """Write a number with its unit, in three or four digits.

    Parameters
    ----------
    value : float or None
        The number.
    unit : str
        bytes, seconds, ratio, anything else, each also "per second" ("bytes/s").

    Returns
    -------
    str
        An en dash for None.

    Examples
    --------
    >>> human(1234567), human(2.5e6, "bytes/s"), human(7200, "s"), human(0.5, "requests/s")
    ('1.235 M', '2.5 MB/s', '2 h', '0.5 requests/s')
    """
    if value is None or pd.isna(value):
        return "–"
    per = "/s" if unit.endswith("/s") else ""
    base = unit.removesuffix("/s")
    if base in ("ratio", "%"):
        return f"{format_number(100 * value if base == 'ratio' else value, digits=3)} %{per}"
    if base in ("seconds", "second", "s") and not per:
        return _seconds(value)
    if base in ("bytes", "byte", "B"):
        scaled, prefix = _scaled(value)
        return f"{scaled} {prefix}B{per}"
    if base in ("seconds", "second", "s"):
        return f"{format_number(value, digits=3)} s/s"
    scaled, prefix = _scaled(value)
    tail = per if base in ("", "1") else f" {base}{per}"
    return f"{scaled}{' ' + prefix if prefix else ''}{tail}"


def _scaled(value: float) -> tuple[str, str]:
    for size, prefix in _PREFIXES:
        if abs(value) >= (size if prefix != "k" else 1e4):
            return format_number(value / size), prefix
    return format_number(value), ""


def _seconds(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0 s"
    for least, length, name in _TIMES:
        if size >= least:
            return f"{format_number(value / length, digits=3)} {name}"
    return f"{format_number(1e6 * value, digits=3)} µs"
