"""Spans behind the lines: marked incidents, and alerts while they fired.

>>> rows = [(0, "Slow", "firing", "error", "a"), (60, "Slow", "resolved", "error", "a")]
>>> [(s.start_ns, s.end_ns, s.kind) for s in alert_spans(rows, 100)]
[(0, 60, 'alert')]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from monitorlab.model import Incident, Severity
from monitorlab.plotting import SEVERITY_COLORS

__all__ = ["AlertRow", "Span", "alert_spans", "incident_spans", "rows_of_events", "within"]

AlertRow = tuple[int, str, str, str, str]


@dataclass(frozen=True)
class Span:
    """A stretch of time with a name and a colour.

    Parameters
    ----------
    start_ns, end_ns : int
        Half-open, nanoseconds.
    kind : {"incident", "alert", "anomaly"}
        What it is.
    label : str
        Name: kind of the incident, or of the rule.
    severity : Severity
        Decides the colour.
    text : str
        More about it.
    is_open : bool
        Whether it goes on.

    Examples
    --------
    >>> Span(0, 1, "incident", "cpu", Severity.ERROR).color
    '#D55E00'
    """

    start_ns: int
    end_ns: int
    kind: Literal["incident", "alert", "anomaly"]
    label: str
    severity: Severity
    text: str = ""
    is_open: bool = False

    @property
    def color(self) -> str:
        """Colour of its severity."""
        return SEVERITY_COLORS[self.severity.value]


def incident_spans(incidents: Iterable[Incident]) -> list[Span]:
    """Give the spans of marked incidents.

    Parameters
    ----------
    incidents : iterable of Incident
        Labelled truth.

    Returns
    -------
    list of Span

    Examples
    --------
    >>> incident_spans([Incident.make(0, 60, "cpu_hog")])[0].label
    'cpu_hog'
    """
    return [
        Span(
            int(i.start.as_unit("ns").value),
            int(i.end.as_unit("ns").value),
            "incident",
            i.kind,
            i.severity,
            i.description or ", ".join(i.metrics),
        )
        for i in incidents
    ]


def alert_spans(rows: Iterable[AlertRow], end_ns: int) -> list[Span]:
    """Pair firings with their ends.

    Parameters
    ----------
    rows : iterable of (time_ns, rule, state, severity, series)
        Alert events in order of time.
    end_ns : int
        Where a firing ends that goes on.

    Returns
    -------
    list of Span

    Examples
    --------
    >>> alert_spans([(5, "Slow", "firing", "error", "a")], 9)[0].is_open
    True
    """
    open_: dict[tuple[str, str], tuple[int, Severity]] = {}
    spans: list[Span] = []
    for time_ns, rule, state, severity, series in rows:
        key = (rule, series)
        level = Severity.parse(severity)
        if state == "firing":
            open_.setdefault(key, (time_ns, level))
        elif state == "escalated" and key in open_:
            open_[key] = (open_[key][0], max(open_[key][1], level))
        elif state == "resolved" and key in open_:
            start, worst = open_.pop(key)
            spans.append(Span(start, time_ns, "alert", rule, worst, series))
    spans += [
        Span(start, max(end_ns, start + 1), "alert", rule, worst, series, is_open=True)
        for (rule, series), (start, worst) in open_.items()
    ]
    return sorted(spans, key=lambda s: (s.start_ns, s.label))


def rows_of_events(events: Any) -> list[AlertRow]:
    """Read alert events of a feed, or of the table of a backtest.

    Parameters
    ----------
    events : iterable of FeedEvent, or pandas.DataFrame
        What happened.

    Returns
    -------
    list of (time_ns, rule, state, severity, series)

    Examples
    --------
    >>> rows_of_events([])
    []
    """
    if hasattr(events, "itertuples"):
        times = events["time"].astype("datetime64[ns, UTC]").astype("int64")
        identity = events["labels"] if "labels" in events else events["series"]
        return [
            (int(t), str(rule), str(state), str(severity), str(who))
            for t, rule, state, severity, who in zip(
                times, events["rule"], events["state"], events["severity"], identity, strict=True
            )
        ]
    return [
        (
            int(e.time.as_unit("ns").value),
            e.name,
            e.state,
            e.severity.value,
            e.series if e.detail is None else repr(e.detail.labels),
        )
        for e in events
        if e.kind == "alert"
    ]


def within(spans: Iterable[Span], start_ns: int, end_ns: int) -> list[Span]:
    """Give the spans that touch a range.

    Parameters
    ----------
    spans : iterable of Span
        All of them.
    start_ns, end_ns : int
        The range.

    Returns
    -------
    list of Span

    Examples
    --------
    >>> within([Span(0, 5, "alert", "a", Severity.INFO)], 5, 9)
    []
    """
    return [span for span in spans if span.start_ns < end_ns and span.end_ns > start_ns]
