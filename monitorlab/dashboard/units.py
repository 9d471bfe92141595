"""Numbers with their units, as people write them: on tiles and on axes.

>>> human(0.257, "ratio"), human(1_500_000.0, "bytes"), human(0.0123, "s")
(('25.7', '%'), ('1.5', 'MB'), ('12.3', 'ms'))
"""

from __future__ import annotations

import math

from monitorlab.display import format_number

__all__ = ["axis_format", "human"]

_SI = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTES = {"bytes": "B", "byte": "B", "B": "B", "bytes/s": "B/s", "B/s": "B/s"}
_SECONDS = {"s", "seconds", "second"}


def human(value: float, unit: str) -> tuple[str, str]:
    """Write a number and its unit with a fitting prefix.

    Parameters
    ----------
    value : float
        The number.
    unit : str
        Its unit: ``ratio``, ``bytes``, ``s`` and others.

    Returns
    -------
    number, unit : str
        ``('–', '')`` for NaN.

    Examples
    --------
    >>> human(12_345.0, "1/s")
    ('12.3k', '/s')
    """
    if not math.isfinite(value):
        return ("–" if math.isnan(value) else format_number(value)), ""
    if unit == "ratio":
        return _three(value * 100.0), "%"
    if unit in _BYTES:
        for size, prefix in _SI:
            if abs(value) >= size:
                return _three(value / size), prefix + _BYTES[unit]
        return _three(value), _BYTES[unit]
    if unit in _SECONDS:
        return _seconds(value)
    shown = "/s" if unit == "1/s" else unit
    for size, prefix in _SI:
        if abs(value) >= max(size, 1e4):
            return _three(value / size) + prefix, shown
    return _three(value), shown


def axis_format(unit: str, biggest: float) -> dict[str, str]:
    """Give Plotly's number format and suffix for an axis.

    Parameters
    ----------
    unit : str
        Unit of the values.
    biggest : float
        Largest absolute value on it.

    Returns
    -------
    dict of str to str
        ``tickformat``, ``ticksuffix``, ``hoverformat``.

    Examples
    --------
    >>> axis_format("ratio", 0.5)["tickformat"]
    '.3~p'
    """
    if unit == "ratio":
        return {"tickformat": ".3~p", "ticksuffix": "", "hoverformat": ".3~p"}
    if unit in _BYTES:
        return {"tickformat": ".3~s", "ticksuffix": _BYTES[unit], "hoverformat": ".4~s"}
    if unit in _SECONDS and biggest < 1.0:
        return {"tickformat": ".3~s", "ticksuffix": "s", "hoverformat": ".3~s"}
    plain = ".3~s" if biggest >= 1e4 else ".4~r" if biggest >= 1e-3 else ".3~g"
    suffix = "/s" if unit == "1/s" else f" {unit}" if 0 < len(unit) <= 3 else ""
    return {
        "tickformat": plain,
        "ticksuffix": suffix,
        "hoverformat": ".4~s" if biggest >= 1e4 else ".4~r",
    }


def _seconds(value: float) -> tuple[str, str]:
    size = abs(value)
    if size >= 7200.0:
        return _three(value / 3600.0), "h"
    if size >= 120.0:
        return _three(value / 60.0), "min"
    if size >= 1.0 or size == 0.0:
        return _three(value), "s"
    if size >= 1e-3:
        return _three(value * 1e3), "ms"
    return _three(value * 1e6), "µs"


def _three(value: float) -> str:
    return format_number(float(value), digits=3)
