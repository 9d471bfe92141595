"""One picture of a dashboard: everything that is on the screen, from state and data alone.

>>> from monitorlab.dashboard.state import DashboardState
>>> from monitorlab.storage import SeriesStore
>>> compose(Subject(SeriesStore()), None, DashboardState()).problem
'there are no samples yet'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from monitorlab.dashboard.answers import Answer, FilteredSource
from monitorlab.dashboard.bands import Span, within
from monitorlab.dashboard.figure import build
from monitorlab.dashboard.kinds import ANOMALY_SAMPLES, Scene, respond
from monitorlab.dashboard.panels import Panel, default_panels, one_metric
from monitorlab.dashboard.state import DashboardState
from monitorlab.dashboard.subject import Subject
from monitorlab.dashboard.tiles import Tile, measure, page, tiles_html
from monitorlab.display import format_number
from monitorlab.errors import MonitorlabError, did_you_mean
from monitorlab.plotting import Theme
from monitorlab.times import format_duration, from_ns

__all__ = ["View", "compose"]

POINTS_TOGETHER = 24_000  # points of all traces, so that one update stays below a megabyte
LEAST_POINTS, MOST_POINTS = 300, 1_000  # about one a pixel
LIVE_POINTS = 500
MOST_EVENTS = 12


@dataclass(frozen=True)
class View:
    """What is on the screen.

    Parameters
    ----------
    data, layout : list of dict, dict
        The figure.
    tiles, events : str
        HTML above and below it.
    caption : str
        Shown range and size in words.
    problem : str
        What is wrong; empty when all is well.
    start_ns, end_ns : int
        Shown range.
    panels : tuple of Panel
        What is shown.
    answers : tuple of Answer
        The lines, as thinned out for the screen.
    spans : tuple of Span
        Incidents, alerts and anomalies in the range.
    scene : Scene, optional
        What was asked; None where there are no samples.
    measured : tuple of Tile
        What the tiles show.

    Examples
    --------
    >>> View([], {}).problem
    ''
    """

    data: list[dict[str, Any]]
    layout: dict[str, Any]
    tiles: str = ""
    events: str = ""
    caption: str = ""
    problem: str = ""
    start_ns: int = 0
    end_ns: int = 0
    panels: tuple[Panel, ...] = ()
    answers: tuple[Answer, ...] = field(default=(), repr=False)
    spans: tuple[Span, ...] = ()
    scene: Scene | None = field(default=None, repr=False)
    measured: tuple[Tile, ...] = ()


def compose(
    subject: Subject,
    panels: Sequence[Panel] | None,
    state: DashboardState,
    *,
    theme: Theme = "light",
    solid: bool = False,
) -> View:
    """Answer all panels and lay them out.

    Parameters
    ----------
    subject : Subject
        What is looked at.
    panels : sequence of Panel, optional
        What to show; chosen from the metrics when not given.
    state : DashboardState
        What the user has chosen.
    theme : {"light", "dark"}
        Colours.
    solid : bool
        Whether the figure paints its background.

    Returns
    -------
    View
        Never raises for what a user typed; says what is wrong in ``problem`` or in the panel.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("queue_depth", [0, 1, 2], [1.0, 4.0, 2.0])
    >>> len(compose(Subject(store), [Panel("queue_depth")], DashboardState()).data)
    1
    """
    extent = subject.extent()
    if extent is None:
        data, layout = build([], start_ns=0, end_ns=1, theme=theme, solid=solid)
        layout["annotations"][0]["text"] = "no samples yet"
        return View(data, layout, problem="there are no samples yet")
    problems: list[str] = []
    try:
        start, end = state.visible(*extent)
    except MonitorlabError as error:
        problems.append(str(error))
        start, end = extent[0], max(extent[1], extent[0] + 1_000_000_000)
    step = state.step_ns(start, end)
    chosen = _chosen(subject, panels, state, step, problems)
    plots = [panel for panel in chosen if not panel.is_tile]
    if state.expr.strip():
        plots.insert(0, Panel(state.expr.strip(), wide=True))
    scene = _scene(subject, state, (start, end), step, extent, len(plots))
    answers = [respond(panel, scene) for panel in plots]
    if state.expr.strip() and answers[0].problem:
        problems.append(answers[0].problem)
    tiles = [measure(panel, scene.source, start, end, step) for panel in chosen if panel.is_tile]
    spans = _spans(subject, state, start, end, extent[1])
    if subject.trouble:
        problems.append(subject.trouble)
    data, layout = build(
        answers,
        start_ns=start,
        end_ns=end,
        theme=theme,
        columns=state.columns,
        spans=spans,
        solid=solid,
        selection=state.selection,
    )
    everything = [*spans, *_own_spans(answers)]
    return View(
        data,
        layout,
        tiles_html(tiles),
        _events(everything),
        _caption(state, start, end, step),
        "\n".join(problems),
        start,
        end,
        tuple(chosen),
        tuple(answers),
        tuple(everything),
        scene,
        tuple(tiles),
    )


def _scene(
    subject: Subject,
    state: DashboardState,
    limits: tuple[int, int],
    step_ns: int,
    extent: tuple[int, int],
    plots: int,
) -> Scene:
    source = FilteredSource(subject.reader, state.label_test()) if state.labels else subject.reader
    points = max(LEAST_POINTS, min(MOST_POINTS, POINTS_TOGETHER // max(1, 4 * plots)))
    return Scene(
        subject,
        source,
        *limits,
        step_ns,
        extent,
        points=min(points, LIVE_POINTS) if state.live else points,
        shift_ns=state.shift_ns(*limits),
        labels=tuple(state.labels),
        anomalies=max(1_000, ANOMALY_SAMPLES // max(1, plots)) if state.anomalies else 0,
    )


def _own_spans(answers: Sequence[Answer]) -> list[Span]:
    """Give what single plots found, each thing once."""
    return list(dict.fromkeys(span for one in answers for span in one.spans))


def _caption(state: DashboardState, start_ns: int, end_ns: int, step_ns: int) -> str:
    text = state.describe(start_ns, end_ns) + f" · step {format_duration(step_ns)}"
    before = {"previous": "the period before", "day": "a day earlier", "week": "a week earlier"}
    return text + (f" · dotted: {before[state.compare]}" if state.compare else "")


def _chosen(
    subject: Subject,
    panels: Sequence[Panel] | None,
    state: DashboardState,
    step_ns: int,
    problems: list[str],
) -> list[Panel]:
    if panels is not None and not state.metrics:
        return list(panels)
    found = subject.headlines(state.window, step_ns)
    known = {headline.metric for headline in found}
    problems += [
        f"there is no metric {name!r}{did_you_mean(name, known)}"
        for name in state.metrics
        if name not in known
    ]
    wanted = [name for name in state.metrics if name in known]
    if state.metrics and not wanted:
        return []
    if len(wanted) == 1:
        shown = next(headline for headline in found if headline.metric == wanted[0])
        extent = subject.extent() or (0, 0)
        return one_metric(shown, subject.reader, extent[1] - extent[0])
    made = default_panels(found, subject.reader, metrics=wanted)
    if subject.rules() and not wanted:
        made.append(Panel("", "alerts", "alerts", wide=True))
    return made


def _spans(
    subject: Subject, state: DashboardState, start_ns: int, end_ns: int, newest_ns: int
) -> list[Span]:
    spans = subject.incidents() if state.incidents else []
    spans += subject.alerts(newest_ns) if state.alerts else []
    return within(spans, start_ns, end_ns)


def _events(spans: Sequence[Span]) -> str:
    rows = [
        {
            "color": span.color,
            "when": f"{from_ns(span.start_ns):%Y-%m-%d %H:%M:%S}",
            "kind": span.kind,
            "label": span.label,
            "severity": span.severity.value,
            "lasted": "goes on"
            if span.is_open
            else format_number(from_ns(span.end_ns) - from_ns(span.start_ns)),
            "text": span.text,
        }
        for span in sorted(spans, key=lambda s: -s.start_ns)[:MOST_EVENTS]
    ]
    firing = sum(span.is_open for span in spans)
    return page("dashboard_events.html", spans=rows, total=len(spans), firing=firing, open=False)
