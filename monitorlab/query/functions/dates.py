"""Functions that read a value as a time (seconds since the epoch, UTC).

>>> PARTS["hour"](np.array([3600 * 25]))
array([1])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.model import Labels
from monitorlab.query.matrix import Ints, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitorlab.query.functions.context import Context, Function

__all__ = ["FUNCTIONS", "PARTS"]

_DAY = 86_400
_THURSDAY = 4  # 1970-01-01
_LAST_SECOND = 9e15  # beyond the calendar of datetime64[s] that is converted safely


def _days(seconds: Ints) -> Any:
    return np.floor_divide(seconds, _DAY).astype("datetime64[D]")


def _month_start(seconds: Ints) -> Any:
    return _days(seconds).astype("datetime64[M]")


def _day_of_month(seconds: Ints) -> Ints:
    return np.asarray(_days(seconds) - _month_start(seconds)).astype(np.int64) + 1


def _day_of_week(seconds: Ints) -> Ints:
    return np.asarray(np.mod(np.floor_divide(seconds, _DAY) + _THURSDAY, 7))


def _day_of_year(seconds: Ints) -> Ints:
    days = _days(seconds)
    return np.asarray(days - days.astype("datetime64[Y]")).astype(np.int64) + 1


def _days_in_month(seconds: Ints) -> Ints:
    start = _month_start(seconds)
    following = (start + np.timedelta64(1, "M")).astype("datetime64[D]")
    return np.asarray(following - start.astype("datetime64[D]")).astype(np.int64)


def _month(seconds: Ints) -> Ints:
    return np.asarray(np.mod(_month_start(seconds).astype(np.int64), 12) + 1)


def _year(seconds: Ints) -> Ints:
    return np.asarray(_days(seconds).astype("datetime64[Y]").astype(np.int64) + 1970)


PARTS: dict[str, Callable[[Ints], Ints]] = {
    "day_of_month": _day_of_month,
    "day_of_week": _day_of_week,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "hour": lambda seconds: np.mod(np.floor_divide(seconds, 3600), 24),
    "minute": lambda seconds: np.mod(np.floor_divide(seconds, 60), 60),
    "month": _month,
    "year": _year,
}


def _part(read: Callable[[Ints], Ints]) -> Function:
    def function(context: Context, vector: Vector | None = None) -> Vector:
        given = Vector.constant(Labels(), context.seconds) if vector is None else vector
        usable = np.abs(given.values) < _LAST_SECOND  # False for NaN
        seconds = np.where(usable, given.values, 0.0).astype(np.int64)
        return given.with_values(np.where(usable, read(seconds), np.nan))

    return function


FUNCTIONS: dict[str, Function] = {name: _part(read) for name, read in PARTS.items()}
