"""The states of alerts over time, one lane each, as the page draws them.

>>> import pandas as pd
>>> zero = pd.Timestamp(0, tz="UTC")
>>> lanes = AlertLanes(["Slow"])
>>> lanes.take([FeedEvent(zero, "alert", "firing", "Slow", "up", Severity.ERROR, 3.0, "")])
>>> lanes.to_list()
[{'name': 'Slow', 'sev': 'error', 's': [[0.0, 'firing']]}]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from monitorlab.feed.status import FeedEvent
from monitorlab.model import Labels, Severity

__all__ = ["AlertLanes", "labels_text"]

MOST_LANES = 16
MOST_KEPT = 500
MOST_CHANGES = 60  # of one lane
ALIVE = ("pending", "firing", "escalated")


@dataclass
class _Lane:
    severity: Severity
    states: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=MOST_CHANGES))

    @property
    def state(self) -> str:
        return self.states[-1][1] if self.states else "inactive"


class AlertLanes:
    """What became of each alert, bounded.

    Parameters
    ----------
    rules : iterable of str
        Names of all rules: one that has never been pending has a quiet lane.

    Notes
    -----
    At most 16 lanes are shown, those that are alive first to be kept, and of each its newest
    60 changes.

    Examples
    --------
    >>> AlertLanes(["Slow"]).to_list()
    [{'name': 'Slow', 'sev': 'error', 's': []}]
    """

    def __init__(self, rules: Iterable[str] = ()) -> None:
        self._rules = list(dict.fromkeys(rules))
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self.is_changed = True

    def take(self, events: Iterable[FeedEvent]) -> None:
        """Take in what a feed says happened; only alerts matter."""
        for event in events:
            if event.kind != "alert":
                continue
            lane = self._lanes.setdefault((event.name, _labels(event)), _Lane(event.severity))
            state = event.state if event.state in ALIVE else "inactive"
            if event.state in ALIVE:
                lane.severity = event.severity
            lane.states.append((event.time.value / 1e9, state))
            self.is_changed = True
        while len(self._lanes) > MOST_KEPT:
            quiet = (key for key, lane in self._lanes.items() if lane.state == "inactive")
            del self._lanes[next(quiet, next(iter(self._lanes)))]

    def settle(self, alive: Iterable[tuple[str, str]], now: float) -> None:
        """End what is pending here and alive no more: nobody tells of that.

        Parameters
        ----------
        alive : iterable of (rule, labels)
            Alerts that are pending or firing.
        now : float
            Event time, seconds.
        """
        still = set(alive)
        for key, lane in self._lanes.items():
            if lane.state == "pending" and key not in still:
                lane.states.append((now, "inactive"))
                self.is_changed = True

    def to_list(self) -> list[dict[str, Any]]:
        """Give name, severity and [time, state] pairs of each lane."""
        rules = list(dict.fromkeys([*self._rules, *(rule for rule, _ in self._lanes)]))
        rows: list[tuple[str, _Lane]] = []
        for rule in rules:
            mine = [(n, lane) for (r, n), lane in self._lanes.items() if r == rule]
            rows += [(rule + labels, lane) for labels, lane in sorted(mine, key=lambda m: m[0])]
            if not mine:
                rows.append((rule, _Lane(Severity.ERROR)))
        alive = [row for row in rows if row[1].state != "inactive"]
        rest = [row for row in rows if row[1].state == "inactive"]
        kept = {id(lane) for _, lane in (alive + rest)[:MOST_LANES]}
        return [
            {"name": name, "sev": lane.severity.value, "s": [list(pair) for pair in lane.states]}
            for name, lane in rows
            if id(lane) in kept
        ]


def labels_text(labels: Labels) -> str:
    """Write labels behind a rule's name; empty when the name says it all.

    Parameters
    ----------
    labels : Labels
        Labels of an alert.

    Returns
    -------
    str

    Examples
    --------
    >>> labels_text(Labels(alertname="Slow", severity="error", route="/cart"))
    '{route="/cart"}'
    """
    rest = Labels(labels).without("alertname", "severity")
    return repr(rest) if rest else ""


def _labels(event: FeedEvent) -> str:
    labels = getattr(event.detail, "labels", None)
    return "" if labels is None else labels_text(labels)
