"""From label conditions to series: an inverted index with PromQL's matching rules.

>>> from monitorlab.model import Labels, SeriesKey
>>> index = SeriesIndex()
>>> for code in ("200", "404", "503"):
...     _ = index.add(SeriesKey("requests", Labels(code=code)))
>>> [index.keys[i].labels["code"] for i in index.find([Matcher("code", "=~", "4..|5..")])]
['404', '503']
"""

from __future__ import annotations

from collections.abc import Iterable

from monitorlab.model import SeriesKey
from monitorlab.storage.matchers import NAME_LABEL, Matcher

__all__ = ["SeriesIndex"]

_REMEMBERED = 512  # answers kept until the next new series


class SeriesIndex:
    """Posting lists: label name, then value, then the series that have it.

    Notes
    -----
    A matcher is evaluated once for each distinct value of its label, not for each series.
    Matchers that a missing label fails intersect posting lists, the smallest first; those
    that a missing label passes subtract. Answers are in the order of the keys and are
    remembered until a series is added, so asking again costs one dictionary look-up.

    Examples
    --------
    >>> from monitorlab.model import Labels, SeriesKey
    >>> index = SeriesIndex()
    >>> index.add(SeriesKey("up", Labels(job="a"))), index.add(SeriesKey("up"))
    (0, 1)
    >>> index.find([Matcher("job", "=", "")])
    [1]
    """

    def __init__(self) -> None:
        self.keys: list[SeriesKey] = []
        self._number: dict[SeriesKey, int] = {}
        self._postings: dict[str, dict[str, set[int]]] = {NAME_LABEL: {}}
        self._sort_keys: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self._order: list[int] | None = None
        self._answers: dict[tuple[Matcher, ...], list[int]] = {}
        self.by_text: dict[str, list[int]] = {}  # the same by the selector's text

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def metrics(self) -> list[str]:
        """Metric names in order."""
        return sorted(self._postings[NAME_LABEL])

    def has_metric(self, name: str) -> bool:
        """Tell whether any series has this metric name."""
        return name in self._postings[NAME_LABEL]

    def label_names(self) -> list[str]:
        """Label names in order, the metric name's left out."""
        return sorted(name for name in self._postings if name != NAME_LABEL)

    def label_values(self, name: str) -> list[str]:
        """Values that a label takes, in order."""
        return sorted(self._postings.get(name, ()))

    def number(self, key: SeriesKey) -> int | None:
        """Give the number of a series, or None when there is no such series."""
        return self._number.get(key)

    def add(self, key: SeriesKey) -> int:
        """Add a series (or find it) and give its number."""
        known = self._number.get(key)
        if known is not None:
            return known
        number = len(self.keys)
        self.keys.append(key)
        self._number[key] = number
        self._postings[NAME_LABEL].setdefault(key.metric, set()).add(number)
        for name, value in key.labels.items():
            self._postings.setdefault(name, {}).setdefault(value, set()).add(number)
        self._sort_keys.append((key.metric, tuple(key.labels.items())))
        self._order = None
        self._answers.clear()
        self.by_text.clear()
        return number

    def find(self, matchers: Iterable[Matcher]) -> list[int]:
        """Give the numbers of the series that pass every matcher, in the order of the keys."""
        wanted = tuple(matchers)
        answer = self._answers.get(wanted)
        if answer is None:
            answer = self._in_order(self._search(wanted))
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
                self.by_text.clear()
            self._answers[wanted] = answer
        return answer

    def _search(self, matchers: tuple[Matcher, ...]) -> set[int] | None:
        required: list[set[int]] = []
        refused: list[set[int]] = []
        for matcher in matchers:
            postings = self._postings.get(matcher.name, {})
            test = matcher.test()
            if test(""):
                refused += [ids for value, ids in postings.items() if not test(value)]
            elif matcher.op == "=":
                required.append(postings.get(matcher.value, set()))
            else:
                required.append(
                    set().union(*(ids for value, ids in postings.items() if test(value)))
                )
        if not required and not refused:
            return None  # every series
        if required:
            required.sort(key=len)
            found = required[0].intersection(*required[1:])
        else:
            found = set(range(len(self.keys)))
        return found.difference(*refused)

    def _in_order(self, found: set[int] | None) -> list[int]:
        if self._order is None:
            self._order = sorted(range(len(self.keys)), key=self._sort_keys.__getitem__)
        if found is None:
            return self._order
        if len(found) * 8 < len(self.keys):
            return sorted(found, key=self._sort_keys.__getitem__)
        return [number for number in self._order if number in found]

    def __getstate__(self) -> list[SeriesKey]:
        return self.keys

    def __setstate__(self, keys: list[SeriesKey]) -> None:
        self.__init__()  # type: ignore[misc]
        for key in keys:
            self.add(key)
