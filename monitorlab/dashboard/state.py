"""What a dashboard shows, apart from how: traits without a browser.

>>> state = DashboardState(span="15m")
>>> newest = 3_600_000_000_000
>>> [ns // 60_000_000_000 for ns in state.bounds(0, newest)]
[45, 60]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from traitlets import Bool, Enum, HasTraits, List, Tuple, Unicode

from monitorlab.errors import TimeError, UnknownNameError, did_you_mean
from monitorlab.model import SeriesKey
from monitorlab.times import format_duration, from_ns, parse_duration, to_ns

__all__ = ["COMPARISONS", "SPANS", "STEPS", "THEMES", "WINDOWS", "DashboardState", "parse_time"]

SPANS = ("1m", "5m", "15m", "1h", "3h", "6h", "12h", "1d", "7d", "30d", "all")
WINDOWS = ("auto", "30s", "1m", "5m", "15m", "1h", "1d")
THEMES = ("auto", "light", "dark")
STEPS = ("auto", "1s", "5s", "15s", "30s", "1m", "5m", "15m", "1h", "6h", "1d")
COMPARISONS = ("", "previous", "day", "week")
MOST_STEPS = 11_000  # of one range, as Prometheus allows
_RELATIVE = re.compile(r"(?:now)?\s*([-+])\s*([0-9a-z]+)")
_LEAST_SPAN_NS = 1_000_000_000


def parse_time(text: str, now_ns: int) -> int:
    """Read a time as people type it.

    Parameters
    ----------
    text : str
        ``now``, ``now-15m``, ``-15m``, or a date and time (UTC unless it names a zone).
    now_ns : int
        What ``now`` means: the newest sample, in nanoseconds.

    Returns
    -------
    int
        Nanoseconds since the epoch.

    Raises
    ------
    TimeError
        If it is none of these.

    Examples
    --------
    >>> parse_time("now-1m", 120_000_000_000)
    60000000000
    """
    words = text.strip().lower()
    if words == "now":
        return now_ns
    match = _RELATIVE.fullmatch(words)
    if match is not None:
        length = parse_duration(match[2])
        return now_ns - length if match[1] == "-" else now_ns + length
    try:
        return to_ns(text.strip())
    except TimeError as error:
        msg = f"{text!r} is not a time; write 'now-15m' or '2026-01-31 10:00'"
        raise TimeError(msg) from error


class DashboardState(HasTraits):
    """Everything that a user can choose on a dashboard, as observable traits.

    Parameters
    ----------
    **choices : object
        Initial values of the traits.

    Notes
    -----
    ``metrics`` are metric names (none: the default panels); ``labels`` are ``name=value``
    conditions, alternatives for one name; ``expr`` is a PromQL expression with a panel of its
    own; ``span`` is a preset range that ends at the newest sample, which typed ``start`` and
    ``end`` override; ``zoom`` is a range in nanoseconds chosen with the mouse, empty for none;
    ``window`` is that of rates and quantiles, ``step`` the distance of an expression's points;
    ``compare`` draws the period before, or the same a day or a week ago, below; ``selection``
    is a span in nanoseconds to look into; ``drag`` is what the mouse does, zoom or select;
    ``anomalies`` marks what a detector finds in the plotted series.

    Examples
    --------
    >>> DashboardState(theme="dark").to_dict()["theme"]
    'dark'
    """

    metrics = List(Unicode())
    labels = List(Unicode())
    expr = Unicode("")
    span = Enum(SPANS, default_value="all")
    start = Unicode("")
    end = Unicode("")
    zoom = Tuple()
    window = Enum(WINDOWS, default_value="auto")
    theme = Enum(THEMES, default_value="auto")
    columns = Enum((1, 2), default_value=2)
    live = Bool(False)
    incidents = Bool(True)
    alerts = Bool(True)
    anomalies = Bool(False)
    step = Enum(STEPS, default_value="auto")
    compare = Enum(COMPARISONS, default_value="")
    selection = Tuple()
    drag = Enum(("zoom", "select"), default_value="zoom")

    def bounds(self, oldest_ns: int, newest_ns: int) -> tuple[int, int]:
        """Give the range that is to be shown, zoom left aside.

        Parameters
        ----------
        oldest_ns, newest_ns : int
            The first and the last sample there is.

        Returns
        -------
        start_ns, end_ns : int

        Raises
        ------
        TimeError
            If a typed time cannot be read, or the end is not after the start.
        """
        end = parse_time(self.end, newest_ns) if self.end.strip() else newest_ns
        if self.start.strip():
            start = parse_time(self.start, newest_ns)
        elif self.span == "all":
            start = oldest_ns
        else:
            start = end - parse_duration(self.span)
        if end <= start:
            if self.start.strip() or self.end.strip():
                msg = f"the range ends at {from_ns(end)}, which is not after {from_ns(start)}"
                raise TimeError(msg)
            start = end - _LEAST_SPAN_NS
        return start, end

    def visible(self, oldest_ns: int, newest_ns: int) -> tuple[int, int]:
        """Give the range on the screen: the zoom if there is one, else the bounds."""
        if len(self.zoom) == 2:
            return int(self.zoom[0]), max(int(self.zoom[1]), int(self.zoom[0]) + 1_000_000)
        return self.bounds(oldest_ns, newest_ns)

    def label_test(self) -> Callable[[SeriesKey], bool]:
        """Give a test for series: does each chosen label, where a series has it, fit?

        Returns
        -------
        callable
            Takes a ``SeriesKey``. A series without the label passes, so that choosing a
            route does not hide the processor.
        """
        wanted: dict[str, set[str]] = {}
        for pair in self.labels:
            name, _, value = pair.partition("=")
            wanted.setdefault(name.strip(), set()).add(value.strip())

        def passes(key: SeriesKey) -> bool:
            return all(key.labels.get(name, "") in {"", *values} for name, values in wanted.items())

        return passes

    def step_ns(self, start_ns: int, end_ns: int, *, points: int = 400) -> int:
        """Give the chosen step, or a round one that divides the range into about so many points.

        A chosen step that is too fine for the range is widened to 11 000 points.
        """
        if self.step != "auto":
            return max(parse_duration(self.step), -(-(end_ns - start_ns) // MOST_STEPS))
        least = max(1, (end_ns - start_ns) // max(1, points))
        for text in ("100ms", "250ms", "500ms", *_ROUND):
            if parse_duration(text) >= least:
                return parse_duration(text)
        return -(-least // 86_400_000_000_000) * 86_400_000_000_000

    def shift_ns(self, start_ns: int, end_ns: int) -> int:
        """Give how much earlier the period to compare with is; 0 for none."""
        if self.compare == "previous":
            return end_ns - start_ns
        return parse_duration({"day": "1d", "week": "7d"}[self.compare]) if self.compare else 0

    def to_dict(self) -> dict[str, Any]:
        """Give all choices as plain JSON types."""
        return {
            name: list(value) if isinstance(value, (tuple, list)) else value
            for name, value in sorted(self.trait_values().items())
        }

    def update(self, choices: Mapping[str, Any]) -> None:
        """Take over choices, for example those that ``to_dict`` gave.

        Parameters
        ----------
        choices : mapping
            Values by trait name.

        Raises
        ------
        UnknownNameError
            If there is no such trait.
        """
        for name in choices:
            if not self.has_trait(name):
                msg = f"a dashboard has no choice {name!r}{did_you_mean(name, self.trait_names())}"
                raise UnknownNameError(msg)
        with self.hold_trait_notifications():
            for name, value in choices.items():
                setattr(self, name, tuple(value) if name in ("zoom", "selection") else value)

    def __repr__(self) -> str:
        return f"DashboardState({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items())})"

    def describe(self, start_ns: int, end_ns: int) -> str:
        """Say the shown range in a few words."""
        first, last = from_ns(start_ns), from_ns(end_ns)
        length = format_duration(round((end_ns - start_ns) / 1e9) * 1_000_000_000)
        until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
        return f"{first:%Y-%m-%d %H:%M:%S} – {until} UTC ({length})"


_ROUND = (
    "1s", "2s", "5s", "10s", "15s", "30s", "1m", "2m", "5m", "10m", "15m", "30m",
    "1h", "2h", "3h", "6h", "12h", "1d",
)  # fmt: skip
