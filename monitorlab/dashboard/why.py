"""Why a band is there: an incident's note, an alert's rule and values, a detector's words.

>>> from monitorlab.dashboard.bands import Span
>>> from monitorlab.model import Severity
>>> from monitorlab.storage import SeriesStore
>>> span = Span(0, 60 * 10**9, "incident", "cpu_hog", Severity.ERROR, "a test hogged it")
>>> why(span, Subject(SeriesStore()))
'marked as cpu_hog (error): a test hogged it'
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from monitorlab.dashboard.answers import ask
from monitorlab.dashboard.bands import Span
from monitorlab.dashboard.subject import Subject
from monitorlab.display import format_number
from monitorlab.errors import MonitorlabError
from monitorlab.times import from_ns, parse_duration

__all__ = ["why"]

STEPS = 200
LEAST_STEP_NS = 1_000_000_000
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_OWN_LABELS = ("alertname", "severity")


def why(span: Span, subject: Subject) -> str:
    """Say why a band is there.

    Parameters
    ----------
    span : Span
        The band.
    subject : Subject
        Where its rule and its samples are.

    Returns
    -------
    str
        For an incident what was marked; for an alert its condition, how long it had to hold
        and the values meanwhile; for an anomaly what the detector said.

    Examples
    --------
    >>> from monitorlab.model import Severity
    >>> from monitorlab.storage import SeriesStore
    >>> alert = Span(0, 60 * 10**9, "alert", "Slow", Severity.ERROR)
    >>> why(alert, Subject(SeriesStore()))
    'Slow (error): its rule is not known here'
    """
    if span.kind == "anomaly":
        return span.text
    if span.kind == "incident":
        note = f": {span.text}" if span.text else ""
        return f"marked as {span.label} ({span.severity.value}){note}"
    rule = next((rule for rule in subject.rules() if rule.name == span.label), None)
    if rule is None:
        return f"{span.label} ({span.severity.value}): its rule is not known here"
    held = "" if parse_duration(rule.for_) == 0 else f" had to hold for {rule.for_}"
    parts = [f"{rule.expr}{held}; {_values(rule, span, subject)}"]
    summary = dict(rule.annotations).get("summary") or dict(rule.annotations).get("description")
    if summary:
        parts.append(str(summary))
    named = ", ".join(
        f"{name}={value}" for name, value in _LABEL.findall(span.text) if name not in _OWN_LABELS
    )
    if named:
        parts.append(f"of {named}")
    return "\n".join(parts)


def _values(rule: Any, span: Span, subject: Subject) -> str:
    """Say what the condition's left side was while the alert fired."""
    step = max(LEAST_STEP_NS, (span.end_ns - span.start_ns) // STEPS)
    try:
        series = ask(subject.reader, rule.expr, span.start_ns, span.end_ns, step)
    except MonitorlabError as error:
        return f"its expression cannot be evaluated: {error}"
    best: tuple[float, int, np.ndarray] | None = None
    for _, times, values in series:
        finite = np.isfinite(values)
        if finite.any():
            size = np.abs(np.where(finite, values, 0.0))
            at = int(size.argmax())
            if best is None or size[at] > best[0]:
                best = (float(size[at]), int(times[at]), values[finite])
    if best is None:
        return "it did not hold any more while the alert was kept firing"
    _, time, values = best
    peak = format_number(float(values[np.abs(values).argmax()]))
    return (
        f"{format_number(float(values[0]))} when it fired, "
        f"{peak} at its most ({from_ns(time):%H:%M:%S}), {format_number(float(values[-1]))} at last"
    )
