"""Sets of rules: groups that are evaluated together, in order.

>>> rules = as_rules([AlertRule("Down", "up == 0")])
>>> rules["Down"].expr
'up == 0'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import pandas as pd

from monitorlab.alerting.rules import AlertRule, RecordingRule, Rule
from monitorlab.display import html_table, text_table
from monitorlab.errors import RuleError, TimeError, UnknownNameError, did_you_mean
from monitorlab.rulebook import RuleBook
from monitorlab.times import DurationLike, format_duration, parse_duration

__all__ = ["RuleGroup", "RuleSet", "as_rules"]


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are evaluated one after the other, at the same times.

    Parameters
    ----------
    name : str
        Name of the group.
    rules : tuple of AlertRule or RecordingRule
        In order of evaluation.
    interval : duration, optional
        Time between evaluations; None leaves it to whoever evaluates.

    Raises
    ------
    RuleError
        If the interval is no duration or zero.

    Examples
    --------
    >>> RuleGroup("shop", (AlertRule("Down", "up == 0"),), "15s").interval
    '15s'
    """

    name: str
    rules: tuple[Rule, ...] = ()
    interval: str | None = None

    def __init__(
        self, name: str, rules: Iterable[Rule] = (), interval: DurationLike | None = None
    ) -> None:
        object.__setattr__(self, "name", str(name))
        object.__setattr__(self, "rules", tuple(rules))
        object.__setattr__(self, "interval", _interval(interval, f"group {name!r}"))
        for rule in self.rules:
            if not isinstance(rule, (AlertRule, RecordingRule)):
                msg = f"group {name!r}: {rule!r} is not a rule; make one with AlertRule(…)"
                raise RuleError(msg)


class RuleSet(Sequence[Rule]):
    """An immutable sequence of rules in their groups.

    Parameters
    ----------
    groups : iterable of RuleGroup
        In order of evaluation.

    Raises
    ------
    RuleError
        If two alert rules have the same name and the same labels.

    Examples
    --------
    >>> rules = RuleSet([RuleGroup("g", [AlertRule("Down", "up == 0")])])
    >>> len(rules), rules.with_rule(AlertRule("Slow", "latency > 1")).names
    (1, ('Down', 'Slow'))
    """

    __slots__ = ("groups",)

    def __init__(self, groups: Iterable[RuleGroup] = ()) -> None:
        self.groups: tuple[RuleGroup, ...] = tuple(groups)
        seen: set[tuple[Any, ...]] = set()
        for rule in self.alerts:
            identity = (rule.name, rule.labels)
            if identity in seen:
                msg = (
                    f"there are two alert rules {rule.name!r} with the same labels; rename one, "
                    "or give it a label that tells them apart"
                )
                raise RuleError(msg)
            seen.add(identity)

    @property
    def alerts(self) -> tuple[AlertRule, ...]:
        """The alert rules."""
        return tuple(r for r in self if isinstance(r, AlertRule))

    @property
    def recordings(self) -> tuple[RecordingRule, ...]:
        """The recording rules."""
        return tuple(r for r in self if isinstance(r, RecordingRule))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all rules, in order."""
        return tuple(rule.name for rule in self)

    def __iter__(self) -> Iterator[Rule]:
        return (rule for group in self.groups for rule in group.rules)

    def __len__(self) -> int:
        return sum(len(group.rules) for group in self.groups)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, str):
            found = [rule for rule in self if rule.name == which]
            if not found:
                msg = f"there is no rule {which!r}{did_you_mean(which, self.names)}"
                raise UnknownNameError(msg)
            return found[0]
        return tuple(self)[which]

    def __contains__(self, item: object) -> bool:
        return item in self.names if isinstance(item, str) else item in tuple(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleSet) and self.groups == other.groups

    def __hash__(self) -> int:
        return hash(self.groups)

    def with_rule(self, rule: Rule, group: str = "rules") -> RuleSet:
        """Give a set with one more rule, at the end of a group.

        Parameters
        ----------
        rule : AlertRule or RecordingRule
            The new rule.
        group : str
            Name of the group; made when there is none.

        Returns
        -------
        RuleSet

        Raises
        ------
        RuleError
            If an alert rule of that name and labels is there already.
        """
        if group not in [g.name for g in self.groups]:
            return RuleSet([*self.groups, RuleGroup(group, [rule])])
        return RuleSet(
            _regrouped(g, [*g.rules, rule]) if g.name == group else g for g in self.groups
        )

    def replaced(self, rule: Rule, old: Rule | None = None) -> RuleSet:
        """Give a set in which a rule takes the place of one (by default, of its namesake)."""
        target = self[rule.name] if old is None else old
        return RuleSet(
            _regrouped(g, [rule if r is target or r == target else r for r in g.rules])
            for g in self.groups
        )

    def without(self, name: str) -> RuleSet:
        """Give a set without the rules of a name."""
        kept = [_regrouped(g, [r for r in g.rules if r.name != name]) for g in self.groups]
        return RuleSet(g for g in kept if g.rules)

    def to_frame(self) -> pd.DataFrame:
        """Give a table with one row a rule."""
        columns = ["group", "interval", "rule", "kind", "expr", "for", "severity"]
        rows = [
            (
                group.name,
                group.interval or "",
                rule.name,
                "alert" if isinstance(rule, AlertRule) else "record",
                rule.expr,
                rule.for_ if isinstance(rule, AlertRule) else "",
                rule.severity.value if isinstance(rule, AlertRule) else "",
            )
            for group in self.groups
            for rule in group.rules
        ]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON types."""
        return {
            "groups": [
                {
                    "name": g.name,
                    "interval": g.interval,
                    "rules": [rule.to_dict() for rule in g.rules],
                }
                for g in self.groups
            ]
        }

    def __repr__(self) -> str:
        return (
            f"RuleSet: {len(self.alerts)} alert and {len(self.recordings)} recording rules "
            f"in {len(self.groups)} groups"
        )

    def __str__(self) -> str:
        return f"{self!r}\n{text_table(self.to_frame())}" if len(self) else repr(self)

    def _repr_html_(self) -> str:
        return html_table(self.to_frame(), caption=repr(self))


def _regrouped(group: RuleGroup, rules: Iterable[Rule]) -> RuleGroup:
    """Give a group with other rules."""
    return RuleGroup(group.name, rules, group.interval)


def as_rules(rules: Any) -> RuleSet:
    """Read rules in any form: one rule, several, groups, a set, or the path of a file.

    Parameters
    ----------
    rules : AlertRule, RecordingRule, RuleGroup, RuleSet, iterable of these, or path
        What to read.

    Returns
    -------
    RuleSet

    Raises
    ------
    RuleError
        If it is none of these.

    Examples
    --------
    >>> as_rules(AlertRule("Down", "up == 0")).names
    ('Down',)
    """
    if isinstance(rules, RuleSet):
        return rules
    if isinstance(rules, (str, PathLike)):
        from monitorlab.alerting.files import load_rules

        return load_rules(rules)
    if isinstance(rules, RuleGroup):
        return RuleSet([rules])
    if isinstance(rules, (AlertRule, RecordingRule)):
        return RuleSet([RuleGroup("rules", [rules])])
    if rules is None or not isinstance(rules, Iterable):
        msg = f"{rules!r} is no rule and no set of rules; give AlertRule(…), a list, or a file"
        raise RuleError(msg)
    if isinstance(rules, RuleBook):
        return RuleSet(RuleGroup(g.name, g.rules, g.interval) for g in rules.grouped())
    items = list(rules)
    groups = [item for item in items if isinstance(item, RuleGroup)]
    single = [item for item in items if not isinstance(item, RuleGroup)]
    if single:
        groups.append(RuleGroup("rules", single))
    return RuleSet(groups)


def _interval(interval: DurationLike | None, where: str) -> str | None:
    if interval is None:
        return None
    try:
        length = parse_duration(interval)
    except TimeError as error:
        msg = f"{where}: interval: {error}"
        raise RuleError(msg) from error
    if length <= 0:
        msg = f"{where}: the interval must be longer than nothing"
        raise RuleError(msg)
    return format_duration(length)
