"""A dashboard as a file: one page that needs no kernel, or one picture.

>>> from monitorlab.dashboard.state import DashboardState
>>> from monitorlab.dashboard.subject import Subject
>>> from monitorlab.dashboard.view import compose
>>> from monitorlab.storage import SeriesStore
>>> view = compose(Subject(SeriesStore()), None, DashboardState())
>>> "plotly" in page_html(view, theme="light", title="shop")
True
"""

from __future__ import annotations

import html
import importlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitorlab.dashboard.look import ACCENT, INK
from monitorlab.dashboard.postponed import import_plotly
from monitorlab.dashboard.tiles import Tile, page, template
from monitorlab.dashboard.view import View
from monitorlab.errors import MissingExtraError, SourceError
from monitorlab.plotting import Theme

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["CONFIG", "IN_NOTEBOOK", "page_html", "picture", "write_png"]

CONFIG = {"displaylogo": False, "doubleClick": "autosize", "responsive": True}
IN_NOTEBOOK = {**CONFIG, "displayModeBar": False}  # the toolbar does all that
HEAD_PX, TILE_PX, GAP_PX = 30, 84, 12
SPARK_PX = 22
_POINT = re.compile(r"([ML])([-\d.]+) ([-\d.]+)")


def page_html(view: View, *, theme: Theme, title: str) -> str:
    """Write what a dashboard shows as one page.

    Parameters
    ----------
    view : View
        What is shown.
    theme : {"light", "dark"}
        Colours.
    title : str
        Title of the page.

    Returns
    -------
    str
        HTML with Plotly inside; zoom, hover, crosshair and legends work without a network.

    Examples
    --------
    >>> "<title>shop</title>" in page_html(View([], {}), theme="light", title="shop")
    True
    """
    figure = import_plotly().Figure(data=view.data, layout=view.layout)
    plots = figure.to_html(full_html=False, include_plotlyjs=True, config=CONFIG)
    return page(
        "dashboard_page.html", title=title, theme=theme, css=template("dashboard.css"),
        caption=view.caption, tiles=view.tiles, figure=plots, events=view.events,
        script=template("dashboard_cross.js"), problem=view.problem,
    )  # fmt: skip


def picture(view: View, *, theme: Theme, title: str, width: int) -> go.Figure:
    """Draw tiles and plots as one plain figure.

    Parameters
    ----------
    view : View
        What is shown, with a painted background.
    theme : {"light", "dark"}
        Colours.
    title : str
        Stands at the top.
    width : int
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> picture(View([], {"height": 120}), theme="dark", title="shop", width=800).layout.width
    800
    """
    layout = {**view.layout, "width": width, "autosize": False}
    above = HEAD_PX + (TILE_PX + GAP_PX if view.measured else 0)
    margin = dict(layout.get("margin", {"t": 0, "b": 0, "l": 0, "r": 0}))
    inside_high = max(1, layout["height"] - margin["t"] - margin["b"])
    inside_wide = max(1, width - margin["l"] - margin["r"])
    layout["margin"] = margin | {"t": margin["t"] + above}
    layout["height"] = layout["height"] + above
    layout["paper_bgcolor"] = layout["plot_bgcolor"] = INK[theme]["paper"]
    head = {
        "text": f"<b>{_escaped(title)}</b>  <span style='color:{INK[theme]['muted']}'>"
        f"{_escaped(view.caption)}</span>",
        "xref": "paper", "yref": "paper", "x": -margin["l"] / inside_wide, "xanchor": "left",
        "y": 1.0 + (above - 4) / inside_high, "yanchor": "top", "xshift": 10, "showarrow": False,
        "font": {"size": 14, "color": INK[theme]["ink"]},
    }  # fmt: skip
    notes, shapes = _tiles(view.measured, theme, margin, inside_wide, inside_high)
    layout["annotations"] = [*layout.get("annotations", []), head, *notes]
    layout["shapes"] = [*layout.get("shapes", []), *shapes]
    figure: go.Figure = import_plotly().Figure(data=view.data, layout=layout)
    return figure


def write_png(figure: go.Figure, path: Path, *, scale: float) -> Path:
    """Write a figure as a PNG file.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        What is drawn.
    path : pathlib.Path
        Where to.
    scale : float
        Pixels of the file for each pixel of the figure.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    MissingExtraError
        If kaleido is not installed.
    SourceError
        If kaleido cannot draw, for example because there is no Chromium.

    Examples
    --------
    >>> figure = import_plotly().Figure()
    >>> write_png(figure, Path("shop.png"), scale=1.5)  # doctest: +SKIP
    PosixPath('shop.png')
    """
    try:
        importlib.import_module("kaleido")  # Plotly's own message names no extra
    except ImportError as error:
        what = "a dashboard as PNG"
        raise MissingExtraError(what, "png") from error
    try:
        figure.write_image(str(path), format="png", scale=scale)
    except (RuntimeError, ValueError, OSError) as error:
        raise SourceError(f"{path} could not be drawn: {_why_not(error)}") from error
    return path


def _why_not(error: Exception) -> str:
    """Say in one line why kaleido drew nothing, and which browser it was given."""
    told = " ".join(str(part) for part in error.args) or type(error).__name__
    first = re.split(r"(?<=\.)\s|\n", told.strip())[0].rstrip(".")
    named = os.environ.get("BROWSER_PATH")
    tried = f"BROWSER_PATH is {named}" if named else "BROWSER_PATH is not set"
    return (
        f"{first}; PNG needs a Chrome or Chromium: install one, or set BROWSER_PATH to it ({tried})"
    )


def _tiles(
    tiles: Sequence[Tile], theme: Theme, margin: dict[str, Any], wide: int, high: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    look = INK[theme]
    notes: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    full = wide + margin["l"] + margin["r"] - 2 * GAP_PX
    each = (full - GAP_PX * (len(tiles) - 1)) / max(1, len(tiles))

    def across(px: float) -> float:
        moved: float = (px - margin["l"]) / wide
        return moved

    def upward(px: float) -> float:
        return 1.0 + (GAP_PX + px) / high

    for number, tile in enumerate(tiles):
        left = GAP_PX + number * (each + GAP_PX)
        shapes.append(
            {"type": "rect", "xref": "paper", "yref": "paper", "x0": across(left),
             "x1": across(left + each), "y0": upward(0), "y1": upward(TILE_PX),
             "fillcolor": look["field"], "line": {"width": 1, "color": look["rule"]},
             "layer": "below"}
        )  # fmt: skip
        number_text = tile.problem or f"{tile.number} {tile.unit} "
        lines = [
            (tile.title, TILE_PX - 4, 11, "muted"),
            (number_text, TILE_PX - 18, 12 if tile.problem else 21, "ink"),
            (tile.change and f"{tile.change} vs before", TILE_PX - 46, 11, "muted"),
        ]
        for text, top, size, color in lines:
            if text:
                cut = (
                    text
                    if len(text) * size * 0.55 < each
                    else text[: int(each / size / 0.55)] + "…"
                )
                notes.append(
                    {"text": _escaped(cut), "xref": "paper", "yref": "paper",
                     "x": across(left + 8), "y": upward(top), "xanchor": "left",
                     "yanchor": "top", "showarrow": False,
                     "font": {"size": size, "color": look[color]}}
                )  # fmt: skip
        if tile.path:
            shapes.append(
                {"type": "path", "xref": "paper", "yref": "paper",
                 "path": _spark(tile.path, across, upward, left, each),
                 "line": {"width": 1.3, "color": ACCENT[theme]}}
            )  # fmt: skip
    return notes, shapes


def _spark(path: str, across: Any, upward: Any, left: float, each: float) -> str:
    """Move a tile's small line (a box of 100 by 26) to its place on the paper."""
    parts = []
    for pen, x, y in _POINT.findall(path):
        px = across(left + float(x) / 100.0 * each)
        py = upward((26.0 - float(y)) / 26.0 * SPARK_PX)
        parts.append(f"{pen}{px:.5f},{py:.5f}")
    return " ".join(parts)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)
