"""The shape of an advice: title, urgency, confidence, evidence, next step.

>>> Evidence("cpu", "mean 0.4 → 0.9").text
'mean 0.4 → 0.9'
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.display import Result, format_number, to_plain
from monitorlab.model import Severity

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Evidence", "Recommendation", "Recommendations"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observed fact behind an advice.

    Parameters
    ----------
    series : str
        Series or rule that it was seen in.
    text : str
        The fact with its numbers.
    time : pandas.Timestamp, optional
        When.

    Examples
    --------
    >>> Evidence("up", "missing for 4 m").series
    'up'
    """

    series: str
    text: str
    time: pd.Timestamp | None = None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One advice.

    Parameters
    ----------
    title : str
        What is the matter, in one line.
    next_step : str
        What to do first.
    severity : Severity
        How urgent.
    confidence : float
        0 to 1: how sure the evidence makes it.
    cause : str
        Key by which advice with the same cause is merged.
    evidence : tuple of Evidence
        The facts, strongest first.
    time : pandas.Timestamp, optional
        When it began, or when it will happen.

    Examples
    --------
    >>> Recommendation("disk fills", "add a disk", Severity.ERROR, 0.9, "disk").severity.value
    'error'
    """

    title: str
    next_step: str
    severity: Severity
    confidence: float
    cause: str
    evidence: tuple[Evidence, ...] = ()
    time: pd.Timestamp | None = None


@dataclass(frozen=True, repr=False, eq=False)
class Recommendations(Result):
    """Every advice, most urgent first, and what could not be judged.

    Parameters
    ----------
    items : tuple of Recommendation
        Sorted by severity, then confidence.
    not_judged : tuple of str
        Questions that had no result to answer them, with the reason.

    Examples
    --------
    >>> len(Recommendations())
    0
    """

    items: tuple[Recommendation, ...] = ()
    not_judged: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Any:
        return iter(self.items)

    def __getitem__(self, position: int) -> Recommendation:
        return self.items[position]

    def summary(self) -> str:
        """Say how many there are and how urgent the first is."""
        open_questions = (
            f"; {len(self.not_judged)} question{'s' * (len(self.not_judged) != 1)} "
            "could not be judged"
            if self.not_judged
            else ""
        )
        if not self.items:
            return f"nothing to recommend{open_questions}"
        first = self.items[0]
        return f"{len(self.items)}, first: [{first.severity}] {first.title}{open_questions}"

    def to_frame(self) -> pd.DataFrame:
        """Give one row for each advice."""
        return pd.DataFrame(
            [
                {
                    "severity": item.severity.value,
                    "title": item.title,
                    "confidence": item.confidence,
                    "time": item.time,
                    "next_step": item.next_step,
                    "evidence": "; ".join(f"{e.series}: {e.text}" for e in item.evidence[:3]),
                }
                for item in self.items
            ],
            columns=["severity", "title", "confidence", "time", "next_step", "evidence"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types, the evidence included."""
        return {
            "items": [to_plain(item) for item in self.items],
            "not_judged": list(self.not_judged),
        }

    def plot(self) -> go.Figure:
        """Draw the advice as points in time, by severity."""
        from monitorlab.plotting import SEVERITY_COLORS, new_figure, time_axis

        figure = new_figure(title="recommendations", height=300)
        for severity in Severity:
            chosen = [i for i in self.items if i.severity is severity and i.time is not None]
            if chosen:
                figure.add_scatter(
                    x=time_axis(pd.DatetimeIndex([i.time for i in chosen])),
                    y=[i.confidence for i in chosen],
                    mode="markers",
                    marker={"size": 12, "color": SEVERITY_COLORS[severity.value]},
                    text=[i.title for i in chosen],
                    hovertemplate="%{text}<extra></extra>",
                    name=severity.value,
                )
        figure.update_yaxes(title="confidence", range=[0, 1.05])
        return figure

    def __str__(self) -> str:
        lines = [repr(self)]
        for number, item in enumerate(self.items, 1):
            lines.append(
                f"{number}. [{item.severity}] {item.title} (confidence {item.confidence:.0%})"
            )
            lines += [f"     {fact.series}: {fact.text}{_when(fact)}" for fact in item.evidence[:3]]
            lines.append(f"   → {item.next_step}")
        lines += [f"not judged: {text}" for text in self.not_judged]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li><b>[{html.escape(i.severity.value)}] {html.escape(i.title)}</b> "
            f"(confidence {i.confidence:.0%})<ul>"
            + "".join(
                f"<li>{html.escape(e.series)}: {html.escape(e.text)}{_when(e)}</li>"
                for e in i.evidence[:3]
            )
            + f"</ul>→ {html.escape(i.next_step)}</li>"
            for i in self.items
        )
        rest = "".join(f"<div>not judged: {html.escape(text)}</div>" for text in self.not_judged)
        return f"<div><b>{html.escape(repr(self))}</b><ol>{rows}</ol>{rest}</div>"


def _when(fact: Evidence) -> str:
    return "" if fact.time is None else f" ({format_number(fact.time)})"
