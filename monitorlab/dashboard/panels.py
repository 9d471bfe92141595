"""Panels: what is asked, how it is shown, and which are chosen for a metric.

>>> Panel("queue_depth", kind="stat").is_tile
True
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from monitorlab.columns import is_derived
from monitorlab.errors import InvalidSeriesError, TimeError, UnknownNameError, did_you_mean
from monitorlab.headline import Headline
from monitorlab.model import MetricType
from monitorlab.times import parse_duration

__all__ = ["Panel", "PanelKind", "default_panels", "one_metric", "panel_of", "tile_of"]

PanelKind: TypeAlias = Literal[
    "line", "band", "stat", "gauge", "heatmap", "histogram", "table", "alerts", "forecast",
    "anomaly",
]  # fmt: skip

DEFAULT_LINES = 6
DEFAULT_TILES = 5
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Panel:
    """One question with the way its answer is shown.

    Parameters
    ----------
    expr : str
        PromQL; a plain selector shows the samples themselves.
    title : str, optional
        Line above; the expression by default.
    kind : str
        ``line``; ``band``: lines with the space between filled; ``stat``: one number with its
        change and a small line; ``gauge``: one number on a scale; ``heatmap``: mean by hour
        and weekday; ``histogram``: the distribution over time; ``table``: one row a series;
        ``alerts``: when which rule fired; ``forecast``: a fan ahead of the newest sample;
        ``anomaly``: the score, and where it alarmed.
    unit : str
        Unit of the values (``bytes``, ``s``, ``ratio``, ``ms``, ``1/s`` …).
    more : tuple of (str, str)
        Further lines as pairs of name and expression.
    name : str
        Name of the first line when there are several.
    least, most : float
        Ends of a gauge's scale.
    bad : {"up", "down", None}
        Which way is worse, for the colour of a change.
    wide : bool
        Whether a plot takes a row of its own.
    horizon : duration
        How far ahead a forecast looks; a third of the range by default.
    capacity : float, optional
        A limit, drawn as a line across the plot.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    TimeError
        If the horizon is no duration.
    InvalidSeriesError
        If there is no expression, or a scale has no length.

    Examples
    --------
    >>> Panel("up").title
    'up'
    """

    expr: str
    title: str = ""
    kind: PanelKind = "line"
    unit: str = ""
    more: tuple[tuple[str, str], ...] = ()
    name: str = ""
    least: float = 0.0
    most: float = 1.0
    bad: str | None = None
    wide: bool = False
    horizon: str = ""
    capacity: float | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(PanelKind):
            msg = f"no panel kind {self.kind!r}{did_you_mean(str(self.kind), get_args(PanelKind))}"
            raise UnknownNameError(msg)
        if self.bad not in (None, "up", "down"):
            msg = f"bad is {self.bad!r}; it is 'up', 'down' or nothing"
            raise UnknownNameError(msg)
        if not str(self.expr).strip() and self.kind != "alerts":
            msg = f"a panel of kind {self.kind!r} needs an expression, for example expr='up'"
            raise InvalidSeriesError(msg)
        if self.kind == "gauge" and not self.least < self.most:
            msg = f"the scale of a gauge ends at {self.most:g}, not above {self.least:g}"
            raise InvalidSeriesError(msg)
        if self.horizon and parse_duration(self.horizon) <= 0:
            msg = f"horizon {self.horizon!r} is nothing; give a time ahead such as '24h'"
            raise TimeError(msg)
        if not self.title:
            object.__setattr__(self, "title", self.expr or "alerts")

    @property
    def is_tile(self) -> bool:
        """Whether it is a tile rather than a plot."""
        return self.kind in ("stat", "gauge")

    @property
    def expressions(self) -> tuple[tuple[str, str], ...]:
        """All lines as pairs of name and expression."""
        return ((self.name, self.expr), *self.more)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**plain, "more": [list(pair) for pair in self.more]}


def panel_of(given: Any) -> Panel:
    """Make a panel of what a user gave.

    Parameters
    ----------
    given : Panel, str or mapping
        A panel, a PromQL expression, or the arguments of a panel.

    Returns
    -------
    Panel

    Raises
    ------
    UnknownNameError
        If it is none of these.

    Examples
    --------
    >>> panel_of("up").kind
    'line'
    """
    if isinstance(given, Panel):
        return given
    if isinstance(given, str):
        return Panel(given)
    if isinstance(given, Headline):
        return _panel(given)
    if hasattr(given, "items"):
        known = set(Panel.__dataclass_fields__)
        for name in given:
            if name not in known:
                msg = f"a panel has no {name!r}{did_you_mean(str(name), known)}"
                raise UnknownNameError(msg)
        more = tuple((str(a), str(b)) for a, b in given.get("more", ()))
        return Panel(**{"expr": "", **dict(given), "more": more})
    msg = f"{given!r} is no panel; give Panel(…) or a PromQL expression"
    raise UnknownNameError(msg)


def default_panels(
    headlines: Iterable[Headline], source: Any, *, metrics: Sequence[str] = ()
) -> list[Panel]:
    """Choose tiles and plots from what the metrics are.

    Parameters
    ----------
    headlines : iterable of Headline
        How to show each metric, most telling first.
    source : source
        Knows the metrics.
    metrics : sequence of str
        Only these, in this order; the first few that change by default.

    Returns
    -------
    list of Panel
        Tiles first.

    Examples
    --------
    >>> default_panels([], None)
    []
    """
    known = {h.metric: h for h in headlines}
    if metrics:
        chosen = [known[name] for name in metrics if name in known]
    else:
        own = [h for h in known.values() if not is_derived(h.metric)]
        moving = [h for h in own if not h.is_constant] or own or list(known.values())
        chosen = _mixed(moving, DEFAULT_LINES)
    tiles = [tile_of(h, source) for h in chosen[:DEFAULT_TILES]]
    return tiles + [_panel(h) for h in chosen]


def tile_of(headline: Headline, source: Any) -> Panel:
    """Make the tile that shows a metric as one number.

    Parameters
    ----------
    headline : Headline
        How the metric is shown best.
    source : source
        Knows the metric's direction.

    Returns
    -------
    Panel
        A gauge for a ratio, else a stat.

    Examples
    --------
    >>> h = Headline("up", "up", "up", "ratio", "line", MetricType.GAUGE, (("", "up"),))
    >>> from monitorlab.storage import SeriesStore
    >>> tile_of(h, SeriesStore()).kind
    'gauge'
    """
    bad = source.metric(headline.metric).direction
    ratio = headline.unit == "ratio" and headline.type is MetricType.GAUGE
    if headline.kind == "band":
        title, expr = f"{headline.metric} p95", f"max({headline.expr})"
    elif headline.type is MetricType.COUNTER:
        title, expr = f"{headline.metric} rate", f"sum({headline.expr})"
    else:
        title, expr = headline.metric, f"avg({headline.metric})"
    return Panel(expr, title, "gauge" if ratio else "stat", headline.unit, bad=bad)


def one_metric(headline: Headline, source: Any, length_ns: int) -> list[Panel]:
    """Choose panels that look at one metric from all sides.

    Parameters
    ----------
    headline : Headline
        How the metric is shown best.
    source : source
        Knows the metric's direction.
    length_ns : int
        How long it was recorded: the days of the week need two days at least.

    Returns
    -------
    list of Panel
        Its tile, its lines over the whole width, how its values are spread over time, the
        anomaly score, and from two days on the hours of the week and a forecast.

    Examples
    --------
    >>> from monitorlab.storage import SeriesStore
    >>> h = Headline("depth", "depth", "depth", "", "line", MetricType.GAUGE, (("", "depth"),))
    >>> [panel.kind for panel in one_metric(h, SeriesStore(), 0)]
    ['stat', 'line', 'histogram', 'anomaly']
    """
    name, unit = headline.metric, headline.unit
    tile = tile_of(headline, source)
    is_counter = headline.type is MetricType.COUNTER
    spread = headline.expr if is_counter else name
    made = [
        tile,
        replace(_panel(headline), wide=True),
        Panel(spread, "how the values are spread", "histogram", unit),
        Panel(tile.expr, "anomaly score", "anomaly"),
    ]
    if length_ns >= 2 * DAY_NS:
        made += [
            Panel(tile.expr, "mean by hour and weekday (UTC)", "heatmap", unit),
            Panel(tile.expr, "forecast", "forecast", unit, horizon="1d"),
        ]
    return made


def _panel(headline: Headline) -> Panel:
    (name, expr), *more = headline.expressions
    # The lines of a band name its quantiles; the title need not say them again.
    title = headline.metric if headline.kind == "band" else headline.title
    return Panel(expr, title, headline.kind, headline.unit, tuple(more), name)


def _mixed(headlines: Sequence[Headline], count: int) -> list[Headline]:
    """Take turns between the types, so that one type does not fill the screen."""
    by_type: dict[MetricType, list[Headline]] = {}
    for headline in headlines:
        by_type.setdefault(headline.type, []).append(headline)
    chosen: list[Headline] = []
    while len(chosen) < count and any(by_type.values()):
        for waiting in by_type.values():
            if waiting and len(chosen) < count:
                chosen.append(waiting.pop(0))
    return sorted(chosen, key=lambda h: list(by_type).index(h.type))
