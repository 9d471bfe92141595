"""Report as a page: a template file filled with the plain dictionary, and its figures.

>>> cell(0.25, "false_positive_rate")
'25.00 %'
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import format_number

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.overview import Findings

__all__ = ["cell", "fragment", "page", "timeline", "when"]

_ROWS = 5
_FIGURES = 4


def when(value: Any) -> str:
    """Write a time as date and time in UTC.

    Parameters
    ----------
    value : str or pandas.Timestamp or None
        ISO 8601 text or a time.

    Returns
    -------
    str

    Examples
    --------
    >>> when("2026-01-01T10:00:00+00:00")
    '2026-01-01 10:00:00'
    """
    return "–" if value is None else pd.Timestamp(value).strftime("%Y-%m-%d %H:%M:%S")


def cell(value: Any, key: str) -> str:
    """Write one table cell; the column's name says its kind.

    Parameters
    ----------
    value : object
        Plain JSON value.
    key : str
        Name of the column.

    Returns
    -------
    str

    Examples
    --------
    >>> cell(12.5, "delay_seconds"), cell(-3.2, "change_percent")
    ('12.5 s', '-3.2 %')
    """
    if value is None:
        return "–"
    if key in {"start", "end", "time", "peak"}:
        return when(value)
    if key in {"false_positive_rate", "coverage"}:
        return f"{100 * value:.2f} %"
    if key == "delay_seconds":
        return f"{format_number(value, digits=3)} s"
    if key == "firing_seconds":
        return format_number(pd.Timedelta(seconds=value))
    if key in {"change_percent", "effect_percent"}:
        return f"{format_number(value, digits=3)} %"
    if key == "score":
        return f"{value:.5f}"
    return format_number(value)


def page(report: dict[str, Any], findings: Findings) -> str:
    """Fill the page.

    Parameters
    ----------
    report : dict
        As ``Report.to_dict`` gives it.
    findings : Findings
        For the figures.

    Returns
    -------
    str
        HTML of one file: styles, scripts and data inside.

    Examples
    --------
    >>> import monitorlab as ml
    >>> "<html" in ml.Report(ml.MonitoringFrame(), progress=False).to_html()
    True
    """
    import jinja2
    from markupsafe import Markup

    from monitorlab import __version__

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["when"] = when
    environment.filters["cell"] = cell
    static = files("monitorlab") / "static"
    template = environment.from_string((static / "report.html.j2").read_text(encoding="utf-8"))
    has_figures = findings.end is not None
    figures = [timeline(findings)] if has_figures else []
    figures += [f.plot() for f in list(findings.forecasts.values())[:_FIGURES]]
    drawn = [Markup(_figure(figure, number)) for number, figure in enumerate(figures)]  # noqa: S704 - our own figures
    plotly_js = ""
    if drawn:
        from plotly.offline import get_plotlyjs

        plotly_js = Markup(get_plotlyjs())  # noqa: S704 - the library's own bundle
    return template.render(
        report=report,
        css=Markup((static / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our file
        plotly_js=plotly_js,
        timeline=drawn[0] if drawn else "",
        forecast_figures=drawn[1:],
        version=__version__,
    )


def fragment(report: dict[str, Any]) -> str:
    """Give the health cards and the incidents as a small piece of HTML for a notebook.

    Parameters
    ----------
    report : dict
        As ``Report.to_dict`` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> import monitorlab as ml
    >>> "Monitoring report" in ml.Report(ml.MonitoringFrame(), progress=False)._repr_html_()
    True
    """
    import html

    rows = "".join(
        f"<tr><td>last {html.escape(h['horizon'])}</td>"
        f"<td>{html.escape(h['health']['status'])}</td><td>{h['health']['score']}</td>"
        f"<td>{html.escape('; '.join(h['health']['reasons'][:3]))}</td></tr>"
        for h in report["horizons"]
    )
    advice = "".join(
        f"<li>[{html.escape(a['severity'])}] {html.escape(a['title'])}</li>"
        for a in report["recommendations"][:5]
    )
    return (
        f"<div><b>{html.escape(report['title'])}</b><table><thead><tr><th>horizon</th><th>health</th>"
        f"<th>score</th><th>reasons</th></tr></thead><tbody>{rows}</tbody></table><ol>{advice}</ol></div>"
    )


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

    chosen = _telling(findings)
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


def _telling(findings: Findings) -> list[Any]:
    """Choose the few signals that together show the most incidents.

    The effect of an incident on a signal is the distance of its median inside from the median of
    as long a time before, in robust deviations; signals are added one by one, each for what it
    shows better than those already chosen. Without incidents the most restless signals are taken.
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


def _figure(figure: go.Figure, number: int) -> str:
    """Give a figure as a piece of HTML that takes the page's colours."""
    figure.update_layout(
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"color": "#808893"}
    )
    figure.update_annotations(font={"color": "#808893"})
    grid = "rgba(128,128,128,0.18)"
    figure.update_xaxes(gridcolor=grid, linecolor=grid)
    figure.update_yaxes(gridcolor=grid, linecolor=grid)
    return figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=f"figure-{number}",
        config={"displaylogo": False, "responsive": True},
    )  # fmt: skip
