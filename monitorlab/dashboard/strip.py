"""The overview strip: the whole recording as one line, and a window on it to drag.

>>> outline(np.array([0, 50, 100]), np.array([1.0, 3.0, 2.0]), 0, 100)
'M0 98L500 2L1000 50'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets

from monitorlab.dashboard.answers import answer
from monitorlab.dashboard.bands import Span
from monitorlab.dashboard.kinds import LINEAR
from monitorlab.dashboard.tiles import template
from monitorlab.dashboard.view import View

__all__ = ["Strip", "outline"]

POINTS = 400
MOST_MARKS = 60
WIDE, HIGH, EDGE = 1_000.0, 100.0, 2.0
NS_PER_MS = 1_000_000


class Strip(anywidget.AnyWidget):
    """Draws the overview and tells which range was dragged on it.

    Parameters
    ----------
    **traits : object
        As for any widget.

    Notes
    -----
    ``extent`` and ``shown`` are pairs of milliseconds, ``chosen`` what the page chose (empty:
    everything), ``turn`` counts its choices, so that choosing the same again counts too.

    Examples
    --------
    >>> Strip().chosen
    []
    """

    _esm = template("dashboard_strip.js")
    extent: traitlets.List[Any] = traitlets.List().tag(sync=True)
    shown: traitlets.List[Any] = traitlets.List().tag(sync=True)
    path = traitlets.Unicode("").tag(sync=True)
    marks: traitlets.List[Any] = traitlets.List().tag(sync=True)
    chosen: traitlets.List[Any] = traitlets.List().tag(sync=True)
    turn = traitlets.Int(0).tag(sync=True)

    def show(self, view: View, spans: Sequence[Span]) -> None:
        """Follow what a dashboard shows.

        Parameters
        ----------
        view : View
            The picture.
        spans : sequence of Span
            Incidents and alerts of the whole time.
        """
        scene = view.scene
        if scene is None:
            self.extent = []
            return
        first, last = scene.extent
        lines = [one.panel for one in view.answers if one.panel.kind in LINEAR and one.lines]
        path = ""
        if lines and last > first:
            panel = lines[0]
            found = scene.subject.kept(
                ("overview", panel, scene.labels),
                lambda: answer(
                    panel, scene.source, first, last,
                    step_ns=max(1, (last - first) // POINTS), points=POINTS,
                ),
            )  # fmt: skip
            if found.lines:
                line = found.lines[0]
                path = outline(line.times, line.values, first, last)
        marks = [
            [span.start_ns / NS_PER_MS, span.end_ns / NS_PER_MS, span.color, span.label]
            for span in spans[:MOST_MARKS]
        ]
        with self.hold_sync():
            self.extent = [first / NS_PER_MS, last / NS_PER_MS]
            self.shown = [view.start_ns / NS_PER_MS, view.end_ns / NS_PER_MS]
            self.path = path
            self.marks = marks


def outline(
    times: npt.NDArray[np.int64], values: npt.NDArray[np.float64], start_ns: int, end_ns: int
) -> str:
    """Write a line as an SVG path in a box of 1000 by 100.

    Parameters
    ----------
    times, values : numpy.ndarray
        The line; NaN breaks it.
    start_ns, end_ns : int
        Times of the box's edges.

    Returns
    -------
    str
        Empty where there are fewer than two values.

    Examples
    --------
    >>> outline(np.array([0, 10]), np.array([0.0, 1.0]), 0, 10)
    'M0 98L1000 2'
    """
    finite = np.isfinite(values)
    if finite.sum() < 2:
        return ""
    low, high = float(values[finite].min()), float(values[finite].max())
    x = (times - start_ns) / max(1, end_ns - start_ns) * WIDE
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    y = HIGH - EDGE - share * (HIGH - 2.0 * EDGE)
    parts: list[str] = []
    pen = "M"
    for px, py, good in zip(x.tolist(), y.tolist(), finite.tolist(), strict=True):
        if not good:
            pen = "M"
            continue
        parts.append(f"{pen}{px:.5g} {py:.3g}")
        pen = "L"
    return "".join(parts)
