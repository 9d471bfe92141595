"""Functions that change each value by itself: rounding, logarithms, angles, limits.

>>> ELEMENTWISE["sgn"](np.array([-2.0, 0.0, 5.0]))
array([-1.,  0.,  1.])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitorlab.query.functions.context import Context, Function
    from monitorlab.query.matrix import Floats, Vector

__all__ = ["ELEMENTWISE", "FUNCTIONS"]


def _degrees(values: Floats) -> Floats:
    return values * 180 / np.pi


def _radians(values: Floats) -> Floats:
    return values * np.pi / 180


ELEMENTWISE: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "ceil": np.ceil,
    "cos": np.cos,
    "cosh": np.cosh,
    "deg": _degrees,
    "exp": np.exp,
    "floor": np.floor,
    "ln": np.log,
    "log10": np.log10,
    "log2": np.log2,
    "rad": _radians,
    "sgn": np.sign,
    "sin": np.sin,
    "sinh": np.sinh,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
}


def _apply(change: Callable[[Floats], Floats]) -> Function:
    def function(_context: Context, vector: Vector) -> Vector:
        return vector.with_values(change(vector.values))

    return function


def _round(_context: Context, vector: Vector, nearest: Floats | None = None) -> Vector:
    """Round to a multiple; ties go up. The inverse has the smaller rounding error."""
    inverse = 1.0 / (1.0 if nearest is None else nearest)
    return vector.with_values(np.floor(vector.values * inverse + 0.5) / inverse)


def _clamp(_context: Context, vector: Vector, low: Floats, high: Floats) -> Vector:
    values = _larger(low, _smaller(high, vector.values))
    return vector.with_values(values, vector.present & ~(high < low))


def _clamp_min(_context: Context, vector: Vector, low: Floats) -> Vector:
    return vector.with_values(_larger(low, vector.values))


def _clamp_max(_context: Context, vector: Vector, high: Floats) -> Vector:
    return vector.with_values(_smaller(high, vector.values))


def _larger(limit: Floats, values: Floats) -> Floats:
    """Give the larger number; NaN wins, except over +Inf."""
    out = np.maximum(limit, values)
    out[np.isposinf(values) | np.isposinf(limit)] = np.inf
    return out


def _smaller(limit: Floats, values: Floats) -> Floats:
    """Give the smaller number; NaN wins, except over -Inf."""
    out = np.minimum(limit, values)
    out[np.isneginf(values) | np.isneginf(limit)] = -np.inf
    return out


FUNCTIONS: dict[str, Function] = {
    **{name: _apply(change) for name, change in ELEMENTWISE.items()},
    "clamp": _clamp,
    "clamp_max": _clamp_max,
    "clamp_min": _clamp_min,
    "round": _round,
}
