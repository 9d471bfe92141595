"""Compare Plotly figures by what they show: arrays decoded, ids left out.

>>> import numpy as np, base64
>>> array = {"dtype": "f8", "bdata": base64.b64encode(np.array([1.0, 2.0])).decode()}
>>> plain_figure({"data": [{"y": array, "uid": "x"}]})
{'data': [{'y': [1.0, 2.0]}]}
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from monitorlab.testing.numbers import STRICT, Tolerance, same_text

__all__ = ["PLOTLY", "differing_leaves", "plain_figure", "same_leaf"]

PLOTLY = "application/vnd.plotly.v1+json"
_IDS = frozenset({"uid", "plotlyServerURL"})
_MISSING = "(not there)"


def plain_figure(figure: Any) -> Any:
    """Give a figure's JSON with binary arrays as lists and without ids.

    Parameters
    ----------
    figure : object
        JSON of a figure, or any part of one.

    Returns
    -------
    object
        Lists, dictionaries, text and numbers; NaN is None, as in Plotly's own lists.

    Notes
    -----
    Plotly writes an array as base64 (``bdata``) or as a list, depending on its version and on
    where the numbers came from; both come out the same here.

    Examples
    --------
    >>> plain_figure([float("nan"), {"uid": "a", "name": "p95"}])
    [None, {'name': 'p95'}]
    """
    if isinstance(figure, dict):
        if "bdata" in figure and "dtype" in figure:
            return _array(figure)
        return {key: plain_figure(value) for key, value in figure.items() if key not in _IDS}
    if isinstance(figure, (list, tuple)):
        return [plain_figure(item) for item in figure]
    if isinstance(figure, float) and math.isnan(figure):
        return None
    return figure


def differing_leaves(
    stored: Any, now: Any, tolerance: Tolerance = STRICT, path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Walk two plain figures and name each place where they differ.

    Parameters
    ----------
    stored, now : object
        Two figures of ``plain_figure``.
    tolerance : Tolerance
        For numbers that are not whole on both sides.
    path : str
        Where the two are found, for the names.

    Yields
    ------
    tuple of (str, object, object)
        Place, what is stored there, what is there now.

    Examples
    --------
    >>> list(differing_leaves({"y": [1.0, 2.0]}, {"y": [1.0, 2.5]}))
    [('y[1]', 2.0, 2.5)]
    """
    if isinstance(stored, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*stored, *now)):
            place = f"{path}.{key}" if path else str(key)
            yield from differing_leaves(
                stored.get(key, _MISSING), now.get(key, _MISSING), tolerance, place
            )
    elif isinstance(stored, list) and isinstance(now, list):
        if len(stored) != len(now):
            yield f"{path} (length)", len(stored), len(now)
        for i, (a, b) in enumerate(zip(stored, now, strict=False)):
            name = f"({a['name']})" if isinstance(a, dict) and a.get("name") else ""
            yield from differing_leaves(a, b, tolerance, f"{path}[{i}]{name}")
    elif not same_leaf(stored, now, tolerance):
        yield path, stored, now


def same_leaf(stored: Any, now: Any, tolerance: Tolerance) -> bool:
    """Decide whether two numbers or texts of a figure are the same.

    Parameters
    ----------
    stored, now : object
        Two leaves of a figure's JSON.
    tolerance : Tolerance
        For numbers that are not whole on both sides.

    Returns
    -------
    bool

    Examples
    --------
    >>> same_leaf(3, 4, Tolerance(rtol=1.0)), same_leaf(3.0, 4.5, Tolerance(rtol=1.0))
    (False, True)
    """
    if isinstance(stored, bool) or isinstance(now, bool):
        return stored is now
    if isinstance(stored, (int, float)) and isinstance(now, (int, float)):
        if stored == now:
            return True
        whole = float(stored).is_integer() and float(now).is_integer()
        return not whole and tolerance.covers(stored=float(stored), now=float(now))
    if isinstance(stored, str) and isinstance(now, str):
        return same_text(stored, now, tolerance)
    return bool(stored == now)


def _array(packed: dict[str, Any]) -> Any:
    """Decode one packed array; one that cannot be decoded stays as it is."""
    try:
        flat = np.frombuffer(base64.b64decode(packed["bdata"], validate=True), packed["dtype"])
        shape = str(packed.get("shape", len(flat)))
        values = flat.reshape([int(n) for n in shape.split(",")]).tolist()
    except (binascii.Error, ValueError, TypeError):
        return packed
    return plain_figure(values)
