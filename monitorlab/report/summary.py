"""The first words of a report: five sentences from its plain dictionary.

>>> sentences({"horizons": [], "as_of": None, "forecasts": [], "recommendations": []})
['Nothing is recorded.']
"""

from __future__ import annotations

from statistics import median
from typing import Any

from monitorlab.display import format_number
from monitorlab.recommend.quantities import human

__all__ = ["headline_of", "sentences"]

_WORDS = {
    "ok": "healthy", "warning": "strained", "critical": "in trouble", "unknown": "unknown",
}  # fmt: skip


def headline_of(horizons: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Choose the horizon that the summary speaks of.

    Parameters
    ----------
    horizons : list of dict
        Sections of the report, as given by the user.

    Returns
    -------
    dict or None
        The longest that the recording covers by half at least, else the shortest.

    Examples
    --------
    >>> headline_of([{"horizon": "1h", "covered_ratio": 1.0}, {"horizon": "7d",
    ...     "covered_ratio": 0.1}])["horizon"]
    '1h'
    """
    covered = [h for h in horizons if h["covered_ratio"] >= 0.5]
    if covered:
        return covered[-1]
    return horizons[0] if horizons else None


def sentences(report: dict[str, Any]) -> list[str]:
    """Say the report in a few sentences: health, promises, incidents, capacity, what to do.

    Parameters
    ----------
    report : dict
        As ``Report.to_dict`` gives it, with or without ``summary``.

    Returns
    -------
    list of str

    Examples
    --------
    >>> sentences({"horizons": [], "as_of": None, "forecasts": [], "recommendations": []})
    ['Nothing is recorded.']
    """
    seen = headline_of(report["horizons"])
    if report["as_of"] is None or seen is None:
        return ["Nothing is recorded."]
    return [
        _health(seen),
        *_promises(seen),
        _incidents(seen, rules=report["recording"]["rules"]),
        *_capacity(report["forecasts"]),
        _first(report["recommendations"]),
    ]


def _health(seen: dict[str, Any]) -> str:
    health, before = seen["health"], seen["previous_health"]
    text = (
        f"Over the last {seen['horizon']} the service was {_WORDS[health['status']]}, "
        f"{health['score']} of 100 points"
    )
    if before is None:
        return f"{text}."
    change = health["score"] - before["score"]
    if abs(change) < 2:
        return f"{text}, as in the {seen['horizon']} before."
    way = "better" if change > 0 else "worse"
    return f"{text}, {abs(change)} {way} than in the {seen['horizon']} before."


def _promises(seen: dict[str, Any]) -> list[str]:
    measured = [one for one in seen["objectives"] if one["attainment"] is not None]
    if not measured:
        return []
    missed = [one for one in measured if not one["is_met"]]
    if not missed:
        which = (
            "The objective was met"
            if len(measured) == 1
            else "Both objectives were met"
            if len(measured) == 2
            else f"All {len(measured)} objectives were met"
        )
        least = min(measured, key=lambda one: one["budget_left_ratio"])
        left = f"{100 * least['budget_left_ratio']:.0f} %"
        return [f"{which}; least error budget is left for {least['name']}, {left}."]
    named = ", ".join(
        f"{one['name']} ({format_number(100 * one['attainment'])} % of "
        f"{format_number(100 * one['target'], digits=6)} %)"
        for one in missed
    )
    count = f"{len(missed)} of {len(measured)} objectives" if len(measured) > 1 else "The objective"
    return [f"{count} {'were' if len(missed) > 1 else 'was'} missed: {named}."]


def _incidents(seen: dict[str, Any], *, rules: int) -> str:
    found = seen["incidents"]
    if not found:
        fired = len(seen["alerts"])
        said = "no rule fired" if not fired else f"{fired} rule{'s' * (fired != 1)} fired"
        if not rules:
            said = "there are no alert rules that could fire"
        return f"No incident is marked in that time; {said}."
    count = f"{len(found)} incident{'s' * (len(found) != 1)}"
    if not rules:
        return f"{count}; there are no alert rules that could have seen {_them(found)}."
    caught = [i["delay_seconds"] for i in found if i["detected"] is not None]
    if not caught:
        return f"{count}, none of which a rule saw."
    delays = [d for d in caught if d is not None]
    after = f", after {human(median(delays), 's')} in the median" if delays else ""
    share = "every one" if len(caught) == len(found) else f"{len(caught)}"
    return f"{count}, {share} of them seen by a rule{after}."


def _them(found: list[Any]) -> str:
    return "it" if len(found) == 1 else "them"


def _capacity(rows: list[dict[str, Any]]) -> list[str]:
    limited = [r for r in rows if r["time_to_capacity"] is not None]
    if not limited:
        return []
    soon = [r for r in limited if r["time_to_capacity"]["p50_seconds"] is not None]
    if not soon:
        fullest = max(limited, key=lambda r: r["used_ratio"] or 0.0)
        full = (
            f"; fullest is {fullest['series']}, {100 * fullest['used_ratio']:.0f} %"
            if (fullest["used_ratio"] or 0.0) >= 0.5
            else ""
        )
        ahead = human(limited[0]["time_to_capacity"]["horizon_seconds"], "s")
        return [f"Nothing with a known limit is expected to run out within {ahead}{full}."]
    first = min(soon, key=lambda r: r["time_to_capacity"]["p50_seconds"])
    reach = first["time_to_capacity"]
    text = (
        f"First to run out is {first['series']}, in about {human(reach['p50_seconds'], 's')} "
        f"(one chance in ten: {human(reach['p10_seconds'], 's')})."
    )
    return [text]


def _first(advice: list[dict[str, Any]]) -> str:
    if not advice:
        return "There is nothing to recommend."
    item = advice[0]
    return f"Do first: {item['next_step']} ({item['title']})."
