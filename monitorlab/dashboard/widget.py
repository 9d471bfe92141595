"""The dashboard widget: a toolbar, tiles, one figure of aligned plots, and a list of events.

>>> import monitorlab as ml
>>> mf = ml.MonitoringFrame()
>>> mf.extend("queue_depth", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [1.0, 4.0])
>>> dash = ml.Dashboard(mf)
>>> dash.state()["shown"]
['queue_depth', 'queue_depth']
"""

from __future__ import annotations

import functools
import html
import time
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anywidget
import ipywidgets as widgets
import traitlets

from monitorlab.dashboard.coalesce import Coalescer
from monitorlab.dashboard.controls import Controls
from monitorlab.dashboard.panels import Panel, panel_of
from monitorlab.dashboard.state import DashboardState
from monitorlab.dashboard.subject import Subject
from monitorlab.dashboard.tiles import page, template
from monitorlab.dashboard.view import View, compose
from monitorlab.display import to_plain
from monitorlab.errors import UnknownNameError
from monitorlab.times import from_ns

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.plotting import Theme

__all__ = ["Dashboard"]

SLOW_PAGE_SECONDS = 2.0  # how often a page that lags behind is sent a picture
LOADING_SECONDS = 60.0  # how long a page may take to load Plotly
UNANSWERED = 2  # pictures that may be under way
_REDRAWN_BY = (
    "metrics", "labels", "expr", "span", "start", "end", "zoom", "window", "theme", "columns",
    "incidents", "alerts", "live",
)  # fmt: skip
_CONFIG = {"displaylogo": False, "doubleClick": "autosize", "responsive": True}
Method = TypeVar("Method", bound=Callable[..., Any])


class _Page(anywidget.AnyWidget):
    """Tells of the page's theme, and how far behind it is; draws nothing."""

    _esm = template("dashboard_theme.js")
    dark = traitlets.Bool(None, allow_none=True).tag(sync=True)
    seen = traitlets.Int(0).tag(sync=True)
    ping = traitlets.Int(0).tag(sync=True)
    pong = traitlets.Int(0).tag(sync=True)


def _shown_if_it_fails(method: Method) -> Method:
    """Show an exception in the dashboard: one in a widget callback is lost otherwise."""

    @functools.wraps(method)
    def guarded(self: Dashboard, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - shown, not lost
            self._say(f"{type(error).__name__}: {error}")
            return None

    return guarded  # type: ignore[return-value]


class Dashboard(widgets.VBox):
    """Look at a frame, or follow a feed, in a notebook.

    Parameters
    ----------
    thing : MonitoringFrame or LiveFeed
        What to look at. A feed is followed while its button is on.
    panels : sequence of Panel, str or mapping, optional
        What to show: panels, PromQL expressions or the arguments of panels. Chosen from the
        metrics' types by default.
    theme : {"auto", "light", "dark"}
        Colours; ``auto`` follows the notebook.
    **choices : object
        Further traits of ``DashboardState``: ``span="15m"``, ``metrics=[…]``, ``columns=1``.

    Raises
    ------
    SourceError
        If ``thing`` is neither.
    UnknownNameError
        If a choice or a panel is not known.

    See Also
    --------
    monitorlab.LiveFeed : what keeps a frame up to date.

    Notes
    -----
    One Plotly figure holds all plots (each figure would ship its own copy of Plotly). Every
    line is thinned out to what the screen can show, again at each zoom, from the full data.
    A feed is drawn at most four times a second, less often when the page lags behind.

    Examples
    --------
    >>> import monitorlab as ml
    >>> dash = Dashboard(ml.MonitoringFrame(), theme="dark")
    >>> dash.state()["problem"]
    'there are no samples yet'
    """

    # A widget whose constructor raised is closed all the same, by its ``__del__``.
    _unsubscribe: Callable[[], None] | None = None
    _coalescer: Coalescer | None = None

    def __init__(
        self,
        thing: Any,
        panels: Sequence[Any] | None = None,
        *,
        theme: str = "auto",
        **choices: Any,
    ) -> None:
        import plotly.graph_objects as go

        self.subject = Subject(thing)
        feed = self.subject.feed
        live = feed is not None
        self.choices = DashboardState()
        self.choices.update(
            {"theme": theme, "live": live, "span": "5m" if live else "all", **choices}
        )
        self._panels = None if panels is None else [panel_of(given) for given in panels]
        self._view: View | None = None
        self._applying = False
        self._drawn_at = 0.0
        self._drawn_theme: Theme = "light"
        self._was_shown = False
        self._coalescer = Coalescer(self._tick)
        self._page = _Page()
        self._page._view_count = 0  # noqa: SLF001 - asks the page to count its views
        self._style = widgets.HTML(f"<style>{template('dashboard.css')}</style>")
        self._style.layout.display = "none"
        self._head, self._tiles, self._events = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._message = widgets.HTML()
        self.controls = Controls(self.choices, can_live=live)
        first = compose(self.subject, self._panels, self.choices, theme=self._theme())
        self.figure_widget = go.FigureWidget(first.data, first.layout)
        self._structure = _structure_of(first)
        self._listen()
        # A page that is loading Plotly must not be sent changes: they would be drawn into
        # nothing. It starts from the stored state and says when it has drawn that.
        self._loading_since: float | None = None
        self._is_stale = False
        self._page.observe(self._on_seen, "seen")
        self.figure_widget.observe(self._on_drawn, "_js2py_traceDeltas")
        self.figure_widget._config = _CONFIG  # noqa: SLF001 - has no public name
        super().__init__(
            [
                self._style, self._head, *self.controls.bars, self._message, self._tiles,
                self.figure_widget, self._events, self._page,
            ]
        )  # fmt: skip
        self.add_class("ml-dash")
        self.controls.refresh.on_click(lambda _: self.refresh())
        self.controls.unzoom.on_click(lambda _: self.choices.update({"zoom": ()}))
        self.choices.observe(lambda _: self.refresh(), list(_REDRAWN_BY))
        self._page.observe(self._on_dark, "dark")
        self._unsubscribe = None if feed is None else feed.subscribe(self._on_update)
        self._frame_view(first)

    # -- use from code -----------------------------------------------------------------------

    def add(self, panel: Any, position: int | tuple[int, int] | None = None) -> Panel:
        """Add a panel.

        Parameters
        ----------
        panel : Panel, str or mapping
            A panel, a PromQL expression, or the arguments of a panel.
        position : int or (row, column), optional
            Where among the plots; at the end by default. Tiles stand above in their order.

        Returns
        -------
        Panel
            The panel that was added.

        Raises
        ------
        UnknownNameError
            If it is no panel.
        """
        made = panel_of(panel)
        shown = list(
            self._view.panels if self._panels is None and self._view else self._panels or ()
        )
        tiles = [p for p in shown if p.is_tile]
        plots = [p for p in shown if not p.is_tile]
        place = len(plots) if position is None else self._place(position)
        (tiles if made.is_tile else plots).insert(len(tiles) if made.is_tile else place, made)
        self._panels = tiles + plots
        self.refresh()
        return made

    def refresh(self) -> None:
        """Read the data again and draw."""
        self._draw()

    def figure(self) -> go.Figure:
        """Give the plots as a plain Plotly figure."""
        import plotly.graph_objects as go

        view = compose(self.subject, self._panels, self.choices, theme=self._theme(), solid=True)
        return go.Figure(data=view.data, layout=view.layout)

    def state(self) -> dict[str, Any]:
        """Give what is chosen and what is shown as plain JSON types."""
        view = compose(self.subject, self._panels, self.choices, theme=self._theme())
        return {
            **self.choices.to_dict(),
            "panels": None if self._panels is None else [p.to_dict() for p in self._panels],
            "shown": [panel.title for panel in view.panels],
            "from": to_plain(from_ns(view.start_ns)),
            "to": to_plain(from_ns(view.end_ns)),
            "lines": sum(len(one.lines) for one in view.answers),
            "problem": view.problem,
        }

    def to_html(self, path: str | PathLike[str], *, title: str = "monitorlab") -> Path:
        """Write the dashboard as one file that needs no kernel and no network.

        Parameters
        ----------
        path : str or os.PathLike
            Where to.
        title : str
            Title of the page.

        Returns
        -------
        pathlib.Path
            The file; zoom, hover and legends work in it.
        """
        theme = self._theme()
        view = compose(self.subject, self._panels, self.choices, theme=theme)
        figure = self._plain(view).to_html(full_html=False, include_plotlyjs=True, config=_CONFIG)
        text = page(
            "dashboard_page.html", title=title, theme=theme, css=template("dashboard.css"),
            caption=view.caption, tiles=view.tiles, figure=figure, events=view.events,
        )  # fmt: skip
        target = Path(path)
        target.write_text(text, encoding="utf-8")
        return target

    def close(self) -> None:
        """Stop following the feed and take the widget away; may be called again."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._coalescer is not None:
            self._coalescer.cancel()
        super().close()

    def __repr__(self) -> str:
        shown = 0 if self._view is None else len(self._view.panels)
        what = "a feed" if self.subject.feed is not None else "a frame"
        return f"Dashboard({shown} panels of {what})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # A figure keeps what it was made with; the page must get what it holds now.
        self._store_figure()
        return super()._repr_mimebundle_(**kwargs)

    # -- inside ------------------------------------------------------------------------------

    def _store_figure(self) -> None:
        """Put what the figure holds into the state that a page starts from."""
        figure = self.figure_widget
        figure._widget_layout = figure.to_dict()["layout"]  # noqa: SLF001 - as Plotly does
        figure._widget_data = [t.to_plotly_json() for t in figure.data]  # noqa: SLF001

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

    def _theme(self) -> Theme:
        if self.choices.theme == "auto":
            return "dark" if self._page.dark else "light"
        return "dark" if self.choices.theme == "dark" else "light"

    def _place(self, position: int | tuple[int, int]) -> int:
        if isinstance(position, int):
            return position
        try:
            row, column = position
            return int(row) * int(self.choices.columns) + int(column)
        except (TypeError, ValueError) as error:
            msg = f"a position is a number or (row, column), not {position!r}"
            raise UnknownNameError(msg) from error

    @staticmethod
    def _plain(view: View) -> go.Figure:
        import plotly.graph_objects as go

        return go.Figure(data=view.data, layout=view.layout)

    def _say(self, text: str) -> None:
        self._message.value = f'<div class="ml-message">{html.escape(text)}</div>' if text else ""
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
        self._frame_view(view)
        loading = self._loading_since
        self._is_stale = loading is not None and time.monotonic() - loading < LOADING_SECONDS
        if not self._is_stale:
            self._show(view)
            self._page.ping += 1

    def _frame_view(self, view: View) -> None:
        """Set everything around the figure."""
        self._view = view
        self._drawn_at = time.monotonic()
        self._drawn_theme = theme = self._theme()
        self.remove_class("ml-dark" if theme == "light" else "ml-light")
        self.add_class(f"ml-{theme}")
        if self.subject.extent() is not None:
            self.controls.offer(self.subject.metric_names(), self.subject.label_pairs())
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

    def _show(self, view: View) -> None:
        figure = self.figure_widget
        structure = _structure_of(view)
        self._applying = True
        try:
            if structure != self._structure:
                figure.data = ()
                figure.layout = view.layout
                figure.add_traces(view.data)
                self._listen()
                self._structure = structure
            else:
                with figure.batch_update():
                    for trace, fresh in zip(figure.data, view.data, strict=True):
                        trace.x, trace.y = fresh["x"], fresh["y"]
                        trace.line = fresh["line"]
                    figure.update_layout(view.layout, overwrite=True)
            if not self.choices.live:
                self._store_figure()
        finally:
            self._applying = False

    def _listen(self) -> None:
        layout = self.figure_widget.layout
        layout.on_change(self._zoomed, "xaxis.range", "xaxis.autorange")

    @_shown_if_it_fails
    def _zoomed(self, _: Any, limits: Any, automatic: Any) -> None:
        if self._applying or self._view is None:
            return
        if automatic or limits is None or len(limits) != 2:
            self.choices.zoom = ()
            if self._view is not None:
                self._draw()
            return
        import pandas as pd

        start, end = (int(pd.Timestamp(limit, tz="UTC").as_unit("ns").value) for limit in limits)
        near = max(1_000_000, (self._view.end_ns - self._view.start_ns) // 10_000)
        if abs(start - self._view.start_ns) > near or abs(end - self._view.end_ns) > near:
            self.choices.zoom = (start, end)


def _structure_of(view: View) -> list[dict[str, Any]]:
    """Give what a figure must be built anew for: everything of the traces but their samples."""
    return [{k: v for k, v in t.items() if k not in ("x", "y", "line")} for t in view.data]
