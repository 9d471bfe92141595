"""Service-level objectives: what share was good, and how much of the error budget is left.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> minutes = 60_000_000_000 * np.arange(61)
>>> store.extend("requests_total", minutes, 100.0 * np.arange(61), {"code": "200"})
>>> store.extend("requests_total", minutes, 1.0 * np.arange(61), {"code": "500"})
>>> served = Objective(
...     "Served", bad='requests_total{code="500"}', total="requests_total", target=0.98)
>>> print(attainment(store, served, from_ns(0), from_ns(3_600_000_000_000)))
Served: 99.01 % of 98 %, met, 50.5 % of the error budget left
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

from monitorlab import query
from monitorlab.display import format_number, to_plain
from monitorlab.errors import MonitorlabError, RuleError
from monitorlab.overview.signals import sampling_interval
from monitorlab.query.api import refuse_unknown
from monitorlab.times import format_duration, from_ns  # noqa: F401 - from_ns for the examples

__all__ = ["Attainment", "Objective", "attainment"]

_SLICES = 30
_FEWEST = 4  # samples that a slice must have to be told
_STEPS = 2_000
_COMPARISONS = {"==", "!=", ">", "<", ">=", "<="}
_SET_OPERATORS = {"and", "or", "unless"}


@dataclass(frozen=True, slots=True)
class Objective:
    """What was promised: a share of good events, or a share of time in which a condition holds.

    Parameters
    ----------
    name : str
        What people call it.
    good, bad, total : str, optional
        Events: ``total`` and one of the others. Each is a PromQL selector of counters (summed,
        resets understood), or an expression with ``{window}`` where the window goes, such as
        ``sum(increase(http_requests_total[{window}]))``.
    holds : str, optional
        Time: a comparison that is to hold, such as ``latency_seconds < 0.5``, or a series of
        zeros and ones, such as ``up``. With several series each counts as much as the others.
    target : float
        Share that is promised, between 0 and 1.
    description : str
        For the reader.

    Raises
    ------
    RuleError
        If the target is no share, or the expressions are missing, too many or malformed.

    Notes
    -----
    The error budget is ``1 - target``. The burn rate is the share that was bad over it: at 1
    the budget of a horizon is spent exactly at its end, at 10 after a tenth of it.

    References
    ----------
    B. Beyer et al. (2018), "The Site Reliability Workbook", chapters 2 and 5.

    Examples
    --------
    >>> Objective("Fast", holds="latency_seconds < 0.5", target=0.95).kind
    'time'
    >>> Objective("Served", good="ok_total", total="all_total", target=99)
    Traceback (most recent call last):
    monitorlab.errors.RuleError: objective 'Served': target is a share such as 0.999, not 99
    """

    name: str
    good: str | None = None
    total: str | None = None
    target: float = 0.999
    bad: str | None = None
    holds: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.target, (int, float)) or not 0 < self.target < 1:
            msg = f"objective {self.name!r}: target is a share such as 0.999, not {self.target!r}"
            raise RuleError(msg)
        events = self.total is not None and (self.good is None) != (self.bad is None)
        none = self.total is None and self.good is None and self.bad is None
        if not (events and self.holds is None) and not (none and self.holds is not None):
            msg = (
                f"objective {self.name!r}: give total=… and either good=… or bad=…, "
                "or only holds=…, each PromQL"
            )
            raise RuleError(msg)
        for text in (self.good, self.bad, self.total):
            if text is not None:
                self._read(lambda text=text: _counted(text, "5m"))
        if self.holds is not None:
            self._read(lambda: _as_numbers(str(self.holds)))

    @property
    def kind(self) -> Literal["events", "time"]:
        """What is counted."""
        return "events" if self.holds is None else "time"

    @property
    def expression(self) -> str:
        """What is measured, in one line."""
        if self.holds is not None:
            return self.holds
        part = self.good if self.good is not None else f"not {self.bad}"
        return f"{part} of {self.total}"

    def _read(self, attempt: Any) -> None:
        try:
            attempt()
        except MonitorlabError as error:
            msg = f"objective {self.name!r}: {error}"
            raise RuleError(msg) from error


@dataclass(frozen=True, slots=True)
class Attainment:
    """How an objective stands over one span.

    Parameters
    ----------
    objective : Objective
        What was promised.
    start, end : pandas.Timestamp
        The span, ``(start, end]``.
    ratio : float or None
        Share that was good; None where nothing was measured.
    good, total : float or None
        Events, or seconds.
    slices : tuple of float or None
        The same share in equal parts of the span, oldest first.

    Examples
    --------
    >>> noon = pd.Timestamp("2026-01-01T12:00Z")
    >>> Attainment(Objective("Up", holds="up", target=0.9), noon, noon, 0.95, 95, 100).is_met
    True
    """

    objective: Objective
    start: pd.Timestamp
    end: pd.Timestamp
    ratio: float | None
    good: float | None = None
    total: float | None = None
    slices: tuple[float | None, ...] = ()

    @property
    def is_met(self) -> bool | None:
        """Whether the promise was kept; None where nothing was measured."""
        return None if self.ratio is None else bool(self.ratio >= self.objective.target)

    @property
    def burn_rate(self) -> float | None:
        """How many times faster than allowed the error budget went."""
        return None if self.ratio is None else (1.0 - self.ratio) / (1.0 - self.objective.target)

    @property
    def budget_left(self) -> float | None:
        """Share of the span's error budget that is left; negative when overspent."""
        return None if self.burn_rate is None else 1.0 - self.burn_rate

    def __str__(self) -> str:
        if self.ratio is None or self.budget_left is None:
            return f"{self.objective.name}: not measured"
        verdict = "met" if self.is_met else "missed"
        left = (
            f"{100 * self.budget_left:.3g} % of the error budget left"
            if self.budget_left >= 0
            else f"error budget spent {format_number(self.burn_rate, digits=3)} times"
        )
        return (
            f"{self.objective.name}: {format_number(100 * self.ratio)} % of "
            f"{format_number(100 * self.objective.target, digits=6)} %, {verdict}, {left}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        plain = {
            "name": self.objective.name,
            "kind": self.objective.kind,
            "target": self.objective.target,
            "attainment": self.ratio,
            "is_met": self.is_met,
            "good": self.good,
            "total": self.total,
            "unit": "events" if self.objective.kind == "events" else "seconds",
            "budget_left_ratio": self.budget_left,
            "burn_rate": self.burn_rate,
            "slices": list(self.slices),
            "expression": self.objective.expression,
            "description": self.objective.description,
            "text": str(self),
        }
        return {name: to_plain(value) for name, value in plain.items()}


def attainment(
    source: Any, objective: Objective, start: pd.Timestamp, end: pd.Timestamp
) -> Attainment:
    """Measure an objective over a span.

    Parameters
    ----------
    source : SeriesStore or Selection
        What was recorded.
    objective : Objective
        What was promised.
    start, end : pandas.Timestamp
        The span, ``(start, end]``.

    Returns
    -------
    Attainment

    Raises
    ------
    QueryError
        If an expression speaks of a metric that was not recorded, or cannot be evaluated.
    RuleError
        If ``holds`` gives numbers other than zero and one.

    Notes
    -----
    Events: one ``increase`` over the whole span, so a counter that starts anew costs nothing; a
    counter that first appears within the span is counted from its first sample on, as in
    Prometheus. Time: the condition is asked at every sampling interval, at most 2 000 times;
    steps without a value are left out. Cost O(samples).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", 60_000_000_000 * np.arange(1, 11), [1, 1, 1, 1, 1, 1, 1, 0, 0, 1])
    >>> up = attainment(store, Objective("Up", holds="up", target=0.9), from_ns(0),
    ...                 from_ns(600_000_000_000))
    >>> up.ratio, round(up.burn_rate, 6)
    (0.8, 2.0)
    """
    if end <= start:
        return Attainment(objective, start, end, None)
    interval = sampling_interval(list(source.select(None)))
    if objective.kind == "time":
        return _over_time(source, objective, start, end, interval)
    return _over_events(source, objective, start, end, interval)


def _over_events(
    source: Any, objective: Objective, start: pd.Timestamp, end: pd.Timestamp, interval: int
) -> Attainment:
    span = int((end - start).as_unit("ns").value)
    whole = np.array([end.value], dtype=np.int64)
    good, total = _events(source, objective, whole, span)
    parts = int(min(_SLICES, span // max(1, _FEWEST * interval)))
    slices: tuple[float | None, ...] = ()
    if parts > 1:
        step = span // parts
        ends = end.value - step * np.arange(parts - 1, -1, -1, dtype=np.int64)
        slices = tuple(
            None if not t > 0 else float(min(max(g / t, 0.0), 1.0))
            for g, t in zip(*_events(source, objective, ends, step), strict=True)
        )
    if not total[0] > 0:
        return Attainment(objective, start, end, None, 0.0, 0.0, slices)
    ratio = float(min(max(good[0] / total[0], 0.0), 1.0))
    return Attainment(objective, start, end, ratio, float(good[0]), float(total[0]), slices)


def _events(
    source: Any, objective: Objective, ends: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count good and all events in the window before each end."""
    text = format_duration(-(-window // 1_000_000) * 1_000_000)  # whole milliseconds

    def count(expr: str) -> np.ndarray:
        asked = _counted(expr, text)
        refuse_unknown(source, asked)
        found = query.evaluate_at(source, asked, ends)
        return np.where(found.present, found.values, 0.0).sum(axis=0) + np.zeros(len(ends))

    total = count(str(objective.total))
    if objective.good is not None:
        return count(objective.good), total
    return total - count(str(objective.bad)), total


def _over_time(
    source: Any, objective: Objective, start: pd.Timestamp, end: pd.Timestamp, interval: int
) -> Attainment:
    span = int((end - start).as_unit("ns").value)
    step = max(interval, -(-span // _STEPS), 1)
    count = max(1, span // step)
    ends = end.value - step * np.arange(count - 1, -1, -1, dtype=np.int64)
    asked = _as_numbers(str(objective.holds))
    refuse_unknown(source, asked)
    found = query.evaluate_at(source, asked, ends, query.QueryOptions(lookback="auto"))
    present = np.asarray(found.present) & np.isfinite(found.values)
    values = np.where(present, found.values, 0.0)
    if not np.isin(values, (0.0, 1.0)).all():
        msg = (
            f"objective {objective.name!r}: {objective.holds!r} gives numbers, not 0 and 1; "
            "write a comparison such as latency_seconds < 0.5"
        )
        raise RuleError(msg)
    parts = min(_SLICES, max(1, count // _FEWEST))
    edges = np.linspace(0, count, parts + 1).astype(int)
    slices = tuple(_mean(values[:, a:b], present[:, a:b]) for a, b in pairwise(edges))
    ratio = _mean(values, present)
    measured = present.any(axis=0).sum() * step / 1e9
    good = None if ratio is None else ratio * measured
    return Attainment(objective, start, end, ratio, good, float(measured), slices)


def _mean(values: np.ndarray, present: np.ndarray) -> float | None:
    known = int(present.sum())
    return float(values.sum() / known) if known else None


def _counted(expr: str, window: str) -> str:
    """Give the expression that counts events in a window."""
    if "{window}" in expr:
        text = expr.replace("{window}", window)
        return query.to_promql(query.parse(text))
    node = query.unwrap(query.parse(expr))
    if not isinstance(node, query.VectorSelector):
        msg = (
            f"{expr!r} is neither a selector of counters nor has it {{window}} in it; write for "
            "example sum(increase(requests_total[{window}]))"
        )
        raise RuleError(msg)
    return f"sum(increase({query.to_promql(node)}[{window}]))"


def _as_numbers(expr: str) -> str:
    """Turn a comparison, which keeps or drops series, into one that says 1 or 0."""
    node = query.unwrap(query.parse(expr))
    if isinstance(node, query.Binary) and node.op in _COMPARISONS:
        return query.to_promql(dataclasses.replace(node, returns_bool=True))
    if isinstance(node, query.Binary) and node.op in _SET_OPERATORS:
        msg = f"{expr!r} combines series; write it as (a < bool 1) * (b < bool 2)"
        raise RuleError(msg)
    return query.to_promql(node)
