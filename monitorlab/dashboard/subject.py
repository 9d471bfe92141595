"""What a dashboard looks at: a frame, or a feed and its frame; with the answers it keeps.

>>> from monitorlab.storage import SeriesStore
>>> Subject(SeriesStore()).extent() is None
True
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from monitorlab.dashboard.bands import AlertRow, Span, alert_spans, incident_spans, rows_of_events
from monitorlab.errors import MonitorlabError
from monitorlab.feed.target import reader_of, store_of
from monitorlab.headline import Headline, auto_window, headlines
from monitorlab.model import Incident
from monitorlab.times import format_duration, parse_duration

__all__ = ["Subject"]

LEAST_INTERVAL_NS = 15_000_000_000
MOST_EVALUATIONS = 20_000
MOST_WINDOWS = 4  # for which it is kept how metrics are shown
MOST_KEPT = 64  # answers of analyses
KEPT_TIMES = 10.0
LEAST_KEPT_SECONDS = 2.0


class Subject:
    """A frame or a running feed, asked through one interface.

    Parameters
    ----------
    thing : MonitoringFrame, SeriesStore, Selection or LiveFeed
        What is looked at.

    Raises
    ------
    SourceError
        If it is none of these.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> Subject(SeriesStore()).feed is None
    True
    """

    def __init__(self, thing: Any) -> None:
        is_feed = hasattr(thing, "subscribe") and hasattr(thing, "frame")
        self.feed = thing if is_feed else None
        self.frame = thing.frame if is_feed else thing
        self.reader = reader_of(self.frame)
        self.store = store_of(self.frame)
        self.trouble = ""
        self._headlines: dict[str, tuple[Any, list[Headline]]] = {}
        self._alerts: tuple[Any, list[AlertRow]] | None = None
        self._kept: dict[Any, tuple[int, float, Any]] = {}

    def extent(self) -> tuple[int, int] | None:
        """Give the times of the oldest and the newest sample; None when there is none."""
        views = self.reader.select(None)
        if not len(views):
            return None
        return min(int(v.times[0]) for v in views), max(int(v.times[-1]) for v in views)

    def metric_names(self) -> list[str]:
        """Names of the metrics as people pick them: a histogram once, not its parts."""
        known = next(iter(self._headlines), None)
        return sorted({h.metric for h in self.headlines(known or "auto", 0)})

    def label_pairs(self) -> list[str]:
        """Give every ``name=value`` that a series has, at most a thousand."""
        pairs = {f"{n}={v}" for view in self.reader.select(None) for n, v in view.labels.items()}
        return sorted(pairs)[:1_000]

    def headlines(self, window: str, step_ns: int) -> list[Headline]:
        """Choose how to show each metric; ``auto`` windows are never shorter than the step."""
        views = self.reader.select(None)
        if window == "auto":
            shortest = parse_duration(auto_window(views))
            window = format_duration(max(shortest, step_ns))
        samples = sum(len(view) for view in views)
        # Whether a metric moves at all is asked again each time the samples have doubled.
        asked = (len(views), samples.bit_length(), len(self.store.metrics))
        if window not in self._headlines or self._headlines[window][0] != asked:
            self._headlines[window] = (asked, headlines(self.reader, window=window))
            while len(self._headlines) > MOST_WINDOWS:
                del self._headlines[next(iter(self._headlines))]
        return self._headlines[window][1]

    def incidents(self) -> list[Span]:
        """Give the marked incidents."""
        return incident_spans(getattr(self.reader, "incidents", ()))

    def alerts(self, end_ns: int) -> list[Span]:
        """Give when alerts fired: as the feed saw it, or by a backtest of the frame's rules."""
        return alert_spans(self._alert_rows(), end_ns)

    def rules(self) -> list[Any]:
        """Give the alert rules that are watched: those of the feed, or of the frame."""
        watch = getattr(getattr(self.feed, "_intake", None), "alerts", None)
        if watch is not None:
            groups = watch.engine.rules.groups
            found = [rule for group in groups for rule in group.rules]
        else:
            found = list(getattr(self.frame, "rules", None) or ())
        return [rule for rule in found if hasattr(rule, "severity")]

    def mark(self, start: Any, end: Any, kind: str, **known: Any) -> None:
        """Put a span among the incidents of the frame.

        Parameters
        ----------
        start, end : time
            The span, half-open.
        kind : str
            What happened.
        **known : object
            Also ``severity``, ``metrics`` and ``description``.
        """
        self.store.incidents.append(Incident.make(start, end, kind, **known))

    def kept(self, asked: Any, make: Callable[[], Any]) -> Any:
        """Give what an analysis found before, while nothing has changed.

        Parameters
        ----------
        asked : hashable
            What was asked.
        make : callable
            Finds the answer.

        Returns
        -------
        object
            While a feed runs, an answer is kept ten times as long as it took to find.
        """
        version = self.store.version
        old = self._kept.get(asked)
        if old is not None:
            seen, until, answer = old
            if seen == version or (self.feed is not None and time.monotonic() < until):
                return answer
        begin = time.monotonic()
        answer = make()
        took = time.monotonic() - begin
        self._kept.pop(asked, None)
        self._kept[asked] = (version, begin + KEPT_TIMES * took + LEAST_KEPT_SECONDS, answer)
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return answer

    def _alert_rows(self) -> Sequence[AlertRow]:
        if self.feed is not None:
            return rows_of_events(self.feed.events)
        rules = tuple(getattr(self.frame, "rules", None) or ())
        extent = self.extent()
        if not rules or extent is None:
            return ()
        asked = (self.store.version, rules)
        if self._alerts is None or self._alerts[0] != asked:
            length = max(LEAST_INTERVAL_NS, (extent[1] - extent[0]) // MOST_EVALUATIONS)
            seconds = -(-length // 1_000_000_000)
            self.trouble = ""
            try:
                found = rows_of_events(self.frame.backtest(interval=f"{seconds}s").events)
            except MonitorlabError as error:
                self.trouble, found = f"alert rules: {error}", []
            self._alerts = (asked, found)
        return self._alerts[1]
