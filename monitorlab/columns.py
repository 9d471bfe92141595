"""Columns that an analysis computes from series, by name: the seam between queries and analyses.

The query engine stands below the analyses, so it does not import them: whoever knows both
registers a maker here under the name that expressions use.

>>> "anomaly_score" in columns()
True
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from monitorlab.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

__all__ = ["Column", "Maker", "columns", "make_column", "register_column"]


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
_MAKERS: dict[str, Maker | str] = {}


def register_column(name: str, maker: Maker | str) -> None:
    """Let expressions speak of a column.

    Parameters
    ----------
    name : str
        Name of the column: ``name(metric)`` and ``name{metric="…"}`` mean it.
    maker : callable or str
        Called with an option (a text, ``""`` when none was given) for each series; gives a
        ``Column``. As a text ``"package.module:function"``, which is imported on first use.

    Examples
    --------
    >>> register_column("anomaly_score", "monitorlab.anomaly.column:score_column")
    >>> columns()
    ['anomaly_score']
    """
    _MAKERS[name] = maker


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
        module, _, function = maker.partition(":")
        maker = _MAKERS[name] = _loaded(module, function)
    return maker(option)


def _loaded(module: str, function: str) -> Maker:
    found: Maker = getattr(importlib.import_module(module), function)
    return found


register_column("anomaly_score", "monitorlab.anomaly.column:score_column")
