"""The live view itself: a widget around the core, and what is shown without its bundle.

>>> import monitorlab as ml
>>> mf = ml.MonitoringFrame()
>>> mf.record("queue_depth", 3.0, timestamp="2026-01-01T00:00:00Z")
>>> view = LiveView(mf)
>>> view.stats()["pages"]
0
"""

from __future__ import annotations

import asyncio
import html
import secrets
import time
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from monitorlab.dashboard.live.core import LiveCore
from monitorlab.dashboard.panels import panel_of
from monitorlab.dashboard.subject import Subject
from monitorlab.errors import UnknownNameError, did_you_mean
from monitorlab.times import DurationLike, parse_duration

__all__ = ["LiveView", "bundle"]

POLL_SECONDS = 0.1
THEMES = ("auto", "light", "dark")
NO_BUNDLE = (
    "The live view's own program (monitorlab/static/live.js) is not in this installation, so "
    "Plotly shows the data, at most four times a second. Installing from a wheel, or "
    "'pip install -e .' where the npm registry can be reached, brings it."
)


class _Page(anywidget.AnyWidget):
    """What the browser runs; everything but its own name goes in messages."""

    key = traitlets.Unicode().tag(sync=True)

    def __init__(self, program: str) -> None:
        self._esm = program
        super().__init__(key=secrets.token_hex(8))


class LiveView(widgets.VBox):
    """Follow a feed, or a frame that grows, at up to ten pictures a second.

    Parameters
    ----------
    thing : LiveFeed or MonitoringFrame
        What to look at. A frame without a feed is looked at ten times a second.
    panels : sequence of Panel, str or mapping, optional
        What to show: panels, PromQL expressions or the arguments of panels. Chosen from the
        metrics' types by default.
    span : duration
        Time that a plot shows at first.
    rate : float
        Updates a second at the most.
    theme : {"auto", "light", "dark"}
        Colours; ``auto`` follows the notebook.
    columns : int
        Plots side by side; 0: as many as fit.

    Raises
    ------
    SourceError
        If ``thing`` is neither.
    UnknownNameError
        If a panel or the theme is not known, or a number is out of range.

    See Also
    --------
    monitorlab.Dashboard : history, zoom into the full data, statistics of a selection.

    Notes
    -----
    Samples travel in binary, all panels in one buffer, and are drawn at the page's animation
    frames. The page acknowledges what it has painted and the kernel waits for that, so a slow
    or hidden page is sent less and nothing queues. The page keeps 12 000 rows of each panel to
    scroll back in. Keys: space pauses, arrows and page keys scroll, plus and minus zoom, End
    follows again.

    Without the bundle (a source checkout in which npm has never run) a ``Dashboard`` stands
    in, and says so.

    Examples
    --------
    >>> import monitorlab as ml
    >>> LiveView(ml.MonitoringFrame(), ["up"], span="1m").stats()["updates"]
    0
    """

    # A widget whose constructor raised is closed all the same, by its ``__del__``.
    _unsubscribe: Callable[[], None] | None = None
    _handle: asyncio.TimerHandle | None = None
    _closed = False

    def __init__(
        self,
        thing: Any,
        panels: Sequence[Any] | None = None,
        *,
        span: DurationLike = "5m",
        rate: float = 10.0,
        theme: str = "auto",
        columns: int = 0,
    ) -> None:
        if theme not in THEMES:
            msg = f"no theme {theme!r}{did_you_mean(theme, THEMES)}; one of {', '.join(THEMES)}"
            raise UnknownNameError(msg)
        length = parse_duration(span)
        if length <= 0 or not 0 < rate <= 60 or columns < 0:
            msg = (
                "a live view needs a span above zero, a rate of up to 60 a second and columns "
                f"of 0 or more, not span={span!r}, rate={rate!r}, columns={columns!r}"
            )
            raise UnknownNameError(msg)
        given = None if panels is None else [panel_of(panel) for panel in panels]
        subject = Subject(thing)
        self.core = LiveCore(
            subject, given, span_ns=length, rate=rate, theme=theme, columns=columns
        )
        self._loop = _running_loop()
        self._page: _Page | None = None
        self._stand_in: Any = None
        program = bundle()
        if program is None:
            from monitorlab.dashboard.widget import Dashboard

            choices = {"span": _preset(length)} if subject.feed is not None else {}
            self._stand_in = Dashboard(thing, panels, theme=theme, **choices)
            notice = f'<div role="status" style="font-size:12px">{html.escape(NO_BUNDLE)}</div>'
            super().__init__([widgets.HTML(notice), self._stand_in])
            return
        self._page = _Page(program)
        self._page.layout.width = "100%"
        self._page.on_msg(self._heard)
        if subject.feed is not None:
            self._unsubscribe = subject.feed.subscribe(self._on_update)
        super().__init__([self._page])

    @property
    def is_fallback(self) -> bool:
        """Whether Plotly stands in because there is no bundle."""
        return self._stand_in is not None

    def stats(self) -> dict[str, Any]:
        """Give what was sent and how long it took, as plain JSON types.

        Returns
        -------
        dict
            Counters; medians and 95th percentiles over the newest thousand updates of the size
            in bytes, of the time from the arrival of a sample to its painting
            (``pixel_seconds``, by the page's clock) and to its acknowledgement
            (``answer_seconds``, by the kernel's).
        """
        return self.core.stats()

    def close(self) -> None:
        """Stop following and take the widget away; may be called again."""
        self._closed = True
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        super().close()

    def __repr__(self) -> str:
        shown = len(self.core.panels) or len(self.core.given)
        pages = self.core.flow.pages
        stands_in = ", without its bundle" if self.is_fallback else ""
        return (
            f"LiveView({shown} panel{'' if shown == 1 else 's'}, "
            f"{pages} page{'' if pages == 1 else 's'}{stands_in})"
        )

    # -- inside ------------------------------------------------------------------------------

    def _heard(self, _: Any, content: Any, __: Any) -> None:
        """Take in what the page says; JupyterLab may run this in a thread of its own."""
        if not isinstance(content, dict):
            return
        if self._loop is None:
            self._loop = _running_loop()
        if self._loop is None or self._loop.is_closed() or self._loop is _running_loop():
            self._take(content)
        else:
            self._loop.call_soon_threadsafe(self._take, content)

    def _take(self, content: dict[str, Any]) -> None:
        self.core.hear(content, time.monotonic())
        self._plan()

    def _on_update(self, update: Any) -> None:
        if self._loop is None:
            self._loop = _running_loop()
        self.core.arrived(update, time.monotonic())
        if self._handle is None:
            self._plan()

    def _plan(self) -> None:
        """Have the next update made when it is due."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._closed:
            return
        now = time.monotonic()
        due = self.core.due(now)
        if self.core.subject.feed is None and self.core.flow.pages:
            due = now + POLL_SECONDS if due is None else due
        if due is None:
            return
        if self._loop is None:
            self._pump()
        else:
            self._handle = self._loop.call_later(max(0.0, due - now), self._pump)

    def _pump(self) -> None:
        self._handle = None
        if self._closed or self._page is None:
            return
        now = time.monotonic()
        if self.core.subject.feed is None:
            self.core.poll(now)
        message = self.core.tick(now)
        if message is not None:
            self._page.send(message.content, buffers=[message.data])
        if self._loop is not None:
            self._plan()


def bundle() -> str | None:
    """Give the program that the page runs; None where it has not been built.

    Returns
    -------
    str or None
        An ES module.

    Examples
    --------
    >>> bundle() is None or "export" in bundle()
    True
    """
    path = resources.files("monitorlab").joinpath("static", "live.js")
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _preset(span_ns: int) -> str:
    """Give the shortest of a dashboard's ranges that is as long."""
    from monitorlab.dashboard.state import SPANS

    return next((s for s in SPANS if s != "all" and parse_duration(s) >= span_ns), "all")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
