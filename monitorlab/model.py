"""The nouns that every part of monitorlab shares: types, severities, labels, incidents.

>>> SeriesKey("latency_ms", Labels(route="/cart"))
latency_ms{route="/cart"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pandas as pd

from monitorlab.errors import RuleError
from monitorlab.times import DurationLike, format_duration, parse_duration, to_ns

__all__ = [
    "Incident",
    "Labels",
    "Metric",
    "MetricType",
    "SeriesKey",
    "Severity",
    "TimeWindow",
]

METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class MetricType(StrEnum):
    """What a metric's samples mean, and so which questions fit it.

    ``counter`` only rises and knows resets: look at its rate. ``gauge`` is taken as it is.
    ``histogram`` (classic ``_bucket{le=…}`` series, or raw observations) and ``timer``
    (raw durations) show quantiles. ``rate`` is already per second.

    Examples
    --------
    >>> MetricType("counter").is_cumulative
    True
    """

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    TIMER = "timer"
    RATE = "rate"

    @property
    def is_cumulative(self) -> bool:
        """Whether samples are running totals that only a reset lowers."""
        return self is MetricType.COUNTER

    @property
    def is_distribution(self) -> bool:
        """Whether quantiles, not the mean, are the natural summary."""
        return self in (MetricType.HISTOGRAM, MetricType.TIMER)


class Severity(StrEnum):
    """How urgent an alert or an incident is; ordered ``info < warning < error < critical``.

    Examples
    --------
    >>> Severity.WARNING < Severity("critical")
    True
    >>> max(Severity).value
    'critical'
    """

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position in the order, 0 for info to 3 for critical."""
        return _SEVERITY_RANK[self.value]

    @classmethod
    def parse(cls, value: Severity | str) -> Severity:
        """Read a severity; a wrong one raises ``RuleError`` naming those there are."""
        try:
            return cls(str(value).lower())
        except ValueError as error:
            names = ", ".join(member.value for member in cls)
            msg = f"unknown severity {value!r}; use one of {names}"
            raise RuleError(msg) from error

    def __lt__(self, other: object) -> bool:
        return self.rank < Severity(str(other)).rank

    def __le__(self, other: object) -> bool:
        return self.rank <= Severity(str(other)).rank

    def __gt__(self, other: object) -> bool:
        return self.rank > Severity(str(other)).rank

    def __ge__(self, other: object) -> bool:
        return self.rank >= Severity(str(other)).rank


_SEVERITY_RANK = {"info": 0, "warning": 1, "error": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A span that ends at the as-of time and is open on the left: ``(t - w, t]``.

    Parameters
    ----------
    nanoseconds : int
        Length of the window; make one from a text with ``TimeWindow.parse("5m")``.

    Examples
    --------
    >>> TimeWindow.parse("5m").bounds("2026-01-01T00:05:00Z")[0]
    Timestamp('2026-01-01 00:00:00+0000', tz='UTC')
    """

    nanoseconds: int

    @classmethod
    def parse(cls, value: DurationLike | TimeWindow) -> TimeWindow:
        """Read any Prometheus duration, time difference or number of seconds."""
        return value if isinstance(value, TimeWindow) else cls(parse_duration(value))

    @property
    def timedelta(self) -> pd.Timedelta:
        """The same length as a ``pandas.Timedelta``."""
        return pd.Timedelta(self.nanoseconds, unit="ns")

    def bounds(self, at: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
        """Give the open start and the closed end of the window that ends at ``at``."""
        end = to_ns(at)
        return (
            pd.Timestamp(end - self.nanoseconds, unit="ns", tz="UTC"),
            pd.Timestamp(end, unit="ns", tz="UTC"),
        )

    def __str__(self) -> str:
        return format_duration(self.nanoseconds)


class Labels(Mapping[str, str]):
    """An immutable, hashable, sorted set of label pairs: the identity of a series.

    Parameters
    ----------
    pairs : mapping of str to str, optional
        Names and values; an empty value is the same as no label and is left out.
    **labels : str
        The same, as keywords.

    Examples
    --------
    >>> Labels({"route": "/cart", "code": "200"})
    {code="200", route="/cart"}
    """

    __slots__ = ("_hash", "_pairs")

    def __init__(self, pairs: Mapping[str, Any] | None = None, /, **labels: Any) -> None:
        merged = {**(pairs or {}), **labels}
        self._pairs: dict[str, str] = {
            str(name): str(merged[name]) for name in sorted(merged) if str(merged[name]) != ""
        }
        self._hash = hash(tuple(self._pairs.items()))

    def __getitem__(self, name: str) -> str:
        return self._pairs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Labels):
            return self._pairs == other._pairs
        return isinstance(other, Mapping) and self._pairs == dict(other)

    def without(self, *names: str) -> Labels:
        """Give the labels with some names left out."""
        return Labels({k: v for k, v in self._pairs.items() if k not in names})

    def only(self, *names: str) -> Labels:
        """Give the labels with only some names kept."""
        return Labels({k: v for k, v in self._pairs.items() if k in names})

    def replaced(self, **labels: str) -> Labels:
        """Give the labels with some values set (an empty value removes the label)."""
        return Labels({**self._pairs, **labels})

    def to_dict(self) -> dict[str, str]:
        """Give a plain dictionary."""
        return dict(self._pairs)

    def __repr__(self) -> str:
        return "{" + ", ".join(f'{k}="{_escape(v)}"' for k, v in self._pairs.items()) + "}"

    def __reduce__(self) -> tuple[type[Labels], tuple[dict[str, str]]]:
        return (Labels, (self._pairs,))


@dataclass(frozen=True, slots=True, order=False)
class SeriesKey:
    """What identifies a series: the metric name and the label set.

    Parameters
    ----------
    metric : str
        Metric name.
    labels : Labels
        Label set without the metric name.

    Examples
    --------
    >>> str(SeriesKey("up", Labels(job="shop")))
    'up{job="shop"}'
    """

    metric: str
    labels: Labels = field(default_factory=Labels)

    def __str__(self) -> str:
        return f"{self.metric}{self.labels!r}" if self.labels else self.metric

    def __repr__(self) -> str:
        return str(self)

    def __lt__(self, other: SeriesKey) -> bool:
        return (self.metric, tuple(self.labels.items())) < (
            other.metric,
            tuple(other.labels.items()),
        )


@dataclass(frozen=True, slots=True)
class Metric:
    """What is known of a metric besides its samples.

    Parameters
    ----------
    name : str
        Metric name.
    type : MetricType
        What its samples mean.
    unit : str
        Unit of the samples, ``""`` when unknown.
    description : str
        One sentence.
    direction : {"up", "down", None}
        Which way is worse for this metric; None leaves it to its type, unit and name.

    Examples
    --------
    >>> Metric("requests_total", MetricType.COUNTER).type.value
    'counter'
    """

    name: str
    type: MetricType = MetricType.GAUGE
    unit: str = ""
    description: str = ""
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A span in which something was really wrong: labelled truth.

    Parameters
    ----------
    start, end : pandas.Timestamp
        Half-open ``[start, end)``, UTC.
    kind : str
        What happened, for example ``"cpu_hog"``.
    severity : Severity
        How bad it was.
    metrics : tuple of str
        Metrics that it touched; empty when not known.
    description : str
        One sentence.

    Examples
    --------
    >>> Incident.make("2026-01-01T10:00Z", "2026-01-01T10:05Z", "cpu_hog").duration
    Timedelta('0 days 00:05:00')
    """

    start: pd.Timestamp
    end: pd.Timestamp
    kind: str = "incident"
    severity: Severity = Severity.ERROR
    metrics: tuple[str, ...] = ()
    description: str = ""

    @classmethod
    def make(
        cls,
        start: Any,
        end: Any,
        kind: str = "incident",
        *,
        severity: Severity | str = Severity.ERROR,
        metrics: tuple[str, ...] | list[str] = (),
        description: str = "",
    ) -> Incident:
        """Read and check the parts; an end that is not after the start is a ``RuleError``."""
        first, last = to_ns(start), to_ns(end)
        if last <= first:
            msg = (
                f"incident {kind!r} ends at {end} which is not after its start {start}; "
                "give start < end"
            )
            raise RuleError(msg)
        return cls(
            pd.Timestamp(first, unit="ns", tz="UTC"),
            pd.Timestamp(last, unit="ns", tz="UTC"),
            str(kind),
            Severity.parse(severity),
            (metrics,) if isinstance(metrics, str) else tuple(metrics),
            str(description),
        )

    @property
    def duration(self) -> pd.Timedelta:
        """How long it lasted."""
        return self.end - self.start

    @property
    def is_expected(self) -> bool:
        """Whether people said that it was no fault: kind ``"expected"``."""
        return self.kind == "expected"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
