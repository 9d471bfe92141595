"""What people say of events moves the threshold, within bounds.

>>> feedback = Feedback()
>>> feedback.add(0.9995, expected=True)
>>> feedback.threshold > 0.9995
True
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from monitorlab.anomaly.verdicts import Verdict, judged_by, verdict_incident, verdicts, verdicts_of
from monitorlab.model import Incident

if TYPE_CHECKING:
    from monitorlab.anomaly.result import Anomalies

__all__ = ["Feedback"]

LOWEST, HIGHEST = 0.98, 1.0 - 1e-8  # no feedback moves a threshold beyond these
STEP = 0.5  # an expected event should lie this much surprise below the threshold
STRENGTH = 0.1  # pull back to the starting threshold
SHARPNESS = 4.0
NEAR = 0.01  # less surprise than this moves no threshold: the detector would score anew for it
# What an expected event weighs, and how much rarer than the start it counts at most: little
# in the threshold of all events (one mark makes it up to four times stricter, nine ten times),
# much in that of the events that were expected.
ALL = (0.16, math.log(4.0))
EXPECTED = (1.0, math.log(10.0))


class Feedback:
    """Collect verdicts on events and adapt a threshold to them.

    Parameters
    ----------
    threshold : float
        Where to start: the detector's threshold.

    Notes
    -----
    The threshold is moved on the scale of surprise, ``-ln(1 - score)``. It minimises the sum
    of a smooth penalty for each expected event that would still alarm and for each anomaly
    that would not, and a weak pull back to the start; the function is convex, so the answer
    is unique. It stays between 0.98 and 1 - 1e-8, and does not move for less than 1 %. Cost
    O(marks).

    To expect one thing is not to expect everything. One expected event makes the threshold of
    its series at most four times stricter, and nine make it ten times stricter; an anomaly
    counts six times as much. The expected events themselves are held against
    ``threshold_expected`` instead, in which they weigh as much as an anomaly and count as up to
    ten times rarer than the starting threshold; what is like them is told as information (see
    ``heed``).

    Examples
    --------
    >>> feedback = Feedback(0.999)
    >>> feedback.add(0.995, expected=False)
    >>> round(feedback.threshold, 3) <= 0.995
    True
    """

    def __init__(self, threshold: float = 0.999) -> None:
        if not 0.0 < threshold < 1.0:
            msg = f"a threshold must lie between 0 and 1, got {threshold!r}"
            raise ValueError(msg)
        self.start = float(threshold)
        self._marks: list[tuple[float, bool]] = []

    @property
    def marks(self) -> tuple[tuple[float, bool], ...]:
        """The verdicts so far: score, and whether the event was expected."""
        return tuple(self._marks)

    def add(self, score: float, *, expected: bool) -> None:
        """Note that an event of this score was expected, or was an anomaly.

        Parameters
        ----------
        score : float
            Between 0 and 1.
        expected : bool
            True for a false alarm, False for a true one (or for a missed anomaly).

        Raises
        ------
        ValueError
            If the score is not between 0 and 1.
        """
        if not 0.0 <= score <= 1.0:
            msg = f"a score must lie between 0 and 1, got {score!r}"
            raise ValueError(msg)
        self._marks.append((min(float(score), 1.0 - 1e-12), bool(expected)))

    def mark(self, result: Anomalies, event: int, verdict: Verdict) -> Incident:
        """Judge an event of a result.

        Parameters
        ----------
        result : Anomalies
            What ``detect`` gave.
        event : int
            Row in ``result.events``.
        verdict : {"expected", "anomaly"}
            What people say of it.

        Returns
        -------
        Incident
            To be kept with the frame; its kind is the verdict. ``Anomalies.mark`` keeps it.

        Raises
        ------
        ValueError
            If the verdict is another word.
        IndexError
            If there is no such event.
        """
        incident = verdict_incident(result.events, event, verdict)
        score = float(result.events.iloc[event]["score"])
        if not math.isnan(score):
            self.add(score, expected=verdict == "expected")
        return incident

    def learn(self, result: Anomalies, incidents: Iterable[Incident]) -> None:
        """Take verdicts back from the incidents that marks left.

        Parameters
        ----------
        result : Anomalies
            What ``detect`` gave on the same data.
        incidents : iterable of Incident
            Those of kind ``"expected"`` or ``"anomaly"`` count, see ``learn_events``.
        """
        marks = verdicts(incidents)
        traces = {} if result.together else result.traces
        names = list(traces) if traces else [None]
        for name in names:
            events = result.events
            if name is not None:
                events = events[events["series"] == name]
            self.learn_events(events, traces.get(name or "", None), marks, name)

    def learn_events(
        self,
        events: pd.DataFrame,
        trace: pd.DataFrame | None,
        marks: Iterable[Incident],
        name: str | None = None,
    ) -> None:
        """Take verdicts on the events of one series from marks.

        Parameters
        ----------
        events : pandas.DataFrame
            What was found.
        trace : pandas.DataFrame, optional
            Scores of the samples, for anomalies that were missed.
        marks : iterable of Incident
            Verdicts.
        name : str, optional
            Name of the series; None for events of several.

        Notes
        -----
        Each event that overlaps a mark of its series is judged by it. A mark ``"anomaly"``
        that meets no event counts with the greatest tail inside it: a miss.
        """
        for mark in marks:
            score = _worst(events, mark)
            if score is None and mark.kind == "anomaly" and trace is not None:
                score = _missed(trace, mark) if verdicts_of([mark], name or "") else None
            if score is not None:
                self.add(score, expected=mark.kind == "expected")

    @property
    def threshold(self) -> float:
        """The threshold that the verdicts ask for."""
        return self._threshold(*ALL)

    @property
    def threshold_expected(self) -> float:
        """The threshold for the very events that were marked as expected."""
        return max(self._threshold(*EXPECTED), self.threshold)

    def _threshold(self, weight: float, farthest: float) -> float:
        start = -math.log1p(-self.start)
        if not self._marks:
            return self.start
        low, high = -math.log1p(-LOWEST), -math.log1p(-HIGHEST)
        low, high = min(low, start), max(high, start)
        for _ in range(60):  # the slope grows: bisect for its zero
            middle = 0.5 * (low + high)
            if self._slope(middle, start, weight, start + farthest) > 0.0:
                high = middle
            else:
                low = middle
        return self.start if abs(high - start) < NEAR else -math.expm1(-high)

    def _slope(self, level: float, start: float, weight: float, farthest: float) -> float:
        slope = STRENGTH * (level - start)
        for score, expected in self._marks:
            surprise = -math.log1p(-score)
            if expected:
                reach = min(surprise, farthest)
                slope -= weight * _logistic(SHARPNESS * (reach + STEP - level))
            else:
                slope += _logistic(SHARPNESS * (level - surprise + STEP))
        return slope


def _worst(events: pd.DataFrame, mark: Incident) -> float | None:
    """Give the greatest score of the events that a mark judges."""
    score = events["score"][judged_by(events, mark)].max()
    return None if math.isnan(score) else float(score)


def _missed(trace: pd.DataFrame, mark: Incident) -> float | None:
    first, last = trace.index.searchsorted([mark.start, mark.end])
    inside = trace["tail"].to_numpy()[first:last]
    inside = inside[~np.isnan(inside)]
    return float(inside.max()) if len(inside) else None


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(x, 60.0), -60.0)))
