"""Health from what alert rules, anomalies and changes say: a status with its reasons.

>>> judge(firing={}, worse=[], anomalies=0, incidents=[]).status
'ok'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from monitorlab.display import format_number, to_plain
from monitorlab.model import Severity

__all__ = ["Health", "judge"]

# What each firing rule takes from 100 while it fires the whole time, by severity.
_WEIGHT = {"info": 2.0, "warning": 12.0, "error": 30.0, "critical": 55.0}


@dataclass(frozen=True, slots=True)
class Health:
    """Status, score and the reasons for both.

    Parameters
    ----------
    status : {"ok", "warning", "critical", "unknown"}
        ``critical`` below 50 points, ``warning`` below 85.
    score : int
        0 to 100.
    reasons : tuple of str
        What took points, largest first.

    Examples
    --------
    >>> Health("ok", 100, ()).to_dict()["score"]
    100
    """

    status: Literal["ok", "warning", "critical", "unknown"]
    score: int
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {"status": self.status, "score": self.score, "reasons": to_plain(self.reasons)}


def judge(
    *,
    firing: Mapping[str, tuple[Severity, float]],
    worse: Sequence[str],
    anomalies: int,
    incidents: Sequence[str],
    missed: Mapping[str, float] | None = None,
    more: Sequence[tuple[float, str]] = (),
) -> Health:
    """Judge a span of time.

    Parameters
    ----------
    firing : mapping of str to (Severity, float)
        Rule name to its severity and the share of the span it fired.
    worse : sequence of str
        Series with a lasting change for the worse.
    anomalies : int
        Anomaly events outside known incidents.
    incidents : sequence of str
        Kinds of the labelled incidents in the span.
    missed : mapping of str to float, optional
        Objectives that were missed, each with its burn rate.
    more : sequence of (float, str), optional
        Other reasons, each with the points that it takes.

    Returns
    -------
    Health

    Notes
    -----
    A rule takes its severity's weight times the square root of the share of time that it
    fired (a short page counts, a long one counts more); three points a series that got worse
    (15 at most); one point an unexplained anomaly (10 at most); 16 points an objective that was
    missed, and up to 40 the faster its error budget went. Labelled incidents are named
    as reasons and take nothing by themselves: the rules that saw them do.

    Examples
    --------
    >>> judge(firing={"Slow": (Severity.CRITICAL, 1.0)}, worse=[], anomalies=0, incidents=[]).score
    45
    """
    losses: list[tuple[float, str]] = [
        (
            _WEIGHT[severity.value] * min(1.0, share) ** 0.5,
            f"{rule} ({severity.value}) fired {share:.1%} of the time",
        )
        for rule, (severity, share) in firing.items()
        if share > 0
    ]
    for name, burn in (missed or {}).items():
        losses.append(
            (
                min(40.0, 16.0 * max(burn, 1.0) ** 0.5),
                f"objective {name} missed: budget spent {format_number(burn, digits=3)} times over",
            )
        )
    losses += [(points, text) for points, text in more if points > 0]
    if worse:
        shown = ", ".join(worse[:3]) + (" …" if len(worse) > 3 else "")
        losses.append((min(15.0, 3.0 * len(worse)), f"{len(worse)} series got worse: {shown}"))
    if anomalies:
        noun = "anomaly" if anomalies == 1 else "anomalies"
        losses.append((min(10.0, float(anomalies)), f"{anomalies} unexplained {noun}"))
    losses.sort(key=lambda item: (-item[0], item[1]))
    score = max(0, round(100 - sum(loss for loss, _ in losses)))
    reasons = [text for _, text in losses]
    if incidents:
        kinds = sorted(set(incidents))
        noun = "incident" if len(incidents) == 1 else "incidents"
        reasons.append(f"{len(incidents)} labelled {noun}: {', '.join(kinds)}")
    if not reasons:
        reasons = ["no rule fired, nothing unusual"]
    status: Literal["ok", "warning", "critical"] = (
        "critical" if score < 50 else "warning" if score < 85 else "ok"
    )
    return Health(status, score, tuple(reasons))
