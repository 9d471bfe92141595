"""The picture of anomalies: values with their band, events by kind, and the scores below.

>>> sorted(SYMBOLS)[:2]
['dip', 'flat-line']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.anomaly.kinds import KINDS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.anomaly.result import Anomalies

__all__ = ["MAX_PLOTS", "SYMBOLS", "draw"]

MAX_PLOTS = 6  # series drawn; those with most events
MAX_SCORES = 12  # score lines drawn
POINTS = 1_500  # of each line
SYMBOLS = {
    "spike": "triangle-up",
    "dip": "triangle-down",
    "level shift": "square",
    "trend change": "diamond",
    "variance change": "hourglass",
    "seasonal break": "star",
    "flat-line": "line-ew-open",
    "gap": "x-thin-open",
    "unusual pattern": "circle",
}
_BAND = "rgba(86,180,233,0.25)"
SPOKE = 0.12  # share in a joint event from which on it is drawn in a series


def draw(found: Anomalies, series: str | None = None) -> go.Figure:
    """Draw each series with its band and its events, and the scores below.

    Parameters
    ----------
    found : Anomalies
        What was found.
    series : str, optional
        The one series to draw; by default up to six, those with the most events first.

    Returns
    -------
    plotly.graph_objects.Figure

    Notes
    -----
    Events are shaded from start to end and marked at their peak: the symbol says the kind,
    the colour the severity, the text under the pointer the whole explanation. Scores are
    drawn on the scale of rarity, ``-log10(1 - score)``: 0.9, 0.99, 0.999 are evenly spaced.
    Lines are thinned to 1 500 points each by what the eye sees.

    Examples
    --------
    >>> from monitorlab import anomaly
    >>> index = pd.date_range("2026-01-01", periods=300, freq="min", tz="UTC")
    >>> queue = pd.Series(np.arange(300) % 10.0, index=index, name="queue")
    >>> [trace.name for trace in draw(anomaly.detect(queue)).data]
    ['usual', 'usual', 'expected', 'queue', 'score']
    """
    from monitorlab.plotting import new_figure

    names = [series] if series is not None else _busiest(found)
    heights = [1.0] * len(names) + [0.6]
    figure = new_figure(
        rows=len(heights),
        height=220 + 180 * len(names),
        titles=[*(name or "value" for name in names), "score"],
        title=found.summary(),
        row_heights=heights,
    )
    for row, name in enumerate(names, start=1):
        _add_series(figure, found, name, row)
    _add_marks(figure, found, names)
    _add_scores(figure, found, names, len(heights))
    for note in figure.layout.annotations[: len(heights)]:
        note.update(x=0.0, xanchor="left", font={"size": 12})
    figure.update_layout(
        showlegend=True,
        legend={
            "orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0.0, "x": 0.0,
            "itemsizing": "constant",
        },
        margin={"l": 70, "r": 20, "t": 70, "b": 80},
    )  # fmt: skip
    return figure


def _busiest(found: Anomalies) -> list[str]:
    names = list(found.series)
    counts = found.events["series"].value_counts()
    for shares in found.events.get("shares", ()):
        counts = counts.add(pd.Series(shares, dtype=float), fill_value=0.0)
    ranked = sorted(names, key=lambda n: (-float(counts.get(n, 0.0)), names.index(n)))
    return ranked[:MAX_PLOTS]


def _add_series(figure: go.Figure, found: Anomalies, name: str, row: int) -> None:
    from monitorlab.plotting import PALETTE, SEVERITY_COLORS, add_bands

    series, trace = found.series[name], found.traces[name]
    first = row == 1
    if "upper" in trace and bool(trace["upper"].notna().any()):
        seen = trace.iloc[_shown(trace["expected"])]
        for column, fill in (("upper", None), ("lower", "tonexty")):
            _line(
                figure, row, seen[column], "usual", fill=fill, fillcolor=_BAND,
                line={"width": 0}, hoverinfo="skip", legendgroup="usual",
                showlegend=first and fill is not None,
            )  # fmt: skip
        _line(
            figure, row, seen["expected"], "expected", hoverinfo="skip", legendgroup="expected",
            line={"color": "rgba(127,127,127,0.9)", "width": 1, "dash": "dot"}, showlegend=first,
        )  # fmt: skip
        _frame_values(figure, row, series, seen)
    _line(
        figure, row, series.iloc[_shown(series)], name or "value",
        line={"color": PALETTE[0], "width": 1.3}, showlegend=False,
    )  # fmt: skip
    mine = _events_of(found, name)
    spans = [(e.start, e.end, "", SEVERITY_COLORS[e.severity]) for e in mine.itertuples()]
    add_bands(figure, spans, row=row, opacity=0.14)


def _frame_values(figure: go.Figure, row: int, series: pd.Series, seen: pd.DataFrame) -> None:
    """Let the values fill the plot; a band that is far wider at the start may leave it."""
    values = series.to_numpy()
    finite = values[np.isfinite(values)]
    band = seen[["lower", "upper"]].to_numpy()
    band = band[np.isfinite(band).all(axis=1)]
    if not len(finite) or not len(band):
        return
    low = min(float(finite.min()), float(np.quantile(band[:, 0], 0.02)))
    high = max(float(finite.max()), float(np.quantile(band[:, 1], 0.98)))
    if np.isfinite(high - low) and high > low:
        room = 0.06 * (high - low)
        figure.update_yaxes(range=[low - room, high + room], row=row, col=1)


def _add_marks(figure: go.Figure, found: Anomalies, names: list[str]) -> None:
    from monitorlab.plotting import SEVERITY_COLORS, time_axis

    shown: set[str] = set()
    for row, name in enumerate(names, start=1):
        mine = _events_of(found, name)
        series = found.series[name].dropna()
        for kind in KINDS:
            rows = mine[mine["kind"] == kind]
            if not len(rows) or not len(series):
                continue
            at = series.index.searchsorted(rows["peak"].to_numpy(), side="right") - 1
            figure.add_scatter(
                x=time_axis(pd.DatetimeIndex(rows["peak"])),
                y=series.to_numpy()[np.maximum(at, 0)],
                mode="markers", name=kind, legendgroup=kind, showlegend=kind not in shown,
                marker={
                    "symbol": SYMBOLS[kind], "size": 10,
                    "color": [SEVERITY_COLORS[s] for s in rows["severity"]],
                    "line": {"color": "#ffffff" if "open" not in SYMBOLS[kind] else None,
                             "width": 2 if "open" in SYMBOLS[kind] else 1},
                },
                text=[_wrapped(found.explain(int(i))) for i in rows.index],
                hovertemplate="%{text}<extra></extra>", row=row, col=1,
            )  # fmt: skip
            shown.add(kind)


def _add_scores(figure: go.Figure, found: Anomalies, names: list[str], row: int) -> None:
    from monitorlab.plotting import PALETTE, rarity, rarity_axis, rgba

    scores = found.scores
    if isinstance(scores, pd.Series):
        lines = {"score": scores}
    else:
        columns = [name for name in names if name in scores] or list(scores.columns)
        lines = {str(name): scores[name] for name in columns[:MAX_SCORES]}
    for n, (name, line) in enumerate(lines.items()):
        kept = line.dropna()
        rare = pd.Series(rarity(kept.to_numpy()), index=kept.index)
        picked = _shown(rare)
        color = PALETTE[n % len(PALETTE)]
        _line(
            figure, row, rare.iloc[picked], name, showlegend=False,
            line={"width": 1, "color": color, "shape": "hv"},
            fill="tozeroy" if len(lines) == 1 else None, fillcolor=rgba(color, 0.15),
            customdata=kept.to_numpy()[picked], hovertemplate="%{customdata:.6f}",
        )  # fmt: skip
    levels = {found.threshold, *found.thresholds.values()}
    for level in sorted(levels):
        figure.add_hline(
            y=float(rarity(np.array([level]))[0]), line_dash="dash", line_color="#D55E00",
            line_width=1.2, annotation_text=f"threshold {level:.6g}", row=row, col=1,
            annotation_position="top left", annotation_font_size=10,
        )  # fmt: skip
    top = max((float(t.y.max()) for t in figure.data[-len(lines) :] if len(t.y)), default=1.0)
    top = max(top, *(float(rarity(np.array([level]))[0]) for level in levels)) + 0.6
    figure.update_yaxes(**rarity_axis(top), row=row, col=1)


def _line(figure: go.Figure, row: int, drawn: pd.Series, name: str, **look: Any) -> None:
    from monitorlab.plotting import time_axis

    values = _short(drawn.to_numpy(dtype=np.float64))
    figure.add_scatter(
        x=time_axis(drawn.index), y=values, mode="lines", name=name, row=row, col=1, **look
    )


def _shown(line: pd.Series) -> np.ndarray:
    """Give the rows that keep the look of a line."""
    from monitorlab.plotting import downsample

    rows = np.arange(len(line), dtype=np.int64)
    picked, _ = downsample(rows, line.to_numpy(dtype=np.float64), POINTS)
    return np.sort(picked)


def _short(values: np.ndarray) -> np.ndarray:
    """Round to five digits: more cannot be seen, and pictures are stored in notebooks."""
    with np.errstate(all="ignore"):
        scale = 10.0 ** (4 - np.floor(np.log10(np.abs(values))))
        short = np.round(values * scale) / scale
    return np.where(np.isfinite(short), short, values)


def _events_of(found: Anomalies, name: str) -> pd.DataFrame:
    if not found.together:
        return found.events[found.events["series"] == name]
    mine = [
        shares.get(name, 0.0) >= min(SPOKE, max(shares.values(), default=0.0))
        for shares in found.events["shares"]
    ]
    return found.events[np.array(mine, dtype=bool)]


def _wrapped(text: str, width: int = 70) -> str:
    import textwrap

    return "<br>".join(textwrap.wrap(text, width))
