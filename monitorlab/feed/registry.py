"""Which feeds run, and which of them a new one replaces.

A feed replaces the running one of the same name; one without a name of its own replaces the
feed that the same notebook cell started before.

>>> place = Place("shop")
>>> place.replaces(Place("shop")), place.replaces(Place("other"))
(True, False)
"""

from __future__ import annotations

import sys
import weakref
from dataclasses import dataclass
from typing import Any

__all__ = ["DEFAULT_NAME", "Place", "Registry"]

DEFAULT_NAME = "feed"


@dataclass(frozen=True, slots=True)
class Place:
    """What a feed is called and where it was started.

    Parameters
    ----------
    name : str
        Its name.
    cell : str, optional
        The notebook cell, where there is one.
    run : str, optional
        Which run of the cell: two feeds of one run stand side by side.

    Examples
    --------
    >>> Place("feed").replaces(Place("feed"))
    False
    """

    name: str
    cell: str | None = None
    run: str | None = None

    def replaces(self, other: Place) -> bool:
        """Tell whether a feed here takes the place of another."""
        if self.name != DEFAULT_NAME or other.name != DEFAULT_NAME:
            return self.name == other.name
        return self.cell is not None and self.cell == other.cell and self.run != other.run

    @classmethod
    def here(cls, name: str) -> Place:
        """Give the place of the code that runs now."""
        return cls(name, *_cell())


class Registry:
    """The running feeds of this process.

    Examples
    --------
    >>> Registry().enter(Place("shop"), object())
    []
    """

    def __init__(self) -> None:
        self._running: weakref.WeakKeyDictionary[Any, Place] = weakref.WeakKeyDictionary()

    def enter(self, place: Place, feed: Any) -> list[Any]:
        """Write a feed down; gives those that it replaces."""
        before = [other for other, there in self._running.items() if place.replaces(there)]
        try:
            self._running[feed] = place
        except TypeError:  # an object without weak references is not kept
            return before
        return [other for other in before if other is not feed]

    def leave(self, feed: Any) -> None:
        """Take a feed out; one that is not there is no error."""
        self._running.pop(feed, None)


def _cell() -> tuple[str | None, str | None]:
    """Name the notebook cell that runs and its run: by an id where the front end gives one.

    Without an id it is the code of the cell (and the line in it): running the cell again,
    unchanged, is what has to be recognised.
    """
    python = sys.modules.get("IPython")
    shell = None if python is None else python.get_ipython()
    if shell is None:
        return None, None
    told = getattr(shell, "get_parent", None)
    message = (told() if told is not None else None) or {}
    run = str((message.get("header") or {}).get("msg_id") or shell.execution_count)
    found = (message.get("metadata") or {}).get("cellId")
    if found:
        return str(found), run
    frame = sys._getframe(1)  # noqa: SLF001 - the one way to know the caller's file
    while frame is not None:
        name = frame.f_code.co_filename
        if "ipykernel_" in name or name.startswith("<ipython-input"):
            return f"{name}:{frame.f_lineno}", run
        frame = frame.f_back  # type: ignore[assignment]
    return None, None
