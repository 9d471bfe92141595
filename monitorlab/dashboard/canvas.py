"""The one Plotly figure of a dashboard, brought up to date by sending only what changed.

>>> from monitorlab.dashboard.state import DashboardState
>>> from monitorlab.dashboard.subject import Subject
>>> from monitorlab.dashboard.view import compose
>>> from monitorlab.storage import SeriesStore
>>> canvas = Canvas(compose(Subject(SeriesStore()), None, DashboardState()), print)
>>> len(canvas.widget.data)
0
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.dashboard.bundle import new_figure
from monitorlab.dashboard.export import IN_NOTEBOOK
from monitorlab.dashboard.view import View

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["Canvas"]

REST_SECONDS = 1.5
_TOLD = ("_js2py_restyle", "_js2py_relayout", "_js2py_update")  # by the page
# What may change of a trace without building it anew.
_SAMPLES = ("x", "y", "z", "line", "text", "cells", "header", "domain", "colorbar", "name")


class Canvas:
    """A ``FigureWidget`` that follows views.

    Parameters
    ----------
    view : View
        The first picture.
    zoomed : callable
        Takes the limits of the time axis that the page chose, and whether it chose them
        automatically.

    Examples
    --------
    >>> Canvas(View([], {}), print).is_applying
    False
    """

    def __init__(self, view: View, zoomed: Callable[[Any, Any], None]) -> None:
        self.widget: go.FigureWidget = new_figure(view.data, view.layout)
        self.widget._config = IN_NOTEBOOK  # noqa: SLF001 - has no public name
        self.widget.add_class("ml-plots")
        self.is_applying = False
        self._planned: asyncio.TimerHandle | None = None
        self._zoomed = zoomed
        self._width = 0
        self._structure = _structure_of(view)
        self._layout, self._data = dict(view.layout), view.data
        self._is_stored = True
        self.widget.observe(self._unstored, list(_TOLD))
        self._listen()

    def fit(self, width: int) -> None:
        """Draw as wide as the page says that there is room for."""
        if width > 0 and self.widget.layout.width != width:
            self._width = width
            self.is_applying = True
            try:
                self.widget.layout.width = width
                self._is_stored = False
            finally:
                self.is_applying = False

    def show(self, view: View, *, store: bool) -> None:
        """Bring the figure up to date.

        Parameters
        ----------
        view : View
            What is to be seen.
        store : bool
            Whether a page that opens later must find it too.
        """
        structure = _structure_of(view)
        figure = self.widget
        self.is_applying = True
        self._is_stored = False
        try:
            if structure != self._structure:
                figure.data = ()
                fitted = {"width": self._width} if self._width else {}
                figure.layout = {**view.layout, **fitted}
                figure.add_traces(view.data)
                self._listen()
                self._structure = structure
            else:
                changed = {
                    name: value
                    for name, value in view.layout.items()
                    if name not in self._layout or self._layout[name] != value
                }
                gone = {name: None for name in self._layout if name not in view.layout}
                edits = {**changed, **gone}
                groups = self._changed_samples(view) or ({(): []} if edits else {})
                for names, rows in groups.items():
                    with figure.batch_update():
                        for row in rows:
                            for name in names:
                                figure.data[row][name] = view.data[row][name]
                        if edits:
                            figure.update_layout(edits, overwrite=True)
                            edits = {}
            self._layout, self._data = dict(view.layout), view.data
            if store:
                self._store_soon()
        finally:
            self.is_applying = False

    def store(self) -> None:
        """Put what the figure holds into the state that a page starts from."""
        if self._is_stored:
            return
        self._is_stored = True
        figure = self.widget
        figure._widget_layout = figure.to_dict()["layout"]  # noqa: SLF001 - as Plotly does
        figure._widget_data = [t.to_plotly_json() for t in figure.data]  # noqa: SLF001

    def cancel(self) -> None:
        """Drop the storing that is planned."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def _store_soon(self) -> None:
        """Store once the pictures have come to rest: each storing sends all samples again."""
        self.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.store()
            return
        self._planned = loop.call_later(REST_SECONDS, self.store)

    def forget(self, *names: str) -> None:
        """Send parts of the layout again, since the page has changed them."""
        for name in list(self._layout):
            if name.startswith(names):
                del self._layout[name]

    def _changed_samples(self, view: View) -> dict[tuple[str, ...], list[int]]:
        """Group traces by what has changed of them.

        One message of Plotly's widget must change the same properties of all its traces.
        """
        groups: dict[tuple[str, ...], list[int]] = {}
        for row, (old, fresh) in enumerate(zip(self._data, view.data, strict=True)):
            names = tuple(n for n in _SAMPLES if n in fresh and not _same(old.get(n), fresh[n]))
            if names:
                groups.setdefault(names, []).append(row)
        return groups

    def _unstored(self, _: Any) -> None:
        self._is_stored = False

    def _listen(self) -> None:
        self.widget.layout.on_change(self._changed, "xaxis.range", "xaxis.autorange")

    def _changed(self, _: Any, limits: Any, automatic: Any) -> None:
        if not self.is_applying:
            self.forget("xaxis")
            self._zoomed(limits, automatic)


def _structure_of(view: View) -> list[dict[str, Any]]:
    """Give what a figure must be built anew for: everything of the traces but their samples."""
    return [{k: v for k, v in t.items() if k not in _SAMPLES} for t in view.data]


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, np.ndarray):
        if old is new or not isinstance(old, np.ndarray):
            return old is new
        return np.array_equal(old, new, equal_nan=new.dtype.kind == "f")
    return bool(old == new)
