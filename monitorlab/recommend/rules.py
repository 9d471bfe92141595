"""The rules by which results become advice. Each reads tables, none computes an analysis.

Order of thought: what will run out, what got worse and stays, what was missed by the alerts,
which alerts cry wolf, what nobody watches. Facts of the same moment are one cause.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from monitorlab.display import format_number
from monitorlab.model import Severity
from monitorlab.recommend.advice import Evidence, Recommendation, Recommendations

__all__ = ["recommend"]

# Changes of several series within this time of each other are told as one.
SAME_CAUSE = pd.Timedelta(seconds=90)
# A rule that spends more than this share of quiet time firing is called noisy.
FALSE_POSITIVE_BUDGET = 0.01


def recommend(
    *,
    anomalies: pd.DataFrame | None = None,
    changes: pd.DataFrame | None = None,
    firings: pd.DataFrame | None = None,
    incidents: pd.DataFrame | None = None,
    rule_scores: pd.DataFrame | None = None,
    forecasts: Mapping[str, Any] | None = None,
    as_of: pd.Timestamp | None = None,
) -> Recommendations:
    """Turn results into advice, most urgent first.

    Parameters
    ----------
    anomalies : pandas.DataFrame, optional
        Events: series, start, peak, end, value, expected, score, kind, severity.
    changes : pandas.DataFrame, optional
        Change points: series, time, before, after, effect_percent, effect_std, worse, kind.
    firings : pandas.DataFrame, optional
        Intervals in which rules fired: rule, series, start, end, severity, matched.
    incidents : pandas.DataFrame, optional
        Labelled incidents with ``detected`` (bool), start, end, kind, metrics.
    rule_scores : pandas.DataFrame, optional
        One row a rule: rule, false_positive_rate, false_firings, flaps.
    forecasts : mapping of str to Forecast, optional
        Forecasts with a capacity, by series.
    as_of : pandas.Timestamp, optional
        Time that "from now" is counted from.

    Returns
    -------
    Recommendations
        Deduplicated by cause; ``not_judged`` lists the questions that had no input.

    Examples
    --------
    >>> noon = pd.Timestamp("2026-01-01T12:00Z")
    >>> changes = pd.DataFrame({"series": ["latency"], "time": [noon],
    ...     "before": [1.0], "after": [2.0], "effect_percent": [100.0], "effect_std": [6.0],
    ...     "worse": [True], "kind": ["sudden"]})
    >>> recommend(changes=changes)[0].title
    'latency got worse by 100 % and stayed so'
    """
    found: list[Recommendation] = []
    missing: list[str] = []
    if forecasts is None:
        missing.append("what will run out: no metric has a known capacity; pass capacity={...}")
    else:
        found += _capacity(forecasts, as_of)
    if changes is None:
        missing.append("what got worse and stayed so: no change points were looked for")
    else:
        found += _changes(changes)
    if firings is None or rule_scores is None:
        missing.append("whether alerts can be trusted: there are no rules to backtest")
    else:
        found += _noisy_rules(rule_scores)
        if incidents is not None:
            found += _missed(incidents, anomalies)
    if anomalies is None:
        missing.append("what nobody watches: no anomalies were looked for")
    else:
        found += _unwatched(anomalies, firings, incidents)
    merged: dict[str, Recommendation] = {}
    for item in sorted(found, key=lambda r: (-r.severity.rank, -r.confidence, r.title)):
        merged.setdefault(item.cause, item)
    return Recommendations(tuple(merged.values()), tuple(missing))


def _capacity(forecasts: Mapping[str, Any], as_of: pd.Timestamp | None) -> Iterable[Recommendation]:
    for series, forecast in forecasts.items():
        reach = forecast.time_to_capacity
        median = None if reach is None else reach.p50
        if median is None:
            continue
        days = median / pd.Timedelta(days=1)
        severity = (
            Severity.CRITICAL if days < 2
            else Severity.ERROR if days < 14
            else Severity.WARNING if days < 60
            else Severity.INFO
        )  # fmt: skip
        early = format_number(reach.p10)
        late = "beyond the horizon" if reach.p90 is None else format_number(reach.p90)
        yield Recommendation(
            title=f"{series} reaches its capacity in {format_number(median)}",
            next_step="add capacity or slow the growth before then; check the accuracy first",
            severity=severity,
            confidence=0.9 if reach.p90 is not None else 0.6,
            cause=f"capacity:{series}",
            evidence=(Evidence(series, f"time to capacity p10 {early}, p90 {late}"),),
            time=None if as_of is None else as_of + median,
        )


def _changes(changes: pd.DataFrame) -> Iterable[Recommendation]:
    worse = changes[changes["worse"].eq(True)].sort_values("time")
    for group in _near_in_time(worse, "time"):
        strong = group.reindex(group["effect_std"].abs().sort_values(ascending=False).index)
        first = strong.iloc[0]
        percent = first["effect_percent"]
        amount = f"by {format_number(abs(percent), digits=3)} % " if pd.notna(percent) else ""
        others = f", with {len(strong) - 1} other series" if len(strong) > 1 else ""
        slow = first["kind"] == "slow"
        yield Recommendation(
            title=(
                f"{first['series']} is drifting the wrong way{others}"
                if slow
                else f"{first['series']} got worse {amount}and stayed so{others}"
            ),
            next_step=(
                "look for what accumulates (sessions, connections, files); restart if urgent"
                if slow
                else f"look at what was changed or released about {format_number(first['time'])}"
            ),
            severity=Severity.ERROR if abs(first["effect_std"]) >= 5 else Severity.WARNING,
            confidence=min(0.95, 0.5 + abs(float(first["effect_std"])) / 20),
            cause=f"change:{first['time'].isoformat()}",
            evidence=tuple(
                Evidence(
                    row["series"],
                    f"{format_number(row['before'])} → {format_number(row['after'])} "
                    f"({format_number(row['effect_std'], digits=2)} deviations)",
                    row["time"],
                )
                for _, row in strong.head(5).iterrows()
            ),
            time=first["time"],
        )


def _noisy_rules(scores: pd.DataFrame) -> Iterable[Recommendation]:
    for _, row in scores.iterrows():
        rate = row["false_positive_rate"]
        if pd.notna(rate) and rate > FALSE_POSITIVE_BUDGET:
            yield Recommendation(
                title=f"rule {row['rule']} cries wolf: {rate:.1%} of quiet time firing",
                next_step=f"mf.tune({row['rule']!r}, …) finds a threshold and `for` under 1 %",
                severity=Severity.WARNING,
                confidence=0.9,
                cause=f"noisy:{row['rule']}",
                evidence=(
                    Evidence(
                        row["rule"],
                        f"{int(row['firings'])} firings, "
                        f"precision {format_number(row['precision'])}",
                    ),
                ),
            )


def _missed(incidents: pd.DataFrame, anomalies: pd.DataFrame | None) -> Iterable[Recommendation]:
    for _, row in incidents[~incidents["detected"].astype(bool)].iterrows():
        inside = (
            anomalies[(anomalies["start"] < row["end"]) & (anomalies["end"] >= row["start"])]
            if anomalies is not None and len(anomalies)
            else pd.DataFrame()
        )
        top = inside.sort_values("score", ascending=False).head(3) if len(inside) else inside
        watch = f"watch {top.iloc[0]['series']}" if len(top) else "look for a metric that moved"
        yield Recommendation(
            title=f"no rule saw the incident {row['kind']}",
            next_step=f"{watch} and add a rule; backtest it before it pages anyone",
            severity=Severity.WARNING,
            confidence=0.8 if len(top) else 0.5,
            cause=f"missed:{row['kind']}",
            evidence=tuple(
                Evidence(
                    event["series"],
                    f"{event['kind']}: {format_number(event['value'])} where "
                    f"{format_number(event['expected'])} was expected",
                    event["peak"],
                )
                for _, event in top.iterrows()
            ),
            time=row["start"],
        )


def _unwatched(
    anomalies: pd.DataFrame, firings: pd.DataFrame | None, incidents: pd.DataFrame | None
) -> Iterable[Recommendation]:
    """Tell of moments at which far more series were unusual than is usual for the recording.

    Every calibrated detector speaks now and then, so with many series something is always
    unusual somewhere: only a number that a Poisson process of the recording's own rate would
    reach less than once in a thousand recordings is worth a person's time.
    """
    spans = [
        (row["start"] - SAME_CAUSE, row["end"] + SAME_CAUSE)
        for table in (firings, incidents)
        if table is not None
        for _, row in table.iterrows()
    ]
    if not len(anomalies):
        return
    alone = anomalies[
        [not any(a <= row["start"] <= b for a, b in spans) for _, row in anomalies.iterrows()]
    ].sort_values("start")
    groups = [(group, group["series"].nunique()) for group in _near_in_time(alone, "start")]
    usual = sum(count for _, count in groups) / max(len(groups), 1)
    least = _surprising(usual, len(groups))
    for group, count in groups:
        if count < least:
            continue
        strong = group.sort_values("score", ascending=False).drop_duplicates("series")
        first = group["start"].iloc[0]
        yield Recommendation(
            title=(
                f"{count} series were unusual about {format_number(first)} (usual: "
                f"{format_number(usual, digits=2)}), with no alert and no known incident"
            ),
            next_step="look at this time in the dashboard; mark it as an incident if it was one",
            severity=Severity.INFO,
            confidence=min(0.9, 0.4 + 0.05 * count),
            cause=f"unwatched:{first.isoformat()}",
            evidence=tuple(
                Evidence(
                    row["series"],
                    f"{row['kind']} to {format_number(row['value'])} "
                    f"(expected {format_number(row['expected'])})",
                    row["peak"],
                )
                for _, row in strong.head(5).iterrows()
            ),
            time=first,
        )


def _surprising(usual: float, windows: int, *, chance: float = 0.001) -> int:
    """Give the least count whose Poisson tail is below a chance over all windows, 3 at least."""
    tail, term, count = 1.0, math.exp(-usual), 0
    while tail * max(windows, 1) > chance:
        tail -= term
        count += 1
        term *= usual / count
        if term == 0.0 and count > usual:
            break
    return max(3, count)


def _near_in_time(table: pd.DataFrame, column: str) -> Iterable[pd.DataFrame]:
    """Split a table sorted by time: each part spans one cause's time from its first row on."""
    first = 0
    times = list(table[column])
    for row in range(1, len(times) + 1):
        if row == len(times) or times[row] - times[first] > SAME_CAUSE:
            yield table.iloc[first:row]
            first = row
