"""The rules by which results become advice. Each reads tables, none computes an analysis.

Order of thought: what will run out, what was promised and not kept, what got worse and stays,
what fires now, what was missed by the alerts, which alerts cry wolf or flap, what nobody watches,
which incidents come back. Facts of the same moment, and facts about the same series, are one cause.

>>> len(recommend().not_judged)
5
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from monitorlab.display import format_number
from monitorlab.recommend import repeating, trends, watching
from monitorlab.recommend.advice import Recommendation, Recommendations

__all__ = ["recommend"]


def recommend(
    *,
    anomalies: pd.DataFrame | None = None,
    changes: pd.DataFrame | None = None,
    firings: pd.DataFrame | None = None,
    incidents: pd.DataFrame | None = None,
    rule_scores: pd.DataFrame | None = None,
    forecasts: Mapping[str, Any] | None = None,
    objectives: pd.DataFrame | None = None,
    as_of: pd.Timestamp | None = None,
    learned: pd.Timestamp | None = None,
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
    objectives : pandas.DataFrame, optional
        How objectives stand over each horizon: objective, horizon, span_ns, target, attainment,
        burn_rate, good, total, unit, end.
    as_of : pandas.Timestamp, optional
        Time that "from now" is counted from.
    learned : pandas.Timestamp, optional
        Time from which on detectors had enough of a past to be believed about many series.

    Returns
    -------
    Recommendations
        By severity, then confidence, then in the order of thought; deduplicated by cause;
        ``not_judged`` lists the questions that had no input.

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
        found += trends.capacity(forecasts, as_of)
    if objectives is None:
        missing.append("whether promises are kept: no objective is given; pass objectives=[...]")
    else:
        found += watching.promises(objectives)
        missing += [
            f"objective {name}: nothing was measured"
            for name, rows in objectives.groupby("objective", sort=True)
            if rows["attainment"].isna().all()
        ]
    if changes is None:
        missing.append("what got worse and stayed so: no change points were looked for")
    else:
        found += trends.changed(changes, settled=frozenset(forecasts or ()), as_of=as_of)
        unknown = int(changes["worse"].isna().sum())
        if unknown:
            missing.append(
                f"whether {unknown} lasting changes are for the worse: describe the metrics "
                "with direction='up' or 'down'"
            )
    if firings is None or rule_scores is None:
        missing.append("whether alerts can be trusted: there are no rules to backtest")
    else:
        found += repeating.firing_now(firings, as_of)
        found += watching.noisy_rules(rule_scores, firings)
        found += repeating.flapping(firings)
        if incidents is not None:
            found += watching.missed(incidents, anomalies)
        else:
            missing.append("whether the rules miss anything: no incidents are marked")
    if anomalies is None:
        missing.append("what nobody watches: no anomalies were looked for")
    else:
        late = anomalies if learned is None else anomalies[anomalies["start"] >= learned]
        found += watching.unwatched(late, firings, incidents)
        if learned is not None:
            missing.append(
                f"what nobody watched before {format_number(learned)}: detectors were learning"
            )
    if incidents is not None:
        found += repeating.recurring(incidents, anomalies, judged=firings is not None)
    merged: dict[str, Recommendation] = {}
    for item in sorted(found, key=lambda r: (-r.severity.rank, -r.confidence)):
        merged.setdefault(item.cause, item)
    return Recommendations(tuple(merged.values()), tuple(missing))
