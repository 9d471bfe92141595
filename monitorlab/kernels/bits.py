"""Machine instructions that Python does not name: bit scans and raw addresses.

>>> import numpy as np
>>> from numba import njit
>>> @njit
... def lowest(word):
...     return trailing_zeros(word)
>>> int(lowest(np.uint64(8)))
3
"""

# numba calls these with arguments of its own choice.
# ruff: noqa: ARG001
from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["leading_zeros", "pointer", "trailing_zeros"]


@intrinsic
def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Count the zero bits below the lowest set bit of a ``uint64`` (64 for zero)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@intrinsic
def _leading_zeros(typing_context: Any, word: Any) -> Any:
    """Count the zero bits above the highest set bit of a ``uint64`` (64 for zero)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """Take an ``int64`` as a memory address; the caller keeps the memory alive."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


trailing_zeros: Any = _trailing_zeros
leading_zeros: Any = _leading_zeros
pointer: Any = _pointer
