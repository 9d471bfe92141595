"""Pictures of backtests and of tuning (Plotly)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab import query
from monitorlab.alerting.scorecard import intervals
from monitorlab.alerting.signals import ask
from monitorlab.alerting.tree import threshold_of
from monitorlab.errors import UnknownNameError, did_you_mean
from monitorlab.plotting import (
    PALETTE,
    SEVERITY_COLORS,
    add_bands,
    downsample,
    new_figure,
    time_axis,
)
from monitorlab.times import to_index

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from monitorlab.alerting.backtest import Backtest
    from monitorlab.alerting.history import History
    from monitorlab.alerting.tuned import Tuned

__all__ = ["plot_backtest", "plot_tuned"]

MAX_LINES = 8  # series drawn for each rule
MAX_BANDS = 60  # incidents shaded in each row; the lanes below show all
MAX_TITLE = 110  # characters of an expression in a title
MAX_SPANS = 300  # pending and firing spans shaded in each row
_INCIDENT = "#7F7F7F"
_PENDING = "#F0E442"


def plot_backtest(
    result: Backtest, rules: Iterable[str] | None = None, *, max_rules: int = 6
) -> go.Figure:
    """Draw each rule's series and threshold, and lanes of incidents, pending and firing.

    Parameters
    ----------
    result : Backtest
        What to draw.
    rules : iterable of str, optional
        Names of the rules; the first ones unless given.
    max_rules : int
        At most so many.

    Returns
    -------
    plotly.graph_objects.Figure
        One row a rule, then one with the lanes; all share the time axis.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting import backtest
    >>> plot_backtest(backtest(store, AlertRule("Down", "up == 0"), [])).data[0].name
    'up'
    """
    histories = list(result.histories)
    if rules is not None:
        wanted = [rules] if isinstance(rules, str) else list(rules)
        known = [h.rule.name for h in histories]
        for name in wanted:
            if name not in known:
                msg = f"the backtest has no rule {name!r}{did_you_mean(name, known)}"
                raise UnknownNameError(msg)
        histories = [h for h in histories if h.rule.name in wanted]
    histories = histories[:max_rules]
    rows = len(histories) + 1
    figure = new_figure(
        title=result.summary(),
        rows=rows,
        titles=[*(f"<b>{h.rule.name}</b>  {_escaped(h)}" for h in histories), "<b>alerts</b>"],
        row_heights=[1.0] * len(histories) + [0.25 + 0.12 * len(histories)],
        height=200 + 170 * len(histories) + 40 * len(histories),
    )
    for row, history in enumerate(histories, start=1):
        _lines(figure, result, history, row)
    bands = [(i.start, i.end, "", _INCIDENT) for i in result.truth[:MAX_BANDS]]
    for row, history in enumerate(histories, start=1):
        add_bands(figure, bands, row=row, opacity=0.12)
        _spans(figure, history, row)
    _lanes(figure, result, histories, rows)
    figure.update_xaxes(range=list(time_axis(np.array([result.start.value, result.end.value]))))
    return figure


def _escaped(history: History) -> str:
    from html import escape

    text = " ".join(history.rule.expr.split())
    text = text if len(text) <= MAX_TITLE else f"{text[: MAX_TITLE - 1]}…"
    return escape(f"{text} for {history.rule.for_}", quote=False)


def _lines(figure: go.Figure, result: Backtest, history: History, row: int) -> None:
    import plotly.graph_objects as go

    cut = threshold_of(query.parse(history.rule.expr))
    times = history.signals.times
    if not len(times):
        return
    text = history.rule.expr if cut is None else query.to_promql(cut.value)
    answer = ask(
        result.data,
        text,
        int(times[0]),
        int(times[-1]),
        history.step_ns,
        result.context.options,
    )
    for i, key in enumerate(answer.keys[:MAX_LINES]):
        x, y = downsample(answer.times_ns, answer.values[i])
        figure.add_trace(
            go.Scatter(
                x=time_axis(x), y=y, mode="lines", name=str(key) or text,
                line={"width": 1.2, "color": PALETTE[i % len(PALETTE)]}, showlegend=False,
            ),
            row=row, col=1,
        )  # fmt: skip
    if cut is not None and math.isfinite(cut.number):
        figure.add_hline(
            y=cut.number, line_dash="dash", line_width=1.5, row=row, col=1,
            line_color=SEVERITY_COLORS[history.rule.severity.value],
            annotation_text=f"{cut.op} {cut.number:g}", annotation_font_size=10,
        )  # fmt: skip


def _spans(figure: go.Figure, history: History, row: int) -> None:
    """Shade where the rule was pending and where it fired."""
    times, lives = history.signals.times, history.lives
    if not len(times):
        return
    until = np.append(times, times[-1] + history.step_ns)
    start, end, _ = intervals(history)
    color = SEVERITY_COLORS[history.rule.severity.value]
    for begins, ends, shade, opacity in (
        (times[lives.pending_start], until[lives.pending_end], _PENDING, 0.35),
        (start, end, color, 0.3),
    ):
        spans = zip(to_index(begins, name=None), to_index(ends, name=None), strict=True)
        shaded = [(a, b, "", shade) for a, b in spans][:MAX_SPANS]
        add_bands(figure, shaded, row=row, opacity=opacity)


def _lanes(figure: go.Figure, result: Backtest, histories: list[History], row: int) -> None:
    truth = np.array([[i.start.value, i.end.value] for i in result.truth], dtype=np.int64)
    truth = truth.reshape(-1, 2)
    notes = [f"{i.kind}: {i.description}".rstrip(": ") for i in result.truth]
    _lane(figure, truth[:, 0], truth[:, 1], "incidents", _INCIDENT, "incident", row, notes)
    for history in histories:
        times, lives = history.signals.times, history.lives
        if not len(times):
            continue
        until = np.append(times, times[-1] + history.step_ns)
        name = history.rule.name
        _lane(
            figure, times[lives.pending_start], until[lives.pending_end], name, _PENDING,
            "pending", row,
        )  # fmt: skip
        start, end, rows = intervals(history)
        notes = [str(history.signals.keys[r]) for r in rows]
        color = SEVERITY_COLORS[history.rule.severity.value]
        _lane(figure, start, end, name, color, "firing", row, notes)
    figure.update_yaxes(
        row=row, col=1, type="category", categoryorder="array", automargin=True,
        categoryarray=[*[h.rule.name for h in reversed(histories)], "incidents"],
        range=[-0.6, len(histories) + 0.6],
    )  # fmt: skip


def _lane(
    figure: go.Figure,
    start: np.ndarray,
    end: np.ndarray,
    lane: str,
    color: str,
    what: str,
    row: int,
    notes: list[str] | None = None,
) -> None:
    """Draw intervals as thick strokes of one trace, broken by gaps."""
    import plotly.graph_objects as go

    if not len(start):
        return
    x = np.empty(3 * len(start), dtype="datetime64[ms]")
    x[0::3], x[1::3] = time_axis(start), time_axis(end)
    x[2::3] = np.datetime64("NaT", "ms")
    texts = [f"{what} {note}".strip() for note in (notes or [""] * len(start)) for _ in range(3)]
    y: list[Any] = [lane, lane, None] * len(start)
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines", name=what, text=texts, hoverinfo="x+text",
            line={"color": color, "width": 9}, showlegend=False, connectgaps=False,
        ),
        row=row, col=1,
    )  # fmt: skip


def plot_tuned(result: Tuned) -> go.Figure:
    """Draw every setting of a sweep by false-positive rate and recall.

    Parameters
    ----------
    result : Tuned
        What to draw.

    Returns
    -------
    plotly.graph_objects.Figure
        Settings on the training part, the frontier, the budget, and the choice on both parts.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting import tune
    >>> tuned = tune(store, AlertRule("Down", "up < 1"), [(15, 45)], thresholds=[1.0])
    >>> plot_tuned(tuned).data[0].name
    'settings'
    """
    import plotly.graph_objects as go

    sweep = result.sweep
    hover = [
        f"threshold {t:g}, for {f}" + (f", window {w}" if w else "")
        for t, f, w in zip(sweep["threshold"], sweep["for"], sweep["window"], strict=True)
    ]
    figure = new_figure(title=f"{result.rule.name}: {result.rule.expr} for {result.rule.for_}")
    figure.add_trace(
        go.Scatter(
            x=100 * sweep["false_positive_rate"], y=sweep["recall"], mode="markers", text=hover,
            name="settings", hovertemplate="%{text}<br>%{x:.3f} % false, recall %{y:.3f}",
            marker={
                "size": 6, "color": sweep["time_to_detect"], "colorscale": "Viridis",
                "colorbar": {"title": {"text": "seconds<br>to detect"}}, "opacity": 0.7,
            },
        )
    )  # fmt: skip
    front = result.frontier.groupby("false_positive_rate", as_index=False)["recall"].max()
    best = front[front["recall"].cummax() == front["recall"]]
    figure.add_trace(
        go.Scatter(
            x=100 * best["false_positive_rate"], y=best["recall"], mode="lines", name="frontier",
            line={"shape": "hv", "color": PALETTE[7]},
        )
    )  # fmt: skip
    parts = (result.original_held_out, result.train, result.held_out)
    for part, name, symbol, color in (
        (result.original_held_out, "original, held out", "x", PALETTE[5]),
        (result.train, "chosen, training part", "star-open", PALETTE[2]),
        (result.held_out, "chosen, held out", "star", PALETTE[2]),
    ):
        figure.add_trace(
            go.Scatter(
                x=[100 * part.false_positive_rate], y=[part.recall], mode="markers", name=name,
                marker={"size": 14, "symbol": symbol, "color": color},
            )
        )  # fmt: skip
    figure.add_vline(
        x=100 * result.max_false_positive_rate, line_dash="dash", line_width=1.5,
        line_color=SEVERITY_COLORS["error"], annotation_text="budget",
    )  # fmt: skip
    shown = [result.max_false_positive_rate, *(p.false_positive_rate for p in parts)]
    widest = 100 * 3 * max(x for x in shown if math.isfinite(x))  # the rest is a zoom away
    if widest > 0:
        figure.update_xaxes(range=[-0.03 * widest, widest])
    figure.update_xaxes(title_text="false-positive rate, %")
    figure.update_yaxes(title_text="recall", range=[-0.02, 1.05])
    return figure.update_layout(hovermode="closest", height=440, margin_b=100)
