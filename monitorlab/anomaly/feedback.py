"""What people say of events moves the threshold, within bounds.

>>> feedback = Feedback()
>>> feedback.add(0.9995, expected=True)
>>> feedback.threshold > 0.9995
True
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import pandas as pd

from monitorlab.anomaly.result import Anomalies
from monitorlab.model import Incident

__all__ = ["Feedback"]

LOWEST, HIGHEST = 0.98, 1.0 - 1e-8  # no feedback moves a threshold beyond these
STEP = 0.5  # an expected event should lie this much surprise below the threshold
STRENGTH = 0.1  # pull back to the starting threshold
SHARPNESS = 4.0


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
    is unique, and verdicts that contradict each other meet in the middle. It stays between
    0.98 and 1 - 1e-8. Cost O(marks).

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

    def mark(
        self, result: Anomalies, event: int, verdict: Literal["expected", "anomaly"]
    ) -> Incident:
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
            To be kept with the frame; its kind is the verdict.

        Raises
        ------
        ValueError
            If the verdict is another word.
        IndexError
            If there is no such event.
        """
        if verdict not in ("expected", "anomaly"):
            msg = f"a verdict is 'expected' or 'anomaly', got {verdict!r}"
            raise ValueError(msg)
        if not -len(result.events) <= event < len(result.events):
            msg = f"there are {len(result.events)} events, no number {event}"
            raise IndexError(msg)
        row = result.events.iloc[event]
        if not math.isnan(row["score"]):
            self.add(row["score"], expected=verdict == "expected")
        start, end = row["start"], row["end"]
        metric = str(row["series"]).split("{", 1)[0]
        return Incident.make(
            start,
            end if end > start else start + pd.Timedelta(1, "ns"),
            verdict,
            severity=row["severity"],
            metrics=(metric,) if metric else (),
            description=f"{row['kind']}, marked as {verdict}",
        )

    def learn(self, result: Anomalies, incidents: Iterable[Incident]) -> None:
        """Take verdicts back from the incidents that ``mark`` made.

        Parameters
        ----------
        result : Anomalies
            What ``detect`` gave on the same data.
        incidents : iterable of Incident
            Those of kind ``"expected"`` or ``"anomaly"`` count; each event that overlaps one
            of them (and belongs to its metrics) is judged so.
        """
        judged = [i for i in incidents if i.kind in ("expected", "anomaly")]
        for _, row in result.events.iterrows():
            metric = str(row["series"]).split("{", 1)[0]
            for incident in judged:
                touches = not incident.metrics or metric in incident.metrics
                overlaps = row["start"] < incident.end and incident.start < row["end"]
                if touches and overlaps and not math.isnan(row["score"]):
                    self.add(row["score"], expected=incident.kind == "expected")
                    break

    @property
    def threshold(self) -> float:
        """The threshold that the verdicts ask for."""
        start = -math.log1p(-self.start)
        if not self._marks:
            return self.start
        low, high = -math.log1p(-LOWEST), -math.log1p(-HIGHEST)
        low, high = min(low, start), max(high, start)
        for _ in range(60):  # the slope grows: bisect for its zero
            middle = 0.5 * (low + high)
            if self._slope(middle, start) > 0.0:
                high = middle
            else:
                low = middle
        return -math.expm1(-high)

    def _slope(self, level: float, start: float) -> float:
        slope = STRENGTH * (level - start)
        for score, expected in self._marks:
            surprise = -math.log1p(-score)
            if expected:
                slope -= _logistic(SHARPNESS * (surprise + STEP - level))
            else:
                slope += _logistic(SHARPNESS * (level - surprise + STEP))
        return slope


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(x, 60.0), -60.0)))
