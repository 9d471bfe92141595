"""The toolbar: ipywidgets bound to the traits of a dashboard's state.

>>> controls = Controls(DashboardState(span="1h"))
>>> controls.span.value
'1h'
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import traitlets
from ipywidgets.widgets.widget_bool import ToggleButtonStyle
from ipywidgets.widgets.widget_description import DescriptionStyle
from ipywidgets.widgets.widget_string import TextStyle

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
        # Each layout and style is a message of its own to the page, so they are shared.
        plain = widgets.Layout()
        described, buttons = DescriptionStyle(), widgets.ButtonStyle()
        toggles, texts = ToggleButtonStyle(), TextStyle()

        def wide(pixels: int, style: widgets.Style = described) -> dict[str, Any]:
            return {"layout": plain, "style": style, "_dom_classes": (f"ml-w{pixels}",)}

        self._state = state
        self.span = widgets.Dropdown(
            options=_SPAN_NAMES, **wide(104), tooltip="Range, up to the newest sample"
        )
        self.start = widgets.Text(
            placeholder="from  now-15m", continuous_update=False, **wide(128, texts),
            tooltip="Start: a time (UTC), or now-15m",
        )  # fmt: skip
        self.end = widgets.Text(
            placeholder="to  now", continuous_update=False, **wide(128, texts),
            tooltip="End: a time (UTC), or now",
        )  # fmt: skip
        self.window = widgets.Dropdown(
            options=[("rates over auto" if w == "auto" else f"rates over {w}", w) for w in WINDOWS],
            **wide(126), tooltip="Window of rates and quantiles",
        )  # fmt: skip
        self.step = widgets.Dropdown(
            options=[("step auto" if s == "auto" else f"step {s}", s) for s in STEPS],
            **wide(92), tooltip="Distance of the points of expressions",
        )  # fmt: skip
        self.compare = widgets.Dropdown(
            options=[(_COMPARED[name], name) for name in COMPARISONS],
            **wide(128), tooltip="Draw an earlier period below, dotted",
        )  # fmt: skip
        self.select = widgets.ToggleButton(
            description="▭ brush", **wide(76, toggles),
            tooltip="Drag with the mouse to look into a span, in place of zooming",
        )  # fmt: skip
        self.inspect = widgets.Button(
            description="inspect", **wide(66, buttons),
            tooltip="Statistics, events and changes of what is shown",
        )  # fmt: skip
        self.anomalies = widgets.ToggleButton(
            description="anomalies", **wide(86, toggles),
            tooltip="Mark what a detector finds in the plotted series",
        )  # fmt: skip
        self.theme = widgets.ToggleButtons(
            options=[(_THEME_ICONS[name], name) for name in THEMES],
            tooltips=[f"{name} colours" for name in THEMES],
            **wide(126, widgets.ToggleButtonsStyle(button_width="34px")),
        )
        self.unzoom = widgets.Button(
            description="⤺ all",
            tooltip="Back to the whole range",
            style=buttons,
            layout=widgets.Layout(width="56px"),
        )
        self.refresh = widgets.Button(
            description="↻", tooltip="Read the data again", **wide(36, buttons)
        )
        self.live = widgets.ToggleButton(
            description="● live",
            tooltip="Follow the feed",
            style=toggles,
            layout=widgets.Layout(width="72px", display=None if can_live else "none"),
        )
        grow: dict[str, Any] = {"layout": plain, "_dom_classes": ("ml-grow",)}
        self.metrics = widgets.TagsInput(
            placeholder="+ metric", allow_duplicates=False, tooltip="Metrics to show",
            style=described, **grow,
        )  # fmt: skip
        self.labels = widgets.TagsInput(
            placeholder="+ label=value", allow_duplicates=False, tooltip="Labels to keep",
            style=described, **grow,
        )  # fmt: skip
        self.expr = widgets.Text(
            placeholder="PromQL, for example  sum(rate(http_requests_total[1m]))",
            continuous_update=False, tooltip="A panel of your own", layout=plain, style=texts,
            _dom_classes=("ml-grow", "ml-promql"),
        )  # fmt: skip
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
        state.observe(self._show_zoom, "zoom")
        self._show_zoom(None)
        rows: tuple[list[widgets.Widget], ...] = (
            [
                self.span, self.start, self.end, self.unzoom, self.compare, self.window,
                self.step, self.anomalies, self.select, self.inspect, self.refresh, self.live,
            ],
            [self.metrics, self.labels, self.expr],
        )  # fmt: skip
        self.bars = [widgets.Box(row, layout=plain, _dom_classes=("ml-bar",)) for row in rows]

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
