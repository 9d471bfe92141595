"""Machine instructions that Python does not name: bit scans, vectors, raw addresses.

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

__all__ = ["closest", "leading_zeros", "pointer", "trailing_zeros"]


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


_build: Any = cgutils


@intrinsic
def _closest(
    typing_context: Any, rows: Any, first: Any, last: Any, runs: Any, x: Any, best: Any
) -> Any:
    """Write how far ``x`` is from the nearest of some runs of rows, in each of 8 columns.

    Run ``k`` is ``rows[first[k]:last[k]]``; a distance that is not below ``best`` is not written.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.VectorType(ir.DoubleType(), 8)
        data = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else None
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        one = ir.Constant(arguments[3].type, 1)
        absolute = _build.get_or_insert_function(
            builder.module, ir.FunctionType(wide, [wide]), "llvm.fabs.v8f64"
        )

        def row_at(k: int, row: Any = None) -> Any:
            at = data[k] if row is None else builder.gep(data[k], [builder.shl(row, row.type(3))])
            return builder.bitcast(at, wide.as_pointer())

        sought = builder.load(row_at(4), align=8)
        least = _build.alloca_once_value(builder, builder.load(row_at(5), align=8))
        with _build.for_range_slice(builder, one.type(0), arguments[3], one) as (run, _):
            begin, end = (builder.load(builder.gep(data[k], [run])) for k in (1, 2))
            with _build.for_range_slice(builder, begin, end, one) as (row, _):
                apart = builder.fsub(builder.load(row_at(0, row), align=8), sought)
                apart = builder.call(absolute, [apart])
                known = builder.load(least)
                smaller = builder.fcmp_ordered("<", apart, known)
                builder.store(builder.select(smaller, apart, known), least)
        builder.store(builder.load(least), row_at(5), align=8)
        return context.get_dummy_value()

    return types.void(rows, first, last, types.intp, x, best), generate


trailing_zeros: Any = _trailing_zeros
leading_zeros: Any = _leading_zeros
pointer: Any = _pointer
closest: Any = _closest
