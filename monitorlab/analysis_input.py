"""What analyses are given: plain series, counters as their reset-aware rate per second.

>>> from monitorlab.storage import SeriesView
>>> view = SeriesView.make("hits_total", [0, 10**9, 2 * 10**9], [5.0, 7.0, 10.0])
>>> prepare(view, Metric("hits_total", MetricType.COUNTER)).tolist()
[2.0, 3.0]
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from monitorlab.columns import is_derived
from monitorlab.errors import UnknownSeriesError, did_you_mean
from monitorlab.model import Metric, MetricType, SeriesKey
from monitorlab.storage import SeriesView
from monitorlab.times import to_index
from monitorlab.windows import counter_increase

__all__ = ["one_view", "prepare", "prepare_all", "prepare_one", "some_views"]

_SHOWN = 8
_PARTS = ("_bucket", "_created")


def prepare(view: SeriesView, metric: Metric) -> pd.Series:
    """Give a series as analyses want it.

    Parameters
    ----------
    view : SeriesView
        The series.
    metric : Metric
        What is known of its metric.

    Returns
    -------
    pandas.Series
        UTC index; a counter as its increase per second since the sample before (one sample
        fewer), NaN where it began again, everything else as it is.

    Notes
    -----
    What a counter grew between its last sample and a restart is lost. A rate from there would
    be too low: a dip that never was.

    Examples
    --------
    >>> prepare(SeriesView.make("load", [0], [0.5]), Metric("load")).tolist()
    [0.5]
    """
    if not metric.type.is_cumulative:
        return view.to_pandas()
    rates = counter_increase(view.times, view.values, per_second=True, through_resets=False)
    index = to_index(view.times[1:])
    return pd.Series(rates[1:], index=index, name=str(view.key), copy=False)


def prepare_all(source: Any, selector: Any = None) -> dict[SeriesKey, pd.Series]:
    """Prepare every series that a selector names.

    Parameters
    ----------
    source : SeriesStore or Selection
        Where they are.
    selector : str, optional
        Which; all by default, but for the buckets of histograms and, beside others, what
        monitorlab made itself (scores and own figures of a live feed).

    Returns
    -------
    dict of SeriesKey to pandas.Series
        In the order of their keys.

    Raises
    ------
    UnknownSeriesError
        If the selector names none.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.append("load", 1, 0.5)
    >>> list(prepare_all(store, "load"))
    [load]
    """
    views = some_views(source, selector) if selector is not None else list(source.select(None))
    if selector is None:
        measured = [view for view in views if not is_derived(view.key.metric)]
        views = [view for view in measured or views if not _is_part(source, view.key.metric)]
    return {view.key: prepare(view, source.metric(view.key.metric)) for view in views}


def prepare_one(source: Any, selector: Any) -> pd.Series:
    """Prepare the one series that a selector names.

    Parameters
    ----------
    source : SeriesStore or Selection
        Where it is.
    selector : str
        Which.

    Returns
    -------
    pandas.Series
        As from ``prepare``.

    Raises
    ------
    UnknownSeriesError
        If the selector names none or several.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.append("load", 1, 0.5)
    >>> prepare_one(store, "load").tolist()
    [0.5]
    """
    view = one_view(source, selector)
    return prepare(view, source.metric(view.key.metric))


def one_view(source: Any, selector: Any = None) -> SeriesView:
    """Find exactly one series.

    Parameters
    ----------
    source : SeriesStore or Selection
        Where it is.
    selector : str, optional
        Which; None where the source holds only one.

    Returns
    -------
    SeriesView
        The series.

    Raises
    ------
    UnknownSeriesError
        If the selector names none (offers the nearest names) or several (lists them).

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.append("up", 1, 1.0, {"job": "a"}); store.append("up", 1, 1.0, {"job": "b"})
    >>> one_view(store, "up")
    Traceback (most recent call last):
    ...
    monitorlab.errors.UnknownSeriesError: 'up' names 2 series, one is needed:
        up{job="a"}
        up{job="b"}
    """
    views = some_views(source, selector)
    if len(views) == 1:
        return views[0]
    listed = "".join(f"\n    {view.key}" for view in views[:_SHOWN])
    more = f"\n    … and {len(views) - _SHOWN} more" if len(views) > _SHOWN else ""
    what = "everything" if selector is None else repr(selector)
    raise UnknownSeriesError(f"{what} names {len(views)} series, one is needed:{listed}{more}")


def some_views(source: Any, selector: Any = None) -> list[SeriesView]:
    """Find the series that a selector names, at least one.

    Parameters
    ----------
    source : SeriesStore or Selection
        Where they are.
    selector : str, optional
        Which; all by default.

    Returns
    -------
    list of SeriesView
        In the order of their keys.

    Raises
    ------
    UnknownSeriesError
        If there is none; offers the nearest names.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.append("latency_ms", 1, 5.0)
    >>> some_views(store, "latncy_ms")
    Traceback (most recent call last):
    ...
    monitorlab.errors.UnknownSeriesError: no series is named 'latncy_ms'; did you mean 'latency_ms'?
    """
    views = list(source.select(selector))
    if views:
        return views
    known = [view.key for view in source.select(None)]
    if not known:
        raise UnknownSeriesError("there are no series at all here")
    names = {key.metric for key in known}
    text = "everything" if selector is None else str(selector)
    candidates = {str(key) for key in known} if "{" in text else names
    raise UnknownSeriesError(f"no series is named {text!r}{did_you_mean(text, candidates)}")


def _is_part(source: Any, name: str) -> bool:
    for part in _PARTS:
        base = name.removesuffix(part)
        if base != name and source.metric(base).type is MetricType.HISTOGRAM:
            return True
    return False
