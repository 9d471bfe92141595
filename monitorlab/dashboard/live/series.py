"""The samples of one panel on one time base, thinned out where there are too many.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("queue_depth", [1, 2], [3.0, 4.0])
>>> stream = PanelStream(0, Panel("queue_depth"), span_ns=60 * 10**9)
>>> stream.window(store, 2 * 10**9).values.tolist()
[[3.0, 4.0]]
>>> store.append("queue_depth", 3 * 10**9, 5.0)
>>> stream.fresh(store, 3 * 10**9).values.tolist()
[[5.0]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from monitorlab.dashboard.answers import ask, short_names
from monitorlab.dashboard.live.wire import ABSENT, Block
from monitorlab.dashboard.panels import Panel
from monitorlab.errors import MatcherError, MonitorlabError
from monitorlab.model import SeriesKey
from monitorlab.plotting import downsample
from monitorlab.storage import is_stale, parse_selector

__all__ = ["MOST_ROWS", "PanelStream", "align", "thin"]

MOST_LINES = 8
MOST_ROWS = 1_200  # of one block: half again what a panel is wide
OLDER_ROWS = 400  # of them for what lies before the visible window
GAP_INTERVALS = 10.0  # a hole so many usual intervals long breaks the line
MOST_GAPS = 200
LEAST_STEP_NS = 250_000_000
STEPS = 300  # of an expression over the visible window

Times: TypeAlias = npt.NDArray[np.int64]
Values: TypeAlias = npt.NDArray[np.float64]
Line: TypeAlias = tuple[int, SeriesKey]


class PanelStream:
    """What one panel has been sent, and what is to be sent next.

    Parameters
    ----------
    number : int
        Number of the panel.
    panel : Panel
        The question.
    span_ns : int
        Length of the visible window.

    Notes
    -----
    Nothing waits in a queue: the store holds the samples, and what is to be sent is what came
    since the last update. When that is more than a screen can show it is thinned out
    (MinMaxLTTB), so a block has a bounded size after any pause.

    Examples
    --------
    >>> PanelStream(0, Panel("up"), span_ns=60 * 10**9).names
    ()
    """

    def __init__(self, number: int, panel: Panel, *, span_ns: int) -> None:
        self.number = number
        self.panel = panel
        self.span_ns = span_ns
        self.problem = ""
        self.more = 0
        self.is_changed = False
        self.interval_ns = 0
        self._lines: dict[Line, int] = {}
        self._sent_ns: int | None = None
        self._most = 1 if panel.is_tile else MOST_LINES
        self._is_plain = all(_is_selector(expr) for _, expr in panel.expressions)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the lines, in order."""
        shorts: dict[Line, str] = {}
        expressions = self.panel.expressions
        for number, (name, _) in enumerate(expressions):
            lines = [line for line in self._lines if line[0] == number]
            short = short_names([key for _, key in lines])
            for line, text in zip(lines, short, strict=True):
                shown = " · ".join(part for part in (name, text) if part)
                shorts[line] = shown or line[1].metric or self.panel.title
        return tuple(shorts[line] for line in self._lines)

    @property
    def step_ns(self) -> int:
        """Step of an expression."""
        return max(LEAST_STEP_NS, self.interval_ns, self.span_ns // STEPS)

    def spec(self) -> dict[str, Any]:
        """Say what the page has to know of the panel."""
        panel = self.panel
        return {
            "title": panel.title,
            "expr": panel.expr,
            "kind": panel.kind,
            "unit": panel.unit,
            "series": list(self.names),
            "more": self.more,
            "least": panel.least,
            "most": panel.most,
            "bad": panel.bad,
            "problem": self.problem,
        }

    def window(self, source: Any, newest_ns: int, *, older_ns: int = 0) -> Block:
        """Give everything anew: the visible window, and a coarser stretch before it.

        Parameters
        ----------
        source : source
            Where the samples are.
        newest_ns : int
            End of the window.
        older_ns : int
            Length of the stretch before it.

        Returns
        -------
        Block
            At most 1 200 rows; may be empty.
        """
        self._lines, self.more, self.interval_ns = {}, 0, 0
        start = newest_ns - self.span_ns
        times, values = self._read(source, start - older_ns, newest_ns)
        self.is_changed = False
        self._sent_ns = int(times[-1]) if len(times) else None
        return self._block(times, values, start)

    def fresh(self, source: Any, newest_ns: int, *, low_ns: int | None = None) -> Block | None:
        """Give what came since the last time.

        Parameters
        ----------
        source : source
            Where the samples are.
        newest_ns : int
            Newest time to send.
        low_ns : int, optional
            Oldest time among the samples that came. When it is not newer than what was sent,
            the rows from there on are given again and replace those that the page has.

        Returns
        -------
        Block or None
            At most 1 200 rows; None when there is nothing.
        """
        before = self._sent_ns
        since = newest_ns - self.span_ns if before is None else before + 1
        if low_ns is not None and before is not None and self._is_plain:
            since = min(since, max(low_ns, newest_ns - self.span_ns))
        times, values = self._read(source, since, newest_ns)
        if not len(times) or self.is_changed:
            return None
        self._sent_ns = int(times[-1])
        return self._block(times, values, newest_ns - self.span_ns, before)

    def _read(self, source: Any, start_ns: int, end_ns: int) -> tuple[Times, Values]:
        """Read all lines of a range; sees to it that new lines and problems are noted."""
        step = self.step_ns
        start = start_ns if self._is_plain else -(-start_ns // step) * step
        if start > end_ns:
            return align((), len(self._lines))
        found: list[tuple[Line, Times, Values]] = []
        problem = ""
        try:
            for number, (_, expr) in enumerate(self.panel.expressions):
                answer = ask(source, expr, start, end_ns, step)
                found += [((number, key), times, values) for key, times, values in answer]
        except MonitorlabError as error:
            problem, found = str(error), []
        if problem != self.problem:
            self.problem = problem
            self.is_changed = True
        unknown = [line for line, _, _ in found if line not in self._lines]
        room = self._most - len(self._lines)
        for line in unknown[:room]:
            self._lines[line] = len(self._lines)
        if unknown and room > 0:
            self.is_changed = True
        self.more = max(self.more, len(unknown) - max(0, room))
        shown = [(self._lines[line], t, v) for line, t, v in found if line in self._lines]
        # The line with the longest usual interval decides what a hole is.
        usual = [int(np.median(np.diff(t[-2_001:]))) for _, t, _ in shown if len(t) > 2]
        if usual and not self.interval_ns:
            self.interval_ns = max(usual)
        return align(shown, len(self._lines))

    def _block(
        self, times: Times, values: Values, visible_ns: int, before: int | None = None
    ) -> Block:
        times, values = _with_breaks(times, values, self.interval_ns, before)
        if len(times) > MOST_ROWS:
            cut = int(times.searchsorted(visible_ns))
            older = thin(times[:cut], values[:, :cut], OLDER_ROWS)
            seen = thin(times[cut:], values[:, cut:], MOST_ROWS - OLDER_ROWS)
            times = np.concatenate([older[0], seen[0]])
            values = np.concatenate([older[1], seen[1]], axis=1)
        return Block(self.number, times / 1e9, values)


def align(lines: Sequence[tuple[int, Times, Values]], count: int) -> tuple[Times, Values]:
    """Put lines on one time base.

    Parameters
    ----------
    lines : sequence of (row, times, values)
        Row of the result, and the samples of one line; stale markers become NaN.
    count : int
        Rows of the result.

    Returns
    -------
    times : numpy.ndarray of int64, shape (n,)
        All times, once each.
    values : numpy.ndarray of float64, shape (count, n)
        ``ABSENT`` where a line has no sample.

    Examples
    --------
    >>> one = (0, np.array([1, 2]), np.array([5.0, 6.0]))
    >>> times, values = align([one, (1, np.array([2]), np.array([7.0]))], 2)
    >>> times.tolist(), (values == ABSENT).tolist()
    ([1, 2], [[False, False], [True, False]])
    """
    if not lines:
        return np.empty(0, dtype=np.int64), np.empty((count, 0))
    first = lines[0][1]
    same = all(t is first or np.array_equal(t, first) for _, t, _ in lines[1:])
    times = first if same else np.unique(np.concatenate([t for _, t, _ in lines]))
    values = np.full((count, len(times)), ABSENT)
    for row, line_times, line_values in lines:
        clean = np.where(is_stale(line_values), np.nan, line_values)
        if same:
            values[row] = clean
        else:
            values[row, times.searchsorted(line_times)] = clean
    return times, values


def thin(times: Times, values: Values, rows: int) -> tuple[Times, Values]:
    """Keep the rows that keep the look of all lines.

    Parameters
    ----------
    times : numpy.ndarray of int64, shape (n,)
        Time base.
    values : numpy.ndarray of float64, shape (count, n)
        Lines; ``ABSENT`` where one has no sample.
    rows : int
        Rows wanted at the most.

    Returns
    -------
    times, values : numpy.ndarray
        At most ``rows`` of them, none made up.

    Notes
    -----
    Each line chooses its share of rows by MinMaxLTTB; what any line chooses is kept for all.
    Cost O(n) for each line.

    Examples
    --------
    >>> n = np.arange(10_000)
    >>> times, values = thin(n, np.stack([np.sin(n / 99.0), np.cos(n / 50.0)]), 400)
    >>> len(times) <= 400, values.shape[0]
    (True, 2)
    """
    if len(times) <= rows:
        return times, values
    share = max(4, rows // max(1, len(values)))
    chosen = []
    for line in values:
        there = np.flatnonzero(line != ABSENT)
        chosen.append(downsample(there, line[there], share)[0])
    kept = np.unique(np.concatenate(chosen)) if chosen else np.arange(0)
    if len(kept) > rows:
        kept = kept[np.linspace(0, len(kept) - 1, rows).astype(np.intp)]
    return times[kept], values[:, kept]


def _is_selector(expr: str) -> bool:
    try:
        parse_selector(expr)
    except MatcherError:
        return False
    return True


def _with_breaks(
    times: Times, values: Values, interval_ns: int, before: int | None
) -> tuple[Times, Values]:
    """Put a row without values into each long hole, also into one before the first row."""
    if not len(times) or not interval_ns:
        return times, values
    steps = np.diff(times, prepend=times[0] if before is None else before)
    holes = np.flatnonzero(steps > GAP_INTERVALS * interval_ns)[:MOST_GAPS]
    if not len(holes):
        return times, values
    made = times[holes] - steps[holes] + interval_ns
    return np.insert(times, holes, made), np.insert(values, holes, np.nan, axis=1)
