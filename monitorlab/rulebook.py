"""The list of rules that a frame carries: a plain list that remembers each rule's group.

A rule file gives each group an interval of its own. A list of rules alone would forget it, and
a set that was written for evaluations every two seconds would silently run every fifteen.

>>> book = RuleBook(["a"])
>>> book.keep(["b"], name="fast", interval="2s")
>>> list(book), [(group.name, group.interval) for group in book.grouped()]
(['a', 'b'], [('rules', None), ('fast', '2s')])
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

__all__ = ["Grouped", "RuleBook", "RulesOfFrame"]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Rules of one group, in order.

    Parameters
    ----------
    name : str
        Name of the group.
    interval : str or None
        Time between its evaluations; None leaves it to whoever evaluates.
    rules : tuple
        Its rules.

    Examples
    --------
    >>> Grouped("fast", "2s", ("a",)).interval
    '2s'
    """

    name: str
    interval: str | None
    rules: tuple[Any, ...]


class RuleBook(list[Any]):
    """A list of rules; each may belong to a group with a name and an interval.

    Parameters
    ----------
    rules : iterable, optional
        Rules, or a set of rules with ``groups``, which are kept.

    Notes
    -----
    A rule that takes the place of another (``book[3] = better``) takes its group as well.
    A group is kept by the rule itself, not by its position, so the list may be sorted, cut
    and added to. The cost of ``grouped`` is linear in the number of rules.

    Examples
    --------
    >>> book = RuleBook(["a", "b"])
    >>> book.remove("a")
    >>> book
    ['b']
    """

    def __init__(self, rules: Iterable[Any] = ()) -> None:
        super().__init__()
        self._groups: dict[Any, tuple[str, str | None]] = {}
        self.extend(rules)

    def keep(self, rules: Iterable[Any], name: str, interval: str | None) -> None:
        """Add rules of a group.

        Parameters
        ----------
        rules : iterable
            The rules.
        name : str
            Name of the group.
        interval : str or None
            Time between evaluations.

        Examples
        --------
        >>> book = RuleBook()
        >>> book.keep(["a"], name="g", interval="1m")
        >>> book.interval_of("a")
        '1m'
        """
        for rule in rules:
            self._groups[rule] = (name, interval)
            self.append(rule)

    def extend(self, rules: Iterable[Any]) -> None:
        """Add rules; those of a set keep their groups.

        Parameters
        ----------
        rules : iterable
            Rules, another book, or a set with ``groups``.

        Examples
        --------
        >>> book = RuleBook(["a"])
        >>> book.extend(["b"])
        >>> len(book)
        2
        """
        if isinstance(rules, RuleBook):
            self._groups.update(rules._groups)  # noqa: SLF001
        groups = getattr(rules, "groups", None)
        if groups is None:
            super().extend(rules)
            return
        for group in groups:
            self.keep(group.rules, group.name, group.interval)

    def grouped(self) -> list[Grouped]:
        """Give the rules by group; those of none stand in a group named ``rules``.

        Returns
        -------
        list of Grouped
            In order of each group's first rule.

        Examples
        --------
        >>> RuleBook(["a"]).grouped()
        [Grouped(name='rules', interval=None, rules=('a',))]
        """
        found: dict[tuple[str, str | None], list[Any]] = {}
        for rule in self:
            found.setdefault(self._groups.get(rule, ("rules", None)), []).append(rule)
        return [Grouped(*key, tuple(rules)) for key, rules in found.items()]

    def interval_of(self, rule: Any) -> str | None:
        """Give the time between evaluations that a rule's group asks for, if any.

        Parameters
        ----------
        rule : rule
            One of the book.

        Returns
        -------
        str or None

        Examples
        --------
        >>> RuleBook(["a"]).interval_of("a") is None
        True
        """
        return self._groups.get(rule, ("rules", None))[1]

    def __setitem__(self, which: Any, rule: Any) -> None:
        if isinstance(which, int) and (group := self._groups.get(self[which])) is not None:
            self._groups[rule] = group
        super().__setitem__(which, rule)

    def __iadd__(self, rules: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(rules)
        return self


class RulesOfFrame:
    """The attribute ``rules`` of a frame: whatever is assigned becomes a ``RuleBook``.

    Examples
    --------
    >>> class Frame:
    ...     rules = RulesOfFrame()
    >>> frame = Frame()
    >>> frame.rules = ("a", "b")
    >>> frame.rules.append("c")
    >>> frame.rules
    ['a', 'b', 'c']
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"_{name}"

    def __get__(self, frame: Any, owner: type) -> Any:
        return self if frame is None else getattr(frame, self._name)

    def __set__(self, frame: Any, rules: Iterable[Any]) -> None:
        book = rules if isinstance(rules, RuleBook) else RuleBook(rules)
        setattr(frame, self._name, book)
