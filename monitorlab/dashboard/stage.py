"""The stage of a dashboard: its widgets, what the page tells, and how pictures are drawn.

>>> import monitorlab as ml
>>> stage = Stage(ml.MonitoringFrame())
>>> stage.choices.theme
'auto'
"""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import ipywidgets as widgets
import pandas as pd
import traitlets
from ipywidgets.widgets.widget_string import HTMLStyle

from monitorlab.dashboard.bundle import begin_loading
from monitorlab.dashboard.canvas import Canvas
from monitorlab.dashboard.coalesce import Coalescer
from monitorlab.dashboard.controls import Controls
from monitorlab.dashboard.findings import Findings, look_into
from monitorlab.dashboard.inspector import Inspector
from monitorlab.dashboard.linked import Page, rounded, span_of
from monitorlab.dashboard.panels import panel_of
from monitorlab.dashboard.state import DashboardState
from monitorlab.dashboard.strip import Strip
from monitorlab.dashboard.subject import Subject
from monitorlab.dashboard.tiles import template
from monitorlab.dashboard.view import View, compose
from monitorlab.times import from_ns

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.dashboard.live import LiveOffer
    from monitorlab.plotting import Theme

__all__ = ["Stage"]

SLOW_PAGE_SECONDS = 2.0  # how often a page that lags behind is sent a picture
LOADING_SECONDS = 300.0  # how long a page may take to load Plotly
UNANSWERED = 2  # pictures that may be under way
_REDRAWN_BY = (
    "metrics", "labels", "expr", "span", "start", "end", "zoom", "window", "theme", "columns",
    "incidents", "alerts", "live", "step", "compare", "anomalies", "selection",
)  # fmt: skip
Method = TypeVar("Method", bound=Callable[..., Any])


def _shown_if_it_fails(method: Method) -> Method:
    """Show an exception in the dashboard: one in a widget callback is lost otherwise.

    JupyterLab handles what a page says in a thread of its own; beside a feed the method is
    called in the feed's thread, which draws the same figure and writes to the same store.
    """

    def tried(self: Stage, *args: Any) -> None:
        try:
            method(self, *args)
        except Exception as error:  # noqa: BLE001 - shown, not lost
            self._say(f"{type(error).__name__}: {error}")

    @functools.wraps(method)
    def guarded(self: Stage, *args: Any) -> None:
        feed = self.subject.feed
        if feed is None:
            tried(self, *args)
        else:
            feed.call(tried, self, *args)

    return guarded  # type: ignore[return-value]


class Stage(widgets.VBox):
    """Everything of a dashboard that lives in a notebook; ``Dashboard`` adds what code calls.

    Parameters
    ----------
    thing : MonitoringFrame or LiveFeed
        What to look at.
    panels : sequence of Panel, str or mapping, optional
        What to show.
    theme : {"auto", "light", "dark"}
        Colours.
    **choices : object
        Further traits of ``DashboardState``.

    Raises
    ------
    SourceError
        If ``thing`` is neither.
    UnknownNameError
        If a choice or a panel is not known.

    Examples
    --------
    >>> import monitorlab as ml
    >>> Stage(ml.MonitoringFrame(), theme="dark").choices.theme
    'dark'
    """

    # A widget whose constructor raised is closed all the same, by its ``__del__``.
    _unsubscribe: Callable[[], None] | None = None
    _coalescer: Coalescer | None = None
    _findings: Findings | None = None
    _offer: LiveOffer | None = None

    def __init__(
        self,
        thing: Any,
        panels: Sequence[Any] | None = None,
        *,
        theme: str = "auto",
        **choices: Any,
    ) -> None:
        self.subject = Subject(thing)
        begin_loading()
        feed = self.subject.feed
        live = feed is not None
        self.choices = DashboardState()
        self.choices.update(
            {"theme": theme, "live": live, "span": "5m" if live else "all", **choices}
        )
        self._panels = None if panels is None else [panel_of(given) for given in panels]
        self._view: View | None = None
        self._drawn_at = 0.0
        self._drawn_theme: Theme = "light"
        self._was_shown = False
        self._coalescer = Coalescer(self._tick)
        self._page = Page()
        self._page._view_count = 0  # noqa: SLF001 - asks the page to count its views
        # Each layout and style is a message of its own to the page, so they are shared.
        shared = {"layout": widgets.Layout(), "style": HTMLStyle()}
        hidden = [{**shared, "layout": widgets.Layout(display="none")} for _ in range(2)]
        self._style = widgets.HTML(f"<style>{template('dashboard.css')}</style>", **hidden[0])
        self._head = widgets.HTML(**shared, _dom_classes=("ml-grow",))
        self._tiles, self._events = widgets.HTML(**shared), widgets.HTML(**shared)
        self._message = widgets.HTML(**hidden[1])
        self.controls = Controls(self.choices, can_live=live)
        self.inspector = Inspector(self.choices, self._mark)
        self._strip = Strip()
        first = compose(self.subject, self._panels, self.choices, theme=self._theme())
        self._canvas = Canvas(first, self._zoomed)
        # A page that is loading Plotly must not be sent changes: they would be drawn into
        # nothing. It starts from the stored state and says when it has drawn that.
        self._loading_since: float | None = None
        self._is_stale = False
        self._page.observe(self._on_seen, "seen")
        self.figure_widget.observe(self._on_drawn, "_js2py_traceDeltas")
        split, head = (
            widgets.Box(inside, layout=shared["layout"], _dom_classes=(name,))
            for inside, name in (
                ((self.figure_widget, self.inspector.box), "ml-split"),
                ((self._head, self.controls.theme), "ml-bar"),
            )
        )
        offer = []
        if live:
            from monitorlab.dashboard.live import LiveOffer

            self._offer = LiveOffer(self)
            offer = [self._offer]
        super().__init__(
            [
                self._style, head, *self.controls.bars, *offer, self._message, self._tiles,
                self._strip, split, self._events, self._page,
            ]
        )  # fmt: skip
        self.add_class("ml-dash")
        self.controls.refresh.on_click(lambda _: self.refresh())
        self.controls.unzoom.on_click(lambda _: self.choices.update({"zoom": ()}))
        self.controls.inspect.on_click(lambda _: self._inspect_all())
        self.choices.observe(lambda _: self.refresh(), list(_REDRAWN_BY))
        self.choices.observe(lambda _: self._look_into(), ["selection", "labels", "metrics"])
        traitlets.dlink((self.choices, "drag"), (self._page, "drag"))
        self._page.observe(self._on_dark, "dark")
        self._page.observe(self._on_width, "width")
        self._page.observe(self._on_click, "clicked")
        self._page.observe(self._on_brush, "brushed")
        self._strip.observe(self._on_strip, "turn")
        self._unsubscribe = None if feed is None else feed.subscribe(self._on_update)
        self._frame_view(first)
        self._look_into()

    def refresh(self) -> None:
        """Read the data again and draw."""
        self._draw()

    @property
    def figure_widget(self) -> go.FigureWidget:
        """The one figure that holds all plots."""
        return self._canvas.widget

    @property
    def findings(self) -> Findings | None:
        """What there is to say of the selected span; None where none is selected."""
        return self._findings

    def close(self) -> None:
        """Stop following the feed and take the widget away; may be called again."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._coalescer is not None:
            self._coalescer.cancel()
        if self._offer is not None:
            self._offer.close()
        canvas: Canvas | None = getattr(self, "_canvas", None)
        if canvas is not None:
            canvas.cancel()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # A figure keeps what it was made with; the page must get what it holds now.
        self._canvas.store()
        return super()._repr_mimebundle_(**kwargs)

    # -- what the page tells -----------------------------------------------------------------

    def _on_seen(self, _: Any) -> None:
        self._loading_since = time.monotonic()

    @_shown_if_it_fails
    def _on_drawn(self, change: Any) -> None:
        if change["new"]:
            self._loading_since = None
            if self._is_stale:
                self._draw()

    def _on_dark(self, _: Any) -> None:
        if self._drawn_theme != self._theme():
            self.refresh()

    @_shown_if_it_fails
    def _on_width(self, change: Any) -> None:
        self._canvas.fit(int(change["new"]))

    @_shown_if_it_fails
    def _on_click(self, change: Any) -> None:
        """Look into the shortest band that was clicked."""
        hit = span_of(change["new"])
        if hit is None or self._view is None:
            return
        bands = [s for s in self._view.spans if s.start_ns <= hit[1] and s.end_ns >= hit[0]]
        if bands:
            band = min(bands, key=lambda span: span.end_ns - span.start_ns)
            self.choices.selection = (band.start_ns, band.end_ns)

    @_shown_if_it_fails
    def _on_brush(self, change: Any) -> None:
        span = span_of(change["new"])
        if span is not None:
            self.choices.selection = rounded(*span)

    @_shown_if_it_fails
    def _on_strip(self, _: Any) -> None:
        self.choices.zoom = span_of(self._strip.chosen) or ()

    @_shown_if_it_fails
    def _zoomed(self, limits: Any, automatic: Any) -> None:
        if self._view is None:
            return
        if automatic or limits is None or len(limits) != 2:
            self.choices.zoom = ()
            self._draw()
            return
        if not all(isinstance(limit, (str, pd.Timestamp)) for limit in limits):
            return  # a figure without samples has an axis of plain numbers
        start, end = (int(pd.Timestamp(limit, tz="UTC").as_unit("ns").value) for limit in limits)
        near = max(1_000_000, (self._view.end_ns - self._view.start_ns) // 10_000)
        if abs(start - self._view.start_ns) > near or abs(end - self._view.end_ns) > near:
            self.choices.zoom = (start, end)

    # -- the selection -----------------------------------------------------------------------

    @_shown_if_it_fails
    def _inspect_all(self) -> None:
        if self._view is not None and self._view.scene is not None:
            self.choices.selection = (self._view.start_ns, self._view.end_ns)

    @_shown_if_it_fails
    def _look_into(self) -> None:
        view, chosen = self._view, self.choices.selection
        self._findings = None
        if view is None or view.scene is None or len(chosen) != 2:
            return
        start, end = (int(ns) for ns in chosen)
        plots = [one.panel for one in view.answers]
        spans = [*self.subject.incidents(), *self.subject.alerts(view.scene.extent[1])]
        self._findings = look_into(view.scene, plots, spans, start, end)
        self.inspector.show(self._findings, view.scene.extent[1])

    def _mark(self, kind: str, severity: str, note: str) -> None:
        start, end = (from_ns(int(ns)) for ns in self.choices.selection)
        metrics = tuple(self.choices.metrics)
        self.subject.mark(start, end, kind, severity=severity, description=note, metrics=metrics)
        self.refresh()
        self._look_into()

    # -- drawing -----------------------------------------------------------------------------

    def _theme(self) -> Theme:
        if self.choices.theme == "auto":
            return "dark" if self._page.dark else "light"
        return "dark" if self.choices.theme == "dark" else "light"

    def _say(self, text: str) -> None:
        self._message.value = (
            f'<div class="ml-message" role="alert">{html.escape(text)}</div>' if text else ""
        )
        self._message.layout.display = None if text else "none"

    def _on_update(self, _: Any) -> None:
        if self.choices.live and self._coalescer is not None:
            self._coalescer.request()

    def _tick(self) -> None:
        """Draw for the feed, unless nobody looks or the page has not kept up."""
        count = self._page._view_count or 0  # noqa: SLF001 - counted by the page
        self._was_shown = self._was_shown or count > 0
        if self._was_shown and count == 0:
            return
        behind = self._page.ping - self._page.pong
        waited = time.monotonic() - self._drawn_at
        if self._was_shown and behind > UNANSWERED and waited < SLOW_PAGE_SECONDS:
            self._on_update(None)
            return
        self._draw()

    @_shown_if_it_fails
    def _draw(self) -> None:
        view = compose(self.subject, self._panels, self.choices, theme=self._theme())
        loading = self._loading_since
        self._is_stale = loading is not None and time.monotonic() - loading < LOADING_SECONDS
        self._view = view
        if not self._is_stale:  # the lines first: the page draws while the rest is on its way
            self._canvas.show(view, store=not self.choices.live)
        self._frame_view(view)
        if not self._is_stale:
            self._page.ping += 1

    def _frame_view(self, view: View) -> None:
        """Set everything around the figure."""
        self._view = view
        self._drawn_at = time.monotonic()
        self._drawn_theme = theme = self._theme()
        self.remove_class("ml-dark" if theme == "light" else "ml-light")
        self.add_class(f"ml-{theme}")
        spans = []
        if view.scene is not None:
            self.controls.offer(self.subject.metric_names(), self.subject.label_pairs())
            spans = [*self.subject.incidents(), *self.subject.alerts(view.scene.extent[1])]
        self._strip.show(view, spans)
        self._head.value = self._headline(view)
        self._tiles.value = view.tiles
        self._events.value = view.events
        self._say(view.problem)

    def _headline(self, view: View) -> str:
        feed = self.subject.feed
        dot = state = ""
        if feed is not None:
            status = feed.status()
            mood = "" if status.state == "running" and self.choices.live else "ml-paused"
            mood = "ml-trouble" if status.failures_in_a_row or status.state == "failed" else mood
            dot = f'<span class="ml-live-dot {mood}"></span>'
            state = f"{status.state} · {status.samples:,} samples · ".replace(",", " ")
            if status.last_error:
                state += html.escape(status.last_error[:120]) + " · "
        return (
            f'<div class="ml-head"><span class="ml-title">{dot}monitorlab</span>'
            f'<span class="ml-status">{state}{html.escape(view.caption)}</span></div>'
        )
