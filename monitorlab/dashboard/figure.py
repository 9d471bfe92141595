"""Answers as one Plotly figure: aligned plots, one time axis a column, spans behind.

Pure functions that give plain dictionaries, for a ``FigureWidget`` and for a file alike.

>>> from monitorlab.dashboard.panels import Panel
>>> data, layout = build([Answer(Panel("up"), problem="nothing")], start_ns=0, end_ns=10**9)
>>> len(data), layout["annotations"][1]["text"]
(0, 'nothing')
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitorlab.dashboard.answers import Answer
from monitorlab.dashboard.arrange import BOTTOM_PX, OWN_AXIS, TOP_PX, Arrangement, Cell, arrange
from monitorlab.dashboard.bands import Span
from monitorlab.dashboard.look import ACCENT, CLEAR, FONT, INK, line_colors
from monitorlab.dashboard.traces import Place, draw, iso, lane_name, names_in_legend
from monitorlab.dashboard.units import axis_format
from monitorlab.plotting import Theme, rgba

__all__ = ["INK", "build", "line_colors"]

LEFT_PX, RIGHT_PX = 58, 14
WIDTH_PX = 760  # width that titles and legends are fitted to: a small window with a side bar
CHAR_PX = 6.6
LABEL_PX = 6.2  # width of one character of a span's name
SCALE_RATIO = 0.045  # room for the colours of a heat map, of the width


def build(
    answers: Sequence[Answer],
    *,
    start_ns: int,
    end_ns: int,
    theme: Theme = "light",
    columns: int = 2,
    spans: Sequence[Span] = (),
    solid: bool = False,
    selection: Sequence[int] = (),
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Lay answers out as subplots of one figure.

    Parameters
    ----------
    answers : sequence of Answer
        One for each plot, row by row.
    start_ns, end_ns : int
        Range of the time axis.
    theme : {"light", "dark"}
        Colours.
    columns : {1, 2}
        Plots beside each other.
    spans : sequence of Span
        Incidents are shaded over the height of each plot, alerts are a bar at its top edge.
    solid : bool
        Whether to paint the background; a widget lets the page's through.
    selection : (start_ns, end_ns), optional
        A chosen span, framed in each plot.

    Returns
    -------
    data : list of dict
        Traces.
    layout : dict
        Layout.

    Examples
    --------
    >>> build([], start_ns=0, end_ns=1)[1]["height"]
    120
    """
    look = INK[theme]
    grid = arrange(answers, columns)
    layout = _frame(look, solid=solid)
    layout["height"] = grid.height_px
    layout["margin"]["l"] = _left(answers)
    if not answers:
        layout["xaxis"] = layout["yaxis"] = {"visible": False}
        layout["annotations"] = [_note("nothing to show", "paper", "paper", look)]
        return [], layout
    limits = [iso(start_ns), iso(end_ns)]
    axes = _axis_names(answers, grid)
    layout["xaxis"] = _time_axis(look, limits, 0.0, 1.0, follows=False)
    data: list[dict[str, Any]] = []
    for number, (one, cell) in enumerate(zip(answers, grid.cells, strict=True)):
        x, y = axes[number], _name("y", number)
        place = _place(one, cell, number, theme, (x, y))
        drawn = draw(one, place)
        data += drawn.traces
        is_plot = one.panel.kind != "table"
        is_linked = one.panel.kind not in OWN_AXIS and is_plot
        if is_plot:
            left, right = place.across
            axis = _time_axis(look, limits, left, right, follows=x != "x" and is_linked)
            axis["position"] = cell.bottom  # of the lowest plot, with samples or without
            layout[_axis(x)] = axis | drawn.x
            layout[_axis(y)] = _value_axis(look, one, cell, x) | drawn.y
            layout[place.legend] = _legend(look, cell, grid)
            layout["shapes"] += drawn.shapes
        layout["annotations"].append(_title(one, cell, grid, look, len(place.named)))
        if one.problem:
            layout["annotations"].append(_reason(one, cell, look))
        if is_linked:
            layout["shapes"] += [
                _shape(span, x, y) for span in (*spans, *one.spans) if one.panel.kind != "alerts"
            ]
            if len(selection) == 2:
                layout["shapes"].append(_frame_of(selection, x, y, theme))
            if cell.row == 0:
                room = WIDTH_PX * (cell.right - cell.left)
                layout["annotations"] += _names_of(spans, x, y, start_ns, end_ns, room, look)
    return data, layout


def _axis_names(answers: Sequence[Answer], grid: Arrangement) -> list[str]:
    """Name the time axes: one for all plots that stand below each other, ``x`` among them."""
    shared: dict[tuple[float, float], str] = {}
    for one, cell in zip(answers, grid.cells, strict=True):
        if one.panel.kind not in (*OWN_AXIS, "table"):
            shared.setdefault((cell.left, cell.right), _name("x", len(shared)))
    names = []
    used = max(1, len(shared))
    for one, cell in zip(answers, grid.cells, strict=True):
        if one.panel.kind in OWN_AXIS:
            names.append(_name("x", used))
            used += 1
        else:
            names.append(shared.get((cell.left, cell.right), "x"))
    return names


def _place(one: Answer, cell: Cell, number: int, theme: Theme, axes: tuple[str, str]) -> Place:
    right = cell.right - (SCALE_RATIO if one.panel.kind == "heatmap" else 0.0)
    room = WIDTH_PX * (cell.right - cell.left)
    named = tuple(names_in_legend(one, room, char_px=CHAR_PX))
    legend = "legend" if number == 0 else f"legend{number + 1}"
    return Place(*axes, legend, theme, (cell.left, right), (cell.bottom, cell.top), named)


def _frame(look: dict[str, str], *, solid: bool) -> dict[str, Any]:
    paper = look["paper"] if solid else CLEAR
    return {
        "paper_bgcolor": paper,
        "plot_bgcolor": paper,
        "font": {"family": FONT, "size": 12, "color": look["ink"]},
        # what does not fit must not squeeze the plots
        "margin": {
            "l": LEFT_PX, "r": RIGHT_PX, "t": TOP_PX, "b": BOTTOM_PX, "pad": 0, "autoexpand": False,
        },
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 40,
        "hoverlabel": {
            "bgcolor": look["paper"], "bordercolor": look["grid"], "namelength": 40,
            "font": {"size": 12, "color": look["ink"]},
        },
        "modebar": {
            "bgcolor": CLEAR, "color": look["muted"], "activecolor": look["ink"],
            "remove": ["select2d", "lasso2d", "autoScale2d"],
        },
        "dragmode": "zoom",
        "template": "none",
        "uirevision": "monitorlab",
        "showlegend": True,
        "autosize": True,
        "annotations": [],
        "shapes": [],
    }  # fmt: skip


def _left(answers: Sequence[Answer]) -> int:
    """Give the room left of the plots: numbers need little, the names of alert rules more."""
    lanes = [one.content.names for one in answers if one.panel.kind == "alerts" and one.content]
    longest = max((len(lane_name(name)) for names in lanes for name in names), default=0)
    return max(LEFT_PX, round(longest * LABEL_PX) + 12)


def _time_axis(
    look: dict[str, str],
    limits: list[str],
    left: float,
    right: float,
    *,
    follows: bool,
) -> dict[str, Any]:
    # Anchored to a plot, the axis has no place while that plot has no traces.
    axis = {
        "type": "date", "range": limits, "autorange": False, "domain": [left, right],
        "anchor": "free", "gridcolor": look["grid"], "linecolor": look["grid"], "zeroline": False,
        "tickfont": {"size": 11, "color": look["muted"]}, "hoverformat": "%Y-%m-%d %H:%M:%S",
        "nticks": 8, "ticks": "", "tickangle": 0, "showspikes": False,
    }  # fmt: skip
    if follows:
        axis["matches"] = "x"
    return axis


def _value_axis(look: dict[str, str], one: Answer, cell: Cell, anchor: str) -> dict[str, Any]:
    values = [line.values[np.isfinite(line.values)] for line in (*one.lines, *one.before)]
    filled = [v for v in values if len(v)]
    biggest = max((float(np.abs(v).max()) for v in filled), default=0.0)
    lowest = min((float(v.min()) for v in filled), default=0.0)
    from_zero = lowest >= 0.0 and (one.panel.kind == "band" or lowest < 0.6 * biggest)
    return {
        "domain": [cell.bottom, cell.top], "anchor": anchor, "fixedrange": True, "nticks": 5,
        "ticks": "",
        "gridcolor": look["grid"], "linecolor": CLEAR, "zeroline": False,
        "tickfont": {"size": 11, "color": look["muted"]},
        "rangemode": "tozero" if from_zero else "normal",
        "visible": bool(one.lines or one.content is not None) and not one.problem,
        **axis_format(one.panel.unit, biggest),
    }  # fmt: skip


def _legend(look: dict[str, str], cell: Cell, grid: Arrangement) -> dict[str, Any]:
    return {
        "orientation": "h", "x": cell.left, "xanchor": "left",
        "y": cell.top + 2 / grid.inside_px, "yanchor": "bottom", "bgcolor": CLEAR,
        "font": {"size": 11, "color": look["muted"]}, "itemwidth": 30, "tracegroupgap": 0,
        "traceorder": "normal",
    }  # fmt: skip


def _title(
    one: Answer, cell: Cell, grid: Arrangement, look: dict[str, str], named: int
) -> dict[str, Any]:
    room = int(WIDTH_PX * (cell.right - cell.left) / 8)
    words = textwrap.shorten(one.panel.title.replace("\n", " "), room, placeholder="…")
    text = f"<b>{html.escape(words, quote=False)}</b>"
    hidden = len(one.lines) - named if named else 0
    hidden += one.found - len(one.lines) if one.lines and one.panel.kind != "forecast" else 0
    if hidden > 0:
        undrawn = one.found > len(one.lines)
        shown = f" ({one.found} series, {len(one.lines)} drawn)" if undrawn else f" +{hidden}"
        text += f"<span style='color:{look['muted']}'>{shown}</span>"
    return {
        "text": text, "xref": "paper", "yref": "paper", "x": cell.left,
        "y": cell.top + (22 if grid.has_legend[cell.row] else 5) / grid.inside_px,
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left",
        "font": {"size": 13, "color": look["ink"]}, "captureevents": False,
        "hovertext": html.escape(one.panel.expr, quote=False),
    }  # fmt: skip


def _note(text: str, xref: str, yref: str, look: dict[str, str]) -> dict[str, Any]:
    return {
        "text": text, "xref": xref, "yref": yref, "x": 0.5, "y": 0.5, "showarrow": False,
        "font": {"size": 12, "color": look["muted"]}, "align": "left",
    }  # fmt: skip


def _reason(one: Answer, cell: Cell, look: dict[str, str]) -> dict[str, Any]:
    """Say in the middle of an empty plot why it is empty."""
    width = int(WIDTH_PX * (cell.right - cell.left) / 7)
    lines = [
        part
        for line in one.problem.splitlines()[:4]
        for part in textwrap.wrap(line, width)[:5] or [""]
    ]
    text = "<br>".join(html.escape(line, quote=False) for line in lines)
    note = _note(text, "paper", "paper", look)
    return note | {"x": (cell.left + cell.right) / 2.0, "y": (cell.bottom + cell.top) / 2.0}


def _shape(span: Span, x: str, y: str) -> dict[str, Any]:
    alert = span.kind == "alert"
    alpha = {"alert": 0.95, "incident": 0.13, "anomaly": 0.28}[span.kind]
    return {
        "type": "rect", "xref": x, "yref": f"{y} domain",
        "x0": iso(span.start_ns), "x1": iso(span.end_ns),
        "y0": 0.965 if alert else 0.0, "y1": 0.06 if span.kind == "anomaly" else 1.0,
        "fillcolor": rgba(span.color, alpha),
        "line": {"width": 0 if span.kind == "incident" else 1, "color": span.color},
        "layer": "below" if span.kind == "incident" else "above",
    }  # fmt: skip


def _frame_of(selection: Sequence[int], x: str, y: str, theme: Theme) -> dict[str, Any]:
    return {
        "type": "rect", "xref": x, "yref": f"{y} domain",
        "x0": iso(selection[0]), "x1": iso(selection[1]), "y0": 0.0, "y1": 1.0,
        "fillcolor": rgba(ACCENT[theme], 0.10), "layer": "below",
        "line": {"width": 1.2, "color": ACCENT[theme], "dash": "dot"},
    }  # fmt: skip


def _names_of(
    spans: Sequence[Span],
    x: str,
    y: str,
    start_ns: int,
    end_ns: int,
    width_px: float,
    look: dict[str, str],
) -> list[dict[str, Any]]:
    """Write the names of incidents at their starts, as far as there is room for each."""
    per_px = max(1, end_ns - start_ns) / width_px
    named = []
    free = start_ns
    for span in sorted(spans, key=lambda s: s.start_ns):
        begin = max(span.start_ns, start_ns)
        needed = int((len(span.label) + 1) * LABEL_PX * per_px)
        if span.kind != "incident" or begin < free or begin + needed > end_ns:
            continue
        free = begin + needed
        named.append(
            {
                "text": html.escape(span.label, quote=False), "xref": x, "yref": f"{y} domain",
                "x": iso(begin), "y": 0.94, "xanchor": "left", "yanchor": "top", "xshift": 1,
                "showarrow": False, "font": {"size": 11, "color": look["muted"]},
                "bgcolor": look["veil"], "borderpad": 1,
            }
        )  # fmt: skip
    return named


def _name(letter: str, number: int) -> str:
    return letter if number == 0 else f"{letter}{number + 1}"


def _axis(name: str) -> str:
    return f"{name[0]}axis{name[1:]}"
