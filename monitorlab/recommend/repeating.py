"""Advice about what keeps coming back: alerts that fire now, incidents that recur, rules that flap.

>>> list(firing_now(pd.DataFrame({"rule": [], "end": []}), None))
[]
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from monitorlab.model import Severity
from monitorlab.recommend.advice import Evidence, Recommendation
from monitorlab.recommend.quantities import human
from monitorlab.recommend.trends import SAME_CAUSE
from monitorlab.times import format_duration, parse_duration

__all__ = ["firing_now", "flapping", "recurring"]

# A firing of the same series that starts so soon after the last is a flap, as in a backtest.
FLAP_WITHIN = pd.Timedelta("10m")
# Values that people write into `keep_firing_for`.
_HOLDS = ("15s", "30s", "1m", "2m", "5m", "10m")


def firing_now(firings: pd.DataFrame, as_of: pd.Timestamp | None) -> Iterable[Recommendation]:
    """Tell which rules fire at the as-of time.

    Parameters
    ----------
    firings : pandas.DataFrame
        Intervals in which rules fired: rule, series, severity, start, end.
    as_of : pandas.Timestamp or None
        The present; without one nothing can be firing now.

    Returns
    -------
    iterable of Recommendation
        One a rule, with the severity of the rule.

    Examples
    --------
    >>> noon = pd.Timestamp("2026-01-01T12:00Z")
    >>> firings = pd.DataFrame({"rule": ["Slow"], "series": ["{}"], "severity": ["error"],
    ...     "start": [noon - pd.Timedelta("90s")], "end": [noon + pd.Timedelta("15s")]})
    >>> [advice.title for advice in firing_now(firings, noon)]
    ['rule Slow has been firing for 1m30s']
    """
    if as_of is None or not len(firings):
        return
    until = pd.to_datetime(firings["end"], utc=True)
    now = firings[(firings["start"] <= as_of) & (until.isna() | (until > as_of))]
    for rule, rows in now.groupby("rule", sort=True):
        ordered = rows.sort_values("start")
        count, first = len(ordered), ordered["start"].iloc[0]
        yield Recommendation(
            title=f"rule {rule} has been firing for {_span(as_of - first)}"
            + (f", for {count} series" if count > 1 else ""),
            next_step="act on this alert now; what else moved since then is in the dashboard",
            severity=max((Severity(s) for s in ordered["severity"]), key=lambda s: s.rank),
            confidence=0.95,
            cause=f"firing:{rule}",
            evidence=tuple(
                Evidence(str(row["series"] or rule), "has been firing since", row["start"])
                for _, row in ordered.head(5).iterrows()
            ),
            time=first,
        )


def recurring(
    incidents: pd.DataFrame, anomalies: pd.DataFrame | None = None, *, judged: bool = False
) -> Iterable[Recommendation]:
    """Tell which kinds of incident came more than once, and which series mark them.

    Parameters
    ----------
    incidents : pandas.DataFrame
        Labelled incidents: start, end, kind, severity, detected, rule, delay.
    anomalies : pandas.DataFrame, optional
        Events: series, start, end.
    judged : bool
        There are rules: a kind that none of them ever saw is left to ``watching.missed``.

    Returns
    -------
    iterable of Recommendation
        The kind that took the most time first; never more urgent than an error, for it is over.

    Notes
    -----
    A series marks a kind when it was unusual during every incident of the kind; of several the
    one that was unusual in the smallest share of the other incidents comes first.

    Examples
    --------
    >>> at = pd.DatetimeIndex(["2026-01-01T10:00Z", "2026-01-02T10:00Z"])
    >>> known = pd.DataFrame({"start": at, "end": at + pd.Timedelta("3m"), "kind": "disk full",
    ...     "severity": "error", "detected": False, "rule": "", "delay": pd.NaT})
    >>> [advice.title for advice in recurring(known)]
    ['disk full happened 2 times, 6m in all']
    """
    if not len(incidents):
        return
    unusual = [_unusual(row, anomalies) for _, row in incidents.iterrows()]
    lengths = incidents["end"] - incidents["start"]
    longest = lengths.groupby(incidents["kind"]).sum().sort_values(ascending=False, kind="stable")
    for kind, total in longest.items():
        member = (incidents["kind"] == kind).to_numpy()
        count = int(member.sum())
        if count < 2 or (judged and not incidents.loc[member, "detected"].any()):
            continue
        marks = _marks(unusual, member)
        rows = incidents[member].sort_values("start", ascending=False)
        worst = max((Severity(s) for s in rows["severity"]), key=lambda s: s.rank)
        seen = [Evidence(name, f"unusual in all {count}{rest}") for name, rest in marks[:1]]
        yield Recommendation(
            title=f"{kind} happened {count} times, {_span(total)} in all",
            next_step=(
                f"look for one cause behind all {count}, first in {marks[0][0]}"
                if marks
                else f"look for one cause behind all {count}: compare them in the dashboard"
            ),
            severity=min(worst, Severity.ERROR, key=lambda s: s.rank),
            confidence=min(0.95, 0.5 + 0.1 * count + 0.1 * bool(marks)),
            cause=f"recurring:{kind}",
            evidence=(*seen, *(_occurrence(row) for _, row in rows.head(4).iterrows())),
            time=rows["start"].iloc[0],
        )


def flapping(firings: pd.DataFrame) -> Iterable[Recommendation]:
    """Tell which rules fire again and again in one incident, and how long to hold them.

    Parameters
    ----------
    firings : pandas.DataFrame
        Intervals in which rules fired: rule, series, start, end, incident.

    Returns
    -------
    iterable of Recommendation
        For rules with two flaps or more.

    Notes
    -----
    A flap is a firing within ten minutes of the last one of the same series; where incidents
    are labelled, both must belong to the same incident, else it is news and no flap. The
    advised ``keep_firing_for`` is the least of the customary ones that is longer than every gap.

    References
    ----------
    Prometheus documentation, "Alerting rules", ``keep_firing_for``.

    Examples
    --------
    >>> noon, s = pd.Timestamp("2026-01-01T12:00Z"), pd.Timedelta("1s")
    >>> firings = pd.DataFrame({"rule": "Slow", "series": "{}", "incident": "",
    ...     "start": [noon, noon + 40 * s, noon + 90 * s],
    ...     "end": [noon + 20 * s, noon + 60 * s, noon + 95 * s]})
    >>> [advice.next_step for advice in flapping(firings)]
    ['give it keep_firing_for: 1m, and the 3 firings are 1']
    """
    if not len(firings):
        return
    ordered = firings.sort_values(["rule", "series", "start"], kind="stable")
    before = ordered.groupby(["rule", "series", "incident"], dropna=False, sort=False)["end"]
    gaps = ordered["start"] - before.shift()
    for rule, rows in ordered.assign(gap=gaps).groupby("rule", sort=True):
        flaps = rows[rows["gap"] <= FLAP_WITHIN]
        if len(flaps) < 2:
            continue
        longest = flaps["gap"].max()
        hold = next((h for h in _HOLDS if parse_duration(h) > longest.value), _HOLDS[-1])
        yield Recommendation(
            title=f"rule {rule} flaps: {len(flaps)} of its {len(rows)} firings go on with the last",
            next_step=f"give it keep_firing_for: {hold}, and the {len(rows)} firings are "
            f"{len(rows) - len(flaps)}",
            severity=Severity.WARNING if len(flaps) >= 5 else Severity.INFO,
            confidence=0.9,
            cause=f"flapping:{rule}",
            evidence=(
                Evidence(
                    str(rule),
                    f"resolved for {_between(flaps['gap'].min(), longest)} and fired again",
                    flaps["start"].max(),
                ),
            ),
            time=flaps["start"].max(),
        )


def _unusual(incident: pd.Series, anomalies: pd.DataFrame | None) -> frozenset[str]:
    if anomalies is None or not len(anomalies):
        return frozenset()
    inside = (anomalies["start"] <= incident["end"] + SAME_CAUSE) & (
        anomalies["end"] >= incident["start"]
    )
    return frozenset(anomalies.loc[inside, "series"])


def _marks(unusual: list[frozenset[str]], member: Iterable[bool]) -> list[tuple[str, str]]:
    """Give the series unusual in every member, those that say least of other incidents first."""
    own = [found for found, belongs in zip(unusual, member, strict=True) if belongs]
    other = [found for found, belongs in zip(unusual, member, strict=True) if not belongs]
    common = frozenset.intersection(*own)
    elsewhere = sorted((sum(name in found for found in other), name) for name in common)
    return [
        (name, f" and in {count} of the {len(other)} other incidents" if other else "")
        for count, name in elsewhere
    ]


def _occurrence(row: pd.Series) -> Evidence:
    found = (
        f", found by {row['rule']} after {human(row['delay'].total_seconds(), 's')}"
        if row["detected"] and pd.notna(row["delay"])
        else ""
    )
    lasted = _span(row["end"] - row["start"])
    return Evidence(
        str(row["kind"]), f"{row['start']:%Y-%m-%d %H:%M} for {lasted}{found}", row["start"]
    )


def _between(least: pd.Timedelta, most: pd.Timedelta) -> str:
    low, high = _span(least), _span(most)
    return low if low == high else f"{low} to {high}"


def _span(length: pd.Timedelta) -> str:
    """Write a length of time by its two largest units, seconds at the least."""
    seconds = max(round(length.total_seconds()), 1)
    for size in (86_400, 3_600, 60):
        if seconds >= size:
            step = {86_400: 3_600, 3_600: 60, 60: 1}[size]
            seconds = round(seconds / step) * step
            break
    return format_duration(seconds * 1_000_000_000)
