"""The figures of a backtest: one score for all rules together, one row for each.

See ``monitorlab.alerting.scoring`` for the definitions.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.alerting.history import objects, texts
from monitorlab.alerting.scoring import WEEK_NS, Measures, Universe
from monitorlab.display import Result, to_plain
from monitorlab.errors import UnknownNameError, did_you_mean
from monitorlab.times import to_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from monitorlab.alerting.history import History
    from monitorlab.alerting.notify.notifier import Told
    from monitorlab.model import Incident

FIRING_COLUMNS = (
    "rule", "severity", "series", "pending_since", "start", "end", "duration", "open",
    "value", "incident", "verdict", "labels",
)  # fmt: skip

__all__ = ["Score", "firings_frame", "flaps_of", "incidents_frame", "make_score"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False, eq=False)
class Score(Result):
    """How rules did against labelled incidents.

    Parameters
    ----------
    precision : float
        Share of firings that overlap an incident.
    recall : float
        Share of incidents in which something fired.
    f1 : float
        Harmonic mean of the two.
    false_positive_rate : float
        Share of incident-free evaluated time with at least one firing.
    overrun_share : float
        The part of it that is the end of a true firing which outlasts its incident (one more
        scrape, the length of a window); the rest is false firings.
    time_to_detect, time_to_detect_p90 : pandas.Timedelta
        Median and 90th percentile of first firing minus start, of detected incidents.
    firings_per_week : float
        Firings in a week of evaluated time.
    false_firings_per_week : float
        Firings outside of incidents in a week of incident-free time.
    pages_per_week : float
        Notifications of firing alerts in a week, after grouping, cooldown, silences.
    flaps : int
        Firings that came back soon after they had been resolved.
    firings, true_firings, false_firings, incidents, detected : int
        Counts.
    firing_share : float
        Share of all evaluated time with at least one firing.
    evaluated_seconds, incident_free_seconds : float
        Length of the universe and of its incident-free part.

    Notes
    -----
    Figures that need labels are NaN when there are none.

    Examples
    --------
    >>> universe = Universe.make(0, 100, [(20, 40)])
    >>> score = make_score(
    ...     np.array([30]), np.array([50]), universe, labelled=True, flaps=0)
    >>> score.recall, score["false_positive_rate"]
    (1.0, 0.125)
    """

    precision: float
    recall: float
    f1: float
    false_positive_rate: float
    overrun_share: float
    time_to_detect: pd.Timedelta
    time_to_detect_p90: pd.Timedelta
    firings_per_week: float
    false_firings_per_week: float
    flaps: int
    firings: int
    true_firings: int
    false_firings: int
    incidents: int
    detected: int
    firing_share: float
    evaluated_seconds: float
    incident_free_seconds: float
    _pages: Told | None = None

    @cached_property
    def pages_per_week(self) -> float:
        """Notifications of firing alerts in a week; simulated when first asked for."""
        if self._pages is None or not self.evaluated_seconds:
            return math.nan
        return self._pages.pages * WEEK_NS / (self.evaluated_seconds * 1e9)

    def __getitem__(self, name: str) -> Any:
        names = self.keys()
        if name not in names:
            msg = f"a score has no {name!r}{did_you_mean(name, names)}"
            raise UnknownNameError(msg)
        return getattr(self, name)

    def keys(self) -> list[str]:
        """Name the figures, so that ``dict(score)`` works."""
        names = [f.name for f in dataclasses.fields(self) if not f.name.startswith("_")]
        names.insert(names.index("flaps"), "pages_per_week")
        return names

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {name: to_plain(self[name]) for name in self.keys()}

    def summary(self) -> str:
        """Say the most important figures in one line."""
        if not self.incidents:
            return (
                f"{self.firings} firings, {self.firings_per_week:.1f} a week; no incident labelled"
            )
        late = "" if self.time_to_detect is pd.NaT else (
            f", median time to detect {self.time_to_detect.total_seconds():.0f} s"
        )  # fmt: skip
        return (
            f"detected {self.detected} of {self.incidents} incidents (recall {self.recall:.3f}), "
            f"precision {self.precision:.3f}, false-positive rate "
            f"{100 * self.false_positive_rate:.2f} %{late}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give one row a figure."""
        names = self.keys()
        return pd.DataFrame({"figure": names, "value": [getattr(self, n) for n in names]})

    def plot(self) -> go.Figure:
        """Draw precision, recall, F1 and the false-positive rate as bars."""
        import plotly.graph_objects as go

        from monitorlab.plotting import PALETTE, new_figure

        names = ["precision", "recall", "f1", "false_positive_rate"]
        figure = new_figure(title=self.summary())
        figure.add_trace(
            go.Bar(x=names, y=[getattr(self, n) for n in names], marker_color=PALETTE[0])
        )
        figure.update_yaxes(range=[0, 1])
        return figure


def make_score(
    starts: IntArray,
    ends: IntArray,
    universe: Universe,
    *,
    labelled: bool,
    flaps: int,
    pages: Told | None = None,
) -> Score:
    """Make the score of firing intervals.

    Parameters
    ----------
    starts, ends : numpy.ndarray of int64
        Firing intervals of all series and rules.
    universe : Universe
        Evaluated time and its incidents.
    labelled : bool
        Whether incidents have been labelled at all.
    flaps : int
        Counted elsewhere.
    pages : Told, optional
        What people would have been told.

    Returns
    -------
    Score

    Examples
    --------
    >>> universe = Universe.make(0, 100, [(20, 40)])
    >>> nothing = np.empty(0, dtype=np.int64)
    >>> make_score(nothing, nothing, universe, labelled=True, flaps=0).detected
    0
    """
    found: Measures = universe.measure(starts, ends)
    everywhere = Universe.make(universe.start, universe.end, []).measure(starts, ends)
    span, clean = universe.end - universe.start, universe.clean_ns
    false = found.firings - found.true_firings
    return Score(
        precision=found.precision if labelled else math.nan,
        recall=found.recall,
        f1=found.f1 if labelled else math.nan,
        false_positive_rate=found.false_positive_rate if labelled else math.nan,
        overrun_share=_overrun(universe, starts, ends) if labelled else math.nan,
        time_to_detect=_delay(found.delays, 0.5),
        time_to_detect_p90=_delay(found.delays, 0.9),
        firings_per_week=found.firings * WEEK_NS / span if span else math.nan,
        false_firings_per_week=false * WEEK_NS / clean if labelled and clean else math.nan,
        flaps=flaps,
        firings=found.firings,
        true_firings=found.true_firings if labelled else 0,
        false_firings=false if labelled else 0,
        incidents=found.incidents,
        detected=found.detected,
        firing_share=everywhere.false_positive_rate,
        evaluated_seconds=span / 1e9,
        incident_free_seconds=clean / 1e9 if labelled else math.nan,
        _pages=pages,
    )


def firings_frame(
    histories: Sequence[History], incidents: Sequence[Incident], grace: int
) -> pd.DataFrame:
    """Make the table of firing intervals.

    Parameters
    ----------
    histories : sequence of History
        From ``replay``.
    incidents : sequence of Incident
        Labelled truth, by start.
    grace : int
        Nanoseconds after its end in which an incident still excuses an alert.

    Returns
    -------
    pandas.DataFrame
        ``rule, severity, series, pending_since, start, end, duration, open, value, incident,
        verdict, labels``; ``incident`` is the kind of the first incident it overlaps.

    Examples
    --------
    >>> firings_frame([], [], 0).columns[:3].tolist()
    ['rule', 'severity', 'series']
    """
    begins = np.array([i.start.value for i in incidents], dtype=np.int64)
    ends = np.array([i.end.value for i in incidents], dtype=np.int64) + grace
    kinds = [*(i.kind for i in incidents), ""]
    histories = [history for history in histories if len(history.lives.fired)]
    if not histories:
        return pd.DataFrame({name: pd.Series(dtype=object) for name in FIRING_COLUMNS})
    spans = [intervals(history) for history in histories]
    start, end = (np.concatenate([span[k] for span in spans]) for k in (0, 1))
    which = np.repeat(range(len(histories)), [len(span[0]) for span in spans])
    sort = np.lexsort((np.array([h.rule.name for h in histories])[which], start))
    start, end, which = start[sort], end[sort], which[sort]

    def column(values: Iterable[Any]) -> Any:
        return np.concatenate(list(values))[sort]

    first = np.full(len(start), -1)
    for i in range(len(incidents) - 1, -1, -1):
        first[(start < ends[i]) & (end > begins[i])] = i
    offsets = np.cumsum([0, *(len(h.signals.labels) for h in histories)])
    rows = column(span[2] + offset for span, offset in zip(spans, offsets[:-1], strict=True))
    lives = [history.lives for history in histories]
    return pd.DataFrame(
        {
            "rule": texts([h.rule.name for h in histories], which),
            "severity": texts([h.rule.severity.value for h in histories], which),
            "series": texts([str(k) for h in histories for k in h.signals.keys], rows),
            "pending_since": to_index(column(x.times[x.first_active] for x in lives), name=None),
            "start": to_index(start, name=None),
            "end": to_index(end, name=None),
            "duration": pd.to_timedelta(end - start, unit="ns"),
            "open": column(x.ended >= len(x.times) for x in lives),
            "value": column(x.value_at(x.firing_row, x.fired) for x in lives),
            "incident": texts(kinds, first % len(kinds)),
            "verdict": _verdicts(first, labelled=bool(len(incidents))),
            "labels": objects([own for h in histories for own in h.signals.labels], rows),
        }
    )


def incidents_frame(
    histories: Sequence[History], incidents: Sequence[Incident], universe: Universe, grace: int
) -> pd.DataFrame:
    """Make the table of incidents: who saw each, and how late.

    Parameters
    ----------
    histories, incidents, grace
        See ``firings_frame``.
    universe : Universe
        Evaluated time.

    Returns
    -------
    pandas.DataFrame
        ``start, end, kind, severity, evaluated, detected, rule, delay, rules`` in order of
        start; ``rule`` is the first to fire, ``rules`` names all that fired.

    Examples
    --------
    >>> incidents_frame([], [], Universe.make(0, 1, []), 0).columns[:3].tolist()
    ['start', 'end', 'kind']
    """
    count = len(incidents)
    first = np.full(count, np.iinfo(np.int64).max)
    who = np.full(count, "", dtype=object)
    everyone: list[list[str]] = [[] for _ in range(count)]
    spans = [(i.start.value, i.end.value + grace) for i in incidents]
    inside = [max(a, universe.start) < min(b, universe.end) for a, b in spans]
    for history in histories:
        start, end, _ = intervals(history)
        for i in range(count):
            if not inside[i]:
                continue
            begin = max(spans[i][0], universe.start)
            hits = (start < min(spans[i][1], universe.end)) & (end > begin)
            if not hits.any():
                continue
            at = int(np.maximum(start[hits], begin).min())
            everyone[i].append(history.rule.name)
            if at < first[i]:
                first[i], who[i] = at, history.rule.name
    found = np.array([bool(w) for w in who], dtype=bool)
    return pd.DataFrame(
        {
            "start": pd.DatetimeIndex([i.start for i in incidents], tz="UTC"),
            "end": pd.DatetimeIndex([i.end for i in incidents], tz="UTC"),
            "kind": [i.kind for i in incidents],
            "severity": [i.severity.value for i in incidents],
            "evaluated": np.array(inside, dtype=bool),
            "detected": found,
            "rule": who,
            "delay": pd.to_timedelta(
                [
                    pd.Timedelta(int(first[i]) - max(spans[i][0], universe.start), unit="ns")
                    if found[i]
                    else pd.NaT
                    for i in range(count)
                ]
            ),
            "rules": [", ".join(dict.fromkeys(names)) for names in everyone],
        }
    )


def intervals(history: History) -> tuple[IntArray, IntArray, IntArray]:
    """Give start, end and row of the firing intervals of a rule, in nanoseconds."""
    lives, times = history.lives, history.signals.times
    if not len(times):
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty
    until = np.append(times, times[-1] + history.step_ns)
    return times[lives.fired], until[lives.ended], lives.firing_row


def flaps_of(history: History, within_ns: int) -> int:
    """Count firings of a series that start within a time of the end of the one before.

    Examples
    --------
    >>> from monitorlab.alerting import AlertRule
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.arange(4) * 15_000_000_000, [1.0, 0.0, 0.0, 1.0])
    >>> from monitorlab.alerting import backtest
    >>> flaps_of(backtest(store, AlertRule("Down", "up == 0"), []).histories[0], 10**9)
    0
    """
    start, end, row = intervals(history)
    if len(start) < 2:
        return 0
    soon = (row[1:] == row[:-1]) & (start[1:] - end[:-1] <= within_ns)
    return int(soon.sum())


def _verdicts(first: npt.NDArray[np.int64], *, labelled: bool) -> Any:
    return texts(("false", "true"), (first >= 0).astype(np.int64)) if labelled else ""


def _overrun(universe: Universe, starts: IntArray, ends: IntArray) -> float:
    """Give the false-positive time that is not covered by a false firing, as a share."""
    true = universe.overlap(np.maximum(starts, universe.start), np.minimum(ends, universe.end)) > 0
    everything = universe.measure(starts, ends).false_positive_rate
    return everything - universe.measure(starts[~true], ends[~true]).false_positive_rate


def _delay(delays: IntArray, quantile: float) -> pd.Timedelta:
    if not len(delays):
        return pd.NaT
    return pd.Timedelta(round(float(np.quantile(delays, quantile))), unit="ns")
