"""Palette, template, bands and downsampling that every monitorlab figure uses.

Colours are Okabe and Ito's (2008), which people with colour-blindness can tell apart.
Times go to Plotly as ``datetime64[ms]``: nanoseconds would arrive as integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = [
    "PALETTE",
    "SEVERITY_COLORS",
    "Theme",
    "add_bands",
    "add_threshold",
    "downsample",
    "new_figure",
    "rarity",
    "rarity_axis",
    "rgba",
    "time_axis",
]

Theme: TypeAlias = Literal["light", "dark"]

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#7F7F7F")
SEVERITY_COLORS = {
    "info": "#56B4E9",
    "warning": "#E69F00",
    "error": "#D55E00",
    "critical": "#C2185B",
    "ok": "#009E73",
}
RAREST = 9.0  # scores are drawn up to one in 10^9
_RARITY_TICKS = {0.0: "0", 1.0: "0.9", 3.0: "0.999", 6.0: "1 − 10⁻⁶", 9.0: "1 − 10⁻⁹"}
_INK = {"light": "#24292f", "dark": "#e6e6e6"}
_PAPER = {"light": "#ffffff", "dark": "#111418"}
_GRID = {"light": "rgba(0,0,0,0.08)", "dark": "rgba(255,255,255,0.10)"}


def new_figure(
    *,
    title: str = "",
    rows: int = 1,
    height: int | None = None,
    theme: Theme = "light",
    titles: Iterable[str] = (),
    row_heights: list[float] | None = None,
    shared_x: bool = True,
) -> go.Figure:
    """Make an empty figure with the shared look.

    Parameters
    ----------
    title : str
        Shown at the top left.
    rows : int
        Subplots one above the other, sharing the time axis.
    height : int, optional
        Pixels; 320 for one row and 180 for each further one by default.
    theme : {"light", "dark"}
        Colours of ink and paper.
    titles : iterable of str
        One for each row.
    row_heights : list of float, optional
        Relative heights.
    shared_x : bool
        Whether the rows share their x axis.

    Returns
    -------
    plotly.graph_objects.Figure
        Ready for traces.

    Examples
    --------
    >>> new_figure(title="latency").layout.title.text
    'latency'
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    names = list(titles)
    figure = (
        go.Figure()
        if rows == 1 and not names
        else make_subplots(
            rows=rows,
            cols=1,
            shared_xaxes=shared_x,
            vertical_spacing=min(0.08, 0.24 / max(rows, 1)),
            subplot_titles=names or None,
            row_heights=row_heights,
        )
    )
    for note in figure.layout.annotations:  # the titles of rows: at the left, never cut in half
        note.update(x=0, xanchor="left", font={"size": 12}, text=_shortened(note.text))
    figure.update_layout(
        title={"text": title, "x": 0.01, "xanchor": "left", "font": {"size": 15}},
        height=height or 320 + 180 * (rows - 1),
        template="none",
        colorway=list(PALETTE),
        font={"family": "system-ui, sans-serif", "size": 12, "color": _INK[theme]},
        paper_bgcolor=_PAPER[theme],
        plot_bgcolor=_PAPER[theme],
        margin={"l": 60, "r": 20, "t": _top(title, names), "b": 64},
        hovermode="x unified" if rows == 1 else "x",
        hoverlabel={"namelength": -1},
        # At the lower edge whatever the height, so that it never meets the axis.
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0, "x": 0},
    )
    figure.update_xaxes(gridcolor=_GRID[theme], zeroline=False, linecolor=_GRID[theme])
    figure.update_yaxes(gridcolor=_GRID[theme], zeroline=False, linecolor=_GRID[theme])
    return figure


def _top(title: str, names: list[str]) -> int:
    """Give the upper margin in pixels: a line for the title, one for the first row's."""
    return 20 + 28 * bool(title) + 22 * bool(names)


def _shortened(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def time_axis(times: Any) -> np.ndarray:
    """Give times as the ``datetime64[ms]`` array (UTC) that Plotly draws as dates.

    Parameters
    ----------
    times : pandas.DatetimeIndex or numpy.ndarray, shape (n,)
        Aware index, or ``int64`` nanoseconds since the epoch.

    Returns
    -------
    numpy.ndarray of datetime64[ms], shape (n,)

    Examples
    --------
    >>> time_axis(np.array([0, 1_500_000_000])).astype(str).tolist()
    ['1970-01-01T00:00:00.000', '1970-01-01T00:00:01.500']
    """
    if isinstance(times, np.ndarray) and times.dtype.kind == "i":
        return (times // 1_000_000).astype("datetime64[ms]")
    index = pd.DatetimeIndex(times)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return index.to_numpy().astype("datetime64[ms]")


def downsample(
    times: np.ndarray, values: np.ndarray, n_out: int = 2_000
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the samples that keep the look of a line (MinMaxLTTB).

    Parameters
    ----------
    times, values : numpy.ndarray, shape (n,)
        Samples in time order.
    n_out : int
        Samples wanted at the most.

    Returns
    -------
    times, values : numpy.ndarray, shape (<= n_out,)
        Real samples, none made up; NaN survive as breaks where they are chosen.

    Notes
    -----
    Cost O(n); 1 million samples take about 7 ms. Steinarsson (2013), "Downsampling Time
    Series for Visual Representation"; Van Der Donckt et al. (2023), "MinMaxLTTB".

    Examples
    --------
    >>> t, v = downsample(np.arange(10_000), np.sin(np.arange(10_000) / 50.0), 200)
    >>> len(t)
    200
    """
    if len(values) <= n_out or n_out < 3:
        return times, values
    from tsdownsample import MinMaxLTTBDownsampler, NaNMinMaxLTTBDownsampler

    y = np.ascontiguousarray(values, dtype=np.float64)
    sampler = NaNMinMaxLTTBDownsampler() if np.isnan(y).any() else MinMaxLTTBDownsampler()
    x = np.ascontiguousarray(times).view(np.int64) if times.dtype.kind == "M" else times
    picked = sampler.downsample(np.ascontiguousarray(x), y, n_out=n_out - n_out % 2)
    rows = np.asarray(picked).astype(np.intp)
    return times[rows], values[rows]


def add_bands(
    figure: go.Figure,
    spans: Iterable[tuple[Any, Any, str, str]],
    *,
    opacity: float = 0.16,
    row: Any = None,
) -> go.Figure:
    """Shade spans of time, for example incidents or firing alerts.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place and returned.
    spans : iterable of (start, end, label, color)
        Half-open spans; color is any CSS color.
    opacity : float
        0 to 1.
    row : int or "all", optional
        Subplot row.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> fig = add_bands(new_figure(), [("2026-01-01", "2026-01-02", "x", "red")])
    >>> len(fig.layout.shapes)
    1
    """
    plain: list[tuple[Any, Any, str, str]] = []
    labelled: list[tuple[Any, Any, str, str]] = []
    for span in spans:
        (labelled if span[2] or not isinstance(row, int) else plain).append(span)
    if plain:
        figure.layout.shapes += _rectangles(figure, plain, row, opacity)
    where = {} if row is None else {"row": row, "col": 1}
    for start, end, label, color in labelled:
        x0, x1 = _edges(start, end)
        note = (
            {
                "annotation_text": label,
                "annotation_position": "top left",
                "annotation_font_size": 10,
            }
            if label
            else {}
        )
        figure.add_vrect(
            x0=x0, x1=x1, fillcolor=color, opacity=opacity, line_width=0, layer="below",
            **note, **where,
        )  # fmt: skip
    return figure


def _rectangles(
    figure: go.Figure, spans: list[tuple[Any, Any, str, str]], row: int, opacity: float
) -> tuple[dict[str, Any], ...]:
    """Give one shape a span; put in all at once (``add_vrect`` takes a millisecond each)."""
    axes = figure.get_subplot(row, 1)
    x, y = (axis.plotly_name.replace("axis", "") for axis in (axes.xaxis, axes.yaxis))
    edges = [_edges(start, end) for start, end, _, _ in spans]
    return tuple(
        {
            "type": "rect", "xref": x, "yref": f"{y} domain", "x0": x0, "x1": x1, "y0": 0,
            "y1": 1, "fillcolor": span[3], "opacity": opacity, "line": {"width": 0},
            "layer": "below",
        }
        for (x0, x1), span in zip(edges, spans, strict=True)
    )  # fmt: skip


def _edges(start: Any, end: Any) -> tuple[str, str]:
    x0, x1 = (pd.Timestamp(t).isoformat().replace("+00:00", "") for t in (start, end))
    return x0, x1


def add_threshold(
    figure: go.Figure, value: float, *, label: str = "threshold", color: str = "#D55E00"
) -> go.Figure:
    """Draw a horizontal dashed line with its name.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed in place and returned.
    value : float
        Height.
    label : str
        Name at its right end.
    color : str
        CSS color.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> len(add_threshold(new_figure(), 3.0).layout.shapes)
    1
    """
    figure.add_hline(
        y=value, line_dash="dash", line_color=color, line_width=1.5,
        annotation_text=label, annotation_position="top right", annotation_font_size=10,
    )  # fmt: skip
    return figure


def rgba(color: str, alpha: float) -> str:
    """Give a ``#rrggbb`` color with a transparency.

    Parameters
    ----------
    color : str
        Six hexadecimal digits behind ``#``.
    alpha : float
        0 (clear) to 1 (solid).

    Returns
    -------
    str
        CSS ``rgba(…)``.

    Examples
    --------
    >>> rgba("#0072B2", 0.5)
    'rgba(0,114,178,0.5)'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def rarity(scores: np.ndarray) -> np.ndarray:
    """Put scores on the scale of rarity, where 0.9, 0.99 and 0.999 are evenly spaced.

    Parameters
    ----------
    scores : numpy.ndarray
        From 0 to 1; NaN stays.

    Returns
    -------
    numpy.ndarray
        ``-log10(1 - score)``, at most 9.

    Examples
    --------
    >>> rarity(np.array([0.0, 0.9, 0.999, 1.0])).round(6).tolist()
    [0.0, 1.0, 3.0, 9.0]
    """
    return np.asarray(np.minimum(-np.log10(np.maximum(1.0 - scores, 1e-12)), RAREST) + 0.0)


def rarity_axis(top: float) -> dict[str, Any]:
    """Give range and ticks of an axis of rarity.

    Parameters
    ----------
    top : float
        Where it ends, on the scale of `rarity`.

    Returns
    -------
    dict
        ``range``, ``tickvals`` and ``ticktext`` of a Plotly axis.

    Examples
    --------
    >>> rarity_axis(3.3)["ticktext"]
    ['0', '0.9', '0.999']
    """
    ticks = {y: text for y, text in _RARITY_TICKS.items() if y <= top}
    return {"range": [0.0, top], "tickvals": list(ticks), "ticktext": list(ticks.values())}
