"""From alarms to intervals: where an event starts and ends, and which alarms are its own.

>>> import numpy as np, pandas as pd
>>> from monitorlab.anomaly.ensemble import Ensemble
>>> index = pd.date_range("2026-01-01", periods=600, freq="min", tz="UTC")
>>> series = pd.Series(np.arange(600) % 10.0, index=index)
>>> series.iloc[500:530] = 40.0
>>> rows = Ensemble().trace(series)
>>> [(span.start, span.end) for span in Finder(rows, series.to_numpy(), 0.999)]
[(500, 530)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.anomaly.changes import LEAST, WINDOW, equal_run
from monitorlab.anomaly.kinds import AFTER, QUIET, Home, Shape
from monitorlab.anomaly.usual import Usual

__all__ = ["Finder", "Span"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STRANGE = 0.995  # tail at and above which a sample belongs to an event round an alarm
RISES = 0.5  # a peak this much of the one before, after a return to the band, is one of its own
TOWERS = 2.0  # what stands out so many times further than a lasting change is not part of it
ECHO = 48  # samples after a return for which the band is still on its way back
HUGE = 1e150  # beyond, squares are infinite
_BASE = ("score", "tail", "expected", "lower", "upper")


@dataclass
class Span:
    """One event: rows, half-open, and its kind.

    Examples
    --------
    >>> Span(5, 5, 6, "spike", 3.0, 9, compact=True, lasts=False, home=None, passes=False).kind
    'spike'
    """

    start: int
    alarm: int
    end: int
    kind: str
    reach: float  # how far out of the band it went, in half widths of the band
    run_end: int  # up to where alarms may be echoes of it
    compact: bool  # whether it ends where the values are back
    lasts: bool  # whether the values themselves show a change that lasts
    home: Home | None  # where the values were before, if they came back there
    passes: bool  # whether it lasted for long, and was over


class Finder:
    """Walk over the alarms of one series and give the spans of its events.

    Parameters
    ----------
    rows : pandas.DataFrame
        What ``Ensemble.trace`` found, without missing samples.
    values : numpy.ndarray of float64
        Their values.
    threshold : float
        Score at and above which a sample alarms.

    Examples
    --------
    >>> values = np.zeros(100)
    >>> values[50:53] = 9.0
    >>> rows = pd.DataFrame({"score": values / 9.0, "tail": values / 9.0, "expected": 0.0})
    >>> rows = rows.assign(lower=-1.0, upper=1.0, jump=values)
    >>> rows.index = pd.date_range("2026-01-01", periods=100, freq="min")
    >>> [(span.start, span.end, span.kind) for span in Finder(rows, values, 0.999)]
    [(50, 53, 'spike')]
    """

    def __init__(self, rows: pd.DataFrame, values: Floats, threshold: float) -> None:
        self.values = values
        self.tail = rows["tail"].to_numpy()
        self.expected = rows["expected"].to_numpy()
        self.lower, self.upper = rows["lower"].to_numpy(), rows["upper"].to_numpy()
        self.alarms = rows["score"].to_numpy() >= threshold
        self.reach = _reach_of(values, self.lower, self.upper)
        # a peak may alarm no more in the span after an alarm; it is an event all the same
        self.peaks = self.alarms | ((self.reach > 0.0) & (self.tail >= threshold))
        seconds = pd.DatetimeIndex(rows.index).as_unit("ns").asi8 / 1e9
        self._tame = np.clip(values, -HUGE, HUGE)
        self._usual = Usual(seconds, self._tame)
        self._strange = _Runs(self.tail >= STRANGE)
        self._above, self._below = _Runs(values > self.upper), _Runs(values < self.lower)
        spoken = rows.drop(columns=list(_BASE), errors="ignore")
        self._names, self._spoke = [str(c) for c in spoken.columns], spoken.to_numpy(dtype=float)

    def spoke(self, row: int) -> dict[str, float]:
        """Give the statistics that spoke at a row, the loudest first."""
        return _loudest(self._names, self._spoke[row])

    def __iter__(self) -> Iterator[Span]:
        last: Span | None = None
        for row in np.flatnonzero(self.peaks).tolist():
            if last is None or row >= last.run_end:
                if not self.alarms[row]:
                    continue
                if last is not None:
                    yield self._named(last)
                last = self._span(row, last)
                continue
            inside = last.compact and row < last.end
            taken = inside and self._takes_over(row, last)
            if inside:
                wanted = taken or self._towers(row, last)
            else:
                wanted = self.alarms[row] or self._rivals(row, last)
            if not wanted:
                continue
            found = self._span(row, last, echo=True)
            if inside or self._is_new(found, last):
                # what came back was the later one: the earlier ended with what was strange of it
                ending = self._strange.ending(last.alarm) if taken else last.end
                last.end = min(ending, found.start)
                yield self._named(last)
                last = found
            elif self.alarms[row] and not (last.passes and self._is_return(found, last)):
                last.end = max(last.end, row + 1)
                last.run_end = max(last.run_end, self._strange.ending(row))
                last.reach = max(last.reach, found.reach)
        if last is not None:
            yield self._named(last)

    def _named(self, span: Span) -> Span:
        """Name a spike that went on and on after what it became."""
        if span.kind in ("spike", "dip") and span.end - span.start > 2 * AFTER:
            shape = self._shape(span.start, span.alarm)
            span.kind = shape.prolonged(span.end) or span.kind
        return span

    def _shape(self, start: int, alarm: int, known: Home | None = None) -> Shape:
        return Shape(self._tame, start, alarm, self.lower, self.upper, self._usual, known)

    def _span(self, alarm: int, last: Span | None, *, echo: bool = False) -> Span:
        floor = 0
        if last is not None:
            floor = last.end if last.end <= alarm and (last.compact or not echo) else last.alarm + 1
        side = self._shape(alarm, alarm).side()
        # after a spike the band is high for a while, so what lies below it means nothing
        outside = self._above if side > 0 else self._below
        start = max(floor, (outside if echo else self._strange).beginning(alarm))
        near = last is not None and start < last.end + WINDOW
        shape = self._shape(start, alarm, last.home if last is not None and near else None)
        kind = shape.kind(self.spoke(alarm))
        run_end = self._strange.ending(alarm)
        compact = shape.side() != 0 and kind != "variance change"
        end = outside.ending(alarm) if compact else run_end
        home = None
        if kind == "flat-line":
            first, end = equal_run(self.values, alarm)
            start, compact, home = max(floor, first), True, shape.home
        elif shape.end is not None and kind != "variance change":
            end, compact, home = shape.end, True, shape.home
        far = slice(start, end if compact else min(end, alarm + AFTER))
        reach = float(self.reach[far].max())
        lasts = bool(shape.lasting)
        long = end - start > LEAST if kind == "flat-line" else shape.passes
        passes = long and home is not None
        run_end = max(run_end, end + ECHO * passes)
        return Span(start, alarm, end, kind, reach, run_end, compact, lasts, home, passes)

    def _is_new(self, found: Span, last: Span) -> bool:
        alarmed = bool(self.alarms[found.alarm])
        if self._is_return(found, last):
            return False
        if last.lasts and not last.compact:
            return alarmed and found.reach >= TOWERS * max(last.reach, 1.0)
        if found.lasts and found.kind != last.kind:
            return alarmed
        return found.reach > 0.0 and found.reach >= RISES * last.reach

    def _is_return(self, found: Span, last: Span) -> bool:
        """Tell whether a span is but where values were before the event that came back there."""
        if last.home is None or found.alarm < last.end:
            return False
        rest = self._usual.rest(found.start, found.alarm + 1, last.start)
        return float(last.home.away(rest).max()) <= (RISES if last.passes else 0.0)

    def _towers(self, row: int, last: Span) -> bool:
        """Tell whether a peak stands out of a change, while that lasts, twice as far."""
        if last.home is None or not last.passes:
            return False
        far = last.home.away(self._usual.rest(last.start, row + 1, last.start))
        return bool(far[-1] >= TOWERS * max(float(far[:-1].max(initial=0.0)), 1.0))

    def _takes_over(self, row: int, last: Span) -> bool:
        """Tell whether it is the step of an alarm inside an event that the values return from."""
        if not last.passes or not self.alarms[row] or row < last.alarm + WINDOW:
            return False
        rest = self._usual.rest(row - WINDOW, last.end + WINDOW, last.start)
        edges = [rest[at - WINDOW : at + WINDOW] for at in (WINDOW, len(rest) - WINDOW)]
        there, back = (np.median(e[WINDOW:]) - np.median(e[:WINDOW]) for e in edges)
        return bool(-np.sign(back) * there >= RISES * abs(back))

    def _rivals(self, row: int, last: Span) -> bool:
        """Tell whether a peak that could not alarm stands out as the event before it did."""
        if not last.compact or self.reach[row] < RISES * last.reach:
            return False
        rest = self._usual.rest(row, row + 1, last.start)
        return last.home is None or float(last.home.away(rest)[0]) > 0.0


class _Runs:
    """Where runs of members begin and end: three others in a row end one."""

    def __init__(self, member: Bools) -> None:
        self._others = np.flatnonzero(~member)
        padded = np.r_[member, np.zeros(QUIET, dtype=bool)]
        self._quiet = np.flatnonzero(~(padded[:-3] | padded[1:-2] | padded[2:-1]))
        self._count = len(member)

    def ending(self, row: int) -> int:
        """Give the row after the last member of the run that a row is in."""
        at = int(np.searchsorted(self._quiet, row + 1))
        return int(self._quiet[at]) if at < len(self._quiet) else self._count

    def beginning(self, row: int) -> int:
        """Give the first of the members in a row that end at a row, whatever that is."""
        at = int(np.searchsorted(self._others, row)) - 1
        return int(self._others[at]) + 1 if at >= 0 else 0


def _reach_of(values: Floats, lower: Floats, upper: Floats) -> Floats:
    """Give how far samples lie outside of their band, in half widths of it; 0 inside."""
    with np.errstate(over="ignore", invalid="ignore"):
        half = np.maximum(0.5 * upper - 0.5 * lower, 1e-300)
        away = np.maximum(values - upper, lower - values)
        reach: Floats = np.nan_to_num(np.maximum(away, 0.0) / half, nan=0.0, posinf=1e300)
    return reach


def _loudest(names: list[str], surprises: Floats) -> dict[str, float]:
    """Give the statistics with half the greatest surprise and more, the loudest first."""
    if not len(names):
        return {}
    bar = 0.5 * float(surprises.max())
    order = np.argsort(-surprises, kind="stable")
    return {names[k]: float(surprises[k]) for k in order.tolist() if surprises[k] >= bar}
