"""Which settings a sweep tries, and which of them is taken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from monitorlab.alerting.tree import windows_of
from monitorlab.errors import RuleError, TimeError
from monitorlab.times import DurationLike, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from monitorlab import query
    from monitorlab.alerting.rules import AlertRule

__all__ = [
    "choose",
    "fors_to_try",
    "length_of",
    "own_thresholds",
    "pareto",
    "thresholds_to_try",
    "windows_to_try",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
DEFAULT_FOR = ("0s", "15s", "30s", "1m", "2m", "5m", "10m", "15m")


_DIGITS = 4  # of thresholds that are proposed


def fors_to_try(given: Sequence[DurationLike] | None, rule: AlertRule, span: int) -> list[int]:
    texts: Sequence[DurationLike] = DEFAULT_FOR if given is None else given
    lengths = {length_of(text, "for_") for text in texts} | {parse_duration(rule.for_)}
    return sorted(length for length in lengths if length <= span)


def windows_to_try(given: Sequence[DurationLike] | None, node: query.Node) -> list[int | None]:
    own = windows_of(node)
    if not own:
        if given:
            msg = "the rule has no range window to tune; leave windows out"
            raise RuleError(msg)
        return [None]
    if given is not None:
        lengths = [length_of(w, "windows", least=1) for w in given]
        return [None, *[w for w in dict.fromkeys(lengths) if own != [w]]]
    if len(own) > 1:  # several windows belong together, as in burn rates: leave them
        return [None]
    return [None, *[w for w in (own[0] // 2, own[0] * 2, own[0] * 4) if w >= 10**9]]


def own_thresholds(thresholds: Sequence[float], own: float) -> list[float]:
    try:
        found = sorted({float(t) for t in thresholds} | {own})
    except (TypeError, ValueError) as error:
        msg = f"thresholds must be numbers, not {thresholds!r}"
        raise RuleError(msg) from error
    if any(math.isnan(t) for t in found):
        msg = "a threshold is NaN, and nothing compares with NaN"
        raise RuleError(msg)
    return found


def thresholds_to_try(values: FloatArray, op: str, own: float, count: int) -> list[float]:
    """Take thresholds from the values: dense where few samples are beyond.

    Values between the ordinary and the extreme are tried too, evenly and by equal factors:
    a good threshold often stands where there are no samples.
    """
    finite = values[np.isfinite(values)]
    if op in ("==", "!=") or not len(finite) or count < 2:
        return [own]
    tail = np.concatenate(
        [np.linspace(0.5, 0.95, count // 3), 1 - np.logspace(np.log10(0.05), -5, count // 3)]
    )
    tail = tail if op in (">", ">=") else 1 - tail
    quantiles = np.quantile(finite, np.clip(tail, 0, 1))
    edge = float(np.quantile(finite, 0.9 if op in (">", ">=") else 0.1))
    far = float(finite.max() if op in (">", ">=") else finite.min())
    rest = max(count - 2 * (count // 3), 2)
    if edge * far > 0:
        factors = np.geomspace(edge, far, max(rest // 2, 2))
        spread = np.concatenate([factors, np.linspace(edge, far, max(rest - rest // 2, 2))])
    else:
        spread = np.linspace(edge, far, rest)
    rounded = {_rounded(float(v)) for v in np.concatenate([quantiles, spread])}
    return sorted(rounded | {own})


def _rounded(value: float) -> float:
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))


def choose(table: pd.DataFrame, budget: float, step: float) -> tuple[int, bool, str]:
    useful = table[table["recall"] > 0]
    if not len(useful):
        quiet = table["false_positive_rate"].fillna(0.0)
        return int(quiet.idxmin()), False, "no setting detects anything on the training part; "
    within = useful[useful["false_positive_rate"].fillna(0.0) <= budget]
    if not len(within):
        lowest = useful["false_positive_rate"].min()
        near = useful[useful["false_positive_rate"] == lowest]
        pick = int(near.sort_values(["recall", "time_to_detect"], ascending=[False, True]).index[0])
        why = (
            f"no setting that detects anything keeps {100 * budget:g} %: the lowest rate is "
            f"{100 * lowest:.2f} %; "
        )
        return pick, False, why
    best = within[within["recall"] == within["recall"].max()]
    fastest = best["time_to_detect"].min()
    quick = best[best["time_to_detect"] <= fastest + max(2 * step, 0.5 * fastest)]
    lowest = quick["false_positive_rate"].min()
    good = quick[quick["false_positive_rate"] <= lowest]
    return _middle(table, good), True, ""


def _middle(table: pd.DataFrame, good: pd.DataFrame) -> int:
    """Take the threshold halfway along the longest row of neighbours that do equally well.

    Halfway by value: candidates stand close where the samples do, so the middle one by number
    would sit beside the ordinary samples.
    """
    best: list[int] = []
    for (window, for_), _ in good.groupby(["window", "for"], sort=False):
        line = table[(table["window"] == window) & (table["for"] == for_)]
        run: list[int] = []
        for i in line.sort_values("threshold").index:
            run = [*run, int(i)] if i in good.index else []
            best = run if len(run) > len(best) else best
    values = table.loc[best, "threshold"]
    return best[int(np.argmin(np.abs(values - (values.iloc[0] + values.iloc[-1]) / 2)))]


def pareto(table: pd.DataFrame) -> BoolArray:
    """Tell which rows no other row beats or equals in all three figures."""
    cost = np.column_stack(
        [
            table["false_positive_rate"].fillna(0.0),
            -table["recall"].fillna(0.0),
            table["time_to_detect"].fillna(np.inf),
        ]
    )
    unique, inverse = np.unique(cost, axis=0, return_inverse=True)
    kept = np.ones(len(unique), dtype=bool)
    for rows in _chunks(len(unique), 500):
        mine = unique[rows][:, None, :]
        beaten = (unique[None] <= mine).all(axis=2) & (unique[None] < mine).any(axis=2)
        kept[rows] = ~np.any(beaten, axis=1)
    first = np.zeros(len(table), dtype=bool)
    first[np.unique(inverse.ravel(), return_index=True)[1]] = True
    return kept[inverse.ravel()] & first & (table["recall"].to_numpy() > 0)


def _chunks(count: int, size: int) -> Iterator[slice]:
    return (slice(i, i + size) for i in range(0, count, size))


def length_of(value: DurationLike, what: str, least: int = 0) -> int:
    try:
        length = parse_duration(value)
    except TimeError as error:
        msg = f"tune: {what}: {error}"
        raise RuleError(msg) from error
    if length < least:
        msg = f"tune: {what} must be longer than nothing"
        raise RuleError(msg)
    return length
