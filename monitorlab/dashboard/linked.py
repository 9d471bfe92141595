"""What joins the page to the kernel: its theme, clicks and brushes, and how far it is.

>>> Page().clicked
[]
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from monitorlab.dashboard.tiles import template

__all__ = ["Page", "rounded", "span_of"]

NS_PER_MS = 1_000_000
HAND_STEPS = 40  # a drawn span has at least so many units
_HAND_UNITS_NS = (*(n * 1_000_000_000 for n in (3_600, 600, 60, 10, 1)), 1_000_000)


class Page(anywidget.AnyWidget):
    """Tells of the page's theme, of clicks and brushes in the plots, and how far behind it is.

    Parameters
    ----------
    **traits : object
        As for any widget.

    Notes
    -----
    Draws nothing but a crosshair through all plots. ``clicked`` and ``brushed`` are start and
    end in milliseconds, and when, so that the same twice counts twice; ``ping`` is answered
    in ``pong`` once the page has drawn; ``drag`` says what the mouse does; ``width`` is
    the room that the plots have, in pixels.

    Examples
    --------
    >>> Page().ping
    0
    """

    _esm = template("dashboard_cross.js") + template("dashboard_theme.js")
    dark = traitlets.Bool(None, allow_none=True).tag(sync=True)
    seen = traitlets.Int(0).tag(sync=True)
    ping = traitlets.Int(0).tag(sync=True)
    pong = traitlets.Int(0).tag(sync=True)
    clicked: traitlets.List[Any] = traitlets.List().tag(sync=True)
    brushed: traitlets.List[Any] = traitlets.List().tag(sync=True)
    drag = traitlets.Unicode("zoom").tag(sync=True)
    width = traitlets.Int(0).tag(sync=True)


def span_of(told: Any) -> tuple[int, int] | None:
    """Read a span that the page told.

    Parameters
    ----------
    told : sequence of float
        Start and end in milliseconds, in any order; more is ignored.

    Returns
    -------
    (int, int) or None
        Nanoseconds; None where it is no span.

    Examples
    --------
    >>> span_of([2.0, 1.0])
    (1000000, 2000000)
    """
    try:
        start, end = sorted(round(float(ms) * NS_PER_MS) for ms in told[:2])
    except (TypeError, ValueError, OverflowError):
        return None
    return (start, end) if end > start else None


def rounded(start_ns: int, end_ns: int) -> tuple[int, int]:
    """Round a span that a hand has drawn to what a hand can mean.

    Parameters
    ----------
    start_ns, end_ns : int
        The span.

    Returns
    -------
    (int, int)
        In the largest of hours, ten minutes, minutes … of which it has forty.

    Examples
    --------
    >>> rounded(1_234_567_890, 121_987_654_321)
    (1000000000, 122000000000)
    """
    length = end_ns - start_ns
    unit = next((u for u in _HAND_UNITS_NS if length >= u * HAND_STEPS), _HAND_UNITS_NS[-1])
    start, end = round(start_ns / unit) * unit, round(end_ns / unit) * unit
    return (start, end) if end > start else (start_ns, end_ns)
