"""One alert rule over time: what it remembers, and how a stretch of steps is gone through.

>>> from monitorlab.storage import SeriesStore
>>> store = SeriesStore()
>>> for t in range(4):
...     store.append("up", t * 15_000_000_000, 0.0)
>>> one = RuleEvaluator(AlertRule("Down", "up == 0", for_="30s"))
>>> events, _ = one.advance(store, 0, 45_000_000_000, 15_000_000_000)
>>> [event.state for event in events]
['pending', 'firing']
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from monitorlab import query
from monitorlab.alerting import templates
from monitorlab.alerting.events import Alert, Event, PersonAction
from monitorlab.alerting.rules import AlertRule, Rule
from monitorlab.alerting.signals import Context, Signals, observe
from monitorlab.alerting.state import Action, InstanceState, Observation, Policy, step
from monitorlab.query.ast import Subquery, VectorSelector, walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitorlab.alerting.overlay import Source
    from monitorlab.model import Labels, SeriesKey

__all__ = ["RuleEvaluator", "goes_in_spans"]

_ONE_STEP = 1_000_000_000  # any step will do for a grid of one


class RuleEvaluator:
    """Evaluate one alert rule again and again, remembering only its open alerts.

    Parameters
    ----------
    rule : AlertRule
        The rule.
    context : Context, optional
        External labels and URL for templates.

    Examples
    --------
    >>> RuleEvaluator(AlertRule("Down", "up == 0")).active
    []
    """

    def __init__(self, rule: AlertRule, context: Context | None = None) -> None:
        self.rule = rule
        self.context = context or Context()
        self.fired: list[Alert] = []
        self._policy = rule.policy
        self._states: dict[Labels, tuple[SeriesKey, InstanceState]] = {}
        self._seen = False

    @property
    def active(self) -> list[Alert]:
        """The pending and firing alerts."""
        return [
            self._alert(labels, key, state)
            for labels, (key, state) in self._states.items()
            if state.phase != "inactive"
        ]

    def evaluate(
        self, source: Source, t_ns: int, actions: Iterable[PersonAction] = ()
    ) -> tuple[list[Event], Signals]:
        """Evaluate at one time.

        Parameters
        ----------
        source : Source
            Where the samples are.
        t_ns : int
            The time; later than that of the evaluation before.
        actions : iterable of PersonAction
            What people did since the evaluation before.

        Returns
        -------
        events : list of Event
            What happened.
        signals : Signals
            What the expressions said.

        Notes
        -----
        The cost does not grow with the history: expressions are evaluated at one instant.
        """
        return self.advance(source, t_ns, t_ns, _ONE_STEP, actions)

    def advance(
        self,
        source: Source,
        first_ns: int,
        last_ns: int,
        step_ns: int,
        actions: Iterable[PersonAction] = (),
    ) -> tuple[list[Event], Signals]:
        """Evaluate at every step of a grid, both ends included.

        Parameters
        ----------
        source : Source
            Where the samples are.
        first_ns, last_ns, step_ns : int
            The grid; ``first_ns`` is later than the evaluation before.
        actions : iterable of PersonAction
            What people did since; each counts at the first step at or after its time.

        Returns
        -------
        events : list of Event
            What happened, in order of time.
        signals : Signals
            What the expressions said.

        Notes
        -----
        Expressions are evaluated once for all steps; then the step function goes over those
        steps of an instance at which there is anything to decide. ``goes_in_spans`` tells
        for which rules this is the same as evaluating step by step. What ``fired`` holds are
        the alerts that fired in this call, as they were at that moment.
        """
        known = {labels: key for labels, (key, _) in self._states.items()}
        signals = observe(
            self.rule, source, first_ns, last_ns, step_ns, self.context,
            known=known, seen=self._seen,
        )  # fmt: skip
        self._seen = signals.seen
        self.fired = []
        acts = list(actions)
        present, values = signals.present.tolist(), signals.values.tolist()
        data = None if signals.data is None else signals.data.tolist()
        resolve = None if signals.resolve is None else signals.resolve.tolist()
        remembers = self._policy.no_data == "alert"
        events: list[Event] = []
        for column, t_ns in enumerate(signals.times.tolist()):
            due = [act for act in acts if act.time_ns <= t_ns]
            acts = [act for act in acts if act.time_ns > t_ns]
            for row, labels in enumerate(signals.labels):
                here = present[row][column]
                had = True if data is None else data[row][column]
                if not here and labels not in self._states and not (remembers and had):
                    continue
                seen = Observation(
                    present=here,
                    value=values[row][column] if here else math.nan,
                    has_data=had,
                    resolve=resolve is not None and resolve[row][column],
                )
                events += self._step(labels, signals.keys[row], t_ns, seen, due)
        return events, signals

    def _step(
        self,
        labels: Labels,
        found: SeriesKey,
        t_ns: int,
        observation: Observation,
        acts: list[PersonAction],
    ) -> list[Event]:
        key, state = self._states.get(labels, (found, InstanceState()))
        if observation.present:
            key = found
        asked: list[Action] = [a.kind for a in acts if a.applies_to(self.rule.name, labels)]
        state, outcomes = step(self._policy, state, t_ns, observation, asked)
        if _worth_keeping(state, self._policy, t_ns):
            self._states[labels] = (key, state)
        else:
            self._states.pop(labels, None)
        if any(o.state == "firing" for o in outcomes):
            self.fired.append(self._alert(labels, key, state))
        return [
            Event(
                o.time_ns, self.rule.name, o.state, o.severity or self.rule.severity, key,
                labels, o.value, o.reason, "cooldown" if o.quiet else "",
            )
            for o in outcomes
        ]  # fmt: skip

    def _alert(self, labels: Labels, key: SeriesKey, state: InstanceState) -> Alert:
        level = state.level
        severity = self._policy.escalations[level - 1][1] if level else self.rule.severity
        context = self.context
        return Alert(
            rule=self.rule.name,
            labels=labels,
            annotations={
                name: templates.expand(
                    text, key, state.value, context.external_labels, context.external_url
                )
                for name, text in self.rule.annotations.items()
            },
            state="firing" if state.phase == "firing" else "pending",
            severity=severity,
            value=state.value,
            active_since_ns=state.active_since,
            fired_at_ns=state.fired_at if state.phase == "firing" else None,
            key=key,
            acknowledged=state.acknowledged,
            quiet_until_ns=state.quiet_until,
        )


def goes_in_spans(rule: Rule, context: Context) -> bool:
    """Tell whether a rule may be evaluated for many steps at once.

    Parameters
    ----------
    rule : AlertRule or RecordingRule
        The rule.
    context : Context
        How expressions are evaluated.

    Returns
    -------
    bool
        False where a step's answer depends on which steps are asked for together: ``@``
        with ``start()`` or ``end()``, a look-back told from the samples, labels made of the
        value.

    Examples
    --------
    >>> goes_in_spans(AlertRule("Down", "up == 0"), Context())
    True
    >>> goes_in_spans(AlertRule("Last", "up @ end() == 0"), Context())
    False
    """
    if context.options is not None and context.options.lookback_ns is None:
        return False
    texts = [rule.expr]
    if isinstance(rule, AlertRule):
        if any(templates.uses_value(text) for text in rule.labels.values()):
            return False
        texts += [] if rule.resolve_expr is None else [rule.resolve_expr]
    return not any(
        isinstance(node, (VectorSelector, Subquery)) and node.at in ("start", "end")
        for text in texts
        for node in walk(query.parse(text))
    )


def _worth_keeping(state: InstanceState, policy: Policy, t_ns: int) -> bool:
    return (
        state.phase != "inactive"
        or state.history != 0
        or state.muted
        or (policy.no_data == "alert" and state.seen)
        or (state.quiet_until is not None and t_ns < state.quiet_until)
    )
