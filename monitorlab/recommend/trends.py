"""Advice about where things are going: capacity, lasting changes, drifts.

>>> _about(pd.Timedelta("75D"))
'75 days'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import pandas as pd

from monitorlab.display import format_number
from monitorlab.model import Severity
from monitorlab.recommend.advice import Evidence, Recommendation
from monitorlab.recommend.quantities import human, unit_of

__all__ = ["SAME_CAUSE", "capacity", "changed", "near_in_time"]

# Changes of several series within this time of each other are told as one.
SAME_CAUSE = pd.Timedelta(seconds=90)
_LONG_AGO = pd.Timedelta(days=30)


def capacity(forecasts: Mapping[str, Any], as_of: pd.Timestamp | None) -> Iterable[Recommendation]:
    """Tell what will run out, or may; what will not is no advice.

    Parameters
    ----------
    forecasts : mapping of str to Forecast
        With a capacity, by series.
    as_of : pandas.Timestamp, optional
        Time that "from now" is counted from.

    Returns
    -------
    iterable of Recommendation

    Examples
    --------
    >>> list(capacity({}, None))
    []
    """
    for series, forecast in forecasts.items():
        reach = forecast.time_to_capacity
        if reach is None or reach.p10 is None:
            continue
        soon = reach.p50 if reach.p50 is not None else reach.p10
        late = "beyond the horizon" if reach.p90 is None else format_number(reach.p90)
        days = soon / pd.Timedelta(days=1)
        level, limit = _level(forecast)
        unit = unit_of(series)
        likely = reach.p50 is not None
        yield Recommendation(
            title=(
                f"{series} reaches its capacity in {_about(soon)}"
                if likely
                else f"{series} may reach its capacity from {_about(soon)} on"
            ),
            next_step=(
                f"add capacity or slow the growth within {_about(reach.p10)}"
                if likely
                else f"plan for more capacity; look again before {_about(reach.p10)} has passed"
            ),
            severity=_urgency(days) if likely else min(_urgency(days), Severity.WARNING, key=_rank),
            confidence=0.9 if reach.p90 is not None else 0.6,
            cause=f"series:{series}",
            evidence=(
                Evidence(
                    series,
                    f"now {human(level, unit)} of {human(limit, unit)} "
                    f"({100 * level / limit:.0f} %); time to capacity p10 {_about(reach.p10)}, "
                    f"p50 {'beyond the horizon' if not likely else _about(reach.p50)}, p90 {late}; "
                    f"{100 * reach.probability:.0f} % of the simulated futures reach it",
                    as_of,
                ),
            ),
            time=None if as_of is None else as_of + soon,
        )


def changed(
    changes: pd.DataFrame,
    settled: AbstractSet[str] = frozenset(),
    as_of: pd.Timestamp | None = None,
) -> Iterable[Recommendation]:
    """Tell what got worse and stayed so: sudden changes by their time, slow ones by metric.

    Parameters
    ----------
    changes : pandas.DataFrame
        As ``recommend`` takes them.
    settled : set of str
        Series whose growth a forecast with a capacity has judged already.
    as_of : pandas.Timestamp, optional
        A sudden change more than 30 days before it is one step less urgent: people have lived
        with it.

    Returns
    -------
    iterable of Recommendation

    Examples
    --------
    >>> list(changed(pd.DataFrame({"worse": [], "kind": [], "time": [], "series": []})))
    []
    """
    worse = changes[changes["worse"].eq(True)].sort_values("time")
    sudden = worse[worse["kind"] != "slow"]
    for group in near_in_time(sudden, "time"):
        strong = _strongest(group)
        first = strong.iloc[0]
        amount = _amount(first)
        yield Recommendation(
            title=f"{first['series']} got worse {amount}and stayed so{_others(strong)}",
            next_step=f"look at what was changed or released about {format_number(first['time'])}",
            cause=f"change:{first['time'].isoformat()}",
            **_common(strong, as_of),
        )
    slow = worse[(worse["kind"] == "slow") & ~worse["series"].isin(settled)]
    metrics = [str(name).partition("{")[0] for name in slow["series"]]
    for _, group in slow.groupby(metrics, sort=True) if len(slow) else ():
        strong = _strongest(group)
        first = strong.iloc[0]
        amount = _amount(first)
        yield Recommendation(
            title=f"{first['series']} has drifted the wrong way {amount}{_others(strong)}".rstrip(),
            next_step="look for what accumulates (sessions, connections, files); restart if urgent",
            cause=f"series:{first['series']}",
            **_common(strong),
        )


def _common(strong: pd.DataFrame, as_of: pd.Timestamp | None = None) -> dict[str, Any]:
    first = strong.iloc[0]
    size = abs(float(first["effect_std"]))
    steps = [Severity.INFO, Severity.WARNING, Severity.ERROR]
    level = 2 if size >= 5 else 1
    old = as_of is not None and as_of - first["time"] > _LONG_AGO
    return {
        "severity": steps[level - old],
        "confidence": min(0.95, 0.5 + size / 20),
        "evidence": tuple(
            Evidence(
                row["series"],
                f"{human(row['before'], unit_of(row['series']))} → "
                f"{human(row['after'], unit_of(row['series']))} "
                f"({format_number(row['effect_std'], digits=2)} deviations)",
                row["time"],
            )
            for _, row in strong.head(5).iterrows()
        ),
        "time": first["time"],
    }


def _strongest(group: pd.DataFrame) -> pd.DataFrame:
    return group.reindex(group["effect_std"].abs().sort_values(ascending=False).index)


def _others(group: pd.DataFrame) -> str:
    return f", with {len(group) - 1} other series" if len(group) > 1 else ""


def _amount(row: pd.Series) -> str:
    """Say how much: in per cent, or from what to what where per cent say nothing any more."""
    value = row["effect_percent"]
    if pd.isna(value) or abs(value) > 500:
        before, after = (human(row[name], unit_of(row["series"])) for name in ("before", "after"))
        return f"from {before} to {after} "
    return f"by {format_number(abs(value), digits=3)} % "


def _about(span: pd.Timedelta) -> str:
    """Write a time to come as precisely as anyone can know it."""
    days = span / pd.Timedelta(days=1)
    if days >= 2:
        return f"{days:.0f} days"
    hours = 24 * days
    return f"{hours:.0f} hours" if hours >= 2 else f"{60 * hours:.0f} minutes"


def _urgency(days: float) -> Severity:
    return (
        Severity.CRITICAL if days < 2
        else Severity.ERROR if days < 14
        else Severity.WARNING if days < 60
        else Severity.INFO
    )  # fmt: skip


def _rank(severity: Severity) -> int:
    return severity.rank


def _level(forecast: Any) -> tuple[float, float]:
    """Give the newest value and the limit that it is measured against."""
    return float(forecast.history.dropna().iloc[-1]), float(forecast.capacity.iloc[0])


def near_in_time(table: pd.DataFrame, column: str) -> Iterable[pd.DataFrame]:
    """Split a table sorted by time: each part spans one cause's time from its first row on.

    Parameters
    ----------
    table : pandas.DataFrame
        Sorted.
    column : str
        Its times.

    Returns
    -------
    iterable of pandas.DataFrame

    Examples
    --------
    >>> times = pd.to_datetime(["2026-01-01T10:00", "2026-01-01T10:01", "2026-01-01T11:00"])
    >>> [len(part) for part in near_in_time(pd.DataFrame({"time": times}), "time")]
    [2, 1]
    """
    first = 0
    times = list(table[column])
    for row in range(1, len(times) + 1):
        if row == len(times) or times[row] - times[first] > SAME_CAUSE:
            yield table.iloc[first:row]
            first = row
