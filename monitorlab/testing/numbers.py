"""Compare two printed texts number by number, within a stated tolerance.

Numbers with a decimal point or an exponent may differ within the tolerance. Whole numbers
(counts), times, versions and all words must be the same.

>>> near = Tolerance(rtol=1e-3)
>>> same_text("mean 12.001 of 21", "mean 12.002 of 21", near)
True
>>> same_text("mean 12.001 of 21", "mean 12.002 of 22", near)
False
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitorlab.errors import RecordingError

__all__ = ["STRICT", "Tolerance", "same_text"]

# Read as one word: dates and times, clock times, versions and addresses.
_WORD = (
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,3}:\d{2}(?::\d{2}(?:\.\d+)?)?"
    r"|\d+(?:\.\d+){2,}"
)
_NUMBER = r"(?<![\w.])[-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_TOKEN = re.compile(f"(?P<word>{_WORD})|(?P<number>{_NUMBER})")
_TAG = re.compile(r"(rtol|atol)\s*=\s*(\S+)")


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be from the stored one: ``atol + rtol × |stored|``.

    Parameters
    ----------
    rtol, atol : float
        Relative and absolute tolerance; both 0 asks for the same text.

    Raises
    ------
    RecordingError
        If a tolerance is negative or no number.

    Notes
    -----
    The tolerance is applied to what is printed: a number printed with two digits that falls on
    the other side of a rounding edge differs by a whole last digit. Print the digits that matter.

    Examples
    --------
    >>> Tolerance(rtol=0.01).covers(stored=100.0, now=100.9)
    True
    """

    rtol: float = 0.0
    atol: float = 0.0

    def __post_init__(self) -> None:
        for name in ("rtol", "atol"):
            value = getattr(self, name)
            if not value >= 0 or math.isinf(value):
                msg = f"{name}={value!r} is no tolerance; give a number of at least 0"
                raise RecordingError(msg)

    def __bool__(self) -> bool:
        return bool(self.rtol or self.atol)

    def covers(self, *, stored: float, now: float) -> bool:
        """Say whether a number is near enough to the stored one.

        Parameters
        ----------
        stored, now : float
            The two numbers; NaN is near NaN only.

        Returns
        -------
        bool
        """
        if math.isnan(stored) or math.isnan(now):
            return math.isnan(stored) and math.isnan(now)
        if math.isinf(stored) or math.isinf(now):
            return stored == now
        return abs(now - stored) <= self.atol + self.rtol * abs(stored)

    def with_tags(self, tags: Iterable[str]) -> Tolerance:
        """Give the tolerance of a cell whose tags say another, as ``rtol=1e-6``.

        Parameters
        ----------
        tags : iterable of str
            The cell's tags.

        Returns
        -------
        Tolerance

        Raises
        ------
        RecordingError
            If a tag gives no number.
        """
        found = {"rtol": self.rtol, "atol": self.atol}
        for tag in tags:
            match = _TAG.fullmatch(tag.strip())
            if match is None:
                continue
            try:
                found[match[1]] = float(match[2])
            except ValueError as error:
                msg = f"the cell's tag {tag!r} gives no number; write {match[1]}=1e-6"
                raise RecordingError(msg) from error
        return Tolerance(**found)


STRICT = Tolerance()


def same_text(stored: str, now: str, tolerance: Tolerance = STRICT) -> bool:
    """Decide whether two texts say the same, numbers compared within a tolerance.

    Parameters
    ----------
    stored, now : str
        The two texts.
    tolerance : Tolerance
        With none, the texts must be equal to the character; else the amount of white space
        does not count, as a table is set wider by one more digit.

    Returns
    -------
    bool

    Examples
    --------
    >>> same_text("at 2026-01-01 00:00:05.1", "at 2026-01-01 00:00:05.2", Tolerance(rtol=1))
    False
    """
    if stored == now:
        return True
    if not tolerance:
        return False
    left, right = _tokens(stored), _tokens(now)
    return len(left) == len(right) and all(
        a == b or _near(a, b, tolerance) for a, b in zip(left, right, strict=True)
    )


def _tokens(text: str) -> list[tuple[str, str]]:
    """Give ``(kind, text)`` with kind "text" or "number"; white space is one blank."""
    found: list[tuple[str, str]] = []
    plain = ""
    at = 0
    for match in _TOKEN.finditer(text):
        plain += text[at : match.start()]
        at = match.end()
        if match.lastgroup == "number":
            found += [("text", " ".join(plain.split())), ("number", match[0])]
            plain = ""
        else:
            plain += match[0]
    found.append(("text", " ".join((plain + text[at:]).split())))
    return found


def _near(stored: tuple[str, str], now: tuple[str, str], tolerance: Tolerance) -> bool:
    if stored[0] != "number" or now[0] != "number":
        return False
    a, b = (text.replace(",", "") for text in (stored[1], now[1]))
    if not any(mark in a + b for mark in ".eE"):
        return False
    return tolerance.covers(stored=float(a), now=float(b))
