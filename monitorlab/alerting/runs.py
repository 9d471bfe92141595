"""Where conditions hold and where firings end, found on runs of equal values.

>>> from monitorlab.alerting.state import Policy
>>> on = np.array([[True, True, False]])
>>> Runs.find(Policy(), np.arange(3), on, on).end.tolist()
[2]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitorlab.alerting.state import Policy

__all__ = ["BoolArray", "FloatArray", "IntArray", "Runs", "condition"]

BoolArray: TypeAlias = "npt.NDArray[np.bool_]"
FloatArray: TypeAlias = "npt.NDArray[np.float64]"
IntArray: TypeAlias = "npt.NDArray[np.int64]"


def condition(
    policy: Policy,
    present: BoolArray,
    data: BoolArray | None = None,
    resolve: BoolArray | None = None,
) -> tuple[BoolArray, BoolArray]:
    """Give where the condition counts as true, and where a firing alert is held.

    Parameters
    ----------
    policy : Policy
        The rule's numbers.
    present, data, resolve : numpy.ndarray of bool, shape (n_rows, n_steps)
        See ``run``.

    Returns
    -------
    active, hold : numpy.ndarray of bool, shape (n_rows, n_steps)
        One array twice when they are the same.

    Examples
    --------
    >>> from monitorlab.alerting.state import Policy
    >>> on = np.array([[True, False, True]])
    >>> condition(Policy(m=2, n=3), on)[0].tolist()
    [[False, False, True]]
    """
    had = np.ones_like(present) if data is None else data
    raw, cleared = _effective(policy, present, had, resolve)
    active = _m_of_n(raw, policy.m, policy.n)
    return active, _held(policy, active, had, cleared)


def _effective(
    policy: Policy, present: BoolArray, data: BoolArray, resolve: BoolArray | None
) -> tuple[BoolArray, BoolArray]:
    cleared = np.zeros_like(present) if resolve is None else resolve
    missing = ~data & ~present
    if policy.no_data == "ok" or not missing.any():
        return present, cleared
    if policy.no_data == "alert":
        seen_before = np.logical_or.accumulate(data, axis=1)
        return present | (missing & seen_before), cleared
    last = np.maximum.accumulate(np.where(missing, -1, np.arange(present.shape[1])), axis=1)
    at = np.maximum(last, 0)
    known = last >= 0
    return (
        known & np.take_along_axis(present, at, axis=1),
        known & np.take_along_axis(cleared, at, axis=1),
    )


def _m_of_n(raw: BoolArray, m: int, n: int) -> BoolArray:
    if n == 1:
        return raw
    total = np.cumsum(raw, axis=1, dtype=np.int32)
    total[:, n:] -= total[:, :-n].copy()
    return total >= m


def _held(policy: Policy, active: BoolArray, data: BoolArray, cleared: BoolArray) -> BoolArray:
    if not policy.hysteresis:
        return active
    known = data if policy.no_data == "ok" else np.logical_or.accumulate(data, axis=1)
    return active | (known & ~cleared)


def _runs(mask: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    steps = mask.shape[1]
    rise, fall = mask.copy(), mask.copy()
    rise[:, 1:] &= ~mask[:, :-1]
    fall[:, :-1] &= ~mask[:, 1:]
    row, start = np.divmod(np.flatnonzero(rise), max(steps, 1))
    return row, start, np.flatnonzero(fall) % max(steps, 1) + 1


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of a condition and the points at which a firing ends; good for any ``for``.

    Positions are ``row * (steps + 1) + step``.

    Parameters
    ----------
    times : numpy.ndarray of int64, shape (n_steps,)
        The grid.
    row, start, end : numpy.ndarray of int64
        Runs of the condition, half-open in steps.
    points : numpy.ndarray of int64
        Sorted positions of resolve points; each row has one after its last step.
    by_hand : numpy.ndarray of int64
        Those that a person made.

    Examples
    --------
    >>> from monitorlab.alerting.state import Policy
    >>> on = np.array([[True, True, False]])
    >>> runs = Runs.find(Policy(), np.arange(3), on, on)
    >>> runs.row.tolist(), runs.start.tolist(), runs.end.tolist()
    ([0], [0], [2])
    """

    times: IntArray
    row: IntArray
    start: IntArray
    end: IntArray
    points: IntArray
    by_hand: IntArray

    @classmethod
    def find(
        cls,
        policy: Policy,
        times: IntArray,
        active: BoolArray,
        hold: BoolArray,
        forced: Sequence[tuple[int, int]] = (),
    ) -> Runs:
        """Find them; ``hold`` is where a firing alert does not begin to end."""
        rows, steps = active.shape
        width = steps + 1
        row, start, end = _runs(active)
        points = [np.arange(rows, dtype=np.int64) * width + steps]
        if policy.auto_resolve and hold is active and not policy.keep_ns:
            points.append(row * width + end)
        elif policy.auto_resolve:
            gap_row, gap_start, gap_end = _runs(~hold)
            at = np.searchsorted(times, times[gap_start] + policy.keep_ns)
            kept = at < gap_end
            points.append(gap_row[kept] * width + at[kept])
        by_hand = np.array([r * width + at for r, at in forced], dtype=np.int64)
        return cls(times, row, start, end, np.unique(np.concatenate([*points, by_hand])), by_hand)

    def firings(self, for_ns: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Give what one ``for`` makes of the runs.

        The step at which each run would fire (past its end: never), the runs that begin a
        firing, and the positions at which those fire and end.
        """
        width = len(self.times) + 1
        at = np.searchsorted(self.times, self.times[self.start] + for_ns) if for_ns else self.start
        fires = np.flatnonzero(at < self.end)
        key = self.row[fires] * width + at[fires]
        until = self.points[np.searchsorted(self.points, key)] if len(fires) else key
        first = np.ones(len(fires), dtype=bool)
        first[1:] = until[1:] != until[:-1]
        return at, fires[first], key[first], until[first]
