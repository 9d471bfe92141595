"""PromQL over arrays: read expressions, evaluate them at one time or over a range.

>>> import numpy as np
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("requests_total", np.arange(0, 301, 60) * 10**9, np.arange(0.0, 601.0, 120.0))
>>> evaluate(store, "rate(requests_total[5m])")["value"].tolist()
[2.0]
"""

from __future__ import annotations

from monitorlab.query.api import evaluate, evaluate_at, evaluate_range, evaluate_value
from monitorlab.query.ast import (
    Aggregate,
    Binary,
    Call,
    Matching,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
    children,
    depth,
    replace,
    unwrap,
    walk,
)
from monitorlab.query.check import check, value_type
from monitorlab.query.columns import Columns, check_columns, expand, underlying
from monitorlab.query.functions import Context, register_function
from monitorlab.query.lint import lint, warn_of_doubts
from monitorlab.query.matrix import Vector, Windows
from monitorlab.query.notation import load_notation, parse_notation
from monitorlab.query.options import Limits, QueryOptions
from monitorlab.query.parser import parse
from monitorlab.query.printer import to_promql
from monitorlab.query.result import RangeResult
from monitorlab.query.running import ColumnMemory, RunningColumn

__all__ = [
    "Aggregate",
    "Binary",
    "Call",
    "ColumnMemory",
    "Columns",
    "Context",
    "Limits",
    "Matching",
    "MatrixSelector",
    "Node",
    "NumberLiteral",
    "Paren",
    "QueryOptions",
    "RangeResult",
    "RunningColumn",
    "StringLiteral",
    "Subquery",
    "Unary",
    "Vector",
    "VectorSelector",
    "Windows",
    "check",
    "check_columns",
    "children",
    "compile",
    "depth",
    "evaluate",
    "evaluate_at",
    "evaluate_range",
    "evaluate_value",
    "expand",
    "lint",
    "load_notation",
    "parse",
    "parse_notation",
    "register_function",
    "replace",
    "to_promql",
    "underlying",
    "unwrap",
    "value_type",
    "walk",
    "warn_of_doubts",
]

compile = parse  # noqa: A001 - the same under the name that other engines give it
