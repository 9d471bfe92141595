"""Selections: which series, over which stretch of time, as of when.

A selection of a whole store is live. Narrowing it (``select``, ``between``, ``last``,
``at``) takes a snapshot: from then on appends to the store do not change it. A selection
is itself the sequence of its series.

>>> import numpy as np
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("up", np.array([0, 60, 120]) * 10**9, [1.0, 1.0, 0.0])
>>> store.selection().last("1m")[0].values.tolist()
[0.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import pandas as pd

from monitorlab.errors import TimeError
from monitorlab.model import Incident, Metric, SeriesKey, TimeWindow
from monitorlab.storage.matchers import Matcher, Selector, key_filter
from monitorlab.storage.view import SeriesView
from monitorlab.times import DurationLike, TimeLike, from_ns, to_ns

if TYPE_CHECKING:
    from monitorlab.storage.store import SeriesStore

__all__ = ["Selection"]


class Selection(Sequence[SeriesView]):
    """An immutable question to a store: matchers, a stretch of time, an as-of time.

    Parameters
    ----------
    store : SeriesStore
        Where metrics and incidents are described, and, for a live selection, the samples.
    views : sequence of SeriesView, optional
        The snapshot; None makes the selection live: it reads the store at each use.
    matchers : tuple of Matcher
        All conditions so far.
    start_ns, end_ns : int, optional
        Half-open stretch in nanoseconds, None where open.
    as_of_ns : int, optional
        The time that counts as now; None means the newest sample seen.

    Notes
    -----
    A snapshot costs one zero-copy view (about a microsecond) for each series; narrowing a
    snapshot costs two binary searches for each. The as-of time is fixed by the first
    narrowing, so ``select(…).last(w)`` and ``last(w).select(…)`` agree.

    Examples
    --------
    >>> import numpy as np
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", np.array([1, 2, 3]), [1.0, 1.0, 0.0])
    >>> before = store.selection().select("up", 1, 3)
    >>> store.append("up", 4, 1.0)
    >>> len(before), before[0].times.tolist()
    (1, [1, 2])
    """

    __slots__ = ("_as_of_ns", "_end_ns", "_matchers", "_start_ns", "_store", "_views")

    def __init__(
        self,
        store: SeriesStore,
        views: Sequence[SeriesView] | None = None,
        *,
        matchers: tuple[Matcher, ...] = (),
        start_ns: int | None = None,
        end_ns: int | None = None,
        as_of_ns: int | None = None,
    ) -> None:
        self._store = store
        self._views = None if views is None else tuple(views)
        self._matchers = matchers
        self._start_ns = start_ns
        self._end_ns = end_ns
        self._as_of_ns = as_of_ns

    # -- what it is --------------------------------------------------------------------

    @property
    def store(self) -> SeriesStore:
        """The store that it looks at."""
        return self._store

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """All conditions so far."""
        return self._matchers

    @property
    def start_ns(self) -> int | None:
        """First nanosecond that is seen; None when open."""
        return self._start_ns

    @property
    def end_ns(self) -> int | None:
        """First nanosecond that is no longer seen; None when open."""
        return self._end_ns

    @property
    def is_live(self) -> bool:
        """Whether it follows the store; a snapshot does not."""
        return self._views is None

    @property
    def as_of_ns(self) -> int | None:
        """The time that counts as now: the one given, or the newest sample seen."""
        if self._as_of_ns is not None:
            return self._as_of_ns
        return max((int(v.times[-1]) for v in self.series()), default=None)

    @property
    def as_of(self) -> pd.Timestamp | None:
        """The same as a ``pandas.Timestamp``, UTC."""
        now = self.as_of_ns
        return None if now is None else from_ns(now)

    # -- narrowing ---------------------------------------------------------------------

    def select(
        self,
        selector: str | Selector | SeriesKey | Sequence[Matcher] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Selection:
        """Keep the series that pass a selector, and a stretch of time if one is given.

        Parameters
        ----------
        selector : str, Selector, SeriesKey, sequence of Matcher, or None
            As in ``SeriesStore.select``.
        start_ns, end_ns : int, optional
            Half-open stretch in nanoseconds.

        Returns
        -------
        Selection
            A snapshot; series without a sample in the stretch are left out.

        Raises
        ------
        MatcherError
            If the selector cannot be read.

        Examples
        --------
        >>> from monitorlab.storage import SeriesStore
        >>> store = SeriesStore()
        >>> store.append("up", 1, 1.0); store.append("load", 1, 0.5)
        >>> [str(view.key) for view in store.selection().select("up")]
        ['up']
        """
        return self._narrow(self._store.matchers(selector), start_ns, end_ns)

    def between(self, start: TimeLike | None, end: TimeLike | None) -> Selection:
        """Keep ``[start, end)``; the as-of time becomes the newest sample seen in it."""
        first = None if start is None else to_ns(start)
        stop = None if end is None else to_ns(end)
        if first is not None and stop is not None and stop < first:
            msg = f"between({start!r}, {end!r}) ends before it starts; give start <= end"
            raise TimeError(msg)
        found = self._narrow((), first, stop)
        newest = max((int(view.times[-1]) for view in found), default=None)
        if newest is None:
            return found
        return Selection(
            self._store,
            found.series(),
            matchers=found.matchers,
            start_ns=found.start_ns,
            end_ns=found.end_ns,
            as_of_ns=newest,
        )

    def last(self, window: DurationLike | TimeWindow) -> Selection:
        """Keep ``(as_of - window, as_of]``."""
        length = TimeWindow.parse(window).nanoseconds
        now = self.as_of_ns
        if now is None:
            return self._narrow((), None, None)
        return self._narrow((), now - length + 1, now + 1, as_of_ns=now)

    def at(self, time: TimeLike) -> Selection:
        """See nothing after a time, and take it as now."""
        now = to_ns(time)
        return self._narrow((), None, now + 1, as_of_ns=now)

    def snapshot(self) -> Selection:
        """Give the same selection as it is now; later appends do not change it."""
        return self if self._views is not None else self._narrow((), None, None)

    # -- reading -----------------------------------------------------------------------

    def series(self) -> list[SeriesView]:
        """Give the series, in the order of their keys; each has a sample at least."""
        if self._views is not None:
            return list(self._views)
        return self._store.select(self._matchers, self._start_ns, self._end_ns)

    @property
    def keys(self) -> list[SeriesKey]:
        """The series' keys, in order."""
        return [view.key for view in self.series()]

    def metric(self, name: str) -> Metric:
        """Give what is known of a metric."""
        return self._store.metric(name)

    @property
    def metrics(self) -> dict[str, Metric]:
        """What is known of each metric that is seen, by name in order."""
        names = sorted({view.key.metric for view in self.series()})
        return {name: self._store.metric(name) for name in names}

    @property
    def incidents(self) -> list[Incident]:
        """Marked incidents that touch the stretch of time."""
        return [
            incident
            for incident in self._store.incidents
            if (self._end_ns is None or incident.start.value < self._end_ns)
            and (self._start_ns is None or incident.end.value > self._start_ns)
        ]

    @property
    def sample_count(self) -> int:
        """Samples seen."""
        return sum(len(view) for view in self.series())

    def __len__(self) -> int:
        return len(self._views) if self._views is not None else len(self.series())

    @overload
    def __getitem__(self, index: int) -> SeriesView: ...
    @overload
    def __getitem__(self, index: slice) -> list[SeriesView]: ...
    def __getitem__(self, index: int | slice) -> SeriesView | list[SeriesView]:
        return self.series()[index]

    def __repr__(self) -> str:
        views = self.series()
        what = ", ".join(map(str, self._matchers)) or "everything"
        first = min((int(v.times[0]) for v in views), default=None)
        newest = max((int(v.times[-1]) for v in views), default=None)
        span = "" if first is None or newest is None else f", {from_ns(first)} to {from_ns(newest)}"
        samples = sum(len(view) for view in views)
        return f"Selection({what}: {len(views)} series, {samples} samples{span})"

    # -- inside ------------------------------------------------------------------------

    def _narrow(
        self,
        more: tuple[Matcher, ...],
        start_ns: int | None,
        end_ns: int | None,
        *,
        as_of_ns: int | None = None,
    ) -> Selection:
        """Take a snapshot with more conditions and a narrower stretch of time."""
        first = _later(self._start_ns, start_ns)
        stop = _earlier(self._end_ns, end_ns)
        if as_of_ns is None:
            as_of_ns = self._as_of_ns
            if as_of_ns is None and self._views is None:
                as_of_ns = self._store.newest_ns
            if as_of_ns is not None and end_ns is not None:
                as_of_ns = min(as_of_ns, end_ns - 1)
        matchers = tuple(dict.fromkeys((*self._matchers, *more)))
        if self._views is None:
            views = self._store.select(matchers, first, stop)
        else:
            views = list(self._views)
            if more:
                passes = key_filter(more)
                views = [view for view in views if passes(view.key)]
            if first is not None or stop is not None:
                views = [view.between(first, stop) for view in views]
                views = [view for view in views if len(view)]
        return Selection(
            self._store,
            views,
            matchers=matchers,
            start_ns=first,
            end_ns=stop,
            as_of_ns=as_of_ns,
        )


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
