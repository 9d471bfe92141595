"""Checks of the parts of a rule; each gives the value as it is kept, or says what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from monitorlab.alerting.pairs import Pairs
from monitorlab.errors import RuleError, TimeError
from monitorlab.model import LABEL_NAME, Severity
from monitorlab.times import DurationLike, format_duration, parse_duration

__all__ = [
    "MAX_M_OF_N",
    "Escalation",
    "check_choice",
    "check_duration",
    "check_escalate",
    "check_flag",
    "check_m_of_n",
    "check_number",
    "check_pairs",
    "check_severity",
    "check_text",
    "setter",
    "severity_of",
]

Escalation: TypeAlias = "tuple[str, Severity]"


MAX_M_OF_N = 1_000


_SEVERITY_WORDS = {
    "page": Severity.CRITICAL,
    "crit": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "high": Severity.ERROR,
    "err": Severity.ERROR,
    "major": Severity.ERROR,
    "warn": Severity.WARNING,
    "ticket": Severity.WARNING,
    "medium": Severity.WARNING,
    "minor": Severity.WARNING,
    "low": Severity.INFO,
    "notice": Severity.INFO,
    "none": Severity.INFO,
}


def severity_of(label: str | None, default: Severity = Severity.WARNING) -> Severity:
    """Read a severity label as people write it (``page``, ``ticket``, ``crit`` …).

    Parameters
    ----------
    label : str, optional
        Value of the label.
    default : Severity
        What an unknown word means.

    Returns
    -------
    Severity

    Examples
    --------
    >>> severity_of("page").value
    'critical'
    """
    word = (label or "").strip().lower()
    if word in set(Severity):
        return Severity(word)
    return _SEVERITY_WORDS.get(word, default)


def setter(target: object) -> Any:
    return lambda name, value: object.__setattr__(target, name, value)


def check_text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        msg = f"the {what} must be a text that is not empty, not {value!r}"
        raise RuleError(msg)
    return value


def check_duration(value: DurationLike, what: str, where: str) -> str:
    try:
        return format_duration(parse_duration(value))
    except TimeError as error:
        msg = f"{where}: {what}: {error}"
        raise RuleError(msg) from error


def check_number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        msg = f"{where}: the threshold must be a number, not {value!r}"
        raise RuleError(msg)
    number = float(value)
    if math.isnan(number):
        msg = f"{where}: the threshold is NaN, and nothing compares with NaN; give a number"
        raise RuleError(msg)
    return number


def check_pairs(pairs: Mapping[str, Any] | None, what: str, where: str) -> Pairs:
    if pairs is None:
        return Pairs()
    if not isinstance(pairs, Mapping):
        msg = f"{where}: {what}s must be a mapping of names to texts, not {pairs!r}"
        raise RuleError(msg)
    for key in pairs:
        if not isinstance(key, str) or LABEL_NAME.fullmatch(key) is None or key == "__name__":
            msg = f"{where}: {key!r} is not a {what} name (letters, digits and _ only)"
            raise RuleError(msg)
    return Pairs(pairs)


def check_severity(
    severity: Severity | str | None, labels: Mapping[str, Any] | None, where: str
) -> tuple[Severity, Pairs]:
    pairs = check_pairs(labels, "label", where)
    if "alertname" in pairs:
        msg = f"{where}: the label alertname is set from the rule's name; leave it out"
        raise RuleError(msg)
    level = None if severity is None else Severity.parse(severity)
    written = pairs.get("severity")
    if written is None:
        if level is None:
            return Severity.WARNING, pairs
        return level, Pairs({**pairs, "severity": level.value})
    if written.lower() in set(Severity):
        return Severity(written.lower()), pairs
    return (severity_of(written) if level is None else level), pairs


def check_flag(value: Any, what: str, where: str) -> bool:
    if not isinstance(value, bool):
        msg = f"{where}: {what} must be True or False, not {value!r}"
        raise RuleError(msg)
    return value


def check_choice(value: Any, known: Sequence[str], what: str, where: str) -> Any:
    if value not in known:
        msg = f"{where}: {what} must be one of {', '.join(known)}, not {value!r}"
        raise RuleError(msg)
    return value


def check_m_of_n(value: Sequence[int] | None, where: str) -> tuple[int, int] | None:
    if value is None:
        return None
    pair = tuple(value) if isinstance(value, (list, tuple)) else ()
    if (
        len(pair) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) for v in pair)
        or not 1 <= pair[0] <= pair[1] <= MAX_M_OF_N
    ):
        msg = f"{where}: m_of_n must be (m, n) with 1 <= m <= n <= {MAX_M_OF_N}, not {value!r}"
        raise RuleError(msg)
    return (pair[0], pair[1])


def check_escalate(
    steps: Sequence[tuple[DurationLike, Severity | str]], where: str
) -> tuple[Escalation, ...]:
    found = []
    for item in steps:
        if isinstance(item, Mapping):
            item = (item.get("after"), item.get("severity"))
        if not isinstance(item, Sequence) or isinstance(item, str) or len(item) != 2:
            msg = f"{where}: each step of escalate must be (after, severity), not {item!r}"
            raise RuleError(msg)
        found.append((check_duration(item[0], "escalate", where), Severity.parse(item[1])))
    lengths = [parse_duration(after) for after, _ in found]
    if lengths != sorted(lengths):
        msg = f"{where}: the steps of escalate must be in rising order of time"
        raise RuleError(msg)
    return tuple(found)
