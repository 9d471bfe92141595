"""What is sent: a group of alerts at one time, as text and in Alertmanager's JSON.

>>> told = NotifiedAlert(Labels(alertname="Slow"), starts_ns=0)
>>> Notification(0, "team", Labels(alertname="Slow"), (told,), "{}").title
'[FIRING:1] Slow'
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from monitorlab.model import Labels, Severity
from monitorlab.times import from_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Notification", "NotifiedAlert", "fingerprint"]

_NO_TIME = "0001-01-01T00:00:00Z"
_FNV_START, _FNV_PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
MAX_LINES = 20


@dataclass(frozen=True, slots=True)
class NotifiedAlert:
    """An alert as a notification tells it.

    Parameters
    ----------
    labels : Labels
        What identifies it, ``alertname`` included.
    annotations : mapping of str to str
        Filled in.
    severity : Severity
        Raised by escalation.
    starts_ns : int
        When it fired.
    ends_ns : int, optional
        When it was resolved; None while it fires.
    value : float
        The last value.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> NotifiedAlert(Labels(alertname="Slow"), ends_ns=5).status
    'resolved'
    """

    labels: Labels
    annotations: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.WARNING
    starts_ns: int = 0
    ends_ns: int | None = None
    value: float = math.nan

    @property
    def status(self) -> Literal["firing", "resolved"]:
        """Whether it fires."""
        return "firing" if self.ends_ns is None else "resolved"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one receiver about one group of alerts.

    Parameters
    ----------
    time_ns : int
        When, in event time.
    receiver : str
        Name of the target.
    group_labels : Labels
        What its alerts share.
    alerts : tuple of NotifiedAlert
        Firing and newly resolved ones.
    group_key : str
        Names the group.
    external_url : str
        Link.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> told = NotifiedAlert(Labels(alertname="Slow"))
    >>> Notification(0, "team", Labels(), (told,), "{}").to_alertmanager()["status"]
    'firing'
    """

    time_ns: int
    receiver: str
    group_labels: Labels
    alerts: tuple[NotifiedAlert, ...]
    group_key: str
    external_url: str = ""

    @property
    def status(self) -> Literal["firing", "resolved"]:
        """``firing`` while any of its alerts fires."""
        return "firing" if any(a.ends_ns is None for a in self.alerts) else "resolved"

    @property
    def severity(self) -> Severity:
        """The highest severity among its firing alerts, else among all."""
        firing = [a.severity for a in self.alerts if a.ends_ns is None]
        return max(firing or [a.severity for a in self.alerts], default=Severity.INFO)

    @property
    def title(self) -> str:
        """One line for people."""
        firing = sum(a.ends_ns is None for a in self.alerts)
        count = f"FIRING:{firing}" if firing else "RESOLVED"
        names = dict.fromkeys(a.labels.get("alertname", "?") for a in self.alerts)
        return f"[{count}] {', '.join(names)}"

    @property
    def text(self) -> str:
        """A few lines for people, one for each alert."""
        lines = []
        for alert in self.alerts[:MAX_LINES]:
            what = alert.annotations.get("summary") or alert.annotations.get("description") or ""
            rest = alert.labels.without("alertname")
            value = "" if math.isnan(alert.value) else f" value {alert.value:g}"
            name = alert.labels.get("alertname", "?")
            lines.append(f"{alert.status} {name} {rest!r}{value} {what}".strip())
        if len(self.alerts) > MAX_LINES:
            lines.append(f"… and {len(self.alerts) - MAX_LINES} more")
        return "\n".join(lines)

    def to_alertmanager(self) -> dict[str, Any]:
        """Give the JSON that Alertmanager sends to webhooks (version 4)."""
        labels = [a.labels.to_dict() for a in self.alerts]
        notes = [dict(a.annotations) for a in self.alerts]
        return {
            "version": "4",
            "groupKey": self.group_key,
            "truncatedAlerts": 0,
            "status": self.status,
            "receiver": self.receiver,
            "groupLabels": self.group_labels.to_dict(),
            "commonLabels": _common(labels),
            "commonAnnotations": _common(notes),
            "externalURL": self.external_url,
            "alerts": [
                {
                    "status": a.status,
                    "labels": a.labels.to_dict(),
                    "annotations": dict(a.annotations),
                    "startsAt": _rfc3339(a.starts_ns),
                    "endsAt": _NO_TIME if a.ends_ns is None else _rfc3339(a.ends_ns),
                    "generatorURL": "",
                    "fingerprint": fingerprint(a.labels),
                }
                for a in self.alerts
            ],
        }


def fingerprint(labels: Labels) -> str:
    """Give Alertmanager's fingerprint of a label set (FNV-1a, 64 bits).

    Parameters
    ----------
    labels : Labels
        The label set.

    Returns
    -------
    str
        16 hexadecimal digits.

    Examples
    --------
    >>> fingerprint(Labels())
    'cbf29ce484222325'
    """
    total = _FNV_START
    for name, value in sorted(labels.items()):
        for byte in (*name.encode(), 255, *value.encode(), 255):
            total = ((total ^ byte) * _FNV_PRIME) & _MASK
    return f"{total:016x}"


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    if not maps:
        return {}
    return {k: v for k, v in maps[0].items() if all(m.get(k) == v for m in maps[1:])}


def _rfc3339(t_ns: int) -> str:
    return from_ns(t_ns).isoformat().replace("+00:00", "Z")
