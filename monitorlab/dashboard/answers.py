"""Answers: what a panel asks, as a few thinned lines that a screen can show.

Pure functions: a panel and a source in, arrays out. Nothing here knows of widgets.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("queue_depth", [0, 1, 2], [1.0, 4.0, 2.0])
>>> data = answer(Panel("queue_depth"), store, 0, 2_000_000_000, step_ns=1_000_000_000)
>>> data.lines[0].values.tolist()
[1.0, 4.0, 2.0]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitorlab.dashboard.bands import Span
from monitorlab.dashboard.panels import Panel
from monitorlab.errors import MatcherError, MonitorlabError
from monitorlab.model import Labels, Metric, SeriesKey
from monitorlab.plotting import downsample
from monitorlab.storage import SeriesView, is_stale, parse_selector
from monitorlab.times import from_ns

__all__ = ["Answer", "FilteredSource", "Line", "answer", "ask", "short_names", "strongest", "thin"]

MOST_LINES = 10
MOST_POINTS = 2_000
GAP_INTERVALS = 10.0  # a hole so many usual intervals long breaks the line
MOST_GAPS = 200
STEPS_LOOKED_AT = 4_001  # of one line, for its usual interval


@dataclass(frozen=True)
class Line:
    """One series of an answer, thinned out for the screen.

    Parameters
    ----------
    labels : Labels
        What tells it from the others.
    name : str
        Short name for a legend.
    times : numpy.ndarray of int64
        Nanoseconds since the epoch.
    values : numpy.ndarray of float64
        NaN where the line breaks.

    Examples
    --------
    >>> Line(Labels(), "up", np.array([0]), np.array([1.0])).name
    'up'
    """

    labels: Labels
    name: str
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    """What a panel shows: lines, or why there are none.

    Parameters
    ----------
    panel : Panel
        The question.
    lines : tuple of Line
        At most ten.
    found : int
        Series found; more than there are lines when some are left out.
    problem : str
        Why nothing is shown; empty when all is well.
    before : tuple of Line
        The lines of an earlier period, moved to this one.
    spans : tuple of Span
        Stretches of time that belong to this panel alone.
    content : object
        What panels show that are not made of lines.

    Examples
    --------
    >>> Answer(Panel("up")).lines
    ()
    """

    panel: Panel
    lines: tuple[Line, ...] = ()
    found: int = 0
    problem: str = ""
    before: tuple[Line, ...] = ()
    spans: tuple[Span, ...] = ()
    content: Any = None


class FilteredSource:
    """A source in which only some series exist.

    Parameters
    ----------
    base : source
        Anything with ``select`` and ``metric``.
    passes : callable
        Takes a ``SeriesKey``.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> FilteredSource(SeriesStore(), lambda key: True).select()
    []
    """

    def __init__(self, base: Any, passes: Callable[[SeriesKey], bool]) -> None:
        self._base = base
        self._passes = passes

    def select(
        self, selector: Any = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> list[SeriesView]:
        """Give the series that match and pass."""
        found = self._base.select(selector, start_ns, end_ns)
        return [view for view in found if self._passes(view.key)]

    def metric(self, name: str) -> Metric:
        """Give what is known of a metric."""
        known: Metric = self._base.metric(name)
        return known


def answer(
    panel: Panel,
    source: Any,
    start_ns: int,
    end_ns: int,
    *,
    step_ns: int,
    points: int = MOST_POINTS,
) -> Answer:
    """Ask a panel's question over a range, for the screen.

    Parameters
    ----------
    panel : Panel
        The question.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The range, both ends included.
    step_ns : int
        Step of expressions; plain selectors give their own samples.
    points : int
        Points of one line at the most.

    Returns
    -------
    Answer
        With a problem in words when the expression is wrong or nothing is there; it never
        raises for what a user typed.

    Notes
    -----
    Samples are chosen by MinMaxLTTB from the full data in the range, so that zooming in
    shows what was between them. A hole of more than ten usual intervals breaks the line.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> answer(Panel("rate(up"), SeriesStore(), 0, 60, step_ns=15).problem != ""
    True
    """
    lines: list[Line] = []
    found = 0
    several = len(panel.expressions) > 1
    for name, expr in panel.expressions:
        try:
            series = ask(source, expr, start_ns, end_ns, step_ns)
        except MonitorlabError as error:
            return Answer(panel, problem=str(error))
        found += len(series)
        names = short_names([key for key, _, _ in series])
        for (key, times, values), short in zip(series, names, strict=True):
            legend = " · ".join(p for p in (name, "" if several and not short else short) if p)
            labels = key.labels
            lines.append(Line(labels, legend or key.metric or panel.title, times, values))
    shown = strongest(lines, MOST_LINES) if panel.kind != "band" else lines[: 2 * MOST_LINES]
    thinned = tuple(thin(line, points) for line in shown)
    if not thinned:
        return Answer(panel, problem="no samples in this range")
    if not any(np.isfinite(line.values).any() for line in thinned):
        return Answer(panel, thinned, found, "all values are missing (NaN) in this range")
    return Answer(panel, thinned, found)


_Series: TypeAlias = tuple[SeriesKey, npt.NDArray[np.int64], npt.NDArray[np.float64]]


def ask(source: Any, expr: str, start_ns: int, end_ns: int, step_ns: int) -> list[_Series]:
    """Give the series that an expression names or makes, in full.

    Parameters
    ----------
    source : source
        Where the samples are.
    expr : str
        PromQL; a plain selector gives the samples themselves.
    start_ns, end_ns : int
        The range, both ends included.
    step_ns : int
        Step of expressions.

    Returns
    -------
    list of (SeriesKey, times, values)

    Raises
    ------
    QueryError
        If the expression is wrong.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.append("up", 5, 1.0)
    >>> ask(store, "up", 0, 9, 1)[0][2].tolist()
    [1.0]
    """
    try:
        matchers = parse_selector(expr).matchers
    except MatcherError:
        matchers = None
    if matchers is not None:
        views = source.select(matchers, start_ns, end_ns + 1)
        # A metric that does not exist at all is told by the query engine, with near names.
        if views or source.select(matchers):
            return [(view.key, view.times, view.values) for view in views]
    from monitorlab.query import evaluate_range

    first = -(-start_ns // step_ns) * step_ns
    result = evaluate_range(
        source, expr, from_ns(first), from_ns(max(first, end_ns)),
        pd.Timedelta(step_ns, unit="ns"), lookback="auto",
    )  # fmt: skip
    found = []
    for row, key in enumerate(result.keys):
        present = result.present[row]
        if present.any():
            values = np.where(present, result.values[row], np.nan)
            found.append((key, result.times_ns, values))
    return found


def short_names(keys: Sequence[SeriesKey]) -> list[str]:
    """Name series by the labels in which they differ.

    Parameters
    ----------
    keys : sequence of SeriesKey
        The series.

    Returns
    -------
    list of str
        An empty name where there is one series only.

    Examples
    --------
    >>> keys = [SeriesKey("up", Labels(job="a", x="1")), SeriesKey("up", Labels(job="b", x="1"))]
    >>> short_names(keys)
    ['a', 'b']
    """
    if len(keys) < 2:
        return [""] * len(keys)
    names = sorted({name for key in keys for name in key.labels})
    telling = [n for n in names if len({key.labels.get(n, "") for key in keys}) > 1]
    if not telling:
        return [key.metric for key in keys]
    if len(telling) <= 2:
        return [" · ".join(key.labels.get(n, "–") for n in telling) for key in keys]
    return [", ".join(f"{n}={key.labels[n]}" for n in telling if n in key.labels) for key in keys]


def strongest(lines: list[Line], most: int) -> list[Line]:
    """Keep the lines with the greatest mean, in their order.

    Parameters
    ----------
    lines : list of Line
        All of them.
    most : int
        How many may stay.

    Returns
    -------
    list of Line

    Examples
    --------
    >>> strongest([], 3)
    []
    """
    if len(lines) <= most:
        return lines

    def weight(line: Line) -> float:
        finite = line.values[np.isfinite(line.values)]
        return float(np.abs(finite).mean()) if len(finite) else -1.0

    kept = sorted(range(len(lines)), key=lambda i: -weight(lines[i]))[:most]
    return [lines[i] for i in sorted(kept)]


def thin(line: Line, points: int) -> Line:
    """Keep the samples that a screen can show, with a break at each long hole.

    Parameters
    ----------
    line : Line
        All samples.
    points : int
        How many may stay.

    Returns
    -------
    Line

    Examples
    --------
    >>> seconds = np.arange(5_000, dtype=np.int64) * 1_000_000_000
    >>> len(thin(Line(Labels(), "up", seconds, np.ones(5_000)), 100).times)
    100
    """
    times, values = line.times, line.values
    ends = is_stale(values)
    if ends.any():
        values = np.where(ends, np.nan, values)
    gaps = _gaps(times)
    times, values = downsample(times, values, points)
    if len(gaps):
        at = times.searchsorted(gaps, side="right")
        times = np.insert(times, at, gaps + 1_000_000)
        values = np.insert(values, at, np.nan)
    return Line(line.labels, line.name, times, values)


def _gaps(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the last time before each long hole."""
    if len(times) < 4:
        return times[:0]
    steps = np.diff(times)
    usual = float(np.median(steps[:: -(-len(steps) // STEPS_LOOKED_AT)]))
    if float(steps.max()) <= GAP_INTERVALS * usual:
        return times[:0]
    holes = np.flatnonzero(steps > GAP_INTERVALS * usual)
    return times[holes[:MOST_GAPS]]
