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
from monitorlab.display import Result, to_plain
from monitorlab.model import Severity
from monitorlab.overview.health import judge
from monitorlab.times import DurationLike, from_ns, parse_duration
from monitorlab.windows import window_stats

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Snapshot", "snapshot"]

# History that the detector learns from before the window, in windows.
_LEARN = 60
_COLUMNS = ["current", "count", "min", "max", "mean", "median", "std", "p95", "p99", "rate"]


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
        One row a series: current value, statistics, trend (change over the window in
        deviations: rising, falling, stable), number of anomalies in the window.
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
    Statistics are one compiled call for all series; anomalies are scored over the last sixty
    windows, so that the detector has a past to compare with. Counters are scored by their rate.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.record("up", 1.0, timestamp="2026-01-01T00:00Z")
    >>> print(snapshot(store).summary())
    ok: no rule fired, nothing unusual
    """
    span_ns = parse_duration(window)
    span = pd.Timedelta(span_ns, unit="ns")
    views = [view for view in source.select(None) if len(view)]
    if not views:
        empty = pd.DataFrame(columns=[*_COLUMNS, "trend", "anomalies"])
        return Snapshot(None, span, empty, _no_alerts(), "unknown", ("nothing is recorded",))
    end_ns = max(int(view.times[-1]) for view in views)
    end = from_ns(end_ns)
    types = {view.key.metric: source.metric(view.key.metric).type for view in views}
    table = window_stats(views, window, end, types=types)
    table.insert(0, "current", [float(view.values[-1]) for view in views])
    inside = [_last(view, end_ns, span_ns) for view in views]
    table["trend"] = [_trend(times, values) for times, values in inside]
    past = _recent(views, source, end_ns - _LEARN * span_ns, end_ns)
    events = anomaly.detect(past).events if past else pd.DataFrame({"series": [], "end": []})
    recent = events[events["end"] > end - span] if len(events) else events
    counts = recent["series"].value_counts() if len(recent) else pd.Series(dtype=int)
    table["anomalies"] = [int(counts.get(str(name), 0)) for name in table.index]
    alerts = _firing(source, rules)
    health = judge(
        firing={
            row["rule"]: (Severity.parse(row["severity"]), 1.0) for _, row in alerts.iterrows()
        },
        worse=[],
        anomalies=int((table["anomalies"] > 0).sum()),
        incidents=[],
    )
    return Snapshot(end, span, table, alerts, health.status, health.reasons)


def _no_alerts() -> pd.DataFrame:
    return pd.DataFrame(columns=["rule", "series", "severity", "since"])


def _firing(source: Any, rules: Sequence[Any] | None) -> pd.DataFrame:
    """Give the alerts that fire at the end of what is recorded."""
    if not rules:
        return _no_alerts()
    found = alerting.backtest(source, rules).firings
    still = found[found["open"].astype(bool)] if len(found) else found
    return pd.DataFrame(
        {
            "rule": still["rule"], "series": still["series"], "severity": still["severity"],
            "since": still["start"],
        }
    ).reset_index(drop=True)  # fmt: skip


def _recent(views: Sequence[Any], source: Any, start_ns: int, end_ns: int) -> dict[Any, pd.Series]:
    """Give the stretch that the detector reads, counters as rates."""
    from monitorlab.analysis_input import prepare

    found = {}
    for view in views:
        part = view.between(start_ns, end_ns + 1)
        if len(part) > 2:
            found[view.key] = prepare(part, source.metric(view.key.metric))
    return found


def _last(view: Any, end_ns: int, span_ns: int) -> tuple[np.ndarray, np.ndarray]:
    part = view.between(end_ns - span_ns + 1, end_ns + 1)
    return part.times, part.values


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
