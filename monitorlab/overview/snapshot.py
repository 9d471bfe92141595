"""The state of things at one moment: every series, what fires, and a status with its reasons.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("queue", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [3.0, 4.0])
>>> snapshot(store).to_dict()["series"][0]["current"]
4.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab import alerting, anomaly
from monitorlab.alerting.groups import as_rules
from monitorlab.analysis_input import prepare
from monitorlab.cache import remember
from monitorlab.display import Result, format_number, to_plain
from monitorlab.model import MetricType, Severity
from monitorlab.overview.health import judge
from monitorlab.overview.signals import sampling_interval
from monitorlab.overview.steps import rule_interval
from monitorlab.recommend.watching import surprising
from monitorlab.times import DurationLike, format_duration, from_ns, parse_duration
from monitorlab.windows import window_stats

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Snapshot", "snapshot"]

# What the detector learns from before the window.
_LEARN = 1_000
_COLUMNS = ["current", "count", "min", "max", "mean", "median", "std", "p95", "p99", "rate"]
_MORE = ["age_seconds", "trend", "anomalies"]
_SILENT = 5  # a series is called silent when nothing came for so many of its intervals
_TAIL = 100  # rules are evaluated over so many steps at least, to know what fires at the end


@dataclass(frozen=True, repr=False, eq=False)
class Snapshot(Result):
    """What every series says at one moment.

    Parameters
    ----------
    as_of : pandas.Timestamp or None
        The moment; None when nothing is recorded.
    window : pandas.Timedelta
        Span of the statistics, ``(as_of - window, as_of]``.
    series : pandas.DataFrame
        One row a series: current value, statistics of the window, rate, age of the newest
        sample, trend over the window (rising, falling, stable; of a counter, of its rate) and
        number of anomalies in the window.
    alerts : pandas.DataFrame
        Alerts firing at that moment: rule, series, severity, since.
    status : {"ok", "warning", "critical", "unknown"}
        Overall.
    reasons : tuple of str
        Why.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> snapshot(SeriesStore()).status
    'unknown'
    """

    as_of: pd.Timestamp | None
    window: pd.Timedelta
    series: pd.DataFrame
    alerts: pd.DataFrame
    status: str
    reasons: tuple[str, ...]

    def summary(self) -> str:
        """Say status and reasons in one line."""
        return f"{self.status}: {'; '.join(self.reasons)}"

    def to_frame(self) -> pd.DataFrame:
        """Give one row for each series."""
        return self.series

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types in a stable shape."""
        return {
            "as_of": to_plain(self.as_of),
            "window_seconds": self.window.total_seconds(),
            "status": self.status,
            "reasons": list(self.reasons),
            "alerts": to_plain(self.alerts.reset_index(drop=True)),
            "series": to_plain(self.series),
        }

    def plot(self) -> go.Figure:
        """Draw where each series stands between its lowest and highest value of the window."""
        from monitorlab.plotting import PALETTE, new_figure

        table = self.series.head(40)
        span = (table["max"] - table["min"]).replace(0, np.nan)
        place = ((table["current"] - table["min"]) / span).fillna(0.5)
        figure = new_figure(title=self.summary(), height=120 + 18 * len(table))
        figure.add_scatter(
            x=place, y=list(table.index), mode="markers", marker={"size": 9, "color": PALETTE[0]},
            text=[f"{value:g}" for value in table["current"]],
            hovertemplate="%{y}: %{text}<extra></extra>",
        )  # fmt: skip
        figure.update_xaxes(range=[-0.03, 1.03], tickvals=[0, 1], ticktext=["lowest", "highest"])
        figure.update_yaxes(autorange="reversed", automargin=True)
        figure.update_layout(showlegend=False, hovermode="closest")
        return figure


def snapshot(
    source: Any, window: DurationLike = "5m", *, rules: Sequence[Any] | None = None
) -> Snapshot:
    """Say how everything stands as of the newest sample.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    window : duration
        Span of the statistics.
    rules : sequence of AlertRule, optional
        Rules whose firing alerts count.

    Returns
    -------
    Snapshot

    Raises
    ------
    TimeError
        If the window is no duration.

    Notes
    -----
    Statistics are one compiled call for all series. Anomalies are looked for in the window with
    the thousand samples before it as the past to compare with; counters are scored by their
    rate, buckets of histograms and series that do not move are left out. A detector calls one
    sample in a thousand by chance, so unusual series are a reason only when they are more than
    is usual in the same past. Kept by content: asked again about the same samples it costs one
    digest.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.record("up", 1.0, timestamp="2026-01-01T00:00Z")
    >>> print(snapshot(store).summary())
    ok: no rule fired, nothing unusual
    """
    span_ns = parse_duration(window)
    return remember("snapshot", lambda: _snapshot(source, span_ns, rules), source, span_ns, rules)


def _snapshot(source: Any, span_ns: int, rules: Sequence[Any] | None) -> Snapshot:
    span = pd.Timedelta(span_ns, unit="ns")
    views = [view for view in source.select(None) if len(view)]
    if not views:
        empty = pd.DataFrame(columns=[*_COLUMNS, *_MORE])
        return Snapshot(None, span, empty, _no_alerts(), "unknown", ("nothing is recorded",))
    end_ns = max(int(view.times[-1]) for view in views)
    end = from_ns(end_ns)
    types = {view.key.metric: source.metric(view.key.metric).type for view in views}
    table = window_stats(views, format_duration(span_ns), end, types=types)
    table.index = pd.Index([str(view.key) for view in views], name="series")
    table.insert(0, "current", [float(view.values[-1]) for view in views])
    ages = np.array([(end_ns - int(view.times[-1])) / 1e9 for view in views])
    table["age_seconds"] = ages
    ready = {view.key: _prepared(view, source, end_ns - span_ns) for view in views}
    table["trend"] = [
        _trend(one.index.asi8[inside], one.to_numpy(dtype=float)[inside])
        for one in ready.values()
        for inside in [one.index.asi8 > end_ns - span_ns]
    ]
    counts, unusual = _anomalies(source, ready, end - span, span)
    table["anomalies"] = [counts.get(str(view.key), 0) for view in views]
    alerts = _firing(source, views, rules, span_ns)
    intervals = np.array([sampling_interval([view]) / 1e9 for view in views])
    lengths = np.array([len(view) for view in views])
    silent = [
        str(view.key)
        for view, quiet in zip(views, (lengths > 2) & (ages > _SILENT * intervals), strict=True)
        if quiet
    ]
    more = [] if unusual is None else [unusual]
    if silent:
        named = ", ".join(silent[:2]) + (" …" if len(silent) > 2 else "")
        more.append((min(10.0, float(len(silent))), f"{len(silent)} silent series: {named}"))
    health = judge(
        firing={
            row["rule"]: (Severity.parse(row["severity"]), 1.0) for _, row in alerts.iterrows()
        },
        worse=[],
        anomalies=0,
        incidents=[],
        more=more,
    )
    return Snapshot(end, span, table, alerts, health.status, health.reasons)


def _no_alerts() -> pd.DataFrame:
    return pd.DataFrame(columns=["rule", "series", "severity", "since"])


def _firing(
    source: Any, views: Sequence[Any], rules: Sequence[Any] | None, span_ns: int
) -> pd.DataFrame:
    """Give the alerts that fire at the end of what is recorded.

    Only the end is evaluated: as much as the longest ``for`` needs, and twice as much for as
    long as something fires from the first step on. A rule that waits for a person or for
    another condition remembers everything, so then everything is evaluated.
    """
    if not rules:
        return _no_alerts()
    first = min(int(view.times[0]) for view in views)
    last = max(int(view.times[-1]) for view in views)
    interval = rule_interval(views)
    step = parse_duration(interval)
    known = as_rules(rules)
    holds = [
        parse_duration(rule.for_) + parse_duration(rule.keep_firing_for)
        for rule in known
        if isinstance(rule, alerting.AlertRule)
    ]
    tail = max([_TAIL * step, span_ns, *(2 * hold for hold in holds)])
    back = tail if all(_forgets(rule) for rule in known) else last - first
    while True:
        start = max(first, last - back)
        found = alerting.backtest(
            source, known, [], interval, start=from_ns(start), end=from_ns(last)
        ).firings
        still = found[found["open"].astype(bool)] if len(found) else found
        settled = start + max(holds, default=0) + 2 * step
        if start == first or not len(still) or still["start"].min().value > settled:
            break
        back *= 2
    return pd.DataFrame(
        {
            "rule": still["rule"], "series": still["series"], "severity": still["severity"],
            "since": still["start"],
        }
    ).reset_index(drop=True)  # fmt: skip


def _forgets(rule: Any) -> bool:
    """Tell whether what a rule says depends on its last ``for`` only."""
    return (
        isinstance(rule, alerting.AlertRule)
        and rule.auto_resolve
        and rule.resolve_expr is None
        and rule.m_of_n is None
        and rule.no_data != "keep"
    )


def _prepared(view: Any, source: Any, start_ns: int) -> pd.Series:
    """Give the window and the samples to learn from before it, counters as rates."""
    position = int(np.searchsorted(view.times, start_ns, side="right"))
    begin = max(0, position - _LEARN - 1)
    part = view.between(int(view.times[begin]), None) if begin < len(view) else view
    return prepare(part, source.metric(view.key.metric))


def _anomalies(
    source: Any, ready: dict[Any, pd.Series], start: pd.Timestamp, span: pd.Timedelta
) -> tuple[dict[str, int], tuple[float, str] | None]:
    """Count the anomalies of each series in the window; say it when more are unusual than usual."""
    watched = {
        key: series
        for key, series in ready.items()
        if len(series) > 2 and not _is_bucket(source, key.metric) and _moves(series)
    }
    if not watched:
        return {}, None
    events = anomaly.detect(watched).events
    if not len(events):
        return {}, None
    inside = events[events["end"] > start]
    counts = {str(name): int(n) for name, n in inside["series"].value_counts().items()}
    past = (start - min(series.index[0] for series in watched.values())) / span
    windows = max(1, int(past))
    usual = max(len(events) - len(inside), 1) / windows if past >= 1 else 0.0
    many = len(counts) >= surprising(usual, windows) and len(counts) > 2
    if not many:
        return counts, None
    share = len(counts) / len(watched)
    text = (
        f"{len(counts)} of {len(watched)} series unusual "
        f"(usual in this window: {format_number(usual, digits=2)})"
    )
    return counts, (20.0 if share >= 0.25 else 10.0, text)


def _is_bucket(source: Any, name: str) -> bool:
    base = name.removesuffix("_bucket")
    return base != name and source.metric(base).type is MetricType.HISTOGRAM


def _moves(series: pd.Series) -> bool:
    values = series.to_numpy(dtype=float)
    finite = values[np.isfinite(values)]
    return bool(len(finite) and np.ptp(finite) > 0)


def _trend(times: np.ndarray, values: np.ndarray) -> str:
    """Name the direction of a window: the rise of its line against the spread around it."""
    finite = np.isfinite(values)
    if finite.sum() < 3:
        return "unknown"
    t = (times[finite] - times[finite][0]) / 1e9
    v = values[finite]
    t = t - t.mean()
    square = float(t @ t)
    if square == 0:
        return "unknown"
    slope = float(t @ (v - v.mean())) / square
    left = v - v.mean() - slope * t
    error = float(np.sqrt((left @ left) / max(len(v) - 2, 1) / square))
    if abs(slope) <= 3.0 * error or slope == 0:
        return "stable"
    return "rising" if slope > 0 else "falling"
