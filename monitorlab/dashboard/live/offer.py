"""The button by which a dashboard of a feed opens its live view, and the place for it.

>>> import monitorlab as ml
>>> from monitorlab.feed import LiveFeed, QueueSource
>>> dash = ml.Dashboard(LiveFeed(None, QueueSource()))
>>> offer = LiveOffer(dash)
>>> offer.view is None
True
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import ipywidgets as widgets

from monitorlab.dashboard.live.widget import LiveView
from monitorlab.dashboard.panels import Panel

__all__ = ["LiveOffer", "live_view_of"]


class _Dashboard(Protocol):
    subject: Any
    choices: Any
    _panels: Sequence[Panel] | None


class LiveOffer(widgets.VBox):
    """A button, and below it the live view while the button is on.

    Parameters
    ----------
    dashboard : Dashboard
        Whose feed and panels are shown. Its own plots rest while the live view is open.

    Examples
    --------
    >>> import monitorlab as ml
    >>> LiveOffer(ml.Dashboard(ml.MonitoringFrame())).button.value
    False
    """

    view: LiveView | None = None

    def __init__(self, dashboard: _Dashboard) -> None:
        self._dashboard = dashboard
        self.button = widgets.ToggleButton(
            description="Live view",
            icon="tachometer",
            tooltip="Ten pictures a second, with pause and scroll back, in step with this page",
        )
        self.button.layout.width = "auto"
        self.button.observe(self._heard, "value")
        super().__init__([self.button])

    def close(self) -> None:
        """Take the live view away as well."""
        self._put_away()
        super().close()

    def _heard(self, change: Any) -> None:
        """Switch in the feed's thread: a live view belongs to the event loop it is made in."""
        feed = self._dashboard.subject.feed
        if feed is None:
            self._on_switch(change)
        else:
            feed.call(self._on_switch, change)

    def _on_switch(self, change: Any) -> None:
        if change["new"] and self.view is None:
            self.view = live_view_of(self._dashboard)
            # A page that draws the live view has better things to do than to draw all twice.
            self._dashboard.choices.live = False
            self.children = [self.button, self.view]
        elif not change["new"]:
            self._put_away()
            self._dashboard.choices.live = self._dashboard.subject.feed is not None

    def _put_away(self) -> None:
        if self.view is not None:
            self.view.close()
            self.view = None
            self.children = [self.button]


def live_view_of(dashboard: _Dashboard, **options: Any) -> LiveView:
    """Make a live view of what a dashboard shows.

    Parameters
    ----------
    dashboard : Dashboard
        Gives feed or frame, panels and theme.
    **options : object
        Arguments of ``LiveView`` that are to differ: ``panels``, ``span``, ``rate``, ``theme``,
        ``columns``.

    Returns
    -------
    LiveView

    Examples
    --------
    >>> import monitorlab as ml
    >>> live_view_of(ml.Dashboard(ml.MonitoringFrame(), ["up"])).core.given[0].expr
    'up'
    """
    subject = dashboard.subject
    thing = subject.frame if subject.feed is None else subject.feed
    chosen = {"panels": dashboard._panels, "theme": dashboard.choices.theme, **options}  # noqa: SLF001
    return LiveView(thing, **chosen)
