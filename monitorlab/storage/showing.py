"""What a frame shows: the selection behind it, for functions that take a frame or its store.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> behind(store) is store
True
"""

from __future__ import annotations

from typing import Any

__all__ = ["behind"]


def behind(data: Any) -> Any:
    """Give the selection that a frame shows; anything else is given back.

    Parameters
    ----------
    data : MonitoringFrame, SeriesStore, Selection or other
        Where samples are.

    Returns
    -------
    object
        The frame's ``selection`` where it has one that is not a method, as a store's is.

    Examples
    --------
    >>> behind("no frame")
    'no frame'
    """
    found = getattr(data, "selection", data)
    return data if callable(found) else found
