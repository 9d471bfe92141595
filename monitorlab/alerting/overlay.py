"""A source with series laid over it: what recording rules and analyses made of it.

>>> from monitorlab.storage import SeriesView
>>> over = Overlay(None, [SeriesView.make("job:errors", [1, 2], [0.0, 1.0])])
>>> [str(view.key) for view in over.select('job:errors')]
['job:errors']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from monitorlab.errors import RuleError
from monitorlab.model import Metric, SeriesKey
from monitorlab.storage import Matcher, SeriesView, parse_selector
from monitorlab.storage.matchers import matches_key
from monitorlab.storage.showing import behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Overlay", "Source", "metric_names", "source_of"]


class Source(Protocol):
    """Anything that series can be read from: a store, a selection of one, an overlay.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> source: Source = SeriesStore()
    >>> source.metric("up").type.value
    'gauge'
    """

    def select(
        self,
        selector: str | Sequence[Matcher] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[SeriesView]:
        """Give the series that match, cut to ``[start_ns, end_ns)``, sorted by key."""
        ...

    def metric(self, name: str) -> Metric:
        """Give what is known of a metric."""
        ...


def source_of(data: Any) -> Source:
    """Give the source behind a frame; a source itself is given back.

    Parameters
    ----------
    data : MonitoringFrame, SeriesStore, Selection or Overlay
        Where the samples are.

    Returns
    -------
    Source

    Raises
    ------
    RuleError
        If it is none of these.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> source_of(store) is store
    True
    """
    found = behind(data)
    if not hasattr(found, "select") or not hasattr(found, "metric"):
        msg = f"{type(data).__name__} holds no series; give a MonitoringFrame or a SeriesStore"
        raise RuleError(msg)
    source: Source = found
    return source


class Overlay:
    """A source with more series; a series of the overlay hides one of the same name below.

    Parameters
    ----------
    base : Source or None
        What lies below.
    views : iterable of SeriesView
        What is laid over it.

    Examples
    --------
    >>> from monitorlab.storage import SeriesView
    >>> len(Overlay(None, [SeriesView.make("x", [0], [1.0])]).select())
    1
    """

    def __init__(self, base: Source | None, views: Iterable[SeriesView] = ()) -> None:
        self._base = base
        self._views: dict[str, dict[SeriesKey, SeriesView]] = {}
        for view in views:
            self.add(view)

    def add(self, view: SeriesView) -> None:
        """Lay one more series over; one with the same key is replaced."""
        self._views.setdefault(view.key.metric, {})[view.key] = view

    @property
    def names(self) -> set[str]:
        """The metric names of the overlay itself."""
        return set(self._views)

    def select(
        self,
        selector: str | Sequence[Matcher] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[SeriesView]:
        """Give the series that match, cut to ``[start_ns, end_ns)``, sorted by key."""
        if isinstance(selector, str):
            selector = parse_selector(selector).matchers
        matchers = tuple(selector or ())
        below = [] if self._base is None else self._base.select(matchers, start_ns, end_ns)
        exact = {m.value for m in matchers if m.name == "__name__" and m.op == "="}
        names = exact & self.names if exact else self.names
        over = {
            key: view
            for name in names
            for key, view in self._views[name].items()
            if matches_key(matchers, key)
        }
        if not over:
            return below
        cut = [view.between(start_ns, end_ns) for view in over.values()]
        merged = [view for view in below if view.key not in over]
        merged += [view for view in cut if len(view)]
        return sorted(merged, key=lambda view: view.key)

    def metric(self, name: str) -> Metric:
        """Give what is known of a metric: for one of the overlay, a gauge."""
        if name in self._views or self._base is None:
            return Metric(name)
        return self._base.metric(name)


def metric_names(source: Source) -> list[str]:
    """Name every metric of a source.

    Parameters
    ----------
    source : Source
        A store, a selection or an overlay.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> from monitorlab.storage import SeriesView
    >>> metric_names(Overlay(None, [SeriesView.make("x", [0], [1.0])]))
    ['x']
    """
    return sorted({view.key.metric for view in source.select()})
