"""The functions of PromQL by name, and a way to add more.

>>> "rate" in FUNCTIONS
True
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitorlab.errors import QueryError
from monitorlab.query.functions import dates, elementwise, histogram, labels, ranges, special
from monitorlab.query.functions.context import Context, Function
from monitorlab.query.parser import declare
from monitorlab.query.signatures import AGGREGATIONS, Signature, why_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.query.ast import ValueType

__all__ = ["FUNCTIONS", "Context", "Function", "register_function"]

FUNCTIONS: dict[str, Function] = {
    **elementwise.FUNCTIONS,
    **dates.FUNCTIONS,
    **labels.FUNCTIONS,
    **ranges.FUNCTIONS,
    **special.FUNCTIONS,
    **histogram.FUNCTIONS,
}
_OWN = frozenset(FUNCTIONS)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def register_function(
    name: str,
    function: Function,
    arguments: Sequence[ValueType],
    *,
    optional: int = 0,
    returns: ValueType = "vector",
) -> None:
    """Add a function to the language, for every later query.

    Parameters
    ----------
    name : str
        Small letters, digits and ``_``; none of PromQL's own names.
    function : callable
        Called as ``function(context, *arguments)`` once a query, for all steps: a ``Vector``
        for an instant vector, ``Windows`` for a range, an array with one number a step for a
        scalar, a text for a string. Gives a ``Vector``, or an array for ``returns="scalar"``.
    arguments : sequence of {"scalar", "vector", "matrix", "string"}
        Types of the arguments in order.
    optional : int
        How many of the last arguments may be left out.
    returns : {"vector", "scalar"}
        Type of the result.

    Raises
    ------
    QueryError
        If the name is taken by PromQL, or cannot be a name.

    Notes
    -----
    A registered name is an extension: rule files that use it do not load in Prometheus.
    Registering a name again replaces the function.

    Examples
    --------
    >>> register_function("doubled", lambda c, v: v.with_values(v.values * 2), ["vector"])
    >>> from monitorlab.query import parse
    >>> parse("doubled(up)").name
    'doubled'
    """
    if not _NAME.fullmatch(name) or name in AGGREGATIONS:
        msg = f"{name!r} cannot name a function; use small letters, digits and _"
        raise QueryError(msg)
    if name in _OWN or why_refused(name):
        msg = f"{name!r} is a function of PromQL; choose another name"
        raise QueryError(msg)
    kinds = ("scalar", "vector", "matrix", "string")
    if returns not in ("vector", "scalar") or any(kind not in kinds for kind in arguments):
        msg = f"{name!r}: types are {', '.join(kinds)}; a function gives a vector or a scalar"
        raise QueryError(msg)
    if not 0 <= optional <= len(arguments):
        msg = f"{name!r}: optional must be between 0 and {len(arguments)}, not {optional}"
        raise QueryError(msg)
    declare(name, Signature(tuple(arguments), optional, returns))
    FUNCTIONS[name] = function
