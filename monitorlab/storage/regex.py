"""Regular expressions that cannot run away: RE2 when it is there, a guarded ``re`` otherwise.

>>> compile_regex("5..")("503") is not None
True
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from monitorlab.errors import MatcherError

__all__ = ["MAX_PATTERN_CHARACTERS", "compile_regex"]

MAX_PATTERN_CHARACTERS = 4096  # longest expression that is accepted
MAX_UNBOUNDED = 6  # unbounded repeats in one expression without RE2: x*y*z* backtracks as n^3
_GROUP_OPTIONS = re.compile(r"\?(?:P?<[A-Za-z_]\w*>|[imsU-]*:|[imsU-]+\))")
_REPEAT = re.compile(r"[*+?]|\{\d*(?:,\d*)?\}")


@lru_cache(maxsize=1024)
def compile_regex(pattern: str) -> Callable[[str], object | None]:
    """Make an anchored matcher of an expression, in linear time or guarded.

    Parameters
    ----------
    pattern : str
        RE2 syntax; ``.`` matches a line break too.

    Returns
    -------
    callable
        Takes a text, gives a match that covers all of it, or None.

    Raises
    ------
    MatcherError
        If the expression is malformed, longer than 4096 characters, or — without
        ``google-re2`` — one on which backtracking may take exponential time.

    Notes
    -----
    With ``google-re2`` installed matching takes time linear in the text. Without it,
    Python's ``re`` is used; look-around and back-references (which RE2 has not) are
    refused, as are repeats of groups that repeat or branch inside, and more than six
    unbounded repeats.

    References
    ----------
    R. Cox (2007), "Regular expression matching can be simple and fast".

    Examples
    --------
    >>> compile_regex("a|b")("ab") is None
    True
    """
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        msg = (
            f"regular expression of {len(pattern)} characters; "
            f"at most {MAX_PATTERN_CHARACTERS} are accepted"
        )
        raise MatcherError(msg)
    re2 = _load_re2()
    if re2 is not None:
        return _with_re2(re2, pattern)
    return _with_re(pattern)


def _load_re2() -> Any:
    try:
        import re2
    except ImportError:
        return None
    return re2


def _with_re2(re2: Any, pattern: str) -> Callable[[str], object | None]:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        msg = f"wrong regular expression {pattern!r}: {text}"
        raise MatcherError(msg) from error
    fullmatch: Callable[[str], object | None] = compiled.fullmatch
    return fullmatch


def _with_re(pattern: str) -> Callable[[str], object | None]:
    _refuse_costly(pattern)
    try:
        return re.compile(pattern, re.DOTALL).fullmatch
    except (re.error, OverflowError, RecursionError) as error:
        msg = f"wrong regular expression {pattern!r}: {error}"
        raise MatcherError(msg) from error


def _refuse_costly(pattern: str) -> None:
    """Refuse what backtracking could take exponential time for, by one scan."""
    unbounded = 0
    # One entry an open group: does anything inside repeat, or branch?
    groups: list[bool] = [False]
    closed: bool | None = None  # state of the group that just ended, if one did
    at = 0
    while at < len(pattern):
        char = pattern[at]
        repeat = _REPEAT.match(pattern, at)
        if char == "\\":
            if pattern[at + 1 : at + 2].isdigit() and pattern[at + 1] != "0":
                raise _costly(pattern, "back-references are not supported")
            at += 2
            closed = None
        elif char == "[":
            at = _skip_class(pattern, at)
            closed = None
        elif char == "(":
            if pattern[at + 1 : at + 2] == "?":
                option = _GROUP_OPTIONS.match(pattern, at + 1)
                if option is None:
                    raise _costly(pattern, "look-around is not supported")
                at = option.end()
                if option.group().endswith(")"):
                    continue
            else:
                at += 1
            groups.append(False)
            closed = None
        elif char == ")":
            at += 1
            closed = groups.pop() if len(groups) > 1 else None
            groups[-1] = groups[-1] or bool(closed)
        elif repeat:
            open_ended = repeat.group() in "*+" or repeat.group().endswith(",}")
            many = open_ended or repeat.group().startswith("{")
            if many and closed:
                raise _costly(pattern, "a repeated group repeats or branches inside")
            unbounded += open_ended
            groups[-1] = groups[-1] or many
            at = repeat.end()
            if pattern[at : at + 1] == "?":
                at += 1
            closed = None
        else:
            groups[-1] = groups[-1] or char == "|"
            at += 1
            closed = None
    if unbounded > MAX_UNBOUNDED:
        raise _costly(pattern, f"more than {MAX_UNBOUNDED} unbounded repeats")


def _skip_class(pattern: str, at: int) -> int:
    at += 1
    if pattern[at : at + 1] == "^":
        at += 1
    if pattern[at : at + 1] == "]":
        at += 1
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1


def _costly(pattern: str, why: str) -> MatcherError:
    return MatcherError(
        f"regular expression {pattern!r} is refused: {why}; "
        "simplify it, or install google-re2, which matches in linear time"
    )
