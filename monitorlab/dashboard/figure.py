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
from monitorlab.dashboard.bands import Span
from monitorlab.dashboard.units import axis_format
from monitorlab.plotting import PALETTE, Theme, rgba, time_axis

__all__ = ["INK", "build", "line_colors"]

INK = {
    "light": {
        "ink": "#24292f",
        "muted": "#6b7280",
        "grid": "rgba(15,23,42,0.08)",
        "paper": "#ffffff",
    },
    "dark": {
        "ink": "#e6e8eb",
        "muted": "#9aa4b2",
        "grid": "rgba(255,255,255,0.09)",
        "paper": "#14171c",
    },
}
CLEAR = "rgba(0,0,0,0)"
FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
PANEL_PX = {1: 300, 2: 230}  # height of a plot when there are so few rows
ROW_PX = 176
STRIP_PX = 46  # room above each plot for its title and, below that, its legend
TOP_PX, BOTTOM_PX, LEFT_PX, RIGHT_PX = 2, 30, 58, 14
COLUMN_GAP = 0.055
WIDTH_PX = 1_000  # width that titles and legends are fitted to
CHAR_PX = 6.6
LABEL_PX = 6.2  # width of one character of a span's name
DENSE = 700  # points; a line of more is drawn finer
BAND_SHADES = (1.0, 0.7, 0.42)  # of one colour, from the median outwards
_DARK = ("#56B4E9", "#E69F00", "#2BB594", "#CC79A7", "#F0E442", "#E8743B", "#8FA8FF", "#B0B0B0")


def line_colors(theme: Theme) -> tuple[str, ...]:
    """Give the colours of lines: Okabe and Ito's, those first that read on the background.

    Parameters
    ----------
    theme : {"light", "dark"}
        The background.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> line_colors("light")[0]
    '#0072B2'
    """
    return PALETTE if theme == "light" else _DARK


def build(
    answers: Sequence[Answer],
    *,
    start_ns: int,
    end_ns: int,
    theme: Theme = "light",
    columns: int = 2,
    spans: Sequence[Span] = (),
    solid: bool = False,
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
    wide = max(1, min(columns, len(answers)))
    rows = -(-len(answers) // wide)
    layout = _frame(look, solid=solid)
    if not answers:
        layout["height"] = 120
        layout["xaxis"] = layout["yaxis"] = {"visible": False}
        layout["annotations"] = [_note("nothing to show", "paper", "paper", look)]
        return [], layout
    plot = PANEL_PX.get(rows, ROW_PX)
    inside = rows * (plot + STRIP_PX)
    layout["height"] = inside + TOP_PX + BOTTOM_PX
    width = (1.0 - COLUMN_GAP * (wide - 1)) / wide
    limits = [_iso(start_ns), _iso(end_ns)]
    data: list[dict[str, Any]] = []
    for number, one in enumerate(answers):
        row, column = divmod(number, wide)
        left = column * (width + COLUMN_GAP)
        bottom = 1.0 - (row + 1) * (plot + STRIP_PX) / inside
        top = bottom + plot / inside
        x, y = _name("x", column), _name("y", number)
        layout[_axis(x)] = _time_axis(look, limits, left, left + width, y, follows=column > 0)
        layout[_axis(y)] = _value_axis(look, one, bottom, top, x)
        shown = _legend_names(one, wide)
        legend = "legend" if number == 0 else f"legend{number + 1}"
        layout[legend] = _legend(look, left, top, inside)
        data += _traces(one, x, y, legend, theme, shown)
        layout["annotations"].append(_title(one, left, top, inside, look, len(shown)))
        if one.problem:
            layout["annotations"].append(
                _note(_wrapped(one.problem), f"{x} domain", f"{y} domain", look)
            )
        layout["shapes"] += [_shape(span, x, y) for span in spans]
        if row == 0:
            layout["annotations"] += _names_of(
                spans, x, y, start_ns, end_ns, WIDTH_PX * width, look
            )
    return data, layout


def _frame(look: dict[str, str], *, solid: bool) -> dict[str, Any]:
    paper = look["paper"] if solid else CLEAR
    return {
        "paper_bgcolor": paper,
        "plot_bgcolor": paper,
        "font": {"family": FONT, "size": 12, "color": look["ink"]},
        "margin": {"l": LEFT_PX, "r": RIGHT_PX, "t": TOP_PX, "b": BOTTOM_PX, "pad": 0},
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverdistance": 40,
        "hoverlabel": {
            "bgcolor": look["paper"], "bordercolor": look["grid"], "namelength": 40,
            "font": {"size": 11, "color": look["ink"]},
        },
        "modebar": {
            "bgcolor": CLEAR, "color": look["muted"], "activecolor": look["ink"],
            "remove": ["select2d", "lasso2d", "autoScale2d"],
        },
        "dragmode": "zoom",
        "uirevision": "monitorlab",
        "showlegend": True,
        "autosize": True,
        "annotations": [],
        "shapes": [],
    }  # fmt: skip


def _time_axis(
    look: dict[str, str],
    limits: list[str],
    left: float,
    right: float,
    anchor: str,
    *,
    follows: bool,
) -> dict[str, Any]:
    axis = {
        "type": "date", "range": limits, "autorange": False, "domain": [left, right],
        "anchor": anchor, "gridcolor": look["grid"], "linecolor": look["grid"], "zeroline": False,
        "tickfont": {"size": 11, "color": look["muted"]}, "hoverformat": "%Y-%m-%d %H:%M:%S",
        "nticks": 8, "showspikes": True, "spikemode": "across", "spikesnap": "cursor",
        "spikethickness": 1, "spikedash": "dot", "spikecolor": look["muted"],
    }  # fmt: skip
    if follows:
        axis["matches"] = "x"
    return axis


def _value_axis(
    look: dict[str, str], one: Answer, bottom: float, top: float, anchor: str
) -> dict[str, Any]:
    finite = [np.abs(line.values[np.isfinite(line.values)]) for line in one.lines]
    biggest = max((float(v.max()) for v in finite if len(v)), default=0.0)
    lowest = min(
        (
            float(np.nanmin(line.values))
            for line, v in zip(one.lines, finite, strict=True)
            if len(v)
        ),
        default=0.0,
    )
    from_zero = lowest >= 0.0 and (one.panel.kind == "band" or lowest < 0.6 * biggest)
    return {
        "domain": [bottom, top], "anchor": anchor, "fixedrange": True, "nticks": 5,
        "gridcolor": look["grid"], "linecolor": CLEAR, "zeroline": False,
        "tickfont": {"size": 11, "color": look["muted"]},
        "rangemode": "tozero" if from_zero else "normal",
        "visible": bool(one.lines) and not one.problem,
        **axis_format(one.panel.unit, biggest),
    }  # fmt: skip


def _legend(look: dict[str, str], left: float, top: float, inside: int) -> dict[str, Any]:
    return {
        "orientation": "h", "x": left, "xanchor": "left", "y": top + 2 / inside,
        "yanchor": "bottom", "bgcolor": CLEAR, "font": {"size": 11, "color": look["muted"]},
        "itemwidth": 30, "tracegroupgap": 0, "traceorder": "normal",
    }  # fmt: skip


def _legend_names(one: Answer, columns: int) -> list[str]:
    """Give the names that fit into one row above the plot; one line needs none."""
    if len(one.lines) < 2:
        return []
    room = WIDTH_PX / columns
    names: list[str] = []
    for line in one.lines:
        room -= 48 + min(len(line.name), 40) * CHAR_PX
        if room < 0:
            break
        names.append(line.name)
    return names


def _traces(
    one: Answer, x: str, y: str, legend: str, theme: Theme, named: Sequence[str]
) -> list[dict[str, Any]]:
    colors = line_colors(theme)
    band = one.panel.kind == "band"
    made = []
    for number, line in enumerate(one.lines):
        color = colors[number % len(colors)]
        trace: dict[str, Any] = {
            "type": "scatter",
            "mode": "lines+markers" if len(line.times) < 3 else "lines",
            "x": time_axis(line.times),
            "y": line.values,
            "name": html.escape(line.name, quote=False),
            "xaxis": x,
            "yaxis": y,
            "legend": legend,
            "showlegend": number < len(named),
            "line": {"color": color, "width": 1.6 if len(line.times) <= DENSE else 1.1},
            "connectgaps": False,
        }
        if band and number < len(BAND_SHADES):
            trace["line"]["color"] = rgba(colors[0], BAND_SHADES[number])
            if number:
                trace |= {"fill": "tonexty", "fillcolor": rgba(colors[0], 0.12)}
        made.append(trace)
    return made


def _title_text(one: Answer) -> str:
    return textwrap.shorten(one.panel.title.replace("\n", " "), 58, placeholder="…")


def _title(
    one: Answer,
    left: float,
    top: float,
    inside: int,
    look: dict[str, str],
    named: int,
) -> dict[str, Any]:
    text = f"<b>{html.escape(_title_text(one), quote=False)}</b>"
    hidden = one.found - (named or min(1, one.found))
    if named and hidden > 0:
        shown = "" if one.found == len(one.lines) else f", {len(one.lines)} drawn"
        text += f" <span style='color:{look['muted']}'>+{hidden}{shown}</span>"
    return {
        "text": text, "xref": "paper", "yref": "paper", "x": left,
        "y": top + (22 if named else 5) / inside,
        "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left",
        "font": {"size": 12.5, "color": look["ink"]}, "captureevents": False,
        "hovertext": html.escape(one.panel.expr, quote=False),
    }  # fmt: skip


def _note(text: str, xref: str, yref: str, look: dict[str, str]) -> dict[str, Any]:
    return {
        "text": text, "xref": xref, "yref": yref, "x": 0.5, "y": 0.5, "showarrow": False,
        "font": {"size": 12, "color": look["muted"]}, "align": "left",
    }  # fmt: skip


def _wrapped(text: str) -> str:
    lines = [part for line in text.splitlines()[:4] for part in textwrap.wrap(line, 80)[:3] or [""]]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def _shape(span: Span, x: str, y: str) -> dict[str, Any]:
    alert = span.kind == "alert"
    return {
        "type": "rect", "xref": x, "yref": f"{y} domain",
        "x0": _iso(span.start_ns), "x1": _iso(span.end_ns),
        "y0": 0.965 if alert else 0.0, "y1": 1.0,
        "fillcolor": rgba(span.color, 0.9 if alert else 0.13),
        "line": {"width": 0}, "layer": "above" if alert else "below",
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
                "x": _iso(begin), "y": 0.96, "xanchor": "left", "yanchor": "top", "xshift": 1,
                "showarrow": False, "font": {"size": 10, "color": look["muted"]},
            }
        )  # fmt: skip
    return named


def _name(letter: str, number: int) -> str:
    return letter if number == 0 else f"{letter}{number + 1}"


def _axis(name: str) -> str:
    return f"{name[0]}axis{name[1:]}"


def _iso(nanoseconds: int) -> str:
    return str(np.datetime64(int(nanoseconds), "ns").astype("datetime64[ms]"))
