"""The life of one alert as a pure step: ``(state, time, observation) -> (state, outcomes)``.

The same rules, vectorised over a whole history, stand in ``monitorlab.alerting.batch``; a
property test says that both give the same outcomes.

>>> policy = Policy(for_ns=30 * 10**9)
>>> state = InstanceState()
>>> for t in (0, 30):
...     state, outcomes = step(policy, state, t * 10**9, Observation(present=True, value=7.0))
>>> outcomes[0].state, outcomes[0].time_ns
('firing', 30000000000)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection

    from monitorlab.model import Severity

__all__ = [
    "Action",
    "InstanceState",
    "NoData",
    "Observation",
    "Outcome",
    "Phase",
    "Policy",
    "step",
]

Phase: TypeAlias = Literal["inactive", "pending", "firing"]
NoData: TypeAlias = Literal["ok", "alert", "keep"]
Action: TypeAlias = Literal["acknowledge", "resolve"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What decides the life of an alert, in numbers; made by ``AlertRule.policy``.

    Parameters
    ----------
    for_ns : int
        How long the condition must hold before the alert fires.
    keep_ns : int
        How long it keeps firing after the condition went away, counted from the first
        step without it.
    no_data : {"ok", "alert", "keep"}
        What a step without data counts as: condition false, condition true (for what has
        been seen before), or the same as the step before.
    m, n : int
        The condition counts as true while at least ``m`` of the last ``n`` steps had it.
    hysteresis : bool
        Whether a firing alert stays until ``Observation.resolve`` says otherwise.
    auto_resolve : bool
        False: only a person ends a firing alert.
    cooldown_ns : int
        Quiet time after a resolution, for notifications only.
    escalations : tuple of (int, Severity)
        Nanoseconds after firing, and the severity then, in rising order.

    Examples
    --------
    >>> Policy(for_ns=60_000_000_000).no_data
    'ok'
    """

    for_ns: int = 0
    keep_ns: int = 0
    no_data: NoData = "ok"
    m: int = 1
    n: int = 1
    hysteresis: bool = False
    auto_resolve: bool = True
    cooldown_ns: int = 0
    escalations: tuple[tuple[int, Severity], ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What one evaluation said of one alert instance.

    Parameters
    ----------
    present : bool
        Whether the expression gave this element: the condition holds.
    value : float
        Its value, when present.
    has_data : bool
        Whether there was anything to compare.
    resolve : bool
        Whether the rule's second condition (hysteresis) holds.

    Examples
    --------
    >>> Observation(present=True, value=3.0).has_data
    True
    """

    present: bool
    value: float = math.nan
    has_data: bool = True
    resolve: bool = False


@dataclass(frozen=True, slots=True)
class InstanceState:
    """All that is remembered of one alert instance between two evaluations.

    Examples
    --------
    >>> InstanceState().phase
    'inactive'
    """

    phase: Phase = "inactive"
    active_since: int = 0
    fired_at: int = 0
    missing_since: int | None = None
    acknowledged: bool = False
    muted: bool = False
    level: int = 0
    quiet_until: int | None = None
    value: float = math.nan
    seen: bool = False
    raw: bool = False
    resolve: bool = False
    history: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One thing that happened to an alert instance.

    Parameters
    ----------
    state : {"pending", "firing", "escalated", "resolved"}
        What it became.
    time_ns : int
        When, in event time.
    value : float
        The last value of the expression.
    severity : Severity, optional
        The severity from now on; None is the rule's own.
    reason : str
        For ``resolved``: ``"cleared"`` or ``"manual"``.
    quiet : bool
        Whether it falls into the cooldown after an earlier resolution.

    Examples
    --------
    >>> Outcome("firing", 0, 1.0).quiet
    False
    """

    state: Literal["pending", "firing", "escalated", "resolved"]
    time_ns: int
    value: float
    severity: Severity | None = None
    reason: str = ""
    quiet: bool = False


def step(
    policy: Policy,
    state: InstanceState,
    t_ns: int,
    observation: Observation,
    actions: Collection[Action] = (),
) -> tuple[InstanceState, tuple[Outcome, ...]]:
    """Advance one alert instance by one evaluation.

    Parameters
    ----------
    policy : Policy
        The rule's numbers.
    state : InstanceState
        What is remembered; not changed.
    t_ns : int
        Time of the evaluation.
    observation : Observation
        What the expressions said at that time.
    actions : collection of {"acknowledge", "resolve"}
        What people did since the evaluation before; taken into account first.

    Returns
    -------
    state : InstanceState
        The new state.
    outcomes : tuple of Outcome
        What happened, in order.

    Notes
    -----
    Prometheus' rules: an alert is pending from the first step with the condition and fires
    at the first step with ``t - active_since >= for``; one step without the condition ends
    a pending alert; a firing one ends when ``t - first step without >= keep_firing_for``.
    A person who resolves an alert silences it until its condition has been false once.

    Examples
    --------
    >>> state, outcomes = step(Policy(), InstanceState(), 0, Observation(present=True, value=2.0))
    >>> state.phase, [o.state for o in outcomes]
    ('firing', ['firing'])
    """
    raw, resolve = observation.present, observation.resolve
    if not observation.has_data and not observation.present:
        if policy.no_data == "alert":
            raw = state.seen
        elif policy.no_data == "keep":
            raw, resolve = state.raw, state.resolve
    seen = state.seen or observation.has_data
    history = ((state.history << 1) | int(raw)) & ((1 << policy.n) - 1)
    active = history.bit_count() >= policy.m
    known = observation.has_data if policy.no_data == "ok" else seen
    hold = active or (policy.hysteresis and known and not resolve)
    value = observation.value if observation.present else state.value

    phase, active_since, fired_at = state.phase, state.active_since, state.fired_at
    missing_since, muted, level = state.missing_since, state.muted, state.level
    acknowledged, quiet_until = state.acknowledged, state.quiet_until
    outcomes: list[Outcome] = []

    def raised(level: int) -> Severity | None:
        return policy.escalations[level - 1][1] if level else None

    def emit(kind: Literal["pending", "firing", "escalated", "resolved"], **extra: object) -> None:
        quiet = quiet_until is not None and t_ns < quiet_until
        outcomes.append(Outcome(kind, t_ns, value, quiet=quiet, **extra))  # type: ignore[arg-type]

    if phase != "inactive":
        acknowledged = acknowledged or "acknowledge" in actions
        if "resolve" in actions:
            if phase == "firing":
                emit("resolved", reason="manual", severity=raised(level))
                quiet_until = t_ns + policy.cooldown_ns
            phase, muted = "inactive", True
    if not active:
        muted = False

    if phase == "inactive":
        if active and not muted:
            phase, active_since = "pending", t_ns
            acknowledged, level = False, 0
            if policy.for_ns > 0:
                emit("pending")
    elif phase == "pending":
        if not active:
            phase = "inactive"
    elif hold:
        missing_since = None
    else:
        missing_since = t_ns if missing_since is None else missing_since
        if policy.auto_resolve and t_ns - missing_since >= policy.keep_ns:
            phase = "inactive"
            emit("resolved", reason="cleared", severity=raised(level))
            quiet_until = t_ns + policy.cooldown_ns

    if phase == "pending" and t_ns - active_since >= policy.for_ns:
        phase, fired_at, missing_since = "firing", t_ns, None
        emit("firing")
    if phase == "firing" and not acknowledged:
        while level < len(policy.escalations) and t_ns - fired_at >= policy.escalations[level][0]:
            emit("escalated", severity=policy.escalations[level][1])
            level += 1

    return (
        replace(
            state,
            phase=phase, active_since=active_since, fired_at=fired_at,
            missing_since=missing_since, acknowledged=acknowledged, muted=muted, level=level,
            quiet_until=quiet_until, value=value, seen=seen, raw=raw, resolve=resolve,
            history=history,
        ),
        tuple(outcomes),
    )  # fmt: skip
