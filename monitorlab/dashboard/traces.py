"""Traces: what an answer looks like inside its plot, one function for each kind of panel.

Pure functions that give plain dictionaries for Plotly.

>>> from monitorlab.dashboard.panels import Panel
>>> drawn = draw(Answer(Panel("up")), Place("x", "y", "legend", "light", (0.0, 1.0), (0.0, 1.0)))
>>> drawn.traces
[]
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from monitorlab.dashboard.ahead import Fan
from monitorlab.dashboard.answers import Answer, Line
from monitorlab.dashboard.grids import Grid
from monitorlab.dashboard.look import ACCENT, CLEAR, INK, SCALES, line_colors
from monitorlab.dashboard.units import axis_format
from monitorlab.plotting import SEVERITY_COLORS, Theme, rarity, rarity_axis, rgba, time_axis

__all__ = ["Drawn", "Place", "draw", "iso", "lane_name", "names_in_legend"]

DENSE = 700  # points; a line of more is drawn finer
BAND_SHADES = (1.0, 0.7, 0.42)  # of one colour, from the median outwards
LANE_PX = 11
RARITY_ROOM = 3.3  # of a score's axis, at least
CELL_PX = 25
LANE_CHARS = 18  # of a rule's name beside its lane


@dataclass(frozen=True)
class Place:
    """Where in the figure a panel is drawn.

    Parameters
    ----------
    x, y, legend : str
        Names of its axes and its legend, as Plotly calls them.
    theme : {"light", "dark"}
        Colours.
    across, upward : tuple of float
        Its part of the width and of the height.
    named : tuple of str
        Names of the lines that stand in the legend.

    Examples
    --------
    >>> Place("x", "y", "legend", "light", (0.0, 1.0), (0.0, 1.0)).named
    ()
    """

    x: str
    y: str
    legend: str
    theme: Theme
    across: tuple[float, float]
    upward: tuple[float, float]
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """Traces of a panel, and what its axes want.

    Parameters
    ----------
    traces : list of dict
        For Plotly.
    x, y : dict
        Changes of its axes.
    shapes : list of dict
        Lines across the plot.

    Examples
    --------
    >>> Drawn([]).shapes
    []
    """

    traces: list[dict[str, Any]]
    x: dict[str, Any] = field(default_factory=dict)
    y: dict[str, Any] = field(default_factory=dict)
    shapes: list[dict[str, Any]] = field(default_factory=list)


def draw(one: Answer, place: Place) -> Drawn:
    """Draw an answer.

    Parameters
    ----------
    one : Answer
        What is shown; nothing is drawn of an answer with a problem that has no content.
    place : Place
        Where.

    Returns
    -------
    Drawn

    Examples
    --------
    >>> from monitorlab.dashboard.panels import Panel
    >>> draw(Answer(Panel("up")), Place("x", "y", "legend", "dark", (0.0, 1.0), (0.0, 1.0))).shapes
    []
    """
    made = _DRAWERS.get(one.panel.kind, _lines)(one, place)
    if one.panel.capacity is not None and made.traces:
        made.shapes.append(_level(one.panel.capacity, place, "#D55E00"))
    return made


def iso(nanoseconds: int) -> str:
    """Write a time as Plotly wants it in layouts: UTC, milliseconds, no zone.

    Parameters
    ----------
    nanoseconds : int
        Since the epoch.

    Returns
    -------
    str

    Examples
    --------
    >>> iso(1_500_000_000)
    '1970-01-01T00:00:01.500'
    """
    return str(np.datetime64(int(nanoseconds), "ns").astype("datetime64[ms]"))


def lane_name(name: str) -> str:
    """Shorten the name of a rule to the room beside its lane.

    Parameters
    ----------
    name : str
        The rule's name.

    Returns
    -------
    str

    Examples
    --------
    >>> lane_name("HighRequestLatencyOfCheckout")
    'HighRequestLatenc…'
    """
    return name if len(name) <= LANE_CHARS else f"{name[: LANE_CHARS - 1]}…"


def _base(place: Place) -> dict[str, Any]:
    return {"xaxis": place.x, "yaxis": place.y}


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _line(line: Line, place: Place, color: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(line.times) < 3 else "lines",
        "x": time_axis(line.times),
        "y": line.values,
        "name": _escaped(line.name),
        **_base(place),
        "legend": place.legend,
        "showlegend": line.name in place.named,
        "line": {"color": color, "width": 1.6 if len(line.times) <= DENSE else 1.1},
        "connectgaps": False,
        "hovertemplate": "%{y}",
    }


def _lines(one: Answer, place: Place) -> Drawn:
    colors = line_colors(place.theme)
    band = one.panel.kind == "band"
    traces = []
    for number, line in enumerate(one.lines):
        trace = _line(line, place, colors[number % len(colors)])
        if band and number < len(BAND_SHADES):
            trace["line"]["color"] = rgba(colors[0], BAND_SHADES[number])
            if number:
                trace |= {"fill": "tonexty", "fillcolor": rgba(colors[0], 0.12)}
        traces.append(trace)
    names = [line.name for line in one.lines]
    for line in one.before:
        number = names.index(line.name) if line.name in names else 0
        trace = _line(line, place, rgba(colors[number % len(colors)], 0.65))
        trace["line"] |= {"dash": "dot", "width": 1.4}
        traces.append(trace | {"name": f"{_escaped(line.name)}, before", "showlegend": False})
    return Drawn(traces)


def _cells(one: Answer, place: Place) -> Drawn:
    grid: Grid | None = one.content
    if grid is None:
        return Drawn([])
    look = INK[place.theme]
    axis = axis_format(one.panel.unit, float(np.nanmax(np.abs(grid.cells))))
    if grid.is_share:
        cell = "%{x|%H:%M:%S}<br>%{y}: %{z:.1%}<extra></extra>"
    else:
        cell = (
            f"%{{y}} %{{x}}:00<br>%{{z:{axis['hoverformat']}}}{axis['ticksuffix']}<extra></extra>"
        )
    trace: dict[str, Any] = {
        "type": "heatmap", **_base(place), "z": grid.cells, "y": list(grid.rows),
        "colorscale": SCALES[place.theme], "hovertemplate": cell, "hoverongaps": False,
        "showscale": not grid.is_share, "xgap": 0 if grid.is_share else 1,
        "ygap": 0 if grid.is_share else 1,
    }  # fmt: skip
    labels = {
        "type": "category",
        "tickformat": "",
        "ticksuffix": "",
        "hoverformat": "",
        "tickfont": {"size": 11, "color": look["muted"]},
        "gridcolor": CLEAR,
    }
    if grid.times is not None:
        trace["x"] = time_axis(grid.times)
        trace["zmin"] = 0.0
        return Drawn([trace], y={**labels, "nticks": 8, "tickangle": 0})
    low, high = place.upward
    trace["x"] = list(range(24))
    trace["colorbar"] = {
        "thickness": 8, "len": high - low, "y": (low + high) / 2.0, "x": place.across[1] + 0.004,
        "xanchor": "left", "outlinewidth": 0, "nticks": 4, "ticks": "",
        "tickformat": axis["tickformat"], "ticksuffix": axis["ticksuffix"],
        "tickfont": {"size": 10, "color": look["muted"]},
    }  # fmt: skip
    hours = {
        "type": "linear", "range": [-0.5, 23.5], "tickvals": list(range(0, 24, 3)),
        "ticktext": [f"{hour:02d}" for hour in range(0, 24, 3)], "gridcolor": CLEAR,
        "hoverformat": "",
    }  # fmt: skip
    return Drawn([trace], x=hours, y={**labels, "autorange": "reversed"})


def _fan(one: Answer, place: Place) -> Drawn:
    content: Fan | None = one.content
    if content is None:
        return Drawn([])
    color = line_colors(place.theme)[0]
    muted = INK[place.theme]["muted"]
    x = time_axis(content.times)
    traces: list[dict[str, Any]] = []
    for number, (level, lower, upper) in enumerate(content.bands):
        edge = {"width": 0, "color": color}
        name = f"{level:.0%} of samples"
        shade = rgba(color, 0.10 + 0.07 * number)
        traces += [
            {"type": "scatter", "mode": "lines", "x": x, "y": upper, **_base(place),
             "line": edge, "showlegend": False, "name": f"{name}, upper",
             "hoverinfo": "skip" if number else "all"},
            {"type": "scatter", "mode": "lines", "x": x, "y": lower, **_base(place),
             "line": edge, "showlegend": False, "fill": "tonexty", "fillcolor": shade,
             "name": f"{name}, lower", "hoverinfo": "skip" if number else "all"},
        ]  # fmt: skip
    for line in one.lines:
        traces.append(_line(line, place, muted))
    traces.append(
        {"type": "scatter", "mode": "lines", "x": x, "y": content.mean, **_base(place),
         "name": "forecast", "showlegend": False, "line": {"color": color, "width": 2.0}}
    )  # fmt: skip
    newest = int(content.times[0])
    ahead = int(content.times[-1]) - newest
    oldest = min((int(line.times[0]) for line in one.lines if len(line.times)), default=newest)
    limits = [iso(max(oldest, newest - 2 * ahead)), iso(newest + ahead)]
    return Drawn(traces, x={"range": limits, "fixedrange": True})


def _score(one: Answer, place: Place) -> Drawn:
    """Draw scores on the scale of rarity: most are near 1, and only how near tells."""
    made = _lines(one, place)
    top = RARITY_ROOM
    for trace in made.traces:
        rare = rarity(trace["y"])
        trace["line"]["width"] = 1.3
        trace |= {
            "y": rare, "hovertemplate": "1 − 10<sup>−%{y:.2f}</sup>",
            "fill": "tozeroy", "fillcolor": rgba(ACCENT[place.theme], 0.10),
        }  # fmt: skip
        top = max(top, float(np.max(rare[np.isfinite(rare)], initial=0.0)))
    if one.content is not None and made.traces:
        level = float(rarity(np.array([one.content.threshold]))[0])
        made.shapes.append(_level(level, place, INK[place.theme]["muted"]))
        top = max(top, level)
    made.y.update({**rarity_axis(top + 0.3), "rangemode": "normal"})
    return made


def _lanes(one: Answer, place: Place) -> Drawn:
    if one.content is None:
        return Drawn([])
    names = [_escaped(lane_name(name)) for name in one.content.names]
    by_level: dict[str, list[tuple[int, Any]]] = {}
    for row, firings in enumerate(one.content.firings):
        for span in firings:
            by_level.setdefault(span.severity.value, []).append((row, span))
    traces = []
    for level in ("info", "warning", "error", "critical"):
        x: list[Any] = []
        y: list[Any] = []
        said: list[str] = []
        for row, span in by_level.get(level, []):
            x += [iso(span.start_ns), iso(span.end_ns), None]
            y += [row, row, None]
            state = "fires" if span.is_open else "fired"
            said += [_escaped(f"{span.label} {state} ({level})")] * 2 + [""]
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "x": x, "y": y, **_base(place),
             "text": said, "hovertemplate": "%{text}<extra></extra>", "name": level,
             "showlegend": False, "connectgaps": False,
             "line": {"color": SEVERITY_COLORS[level], "width": LANE_PX},
             "marker": {"symbol": "line-ns-open", "size": LANE_PX,
                        "line": {"width": 1.5, "color": SEVERITY_COLORS[level]}}}
        )  # fmt: skip
    axis = {
        "type": "linear", "tickvals": list(range(len(names))), "ticktext": names,
        "range": [len(names) - 0.4, -0.6], "rangemode": "normal", "tickformat": "",
        "ticksuffix": "", "visible": True,
    }  # fmt: skip
    return Drawn(traces, y=axis)


def _table(one: Answer, place: Place) -> Drawn:
    if one.content is None:
        return Drawn([])
    look = INK[place.theme]
    columns = one.content.columns
    cells = [[_escaped(row[n]) for row in one.content.rows] for n in range(len(columns))]
    align = ["left"] + ["right"] * (len(columns) - 1)
    common = {"align": align, "height": CELL_PX, "line": {"color": look["rule"], "width": 1}}
    trace = {
        "type": "table", "domain": {"x": list(place.across), "y": list(place.upward)},
        "columnwidth": [3.2] + [1.0] * (len(columns) - 1),
        "header": {**common, "values": [f"<b>{name}</b>" for name in columns],
                   "fill": {"color": look["field"]}, "font": {"size": 11, "color": look["muted"]}},
        "cells": {**common, "values": cells, "fill": {"color": CLEAR},
                  "font": {"size": 12, "color": look["ink"]}},
    }  # fmt: skip
    return Drawn([trace])


def _level(value: float, place: Place, color: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": f"{place.x} domain", "yref": place.y, "x0": 0.0, "x1": 1.0,
        "y0": value, "y1": value, "line": {"color": color, "width": 1.2, "dash": "dash"},
    }  # fmt: skip


_DRAWERS: dict[str, Callable[[Answer, Place], Drawn]] = {
    "heatmap": _cells,
    "histogram": _cells,
    "forecast": _fan,
    "anomaly": _score,
    "alerts": _lanes,
    "table": _table,
}


def names_in_legend(one: Answer, room_px: float, *, char_px: float) -> Sequence[str]:
    """Give the names of lines that fit into one row above the plot; one line needs none.

    Parameters
    ----------
    one : Answer
        The lines.
    room_px : float
        Width of the plot.
    char_px : float
        Width of a character.

    Returns
    -------
    sequence of str

    Examples
    --------
    >>> from monitorlab.dashboard.panels import Panel
    >>> names_in_legend(Answer(Panel("up")), 500.0, char_px=6.6)
    []
    """
    if len(one.lines) < 2:
        return []
    names: list[str] = []
    for line in one.lines:
        room_px -= 48 + min(len(line.name), 40) * char_px
        if room_px < 0:
            break
        names.append(line.name)
    return names
