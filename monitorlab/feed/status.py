"""What a feed says of itself: events, updates for subscribers, and its status.

>>> zero = pd.Timestamp(0, tz="UTC")
>>> event = FeedEvent(zero, "alert", "firing", "Slow", "latency", Severity.ERROR, 3.0, "")
>>> event.to_dict()["state"]
'firing'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from monitorlab.display import Result, format_number, to_plain
from monitorlab.feed.batch import Batch
from monitorlab.model import Severity

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["FeedEvent", "FeedState", "FeedStatus", "FeedUpdate", "event_table"]

_COLUMNS = ("time", "kind", "state", "name", "series", "severity", "value", "text")


class FeedState(StrEnum):
    """The three states of a feed; it goes through them once.

    Examples
    --------
    >>> [state.value for state in FeedState]
    ['new', 'running', 'closed']
    """

    NEW = "new"
    RUNNING = "running"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Something that happened in a feed, in event time.

    Parameters
    ----------
    time : pandas.Timestamp
        When, UTC.
    kind : {"alert", "anomaly", "error"}
        What sort of thing.
    state : str
        For an alert pending, firing, escalated or resolved; else the kind again.
    name : str
        Name of the rule, the detector or the part that failed.
    series : str
        The labels or the series that it is about.
    severity : Severity
        How urgent.
    value : float
        The value that decided.
    text : str
        One line for people.
    detail : object
        The alert event of ``monitorlab.alerting`` or the error itself, where there is one.

    Examples
    --------
    >>> zero = pd.Timestamp(0, tz="UTC")
    >>> FeedEvent(zero, "error", "error", "source", "", Severity.ERROR, 0.0, "x").text
    'x'
    """

    time: pd.Timestamp
    kind: Literal["alert", "anomaly", "error"]
    state: str
    name: str
    series: str
    severity: Severity
    value: float
    text: str
    detail: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {name: to_plain(getattr(self, name)) for name in _COLUMNS}


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What a subscriber is told after each batch.

    Parameters
    ----------
    batch : Batch
        What came in; empty when only an event is told.
    watermark_ns : int, optional
        Event time that is complete now.
    events : tuple of FeedEvent
        What happened.
    state : FeedState
        State of the feed.

    Examples
    --------
    >>> FeedUpdate(Batch(), None, (), FeedState.RUNNING).batch.samples
    0
    """

    batch: Batch
    watermark_ns: int | None
    events: tuple[FeedEvent, ...]
    state: FeedState


@dataclass(frozen=True, repr=False, eq=False)
class FeedStatus(Result):
    """Counters and times of a feed at one moment.

    Parameters
    ----------
    name, state, source : str
        Which feed, how it is, where its samples come from.
    event_time : pandas.Timestamp, optional
        Event time that is complete.
    series, samples, batches : int
        What came in.
    late_samples : int
        Samples at or before the event time that was complete already; they are kept, but
        rules have judged their time before.
    rejected_samples : int
        Samples that the store refused.
    dropped_samples, dropped_batches : int
        Lost to the overflow policy.
    queue_batches, queue_most, queue_size, waits : int
        Fill of the queue now, at the most, its size, and how often the source had to wait.
    overflow : str
        The policy.
    errors, failures_in_a_row : int
        Errors altogether; failures of the source since its last batch.
    last_error : str, optional
        The newest error.
    processing_seconds, evaluation_seconds : float
        Time spent on the last batch, and on rules in it.
    firing : tuple of str
        Alerts that fire now.
    events : int
        Number of events so far.
    notifications_sent, notifications_dropped : int
        Delivered; lost because a receiver was too slow, or given up after several attempts.
    persisted_samples : int
        Samples written to disk.

    Examples
    --------
    >>> FeedStatus("feed", "new", "replay").summary()
    'feed new, replay: 0 samples of 0 series'
    """

    name: str
    state: str
    source: str
    event_time: pd.Timestamp | None = None
    series: int = 0
    samples: int = 0
    batches: int = 0
    late_samples: int = 0
    rejected_samples: int = 0
    dropped_samples: int = 0
    dropped_batches: int = 0
    queue_batches: int = 0
    queue_most: int = 0
    queue_size: int = 0
    waits: int = 0
    overflow: str = "block"
    errors: int = 0
    failures_in_a_row: int = 0
    last_error: str | None = None
    processing_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    firing: tuple[str, ...] = ()
    events: int = 0
    notifications_sent: int = 0
    notifications_dropped: int = 0
    persisted_samples: int = 0

    def summary(self) -> str:
        """Say the status in one line."""
        taken = f"{self.samples} samples of {self.series} series"
        parts = [f"{self.name} {self.state}, {self.source}: {taken}"]
        if self.dropped_samples:
            parts.append(f"{self.dropped_samples} dropped")
        if self.firing:
            parts.append(f"{len(self.firing)} firing")
        if self.last_error is not None:
            again = f" (×{self.failures_in_a_row})" if self.failures_in_a_row > 1 else ""
            parts.append(f"last error{again}: {self.last_error}")
        return ", ".join(parts)

    def to_frame(self) -> pd.DataFrame:
        """Give one row for each figure."""
        plain = self.to_dict()
        rows = [(name, format_number(_shown(value))) for name, value in plain.items()]
        return pd.DataFrame(rows, columns=["figure", "value"]).set_index("figure")

    def plot(self) -> go.Figure:
        """Draw what happened to the samples, as bars."""
        import plotly.graph_objects as go

        from monitorlab.plotting import PALETTE, new_figure

        names = ["samples", "late_samples", "rejected_samples", "dropped_samples"]
        figure = new_figure(title=f"{self.name}: samples", height=240)
        bars = go.Bar(
            x=[getattr(self, name) for name in names],
            y=[name.replace("_", " ") for name in names],
            orientation="h",
            marker_color=PALETTE[0],
        )
        figure.add_trace(bars)
        figure.update_layout(hovermode="closest")
        figure.update_yaxes(autorange="reversed", automargin=True)
        return figure


def event_table(events: list[FeedEvent]) -> pd.DataFrame:
    """Give events as a table, one row each.

    Parameters
    ----------
    events : list of FeedEvent
        What happened.

    Returns
    -------
    pandas.DataFrame
        Columns time, kind, state, name, series, severity, value, text.

    Examples
    --------
    >>> list(event_table([]).columns)[:3]
    ['time', 'kind', 'state']
    """
    rows = [[getattr(event, name) for name in _COLUMNS] for event in events]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table["severity"] = [event.severity.value for event in events]
    return table


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value) or "none"
    return value
