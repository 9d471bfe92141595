"""Tell people: the dispatcher and the outboxes together; and the same, simulated.

>>> from monitorlab.alerting.notify.targets import CallbackTarget
>>> told = []
>>> notifier = Notifier(targets={"default": CallbackTarget(told.append)})
>>> notifier.process(0, [], [])
0
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from monitorlab.alerting import templates
from monitorlab.alerting.notify.dispatch import Dispatcher
from monitorlab.alerting.notify.messages import Notification, NotifiedAlert
from monitorlab.alerting.notify.outbox import Outbox
from monitorlab.alerting.notify.routes import NotifyConfig, Route
from monitorlab.alerting.notify.targets import LogTarget, Target
from monitorlab.errors import RuleError, did_you_mean
from monitorlab.times import to_index

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitorlab.alerting.events import Alert, Event, PersonAction, Silence
    from monitorlab.alerting.history import History


__all__ = ["Notifier", "Told", "notifications_frame", "simulate"]


class Notifier:
    """Routes events of a live engine to targets.

    Parameters
    ----------
    config : NotifyConfig, optional
        Routes, inhibitions, silences; one route to ``default`` unless given.
    targets : mapping of str to Target, optional
        Targets by the names that routes use; a log for ``default`` unless given.
    **outbox : object
        Arguments of ``Outbox``.

    Raises
    ------
    RuleError
        If a route names a target that is not there.

    Examples
    --------
    >>> sorted(Notifier().stats)
    ['default']
    """

    def __init__(
        self,
        config: NotifyConfig | None = None,
        targets: Mapping[str, Target] | None = None,
        **outbox: Any,
    ) -> None:
        self.config = config or NotifyConfig()
        known = dict(targets) if targets is not None else {"default": LogTarget()}
        for name in _receivers(self.config.route):
            if name not in known:
                msg = f"a route names the target {name!r}{did_you_mean(name, known)}"
                raise RuleError(msg)
        self.outboxes = {name: Outbox(target, **outbox) for name, target in known.items()}
        self.dispatcher = Dispatcher(self.config)

    def process(self, t_ns: int, events: Iterable[Event], active: Iterable[Alert]) -> int:
        """Take in what an evaluation said, and put what is due into the outboxes.

        Parameters
        ----------
        t_ns : int
            Time of the evaluation.
        events : iterable of Event
            What ``LiveEngine.evaluate`` gave.
        active : iterable of Alert
            ``LiveEngine.active``.

        Returns
        -------
        int
            Notifications put into outboxes.
        """
        now = {alert.labels: alert for alert in active}
        for event in events:
            if event.state == "firing":
                self._fire(event, now.get(event.labels))
            elif event.state == "escalated":
                self.dispatcher.escalate(event.time_ns, event.labels, event.severity)
            elif event.state == "resolved":
                self.dispatcher.resolve(event.time_ns, event.labels)
        for alert in now.values():
            if alert.acknowledged:
                self.dispatcher.acknowledge(t_ns, alert.labels)
        due = self.dispatcher.advance(t_ns)
        for notification in due:
            self.outboxes[notification.receiver].submit(notification)
        return len(due)

    def silence(self, silence: Silence) -> None:
        """Tell nobody of some alerts for a while."""
        self.dispatcher.silence(silence)

    def pump(self, now: float) -> int:
        """Deliver what is due in every outbox; gives the number delivered."""
        return sum(box.pump(now) for box in self.outboxes.values())

    async def run(self, **options: Any) -> None:
        """Deliver for ever; ends when it is cancelled."""
        await asyncio.gather(*(box.run(**options) for box in self.outboxes.values()))

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        """Counts of every outbox."""
        return {name: box.stats for name, box in self.outboxes.items()}

    def _fire(self, event: Event, alert: Alert | None) -> None:
        told = NotifiedAlert(
            event.labels,
            {} if alert is None else alert.annotations,
            event.severity,
            event.time_ns,
            None,
            event.value,
        )
        quiet = None if alert is None else alert.quiet_until_ns
        self.dispatcher.fire(event.time_ns, told, quiet_until_ns=quiet)

    def __repr__(self) -> str:
        return f"Notifier({', '.join(map(repr, self.outboxes.values()))})"


@dataclass(frozen=True)
class Told:
    """What people would have been told; simulated when first asked for.

    Parameters
    ----------
    histories : tuple of History
        What the rules did.
    config : NotifyConfig
        Routes, inhibitions, silences.
    end_ns : int
        End of the time.
    actions : tuple of PersonAction
        Acknowledgements.

    Examples
    --------
    >>> Told((), NotifyConfig(), 0).pages
    0
    """

    histories: tuple[History, ...]
    config: NotifyConfig
    end_ns: int
    actions: tuple[PersonAction, ...] = ()

    @cached_property
    def notifications(self) -> list[Notification]:
        """All notifications, in order of time."""
        return simulate(self.histories, self.config, end_ns=self.end_ns, actions=self.actions)

    @property
    def pages(self) -> int:
        """How many of them tell of alerts that fire."""
        return sum(n.status == "firing" for n in self.notifications)


def simulate(
    histories: Iterable[History],
    config: NotifyConfig | None = None,
    *,
    end_ns: int,
    actions: Iterable[PersonAction] = (),
) -> list[Notification]:
    """Say what people would have been told.

    Parameters
    ----------
    histories : iterable of History
        From ``monitorlab.alerting.history.replay``.
    config : NotifyConfig, optional
        Routes, inhibitions, silences.
    end_ns : int
        End of the time; looks at groups up to it are made.
    actions : iterable of PersonAction
        Acknowledgements.

    Returns
    -------
    list of Notification
        In order of time.

    Examples
    --------
    >>> simulate([], end_ns=0)
    []
    """
    dispatcher = Dispatcher(config or NotifyConfig())
    changes: list[tuple[int, int, Any]] = []
    for history in histories:
        changes += _changes(history)
    fired = {what[0].labels for _, kind, what in changes if kind == 1}
    for action in actions:
        if action.kind == "acknowledge":
            for labels in fired:
                if action.applies_to(labels.get("alertname", ""), labels):
                    changes.append((action.time_ns, 3, labels))
    for t_ns, kind, what in sorted(changes, key=lambda c: c[:2]):
        if kind == 0:
            dispatcher.resolve(t_ns, what)
        elif kind == 1:
            told, quiet = what
            dispatcher.fire(t_ns, told, quiet_until_ns=quiet)
        elif kind == 2:
            dispatcher.escalate(t_ns, *what)
        else:
            dispatcher.acknowledge(t_ns, what)
    return dispatcher.advance(end_ns)


def notifications_frame(notifications: Iterable[Notification]) -> pd.DataFrame:
    """Make the table of notifications.

    Parameters
    ----------
    notifications : iterable of Notification
        From ``simulate``.

    Returns
    -------
    pandas.DataFrame
        ``time, receiver, status, severity, alerts, title``.

    Examples
    --------
    >>> notifications_frame([]).columns.tolist()
    ['time', 'receiver', 'status', 'severity', 'alerts', 'title']
    """
    rows = list(notifications)
    frame = pd.DataFrame(
        {
            "receiver": [n.receiver for n in rows],
            "status": [n.status for n in rows],
            "severity": [n.severity.value for n in rows],
            "alerts": [len(n.alerts) for n in rows],
            "title": [n.title for n in rows],
        }
    )
    frame.insert(
        0, "time", to_index(np.array([n.time_ns for n in rows], dtype=np.int64), name=None)
    )
    return frame


def _changes(history: History) -> list[tuple[int, int, Any]]:
    """Give the changes of a rule's alerts: resolved (0), fired (1), escalated (2)."""
    times, lives, rule = history.signals.times, history.lives, history.rule
    values = lives.value_at(lives.firing_row, lives.fired)
    never = np.iinfo(np.int64).min
    found: list[tuple[int, int, Any]] = []
    for i, row in enumerate(lives.firing_row.tolist()):
        labels, key = history.signals.labels[row], history.signals.keys[row]
        fired = int(times[lives.fired[i]])
        notes = {
            name: templates.expand(text, key, float(values[i]))
            for name, text in rule.annotations.items()
        }
        told = NotifiedAlert(labels, notes, rule.severity, fired, None, float(values[i]))
        quiet = int(lives.quiet_until[i])
        found.append((fired, 1, (told, None if quiet == never else quiet)))
        for level, at in enumerate(lives.escalated):
            if at[i] >= 0:
                severity = lives.policy.escalations[level][1]
                found.append((int(times[at[i]]), 2, (labels, severity)))
        if lives.ended[i] < len(times):
            found.append((int(times[lives.ended[i]]), 0, labels))
    return found


def _receivers(route: Route, inherited: str = "default") -> list[str]:
    own = route.receiver or inherited
    return [own] + [name for child in route.routes for name in _receivers(child, own)]
