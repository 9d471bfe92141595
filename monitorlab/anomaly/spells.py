"""From joint scores to events: what the series that leads a spell does, and what all miss.

>>> import numpy as np, pandas as pd
>>> from monitorlab import anomaly
>>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
>>> queue = pd.Series(np.arange(600) % 10.0, index=index).drop(index[550:580])
>>> disk = (2.0 * queue).where(queue.index != index[500], 400.0)
>>> found = anomaly.detect({"queue": queue, "disk": disk}, together=True)
>>> found.events[["kind", "shares"]].values.tolist()
[['spike', {'disk': 1.0}], ['gap', {'queue': 0.5, 'disk': 0.5}]]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.anomaly.absences import find_flat_lines, find_gaps
from monitorlab.anomaly.events import event_table, find_events, severity_of
from monitorlab.anomaly.joint import SLACK, spell_end

__all__ = ["joint_events"]

Floats = npt.NDArray[np.float64]

LEAST_SHARE = 0.01  # a smaller part in an event is left out
ALIKE = 0.5  # of the longer of two absences that both must share to be one
CALLED = 0.9999999


def joint_events(
    joint: pd.DataFrame,
    shares: pd.DataFrame,
    traces: Mapping[str, pd.DataFrame],
    series: Mapping[str, pd.Series],
    threshold: float,
) -> pd.DataFrame:
    """List what happened to several series as one system.

    Parameters
    ----------
    joint, shares : pandas.DataFrame
        What ``joint_scores`` found.
    traces : mapping of str to pandas.DataFrame
        What ``Ensemble.trace`` found for each series.
    series : mapping of str to pandas.Series
        The samples.
    threshold : float
        Joint score at and above which a moment alarms.

    Returns
    -------
    pandas.DataFrame
        One row a spell of joint alarms, described by the series with the greatest share in it
        at its alarm; and one row a gap or a flat line, which no score speaks of. Columns
        ``EVENT_COLUMNS`` and ``shares``: the series by their share, the greatest first, without
        those below a hundredth; they sum to one. Series in which samples are missing, or that
        stood still, at the same time share one event alike.

    Notes
    -----
    Cost O(samples) for each series that leads a spell, and some 0.3 ms an event.

    Examples
    --------
    >>> from monitorlab.anomaly.ensemble import Ensemble
    >>> from monitorlab.anomaly.joint import joint_scores
    >>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
    >>> disk = pd.Series(np.arange(600) % 10.0, index=index)
    >>> disk.iloc[500] = 400.0
    >>> traces = {"disk": Ensemble().trace(disk)}
    >>> events = joint_events(*joint_scores(traces), traces, {"disk": disk}, threshold=0.999)
    >>> events[["series", "kind", "shares"]].values.tolist()
    [['disk', 'spike', {'disk': 1.0}]]
    """
    spells = _spells(joint, shares, threshold)
    rows: list[dict[str, Any]] = []
    for lead in dict.fromkeys(spell["series"] for spell in spells):
        mine = [spell for spell in spells if spell["series"] == lead]
        found = _described(series[lead], traces[lead], [spell["time"] for spell in mine], lead)
        for spell, row in zip(mine, found, strict=True):
            rows.append({**row, **spell, "end": max(row["end"], spell["end"])})
    rows += _absent(series, rows)
    table = event_table(rows)
    table["shares"] = pd.Series([row["shares"] for row in rows], index=table.index, dtype=object)
    return table.sort_values(["time", "series"], kind="stable", ignore_index=True)


def _spells(joint: pd.DataFrame, shares: pd.DataFrame, threshold: float) -> list[dict[str, Any]]:
    """Give time, end, score, leading series and shares of each spell of alarms.

    A further alarm within a spell is a hundred times rarer; where none of the series of the
    spell has a part in it, it is something else.
    """
    tail = joint["tail"].to_numpy()
    parts = shares.to_numpy()
    alarms = np.flatnonzero(joint["score"].to_numpy() >= threshold)
    alarms = alarms[parts[alarms].any(axis=1)]
    spells: list[dict[str, Any]] = []
    begin, end = 0, 0
    for alarm in alarms.tolist():
        ranked = _ranked(shares.columns, parts[alarm])
        if alarm < end:
            if not spells[-1]["shares"].keys().isdisjoint(ranked):
                continue
            spells[-1] |= _extent(joint, begin, alarm)
        begin, end = alarm, spell_end(tail, alarm)
        lead = next(iter(ranked))
        spell = {"series": lead, "time": joint.index[alarm], "shares": ranked}
        spells.append(spell | _extent(joint, begin, end))
    return spells


def _extent(joint: pd.DataFrame, begin: int, end: int) -> dict[str, Any]:
    score = float(joint["tail"].to_numpy()[begin:end].max())
    severity = severity_of(score).value
    return {"end": joint.index[end - 1], "score": score, "severity": severity}


def _ranked(names: pd.Index, part: Floats) -> dict[str, float]:
    """Give the shares that matter, the greatest first; they sum to one."""
    ranked = np.argsort(-part, kind="stable")
    ranked = ranked[part[ranked] >= min(LEAST_SHARE, part.max())]
    whole = float(part[ranked].sum())
    return {str(names[k]): float(part[k]) / whole for k in ranked.tolist()}


def _described(
    series: pd.Series, trace: pd.DataFrame, times: list[pd.Timestamp], name: str
) -> list[dict[str, Any]]:
    """Describe what a leading series does at joint alarms, by alarms put into it.

    All at once, as each looks at the whole series; every alarm lies in one event.
    """
    tail = np.nan_to_num(trace["tail"].to_numpy(), nan=-1.0)
    forced = np.where(np.isnan(trace["score"]), np.nan, 0.0)
    called = []
    for last in (trace.index.searchsorted(pd.DatetimeIndex(times), side="right") - 1).tolist():
        first = max(0, last - SLACK)  # it may have spoken some samples before
        called.append(first + int(np.argmax(tail[first : last + 1])))
    forced[called] = 1.0
    found = find_events(series, trace.assign(score=forced), CALLED, name=name)
    starts = pd.DatetimeIndex(found["start"])
    rows = starts.searchsorted(trace.index[called], side="right") - 1
    return [{str(k): v for k, v in found.iloc[row].items()} for row in rows]


def _absent(series: Mapping[str, pd.Series], told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List gaps and flat lines; what several series share is one event."""
    lines = [
        row
        for name, values in series.items()
        for row in find_flat_lines(values, name=name).to_dict("records")
        if not any(_tells(event, row) for event in told)
    ]
    gaps = [
        row
        for name, values in series.items()
        for row in find_gaps(values, name=name).to_dict("records")
    ]
    return _shared(lines) + _shared(gaps)


def _tells(event: dict[str, Any], row: dict[str, Any]) -> bool:
    """Tell whether an event is a flat line already."""
    same = event["series"] == row["series"] and event["kind"] == row["kind"]
    return bool(same and event["start"] < row["end"] and row["start"] < event["end"])


def _shared(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make one event of absences at the same time; the longest speaks for all."""
    groups: list[list[dict[str, Any]]] = []
    recent: list[list[dict[str, Any]]] = []
    for row in sorted(rows, key=lambda r: r["start"]):
        recent = [group for group in recent if group[0]["end"] > row["start"]]
        group = next((g for g in recent if _alike(g[0], row)), None)
        if group is None:
            group = []
            groups.append(group)
            recent.append(group)
        group.append(row)
    events = []
    for group in groups:
        lead = max(group, key=lambda r: r["end"] - r["start"])
        names = [lead["series"], *(r["series"] for r in group if r["series"] != lead["series"])]
        events.append({**lead, "shares": dict.fromkeys(names, 1.0 / len(names))})
    return events


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    shared = min(one["end"], other["end"]) - max(one["start"], other["start"])
    longer = max(one["end"] - one["start"], other["end"] - other["start"])
    return bool(shared >= ALIKE * longer)
