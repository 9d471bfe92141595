"""The dashboard widget, as code uses it: add panels, save, export, read what is shown.

>>> import monitorlab as ml
>>> mf = ml.MonitoringFrame()
>>> mf.extend("queue_depth", ["2026-01-01T00:00Z", "2026-01-01T00:01Z"], [1.0, 4.0])
>>> dash = ml.Dashboard(mf)
>>> dash.state()["shown"]
['queue_depth', 'queue_depth']
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from monitorlab.dashboard import saving
from monitorlab.dashboard.export import page_html, picture, write_png
from monitorlab.dashboard.panels import Panel, panel_of
from monitorlab.dashboard.postponed import import_plotly
from monitorlab.dashboard.stage import Stage
from monitorlab.dashboard.view import compose
from monitorlab.display import to_plain
from monitorlab.errors import LayoutError, UnknownNameError
from monitorlab.times import from_ns

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from monitorlab.dashboard.live import LiveView

__all__ = ["Dashboard"]


class Dashboard(Stage):
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
    A feed is drawn at most four times a second, less often when the page lags behind; its
    button "Live view" (or ``dash.live()``) opens a view that keeps up with ten.

    Examples
    --------
    >>> import monitorlab as ml
    >>> dash = Dashboard(ml.MonitoringFrame(), theme="dark")
    >>> dash.state()["problem"]
    'there are no samples yet'
    """

    @classmethod
    def from_yaml(cls, path: str | PathLike[str], thing: Any, **choices: Any) -> Self:
        """Open a dashboard that was saved with ``to_yaml``, or written by hand.

        Parameters
        ----------
        path : str or os.PathLike
            The file.
        thing : MonitoringFrame or LiveFeed
            What to look at.
        **choices : object
            Choices that go before those of the file.

        Returns
        -------
        Dashboard

        Raises
        ------
        LayoutError
            If the file cannot be read or is wrong; lists every problem with its line.
        """
        source = Path(path)
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{source} cannot be read: {error}"
            raise LayoutError(msg) from error
        panels, found = saving.read(text, str(source))
        return cls(thing, panels, **{**found, **choices})

    def to_yaml(self, path: str | PathLike[str]) -> Path:
        """Save panels and choices as YAML that people can read and change.

        Parameters
        ----------
        path : str or os.PathLike
            Where to.

        Returns
        -------
        pathlib.Path
            The file; ``Dashboard.from_yaml`` opens it.
        """
        target = Path(path)
        target.write_text(saving.write(self._panels, self.choices), encoding="utf-8")
        return target

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

    def live(self, **options: Any) -> LiveView:
        """Show the same panels in the live view: up to ten pictures a second.

        Parameters
        ----------
        **options : object
            Arguments of ``monitorlab.dashboard.live.LiveView`` that are to differ: ``panels``,
            ``span``, ``rate``, ``theme``, ``columns``.

        Returns
        -------
        LiveView
            A widget of its own; it follows the feed, or the frame as it grows.
        """
        from monitorlab.dashboard.live import live_view_of

        return live_view_of(self, **options)

    def figure(self) -> go.Figure:
        """Give the plots as a plain Plotly figure."""
        view = compose(self.subject, self._panels, self.choices, theme=self._theme(), solid=True)
        figure: go.Figure = import_plotly().Figure(data=view.data, layout=view.layout)
        return figure

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
            The file; zoom, hover, crosshair and legends work in it.
        """
        theme = self._theme()
        view = compose(self.subject, self._panels, self.choices, theme=theme)
        target = Path(path)
        target.write_text(page_html(view, theme=theme, title=title), encoding="utf-8")
        return target

    def to_png(
        self,
        path: str | PathLike[str],
        *,
        title: str = "monitorlab",
        width: int = 1280,
        scale: float = 1.5,
    ) -> Path:
        """Write tiles and plots as a picture; needs kaleido and a Chromium.

        Parameters
        ----------
        path : str or os.PathLike
            Where to.
        title : str
            Stands at the top.
        width : int
            Pixels of the page; the height follows from the plots.
        scale : float
            Pixels of the file for each pixel of the page.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        MissingExtraError
            If kaleido is not installed: ``pip install "monitorlab[png]"``.
        SourceError
            If there is no Chromium.
        """
        theme = self._theme()
        view = compose(self.subject, self._panels, self.choices, theme=theme, solid=True)
        drawn = picture(view, theme=theme, title=title, width=width)
        return write_png(drawn, Path(path), scale=scale)

    def __repr__(self) -> str:
        shown = 0 if self._view is None else len(self._view.panels)
        what = "a feed" if self.subject.feed is not None else "a frame"
        return f"Dashboard({shown} panels of {what})"

    def _place(self, position: int | tuple[int, int]) -> int:
        if isinstance(position, int):
            return position
        try:
            row, column = position
            return int(row) * int(self.choices.columns) + int(column)
        except (TypeError, ValueError) as error:
            msg = f"a position is a number or (row, column), not {position!r}"
            raise UnknownNameError(msg) from error
