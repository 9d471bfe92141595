"""What each kind of panel asks: one answer for every panel, whatever its kind.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("queue_depth", [0, 60, 120], [1.0, 4.0, 1.0])
>>> scene = Scene(Subject(store), store, 0, 120 * 10**9, 60 * 10**9, (0, 120 * 10**9))
>>> respond(Panel("queue_depth", kind="table"), scene).content.rows[0][0]
'queue_depth'
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from monitorlab.dashboard.ahead import fan, found_anomalies, score
from monitorlab.dashboard.answers import MOST_POINTS, Answer, Line, answer, ask
from monitorlab.dashboard.bands import Span, within
from monitorlab.dashboard.grids import by_hour_and_weekday, over_time
from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.subject import Subject
from monitorlab.dashboard.units import human
from monitorlab.errors import MonitorlabError

__all__ = ["Lanes", "Scene", "Table", "respond", "statistics"]

MOST_ROWS = 200
MOST_LANES = 12
SCORE_PX = 9  # points of a line for each of a score
ANOMALY_SAMPLES = 40_000  # that all plots together give to the detector
LINEAR = ("line", "band")


@dataclass(frozen=True)
class Scene:
    """What every panel of one picture shares.

    Parameters
    ----------
    subject : Subject
        What is looked at.
    source : source
        Its samples, after the choice of labels.
    start_ns, end_ns : int
        The range on the screen.
    step_ns : int
        Step of expressions.
    extent : tuple of int
        Times of the oldest and the newest sample.
    points : int
        Points of one line at the most.
    shift_ns : int
        How much earlier the period to compare with is; 0 for none.
    labels : tuple of str
        The choice of labels: tells apart what was asked.
    anomalies : int
        Samples of a line that may be searched for anomalies; 0 for no search.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> Scene(Subject(store), store, 0, 1, 1, (0, 1)).shift_ns
    0
    """

    subject: Subject
    source: Any
    start_ns: int
    end_ns: int
    step_ns: int
    extent: tuple[int, int]
    points: int = MOST_POINTS
    shift_ns: int = 0
    labels: tuple[str, ...] = ()
    anomalies: int = 0


@dataclass(frozen=True)
class Table:
    """Rows of a table panel, as texts.

    Parameters
    ----------
    columns : tuple of str
        Names.
    rows : tuple of tuple of str
        Cells.

    Examples
    --------
    >>> Table(("series",), (("up",),)).columns
    ('series',)
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Lanes:
    """Rows of an alert timeline, each with its firings.

    Parameters
    ----------
    names : tuple of str
        Names of the rules, those that fired first.
    firings : tuple of tuple of Span
        One for each name.

    Examples
    --------
    >>> Lanes(("Slow",), ((),)).names
    ('Slow',)
    """

    names: tuple[str, ...]
    firings: tuple[tuple[Span, ...], ...]


def respond(panel: Panel, scene: Scene) -> Answer:
    """Answer a panel's question.

    Parameters
    ----------
    panel : Panel
        The question.
    scene : Scene
        What all panels share.

    Returns
    -------
    Answer
        Never raises for what a user typed: says what is wrong in ``problem``.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> respond(Panel("rate(up["), Scene(Subject(store), store, 0, 60, 1, (0, 60))).problem != ""
    True
    """
    if panel.kind in LINEAR:
        return _lines(panel, scene)
    return _MAKERS[panel.kind](panel, scene)


def statistics(
    panel: Panel, source: Any, start_ns: int, end_ns: int, step_ns: int
) -> list[tuple[str, dict[str, float]]]:
    """Summarise every series of a panel over a range, from all its samples.

    Parameters
    ----------
    panel : Panel
        The question.
    source : source
        Where the samples are.
    start_ns, end_ns : int
        The range, both ends included.
    step_ns : int
        Step of expressions.

    Returns
    -------
    list of (str, dict)
        Name of the series, and ``last``, ``mean``, ``median``, ``min``, ``max``, ``p95``,
        ``samples``.

    Raises
    ------
    QueryError
        If an expression is wrong.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> store.extend("up", [1, 2], [1.0, 0.0])
    >>> statistics(Panel("up"), store, 0, 3 * 10**9, 1)[0][1]["mean"]
    0.5
    """
    found = []
    for name, expr in panel.expressions:
        for key, _, values in ask(source, expr, start_ns, end_ns, step_ns):
            finite = values[np.isfinite(values)]
            if not len(finite):
                continue
            own = str(key) if key.metric or key.labels else panel.title
            title = name if name and not key.labels else f"{name} {own}".strip()
            middle, high = np.quantile(finite, [0.5, 0.95])
            found.append(
                (
                    title,
                    {
                        "last": float(finite[-1]), "mean": float(finite.mean()),
                        "median": float(middle), "min": float(finite.min()),
                        "max": float(finite.max()), "p95": float(high),
                        "samples": float(len(finite)),
                    },
                )
            )  # fmt: skip
    return found


def _lines(panel: Panel, scene: Scene) -> Answer:
    found = answer(
        panel, scene.source, scene.start_ns, scene.end_ns,
        step_ns=scene.step_ns, points=scene.points,
    )  # fmt: skip
    if scene.shift_ns and not found.problem:
        early = answer(
            panel, scene.source, scene.start_ns - scene.shift_ns, scene.end_ns - scene.shift_ns,
            step_ns=scene.step_ns, points=scene.points,
        )  # fmt: skip
        moved = tuple(
            Line(line.labels, line.name, line.times + scene.shift_ns, line.values)
            for line in early.lines
        )
        found = replace(found, before=moved)
    if scene.anomalies and panel.kind == "line" and not found.problem:
        spans = scene.subject.kept(
            ("anomalies", panel.expr, scene.labels, scene.anomalies),
            lambda: found_anomalies(
                scene.source, panel.expr, *scene.extent, most=scene.anomalies, title=panel.title
            ),
        )
        found = replace(found, spans=tuple(within(spans, scene.start_ns, scene.end_ns)))
    return found


def _table(panel: Panel, scene: Scene) -> Answer:
    try:
        found = statistics(panel, scene.source, scene.start_ns, scene.end_ns, scene.step_ns)
    except MonitorlabError as error:
        return Answer(panel, problem=str(error))
    if not found:
        return Answer(panel, problem="no samples in this range")
    ranked = sorted(found, key=lambda row: -abs(row[1]["mean"]))
    columns = ("last", "mean", "min", "max", "p95")
    rows = tuple(
        (name, *(" ".join(human(numbers[c], panel.unit)).strip() for c in columns))
        for name, numbers in ranked[:MOST_ROWS]
    )
    return Answer(panel, found=len(found), content=Table(("series", *columns), rows))


def _alerts(panel: Panel, scene: Scene) -> Answer:
    spans = within(scene.subject.alerts(scene.extent[1]), scene.start_ns, scene.end_ns)
    if panel.expr:
        spans = [span for span in spans if span.label == panel.expr]
    names = [rule.name for rule in scene.subject.rules() if panel.expr in ("", rule.name)]
    fired: dict[str, list[Span]] = {name: [] for name in names}
    for span in spans:
        fired.setdefault(span.label, []).append(span)
    if not fired:
        what = (
            f"no alert rule {panel.expr!r}" if panel.expr else "no alert rules; add one: mf.alert"
        )
        return Answer(panel, problem=what)
    ranked = sorted(fired, key=lambda name: (not fired[name], list(fired).index(name)))[:MOST_LANES]
    lanes = Lanes(tuple(ranked), tuple(tuple(fired[name]) for name in ranked))
    return Answer(panel, found=len(fired), content=lanes)


def _forecast(panel: Panel, scene: Scene) -> Answer:
    found: Answer = scene.subject.kept(
        ("forecast", panel, scene.labels), lambda: fan(panel, scene.source, *scene.extent)
    )
    return found


def _anomaly(panel: Panel, scene: Scene) -> Answer:
    found: Answer = scene.subject.kept(
        ("score", panel, scene.labels), lambda: score(panel, scene.source, *scene.extent)
    )
    if found.problem:
        return found
    start, end = scene.start_ns, scene.end_ns
    lines = tuple(_cut(line, start, end, scene.points) for line in found.lines)
    if not any(len(line.times) for line in lines):
        return Answer(panel, problem="no score in this range")
    return replace(found, lines=lines, spans=tuple(within(found.spans, start, end)))


def _cut(line: Line, start_ns: int, end_ns: int, points: int) -> Line:
    left, right = line.times.searchsorted([start_ns, end_ns + 1])
    return _peaks(
        Line(line.labels, line.name, line.times[left:right], line.values[left:right]), points
    )


def _peaks(line: Line, points: int) -> Line:
    """Keep the highest score of each stretch: the low ones between say nothing."""
    size = -(-len(line.times) // max(1, points // SCORE_PX))
    if size < 2:
        return line
    starts = np.arange(0, len(line.times), size)
    return Line(
        line.labels, line.name, line.times[starts], np.maximum.reduceat(line.values, starts)
    )


def _grid(make: Callable[..., Answer]) -> Callable[[Panel, Scene], Answer]:
    def respond_with_cells(panel: Panel, scene: Scene) -> Answer:
        return make(panel, scene.source, scene.start_ns, scene.end_ns, scene.step_ns)

    return respond_with_cells


_MAKERS: dict[str, Callable[[Panel, Scene], Answer]] = {
    "heatmap": _grid(by_hour_and_weekday),
    "histogram": _grid(over_time),
    "table": _table,
    "alerts": _alerts,
    "forecast": _forecast,
    "anomaly": _anomaly,
}
