"""Stat and gauge tiles: one number, its change, and a small line; as HTML from a template.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("queue_depth", [0, 60, 120, 180], [4.0, 4.0, 6.0, 6.0])
>>> tile = measure(Panel("queue_depth", kind="stat"), store, 120 * 10**9, 180 * 10**9, 10**9)
>>> tile.number, tile.change
('6', '+50 %')
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jinja2
import numpy as np

from monitorlab.dashboard.answers import answer
from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.units import human

__all__ = ["Tile", "measure", "page", "template", "tiles_html"]

WIDE, HIGH = 100.0, 26.0  # view box of the small line
SPARK_POINTS = 80
STEADY = 0.005  # a smaller change is called steady


@dataclass(frozen=True)
class Tile:
    """What a tile shows, as texts and a path.

    Parameters
    ----------
    title, expr : str
        Line above; the question.
    number, unit : str
        The newest value.
    change : str
        Change of the mean against the range of equal length before; empty when not known.
    mood : {"good", "bad", "flat"}
        Colour of the change.
    path : str
        SVG path of the small line; empty when there is none.
    share : float, optional
        For a gauge where the value lies on the scale, 0 to 1.
    problem : str
        Why there is no number.

    Examples
    --------
    >>> Tile("up", "up").number
    '–'
    """

    title: str
    expr: str
    number: str = "–"
    unit: str = ""
    change: str = ""
    mood: str = "flat"
    path: str = ""
    share: float | None = None
    problem: str = ""

    @property
    def arc(self) -> str:
        """Length of the coloured part of the gauge's arc, of 100."""
        return "" if self.share is None else f"{100.0 * self.share:.1f}"


def measure(panel: Panel, source: Any, start_ns: int, end_ns: int, step_ns: int) -> Tile:
    """Answer a tile's question.

    Parameters
    ----------
    panel : Panel
        The question; of several series the first counts.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The range; the change is against the range of equal length before it.
    step_ns : int
        Step of the small line.

    Returns
    -------
    Tile
        With a problem in words when there is nothing to show.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> measure(Panel("up", kind="stat"), SeriesStore(), 0, 60, 15).problem != ""
    True
    """
    found = answer(panel, source, start_ns, end_ns, step_ns=step_ns, points=SPARK_POINTS * 4)
    title = panel.title
    if not found.lines:
        return Tile(title, panel.expr, problem=found.problem.splitlines()[0])
    line = found.lines[0]
    finite = np.isfinite(line.values)
    if not finite.any():
        return Tile(title, panel.expr, problem=found.problem or "no value")
    newest = float(line.values[finite][-1])
    number, unit = human(newest, panel.unit)
    change, mood = _change(panel, source, start_ns, end_ns, step_ns, line.values[finite])
    share = None
    if panel.kind == "gauge":
        share = min(1.0, max(0.0, (newest - panel.least) / ((panel.most - panel.least) or 1.0)))
    path = _path(line.times, line.values, start_ns, end_ns)
    return Tile(title, panel.expr, number, unit, change, mood, path, share)


def tiles_html(tiles: Sequence[Tile]) -> str:
    """Write tiles as HTML.

    Parameters
    ----------
    tiles : sequence of Tile
        What they show.

    Returns
    -------
    str
        Escaped HTML; empty for no tiles.

    Examples
    --------
    >>> "&lt;b&gt;" in tiles_html([Tile("<b>", "up")])
    True
    """
    return page("dashboard_tiles.html", tiles=tiles) if tiles else ""


def template(name: str) -> str:
    """Give the text of one of the package's static files.

    Parameters
    ----------
    name : str
        File name in ``monitorlab/static``.

    Returns
    -------
    str

    Examples
    --------
    >>> ".ml-dash" in template("dashboard.css")
    True
    """
    return resources.files("monitorlab").joinpath("static", name).read_text(encoding="utf-8")


def page(name: str, **values: Any) -> str:
    """Fill one of the package's HTML templates; values are escaped.

    Parameters
    ----------
    name : str
        File name in ``monitorlab/static``.
    **values : object
        What the template speaks of.

    Returns
    -------
    str

    Examples
    --------
    >>> page("dashboard_tiles.html", tiles=[]).strip()
    '<div class="ml-tiles"></div>'
    """
    return str(_compiled(name).render(**values))


@cache
def _compiled(name: str) -> Any:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template(name))


def _change(
    panel: Panel, source: Any, start_ns: int, end_ns: int, step_ns: int, values: np.ndarray
) -> tuple[str, str]:
    length = end_ns - start_ns
    before = answer(
        panel, source, start_ns - length, start_ns - 1, step_ns=step_ns, points=SPARK_POINTS * 4
    )
    old = before.lines[0].values if before.lines else np.empty(0)
    old = old[np.isfinite(old)]
    if not len(old) or float(np.mean(old)) == 0.0:
        return "", "flat"
    change = float(np.mean(values)) / float(np.mean(old)) - 1.0
    if not math.isfinite(change):
        return "", "flat"
    if abs(change) < STEADY:
        return "steady", "flat"
    percent = f"{change * 100.0:+.0f} %" if abs(change) >= 0.1 else f"{change * 100.0:+.1f} %"
    if panel.bad is None:
        return percent, "flat"
    return percent, "bad" if (change > 0) == (panel.bad == "up") else "good"


def _path(times: np.ndarray, values: np.ndarray, start_ns: int, end_ns: int) -> str:
    finite = np.isfinite(values)
    if finite.sum() < 2:
        return ""
    low, high = float(values[finite].min()), float(values[finite].max())
    span = (high - low) or 1.0
    x = (times - start_ns) / max(1, end_ns - start_ns) * WIDE
    y = HIGH - 2.0 - (values - low) / span * (HIGH - 4.0)
    if high == low:
        y = np.full(len(values), HIGH / 2.0)
    keep = max(1, len(x) // SPARK_POINTS)
    parts: list[str] = []
    pen = "M"
    for px, py, good in zip(
        x[::keep].tolist(), y[::keep].tolist(), finite[::keep].tolist(), strict=True
    ):
        if not good:
            pen = "M"
            continue
        parts.append(f"{pen}{px:.1f} {py:.1f}")
        pen = "L"
    return "".join(parts)
