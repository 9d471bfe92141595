"""Reading what callers give for a series' name, labels and metric type.

>>> make_key("up", {"job": "shop"})
up{job="shop"}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitorlab.errors import InvalidSeriesError
from monitorlab.model import Labels, MetricType, SeriesKey

__all__ = ["make_key", "metric_type"]


def make_key(metric: str | SeriesKey, labels: Mapping[str, Any] | None = None) -> SeriesKey:
    """Make a key of a metric name (or a key) and labels.

    Parameters
    ----------
    metric : str or SeriesKey
        Metric name, or a key whose labels are added to.
    labels : mapping, optional
        Label set.

    Returns
    -------
    SeriesKey
        The key.

    Raises
    ------
    InvalidSeriesError
        If the name is empty or no text, or the labels are no mapping.

    Examples
    --------
    >>> make_key(SeriesKey("up"), {"job": "shop"})
    up{job="shop"}
    """
    if labels is not None and not isinstance(labels, Mapping):
        msg = f"labels of {metric} must be a mapping like {{'route': '/cart'}}, not {labels!r}"
        raise InvalidSeriesError(msg)
    if isinstance(metric, SeriesKey):
        return SeriesKey(metric.metric, Labels({**metric.labels, **labels})) if labels else metric
    if not isinstance(metric, str) or not metric:
        msg = f"a metric name is a text such as 'latency_ms', not {metric!r}"
        raise InvalidSeriesError(msg)
    return SeriesKey(metric, labels if isinstance(labels, Labels) else Labels(labels))


def metric_type(value: MetricType | str) -> MetricType:
    """Read a metric type.

    Parameters
    ----------
    value : MetricType or str
        For example ``"counter"``.

    Returns
    -------
    MetricType
        The type.

    Raises
    ------
    InvalidSeriesError
        If it is unknown; the message names those there are.

    Examples
    --------
    >>> metric_type("Counter").value
    'counter'
    """
    try:
        return MetricType(str(value).lower())
    except ValueError as error:
        names = ", ".join(member.value for member in MetricType)
        msg = f"unknown metric type {value!r}; use one of {names}"
        raise InvalidSeriesError(msg) from error
