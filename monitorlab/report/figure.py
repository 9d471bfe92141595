"""The timeline of a report: which signals tell most, and one Plotly figure of them.

>>> import monitorlab as ml
>>> ml.Report(ml.MonitoringFrame(), progress=False).findings.signals
{}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.overview import Findings

__all__ = ["telling", "timeline"]

_ROWS = 5


def timeline(findings: Findings) -> go.Figure:
    """Draw what moved most during incidents, the incidents, and when rules fired.

    Parameters
    ----------
    findings : Findings
        Of a recording with at least one sample.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
    >>> len(timeline(ml.Report(mf, progress=False).findings).data)
    1
    """
    from monitorlab.plotting import SEVERITY_COLORS, add_bands, downsample, new_figure, time_axis

    chosen = telling(findings)
    rules = sorted(set(findings.firings["rule"])) if len(findings.firings) else []
    rows = len(chosen) + bool(rules)
    figure = new_figure(
        rows=max(rows, 1),
        height=130 * len(chosen) + (60 + 18 * len(rules) if rules else 0) + 90,
        titles=[str(key) for key in chosen] + (["rules firing"] if rules else []),
        row_heights=[130.0] * len(chosen) + ([40.0 + 18 * len(rules)] if rules else []),
    )
    for row, key in enumerate(chosen, 1):
        series = findings.signals[key]
        times, values = downsample(series.index.asi8, series.to_numpy(dtype=float), 1500)
        figure.add_scatter(
            x=time_axis(times), y=values, mode="lines", line={"width": 1.2}, name=str(key),
            showlegend=False, row=row, col=1,
        )  # fmt: skip
    for _, firing in findings.firings.iterrows():
        color = SEVERITY_COLORS.get(str(firing["severity"]), "#7F7F7F")
        figure.add_scatter(
            x=time_axis(pd.DatetimeIndex([firing["start"], firing["end"]])),
            y=[firing["rule"]] * 2,
            mode="lines",
            line={"width": 9, "color": color},
            showlegend=False,
            name=str(firing["rule"]),
            row=rows,
            col=1,
        )
    add_bands(
        figure,
        [
            (row["start"], row["end"], "", SEVERITY_COLORS.get(str(row["severity"]), "#7F7F7F"))
            for _, row in findings.incidents.iterrows()
        ],
        row="all",
    )
    figure.update_yaxes(automargin=True)
    for _, incident in findings.incidents.iterrows():
        figure.add_annotation(
            x=time_axis(pd.DatetimeIndex([incident["start"]]))[0].item(), y=1.0, yref="paper",
            text=str(incident["kind"]), showarrow=False, textangle=-90, xanchor="left",
            yanchor="top", font={"size": 9},
        )  # fmt: skip
    return figure


def telling(findings: Findings) -> list[Any]:
    """Choose the few signals that together show the most incidents.

    Parameters
    ----------
    findings : Findings
        Of a recording with at least one sample.

    Returns
    -------
    list of SeriesKey
        At most five.

    Notes
    -----
    The effect of an incident on a signal is the distance of its median inside from the median of
    as long a time before, in robust deviations; signals are added one by one, each for what it
    shows better than those already chosen. Without incidents the most restless signals are taken.

    Examples
    --------
    >>> import monitorlab as ml
    >>> mf = ml.MonitoringFrame()
    >>> mf.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
    >>> telling(ml.Report(mf, progress=False).findings)
    [queue]
    """
    keys = sorted(findings.signals, key=str)
    effects = np.array([_effects(findings.signals[key], findings.incidents) for key in keys])
    picked: list[Any] = []
    shown = np.zeros(effects.shape[1] if effects.ndim == 2 else 0)
    while len(picked) < min(_ROWS, len(keys)):
        gain = np.maximum(effects - shown, 0.0).sum(axis=1)
        for i, key in enumerate(keys):
            if key.metric in {other.metric for other in picked}:
                gain[i] = -1.0
        best = int(gain.argmax())
        if gain[best] <= (0.5 if picked else -1.0):
            break
        picked.append(keys[best])
        shown = np.maximum(shown, effects[best])
    return picked


def _effects(series: pd.Series, incidents: pd.DataFrame) -> np.ndarray:
    """Give the effect of each incident on a signal, at most 10; a restlessness without any."""
    values = series.to_numpy(dtype=float)
    finite = np.isfinite(values)
    spread = float(np.subtract(*np.percentile(values[finite], [84, 16]))) / 2.0
    reach = float(np.ptp(values[finite]))
    if not len(incidents):
        return np.array([min(10.0, spread / reach if reach else 0.0)])
    found = np.zeros(len(incidents))
    scale = max(spread, 0.02 * reach)
    if scale == 0.0:
        return found
    times = series.index.asi8
    for i, (start, end) in enumerate(zip(incidents["start"], incidents["end"], strict=True)):
        begin, stop = start.value, end.value
        low, first, last = np.searchsorted(times, [2 * begin - stop, begin, stop])
        inside, before = values[first:last], values[low:first]
        inside, before = inside[np.isfinite(inside)], before[np.isfinite(before)]
        if len(inside) and len(before):
            found[i] = min(10.0, abs(float(np.median(inside) - np.median(before))) / scale)
    return found
