"""Advice about what is watched: promises, rules that cry wolf, incidents and moments missed.

>>> _share(0.999)
'99.9 %'
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from monitorlab.display import format_number
from monitorlab.model import Severity
from monitorlab.recommend.advice import Evidence, Recommendation
from monitorlab.recommend.quantities import human, unit_of
from monitorlab.recommend.trends import SAME_CAUSE, near_in_time

__all__ = ["missed", "noisy_rules", "promises", "surprising", "unwatched"]

# A rule that spends more than this share of quiet time firing is called noisy.
FALSE_POSITIVE_BUDGET = 0.01


def noisy_rules(
    scores: pd.DataFrame, firings: pd.DataFrame | None = None
) -> Iterable[Recommendation]:
    """Tell which rules spend too much of the quiet time firing.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row a rule.
    firings : pandas.DataFrame, optional
        For the time of the newest false firing.

    Returns
    -------
    iterable of Recommendation

    Examples
    --------
    >>> list(noisy_rules(pd.DataFrame()))
    []
    """
    for _, row in scores.iterrows():
        rate = row["false_positive_rate"]
        if pd.notna(rate) and rate > FALSE_POSITIVE_BUDGET:
            newest = _newest_false(firings, row["rule"])
            yield Recommendation(
                title=f"rule {row['rule']} cries wolf: {100 * rate:.1f} % of quiet time firing",
                next_step=f"mf.tune({row['rule']!r}, …) finds a threshold and `for` under 1 %",
                severity=Severity.WARNING,
                confidence=0.9,
                cause=f"noisy:{row['rule']}",
                evidence=(
                    Evidence(
                        row["rule"],
                        f"{int(row['firings'])} firings, "
                        f"precision {format_number(row['precision'])}",
                        newest,
                    ),
                ),
                time=newest,
            )


def _newest_false(firings: pd.DataFrame | None, rule: str) -> pd.Timestamp | None:
    if firings is None or "incident" not in firings:
        return None
    false = firings[(firings["rule"] == rule) & (firings["incident"] == "")]
    return false["start"].max() if len(false) else None


def missed(incidents: pd.DataFrame, anomalies: pd.DataFrame | None) -> Iterable[Recommendation]:
    """Tell which labelled incidents no rule saw, and which series showed them.

    Parameters
    ----------
    incidents : pandas.DataFrame
        With ``detected``.
    anomalies : pandas.DataFrame, optional
        Events.

    Returns
    -------
    iterable of Recommendation

    Examples
    --------
    >>> list(missed(pd.DataFrame({"detected": []}), None))
    []
    """
    unseen = incidents[~incidents["detected"].astype(bool)]
    times_missed = unseen["kind"].value_counts() if len(unseen) else {}
    for _, row in unseen.iterrows():
        inside = (
            anomalies[(anomalies["start"] < row["end"]) & (anomalies["end"] >= row["start"])]
            if anomalies is not None and len(anomalies)
            else pd.DataFrame()
        )
        top = inside.sort_values("score", ascending=False).head(3) if len(inside) else inside
        watch = f"watch {top.iloc[0]['series']}" if len(top) else "look for a metric that moved"
        yield Recommendation(
            title=f"no rule saw the incident {row['kind']}"
            + (f" ({times_missed[row['kind']]} times)" if times_missed[row["kind"]] > 1 else ""),
            next_step=f"{watch} and add a rule; backtest it before it pages anyone",
            severity=Severity.WARNING,
            confidence=0.8 if len(top) else 0.5,
            cause=f"missed:{row['kind']}",
            evidence=tuple(
                Evidence(
                    event["series"],
                    f"{event['kind']}: {human(event['value'], unit_of(event['series']))} where "
                    f"{human(event['expected'], unit_of(event['series']))} was expected",
                    event["peak"],
                )
                for _, event in top.iterrows()
            ),
            time=row["start"],
        )


def unwatched(
    anomalies: pd.DataFrame, firings: pd.DataFrame | None, incidents: pd.DataFrame | None
) -> Iterable[Recommendation]:
    """Tell of moments at which far more series were unusual than is usual for the recording.

    Parameters
    ----------
    anomalies : pandas.DataFrame
        Events.
    firings, incidents : pandas.DataFrame, optional
        What was seen already.

    Returns
    -------
    iterable of Recommendation

    Notes
    -----
    Every calibrated detector speaks now and then, so with many series something is always
    unusual somewhere: only a number that a Poisson process of the recording's own rate would
    reach less than once in a thousand recordings is worth a person's time.

    Examples
    --------
    >>> list(unwatched(pd.DataFrame(), None, None))
    []
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
    groups = [(group, group["series"].nunique()) for group in near_in_time(alone, "start")]
    usual = sum(count for _, count in groups) / max(len(groups), 1)
    least = surprising(usual, len(groups))
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
                    f"{row['kind']} to {human(row['value'], unit_of(row['series']))} "
                    f"(expected {human(row['expected'], unit_of(row['series']))})",
                    row["peak"],
                )
                for _, row in strong.head(5).iterrows()
            ),
            time=first,
        )


def surprising(usual: float, windows: int, *, chance: float = 0.001) -> int:
    """Give the least count whose Poisson tail is below a chance over all windows, 3 at least.

    Parameters
    ----------
    usual : float
        Mean count of a window.
    windows : int
        How many windows are looked at.
    chance : float
        Probability that any of them reaches the count by chance.

    Returns
    -------
    int

    Examples
    --------
    >>> surprising(1.0, 100)
    9
    """
    tail, term, count = 1.0, math.exp(-usual), 0
    while tail * max(windows, 1) > chance:
        tail -= term
        count += 1
        term *= usual / count
        if term == 0.0 and count > usual:
            break
    return max(3, count)


def promises(objectives: pd.DataFrame) -> Iterable[Recommendation]:
    """Tell which objectives are missed, or burn their error budget too fast.

    Parameters
    ----------
    objectives : pandas.DataFrame
        One row an objective and horizon: objective, horizon, span_ns, target, attainment,
        burn_rate, budget_left, good, total, unit, end.

    Returns
    -------
    iterable of Recommendation

    Notes
    -----
    How urgent it is depends on the pace in the shortest horizon, as in the workbook's table of
    burn rates: from 14.4 on critical, from 6 on an error; a budget that was spent earlier and is
    no longer burning is a warning.

    References
    ----------
    B. Beyer et al. (2018), "The Site Reliability Workbook", chapter 5, table 5-8.

    Examples
    --------
    >>> list(promises(pd.DataFrame({"objective": [], "burn_rate": []})))
    []
    """
    for name, rows in objectives.dropna(subset=["burn_rate"]).groupby("objective", sort=True):
        ordered = rows.sort_values("span_ns")
        now, longest = ordered.iloc[0], ordered.iloc[-1]
        over = ordered[ordered["burn_rate"] > 1]
        if not len(over):
            continue
        worst = over.iloc[-1]
        pace = float(now["burn_rate"])
        severity = (
            Severity.CRITICAL if pace >= 14.4
            else Severity.ERROR if pace >= 6 or (pace > 1 and longest["burn_rate"] > 1)
            else Severity.WARNING
        )  # fmt: skip
        yield Recommendation(
            title=(
                f"objective {name} is missed over the last {worst['horizon']}: "
                f"{_share(worst['attainment'])} of {_share(worst['target'])}"
            ),
            next_step=(
                "stop what burns the budget now: roll back or shed load, then find the cause"
                if pace > 1
                else "the burning has stopped; hold risky changes until the budget has recovered"
            ),
            severity=severity,
            confidence=0.95,
            cause=f"objective:{name}",
            evidence=tuple(
                Evidence(
                    str(name),
                    f"last {row['horizon']}: {_share(row['attainment'])}, {_bad(row)}, burn rate "
                    f"{format_number(row['burn_rate'], digits=3)}",
                    row["end"],
                )
                for _, row in ordered.iterrows()
            ),
            time=worst["end"],
        )


def _share(ratio: float) -> str:
    return f"{format_number(100 * ratio, digits=5)} %"


def _bad(row: pd.Series) -> str:
    bad, total = row["total"] - row["good"], row["total"]
    if row["unit"] == "s":
        return f"{human(bad, 's')} of {human(total, 's')} bad"
    return f"{human(round(bad))} of {human(round(total))} events bad"
