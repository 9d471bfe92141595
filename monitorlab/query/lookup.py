"""Read series from a source as instant vectors and as windows, for all steps at once.

A source is anything with ``select(matchers, start_ns, end_ns)`` that gives series with
``key``, ``times`` and ``values``.

>>> newest_at(np.array([10, 20]), np.array([5, 15, 30]), lookback_ns=20, closed=False)
(array([0, 0, 1]), array([False,  True,  True]))
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from monitorlab.errors import QueryError
from monitorlab.model import Labels, SeriesKey
from monitorlab.query.matrix import NAME, Bools, Floats, Ints, Vector, Windows, to_seconds
from monitorlab.query.options import AUTO_INTERVALS, QueryOptions
from monitorlab.storage import is_stale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.query.ast import VectorSelector

__all__ = ["Source", "instant", "newest_at", "subquery_windows", "windows"]

_INTERVAL_SAMPLES = 1000  # newest samples of a series that "auto" takes its interval from


class Source(Protocol):
    """What the engine needs to know of a store: select series in a stretch of time.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> source: Source = SeriesStore()
    >>> list(source.select(None))
    []
    """

    def select(
        self, selector: Any = None, start_ns: int | None = None, end_ns: int | None = None
    ) -> Sequence[Any]:
        """Give the matching series, start inclusive, end exclusive, sorted by key."""


def newest_at(times: Ints, ends: Ints, *, lookback_ns: int, closed: bool) -> tuple[Ints, Bools]:
    """Find the newest sample at or before each time that is not too old.

    Parameters
    ----------
    times : numpy.ndarray of int64
        Times of the samples, increasing.
    ends : numpy.ndarray of int64
        Times asked for.
    lookback_ns : int
        Age at which a sample is too old.
    closed : bool
        Whether a sample of exactly that age still counts.

    Returns
    -------
    index : numpy.ndarray of int64
        Sample for each time (0 where there is none).
    found : numpy.ndarray of bool
        Where there is one.

    Examples
    --------
    >>> newest_at(np.array([0]), np.array([10]), lookback_ns=10, closed=True)[1]
    array([ True])
    """
    if not len(times):
        return np.zeros(len(ends), np.int64), np.zeros(len(ends), bool)
    index = np.searchsorted(times, ends, side="right") - 1
    found = index >= 0
    index = np.maximum(index, 0)
    age = ends - times[index]
    found &= (age <= lookback_ns) if closed else (age < lookback_ns)
    return index, found


def instant(
    source: Source, selector: VectorSelector, ends: Ints, options: QueryOptions, *, times: bool
) -> Vector:
    """Look up the current value of each series at each time.

    Parameters
    ----------
    source : Source
        Where the series are.
    selector : VectorSelector
        Which series.
    ends : numpy.ndarray of int64
        Times, offset and ``@`` already applied.
    options : QueryOptions
        Look-back and kind of windows.
    times : bool
        Give the samples' times in seconds, not their values (for ``timestamp``).

    Returns
    -------
    Vector
        Series × times; a stale marker ends a series at once.

    Notes
    -----
    One binary search a series, O(steps log samples); series that share their times share
    the search.

    Examples
    --------
    >>> from monitorlab.query import QueryOptions, load_notation, parse
    >>> store, now = load_notation([("up", "1 0 1")], "1m"), np.array([120 * 10**9])
    >>> instant(store, parse("up"), now, QueryOptions(), times=False).values
    array([[1.]])
    """
    lookback = options.lookback_ns
    views = _fetch(source, selector, ends, lookback, options)
    _refuse_size(len(views), len(ends), options)
    if len(ends) == 1 and lookback is not None:
        return _newest(views, times=times)
    values = np.zeros((len(views), len(ends)))
    present = np.zeros(values.shape, bool)
    known_times: Ints | None = None
    index: Ints
    found: Bools
    for row, view in enumerate(views):
        if known_times is None or not _same(known_times, view.times):
            known_times = view.times
            age = _auto_lookback(view.times) if lookback is None else lookback
            index, found = newest_at(view.times, ends, lookback_ns=age, closed=options.closed)
        current = view.values[index]
        present[row] = found & ~is_stale(current)
        values[row] = to_seconds(view.times[index]) if times else current
    labels = [_full_labels(view.key) for view in views]
    return Vector(labels, np.zeros(len(views), bool), values, present)


def windows(
    source: Source, selector: VectorSelector, range_ns: int, ends: Ints, options: QueryOptions
) -> Windows:
    """Find the samples in the window before each time.

    Parameters
    ----------
    source : Source
        Where the series are.
    selector : VectorSelector
        Which series.
    range_ns : int
        Length of the windows.
    ends : numpy.ndarray of int64
        Right edges of the windows.
    options : QueryOptions
        Kind of windows: ``(t - w, t]``, or ``[t - w, t]`` with ``prom_compat="2"``.

    Returns
    -------
    Windows
        Samples without stale markers, and the bounds of each window.

    Examples
    --------
    >>> from monitorlab.query import QueryOptions, load_notation, parse
    >>> store, now = load_notation([("up", "1 0 1")], "1m"), np.array([120 * 10**9])
    >>> windows(store, parse("up"), 60 * 10**9, now, QueryOptions()).counts
    array([[1]])
    """
    views = _fetch(source, selector, ends, range_ns, options)
    _refuse_size(len(views), len(ends), options)
    if len(ends) == 1:
        return _single_windows(views, range_ns, ends)
    columns: list[tuple[Ints, Floats]] = []
    for view in views:
        stale = is_stale(view.values)
        keep = ~stale if stale.any() else slice(None)
        columns.append((view.times[keep], view.values[keep]))
    labels = [_full_labels(view.key) for view in views]
    return _windows(labels, np.zeros(len(views), bool), columns, range_ns, ends, options)


def subquery_windows(
    vector: Vector, grid: Ints, range_ns: int, ends: Ints, options: QueryOptions
) -> Windows:
    """Make windows of what an expression gave on a grid of its own.

    Parameters
    ----------
    vector : Vector
        Series × grid.
    grid : numpy.ndarray of int64
        Times of the grid.
    range_ns : int
        Length of the windows.
    ends : numpy.ndarray of int64
        Right edges of the windows.
    options : QueryOptions
        Kind of windows.

    Returns
    -------
    Windows
        As ``windows`` gives them.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> from monitorlab.query import QueryOptions
    >>> vector, grid = Vector.constant(Labels(), np.ones(3)), np.array([0, 10, 20])
    >>> subquery_windows(vector, grid, 15, np.array([20]), QueryOptions()).counts
    array([[2]])
    """
    vector = vector.compact()
    _refuse_size(len(vector), len(ends), options)
    columns = [
        (grid[mask], row[mask]) for row, mask in zip(vector.values, vector.present, strict=True)
    ]
    return _windows(vector.labels, vector.drops_name, columns, range_ns, ends, options)


def _newest(views: Sequence[Any], *, times: bool) -> Vector:
    """Give the newest sample of each series: what was fetched ends at the one time asked for."""
    stamps = np.array([view.times[-1] for view in views], np.int64)
    current = np.array([view.values[-1] for view in views], np.float64)
    labels = [_full_labels(view.key) for view in views]
    values = to_seconds(stamps) if times else current
    return Vector(labels, np.zeros(len(views), bool), values[:, None], ~is_stale(current)[:, None])


def _single_windows(views: Sequence[Any], range_ns: int, ends: Ints) -> Windows:
    """Give the one window of each series: all that was fetched, but for stale markers."""
    labels = [_full_labels(view.key) for view in views]
    sizes = np.array([len(view.times) for view in views], np.int64)
    all_times = np.concatenate([view.times for view in views] or [np.zeros(0, np.int64)])
    all_values = np.concatenate([view.values for view in views] or [np.zeros(0)])
    stale = is_stale(all_values)
    if stale.any():
        owner = np.repeat(np.arange(len(views)), sizes)
        sizes = sizes - np.bincount(owner[stale], minlength=len(views))
        all_times, all_values = all_times[~stale], all_values[~stale]
    last = np.cumsum(sizes, dtype=np.int64)[:, None]
    first = last - sizes[:, None]
    drops = np.zeros(len(views), bool)
    return Windows(labels, drops, all_times, all_values, first, last, ends, range_ns)


def _windows(
    labels: list[Labels],
    drops_name: Bools,
    columns: list[tuple[Ints, Floats]],
    range_ns: int,
    ends: Ints,
    options: QueryOptions,
) -> Windows:
    shape = (len(columns), len(ends))
    first, last = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    known: tuple[Ints, Ints, Ints] | None = None
    starts = ends - range_ns
    base = 0
    for row, (times, _) in enumerate(columns):
        if known is None or not _same(known[0], times):
            left = np.searchsorted(times, starts, side="left" if options.closed else "right")
            known = (times, left, np.searchsorted(times, ends, side="right"))
        np.add(known[1], base, out=first[row])
        np.add(known[2], base, out=last[row])
        base += len(times)
    all_times = [times for times, _ in columns] or [np.zeros(0, np.int64)]
    all_values = [values for _, values in columns] or [np.zeros(0)]
    return Windows(
        labels,
        drops_name,
        np.concatenate(all_times),
        np.concatenate(all_values),
        first,
        last,
        ends,
        range_ns,
    )


def _fetch(
    source: Source,
    selector: VectorSelector,
    ends: Ints,
    back_ns: int | None,
    options: QueryOptions,
) -> Sequence[Any]:
    if not len(ends):
        return []
    start = None if back_ns is None else int(ends[0]) - back_ns + (not options.closed)
    views = source.select(selector.matchers, start, int(ends[-1]) + 1)
    return [view for view in views if len(view.times)]


def _same(one: Ints, other: Ints) -> bool:
    if len(one) != len(other):
        return False
    return not len(one) or bool(
        one[0] == other[0] and one[-1] == other[-1] and np.array_equal(one, other)
    )


def _auto_lookback(times: Ints) -> int:
    """Give five median intervals; for a single sample nothing is too old."""
    gaps = np.diff(times[-_INTERVAL_SAMPLES:])
    return int(AUTO_INTERVALS * np.median(gaps)) if len(gaps) else 2**62


def _refuse_size(series: int, steps: int, options: QueryOptions) -> None:
    if series * steps > options.limits.max_points:
        msg = (
            f"{series} series × {steps} steps are more than {options.limits.max_points} points; "
            "narrow the selector, widen the step, or raise Limits.max_points"
        )
        raise QueryError(msg)


@lru_cache(maxsize=65_536)
def _full_labels(key: SeriesKey) -> Labels:
    return Labels({**key.labels, NAME: key.metric})
