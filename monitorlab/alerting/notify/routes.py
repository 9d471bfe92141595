"""Who is told of which alerts, in which groups and how often: Alertmanager's routing.

>>> from monitorlab.model import Labels
>>> root = Route("team", routes=[Route("pager", '{severity="critical"}')])
>>> [found.receiver for found in root.find(Labels(severity="critical"))]
['pager']
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitorlab.alerting.events import Silence, read_matchers
from monitorlab.errors import RuleError, TimeError
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitorlab.model import Labels
    from monitorlab.storage import Matcher

__all__ = ["Inhibition", "NotifyConfig", "Resolved", "Route"]

EVERY_LABEL = "..."


@dataclass(frozen=True, slots=True)
class Resolved:
    """A route with everything that it inherits filled in.

    Parameters
    ----------
    receiver : str
        Name of the target.
    group_by : tuple of str
        Labels that alerts of one notification share; ``("...",)`` for all of them.
    group_wait_ns, group_interval_ns, repeat_interval_ns : int
        Time from the first alert of a group to its notification, between looks at a group,
        and between repetitions.
    path : str
        Place in the tree, which tells routes apart.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> Route("team").find(Labels())[0].group_wait_ns
    30000000000
    """

    receiver: str
    group_by: tuple[str, ...]
    group_wait_ns: int
    group_interval_ns: int
    repeat_interval_ns: int
    path: str

    def group_of(self, labels: Labels) -> Labels:
        """Give the labels that name an alert's group."""
        return labels if self.group_by == (EVERY_LABEL,) else labels.only(*self.group_by)


@dataclass(frozen=True)
class Route:
    """A node of the routing tree.

    Parameters
    ----------
    receiver : str, optional
        Name of the target; inherited when not given.
    matchers : matchers in any form
        Which alerts; see ``monitorlab.alerting.events.read_matchers``. None for all.
    group_by : sequence of str, optional
        Labels that alerts of one notification share; ``["..."]`` for all.
    group_wait, group_interval, repeat_interval : duration, optional
        See ``Resolved``. At the top 30 s, 5 min and 4 h.
    continue_ : bool
        Whether the routes after this one are looked at, too.
    routes : iterable of Route
        Children; the first that matches takes the alert.

    Raises
    ------
    RuleError
        If a matcher or a duration cannot be read.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> Route("team", group_by=["alertname"]).find(Labels(alertname="Slow"))[0].group_by
    ('alertname',)
    """

    receiver: str | None = None
    matchers: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] | None = None
    group_wait_ns: int | None = None
    group_interval_ns: int | None = None
    repeat_interval_ns: int | None = None
    continue_: bool = False
    routes: tuple[Route, ...] = ()

    def __init__(
        self,
        receiver: str | None = None,
        matchers: Any = None,
        *,
        group_by: Sequence[str] | None = None,
        group_wait: DurationLike | None = None,
        group_interval: DurationLike | None = None,
        repeat_interval: DurationLike | None = None,
        continue_: bool = False,
        routes: Iterable[Route] = (),
    ) -> None:
        def put(name: str, value: Any) -> None:
            object.__setattr__(self, name, value)

        put("receiver", receiver)
        put("matchers", () if matchers is None else read_matchers(matchers))
        put("group_by", None if group_by is None else tuple(group_by))
        put("group_wait_ns", _length(group_wait, "group_wait"))
        put("group_interval_ns", _length(group_interval, "group_interval", least=1))
        put("repeat_interval_ns", _length(repeat_interval, "repeat_interval", least=1))
        put("continue_", bool(continue_))
        put("routes", tuple(routes))

    def find(
        self, labels: Labels, parent: Resolved | None = None, place: str = "0"
    ) -> list[Resolved]:
        """Give the routes that take an alert.

        Parameters
        ----------
        labels : Labels
            The alert's labels.
        parent : Resolved, optional
            What is inherited.
        place : str
            Place of this node in the tree.

        Returns
        -------
        list of Resolved
            Empty when the alert is none of this node's.
        """
        if not all(m.matches(labels.get(m.name, "")) for m in self.matchers):
            return []
        own = self._resolved(parent or _TOP, place)
        found: list[Resolved] = []
        for i, child in enumerate(self.routes):
            taken = child.find(labels, own, f"{place}.{i}")
            found += taken
            if taken and not child.continue_:
                break
        return found or [own]

    def _resolved(self, parent: Resolved, place: str) -> Resolved:
        return Resolved(
            receiver=parent.receiver if self.receiver is None else self.receiver,
            group_by=parent.group_by if self.group_by is None else self.group_by,
            group_wait_ns=_or(self.group_wait_ns, parent.group_wait_ns),
            group_interval_ns=_or(self.group_interval_ns, parent.group_interval_ns),
            repeat_interval_ns=_or(self.repeat_interval_ns, parent.repeat_interval_ns),
            path=place,
        )


_TOP = Resolved("default", ("alertname",), 30 * 10**9, 300 * 10**9, 4 * 3600 * 10**9, "")


@dataclass(frozen=True)
class Inhibition:
    """While one alert fires, tell nobody of others that follow from it.

    Parameters
    ----------
    source, target : matchers in any form
        The alert that explains, and the alerts that it explains.
    equal : sequence of str
        Labels that both must have in common.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> rule = Inhibition('{severity="critical"}', '{severity="warning"}', equal=["route"])
    >>> rule.mutes(Labels(severity="critical"), Labels(severity="warning"))
    True
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def __init__(self, source: Any, target: Any, equal: Sequence[str] = ()) -> None:
        object.__setattr__(self, "source", read_matchers(source))
        object.__setattr__(self, "target", read_matchers(target))
        object.__setattr__(self, "equal", tuple(equal))

    def mutes(self, source: Labels, target: Labels) -> bool:
        """Tell whether a firing alert mutes another."""
        return (
            _all(self.target, target)
            and _all(self.source, source)
            and all(source.get(n, "") == target.get(n, "") for n in self.equal)
            # An alert on both sides of a rule does not mute itself or its like.
            and not (_all(self.source, target) and _all(self.target, source))
        )


@dataclass(frozen=True)
class NotifyConfig:
    """Everything that decides who is told what, and when.

    Parameters
    ----------
    route : Route
        Top of the routing tree; its matchers are not looked at.
    inhibitions : iterable of Inhibition
        Alerts that mute others.
    silences : iterable of Silence
        Spans in which nobody is told of some alerts.
    send_resolved : bool
        Whether the end of an alert is told.
    external_url : str
        Link in messages.

    Examples
    --------
    >>> from monitorlab.model import Labels
    >>> NotifyConfig().route.find(Labels())[0].receiver
    'default'
    """

    route: Route = field(default_factory=Route)
    inhibitions: tuple[Inhibition, ...] = ()
    silences: tuple[Silence, ...] = ()
    send_resolved: bool = True
    external_url: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "inhibitions", tuple(self.inhibitions))
        object.__setattr__(self, "silences", tuple(self.silences))


def _all(matchers: tuple[Matcher, ...], labels: Labels) -> bool:
    return all(m.matches(labels.get(m.name, "")) for m in matchers)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _length(value: DurationLike | None, what: str, least: int = 0) -> int | None:
    if value is None:
        return None
    try:
        length = parse_duration(value)
    except TimeError as error:
        msg = f"route: {what}: {error}"
        raise RuleError(msg) from error
    if length < least:
        msg = f"route: {what} must be longer than nothing"
        raise RuleError(msg)
    return length
