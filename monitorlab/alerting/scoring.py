"""Alerts against labelled incidents: what counts as right, wrong and late, exactly.

All spans are half-open and in nanoseconds. The *universe* is one span of evaluated time:
from the first evaluation to one interval after the last. Incident time is the union of all
incidents in it, each lengthened by the grace period; the rest is incident-free time.

- A firing is *true* if it overlaps incident time, else *false*.
- An incident is *detected* if anything fires in it (grace included); the delay is the time
  from its start to the first moment at which something fires in it.
- The *false-positive rate* is the share of incident-free time with at least one firing.

>>> universe = Universe.make(0, 100, [(20, 40)])
>>> measures = universe.measure(np.array([30, 60]), np.array([45, 70]))
>>> measures.recall, measures.precision, round(measures.false_positive_rate, 4)
(1.0, 0.5, 0.1875)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.errors import RuleError
from monitorlab.model import Incident

__all__ = ["Measures", "Universe", "merged", "read_incidents"]

IntArray = npt.NDArray[np.int64]
WEEK_NS = 7 * 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Measures:
    """How a set of firing intervals did in a universe.

    Parameters
    ----------
    firings, true_firings : int
        Firing intervals in the universe, and those that overlap incident time.
    incidents, detected : int
        Incidents in the universe, and those in which something fired.
    precision, recall, f1 : float
        NaN where there is nothing to divide by.
    false_positive_rate : float
        Share of incident-free time spent firing.
    delays : numpy.ndarray of int64
        Nanoseconds to detection, for the detected incidents in order.

    Examples
    --------
    >>> universe = Universe.make(0, 100, [(20, 40)])
    >>> universe.measure(np.array([30]), np.array([35])).delay_ns
    10.0
    """

    firings: int
    true_firings: int
    incidents: int
    detected: int
    precision: float
    recall: float
    f1: float
    false_positive_rate: float
    delays: IntArray

    @property
    def delay_ns(self) -> float:
        """Median time to detection; NaN when nothing was detected."""
        return float(np.median(self.delays)) if len(self.delays) else math.nan


@dataclass(frozen=True, slots=True)
class Universe:
    """A span of evaluated time and the incidents in it.

    Parameters
    ----------
    start, end : int
        The span.
    begins, ends : numpy.ndarray of int64
        Incidents cut to the span, grace included, by start.
    dirty_start, dirty_end : numpy.ndarray of int64
        Their union.
    before : numpy.ndarray of int64
        Incident time before each part of the union.

    Examples
    --------
    >>> Universe.make(0, 100, [(20, 40), (30, 50)], grace=5).clean_ns
    65
    """

    start: int
    end: int
    begins: IntArray
    ends: IntArray
    dirty_start: IntArray
    dirty_end: IntArray
    before: IntArray

    @classmethod
    def make(
        cls, start: int, end: int, incidents: Iterable[tuple[int, int]], grace: int = 0
    ) -> Universe:
        """Cut incidents to a span; those outside of it are left out.

        Parameters
        ----------
        start, end : int
            The span.
        incidents : iterable of (int, int)
            Starts and ends.
        grace : int
            How long after its end an incident still excuses an alert.

        Returns
        -------
        Universe
        """
        spans = sorted((max(a, start), min(b + grace, end)) for a, b in incidents)
        spans = [(a, b) for a, b in spans if a < b]
        begins = np.array([a for a, _ in spans], dtype=np.int64)
        ends = np.array([b for _, b in spans], dtype=np.int64)
        dirty_start, dirty_end = merged(begins, ends)
        before = np.concatenate([[0], np.cumsum(dirty_end - dirty_start)]).astype(np.int64)
        return cls(start, end, begins, ends, dirty_start, dirty_end, before)

    @property
    def clean_ns(self) -> int:
        """Incident-free time."""
        return self.end - self.start - int(self.before[-1])

    def dirty(self, t: IntArray) -> IntArray:
        """Give the incident time before each of some times."""
        i = np.searchsorted(self.dirty_end, t, side="right")
        if not len(self.dirty_start):
            return np.zeros(len(t), dtype=np.int64)
        inside = t - self.dirty_start[np.minimum(i, len(self.dirty_start) - 1)]
        return self.before[i] + np.where(i < len(self.dirty_start), np.maximum(inside, 0), 0)

    def overlap(self, starts: IntArray, ends: IntArray) -> IntArray:
        """Give the incident time inside each of some intervals."""
        return self.dirty(ends) - self.dirty(starts)

    def first_hits(self, starts: IntArray, ends: IntArray) -> IntArray:
        """Give for each incident the first firing moment in it, -1 for none.

        The firing intervals must be disjoint and sorted, as ``merged`` gives them.
        """
        if not len(starts):
            return np.full(len(self.begins), -1, dtype=np.int64)
        j = np.searchsorted(ends, self.begins, side="right")
        k = np.minimum(j, len(starts) - 1)
        hit = (j < len(starts)) & (starts[k] < self.ends)
        return np.where(hit, np.maximum(starts[k], self.begins), -1)

    def measure(self, starts: IntArray, ends: IntArray) -> Measures:
        """Score firing intervals; those of all series and rules together.

        Parameters
        ----------
        starts, ends : numpy.ndarray of int64
            Firing intervals in any order; parts outside of the span do not count.

        Returns
        -------
        Measures

        Notes
        -----
        O(n log n) in the number of intervals.
        """
        first, last = np.maximum(starts, self.start), np.minimum(ends, self.end)
        kept = first < last
        first, last = first[kept], last[kept]
        true = int((self.overlap(first, last) > 0).sum())
        union_start, union_end = merged(first, last)
        wrong = int((union_end - union_start - self.overlap(union_start, union_end)).sum())
        hits = self.first_hits(union_start, union_end)
        found = hits >= 0
        delays = hits[found] - self.begins[found]
        precision = true / len(first) if len(first) else math.nan
        recall = int(found.sum()) / len(self.begins) if len(self.begins) else math.nan
        return Measures(
            firings=len(first),
            true_firings=true,
            incidents=len(self.begins),
            detected=int(found.sum()),
            precision=precision,
            recall=recall,
            f1=harmonic(precision, recall),
            false_positive_rate=wrong / self.clean_ns if self.clean_ns else math.nan,
            delays=delays,
        )


def merged(starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """Give the union of intervals as disjoint intervals, sorted.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int64
        Intervals in any order.

    Returns
    -------
    starts, ends : numpy.ndarray of int64

    Examples
    --------
    >>> merged(np.array([5, 0]), np.array([9, 6]))
    (array([0]), array([9]))
    """
    if not len(starts):
        return starts.astype(np.int64), ends.astype(np.int64)
    order = np.argsort(starts, kind="stable")
    first, reach = starts[order], np.maximum.accumulate(ends[order])
    new = np.ones(len(first), dtype=bool)
    new[1:] = first[1:] > reach[:-1]
    last = np.append(np.flatnonzero(new)[1:] - 1, len(first) - 1)
    return first[new], reach[last]


def harmonic(precision: float, recall: float) -> float:
    """Give F1; 0 when both are 0, NaN when one is unknown."""
    if math.isnan(precision) or math.isnan(recall):
        return 0.0 if recall == 0 else math.nan
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def read_incidents(incidents: Any) -> list[Incident]:
    """Read labelled incidents in any form, sorted by start.

    Parameters
    ----------
    incidents : iterable of Incident, (start, end[, kind]) or mapping; or DataFrame
        A table needs the columns ``start`` and ``end``; ``kind``, ``severity``, ``metrics``
        and ``description`` are read when they are there.

    Returns
    -------
    list of Incident
        Without those of kind ``"expected"``: people said that they were no faults.

    Raises
    ------
    RuleError
        If one cannot be read, or ends before it starts.

    Examples
    --------
    >>> read_incidents([("2026-01-01T10:00Z", "2026-01-01T10:05Z", "cpu")])[0].kind
    'cpu'
    """
    if incidents is None:
        return []
    if isinstance(incidents, Incident):
        return [incidents]
    if isinstance(incidents, pd.DataFrame):
        missing = {"start", "end"} - set(incidents.columns)
        if missing:
            msg = f"the table of incidents lacks {sorted(missing)}; it needs start and end"
            raise RuleError(msg)
        incidents = incidents.to_dict("records")
    if isinstance(incidents, (str, bytes)) or not isinstance(incidents, Iterable):
        msg = f"{incidents!r} are no incidents; give a list of (start, end, kind) or a table"
        raise RuleError(msg)
    read = (_incident(item) for item in incidents)
    return sorted((i for i in read if not i.is_expected), key=lambda i: (i.start, i.end))


def _incident(item: Any) -> Incident:
    if isinstance(item, Incident):
        if item.end <= item.start:
            return Incident.make(item.start, item.end, item.kind)  # raises, with the reason
        return item
    if isinstance(item, Mapping):
        if "start" not in item or "end" not in item:
            msg = f"incident {dict(item)!r} lacks start or end"
            raise RuleError(msg)
        known = ("severity", "metrics", "description")
        more = {k: item[k] for k in known if _given(item.get(k))}
        kind = item.get("kind")
        return Incident.make(
            item["start"], item["end"], str(kind) if _given(kind) else "incident", **more
        )
    if isinstance(item, Sequence) and not isinstance(item, str) and len(item) >= 2:
        return Incident.make(*item[:3])
    msg = f"{item!r} is no incident; give (start, end, kind), a mapping, or Incident.make(…)"
    raise RuleError(msg)


def _given(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))
