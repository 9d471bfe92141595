"""A small immutable mapping of text to text that keeps its order and its empty values.

Rule labels and annotations need both: an empty rule label removes a label, and files are
written back in the order in which people wrote them.

>>> Pairs(team="shop")["team"]
'shop'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Pairs"]


class Pairs(Mapping[str, str]):
    """An immutable, hashable mapping of names to texts.

    Parameters
    ----------
    pairs : mapping of str to object, optional
        Names and values; values become text.
    **more : object
        The same, as keywords.

    Examples
    --------
    >>> Pairs({"a": 1}) == {"a": "1"}
    True
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        merged = {**(pairs or {}), **more}
        self._pairs: dict[str, str] = {str(k): str(v) for k, v in merged.items()}

    def __getitem__(self, name: str) -> str:
        return self._pairs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return hash(frozenset(self._pairs.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._pairs == dict(other)

    def to_dict(self) -> dict[str, str]:
        """Give a plain dictionary."""
        return dict(self._pairs)

    def __repr__(self) -> str:
        return repr(self._pairs)

    def __reduce__(self) -> tuple[type[Pairs], tuple[dict[str, str]]]:
        return (Pairs, (self._pairs,))
