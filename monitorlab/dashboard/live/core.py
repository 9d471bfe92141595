"""What a live view sends and when: plain code with any clock, without widgets.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.append("queue_depth", 10**9, 4.0)
>>> core = LiveCore(Subject(store), [Panel("queue_depth")])
>>> core.hear({"k": "hello", "c": "page"}, now=0.0)
>>> message = core.tick(now=0.0)
>>> message.content["spec"]["panels"][0]["series"], len(message.data)
(['queue_depth'], 16)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monitorlab.dashboard.live.flow import ANSWER_SECONDS, QUICK_SECONDS, Flow
from monitorlab.dashboard.live.lanes import AlertLanes, labels_text
from monitorlab.dashboard.live.pace import Pace
from monitorlab.dashboard.live.series import PanelStream
from monitorlab.dashboard.live.wire import Block, encode, said_number, said_times
from monitorlab.dashboard.panels import Panel, default_panels
from monitorlab.dashboard.subject import Subject
from monitorlab.errors import MonitorlabError
from monitorlab.feed.status import FeedUpdate

__all__ = ["LiveCore", "Message"]

KEPT_ROWS = 12_000  # of each panel, in the page
OLDER_SPANS = 5  # stretch before the visible window that a new page is given, in windows
LIVE_KINDS = ("line", "band", "stat", "gauge")
ANEW_SECONDS = 1.0  # between two updates that give everything anew
STATUS_SECONDS = 0.5
LONGEST_SPAN_NS = 31 * 86_400_000_000_000


@dataclass(frozen=True, eq=False)
class Message:
    """One update for the page.

    Parameters
    ----------
    content : dict
        Plain JSON types.
    data : bytes
        Samples.

    Examples
    --------
    >>> Message({"k": "data", "n": 1}, b"").content["n"]
    1
    """

    content: dict[str, Any]
    data: bytes


class LiveCore:
    """Coalesces what came in, and says what to send.

    Parameters
    ----------
    subject : Subject
        What is looked at.
    panels : sequence of Panel, optional
        What to show; chosen from the metrics by default, and again when metrics come.
    span_ns : int
        Length of the visible window.
    rate : float
        Updates a second at the most.
    theme : {"auto", "light", "dark"}
        Colours.
    columns : int
        Plots side by side; 0: as many as fit.
    wall : callable
        Gives the wall clock in seconds, to compare with the page's.

    Notes
    -----
    The page acknowledges what it has painted, and few updates may be under way. Whatever comes
    meanwhile stays in the store, and the next update takes all of it, thinned out where a
    screen could not show it. So a slow page is sent updates less often, and none of them is
    larger than a screen needs.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> LiveCore(Subject(SeriesStore())).tick(now=0.0) is None
    True
    """

    def __init__(
        self,
        subject: Subject,
        panels: Sequence[Panel] | None = None,
        *,
        span_ns: int = 300_000_000_000,
        rate: float = 10.0,
        theme: str = "auto",
        columns: int = 0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.subject = subject
        self.flow = Flow(stretch=round(rate * ANSWER_SECONDS))
        self.pace = Pace(rate)
        self.span_ns = span_ns
        self.updates = self.bytes = self.samples = 0
        self.lags: deque[float] = deque(maxlen=1_000)  # seconds, arrival to acknowledgement
        self.pixels: deque[float] = deque(maxlen=1_000)  # seconds, arrival to painted
        self.sizes: deque[int] = deque(maxlen=1_000)  # bytes of updates
        self.trouble = ""
        self._theme = theme
        self._columns = columns
        self._wall = wall
        # The lanes show the alerts anyway.
        self._given = None if panels is None else [p for p in panels if p.kind != "alerts"]
        self._chosen_for: tuple[int, int] | None = None
        self._streams: list[PanelStream] = []
        self._lanes = AlertLanes(() if subject.feed is None else subject.feed.alerts.rules)
        self._begun = False
        self._anew = True
        self._anew_at = -np.inf
        self._arrived: tuple[float, float] | None = None  # clock and wall of the oldest sample
        self._low_ns: int | None = None
        self._version: int | None = None
        self._under_way: deque[tuple[int, float, float]] = deque(maxlen=512)
        self._status: tuple[Any, ...] = ()
        self._status_at = -np.inf

    # -- what comes in -----------------------------------------------------------------------

    @property
    def panels(self) -> tuple[Panel, ...]:
        """What is shown."""
        return tuple(stream.panel for stream in self._streams)

    @property
    def given(self) -> tuple[Panel, ...]:
        """Panels that the user gave; empty when they are chosen."""
        return tuple(self._given or ())

    def hear(self, content: Mapping[str, Any], now: float) -> None:
        """Take in what a page says: ``hello``, ``ack`` or ``bye``; anything else is ignored."""
        kind, page = content.get("k"), str(content.get("c", ""))
        if kind == "hello":
            span = said_number(content.get("span"))
            if span > 0:
                self._widen(int(min(span * 1e9, LONGEST_SPAN_NS)))
            self.flow.hello(page, now)
            self._anew = True
        elif kind == "bye":
            self.flow.bye(page)
        elif kind == "ack":
            number = int(said_number(content.get("n")))
            slow = said_number(content.get("took")) > 1e3 * QUICK_SECONDS
            self.flow.answered(page, number, now, is_slow=slow)
            self._note_answer(number, content.get("done"), now)

    def arrived(self, update: FeedUpdate | None, now: float) -> None:
        """Note that samples came in, with the feed's update where there is one."""
        if self._arrived is None:
            self._arrived = (now, self._wall())
        if update is None:
            return
        lows = [int(chunk.times[0]) for chunk in update.batch.chunks if len(chunk.times)]
        if lows:
            low = min(lows)
            self._low_ns = low if self._low_ns is None else min(low, self._low_ns)
        if self._begun and update.events:
            self._lanes.take(update.events)

    def poll(self, now: float) -> bool:
        """Look whether a frame without a feed has changed."""
        version = int(self.subject.store.version)
        changed = version != self._version
        self._version = version
        if changed:
            self.arrived(None, now)
        return changed

    # -- what goes out -----------------------------------------------------------------------

    def due(self, now: float) -> float | None:
        """Give when ``tick`` should be asked next; None: not before something happens."""
        if self._arrived is None and not self.flow.greeted and not self._has_news():
            return None
        allowed = self.flow.allowed_at(now)
        if allowed is None:
            return None
        return max(allowed, now if self.flow.greeted else self.pace.ready_at)

    def tick(self, now: float) -> Message | None:
        """Give the next update, if one is due and allowed.

        Parameters
        ----------
        now : float
            Any monotonic clock, seconds.

        Returns
        -------
        Message or None
            What to send.

        Notes
        -----
        A plot of plain series costs two binary searches for each series and a copy of its new
        samples; one of an expression an evaluation of the steps that are complete. The time
        of a tick is followed by three times as long in which no other begins.
        """
        due = self.due(now)
        if due is None or due > now or not self.flow.may_send(now):
            return None
        begin = time.perf_counter()
        arrived, self._arrived = self._arrived, None
        try:
            message = self._compose(now)
        except MonitorlabError as error:
            self.trouble = str(error)
            message = None
        self.pace.begun(now, cost=time.perf_counter() - begin)
        if message is None:
            return None
        number = self.flow.sent(now)
        message.content.update(n=number, q=int(self.flow.asks))
        if arrived is not None:
            self._under_way.append((number, *arrived))
        self.updates += 1
        self.bytes += len(message.data)
        self.sizes.append(len(message.data))
        return message

    def stats(self) -> dict[str, Any]:
        """Give counters, and quantiles over the newest thousand updates, as plain JSON types."""
        return {
            "pages": self.flow.pages,
            "panels": len(self._streams),
            "updates": self.updates,
            "samples": self.samples,
            "bytes": self.bytes,
            "bytes_an_update_median": _quantile(self.sizes, 0.5),
            "bytes_an_update_p95": _quantile(self.sizes, 0.95),
            "pixel_seconds_median": _quantile(self.pixels, 0.5),
            "pixel_seconds_p95": _quantile(self.pixels, 0.95),
            "answer_seconds_median": _quantile(self.lags, 0.5),
            "answer_seconds_p95": _quantile(self.lags, 0.95),
        }

    # -- inside ------------------------------------------------------------------------------

    def _has_news(self) -> bool:
        feed = self.subject.feed
        return feed is not None and self._status_now()[:2] != self._status[:2]

    def _compose(self, now: float) -> Message | None:
        if not self._begun:
            self._begun = True
            feed = self.subject.feed
            if feed is not None:
                self._lanes.take(feed.events)
        self._choose(now)
        newest = self._newest()
        low, self._low_ns = self._low_ns, None
        blocks: list[Block] = []
        source = self.subject.reader
        if not self._anew and newest is not None:
            found = (stream.fresh(source, newest, low_ns=low) for stream in self._streams)
            blocks = [block for block in found if block is not None]
            if any(stream.is_changed for stream in self._streams):
                self._anew = True
            elif not blocks and low is None and self.subject.feed is None:
                self._anew = True  # something changed that is older than what was sent
        content: dict[str, Any] = {"k": "data", "n": 0}
        if self._anew:
            if now - self._anew_at < ANEW_SECONDS and not self.flow.greeted:
                self._arrived = self._arrived or (now, self._wall())
                if any(stream.is_changed for stream in self._streams):
                    return None
            else:
                blocks = self._everything(newest)
                content |= {"spec": self._spec(), "full": True}
                self._anew, self._anew_at = False, now
        content["b"], data = encode(blocks)
        self.samples += sum(block.samples for block in blocks)
        self._settle_lanes(newest)
        if self._lanes.is_changed or "full" in content:
            content["a"] = self._lanes.to_list()
            self._lanes.is_changed = False
        status = self._status_now()
        if status[:2] != self._status[:2] or now - self._status_at > STATUS_SECONDS:
            self._status, self._status_at = status, now
            content["s"] = {"state": status[0], "trouble": status[1], "lag": status[2]}
        if not blocks and not content.keys() & {"spec", "a", "s"}:
            return None
        return Message(content, data)

    def _everything(self, newest: int | None) -> list[Block]:
        if newest is None:
            return []
        source, older = self.subject.reader, OLDER_SPANS * self.span_ns
        blocks = [stream.window(source, newest, older_ns=older) for stream in self._streams]
        return [block for block in blocks if len(block.times)]

    def _spec(self) -> dict[str, Any]:
        return {
            "panels": [stream.spec() for stream in self._streams],
            "span": self.span_ns / 1e9,
            "keep": KEPT_ROWS,
            "theme": self._theme,
            "columns": self._columns,
        }

    def _choose(self, now: float) -> None:
        """Choose the panels where the user gave none, again when there is much more to see."""
        if self._given is not None:
            if not self._streams and self._given:
                self._stream(self._given)
            return
        store = self.subject.store
        size = (len(store), int(store.version).bit_length())
        if size == self._chosen_for or now - self._anew_at < ANEW_SECONDS:
            return
        self._chosen_for = size
        found = self.subject.headlines("auto", 0)
        panels = [p for p in default_panels(found, self.subject.reader) if p.kind in LIVE_KINDS]
        if panels != list(self.panels):
            self._stream(panels)

    def _stream(self, panels: Sequence[Panel]) -> None:
        self._streams = [
            PanelStream(i, _live(panel), span_ns=self.span_ns) for i, panel in enumerate(panels)
        ]
        self._anew = True

    def _widen(self, span_ns: int) -> None:
        if span_ns > self.span_ns:
            self.span_ns = span_ns
            for stream in self._streams:
                stream.span_ns = span_ns

    def _newest(self) -> int | None:
        feed = self.subject.feed
        if feed is not None and feed.event_time is not None:
            return int(feed.event_time.value)
        newest = getattr(self.subject.reader, "newest_ns", None)
        if newest is not None:
            return int(newest)
        extent = self.subject.extent()
        return None if extent is None else extent[1]

    def _settle_lanes(self, newest: int | None) -> None:
        feed = self.subject.feed
        if feed is not None and newest is not None:
            alive = [(alert.rule, labels_text(alert.labels)) for alert in feed.alerts.active]
            self._lanes.settle(alive, newest / 1e9)

    def _status_now(self) -> tuple[str, str, float | None]:
        lag = _quantile(list(self.lags)[-3:], 0.5)
        lag_ms = None if lag is None else lag * 1e3
        feed = self.subject.feed
        if feed is None:
            return "frame", self.trouble, lag_ms
        status = feed.status()
        trouble = self.trouble
        if status.failures_in_a_row or (status.state == "closed" and status.last_error):
            trouble = trouble or str(status.last_error)[:300]
        return status.state, trouble, lag_ms

    def _note_answer(self, number: int, done: Any, now: float) -> None:
        painted = said_times(done)
        while self._under_way and self._under_way[0][0] <= number:
            one, arrived, arrived_wall = self._under_way.popleft()
            if one in painted:
                self.pixels.append(painted[one] - arrived_wall)
            if one == number:
                self.lags.append(now - arrived)


def _live(panel: Panel) -> Panel:
    """Show as lines what has no live picture of its own."""
    return panel if panel.kind in LIVE_KINDS else replace(panel, kind="line")


def _quantile(values: Sequence[float] | deque[float], share: float) -> float | None:
    if not values:
        return None
    return float(np.quantile(np.fromiter(values, dtype=float), share))
