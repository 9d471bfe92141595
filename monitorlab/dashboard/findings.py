"""What there is to say of a chosen span: its statistics, what happened, what else changed.

>>> from monitorlab.dashboard.subject import Subject
>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> store.extend("queue_depth", np.arange(100) * 10**9, np.where(np.arange(100) < 80, 2.0, 9.0))
>>> scene = Scene(Subject(store), store, 0, 99 * 10**9, 10**9, (0, 99 * 10**9))
>>> found = look_into(scene, [Panel("queue_depth")], [], 80 * 10**9, 100 * 10**9)
>>> found.statistics[0].mean, found.changes[0].series
('9', 'queue_depth')
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from monitorlab.dashboard.ahead import found_anomalies
from monitorlab.dashboard.bands import Span, within
from monitorlab.dashboard.changed import what_changed
from monitorlab.dashboard.kinds import LINEAR, Scene, statistics
from monitorlab.dashboard.panels import Panel
from monitorlab.dashboard.tiles import page
from monitorlab.dashboard.units import human
from monitorlab.dashboard.why import why
from monitorlab.display import format_number
from monitorlab.errors import MonitorlabError
from monitorlab.times import from_ns

__all__ = ["Change", "Findings", "Happening", "Statistic", "findings_html", "look_into"]

MOST_STATISTICS = 12
MOST_CHANGES = 8
MOST_HAPPENINGS = 6
MOST_SEARCHED = 8  # expressions that are searched for anomalies
SAMPLES_SEARCHED = 5_000  # of each series


@dataclass(frozen=True)
class Statistic:
    """One series of the plots in the span, as texts.

    Parameters
    ----------
    series, mean, least, most, p95, change : str
        Its name and numbers; the change of the mean against the time before.

    Examples
    --------
    >>> Statistic("up", "1", "0", "1", "1", "+5 %").change
    '+5 %'
    """

    series: str
    mean: str
    least: str
    most: str
    p95: str
    change: str


@dataclass(frozen=True)
class Happening:
    """An incident, an alert or an anomaly in the span, and why.

    Parameters
    ----------
    span : Span
        When.
    when, why : str
        Texts.

    Examples
    --------
    >>> from monitorlab.model import Severity
    >>> Happening(Span(0, 1, "alert", "Slow", Severity.ERROR), "00:00", "p95 > 1").why
    'p95 > 1'
    """

    span: Span
    when: str
    why: str


@dataclass(frozen=True)
class Change:
    """One series that moved, as texts.

    Parameters
    ----------
    series, before, during, change : str
        Its name, its level before and in the span, the change.
    width : int
        Length of its bar, 0 to 100.
    is_up : bool
        Whether it rose.

    Examples
    --------
    >>> Change("up", "1", "0", "-100 %", 100, False).is_up
    False
    """

    series: str
    before: str
    during: str
    change: str
    width: int
    is_up: bool


@dataclass(frozen=True)
class Findings:
    """All that is said of a span.

    Parameters
    ----------
    start_ns, end_ns : int
        The span.
    statistics, happenings, changes : tuple
        Of ``Statistic``, ``Happening`` and ``Change``.
    moved : str
        How many series moved, or why that is not known.
    hidden : int
        Happenings that are left out.

    Examples
    --------
    >>> Findings(0, 60 * 10**9).title
    '1970-01-01 00:00:00 – 00:01:00 (1m00s)'
    """

    start_ns: int
    end_ns: int
    statistics: tuple[Statistic, ...] = ()
    happenings: tuple[Happening, ...] = ()
    changes: tuple[Change, ...] = ()
    moved: str = ""
    hidden: int = 0

    @property
    def title(self) -> str:
        """The span in words."""
        first, last = from_ns(self.start_ns), from_ns(self.end_ns)
        until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
        return f"{first:%Y-%m-%d %H:%M:%S} – {until} ({format_number(last - first)})"


def look_into(
    scene: Scene, panels: Sequence[Panel], spans: Iterable[Span], start_ns: int, end_ns: int
) -> Findings:
    """Find what there is to say of a span.

    Parameters
    ----------
    scene : Scene
        What the picture shares.
    panels : sequence of Panel
        The plots; their lines are summarised and searched for anomalies.
    spans : iterable of Span
        Incidents and alerts known already.
    start_ns, end_ns : int
        The span, half-open.

    Returns
    -------
    Findings
        From the full samples, not from those on the screen.

    Examples
    --------
    >>> from monitorlab.dashboard.subject import Subject
    >>> from monitorlab.storage import SeriesStore
    >>> store = SeriesStore()
    >>> scene = Scene(Subject(store), store, 0, 60, 1, (0, 60))
    >>> look_into(scene, [], [], 0, 60).statistics
    ()
    """
    lines = [panel for panel in panels if panel.kind in LINEAR]
    happenings = within(spans, start_ns, end_ns)
    happenings = [span for span in happenings if span.kind != "anomaly"]
    for panel in [panel for panel in lines if panel.kind == "line"][:MOST_SEARCHED]:
        found = scene.subject.kept(
            ("anomalies", panel.expr, scene.labels, SAMPLES_SEARCHED),
            partial(
                found_anomalies,
                scene.source,
                panel.expr,
                *scene.extent,
                most=SAMPLES_SEARCHED,
                title=panel.title,
            ),
        )
        happenings += within(found, start_ns, end_ns)
    ranked = sorted(happenings, key=lambda s: (s.kind == "anomaly", -s.severity.rank, s.start_ns))
    hidden = max(0, len(ranked) - MOST_HAPPENINGS)
    changes, moved = _changes(scene, start_ns, end_ns)
    return Findings(
        start_ns,
        end_ns,
        tuple(_statistics(scene, lines, start_ns, end_ns)),
        tuple(
            Happening(span, _when(span), why(span, scene.subject))
            for span in ranked[:MOST_HAPPENINGS]
        ),
        changes,
        moved,
        hidden,
    )


def findings_html(found: Findings) -> str:
    """Write findings as HTML.

    Parameters
    ----------
    found : Findings
        What is said.

    Returns
    -------
    str
        Escaped.

    Examples
    --------
    >>> "Statistics" in findings_html(Findings(0, 1))
    True
    """
    return page("dashboard_findings.html", found=found)


def _statistics(
    scene: Scene, panels: Sequence[Panel], start_ns: int, end_ns: int
) -> list[Statistic]:
    rows: list[Statistic] = []
    length = end_ns - start_ns
    step = max(1, min(scene.step_ns, length // 20))
    for panel in panels:
        try:
            inside = statistics(panel, scene.source, start_ns, end_ns - 1, step)
            before = dict(statistics(panel, scene.source, start_ns - length, start_ns - 1, step))
        except MonitorlabError:
            continue  # the plot itself says what is wrong with its expression
        for name, numbers in inside:
            old = before.get(name, {}).get("mean", math.nan)
            cells = (" ".join(human(numbers[c], panel.unit)).strip() for c in _COLUMNS)
            mean, least, most, p95 = cells
            change = _change(old, numbers["mean"])
            shown = (
                name
                if name.startswith(panel.title) or panel.kind == "line"
                else (f"{panel.title} {name}")
            )
            rows.append(Statistic(shown, mean, least, most, p95, change))
    return rows[:MOST_STATISTICS]


def _changes(scene: Scene, start_ns: int, end_ns: int) -> tuple[tuple[Change, ...], str]:
    try:
        found = what_changed(scene.source, from_ns(start_ns), from_ns(end_ns))
    except MonitorlabError as error:
        return (), str(error)
    top = found.top(MOST_CHANGES)
    most = float(np.log1p(top["effect"].abs()).max()) if len(top) else 1.0
    rows = tuple(
        Change(
            str(row.series), format_number(row.before, digits=3),
            format_number(row.during, digits=3), _change(row.before, row.during),
            round(100.0 * math.log1p(abs(row.effect)) / most), row.effect > 0,
        )
        for row in top.itertuples()
    )  # fmt: skip
    moved = int((found.table["effect"].abs() >= 1.0).sum())
    return rows, f"{moved} of {len(found.table)} series moved against the time {found.against}"


def _change(old: float, new: float) -> str:
    if not math.isfinite(old) or not math.isfinite(new) or old == 0.0:
        return ""
    ratio = (new - old) / abs(old)
    if abs(ratio) >= 10.0:
        return f"×{new / old:.0f}" if new / old > 0 else ""
    return f"{100.0 * ratio:+.0f} %" if abs(ratio) >= 0.1 else f"{100.0 * ratio:+.1f} %"


def _when(span: Span) -> str:
    lasted = (
        "goes on" if span.is_open else format_number(from_ns(span.end_ns) - from_ns(span.start_ns))
    )
    return f"{from_ns(span.start_ns):%m-%d %H:%M:%S} · {lasted}"


_COLUMNS = ("mean", "min", "max", "p95")
