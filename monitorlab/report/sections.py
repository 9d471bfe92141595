"""The sections of a report as plain dictionaries: pure functions of findings and a span.

>>> overlap(pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02"),
...         pd.Timestamp("2026-01-01T12:00"), pd.Timestamp("2026-01-03"))
Timedelta('0 days 12:00:00')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import format_number, to_plain
from monitorlab.model import SeriesKey, Severity
from monitorlab.overview import judge
from monitorlab.times import format_duration

if TYPE_CHECKING:
    from monitorlab.overview import Findings

__all__ = ["deltas", "forecast_rows", "horizon", "overlap"]

TOP = 12
_ZERO = pd.Timedelta(0)


def overlap(
    start: pd.Timestamp, end: pd.Timestamp, first: pd.Timestamp, last: pd.Timestamp
) -> pd.Timedelta:
    """Give how long two half-open spans have in common.

    Parameters
    ----------
    start, end : pandas.Timestamp
        One span.
    first, last : pandas.Timestamp
        The other.

    Returns
    -------
    pandas.Timedelta
        Zero when they do not meet.

    Examples
    --------
    >>> overlap(pd.Timestamp(0), pd.Timestamp(5), pd.Timestamp(7), pd.Timestamp(9))
    Timedelta('0 days 00:00:00')
    """
    return max(_ZERO, min(end, last) - max(start, first))


def horizon(findings: Findings, span_ns: int) -> dict[str, Any]:
    """Make the section of one horizon: the last ``span_ns`` of the recording.

    Parameters
    ----------
    findings : Findings
        What the analyses found over the whole recording.
    span_ns : int
        Length of the horizon in nanoseconds.

    Returns
    -------
    dict
        As ``SCHEMA`` says.

    Examples
    --------
    >>> from monitorlab.overview import collect
    >>> from monitorlab.storage import SeriesStore
    >>> horizon(collect(SeriesStore()), 60 * 10**9)["health"]["status"]
    'unknown'
    """
    name = format_duration(span_ns)
    if findings.end is None or findings.start is None:
        unknown = {"status": "unknown", "score": 0, "reasons": ["nothing is recorded"]}
        return {
            "horizon": name, "start": None, "end": None, "covered_ratio": 0.0, "health": unknown,
            "deltas": [], "incidents": [], "alerts": [], "anomaly_count": 0, "anomalies": [],
            "changes": [],
        }  # fmt: skip
    end = findings.end
    span = pd.Timedelta(span_ns, unit="ns")
    start = max(end - span, findings.start)
    inside = _Inside(start, end)
    incidents = inside.spans(findings.incidents)
    firings = inside.spans(findings.firings)
    events = inside.spans(findings.anomalies)
    changes = findings.changes[findings.changes["time"] >= start]
    alerts = _alerts(firings, findings.rule_scores, start, end)
    seconds = max((end - start).total_seconds(), 1e-9)
    shares = {
        row["rule"]: (Severity.parse(row["severity"]), row["firing_seconds"] / seconds)
        for row in alerts
    }  # fmt: skip
    explained = [_incident_of(row["start"], findings.incidents) for _, row in events.iterrows()]
    worse = list(dict.fromkeys(changes.loc[changes["worse"].eq(True), "series"]))
    health = judge(
        firing=shares,
        worse=worse,
        anomalies=sum(kind is None for kind in explained),
        incidents=list(incidents["kind"]),
    )
    order = events["score"].to_numpy(dtype=float).argsort()[::-1][:TOP]
    return {
        "horizon": name,
        "start": to_plain(start),
        "end": to_plain(end),
        "covered_ratio": float(min(1.0, (end - start) / span)) if span_ns else 0.0,
        "health": health.to_dict(),
        "deltas": deltas(findings.signals, end, span),
        "incidents": [_incident(row) for _, row in incidents.iterrows()],
        "alerts": alerts,
        "anomaly_count": len(events),
        "anomalies": [_anomaly(events.iloc[i], explained[i]) for i in order],
        "changes": [_change(row) for _, row in _strongest(changes).iterrows()],
    }


def deltas(
    signals: Mapping[SeriesKey, pd.Series], end: pd.Timestamp, span: pd.Timedelta
) -> list[dict[str, Any]]:
    """Compare the mean of each signal over a span with the span before it.

    Parameters
    ----------
    signals : mapping of SeriesKey to pandas.Series
        Regular series.
    end : pandas.Timestamp
        End of the current span.
    span : pandas.Timedelta
        Its length; the previous one is as long.

    Returns
    -------
    list of dict
        The largest relative changes first, at most twelve; empty when less than half of the
        previous span is recorded.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=4, freq="1min", tz="UTC")
    >>> both = {SeriesKey("q"): pd.Series([1.0, 1.0, 2.0, 2.0], index=index)}
    >>> deltas(both, index[-1], pd.Timedelta("2min"))[0]["change_percent"]
    100.0
    """
    rows: list[dict[str, Any]] = []
    middle, first = end - span, end - 2 * span
    for key, series in signals.items():
        if not len(series) or middle - series.index[0] < span / 2:
            continue
        current = series[(series.index > middle) & (series.index <= end)].mean()
        previous = series[(series.index > first) & (series.index <= middle)].mean()
        if not (np.isfinite(current) and np.isfinite(previous)) or previous == 0:
            continue
        rows.append(
            {
                "metric": key.metric,
                "title": str(key),
                "unit": "",
                "current": float(current),
                "previous": float(previous),
                "change_percent": float(100.0 * (current - previous) / abs(previous)),
            }
        )
    return sorted(rows, key=lambda row: -abs(row["change_percent"]))[:TOP]


def forecast_rows(findings: Findings) -> list[dict[str, Any]]:
    """Make one row for each forecast.

    Parameters
    ----------
    findings : Findings
        With ``forecasts``.

    Returns
    -------
    list of dict
        As ``SCHEMA`` says.

    Examples
    --------
    >>> from monitorlab.overview import collect
    >>> from monitorlab.storage import SeriesStore
    >>> forecast_rows(collect(SeriesStore()))
    []
    """
    rows = []
    for series, forecast in findings.forecasts.items():
        accuracy = forecast.accuracy
        span = forecast.mean.index[-1] - forecast.history.index[-1]
        rows.append(
            {
                "series": series,
                "horizon": format_number(span),
                "model": forecast.model,
                "end_mean": float(forecast.mean.iloc[-1]),
                "end_lower": float(forecast.lower.iloc[-1]),
                "end_upper": float(forecast.upper.iloc[-1]),
                "capacity": capacity_text(forecast),
                "mase": to_plain(accuracy.mase),
                "baseline_mase": to_plain(accuracy.naive_mase),
                "coverage": to_plain(accuracy.coverage),
            }
        )
    return rows


def capacity_text(forecast: Any) -> str:
    """Say in words when a capacity is reached.

    Parameters
    ----------
    forecast : Forecast
        With or without a capacity.

    Returns
    -------
    str

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> capacity_text(SimpleNamespace(time_to_capacity=None))
    'no capacity given'
    """
    reach = forecast.time_to_capacity
    return "no capacity given" if reach is None else str(reach)


class _Inside:
    """Picks the rows of a table whose span meets the horizon."""

    def __init__(self, start: pd.Timestamp, end: pd.Timestamp) -> None:
        self.start, self.end = start, end

    def spans(self, table: pd.DataFrame) -> pd.DataFrame:
        if not len(table):
            return table
        return table[(table["end"] >= self.start) & (table["start"] <= self.end)]


def _incident_of(time: pd.Timestamp, incidents: pd.DataFrame) -> str | None:
    for _, row in incidents.iterrows():
        if row["start"] <= time < row["end"] + pd.Timedelta(seconds=60):
            return str(row["kind"])
    return None


def _alerts(
    firings: pd.DataFrame, scores: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp
) -> list[dict[str, Any]]:
    rows = []
    rates = (
        dict(zip(scores["rule"], scores["false_positive_rate"], strict=True)) if len(scores) else {}
    )
    for rule, group in firings.groupby("rule", sort=True) if len(firings) else ():
        seconds = sum(
            (overlap(row["start"], row["end"], start, end) for _, row in group.iterrows()), _ZERO
        ).total_seconds()
        rows.append(
            {
                "rule": str(rule),
                "severity": str(group["severity"].iloc[0]),
                "firings": len(group),
                "true_firings": int((group["incident"] != "").sum()),
                "firing_seconds": min(seconds, (end - start).total_seconds()),
                "false_positive_rate": to_plain(rates.get(rule)),
            }
        )
    return rows


def _incident(row: pd.Series) -> dict[str, Any]:
    delay = row["delay"]
    return {
        "start": to_plain(row["start"]),
        "end": to_plain(row["end"]),
        "kind": str(row["kind"]),
        "severity": str(row["severity"]),
        "metrics": [str(name) for name in row["metrics"]],
        "detected": str(row["rule"]) if row["detected"] else None,
        "delay_seconds": None if pd.isna(delay) else pd.Timedelta(delay).total_seconds(),
        "description": str(row["description"]),
    }


def _anomaly(row: pd.Series, incident: str | None) -> dict[str, Any]:
    fields = ("series", "start", "end", "peak", "kind", "severity", "value", "expected", "score")
    return {**{name: to_plain(row[name]) for name in fields}, "incident": incident}


def _change(row: pd.Series) -> dict[str, Any]:
    fields = ("series", "time", "before", "after", "effect_percent", "effect_std", "kind")
    worse = None if pd.isna(row["worse"]) else bool(row["worse"])
    verdict = {True: "worse", False: "better", None: "changed"}[worse]
    return {**{n: to_plain(row[n]) for n in fields}, "verdict": verdict, "worse": worse}


def _strongest(changes: pd.DataFrame) -> pd.DataFrame:
    if not len(changes):
        return changes
    size = changes["effect_std"].abs().astype(float)
    return changes.loc[size.sort_values(ascending=False).index[:TOP]]
