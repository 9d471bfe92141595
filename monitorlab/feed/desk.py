"""What people do about the alerts of a running feed: take them, end them, silence them.

>>> from monitorlab.alerting import AlertRule
>>> from monitorlab.storage import SeriesStore
>>> from monitorlab.feed.watch import AlertWatch
>>> desk = AlertDesk(AlertWatch(AlertRule("Down", "up == 0"), SeriesStore(), "15s"), (), lambda: 0)
>>> desk.silence('{alertname="Down"}', for_="1h").comment
''
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from monitorlab.times import DurationLike, from_ns, parse_duration

if TYPE_CHECKING:
    from monitorlab.alerting import Alert, Silence
    from monitorlab.feed.watch import AlertWatch

__all__ = ["AlertDesk"]


class AlertDesk:
    """The alerts of a feed, and what can be done about them; times are event time.

    Parameters
    ----------
    watch : AlertWatch
        The rules of the feed.
    notifiers : sequence of Notifier
        Told of silences.
    now_ns : callable
        Gives event time.

    Examples
    --------
    >>> from monitorlab.feed import LiveFeed, QueueSource
    >>> LiveFeed(None, QueueSource()).alerts.active
    []
    """

    def __init__(
        self, watch: AlertWatch | None, notifiers: Sequence[Any], now_ns: Callable[[], int]
    ) -> None:
        self._watch = watch
        self._notifiers = notifiers
        self._now = now_ns

    @property
    def active(self) -> list[Alert]:
        """The pending and firing alerts."""
        return [] if self._watch is None else self._watch.engine.active

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of the alert rules."""
        rules = () if self._watch is None else self._watch.engine.rules.alerts
        return tuple(rule.name for rule in rules)

    def acknowledge(self, rule: str | None = None, labels: Mapping[str, str] | None = None) -> None:
        """Take alerts: they are not escalated and not repeated any more.

        Parameters
        ----------
        rule : str, optional
            Of this rule only.
        labels : mapping of str to str, optional
            With these labels only.
        """
        if self._watch is not None:
            self._watch.engine.acknowledge(from_ns(self._now()), rule=rule, labels=labels)
            self._watch.tells_taken = True

    def resolve(self, rule: str | None = None, labels: Mapping[str, str] | None = None) -> None:
        """End alerts by hand; each stays quiet until its condition has been false once.

        Parameters
        ----------
        rule : str, optional
            Of this rule only.
        labels : mapping of str to str, optional
            With these labels only.
        """
        if self._watch is not None:
            self._watch.engine.resolve(from_ns(self._now()), rule=rule, labels=labels)

    def silence(self, matchers: Any, *, for_: DurationLike, comment: str = "") -> Silence:
        """Tell nobody of some alerts for a while, from now on.

        Parameters
        ----------
        matchers : matchers in any form
            Which alerts.
        for_ : duration
            How long.
        comment : str
            Why.

        Returns
        -------
        Silence
        """
        from monitorlab.alerting import Silence

        start = self._now()
        end = start + parse_duration(for_)
        made = Silence.make(matchers, from_ns(start), from_ns(end), comment)
        if self._watch is not None:
            self._watch.engine.silences.append(made)
        for notifier in self._notifiers:
            notifier.silence(made)
        return made

    def __repr__(self) -> str:
        return f"AlertDesk({len(self.active)} active)"
