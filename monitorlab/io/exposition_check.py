"""What OpenMetrics demands of whole families: order, groups, buckets, kinds of value.

>>> from monitorlab.io.exposition_scan import ExpositionScanner
>>> scanner = ExpositionScanner(openmetrics=True)
>>> scanner.feed(["# TYPE a counter", "a_total -1"], 1)
>>> check_families(scanner, *scanner.columns())
Traceback (most recent call last):
...
monitorlab.io.exposition_check.BrokenRuleError: a_total must not be negative
"""

from __future__ import annotations

import math

import numpy as np

from monitorlab.io.exposition_scan import ExpositionScanner, Family

__all__ = ["BrokenRuleError", "check_families"]

_COUNTS = ("_bucket", "_count", "_gcount")
_TOTALS = ("_total", "_sum", "_count", "_bucket", "_gcount", "_gsum")
_UNSIGNED = ("_total", "_sum", "_count", "_bucket", "_gcount")


class BrokenRuleError(ValueError):
    """A rule of OpenMetrics is broken at a sample or by a family.

    Parameters
    ----------
    message : str
        What is wrong.
    index : int, optional
        Number of the sample in the text, from 0.
    line : int, optional
        Line of the family.
    """

    def __init__(self, message: str, *, index: int | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.index = index
        self.line = line


def check_families(
    scanner: ExpositionScanner,
    codes: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    timed: np.ndarray,
) -> None:
    """Check the rules that no single line can break.

    Parameters
    ----------
    scanner : ExpositionScanner
        Series and families.
    codes, times, values, timed : numpy.ndarray
        Series number, time, value of each sample in the order of the text, and whether it
        has a time.

    Raises
    ------
    BrokenRuleError
        At the first broken rule.

    Notes
    -----
    Vectorised over the samples: O(n log n) for n samples at worst, a few comparisons each.

    References
    ----------
    OpenMetrics 1.0, sections "Overall structure" and "Metric types".

    Examples
    --------
    >>> scanner = ExpositionScanner(openmetrics=True)
    >>> scanner.feed(["a 1 1", "a 2 2"], 1)
    >>> check_families(scanner, *scanner.columns())
    """
    for family in scanner.families:
        _check_unit(family)
    suffixes = [
        key.metric[len(scanner.families[f].name) :]
        for key, f in zip(scanner.keys, scanner.family_of, strict=True)
    ]
    for number, suffix in enumerate(suffixes):
        _check_series(scanner, number, suffix, codes)
    if not len(codes):
        return
    _check_values(scanner, suffixes, codes, values)
    family_of = np.array(scanner.family_of)
    _check_one_run(family_of[codes], "the samples of a family must stand together")
    groups = _groups(scanner, suffixes)
    group_of = groups[codes]
    _check_one_run(group_of, "the samples of one label set must stand together")
    same = group_of[1:] == group_of[:-1]
    mixed = same & (timed[1:] != timed[:-1])
    if mixed.any():
        raise BrokenRuleError(
            "some samples of one label set have times and some do not",
            index=int(mixed.argmax()) + 1,
        )
    infos = np.array([f.type == "info" for f in scanner.families])[family_of[codes]]
    back = same & (times[1:] < times[:-1]) & ~infos[1:]
    if back.any():
        raise BrokenRuleError(
            "times go backwards within one label set", index=int(back.argmax()) + 1
        )
    _check_exemplars(scanner, suffixes, codes)
    for number, family in enumerate(scanner.families):
        if family.type in ("histogram", "gaugehistogram"):
            chosen = np.flatnonzero(family_of[codes] == number)
            _check_histogram(scanner, suffixes, codes, times, values, group_of, chosen)


def _check_unit(family: Family) -> None:
    if not family.unit:
        return
    if not family.name.endswith(f"_{family.unit}"):
        raise BrokenRuleError(
            f"the name {family.name!r} does not end in its unit {family.unit!r}", line=family.line
        )
    if family.type in ("info", "stateset"):
        raise BrokenRuleError(f"a family of type {family.type} has no unit", line=family.line)


def _check_series(scanner: ExpositionScanner, number: int, suffix: str, codes: np.ndarray) -> None:
    family = scanner.families[scanner.family_of[number]]
    labels = scanner.keys[number].labels
    problem = ""
    if family.type in ("histogram", "gaugehistogram") and suffix == "_bucket":
        problem = _bound_problem(labels.get("le"), "le")
    elif family.type == "summary" and suffix == "":
        problem = _bound_problem(labels.get("quantile"), "quantile")
        if not problem and not 0 <= float(labels["quantile"]) <= 1:
            problem = "the label quantile must be between 0 and 1"
    elif family.type == "stateset" and family.name not in labels:
        problem = f"a state needs the label {family.name!r}"
    if problem:
        raise BrokenRuleError(problem, index=int((codes == number).argmax()))


def _bound_problem(text: str | None, label: str) -> str:
    if text is None:
        return f"the label {label} is missing"
    try:
        bound = float(text)
    except ValueError:
        bound = math.nan
    if math.isnan(bound):
        return f"the label {label}={text!r} is not a number"
    return f"write {label}='+Inf', not {text!r}" if bound == math.inf and text != "+Inf" else ""


def _check_values(
    scanner: ExpositionScanner, suffixes: list[str], codes: np.ndarray, values: np.ndarray
) -> None:
    kinds = [scanner.families[f].type for f in scanner.family_of]
    owned = [k is not None and k != "unknown" for k in kinds]
    missing = np.isnan(values)
    rules = (
        (_COUNTS, ~missing & (values != np.floor(values)), "must be a whole number"),
        (_TOTALS, missing, "must not be NaN"),
        (_UNSIGNED, values < 0, "must not be negative"),
    )
    for endings, wrong, text in rules:
        if not wrong.any():
            continue
        bound = np.array([o and s in endings for o, s in zip(owned, suffixes, strict=True)])
        _refuse(scanner, codes, wrong & bound[codes], text)
    for kind, wrong, text in (
        ("stateset", (values != 0) & (values != 1), "must be 0 or 1"),
        ("info", values != 1, "must be 1"),
    ):
        _refuse(scanner, codes, wrong & np.array([k == kind for k in kinds])[codes], text)
    plain = np.array([k == "summary" and not s for k, s in zip(kinds, suffixes, strict=True)])
    _refuse(scanner, codes, (values < 0) & plain[codes], "must not be negative")


def _refuse(scanner: ExpositionScanner, codes: np.ndarray, wrong: np.ndarray, text: str) -> None:
    if wrong.any():
        index = int(wrong.argmax())
        name = scanner.keys[int(codes[index])].metric
        raise BrokenRuleError(f"{name} {text}", index=index)


def _check_one_run(numbers: np.ndarray, text: str) -> None:
    starts = np.flatnonzero(np.concatenate([[True], numbers[1:] != numbers[:-1]]))
    heads = numbers[starts]
    _, first = np.unique(heads, return_index=True)
    if len(first) < len(heads):
        again = np.ones(len(heads), bool)
        again[first] = False
        raise BrokenRuleError(text, index=int(starts[again.argmax()]))


def _groups(scanner: ExpositionScanner, suffixes: list[str]) -> np.ndarray:
    """Number the label sets within families: what must stand together, in time order."""
    known: dict[tuple[object, ...], int] = {}
    groups = []
    for key, number, suffix in zip(scanner.keys, scanner.family_of, suffixes, strict=True):
        family = scanner.families[number]
        labels = key.labels
        if family.type == "info":
            labels = labels.only()
        elif family.type == "summary" and suffix == "":
            labels = labels.without("quantile")
        elif family.type == "stateset":
            labels = labels.without(family.name)
        elif family.type in ("histogram", "gaugehistogram") and suffix == "_bucket":
            labels = labels.without("le")
        groups.append(known.setdefault((number, labels), len(known)))
    return np.array(groups)


def _check_exemplars(scanner: ExpositionScanner, suffixes: list[str], codes: np.ndarray) -> None:
    allowed = {("histogram", "_bucket"), ("gaugehistogram", "_bucket"), ("counter", "_total")}
    for index, _ in scanner.exemplars:
        number = int(codes[index])
        kind = scanner.families[scanner.family_of[number]].type
        if (kind, suffixes[number]) not in allowed:
            raise BrokenRuleError("only buckets and counters may have exemplars", index=index)


def _check_histogram(
    scanner: ExpositionScanner,
    suffixes: list[str],
    codes: np.ndarray,
    times: np.ndarray,
    values: np.ndarray,
    group_of: np.ndarray,
    chosen: np.ndarray,
) -> None:
    """Check buckets, count and sum of each label set at each time."""
    if not len(chosen):
        return
    kinds = np.array(suffixes)[codes[chosen]]
    counted = kinds != "_created"
    chosen, kinds = chosen[counted], kinds[counted]
    bounds = np.array([_bound(k.labels.get("le", "")) for k in scanner.keys])[codes[chosen]]
    group, time, value = group_of[chosen], times[chosen], values[chosen]
    fresh = np.concatenate([[True], (group[1:] != group[:-1]) | (time[1:] != time[:-1])])
    block = np.cumsum(fresh) - 1
    size = int(block[-1]) + 1 if len(block) else 0
    is_bucket = kinds == "_bucket"
    at = np.flatnonzero(is_bucket)
    near = block[at[1:]] == block[at[:-1]]
    for wrong, text in (
        (near & (bounds[at[1:]] <= bounds[at[:-1]]), "buckets must stand in order of le"),
        (near & (value[at[1:]] < value[at[:-1]]), "bucket counts must not fall as le rises"),
    ):
        if wrong.any():
            raise BrokenRuleError(text, index=int(chosen[at[1:][wrong.argmax()]]))
    last = np.full(size, np.nan)
    top = np.full(size, np.nan)
    last[block[at]] = bounds[at]
    top[block[at]] = value[at]
    first = np.flatnonzero(fresh)
    _refuse_block(last != np.inf, "the bucket le='+Inf' is missing", chosen, first)
    is_count = np.isin(kinds, ("_count", "_gcount"))
    is_sum = np.isin(kinds, ("_sum", "_gsum"))
    has_count = np.zeros(size, bool)
    has_count[block[is_count]] = True
    counts = np.full(size, np.nan)
    counts[block[is_count]] = value[is_count]
    has_sum = np.zeros(size, bool)
    has_sum[block[is_sum]] = True
    _refuse_block(has_count & (counts != top), "count must equal bucket +Inf", chosen, first)
    _refuse_block(has_sum != has_count, "sum and count must stand together", chosen, first)
    negative = np.zeros(size, bool)
    negative[block[at[bounds[at] < 0]]] = True
    plain_sum = np.zeros(size, bool)
    plain_sum[block[kinds == "_sum"]] = True
    text = "a histogram with negative buckets has no sum"
    _refuse_block(negative & plain_sum, text, chosen, first)
    below = np.zeros(size, bool)
    below[block[(kinds == "_gsum") & (value < 0)]] = True
    text = "a negative gsum needs negative buckets"
    _refuse_block(below & ~negative, text, chosen, first)


def _refuse_block(wrong: np.ndarray, text: str, chosen: np.ndarray, first: np.ndarray) -> None:
    if wrong.any():
        raise BrokenRuleError(text, index=int(chosen[first[wrong.argmax()]]))


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # a label le of a series that is no bucket
        return math.nan
