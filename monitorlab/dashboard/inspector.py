"""The panel beside the plots: what a chosen span holds, and a form to mark it.

>>> state = DashboardState()
>>> inspector = Inspector(state, lambda kind, severity, note: None)
>>> state.selection = (0, 60_000_000_000)
>>> inspector.start.value
'1970-01-01 00:00:00'
"""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as widgets

from monitorlab.dashboard.findings import Findings, findings_html
from monitorlab.dashboard.state import DashboardState, parse_time
from monitorlab.errors import MonitorlabError
from monitorlab.model import Severity
from monitorlab.times import from_ns

__all__ = ["Inspector"]

KINDS = ("incident", "deployment", "outage", "slow", "traffic_surge", "maintenance", "false_alarm")


class Inspector:
    """Shows findings about the selection of a state; marks it as an incident.

    Parameters
    ----------
    state : DashboardState
        Its ``selection`` is shown and changed.
    mark : callable
        Takes kind, severity and note; puts the selection among the incidents.

    Examples
    --------
    >>> Inspector(DashboardState(), lambda kind, severity, note: None).box.layout.display
    'none'
    """

    def __init__(self, state: DashboardState, mark: Callable[[str, str, str], None]) -> None:
        self._state = state
        self._mark = mark
        self._now_ns = 0
        self._is_showing = False
        self.body = widgets.HTML()
        self.message = widgets.HTML(style=self.body.style)
        self.box = widgets.VBox(_dom_classes=("ml-side",))
        state.observe(self._show, "selection")
        self._show(None)

    def show(self, found: Findings, now_ns: int) -> None:
        """Show what was found; ``now`` in typed times means the newest sample."""
        self._now_ns = now_ns
        self.body.value = findings_html(found)

    def say(self, text: str, mood: str = "") -> None:
        """Show a message beside the fields; an empty one takes it away."""
        self.message.value = (
            f'<div class="ml-message {mood}" role="status">{html.escape(text)}</div>'
            if text
            else ""
        )
        self.message.layout.display = None if text else "none"

    def _fill(self) -> None:
        """Make the fields: few dashboards need them, and forty messages bring them."""
        narrow = widgets.Layout(width="154px")
        self.start = widgets.Text(
            continuous_update=False, layout=narrow, tooltip="Start of the selection"
        )
        self.end = widgets.Text(
            continuous_update=False, layout=narrow, tooltip="End of the selection"
        )
        self.zoom = widgets.Button(
            description="zoom in", tooltip="Show the selection only", layout={"width": "74px"}
        )
        self.close = widgets.Button(
            description="✕", tooltip="Close the selection", layout={"width": "34px"}
        )
        self.kind = widgets.Combobox(
            options=KINDS, placeholder="kind, e.g. slow", layout={"width": "128px"},
            tooltip="Kind of the incident",
        )  # fmt: skip
        self.severity = widgets.Dropdown(
            options=[level.value for level in Severity], value="error", layout={"width": "92px"},
            tooltip="Severity of the incident",
        )  # fmt: skip
        self.note = widgets.Text(
            placeholder="note", layout={"width": "auto"}, tooltip="A note on the incident"
        )
        self.mark = widgets.Button(
            description="mark as incident", tooltip="Put it among the incidents",
            layout={"width": "auto"},
        )  # fmt: skip
        self.note.add_class("ml-grow")
        self.mark.add_class("ml-primary")
        title = widgets.HTML('<div class="ml-side-title">Selection</div>')
        title.add_class("ml-grow")
        self.box.children = (
            self._row(title, self.zoom, self.close),
            self._row(self.start, self.end),
            self.message,
            self._row(self.kind, self.severity),
            self._row(self.note, self.mark),
            self.body,
        )
        self.start.observe(self._typed, "value")
        self.end.observe(self._typed, "value")
        state = self._state
        self.zoom.on_click(lambda _: state.update({"zoom": state.selection, "selection": ()}))
        self.close.on_click(lambda _: state.update({"selection": ()}))
        self.mark.on_click(self._marked)

    def _show(self, _: object) -> None:
        chosen = self._state.selection
        if len(chosen) == 2 and not self.box.children:
            self._fill()
        self.box.layout.display = None if len(chosen) == 2 else "none"
        self.say("")
        if len(chosen) == 2:
            self._is_showing = True
            try:
                self.start.value, self.end.value = (_text(int(ns)) for ns in chosen)
            finally:
                self._is_showing = False

    def _typed(self, _: object) -> None:
        """Take over typed times; what cannot be read is said and changes nothing."""
        chosen = self._state.selection
        if len(chosen) != 2 or self._is_showing:
            return
        if [self.start.value, self.end.value] == [_text(int(ns)) for ns in chosen]:
            return
        try:
            start = parse_time(self.start.value, self._now_ns)
            end = parse_time(self.end.value, self._now_ns)
        except MonitorlabError as error:
            self.say(str(error))
            return
        if end <= start:
            self.say(f"the selection ends at {_text(end)}, which is not after {_text(start)}")
            return
        self._state.selection = (start, end)

    def _marked(self, _: object) -> None:
        kind = self.kind.value.strip()
        if not kind:
            self.say("say what kind of incident it was, for example 'slow'")
            return
        try:
            self._mark(kind, self.severity.value, self.note.value.strip())
        except Exception as error:  # noqa: BLE001 - shown, not lost
            self.say(str(error))
            return
        self.note.value = ""
        self.say(f"marked as {kind}", "ml-said")

    @staticmethod
    def _row(*children: widgets.Widget) -> widgets.Box:
        return widgets.Box(children, _dom_classes=("ml-bar",))


def _text(nanoseconds: int) -> str:
    time = from_ns(nanoseconds)
    return f"{time:%Y-%m-%d %H:%M:%S}" + (
        f".{time.microsecond:06d}".rstrip("0") if time.microsecond else ""
    )
