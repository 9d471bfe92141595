"""Run cases of a PromQL conformance file: what is loaded, the question, the answer.

A case is a dictionary: ``loads`` (list of ``{step, series: [[name, notation], …]}``),
``eval`` (``{at}`` or ``{start, end, step}``), ``expr``, ``fails``, ``ordered`` and
``expected`` (list of ``[labels, value or notation]``).

>>> case = {"id": "one", "loads": [], "eval": {"at": "0"}, "expr": "1 + 1",
...         "expected": [["", "2"]]}
>>> run_cases([case])
[('one', True, '')]
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from monitorlab.errors import MonitorlabError
from monitorlab.model import Labels
from monitorlab.query.api import evaluate_value, make_steps
from monitorlab.query.matrix import NAME, Floats, Ints, Vector, Windows
from monitorlab.query.notation import load_notation, parse_notation, parse_series
from monitorlab.query.options import QueryOptions
from monitorlab.storage import SeriesStore
from monitorlab.times import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["load_notation", "run_case", "run_cases"]

RELATIVE_TOLERANCE = 1e-6
_SMALLEST_NORMAL = 2.2250738585072014e-308
_LARGEST = 1.7976931348623157e308


def run_cases(cases: Iterable[Mapping[str, Any]]) -> list[tuple[str, bool, str]]:
    """Evaluate conformance cases and compare with what is expected.

    Parameters
    ----------
    cases : iterable of mapping
        Cases as in the module's docstring.

    Returns
    -------
    list of (str, bool, str)
        Identifier, whether it passed, and why not.

    Notes
    -----
    Labels must be equal, values within 1e-6 relative; a case that ``fails`` needs an error
    of monitorlab's own.

    Examples
    --------
    >>> run_cases([{"id": "x", "loads": [], "eval": {"at": "0"}, "expr": "1 +", "fails": True}])
    [('x', True, '')]
    """
    return [(str(case.get("id", number)), *run_case(case)) for number, case in enumerate(cases)]


def run_case(case: Mapping[str, Any]) -> tuple[bool, str]:
    """Evaluate one case.

    Parameters
    ----------
    case : mapping
        A case as in the module's docstring.

    Returns
    -------
    passed : bool
        Whether the answer is the expected one.
    why : str
        What differs; empty when it passed.

    Examples
    --------
    >>> run_case({"loads": [], "eval": {"at": "0"}, "expr": "2", "expected": [["", "3"]]})
    (False, 'scalar: expected 3.0, got 2.0')
    """
    fails = bool(case.get("fails"))
    try:
        steps = _steps(case["eval"])
        store = SeriesStore()
        for load in case.get("loads", ()):
            load_notation([tuple(pair) for pair in load["series"]], load["step"], store=store)
        end = _time(case["eval"].get("end", case["eval"].get("at")))
        value = evaluate_value(store, case["expr"], steps, QueryOptions(), end_ns=end)
    except MonitorlabError as error:
        return fails, "" if fails else f"{type(error).__name__}: {error}"
    except Exception as error:  # noqa: BLE001 - a crash is a failed case, to be reported
        return False, f"{type(error).__name__}: {error}"
    if fails:
        return False, "an error was expected"
    why = _compare(case, value, steps)
    return not why, why


def _steps(when: Mapping[str, Any]) -> Ints:
    if "at" in when:
        return np.array([_time(when["at"])], np.int64)
    return make_steps(
        _time(when["start"]), _time(when["end"]), _time(when["step"]), QueryOptions().limits
    )


def _time(value: Any) -> int:
    """Read a time from 0: a duration, or a number of seconds as number or text."""
    if isinstance(value, str):
        text = value.strip()
        sign = -1 if text.startswith("-") else 1
        text = text.lstrip("+-")
        try:
            return sign * round(float(text) * 1e9)
        except ValueError:
            return sign * parse_duration(text)
    return round(float(value) * 1e9)


def _compare(case: Mapping[str, Any], value: Any, steps: Ints) -> str:
    expected: Sequence[Sequence[str]] = case.get("expected") or ()
    if isinstance(value, str):
        wanted = [item[1] for item in expected]
        return "" if wanted == [value] else f"expected {wanted}, got the text {value!r}"
    if isinstance(value, Windows):
        return "the answer is a range of samples"
    if not isinstance(value, Vector):
        if len(expected) != 1 or expected[0][0].strip() not in ("", "{}"):
            return f"got a scalar, expected {expected}"
        return _compare_row("scalar", expected[0][1], value, np.ones(len(steps), bool))
    if len(expected) == 1 and expected[0][0] == "" and len(steps) == 1:
        return f"expected a scalar, got {len(value)} series"
    rows = {labels: row for row, labels in enumerate(value.labels)}
    wanted_labels = [_labels(text) for text, _ in expected]
    if set(rows) != set(wanted_labels):
        missing = [repr(one) for one in wanted_labels if one not in rows]
        extra = [repr(one) for one in rows if one not in wanted_labels]
        return f"missing series {missing}, unexpected series {extra}"
    if case.get("ordered") and list(value.labels) != wanted_labels:
        return f"order: expected {wanted_labels}, got {value.labels}"
    for labels, (_, text) in zip(wanted_labels, expected, strict=True):
        row = rows[labels]
        why = _compare_row(repr(labels), text, value.values[row], value.present[row])
        if why:
            return why
    return ""


def _compare_row(name: str, text: str, values: Floats, present: Any) -> str:
    wanted, there = parse_notation(text)
    if there[len(values) :].any():
        return f"{name}: {len(wanted)} values expected, got {len(values)} steps"
    wanted, there = _padded(wanted, there, len(values))
    for step, (want, has, got, got_has) in enumerate(
        zip(wanted, there, values, present, strict=True)
    ):
        where = f" at step {step}" if len(values) > 1 else ""
        if has != got_has:
            return f"{name}{where}: {'nothing found' if has else f'unexpected value {got}'}"
        if has and not _equal(float(want), float(got)):
            return f"{name}{where}: expected {want}, got {got}"
    return ""


def _padded(values: Floats, present: Any, length: int) -> tuple[Floats, Any]:
    """Bring an expectation to the length of the answer: gaps at its end may be left out."""
    short = length - len(values)
    if short >= 0:
        return np.pad(values, (0, short)), np.pad(present, (0, short))
    return values[:length], present[:length]


def _equal(want: float, got: float) -> bool:
    """Compare as the original runner does: relative to the sum of both."""
    if want == got or (math.isnan(want) and math.isnan(got)):
        return True
    if math.isnan(want) or math.isnan(got) or math.isinf(want) or math.isinf(got):
        return False
    total, gap = abs(want) + abs(got), abs(want - got)
    if want == 0 or got == 0 or total < _SMALLEST_NORMAL:
        return gap < RELATIVE_TOLERANCE * _SMALLEST_NORMAL
    return gap / min(total, _LARGEST) < RELATIVE_TOLERANCE


def _labels(text: str) -> Labels:
    key = parse_series(text)
    return Labels({**key.labels, NAME: key.metric})
