"""Which functions and aggregations there are, what they take, and which are refused.

>>> SIGNATURES["rate"].arguments
('matrix',)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitorlab.query.ast import ValueType

__all__ = [
    "AGGREGATIONS",
    "REFUSED",
    "REFUSED_AGGREGATIONS",
    "SIGNATURES",
    "Signature",
    "why_refused",
]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function takes and gives.

    Parameters
    ----------
    arguments : tuple of {"scalar", "vector", "matrix", "string"}
        Types in order, optional ones included.
    optional : int
        How many of the last arguments may be left out; -1: the last may be repeated.
    returns : {"scalar", "vector"}
        Type of the result.

    Examples
    --------
    >>> Signature(("vector", "scalar"), optional=1).least
    1
    """

    arguments: tuple[ValueType, ...]
    optional: int = 0
    returns: ValueType = "vector"

    @property
    def least(self) -> int:
        """Smallest number of arguments."""
        return len(self.arguments) - abs(self.optional)

    @property
    def most(self) -> int | None:
        """Largest number of arguments, None for any number."""
        return None if self.optional < 0 else len(self.arguments)


_V = Signature(("vector",))
_M = Signature(("matrix",))
_DATE = Signature(("vector",), optional=1)

SIGNATURES: dict[str, Signature] = {
    **dict.fromkeys(
        [
            "abs",
            "absent",
            "acos",
            "acosh",
            "asin",
            "asinh",
            "atan",
            "atanh",
            "ceil",
            "cos",
            "cosh",
            "deg",
            "exp",
            "floor",
            "ln",
            "log10",
            "log2",
            "rad",
            "sgn",
            "sin",
            "sinh",
            "sort",
            "sort_desc",
            "sqrt",
            "tan",
            "tanh",
            "timestamp",
        ],
        _V,
    ),
    **dict.fromkeys(
        [
            "absent_over_time",
            "avg_over_time",
            "changes",
            "count_over_time",
            "delta",
            "deriv",
            "idelta",
            "increase",
            "irate",
            "last_over_time",
            "max_over_time",
            "min_over_time",
            "present_over_time",
            "rate",
            "resets",
            "stddev_over_time",
            "stdvar_over_time",
            "sum_over_time",
        ],
        _M,
    ),
    **dict.fromkeys(
        [
            "day_of_month",
            "day_of_week",
            "day_of_year",
            "days_in_month",
            "hour",
            "minute",
            "month",
            "year",
        ],
        _DATE,
    ),
    "clamp": Signature(("vector", "scalar", "scalar")),
    "clamp_max": Signature(("vector", "scalar")),
    "clamp_min": Signature(("vector", "scalar")),
    "histogram_fraction": Signature(("scalar", "scalar", "vector")),
    "histogram_quantile": Signature(("scalar", "vector")),
    "label_join": Signature(("vector", "string", "string", "string"), optional=-1),
    "label_replace": Signature(("vector", "string", "string", "string", "string")),
    "pi": Signature((), returns="scalar"),
    "predict_linear": Signature(("matrix", "scalar")),
    "quantile_over_time": Signature(("scalar", "matrix")),
    "round": Signature(("vector", "scalar"), optional=1),
    "scalar": Signature(("vector",), returns="scalar"),
    "time": Signature((), returns="scalar"),
    "vector": Signature(("scalar",)),
}

AGGREGATIONS: dict[str, ValueType | None] = {
    # name: type of the parameter
    "avg": None,
    "bottomk": "scalar",
    "count": None,
    "count_values": "string",
    "group": None,
    "max": None,
    "min": None,
    "quantile": "scalar",
    "stddev": None,
    "stdvar": None,
    "sum": None,
    "topk": "scalar",
}

_NATIVE = "it works on native histograms, which are not supported; use classic `le` buckets"
_EXPERIMENTAL = "it is experimental in Prometheus 3"

REFUSED: dict[str, str] = {
    **dict.fromkeys(
        [
            "histogram_avg",
            "histogram_count",
            "histogram_quantiles",
            "histogram_stddev",
            "histogram_stdvar",
            "histogram_sum",
        ],
        _NATIVE,
    ),
    **dict.fromkeys(
        [
            "first_over_time",
            "mad_over_time",
            "sort_by_label",
            "sort_by_label_desc",
            "ts_of_first_over_time",
            "ts_of_last_over_time",
            "ts_of_max_over_time",
            "ts_of_min_over_time",
            "start",
            "end",
            "step",
            "range",
            "max_of",
            "min_of",
        ],
        _EXPERIMENTAL,
    ),
    "double_exponential_smoothing": _EXPERIMENTAL + "; use monitorlab's forecasting instead",
    "holt_winters": "Prometheus 3 renamed it and made it experimental; use monitorlab's "
    "forecasting instead",
    "info": _EXPERIMENTAL + "; join with `* on (…) group_left (…)` instead",
}

REFUSED_AGGREGATIONS: dict[str, str] = {
    "limitk": _EXPERIMENTAL + "; use topk",
    "limit_ratio": _EXPERIMENTAL,
}


def why_refused(name: str) -> str | None:
    """Say why a function or aggregation that Prometheus knows is not offered here.

    Parameters
    ----------
    name : str
        Function or aggregation.

    Returns
    -------
    str or None
        The reason; None for names that are not refused.

    Examples
    --------
    >>> why_refused("mad_over_time")
    'it is experimental in Prometheus 3'
    """
    return REFUSED.get(name) or REFUSED_AGGREGATIONS.get(name)
