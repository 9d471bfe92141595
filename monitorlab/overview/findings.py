"""The answers of every analysis over one recording, held together.

>>> nothing().summary()
'nothing recorded'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from monitorlab.display import Result
from monitorlab.model import SeriesKey
from monitorlab.recommend import Recommendations

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.overview.objectives import Attainment

__all__ = [
    "CHANGE_COLUMNS",
    "EVENT_COLUMNS",
    "FIRING_COLUMNS",
    "INCIDENT_COLUMNS",
    "RULE_COLUMNS",
    "Findings",
    "nothing",
]

EVENT_COLUMNS = ["series", "start", "peak", "end", "value", "expected", "score", "kind", "severity"]
CHANGE_COLUMNS = [
    "series", "time", "before", "after", "effect_percent", "effect_std", "worse", "kind",
]  # fmt: skip
FIRING_COLUMNS = ["rule", "series", "severity", "start", "end", "incident"]
INCIDENT_COLUMNS = [
    "start", "end", "kind", "severity", "metrics", "detected", "rule", "delay", "description",
]  # fmt: skip
RULE_COLUMNS = ["rule", "false_positive_rate", "firings", "precision"]


@dataclass(frozen=True, repr=False, eq=False)
class Findings(Result):
    """The answers of every analysis over one span, as tables.

    Parameters
    ----------
    start, end : pandas.Timestamp or None
        First and last sample; None when nothing is recorded.
    n_series, n_samples : int
        Size of the recording.
    signals : dict of SeriesKey to pandas.Series
        What the analyses looked at.
    anomalies, changes, firings, incidents, rule_scores : pandas.DataFrame
        Tables with one row a finding.
    forecasts : dict of str to Forecast
        By series.
    advice : Recommendations
        What follows from the above.
    directions : dict of str to str
        Which way is worse, "up" or "down", by signal, where that is known.
    units : dict of str to str
        Unit by metric of a signal.
    objectives : dict of int to tuple of Attainment
        How objectives stand, by horizon in nanoseconds.
    objectives_before : dict of int to tuple of Attainment
        How they stood over as long a time before.
    notes : tuple of str
        What could not be judged, and why.

    Examples
    --------
    >>> nothing().n_series
    0
    """

    start: pd.Timestamp | None
    end: pd.Timestamp | None
    n_series: int
    n_samples: int
    signals: dict[SeriesKey, pd.Series]
    anomalies: pd.DataFrame
    changes: pd.DataFrame
    firings: pd.DataFrame
    incidents: pd.DataFrame
    rule_scores: pd.DataFrame
    forecasts: dict[str, Any]
    advice: Recommendations
    directions: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    objectives: dict[int, tuple[Attainment, ...]] = field(default_factory=dict)
    objectives_before: dict[int, tuple[Attainment, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    def summary(self) -> str:
        """Say how much of each was found."""
        if self.end is None:
            return "nothing recorded"
        return (
            f"{len(self.incidents)} incidents, {len(self.firings)} firings, "
            f"{len(self.anomalies)} anomalies, {len(self.changes)} lasting changes, "
            f"{len(self.forecasts)} forecasts in {self.n_series} series"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the number of findings by kind."""
        counts = {
            "incidents": len(self.incidents),
            "firings": len(self.firings),
            "anomalies": len(self.anomalies),
            "lasting changes": len(self.changes),
            "forecasts": len(self.forecasts),
            "recommendations": len(self.advice),
        }
        return pd.DataFrame({"count": counts}).rename_axis("finding")

    def to_dict(self) -> dict[str, Any]:
        """Give counts and advice as plain JSON types."""
        return {"summary": self.summary(), "advice": self.advice.to_dict()}

    def plot(self) -> go.Figure:
        """Draw the advice over time."""
        return self.advice.plot()


def nothing() -> Findings:
    """Give the findings of an empty recording.

    Returns
    -------
    Findings

    Examples
    --------
    >>> len(nothing().anomalies)
    0
    """
    empty = pd.DataFrame
    return Findings(
        None, None, 0, 0, {}, empty(columns=EVENT_COLUMNS), empty(columns=CHANGE_COLUMNS),
        empty(columns=FIRING_COLUMNS), empty(columns=INCIDENT_COLUMNS),
        empty(columns=RULE_COLUMNS), {}, Recommendations((), ("everything: nothing is recorded",)),
    )  # fmt: skip
