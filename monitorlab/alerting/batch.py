"""The same life of alerts as ``monitorlab.alerting.state``, for a whole history at once.

Work is done on runs of equal values (NumPy over all series and steps together); nothing
loops over steps. A firing ends at the first *resolve point*: a step at which the condition
has been away long enough. Resolve points do not depend on the state, so each candidate
firing finds its end with one binary search, and candidates that share an end are one.

>>> times = np.arange(6) * 10
>>> present = np.array([[False, True, True, True, False, False]])
>>> lives = run(Policy(for_ns=20), times, present, present.astype(float))
>>> lives.firing_row.tolist(), lives.fired.tolist(), lives.ended.tolist()
([0], [3], [4])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from monitorlab.alerting.runs import BoolArray, FloatArray, IntArray, Runs, condition
from monitorlab.alerting.state import Outcome, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Lives", "run"]


@dataclass(frozen=True, slots=True)
class Lives:
    """Every pending and firing interval of a set of alert instances, as columns.

    Steps are positions in the evaluation grid; a step equal to the number of steps means
    "still so at the end". Intervals are half-open.

    Parameters
    ----------
    policy : Policy
        The rule's numbers.
    times : numpy.ndarray of int64, shape (n_steps,)
        The grid.
    values : numpy.ndarray of float64, shape (n_rows, n_steps)
        The expression's value, where there was one.
    valued : numpy.ndarray of bool, shape (n_rows, n_steps)
        Where there was one.
    pending_row, pending_start, pending_end : numpy.ndarray of int64
        Pending intervals, row by row.
    firing_row, first_active, fired, ended : numpy.ndarray of int64
        Firing intervals ``[fired, ended)`` and the first step of their pending phase.
    manual, quiet : numpy.ndarray of bool
        Whether a person ended it; whether it started within the cooldown.
    quiet_until : numpy.ndarray of int64
        End of the cooldown that the earlier firing of the row left, else the smallest number.
    escalated : tuple of numpy.ndarray of int64
        For each level the step of the escalation, -1 for none.

    Examples
    --------
    >>> grid, on = np.arange(3), np.array([[True, True, False]])
    >>> run(Policy(), grid, on, on.astype(float)).ended.tolist()
    [2]
    """

    policy: Policy
    times: IntArray
    values: FloatArray
    valued: BoolArray
    pending_row: IntArray
    pending_start: IntArray
    pending_end: IntArray
    firing_row: IntArray
    first_active: IntArray
    fired: IntArray
    ended: IntArray
    manual: BoolArray
    quiet_until: IntArray
    escalated: tuple[IntArray, ...]

    @property
    def pending_steps(self) -> int:
        """Number of steps (over all rows) at which an alert was pending."""
        return int((self.pending_end - self.pending_start).sum())

    @property
    def firing_steps(self) -> int:
        """Number of steps (over all rows) at which an alert was firing."""
        return int((self.ended - self.fired).sum())

    def value_at(self, rows: IntArray, steps: IntArray) -> FloatArray:
        """Give the last value that each row had at or before a step (NaN: never any)."""
        if not len(rows):
            return np.empty(0)
        wanted = np.unique(rows)
        seen = np.where(self.valued[wanted], np.arange(len(self.times)), -1)
        last = np.maximum.accumulate(seen, axis=1)[np.searchsorted(wanted, rows), steps]
        return np.where(last >= 0, self.values[rows, np.maximum(last, 0)], np.nan)

    def columns(self) -> dict[str, np.ndarray]:
        """Give every event as columns ``row, step, order, kind, level, manual, quiet, value``.

        ``kind`` is 0 pending, 1 firing, 2 escalated, 3 resolved; rows are sorted by time,
        then by row, then in the order in which the step function reports them.
        """
        steps = len(self.times)
        waited = self.policy.for_ns > 0
        raised = np.zeros(len(self.fired), dtype=np.int64)
        parts: list[tuple[IntArray, IntArray, int, IntArray, BoolArray, IntArray, int]] = []

        def add(
            row: IntArray, at: IntArray, kind: int, level: IntArray, manual: BoolArray,
            quiet_until: IntArray, order: int,
        ) -> None:  # fmt: skip
            parts.append((row, at, kind, level, manual, quiet_until, order))

        if waited:
            nothing = np.zeros(len(self.pending_row), dtype=np.int64)
            quiet = _quiet_before(
                self.firing_row, self.ended, self.times, self.policy,
                self.pending_row, self.pending_start,
            )  # fmt: skip
            add(self.pending_row, self.pending_start, 0, nothing, nothing > 0, quiet, 1)
        add(self.firing_row, self.fired, 1, raised, raised > 0, self.quiet_until, 2)
        for level, at in enumerate(self.escalated):
            had = at >= 0
            raised = np.where(had, level + 1, raised)
            add(
                self.firing_row[had], at[had], 2, np.full(int(had.sum()), level + 1),
                np.zeros(int(had.sum()), dtype=bool), self.quiet_until[had], 3 + level,
            )  # fmt: skip
        over = self.ended < steps
        add(
            self.firing_row[over], self.ended[over], 3, raised[over], self.manual[over],
            self.quiet_until[over], 0,
        )  # fmt: skip
        row = np.concatenate([p[0] for p in parts])
        at = np.concatenate([p[1] for p in parts])
        kind = np.concatenate([np.full(len(p[0]), p[2]) for p in parts])
        order = np.concatenate([np.full(len(p[0]), p[6]) for p in parts])
        sort = np.lexsort((order, row, at))
        row, at = row[sort], at[sort]
        return {
            "row": row,
            "step": at,
            "kind": kind[sort],
            "level": np.concatenate([p[3] for p in parts])[sort],
            "manual": np.concatenate([p[4] for p in parts])[sort],
            "quiet": self.times[at] < np.concatenate([p[5] for p in parts])[sort],
            "value": self.value_at(row, at),
        }

    def outcomes(self, row: int) -> list[Outcome]:
        """Give one row's events as the step function would have reported them."""
        table = self.columns()
        kinds = ("pending", "firing", "escalated", "resolved")
        found = []
        for i in np.flatnonzero(table["row"] == row):
            kind, level = kinds[table["kind"][i]], int(table["level"][i])
            reason = ("manual" if table["manual"][i] else "cleared") if kind == "resolved" else ""
            found.append(
                Outcome(
                    kind,  # type: ignore[arg-type]
                    int(self.times[table["step"][i]]),
                    float(table["value"][i]),
                    severity=self.policy.escalations[level - 1][1] if level else None,
                    reason=reason,
                    quiet=bool(table["quiet"][i]),
                )
            )
        return found


def run(
    policy: Policy,
    times: IntArray,
    present: BoolArray,
    values: FloatArray,
    *,
    data: BoolArray | None = None,
    resolve: BoolArray | None = None,
    resolves: Mapping[int, Sequence[int]] | None = None,
    acknowledgements: Mapping[int, Sequence[int]] | None = None,
) -> Lives:
    """Find every pending and firing interval of all rows of a rule.

    Parameters
    ----------
    policy : Policy
        The rule's numbers.
    times : numpy.ndarray of int64, shape (n_steps,)
        Evaluation times, increasing.
    present : numpy.ndarray of bool, shape (n_rows, n_steps)
        Where the expression gave the element.
    values : numpy.ndarray of float64, shape (n_rows, n_steps)
        Its value there.
    data : numpy.ndarray of bool, shape (n_rows, n_steps), optional
        Where there was anything to compare; everywhere when not given.
    resolve : numpy.ndarray of bool, shape (n_rows, n_steps), optional
        Where the second condition held; nowhere when not given.
    resolves, acknowledgements : mapping of int to sequence of int, optional
        For a row, the steps at which a person resolved or acknowledged.

    Returns
    -------
    Lives
        All intervals.

    Notes
    -----
    O(rows × steps) for the masks and O(runs × log runs) after that; a person's resolutions
    cost one pass over their row each.

    Examples
    --------
    >>> on = np.array([[True, False, True]])
    >>> run(Policy(keep_ns=5), np.arange(3) * 4, on, on.astype(float)).ended.tolist()
    [3]
    """
    active, hold = condition(policy, present, data, resolve)
    forced: list[tuple[int, int]] = []
    if resolves:
        active = active.copy()
        for row, asked in resolves.items():
            forced += _by_hand(policy, times, row, sorted(asked), active, hold)
    return _lives(policy, times, values, present, active, hold, forced, acknowledgements or {})


def _lives(
    policy: Policy,
    times: IntArray,
    values: FloatArray,
    valued: BoolArray,
    active: BoolArray,
    hold: BoolArray,
    forced: Sequence[tuple[int, int]],
    acknowledgements: Mapping[int, Sequence[int]],
) -> Lives:
    width = active.shape[1] + 1
    runs = Runs.find(policy, times, active, hold, forced)
    row, start, end = runs.row, runs.start, runs.end
    at, firing, fired_key, ended_key = runs.firings(policy.for_ns)

    # A run that starts inside a firing interval is part of it: neither pending nor new.
    inside = np.zeros(len(row), dtype=bool)
    if len(fired_key):
        start_key = row * width + start
        before = np.searchsorted(fired_key, start_key, side="left") - 1
        inside = (before >= 0) & (start_key < ended_key[np.maximum(before, 0)])
    waiting = np.flatnonzero(~inside & (np.minimum(at, end) > start))

    ended = ended_key % width
    return Lives(
        policy=policy,
        times=times,
        values=values,
        valued=valued,
        pending_row=row[waiting],
        pending_start=start[waiting],
        pending_end=np.minimum(at, end)[waiting],
        firing_row=row[firing],
        first_active=start[firing],
        fired=at[firing],
        ended=ended,
        manual=np.isin(ended_key, runs.by_hand),
        quiet_until=_quiet_before(row[firing], ended, times, policy, row[firing], at[firing]),
        escalated=_escalations(
            policy, times, row[firing], start[firing], at[firing], ended, acknowledgements
        ),
    )


def _quiet_before(
    firing_row: IntArray,
    ended: IntArray,
    times: IntArray,
    policy: Policy,
    rows: IntArray,
    steps: IntArray,
) -> IntArray:
    """For positions (row, step) give the end of the cooldown that was running then."""
    never = np.iinfo(np.int64).min
    if not len(firing_row) or not policy.cooldown_ns or not len(rows):
        return np.full(len(rows), never, dtype=np.int64)
    width = len(times) + 1
    over = ended < len(times)
    end_key = (firing_row * width + ended)[over]
    if not len(end_key):
        return np.full(len(rows), never, dtype=np.int64)
    before = np.searchsorted(end_key, rows * width + steps, side="right") - 1
    same = (before >= 0) & (end_key[np.maximum(before, 0)] // width == rows)
    until = times[np.minimum(end_key % width, len(times) - 1)] + policy.cooldown_ns
    return np.where(same, until[np.maximum(before, 0)], never)


def _escalations(
    policy: Policy,
    times: IntArray,
    row: IntArray,
    start: IntArray,
    fired: IntArray,
    ended: IntArray,
    acknowledgements: Mapping[int, Sequence[int]],
) -> tuple[IntArray, ...]:
    steps = len(times)
    acknowledged = np.full(len(row), steps, dtype=np.int64)
    for this, asked in acknowledgements.items():
        mine = np.flatnonzero(row == this)
        steps_asked = np.append(np.sort(np.asarray(asked, dtype=np.int64)), steps)
        acknowledged[mine] = steps_asked[np.searchsorted(steps_asked, start[mine], side="right")]
    levels = []
    for after, _severity in policy.escalations:
        at = np.searchsorted(times, times[fired] + after).astype(np.int64)
        levels.append(np.where((at < ended) & (at < acknowledged), at, -1))
    return tuple(levels)


def _by_hand(
    policy: Policy,
    times: IntArray,
    row: int,
    asked: Sequence[int],
    active: BoolArray,
    hold: BoolArray,
) -> list[tuple[int, int]]:
    """Apply one row's manual resolutions in time order; masks the rest of each run."""
    forced: list[tuple[int, int]] = []
    one = active[row : row + 1]
    for at in asked:
        nothing = np.zeros(one.shape)
        lives = _lives(
            policy, times, nothing, one, one, hold[row : row + 1], [(0, f) for _, f in forced], {}
        )
        firing = bool(((lives.fired < at) & (lives.ended >= at)).any())
        waiting = bool(((lives.pending_start < at) & (lives.pending_end >= at)).any())
        if not firing and not (waiting and at > 0):
            continue
        if firing:
            forced.append((row, at))
        rest = one[0, at:]
        stop = at + (int(np.argmin(rest)) if not rest.all() else len(rest))
        one[0, at:stop] = False
    return forced
