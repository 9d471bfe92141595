"""The sections of a report as plain dictionaries: pure functions of findings and a span.

>>> overlap(pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-02"),
...         pd.Timestamp("2026-01-01T12:00"), pd.Timestamp("2026-01-03"))
Timedelta('0 days 12:00:00')
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.display import format_number, to_plain
from monitorlab.model import SeriesKey, Severity
from monitorlab.overview import judge
from monitorlab.times import format_duration

if TYPE_CHECKING:
    from monitorlab.overview import Attainment, Findings, Health

__all__ = ["deltas", "forecast_rows", "horizon", "overlap"]

TOP = 12
SPARK = 48
LEAST = 0.01
SURE = 3.0
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
            "previous_health": None, "objectives": [], "deltas": [], "incidents": [], "alerts": [],
            "anomaly_count": 0, "anomalies": [], "changes": [],
        }  # fmt: skip
    end = findings.end
    span = pd.Timedelta(span_ns, unit="ns")
    start = max(end - span, findings.start)
    seen = _Seen(findings, start, end)
    before = max(start - span, findings.start)
    known = start - before >= span / 2
    earlier = _missed(findings.objectives_before.get(span_ns, ()))
    previous = _Seen(findings, before, start).health(earlier) if known else None
    objectives = findings.objectives.get(span_ns, ())
    order = np.nan_to_num(seen.events["score"].to_numpy(dtype=float)).argsort()[::-1][:TOP]
    return {
        "horizon": name,
        "start": to_plain(start),
        "end": to_plain(end),
        "covered_ratio": float(min(1.0, (end - start) / span)) if span_ns else 0.0,
        "health": seen.health(_missed(objectives)).to_dict(),
        "previous_health": None if previous is None else previous.to_dict(),
        "objectives": [one.to_dict() for one in objectives],
        "deltas": deltas(
            findings.signals, end, span, directions=findings.directions, units=findings.units
        ),
        "incidents": [_incident(row) for _, row in seen.incidents.iterrows()],
        "alerts": seen.alerts,
        "anomaly_count": len(seen.events),
        "anomalies": [_anomaly(seen.events.iloc[i], seen.explained[i]) for i in order],
        "changes": [_change(row) for _, row in _strongest(seen.changes).iterrows()],
    }


def deltas(
    signals: Mapping[SeriesKey, pd.Series],
    end: pd.Timestamp,
    span: pd.Timedelta,
    *,
    directions: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
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
    directions : mapping of str to str, optional
        Which way is worse ("up", "down"), by signal.
    units : mapping of str to str, optional
        Unit by metric.

    Returns
    -------
    list of dict
        The clearest changes first, at most twelve; empty when less than half of the previous
        span is recorded. ``spark`` holds means of equal parts of both spans, oldest first.

    Notes
    -----
    Clear is what is large beside the usual wobble: the difference of the means over the standard
    deviation of both spans together. A signal that moved by less than 1 %, by less than a
    tenth of that deviation, or by less than three standard errors (with the autocorrelation of
    the samples in mind) is left out.

    Examples
    --------
    >>> index = pd.date_range("2026-01-01", periods=4, freq="1min", tz="UTC")
    >>> both = {SeriesKey("q"): pd.Series([1.0, 1.0, 2.0, 2.0], index=index)}
    >>> deltas(both, index[-1], pd.Timedelta("2min"))[0]["change_percent"]
    100.0
    """
    rows: list[tuple[float, dict[str, Any]]] = []
    middle, first = (end - span).value, (end - 2 * span).value
    for key, series in signals.items():
        times = series.index.as_unit("ns").asi8
        if not len(times) or middle - times[0] < span.value / 2:
            continue
        values = series.to_numpy(dtype=float)
        low, mid, high = np.searchsorted(times, [first, middle, end.value], side="right")
        parts = [part[np.isfinite(part)] for part in (values[low:mid], values[mid:high])]
        if not all(len(part) for part in parts):
            continue
        previous, current = (float(part.mean()) for part in parts)
        if previous == 0 or abs(current - previous) < LEAST * abs(previous):
            continue
        spread = float(np.concatenate(parts).std())
        rise = current - previous
        way = (directions or {}).get(str(key))
        row = {
            "metric": key.metric,
            "title": str(key),
            "unit": (units or {}).get(key.metric, ""),
            "current": current,
            "previous": previous,
            "change_percent": 100.0 * rise / abs(previous),
            "verdict": "changed"
            if way is None
            else "worse"
            if (rise > 0) == (way == "up")
            else "better",
            "spark": _spark(values[low:high]),
        }
        if abs(rise) >= max(0.1 * spread, SURE * _doubt(parts)):
            rows.append((abs(rise) / spread, row))
    rows.sort(key=lambda pair: (-pair[0], pair[1]["title"]))
    return [row for _, row in rows[:TOP]]


def _doubt(parts: Sequence[np.ndarray]) -> float:
    """Give the standard error of the difference of two means, autocorrelation in mind."""
    rests = [part - part.mean() for part in parts]
    power = sum(float(rest @ rest) for rest in rests)
    spare = sum(len(rest) for rest in rests) - 2
    if power <= 0 or spare <= 0:
        return 0.0
    alike = sum(float(rest[1:] @ rest[:-1]) for rest in rests) / power
    alike = min(max(alike, 0.0), 0.99)
    share = (1 - alike) / (1 + alike)
    return float(np.sqrt(power / spare * sum(1 / max(1.0, len(rest) * share) for rest in rests)))


def _spark(values: np.ndarray) -> list[float | None]:
    """Give means of so many equal parts."""
    parts = np.array_split(values, min(SPARK, len(values)))
    means = [float(p[np.isfinite(p)].mean()) if np.isfinite(p).any() else None for p in parts]
    return [None if m is None else float(f"{m:.5g}") for m in means]


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
        growth = forecast.monthly_growth
        known = forecast.history.dropna()
        limit = None if forecast.capacity is None else float(forecast.capacity.iloc[0])
        current = float(known.iloc[-1])
        reach = forecast.time_to_capacity
        rows.append(
            {
                "series": series,
                "horizon": format_number(span),
                "model": forecast.model,
                "current": current,
                "limit": limit,
                "used_ratio": current / limit if limit else None,
                "end_mean": float(forecast.mean.iloc[-1]),
                "end_lower": float(forecast.lower.iloc[-1]),
                "end_upper": float(forecast.upper.iloc[-1]),
                "capacity": capacity_text(forecast),
                "time_to_capacity": None if reach is None else reach.to_dict(),
                "peaks": _peaks(forecast),
                "monthly_growth": None if growth is None else growth.to_dict(),
                "mase": to_plain(accuracy.mase),
                "baseline_mase": to_plain(accuracy.naive_mase),
                "coverage": to_plain(accuracy.coverage),
            }
        )
    return rows


def _peaks(forecast: Any) -> list[dict[str, Any]]:
    table = forecast.peaks
    return [] if table is None else to_plain(table.reset_index())


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


class _Seen:
    """What of the findings lies in a span."""

    def __init__(self, findings: Findings, start: pd.Timestamp, end: pd.Timestamp) -> None:
        self.start, self.end = start, end
        self.incidents = self._spans(findings.incidents)
        self.events = self._spans(findings.anomalies)
        times = findings.changes["time"]
        self.changes = findings.changes[(times >= start) & (times <= end)]
        self.alerts = _alerts(self._spans(findings.firings), findings.rule_scores, start, end)
        self.explained = [
            _incident_of(row["start"], findings.incidents) for _, row in self.events.iterrows()
        ]

    def health(self, missed: Mapping[str, Any] | None = None) -> Health:
        """Judge the span."""
        seconds = max((self.end - self.start).total_seconds(), 1e-9)
        shares = {
            row["rule"]: (Severity.parse(row["severity"]), row["firing_seconds"] / seconds)
            for row in self.alerts
        }
        worse = dict.fromkeys(self.changes.loc[self.changes["worse"].eq(True), "series"])
        return judge(
            firing=shares,
            worse=list(worse),
            anomalies=sum(kind is None for kind in self.explained),
            incidents=list(self.incidents["kind"]),
            missed=missed,
        )

    def _spans(self, table: pd.DataFrame) -> pd.DataFrame:
        if not len(table):
            return table
        return table[(table["end"] >= self.start) & (table["start"] <= self.end)]


def _missed(standing: Sequence[Attainment]) -> dict[str, float]:
    return {one.objective.name: one.burn_rate or 0.0 for one in standing if one.is_met is False}


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
