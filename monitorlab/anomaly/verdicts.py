"""What people said of events: verdicts kept as incidents, and which events they are on.

>>> mark = Incident.make(0, 60, "expected", metrics=("up",))
>>> [verdict.kind for verdict in verdicts([mark, Incident.make(0, 60, "outage")])]
['expected']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.model import Incident

__all__ = [
    "VERDICTS",
    "Verdict",
    "judged_by",
    "verdict_incident",
    "verdicts",
    "verdicts_of",
    "verdicts_on",
]

Verdict = Literal["expected", "anomaly"]
VERDICTS = ("expected", "anomaly")


def verdicts(incidents: Iterable[Incident]) -> list[Incident]:
    """Give those incidents that are verdicts on events.

    Parameters
    ----------
    incidents : iterable of Incident
        Any.

    Returns
    -------
    list of Incident
        Those of kind ``"expected"`` or ``"anomaly"``; of several verdicts on the same span
        and series the last.

    Examples
    --------
    >>> one = Incident.make(0, 60, "expected", metrics=("up",))
    >>> other = Incident.make(0, 60, "anomaly", metrics=("up",))
    >>> [mark.kind for mark in verdicts([one, other, Incident.make(0, 60, "cpu_hog")])]
    ['anomaly']
    """
    kept: dict[tuple[Any, ...], Incident] = {}
    for incident in incidents:
        if incident.kind in VERDICTS:
            kept[incident.start, incident.end, incident.metrics] = incident
    return list(kept.values())


def verdicts_of(marks: Iterable[Incident], series: str) -> list[Incident]:
    """Give those verdicts that speak of one series.

    Parameters
    ----------
    marks : iterable of Incident
        Verdicts.
    series : str
        Its name, labels included.

    Returns
    -------
    list of Incident
        Those on the series, on its metric, and on no metric in particular.

    Examples
    --------
    >>> mark = Incident.make(0, 60, "expected", metrics=("up",))
    >>> len(verdicts_of([mark], 'up{job="a"}')), len(verdicts_of([mark], "load"))
    (1, 0)
    """
    return [mark for mark in marks if _touches(mark, series)]


def verdict_incident(events: pd.DataFrame, event: int, verdict: str) -> Incident:
    """Make the incident that keeps a verdict on an event.

    Parameters
    ----------
    events : pandas.DataFrame
        What was found.
    event : int
        Row in it.
    verdict : {"expected", "anomaly"}
        What people say of it.

    Returns
    -------
    Incident
        The span of the event, the verdict as its kind, the series as its metric.

    Raises
    ------
    ValueError
        If the verdict is another word.
    IndexError
        If there is no such event.

    Examples
    --------
    >>> from monitorlab.anomaly.absences import find_gaps
    >>> index = pd.date_range("2026-01-01", periods=100, freq="min", tz="UTC")
    >>> gaps = find_gaps(pd.Series(1.0, index=index).drop(index[50:80]), name="cpu")
    >>> verdict_incident(gaps, 0, "expected").description
    'gap of cpu, marked as expected'
    """
    if verdict not in VERDICTS:
        msg = f"a verdict is 'expected' or 'anomaly', got {verdict!r}"
        raise ValueError(msg)
    if not -len(events) <= event < len(events):
        msg = f"there are {len(events)} events, no number {event}"
        raise IndexError(msg)
    row = events.iloc[event]
    start, end, name = row["start"], row["end"], str(row["series"])
    shares = row.get("shares")
    moved = tuple(shares) if isinstance(shares, Mapping) else ()
    return Incident.make(
        start,
        end if end > start else start + pd.Timedelta(1, "ns"),
        verdict,
        severity="info" if verdict == "expected" else row["severity"],
        metrics=moved or ((name,) if name else ()),
        description=f"{row['kind']}{f' of {name}' if name else ''}, marked as {verdict}",
    )


def verdicts_on(events: pd.DataFrame, marks: Iterable[Incident]) -> npt.NDArray[np.object_]:
    """Give the last verdict on each event.

    Parameters
    ----------
    events : pandas.DataFrame
        The table of events.
    marks : iterable of Incident
        Verdicts.

    Returns
    -------
    numpy.ndarray of str, shape (n_events,)
        ``"expected"``, ``"anomaly"``, or ``""`` for none.

    Examples
    --------
    >>> start = pd.to_datetime([0, 90], unit="s", utc=True)
    >>> events = pd.DataFrame({"series": "up", "start": start, "end": start + pd.Timedelta("1m")})
    >>> verdicts_on(events, [Incident.make(30, 40, "expected", metrics=("up",))]).tolist()
    ['expected', '']
    """
    found = np.full(len(events), "", dtype=object)
    for mark in marks:
        found[judged_by(events, mark)] = mark.kind
    return found


def _touches(mark: Incident, name: str) -> bool:
    return not mark.metrics or name in mark.metrics or name.split("{", 1)[0] in mark.metrics


def judged_by(events: pd.DataFrame, mark: Incident) -> npt.NDArray[np.bool_]:
    """Tell which events a mark judges: those that overlap it and are of its series.

    Parameters
    ----------
    events : pandas.DataFrame
        The table of events.
    mark : Incident
        A verdict.

    Returns
    -------
    numpy.ndarray of bool, shape (n_events,)

    Examples
    --------
    >>> start = pd.to_datetime([0, 90], unit="s", utc=True)
    >>> events = pd.DataFrame({"series": "up", "start": start, "end": start + pd.Timedelta("1m")})
    >>> judged_by(events, Incident.make(30, 40, "expected", metrics=("up",))).tolist()
    [True, False]
    """
    start, end = events["start"], events["end"]
    inside = (start < mark.end) & (end > mark.start)
    overlaps = inside | (start == mark.start)
    found: npt.NDArray[np.bool_] = overlaps.to_numpy(dtype=bool, copy=True)
    found[found] = [_touches(mark, str(name)) for name in events["series"][found]]
    return found
