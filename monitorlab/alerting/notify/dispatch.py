"""Grouping, waiting, repeating, inhibiting and silencing, computed in event time.

Nothing here knows the wall clock: a backtest asks "how many pages a week" with the code
that runs live.

>>> from monitorlab.alerting.notify import NotifiedAlert, NotifyConfig
>>> from monitorlab.model import Labels
>>> told = Dispatcher(NotifyConfig())
>>> told.fire(0, NotifiedAlert(Labels(alertname="Slow"), starts_ns=0))
>>> [n.time_ns // 10**9 for n in told.advance(60 * 10**9)]
[30]
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitorlab.alerting.notify.messages import Notification, NotifiedAlert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitorlab.alerting.events import Silence
    from monitorlab.alerting.notify.routes import NotifyConfig, Resolved
    from monitorlab.model import Labels, Severity

__all__ = ["Dispatcher"]

MAX_REMEMBERED = 100_000  # alerts whose routes are remembered


@dataclass(slots=True)
class _Known:
    alert: NotifiedAlert
    quiet_until: int | None = None
    acknowledged: bool = False


@dataclass(slots=True)
class _Group:
    route: Resolved
    labels: Labels
    members: dict[Labels, _Known] = field(default_factory=dict)
    told_firing: frozenset[Labels] | None = None
    told_resolved: frozenset[Labels] = frozenset()
    told_at: int = 0
    changed: bool = True
    urgent: bool = False  # an escalation wants to be told even if the set is the same

    @property
    def key(self) -> str:
        return f"{self.route.path}:{self.labels!r}"


class Dispatcher:
    """Turn the life of alerts into notifications.

    Parameters
    ----------
    config : NotifyConfig
        Routes, inhibitions, silences.

    Notes
    -----
    Alertmanager's rules. The first alert of a group is told after ``group_wait``; then the
    group is looked at every ``group_interval`` and told if an alert is new or resolved, or if
    ``repeat_interval`` has passed. An alert that is silenced, inhibited or in its rule's
    cooldown at that moment is left out; one that is over before its group was told is never
    told. Added here: escalations are told at the next look, acknowledged alerts are not
    repeated.

    Examples
    --------
    >>> from monitorlab.alerting.notify import NotifyConfig
    >>> Dispatcher(NotifyConfig()).advance(0)
    []
    """

    def __init__(self, config: NotifyConfig) -> None:
        self.config = config
        self.silences: list[Silence] = list(config.silences)
        self._alerts: dict[Labels, _Known] = {}
        self._routed: dict[tuple[Labels, Severity], list[tuple[Resolved, tuple[str, Labels]]]] = {}
        self._groups: dict[tuple[str, Labels], _Group] = {}
        self._queue: list[tuple[int, int, tuple[str, Labels]]] = []
        self._count = 0
        self._ready: list[Notification] = []

    def fire(self, t_ns: int, alert: NotifiedAlert, *, quiet_until_ns: int | None = None) -> None:
        """Take note that an alert fires, or that a firing alert has changed.

        Parameters
        ----------
        t_ns : int
            When; looks that were due before it are made first.
        alert : NotifiedAlert
            The alert.
        quiet_until_ns : int, optional
            End of the cooldown that is still running.
        """
        self._look_until(t_ns - 1)
        known = self._alerts.get(alert.labels)
        if known is None or known.alert.ends_ns is not None:
            known = _Known(alert, quiet_until_ns)
            self._alerts[alert.labels] = known
        else:
            known.alert = alert
        self._route(t_ns, known)

    def escalate(self, t_ns: int, labels: Labels, severity: Severity) -> None:
        """Raise the severity of a firing alert; routes are looked up again.

        Parameters
        ----------
        t_ns : int
            When.
        labels : Labels
            The alert.
        severity : Severity
            Its severity from now on.
        """
        self._look_until(t_ns - 1)
        known = self._alerts.get(labels)
        if known is None or known.alert.ends_ns is not None:
            return
        known.alert = replace(known.alert, severity=severity)
        self._route(t_ns, known)
        for group in self._groups.values():
            if labels in group.members:
                group.changed = group.urgent = True

    def resolve(self, t_ns: int, labels: Labels) -> None:
        """Take note that an alert is over.

        Parameters
        ----------
        t_ns : int
            When.
        labels : Labels
            The alert.
        """
        self._look_until(t_ns - 1)
        known = self._alerts.get(labels)
        if known is None or known.alert.ends_ns is not None:
            return
        known.alert = replace(known.alert, ends_ns=t_ns)
        self._touch(labels, known.alert.severity)

    def acknowledge(self, t_ns: int, labels: Labels) -> None:
        """Take note that somebody has taken an alert: it is not repeated."""
        self._look_until(t_ns - 1)
        known = self._alerts.get(labels)
        if known is not None:
            known.acknowledged = True

    def silence(self, silence: Silence) -> None:
        """Add a silence."""
        self.silences.append(silence)

    def advance(self, t_ns: int) -> list[Notification]:
        """Give everything that is due up to a time, in order.

        Parameters
        ----------
        t_ns : int
            The time, inclusive.

        Returns
        -------
        list of Notification
            Each once.
        """
        self._look_until(t_ns)
        ready, self._ready = self._ready, []
        return ready

    def next_due(self) -> int | None:
        """Give the time of the next look at a group; None when nothing is open."""
        return self._queue[0][0] if self._queue else None

    def _route(self, t_ns: int, known: _Known) -> None:
        labels = known.alert.labels
        for route, key in self._routes_of(labels, known.alert.severity):
            group = self._groups.get(key)
            if group is None:
                group = self._groups[key] = _Group(route, key[1])
                self._push(t_ns + route.group_wait_ns, key)
            group.members[labels] = known
        self._touch(labels, known.alert.severity)

    def _routes_of(
        self, labels: Labels, severity: Severity
    ) -> list[tuple[Resolved, tuple[str, Labels]]]:
        """Look up where an alert goes, once for each alert and severity."""
        found = self._routed.get((labels, severity))
        if found is None:
            if len(self._routed) > MAX_REMEMBERED:
                self._routed.clear()
            seen = labels.replaced(severity=severity.value)
            found = [
                (route, (route.path, route.group_of(labels)))
                for route in self.config.route.find(seen)
            ]
            self._routed[labels, severity] = found
        return found

    def _touch(self, labels: Labels, severity: Severity) -> None:
        if self.config.inhibitions:
            for group in self._groups.values():
                group.changed = True
            return
        for _, key in self._routes_of(labels, severity):
            if key in self._groups:
                self._groups[key].changed = True

    def _push(self, t_ns: int, key: tuple[str, Labels]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (t_ns, self._count, key))

    def _look_until(self, t_ns: int) -> None:
        while self._queue and self._queue[0][0] <= t_ns:
            due, _, key = heapq.heappop(self._queue)
            group = self._groups[key]
            self._look(due, group)
            if group.members:
                self._push(due + group.route.group_interval_ns, key)
            else:
                del self._groups[key]

    def _look(self, t_ns: int, group: _Group) -> None:
        repeat = group.told_firing and t_ns - group.told_at >= group.route.repeat_interval_ns
        timed = bool(self.silences) or any(
            k.quiet_until is not None and k.quiet_until > group.told_at
            for k in group.members.values()
        )
        if not (group.changed or repeat or timed):
            return
        group.changed = False
        audible = {
            labels: known
            for labels, known in group.members.items()
            if not self._is_mute(t_ns, known)
        }
        firing = frozenset(k for k, known in audible.items() if known.alert.ends_ns is None)
        resolved = frozenset(audible) - firing
        if self._must_tell(group, firing, resolved, audible.values(), repeat=bool(repeat)):
            told = group.told_firing or frozenset()
            ended = resolved & told if self.config.send_resolved else frozenset()
            shown = [known.alert for k, known in audible.items() if k in firing or k in ended]
            if shown:
                self._ready.append(
                    Notification(
                        t_ns, group.route.receiver, group.labels, tuple(shown), group.key,
                        self.config.external_url,
                    )
                )  # fmt: skip
            group.told_firing, group.told_resolved, group.told_at = firing, resolved, t_ns
            group.urgent = False
        for labels in [k for k, known in group.members.items() if known.alert.ends_ns is not None]:
            known = group.members.pop(labels)
            if self._alerts.get(labels) is known:
                del self._alerts[labels]

    def _must_tell(
        self,
        group: _Group,
        firing: frozenset[Labels],
        resolved: frozenset[Labels],
        audible: Iterable[_Known],
        *,
        repeat: bool,
    ) -> bool:
        if group.told_firing is None:
            return bool(firing)
        if firing - group.told_firing:
            return True
        if not firing:
            return bool(group.told_firing) and bool(resolved & group.told_firing)
        if self.config.send_resolved and (resolved & group.told_firing) - group.told_resolved:
            return True
        if group.urgent:
            return True
        return repeat and not all(k.acknowledged for k in audible if k.alert.ends_ns is None)

    def _is_mute(self, t_ns: int, known: _Known) -> bool:
        labels = known.alert.labels
        if known.quiet_until is not None and t_ns < known.quiet_until:
            return True
        if any(s.covers(labels, t_ns) for s in self.silences):
            return True
        if not self.config.inhibitions:
            return False
        mine = labels.replaced(severity=known.alert.severity.value)
        return any(
            rule.mutes(other.alert.labels.replaced(severity=other.alert.severity.value), mine)
            for rule in self.config.inhibitions
            for other in self._alerts.values()
            if other is not known and other.alert.ends_ns is None
        )
