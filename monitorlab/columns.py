"""Columns that an analysis computes from series, by name: the seam between queries and analyses.

The query engine stands below the analyses, so it does not import them: whoever knows both
registers a maker here under the name that expressions use.

>>> "anomaly_score" in columns()
True
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from monitorlab.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = [
    "OWN_PREFIX",
    "Column",
    "Maker",
    "check_column",
    "columns",
    "is_derived",
    "make_column",
    "register_column",
]

OWN_PREFIX = "monitorlab_feed_"  # of the figures that a live feed records of itself


class Column(Protocol):
    """What a column computes of one series: a number for each sample, from its past alone.

    Examples
    --------
    >>> made = make_column("anomaly_score", "robust_z")
    >>> hasattr(made, "whole"), hasattr(made, "extend")
    (True, True)
    """

    def whole(self, times: Ints, values: Floats) -> Floats:
        """Give the numbers of a whole series from a clean start; what was learned stays."""
        ...

    def extend(self, times: Ints, values: Floats) -> Floats:
        """Give the numbers of the next samples, and learn them."""
        ...


Maker = Callable[[str], Column]
Check = Callable[[str], None]
_MAKERS: dict[str, Maker | str] = {}
_CHECKS: dict[str, Check | str] = {}


def register_column(name: str, maker: Maker | str, check: Check | str | None = None) -> None:
    """Let expressions speak of a column.

    Parameters
    ----------
    name : str
        Name of the column: ``name(metric)`` and ``name{metric="…"}`` mean it.
    maker : callable or str
        Called with an option (a text, ``""`` when none was given) for each series; gives a
        ``Column``. As a text ``"package.module:function"``, which is imported on first use.
    check : callable or str, optional
        Called with an option that an expression names; raises ``UnknownNameError`` if there is
        no such option. Without it every option is taken until the column is made.

    Examples
    --------
    >>> register_column(
    ...     "anomaly_score",
    ...     "monitorlab.anomaly.column:score_column",
    ...     "monitorlab.anomaly.column:check_option",
    ... )
    >>> columns()
    ['anomaly_score']
    """
    _MAKERS[name] = maker
    _CHECKS.pop(name, None)
    if check is not None:
        _CHECKS[name] = check


def columns() -> list[str]:
    """List the names of columns.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> "anomaly_score" in columns()
    True
    """
    return sorted(_MAKERS)


def make_column(name: str, option: str = "") -> Column:
    """Make a column for one series.

    Parameters
    ----------
    name : str
        One of ``columns()``.
    option : str
        For ``"anomaly_score"`` the name of a detector.

    Returns
    -------
    Column
        One that has learned nothing yet.

    Raises
    ------
    UnknownNameError
        If there is no such column, or its maker does not know the option.

    Examples
    --------
    >>> make_column("anomly_score")
    Traceback (most recent call last):
    ...
    monitorlab.errors.UnknownNameError: no column 'anomly_score'; did you mean 'anomaly_score'?
    """
    maker = _MAKERS.get(name)
    if maker is None:
        msg = f"no column {name!r}{did_you_mean(name, _MAKERS)}"
        raise UnknownNameError(msg)
    if isinstance(maker, str):
        maker = _MAKERS[name] = _loaded(maker)
    made: Column = maker(option)
    return made


def check_column(name: str, option: str) -> None:
    """Refuse an option that a column does not know, without making the column.

    Parameters
    ----------
    name : str
        One of ``columns()``.
    option : str
        As for ``make_column``.

    Raises
    ------
    UnknownNameError
        If the column says that there is no such option.

    Examples
    --------
    >>> check_column("anomaly_score", "ewmaa")
    Traceback (most recent call last):
    ...
    monitorlab.errors.UnknownNameError: no detector 'ewmaa'; did you mean 'ewma'?
    """
    check = _CHECKS.get(name)
    if isinstance(check, str):
        check = _CHECKS[name] = _loaded(check)
    if check is not None:
        check(option)


def is_derived(metric: str) -> bool:
    """Tell whether series of this name are made by monitorlab, and measure nothing themselves.

    Parameters
    ----------
    metric : str
        Name of a metric.

    Returns
    -------
    bool
        True for columns (scores that a live feed keeps) and for a feed's figures of itself.

    Examples
    --------
    >>> is_derived("anomaly_score"), is_derived("monitorlab_feed_lag_seconds"), is_derived("up")
    (True, True, False)
    """
    return metric in _MAKERS or metric.startswith(OWN_PREFIX)


def _loaded(place: str) -> Any:
    module, _, function = place.partition(":")
    return getattr(importlib.import_module(module), function)


register_column(
    "anomaly_score",
    "monitorlab.anomaly.column:score_column",
    "monitorlab.anomaly.column:check_option",
)
