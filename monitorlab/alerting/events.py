"""What happened to alerts: events, the alerts themselves, and what people did about them.

>>> act = PersonAction.make("acknowledge", "2026-01-01T10:00Z", rule="Slow")
>>> act.applies_to("Slow", Labels(route="/cart"))
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from monitorlab.alerting.state import Action
from monitorlab.errors import MatcherError, RuleError
from monitorlab.model import Labels, SeriesKey, Severity
from monitorlab.storage import Matcher, parse_selector
from monitorlab.times import from_ns, to_index, to_ns

__all__ = [
    "Alert",
    "AlertState",
    "Event",
    "PersonAction",
    "Silence",
    "events_frame",
    "read_matchers",
]

AlertState: TypeAlias = Literal["pending", "firing", "escalated", "resolved"]

COLUMNS = (
    "time", "rule", "state", "severity", "series", "value", "reason", "suppressed", "labels",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One change in the life of an alert.

    Parameters
    ----------
    time_ns : int
        When, in event time.
    rule : str
        Name of the rule.
    state : {"pending", "firing", "escalated", "resolved"}
        What the alert became.
    severity : Severity
        Its severity from then on.
    key : SeriesKey
        The element of the expression's result.
    labels : Labels
        What identifies the alert.
    value : float
        The last value of the expression.
    reason : str
        For resolved alerts ``"cleared"`` or ``"manual"``.
    suppressed : str
        Why nobody is to be told: ``"cooldown"``, ``"silenced"`` or ``""``.

    Examples
    --------
    >>> Event(0, "Down", "firing", Severity.ERROR, SeriesKey("up"), Labels(), 0.0).suppressed
    ''
    """

    time_ns: int
    rule: str
    state: AlertState
    severity: Severity
    key: SeriesKey
    labels: Labels
    value: float
    reason: str = ""
    suppressed: str = ""

    @property
    def time(self) -> pd.Timestamp:
        """When, as a UTC time stamp."""
        return from_ns(self.time_ns)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {
            "time": self.time.isoformat(),
            "rule": self.rule,
            "state": self.state,
            "severity": self.severity.value,
            "series": str(self.key),
            "value": None if not np.isfinite(self.value) else float(self.value),
            "reason": self.reason,
            "suppressed": self.suppressed,
            "labels": self.labels.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is pending or firing now.

    Parameters
    ----------
    rule : str
        Name of the rule.
    labels, annotations : mapping of str to str
        Filled-in labels and annotations.
    state : {"pending", "firing"}
        Where it stands.
    severity : Severity
        Raised by escalation.
    value : float
        The last value of the expression.
    active_since_ns, fired_at_ns : int
        Since when the condition holds, and when it fired (None: pending).
    key : SeriesKey
        The element of the expression's result.
    acknowledged : bool
        Whether somebody has taken it.
    quiet_until_ns : int, optional
        End of the cooldown after an earlier resolution.

    Examples
    --------
    >>> Alert("Down", Labels(), {}, "firing", Severity.ERROR, 0.0, 0, 0, SeriesKey("up")).state
    'firing'
    """

    rule: str
    labels: Labels
    annotations: Mapping[str, str]
    state: Literal["pending", "firing"]
    severity: Severity
    value: float
    active_since_ns: int
    fired_at_ns: int | None
    key: SeriesKey
    acknowledged: bool = False
    quiet_until_ns: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        fired = self.fired_at_ns
        return {
            "rule": self.rule,
            "state": self.state,
            "severity": self.severity.value,
            "series": str(self.key),
            "value": None if not np.isfinite(self.value) else float(self.value),
            "active_since": from_ns(self.active_since_ns).isoformat(),
            "fired_at": None if fired is None else from_ns(fired).isoformat(),
            "acknowledged": self.acknowledged,
            "labels": self.labels.to_dict(),
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True, slots=True)
class PersonAction:
    """Something that a person did: acknowledge or resolve alerts.

    Parameters
    ----------
    kind : {"acknowledge", "resolve"}
        What.
    time_ns : int
        When; it counts from the first evaluation at or after that time.
    rule : str, optional
        Only alerts of this rule.
    labels : Labels
        Only alerts that have these labels.

    Examples
    --------
    >>> PersonAction.make("resolve", 0).kind
    'resolve'
    """

    kind: Action
    time_ns: int
    rule: str | None = None
    labels: Labels = field(default_factory=Labels)

    @classmethod
    def make(
        cls,
        kind: Action,
        time: Any,
        *,
        rule: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> PersonAction:
        """Read and check the parts."""
        if kind not in get_args(Action):
            msg = f"an action must be one of {', '.join(get_args(Action))}, not {kind!r}"
            raise RuleError(msg)
        return cls(kind, to_ns(time), rule, Labels(labels))

    def applies_to(self, rule: str, labels: Labels) -> bool:
        """Tell whether it means an alert."""
        return (self.rule is None or self.rule == rule) and all(
            labels.get(name, "") == value for name, value in self.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """A span of time in which nobody is told of some alerts; their state goes on.

    Parameters
    ----------
    matchers : tuple of Matcher
        Which alerts, by their labels (``alertname`` is one).
    start_ns, end_ns : int
        Half-open ``[start, end)``.
    comment : str
        Why.

    Examples
    --------
    >>> silence = Silence.make('{alertname="Slow"}', 0, 3600)
    >>> silence.covers(Labels(alertname="Slow"), 10)
    True
    """

    matchers: tuple[Matcher, ...]
    start_ns: int
    end_ns: int
    comment: str = ""

    @classmethod
    def make(cls, matchers: Any, start: Any, end: Any, comment: str = "") -> Silence:
        """Read and check the parts; see ``read_matchers`` for the forms of matchers."""
        first, last = to_ns(start), to_ns(end)
        if last <= first:
            msg = f"a silence ends at {end}, which is not after its start {start}"
            raise RuleError(msg)
        return cls(read_matchers(matchers), first, last, comment)

    def matches(self, labels: Labels) -> bool:
        """Tell whether it means an alert."""
        return all(m.matches(labels.get(m.name, "")) for m in self.matchers)

    def covers(self, labels: Labels, t_ns: int) -> bool:
        """Tell whether it silences an alert at a time."""
        return self.start_ns <= t_ns < self.end_ns and self.matches(labels)


def read_matchers(matchers: Any) -> tuple[Matcher, ...]:
    """Read matchers of alert labels in any form.

    Parameters
    ----------
    matchers : str, mapping, sequence of str or Matcher
        ``'{severity="critical"}'``, ``{"severity": "critical"}``,
        ``['severity=~"error|critical"']``. A name before the braces means ``alertname``.

    Returns
    -------
    tuple of Matcher

    Raises
    ------
    RuleError
        If they cannot be read.

    Examples
    --------
    >>> [str(m) for m in read_matchers({"team": "shop"})]
    ['team="shop"']
    """
    if isinstance(matchers, Mapping):
        return tuple(Matcher(str(k), "=", str(v)) for k, v in matchers.items())
    items: Sequence[Any] = [matchers] if isinstance(matchers, (str, Matcher)) else list(matchers)
    found: list[Matcher] = []
    for item in items:
        if isinstance(item, Matcher):
            found.append(item)
            continue
        text = str(item).strip()
        bare = text.partition("{")[0]
        if not text.startswith("{") and any(c in bare for c in "=!~"):
            text = "{" + text + "}"
        if text in ("", "{}"):
            continue
        try:
            parsed = parse_selector(text).matchers
        except MatcherError as error:
            msg = f"{item!r} is no matcher of labels; write '{{severity=\"critical\"}}': {error}"
            raise RuleError(msg) from error
        found += [
            Matcher("alertname", m.op, m.value) if m.name == "__name__" else m for m in parsed
        ]
    return tuple(found)


def events_frame(events: Iterable[Event]) -> pd.DataFrame:
    """Make the table of events.

    Parameters
    ----------
    events : iterable of Event
        In order.

    Returns
    -------
    pandas.DataFrame
        ``time, rule, state, severity, series, value, reason, suppressed, labels``.

    Examples
    --------
    >>> list(events_frame([]).columns)[:3]
    ['time', 'rule', 'state']
    """
    rows = list(events)
    frame = pd.DataFrame(
        {
            "rule": [e.rule for e in rows],
            "state": [e.state for e in rows],
            "severity": [e.severity.value for e in rows],
            "series": [str(e.key) for e in rows],
            "value": np.array([e.value for e in rows], dtype=np.float64),
            "reason": [e.reason for e in rows],
            "suppressed": [e.suppressed for e in rows],
            "labels": pd.Series([e.labels for e in rows], dtype=object),
        }
    )
    frame.insert(
        0, "time", to_index(np.array([e.time_ns for e in rows], dtype=np.int64), name=None)
    )
    return frame
