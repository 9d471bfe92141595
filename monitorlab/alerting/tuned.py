"""What a tuning says: the chosen rule, how it does on both parts, and the frontier.

>>> universe = Universe.make(0, 100, [(20, 40)])
>>> Part.of(universe.measure(np.array([30]), np.array([35])), universe).recall
1.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np  # noqa: F401 - for the examples
import pandas as pd

from monitorlab.alerting.scoring import Measures, Universe
from monitorlab.display import Result
from monitorlab.times import from_ns

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.alerting.rules import AlertRule

__all__ = ["Part", "Tuned"]


@dataclass(frozen=True, repr=False, eq=False)
class Part(Result):
    """How a rule does on one part of the time.

    Parameters
    ----------
    start, end : pandas.Timestamp
        The part.
    recall, precision, f1, false_positive_rate : float
        See ``monitorlab.alerting.scoring``.
    time_to_detect : pandas.Timedelta
        Median; NaT when nothing was detected.
    firings, incidents, detected : int
        Counts.

    Examples
    --------
    >>> universe = Universe.make(0, 100, [(20, 40)])
    >>> Part.of(universe.measure(np.array([30]), np.array([35])), universe).recall
    1.0
    """

    start: pd.Timestamp
    end: pd.Timestamp
    recall: float
    precision: float
    f1: float
    false_positive_rate: float
    time_to_detect: pd.Timedelta
    firings: int
    incidents: int
    detected: int

    @classmethod
    def of(cls, measures: Measures, universe: Universe) -> Part:
        """Make it of measures."""
        delay = measures.delay_ns
        return cls(
            start=from_ns(universe.start),
            end=from_ns(universe.end),
            recall=measures.recall,
            precision=measures.precision,
            f1=measures.f1,
            false_positive_rate=measures.false_positive_rate,
            time_to_detect=pd.NaT if math.isnan(delay) else pd.Timedelta(round(delay), unit="ns"),
            firings=measures.firings,
            incidents=measures.incidents,
            detected=measures.detected,
        )

    def summary(self) -> str:
        """Say it in one line."""
        late = self.time_to_detect
        delay = "" if late is pd.NaT else f", median time to detect {late.total_seconds():.0f} s"
        return (
            f"detected {self.detected} of {self.incidents}, false-positive rate "
            f"{100 * self.false_positive_rate:.2f} %{delay}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give one row."""
        return pd.DataFrame([{f: getattr(self, f) for f in self.__dataclass_fields__}])


@dataclass(frozen=True, repr=False, eq=False)
class Tuned(Result):
    """A rule chosen on one part of the time and judged on another.

    Parameters
    ----------
    rule : AlertRule
        The chosen rule.
    original : AlertRule
        The rule as it was.
    met_budget : bool
        Whether any setting kept the false-positive budget on the training part while
        detecting something.
    max_false_positive_rate : float
        The budget.
    train, held_out : Part
        The chosen rule on the part it was chosen on, and on the other.
    original_train, original_held_out : Part
        The original rule on both.
    frontier : pandas.DataFrame
        Settings that no other beats in false-positive rate, recall and delay together.
    sweep : pandas.DataFrame
        All settings.
    note : str
        What to know about the choice.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting import tune
    >>> tuned = tune(store, AlertRule("Down", "up < 1"), [(15, 45)], thresholds=[1.0], for_=["0s"])
    >>> tuned.rule.expr, tuned.met_budget
    ('up < 1', True)
    """

    rule: AlertRule
    original: AlertRule
    met_budget: bool
    max_false_positive_rate: float
    train: Part
    held_out: Part
    original_train: Part
    original_held_out: Part
    frontier: pd.DataFrame
    sweep: pd.DataFrame
    note: str

    def summary(self) -> str:
        """Say the result in one line."""
        kept = "" if self.met_budget else "BUDGET NOT MET; "
        return (
            f"{kept}{self.rule.expr} for {self.rule.for_}: held out {self.held_out.summary()} "
            f"(before: {self.original_held_out.summary()}); {self.note}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the frontier."""
        return self.frontier

    def plot(self) -> go.Figure:
        """Draw every setting by false-positive rate and recall, the frontier and the choice."""
        from monitorlab.alerting.pictures import plot_tuned

        return plot_tuned(self)
