"""What a feed, a replay and a dashboard need of a frame: something to read, something to write.

They take a ``MonitoringFrame``, a ``SeriesStore`` or a ``Selection`` alike.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> reader_of(store) is store, store_of(store) is store
(True, True)
"""

from __future__ import annotations

from typing import Any

from monitorlab.errors import SourceError

__all__ = ["fresh_frame", "reader_of", "store_of"]


def reader_of(frame: Any) -> Any:
    """Give what series can be read from, seeing no more than the frame does.

    Parameters
    ----------
    frame : MonitoringFrame, SeriesStore or Selection
        What holds the series.

    Returns
    -------
    SeriesStore or Selection
        Has ``select(selector, start_ns, end_ns)`` and ``metric(name)``.

    Raises
    ------
    SourceError
        If it is none of these.

    Examples
    --------
    >>> reader_of(3)
    Traceback (most recent call last):
    ...
    monitorlab.errors.SourceError: int holds no series; give a MonitoringFrame or a SeriesStore
    """
    from monitorlab.frame import MonitoringFrame

    if isinstance(frame, MonitoringFrame):
        return frame.selection
    if hasattr(frame, "select") and hasattr(frame, "metric"):
        return frame
    msg = f"{type(frame).__name__} holds no series; give a MonitoringFrame or a SeriesStore"
    raise SourceError(msg)


def store_of(frame: Any) -> Any:
    """Give the store that samples are written to.

    Parameters
    ----------
    frame : MonitoringFrame, SeriesStore or Selection
        What holds the series.

    Returns
    -------
    SeriesStore

    Raises
    ------
    SourceError
        If it is none of these.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> len(store_of(SeriesStore()))
    0
    """
    reader = reader_of(frame)
    return getattr(reader, "store", reader)


def fresh_frame() -> Any:
    """Give an empty ``MonitoringFrame``.

    Returns
    -------
    MonitoringFrame

    Examples
    --------
    >>> len(store_of(fresh_frame()))
    0
    """
    from monitorlab.frame import MonitoringFrame

    return MonitoringFrame()
