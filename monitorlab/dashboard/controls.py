"""The toolbar: ipywidgets bound to the traits of a dashboard's state.

>>> controls = Controls(DashboardState(span="1h"))
>>> controls.span.value
'1h'
"""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import traitlets

from monitorlab.dashboard.state import (
    COMPARISONS,
    SPANS,
    STEPS,
    THEMES,
    WINDOWS,
    DashboardState,
)

__all__ = ["Controls"]

_SPAN_NAMES = [("all" if s == "all" else f"last {s}", s) for s in SPANS]
_COMPARED = {
    "": "compare …", "previous": "with before", "day": "with 1 day ago", "week": "with 1 week ago"
}  # fmt: skip
_THEME_ICONS = {"auto": "◐", "light": "☀", "dark": "☾"}


class Controls:
    """All inputs of a dashboard; each changes a trait of the state and follows it.

    Parameters
    ----------
    state : DashboardState
        What they change.
    can_live : bool
        Whether there is a feed to follow.

    Examples
    --------
    >>> state = DashboardState()
    >>> Controls(state).theme.value = "dark"
    >>> state.theme
    'dark'
    """

    def __init__(self, state: DashboardState, *, can_live: bool = False) -> None:
        def auto(width: str) -> widgets.Layout:
            return widgets.Layout(width=width)

        self._state = state
        self.span = widgets.Dropdown(
            options=_SPAN_NAMES, layout=auto("104px"), tooltip="Range, up to the newest sample"
        )
        self.start = widgets.Text(
            placeholder="from  now-15m", continuous_update=False, layout=auto("128px"),
            tooltip="Start: a time (UTC), or now-15m",
        )  # fmt: skip
        self.end = widgets.Text(
            placeholder="to  now", continuous_update=False, layout=auto("128px"),
            tooltip="End: a time (UTC), or now",
        )  # fmt: skip
        self.window = widgets.Dropdown(
            options=[("rates over auto" if w == "auto" else f"rates over {w}", w) for w in WINDOWS],
            layout=auto("126px"), tooltip="Window of rates and quantiles",
        )  # fmt: skip
        self.step = widgets.Dropdown(
            options=[("step auto" if s == "auto" else f"step {s}", s) for s in STEPS],
            layout=auto("92px"), tooltip="Distance of the points of expressions",
        )  # fmt: skip
        self.compare = widgets.Dropdown(
            options=[(_COMPARED[name], name) for name in COMPARISONS],
            layout=auto("128px"), tooltip="Draw an earlier period below, dotted",
        )  # fmt: skip
        self.select = widgets.ToggleButton(
            description="▭ brush", layout=auto("76px"),
            tooltip="Drag with the mouse to look into a span, in place of zooming",
        )  # fmt: skip
        self.inspect = widgets.Button(
            description="inspect", layout=auto("66px"),
            tooltip="Statistics, events and changes of what is shown",
        )  # fmt: skip
        self.anomalies = widgets.ToggleButton(
            description="anomalies", layout=auto("86px"),
            tooltip="Mark what a detector finds in the plotted series",
        )  # fmt: skip
        self.theme = widgets.ToggleButtons(
            options=[(_THEME_ICONS[name], name) for name in THEMES],
            tooltips=[f"{name} colours" for name in THEMES],
            style=widgets.ToggleButtonsStyle(button_width="34px"),
            layout=auto("126px"),
        )
        self.unzoom = widgets.Button(
            description="⤺ all", tooltip="Back to the whole range", layout=auto("56px")
        )
        self.refresh = widgets.Button(
            description="↻", tooltip="Read the data again", layout=auto("36px")
        )
        self.live = widgets.ToggleButton(
            description="● live", tooltip="Follow the feed", layout=auto("72px")
        )
        self.metrics = widgets.TagsInput(
            placeholder="+ metric", allow_duplicates=False, tooltip="Metrics to show"
        )
        self.labels = widgets.TagsInput(
            placeholder="+ label=value", allow_duplicates=False, tooltip="Labels to keep"
        )
        self.expr = widgets.Text(
            placeholder="PromQL, for example  sum(rate(http_requests_total[1m]))",
            continuous_update=False, layout=auto("100%"), tooltip="A panel of your own",
        )  # fmt: skip
        self.expr.add_class("ml-promql")
        bound: tuple[tuple[str, widgets.Widget], ...] = (
            ("span", self.span), ("start", self.start), ("end", self.end),
            ("window", self.window), ("theme", self.theme), ("expr", self.expr),
            ("live", self.live), ("step", self.step), ("compare", self.compare),
            ("anomalies", self.anomalies),
        )  # fmt: skip
        for name, widget in bound:
            traitlets.link((state, name), (widget, "value"))
        traitlets.link(
            (state, "drag"), (self.select, "value"),
            transform=(lambda drag: drag == "select", lambda on: "select" if on else "zoom"),
        )  # fmt: skip
        self._link_tags("metrics", self.metrics)
        self._link_tags("labels", self.labels)
        self.live.layout.display = None if can_live else "none"
        state.observe(self._show_zoom, "zoom")
        self._show_zoom(None)
        for widget in (self.metrics, self.labels, self.expr):
            widget.add_class("ml-grow")
        grow = [self.metrics, self.labels, self.expr]
        self.bars = [
            self._bar([
                self.span, self.start, self.end, self.unzoom, self.compare, self.window,
                self.step, self.anomalies, self.select, self.inspect, self.refresh, self.live,
            ]),
            self._bar(grow),
        ]  # fmt: skip

    def offer(self, metrics: Sequence[str], labels: Sequence[str]) -> None:
        """Set what the pickers suggest; what is chosen already stays possible."""
        self.metrics.allowed_tags = sorted({*metrics, *self._state.metrics})
        self.labels.allowed_tags = sorted({*labels, *self._state.labels})

    def _link_tags(self, name: str, picker: widgets.TagsInput) -> None:
        """Bind a picker; it takes any word that code has chosen, known or not."""

        def show(_: object) -> None:
            chosen = list(getattr(self._state, name))
            if picker.allowed_tags and not set(chosen) <= set(picker.allowed_tags):
                picker.allowed_tags = sorted({*picker.allowed_tags, *chosen})
            picker.value = chosen

        show(None)
        self._state.observe(show, name)
        picker.observe(lambda change: setattr(self._state, name, list(change["new"])), "value")

    def _show_zoom(self, _: object) -> None:
        self.unzoom.layout.display = None if self._state.zoom else "none"

    @staticmethod
    def _bar(children: list[widgets.Widget]) -> widgets.Box:
        return widgets.Box(children, _dom_classes=("ml-bar",))
